//! The action line of a bulk request: what is done to which document.

use std::borrow::Cow;
use std::fmt;

use pampero_opensearch::Exception;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// One action line, read without copying what it says.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ActionLine<'a> {
    #[serde(borrow)]
    Index(Target<'a>),
    #[serde(borrow)]
    Create(Target<'a>),
    #[serde(borrow)]
    Update(Target<'a>),
    #[serde(borrow)]
    Delete(Target<'a>),
}

/// What an action line says of its document; what is absent comes from the query string.
#[derive(Debug, Default)]
pub(super) struct Target<'a> {
    pub(super) index: Option<Text<'a>>,
    pub(super) id: Option<Text<'a>>,
    pub(super) routing: Option<Text<'a>>,
    pub(super) op_type: Option<Text<'a>>,
    pub(super) version: Option<u64>,
    pub(super) version_type: Option<Text<'a>>,
    pub(super) if_seq_no: Option<u64>,
    pub(super) if_primary_term: Option<u64>,
    pub(super) retry_on_conflict: Option<u32>,
    pub(super) pipeline: Option<Text<'a>>,
    pub(super) source: Option<Value>,
    pub(super) require_alias: Option<bool>,
}

/// Names that an action line may have.
const KEYS: [&str; 13] = [
    "_index",
    "_id",
    "routing",
    "op_type",
    "version",
    "version_type",
    "if_seq_no",
    "if_primary_term",
    "retry_on_conflict",
    "pipeline",
    "_source",
    "require_alias",
    "_type",
];

// By hand, because a derived one would take a list of values for the object as well.
impl<'de: 'a, 'a> Deserialize<'de> for Target<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TargetVisitor)
    }
}

struct TargetVisitor;

impl<'de> Visitor<'de> for TargetVisitor {
    type Value = Target<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Target<'de>, A::Error> {
        let mut target = Target::default();
        while let Some(Text(key)) = entries.next_key()? {
            match &*key {
                "_index" => target.index = entries.next_value()?,
                "_id" => target.id = entries.next_value()?,
                "routing" => target.routing = entries.next_value()?,
                "op_type" => target.op_type = entries.next_value()?,
                "version" => target.version = entries.next_value()?,
                "version_type" => target.version_type = entries.next_value()?,
                "if_seq_no" => target.if_seq_no = entries.next_value()?,
                "if_primary_term" => target.if_primary_term = entries.next_value()?,
                "retry_on_conflict" => target.retry_on_conflict = entries.next_value()?,
                "pipeline" => target.pipeline = entries.next_value()?,
                "_source" => target.source = entries.next_value()?,
                "require_alias" => target.require_alias = entries.next_value()?,
                // Types are gone since 2.0, but shippers that were set up for older servers still
                // send them.
                "_type" => {
                    let _: Option<Text<'_>> = entries.next_value()?;
                }
                other => return Err(de::Error::unknown_field(other, &KEYS)),
            }
        }
        Ok(target)
    }
}

/// A text; a number counts as its digits, as OpenSearch reads it.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a simple value")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text)))
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(truth.to_string())))
    }
}

/// Reads an action line; `number` counts from 1 and is for the words of refusals.
///
/// # Errors
/// `illegal_argument_exception`, for the whole request.
pub(super) fn read(line: &[u8], number: usize) -> Result<ActionLine<'_>, Exception> {
    serde_json::from_slice(line).map_err(|error| {
        let reason = match serde_json::from_slice::<Value>(line) {
            Ok(value) => malformed(&value, number, &error),
            Err(broken) => {
                format!("Malformed action/metadata line [{number}], it is no valid JSON: {broken}")
            }
        };
        Exception::illegal_argument(reason)
    })
}

/// Says what is wrong with an action line that is JSON.
fn malformed(value: &Value, number: usize, error: &serde_json::Error) -> String {
    let line = format!("Malformed action/metadata line [{number}]");
    let Value::Object(entries) = value else {
        return format!("{line}, expected START_OBJECT but found [{}]", token(value));
    };
    let Some((action, target)) = entries.iter().next() else {
        return format!("{line}, expected FIELD_NAME but found [END_OBJECT]");
    };
    if entries.len() > 1 {
        return format!("{line}, expected END_OBJECT but found [FIELD_NAME]");
    }
    if !["create", "delete", "index", "update"].contains(&action.as_str()) {
        return format!(
            "{line}, expected field [create], [delete], [index] or [update] but found [{action}]"
        );
    }
    let Value::Object(target) = target else {
        let found = token(target);
        return format!("{line}, expected START_OBJECT or END_OBJECT but found [{found}]");
    };
    if let Some(stranger) = target.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return format!(
            "Action/metadata line [{number}] contains an unknown parameter [{stranger}]"
        );
    }
    let compound = |value: &Value| value.is_array() || value.is_object();
    let found = target.iter().find(|(key, value)| *key != "_source" && compound(value));
    match found {
        Some((key, value)) => format!(
            "{line}, expected a simple value for field [{key}] but found [{}]",
            token(value)
        ),
        None => format!("{line}, {error}"),
    }
}

/// Returns what OpenSearch's parser calls the start of a value.
pub(crate) fn token(value: &Value) -> &'static str {
    match value {
        Value::Null => "VALUE_NULL",
        Value::Bool(_) => "VALUE_BOOLEAN",
        Value::Number(_) => "VALUE_NUMBER",
        Value::String(_) => "VALUE_STRING",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(line: &str, reason: &str) {
        let refused = read(line.as_bytes(), 3).unwrap_err();
        assert_eq!(refused.reason(), reason, "{line}");
    }

    #[test]
    fn what_is_no_action_line_is_refused() {
        check_refused(
            "\"index\"",
            "Malformed action/metadata line [3], expected START_OBJECT but found [VALUE_STRING]",
        );
        check_refused(
            "{}",
            "Malformed action/metadata line [3], expected FIELD_NAME but found [END_OBJECT]",
        );
        check_refused(
            r#"{"index":[]}"#,
            "Malformed action/metadata line [3], expected START_OBJECT or END_OBJECT but found [START_ARRAY]",
        );
        check_refused(
            r#"{"put":{}}"#,
            "Malformed action/metadata line [3], expected field [create], [delete], [index] or [update] but found [put]",
        );
        check_refused(
            r#"{"index":{"_idx":"1"}}"#,
            "Action/metadata line [3] contains an unknown parameter [_idx]",
        );
        check_refused(
            r#"{"index":{"_id":["1"]}}"#,
            "Malformed action/metadata line [3], expected a simple value for field [_id] but found [START_ARRAY]",
        );
        check_refused(
            r#"{"index":{},"create":{}}"#,
            "Malformed action/metadata line [3], expected END_OBJECT but found [FIELD_NAME]",
        );
        assert!(read(b"{\"index\":{", 1).unwrap_err().reason().contains("no valid JSON"));
    }

    #[test]
    fn numbers_count_as_their_digits_and_types_are_ignored() {
        let line = br#"{"index":{"_index":"a","_type":"_doc","_id":17,"routing":null}}"#;
        let ActionLine::Index(target) = read(line, 1).unwrap() else { unreachable!() };
        assert_eq!(target.id.unwrap().0, "17");
        assert!(target.routing.is_none());
        assert!(matches!(target.index.unwrap().0, Cow::Borrowed("a")));
    }
}
