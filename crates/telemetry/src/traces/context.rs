//! The identity of a trace as it comes in from a caller, and as the log shows it.
//!
//! Source: W3C, Trace Context, level 1, sections 3.2 (`traceparent`) and 3.3 (`tracestate`).

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header with the ids of trace and parent span.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Length of the only version that is defined, `00`.
const LENGTH_OF_VERSION_0: usize = 55;
/// Most members of a `tracestate`; a list with more is not carried.
const STATE_MEMBERS_MAX: usize = 32;
/// Longest `tracestate` that is carried, in bytes.
const STATE_LENGTH_MAX: usize = 512;

/// Makes the caller's span the parent of `span`, which must not have been entered yet.
///
/// Headers without a valid `traceparent` change nothing: the span then begins a trace of its own.
pub fn adopt_caller(span: &Span, headers: &HeaderMap) {
    if let Some(parent) = parent_of(headers) {
        // A span that nobody traces has nothing to be attached to.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// Returns the id of the trace in a `traceparent`; `None` when it is not a valid one.
pub fn trace_id_of(traceparent: &HeaderValue) -> Option<TraceId> {
    parse(traceparent.as_bytes()).map(|(trace_id, _, _)| trace_id)
}

/// Returns the ids of the trace and the span in which the caller runs; `None` outside of any.
pub(crate) fn current_ids() -> Option<(TraceId, SpanId)> {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid().then(|| (ids.trace_id(), ids.span_id()))
    })
}

fn parent_of(headers: &HeaderMap) -> Option<SpanContext> {
    let mut given = headers.get_all(TRACEPARENT).iter();
    let (first, second) = (given.next()?, given.next());
    if second.is_some() {
        return None;
    }
    let (trace_id, span_id, flags) = parse(first.as_bytes())?;
    Some(SpanContext::new(trace_id, span_id, flags, true, state_of(headers)))
}

/// Reads `00-<32 digits>-<16 digits>-<2 digits>`, lower-case hexadecimal.
///
/// A later version may be longer, but must begin in the same way. Of the flags only *sampled* has a
/// meaning that we know.
fn parse(text: &[u8]) -> Option<(TraceId, SpanId, TraceFlags)> {
    let (known, rest) = text.split_at_checked(LENGTH_OF_VERSION_0)?;
    let known = std::str::from_utf8(known).ok()?;
    let mut parts = known.split('-');
    let version = lower_hex(parts.next()?, 2)?;
    let trace_id = lower_hex(parts.next()?, 32)?;
    let span_id = lower_hex(parts.next()?, 16)?;
    let flags = lower_hex(parts.next()?, 2)?;
    let fits = match version {
        "00" => rest.is_empty(),
        "ff" => false,
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    let trace_id = TraceId::from_hex(trace_id).ok()?;
    let span_id = SpanId::from_hex(span_id).ok()?;
    if !fits || trace_id == TraceId::INVALID || span_id == SpanId::INVALID {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    Some((trace_id, span_id, flags))
}

fn lower_hex(text: &str, length: usize) -> Option<&str> {
    let is_digit = |letter: u8| matches!(letter, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == length && text.bytes().all(is_digit)).then_some(text)
}

/// Returns what the callers before us wrote; nothing when it cannot be read, which does not spoil the
/// trace.
fn state_of(headers: &HeaderMap) -> TraceState {
    let given = headers.get_all(TRACESTATE).iter().map(HeaderValue::to_str);
    let Ok(given) = given.collect::<Result<Vec<_>, _>>() else { return TraceState::NONE };
    let given = given.join(",");
    if STATE_LENGTH_MAX < given.len() {
        return TraceState::NONE;
    }
    let members = given.split(',').map(str::trim).filter(|member| !member.is_empty());
    let members: Vec<&str> = members.collect();
    if members.len() > STATE_MEMBERS_MAX {
        return TraceState::NONE;
    }
    members.join(",").parse().unwrap_or(TraceState::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    /// `sampled` is `None` when the header must be ignored.
    #[track_caller]
    fn check(traceparent: &str, sampled: Option<bool>) {
        let parent = parent_of(&headers(&[("traceparent", traceparent)]));
        assert_eq!(parent.as_ref().map(SpanContext::is_sampled), sampled, "{traceparent:?}");
        if let Some(parent) = parent {
            assert_eq!(parent.trace_id().to_string(), TRACE);
            assert_eq!(parent.span_id().to_string(), SPAN);
            assert!(parent.is_remote());
        }
    }

    #[test]
    fn valid_parents_are_taken() {
        check(&format!("00-{TRACE}-{SPAN}-01"), Some(true));
        check(&format!("00-{TRACE}-{SPAN}-00"), Some(false));
        check(&format!("00-{TRACE}-{SPAN}-ff"), Some(true));
        check(&format!("00-{TRACE}-{SPAN}-02"), Some(false));
        check(&format!("01-{TRACE}-{SPAN}-01"), Some(true));
        check(&format!("cc-{TRACE}-{SPAN}-01-what-the-future-brings"), Some(true));
    }

    #[test]
    fn broken_parents_are_ignored() {
        check("", None);
        check("garbage", None);
        check(&format!("00-{TRACE}-{SPAN}"), None);
        check(&format!("00-{TRACE}-{SPAN}-1"), None);
        check(&format!("00-{TRACE}-{SPAN}-0x"), None);
        check(&format!("00-{TRACE}-{SPAN}-01-more"), None);
        check(&format!("00-{TRACE}-{SPAN}-01 "), None);
        check(&format!("ff-{TRACE}-{SPAN}-01"), None);
        check(&format!("0-{TRACE}0-{SPAN}-01"), None);
        check(&format!("cc-{TRACE}-{SPAN}-01.more"), None);
        check(&format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), None);
        check(&format!("00-{TRACE}-{}-01", SPAN.to_uppercase()), None);
        check(&format!("00-{}-{SPAN}-01", "0".repeat(32)), None);
        check(&format!("00-{TRACE}-{}-01", "0".repeat(16)), None);
        check(&format!("00_{TRACE}_{SPAN}_01"), None);
        check(&format!("00-{}é-{SPAN}-01", &TRACE[2..]), None);
    }

    #[test]
    fn two_parents_are_none() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let twice = headers(&[("traceparent", &parent), ("traceparent", &parent)]);
        assert!(parent_of(&twice).is_none());
        assert!(parent_of(&HeaderMap::new()).is_none());
    }

    #[test]
    fn state_is_carried_while_it_can_be_read() {
        check_state(&[], "");
        check_state(&["congo=t61rcWkgMzE,rojo=00f067aa"], "congo=t61rcWkgMzE,rojo=00f067aa");
        check_state(&["congo=1", " rojo=2 , "], "congo=1,rojo=2");
        check_state(&["no member"], "");
        let members: Vec<String> = (0..33).map(|number| format!("k{number}=1")).collect();
        check_state(&[&members[..32].join(",")], &members[..32].join(","));
        check_state(&[&members.join(",")], "");
        check_state(&[&format!("k={}", "x".repeat(600))], "");
    }

    #[track_caller]
    fn check_state(given: &[&str], carried: &str) {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let mut lines = vec![("traceparent", parent.as_str())];
        lines.extend(given.iter().map(|state| ("tracestate", *state)));
        let parent = parent_of(&headers(&lines)).expect("a broken state spoils no parent");
        assert_eq!(parent.trace_state().header(), carried);
    }
}
