//! Targets, and what they say of their metrics.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use pampero_series::Labels;

use crate::{Health, Metadata, TargetState};

use super::answer::{Accepts, Success};
use super::failure::Failure;
use super::form::Form;
use super::selector::parse_selector;
use super::state::ApiState;

/// When something happened that has not happened yet, as Prometheus writes it.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Returns the targets, all of which are active.
pub(super) async fn get_targets(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let asked = form.first("state").to_lowercase();
    let pool = form.first("scrapePool");
    let mut targets = state.history.targets();
    targets.retain(|target| {
        matches!(asked.as_str(), "" | "any" | "active") && (pool.is_empty() || target.job == pool)
    });
    let active_targets = targets.iter().map(TargetBody::from).collect();
    let body = TargetsBody { active_targets, dropped_targets: [] };
    state.answer(accepts, Ok(Success::of(&body)))
}

/// Returns what is said of metrics, in the order of their names.
pub(super) async fn get_metadata(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let list = || -> Result<Success, Failure> {
        let limit = form.count("limit")?.unwrap_or(usize::MAX);
        let per_metric = form.count("limit_per_metric")?.unwrap_or(usize::MAX);
        let metric = Some(form.first("metric")).filter(|metric| !metric.is_empty());
        let found = state.history.metadata(metric);
        let listed = found.iter().take(limit).map(|(name, statements)| {
            let statements: Vec<_> =
                statements.iter().take(per_metric).map(MetadataBody::from).collect();
            (name.as_str(), statements)
        });
        Ok(Success::of(&InOrder(listed.collect())))
    };
    state.answer(accepts, list())
}

/// Returns what each target says of its metrics.
pub(super) async fn get_target_metadata(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let list = || -> Result<Success, Failure> {
        let limit = form.count("limit")?.unwrap_or(usize::MAX);
        let matchers = match form.first("match_target") {
            "" => Vec::new(),
            text => parse_selector(text)
                .map_err(|message| Failure::parameter("match_target", message))?,
        };
        let metric = Some(form.first("metric")).filter(|metric| !metric.is_empty());
        let found = state.history.target_metadata(&matchers, metric);
        let listed = found.iter().take(limit).map(|said| TargetMetadataBody {
            target: LabelsBody(&said.target),
            metric: metric.is_none().then_some(said.metric.as_str()),
            said: (&said.metadata).into(),
        });
        Ok(Success::of(&listed.collect::<Vec<_>>()))
    };
    state.answer(accepts, list())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TargetsBody<'t> {
    active_targets: Vec<TargetBody<'t>>,
    dropped_targets: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TargetBody<'t> {
    discovered_labels: LabelsBody<'t>,
    labels: LabelsBody<'t>,
    scrape_pool: &'t str,
    scrape_url: &'t str,
    global_url: &'t str,
    last_error: &'t str,
    last_scrape: String,
    /// Seconds.
    last_scrape_duration: f64,
    health: &'static str,
    scrape_interval: String,
    scrape_timeout: String,
}

impl<'t> From<&'t TargetState> for TargetBody<'t> {
    fn from(target: &'t TargetState) -> Self {
        Self {
            discovered_labels: LabelsBody(&target.discovered_labels),
            labels: LabelsBody(&target.labels),
            scrape_pool: &target.job,
            scrape_url: &target.scrape_url,
            global_url: &target.scrape_url,
            last_error: target.last_error.as_deref().unwrap_or_default(),
            last_scrape: written_time(target.last_scrape_ms),
            last_scrape_duration: target.last_duration.as_secs_f64(),
            health: match target.health {
                Health::Unknown => "unknown",
                Health::Good => "up",
                Health::Bad => "down",
            },
            scrape_interval: written_duration(target.interval),
            scrape_timeout: written_duration(target.timeout),
        }
    }
}

#[derive(Serialize)]
struct MetadataBody<'m> {
    r#type: &'static str,
    help: &'m str,
    unit: &'m str,
}

impl<'m> From<&'m Metadata> for MetadataBody<'m> {
    fn from(said: &'m Metadata) -> Self {
        Self { r#type: said.kind.as_str(), help: &said.help, unit: &said.unit }
    }
}

#[derive(Serialize)]
struct TargetMetadataBody<'m> {
    target: LabelsBody<'m>,
    /// Left out when one metric was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<&'m str>,
    #[serde(flatten)]
    said: MetadataBody<'m>,
}

/// Labels as an object.
pub(super) struct LabelsBody<'l>(pub(super) &'l Labels);

impl Serialize for LabelsBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

/// An object whose fields come in this order.
pub(super) struct InOrder<'f, V>(pub(super) Vec<(&'f str, V)>);

impl<V: Serialize> Serialize for InOrder<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Writes a time in milliseconds since the Unix epoch in RFC 3339, UTC.
pub(super) fn written_time(time_ms: Option<i64>) -> String {
    let time = time_ms.and_then(|time_ms| Timestamp::from_millisecond(time_ms).ok());
    time.map_or_else(|| NEVER.to_owned(), |time| time.to_string())
}

/// Writes a duration as the configuration of Prometheus has it.
pub(super) fn written_duration(duration: Duration) -> String {
    pampero_promql::format_duration(duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MetricKind;
    use crate::http::text::push_value;

    #[track_caller]
    fn check(value: &impl Serialize, expected: &str) {
        let mut out = Vec::new();
        push_value(&mut out, value);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn targets_are_written_as_prometheus_writes_them() {
        let target = TargetState {
            job: "down".to_owned(),
            labels: [("instance", "127.0.0.1:1"), ("job", "down")].into_iter().collect(),
            discovered_labels: [("__address__", "127.0.0.1:1")].into_iter().collect(),
            scrape_url: "http://127.0.0.1:1/metrics".to_owned(),
            last_scrape_ms: Some(1_795_504_972_617),
            last_duration: Duration::from_nanos(558_533),
            last_error: Some("connection refused".to_owned()),
            health: Health::Bad,
            interval: Duration::from_secs(90),
            timeout: Duration::from_secs(5),
        };
        let expected = r#"{"discoveredLabels":{"__address__":"127.0.0.1:1"},"labels":{"instance":"127.0.0.1:1","job":"down"},"scrapePool":"down","scrapeUrl":"http://127.0.0.1:1/metrics","globalUrl":"http://127.0.0.1:1/metrics","lastError":"connection refused","lastScrape":"2026-11-24T07:22:52.617Z","lastScrapeDuration":0.000558533,"health":"down","scrapeInterval":"1m30s","scrapeTimeout":"5s"}"#;
        check(&TargetBody::from(&target), expected);
    }

    #[test]
    fn metadata_are_written_as_prometheus_writes_them() {
        let target: Labels = [("job", "self")].into_iter().collect();
        let said = Metadata {
            kind: MetricKind::Gauge,
            help: "Goroutines.".to_owned(),
            unit: String::new(),
        };
        let body = |metric| TargetMetadataBody {
            target: LabelsBody(&target),
            metric,
            said: (&said).into(),
        };
        check(
            &body(None),
            r#"{"target":{"job":"self"},"type":"gauge","help":"Goroutines.","unit":""}"#,
        );
        check(
            &body(Some("go")),
            r#"{"target":{"job":"self"},"metric":"go","type":"gauge","help":"Goroutines.","unit":""}"#,
        );
        let listed = InOrder(vec![("go", vec![MetadataBody::from(&said)])]);
        check(&listed, r#"{"go":[{"type":"gauge","help":"Goroutines.","unit":""}]}"#);
    }
}
