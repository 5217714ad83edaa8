//! What is watched, and how each of it has been.

use axum::extract::State;
use axum::response::Response;
use http::Uri;
use pampero_alerting::{AlertState, SourceKind};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::problems;
use super::watched::{self, Rhythm, Watched};
use super::wire::{KINDS, STATES, SourceBody, seconds, shown, state_name};
use super::{cut_page, offset, one_of, with_alerts};
use crate::number::Number;
use crate::paging;
use crate::parameters::{ParameterSet, Parameters, Query};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// What a source is called whose condition does not hold.
const INACTIVE: &str = "inactive";

/// Which sources are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SourcesQuery {
    /// Only `monitor` or `rule`.
    #[param(value_type = Option<String>, pattern = "^(monitor|rule)$")]
    kind: Option<SourceKind>,
    /// Only with this text in the name of the trigger, rule, monitor or group.
    #[param(value_type = Option<String>)]
    search: String,
    /// Most sources of the page; 100 unless asked otherwise.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: u32,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: usize,
}

impl ParameterSet for SourcesQuery {
    const KNOWN: &'static [&'static str] = &["kind", "search", "limit", "cursor"];

    fn read(values: &Parameters<'_>) -> Result<Self, ApiError> {
        Ok(Self {
            kind: one_of(values, "kind", &KINDS)?,
            search: values.text("search").unwrap_or_default().to_lowercase(),
            limit: values.limit()?,
            cursor: offset(values)?,
        })
    }
}

/// A page of what is watched.
#[derive(Serialize, ToSchema)]
pub(crate) struct SourceList {
    /// Monitors by their ids, then rules in the order of their groups.
    sources: Vec<WatchedBody>,
    /// How many there are on all pages.
    total: usize,
    /// Where the next page begins; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// A trigger of a monitor or an alerting rule, and how it has been.
#[derive(Serialize, ToSchema)]
#[schema(as = WatchedSource)]
pub(crate) struct WatchedBody {
    source: SourceBody,
    /// The name of the monitor, or of the group of the rule.
    definition_name: String,
    /// The name of the trigger or of the rule.
    name: String,
    /// From 1, the highest, to 5.
    #[schema(minimum = 1, maximum = 5)]
    severity: u8,
    /// Whether it is evaluated.
    enabled: bool,
    /// The state of its alert that wants attention most; `inactive` when there is none.
    #[schema(example = "active")]
    state: &'static str,
    /// How many alerts are active, those that somebody acknowledged among them.
    active_count: usize,
    /// How many alerts wait to become active.
    pending_count: usize,
    /// From one evaluation to the next, in seconds; `null` when it goes by cron.
    #[schema(value_type = Option<f64>, required, example = 600)]
    interval_seconds: Option<Number>,
    /// The five fields of cron; `null` when it goes by interval.
    #[schema(required)]
    cron: Option<String>,
    /// The zone in which cron counts; `null` when it goes by interval.
    #[schema(required)]
    time_zone: Option<String>,
    /// The time of the last evaluation; `null` before the first since the start.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    last_evaluation: Option<String>,
    /// How long that took, in seconds; `null` before the first since the start.
    #[schema(value_type = Option<f64>, required)]
    last_duration_seconds: Option<Number>,
    /// How that went: `good` or `bad`; `unknown` before the first since the start.
    #[schema(example = "good")]
    health: &'static str,
    /// Why it failed; `null` when it did not.
    #[schema(required)]
    error: Option<String>,
    /// The file that it is written in; `null` for a monitor that comes with the program.
    #[schema(required, example = "monitors/error_logs.json")]
    file: Option<String>,
    /// The condition of the trigger, or the expression of the rule.
    condition: String,
    /// The channels that are told.
    channels: Vec<String>,
    /// What is wrong with the definition, though it is evaluated.
    problems: Vec<String>,
}

/// Lists what is watched: triggers of monitors and alerting rules, with their states and health.
#[utoipa::path(
    get,
    path = "/api/alerts/sources",
    tag = "alerts",
    params(SourcesQuery),
    responses(
        (status = 200, description = "A page of sources", body = SourceList, headers(
            ("Link" = String, description = "The next page, with rel=next, when there is one"),
        )),
        (status = 404, description = "Alerts are switched off", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_alert_sources(
    State(state): State<ApiState>,
    Query(wanted): Query<SourcesQuery>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let listed = with_alerts(&state, move |alerts, state| {
        let mut all = watched::all(alerts, state);
        all.retain(|one| is_wanted(one, &wanted));
        let total = all.len();
        let (page, next_cursor) = cut_page(all, wanted.cursor, wanted.limit);
        let mut states = alerts.alerting.live_states();
        let found = problems::by_source(alerts, &page);
        let bodies = page.into_iter().zip(found).map(|(one, problems)| {
            let states = states.remove(&one.id).unwrap_or_default();
            WatchedBody::of(one, &states, problems)
        });
        Ok(SourceList { sources: bodies.collect(), total, next_cursor })
    });
    let list = listed.await?;
    let next_cursor = list.next_cursor.clone();
    Ok(paging::page(list, &uri, next_cursor.as_deref()))
}

fn is_wanted(one: &Watched, wanted: &SourcesQuery) -> bool {
    let has = |text: &str| text.to_lowercase().contains(&wanted.search);
    wanted.kind.is_none_or(|kind| one.id.kind == kind)
        && (wanted.search.is_empty() || has(&one.name) || has(&one.definition_name))
}

impl WatchedBody {
    fn of(one: Watched, states: &[AlertState], problems: Vec<String>) -> Self {
        let count =
            |wanted: &[AlertState]| states.iter().filter(|state| wanted.contains(state)).count();
        let worst = STATES.iter().find(|(_, state)| states.contains(state));
        let (interval_seconds, cron, time_zone) = match one.rhythm {
            Rhythm::Every(interval) => (Some(seconds(interval)), None, None),
            Rhythm::Cron { expression, zone } => (None, Some(expression), Some(zone)),
        };
        let health = match &one.last {
            None => "unknown",
            Some(last) if last.error.is_some() => "bad",
            Some(_) => "good",
        };
        Self {
            source: SourceBody::of(&one.id),
            definition_name: one.definition_name,
            name: one.name,
            severity: one.severity,
            enabled: one.is_enabled,
            state: worst.map_or(INACTIVE, |(_, state)| state_name(*state)),
            active_count: count(&[AlertState::Active, AlertState::Acknowledged]),
            pending_count: count(&[AlertState::Pending]),
            interval_seconds,
            cron,
            time_zone,
            last_evaluation: shown(one.last.as_ref().map(|last| last.at)),
            last_duration_seconds: one.last.as_ref().map(|last| seconds(last.took)),
            health,
            error: one.last.and_then(|last| last.error),
            file: one.file,
            condition: one.condition,
            channels: one.channels,
            problems,
        }
    }
}
