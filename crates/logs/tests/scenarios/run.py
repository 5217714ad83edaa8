"""Plays the scenarios beside this file against a server that speaks OpenSearch's REST API.

    python run.py --url http://127.0.0.1:9200 [--user NAME:PASSWORD] [--report junit.xml] [NAME ...]

The server may be Pampero or a real OpenSearch, so that the two can be compared. Everything that a
scenario makes begins with `pampero_test`; what is called so is deleted before and after each of them.

A file is a mapping from the name of a scenario to its steps; `setup` and `about` are no scenarios. A step
is a mapping with one of these keys, and what goes with it:

    send: METHOD /path       a request; `body:` (object, list of NDJSON lines, or text), `headers:`,
                             `status:` (default: any 2xx; a number or a list of them)
    match: {path: value}     equal; a text between slashes is a regular expression
    length: {path: n}        of a list, an object or a text
    is_true / is_false: path there and neither false, null, 0, '' nor empty, and the opposite
    absent: path             not there at all
    gt gte lt lte: {path: n} compared as numbers
    close_to: {path: [n, e]} no further than `e` from `n`
    contains: {path: value}  a list has the member, or an object that has at least the same entries
    set: {path: name}        kept, and put in where `$name` stands afterwards
    header: {name: value}    of the last answer, as `match`

A path has dots between its names; `$body` is the whole answer, a number stands for a member of a list, a
dot within a name is written `\\.`.
"""

import argparse
import json
import pathlib
import re
import sys
import time
import xml.sax.saxutils as xml

import requests
import yaml

PREFIX = "pampero_test"
HERE = pathlib.Path(__file__).parent
MISSING = object()


class Failure(Exception):
    """A step that does not hold."""


class Server:
    def __init__(self, url, user):
        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.session.auth = tuple(user.split(":", 1)) if user else None

    def send(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if isinstance(body, list):
            lines = [line if isinstance(line, str) else json.dumps(line) for line in body]
            body = "".join(line + "\n" for line in lines)
            headers.setdefault("content-type", "application/x-ndjson")
        elif isinstance(body, dict):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("content-type", "application/json")
            body = body.encode()
        return self.session.request(method, self.url + path, data=body, headers=headers, timeout=60)

    def clean(self):
        """Deletes everything that a scenario may have made."""
        self.send("DELETE", f"/{PREFIX}*?expand_wildcards=all&ignore_unavailable=true")
        for kind in ("_index_template", "_template", "_component_template"):
            self.send("DELETE", f"/{kind}/{PREFIX}*")


class Scenario:
    def __init__(self, server):
        self.server = server
        self.kept = {}
        self.answer = None
        self.body = None

    def play(self, steps):
        for number, step in enumerate(steps, 1):
            try:
                self.step(step)
            except Failure as failure:
                shown = json.dumps(self.body, indent=1) if self.body is not None else "nothing"
                raise Failure(f"step {number}: {failure}\nthe last answer was {shown[:3000]}") from None

    def step(self, step):
        step = self.fill(step)
        if "send" in step:
            self.send(step)
            return
        for name, expected in step.items():
            check = getattr(self, f"check_{name}", None)
            if check is None:
                raise Failure(f"there is no step {name!r}")
            check(expected)

    def send(self, step):
        unknown = set(step) - {"send", "body", "headers", "status"}
        if unknown:
            raise Failure(f"a request has no {', '.join(sorted(unknown))}")
        method, path = step["send"].split(" ", 1)
        self.answer = self.server.send(method, path, step.get("body"), step.get("headers"))
        text = self.answer.text
        try:
            self.body = json.loads(text) if text else ""
        except ValueError:
            self.body = text
        status = self.answer.status_code
        wanted = step.get("status")
        if wanted is None:
            holds = 200 <= status < 300
        else:
            holds = status in (wanted if isinstance(wanted, list) else [wanted])
        if not holds:
            raise Failure(f"{step['send']} answers {status} instead of {wanted or '2xx'}")

    def fill(self, value):
        """Puts what was kept in the place of `$name`."""
        if isinstance(value, dict):
            return {self.fill(key): self.fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        if isinstance(value, str):
            if value.startswith("$") and value[1:] in self.kept:
                return self.kept[value[1:]]
            return re.sub(
                r"\$\{(\w+)\}", lambda found: str(self.kept.get(found[1], found[0])), value
            )
        return value

    def at(self, path):
        if path == "$body":
            return self.body
        value = self.body
        for part in re.split(r"(?<!\\)\.", str(path)):
            part = part.replace("\\.", ".")
            if isinstance(value, dict) and part in value:
                value = value[part]
            elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            else:
                return MISSING
        return value

    def there(self, path):
        value = self.at(path)
        if value is MISSING:
            raise Failure(f"there is no {path}")
        return value

    def check_match(self, expected):
        for path, wanted in expected.items():
            value = self.at(path)
            if wanted is None and value is MISSING:
                continue
            if value is MISSING or not equal(value, wanted):
                shown = "nothing" if value is MISSING else json.dumps(value)
                raise Failure(f"{path} is {shown} instead of {json.dumps(wanted)}")

    def check_length(self, expected):
        for path, wanted in expected.items():
            length = len(self.there(path))
            if length != wanted:
                raise Failure(f"{path} has {length} members instead of {wanted}")

    def check_is_true(self, path):
        value = self.at(path)
        if value is MISSING or value in (False, None, 0, "", "false"):
            raise Failure(f"{path} is not true")

    def check_is_false(self, path):
        value = self.at(path)
        if not (value is MISSING or value in (False, None, 0, "", "false")):
            raise Failure(f"{path} is {json.dumps(value)}")

    def check_absent(self, path):
        if self.at(path) is not MISSING:
            raise Failure(f"there is a {path}")

    def compare(self, expected, word, holds):
        for path, wanted in expected.items():
            value = self.there(path)
            if not holds(value, wanted):
                raise Failure(f"{path} is {value}, which is not {word} {wanted}")

    def check_gt(self, expected):
        self.compare(expected, "above", lambda value, wanted: value > wanted)

    def check_gte(self, expected):
        self.compare(expected, "at least", lambda value, wanted: value >= wanted)

    def check_lt(self, expected):
        self.compare(expected, "below", lambda value, wanted: value < wanted)

    def check_lte(self, expected):
        self.compare(expected, "at most", lambda value, wanted: value <= wanted)

    def check_close_to(self, expected):
        self.compare(expected, "close to", lambda value, wanted: abs(value - wanted[0]) <= wanted[1])

    def check_contains(self, expected):
        for path, wanted in expected.items():
            if not any(has(member, wanted) for member in self.there(path)):
                raise Failure(f"{path} has no {json.dumps(wanted)}")

    def check_set(self, expected):
        for path, name in expected.items():
            self.kept[name] = self.there(path)

    def check_header(self, expected):
        for name, wanted in expected.items():
            value = self.answer.headers.get(name)
            if value is None or not equal(value, wanted):
                raise Failure(f"the header {name} is {value!r} instead of {wanted!r}")


def equal(value, wanted):
    if isinstance(wanted, str) and len(wanted) > 1 and wanted.startswith("/") and wanted.endswith("/"):
        return re.search(wanted[1:-1], str(value), re.VERBOSE) is not None
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return value == wanted


def has(member, wanted):
    if isinstance(wanted, dict) and isinstance(member, dict):
        return all(key in member and equal(member[key], inner) for key, inner in wanted.items())
    return equal(member, wanted)


def load(names):
    """Yields the name of each scenario with its steps, those of `setup` in front."""
    for file in sorted(HERE.glob("**/*.yml")):
        steps_by_name = yaml.safe_load(file.read_text())
        about = file.relative_to(HERE).with_suffix("").as_posix()
        setup = steps_by_name.pop("setup", [])
        steps_by_name.pop("about", None)
        for name, steps in steps_by_name.items():
            full = f"{about}: {name}"
            if not names or any(wanted in full for wanted in names):
                yield full, setup + steps


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--user", help="NAME:PASSWORD for basic authentication")
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help="parts of the names of scenarios; all without any")
    arguments = parser.parse_args()
    server = Server(arguments.url, arguments.user)
    cases, failed = [], 0
    for name, steps in load(arguments.names):
        begun = time.monotonic()
        failure = None
        server.clean()
        try:
            Scenario(server).play(steps)
        except (Failure, requests.RequestException) as error:
            failure = str(error)
            failed += 1
            print(f"FAILED {name}\n  {failure}")
        cases.append((name, failure, time.monotonic() - begun))
    server.clean()
    print(f"scenarios: {len(cases) - failed} passed, {failed} failed")
    if arguments.report:
        arguments.report.write_text(report(cases, failed))
    return 1 if failed or not cases else 0


def report(cases, failed):
    lines = [f'<testsuites tests="{len(cases)}" failures="{failed}" errors="0">']
    lines.append('<testsuite name="scenarios">')
    for name, failure, seconds in cases:
        lines.append(f"<testcase name={xml.quoteattr(name)} time={xml.quoteattr(f'{seconds:.3f}')}>")
        if failure:
            lines.append(f"<failure>{xml.escape(failure)}</failure>")
        lines.append("</testcase>")
    lines.append("</testsuite></testsuites>")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
