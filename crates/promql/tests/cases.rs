//! Runs the cases in `cases/*.txt`, each a few series and what queries over them answer.
//!
//! A file has blocks, parted by empty lines; a line that starts with `#` says what comes:
//!
//! - `load STEP`, then lines `SELECTOR VALUES`: a sample every STEP from 0 on. A value is a number,
//!   `_` for none, `stale` for the marker, `A+BxN` for A and N more, each B more than the one before.
//! - `eval TIME QUERY`, `eval START..END/STEP QUERY`, then the answer: lines `LABELS VALUES` where
//!   `_` is a step without a value, `remarks TEXT` a warning or an info that has to be there, or one line `scalar VALUE`, `string TEXT`, `fails TEXT` (a part
//!   of the message), `nothing`. `eval ordered` looks at the order of the series as well.
//! - `rule left-closed` or `rule left-open`: holds from here on; the second one is the default.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "cases/memory.rs"]
mod memory;

use pampero_promql::{Cancel, Engine, Options, Steps, Value, WindowRule, parse_duration};
use pampero_series::{Labels, STALE_MARKER};

use crate::memory::Memory;

#[test]
fn aggregations() {
    run(include_str!("cases/aggregations.txt"));
}

#[test]
fn errors() {
    run(include_str!("cases/errors.txt"));
}

#[test]
fn functions() {
    run(include_str!("cases/functions.txt"));
}

#[test]
fn histograms() {
    run(include_str!("cases/histograms.txt"));
}

#[test]
fn operators() {
    run(include_str!("cases/operators.txt"));
}

#[test]
fn selectors() {
    run(include_str!("cases/selectors.txt"));
}

#[track_caller]
fn run(cases: &str) {
    let mut memory = Memory::default();
    let mut rule = WindowRule::LeftOpen;
    let mut count = 0;
    for block in cases.split("\n\n") {
        let mut lines = block.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let Some(first) = lines.next() else { continue };
        let (command, rest) = first.split_once(' ').unwrap();
        match command {
            "rule" => {
                rule = match rest {
                    "left-closed" => WindowRule::LeftClosed,
                    _ => WindowRule::LeftOpen,
                }
            }
            "load" => memory = load(milliseconds(rest), lines),
            "eval" => {
                check(&memory, rule, rest, &lines.collect::<Vec<_>>());
                count += 1;
            }
            _ => panic!("unknown command in {first:?}"),
        }
    }
    assert!(count > 0, "no case was run");
}

fn load<'l>(step_ms: i64, lines: impl Iterator<Item = &'l str>) -> Memory {
    let mut memory = Memory::default();
    for line in lines {
        let (selector, values) = row(line);
        let samples = (0..).zip(values.split_whitespace().flat_map(expanded));
        let samples = samples.filter_map(|(step, value)| Some((step * step_ms, value?)));
        memory.insert(labels(selector), samples.collect());
    }
    memory
}

/// Parts a line before the values, at the space after the braces or the name.
fn row(line: &str) -> (&str, &str) {
    let end = line.find('{').map_or(0, |_| line.rfind('}').unwrap());
    let space = end + line[end..].find(' ').unwrap_or(line.len() - end);
    (&line[..space], line[space..].trim())
}

#[track_caller]
fn expanded(text: &str) -> Vec<Option<f64>> {
    if text == "_" {
        return vec![None];
    }
    let Some((start, rest)) = text.split_once('x') else { return vec![Some(number(text))] };
    let sign = start[1..].find(['+', '-']).unwrap() + 1;
    let (from, by): (f64, f64) = (start[..sign].parse().unwrap(), start[sign..].parse().unwrap());
    (0..=rest.parse::<u32>().unwrap()).map(|index| Some(from + by * f64::from(index))).collect()
}

fn number(text: &str) -> f64 {
    if text == "stale" { STALE_MARKER } else { text.parse().unwrap() }
}

fn labels(selector: &str) -> Labels {
    let engine = Engine::new(Options::default());
    if selector == "{}" {
        return Labels::empty();
    }
    let selectors = engine.parse(selector).unwrap().selectors();
    selectors[0].iter().map(|matcher| (matcher.name(), matcher.value())).collect()
}

fn milliseconds(duration: &str) -> i64 {
    i64::try_from(parse_duration(duration).unwrap().as_millis()).unwrap()
}

#[track_caller]
fn check(memory: &Memory, window: WindowRule, rest: &str, expected: &[&str]) {
    let (is_ordered, rest) = match rest.strip_prefix("ordered ") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let (time, query) = rest.split_once(' ').unwrap_or((rest, ""));
    let engine = Engine::new(Options { window, ..Options::default() });
    let answer = engine.parse(query).and_then(|parsed| match time.split_once("..") {
        None => engine.instant(memory, &parsed, milliseconds(time), &Cancel::new()),
        Some((start, rest)) => {
            let (end, step) = rest.split_once('/').unwrap();
            let [start_ms, end_ms, step_ms] = [start, end, step].map(milliseconds);
            engine.range(memory, &parsed, Steps { start_ms, end_ms, step_ms }, &Cancel::new())
        }
    });
    if let Some(text) = expected.iter().find_map(|line| line.strip_prefix("remarks ")) {
        let answer = answer.as_ref().unwrap();
        let mut remarks = answer.warnings.iter().chain(&answer.infos);
        assert!(remarks.any(|remark| remark.contains(text)), "eval {rest}\nfound {answer:?}");
    }
    let expected: &[&str] =
        &expected.iter().copied().filter(|it| !it.starts_with("remarks ")).collect::<Vec<_>>();
    let fails = expected.iter().any(|line| line.starts_with("fails "));
    let context = format!("eval {rest}\nexpected {expected:#?}\nfound {answer:?}");
    assert_eq!(answer.is_err(), fails, "{context}");
    match (answer.map(|answer| answer.value), expected) {
        (Err(error), [line]) if line.starts_with("fails ") => {
            let message = line.strip_prefix("fails ").unwrap();
            assert!(error.to_string().contains(message), "{context}");
        }
        (Ok(Value::Scalar(point)), [line]) if line.starts_with("scalar ") => {
            let expected = number(line.strip_prefix("scalar ").unwrap());
            assert!(is_same(point.value, expected), "{context}");
        }
        (Ok(Value::String(_, text)), [line]) => {
            assert_eq!(line.strip_prefix("string "), Some(&*text), "{context}");
        }
        (Ok(Value::Vector(found)), _) => {
            let found = found.into_iter();
            let found = found.map(|(labels, point)| (labels, vec![(0, point.value)])).collect();
            check_rows(found, expected, is_ordered, &context);
        }
        (Ok(Value::Matrix(found)), _) => {
            let (start, step) = match time.split_once("..") {
                Some((start, rest)) => {
                    (milliseconds(start), milliseconds(rest.split_once('/').unwrap().1))
                }
                // Points of a range vector are told by their number.
                None => (0, 0),
            };
            let points = |points: Vec<pampero_promql::Point>| {
                let at = |(index, point): (usize, pampero_promql::Point)| {
                    let step = if step == 0 {
                        index
                    } else {
                        ((point.timestamp_ms - start) / step) as usize
                    };
                    (step, point.value)
                };
                points.into_iter().enumerate().map(at).collect()
            };
            let found = found.into_iter().map(|(labels, it)| (labels, points(it))).collect();
            check_rows(found, expected, is_ordered, &context);
        }
        _ => panic!("{context}"),
    }
}

#[track_caller]
fn check_rows(
    mut found: Vec<(Labels, Vec<(usize, f64)>)>,
    expected: &[&str],
    is_ordered: bool,
    context: &str,
) {
    let expected = if expected == ["nothing"] { &[] } else { expected };
    let mut expected: Vec<_> = expected
        .iter()
        .map(|line| {
            let (selector, values) = row(line);
            let values = values.split_whitespace().flat_map(expanded).enumerate();
            let values = values.filter_map(|(step, value)| Some((step, value?)));
            (labels(selector), values.collect::<Vec<_>>())
        })
        .collect();
    if !is_ordered {
        found.sort_by(|one, other| one.0.cmp(&other.0));
        expected.sort_by(|one, other| one.0.cmp(&other.0));
    }
    assert_eq!(found.len(), expected.len(), "{context}");
    for ((labels, points), (expected_labels, expected_points)) in found.iter().zip(&expected) {
        assert_eq!(labels, expected_labels, "{context}");
        let is_same_point = |(one, other): (&(usize, f64), &(usize, f64))| {
            one.0 == other.0 && is_same(one.1, other.1)
        };
        let are_same = points.len() == expected_points.len()
            && points.iter().zip(expected_points).all(is_same_point);
        assert!(are_same, "{labels}: {points:?}\n{context}");
    }
}

fn is_same(one: f64, other: f64) -> bool {
    one == other
        || (one.is_nan() && other.is_nan())
        || (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}
