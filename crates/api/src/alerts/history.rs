//! What changed, and who was told of it: of one alert, and of a source page by page.

use std::collections::{BTreeMap, HashMap};

use axum::extract::State;
use axum::response::Response;
use http::{StatusCode, Uri};
use jiff::Timestamp;
use pampero_alerting::{
    Alert, HistoryCause, HistoryEntry, HistoryFilter, MessageFilter, OutboxRow, SourceId,
    SourceKind,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::messages::message_state_name;
use super::parts::AlertParts;
use super::wire::{KINDS, notice_name, owned, shown, state_name};
use super::{with_alerts, word};
use crate::paging;
use crate::parameters::{ParameterSet, Parameters, PathParameter, PathValue, Query};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Most entries that are shown of one alert.
const OF_ALERT_MAX: usize = 200;

/// Most entries of a source that are looked through for those of one alert.
const LOOKED_THROUGH_MAX: usize = 1_000;

/// Most messages of one answer of which it is looked up what became of them.
const FATES_MAX: usize = 500;

/// One thing that happened.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertHistoryEntry)]
pub(crate) struct EntryBody {
    /// Its number.
    id: i64,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: String,
    /// What led to it: `evaluation`, `no_data`, `failure`, `time`, `acknowledged` or `removed`.
    #[schema(example = "evaluation")]
    cause: &'static str,
    /// The value of the first finding; `null` where there is none.
    #[schema(required, example = 14.0)]
    value: Option<f64>,
    /// Why the evaluation failed; `null` when it did not.
    #[schema(required)]
    error: Option<String>,
    /// What became different; of a source the first thousand.
    changes: Vec<ChangeBody>,
    /// How many changes there were.
    change_count: usize,
    /// What was told.
    messages: Vec<ToldBody>,
    /// How many messages the throttle held back.
    throttled: u64,
    /// What else is to be said, as that a template could not be rendered.
    remarks: Vec<String>,
    /// What the query answered, cut at a limit; `null` where there is none.
    #[schema(value_type = Option<Object>, required)]
    answer: Option<Box<RawValue>>,
}

/// A change of one alert.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertChange)]
struct ChangeBody {
    /// The id of the alert.
    alert: String,
    /// What tells it from other alerts of its source.
    key: BTreeMap<String, String>,
    /// The state before; `null` when there was no alert.
    #[schema(required, example = "pending")]
    before: Option<&'static str>,
    /// The state afterwards.
    #[schema(example = "active")]
    after: &'static str,
    /// The value; `null` where there is none.
    #[schema(required)]
    value: Option<f64>,
}

/// A message that was made.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertMessage)]
struct ToldBody {
    /// Its key, by which receivers know repeats.
    key: String,
    /// The channel.
    channel: String,
    /// The action.
    action: String,
    /// Why: `fired`, `reminder`, `escalated`, `recovered`, `no_data` or `failed`.
    #[schema(example = "fired")]
    kind: &'static str,
    /// One line.
    subject: String,
    /// The text.
    text: String,
    /// Where it is: `waiting`, `sending`, `delivered` or `dead`; `null` when it was put together with others,
    /// or is not kept any more.
    #[schema(required, example = "delivered")]
    state: Option<&'static str>,
    /// When it arrived or was given up; `null` before.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    settled: Option<String>,
    /// Why the last try failed; `null` when none did.
    #[schema(required)]
    reason: Option<String>,
}

/// What became of messages, looked up once for each.
struct Fates<'p> {
    parts: &'p AlertParts,
    known: HashMap<String, Option<OutboxRow>>,
}

impl<'p> Fates<'p> {
    fn new(parts: &'p AlertParts) -> Self {
        Self { parts, known: HashMap::new() }
    }

    fn of(&mut self, key: &str) -> Result<Option<&OutboxRow>, ApiError> {
        if !self.known.contains_key(key) {
            if FATES_MAX <= self.known.len() {
                return Ok(None);
            }
            let filter =
                MessageFilter { key: Some(key.to_owned()), limit: 1, ..MessageFilter::default() };
            let found = self.parts.alerting.messages(&filter)?.into_iter().next();
            self.known.insert(key.to_owned(), found);
        }
        Ok(self.known.get(key).and_then(Option::as_ref))
    }
}

impl EntryBody {
    fn of(entry: HistoryEntry, fates: &mut Fates<'_>) -> Result<Self, ApiError> {
        let changes = entry.changes.iter().map(|change| ChangeBody {
            alert: change.alert.clone(),
            key: owned(change.key.iter()),
            before: change.before.map(state_name),
            after: state_name(change.after),
            value: change.value,
        });
        let changes = changes.collect();
        let mut messages = Vec::with_capacity(entry.messages.len());
        for told in entry.messages {
            let row = fates.of(&told.key)?;
            messages.push(ToldBody {
                state: row.map(|row| message_state_name(row.state)),
                settled: row.and_then(|row| shown(row.settled)),
                reason: row.and_then(|row| row.reason.clone()),
                key: told.key,
                channel: told.channel,
                action: told.action,
                kind: notice_name(told.kind),
                subject: told.subject,
                text: told.text,
            });
        }
        Ok(Self {
            id: entry.id,
            at: entry.at.to_string(),
            cause: cause_name(entry.cause),
            value: entry.value,
            error: entry.error,
            changes,
            change_count: entry.change_count,
            messages,
            throttled: entry.throttled,
            remarks: entry.remarks,
            answer: entry.answer.and_then(|answer| RawValue::from_string(answer).ok()),
        })
    }
}

const fn cause_name(cause: HistoryCause) -> &'static str {
    match cause {
        HistoryCause::Evaluation => "evaluation",
        HistoryCause::NoData => "no_data",
        HistoryCause::Failure => "failure",
        HistoryCause::Time => "time",
        HistoryCause::Acknowledged => "acknowledged",
        HistoryCause::Removed => "removed",
    }
}

/// Returns what happened to one alert, the newest first. Blocks.
///
/// Of an entry about many alerts only the changes of this one are shown; what was told while it went on
/// belongs to it, since a message tells of all alerts of its source.
pub(super) fn of_alert(parts: &AlertParts, alert: &Alert) -> Result<Vec<EntryBody>, ApiError> {
    let after_end =
        alert.ended.and_then(|end| end.checked_add(jiff::SignedDuration::from_millis(1)).ok());
    let filter = HistoryFilter {
        kind: Some(alert.source.kind),
        definition: Some(alert.source.definition.clone()),
        trigger: Some(alert.source.trigger.clone()),
        from: Some(alert.since),
        to: after_end,
        limit: LOOKED_THROUGH_MAX,
        ..HistoryFilter::default()
    };
    let mut entries = parts.alerting.history(&filter)?;
    for entry in &mut entries {
        entry.changes.retain(|change| change.alert == alert.id);
    }
    entries.retain(|entry| {
        let is_told_again = entry.change_count == 0 && !entry.messages.is_empty();
        !entry.changes.is_empty() || is_told_again
    });
    entries.truncate(OF_ALERT_MAX);
    let mut fates = Fates::new(parts);
    entries.into_iter().map(|entry| EntryBody::of(entry, &mut fates)).collect()
}

/// Which entries are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// From this instant on (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this instant (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Most entries of the page; 100 unless asked otherwise.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: u32,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<i64>,
}

impl ParameterSet for HistoryQuery {
    const KNOWN: &'static [&'static str] = &["from", "to", "limit", "cursor"];

    fn read(values: &Parameters<'_>) -> Result<Self, ApiError> {
        let (from, to) = values.stretch()?;
        let cursor = values.text("cursor").map(str::parse).transpose().map_err(|_| {
            let detail = "cursor: give next_cursor of the page before, as it is";
            ApiError::parameter("cursor", detail)
        })?;
        Ok(Self { from, to, limit: values.limit()?, cursor })
    }
}

/// A page of what happened.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertHistory {
    /// The newest first.
    entries: Vec<EntryBody>,
    /// Where the next page begins; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// The kind of a source in the path.
pub(crate) struct KindParameter(SourceKind);

/// The definition of a source in the path.
pub(crate) struct DefinitionParameter(String);

/// The trigger of a source in the path.
pub(crate) struct TriggerParameter(String);

impl PathParameter for KindParameter {
    const NAME: &'static str = "kind";

    fn read(text: &str) -> Result<Self, ApiError> {
        word("kind", text, &KINDS).map(Self)
    }
}

impl PathParameter for DefinitionParameter {
    const NAME: &'static str = "definition";

    fn read(text: &str) -> Result<Self, ApiError> {
        Ok(Self(text.to_owned()))
    }
}

impl PathParameter for TriggerParameter {
    const NAME: &'static str = "trigger";

    fn read(text: &str) -> Result<Self, ApiError> {
        Ok(Self(text.to_owned()))
    }
}

/// Lists what changed of a trigger or rule, with what the query answered and what was told.
#[utoipa::path(
    get,
    path = "/api/alerts/sources/{kind}/{definition}/{trigger}/history",
    tag = "alerts",
    params(
        ("kind" = String, Path, description = "`monitor` or `rule`", example = "monitor"),
        ("definition" = String, Path, description = "The id of the monitor; of a rule its file and group, percent-encoded", example = "error_logs"),
        ("trigger" = String, Path, description = "The id of the trigger, or the name of the rule", example = "count_error"),
        HistoryQuery,
    ),
    responses(
        (status = 200, description = "A page of entries", body = AlertHistory, headers(
            ("Link" = String, description = "The next page, with rel=next, when there is one"),
        )),
        (status = 404, description = "No such trigger or rule, and no history of one; or alerts are switched off", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_alert_history(
    State(state): State<ApiState>,
    PathValue(KindParameter(kind)): PathValue<KindParameter>,
    PathValue(DefinitionParameter(definition)): PathValue<DefinitionParameter>,
    PathValue(TriggerParameter(trigger)): PathValue<TriggerParameter>,
    Query(wanted): Query<HistoryQuery>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let source = SourceId { kind, definition, trigger };
    let listed = with_alerts(&state, move |alerts, state| {
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let filter = HistoryFilter {
            kind: Some(source.kind),
            definition: Some(source.definition.clone()),
            trigger: Some(source.trigger.clone()),
            before: wanted.cursor,
            from: wanted.from,
            to: wanted.to,
            limit: limit.saturating_add(1),
        };
        let mut entries = alerts.alerting.history(&filter)?;
        if entries.is_empty() && wanted.cursor.is_none() {
            check_known(alerts, state, &source)?;
        }
        let next_cursor = paging::cut(&mut entries, wanted.limit).map(|last| last.id.to_string());
        let mut fates = Fates::new(alerts);
        let entries: Result<Vec<EntryBody>, ApiError> =
            entries.into_iter().map(|entry| EntryBody::of(entry, &mut fates)).collect();
        Ok(AlertHistory { entries: entries?, next_cursor })
    });
    let list = listed.await?;
    let next_cursor = list.next_cursor.clone();
    Ok(paging::page(list, &uri, next_cursor.as_deref()))
}

/// Refuses a source that is not watched and of which nothing is kept.
fn check_known(alerts: &AlertParts, state: &ApiState, source: &SourceId) -> Result<(), ApiError> {
    let is_watched = super::watched::all(alerts, state).iter().any(|it| it.id == *source);
    let filter = HistoryFilter {
        kind: Some(source.kind),
        definition: Some(source.definition.clone()),
        trigger: Some(source.trigger.clone()),
        limit: 1,
        ..HistoryFilter::default()
    };
    if is_watched || !alerts.alerting.history(&filter)?.is_empty() {
        return Ok(());
    }
    let detail = format!("there is no source {source}; GET /api/alerts/sources lists them");
    Err(ApiError::new(StatusCode::NOT_FOUND, "unknown_source", detail).about_parameter("trigger"))
}
