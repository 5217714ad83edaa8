//! Which documents a query means.

use serde_json::Value;

use super::text::{Wildcard, words};

/// Most levels of a document that are looked through.
const DEPTH_MAX: usize = 32;

/// A document with its id.
#[derive(Clone, Copy, Debug)]
pub(in crate::rest) struct Found<'d> {
    /// Its id.
    pub(in crate::rest) id: &'d str,
    /// What stands in it.
    pub(in crate::rest) source: &'d Value,
}

/// Which documents a query means.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rest) enum Filter {
    /// All or none of them.
    Always(bool),
    /// Those of these ids.
    Ids(Vec<String>),
    /// Those that have anything at a path.
    Exists(String),
    /// Those of whose values at a path one passes.
    Field(String, Test),
    /// Those that pass all of `must`, none of `must_not`, and at least so many of `should`.
    Bool {
        /// All of these.
        must: Vec<Filter>,
        /// Some of these.
        should: Vec<Filter>,
        /// How many of them at least.
        should_min: usize,
        /// None of these.
        must_not: Vec<Filter>,
    },
}

/// What a value is asked.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rest) enum Test {
    /// Is it this text as a whole?
    Whole(String),
    /// The same, in any case.
    WholeAnyCase(String),
    /// Does it match this pattern as a whole? The flag lowers the value first.
    Pattern(Wildcard, bool),
    /// Has it at least so many of these words?
    Words(Vec<String>, usize),
    /// Has it these words one behind another?
    Phrase(Vec<String>),
    /// Has it a word that matches?
    Word(Wildcard),
    /// Is it this truth?
    Truth(bool),
    /// Is it this number?
    Number(f64),
}

impl Filter {
    /// Means those documents that pass at least one of `filters`.
    pub(in crate::rest) fn any_of(filters: Vec<Self>) -> Self {
        Self::Bool { must: Vec::new(), should: filters, should_min: 1, must_not: Vec::new() }
    }

    /// Returns how much has to be held against each document.
    pub(super) fn weight(&self) -> usize {
        match self {
            // Ids are few bytes of a document that needs not be looked through.
            Self::Always(_) | Self::Ids(_) => 0,
            Self::Exists(_) => 1,
            Self::Field(_, test) => test.weight(),
            Self::Bool { must, should, must_not, .. } => {
                [must, should, must_not].into_iter().flatten().map(Self::weight).sum()
            }
        }
    }

    /// Tells whether a document is meant.
    pub(in crate::rest) fn takes(&self, document: Found<'_>) -> bool {
        match self {
            Self::Always(truth) => *truth,
            Self::Ids(ids) => ids.iter().any(|id| id == document.id),
            Self::Exists(path) => {
                let mut is_there = false;
                walk(document.source, path, 0, &mut |_| is_there = true);
                is_there
            }
            Self::Field(path, test) => {
                let mut passes = false;
                walk(document.source, path, 0, &mut |value| passes |= test.passes(value));
                passes
            }
            Self::Bool { must, should, should_min, must_not } => {
                must.iter().all(|it| it.takes(document))
                    && !must_not.iter().any(|it| it.takes(document))
                    && *should_min <= should.iter().filter(|it| it.takes(document)).count()
            }
        }
    }
}

impl Test {
    fn weight(&self) -> usize {
        match self {
            Self::Pattern(pattern, _) | Self::Word(pattern) => 1 + pattern.len(),
            Self::Words(asked, _) | Self::Phrase(asked) => 1 + asked.len(),
            _ => 1,
        }
    }

    fn passes(&self, value: &Value) -> bool {
        let text = || match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match self {
            Self::Whole(whole) => *whole == text(),
            Self::WholeAnyCase(whole) => whole.to_lowercase() == text().to_lowercase(),
            Self::Pattern(pattern, false) => pattern.matches(&text()),
            Self::Pattern(pattern, true) => pattern.matches(&text().to_lowercase()),
            Self::Words(asked, count_min) => {
                let has = words(&text());
                *count_min <= asked.iter().filter(|word| has.contains(word)).count()
            }
            Self::Phrase(asked) => {
                !asked.is_empty() && words(&text()).windows(asked.len()).any(|run| run == asked)
            }
            Self::Word(pattern) => words(&text()).iter().any(|word| pattern.matches(word)),
            Self::Truth(truth) => value.as_bool() == Some(*truth),
            Self::Number(number) => value.as_f64() == Some(*number),
        }
    }
}

/// Shows every value at a path that is no null; lists are looked through.
fn walk(value: &Value, path: &str, depth: usize, show: &mut dyn FnMut(&Value)) {
    if depth == DEPTH_MAX {
        return;
    }
    match value {
        Value::Null => {}
        Value::Array(members) => {
            members.iter().for_each(|member| walk(member, path, depth + 1, show));
        }
        _ if path.is_empty() => show(value),
        Value::Object(entries) => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(inner) = entries.get(name) {
                walk(inner, rest, depth + 1, show);
            }
        }
        _ => {}
    }
}
