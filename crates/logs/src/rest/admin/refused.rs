//! What OpenSearch can about clusters and indices and this server cannot: refused by its name.

use axum::Router;
use axum::routing::any;
use pampero_opensearch::Exception;

use crate::rest::RestState;
use crate::rest::answer::Failure;

/// Paths with the name that the refusal tells.
const PATHS: [(&str, &str); 33] = [
    ("/{index}/_close", "closing of indices [_close]"),
    ("/{index}/_open", "closing of indices [_open]"),
    ("/{index}/_shrink/{target}", "[_shrink]"),
    ("/{index}/_split/{target}", "[_split]"),
    ("/{index}/_clone/{target}", "[_clone]"),
    ("/{index}/_block/{block}", "[_block], other than by settings such as [index.blocks.write],"),
    ("/{index}/_segments", "[_segments]"),
    ("/_segments", "[_segments]"),
    ("/{index}/_recovery", "[_recovery]"),
    ("/_recovery", "[_recovery]"),
    ("/{index}/_shard_stores", "[_shard_stores]"),
    ("/_shard_stores", "[_shard_stores]"),
    ("/{index}/_upgrade", "[_upgrade]"),
    ("/_data_stream", "data streams [_data_stream]"),
    ("/_data_stream/{*rest}", "data streams [_data_stream]"),
    ("/_ingest/{*rest}", "ingest pipelines [_ingest]"),
    ("/_search/pipeline", "search pipelines [_search/pipeline]"),
    ("/_search/pipeline/{*rest}", "search pipelines [_search/pipeline]"),
    ("/_snapshot", "snapshots [_snapshot]"),
    ("/_snapshot/{*rest}", "snapshots [_snapshot]"),
    ("/_dangling", "[_dangling]"),
    ("/_dangling/{*rest}", "[_dangling]"),
    ("/_cluster/reroute", "[_cluster/reroute]"),
    ("/_cluster/allocation/explain", "[_cluster/allocation/explain]"),
    ("/_cluster/voting_config_exclusions", "[_cluster/voting_config_exclusions]"),
    ("/_cluster/decommission/{*rest}", "[_cluster/decommission]"),
    ("/_cluster/routing/{*rest}", "[_cluster/routing]"),
    ("/_remotestore/{*rest}", "[_remotestore]"),
    ("/_remote/info", "[_remote/info]"),
    ("/_nodes/hot_threads", "[_nodes/hot_threads]"),
    ("/_nodes/usage", "[_nodes/usage]"),
    ("/_nodes/reload_secure_settings", "[_nodes/reload_secure_settings]"),
    ("/_filecache/{*rest}", "[_filecache]"),
];

pub(super) fn routes() -> Router<RestState> {
    PATHS.iter().fold(Router::new(), |router, (path, what)| {
        let refuse = async move || Failure::from(Exception::unsupported(what));
        router.route(path, any(refuse))
    })
}
