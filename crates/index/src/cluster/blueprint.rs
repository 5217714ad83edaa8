//! What an index is made from: settings, mappings and aliases, laid over one another.

use std::collections::BTreeMap;

use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::aliases::{Alias, check_new_alias};
use super::settings::{check_new, flatten_index_settings, nest_settings};

/// Settings, mappings and aliases of a create-index body or a template; `None` where nothing is said.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// Flat settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Map<String, Value>>,
    /// The value of `mappings`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mappings: Option<Value>,
    /// Aliases by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aliases: Option<BTreeMap<String, Alias>>,
}

impl Blueprint {
    /// Reads a create-index body; `null` is an empty one.
    ///
    /// # Errors
    /// A key is not known, or one of the parts is wrong.
    pub fn from_json(body: &Value) -> Result<Self, Exception> {
        let mut blueprint = Self::default();
        let Some(entries) = object_or_null("the body of a create index request", body)? else {
            return Ok(blueprint);
        };
        for (key, value) in entries {
            if !blueprint.set(key, value)? {
                return Err(Exception::new(
                    ExceptionKind::Parse,
                    format!("unknown key [{key}] for create index"),
                ));
            }
        }
        Ok(blueprint)
    }

    /// Reads the value of `template` in a template.
    ///
    /// # Errors
    /// As [`Blueprint::from_json`].
    pub(crate) fn of_template(body: &Value) -> Result<Self, Exception> {
        let mut blueprint = Self::default();
        for (key, value) in object_or_null("[template]", body)?.into_iter().flatten() {
            if !blueprint.set(key, value)? {
                return Err(Exception::new(
                    ExceptionKind::XContentParse,
                    format!("[1:1] [template] unknown field [{key}]"),
                ));
            }
        }
        Ok(blueprint)
    }

    /// Takes one entry of a body; tells whether it is one of the three.
    pub(crate) fn set(&mut self, key: &str, value: &Value) -> Result<bool, Exception> {
        match key {
            "settings" => {
                let settings = flatten_index_settings(value)?;
                check_new(&settings)?;
                self.settings = Some(settings);
            }
            "mappings" => {
                self.mappings = Some(read_mappings(value)?);
            }
            "aliases" => {
                let mut aliases = BTreeMap::new();
                for (name, body) in object_or_null("[aliases]", value)?.into_iter().flatten() {
                    check_new_alias(name)?;
                    aliases.insert(name.clone(), Alias::from_json(name, body)?);
                }
                self.aliases = Some(aliases);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Lays another one over this one: where both say something, the other one counts.
    pub(crate) fn lay_over(&mut self, other: &Self) {
        if let Some(settings) = &other.settings {
            self.settings.get_or_insert_default().extend(settings.clone());
        }
        if let Some(mappings) = &other.mappings {
            merge_mappings(self.mappings.get_or_insert_with(|| json!({})), mappings);
        }
        if let Some(aliases) = &other.aliases {
            self.aliases.get_or_insert_default().extend(aliases.clone());
        }
    }

    /// Returns it as templates show it.
    pub fn to_json(&self, flat_settings: bool) -> Value {
        let mut object = Map::new();
        if let Some(settings) = &self.settings {
            let shown =
                if flat_settings { settings.clone().into() } else { nest_settings(settings) };
            object.insert("settings".to_owned(), shown);
        }
        if let Some(mappings) = &self.mappings {
            object.insert("mappings".to_owned(), mappings.clone());
        }
        if let Some(aliases) = &self.aliases {
            let shown: Map<String, Value> =
                aliases.iter().map(|(name, alias)| (name.clone(), alias.to_json())).collect();
            object.insert("aliases".to_owned(), shown.into());
        }
        Value::Object(object)
    }
}

/// Returns the entries of an object, or `None` for `null`.
pub(crate) fn object_or_null<'a>(
    what: &str,
    value: &'a Value,
) -> Result<Option<&'a Map<String, Value>>, Exception> {
    match value {
        Value::Null => Ok(None),
        Value::Object(entries) => Ok(Some(entries)),
        _ => Err(Exception::new(ExceptionKind::Parse, format!("{what} must be an object"))),
    }
}

fn read_mappings(value: &Value) -> Result<Value, Exception> {
    let entries = object_or_null("[mappings]", value)?;
    let Some(entries) = entries else { return Ok(json!({})) };
    if entries.len() == 1 && entries.contains_key("_doc") {
        return Err(Exception::illegal_argument(
            "The mapping definition cannot be nested under a type [_doc] unless include_type_name is set to true.",
        ));
    }
    // How many fields there may be is known when the settings are put together.
    Mapping::from_json_with(value, usize::MAX)?;
    Ok(value.clone())
}

/// Lays mappings over others: objects of properties are merged, a field that both define is replaced,
/// dynamic templates replace those of the same name and come behind the others.
fn merge_mappings(base: &mut Value, over: &Value) {
    let (Some(base), Some(over)) = (base.as_object_mut(), over.as_object()) else { return };
    for (key, value) in over {
        match (key.as_str(), base.get_mut(key)) {
            ("properties", Some(Value::Object(fields))) => merge_properties(fields, value),
            ("dynamic_templates", Some(Value::Array(templates))) => {
                merge_dynamic_templates(templates, value);
            }
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

fn merge_properties(base: &mut Map<String, Value>, over: &Value) {
    for (name, field) in over.as_object().into_iter().flatten() {
        match base.get_mut(name) {
            Some(known)
                if known.get("properties").is_some() && field.get("properties").is_some() =>
            {
                merge_mappings(known, field);
            }
            _ => {
                base.insert(name.clone(), field.clone());
            }
        }
    }
}

fn merge_dynamic_templates(base: &mut Vec<Value>, over: &Value) {
    let name = |template: &Value| template.as_object().and_then(|it| it.keys().next().cloned());
    for template in over.as_array().into_iter().flatten() {
        match base.iter_mut().find(|known| name(known) == name(template)) {
            Some(known) => *known = template.clone(),
            None => base.push(template.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: Value, over: Value, expected: Value) {
        let mut merged = base;
        merge_mappings(&mut merged, &over);
        assert_eq!(merged, expected);
    }

    #[test]
    fn mappings_are_laid_over_one_another() {
        check(
            json!({ "dynamic": true, "properties": { "a": { "type": "text", "index": false } } }),
            json!({ "dynamic": "strict", "properties": { "a": { "type": "long" }, "b": { "type": "ip" } } }),
            json!({ "dynamic": "strict",
                "properties": { "a": { "type": "long" }, "b": { "type": "ip" } } }),
        );
        check(
            json!({ "properties": { "o": { "properties": { "x": { "type": "long" } } } } }),
            json!({ "properties": { "o": { "properties": { "y": { "type": "long" } } } } }),
            json!({ "properties": { "o": { "properties": {
                "x": { "type": "long" }, "y": { "type": "long" } } } } }),
        );
        check(
            json!({ "dynamic_templates": [{ "a": 1 }, { "b": 1 }] }),
            json!({ "dynamic_templates": [{ "b": 2 }, { "c": 2 }] }),
            json!({ "dynamic_templates": [{ "a": 1 }, { "b": 2 }, { "c": 2 }] }),
        );
    }
}
