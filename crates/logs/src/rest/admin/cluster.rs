//! Settings, state and statistics of the cluster.

use axum::Router;
use pampero_index::cluster::{ResolveOptions, nest_settings};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value, json};

use super::health::Status;
use super::nodes::{node_id, node_json};
use super::{CLUSTER_NAME, GET, PUT, READING, RESOLVING, Request, VERSION, WAITING, on};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};

pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/_cluster/settings", on(GET, get_settings).merge(on(PUT, put_settings)))
        .route("/_cluster/state", on(GET, get_state))
        .route("/_cluster/state/{metric}", on(GET, get_state))
        .route("/_cluster/state/{metric}/{index}", on(GET, get_state))
        .route("/_cluster/stats", on(GET, get_stats))
        .route("/_cluster/stats/nodes/{node}", on(GET, get_stats))
        .route("/_cluster/pending_tasks", on(GET, get_pending_tasks))
}

fn shown(settings: &Map<String, Value>, flat: bool) -> Value {
    if flat { settings.clone().into() } else { nest_settings(settings) }
}

fn get_settings(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, &["flat_settings", "include_defaults"]])?;
    let flat = request.flag("flat_settings", false)?;
    let (persistent, transient) = request.cluster().settings();
    let mut answer = json!({
        "persistent": shown(&persistent, flat),
        "transient": shown(&transient, flat),
    });
    if request.flag("include_defaults", false)? {
        let name = "action.auto_create_index";
        let mut defaults = Map::new();
        if !persistent.contains_key(name) && !transient.contains_key(name) {
            defaults.insert(name.to_owned(), "true".into());
        }
        answer["defaults"] = shown(&defaults, flat);
    }
    Ok(Answer::json(answer))
}

fn put_settings(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING, &["flat_settings"]])?;
    let flat = request.flag("flat_settings", false)?;
    let body = request.call.required_json()?;
    let known = |key: &String| key == "persistent" || key == "transient";
    let entries = body.as_object().cloned().unwrap_or_default();
    if let Some(stranger) = entries.keys().find(|key| !known(key)) {
        return Err(Exception::new(
            ExceptionKind::XContentParse,
            format!("[1:1] [cluster_update_settings_request] unknown field [{stranger}]"),
        )
        .into());
    }
    let is_empty = |part: &Value| part.as_object().is_none_or(Map::is_empty);
    if entries.values().all(is_empty) {
        return Err(Exception::new(
            ExceptionKind::ActionRequestValidation,
            "Validation Failed: 1: no settings to update;",
        )
        .into());
    }
    request.cluster().put_settings(&body["persistent"], &body["transient"])?;
    let (persistent, transient) = request.cluster().settings();
    let changed = |part: &str, settings: Map<String, Value>| {
        let names = pampero_index::cluster::flatten_settings(&body[part]).unwrap_or_default();
        let touched = settings.into_iter().filter(|(name, _)| names.contains_key(name)).collect();
        shown(&touched, flat)
    };
    Ok(Answer::json(json!({
        "acknowledged": true,
        "persistent": changed("persistent", persistent),
        "transient": changed("transient", transient),
    })))
}

/// Tells the parts of the state that one node has: itself, and the metadata of its indices.
fn get_state(request: &Request<'_>) -> Result<Answer, Failure> {
    const STATE: &[&str] = &["flat_settings", "wait_for_metadata_version", "wait_for_timeout"];
    request.takes_only(&[READING, RESOLVING, STATE])?;
    let cluster = request.cluster();
    let metrics = request.place("metric");
    let metrics: Vec<&str> =
        if metrics.is_empty() { vec!["_all"] } else { metrics.split(',').collect() };
    let mut answer = json!({ "cluster_name": CLUSTER_NAME, "cluster_uuid": &**cluster.uuid() });
    for metric in metrics {
        let all = metric == "_all";
        match metric {
            "_all"
            | "version"
            | "master_node"
            | "cluster_manager_node"
            | "nodes"
            | "blocks"
            | "metadata" => {}
            "routing_table" | "routing_nodes" => {
                return Err(Exception::unsupported(format!("cluster state [{metric}]")).into());
            }
            _ => {
                return Err(Exception::illegal_argument(format!(
                    "request [{}] contains unrecognized metric: [{metric}]",
                    request.call.path
                ))
                .into());
            }
        }
        let id = node_id(cluster);
        if all || metric == "version" {
            answer["version"] = 1.into();
            answer["state_uuid"] = (&**cluster.uuid()).into();
        }
        if all || metric == "master_node" {
            answer["master_node"] = id.as_str().into();
        }
        if all || metric == "cluster_manager_node" {
            answer["cluster_manager_node"] = id.as_str().into();
        }
        if all || metric == "nodes" {
            answer["nodes"] = json!({ &id: { "name": super::NODE_NAME } });
        }
        if all || metric == "blocks" {
            answer["blocks"] = json!({});
        }
        if all || metric == "metadata" {
            answer["metadata"] = state_metadata(request)?;
        }
    }
    Ok(Answer::json(answer))
}

fn state_metadata(request: &Request<'_>) -> Result<Value, Failure> {
    let flat = request.flag("flat_settings", false)?;
    let cluster = request.cluster();
    let named = request.place("index");
    let options = ResolveOptions { hidden: named.is_empty(), ..request.resolving()? };
    let mut indices = Map::new();
    for index in cluster.resolve(named, options, request.now)? {
        let aliases: Vec<String> = cluster.aliases_of(&index).into_keys().collect();
        let entry = json!({
            "state": "open",
            "settings": shown(&index.settings(), flat),
            "mappings": { "_doc": index.mapping().to_json() },
            "aliases": aliases,
        });
        indices.insert(index.name().to_string(), entry);
    }
    let templates: Map<String, Value> = cluster
        .legacy_templates("*")
        .into_iter()
        .map(|(name, template)| (name, template.to_json(flat)))
        .collect();
    Ok(json!({
        "cluster_uuid": &**cluster.uuid(),
        "templates": templates,
        "indices": indices,
    }))
}

fn get_stats(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, &["flat_settings"]])?;
    let cluster = request.cluster();
    let indices = cluster.indices().all();
    let (mut documents, mut deleted, mut bytes, mut segments) = (0, 0, 0, 0);
    let mut status = Status::Green;
    for index in &indices {
        let statistics = index.statistics();
        documents += statistics.documents;
        deleted += statistics.deleted;
        bytes += statistics.bytes;
        segments += statistics.segments;
        status = status.min(Status::of(index));
    }
    let count = indices.len();
    let node = node_json(request.state, &[]);
    Ok(Answer::json(json!({
        "_nodes": { "total": 1, "successful": 1, "failed": 0 },
        "cluster_name": CLUSTER_NAME,
        "cluster_uuid": &**cluster.uuid(),
        "timestamp": request.now.as_millisecond(),
        "status": status.as_str(),
        "indices": {
            "count": count,
            "shards": { "total": count, "primaries": count, "replication": 0.0 },
            "docs": { "count": documents, "deleted": deleted },
            "store": { "size_in_bytes": bytes, "reserved_in_bytes": 0 },
            "segments": { "count": segments },
        },
        "nodes": {
            "count": { "total": 1, "data": 1, "ingest": 1, "cluster_manager": 1, "master": 1 },
            "versions": [VERSION],
            "plugins": [],
            "roles": node["roles"],
        },
    })))
}

fn get_pending_tasks(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING])?;
    Ok(Answer::json(json!({ "tasks": [] })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_shown_nested_unless_flat_ones_are_asked_for() {
        let settings: Map<String, Value> =
            [("a.b".to_owned(), Value::from("1"))].into_iter().collect();
        assert_eq!(shown(&settings, false), json!({ "a": { "b": "1" } }));
        assert_eq!(shown(&settings, true), json!({ "a.b": "1" }));
    }
}
