//! Which parts of a document are shown: `_source` with its includes and excludes.

use serde_json::{Map, Value};

use crate::names::matches;
use crate::{Exception, ExceptionKind};

/// Which parts of a document's source are given back.
///
/// A pattern is a dotted path in which `*` stands for any run of characters, dots included; it selects
/// what is below it as well. What is excluded wins over what is included.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SourceFilter {
    shown: bool,
    includes: Vec<String>,
    excludes: Vec<String>,
}

impl SourceFilter {
    /// Returns the filter that keeps the whole source.
    pub fn all() -> Self {
        Self::new(Vec::new(), Vec::new())
    }

    /// Returns the filter that leaves the source out of the answer.
    pub fn none() -> Self {
        Self { shown: false, ..Self::all() }
    }

    /// Makes a filter; without includes everything is included.
    pub fn new(includes: Vec<String>, excludes: Vec<String>) -> Self {
        Self { shown: true, includes, excludes }
    }

    /// Reads the value of `_source`: a boolean, a pattern, a list of them, or an object.
    ///
    /// # Errors
    /// `parsing_exception` for anything else.
    pub fn from_json(source: &Value) -> Result<Self, Exception> {
        match source {
            Value::Bool(true) => Ok(Self::all()),
            Value::Bool(false) => Ok(Self::none()),
            Value::String(text) if text == "true" => Ok(Self::all()),
            Value::String(text) if text == "false" => Ok(Self::none()),
            Value::String(_) | Value::Array(_) => Ok(Self::new(patterns(source)?, Vec::new())),
            Value::Object(object) => Self::from_object(object),
            _ => Err(Exception::parsing(format!(
                "Expected one of [VALUE_BOOLEAN, VALUE_STRING, START_ARRAY, START_OBJECT] but found [{}]",
                super::token(source)
            ))),
        }
    }

    fn from_object(object: &Map<String, Value>) -> Result<Self, Exception> {
        let mut filter = Self::all();
        for (key, value) in object {
            match key.as_str() {
                "includes" | "include" => filter.includes = patterns(value)?,
                "excludes" | "exclude" => filter.excludes = patterns(value)?,
                _ => {
                    let token = super::token(value);
                    let reason = format!("Unknown key for a {token} in [{key}].");
                    return Err(Exception::parsing(reason));
                }
            }
        }
        Ok(filter)
    }

    /// Reads `_source`, `_source_includes` and `_source_excludes` of a query string; `None` without any.
    pub fn from_parameters(
        source: Option<&str>,
        includes: Option<&str>,
        excludes: Option<&str>,
    ) -> Option<Self> {
        let mut filter = match source {
            None if includes.is_none() && excludes.is_none() => return None,
            None | Some("true" | "") => Self::all(),
            Some("false") => Self::none(),
            Some(list) => Self::new(comma_list(list), Vec::new()),
        };
        if let Some(list) = includes {
            filter.includes = comma_list(list);
        }
        if let Some(list) = excludes {
            filter.excludes = comma_list(list);
        }
        Some(filter)
    }

    /// Tells whether the source is part of the answer at all.
    pub fn is_shown(&self) -> bool {
        self.shown
    }

    /// Tells whether nothing is taken out of the source.
    pub fn keeps_everything(&self) -> bool {
        self.shown && self.includes.is_empty() && self.excludes.is_empty()
    }

    /// Takes out of `source` what is not selected; anything but an object is kept as it is.
    pub fn apply(&self, source: Value) -> Value {
        match source {
            Value::Object(object) if !self.keeps_everything() => {
                Value::Object(self.keep_object(object, "", self.includes.is_empty()))
            }
            other => other,
        }
    }

    /// `included` tells that an ancestor was selected as a whole.
    fn keep_object(
        &self,
        object: Map<String, Value>,
        prefix: &str,
        included: bool,
    ) -> Map<String, Value> {
        let mut kept = Map::new();
        for (key, value) in object {
            let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            if self.excludes.iter().any(|pattern| selects(pattern, &path)) {
                continue;
            }
            let included = included || self.includes.iter().any(|it| selects(it, &path));
            if let Some(value) = self.keep_value(value, &path, included) {
                kept.insert(key, value);
            }
        }
        kept
    }

    fn keep_value(&self, value: Value, path: &str, included: bool) -> Option<Value> {
        match value {
            Value::Object(object) => {
                let kept = self.keep_object(object, path, included);
                (included || !kept.is_empty()).then_some(Value::Object(kept))
            }
            Value::Array(values) => {
                let kept: Vec<Value> = values
                    .into_iter()
                    .filter_map(|value| self.keep_value(value, path, included))
                    .collect();
                (included || !kept.is_empty()).then_some(Value::Array(kept))
            }
            leaf => included.then_some(leaf),
        }
    }
}

impl Default for SourceFilter {
    fn default() -> Self {
        Self::all()
    }
}

/// Tells whether a pattern selects a path or one of its ancestors inside a key with dots.
fn selects(pattern: &str, path: &str) -> bool {
    matches(pattern, path) || path.match_indices('.').any(|(dot, _)| matches(pattern, &path[..dot]))
}

fn patterns(value: &Value) -> Result<Vec<String>, Exception> {
    let wrong = |value: &Value| {
        let token = super::token(value);
        Exception::new(ExceptionKind::Parsing, format!("Unknown key for a {token} in [_source]."))
    };
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(values) => values
            .iter()
            .map(|value| value.as_str().map(str::to_owned).ok_or_else(|| wrong(value)))
            .collect(),
        other => Err(wrong(other)),
    }
}

fn comma_list(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(filter: Value, kept: Value) {
        let source = json!({
            "level": "ERROR",
            "error": { "chain": ["a", "b"], "code": 7, "at": { "line": 3, "file": "x" } },
            "tags": [{ "name": "n", "value": 1 }, { "value": 2 }],
            "geo.city": "Azul",
        });
        let filter = SourceFilter::from_json(&filter).unwrap();
        assert_eq!(filter.apply(source), kept);
    }

    #[test]
    fn name_selects_the_sub_object() {
        check(json!("level"), json!({ "level": "ERROR" }));
        check(json!("error.at"), json!({ "error": { "at": { "line": 3, "file": "x" } } }));
        check(
            json!(["error.code", "tags.name"]),
            json!({ "error": { "code": 7 }, "tags": [{ "name": "n" }] }),
        );
        check(json!("geo"), json!({ "geo.city": "Azul" }));
        check(json!("absent"), json!({}));
    }

    #[test]
    fn wildcards_cross_dots() {
        check(json!("*.line"), json!({ "error": { "at": { "line": 3 } } }));
        check(
            json!("*.c*"),
            json!({
                "error": { "chain": ["a", "b"], "code": 7 }, "geo.city": "Azul",
            }),
        );
    }

    #[test]
    fn excludes_win() {
        check(
            json!({ "excludes": ["error.*", "tags", "geo*"] }),
            json!({ "level": "ERROR", "error": {} }),
        );
        check(
            json!({ "includes": "error", "excludes": ["error.at.line", "*.chain"] }),
            json!({ "error": { "code": 7, "at": { "file": "x" } } }),
        );
    }

    #[test]
    fn parameters_are_read() {
        assert_eq!(SourceFilter::from_parameters(None, None, None), None);
        assert_eq!(
            SourceFilter::from_parameters(Some("false"), None, None),
            Some(SourceFilter::none())
        );
        assert_eq!(
            SourceFilter::from_parameters(Some("a,b.*"), None, Some("b.c")),
            Some(SourceFilter::new(vec!["a".into(), "b.*".into()], vec!["b.c".into()]))
        );
        assert_eq!(
            SourceFilter::from_parameters(None, Some("a"), None),
            Some(SourceFilter::new(vec!["a".into()], Vec::new()))
        );
    }

    #[test]
    fn other_kinds_are_refused() {
        for source in
            [json!(1), json!(null), json!({ "paths": [] }), json!([1]), json!({ "includes": 1 })]
        {
            let refused = SourceFilter::from_json(&source).unwrap_err();
            assert_eq!(refused.kind(), ExceptionKind::Parsing, "{source}");
        }
    }
}
