//! The alerts: listed, looked at one by one, and acknowledged.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::{StatusCode, Uri};
use pampero_alerting::{Alert, AlertFilter, AlertSort, AlertState, SourceKind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::history::{self, EntryBody};
use super::parts::AlertParts;
use super::wire::{AlertBody, KINDS, STATES};
use super::{offset, one_of, with_alerts, word};
use crate::body::JsonBody;
use crate::edge::Admin;
use crate::paging;
use crate::parameters::{NoParameters, ParameterSet, Parameters, PathParameter, PathValue, Query};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Most alerts that are acknowledged by one request.
const ACKNOWLEDGED_MAX: usize = 1_000;

/// The orders of a listing.
const SORTS: [(&str, AlertSort); 7] = [
    ("start", AlertSort::Start),
    ("end", AlertSort::End),
    ("severity", AlertSort::Severity),
    ("state", AlertSort::State),
    ("name", AlertSort::Name),
    ("definition", AlertSort::Definition),
    ("told", AlertSort::Told),
];

/// Which alerts are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertsQuery {
    /// Only in these states, with commas between them; those that are not over unless asked otherwise.
    #[param(value_type = Option<String>, example = "active,acknowledged")]
    state: Vec<AlertState>,
    /// Only of this severity; 1 is the highest.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 5)]
    severity: Option<u8>,
    /// Only of this source: a kind, a kind and a definition, or all three with a `/` between them, the
    /// definition percent-encoded once more when it has a `/` itself.
    #[param(value_type = Option<String>, example = "monitor/error_logs/count_error")]
    source: SourceFilter,
    /// Only with this text in a name, or in a label that tells alerts of a source apart.
    #[param(value_type = Option<String>)]
    search: String,
    /// `start`, `end`, `severity`, `state`, `name`, `definition` or `told`; the start unless asked otherwise.
    #[param(value_type = Option<String>, pattern = "^(start|end|severity|state|name|definition|told)$")]
    sort: AlertSort,
    /// `desc` unless `asc` is asked for.
    #[param(value_type = Option<String>, pattern = "^(asc|desc)$")]
    order: bool,
    /// Most alerts of the page; 100 unless asked otherwise.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: u32,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: usize,
}

/// A source, or everything below a kind or a definition.
#[derive(Default)]
struct SourceFilter {
    kind: Option<SourceKind>,
    definition: Option<String>,
    trigger: Option<String>,
}

impl SourceFilter {
    fn read(text: &str) -> Result<Self, ApiError> {
        let mut parts = text.splitn(2, '/');
        let kind = word("source", parts.next().unwrap_or_default(), &KINDS)?;
        let mut filter = Self { kind: Some(kind), ..Self::default() };
        let Some(rest) = parts.next().filter(|rest| !rest.is_empty()) else { return Ok(filter) };
        // The file of a rule has slashes of its own, unless they were encoded.
        let (definition, trigger) = match (kind, rest.contains(';')) {
            (SourceKind::Rule, true) => match rest.rsplit_once('/') {
                Some((definition, trigger)) if definition.contains(';') => {
                    (definition, Some(trigger))
                }
                _ => (rest, None),
            },
            _ => match rest.split_once('/') {
                Some((definition, trigger)) => (definition, Some(trigger)),
                None => (rest, None),
            },
        };
        filter.definition = Some(decoded(definition));
        filter.trigger = trigger.map(decoded);
        Ok(filter)
    }
}

/// Takes percent-encoding off.
fn decoded(text: &str) -> String {
    // What means something in a form stands for itself here.
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let pairs = url::form_urlencoded::parse(text.as_bytes()).next();
    pairs.map(|(name, _)| name.into_owned()).unwrap_or_default()
}

impl ParameterSet for AlertsQuery {
    const KNOWN: &'static [&'static str] =
        &["state", "severity", "source", "search", "sort", "order", "limit", "cursor"];

    fn read(values: &Parameters<'_>) -> Result<Self, ApiError> {
        let state = match values.text("state") {
            None => STATES[..5].iter().map(|(_, state)| *state).collect(),
            Some(text) => text
                .split(',')
                .map(|text| word("state", text.trim(), &STATES))
                .collect::<Result<_, _>>()?,
        };
        let severities: Vec<(String, u8)> = (1..=5).map(|n: u8| (n.to_string(), n)).collect();
        let severities: Vec<(&str, u8)> =
            severities.iter().map(|(text, n)| (text.as_str(), *n)).collect();
        Ok(Self {
            state,
            severity: one_of(values, "severity", &severities)?,
            source: values.text("source").map(SourceFilter::read).transpose()?.unwrap_or_default(),
            search: values.text("search").unwrap_or_default().to_owned(),
            sort: one_of(values, "sort", &SORTS)?.unwrap_or(AlertSort::Start),
            order: one_of(values, "order", &[("asc", false), ("desc", true)])?.unwrap_or(true),
            limit: values.limit()?,
            cursor: offset(values)?,
        })
    }
}

/// A page of alerts.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertList {
    /// In the order that was asked for.
    alerts: Vec<AlertBody>,
    /// How many there are on all pages.
    total: usize,
    /// Where the next page begins; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Lists alerts: those that are not over, or others by their state.
#[utoipa::path(
    get,
    path = "/api/alerts",
    tag = "alerts",
    params(AlertsQuery),
    responses(
        (status = 200, description = "A page of alerts", body = AlertList, headers(
            ("Link" = String, description = "The next page, with rel=next, when there is one"),
        )),
        (status = 404, description = "Alerts are switched off", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_alerts(
    State(state): State<ApiState>,
    Query(wanted): Query<AlertsQuery>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let listed = with_alerts(&state, move |alerts, _| {
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let filter = AlertFilter {
            kind: wanted.source.kind,
            definition: wanted.source.definition,
            trigger: wanted.source.trigger,
            states: wanted.state,
            severity: wanted.severity,
            text: wanted.search,
            sort: wanted.sort,
            is_descending: wanted.order,
            offset: wanted.cursor,
            limit,
        };
        let page = alerts.alerting.alerts(&filter)?;
        let end = wanted.cursor.saturating_add(limit);
        let next_cursor = (end < page.total).then(|| end.to_string());
        let shown = bodies(alerts, &page.alerts);
        Ok(AlertList { alerts: shown, total: page.total, next_cursor })
    });
    let list = listed.await?;
    let next_cursor = list.next_cursor.clone();
    Ok(paging::page(list, &uri, next_cursor.as_deref()))
}

/// Writes alerts with their labels and mutes.
fn bodies(parts: &AlertParts, alerts: &[Alert]) -> Vec<AlertBody> {
    let now = parts.alerting.now();
    let aspects = parts.alerting.labels_and_mutes(alerts);
    let shown = alerts.iter().zip(aspects);
    shown.map(|(alert, (labels, mutes))| AlertBody::of(alert, labels.iter(), mutes, now)).collect()
}

/// An id in the path, of whatever it is.
pub(crate) struct IdParameter(pub(crate) String);

impl PathParameter for IdParameter {
    const NAME: &'static str = "id";

    fn read(text: &str) -> Result<Self, ApiError> {
        Ok(Self(text.to_owned()))
    }
}

/// An alert with what happened to it.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertDetail)]
pub(crate) struct AlertDetailBody {
    #[serde(flatten)]
    alert: AlertBody,
    /// What changed, with what the query answered and what was told; the newest first, 200 entries at most.
    history: Vec<EntryBody>,
}

/// Returns an alert with its history.
#[utoipa::path(
    get,
    path = "/api/alerts/{id}",
    tag = "alerts",
    params(("id" = String, Path, description = "The id of the alert")),
    responses(
        (status = 200, description = "The alert", body = AlertDetailBody),
        (status = 404, description = "No such alert, or alerts are switched off", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_alert(
    State(state): State<ApiState>,
    PathValue(IdParameter(id)): PathValue<IdParameter>,
    _: Query<NoParameters>,
) -> Result<Json<AlertDetailBody>, ApiError> {
    let found = with_alerts(&state, move |alerts, _| {
        let alert = alerts.alerting.alert(&id)?.ok_or_else(|| unknown_alert(&id))?;
        let history = history::of_alert(alerts, &alert)?;
        let mut shown = bodies(alerts, std::slice::from_ref(&alert));
        let alert = shown.pop().ok_or_else(|| unknown_alert(&id))?;
        Ok(AlertDetailBody { alert, history })
    });
    Ok(Json(found.await?))
}

fn unknown_alert(id: &str) -> ApiError {
    let detail = format!("there is no alert {id}; GET /api/alerts lists them");
    ApiError::new(StatusCode::NOT_FOUND, "unknown_alert", detail).about_parameter("id")
}

/// Which alerts somebody knows of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcknowledgeRequest {
    /// The ids of the alerts.
    #[schema(min_items = 1, max_items = 1000)]
    ids: Vec<String>,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct AcknowledgeBody {
    /// The ids of those that are acknowledged now.
    acknowledged: Vec<String>,
    /// Those that are not.
    refused: Vec<RefusedBody>,
}

/// An alert that is not acknowledged.
#[derive(Serialize, ToSchema)]
pub(crate) struct RefusedBody {
    /// Its id.
    id: String,
    /// Why.
    #[schema(example = "Alert has already been acknowledged.")]
    reason: String,
}

/// Acknowledges alerts: no reminders and no escalations until they are over.
#[utoipa::path(
    post,
    path = "/api/alerts/acknowledge",
    tag = "alerts",
    request_body = AcknowledgeRequest,
    responses(
        (status = 200, description = "What came of each alert", body = AcknowledgeBody),
        (status = 404, description = "Alerts are switched off", body = Problem, content_type = "application/problem+json"),
    ),
    security(("admin" = []))
)]
pub(crate) async fn acknowledge_alerts(
    _: Admin,
    State(state): State<ApiState>,
    _: Query<NoParameters>,
    JsonBody(request): JsonBody<AcknowledgeRequest>,
) -> Result<Json<AcknowledgeBody>, ApiError> {
    let ids = request.ids;
    if ids.is_empty() || ACKNOWLEDGED_MAX < ids.len() {
        let detail = format!("ids: name 1 to {ACKNOWLEDGED_MAX} alerts");
        return Err(super::invalid_field("ids", detail));
    }
    let done = with_alerts(&state, move |alerts, _| Ok(alerts.alerting.acknowledge(&ids)));
    let mut body = AcknowledgeBody { acknowledged: Vec::new(), refused: Vec::new() };
    for (id, outcome) in done.await? {
        match outcome {
            Ok(()) => body.acknowledged.push(id),
            Err(refusal) => {
                body.refused.push(RefusedBody { id, reason: refusal.to_string() });
            }
        }
    }
    Ok(Json(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, definition: Option<&str>, trigger: Option<&str>) {
        let filter = SourceFilter::read(text).unwrap();
        assert_eq!(filter.definition.as_deref(), definition, "{text}");
        assert_eq!(filter.trigger.as_deref(), trigger, "{text}");
    }

    #[test]
    fn sources_are_named_whole_or_in_part() {
        check("monitor", None, None);
        check("monitor/", None, None);
        check("monitor/error_logs", Some("error_logs"), None);
        check("monitor/error_logs/a/b", Some("error_logs"), Some("a/b"));
        let group = "rules/weather.yml;weather";
        check("rule/rules/weather.yml;weather", Some(group), None);
        check("rule/rules/weather.yml;weather/Frost", Some(group), Some("Frost"));
        check("rule/rules%2Fweather.yml%3Bweather/Frost#2", Some(group), Some("Frost#2"));
        check("rule/a+b;c/d%20e", Some("a+b;c"), Some("d e"));
        assert!(SourceFilter::read("alarm/x").is_err());
    }
}
