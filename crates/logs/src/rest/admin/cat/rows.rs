//! Tables over indices: health, indices, documents, shards.

use std::sync::Arc;

use jiff::Timestamp;
use pampero_index::Index;
use pampero_index::cluster::ResolveOptions;
use serde_json::Value;

use super::opened;
use super::table::{Cell, Column, Table};
use crate::rest::admin::aliases::everything;
use crate::rest::admin::health::Status;
use crate::rest::admin::nodes::{host, node_id};
use crate::rest::admin::{CLUSTER_NAME, NODE_NAME, READING, RESOLVING, Request};
use crate::rest::answer::{Answer, Failure};

const HEALTH: &[Column] = &[
    Column::text("epoch", &["t", "time"], "seconds since 1970-01-01 00:00:00"),
    Column::text("timestamp", &["ts", "hms", "hhmmss"], "time in HH:MM:SS"),
    Column::text("cluster", &["cl"], "cluster name"),
    Column::text("status", &["st"], "health status"),
    Column::number("node.total", &["nt", "nodeTotal"], "total number of nodes"),
    Column::number("node.data", &["nd", "nodeData"], "number of nodes that can store data"),
    Column::number("discovered_cluster_manager", &["dcm"], "cluster manager is discovered or not"),
    Column::number("shards", &["t", "sh", "shards.total"], "total number of shards"),
    Column::number("pri", &["p", "shards.primary"], "number of primary shards"),
    Column::number("relo", &["r", "shards.relocating"], "number of relocating nodes"),
    Column::number("init", &["i", "shards.initializing"], "number of initializing nodes"),
    Column::number("unassign", &["u", "shards.unassigned"], "number of unassigned shards"),
    Column::number("pending_tasks", &["pt", "pendingTasks"], "number of pending tasks"),
    Column::number("max_task_wait_time", &["mtwt"], "wait time of longest task pending"),
    Column::number("active_shards_percent", &["asp"], "active number of shards in percent"),
];

const INDICES: &[Column] = &[
    Column::text("health", &["h"], "current health status"),
    Column::text("status", &["s"], "open/close status"),
    Column::text("index", &["i", "idx"], "index name"),
    Column::text("uuid", &["id"], "index uuid"),
    Column::number("pri", &["p", "shards.primary", "shardsPrimary"], "number of primary shards"),
    Column::number("rep", &["r", "shards.replica", "shardsReplica"], "number of replica shards"),
    Column::number("docs.count", &["dc", "docsCount"], "available docs"),
    Column::number("docs.deleted", &["dd", "docsDeleted"], "deleted docs"),
    Column::text("creation.date", &["cd"], "index creation date (millisecond value)").hidden(),
    Column::text("creation.date.string", &["cds"], "index creation date (as string)").hidden(),
    Column::number("store.size", &["ss", "storeSize"], "store size of primaries & replicas"),
    Column::number("pri.store.size", &[], "store size of primaries"),
    Column::number("segments.count", &["sc", "segmentsCount"], "number of segments").hidden(),
    Column::number("indexing.index_total", &["iito"], "number of indexing ops").hidden(),
    Column::number("search.query_total", &["sqto"], "total query phase ops").hidden(),
];

const COUNT: &[Column] = &[
    Column::text("epoch", &["t", "time"], "seconds since 1970-01-01 00:00:00"),
    Column::text("timestamp", &["ts", "hms", "hhmmss"], "time in HH:MM:SS"),
    Column::text("count", &["dc", "docs.count", "docsCount"], "the document count"),
];

const SHARDS: &[Column] = &[
    Column::text("index", &["i", "idx"], "index name"),
    Column::text("shard", &["s", "sh"], "shard name"),
    Column::text("prirep", &["p", "pr", "primaryOrReplica"], "primary or replica"),
    Column::text("state", &["st"], "shard state"),
    Column::number("docs", &["d", "dc"], "number of docs in shard"),
    Column::number("store", &["sto"], "store size of shard (how much disk it uses)"),
    Column::text("ip", &[], "ip of node where it lives"),
    Column::text("id", &[], "unique id of node where it lives").hidden(),
    Column::text("node", &["n"], "name of node where it lives"),
];

fn resolved(request: &Request<'_>, default: ResolveOptions) -> Result<Vec<Arc<Index>>, Failure> {
    let asked = request.resolving()?;
    let hidden = match request.parameters().text("expand_wildcards") {
        Some(_) => asked.hidden,
        None => default.hidden,
    };
    let options = ResolveOptions { hidden, ..asked };
    Ok(request.cluster().resolve(request.place("index"), options, request.now)?)
}

fn instant(now: Timestamp) -> [Cell; 2] {
    let seconds = now.as_second();
    [Cell::text(seconds.to_string()), Cell::text(now.strftime("%H:%M:%S").to_string())]
}

pub(super) fn health(request: &Request<'_>) -> Result<Answer, Failure> {
    let mut table = Table::new(if request.flag("ts", true)? { HEALTH } else { &HEALTH[2..] });
    if let Some(help) = opened(request, &[READING, &["ts"]], &table)? {
        return Ok(help);
    }
    let indices = request.cluster().indices().all();
    let total = indices.len();
    let active = indices.iter().filter(|index| Status::of(index) == Status::Green).count();
    let status = indices.iter().map(|index| Status::of(index)).min().unwrap_or(Status::Green);
    let percent = if total == 0 { 100.0 } else { 100.0 * active as f64 / total as f64 };
    let number = |count: usize| Cell::Number(count as u64);
    let mut row =
        if request.flag("ts", true)? { instant(request.now).to_vec() } else { Vec::new() };
    row.extend([
        Cell::text(CLUSTER_NAME),
        Cell::text(status.as_str()),
        Cell::Number(1),
        Cell::Number(1),
        Cell::text("true"),
        number(active),
        number(active),
        Cell::Number(0),
        Cell::Number(0),
        number(total - active),
        Cell::Number(0),
        Cell::text("-"),
        Cell::text(format!("{percent:.1}%")),
    ]);
    table.push(row);
    Ok(table.answer(request.parameters())?)
}

pub(super) fn indices(request: &Request<'_>) -> Result<Answer, Failure> {
    let mut table = Table::new(INDICES);
    let known = [READING, RESOLVING, &["health", "pri", "include_unloaded_segments"]];
    if let Some(help) = opened(request, &known, &table)? {
        return Ok(help);
    }
    let wanted = request.parameters().text("health").map(Status::read).transpose()?;
    for index in resolved(request, ResolveOptions::default())? {
        let status = Status::of(&index);
        if wanted.is_some_and(|wanted| wanted != status) {
            continue;
        }
        let statistics = index.statistics();
        let settings = index.settings();
        let created = settings.get("index.creation_date").and_then(Value::as_str).unwrap_or("");
        let created_at = created.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        table.push(vec![
            Cell::text(status.as_str()),
            Cell::text("open"),
            Cell::text(&**index.name()),
            Cell::text(&**index.uuid()),
            Cell::Number(1),
            Cell::Number(0),
            Cell::Number(statistics.documents),
            Cell::Number(statistics.deleted),
            Cell::text(created),
            created_at.map_or(Cell::Absent, |at| {
                Cell::text(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
            }),
            Cell::Bytes(statistics.bytes),
            Cell::Bytes(statistics.bytes),
            Cell::Number(statistics.segments as u64),
            Cell::Number(statistics.indexed_total),
            Cell::Number(statistics.searches_total),
        ]);
    }
    Ok(table.answer(request.parameters())?)
}

pub(super) fn count(request: &Request<'_>) -> Result<Answer, Failure> {
    let mut table = Table::new(COUNT);
    if let Some(help) = opened(request, &[READING, RESOLVING], &table)? {
        return Ok(help);
    }
    let indices = resolved(request, everything())?;
    let documents: u64 = indices.iter().map(|index| index.statistics().documents).sum();
    let mut row = instant(request.now).to_vec();
    row.push(Cell::Number(documents));
    table.push(row);
    Ok(table.answer(request.parameters())?)
}

pub(super) fn shards(request: &Request<'_>) -> Result<Answer, Failure> {
    let mut table = Table::new(SHARDS);
    if let Some(help) = opened(request, &[READING, RESOLVING], &table)? {
        return Ok(help);
    }
    let id = node_id(request.cluster());
    let ip = host(&request.state.options.publish_address);
    for index in resolved(request, everything())? {
        let statistics = index.statistics();
        let started = Status::of(&index) == Status::Green;
        table.push(vec![
            Cell::text(&**index.name()),
            Cell::Number(0),
            Cell::text("p"),
            Cell::text(if started { "STARTED" } else { "UNASSIGNED" }),
            Cell::Number(statistics.documents),
            Cell::Bytes(statistics.bytes),
            Cell::text(ip),
            Cell::text(id.as_str()),
            Cell::text(NODE_NAME),
        ]);
    }
    Ok(table.answer(request.parameters())?)
}
