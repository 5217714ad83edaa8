//! The two text formats of metrics, and which one a reader asked for.
//!
//! Source: OpenMetrics 1.0, text format; Prometheus, exposition formats, text-based format 0.0.4.

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

/// A text format for metrics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exposition {
    /// OpenMetrics 1.0, which Prometheus asks for by name.
    OpenMetrics,
    /// Prometheus text 0.0.4, which everything reads, people included.
    PrometheusText,
}

impl Exposition {
    /// Chooses the format by the `Accept` header of a request; `None` when there was none.
    ///
    /// OpenMetrics goes only to those that name it, with a weight above zero.
    pub fn for_accept(accept: Option<&str>) -> Self {
        let wants_open_metrics = accept.unwrap_or_default().split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let is_named = parts
                .next()
                .is_some_and(|media| media.eq_ignore_ascii_case("application/openmetrics-text"));
            let refused = parts
                .filter_map(|parameter| parameter.strip_prefix("q="))
                .any(|weight| weight.parse() == Ok(0.0));
            is_named && !refused
        });
        if wants_open_metrics { Self::OpenMetrics } else { Self::PrometheusText }
    }

    /// Returns the `Content-Type` of the format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::PrometheusText => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    pub(super) fn encode(self, registry: &Registry) -> String {
        let mut open_metrics = String::new();
        text::encode(&mut open_metrics, registry).expect("writing to a string cannot fail");
        match self {
            Self::OpenMetrics => open_metrics,
            Self::PrometheusText => as_prometheus_text(&open_metrics),
        }
    }
}

/// Turns OpenMetrics text, as the registry writes it, into Prometheus text.
///
/// The samples are the same. The older format names a counter with its `_total` and an info with its
/// `_info` in the comments too, calls `info` a gauge and `unknown` untyped, and has neither units nor
/// an end.
fn as_prometheus_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            // The type, which decides how the name is written, comes with the next line.
            help = rest.split_once(' ');
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            if let Some((_, words)) = help.take() {
                text.extend(["# HELP ", name, suffix, " ", words, "\n"]);
            }
            text.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            text.extend([line, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: Option<&str>, expected: Exposition) {
        assert_eq!(Exposition::for_accept(accept), expected, "{accept:?}");
    }

    #[test]
    fn format_follows_the_accept_header() {
        check(None, Exposition::PrometheusText);
        check(Some("*/*"), Exposition::PrometheusText);
        check(Some("text/html, text/plain"), Exposition::PrometheusText);
        check(Some("application/openmetrics-text;version=1.0.0;q=0"), Exposition::PrometheusText);
        check(
            Some("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5"),
            Exposition::OpenMetrics,
        );
        check(Some("text/plain;q=0.1, Application/OpenMetrics-Text"), Exposition::OpenMetrics);
    }
}
