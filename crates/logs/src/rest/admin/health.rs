//! How the cluster is: green, or red where an index is damaged or not there.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use http::StatusCode;
use pampero_index::Index;
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{CLUSTER_NAME, READING, RESOLVING, read_resolving};
use crate::rest::answer::{Answer, Failure};
use crate::rest::call::Call;
use crate::rest::{RestState, Work};
use pampero_opensearch::parameters::Parameters;

const HEALTH: &[&str] = &[
    "level",
    "wait_for_status",
    "wait_for_nodes",
    "wait_for_active_shards",
    "wait_for_no_relocating_shards",
    "wait_for_no_initializing_shards",
    "wait_for_events",
    "awareness_attribute",
    "ensure_node_weighed_in",
];

/// How often a condition that is not met is looked at again.
const PAUSE: Duration = Duration::from_millis(50);

const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/_cluster/health", get(get_health))
        .route("/_cluster/health/{index}", get(get_health))
}

/// How well one index, or all together, can be used.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Status {
    Red,
    Yellow,
    Green,
}

impl Status {
    pub(super) fn of(index: &Index) -> Self {
        if index.damage().is_some() { Self::Red } else { Self::Green }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Yellow => "yellow",
            Self::Green => "green",
        }
    }

    pub(super) fn read(text: &str) -> Result<Self, Exception> {
        match text.to_ascii_lowercase().as_str() {
            "red" => Ok(Self::Red),
            "yellow" => Ok(Self::Yellow),
            "green" => Ok(Self::Green),
            _ => {
                Err(Exception::illegal_argument(format!("unknown cluster health status [{text}]")))
            }
        }
    }
}

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    Cluster,
    Indices,
    Shards,
}

/// What is waited for; `None` is nothing.
#[derive(Debug)]
struct Conditions {
    status: Option<Status>,
    nodes: Option<String>,
    active_shards: Option<String>,
    /// Whether there is anything to wait for.
    any: bool,
}

/// The health at one moment.
struct Health {
    status: Status,
    /// A name that is not there.
    missing: bool,
    indices: Map<String, Value>,
    count: usize,
    active: usize,
}

async fn get_health(
    State(state): State<RestState>,
    Path(places): Path<HashMap<String, String>>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&[READING, RESOLVING, HEALTH])?;
    let parameters = &call.parameters;
    let level = match parameters.text("level") {
        None | Some("cluster") => Level::Cluster,
        Some("indices") => Level::Indices,
        Some("shards") => Level::Shards,
        Some(other @ "awareness_attributes") => {
            return Err(Exception::unsupported(format!("level [{other}]")).into());
        }
        Some(other) => {
            return Err(Exception::illegal_argument(format!(
                "level parameter must be one of [cluster], [indices], [shards] or [awareness_attributes], not [{other}]"
            ))
            .into());
        }
    };
    let conditions = Conditions::read(parameters)?;
    let options = read_resolving(parameters)?;
    let deadline = Instant::now() + parameters.duration("timeout")?.unwrap_or(TIMEOUT).min(DAY);
    let expression = places.get("index").cloned().unwrap_or_default();
    loop {
        let expression = expression.clone();
        let health = state
            .run(Work::Admin, move |state| {
                let now = state.clock.now();
                // What is hidden is counted as well when nothing is named.
                let hidden = options.hidden || expression.is_empty();
                let options = pampero_index::cluster::ResolveOptions { hidden, ..options };
                match state.cluster.resolve(&expression, options, now) {
                    Ok(indices) => Ok(Health::of(&indices, level)),
                    Err(missing) if missing.kind() == ExceptionKind::IndexNotFound => {
                        Ok(Health::missing())
                    }
                    Err(refused) => Err(refused.into()),
                }
            })
            .await?;
        let met = conditions.met(&health)?;
        if met || deadline <= Instant::now() {
            let answer = Answer::json(health.to_json(level, !met));
            return Ok(if met { answer } else { answer.with_status(StatusCode::REQUEST_TIMEOUT) });
        }
        tokio::time::sleep_until(deadline.min(Instant::now() + PAUSE)).await;
    }
}

/// The longest time that anybody is let wait.
const DAY: Duration = Duration::from_secs(86_400);

impl Conditions {
    fn read(parameters: &Parameters) -> Result<Self, Exception> {
        let status = parameters.text("wait_for_status").map(Status::read).transpose()?;
        let text = |name: &str| parameters.text(name).map(str::to_owned);
        let (nodes, active_shards) = (text("wait_for_nodes"), text("wait_for_active_shards"));
        for name in ["wait_for_no_relocating_shards", "wait_for_no_initializing_shards"] {
            parameters.boolean(name, false)?;
        }
        let events = parameters.text("wait_for_events");
        const EVENTS: [&str; 6] = ["immediate", "urgent", "high", "normal", "low", "languid"];
        if let Some(event) = events.filter(|event| !EVENTS.contains(event)) {
            return Err(Exception::illegal_argument(format!(
                "unknown priority [{event}], use one of [{}]",
                EVENTS.join(", ")
            )));
        }
        let waits = |name: &str| parameters.boolean(name, false).unwrap_or(false);
        let any = status.is_some()
            || nodes.is_some()
            || active_shards.is_some()
            || events.is_some()
            || waits("wait_for_no_relocating_shards")
            || waits("wait_for_no_initializing_shards");
        Ok(Self { status, nodes, active_shards, any })
    }

    fn met(&self, health: &Health) -> Result<bool, Exception> {
        let status = self.status.is_none_or(|least| least <= health.status);
        let nodes = self.nodes.as_deref().map_or(Ok(true), one_node_is)?;
        let shards = match self.active_shards.as_deref() {
            None => true,
            Some("all") => health.active == health.count,
            Some(text) => {
                let least: usize = text.parse().map_err(|_| {
                    Exception::illegal_argument(format!("cannot parse ActiveShardCount[{text}]"))
                })?;
                least <= health.active
            }
        };
        Ok(status && nodes && shards && !(self.any && health.missing))
    }
}

/// Compares how many nodes there are with how many were asked for.
type Comparison = fn(u32, u32) -> bool;

/// Compares the one node with what is waited for, as in `>=2` or `ge(2)`.
fn one_node_is(text: &str) -> Result<bool, Exception> {
    const FORMS: [(&str, &str, Comparison); 8] = [
        (">=", "", |is, asked| is >= asked),
        ("<=", "", |is, asked| is <= asked),
        (">", "", |is, asked| is > asked),
        ("<", "", |is, asked| is < asked),
        ("ge(", ")", |is, asked| is >= asked),
        ("le(", ")", |is, asked| is <= asked),
        ("gt(", ")", |is, asked| is > asked),
        ("lt(", ")", |is, asked| is < asked),
    ];
    let plain: (&str, Comparison) = (text, |is, asked| is == asked);
    let (number, compare) = FORMS
        .iter()
        .find_map(|(start, end, compare)| {
            Some((text.strip_prefix(start)?.strip_suffix(end)?, *compare))
        })
        .unwrap_or(plain);
    let asked = number.trim().parse().map_err(|_| {
        Exception::new(ExceptionKind::NumberFormat, format!("For input string: \"{number}\""))
    })?;
    Ok(compare(1, asked))
}

impl Health {
    fn missing() -> Self {
        Self { status: Status::Red, missing: true, indices: Map::new(), count: 0, active: 0 }
    }

    fn of(indices: &[std::sync::Arc<Index>], level: Level) -> Self {
        let mut health = Self {
            status: Status::Green,
            missing: false,
            indices: Map::new(),
            count: 0,
            active: 0,
        };
        for index in indices {
            let status = Status::of(index);
            let active = usize::from(status == Status::Green);
            health.status = health.status.min(status);
            health.count += 1;
            health.active += active;
            if level == Level::Cluster {
                continue;
            }
            let mut entry = shard_counts(status, active);
            entry.insert("number_of_shards".to_owned(), 1.into());
            entry.insert("number_of_replicas".to_owned(), 0.into());
            if level == Level::Shards {
                let mut shard = shard_counts(status, active);
                shard.remove("active_primary_shards");
                shard.insert("primary_active".to_owned(), (active == 1).into());
                entry.insert("shards".to_owned(), json!({ "0": shard }));
            }
            health.indices.insert(index.name().to_string(), entry.into());
        }
        health
    }

    fn to_json(&self, level: Level, timed_out: bool) -> Value {
        let percent =
            if self.count == 0 { 100.0 } else { 100.0 * self.active as f64 / self.count as f64 };
        let mut answer = json!({
            "cluster_name": CLUSTER_NAME,
            "status": self.status.as_str(),
            "timed_out": timed_out,
            "number_of_nodes": 1,
            "number_of_data_nodes": 1,
            "discovered_master": true,
            "discovered_cluster_manager": true,
            "active_primary_shards": self.active,
            "active_shards": self.active,
            "relocating_shards": 0,
            "initializing_shards": 0,
            "unassigned_shards": self.count - self.active,
            "delayed_unassigned_shards": 0,
            "number_of_pending_tasks": 0,
            "number_of_in_flight_fetch": 0,
            "task_max_waiting_in_queue_millis": 0,
            "active_shards_percent_as_number": percent,
        });
        if level != Level::Cluster {
            answer["indices"] = self.indices.clone().into();
        }
        answer
    }
}

fn shard_counts(status: Status, active: usize) -> Map<String, Value> {
    let counts = json!({
        "status": status.as_str(),
        "active_primary_shards": active,
        "active_shards": active,
        "relocating_shards": 0,
        "initializing_shards": 0,
        "unassigned_shards": 1 - active,
    });
    counts.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<bool>) {
        assert_eq!(one_node_is(text).ok(), expected, "{text}");
    }

    #[test]
    fn one_node_is_compared_with_what_is_waited_for() {
        check("1", Some(true));
        check("3", Some(false));
        check(">=1", Some(true));
        check(">=2", Some(false));
        check(">0", Some(true));
        check("<5", Some(true));
        check("<=0", Some(false));
        check("ge(2)", Some(false));
        check("lt(2)", Some(true));
        check("gt(1)", Some(false));
        check("le(1)", Some(true));
        check("many", None);
        check("ge(2", None);
        check("", None);
    }
}
