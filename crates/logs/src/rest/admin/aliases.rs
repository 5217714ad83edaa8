//! Aliases: shown, and changed one by one or several at once.

use std::collections::BTreeMap;

use axum::Router;
use http::StatusCode;
use pampero_index::cluster::{Alias, AliasAction, ResolveOptions, aliases_missing};
use pampero_opensearch::names::{is_pattern, matches};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value, json};

use super::{DELETE, GET, POST, PUT, READING, RESOLVING, Request, WAITING, on};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};

pub(super) fn routes() -> Router<RestState> {
    let named = || on(PUT.or(POST), put_alias).merge(on(DELETE, delete_alias));
    Router::new()
        .route("/_aliases", on(GET, get_aliases).merge(on(POST, update_aliases)))
        .route("/_alias", on(GET, get_aliases).merge(on(PUT.or(POST), put_alias)))
        .route("/_alias/{name}", on(GET, get_aliases).merge(on(PUT.or(POST), put_alias)))
        .route("/{index}/_alias", on(GET, get_aliases).merge(on(PUT.or(POST), put_alias)))
        .route("/{index}/_alias/{name}", on(GET, get_aliases).merge(named()))
        .route("/{index}/_aliases/{name}", named())
}

/// Shows indices with their aliases; with names, only indices that have one of them.
///
/// A plain name that is not there makes it a 404 that still shows what was found.
fn get_aliases(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, RESOLVING])?;
    let cluster = request.cluster();
    let mut options = request.resolving()?;
    if request.parameters().text("expand_wildcards").is_none() {
        options.hidden = true;
    }
    let indices = cluster.resolve(request.place("index"), options, request.now)?;
    let names = Names::read(request.place("name"));
    let mut answer = Map::new();
    let mut found: Vec<String> = Vec::new();
    for index in &indices {
        let mut aliases: BTreeMap<String, Alias> = cluster.aliases_of(index);
        aliases.retain(|name, _| names.wants(name));
        found.extend(aliases.keys().cloned());
        if !aliases.is_empty() || names.all {
            let shown: Map<String, Value> =
                aliases.into_iter().map(|(name, alias)| (name, alias.to_json())).collect();
            answer.insert(index.name().to_string(), json!({ "aliases": shown }));
        }
    }
    let missing: Vec<&str> =
        names.plain().filter(|name| !found.iter().any(|it| it == name)).collect();
    if missing.is_empty() {
        return Ok(Answer::json(answer.into()));
    }
    let noun = if missing.len() == 1 { "alias" } else { "aliases" };
    answer.insert("error".to_owned(), format!("{noun} [{}] missing", missing.join(",")).into());
    answer.insert("status".to_owned(), 404.into());
    Ok(Answer::json(answer.into()).with_status(StatusCode::NOT_FOUND))
}

/// The names of aliases that are asked for, in order; `-name` takes away what stands before it.
struct Names<'a> {
    all: bool,
    parts: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn read(text: &'a str) -> Self {
        let parts: Vec<&str> = text.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
        Self { all: parts.is_empty(), parts }
    }

    fn wants(&self, name: &str) -> bool {
        self.parts.iter().fold(self.all, |wanted, part| match part.strip_prefix('-') {
            Some(excluded) if matches(excluded, name) => false,
            Some(_) => wanted,
            None => wanted || *part == "_all" || matches(part, name),
        })
    }

    fn plain(&self) -> impl Iterator<Item = &'a str> {
        let plain = |part: &&str| !is_pattern(part) && *part != "_all" && !part.starts_with('-');
        self.parts.iter().copied().filter(plain)
    }
}

/// Adds one alias; index and name may stand in the path or in the body.
fn put_alias(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING])?;
    let body = request.call.json()?.unwrap_or_default();
    let mut indices = list(request.place("index"));
    let mut name = request.place("name").to_owned();
    let mut said = Map::new();
    for (key, value) in body.as_object().into_iter().flatten() {
        match (key.as_str(), value.as_str()) {
            ("index", Some(index)) => indices = list(index),
            ("alias", Some(alias)) => alias.clone_into(&mut name),
            _ => {
                said.insert(key.clone(), value.clone());
            }
        }
    }
    if indices.is_empty() || name.is_empty() {
        let what = if indices.is_empty() { "index" } else { "alias" };
        return Err(invalid(&[format!("{what} is missing")]).into());
    }
    let alias = Alias::from_json(&name, &Value::Object(said))?;
    let action = AliasAction::Add { indices, aliases: vec![name], alias };
    request.cluster().update_aliases(&[action], request.now)?;
    Ok(Answer::acknowledged())
}

fn delete_alias(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[WAITING])?;
    let aliases = list(request.place("name"));
    let action = AliasAction::Remove {
        indices: list(request.place("index")),
        aliases: aliases.clone(),
        must_exist: None,
    };
    request.cluster().update_aliases(&[action], request.now).map_err(|refused| {
        match refused.kind() {
            ExceptionKind::AliasesNotFound => {
                aliases_missing(&aliases.iter().map(String::as_str).collect::<Vec<_>>())
            }
            _ => refused,
        }
    })?;
    Ok(Answer::acknowledged())
}

/// Does several changes at once.
fn update_aliases(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING])?;
    let body = request.call.required_json()?;
    let entries = body.as_object().cloned().unwrap_or_default();
    if let Some(stranger) = entries.keys().find(|key| *key != "actions") {
        return Err(unknown_field("aliases", stranger).into());
    }
    let actions = entries.get("actions").and_then(Value::as_array).cloned().unwrap_or_default();
    if actions.is_empty() {
        return Err(Exception::illegal_argument("No action specified").into());
    }
    let actions: Result<Vec<AliasAction>, Exception> = actions.iter().map(read_action).collect();
    request.cluster().update_aliases(&actions?, request.now)?;
    Ok(Answer::acknowledged())
}

/// Reads one of the actions.
fn read_action(action: &Value) -> Result<AliasAction, Exception> {
    let single = action.as_object().filter(|it| it.len() == 1).and_then(|it| it.iter().next());
    let Some((kind, Value::Object(entries))) = single else {
        return Err(Exception::new(
            ExceptionKind::XContentParse,
            "[1:1] [alias_action] expects an object with one action",
        ));
    };
    if !["add", "remove", "remove_index"].contains(&kind.as_str()) {
        return Err(unknown_field("alias_action", kind));
    }
    let (mut indices, mut aliases) = (Vec::new(), Vec::new());
    let mut must_exist = None;
    let mut said = Map::new();
    for (key, value) in entries {
        match key.as_str() {
            "index" | "indices" => indices = texts(key, value)?,
            "alias" | "aliases" if kind != "remove_index" => aliases = texts(key, value)?,
            "must_exist" if kind != "add" => {
                must_exist = Some(value.as_bool().ok_or_else(|| {
                    Exception::illegal_argument("[must_exist] must be a boolean")
                })?);
            }
            _ if kind == "add" => {
                said.insert(key.clone(), value.clone());
            }
            _ => return Err(unknown_field(kind, key)),
        }
    }
    if indices.is_empty() {
        return Err(Exception::illegal_argument("One of [index] or [indices] is required"));
    }
    if aliases.is_empty() && kind != "remove_index" {
        return Err(Exception::illegal_argument("One of [alias] or [aliases] is required"));
    }
    Ok(match kind.as_str() {
        "add" => {
            let alias = Alias::from_json(&aliases[0], &Value::Object(said))?;
            AliasAction::Add { indices, aliases, alias }
        }
        "remove" => AliasAction::Remove { indices, aliases, must_exist },
        _ => AliasAction::RemoveIndex { indices },
    })
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

fn texts(key: &str, value: &Value) -> Result<Vec<String>, Exception> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let texts: Option<Vec<String>> =
        items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
    match texts {
        Some(texts) if texts.iter().all(|it| !it.is_empty()) => Ok(texts),
        _ => Err(Exception::illegal_argument(format!("[{key}] can't be empty string"))),
    }
}

fn unknown_field(what: &str, key: &str) -> Exception {
    Exception::new(ExceptionKind::XContentParse, format!("[1:1] [{what}] unknown field [{key}]"))
}

fn invalid(problems: &[String]) -> Exception {
    let numbered: Vec<String> =
        problems.iter().enumerate().map(|(at, it)| format!("{}: {it};", at + 1)).collect();
    Exception::new(
        ExceptionKind::ActionRequestValidation,
        format!("Validation Failed: {}", numbered.join("")),
    )
}

/// Returns what aliases are resolved with where everything is meant.
pub(super) fn everything() -> ResolveOptions {
    ResolveOptions { hidden: true, ..ResolveOptions::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(asked: &str, expected: &[&str]) {
        let names = Names::read(asked);
        let found: Vec<&str> =
            ["logs", "logs_old", "metrics"].into_iter().filter(|it| names.wants(it)).collect();
        assert_eq!(found, expected, "{asked}");
    }

    #[test]
    fn names_of_aliases_are_taken_in_order() {
        check("", &["logs", "logs_old", "metrics"]);
        check("_all", &["logs", "logs_old", "metrics"]);
        check("logs", &["logs"]);
        check("logs*", &["logs", "logs_old"]);
        check("logs*,-logs_old", &["logs"]);
        check("-logs,logs*", &["logs", "logs_old"]);
        check("nothing", &[]);
    }
}
