//! Which indices a call reads: the expression in its path and the options that go with it.

use jiff::Timestamp;
use pampero_index::Snapshot;
use pampero_index::cluster::{ResolveOptions, Target};
use pampero_opensearch::query::{Bool, Clause, Query};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Value, json};

use super::RestState;
use pampero_opensearch::parameters::Parameters;

/// Names of the options.
pub(crate) const PARAMETERS: [&str; 4] =
    ["ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled"];

/// An expression over indices and how it is resolved.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) expression: String,
    pub(crate) options: ResolveOptions,
}

/// The indices of a scope at one moment.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) snapshots: Vec<Snapshot>,
    /// What aliases put before every query.
    filter: Option<Query>,
}

impl Scope {
    /// Reads the options; an empty expression means all indices.
    ///
    /// # Errors
    /// A value is none that OpenSearch takes.
    pub(crate) fn read(expression: &str, parameters: &Parameters) -> Result<Self, Exception> {
        let mut options = ResolveOptions {
            ignore_unavailable: parameters.boolean("ignore_unavailable", false)?,
            allow_no_indices: parameters.boolean("allow_no_indices", true)?,
            ..ResolveOptions::default()
        };
        if let Some(words) = parameters.list("expand_wildcards") {
            expand(&mut options, &words)?;
        }
        Ok(Self { expression: expression.to_owned(), options })
    }

    /// Changes it to what the header of a search in a list says.
    ///
    /// # Errors
    /// A value is none that OpenSearch takes.
    pub(crate) fn apply_header(&mut self, key: &str, value: &Value) -> Result<(), Exception> {
        match key {
            "index" | "indices" => self.expression = names(key, value)?.join(","),
            "ignore_unavailable" => self.options.ignore_unavailable = boolean(key, value)?,
            "allow_no_indices" => self.options.allow_no_indices = boolean(key, value)?,
            "expand_wildcards" => {
                let words = names(key, value)?;
                let words: Vec<&str> = words.iter().flat_map(|it| it.split(',')).collect();
                expand(&mut self.options, &words)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Opens the indices, each at the moment of the call.
    ///
    /// # Errors
    /// A concrete name is missing, or an index is damaged.
    pub(crate) fn open(&self, state: &RestState) -> Result<Opened, Exception> {
        self.open_as_of(state, state.clock.now())
    }

    /// Opens the indices as [`Scope::open`]; `now` resolves date math in their names.
    pub(crate) fn open_as_of(
        &self,
        state: &RestState,
        now: Timestamp,
    ) -> Result<Opened, Exception> {
        let targets = state.cluster.resolve_targets(&self.expression, self.options, now)?;
        let snapshots = targets.iter().map(|target| target.index.snapshot(now));
        let snapshots = snapshots.collect::<Result<Vec<_>, _>>()?;
        let filter = alias_filter(&targets).map(|it| Query::from_json(&it)).transpose()?;
        Ok(Opened { snapshots, filter })
    }
}

impl Opened {
    /// Puts the filter of the aliases before a query.
    pub(crate) fn filtered(&self, query: Option<Query>) -> Option<Query> {
        let Some(filter) = &self.filter else { return query };
        let clause = Bool {
            must: query.into_iter().collect(),
            filter: vec![filter.clone()],
            ..Bool::default()
        };
        Some(Query { clause: Clause::Bool(clause), ..Query::match_all() })
    }
}

/// Returns the filter over all targets: one for all, or one for each index.
fn alias_filter(targets: &[Target]) -> Option<Value> {
    let first = targets.first()?;
    if targets.iter().all(|target| target.filter == first.filter) {
        return first.filter.clone();
    }
    let each: Vec<Value> = targets
        .iter()
        .map(|target| {
            let index = json!({ "term": { "_index": &**target.index.name() } });
            let parts: Vec<Value> =
                [Some(index), target.filter.clone()].into_iter().flatten().collect();
            json!({ "bool": { "filter": parts } })
        })
        .collect();
    Some(json!({ "bool": { "should": each, "minimum_should_match": 1 } }))
}

/// No index is ever closed here, so `open` and `closed` are all the same.
fn expand(options: &mut ResolveOptions, words: &[&str]) -> Result<(), Exception> {
    options.wildcards = false;
    options.hidden = false;
    for word in words {
        match *word {
            "open" | "closed" => options.wildcards = true,
            "hidden" => options.hidden = true,
            "all" => (options.wildcards, options.hidden) = (true, true),
            "none" => (options.wildcards, options.hidden) = (false, false),
            other => {
                let reason = format!("No valid expand wildcard value [{other}]");
                return Err(Exception::illegal_argument(reason));
            }
        }
    }
    Ok(())
}

fn names(key: &str, value: &Value) -> Result<Vec<String>, Exception> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let names = match value {
        Value::String(name) => Some(vec![name.clone()]),
        Value::Array(names) => names.iter().map(text).collect(),
        _ => None,
    };
    names.ok_or_else(|| {
        let reason = format!("[{key}] must be a name or a list of names, found [{value}]");
        Exception::new(ExceptionKind::Parse, reason)
    })
}

fn boolean(key: &str, value: &Value) -> Result<bool, Exception> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        _ => Err(Exception::illegal_argument(format!(
            "Could not convert [{key}] to boolean: [{value}]"
        ))),
    }
}
