//! `_cat`: the same facts as lines of text for people, or as JSON of strings.

mod lists;
mod rows;
mod table;

use axum::Router;

use super::{GET, Request, on};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};

use table::Table;

/// Parameters of every table.
const TABLE: &[&str] = &["v", "h", "s", "help", "bytes", "time", "size"];

/// The calls, as `GET /_cat` lists them.
const PATHS: &str = "=^.^=
/_cat/aliases
/_cat/aliases/{alias}
/_cat/cluster_manager
/_cat/count
/_cat/count/{index}
/_cat/health
/_cat/indices
/_cat/indices/{index}
/_cat/nodes
/_cat/plugins
/_cat/shards
/_cat/shards/{index}
/_cat/templates
/_cat/templates/{name}
";

/// Calls that OpenSearch has besides.
const REFUSED: [&str; 12] = [
    "allocation",
    "fielddata",
    "nodeattrs",
    "pending_tasks",
    "pit_segments",
    "recovery",
    "repositories",
    "segment_replication",
    "segments",
    "snapshots",
    "tasks",
    "thread_pool",
];

pub(super) fn routes() -> Router<RestState> {
    let refused = REFUSED.iter().fold(Router::new(), |router, name| {
        let refuse = async move || {
            Failure::from(pampero_opensearch::Exception::unsupported(format!("[_cat/{name}]")))
        };
        router.route(&format!("/_cat/{name}"), axum::routing::any(refuse))
    });
    refused
        .route("/_cat", on(GET, |_| Ok(Answer::text(PATHS))))
        .route("/_cat/health", on(GET, rows::health))
        .route("/_cat/indices", on(GET, rows::indices))
        .route("/_cat/indices/{index}", on(GET, rows::indices))
        .route("/_cat/count", on(GET, rows::count))
        .route("/_cat/count/{index}", on(GET, rows::count))
        .route("/_cat/shards", on(GET, rows::shards))
        .route("/_cat/shards/{index}", on(GET, rows::shards))
        .route("/_cat/aliases", on(GET, lists::aliases))
        .route("/_cat/aliases/{alias}", on(GET, lists::aliases))
        .route("/_cat/templates", on(GET, lists::templates))
        .route("/_cat/templates/{name}", on(GET, lists::templates))
        .route("/_cat/nodes", on(GET, lists::nodes))
        .route("/_cat/cluster_manager", on(GET, lists::cluster_manager))
        .route("/_cat/master", on(GET, lists::cluster_manager))
        .route("/_cat/plugins", on(GET, lists::plugins))
}

/// Checks the parameters, and answers with the list of columns when that is asked for.
fn opened(
    request: &Request<'_>,
    known: &[&[&str]],
    table: &Table,
) -> Result<Option<Answer>, Failure> {
    let mut all = vec![TABLE];
    all.extend_from_slice(known);
    request.takes_only(&all)?;
    Ok(if request.flag("help", false)? { Some(Answer::text(table.help())) } else { None })
}
