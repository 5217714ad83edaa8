//! Templates: what new indices are made from when their names match.
//!
//! The composable template with the highest priority counts alone, with its components under it.
//! Legacy templates count only when no composable one matches; a higher `order` lies over a lower one.

mod kept;

use pampero_opensearch::names::{check_index_name, matches};
use pampero_opensearch::{Exception, ExceptionKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::blueprint::{Blueprint, object_or_null};

/// A composable index template.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IndexTemplate {
    /// Which names it is for.
    pub index_patterns: Vec<String>,
    /// What it says itself.
    pub template: Option<Blueprint>,
    /// Component templates that lie under it, the lowest first.
    pub composed_of: Vec<String>,
    /// The highest one counts; `None` is 0.
    pub priority: Option<u64>,
    /// For the caller's own use.
    pub version: Option<i64>,
    /// For the caller's own use.
    pub meta: Option<Value>,
}

/// A part that composable templates are put together from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentTemplate {
    /// What it says.
    pub template: Blueprint,
    /// For the caller's own use.
    pub version: Option<i64>,
    /// For the caller's own use.
    pub meta: Option<Value>,
}

/// A template of the older kind.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LegacyTemplate {
    /// Which names it is for.
    pub index_patterns: Vec<String>,
    /// What it says.
    pub template: Blueprint,
    /// A higher one lies over a lower one.
    pub order: i64,
    /// For the caller's own use.
    pub version: Option<i64>,
}

/// What the templates make of a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    /// Settings, mappings and aliases.
    pub blueprint: Blueprint,
    /// Templates that match as well and do not count, with their patterns.
    pub overlapping: Vec<(String, Vec<String>)>,
}

impl IndexTemplate {
    /// Reads the body of a put call.
    ///
    /// # Errors
    /// A key is not known, patterns are missing, or one of the parts is wrong.
    pub fn from_json(body: &Value) -> Result<Self, Exception> {
        let mut template = Self {
            index_patterns: Vec::new(),
            template: None,
            composed_of: Vec::new(),
            priority: None,
            version: None,
            meta: None,
        };
        for (key, value) in required_object("index_template", body)? {
            match key.as_str() {
                "index_patterns" => template.index_patterns = read_texts(key, value)?,
                "template" => template.template = Some(Blueprint::of_template(value)?),
                "composed_of" => template.composed_of = read_texts(key, value)?,
                "priority" => {
                    template.priority = read_number(key, value)?
                        .map(|number| {
                            u64::try_from(number).map_err(|_| {
                                Exception::illegal_argument("index template priority must be >= 0")
                            })
                        })
                        .transpose()?;
                }
                "version" => template.version = read_number(key, value)?,
                "_meta" => template.meta = Some(value.clone()),
                "data_stream" => return Err(Exception::unsupported("template with [data_stream]")),
                _ => return Err(unknown_field("index_template", key)),
            }
        }
        require_patterns(&template.index_patterns)?;
        Ok(template)
    }

    /// Returns it as answers show it.
    pub fn to_json(&self, flat_settings: bool) -> Value {
        let mut object = Map::new();
        object.insert("index_patterns".to_owned(), json!(self.index_patterns));
        if let Some(template) = &self.template {
            object.insert("template".to_owned(), template.to_json(flat_settings));
        }
        object.insert("composed_of".to_owned(), json!(self.composed_of));
        if let Some(priority) = self.priority {
            object.insert("priority".to_owned(), priority.into());
        }
        add_version_and_meta(&mut object, self.version, self.meta.as_ref());
        Value::Object(object)
    }

    fn matches(&self, index: &str) -> bool {
        self.index_patterns.iter().any(|pattern| matches(pattern, index))
    }
}

impl ComponentTemplate {
    /// Reads the body of a put call.
    ///
    /// # Errors
    /// As [`IndexTemplate::from_json`].
    pub fn from_json(body: &Value) -> Result<Self, Exception> {
        let mut component = Self { template: Blueprint::default(), version: None, meta: None };
        let entries = required_object("component_template", body)?;
        if !entries.contains_key("template") {
            return Err(Exception::illegal_argument("Required [template]"));
        }
        for (key, value) in entries {
            match key.as_str() {
                "template" => component.template = Blueprint::of_template(value)?,
                "version" => component.version = read_number(key, value)?,
                "_meta" => component.meta = Some(value.clone()),
                _ => return Err(unknown_field("component_template", key)),
            }
        }
        Ok(component)
    }

    /// Returns it as answers show it.
    pub fn to_json(&self, flat_settings: bool) -> Value {
        let mut object = Map::new();
        object.insert("template".to_owned(), self.template.to_json(flat_settings));
        add_version_and_meta(&mut object, self.version, self.meta.as_ref());
        Value::Object(object)
    }
}

impl LegacyTemplate {
    /// Reads the body of a put call.
    ///
    /// # Errors
    /// As [`IndexTemplate::from_json`].
    pub fn from_json(body: &Value) -> Result<Self, Exception> {
        let mut template = Self {
            index_patterns: Vec::new(),
            template: Blueprint::default(),
            order: 0,
            version: None,
        };
        for (key, value) in required_object("template", body)? {
            match key.as_str() {
                // The spelling of the oldest clients.
                "index_patterns" | "template" => {
                    template.index_patterns = read_texts(key, value)?;
                }
                "order" => template.order = read_number(key, value)?.unwrap_or_default(),
                "version" => template.version = read_number(key, value)?,
                _ if template.template.set(key, value)? => {}
                _ => {
                    return Err(Exception::new(
                        ExceptionKind::Parse,
                        format!("unknown key [{key}] in the template "),
                    ));
                }
            }
        }
        require_patterns(&template.index_patterns)?;
        Ok(template)
    }

    /// Returns it as answers show it.
    pub fn to_json(&self, flat_settings: bool) -> Value {
        let mut object = Map::new();
        object.insert("order".to_owned(), self.order.into());
        if let Some(version) = self.version {
            object.insert("version".to_owned(), version.into());
        }
        object.insert("index_patterns".to_owned(), json!(self.index_patterns));
        for part in ["settings", "mappings", "aliases"] {
            object.insert(part.to_owned(), json!({}));
        }
        if let Value::Object(parts) = self.template.to_json(flat_settings) {
            object.extend(parts);
        }
        Value::Object(object)
    }

    fn matches(&self, index: &str) -> bool {
        self.index_patterns.iter().any(|pattern| matches(pattern, index))
    }
}

fn required_object<'a>(what: &str, body: &'a Value) -> Result<&'a Map<String, Value>, Exception> {
    object_or_null(&format!("[{what}]"), body)?
        .ok_or_else(|| Exception::new(ExceptionKind::Parse, "request body is required"))
}

fn unknown_field(what: &str, key: &str) -> Exception {
    Exception::new(ExceptionKind::XContentParse, format!("[1:1] [{what}] unknown field [{key}]"))
}

fn require_patterns(patterns: &[String]) -> Result<(), Exception> {
    if patterns.is_empty() {
        return Err(Exception::new(
            ExceptionKind::ActionRequestValidation,
            "Validation Failed: 1: index patterns are missing;",
        ));
    }
    for pattern in patterns {
        // A pattern follows the rules of names but for its stars.
        let plain = pattern.replace('*', "x");
        check_index_name(&plain).map_err(|cause| {
            Exception::illegal_argument(format!("index_pattern [{pattern}] is not valid"))
                .caused_by(cause)
        })?;
    }
    Ok(())
}

/// Reads a string or a list of strings.
pub(crate) fn read_texts(key: &str, value: &Value) -> Result<Vec<String>, Exception> {
    let wrong =
        || Exception::illegal_argument(format!("[{key}] must be a string or an array of strings"));
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) => {
            items.iter().map(|it| it.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

fn read_number(key: &str, value: &Value) -> Result<Option<i64>, Exception> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .map(Some)
        .ok_or_else(|| Exception::illegal_argument(format!("[{key}] must be a whole number")))
}

fn add_version_and_meta(
    object: &mut Map<String, Value>,
    version: Option<i64>,
    meta: Option<&Value>,
) {
    if let Some(version) = version {
        object.insert("version".to_owned(), version.into());
    }
    if let Some(meta) = meta {
        object.insert("_meta".to_owned(), meta.clone());
    }
}
