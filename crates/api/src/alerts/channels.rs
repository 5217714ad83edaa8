//! The channels: who can be told, and whether that works. Secrets are never shown.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use pampero_alerting::TestError;
use pampero_notifications::file_stem;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::list::IdParameter;
use super::wire::shown;
use super::{parts, with_alerts};
use crate::edge::Admin;
use crate::parameters::{NoParameters, PathValue, Query};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Every channel.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelList {
    /// By their ids; accounts and groups for mail are among them.
    channels: Vec<ChannelBody>,
}

/// A channel, and how it has been.
#[derive(Serialize, ToSchema)]
#[schema(as = Channel)]
pub(crate) struct ChannelBody {
    /// Its id.
    #[schema(example = "slack-ops")]
    id: String,
    /// What people call it.
    name: String,
    /// What it is for; may be empty.
    description: String,
    /// The kind of receiver: `slack`, `microsoft_teams`, `webhook`, `email`, `alertmanager` and others.
    #[schema(example = "slack")]
    kind: &'static str,
    /// Whether messages are sent.
    enabled: bool,
    /// Whether it takes messages, which an account and a group for mail do not.
    receives: bool,
    /// The file that it is written in.
    #[schema(example = "channels/slack-ops.json")]
    file: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: String,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated: String,
    /// Its settings in the form of OpenSearch Notifications, with `[redacted]` in the place of secrets.
    #[schema(value_type = Object)]
    config: Value,
    /// How many messages wait for it.
    waiting: usize,
    /// When the oldest of them was made; `null` when none waits.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    oldest_waiting: Option<String>,
    /// How many messages arrived since the start.
    delivered: u64,
    /// How many tries failed since the start.
    failed: u64,
    /// How many messages were given up since the start.
    dead: u64,
}

/// Lists the channels with what waits for them, their secrets left out.
#[utoipa::path(
    get,
    path = "/api/channels",
    tag = "alerts",
    responses(
        (status = 200, description = "Every channel", body = ChannelList),
        (status = 404, description = "Alerts are switched off", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_channels(
    State(state): State<ApiState>,
    _: Query<NoParameters>,
) -> Result<Json<ChannelList>, ApiError> {
    let listed = with_alerts(&state, |alerts, _| {
        let statistics = alerts.alerting.statistics();
        let entries = alerts.definitions.channels();
        let bodies = entries.iter().map(|entry| {
            let channel = &entry.item;
            let waiting = statistics.waiting.iter().find(|it| it.channel == entry.id);
            let counts = statistics.channels.get(&entry.id).copied().unwrap_or_default();
            ChannelBody {
                id: entry.id.clone(),
                name: channel.name.clone(),
                description: channel.description.clone(),
                kind: channel.config_type(),
                enabled: channel.is_enabled,
                receives: channel.is_receiver(),
                file: format!("channels/{}.json", file_stem(&entry.id)),
                created: channel.created.to_string(),
                updated: channel.updated.to_string(),
                config: channel.to_json()["config"].take(),
                waiting: waiting.map_or(0, |it| it.messages),
                oldest_waiting: shown(waiting.map(|it| it.oldest)),
                delivered: counts.delivered,
                failed: counts.failed,
                dead: counts.dead,
            }
        });
        Ok(ChannelList { channels: bodies.collect() })
    });
    Ok(Json(listed.await?))
}

/// What became of a test message.
#[derive(Serialize, ToSchema)]
#[schema(as = ChannelTest)]
pub(crate) struct ChannelTestBody {
    /// The channel.
    channel: String,
    /// Whether it arrived.
    delivered: bool,
    /// The status of the receiver's answer, 250 for mail; `null` when there was none.
    #[schema(required, example = 200)]
    status: Option<u16>,
    /// What the receiver answered, or why the message did not arrive.
    text: String,
}

/// Sends a test message through a channel, at once and once.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/test",
    tag = "alerts",
    params(("id" = String, Path, description = "The id of the channel", example = "slack-ops")),
    responses(
        (status = 200, description = "Whether it arrived, and what the receiver said", body = ChannelTestBody),
        (status = 404, description = "No such channel, or alerts are switched off", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The channel is switched off, or takes no messages", body = Problem, content_type = "application/problem+json"),
    ),
    security(("admin" = []))
)]
pub(crate) async fn test_channel(
    _: Admin,
    State(state): State<ApiState>,
    PathValue(IdParameter(id)): PathValue<IdParameter>,
    _: Query<NoParameters>,
) -> Result<Json<ChannelTestBody>, ApiError> {
    let alerts = parts(&state)?;
    let unknown = || {
        let detail = format!("there is no channel {id}; GET /api/channels lists them");
        let error = ApiError::new(StatusCode::NOT_FOUND, "unknown_channel", detail);
        error.about_parameter("id")
    };
    let channel = alerts.definitions.channel(&id).ok_or_else(unknown)?;
    if !channel.item.is_receiver() {
        let kind = channel.item.config_type();
        let detail = format!(
            "{id} is of type {kind}, which takes no messages; test the channel that uses it"
        );
        return Err(ApiError::new(StatusCode::CONFLICT, "takes_no_messages", detail));
    }
    match alerts.alerting.test_channel(&id).await {
        Ok(delivered) => Ok(Json(ChannelTestBody {
            channel: id,
            delivered: true,
            status: Some(delivered.status),
            text: delivered.text,
        })),
        Err(TestError::Failed(error)) => Ok(Json(ChannelTestBody {
            channel: id,
            delivered: false,
            status: error.status,
            text: error.reason,
        })),
        Err(TestError::Unknown(_)) => Err(unknown()),
        Err(TestError::Disabled(_)) => {
            let detail = format!("channel {id} is switched off; set is_enabled to true in it");
            Err(ApiError::new(StatusCode::CONFLICT, "channel_disabled", detail))
        }
    }
}
