//! What every handler has at hand.

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use pampero_promql::Cancel;

use crate::History;

use super::answer::{Accepts, Encoded, Refusal, Success};
use super::failure::Failure;
use super::gate::Gate;
use super::options::HttpOptions;

/// What every handler has at hand; clones share it.
#[derive(Clone)]
pub(super) struct ApiState {
    pub(super) history: History,
    pub(super) options: Arc<HttpOptions>,
    pub(super) queries: Gate,
    pub(super) writes: Gate,
    /// When the API was put together, in milliseconds since the Unix epoch.
    pub(super) started_ms: i64,
}

impl ApiState {
    pub(super) fn new(history: History, options: HttpOptions) -> Self {
        Self {
            started_ms: history.now_ms(),
            queries: Gate::new(
                options.queries_max,
                options.queries_waiting_max,
                history.query_counts(),
            ),
            writes: Gate::new(options.remote_writes_max, 0, Arc::default()),
            options: Arc::new(options),
            history,
        }
    }

    /// Answers with what can be said at once.
    pub(super) fn answer(&self, accepts: Accepts, result: Result<Success, Failure>) -> Response {
        match result {
            Ok(success) => success.encode(accepts, self.options.gzip_bytes_min).into_response(),
            Err(failure) => Refusal(failure).into_response(),
        }
    }

    /// Answers with what takes longer, which is worked out and compressed on a thread of its own.
    ///
    /// `work` is told when nobody waits for the answer any more.
    pub(super) async fn answer_later(
        &self,
        accepts: Accepts,
        timeout: Duration,
        work: impl FnOnce(&ApiState, &Cancel) -> Result<Success, Failure> + Send + 'static,
    ) -> Response {
        let state = self.clone();
        let encode = move |cancel: &Cancel| -> Result<Encoded, Failure> {
            let success = work(&state, cancel)?;
            Ok(success.encode(accepts, state.options.gzip_bytes_min))
        };
        match self.queries.run(timeout, encode).await {
            Ok(encoded) => encoded.into_response(),
            Err(failure) => Refusal(failure).into_response(),
        }
    }
}
