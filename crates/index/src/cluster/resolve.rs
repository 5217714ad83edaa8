//! What an expression over indices means at this moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pampero_opensearch::Exception;
use pampero_opensearch::names::{invalid_index_name, is_pattern, matches, parts};
use serde_json::{Value, json};

use super::Cluster;
use super::aliases::Alias;
use super::metadata::Metadata;
use crate::engine::Index;

/// How an expression over indices is resolved.
#[derive(Clone, Copy, Debug)]
pub struct ResolveOptions {
    /// Missing or closed concrete names are skipped instead of refused.
    pub ignore_unavailable: bool,
    /// A wildcard without a match is no error.
    pub allow_no_indices: bool,
    /// Wildcards match at all (`expand_wildcards` is not `none`).
    pub wildcards: bool,
    /// Wildcards match hidden indices and aliases as well (`expand_wildcards` with `hidden` or `all`).
    pub hidden: bool,
}

impl Default for ResolveOptions {
    fn default() -> Self {
        Self { ignore_unavailable: false, allow_no_indices: true, wildcards: true, hidden: false }
    }
}

/// An index that an expression means, and what of it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The index.
    pub index: Arc<Index>,
    /// The query that the aliases put before every search, as it stands in `query`; `None` when the
    /// index is reached by its own name or by an alias without a filter.
    pub filter: Option<Value>,
}

/// In which ways an index was reached.
#[derive(Default)]
struct Reach {
    unfiltered: bool,
    filters: Vec<Value>,
}

impl Reach {
    fn by(&mut self, alias: Option<&Alias>) {
        match alias.and_then(|alias| alias.filter.as_ref()) {
            None => self.unfiltered = true,
            Some(filter) if self.filters.contains(filter) => {}
            Some(filter) => self.filters.push(filter.clone()),
        }
    }

    fn into_filter(mut self) -> Option<Value> {
        if self.unfiltered {
            return None;
        }
        match self.filters.len() {
            0 => None,
            1 => self.filters.pop(),
            _ => Some(json!({ "bool": { "should": self.filters, "minimum_should_match": 1 } })),
        }
    }
}

type Reached = BTreeMap<Arc<str>, (Arc<Index>, Reach)>;

/// The state in which one expression is resolved.
struct Resolution<'a> {
    cluster: &'a Cluster,
    metadata: Arc<Metadata>,
    all: Vec<Arc<Index>>,
    options: ResolveOptions,
    aliases: bool,
    reached: Reached,
}

impl Cluster {
    /// Resolves an expression: names, aliases, `*`, comma lists, `_all`, `-name` after a wildcard, date
    /// math in `<>`. An empty one means all. In the order of names, each index once.
    ///
    /// # Errors
    /// A concrete name is missing.
    pub fn resolve(
        &self,
        expression: &str,
        options: ResolveOptions,
        now: Timestamp,
    ) -> Result<Vec<Arc<Index>>, Exception> {
        let targets = self.resolve_targets(expression, options, now)?;
        Ok(targets.into_iter().map(|target| target.index).collect())
    }

    /// Resolves an expression as [`Cluster::resolve`], with the filters of the aliases.
    ///
    /// What reads documents goes this way: searches and counts put `filter` before their query.
    ///
    /// # Errors
    /// As [`Cluster::resolve`].
    pub fn resolve_targets(
        &self,
        expression: &str,
        options: ResolveOptions,
        now: Timestamp,
    ) -> Result<Vec<Target>, Exception> {
        let reached = self.reach(expression, options, true, now)?;
        let targets = reached
            .into_values()
            .map(|(index, reach)| Target { index, filter: reach.into_filter() });
        Ok(targets.collect())
    }

    /// Resolves an expression that must name indices: an alias is refused, or skipped where what is
    /// missing is; wildcards do not see aliases.
    ///
    /// # Errors
    /// As [`Cluster::resolve`]; and an alias is named.
    pub fn resolve_concrete(
        &self,
        expression: &str,
        options: ResolveOptions,
        now: Timestamp,
    ) -> Result<Vec<Arc<Index>>, Exception> {
        let reached = self.reach(expression, options, false, now)?;
        Ok(reached.into_values().map(|(index, _)| index).collect())
    }

    fn reach(
        &self,
        expression: &str,
        options: ResolveOptions,
        aliases: bool,
        now: Timestamp,
    ) -> Result<Reached, Exception> {
        let parts = parts(expression, now)?;
        let mut resolution = Resolution {
            cluster: self,
            metadata: self.metadata(),
            all: Vec::new(),
            options,
            aliases,
            reached: BTreeMap::new(),
        };
        // One plain name, the usual case, is looked up without a list of all indices.
        let wild = |part: &String| is_pattern(part) || part == "_all";
        if parts.is_empty() || parts.iter().any(wild) {
            resolution.all = self.indices.all();
        }
        match parts[..] {
            [] => resolution.everything(),
            [ref one] if one == "_all" => resolution.everything(),
            _ => resolution.list(&parts)?,
        }
        if resolution.reached.is_empty() && !options.allow_no_indices {
            let named = if parts.is_empty() { "_all".to_owned() } else { parts.join(",") };
            return Err(Exception::index_not_found(&named));
        }
        Ok(resolution.reached)
    }
}

impl Resolution<'_> {
    fn everything(&mut self) {
        if !self.options.wildcards {
            return;
        }
        for index in self.all.clone() {
            if self.options.hidden || !is_hidden(&index) {
                self.enter(&index, None);
            }
        }
    }

    fn list(&mut self, parts: &[String]) -> Result<(), Exception> {
        let mut wildcard_seen = false;
        for part in parts {
            match part.strip_prefix('-') {
                Some(excluded) if wildcard_seen => self.leave(excluded),
                _ if is_pattern(part) => {
                    wildcard_seen = true;
                    self.pattern(part)?;
                }
                _ if part == "_all" => {
                    wildcard_seen = true;
                    self.everything();
                }
                _ => self.name(part)?,
            }
        }
        Ok(())
    }

    /// Adds what a pattern matches.
    fn pattern(&mut self, pattern: &str) -> Result<(), Exception> {
        if !self.options.wildcards {
            return self.none(pattern);
        }
        let dotted = |name: &str| pattern.starts_with('.') && name.starts_with('.');
        let mut found = false;
        for index in self.all.clone() {
            let name = index.name();
            if matches(pattern, name) && (self.options.hidden || dotted(name) || !is_hidden(&index))
            {
                self.enter(&index, None);
                found = true;
            }
        }
        if self.aliases {
            let metadata = Arc::clone(&self.metadata);
            for (name, members) in &metadata.aliases {
                let hidden = members.values().any(|it| it.alias.is_hidden == Some(true));
                if matches(pattern, name) && (self.options.hidden || dotted(name) || !hidden) {
                    found |= self.alias(name);
                }
            }
        }
        if found { Ok(()) } else { self.none(pattern) }
    }

    fn none(&self, pattern: &str) -> Result<(), Exception> {
        if self.options.allow_no_indices {
            return Ok(());
        }
        Err(Exception::index_not_found(pattern))
    }

    /// Adds one plain name.
    fn name(&mut self, name: &str) -> Result<(), Exception> {
        if let Some(index) = self.cluster.indices.get(name) {
            self.enter(&index, None);
            return Ok(());
        }
        if self.aliases {
            if self.alias(name) {
                return Ok(());
            }
        } else if self.cluster.is_alias(name) && !self.options.ignore_unavailable {
            return Err(Exception::illegal_argument(format!(
                "The provided expression [{name}] matches an alias, specify the corresponding concrete indices instead."
            )));
        }
        if self.options.ignore_unavailable {
            return Ok(());
        }
        if name.starts_with('_') {
            return Err(invalid_index_name(name, "must not start with '_'."));
        }
        Err(Exception::index_not_found(name))
    }

    /// Adds the indices of an alias; tells whether there is one.
    fn alias(&mut self, name: &str) -> bool {
        let metadata = Arc::clone(&self.metadata);
        let mut found = false;
        for (index, member) in metadata.aliases.get(name).into_iter().flatten() {
            let Some(index) = self.cluster.indices.get(index) else { continue };
            if **index.uuid() == *member.uuid {
                self.enter(&index, Some(&member.alias));
                found = true;
            }
        }
        found
    }

    fn enter(&mut self, index: &Arc<Index>, alias: Option<&Alias>) {
        let entry = self.reached.entry(Arc::clone(index.name()));
        entry.or_insert_with(|| (Arc::clone(index), Reach::default())).1.by(alias);
    }

    /// Takes away what a name or pattern behind a `-` means.
    fn leave(&mut self, excluded: &str) {
        self.reached.retain(|name, _| !matches(excluded, name));
        if self.aliases {
            for (_, members) in
                self.metadata.aliases.iter().filter(|(name, _)| matches(excluded, name))
            {
                self.reached.retain(|name, _| !members.contains_key(&**name));
            }
        }
    }
}

/// Tells whether wildcards pass an index over.
fn is_hidden(index: &Index) -> bool {
    index.settings().get("index.hidden").and_then(Value::as_str) == Some("true")
}
