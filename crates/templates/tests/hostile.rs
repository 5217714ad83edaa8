//! Random templates: none makes the parsers panic, and none renders beyond its bounds.

use pampero_templates::go;
use pampero_templates::mustache::{self, Escape};
use proptest::prelude::*;
use serde_json::json;

const BYTES_MAX: usize = 300;

const GO_PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    " ",
    "\n",
    "(",
    ")",
    "|",
    ":=",
    "=",
    ",",
    ".",
    "$",
    "$x",
    "$value",
    "$labels",
    ".Labels",
    ".job",
    ".Value",
    "if",
    "else",
    "end",
    "with",
    "range",
    "break",
    "continue",
    "nil",
    "true",
    "print",
    "printf",
    "humanize",
    "humanizeDuration",
    "eq",
    "lt",
    "len",
    "index",
    "match",
    "reReplaceAll",
    "title",
    "js",
    "humanizeTimestamp",
    "\"%d %v\"",
    "\"%*.*f\"",
    "\"%[1]q%#x\"",
    "\"(a*)*$\"",
    "\"$0$0\"",
    "`é`",
    "'x'",
    "0",
    "-1",
    "1e300",
    "0x1F",
    "/*",
    "*/",
    "é",
    "\\",
    "\"",
];

const MUSTACHE_PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{{",
    "}}}",
    "#",
    "^",
    "/",
    "!",
    "&",
    ">",
    "a",
    "l",
    "n",
    ".",
    "0",
    "size",
    " ",
    "\n",
    "toJson",
    "join",
    "join delimiter='; '",
    "url",
    "{{#l}}",
    "{{/l}}",
    "{{#a}}",
    "{{/a}}",
    "{{.}}",
    "{{#join}}l{{/join}}",
    "é",
    "\"",
    "'",
];

/// Makes a text of pieces that mean something, in any order.
fn text_of(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

/// Makes an action that is closed, so that parsing gets further.
fn actions() -> impl Strategy<Value = String> {
    let action = prop::collection::vec(prop::sample::select(GO_PIECES), 1..6)
        .prop_map(|pieces| format!("{{{{ {} }}}}", pieces.join(" ")));
    prop::collection::vec(action, 0..8).prop_map(|actions| actions.concat())
}

fn run_go(source: &str) {
    let data = go::Data {
        labels: &[("instance", "é\"<"), ("job", "api")],
        value: -1234.5,
        external_labels: &[("a", "b")],
        external_url: "http://é%/",
    };
    match go::Template::parse(source) {
        Ok(template) => {
            assert_eq!(template.source(), source);
            if let Ok(text) = template.render(data, BYTES_MAX) {
                assert!(text.len() <= BYTES_MAX, "{} bytes of {source}", text.len());
            }
        }
        Err(error) => check_place(source, error.line, error.column),
    }
}

fn run_mustache(source: &str) {
    let data = json!({ "a": { "n": 1.5, "l": "\"\n" }, "l": [1, "é", { "a": null }], "n": null });
    match mustache::Template::parse(source) {
        Ok(template) => {
            assert!(template.root_names().iter().all(|name| template.names().contains(name)));
            for escape in [Escape::Json, Escape::None] {
                if let Ok(text) = template.render(&data, escape, BYTES_MAX) {
                    assert!(text.len() <= BYTES_MAX, "{} bytes of {source}", text.len());
                }
            }
        }
        Err(error) => check_place(source, error.line, error.column),
    }
}

/// The place of an error is in the text, or just behind it.
fn check_place(source: &str, line: usize, column: usize) {
    let lines: Vec<&str> = source.split('\n').collect();
    assert!((1..=lines.len()).contains(&line), "line {line} of {source:?}");
    let columns = lines[line - 1].chars().count() + 1;
    assert!((1..=columns).contains(&column), "line {line}, column {column} of {source:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn go_takes_any_text(source in ".{0,200}") {
        run_go(&source);
    }

    #[test]
    fn go_takes_any_pieces(source in text_of(GO_PIECES)) {
        run_go(&source);
    }

    #[test]
    fn go_takes_any_actions(source in actions()) {
        run_go(&source);
    }

    #[test]
    fn mustache_takes_any_text(source in "[{}#^/!&a.\\PC\n]{0,200}") {
        run_mustache(&source);
    }

    #[test]
    fn mustache_takes_any_pieces(source in text_of(MUSTACHE_PIECES)) {
        run_mustache(&source);
    }
}
