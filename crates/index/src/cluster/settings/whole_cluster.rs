//! Settings of the cluster as a whole.

use pampero_opensearch::Exception;
use pampero_opensearch::names::matches;
use serde_json::{Map, Value};

use super::flatten_settings;

/// Settings of the cluster that are followed.
const CLUSTER_SETTINGS: [&str; 1] = ["action.auto_create_index"];

/// Families of settings of the cluster that place shards or tune nodes, of which there is one.
const CLUSTER_TAKEN: [&str; 7] = [
    "cluster.routing.",
    "cluster.max_shards_per_node",
    "cluster.info.",
    "indices.recovery.",
    "indices.breaker.",
    "logger.",
    "action.destructive_requires_name",
];

/// Reads settings of the cluster, flat or nested.
///
/// # Errors
/// One of them is not known, or this server does not follow it.
pub(crate) fn read_cluster_settings(
    part: &str,
    settings: &Value,
) -> Result<Map<String, Value>, Exception> {
    let flat = flatten_settings(settings)?;
    for name in flat.keys() {
        let known = CLUSTER_SETTINGS.contains(&name.as_str())
            || CLUSTER_TAKEN.iter().any(|family| name.starts_with(family));
        if known {
            continue;
        }
        const OF_OPENSEARCH: [&str; 9] = [
            "cluster.", "indices.", "search.", "script.", "action.", "ingest.", "plugins.",
            "node.", "http.",
        ];
        if OF_OPENSEARCH.iter().any(|family| name.starts_with(family)) {
            return Err(Exception::unsupported(format!("{part} setting [{name}]")));
        }
        return Err(Exception::illegal_argument(format!(
            "{part} setting [{name}], not recognized"
        )));
    }
    Ok(flat)
}

/// Takes changes over; `null` takes a setting back, and with `*` a family of them.
pub(crate) fn merge(settings: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, value) in changes {
        if value.is_null() {
            settings.retain(|known, _| !matches(&name, known));
        } else {
            settings.insert(name, value);
        }
    }
}
