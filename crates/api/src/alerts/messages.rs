//! Messages on their way and at their end: what waits, what arrived, and what did not.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::{StatusCode, Uri};
use pampero_alerting::{MessageFilter, MessageState, OutboxRow};
use pampero_notifications::MessageKind;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::list::IdParameter;
use super::wire::shown;
use super::{cut_page, offset, one_of, with_alerts};
use crate::edge::Admin;
use crate::paging;
use crate::parameters::{NoParameters, ParameterSet, Parameters, PathValue, Query};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

const STATES: [(&str, MessageState); 4] = [
    ("waiting", MessageState::Waiting),
    ("sending", MessageState::Sending),
    ("delivered", MessageState::Delivered),
    ("dead", MessageState::Dead),
];

pub(super) const fn message_state_name(state: MessageState) -> &'static str {
    match state {
        MessageState::Waiting => "waiting",
        MessageState::Sending => "sending",
        MessageState::Delivered => "delivered",
        MessageState::Dead => "dead",
    }
}

/// Which messages are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessagesQuery {
    /// Only in this state: `waiting`, those that are being sent among them, `delivered` or `dead`.
    #[param(value_type = Option<String>, pattern = "^(waiting|sending|delivered|dead)$")]
    state: Option<MessageState>,
    /// Only for this channel.
    #[param(value_type = Option<String>, example = "slack-ops")]
    channel: Option<String>,
    /// Most messages of the page; 100 unless asked otherwise.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: u32,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: usize,
}

impl ParameterSet for MessagesQuery {
    const KNOWN: &'static [&'static str] = &["state", "channel", "limit", "cursor"];

    fn read(values: &Parameters<'_>) -> Result<Self, ApiError> {
        Ok(Self {
            state: one_of(values, "state", &STATES)?,
            channel: values.text("channel").map(str::to_owned),
            limit: values.limit()?,
            cursor: offset(values)?,
        })
    }
}

/// A page of messages.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotificationList {
    /// The newest first.
    notifications: Vec<NotificationBody>,
    /// Where the next page begins; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// A message to a channel.
#[derive(Serialize, ToSchema)]
#[schema(as = Notification)]
pub(crate) struct NotificationBody {
    /// Its number.
    id: i64,
    /// Its key, by which receivers know repeats.
    key: String,
    /// `waiting`, `sending`, `delivered` or `dead`.
    #[schema(example = "dead")]
    state: &'static str,
    /// The channel.
    channel: String,
    /// The source, as `monitor/error_logs/count_error`; `null` when it stands for several.
    #[schema(required)]
    source: Option<String>,
    /// The action; `null` when it stands for several messages.
    #[schema(required)]
    action: Option<String>,
    /// `fired`, `reminder`, `escalated`, `recovered`, `trouble`, `digest` or `test`.
    #[schema(example = "fired")]
    kind: &'static str,
    /// One line.
    subject: String,
    /// The text.
    text: String,
    /// From 1, the highest, to 5.
    severity: u8,
    /// When what it tells of happened.
    #[schema(value_type = String, format = DateTime)]
    at: String,
    /// When it was made; the oldest of those that it stands for.
    #[schema(value_type = String, format = DateTime)]
    made: String,
    /// When it arrived or was given up; `null` before.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    settled: Option<String>,
    /// How often it was tried.
    tries: u32,
    /// Why the last try failed, or why it was given up; `null` when nothing failed.
    #[schema(required)]
    reason: Option<String>,
    /// Whether an earlier try may have arrived.
    is_repeat: bool,
    /// How many messages were put together in it; 1 for a single one.
    stands_for: u64,
}

impl NotificationBody {
    fn of(row: OutboxRow) -> Self {
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        let message = row.message;
        Self {
            id: row.id,
            key: message.key,
            state: message_state_name(row.state),
            channel: row.channel,
            source: filled(row.source),
            action: filled(row.action),
            kind: kind_name(message.kind),
            subject: message.subject,
            text: message.text,
            severity: message.severity,
            at: message.at.to_string(),
            made: row.made.to_string(),
            settled: shown(row.settled),
            tries: row.tries,
            reason: row.reason,
            is_repeat: message.is_repeat,
            stands_for: row.tally.map_or(1, |tally| tally.count),
        }
    }
}

const fn kind_name(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Fired => "fired",
        MessageKind::Reminder => "reminder",
        MessageKind::Escalated => "escalated",
        MessageKind::Recovered => "recovered",
        MessageKind::Trouble => "trouble",
        MessageKind::Digest => "digest",
        MessageKind::Test => "test",
    }
}

/// Lists messages: those that wait, that arrived, and that were given up.
#[utoipa::path(
    get,
    path = "/api/notifications",
    tag = "alerts",
    params(MessagesQuery),
    responses(
        (status = 200, description = "A page of messages", body = NotificationList, headers(
            ("Link" = String, description = "The next page, with rel=next, when there is one"),
        )),
        (status = 404, description = "Alerts are switched off", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_notifications(
    State(state): State<ApiState>,
    Query(wanted): Query<MessagesQuery>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let listed = with_alerts(&state, move |alerts, _| {
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let (rows, next_cursor) = if wanted.state == Some(MessageState::Waiting) {
            // What waits is in memory, and there alone while the disk is full.
            let mut rows = alerts.alerting.outbox();
            rows.reverse();
            rows.retain(|row| {
                wanted.channel.as_ref().is_none_or(|channel| row.channel == *channel)
            });
            cut_page(rows, wanted.cursor, wanted.limit)
        } else {
            let filter = MessageFilter {
                state: wanted.state,
                channel: wanted.channel,
                key: None,
                offset: wanted.cursor,
                limit: limit.saturating_add(1),
            };
            let mut rows = alerts.alerting.messages(&filter)?;
            let has_more = paging::cut(&mut rows, wanted.limit).is_some();
            let next = wanted.cursor.saturating_add(limit);
            (rows, has_more.then(|| next.to_string()))
        };
        let notifications = rows.into_iter().map(NotificationBody::of).collect();
        Ok(NotificationList { notifications, next_cursor })
    });
    let list = listed.await?;
    let next_cursor = list.next_cursor.clone();
    Ok(paging::page(list, &uri, next_cursor.as_deref()))
}

/// A message that is sent again.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResentBody {
    /// The number that it had; it gets a new one.
    id: i64,
    /// What it is now.
    #[schema(example = "waiting")]
    state: &'static str,
}

/// Sends a message again that was given up: it waits for its channel behind all others.
#[utoipa::path(
    post,
    path = "/api/notifications/{id}/resend",
    tag = "alerts",
    params(("id" = String, Path, description = "The number of the message", example = "4711")),
    responses(
        (status = 202, description = "It waits", body = ResentBody),
        (status = 404, description = "No message of that number was given up, or alerts are switched off", body = Problem, content_type = "application/problem+json"),
    ),
    security(("admin" = []))
)]
pub(crate) async fn resend_notification(
    _: Admin,
    State(state): State<ApiState>,
    PathValue(IdParameter(id)): PathValue<IdParameter>,
    _: Query<NoParameters>,
) -> Result<(StatusCode, Json<ResentBody>), ApiError> {
    let done = with_alerts(&state, move |alerts, _| {
        let number: i64 = id.parse().map_err(|_| unknown_message(&id))?;
        if !alerts.alerting.resend(number)? {
            return Err(unknown_message(&id));
        }
        let waiting = message_state_name(MessageState::Waiting);
        Ok(ResentBody { id: number, state: waiting })
    });
    Ok((StatusCode::ACCEPTED, Json(done.await?)))
}

/// Removes a message that was given up.
#[utoipa::path(
    delete,
    path = "/api/notifications/{id}",
    tag = "alerts",
    params(("id" = String, Path, description = "The number of the message", example = "4711")),
    responses(
        (status = 204, description = "It is removed"),
        (status = 404, description = "No message of that number was given up, or alerts are switched off", body = Problem, content_type = "application/problem+json"),
    ),
    security(("admin" = []))
)]
pub(crate) async fn remove_notification(
    _: Admin,
    State(state): State<ApiState>,
    PathValue(IdParameter(id)): PathValue<IdParameter>,
    _: Query<NoParameters>,
) -> Result<StatusCode, ApiError> {
    let done = with_alerts(&state, move |alerts, _| {
        let number: i64 = id.parse().map_err(|_| unknown_message(&id))?;
        if alerts.alerting.remove_dead_letter(number)? { Ok(()) } else { Err(unknown_message(&id)) }
    });
    done.await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown_message(id: &str) -> ApiError {
    let detail = format!(
        "no message {id} was given up; GET /api/notifications?state=dead lists those that were"
    );
    ApiError::new(StatusCode::NOT_FOUND, "unknown_notification", detail).about_parameter("id")
}
