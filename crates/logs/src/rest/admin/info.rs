//! Who answers: name, cluster, version.

use axum::Router;
use serde_json::json;

use super::{CLUSTER_NAME, GET, NODE_NAME, Request, VERSION, on};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};

/// What stands for a build of OpenSearch, as nothing of it is in here.
pub(super) const BUILD_HASH: &str = "0000000000000000000000000000000000000000";

pub(super) fn routes() -> Router<RestState> {
    Router::new().route("/", on(GET, get_info))
}

/// Tells clients the version whose rules hold.
///
/// Source: OpenSearch REST API, root call.
fn get_info(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[])?;
    Ok(Answer::json(json!({
        "name": NODE_NAME,
        "cluster_name": CLUSTER_NAME,
        "cluster_uuid": &**request.cluster().uuid(),
        "version": {
            "distribution": "opensearch",
            "number": VERSION,
            "build_type": "tar",
            "build_hash": BUILD_HASH,
            "build_date": "2025-06-20T10:11:12.345678901Z",
            "build_snapshot": false,
            "lucene_version": "10.2.1",
            "minimum_wire_compatibility_version": "2.19.0",
            "minimum_index_compatibility_version": "2.0.0",
        },
        "tagline": "The OpenSearch Project: https://opensearch.org/",
    })))
}
