//! Dynamic mapping: what becomes of fields that the mapping does not know.

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value, json};

use super::glob;
use super::parameters::{class, mapper_parsing, plain};
use crate::Exception;
use crate::date::DateFormat;

/// Most dynamic templates of one mapping.
const TEMPLATES_MAX: usize = 1000;
/// Most bytes that one compiled regular expression may take.
const REGEX_BYTES_MAX: usize = 256 << 10;

/// What becomes of a field that is not mapped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Dynamic {
    /// It is mapped.
    #[default]
    True,
    /// It stays in the source only.
    False,
    /// The document is refused.
    Strict,
    /// It is mapped when a template fits it, or else the document is refused.
    StrictAllowTemplates,
    /// It is mapped when a template fits it, or else it stays in the source only.
    FalseAllowTemplates,
}

impl Dynamic {
    pub(super) fn read(value: &Value) -> Result<Self, Exception> {
        match plain(value).to_lowercase().as_str() {
            "true" => Ok(Self::True),
            "false" => Ok(Self::False),
            "strict" => Ok(Self::Strict),
            "strict_allow_templates" => Ok(Self::StrictAllowTemplates),
            "false_allow_templates" => Ok(Self::FalseAllowTemplates),
            other => Err(mapper_parsing(format!("No type found for dynamic [{other}]"))),
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Strict => "strict",
            Self::StrictAllowTemplates => "strict_allow_templates",
            Self::FalseAllowTemplates => "false_allow_templates",
        }
    }
}

/// What a new value is, for templates and for the type it becomes without one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Boolean,
    Long,
    /// A decimal number.
    Double,
    /// A decimal number found in a text.
    DoubleInText,
    /// A text in one of the formats of dates.
    Date(DateFormat),
    Text,
    Object,
}

impl Kind {
    /// Returns the spelling in `match_mapping_type`.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Long => "long",
            Self::Double | Self::DoubleInText => "double",
            Self::Date(_) => "date",
            Self::Text => "string",
            Self::Object => "object",
        }
    }

    /// Returns the type that a template means by `{dynamic_type}`.
    const fn type_name(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Long => "long",
            Self::Double => "float",
            Self::DoubleInText => "double",
            Self::Date(_) => "date",
            Self::Text => "text",
            Self::Object => "object",
        }
    }

    /// Returns what the field becomes when no template fits.
    fn definition(&self) -> Value {
        match self {
            Self::Text => json!({
                "type": "text",
                "fields": { "keyword": { "type": "keyword", "ignore_above": 256 } },
            }),
            Self::Date(format) if *format != DateFormat::default_date() => {
                json!({ "type": "date", "format": format.as_str() })
            }
            other => json!({ "type": other.type_name() }),
        }
    }
}

/// How new fields of a mapping are found out.
#[derive(Clone, Debug)]
pub(super) struct Detection {
    pub(super) templates: Vec<Template>,
    pub(super) numeric: bool,
    /// Empty when dates are not looked for.
    pub(super) date_formats: Vec<DateFormat>,
}

impl Detection {
    /// Returns the formats that are looked for when the mapping says nothing of them.
    ///
    /// Source: OpenSearch, `RootObjectMapper.Defaults.DYNAMIC_DATE_TIME_FORMATTERS`.
    pub(super) fn default_date_formats() -> Vec<DateFormat> {
        ["strict_date_optional_time||epoch_millis", "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"]
            .iter()
            .map(|spelling| DateFormat::new(spelling).expect("the default is a format"))
            .collect()
    }

    /// Tells what a text is. A text that is a number is never a date.
    pub(super) fn kind_of_text(&self, text: &str) -> Kind {
        let integer = text.parse::<i64>().is_ok();
        let decimal = integer || (!text.is_empty() && text.trim().parse::<f64>().is_ok());
        match (self.numeric, integer, decimal) {
            (true, true, _) => Kind::Long,
            (true, false, true) => Kind::DoubleInText,
            (false, _, true) => Kind::Text,
            (_, _, false) => {
                // No format of a date takes texts this long, and templates of logs are often longer.
                let short = text.len() <= 128;
                let mut formats = self.date_formats.iter().filter(|_| short);
                formats
                    .find(|format| format.read(text).is_ok())
                    .map_or(Kind::Text, |format| Kind::Date(format.clone()))
            }
        }
    }

    /// Returns the definition of a new field, or `None` when only a template would do and none fits.
    pub(super) fn definition(
        &self,
        dynamic: Dynamic,
        name: &str,
        path: &str,
        kind: &Kind,
    ) -> Option<Value> {
        let template = self.templates.iter().find(|template| template.fits(name, path, kind));
        match (template, dynamic) {
            (Some(template), _) => Some(template.definition(name, kind)),
            (None, Dynamic::True) => Some(kind.definition()),
            (None, _) => None,
        }
    }
}

/// A rule that says what fields become, by name, path and kind.
#[derive(Clone, Debug)]
pub(super) struct Template {
    name: String,
    body: Map<String, Value>,
    kind: Option<String>,
    matches: Vec<Pattern>,
    unmatches: Vec<Pattern>,
    path_matches: Vec<Pattern>,
    path_unmatches: Vec<Pattern>,
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.body == other.body
    }
}

#[derive(Clone, Debug)]
enum Pattern {
    Simple(String),
    Regex(Regex),
}

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Simple(pattern) => glob(pattern, text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

impl Template {
    /// Reads the list `dynamic_templates`.
    pub(super) fn read_all(value: &Value) -> Result<Vec<Self>, Exception> {
        let Value::Array(list) = value else {
            return Err(mapper_parsing(
                "Dynamic template syntax error. An array of named objects is expected.",
            ));
        };
        if list.len() > TEMPLATES_MAX {
            return Err(mapper_parsing(format!("more than {TEMPLATES_MAX} dynamic templates")));
        }
        list.iter().map(Self::read).collect()
    }

    fn read(value: &Value) -> Result<Self, Exception> {
        let entries = value.as_object().filter(|entries| entries.len() == 1);
        let Some((name, Value::Object(body))) = entries.and_then(|entries| entries.iter().next())
        else {
            return Err(mapper_parsing("A dynamic template must be defined with a name"));
        };
        let refuse = |reason: String| mapper_parsing(reason);
        for key in body.keys() {
            let known = [
                "match",
                "unmatch",
                "path_match",
                "path_unmatch",
                "match_mapping_type",
                "match_pattern",
                "mapping",
            ];
            if !known.contains(&key.as_str()) {
                return Err(refuse(format!(
                    "Illegal dynamic template parameter: [{key}] of template [{name}]"
                )));
            }
        }
        if !body.get("mapping").is_some_and(Value::is_object) {
            return Err(refuse(format!("template [{name}] must have a mapping that is an object")));
        }
        let regex = match body.get("match_pattern").map(plain).as_deref() {
            None | Some("simple") => false,
            Some("regex") => true,
            Some(other) => {
                return Err(refuse(format!("No matching pattern matched on [{other}]")));
            }
        };
        let kind = body.get("match_mapping_type").map(plain).filter(|kind| kind != "*");
        let kinds = ["object", "string", "long", "double", "boolean", "date", "binary"];
        if let Some(kind) = kind.as_deref().filter(|kind| !kinds.contains(kind)) {
            return Err(refuse(format!(
                "No field type matched on [{kind}], possible values are [{}]",
                kinds.join(", ")
            )));
        }
        let patterns = |key: &str| patterns(name, key, body.get(key), regex);
        let template = Self {
            kind,
            matches: patterns("match")?,
            unmatches: patterns("unmatch")?,
            path_matches: patterns("path_match")?,
            path_unmatches: patterns("path_unmatch")?,
            name: name.clone(),
            body: body.clone(),
        };
        if template.kind.is_none()
            && body.get("match_mapping_type").is_none()
            && template.matches.is_empty()
            && template.path_matches.is_empty()
        {
            return Err(refuse(format!(
                "template must have match, path_match or match_mapping_type set {}",
                plain(&Value::Object(body.clone()))
            )));
        }
        Ok(template)
    }

    pub(super) fn to_json(&self) -> Value {
        let mut shown = Map::new();
        shown.insert(self.name.clone(), Value::Object(self.body.clone()));
        Value::Object(shown)
    }

    fn fits(&self, name: &str, path: &str, kind: &Kind) -> bool {
        let any = |patterns: &[Pattern], text: &str| patterns.iter().any(|it| it.fits(text));
        self.kind.as_deref().is_none_or(|wanted| wanted == kind.as_str())
            && (self.matches.is_empty() || any(&self.matches, name))
            && (self.path_matches.is_empty() || any(&self.path_matches, path))
            && !any(&self.unmatches, name)
            && !any(&self.path_unmatches, path)
    }

    /// Fills the template's mapping with the name and the type of a new field.
    fn definition(&self, name: &str, kind: &Kind) -> Value {
        let fill = |text: &str| {
            text.replace("{name}", name)
                .replace("{dynamic_type}", kind.type_name())
                .replace("{dynamicType}", kind.type_name())
        };
        let mut filled = filled(&self.body["mapping"], &fill);
        if let (Value::Object(entries), false) = (&mut filled, *kind == Kind::Object)
            && !entries.contains_key("type")
        {
            entries.insert("type".to_owned(), kind.type_name().into());
        }
        filled
    }
}

fn filled(value: &Value, fill: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text)),
        Value::Array(values) => values.iter().map(|value| filled(value, fill)).collect(),
        Value::Object(entries) => Value::Object(
            entries.iter().map(|(key, value)| (fill(key), filled(value, fill))).collect(),
        ),
        other => other.clone(),
    }
}

/// Reads one pattern or a list of them.
fn patterns(
    template: &str,
    key: &str,
    value: Option<&Value>,
    regex: bool,
) -> Result<Vec<Pattern>, Exception> {
    let values: &[Value] = match value {
        None => &[],
        Some(Value::Array(values)) => values,
        Some(value) => std::slice::from_ref(value),
    };
    let read = |value: &Value| {
        let Some(text) = value.as_str() else {
            return Err(mapper_parsing(format!(
                "[{key}] of template [{template}] must be a text, but is a {}",
                class(value)
            )));
        };
        if !regex {
            return Ok(Pattern::Simple(text.to_owned()));
        }
        let whole = RegexBuilder::new(&format!("^(?:{text})$")).size_limit(REGEX_BYTES_MAX).build();
        whole.map(Pattern::Regex).map_err(|_| {
            mapper_parsing(format!(
                "Pattern [{text}] of type [regex] is invalid. Cannot create dynamic template [{template}]."
            ))
        })
    };
    values.iter().map(read).collect()
}
