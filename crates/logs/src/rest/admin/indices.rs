//! Indices: made, shown, deleted, and found by name.

use axum::Router;
use pampero_index::Index;
use pampero_index::cluster::{ResolveOptions, default_settings, nest_settings};
use pampero_opensearch::ExceptionKind;
use serde_json::{Map, Value, json};

use super::{DELETE, GET, PUT, READING, RESOLVING, Request, WAITING, on};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};

pub(super) fn routes() -> Router<RestState> {
    let index = on(GET, get_index).merge(on(PUT, create_index)).merge(on(DELETE, delete_index));
    Router::new().route("/{index}", index).route("/_resolve/index/{name}", on(GET, resolve_index))
}

fn create_index(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING])?;
    let body = request.call.json()?.unwrap_or_default();
    let index = request.cluster().create_index(request.place("index"), &body, request.now)?;
    Ok(Answer::json(json!({
        "acknowledged": true,
        "shards_acknowledged": true,
        "index": &**index.name(),
    })))
}

fn get_index(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, RESOLVING, &["flat_settings", "include_defaults"]])?;
    let flat = request.flag("flat_settings", false)?;
    let defaults = request.flag("include_defaults", false)?;
    let mut answer = Map::new();
    for index in
        request.cluster().resolve(request.place("index"), request.resolving()?, request.now)?
    {
        let mut entry = json!({
            "aliases": aliases_json(request, &index),
            "mappings": index.mapping().to_json(),
        });
        add_settings(&mut entry, &index.settings(), flat, defaults);
        answer.insert(index.name().to_string(), entry);
    }
    Ok(Answer::json(answer.into()))
}

/// Adds `settings`, and `defaults` where they are wished for.
pub(super) fn add_settings(
    entry: &mut Value,
    settings: &Map<String, Value>,
    flat: bool,
    with_defaults: bool,
) {
    let shown = |settings: Map<String, Value>| {
        if flat { settings.into() } else { nest_settings(&settings) }
    };
    if with_defaults {
        entry["defaults"] = shown(default_settings(settings));
    }
    entry["settings"] = shown(settings.clone());
}

/// Returns the aliases of an index as answers show them.
pub(super) fn aliases_json(request: &Request<'_>, index: &Index) -> Value {
    let aliases = request.cluster().aliases_of(index).into_iter();
    aliases.map(|(name, alias)| (name, alias.to_json())).collect::<Map<String, Value>>().into()
}

/// Deletes indices by their own names.
///
/// An alias is refused, as nobody can tell whether it or its indices were meant.
fn delete_index(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[WAITING, RESOLVING])?;
    let options = request.resolving()?;
    let indices =
        request.cluster().resolve_concrete(request.place("index"), options, request.now)?;
    let names: Vec<&str> = indices.iter().map(|index| &**index.name()).collect();
    request.cluster().delete_indices(&names)?;
    Ok(Answer::acknowledged())
}

/// Tells which indices and aliases an expression finds.
fn resolve_index(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, &["expand_wildcards"]])?;
    let cluster = request.cluster();
    let expression = request.place("name");
    let options = request.resolving()?;
    let concrete = ResolveOptions { ignore_unavailable: true, ..options };
    let indices = cluster.resolve_concrete(expression, concrete, request.now)?;
    let parts = pampero_opensearch::names::parts(expression, request.now)?;
    let found = |name: &str| {
        parts.iter().any(|part| part == "_all" || pampero_opensearch::names::matches(part, name))
    };
    let aliases: Vec<Value> = cluster
        .alias_names()
        .into_iter()
        .filter(|name| found(name))
        .map(|name| json!({ "indices": cluster.alias_indices(&name), "name": name }))
        .collect();
    // A plain name that is neither is told as such.
    match cluster.resolve(expression, options, request.now) {
        Err(refused) if refused.kind() == ExceptionKind::IndexNotFound => {
            return Err(refused.into());
        }
        _ => {}
    }
    let indices: Vec<Value> = indices
        .iter()
        .map(|index| {
            let names: Vec<String> = cluster.aliases_of(index).into_keys().collect();
            let mut attributes = vec!["open"];
            if index.settings().get("index.hidden").and_then(Value::as_str) == Some("true") {
                attributes.push("hidden");
            }
            let mut entry = json!({ "name": &**index.name(), "attributes": attributes });
            if !names.is_empty() {
                entry["aliases"] = json!(names);
            }
            entry
        })
        .collect();
    Ok(Answer::json(json!({ "indices": indices, "aliases": aliases, "data_streams": [] })))
}
