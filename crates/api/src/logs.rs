//! The log index in OpenSearch's language, as the edge mounts it: below its prefix, with the admin
//! token round what changes something.
//!
//! OpenSearch's clients know basic authentication, so the token may come as the password of any user.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};

use crate::edge::admin_token_fits;
use crate::state::ApiState;

/// Path below which the routes lie on the listener of the API.
pub(crate) const PREFIX: &str = "/opensearch";

/// Calls that are asked with POST or DELETE and change no document and no index, without the index in
/// front of them; `{id}` stands for any one part.
const READING: [&[&str]; 13] = [
    &["_search"],
    &["_search", "scroll"],
    &["_search", "scroll", "{id}"],
    &["_search", "point_in_time"],
    &["_search", "point_in_time", "_all"],
    &["_msearch"],
    &["_count"],
    &["_mget"],
    &["_field_caps"],
    &["_analyze"],
    &["_refresh"],
    &["_validate", "query"],
    &["_index_template", "_simulate"],
];

/// Calls of the alerting plugin that are asked with POST and change nothing. A run by hand is not among
/// them, since it may send messages.
const READING_ALERTS: [&[&str]; 5] = [
    &["monitors", "_search"],
    &["workflows", "_search"],
    &["findings", "_search"],
    &["destinations", "email_accounts", "_search"],
    &["destinations", "email_groups", "_search"],
];

/// Returns the routes of the log index; `None` when there is none.
pub(crate) fn router(state: &ApiState) -> Option<Router> {
    let (rest, _) = state.logs.clone()?;
    let guard = from_fn_with_state(state.clone(), guard_changes);
    let alerting = state.alerts.as_ref().and_then(|alerts| alerts.rest.clone());
    let plugins = alerting.map(pampero_alerting::rest::router).unwrap_or_default();
    Some(pampero_logs::rest::router_with_plugins(rest, plugins).layer(guard))
}

/// Asks for the admin token, where there is one, from whoever changes something.
async fn guard_changes(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let allowed = !changes(request.method(), request.uri().path())
        || admin_token_fits(state.config.admin_token.as_ref(), request.headers());
    if allowed {
        return next.run(request).await;
    }
    // Source: OpenSearch's security plugin, whose clients expect exactly this.
    let challenge = HeaderValue::from_static("Basic realm=\"OpenSearch Security\"");
    let headers = [(header::WWW_AUTHENTICATE, challenge)];
    (StatusCode::UNAUTHORIZED, headers, "Unauthorized").into_response()
}

/// Tells whether a request may change a document, an index or a setting.
fn changes(method: &Method, path: &str) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if let ["_plugins" | "_opendistro", "_alerting", rest @ ..] = parts.as_slice() {
        return *method != Method::POST || !READING_ALERTS.contains(&rest);
    }
    if parts.first().is_some_and(|first| !first.starts_with('_') || *first == "_all") {
        parts.remove(0);
    }
    !READING.into_iter().any(|call| fits(call, &parts))
}

fn fits(call: &[&str], parts: &[&str]) -> bool {
    let mut pairs = call.iter().zip(parts);
    call.len() == parts.len() && pairs.all(|(known, part)| *known == "{id}" || known == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_is_told_from_what_reads() {
        check("GET", "/weather_logs/_doc/1", false);
        check("POST", "/weather_logs/_search", false);
        check("POST", "/_search/scroll", false);
        check("DELETE", "/_search/scroll", false);
        check("POST", "/_msearch", false);
        check("POST", "/weather_logs/_validate/query", false);
        check("DELETE", "/_search/scroll/c2Nyb2xs", false);
        check("DELETE", "/_search/point_in_time/_all", false);
        check("POST", "/_all/_search", false);
        check("POST", "//weather_logs//_search/", false);
        check("POST", "/_plugins/_alerting/monitors/_search", false);
        check("POST", "/_opendistro/_alerting/destinations/email_groups/_search", false);
        check("POST", "/_plugins/_alerting/monitors", true);
        check("POST", "/_plugins/_alerting/monitors/_execute", true);
        check("POST", "/_plugins/_alerting/monitors/a/_execute", true);
        check("POST", "/_plugins/_alerting/monitors/_search/_execute", true);
        check("PUT", "/_plugins/_alerting/monitors/_search", true);
        check("DELETE", "/_plugins/_alerting/monitors/a", true);
        check("POST", "/_plugins/_notifications/configs", true);
        check("POST", "/_plugins/_notifications/feature/test/a", true);
        check("GET", "/_plugins/_notifications/configs", false);
        check("POST", "/_plugins/_notifications/_search", true);
        check("PUT", "/weather_logs", true);
        check("DELETE", "/_all", true);
        check("POST", "/_all/_delete_by_query", true);
        check("POST", "/weather_logs/_delete_by_query", true);
        check("POST", "//weather_logs//_delete_by_query/", true);
        check("POST", "/weather_logs/_rollover", true);
        check("POST", "/weather_logs/_rollover/_search", true);
        check("POST", "/weather_logs/_update/_search", true);
        check("PUT", "/_cluster/settings", true);
        check("POST", "/_cache/clear", true);
        check("POST", "/_forcemerge", true);
        check("POST", "/_flush", true);
        check("DELETE", "/_index_template/_search", true);
        check("DELETE", "/_index_template/%5Fsimulate", true);
        check("DELETE", "/%5Fsearch", true);
        check("POST", "/weather_logs%2F_search", true);
        check("POST", "/weather_logs/%5Fbulk", true);
        check("DELETE", "/weather_logs", true);
        check("POST", "/_bulk", true);
        check("POST", "/_bulk/", true);
        check("POST", "/weather_logs/_doc", true);
        check("PUT", "/weather_logs/_doc/_search", true);
        check("POST", "/weather_logs/_create/scroll", true);
        check("PUT", "/scroll", true);
        check("PUT", "/_index_template/query", true);
        check("POST", "/_aliases", true);
        check("PUT", "/weather_logs/_alias/_search", true);
    }

    #[track_caller]
    fn check(method: &str, path: &str, changes_something: bool) {
        let method = method.parse().unwrap();
        assert_eq!(changes(&method, path), changes_something, "{method} {path}");
    }
}
