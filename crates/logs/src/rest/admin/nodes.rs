//! The one node, as clients that look for nodes see it.

use axum::Router;
use pampero_index::Cluster;
use pampero_opensearch::Exception;
use pampero_opensearch::names::matches;
use serde_json::{Map, Value, json};

use super::info::BUILD_HASH;
use super::{CLUSTER_NAME, GET, NODE_NAME, READING, Request, VERSION, on};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};

/// Parts of what is told of a node; those that one node has nothing to tell of are empty.
const METRICS: [&str; 13] = [
    "settings",
    "os",
    "process",
    "jvm",
    "thread_pool",
    "transport",
    "http",
    "plugins",
    "ingest",
    "aggregations",
    "indices",
    "search_pipelines",
    "_all",
];

const NODES: &[&str] = &["flat_settings", "level", "types", "fields", "groups"];

pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/_nodes", on(GET, get_nodes))
        .route("/_nodes/{node}", on(GET, get_nodes))
        .route("/_nodes/{node}/{metric}", on(GET, get_nodes))
        .route("/_nodes/stats", on(GET, get_stats))
        .route("/_nodes/stats/{metric}", on(GET, get_stats))
        .route("/_nodes/{node}/stats", on(GET, get_stats))
        .route("/_nodes/{node}/stats/{metric}", on(GET, get_stats))
}

/// Returns the id of the node: as long as ids of nodes are, and as lasting as the cluster.
pub(super) fn node_id(cluster: &Cluster) -> String {
    cluster.uuid().chars().rev().collect()
}

/// Returns the host part of an address.
pub(super) fn host(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

/// Returns what is told of the node; no metric means all.
pub(super) fn node_json(state: &RestState, metrics: &[&str]) -> Value {
    let address = state.options.publish_address.as_str();
    let host = host(address);
    let mut node = json!({
        "name": NODE_NAME,
        "transport_address": address,
        "host": host,
        "ip": host,
        "version": VERSION,
        "build_type": "tar",
        "build_hash": BUILD_HASH,
        "roles": ["cluster_manager", "data", "ingest"],
        "attributes": {},
    });
    let asked = |metric: &str| {
        metrics.is_empty() || metrics.iter().any(|it| *it == metric || *it == "_all")
    };
    if asked("http") {
        node["http"] = json!({
            "bound_address": [address],
            "publish_address": address,
            "max_content_length_in_bytes": state.options.body_bytes_max,
        });
    }
    if asked("plugins") {
        node["plugins"] = json!([]);
    }
    node
}

/// Puts the frame of answers about nodes round what is told of the one.
fn framed(id: String, node: Option<Value>) -> Answer {
    let total = usize::from(node.is_some());
    let nodes: Map<String, Value> = node.map(|node| (id, node)).into_iter().collect();
    Answer::json(json!({
        "_nodes": { "total": total, "successful": total, "failed": 0 },
        "cluster_name": CLUSTER_NAME,
        "nodes": nodes,
    }))
}

/// Tells whether one of the filters means this node.
fn is_meant(filters: &str, id: &str, address: &str) -> bool {
    const ALWAYS: [&str; 6] =
        ["_all", "_local", "_master", "_cluster_manager", "master:true", "cluster_manager:true"];
    filters.is_empty()
        || filters.split(',').map(str::trim).any(|filter| {
            ALWAYS.contains(&filter)
                || matches!(filter, "data:true" | "ingest:true")
                || [id, NODE_NAME, address, host(address)].iter().any(|it| matches(filter, it))
        })
}

fn get_nodes(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, NODES])?;
    let (mut filters, mut metrics) = (request.place("node"), request.place("metric"));
    // One place alone is a list of metrics when all of it is.
    if metrics.is_empty()
        && !filters.is_empty()
        && filters != "_all"
        && filters.split(',').all(|it| METRICS.contains(&it))
    {
        (filters, metrics) = ("", filters);
    }
    let metrics: Vec<&str> = metrics.split(',').filter(|it| !it.is_empty()).collect();
    if let Some(stranger) = metrics.iter().find(|it| !METRICS.contains(it)) {
        return Err(Exception::unsupported(format!("node information [{stranger}]")).into());
    }
    let id = node_id(request.cluster());
    let meant = is_meant(filters, &id, &request.state.options.publish_address);
    let node = meant.then(|| node_json(request.state, &metrics));
    Ok(framed(id, node))
}

fn get_stats(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, NODES, &["completion_fields", "fielddata_fields"]])?;
    let id = node_id(request.cluster());
    let address = request.state.options.publish_address.as_str();
    if !is_meant(request.place("node"), &id, address) {
        return Ok(framed(id, None));
    }
    let (mut documents, mut deleted, mut bytes, mut indexed, mut searches) = (0, 0, 0, 0, 0);
    for index in request.cluster().indices().all() {
        let statistics = index.statistics();
        documents += statistics.documents;
        deleted += statistics.deleted;
        bytes += statistics.bytes;
        indexed += statistics.indexed_total;
        searches += statistics.searches_total;
    }
    let node = json!({
        "timestamp": request.now.as_millisecond(),
        "name": NODE_NAME,
        "transport_address": address,
        "host": host(address),
        "ip": host(address),
        "roles": ["cluster_manager", "data", "ingest"],
        "indices": {
            "docs": { "count": documents, "deleted": deleted },
            "store": { "size_in_bytes": bytes, "reserved_in_bytes": 0 },
            "indexing": { "index_total": indexed },
            "search": { "query_total": searches },
        },
    });
    Ok(framed(id, Some(node)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(filters: &str, expected: bool) {
        assert_eq!(is_meant(filters, "id1", "127.0.0.1:9200"), expected, "{filters}");
    }

    #[test]
    fn the_node_is_found_by_id_name_and_address() {
        for filters in
            ["", "_all", "_local", "id1", "pampero-1", "pam*", "127.0.0.1", "x,id1", "data:true"]
        {
            check(filters, true);
        }
        check("other", false);
        check("data:false", false);
    }
}
