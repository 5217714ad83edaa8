//! Rollover: a new index takes the writes of an alias when the old one is old or large enough.

use std::sync::Arc;

use jiff::Timestamp;
use pampero_opensearch::Exception;
use pampero_opensearch::names::check_index_name;
use serde_json::Value;

use super::Cluster;
use super::aliases::Alias;
use super::blueprint::Blueprint;
use super::write::not_found_and;
use crate::engine::Index;

/// When the write index of an alias is to be followed by a new one; `None` where nothing is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RolloverConditions {
    /// Age since creation in milliseconds.
    pub age_min_ms: Option<i64>,
    /// Documents.
    pub documents_min: Option<u64>,
    /// Bytes on disk.
    pub bytes_min: Option<u64>,
}

/// What came of a rollover.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollover {
    /// The index that took the writes.
    pub old_index: String,
    /// The one that takes them, or would take them.
    pub new_index: String,
    /// Whether the age is enough; `None` when it was not asked.
    pub age_met: Option<bool>,
    /// Whether the documents are enough.
    pub documents_met: Option<bool>,
    /// Whether the size is enough.
    pub bytes_met: Option<bool>,
    /// Whether the new index was made.
    pub rolled_over: bool,
}

impl Cluster {
    /// Rolls an alias over to a new index if one of the conditions is met, or without conditions.
    ///
    /// The new index is named `new_index`, or after the old one with a number higher by one, of six
    /// digits. A `dry_run` only tells.
    ///
    /// # Errors
    /// `alias` is no alias with one write index, the name does not end in a number, or the new index
    /// cannot be made.
    pub fn rollover(
        &self,
        alias: &str,
        new_index: Option<&str>,
        conditions: RolloverConditions,
        body: &Blueprint,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<Rollover, Exception> {
        let old = self.rolled_index(alias)?;
        let name = match new_index {
            Some(name) => name.to_owned(),
            None => next_name(old.name())?,
        };
        check_index_name(&name)?;
        self.check_free(&name)?;
        let mut outcome = judge(&old, conditions, now);
        outcome.new_index.clone_from(&name);
        let judged = [outcome.age_met, outcome.documents_met, outcome.bytes_met];
        let due = judged.iter().all(Option::is_none) || judged.contains(&Some(true));
        if !due || dry_run {
            return Ok(outcome);
        }
        // An alias that said which index it writes to keeps the old one as a further index; one
        // that has a single index moves on.
        let said = self.aliases_of(&old).remove(alias).unwrap_or_default();
        let explicit = said.is_write_index == Some(true);
        let mut asked = body.clone();
        let is_write_index = explicit.then_some(true);
        asked
            .aliases
            .get_or_insert_default()
            .insert(alias.to_owned(), Alias { is_write_index, ..said.clone() });
        self.create(&name, &name, &asked, now, |metadata| {
            if explicit {
                let alias_of_old = Alias { is_write_index: Some(false), ..said };
                metadata.add_alias(&old, alias, alias_of_old)
            } else {
                metadata.remove_alias(old.name(), alias);
                Ok(())
            }
        })?;
        outcome.rolled_over = true;
        Ok(outcome)
    }

    /// Returns the index whose writes are to move on.
    fn rolled_index(&self, alias: &str) -> Result<Arc<Index>, Exception> {
        if self.indices.get(alias).is_some() {
            return Err(Exception::illegal_argument(format!(
                "rollover target [{alias}] is not an alias or data stream"
            )));
        }
        match self.alias_write_index(alias) {
            Ok(Some(index)) => Ok(index),
            Ok(None) => Err(not_found_and(alias, "rollover target does not exist")),
            Err(_) => Err(Exception::illegal_argument(format!(
                "rollover target [{alias}] does not point to a write index"
            ))),
        }
    }
}

/// Compares an index with the conditions.
fn judge(index: &Index, conditions: RolloverConditions, now: Timestamp) -> Rollover {
    let settings = index.settings();
    let created_ms: Option<i64> = settings
        .get("index.creation_date")
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok());
    let age_ms = now.as_millisecond() - created_ms.unwrap_or_else(|| now.as_millisecond());
    let statistics = index.statistics();
    Rollover {
        old_index: index.name().to_string(),
        new_index: String::new(),
        age_met: conditions.age_min_ms.map(|least| least <= age_ms),
        documents_met: conditions.documents_min.map(|least| least <= statistics.documents),
        bytes_met: conditions.bytes_min.map(|least| least <= statistics.bytes),
        rolled_over: false,
    }
}

/// Returns the name with a number higher by one at its end.
fn next_name(name: &str) -> Result<String, Exception> {
    let refused = || {
        Exception::illegal_argument(format!(
            "index name [{name}] does not match pattern '^.*-\\d+$'"
        ))
    };
    let (stem, digits) = name.rsplit_once('-').ok_or_else(refused)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    let number: u64 = digits.parse().map_err(|_| refused())?;
    let next = number.checked_add(1).ok_or_else(refused)?;
    Ok(format!("{stem}-{next:06}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        assert_eq!(next_name(name).ok().as_deref(), expected, "{name}");
    }

    #[test]
    fn the_number_at_the_end_of_a_name_is_raised() {
        check("logs-000001", Some("logs-000002"));
        check("logs-1", Some("logs-000002"));
        check("logs-2026-000999", Some("logs-2026-001000"));
        check("logs-1000000", Some("logs-1000001"));
        check("logs", None);
        check("logs-", None);
        check("logs-x1", None);
        check("logs-99999999999999999999999", None);
    }
}
