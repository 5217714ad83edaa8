//! Mappings as they are written: the tree of objects and fields with what was said of each.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::dynamic::{Dynamic, Template};
use super::parameters::{FieldType, boolean, class, mapper_parsing, plain};
use crate::Exception;
use crate::date::DateFormat;

/// The whole mapping.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Root {
    pub(super) object: Object,
    pub(super) templates: Option<Vec<Template>>,
    pub(super) date_detection: Option<bool>,
    pub(super) numeric_detection: Option<bool>,
    pub(super) date_formats: Option<Vec<DateFormat>>,
    /// `_meta`, `_routing`, `_source`, as they were given.
    pub(super) metadata: Map<String, Value>,
}

/// An object with its properties.
#[derive(Clone, Debug, Default)]
pub(super) struct Object {
    pub(super) nested: bool,
    /// Whether the body said `object`, which does not fit what is nested already.
    pub(super) plain: bool,
    pub(super) enabled: Option<bool>,
    pub(super) dynamic: Option<Dynamic>,
    /// Other parameters, which have no meaning here.
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) properties: BTreeMap<String, Definition>,
}

impl PartialEq for Object {
    /// Compares what is shown; whether an object was called one makes no difference.
    fn eq(&self, other: &Self) -> bool {
        self.nested == other.nested
            && self.enabled == other.enabled
            && self.dynamic == other.dynamic
            && self.parameters == other.parameters
            && self.properties == other.properties
    }
}

/// What a name in `properties` stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Definition {
    Object(Object),
    Leaf(Leaf),
    /// Another name of the field with this path.
    Alias(String),
}

/// A field with values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    pub(super) of: FieldType,
    /// What was said, in the form in which it is shown.
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) fields: BTreeMap<String, Self>,
}

impl Root {
    /// Reads the body of a put-mapping call.
    pub(super) fn read(mappings: &Map<String, Value>) -> Result<Self, Exception> {
        let mut root = Self::default();
        let mut unknown = Vec::new();
        for (key, value) in mappings {
            match key.as_str() {
                "dynamic_templates" => root.templates = Some(Template::read_all(value)?),
                "date_detection" => root.date_detection = Some(boolean(value)?),
                "numeric_detection" => root.numeric_detection = Some(boolean(value)?),
                "dynamic_date_formats" => root.date_formats = Some(date_formats(value)?),
                "_meta" | "_routing" | "_source" | "_field_names" | "_size" => {
                    root.metadata.insert(key.clone(), metadata(key, value)?);
                }
                _ => {
                    if !root.object.take(key, value, "_doc", 1)? {
                        unknown.push(format!(" [{key} : {}]", plain(value)));
                    }
                }
            }
        }
        if unknown.is_empty() {
            return Ok(root);
        }
        Err(mapper_parsing(format!(
            "Root mapping definition has unsupported parameters: {}",
            unknown.join("")
        )))
    }

    /// Returns the mapping as it is shown.
    pub(super) fn to_json(&self) -> Value {
        let mut shown = self.object.to_map();
        if let Some(templates) = &self.templates {
            let list = templates.iter().map(Template::to_json).collect();
            shown.insert("dynamic_templates".to_owned(), Value::Array(list));
        }
        if let Some(detection) = self.date_detection {
            shown.insert("date_detection".to_owned(), detection.into());
        }
        if let Some(detection) = self.numeric_detection {
            shown.insert("numeric_detection".to_owned(), detection.into());
        }
        if let Some(formats) = &self.date_formats {
            let list = formats.iter().map(|format| Value::from(format.as_str())).collect();
            shown.insert("dynamic_date_formats".to_owned(), Value::Array(list));
        }
        shown.extend(self.metadata.clone());
        Value::Object(shown)
    }
}

fn date_formats(value: &Value) -> Result<Vec<DateFormat>, Exception> {
    let texts: Vec<&Value> = match value {
        Value::Array(values) => values.iter().collect(),
        other => vec![other],
    };
    let read = |text: &Value| match text.as_str() {
        // The value `none` switches detection off.
        Some("none") => Ok(None),
        Some(spelling) => DateFormat::new(spelling).map(Some),
        None => Err(mapper_parsing("Invalid format: [dynamic_date_formats] takes texts")),
    };
    texts.into_iter().filter_map(|text| read(text).transpose()).collect()
}

/// Checks a root object such as `_source`; the source is always kept whole, so anything that takes
/// from it is refused.
fn metadata(name: &str, value: &Value) -> Result<Value, Exception> {
    let Value::Object(entries) = value else {
        return Err(mapper_parsing(format!(
            "[{name}] must be an object, got {}[{}]",
            class(value),
            plain(value)
        )));
    };
    if name == "_source" {
        for (key, value) in entries {
            let harmless = match key.as_str() {
                "enabled" | "recovery_source_enabled" => boolean(value)?,
                "includes" | "excludes" => value.as_array().is_some_and(Vec::is_empty),
                _ => {
                    return Err(mapper_parsing(format!(
                        "unknown parameter [{key}] on metadata field [_source]"
                    )));
                }
            };
            if !harmless {
                let what = format!("mapping parameter [_source.{key}] = [{}]", plain(value));
                let cause = Exception::unsupported(what);
                return Err(mapper_parsing(cause.reason().to_owned()));
            }
        }
    }
    if name == "_routing"
        && let Some(required) = entries.get("required")
    {
        boolean(required)?;
    }
    Ok(value.clone())
}

impl Object {
    /// Reads one key of an object's body; `false` when no object knows it.
    fn take(
        &mut self,
        key: &str,
        value: &Value,
        name: &str,
        depth: usize,
    ) -> Result<bool, Exception> {
        match key {
            "dynamic" => self.dynamic = Some(Dynamic::read(value)?),
            "enabled" => self.enabled = Some(boolean(value)?),
            "type" if value == "object" => self.plain = true,
            "type" if value == "nested" => self.nested = true,
            "include_in_parent" | "include_in_root" if self.nested => {
                self.parameters.insert(key.to_owned(), boolean(value)?.into());
            }
            "properties" => match value {
                Value::Object(properties) => self.read_properties(properties, depth)?,
                // An empty list is an old spelling of no properties.
                Value::Array(list) if list.is_empty() => {}
                other => {
                    return Err(mapper_parsing(format!(
                        "Expected map for property [properties] on field [{name}] but got a class {}",
                        class(other)
                    )));
                }
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_properties(
        &mut self,
        properties: &Map<String, Value>,
        depth: usize,
    ) -> Result<(), Exception> {
        if depth > super::DEPTH_READ_MAX {
            let reason = format!("Limit of mapping depth [{}] has been exceeded", super::DEPTH_MAX);
            return Err(Exception::illegal_argument(reason));
        }
        for (name, body) in properties {
            check_name(name)?;
            let (outer, last) = match name.rsplit_once('.') {
                Some((outer, last)) => (Some(outer), last),
                None => (None, name.as_str()),
            };
            let inner = depth + name.matches('.').count() + 1;
            let definition = Definition::read(last, body, inner)?;
            let mut object = &mut *self;
            for step in outer.iter().flat_map(|path| path.split('.')) {
                object = object.step_into(step)?;
            }
            match object.properties.get_mut(last) {
                None => {
                    object.properties.insert(last.to_owned(), definition);
                }
                Some(present) => present.merge(definition, name)?,
            }
        }
        Ok(())
    }

    /// Returns the object of this name, making it when there is none.
    fn step_into(&mut self, name: &str) -> Result<&mut Self, Exception> {
        let entry = self.properties.entry(name.to_owned());
        match entry.or_insert_with(|| Definition::Object(Self::default())) {
            Definition::Object(object) => Ok(object),
            _ => Err(Exception::illegal_argument(format!(
                "can't merge a non object mapping [{name}] with an object mapping"
            ))),
        }
    }

    fn to_map(&self) -> Map<String, Value> {
        let mut shown = Map::new();
        if let Some(dynamic) = self.dynamic {
            shown.insert("dynamic".to_owned(), dynamic.as_str().into());
        }
        if let Some(enabled) = self.enabled {
            shown.insert("enabled".to_owned(), enabled.into());
        }
        shown.extend(self.parameters.clone());
        if !self.properties.is_empty() {
            let entries = self.properties.iter();
            let properties: Map<String, Value> =
                entries.map(|(name, body)| (name.clone(), body.to_json())).collect();
            shown.insert("properties".to_owned(), Value::Object(properties));
        }
        shown
    }
}

/// Refuses names that no field may have.
pub(super) fn check_name(name: &str) -> Result<(), Exception> {
    let refuse = |reason: String| Err(Exception::illegal_argument(reason));
    if name.trim().is_empty() {
        return refuse("field name cannot be an empty string".to_owned());
    }
    if name.bytes().all(|byte| byte == b'.') {
        return refuse("field name cannot contain only the character [.]".to_owned());
    }
    if name.split('.').any(|segment| segment.trim().is_empty()) {
        return refuse(format!(
            "object field starting or ending with a [.] makes object resolution ambiguous: [{name}]"
        ));
    }
    // The index separates segments with these characters.
    if name.contains(['\0', '\u{1}']) {
        return refuse(format!(
            "field name [{}] contains a control character",
            name.escape_debug()
        ));
    }
    // Each dot is an object, and objects inside one another take room on the stack.
    if name.matches('.').count() > super::DEPTH_READ_MAX {
        return refuse(super::too_deep(name));
    }
    if name.len() > super::NAME_MAX {
        return refuse(format!("field name may have at most {} bytes", super::NAME_MAX));
    }
    Ok(())
}

impl Definition {
    fn read(name: &str, body: &Value, depth: usize) -> Result<Self, Exception> {
        let Value::Object(body) = body else {
            return Err(mapper_parsing(format!(
                "Expected map for property [fields] on field [{name}] but got a class {}",
                class(body)
            )));
        };
        match body.get("type") {
            Some(Value::String(of)) if of == "object" || of == "nested" => {
                Self::read_object(name, body, depth)
            }
            Some(Value::String(of)) if of == "alias" => Self::read_alias(name, body),
            Some(Value::String(of)) => {
                let of = FieldType::from_name(of, name)?;
                Leaf::read(name, of, body, depth).map(Self::Leaf)
            }
            Some(_) => Err(mapper_parsing(format!("The type of field [{name}] must be a text"))),
            None if ["properties", "dynamic", "enabled"]
                .iter()
                .any(|key| body.contains_key(*key)) =>
            {
                Self::read_object(name, body, depth)
            }
            None if body.is_empty() => Ok(Self::Object(Object::default())),
            None => Err(mapper_parsing(format!("No type specified for field [{name}]"))),
        }
    }

    fn read_object(name: &str, body: &Map<String, Value>, depth: usize) -> Result<Self, Exception> {
        let mut object = Object {
            nested: body.get("type").is_some_and(|of| of == "nested"),
            ..Object::default()
        };
        let mut unknown = Vec::new();
        for (key, value) in body {
            if !object.take(key, value, name, depth)? {
                unknown.push(format!(" [{key} : {}]", plain(value)));
            }
        }
        if unknown.is_empty() {
            return Ok(Self::Object(object));
        }
        Err(mapper_parsing(format!(
            "Mapping definition for [{name}] has unsupported parameters: {}",
            unknown.join("")
        )))
    }

    fn read_alias(name: &str, body: &Map<String, Value>) -> Result<Self, Exception> {
        if let Some(key) = body.keys().find(|key| !matches!(key.as_str(), "type" | "path")) {
            return Err(unknown_parameter(key, name, "alias"));
        }
        match body.get("path").and_then(Value::as_str) {
            Some(path) if !path.is_empty() => Ok(Self::Alias(path.to_owned())),
            _ => Err(mapper_parsing(format!(
                "The [path] property must be specified for field [{name}]."
            ))),
        }
    }

    /// Returns the definition as it is shown.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Alias(path) => json!({ "type": "alias", "path": path }),
            Self::Leaf(leaf) => leaf.to_json(),
            Self::Object(object) => {
                let mut shown = object.to_map();
                if object.nested || object.properties.is_empty() {
                    let of = if object.nested { "nested" } else { "object" };
                    shown.insert("type".to_owned(), of.into());
                }
                Value::Object(shown)
            }
        }
    }
}

impl Leaf {
    fn read(
        name: &str,
        of: FieldType,
        body: &Map<String, Value>,
        depth: usize,
    ) -> Result<Self, Exception> {
        let mut leaf = Self { of, parameters: BTreeMap::new(), fields: BTreeMap::new() };
        for (key, value) in body {
            match key.as_str() {
                "type" => {}
                "fields" if !matches!(of, FieldType::FlatObject | FieldType::Binary) => {
                    leaf.read_fields(name, value, depth)?;
                }
                _ => {
                    let shape = of
                        .parameter(key)
                        .ok_or_else(|| unknown_parameter(key, name, of.as_str()))?;
                    leaf.parameters.insert(key.clone(), shape.read(key, name, value)?);
                }
            }
        }
        let required = match of {
            FieldType::ScaledFloat => Some("scaling_factor"),
            FieldType::ConstantKeyword => Some("value"),
            _ => None,
        };
        match required {
            Some(key) if !leaf.parameters.contains_key(key) => {
                Err(mapper_parsing(format!("Field [{name}] misses required parameter [{key}]")))
            }
            _ => Ok(leaf),
        }
    }

    fn read_fields(&mut self, name: &str, value: &Value, depth: usize) -> Result<(), Exception> {
        let Value::Object(fields) = value else {
            return Err(mapper_parsing(format!(
                "expected map for property [fields] on field [{name}] but got a class {}",
                class(value)
            )));
        };
        if depth > super::DEPTH_READ_MAX {
            return Err(mapper_parsing(format!(
                "the [fields] of field [{name}] are nested too deep"
            )));
        }
        for (key, body) in fields {
            check_name(key)?;
            if key.contains('.') {
                return Err(mapper_parsing(format!(
                    "Field name [{key}] which is a multi field of [{name}] cannot contain '.'"
                )));
            }
            match Definition::read(key, body, depth + 1)? {
                Definition::Leaf(leaf) if leaf.of != FieldType::FlatObject => {
                    self.fields.insert(key.clone(), leaf);
                }
                _ => {
                    let of = body.get("type").map_or_else(|| "object".to_owned(), plain);
                    return Err(mapper_parsing(format!(
                        "Type [{of}] cannot be used in multi field [{key}] of [{name}]"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Returns a parameter that is yes or no, or its default when nothing was said.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.parameters.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// Returns a parameter that is a text.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).and_then(Value::as_str)
    }

    /// Returns the definition as it is shown.
    pub(super) fn to_json(&self) -> Value {
        let mut shown = Map::new();
        shown.insert("type".to_owned(), self.of.as_str().into());
        shown.extend(self.parameters.clone());
        if !self.fields.is_empty() {
            let fields: Map<String, Value> =
                self.fields.iter().map(|(name, leaf)| (name.clone(), leaf.to_json())).collect();
            shown.insert("fields".to_owned(), Value::Object(fields));
        }
        Value::Object(shown)
    }
}

fn unknown_parameter(key: &str, name: &str, of: &str) -> Exception {
    mapper_parsing(format!("unknown parameter [{key}] on mapper [{name}] of type [{of}]"))
}
