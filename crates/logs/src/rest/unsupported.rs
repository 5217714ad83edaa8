//! What OpenSearch can and this server cannot: refused by its name, never answered with less.

use axum::Router;
use axum::routing::any;
use http::Uri;
use pampero_opensearch::Exception;

use super::RestState;
use super::answer::Failure;

/// Paths and what lies there in OpenSearch.
const REFUSED: [(&str, &str); 31] = [
    ("/_search/template", "search template"),
    ("/{index}/_search/template", "search template"),
    ("/_msearch/template", "search template"),
    ("/{index}/_msearch/template", "search template"),
    ("/_render/template", "search template"),
    ("/_render/template/{id}", "search template"),
    ("/_rank_eval", "[_rank_eval]"),
    ("/{index}/_rank_eval", "[_rank_eval]"),
    ("/_scripts/{id}", "stored script"),
    ("/_scripts/{id}/{context}", "stored script"),
    ("/_script_context", "stored script"),
    ("/_script_language", "stored script"),
    ("/_sql", "[_sql]"),
    ("/_plugins/{*rest}", "plugin"),
    ("/_opendistro/{*rest}", "plugin"),
    ("/{index}/_explain/{id}", "[_explain]"),
    ("/{index}/_termvectors", "[_termvectors]"),
    ("/{index}/_termvectors/{id}", "[_termvectors]"),
    ("/_mtermvectors", "[_termvectors]"),
    ("/{index}/_mtermvectors", "[_termvectors]"),
    ("/{index}/_update_by_query", "[_update_by_query]"),
    ("/_delete_by_query/{id}/_rethrottle", "[_delete_by_query]"),
    ("/_update_by_query/{id}/_rethrottle", "[_update_by_query]"),
    ("/_reindex", "[_reindex]"),
    ("/_reindex/{id}/_rethrottle", "[_reindex]"),
    ("/_tasks", "[_tasks]"),
    ("/_tasks/{*rest}", "[_tasks]"),
    ("/_search_shards", "[_search_shards]"),
    ("/{index}/_search_shards", "[_search_shards]"),
    ("/_bulk/stream", "[_bulk/stream]"),
    ("/{index}/_bulk/stream", "[_bulk/stream]"),
];

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    REFUSED.into_iter().fold(Router::new(), |routes, (path, what)| {
        let refuse = move |uri: Uri| async move { refused(what, &uri) };
        routes.route(path, any(refuse))
    })
}

fn refused(what: &str, uri: &Uri) -> Failure {
    let what = match what {
        "plugin" => format!("plugin call [{}]", uri.path()),
        other => other.to_owned(),
    };
    Exception::unsupported(what).into()
}
