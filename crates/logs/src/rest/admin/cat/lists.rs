//! Tables over what is not an index: aliases, templates, the node.

use pampero_opensearch::names::matches;

use super::opened;
use super::table::{Cell, Column, Table};
use crate::rest::admin::aliases::everything;
use crate::rest::admin::nodes::{host, node_id};
use crate::rest::admin::{NODE_NAME, READING, Request, VERSION};
use crate::rest::answer::{Answer, Failure};

const ALIASES: &[Column] = &[
    Column::text("alias", &["a"], "alias name"),
    Column::text("index", &["i", "idx"], "index alias points to"),
    Column::text("filter", &["f", "fi"], "filter"),
    Column::text("routing.index", &["ri", "routingIndex"], "index routing"),
    Column::text("routing.search", &["rs", "routingSearch"], "search routing"),
    Column::text("is_write_index", &["w", "isWriteIndex"], "write index"),
];

const TEMPLATES: &[Column] = &[
    Column::text("name", &["n"], "template name"),
    Column::text("index_patterns", &["t"], "template index patterns"),
    Column::text("order", &["o", "p"], "template application order/priority number"),
    Column::text("version", &["v"], "version"),
    Column::text("composed_of", &["c"], "component templates comprising index template"),
];

const NODES: &[Column] = &[
    Column::text("id", &["nodeId"], "unique node id").hidden(),
    Column::text("ip", &["i"], "ip address"),
    Column::text("http_address", &["http"], "bound http address").hidden(),
    Column::text("version", &["v"], "version").hidden(),
    Column::text("node.role", &["r", "role", "nodeRole"], "abbreviations of the roles"),
    Column::text("node.roles", &["rs", "all roles"], "roles of the node"),
    Column::text("cluster_manager", &["m"], "*:current cluster manager"),
    Column::text("name", &["n"], "node name"),
];

const CLUSTER_MANAGER: &[Column] = &[
    Column::text("id", &[], "node id"),
    Column::text("host", &["h"], "host name"),
    Column::text("ip", &[], "ip address"),
    Column::text("node", &["n"], "node name"),
];

const PLUGINS: &[Column] = &[
    Column::text("id", &[], "unique node id").hidden(),
    Column::text("name", &["n"], "node name"),
    Column::text("component", &["c"], "component"),
    Column::text("version", &["v"], "component version"),
    Column::text("description", &["d"], "plugin details").hidden(),
];

fn or_dash(text: Option<String>) -> Cell {
    Cell::text(text.unwrap_or_else(|| "-".to_owned()))
}

/// Tells whether a name is among those asked for; all are when none is.
fn is_asked(asked: &str, name: &str) -> bool {
    asked.is_empty() || asked.split(',').map(str::trim).any(|it| it == "_all" || matches(it, name))
}

pub(super) fn aliases(request: &Request<'_>) -> Result<Answer, Failure> {
    let mut table = Table::new(ALIASES);
    if let Some(help) = opened(request, &[READING, &["expand_wildcards"]], &table)? {
        return Ok(help);
    }
    let options = match request.parameters().text("expand_wildcards") {
        Some(_) => request.resolving()?,
        None => everything(),
    };
    let mut rows = Vec::new();
    for index in request.cluster().resolve("", options, request.now)? {
        for (name, alias) in request.cluster().aliases_of(&index) {
            if !is_asked(request.place("alias"), &name) {
                continue;
            }
            let filter = alias.filter.map(|_| "*".to_owned());
            rows.push((
                (name.clone(), index.name().to_string()),
                vec![
                    Cell::text(name),
                    Cell::text(&**index.name()),
                    or_dash(filter),
                    or_dash(alias.index_routing),
                    or_dash(alias.search_routing),
                    or_dash(alias.is_write_index.map(|it| it.to_string())),
                ],
            ));
        }
    }
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    rows.into_iter().for_each(|(_, row)| table.push(row));
    Ok(table.answer(request.parameters())?)
}

pub(super) fn templates(request: &Request<'_>) -> Result<Answer, Failure> {
    let mut table = Table::new(TEMPLATES);
    if let Some(help) = opened(request, &[READING], &table)? {
        return Ok(help);
    }
    let asked = request.place("name");
    let patterns = |patterns: &[String]| Cell::text(format!("[{}]", patterns.join(", ")));
    let version =
        |version: Option<i64>| Cell::text(version.map(|it| it.to_string()).unwrap_or_default());
    for (name, it) in request.cluster().legacy_templates("*") {
        if is_asked(asked, &name) {
            table.push(vec![
                Cell::text(name),
                patterns(&it.index_patterns),
                Cell::text(it.order.to_string()),
                version(it.version),
                Cell::text(""),
            ]);
        }
    }
    for (name, it) in request.cluster().index_templates("*") {
        if is_asked(asked, &name) {
            table.push(vec![
                Cell::text(name),
                patterns(&it.index_patterns),
                Cell::Number(it.priority.unwrap_or(0)),
                version(it.version),
                patterns(&it.composed_of),
            ]);
        }
    }
    Ok(table.answer(request.parameters())?)
}

pub(super) fn nodes(request: &Request<'_>) -> Result<Answer, Failure> {
    let mut table = Table::new(NODES);
    let known = [READING, &["full_id", "include_unloaded_segments"]];
    if let Some(help) = opened(request, &known, &table)? {
        return Ok(help);
    }
    let id = node_id(request.cluster());
    let id = if request.flag("full_id", false)? { id } else { id.chars().take(4).collect() };
    let address = request.state.options.publish_address.as_str();
    table.push(vec![
        Cell::text(id),
        Cell::text(host(address)),
        Cell::text(address),
        Cell::text(VERSION),
        Cell::text("dim"),
        Cell::text("cluster_manager,data,ingest"),
        Cell::text("*"),
        Cell::text(NODE_NAME),
    ]);
    Ok(table.answer(request.parameters())?)
}

pub(super) fn cluster_manager(request: &Request<'_>) -> Result<Answer, Failure> {
    let mut table = Table::new(CLUSTER_MANAGER);
    if let Some(help) = opened(request, &[READING], &table)? {
        return Ok(help);
    }
    let host = host(&request.state.options.publish_address);
    let id = node_id(request.cluster());
    table.push([id.as_str(), host, host, NODE_NAME].map(Cell::text).to_vec());
    Ok(table.answer(request.parameters())?)
}

/// There are no plugins.
pub(super) fn plugins(request: &Request<'_>) -> Result<Answer, Failure> {
    let table = Table::new(PLUGINS);
    if let Some(help) = opened(request, &[READING], &table)? {
        return Ok(help);
    }
    Ok(table.answer(request.parameters())?)
}
