//! The types of fields and the parameters that each of them takes.
//!
//! Source: OpenSearch, the `FieldMapper` of each type; documentation of field types.

use serde_json::Value;

use super::Analyzer;
use crate::date::DateFormat;
use crate::{Exception, ExceptionKind};

/// A type of leaf fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FieldType {
    Text,
    Keyword,
    Wildcard,
    ConstantKeyword,
    Long,
    Integer,
    Short,
    Byte,
    Double,
    Float,
    HalfFloat,
    ScaledFloat,
    UnsignedLong,
    Boolean,
    Date,
    DateNanos,
    Ip,
    FlatObject,
    Binary,
}

/// Types of OpenSearch that this server has not.
const UNSUPPORTED: &[&str] = &[
    "geo_point",
    "geo_shape",
    "xy_point",
    "xy_shape",
    "point",
    "shape",
    "join",
    "percolator",
    "completion",
    "search_as_you_type",
    "token_count",
    "rank_feature",
    "rank_features",
    "knn_vector",
    "sparse_vector",
    "integer_range",
    "long_range",
    "float_range",
    "double_range",
    "date_range",
    "ip_range",
    "match_only_text",
    "derived",
    "star_tree",
    "semantic",
    "murmur3",
    "annotated_text",
    "icu_collation_keyword",
    "context_aware_grouping",
    "version",
];

impl FieldType {
    const ALL: [Self; 19] = [
        Self::Text,
        Self::Keyword,
        Self::Wildcard,
        Self::ConstantKeyword,
        Self::Long,
        Self::Integer,
        Self::Short,
        Self::Byte,
        Self::Double,
        Self::Float,
        Self::HalfFloat,
        Self::ScaledFloat,
        Self::UnsignedLong,
        Self::Boolean,
        Self::Date,
        Self::DateNanos,
        Self::Ip,
        Self::FlatObject,
        Self::Binary,
    ];

    /// Returns the spelling in mappings.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Keyword => "keyword",
            Self::Wildcard => "wildcard",
            Self::ConstantKeyword => "constant_keyword",
            Self::Long => "long",
            Self::Integer => "integer",
            Self::Short => "short",
            Self::Byte => "byte",
            Self::Double => "double",
            Self::Float => "float",
            Self::HalfFloat => "half_float",
            Self::ScaledFloat => "scaled_float",
            Self::UnsignedLong => "unsigned_long",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateNanos => "date_nanos",
            Self::Ip => "ip",
            Self::FlatObject => "flat_object",
            Self::Binary => "binary",
        }
    }

    /// Reads the spelling of a type; `field` is for the words of the error.
    pub(super) fn from_name(name: &str, field: &str) -> Result<Self, Exception> {
        if let Some(found) = Self::ALL.into_iter().find(|listed| listed.as_str() == name) {
            return Ok(found);
        }
        let reason = if UNSUPPORTED.contains(&name) {
            format!("type [{name}] declared on field [{field}] is not supported by this server")
        } else {
            format!("No handler for type [{name}] declared on field [{field}]")
        };
        Err(mapper_parsing(reason))
    }

    pub(super) const fn is_number(self) -> bool {
        self.is_integer()
            || matches!(
                self,
                Self::Double
                    | Self::Float
                    | Self::HalfFloat
                    | Self::ScaledFloat
                    | Self::UnsignedLong
            )
    }

    pub(super) const fn is_integer(self) -> bool {
        matches!(self, Self::Long | Self::Integer | Self::Short | Self::Byte)
    }

    /// Returns what a parameter takes, or `None` when this type has no such parameter.
    pub(super) fn parameter(self, name: &str) -> Option<Shape> {
        let stored = !matches!(self, Self::FlatObject | Self::ConstantKeyword | Self::Wildcard);
        let indexed = stored && self != Self::Binary;
        let columns = !matches!(self, Self::Text | Self::FlatObject | Self::ConstantKeyword);
        let words = matches!(self, Self::Text | Self::Keyword);
        let numeric = self.is_number();
        let dates = matches!(self, Self::Date | Self::DateNanos);
        let malformed = numeric || dates || self == Self::Ip;
        let nullable = numeric
            || dates
            || matches!(self, Self::Keyword | Self::Wildcard | Self::Boolean | Self::Ip);
        let analyzed = self == Self::Text;
        let shape = match name {
            "index" if indexed => Shape::Boolean,
            "store" if stored => Shape::Boolean,
            "doc_values" if columns => Shape::Boolean,
            "skip_list" if numeric || dates => Shape::Boolean,
            "meta" if self != Self::FlatObject => Shape::Meta,
            "copy_to" if self != Self::FlatObject && self != Self::ConstantKeyword => Shape::Names,
            "boost" if indexed => Shape::Number,
            "ignore_malformed" if malformed => Shape::Boolean,
            "coerce" if numeric => Shape::Boolean,
            "scaling_factor" if self == Self::ScaledFloat => Shape::Factor,
            "null_value" if nullable => Shape::Scalar,
            "ignore_above" if matches!(self, Self::Keyword | Self::Wildcard) => Shape::Count,
            "normalizer" if matches!(self, Self::Keyword | Self::Wildcard) => Shape::Normalizer,
            "split_queries_on_whitespace" | "use_similarity" if self == Self::Keyword => {
                Shape::Boolean
            }
            "norms" | "eager_global_ordinals" if words => Shape::Boolean,
            "index_options" | "similarity" if words => Shape::Word,
            "analyzer" | "search_analyzer" | "search_quote_analyzer" if analyzed => Shape::Analyzer,
            "fielddata" | "index_phrases" if analyzed => Shape::Boolean,
            "fielddata_frequency_filter" | "index_prefixes" if analyzed => Shape::Any,
            "position_increment_gap" if analyzed => Shape::Count,
            "term_vector" if analyzed => Shape::Word,
            "format" if dates => Shape::Format,
            "locale" | "print_format" if dates => Shape::Word,
            "value" if self == Self::ConstantKeyword => Shape::Word,
            _ => return None,
        };
        Some(shape)
    }

    /// Tells whether a parameter may be another when a field is put again.
    ///
    /// Source: OpenSearch, `ParametrizedFieldMapper.Parameter`, its `updateable` flag.
    pub(super) fn may_change(name: &str) -> bool {
        matches!(
            name,
            "meta"
                | "copy_to"
                | "ignore_malformed"
                | "coerce"
                | "ignore_above"
                | "search_analyzer"
                | "search_quote_analyzer"
                | "eager_global_ordinals"
                | "fielddata"
                | "fielddata_frequency_filter"
                | "split_queries_on_whitespace"
                | "boost"
                | "locale"
                | "norms"
        )
    }
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    Boolean,
    /// A whole number, not negative.
    Count,
    Number,
    /// A number above zero.
    Factor,
    Word,
    /// One name or several.
    Names,
    Scalar,
    Meta,
    Analyzer,
    Normalizer,
    Format,
    Any,
}

impl Shape {
    /// Checks a value and brings it to the form in which it is shown.
    pub(super) fn read(self, name: &str, field: &str, value: &Value) -> Result<Value, Exception> {
        let refuse = |what: &str| {
            mapper_parsing(format!(
                "Failed to parse value [{}] of parameter [{name}] on field [{field}]: {what}",
                plain(value)
            ))
        };
        match self {
            Self::Boolean => boolean(value).map(Value::Bool),
            Self::Count => whole(value)
                .map(Value::from)
                .ok_or_else(|| refuse("a whole number, zero or more, is expected")),
            Self::Number => {
                decimal(value).map(Value::from).ok_or_else(|| refuse("a number is expected"))
            }
            Self::Factor => match decimal(value) {
                Some(factor) if factor > 0.0 => Ok(value.clone()),
                _ => Err(Exception::illegal_argument("[scaling_factor] must be a positive number")),
            },
            Self::Word => match value {
                Value::String(_) | Value::Bool(_) | Value::Number(_) => {
                    Ok(Value::String(plain(value)))
                }
                _ => Err(refuse("a text is expected")),
            },
            Self::Names => match value {
                Value::String(name) => Ok(Value::Array(vec![Value::String(name.clone())])),
                Value::Array(names) if names.iter().all(Value::is_string) => Ok(value.clone()),
                _ => Err(refuse("a name or a list of names is expected")),
            },
            Self::Scalar => match value {
                Value::Object(_) | Value::Array(_) => Err(refuse("a plain value is expected")),
                Value::Null => Err(mapper_parsing("Property [null_value] cannot be null.")),
                _ => Ok(value.clone()),
            },
            Self::Meta => meta(field, value),
            Self::Analyzer => match value.as_str() {
                Some("default") => Ok(Value::from(Analyzer::Standard.as_str())),
                Some(text) if Analyzer::from_name(text).is_some() => Ok(value.clone()),
                _ => Err(mapper_parsing(format!(
                    "analyzer [{}] has not been configured in mappings",
                    plain(value)
                ))),
            },
            Self::Normalizer => match value.as_str() {
                Some("lowercase" | "default") => Ok(value.clone()),
                _ => Err(mapper_parsing(format!(
                    "normalizer [{}] not found for field [{field}]",
                    plain(value)
                ))),
            },
            Self::Format => match value.as_str() {
                Some(format) => DateFormat::new(format).map(|_| value.clone()).map_err(|cause| {
                    mapper_parsing(format!(
                        "Error parsing [format] on field [{field}]: {}",
                        cause.reason()
                    ))
                    .caused_by(cause)
                }),
                None => Err(refuse("a text is expected")),
            },
            Self::Any => Ok(value.clone()),
        }
    }
}

/// Reads a boolean as settings and mappings write it.
pub(super) fn boolean(value: &Value) -> Result<bool, Exception> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" || text.is_empty() => Ok(false),
        other => Err(Exception::illegal_argument(format!(
            "Failed to parse value [{}] as only [true] or [false] are allowed.",
            plain(other)
        ))),
    }
}

fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn decimal(value: &Value) -> Option<f64> {
    let read = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    read.is_finite().then_some(read)
}

/// Checks `meta`: at most five short texts.
fn meta(field: &str, value: &Value) -> Result<Value, Exception> {
    let Value::Object(entries) = value else {
        return Err(mapper_parsing(format!(
            "[meta] must be an object, got {}[{}] for field [{field}]",
            class(value),
            plain(value)
        )));
    };
    if entries.len() > 5 {
        return Err(mapper_parsing(format!(
            "[meta] can't have more than 5 entries, but got {} on field [{field}]",
            entries.len()
        )));
    }
    for (key, value) in entries {
        let Some(text) = value.as_str() else {
            return Err(mapper_parsing(format!(
                "[meta] values can only be strings, but got {}[{}] for field [{field}]",
                class(value),
                plain(value)
            )));
        };
        if key.chars().count() > 20 || text.chars().count() > 50 {
            return Err(mapper_parsing(format!(
                "[meta] keys can't be longer than 20 chars and values can't be longer than 50 chars, \
                 but got [{key}] for field [{field}]"
            )));
        }
    }
    Ok(value.clone())
}

/// Returns the name that Java gives to the class of a JSON value.
pub(super) fn class(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "java.lang.Boolean",
        Value::Number(number) if number.is_f64() => "java.lang.Double",
        Value::Number(_) => "java.lang.Integer",
        Value::String(_) => "java.lang.String",
        Value::Array(_) => "java.util.ArrayList",
        Value::Object(_) => "java.util.HashMap",
    }
}

/// Writes a JSON value as Java's `toString` does, as in `{a=1, b=[x, y]}`.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            format!("[{}]", values.iter().map(plain).collect::<Vec<_>>().join(", "))
        }
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| format!("{key}={}", plain(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Makes a `mapper_parsing_exception`.
pub(super) fn mapper_parsing(reason: impl Into<String>) -> Exception {
    Exception::new(ExceptionKind::MapperParsing, reason)
}
