//! What people write in conditions: each row of the reference, and each method and function, with data.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use pampero_painless::{Limits, RunError, Script};
use serde_json::{Value, json};

/// What a monitor gives: an answer of the logs with hits, buckets and metrics.
fn context() -> Value {
    json!({
        "results": [{
            "took": 3,
            "status": "yellow",
            "hits": {
                "total": { "value": 14, "relation": "eq" },
                "max_score": 1.5,
                "hits": [
                    { "_id": "7", "_source": { "level": "ERROR", "temp": -4.5, "message": "request timeout after 30 s" } },
                    { "_id": "8", "_source": { "level": "WARN", "temp": 2, "message": "slow" } }
                ]
            },
            "aggregations": {
                "avg_t": { "value": 36.25 },
                "none": { "value": null },
                "err": { "doc_count": 3 },
                "all": { "doc_count": 40 },
                "by_station": { "buckets": [
                    { "key": "rosario", "doc_count": 2 },
                    { "key": "ushuaia", "doc_count": 9 }
                ] }
            }
        }],
        "alert": null,
        "error": null,
        "periodStart": "2026-08-21T10:00:00Z",
        "periodEnd": "2026-08-21T10:01:00.250Z",
        "monitor": { "name": "station-errors", "enabled": true }
    })
}

fn answer(source: &str) -> Result<bool, RunError> {
    let script = Script::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let params = json!({ "_count": 51, "limit": 10, "names": ["a", "b"] });
    script.condition(&[("ctx", &context()), ("params", &params)], &Limits::default())
}

#[track_caller]
fn check(source: &str, expected: bool) {
    assert_eq!(answer(source), Ok(expected), "{source}");
}

#[track_caller]
fn null(source: &str, what: &str) {
    assert_eq!(answer(source), Err(RunError::Null { what: what.to_owned() }), "{source}");
}

#[track_caller]
fn failed(source: &str, message: &str) {
    let error = answer(source).unwrap_err();
    assert!(matches!(error, RunError::Failed(_)), "{source}: {error:?}");
    assert_eq!(error.to_string(), message, "{source}");
}

#[test]
fn every_row_of_the_reference_gives_its_answer() {
    check("ctx.results[0].hits.total.value > 0", true);
    check("ctx.results[0].hits.total.value > 14", false);
    check("ctx.results[0].aggregations.avg_t.value > 35.5", true);
    check("ctx.results[0].aggregations.avg_t.value > 36.25", false);
    check("def v = ctx.results[0].aggregations.avg_t.value; return v != null && v > 35.5", true);
    check("def v = ctx.results[0].aggregations.none.value; return v != null && v > 35.5", false);
    check("return ctx.results[0].hits.total.value == 0", false);
    check(
        "ctx.results[0].hits.hits.length > 0 && ctx.results[0].hits.hits[0]._source.temp < 0",
        true,
    );
    check(
        "for (b in ctx.results[0].aggregations.by_station.buckets) { if (b.doc_count > 5) { return true; } } return false;",
        true,
    );
    check(
        "for (b in ctx.results[0].aggregations.by_station.buckets) { if (b.doc_count > 9) { return true; } } return false;",
        false,
    );
    check(
        "for (int i = 0; i < ctx.results[0].hits.hits.length; i++) { if (ctx.results[0].hits.hits[i]._source.level == 'WARN') { return true; } } return false",
        true,
    );
    check(
        "def a = ctx.results[0].aggregations; return a.err.doc_count / (double) a.all.doc_count > 0.05",
        true,
    );
    // Without the cast the division is of integers, and gives 0.
    check(
        "def a = ctx.results[0].aggregations; return a.err.doc_count / a.all.doc_count > 0",
        false,
    );
    check("ctx.results[0].hits.total.value > 10 && ctx.alert == null", true);
    check("return true", true);
    check("ctx.results[0].status != \"green\"", true);
    check("params._count > 50", true);
    check("ctx.results[0].hits.total.value > 2", true);
}

#[test]
fn statements_do_what_they_say() {
    check("int n = 0; for (def h : ctx.results[0].hits.hits) { n += 1 } return n == 2", true);
    check("int n = 0; while (n < 5) n++; return n == 5", true);
    check("int n = 9; do { n++ } while (n < 5); return n == 10", true);
    check("int n = 0; for (;;) { n++; if (n == 3) break; } return n == 3", true);
    check(
        "int n = 0; for (int i = 0, j = 10; i < j; i++) { if (i % 2 == 0) { continue; } n += i; } return n == 25",
        true,
    );
    check("int i; for (i = 0; i < 4; ++i); return i == 4", true);
    check(
        "if (params._count > 100) { return false } else if (params._count > 50) { return true } else return false",
        true,
    );
    check(
        "int n = 0; for (int i = 0; i < 3; i++) { for (int j = 0; j < 3; j++) { if (j == 1) break; n++; } } return n == 3",
        true,
    );
    // An expression at the end is the answer, within the blocks of a last if as well.
    check("def n = 5; n > 4", true);
    check("if (params._count > 50) { true } else { false }", true);
    // A script that ends without an answer says no.
    check("if (params._count > 100) { return true }", false);
    check("for (b in ctx.results) { if (b.took > 5) return true; }", false);
    check("// why\nreturn /* not */ true; // so", true);
    check("int a = 1, b, c = a + 1; return a == 1 && b == 0 && c == 2", true);
    check(
        "boolean b; String s; List l; double d; return !b && s == null && l == null && d == 0",
        true,
    );
    check("int i = 5; int j = i++ + ++i; return j == 12 && i == 7", true);
    check("int i = 5; int j = i-- - --i; return j == 2 && i == 3", true);
    check("def a; def b; a = b = 3; return a + b == 6", true);
    check("int i = 7; i += 1.9; i *= 2; i -= 1; i /= 2; i %= 5; return i == 2", true);
    check("String s = 'a'; s += 1; s += null; return s == 'a1null'", true);
    check(
        "for (int i = 0; i < 2; i++) { int fresh; if (fresh != 0) return false; fresh = 1; } return true",
        true,
    );
    check(
        "for (Map.Entry e : ctx.monitor.entrySet()) { if (e.getKey() == 'name') return e.getValue().startsWith('station'); } return false",
        true,
    );
}

#[test]
fn expressions_do_what_they_say() {
    check("params['_count'] == 51 && params[\"_count\"] == 51 && params.get('_count') == 51", true);
    check("ctx.results.0.hits.hits.1._id == '8'", true);
    check("ctx.results[0].hits.hits[-1]._id == '8'", true);
    check("ctx.missing?.deeper == null", true);
    check("ctx.missing?.size() == null", true);
    check("(ctx.missing ?: 5) == 5 && (ctx.results ?: 5) != 5", true);
    check("null ?: null ?: true", true);
    check("params._count > 50 ? params._count < 60 : false", true);
    check("true ? false : true ? true : true", false);
    check("true || ctx.nothing.at.all", true);
    check("false && ctx.nothing.at.all", false);
    check("!(1 > 2) && !false", true);
    check("1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 - 4 - 3 == 3 && 2 * 3 % 4 == 2", true);
    check("1 < 2 == true && 1 != 2 == true", true);
    check("false && false || true", true);
    check("true || true && false", true);
    check("-params.limit == -10 && +params.limit == 10 && - -5 == 5", true);
    check(
        "params.limit instanceof Integer && params.limit instanceof Number && !(params.limit instanceof Long)",
        true,
    );
    check("ctx instanceof Map && ctx.results instanceof List && !(ctx.alert instanceof Map)", true);
    check("(int) 3.9 == 3 && (long) -3.9 == -3 && (float) 1 == 1 && (def) 2 == 2", true);
    check("(String) ctx.monitor.name == 'station-errors' && (boolean) ctx.monitor.enabled", true);
    check("(Map) ctx.monitor != null && ((Map) ctx.monitor).size() == 2", true);
    check("['green', 'yellow'].contains(ctx.results[0].status)", true);
    check(
        "def limits = ['rosario': 1, 'ushuaia': 10]; for (b in ctx.results[0].aggregations.by_station.buckets) { if (b.doc_count > limits[b.key]) return true } return false",
        true,
    );
    check("[:].isEmpty() && [].isEmpty() && ['a': 1, 'a': 2].a == 2", true);
    check("ctx.results[0].hits.hits[0]._source.message =~ /time ?out/", true);
    check("ctx.results[0].hits.hits[0]._source.message ==~ /time ?out/", false);
    check("ctx.results[0].hits.hits[1]._source.message ==~ /SL.W/i && 8 / 2 / 2 == 2", true);
    check("/^req/.matcher(ctx.results[0].hits.hits[0]._source.message).find()", true);
    check("/req/.matcher(ctx.results[0].hits.hits[0]._source.message).matches()", false);
    check("ctx.results[0].hits.hits[0]._source.message.matches('.*timeout.*')", true);
    check("ctx.missing?.matches('a') == null", true);
    check("ctx.periodEnd.toEpochMilli() - ctx.periodStart.toEpochMilli() == 60250L", true);
    check("ctx.periodStart.toString() == '2026-08-21T10:00:00Z'", true);
    check("'say \"it\\'s\"' + \"\\\\\" == \"say \\\"it's\\\"\\\\\"", true);
    check("(params._count > 50)", true);
}

#[test]
fn every_method_answers() {
    check("ctx.results.size() == 1 && ctx.size() == 6 && [1, 2].getLength() == 2", true);
    check("!ctx.isEmpty() && !ctx.results.isEmpty() && ''.isEmpty()", true);
    check("'ñandú'.length() == 5 && [1, 2, 3].length == 3", true);
    check("ctx.results.get(0).took == 3 && ctx.get('nothing') == null", true);
    check("ctx.getOrDefault('nothing', 5) == 5 && params.getOrDefault('limit', 5) == 10", true);
    check("ctx.containsKey('alert') && !ctx.containsKey('nothing') && !ctx.containsKey(5)", true);
    check("params.containsValue(10) && !params.containsValue(11)", true);
    check("params.keySet().contains('limit') && params.keySet().size() == 3", true);
    check("params.values().contains(51) && !params.values().contains(51L)", true);
    check("params.entrySet().size() == 3", true);
    check(
        "for (e in params.entrySet()) { if (e.key == 'limit') return e.value == 10 && e.getValue() == 10 } return false",
        true,
    );
    check(
        "'abc'.contains('b') && !'abc'.contains('d') && params.names.contains('a') && !params.names.contains('c')",
        true,
    );
    check("'abc'.startsWith('ab') && 'abc'.endsWith('bc') && !'abc'.startsWith('b')", true);
    check("'abc'.equals('abc') && !'abc'.equals(null) && !(1.equals(1L)) && 1.equals(1)", true);
    check("'ABC'.equalsIgnoreCase('abc') && !'ABC'.equalsIgnoreCase(null)", true);
    check(
        "'AbC'.toLowerCase() == 'abc' && 'AbC'.toUpperCase() == 'ABC' && ' a\t'.trim() == 'a'",
        true,
    );
    check(
        "'hello'.indexOf('l') == 2 && 'hello'.indexOf('l', 3) == 3 && 'hello'.indexOf('x') == -1 && [4, 5].indexOf(5) == 1",
        true,
    );
    check(
        "'hello'.substring(2) == 'llo' && 'hello'.substring(1, 3) == 'el' && 'a😀b'.substring(3) == 'b'",
        true,
    );
    check(
        "2.9.intValue() == 2 && 2.longValue() == 2L && 3.doubleValue() / 2 == 1.5 && 3.floatValue() / 2 == 1.5",
        true,
    );
    check("5.toString() + true.toString() == '5true'", true);
}

#[test]
fn every_function_answers() {
    check("Math.abs(-3) == 3 && Math.abs(-1.5) == 1.5", true);
    check("Math.max(1, 2.5) == 2.5 && Math.min(1, 2.5) == 1", true);
    check("Math.round(2.5) == 3 && Math.round(-2.5) == -2 && Math.round(1) instanceof Long", true);
    check("Math.floor(-1.5) == -2 && Math.ceil(1.2) == 2", true);
    check("Math.sqrt(16) == 4 && Math.pow(2, 10) == 1024", true);
    check(
        "Double.parseDouble(' 2.5 ') == 2.5 && Integer.parseInt('-12') == -12 && Long.parseLong('+3000000000') == 3000000000L",
        true,
    );
    check("String.valueOf(1.0) == '1.0' && String.valueOf(null) == 'null'", true);
    check(
        "Math.PI > 3.14 && Math.E < 2.72 && Integer.MAX_VALUE == 2147483647 && Long.MIN_VALUE < 0",
        true,
    );
    // They are of doubles alone, so that this division is none of integers.
    check("Math.abs(-3) / 2 == 1.5 && Math.max(1, 3) / 2 == 1.5", true);
}

#[test]
fn what_is_asked_of_null_is_told_apart() {
    null("ctx.results[0].aggregations.none.value > 35.5", "ctx.results[0].aggregations.none.value");
    null("35.5 < ctx.results[0].aggregations.none.value", "ctx.results[0].aggregations.none.value");
    null("ctx.missing.deeper == 1", "ctx.missing");
    null("ctx.missing[0] == 1", "ctx.missing");
    null("ctx.missing?.deeper.again == 1", "ctx.missing?.deeper");
    null("ctx.missing.size() == 1", "ctx.missing");
    null("ctx.missing + 1 == 1", "ctx.missing");
    null("1 - ctx.missing == 1", "ctx.missing");
    null("-ctx.missing == 1", "ctx.missing");
    null("!ctx.missing", "ctx.missing");
    null("ctx.missing && true", "ctx.missing");
    null("if (ctx.missing) { return true } return false", "ctx.missing");
    null("for (b in ctx.missing) { return true } return false", "ctx.missing");
    null("int n = ctx.missing; return n > 1", "ctx.missing");
    null("(double) ctx.missing > 1", "ctx.missing");
    null("Math.abs(ctx.missing) > 1", "ctx.missing");
    null("Double.parseDouble(ctx.missing) > 1", "ctx.missing");
    null("'abc'.contains(ctx.missing)", "ctx.missing");
    null("ctx.missing =~ /a/", "ctx.missing");
    null("ctx.missing.matches('a')", "ctx.missing");
    null("return ctx.missing", "ctx.missing");
    null("def x; x++; return true", "x++");
    check(
        "ctx.missing == null && null == ctx.missing && !(ctx.missing != null) && ctx.missing != 0",
        true,
    );
    check(
        "Integer i = ctx.missing; String s = (String) ctx.missing; return i == null && s == null",
        true,
    );
    check("'a' + ctx.missing == 'anull'", true);
}

#[test]
fn what_goes_wrong_says_where() {
    failed("ctx.results[1].took > 0", "ctx.results: there is no item 1 in a list of 1");
    failed(
        "ctx.results.get(-1).took > 0",
        "ctx.results.get(-1): there is no item -1 in a list of 1",
    );
    failed("ctx.results['a'] > 0", "'a': an index must be an int, and is a String");
    failed("ctx.results[0L].took > 0", "0L: an index must be an int, and is a long");
    failed("params.limit / 0 > 0", "params.limit / 0: an integer cannot be divided by zero");
    failed("params.limit % 0L > 0", "params.limit % 0L: an integer cannot be divided by zero");
    failed("'a' < 5", "'a' < 5: the operator < does not go with String and int");
    failed("ctx - 5 > 0", "ctx - 5: the operator - does not go with Map and int");
    failed("-'a' > 0", "'a': must be a number, and is a String");
    failed("!5", "5: must be true or false, and is the int 5");
    failed("if ('x') return true", "'x': must be true or false, and is the String \"x\"");
    failed("params.limit.size() > 0", "params.limit: an int has no method size");
    failed(
        "[1].length() > 0",
        "[1]: a List has no method length: write .length without parentheses",
    );
    failed("params.keySet().get(0) == 1", "params.keySet(): a Set has no method get");
    failed("params.limit.x == 1", "params.limit: an int has no member x");
    failed("params.limit[0] == 1", "params.limit: an int has no places to index");
    failed(
        "for (x in ctx) { return true } return false",
        "ctx: a Map has no order to loop over: write .entrySet()",
    );
    failed(
        "for (x in 'abc') { return true } return false",
        "'abc': a String cannot be looped over",
    );
    failed(
        "int n = params._count * 1.5; return n > 0",
        "params._count * 1.5: a double does not fit into a variable of type int",
    );
    failed("(int) '5' == 5", "'5': a String cannot be cast to int");
    failed("(String) params.limit == '5'", "params.limit: an int cannot be cast to String");
    failed("Integer.parseInt('5x') > 0", "Integer.parseInt('5x'): the String \"5x\" is not an int");
    failed(
        "Integer.parseInt('3000000000') > 0",
        "Integer.parseInt('3000000000'): the String \"3000000000\" is not an int",
    );
    failed("Double.parseDouble(5) > 0", "5: the int 5 is no String to read from");
    failed("Math.abs('a') > 0", "'a': must be a number, and is a String");
    failed(
        "'abc'.substring(2, 9) == ''",
        "'abc'.substring(2, 9): a text of 3 has no part from 2 to 9",
    );
    failed(
        "'abc'.substring(2, 1) == ''",
        "'abc'.substring(2, 1): a text of 3 has no part from 2 to 1",
    );
    failed("'abc'.contains(5)", "5: contains takes a String, and this is an int");
    failed("5 =~ /a/", "5: a pattern is looked for in a String, and this is an int");
    failed("'yesterday'.toEpochMilli() > 0", "'yesterday'.toEpochMilli(): the text is no instant");
    failed("def s = 'a'; s++; return true", "s++: a String cannot be counted up or down");
}

#[test]
fn an_answer_that_is_no_boolean_is_told_apart() {
    for (source, found) in [
        ("5", "the int 5"),
        ("params._count * 2.0", "the double 102.0"),
        ("'yes'", "the String \"yes\""),
        ("ctx", "a Map"),
        ("ctx.results", "a List"),
    ] {
        let error = answer(source).unwrap_err();
        assert_eq!(error, RunError::NotBoolean { found: found.to_owned() }, "{source}");
    }
}

#[test]
fn a_variable_that_is_not_given_is_no_missing_data() {
    let script = Script::parse("params.limit > 5").unwrap();
    let error = script.condition(&[("ctx", &context())], &Limits::default()).unwrap_err();
    assert_eq!(error, RunError::Failed("the variable params is not given here".to_owned()));
}

#[test]
fn values_come_out_as_json() {
    let context = context();
    let value = |source: &str| {
        let script = Script::parse(source).unwrap();
        script.value(&[("ctx", &context)], &Limits::default()).unwrap()
    };
    assert_eq!(value("ctx.results[0].hits.total"), json!({ "value": 14, "relation": "eq" }));
    assert_eq!(
        value("[1, 2L, 0.1f, 1.5, null, true, 'a']"),
        json!([1, 2, 0.1, 1.5, null, true, "a"])
    );
    assert_eq!(value("['a': [1], 5: 2]"), json!({ "a": [1], "5": 2 }));
    assert_eq!(value("0.0 / 0"), json!(null));
    assert_eq!(value("if (ctx == null) { return 5 }"), json!(null));
    assert_eq!(
        value("'' + ctx.results[0].hits.total + [1, 'b'] + 1e10"),
        json!("{relation=eq, value=14}[1, b]1.0E10")
    );
    assert_eq!(value("['k': 1].entrySet()"), json!([{ "key": "k", "value": 1 }]));
}

#[test]
fn a_script_keeps_its_text_and_runs_again() {
    let source = "int n = 0; n++; return n == 1";
    let script = Script::parse(source).unwrap();
    assert_eq!(script.source(), source);
    for _ in 0..3 {
        assert_eq!(script.condition(&[], &Limits::default()), Ok(true));
    }
}
