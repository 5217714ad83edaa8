//! Queries that mean harm: each limit ends one, and no text makes the engine panic.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "cases/memory.rs"]
mod memory;

use std::time::{Duration, Instant};

use pampero_promql::{
    Answer, Cancel, Engine, ErrorKind, Limits, Options, QueryError, Steps, function_names,
};
use pampero_series::Labels;
use proptest::prelude::*;

use crate::memory::Memory;

/// Larger than any of these queries may take, even on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Returns so many series of an hour, with a sample each 15 seconds.
fn memory(series: usize) -> Memory {
    let mut memory = Memory::default();
    for number in 0..series {
        let labels: Labels =
            [("__name__", "m"), ("i", &number.to_string()), ("one", "1")].into_iter().collect();
        let sample = |step: i64| (step * 15_000, (step * 7 % 100) as f64);
        memory.insert(labels, (0..240).map(sample).collect());
    }
    memory
}

fn small_limits() -> Limits {
    Limits {
        points_max: 100,
        series_max: 50,
        samples_max: 20_000,
        held_max: 5_000,
        matches_max: 1_000,
        ..Limits::default()
    }
}

fn ask(memory: &Memory, query: &str, limits: Limits) -> Result<Answer, QueryError> {
    let engine = Engine::new(Options { limits, ..Options::default() });
    let query = engine.parse(query)?;
    let steps = Steps { start_ms: 0, end_ms: 3_600_000, step_ms: 60_000 };
    engine.range(memory, &query, steps, &Cancel::new())
}

#[track_caller]
fn check(query: &str, limits: Limits, series: usize, kind: ErrorKind, message: &str) {
    let started = Instant::now();
    let error = ask(&memory(series), query, limits).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(message), "{error}");
    assert!(started.elapsed() < TIME_MAX, "took {:?}", started.elapsed());
}

#[test]
fn every_limit_has_an_end() {
    use ErrorKind::{BadData, Execution};
    let small = small_limits;
    let long = format!("{}m", " ".repeat(20_000));
    check(&long, small(), 1, BadData, "20001 bytes, more than the 16384");
    let regexes = format!("m{{{}}}", "i=~\"a\",".repeat(65));
    check(&regexes, small(), 1, BadData, "more than 64 regular expressions");
    check("m{i=~\"(a{999}){999}\"}", small(), 1, BadData, "error parsing regexp");
    check("m", small(), 51, Execution, "more than 50 series");
    check("sum(m)", small(), 51, Execution, "more than 50 series");
    let few_series = Limits { series_max: 20, ..small() };
    check("count_values(\"v\", m)", few_series, 10, Execution, "more than 20 series");
    let few_samples = Limits { samples_max: 500, ..small() };
    check("sum(m)", few_samples, 5, Execution, "too many samples: more than 500");
    let few_points = Limits { held_max: 500, ..small() };
    check("m", few_points, 10, Execution, "more than 500 points");
    check("max_over_time(m[1h:1ms])", small(), 1, Execution, "more than 5000 points");
    check("vector(1)[1h:1ms] or m", small(), 1, BadData, "must contain only");
    check("sum_over_time(vector(1)[290y:1ms])", small(), 1, Execution, "more than 5000 points");
    let few_matches = Limits { held_max: 1_000_000, ..small() };
    let crossed = "m{i!=\"0\"} * on(one) group_left m{i=\"0\"}";
    assert!(ask(&memory(50), crossed, few_matches.clone()).is_ok());
    let few_matches = Limits { matches_max: 40, ..few_matches };
    check(crossed, few_matches, 50, Execution, "more than 40 pairs");
    let no_time = Limits { time: Duration::ZERO, ..small() };
    check("m", no_time, 1, ErrorKind::Timeout, "timed out");
}

#[test]
fn a_range_has_no_more_steps_than_allowed() {
    let engine = Engine::new(Options { limits: small_limits(), ..Options::default() });
    let query = engine.parse("1").unwrap();
    let ask = |end_ms, step_ms| {
        engine.range(&memory(0), &query, Steps { start_ms: 0, end_ms, step_ms }, &Cancel::new())
    };
    assert!(ask(100, 1).is_ok());
    let error = ask(101, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.to_string().contains("maximum resolution of 100 points"), "{error}");
    assert!(ask(i64::MAX, 1).is_err());
    let all_of_time = Steps { start_ms: i64::MIN, end_ms: i64::MAX, step_ms: 1 };
    assert!(engine.range(&memory(0), &query, all_of_time, &Cancel::new()).is_err());
}

#[test]
fn an_evaluation_that_nobody_waits_for_ends() {
    let engine = Engine::new(Options::default());
    let query = engine.parse("quantile_over_time(0.5, m[1h:1s])").unwrap();
    let cancel = Cancel::new();
    let other = cancel.clone();
    other.cancel();
    let error = engine.instant(&memory(10), &query, 3_600_000, &cancel).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Canceled);
}

/// Parses and evaluates on a thread with the stack that the program's threads have.
fn on_small_stack(query: String) -> Result<Answer, QueryError> {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let ask = move || ask(&memory(2), &query, Limits::default());
    thread.spawn(ask).unwrap().join().unwrap()
}

#[test]
fn nesting_does_not_overflow_the_stack() {
    let nests: [(&str, &str, &str); 8] = [
        ("(", "m", ")"),
        ("-", "m", ""),
        ("abs(", "m", ")"),
        ("sum by (i) (", "m", ")"),
        ("max_over_time(", "m", "[5m:1m])"),
        ("m + ", "m", ""),
        ("", "m", " + m"),
        ("2 ^ ", "scalar(m)", ""),
    ];
    for (before, inner, after) in nests {
        let nested = |depth| format!("{}{inner}{}", before.repeat(depth), after.repeat(depth));
        let answer = on_small_stack(nested(500));
        let error = answer.expect_err("500 levels are too many");
        assert!(matches!(error, QueryError::TooDeep { .. }), "{before}: {error}");
        // As deep as a query may be: half of it where each level counts twice.
        let deep = on_small_stack(nested(60));
        assert!(deep.is_ok(), "{before}: {deep:?}");
    }
    let deepest = format!("{}m{}", "(".repeat(127), ")".repeat(127));
    assert!(on_small_stack(deepest).is_ok());
    let longest = vec!["m"; 128].join(" + ");
    assert!(on_small_stack(longest).is_ok());
    let open = on_small_stack("(".repeat(2_000));
    assert!(matches!(open, Err(QueryError::TooDeep { .. })), "{open:?}");
}

/// Words of which queries are made, sensible and not.
fn words() -> impl Strategy<Value = String> {
    let symbols = [
        "(", ")", "{", "}", "[", "]", ",", "+", "-", "*", "/", "%", "^", "==", "!=", "=~", "!~",
        "<", ">=", "@", ":", "=", "\"", "'", "`", "#", "\\", "\n", "é", "€", "\0", "!",
    ];
    let names = [
        "m",
        "i",
        "one",
        "sum",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "bool",
        "offset",
        "and",
        "or",
        "unless",
        "atan2",
        "start()",
        "end()",
        "inf",
        "NaN",
        "topk",
        "quantile",
        "count_values",
        "m[5m]",
        "m[5m:1m]",
        "m{i=\"1\"}",
        "\"text\"",
        "fill",
        "limitk",
        "step",
    ];
    let numbers = [
        "0",
        "1",
        "1e300",
        "-1",
        "0x1f",
        "5m",
        "1h30m",
        "1y",
        "0s",
        "9999999999999y",
        "1e",
        "..",
        "3.",
        ".5",
        "1_000",
        "0755",
    ];
    let functions: Vec<String> = function_names().map(|name| format!("{name}(m[5m])")).collect();
    let calls: Vec<String> = function_names().map(|name| format!("{name}(m)")).collect();
    prop_oneof![
        prop::sample::select(symbols.to_vec()).prop_map(str::to_owned),
        prop::sample::select(names.to_vec()).prop_map(str::to_owned),
        prop::sample::select(numbers.to_vec()).prop_map(str::to_owned),
        prop::sample::select(functions),
        prop::sample::select(calls),
        any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_engine_panic(
        words in prop::collection::vec(words(), 1..14),
        separator in prop::sample::select(&["", " "][..]),
        at_ms in any::<i64>(),
    ) {
        let text = words.join(separator);
        let engine = Engine::new(Options { limits: small_limits(), ..Options::default() });
        let started = Instant::now();
        if let Ok(query) = engine.parse(&text) {
            let memory = memory(2);
            let _ = engine.instant(&memory, &query, 1_800_000, &Cancel::new());
            let _ = engine.instant(&memory, &query, at_ms, &Cancel::new());
            let _ = query.format();
        }
        prop_assert!(started.elapsed() < TIME_MAX, "{text:?} took {:?}", started.elapsed());
    }
}
