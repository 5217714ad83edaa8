//! Which of Go's templates are refused, what fails, and what is bounded; `promtool.rs` has the rest.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use pampero_templates::go::{Data, Template};
use pampero_templates::{NESTING_MAX, RenderError, SOURCE_BYTES_MAX, STEPS_MAX};

const DATA: Data<'_> = Data {
    labels: &[("instance", "rosario"), ("job", "api")],
    value: 2.5,
    external_labels: &[],
    external_url: "http://localhost:9090/prom%20x/?q",
};

#[track_caller]
fn check(source: &str, expected: &str) {
    let rendered = Template::parse(source).unwrap().render(DATA, 1000).unwrap();
    assert_eq!(rendered, expected, "{source}");
}

#[test]
fn address_of_the_program_is_known() {
    check("{{ externalURL }} {{ pathPrefix }}", "http://localhost:9090/prom%20x/?q /prom x/");
    check("{{ printf \"%s!\" externalURL }}", "http://localhost:9090/prom%20x/?q!");
}

#[test]
fn actions_go_over_lines() {
    check("{{ if\n\tgt $value\r\n 1.0 }}a{{ end }}", "a");
    check("{{ $x := 1 }}{{ if $x }}{{ $x := 2 }}{{ $x = 3 }}{{ end }}{{ $x }}", "1");
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    check_refused("a {{ query \"up\" }}", 1, 6, "query is not supported in templates");
    check_refused("{{ with query \"up\" }}{{ end }}", 1, 9, "query is not supported");
    check_refused("{{ $value | first }}", 1, 13, "first works on what query answers");
    check_refused("{{ sortByLabel \"a\" 1 }}", 1, 4, "sortByLabel works on what query answers");
    check_refused("{{ tmpl \"a\" }}", 1, 4, "tmpl is not supported");
    check_refused("{{ template \"a\" }}", 1, 1, "template is not supported");
    check_refused("{{ define \"a\" }}{{ end }}", 1, 1, "define is not supported");
    check_refused("{{ toTime $value }}", 1, 4, "humanizeTimestamp");
    check_refused("é\n{{ nope 1 }}", 2, 4, "there is no function nope");
    check_refused("{{ .Nope }}", 1, 4, "there is no field Nope: Labels, ExternalLabels");
    check_refused("{{ $.Value.x }}", 1, 4, ".Value has no field x");
    check_refused("{{ .Labels.a.b }}", 1, 4, ".Labels has no field b");
    check_refused("{{ $nope }}", 1, 4, "the variable $nope is not known");
    check_refused("{{ $x = 1 }}", 1, 4, "the variable $x is not declared");
    check_refused("{{ if 1 }}{{ $x := 1 }}{{ end }}{{ $x }}", 1, 36, "$x is not known");
    check_refused("{{if 1}}{{$y := 1}}{{else}}{{$y}}{{end}}", 1, 30, "$y is not known");
    check_refused("{{ humanize }}", 1, 4, "humanize takes 1 arguments, and has 0");
    check_refused("{{ 1 | humanize 2 }}", 1, 8, "humanize takes 1 arguments, and has 2");
    check_refused("{{ eq 1 }}", 1, 4, "eq takes at least 2 arguments");
    check_refused("{{ match \"(\" \"a\" }}", 1, 10, "the regular expression ( is not understood");
    check_refused("{{ match \"(a{999}){999}\" \"a\" }}", 1, 10, "not understood");
    let many = "{{ match \"a\" \"a\" }}".repeat(51);
    check_refused(&many, 1, 960, "more than 50 regular expressions");
}

#[test]
fn what_is_not_written_well_is_refused() {
    check_refused("a\n {{ $value", 2, 2, "an action is not closed");
    check_refused("{{ \"a }}", 1, 4, "a text in \" is not closed");
    check_refused("{{ \"\\d\" }}", 1, 4, "the escape \\d is not understood");
    check_refused("{{/* a }}", 1, 1, "a comment is not closed");
    check_refused("{{/* a */ 1 }}", 1, 10, "a comment must be all");
    check_refused("{{ }}", 1, 1, "an action is empty");
    check_refused("{{ 1 | }}", 1, 1, "nothing stands behind |");
    check_refused("{{ | 1 }}", 1, 4, "nothing stands before |");
    check_refused("{{ 1 | 2 }}", 1, 8, "only a function can stand behind |");
    check_refused("{{ $value 1 }}", 1, 11, "only a function takes arguments");
    check_refused("{{ print \"a\"\"b\" }}", 1, 13, "there must be space between arguments");
    check_refused("{{ (1 }}", 1, 4, "a ( is not closed");
    check_refused("{{ 1) }}", 1, 5, "a ) has no ( before it");
    check_refused("{{ \"a\".b }}", 1, 7, "there is no field b of such a value");
    check_refused("{{ nil }}", 1, 4, "nil is no value of its own");
    check_refused("{{ if 1 }}a", 1, 1, "there is no {{end}} for it");
    check_refused("{{ end }}", 1, 1, "end has nothing to end");
    check_refused("{{ else }}", 1, 1, "else stands outside");
    check_refused("{{if 1}}{{else}}{{else}}{{end}}", 1, 1, "it has two else");
    check_refused("{{if 1}}{{else with 1}}{{end}}", 1, 16, "nothing can stand behind else");
    check_refused("{{ break }}", 1, 1, "break stands outside of range");
    check_refused("{{ range $x = .Labels }}{{end}}", 1, 10, "range declares its variables with :=");
    check_refused("{{ $x, $y := 1 }}", 1, 4, "only range sets two variables");
    check_refused("{{ $labels.a-b }}", 1, 13, "'-' cannot follow .a");
    check_refused("{{ 1 ~ 2 }}", 1, 6, "'~' is not understood");
    check_refused("{{ 2i }}", 1, 4, "2i is no number");
    check_refused("{{ 'ab' }}", 1, 4, "a character in ' must be one");
    let deep = format!("{{{{ {}1 }}}}", "(".repeat(NESTING_MAX + 1));
    check_refused(&deep, 1, 4 + NESTING_MAX, "nested deeper than 100");
    let deep = "{{if 1}}".repeat(NESTING_MAX + 1);
    check_refused(&deep, 1, 1 + 8 * NESTING_MAX, "nested deeper than 100");
    check_refused(&" ".repeat(SOURCE_BYTES_MAX + 1), 1, 1, "the template has 65537 bytes");
}

#[track_caller]
fn check_refused(source: &str, line: usize, column: usize, message: &str) {
    let error = Template::parse(source).unwrap_err();
    assert_eq!((error.line, error.column), (line, column), "{error}");
    assert!(error.message.contains(message), "{error}");
}

#[test]
fn failures_say_where_and_why() {
    check_failed(
        "a\n{{ if eq $value 1 }}{{ end }}",
        "line 2, column 7: eq: an int and a float64 cannot be compared; a number with a point, as \
         1.0, is a float64",
    );
    check_failed("{{ humanize \"x\" }}", "line 1, column 4: humanize: \"x\" is no number");
    check_failed("{{ range $value }}{{end}}", "line 1, column 10: range cannot go over a float64");
    check_failed("{{ $labels.a.b }}", "line 1, column 4: a string has no field b");
    check_failed(
        "{{ toUpper $value }}",
        "line 1, column 4: toUpper: a text is expected, and it is a float64; print makes a text of it",
    );
    check_failed(
        "{{ printf \"%x\" 1.5 }}",
        "line 1, column 4: printf: %x of a float64 is not supported",
    );
    check_failed(
        "{{ printf \"%#v\" 1 }}",
        "line 1, column 4: printf: the flag # of a format is not supported",
    );
}

#[track_caller]
fn check_failed(source: &str, message: &str) {
    let error = Template::parse(source).unwrap().render(DATA, 1000).unwrap_err();
    assert_eq!(error, RenderError::Failed(message.to_owned()), "{source}");
}

#[test]
fn length_and_steps_are_bounded() {
    let too_long = RenderError::TooLong { bytes_max: 1000 };
    check_bounded(&"x".repeat(1001), &too_long);
    check_bounded("{{ printf \"%999999d\" 1 }}", &too_long);
    check_bounded("{{ printf \"%.999999f\" 1.0 }}", &too_long);
    check_bounded("{{ printf \"%.999999x\" \"a\" }}", &too_long);
    check_bounded("{{ printf \"%*d\" 999999 1 }}", &too_long);
    check_bounded(
        &format!("{{{{ $x := \"x\" }}}}{}", "{{ $x = print $x $x }}".repeat(40)),
        &too_long,
    );
    check_bounded(
        &format!(
            "{{{{ reReplaceAll \".*\" \"{}\" \"{}\" }}}}",
            "$0".repeat(20_000),
            "x".repeat(900)
        ),
        &too_long,
    );
    check_bounded(&format!("{{{{ js \"{}\" }}}}", "<".repeat(900)), &too_long);
    let too_many = RenderError::TooManySteps { steps_max: STEPS_MAX };
    let slow = "{{range $labels}}".repeat(9)
        + &format!("{{{{ match \"[a-z]{{900}}y\" \"{}\" }}}}", "x".repeat(900))
        + &"{{end}}".repeat(9);
    check_bounded(&slow, &too_many);
    let body = "{{range $labels}}".repeat(20) + &"{{end}}".repeat(20);
    check_bounded(&body, &too_many);
}

#[track_caller]
fn check_bounded(source: &str, expected: &RenderError) {
    let error = Template::parse(source).unwrap().render(DATA, 1000).unwrap_err();
    assert_eq!(error, *expected, "{source:.80}");
}
