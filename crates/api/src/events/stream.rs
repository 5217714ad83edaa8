//! Events as they happen, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use futures_util::{Stream, stream};
use http::StatusCode;
use pampero_weather::event::Event;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::EventBody;
use crate::parameters::{NoParameters, Query};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// How often a silent stream shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Streams events as they happen.
///
/// Each message has the kind as its `event` and the JSON of the event as its `data`. A client that
/// reads too slowly gets a message `missed` with the count of events it lost.
#[utoipa::path(
    get,
    path = "/api/events/stream",
    tag = "events",
    responses(
        (status = 200, description = "Server-sent events, without end", body = String, content_type = "text/event-stream"),
        (status = 503, description = "Too many clients follow the stream already", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn stream_events(
    State(state): State<ApiState>,
    _: Query<NoParameters>,
) -> Result<Sse<impl Stream<Item = Result<Message, Infallible>>>, ApiError> {
    let permit = Arc::clone(&state.subscribers).try_acquire_owned().map_err(|_| {
        let limit = state.config.subscribers_max;
        let detail = format!("{limit} clients follow the stream already; come back later");
        let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_subscribers", detail);
        error.retry_after(Duration::from_secs(30))
    })?;
    let follower = (state.timeline.subscribe(), state.cancel.clone(), permit);
    let messages = stream::unfold(follower, |(mut events, cancel, permit)| async {
        let message = next_message(&mut events, &cancel).await?;
        Some((Ok(message), (events, cancel, permit)))
    });
    Ok(Sse::new(messages).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive")))
}

/// Waits for the next message; `None` when the program ends.
async fn next_message(
    events: &mut Receiver<Arc<Event>>,
    cancel: &CancellationToken,
) -> Option<Message> {
    let received = tokio::select! {
        received = events.recv() => received,
        () = cancel.cancelled() => return None,
    };
    match received {
        Ok(event) => {
            let data = serde_json::to_string(&EventBody::of(&event));
            let data = data.expect("our own types can be written");
            Some(Message::default().event(event.kind.as_str()).data(data))
        }
        Err(RecvError::Lagged(count)) => {
            Some(Message::default().event("missed").data(format!("{{\"count\":{count}}}")))
        }
        Err(RecvError::Closed) => None,
    }
}
