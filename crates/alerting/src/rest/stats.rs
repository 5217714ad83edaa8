//! `/stats`: which monitors are run, and when they ran last.

use axum::extract::{Path, State};
use axum::routing::{MethodRouter, get};
use pampero_opensearch::Exception;
use serde_json::{Map, Value, json};

use super::AlertingRest;
use super::answer::{Answer, Failure};
use super::call::Call;

/// A run that began later after it was due is not on time, in milliseconds.
const LATE_MS: u64 = 5_000;

/// What is told of a node.
const METRICS: [&str; 3] = ["job_scheduling_metrics", "jobs_info", "_all"];

/// Returns the paths, without the prefix of the plugin, and what answers there.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<AlertingRest>)> {
    vec![
        ("/stats", get(get_stats)),
        ("/stats/{metric}", get(get_metric)),
        ("/{node}/stats", get(get_node_stats)),
        ("/{node}/stats/{metric}", get(get_node_metric)),
    ]
}

async fn get_stats(State(rest): State<AlertingRest>, call: Call) -> Result<Answer, Failure> {
    stats(&rest, &call, "_all", "_all")
}

async fn get_metric(
    State(rest): State<AlertingRest>,
    Path(metric): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    stats(&rest, &call, "_all", &metric)
}

async fn get_node_stats(
    State(rest): State<AlertingRest>,
    Path(node): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    stats(&rest, &call, &node, "_all")
}

async fn get_node_metric(
    State(rest): State<AlertingRest>,
    Path((node, metric)): Path<(String, String)>,
    call: Call,
) -> Result<Answer, Failure> {
    stats(&rest, &call, &node, &metric)
}

fn stats(rest: &AlertingRest, call: &Call, nodes: &str, metrics: &str) -> Result<Answer, Failure> {
    call.takes(&["timeout"])?;
    call.takes_no_body()?;
    let metrics: Vec<&str> = metrics.split(',').map(str::trim).collect();
    if let Some(unknown) = metrics.iter().find(|metric| !METRICS.contains(metric)) {
        let reason = format!("request [{}] contains unrecognized metric: [{unknown}]", call.path);
        return Err(Exception::illegal_argument(reason).into());
    }
    let options = rest.options();
    let own = ["_all", "_local", "*", &options.node_id, &options.node_name];
    let is_asked = nodes.split(',').any(|node| own.contains(&node.trim()));
    let jobs = jobs(rest);
    let is_on_time = jobs.values().all(|job| job["running_on_time"] == true);
    let mut shown = Map::new();
    if is_asked {
        shown.insert(options.node_id.clone(), node(rest, &metrics, jobs, is_on_time));
    }
    let count = shown.len();
    let on_schedule = usize::from(is_asked && is_on_time);
    Ok(Answer::ok(json!({
        "_nodes": { "total": count, "successful": count, "failed": 0 },
        "cluster_name": options.cluster_name,
        "plugins.scheduled_jobs.enabled": true,
        "scheduled_job_index_exists": true,
        "scheduled_job_index_status": "green",
        "nodes_on_schedule": on_schedule,
        "nodes_not_on_schedule": count - on_schedule,
        "nodes": shown,
    })))
}

fn node(
    rest: &AlertingRest,
    metrics: &[&str],
    jobs: Map<String, Value>,
    is_on_time: bool,
) -> Value {
    let mut node = json!({
        "name": rest.options().node_name,
        "schedule_status": if is_on_time { "green" } else { "red" },
        "roles": ["cluster_manager", "data", "ingest"],
    });
    let asked = |metric: &str| metrics.iter().any(|it| *it == metric || *it == "_all");
    if asked("job_scheduling_metrics") {
        node["job_scheduling_metrics"] = json!({ "full_sweep_on_time": true });
    }
    if asked("jobs_info") {
        node["jobs_info"] = jobs.into();
    }
    node
}

/// Returns how each enabled monitor ran last; one that did not run yet is on time.
fn jobs(rest: &AlertingRest) -> Map<String, Value> {
    let status = rest.runner().status();
    let entries = rest.definitions().monitors();
    let enabled = entries.iter().filter(|entry| entry.item.is_enabled());
    let job = |id: &String| match status.get(id) {
        Some(ran) => json!({
            "last_execution_time": ran.at.as_millisecond(),
            "running_on_time": ran.late_ms <= LATE_MS,
        }),
        None => json!({ "last_execution_time": null, "running_on_time": true }),
    };
    enabled.map(|entry| (entry.id.clone(), job(&entry.id))).collect()
}
