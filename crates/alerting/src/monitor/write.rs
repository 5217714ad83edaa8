//! Writes monitors: for files, and as OpenSearch shows what it keeps.

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::SerializeMap;
use serde_json::{Map, Value, json};

use super::Monitor;

/// Version of the form in which OpenSearch keeps monitors.
const SCHEMA_VERSION: u32 = 8;

/// What the server knows of a monitor besides its definition.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StoredFacts {
    /// Its id.
    pub id: String,
    /// How often it was written, from 1.
    pub version: u64,
    /// The number of its last write among those of all monitors, from 0.
    pub seq_no: u64,
    /// When it was switched on; `None` when it is off.
    pub enabled_time: Option<Timestamp>,
    /// When it was written last.
    pub last_update_time: Option<Timestamp>,
}

impl Monitor {
    /// Returns it in OpenSearch's form, without what the server adds.
    pub fn to_json(&self) -> Value {
        let members = self.members().into_iter();
        Value::Object(members.map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Returns it as the text of a file: indented, its members in a fixed order, a newline at the end.
    pub fn to_file_text(&self) -> String {
        let members = InOrder(self.members());
        let mut text = serde_json::to_string_pretty(&members).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Returns it as OpenSearch shows what it keeps, with what the server adds.
    pub fn to_stored_json(&self, facts: &StoredFacts) -> Value {
        let ms = |instant: Option<Timestamp>| instant.map(Timestamp::as_millisecond);
        let mut stored = self.to_json();
        stored["schema_version"] = json!(SCHEMA_VERSION);
        stored["enabled_time"] = json!(ms(facts.enabled_time));
        stored["last_update_time"] = json!(ms(facts.last_update_time));
        stored["data_sources"] = Value::Object(data_sources());
        stored["delete_query_index_in_every_run"] = json!(false);
        stored["should_create_single_alert_for_findings"] = json!(false);
        stored["owner"] = json!("alerting");
        stored
    }

    fn members(&self) -> Vec<(&str, Value)> {
        let inputs: Vec<Value> = self.input.iter().map(|input| input.to_json()).collect();
        let wrapped =
            |trigger: &super::Trigger| json!({ "query_level_trigger": trigger.to_json() });
        let triggers: Vec<Value> = self.triggers.iter().map(wrapped).collect();
        let mut members = vec![
            ("type", json!("monitor")),
            ("name", json!(self.name)),
            ("monitor_type", json!("query_level_monitor")),
            ("enabled", json!(self.is_enabled)),
            ("schedule", self.schedule.to_json()),
            ("inputs", Value::Array(inputs)),
            ("triggers", Value::Array(triggers)),
        ];
        members.extend(self.others.iter().map(|(key, value)| (key.as_str(), value.clone())));
        members.extend(self.extension.to_json().map(|written| ("pampero", written.clone())));
        members
    }
}

/// Members of an object in their order, whatever maps of JSON do with it.
struct InOrder<'m>(Vec<(&'m str, Value)>);

impl Serialize for InOrder<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// Returns `data_sources` as OpenSearch shows it for every monitor.
///
/// Source: OpenSearch Alerting, `DataSources`.
pub(super) fn data_sources() -> Map<String, Value> {
    let history_pattern = "<.opendistro-alerting-alert-history-{now/d}-1>";
    let findings_pattern = "<.opensearch-alerting-finding-history-{now/d}-1>";
    let comments_pattern = "<.opensearch-alerting-comments-history-{now/d}-1>";
    let pairs = [
        ("query_index", json!(".opensearch-alerting-queries")),
        ("findings_index", json!(".opensearch-alerting-finding-history-write")),
        ("findings_index_pattern", json!(findings_pattern)),
        ("alerts_index", json!(".opendistro-alerting-alerts")),
        ("alerts_history_index", json!(".opendistro-alerting-alert-history-write")),
        ("alerts_history_index_pattern", json!(history_pattern)),
        ("comments_index", json!(".opensearch-alerting-comments-history-write")),
        ("comments_index_pattern", json!(comments_pattern)),
        ("findings_enabled", json!(false)),
        ("query_index_mappings_by_type", json!({})),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
