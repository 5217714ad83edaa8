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
    /// OpenMetrics goes only to those that name it and weigh it no less than the older format. Who
    /// accepts neither gets the older one, since people and old readers send anything.
    ///
    /// Source: RFC 9110, section 12.5.1: the most specific range that fits a format weighs it.
    pub fn for_accept(accept: Option<&str>) -> Self {
        let ranges: Vec<MediaRange<'_>> =
            accept.unwrap_or_default().split(',').filter_map(MediaRange::read).collect();
        let weight = |format: Self| {
            let fitting =
                ranges.iter().filter_map(|range| Some((range.fit(format)?, range.weight)));
            // Of ranges that fit equally well the heaviest counts.
            fitting.max_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)))
        };
        let text = weight(Self::PrometheusText).map_or(0.0, |(_, weight)| weight);
        match weight(Self::OpenMetrics) {
            Some((Fit::Named, weight)) if weight > 0.0 && text <= weight => Self::OpenMetrics,
            _ => Self::PrometheusText,
        }
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

/// One range of an `Accept` header, as in `text/plain;version=0.0.4;q=0.5`.
struct MediaRange<'a> {
    kind: &'a str,
    /// The version that is asked for; `None` for any.
    version: Option<&'a str>,
    /// 0 for what is refused to 1 for what is liked best.
    weight: f32,
}

/// How well a range fits a format; what names it fits best.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Fit {
    Anything,
    Family,
    Named,
}

impl<'a> MediaRange<'a> {
    /// Reads one range; `None` when it is empty or its weight is no number from 0 to 1.
    fn read(range: &'a str) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().filter(|kind| !kind.is_empty())?;
        let mut read = Self { kind, version: None, weight: 1.0 };
        for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
            let value = value.trim().trim_matches('"');
            if name.trim().eq_ignore_ascii_case("q") {
                read.weight = value.parse().ok().filter(|q| (0.0..=1.0).contains(q))?;
            } else if name.trim().eq_ignore_ascii_case("version") {
                read.version = Some(value);
            }
        }
        Some(read)
    }

    fn fit(&self, format: Exposition) -> Option<Fit> {
        let (family, named, version) = match format {
            Exposition::OpenMetrics => ("application/*", "application/openmetrics-text", "1.0.0"),
            Exposition::PrometheusText => ("text/*", "text/plain", "0.0.4"),
        };
        let is_version = self.version.is_none_or(|asked| asked == version);
        if self.kind.eq_ignore_ascii_case(named) {
            return is_version.then_some(Fit::Named);
        }
        match self.kind {
            "*/*" => Some(Fit::Anything),
            kind if kind.eq_ignore_ascii_case(family) => Some(Fit::Family),
            _ => None,
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
        let (text, open) = (Exposition::PrometheusText, Exposition::OpenMetrics);
        check(None, text);
        check(Some(""), text);
        check(Some("*/*"), text);
        check(Some("text/html, text/plain"), text);
        check(Some("application/json"), text);
        check(Some("application/*"), text);
        check(Some("application/openmetrics-text"), open);
        check(Some("Application/OpenMetrics-Text; Version=\"1.0.0\"; Q=0.3"), open);
        check(Some("application/openmetrics-text;version=1.0.0;q=0"), text);
        check(Some("application/openmetrics-text;version=2.0.0"), text);
        check(Some("application/openmetrics-text;q=2, text/plain;q=0.1"), text);
        check(Some("text/plain;q=0.1, application/openmetrics-text"), open);
        check(Some("text/plain, application/openmetrics-text"), open);
        check(Some("text/plain;q=0.9, application/openmetrics-text;q=0.8"), text);
        check(Some("text/*;q=0.9, application/openmetrics-text;q=0.8"), text);
        check(Some("text/*;q=0.9, text/plain;q=0.2, application/openmetrics-text;q=0.8"), open);
        // What Prometheus 2.42, Prometheus 3 and a browser send.
        check(
            Some(
                "application/openmetrics-text;version=1.0.0,\
                 application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            ),
            open,
        );
        check(
            Some(
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,\
                 text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            ),
            open,
        );
        check(
            Some("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"),
            text,
        );
    }
}
