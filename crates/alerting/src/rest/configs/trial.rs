//! A test message through one channel.

use axum::extract::{Path, State};
use http::StatusCode;
use pampero_notifications::Channel;
use serde_json::{Value, json};

use super::super::AlertingRest;
use super::super::answer::{Answer, Failure};
use super::super::call::Call;
use crate::TestError;

/// Sends a test message, at once and once.
pub(in crate::rest) async fn send_test(
    State(rest): State<AlertingRest>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&[])?;
    call.takes_no_body()?;
    let not_found =
        || Failure::notifications(StatusCode::NOT_FOUND, format!("Channel {id} not found"));
    let channel = rest.definitions().channel(&id).ok_or_else(not_found)?;
    let channel = &*channel.item;
    if !channel.is_receiver() {
        let reason = format!(
            "{id} is of type {}, which takes no messages; test the channel that refers to it",
            channel.config_type()
        );
        return Err(Failure::notifications(StatusCode::NOT_ACCEPTABLE, reason));
    }
    let _place = rest.sending()?;
    match rest.alerting().test_channel(&id).await {
        Ok(delivered) => {
            let status = status(channel, delivered.status.to_string(), &delivered.text);
            Ok(Answer::ok(json!({ "event_source": event_source(&id), "status_list": [status] })))
        }
        Err(TestError::Unknown(_)) => Err(not_found()),
        Err(TestError::Disabled(_)) => {
            let muted = status(channel, "LOCKED".to_owned(), "The channel is muted");
            Err(failed(StatusCode::LOCKED, &id, &muted))
        }
        Err(TestError::Failed(error)) => {
            let code = StatusCode::INTERNAL_SERVER_ERROR;
            let what = match channel.config_type() {
                "email" => "Failed to send email message",
                _ => "Failed to send webhook message",
            };
            let text = format!("{what} Failed: {}", error.reason);
            Err(failed(code, &id, &status(channel, code.as_str().to_owned(), &text)))
        }
    }
}

fn event_source(id: &str) -> Value {
    json!({
        "title": format!("Test Message Title-{id}"),
        "reference_id": id,
        "severity": "info",
        "tags": [],
    })
}

fn status(channel: &Channel, code: String, text: &str) -> Value {
    json!({
        "config_id": channel.id,
        "config_type": channel.config_type(),
        "config_name": channel.name,
        "email_recipient_status": [],
        "delivery_status": { "status_code": code, "status_text": text },
    })
}

/// Says that a message did not arrive. The reason is a JSON text, as the notifications plugin has it.
fn failed(code: StatusCode, id: &str, status: &Value) -> Failure {
    let list = json!({ "event_source": event_source(id), "status_list": [status] });
    let reason = json!({ "event_status_list": [list] });
    Failure::notifications(code, reason.to_string())
}
