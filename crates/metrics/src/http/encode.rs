//! Results of queries as JSON, written straight into the answer.

use pampero_promql::{Point, Value};
use pampero_series::Labels;

use super::failure::{Failure, FailureKind};
use super::number::{push_decimal, push_json, push_timestamp};
use super::text::push_string;

/// Appends `"resultType":…,"result":…`.
///
/// # Errors
/// The answer would have more than `bytes_max` bytes.
pub(super) fn push_result(
    out: &mut Vec<u8>,
    value: &Value,
    bytes_max: usize,
) -> Result<(), Failure> {
    out.extend_from_slice(br#""resultType":"#);
    push_string(out, value.type_name());
    out.extend_from_slice(br#","result":"#);
    match value {
        Value::Scalar(point) => {
            push_alone(out, point.timestamp_ms, |out| push_quoted(out, point.value, push_decimal));
            Ok(())
        }
        Value::String(timestamp_ms, string) => {
            push_alone(out, *timestamp_ms, |out| push_string(out, string));
            Ok(())
        }
        Value::Vector(series) => push_list(out, series, bytes_max, |out, point| {
            out.extend_from_slice(br#","value":"#);
            push_point(out, point);
        }),
        Value::Matrix(series) => push_list(out, series, bytes_max, |out, points| {
            out.extend_from_slice(br#","values":["#);
            push_separated(out, points, push_point);
            out.push(b']');
        }),
    }
}

/// Appends labels as an object.
pub(super) fn push_labels(out: &mut Vec<u8>, labels: &Labels) {
    out.push(b'{');
    push_separated(out, labels.iter(), |out, (name, value)| {
        push_string(out, name);
        out.push(b':');
        push_string(out, value);
    });
    out.push(b'}');
}

/// Appends items with commas between them.
pub(super) fn push_separated<I: IntoIterator>(
    out: &mut Vec<u8>,
    items: I,
    mut push: impl FnMut(&mut Vec<u8>, I::Item),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push(out, item);
    }
}

/// Refuses an answer that has become too large.
pub(super) fn check_size(out: &[u8], bytes_max: usize) -> Result<(), Failure> {
    if out.len() <= bytes_max {
        return Ok(());
    }
    let message = format!(
        "the answer would have more than {bytes_max} bytes; take a longer step, a shorter range, \
         or fewer series"
    );
    Err(Failure::new(FailureKind::Execution, message))
}

fn push_list<T>(
    out: &mut Vec<u8>,
    series: &[(Labels, T)],
    bytes_max: usize,
    push: impl Fn(&mut Vec<u8>, &T),
) -> Result<(), Failure> {
    out.push(b'[');
    for (index, (labels, values)) in series.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(br#"{"metric":"#);
        push_labels(out, labels);
        push(out, values);
        out.push(b'}');
        check_size(out, bytes_max)?;
    }
    out.push(b']');
    Ok(())
}

fn push_point(out: &mut Vec<u8>, point: &Point) {
    out.push(b'[');
    push_timestamp(out, point.timestamp_ms);
    out.push(b',');
    push_quoted(out, point.value, push_json);
    out.push(b']');
}

/// Appends the time of a scalar or a string, which has as few decimals as will do, and its value.
fn push_alone(out: &mut Vec<u8>, timestamp_ms: i64, push: impl Fn(&mut Vec<u8>)) {
    out.push(b'[');
    push_json(out, timestamp_ms as f64 / 1000.0);
    out.push(b',');
    push(out);
    out.push(b']');
}

/// Appends a number as a string: only so can it be infinite. A scalar never has an exponent, a
/// point has one where it is very small or very large.
fn push_quoted(out: &mut Vec<u8>, value: f64, push: impl Fn(&mut Vec<u8>, f64)) {
    out.push(b'"');
    push(out, value);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(timestamp_ms: i64, value: f64) -> Point {
        Point { timestamp_ms, value }
    }

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        let mut out = Vec::new();
        push_result(&mut out, value, 1 << 20).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn results_are_written_as_prometheus_writes_them() {
        let up: Labels = [("job", "a<b"), ("__name__", "up")].into_iter().collect();
        let scalar = Value::Scalar(point(1_380, f64::NAN));
        check(&scalar, r#""resultType":"scalar","result":[1.38,"NaN"]"#);
        let string = Value::String(5_000, "\"".to_owned());
        check(&string, r#""resultType":"string","result":[5,"\""]"#);
        let small = Value::Scalar(point(0, 1e-9));
        check(&small, r#""resultType":"scalar","result":[0,"0.000000001"]"#);
        let small = Value::Vector(vec![(Labels::empty(), point(0, 1e-9))]);
        check(&small, r#""resultType":"vector","result":[{"metric":{},"value":[0,"1e-09"]}]"#);
        check(&Value::Vector(Vec::new()), r#""resultType":"vector","result":[]"#);
        check(&Value::Matrix(Vec::new()), r#""resultType":"matrix","result":[]"#);
        let vector = vec![(up.clone(), point(1_380, 0.5)), (Labels::empty(), point(0, -0.0))];
        check(
            &Value::Vector(vector),
            "\"resultType\":\"vector\",\"result\":[\
             {\"metric\":{\"__name__\":\"up\",\"job\":\"a\\u003cb\"},\"value\":[1.380,\"0.5\"]},\
             {\"metric\":{},\"value\":[0,\"-0\"]}]",
        );
        check(
            &Value::Matrix(vec![(up, vec![point(0, 1.0), point(1, f64::INFINITY)])]),
            "\"resultType\":\"matrix\",\"result\":[\
             {\"metric\":{\"__name__\":\"up\",\"job\":\"a\\u003cb\"},\
             \"values\":[[0,\"1\"],[0.001,\"+Inf\"]]}]",
        );
    }

    #[test]
    fn an_answer_that_grows_too_large_is_refused() {
        let series = vec![(Labels::empty(), vec![point(0, 1.0); 100])];
        let failure = push_result(&mut Vec::new(), &Value::Matrix(series), 200).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Execution);
    }
}
