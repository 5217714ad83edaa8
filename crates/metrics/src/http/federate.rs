//! The newest samples in the text format, for another Prometheus to scrape.
//!
//! Types are `untyped`, as Prometheus itself writes them: what is kept are samples, and a
//! `_bucket` alone is no histogram.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use pampero_promql::{Cancel, Point, WindowRule};
use pampero_series::{Columns, Labels, METRIC_NAME, Matcher, Selection, SeriesSource, is_stale};

use super::answer::{Accepts, Success, plain};
use super::encode::check_size;
use super::failure::{Failure, FailureKind};
use super::form::Form;
use super::number::{push_general, push_whole};
use super::selector::{is_selective, parse_selector};
use super::series::unreadable;
use super::state::ApiState;

/// The label that a scrape would set; it is written empty where a series has none, so that the
/// scraping Prometheus does not put its own there.
const INSTANCE: &str = "instance";

/// Writes the newest sample of each series that matches and is not stale.
pub(super) async fn get_federation(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let selectors: Result<Vec<_>, _> = form.all("match[]").map(parse_selector).collect();
    match selectors {
        Ok(selectors) => {
            let work = move |state: &ApiState, cancel: &Cancel| {
                let newest = newest(state, &selectors, cancel)?;
                let text = exposition(&newest, state.options.answer_bytes_max)?;
                Ok(Success::exposition(text))
            };
            state.answer_later(accepts, state.options.query_timeout, work).await
        }
        Err(message) => plain(StatusCode::BAD_REQUEST, &message),
    }
}

/// Returns the newest samples within the look-back, in the order of names and labels.
fn newest(
    state: &ApiState,
    selectors: &[Vec<Matcher>],
    cancel: &Cancel,
) -> Result<BTreeMap<(String, Labels), Point>, Failure> {
    let options = state.history.engine().options();
    let end_ms = state.history.now_ms();
    let lookback_ms = i64::try_from(options.lookback.as_millis()).unwrap_or(i64::MAX);
    let start_ms = match options.window {
        WindowRule::LeftClosed => end_ms.saturating_sub(lookback_ms),
        WindowRule::LeftOpen => end_ms.saturating_sub(lookback_ms).saturating_add(1),
    };
    let mut newest = BTreeMap::new();
    // A selector that selects nothing in particular selects nothing, as in Prometheus.
    for matchers in selectors.iter().filter(|matchers| is_selective(matchers)) {
        let selection = Selection { matchers, start_ms, end_ms };
        let mut visit = |labels: &Labels, columns: Columns<'_>| {
            if let Some((name, point)) = labels.metric_name().zip(last_point(columns)) {
                newest.insert((name.to_owned(), labels.clone()), point);
            }
            let is_enough = cancel.is_canceled() || state.options.listed_max < newest.len();
            if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        state.history.store().select(selection, &mut visit).map_err(|error| unreadable(&error))?;
    }
    if cancel.is_canceled() {
        return Err(Failure::new(FailureKind::Canceled, "the request was canceled"));
    }
    if state.options.listed_max < newest.len() {
        let max = state.options.listed_max;
        let message = format!("more than {max} series match; narrow match[] by more labels");
        return Err(Failure::new(FailureKind::Execution, message));
    }
    Ok(newest)
}

fn last_point(columns: Columns<'_>) -> Option<Point> {
    let (timestamp_ms, value) = columns.timestamps_ms.last().zip(columns.values.last())?;
    (!is_stale(*value)).then_some(Point { timestamp_ms: *timestamp_ms, value: *value })
}

fn exposition(
    newest: &BTreeMap<(String, Labels), Point>,
    bytes_max: usize,
) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let mut family = None;
    for ((name, labels), point) in newest {
        if family != Some(name) {
            out.extend_from_slice(b"# TYPE ");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b" untyped\n");
            family = Some(name);
        }
        push_sample(&mut out, name, labels, *point);
        check_size(&out, bytes_max)?;
    }
    Ok(out)
}

fn push_sample(out: &mut Vec<u8>, name: &str, labels: &Labels, point: Point) {
    out.extend_from_slice(name.as_bytes());
    let instance = labels.get(INSTANCE).is_none().then_some((INSTANCE, ""));
    let written = labels.iter().filter(|(name, _)| *name != METRIC_NAME).chain(instance);
    for (index, (name, value)) in written.enumerate() {
        out.push(if index == 0 { b'{' } else { b',' });
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"=\"");
        push_label_value(out, value);
        out.push(b'"');
    }
    out.extend_from_slice(b"} ");
    push_general(out, point.value);
    out.push(b' ');
    push_whole(out, point.timestamp_ms);
    out.push(b'\n');
}

fn push_label_value(out: &mut Vec<u8>, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(br"\\"),
            b'"' => out.extend_from_slice(br#"\""#),
            b'\n' => out.extend_from_slice(br"\n"),
            byte => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_written_by_family() {
        let series = [
            (vec![("__name__", "b"), ("x", "1"), ("instance", "i")], 1.5),
            (vec![("__name__", "b")], f64::NAN),
            (vec![("__name__", "a"), ("x", "\\\"\n")], 1e9),
        ];
        let newest = series.into_iter().map(|(labels, value)| {
            let labels: Labels = labels.into_iter().collect();
            ((labels.value(METRIC_NAME).to_owned(), labels), Point { timestamp_ms: 5, value })
        });
        let text = exposition(&newest.collect(), 1 << 20).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "# TYPE a untyped\n\
             a{x=\"\\\\\\\"\\n\",instance=\"\"} 1e+09 5\n\
             # TYPE b untyped\n\
             b{instance=\"\"} NaN 5\n\
             b{instance=\"i\",x=\"1\"} 1.5 5\n"
        );
    }
}
