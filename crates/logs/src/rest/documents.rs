//! Single documents: written, read, changed in parts, deleted, and read several at once.
//!
//! What a bulk request has in common with single calls lies here as well.

mod get;
mod mget;
mod update;
mod version;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post, put};
use pampero_index::cluster::ResolveOptions;
use pampero_index::{Index, Written};
use pampero_opensearch::Exception;
use pampero_opensearch::search::SourceFilter;
use serde_json::Value;

use super::RestState;
use pampero_opensearch::parameters::Parameters;

pub(crate) use update::read_update;
pub(crate) use version::VersionParameters;

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    let document = put(write::index_document)
        .post(write::index_document)
        .get(get::get_document)
        .delete(write::delete_document);
    Router::new()
        .route("/{index}/_doc", post(write::index_without_id).put(write::index_without_id))
        .route("/{index}/_doc/{id}", document)
        .route("/{index}/_create/{id}", put(write::create_document).post(write::create_document))
        .route("/{index}/_source/{id}", get(get::get_source))
        .route("/{index}/_update/{id}", post(update::update_document))
        .route("/_mget", get(mget::get_all).post(mget::get_all))
        .route("/{index}/_mget", get(mget::get_in_index).post(mget::get_in_index))
}

/// Refuses ingest pipelines by name; `_none` asks for none.
///
/// # Errors
/// There is a pipeline.
pub(crate) fn check_pipeline(pipeline: Option<&str>) -> Result<(), Exception> {
    match pipeline {
        None | Some("_none") => Ok(()),
        Some(name) => Err(Exception::unsupported(format!("ingest pipeline [{name}]"))),
    }
}

/// Returns the routing of a write to `name`: what the caller gave, or what the alias gives.
///
/// # Errors
/// The two differ.
pub(crate) fn routing(
    name: &str,
    of_alias: Option<&str>,
    given: Option<String>,
) -> Result<Option<String>, Exception> {
    match (of_alias, given) {
        (Some(of_alias), Some(given)) if of_alias != given => {
            Err(Exception::illegal_argument(format!(
                "Alias [{name}] has index routing associated with it [{of_alias}], and was provided with routing value [{given}], rejecting operation"
            )))
        }
        (of_alias, given) => Ok(given.or_else(|| of_alias.map(str::to_owned))),
    }
}

/// Reads `_source`, `_source_includes` and `_source_excludes`; `None` without any.
pub(crate) fn source_parameters(parameters: &Parameters) -> Option<SourceFilter> {
    SourceFilter::from_parameters(
        parameters.text("_source"),
        parameters.text("_source_includes"),
        parameters.text("_source_excludes"),
    )
}

/// Returns how many copies each shard of an index should have, the first one included.
pub(crate) fn copies(index: &Index) -> u64 {
    let settings = index.settings();
    let replicas = settings.get("index.number_of_replicas").and_then(Value::as_str);
    1 + replicas.and_then(|it| it.parse::<u64>().ok()).unwrap_or_default()
}

/// Returns the value of `get` in the answer to an update as compact JSON; `None` when it is not
/// asked for, or nothing was updated.
pub(crate) fn updated_source(written: &Written, filter: Option<&SourceFilter>) -> Option<String> {
    let filter = filter.filter(|it| it.is_shown())?;
    let source = filtered_source(written.source.as_ref()?, filter);
    let seq_no = written.seq_no;
    Some(format!(
        "{{\"_seq_no\":{seq_no},\"_primary_term\":1,\"found\":true,\"_source\":{source}}}"
    ))
}

/// Returns what a filter leaves of a source, as JSON.
pub(crate) fn filtered_source(source: &[u8], filter: &SourceFilter) -> String {
    if !filter.keeps_everything()
        && let Ok(value) = serde_json::from_slice(source)
    {
        return filter.apply(value).to_string();
    }
    String::from_utf8_lossy(source).trim().to_owned()
}

/// Returns the one index that a name means, for reading and deleting single documents.
///
/// # Errors
/// The name is missing, or means several indices.
pub(crate) fn one_index(state: &RestState, name: &str) -> Result<Arc<Index>, Exception> {
    let mut indices = state.cluster.resolve(name, ResolveOptions::default(), state.clock.now())?;
    match indices.len() {
        0 => Err(Exception::index_not_found(name)),
        1 => Ok(indices.remove(0)),
        _ => {
            let names: Vec<&str> = indices.iter().map(|index| &**index.name()).collect();
            let names = names.join(", ");
            Err(Exception::illegal_argument(format!(
                "alias [{name}] has more than one index associated with it [{names}], can't execute a single index op"
            )))
        }
    }
}
