//! What happens to every request, whatever its route: one layer by hand, because each layer costs.
//!
//! In order: request id, `Host` and `Origin`, preflight, the route within its time, panics caught,
//! errors written out, headers, counters, log. Start reading at [`Api::respond`].

mod admin;
mod admission;
mod cors;
mod measured;
mod request_id;
pub(crate) mod routes;
mod trace;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use pampero_telemetry::logging::{LoggedRequest, within_request};
use pampero_telemetry::metrics::http::HttpMetrics;
use pampero_telemetry::metrics::{Exposition, Metrics};
use tower::Service;
use tracing::Instrument;

use crate::alerts::backtest;
use crate::config::ServerConfig;
use crate::problem::{self, ApiError, Spelling};
use crate::state::{ApiParts, ApiState};
use crate::{exposition, router};

pub(crate) use admin::{Admin, admin_token_fits};
use admission::{Admission, Origins, is_harmless};
use measured::Measured;
use request_id::{RequestIds, X_REQUEST_ID};
use routes::{RouteTable, TEMPLATES, template_of};

/// A request that takes longer is worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

/// The HTTP API: takes a request, gives the response. Clones share everything.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    router: Router,
    state: ApiState,
    ids: RequestIds,
    admission: Admission,
    /// `None` when requests are not measured.
    routes: Option<RouteTable>,
    config: ServerConfig,
}

impl Api {
    /// Puts the API together; `metrics` is what `/metrics` shows beside the API's own.
    pub fn new(parts: ApiParts, mut metrics: Metrics) -> Self {
        let config = parts.config.clone();
        let http = config.measure.then(|| HttpMetrics::register(metrics.area("http")));
        exposition::register(&mut metrics, &parts);
        let state = ApiState::new(parts, metrics, http.clone());
        let router = router::router(state.clone());
        let origins = Origins::listed(&config.cors_origins);
        Self(Arc::new(Inner {
            router,
            state,
            ids: RequestIds::new(),
            admission: Admission::new(&config.public_hosts, origins),
            routes: http.map(RouteTable::new),
            config,
        }))
    }

    /// Returns what the operator decided.
    pub(crate) fn config(&self) -> &ServerConfig {
        &self.0.config
    }

    /// Writes every metric as `/metrics` would, without a request.
    pub fn render_metrics(&self, exposition: Exposition) -> String {
        self.0.state.metrics.encode(exposition)
    }

    /// Returns the measuring of connections and requests; `None` when they are not measured.
    pub(crate) fn http_metrics(&self) -> Option<&HttpMetrics> {
        self.0.routes.as_ref().map(RouteTable::metrics)
    }

    /// Answers one request. Never fails: what goes wrong is a response too.
    pub async fn respond<B>(&self, request: Request<B>) -> Response
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let (span, caller) = trace::begin(&request);
        let response = self.answer(request, &caller).instrument(span.clone()).await;
        trace::end(&span, response.status(), response.headers().get(X_REQUEST_ID));
        response
    }

    async fn answer<B>(&self, request: Request<B>, caller: &trace::Caller) -> Response
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let inner = &*self.0;
        let template = template_of(request.uri().path());
        let method = request.method().clone();
        let measured = Measured::begin(inner.routes.as_ref(), &method, template);
        let request = measured.watch_request(request);
        let id = inner.ids.of(request.headers());
        let origins = inner.admission.origins();
        let origin = match origins.is_empty() {
            true => None,
            false => request.headers().get(http::header::ORIGIN).cloned(),
        };
        let mut response = match inner.admission.check(&request) {
            Err(refusal) => refusal.into_response(),
            Ok(()) => match cors::preflight(origins, &request) {
                Some(answer) => answer,
                None => inner.run(template, request, || caller.logged(&id)).await,
            },
        };
        let spelling = match template.is_some_and(routes::is_of_logs) {
            true => Spelling::OpenSearch,
            false => Spelling::Problem,
        };
        problem::write_out(&mut response, spelling, &method, id.to_str().unwrap_or_default());
        cors::open_up(origins, origin.as_ref(), response.headers_mut());
        let status = response.status();
        finish_headers(response.headers_mut(), &id);
        let elapsed = measured.end(&mut response);
        log(&method, template, status, elapsed, &id, caller);
        response
    }
}

impl Inner {
    /// Lets the route answer, within its time.
    async fn run(
        &self,
        template: Option<usize>,
        request: Request<Body>,
        logged: impl FnOnce() -> LoggedRequest,
    ) -> Response {
        let limit = self.time_for(request.method(), template);
        // The first route answers from memory alone: it needs no timer and logs nothing.
        let is_instant = template == Some(0);
        let answering = AssertUnwindSafe(self.router.clone().call(request)).catch_unwind();
        let answer = if is_instant {
            answering.await
        } else {
            let answering = within_request(logged(), answering);
            match tokio::time::timeout(limit, answering).await {
                Ok(answer) => answer,
                Err(_) => return took_too_long(limit).into_response(),
            }
        };
        match answer {
            Ok(Ok(response)) => response,
            Err(panic) => ApiError::internal(panic_text(panic.as_ref())).into_response(),
        }
    }

    /// A request with a body may use its time twice: for the body to arrive, and for the answer. A
    /// query of the metric history and a backtest have their own time besides, which ends before this one. The log
    /// index has a time of its own for everything, since bodies may be large and searches long.
    fn time_for(&self, method: &Method, template: Option<usize>) -> Duration {
        let limit = self.config.request_timeout;
        if let Some((_, limit)) = &self.state.logs
            && template.is_some_and(routes::is_of_logs)
        {
            return *limit;
        }
        let of_query = match &self.state.history {
            Some((_, options)) if template.is_some_and(routes::is_of_history) => {
                options.query_timeout
            }
            _ if template.is_some_and(routes::is_of_backtests) => backtest::TIME_MAX,
            _ => Duration::ZERO,
        };
        of_query + if is_harmless(method) { limit } else { limit * 2 }
    }
}

/// Returns the headers of a response that needs no more than its request id.
pub(crate) fn prepared_headers() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    finish_headers(&mut headers, &HeaderValue::from_static("-"));
    headers
}

/// Puts the id in, and the headers that every response carries unless it brings its own.
fn finish_headers(headers: &mut HeaderMap, id: &HeaderValue) {
    if headers.insert(X_REQUEST_ID, id.clone()).is_some() {
        return;
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
}

fn took_too_long(limit: Duration) -> ApiError {
    let detail = format!("the answer took longer than {limit:?} and was given up");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "timed_out", detail)
        .retry_after(Duration::from_secs(5))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a handler panicked: {}", text.as_deref().unwrap_or("without a message"))
}

/// Failures and slow answers are worth a warning; all others are seen only by who looks closely.
fn log(
    method: &Method,
    template: Option<usize>,
    status: StatusCode,
    elapsed: Duration,
    id: &HeaderValue,
    caller: &trace::Caller,
) {
    let is_stream = template.is_some_and(|index| TEMPLATES[index] == "/api/events/stream");
    macro_rules! line {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                method = method.as_str(),
                route = template.map(|index| TEMPLATES[index]),
                status = status.as_u16(),
                elapsed_ms = elapsed.as_millis() as u64,
                request_id = id.to_str().unwrap_or_default(),
                trace_id = caller.trace_id(),
                $message
            )
        };
    }
    if status.is_server_error() {
        line!(warn, "request failed");
    } else if elapsed > SLOW && !is_stream {
        line!(warn, "request was slow");
    } else {
        line!(debug, "request answered");
    }
}
