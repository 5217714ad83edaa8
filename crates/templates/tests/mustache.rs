//! What Mustache templates render to, and which are refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use pampero_templates::mustache::{Escape, Template};
use pampero_templates::{NESTING_MAX, RenderError, SOURCE_BYTES_MAX, STEPS_MAX};
use serde_json::{Value, json};

const BYTES_MAX: usize = 64 << 10;

fn context() -> Value {
    json!({
        "ctx": {
            "monitor": { "name": "error \"logs\"", "enabled": true },
            "trigger": { "name": "count_error", "severity": "1" },
            "alert": null,
            "error": "",
            "results": [{
                "hits": {
                    "total": { "value": 14, "relation": "eq" },
                    "max_score": 1.0,
                    "hits": [
                        { "_source": { "message": "line\n1", "provider.id": "met_norway" } },
                        { "_source": { "message": "line 2", "provider": { "id": "open_meteo" } } }
                    ]
                },
                "aggregations": { "by_station": { "buckets": [
                    { "key": "a&b", "doc_count": 3 },
                    { "key": "c", "doc_count": 5 }
                ] } }
            }],
            "tags": ["x", 2, null, true, { "a": 1 }],
            "none": [],
            "empty": {},
            "zero": 0
        }
    })
}

fn render(source: &str, escape: Escape) -> Result<String, RenderError> {
    Template::parse(source).unwrap().render(&context(), escape, BYTES_MAX)
}

#[track_caller]
fn check(source: &str, expected: &str) {
    assert_eq!(render(source, Escape::Json).unwrap(), expected, "{source}");
}

#[test]
fn values_are_found_by_their_paths() {
    check("{{ctx.results.0.hits.total.value}} errors", "14 errors");
    check("{{ ctx.trigger.severity }}{{ctx.monitor.enabled}}", "1true");
    check("{{ctx.results.0.hits.max_score}}", "1.0");
    check("{{ctx.results.0.hits.hits.size}} {{ctx.tags.length}} {{ctx.none.size}}", "2 5 0");
    check("{{ctx.results.0.hits.hits.0._source.provider.id}}", "met_norway"); // A key with a dot.
    check("{{ctx.results.0.hits.hits.1._source.provider.id}}", "open_meteo");
    check("[{{ctx.alert}}{{ctx.nothing}}{{nothing.at.all}}{{ctx.results.7.hits}}]", "[]");
    check("{{ctx.trigger.name.more}}{{ctx.tags.-1}}{{ctx.tags.size.more}}", "");
    check("{{period_end}}||-5m", "||-5m");
}

#[test]
fn objects_and_lists_are_json() {
    check("{{{ctx.results.0.hits.hits.1._source.provider}}}", r#"{"id":"open_meteo"}"#);
    check("{{{ctx.tags}}}", r#"["x",2,null,true,{"a":1}]"#);
    check("{{ctx.results.0.hits.hits.1._source.provider}}", r#"{\"id\":\"open_meteo\"}"#);
}

#[test]
fn values_are_escaped_unless_they_are_raw() {
    check("{{ctx.monitor.name}}", r#"error \"logs\""#);
    check("{{{ctx.monitor.name}}}", r#"error "logs""#);
    check("{{& ctx.monitor.name }}", r#"error "logs""#);
    check("{{ctx.results.0.hits.hits.0._source.message}}", r"line\n1");
    assert_eq!(render("{{ctx.monitor.name}}", Escape::None).unwrap(), "error \"logs\"");
}

#[test]
fn sections_repeat_test_and_look_outwards() {
    check(
        "{{#ctx.results.0.aggregations.by_station.buckets}}{{key}}: {{doc_count}} of \
         {{ctx.trigger.name}}; {{/ctx.results.0.aggregations.by_station.buckets}}",
        "a&b: 3 of count_error; c: 5 of count_error; ",
    );
    check(
        "{{#ctx.results}}{{#hits}}{{#hits}}{{_source.message}};{{/hits}}{{/hits}}{{/ctx.results}}",
        r"line\n1;line 2;",
    );
    check("{{#ctx}}{{trigger.name}}{{/ctx}} {{trigger.name}}", "count_error ");
    check("{{#ctx.trigger}}{{name}}{{/ctx.trigger}}", "count_error");
    check("{{#ctx.tags}}<{{.}}>{{/ctx.tags}}", r#"<x><2><><true><{\"a\":1}>"#);
    check("{{#ctx.monitor.enabled}}on{{/ctx.monitor.enabled}}", "on");
    check("{{#ctx.zero}}0{{/ctx.zero}}{{#ctx.empty}}{}{{/ctx.empty}}", "0{}");
    check(
        "{{#ctx.none}}a{{/ctx.none}}{{#ctx.alert}}b{{/ctx.alert}}{{#ctx.error}}c{{/ctx.error}}",
        "",
    );
    check(
        "{{^ctx.none}}a{{/ctx.none}}{{^ctx.alert}}b{{/ctx.alert}}{{^ctx.error}}c{{/ctx.error}}",
        "abc",
    );
    check("{{^ctx.zero}}a{{/ctx.zero}}{{^ctx.tags}}b{{/ctx.tags}}{{^no}}c{{/no}}", "c");
    check(
        "{{#ctx}}{{#trigger}}{{name}}{{/trigger}}{{#monitor}}{{{name}}}{{/monitor}}{{/ctx}}",
        "count_errorerror \"logs\"",
    );
    check("{{#ctx.results.0.hits.hits.size}}{{.}}{{/ctx.results.0.hits.hits.size}}", "2");
}

#[test]
fn functions_of_opensearch_are_there() {
    check(
        "{{#toJson}}ctx.results.0.hits.hits.1._source.provider{{/toJson}}",
        r#"{"id":"open_meteo"}"#,
    );
    check("{{#toJson}} ctx.trigger.name {{/toJson}}", "count_error");
    check("{{#toJson}}ctx.nothing{{/toJson}}", "");
    check("{{#join}}ctx.tags{{/join}}", r#"x,2,,true,{"a":1}"#);
    check("{{#join delimiter='; '}}ctx.tags{{/join delimiter='; '}}", r#"x; 2; ; true; {"a":1}"#);
    check("{{#join delimiter=''}}ctx.tags{{/join}}", r#"x2true{"a":1}"#);
    check("{{#join}}ctx.trigger.name{{/join}}{{#join}}ctx.nothing{{/join}}", "count_error");
    check("{{#url}}a b/{{ctx.trigger.name}}?é{{/url}}", "a+b%2Fcount_error%3F%C3%A9");
}

#[test]
fn lines_of_a_tag_leave_nothing_behind() {
    check("a\n{{#ctx}}\nb\n{{/ctx}}\nc", "a\nb\nc");
    check("a\r\n  {{#ctx}}  \r\nb\r\n{{/ctx}}\r\nc", "a\r\nb\r\nc");
    check("  {{#ctx}}\n  b\n  {{/ctx}}", "  b\n");
    check("a\n\t{{! a comment\nof two lines }}\nb", "a\nb");
    check("a {{! c }} b", "a  b");
    check("{{#ctx}}x{{/ctx}}\ny", "x\ny"); // Two tags on a line stay.
    check("a\n{{ctx.zero}}\nb", "a\n0\nb"); // A value is no such tag.
    check("{{#ctx.tags}}\n- {{.}}\n{{/ctx.tags}}\n", "- x\n- 2\n- \n- true\n- {\\\"a\\\":1}\n");
    check("{{^no}}\n{{#ctx}}\nb\n{{/ctx}}\n{{/no}}\n", "b\n");
    check("x{{#ctx}}\ny{{/ctx}}", "x\ny");
}

#[test]
fn names_are_told() {
    let template = Template::parse(
        "{{a.b}}{{#c}}{{d}}{{.}}{{a.b}}{{/c}}{{^e}}{{f}}{{/e}}{{#toJson}}g{{/toJson}}\
         {{#join}}h{{/join}}{{#url}}{{i}}{{/url}}",
    )
    .unwrap();
    assert_eq!(template.names(), ["a.b", "c", "d", "e", "f", "g", "h", "i"]);
    assert_eq!(template.root_names(), ["a.b", "c", "e", "f", "g", "h", "i"]);
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    check_refused("a {{b", 1, 3, "a tag is not closed: there is no }}");
    check_refused("{{{b}} }", 1, 1, "a tag is not closed: there is no }}}");
    check_refused("\n é{{> head}}", 2, 3, "partials ({{> name}}) are not supported");
    check_refused("{{ > head}}", 1, 1, "partials");
    check_refused("{{=<% %>=}}", 1, 1, "changes of the delimiters");
    check_refused("{{<parent}}{{/parent}}", 1, 1, "inheritance");
    check_refused("{{$block}}{{/block}}", 1, 1, "inheritance");
    check_refused("{{}}", 1, 1, "a tag has no name");
    check_refused("{{#}}{{/}}", 1, 1, "a tag has no name");
    check_refused("{{a..b}}", 1, 1, "the name a..b has nothing before, between or after its dots");
    check_refused("a\n{{#b}}\n{{c}}", 2, 1, "section b is not closed");
    check_refused("{{#b}}{{/c}}", 1, 7, "section b is open, and c is closed");
    check_refused("{{/c}}", 1, 1, "section c is closed, and was not opened");
    check_refused("{{#if a}}{{/if}}", 1, 1, "if is of Handlebars");
    check_refused("{{#a}}{{else}}{{/a}}", 1, 7, "else is of Handlebars");
    check_refused("{{#toJson}}{{a}}{{/toJson}}", 1, 1, "toJson takes one name as text");
    check_refused("{{#join}}{{/join}}", 1, 1, "join takes one name as text");
    check_refused(
        "{{#join by=','}}a{{/join}}",
        1,
        1,
        "join takes delimiter='…' only, and not by=','",
    );
    check_refused(&format!("{{{{{}a}}}}", "a.".repeat(64)), 1, 1, "more than 64 parts");
    check_refused(&"{{#a}}".repeat(NESTING_MAX + 1), 1, 1 + 6 * NESTING_MAX, "deeper than 100");
    check_refused(
        &" ".repeat(SOURCE_BYTES_MAX + 1),
        1,
        1,
        "the template has 65537 bytes, at most 65536",
    );
}

#[track_caller]
fn check_refused(source: &str, line: usize, column: usize, message: &str) {
    let error = Template::parse(source).unwrap_err();
    assert_eq!((error.line, error.column), (line, column), "{error}");
    assert!(error.message.contains(message), "{error}");
}

#[test]
fn length_and_steps_are_bounded() {
    let list = json!({ "l": vec![json!({ "t": "0123456789" }); 1_000] });
    let too_long = RenderError::TooLong { bytes_max: 99 };
    check_bounded("{{#l}}{{t}}{{/l}}", &list, 99, &too_long);
    check_bounded("{{l}}", &list, 99, &too_long);
    check_bounded("{{#toJson}}l{{/toJson}}", &list, 99, &too_long);
    check_bounded("{{#join}}l{{/join}}", &list, 99, &too_long);
    check_bounded("{{#url}}{{l.0.t}}{{#l}} {{/l}}{{/url}}", &list, 99, &too_long);
    let quotes = json!({ "q": "\"".repeat(60) });
    check_bounded("{{q}}", &quotes, 99, &too_long);
    let too_many = RenderError::TooManySteps { steps_max: STEPS_MAX };
    check_bounded("{{#l}}{{#l}}{{no}}{{/l}}{{/l}}", &list, 99, &too_many);
}

#[track_caller]
fn check_bounded(source: &str, data: &Value, bytes_max: usize, expected: &RenderError) {
    let template = Template::parse(source).unwrap();
    let error = template.render(data, Escape::Json, bytes_max).unwrap_err();
    assert_eq!(error, *expected, "{source}");
}
