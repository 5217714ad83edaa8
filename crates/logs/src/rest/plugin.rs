//! Routes of plugins: what they answer as bytes is handed to the frame.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use pampero_opensearch::{Exception, ExceptionKind};

use super::answer::{Content, Failure};

/// Largest answer of a plugin in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Lets the frame render what plugins answer.
pub(super) fn carried(plugins: Router) -> Router {
    plugins.layer(map_response(carry))
}

async fn carry(mut response: Response) -> Response {
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.starts_with("application/json")));
    if !is_json {
        return response;
    }
    let body = std::mem::replace(response.body_mut(), Body::empty());
    let Ok(bytes) = to_bytes(body, ANSWER_BYTES_MAX).await else {
        let reason = "the answer is larger than an answer may be; ask for less";
        return Failure::from(Exception::new(ExceptionKind::CircuitBreaking, reason))
            .into_response();
    };
    let content = match serde_json::from_slice(&bytes) {
        Ok(refusal)
            if response.status().is_client_error() || response.status().is_server_error() =>
        {
            Content::Refusal(refusal)
        }
        _ => Content::Raw(bytes),
    };
    response.extensions_mut().insert(content);
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Json;
    use axum::extract::Request;
    use axum::routing::get;
    use http::StatusCode;
    use pampero_index::{Cluster, IndexOptions};
    use pampero_resilience::VirtualClock;
    use serde_json::json;
    use tower::ServiceExt;

    use super::*;
    use crate::rest::{RestOptions, RestState, router_with_plugins};

    #[tokio::test]
    async fn plugins_answer_within_the_frame() {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Arc::new(Cluster::open(folder.path(), IndexOptions::default()).unwrap());
        let clock = Arc::new(VirtualClock::starting_at("2026-05-18T12:00:00Z".parse().unwrap()));
        let state = RestState::new(cluster, clock, RestOptions::default());
        let refused = || async { (StatusCode::NOT_FOUND, Json(json!({ "status": 404 }))) };
        let plugins = Router::new()
            .route("/_plugins/_own/things", get(async || Json(json!({ "a": 1, "b": 2 }))))
            .route("/_plugins/_own/nothing", get(refused));
        let router = router_with_plugins(state, plugins);
        let check = async |path: &str, status: u16, body: &str| {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{path}");
            let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&bytes), body, "{path}");
        };
        check("/_plugins/_own/things/", 200, r#"{"a":1,"b":2}"#).await;
        check("/_plugins/_own/things?filter_path=b&pretty", 200, "{\n  \"b\": 2\n}\n").await;
        check("/_plugins/_own/nothing?filter_path=x", 404, r#"{"status":404}"#).await;
        let path = "/_plugins/_other/things";
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), 400);
    }
}
