//! Sources: what a field is in the indices that have it, and how its values are read and written.

use jiff::tz::TimeZone;
use pampero_opensearch::aggregation::ValuesSource;
use pampero_opensearch::date::DateFormat;
use pampero_opensearch::{Exception, Field, FieldKind};
use serde_json::Value;

use super::format::{DecimalPattern, KeyFormat};
use super::keys::{Key, KeyType, Shape};
use super::plan::Planner;
use super::rounding::Rounding;

/// The values of a field, as they are collected.
#[derive(Debug)]
pub(super) struct Source {
    /// The path of the field.
    pub(super) field: String,
    /// How values become keys.
    pub(super) shape: Shape,
    /// Of which type the keys are.
    pub(super) key_type: KeyType,
    /// The key of documents without a value.
    pub(super) missing: Option<Key>,
    /// How keys and values are written.
    pub(super) format: KeyFormat,
    /// The format in which dates of the request are read.
    pub(super) date_format: Option<DateFormat>,
    /// Whether no index has the field.
    pub(super) unmapped: bool,
}

impl Source {
    /// Returns the number that a document without a value counts as.
    pub(super) fn missing_number(&self) -> Option<f64> {
        self.missing.as_ref().and_then(Key::as_f64)
    }
}

/// What a field is in the indices that have it.
#[derive(Clone, Debug)]
enum FieldClass {
    Unmapped,
    Text,
    Ip,
    Integer,
    Unsigned,
    Float,
    Boolean,
    Date(DateFormat),
}

impl Planner<'_> {
    /// Finds out what a field is, and how its values are read and written.
    pub(super) fn source(
        &self,
        request: &ValuesSource,
        aggregation: &str,
        wanted: Wanted,
    ) -> Result<Source, Exception> {
        let class = self.class(&request.field, aggregation, wanted)?;
        let key_type = match &class {
            FieldClass::Text | FieldClass::Ip => KeyType::Text,
            FieldClass::Unsigned => KeyType::Unsigned,
            FieldClass::Float => KeyType::Float,
            FieldClass::Unmapped => unmapped_type(request.missing.as_ref(), wanted),
            FieldClass::Integer | FieldClass::Boolean | FieldClass::Date(_) => KeyType::Integer,
        };
        let date_format = match (&class, wanted, &request.format) {
            (FieldClass::Date(_), _, Some(own)) | (_, Wanted::Date, Some(own)) => {
                Some(DateFormat::new(own)?)
            }
            (FieldClass::Date(format), _, None) => Some(format.clone()),
            (_, Wanted::Date, None) => Some(DateFormat::default_date()),
            _ => None,
        };
        let format = match (&date_format, &class, &request.format) {
            (Some(format), ..) => KeyFormat::Date { format: format.clone(), zone: TimeZone::UTC },
            (None, FieldClass::Boolean, _) => KeyFormat::Boolean,
            (None, FieldClass::Ip, _) => KeyFormat::Ip,
            (None, FieldClass::Text, Some(format)) => {
                return Err(Exception::unsupported(format_args!(
                    "[format] [{format}] for strings in aggregation [{aggregation}]"
                )));
            }
            (None, _, Some(pattern)) => KeyFormat::Decimal(DecimalPattern::new(pattern)?),
            (None, _, None) => KeyFormat::Plain,
        };
        let unmapped = matches!(class, FieldClass::Unmapped);
        let mut source = Source {
            field: request.field.clone(),
            shape: Shape::Value,
            key_type,
            missing: None,
            format,
            date_format,
            unmapped,
        };
        if let Some(value) = &request.missing {
            source.missing = Some(source.key(value)?);
        }
        Ok(source)
    }

    fn class(
        &self,
        path: &str,
        aggregation: &str,
        wanted: Wanted,
    ) -> Result<FieldClass, Exception> {
        if matches!(path, "_id" | "_index" | "_seq_no" | "_version" | "_routing" | "_source") {
            return Err(Exception::unsupported(format_args!(
                "[{path}] in aggregation [{aggregation}]"
            )));
        }
        let mut class = FieldClass::Unmapped;
        for part in self.parts {
            let Some(field) = part.snapshot.mapping.field(path) else { continue };
            class = class.with(field_class(field, aggregation, wanted)?, path)?;
        }
        Ok(class)
    }
}

/// Which fields an aggregation takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    /// All but text.
    Any,
    /// Numbers, dates and booleans.
    Number,
    /// The same, taken as instants.
    Date,
}

impl Source {
    pub(super) fn set_histogram(&mut self, interval: f64, offset: f64) {
        self.shape = Shape::Number { interval, offset };
        self.key_type = KeyType::Float;
        if let Some(value) = self.missing_number() {
            let number = ((value - offset) / interval).floor();
            self.missing = Some(Key::float(number * interval + offset));
        }
    }

    pub(super) fn set_rounding(&mut self, rounding: Rounding) {
        if let KeyFormat::Date { zone, .. } = &mut self.format {
            *zone = rounding.zone().clone();
        }
        if let Some(value) = self.missing_number() {
            self.missing = Some(Key::Integer(rounding.round(value as i64)));
        }
        self.key_type = KeyType::Integer;
        self.shape = Shape::Time(rounding);
    }

    /// Reads a value of a request as a key of this source.
    ///
    /// # Errors
    /// It does not fit the field.
    pub(super) fn key(&self, value: &Value) -> Result<Key, Exception> {
        let text = match value {
            Value::Null => return Ok(Key::Null),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let unread = || {
            Exception::illegal_argument(format!("failed to parse [{text}] for [{}]", self.field))
        };
        if let Some(format) = &self.date_format {
            return match (value, self.key_type) {
                (Value::Number(number), _) => {
                    Ok(Key::Integer(number.as_f64().ok_or_else(unread)? as i64))
                }
                _ => Ok(Key::Integer(format.read(&text)?.as_millisecond())),
            };
        }
        if matches!(self.format, KeyFormat::Boolean) {
            return match text.as_str() {
                "true" | "1" | "1.0" => Ok(Key::Integer(1)),
                "false" | "0" | "0.0" => Ok(Key::Integer(0)),
                _ => Err(unread()),
            };
        }
        match self.key_type {
            KeyType::Text if matches!(self.format, KeyFormat::Ip) => {
                let address: std::net::IpAddr = text.parse().map_err(|_| unread())?;
                let bits = match address {
                    std::net::IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
                    std::net::IpAddr::V6(address) => address.to_bits(),
                };
                Ok(Key::Text(format!("{bits:032x}").into()))
            }
            KeyType::Text => Ok(Key::Text(text.into())),
            KeyType::Float => text.parse().map(Key::float).map_err(|_| unread()),
            KeyType::Unsigned => text.parse().map(Key::Unsigned).map_err(|_| unread()),
            KeyType::Integer => match text.parse() {
                Ok(number) => Ok(Key::Integer(number)),
                Err(_) => text.parse().map(|it: f64| Key::Integer(it as i64)).map_err(|_| unread()),
            },
        }
    }
}

impl FieldClass {
    /// Joins what a field is in two indices.
    fn with(self, other: Self, path: &str) -> Result<Self, Exception> {
        use FieldClass::{Boolean, Date, Float, Integer, Ip, Text, Unmapped, Unsigned};
        Ok(match (self, other) {
            (Unmapped, other) => other,
            (Text, Text) => Text,
            (Ip, Ip) => Ip,
            (Integer, Integer) => Integer,
            (Unsigned, Unsigned) => Unsigned,
            (Boolean, Boolean) => Boolean,
            (Date(format), Date(_)) => Date(format),
            (Integer | Unsigned | Float, Integer | Unsigned | Float) => Float,
            _ => {
                return Err(Exception::illegal_argument(format!(
                    "the field [{path}] is of types in these indices that cannot be aggregated \
                     together"
                )));
            }
        })
    }
}

fn unmapped_type(missing: Option<&Value>, wanted: Wanted) -> KeyType {
    match (wanted, missing) {
        (Wanted::Date, _) => KeyType::Integer,
        (Wanted::Number, _) => KeyType::Float,
        (Wanted::Any, Some(Value::Number(number))) if number.is_i64() => KeyType::Integer,
        (Wanted::Any, Some(Value::Number(_))) => KeyType::Float,
        _ => KeyType::Text,
    }
}

fn field_class(field: &Field, aggregation: &str, wanted: Wanted) -> Result<FieldClass, Exception> {
    let path = &field.path;
    let class = match &field.kind {
        FieldKind::Text { .. } => {
            return Err(Exception::illegal_argument(format!(
                "Text fields are not optimised for operations that require per-document field data \
                 like aggregations and sorting, so these operations are disabled by default. Please \
                 use a keyword field instead. Alternatively, set fielddata=true on [{path}] in order \
                 to load field data by uninverting the inverted index. Note that this can use \
                 significant memory."
            )));
        }
        FieldKind::Keyword { .. } => FieldClass::Text,
        FieldKind::Ip => FieldClass::Ip,
        FieldKind::Integer(_) => FieldClass::Integer,
        FieldKind::UnsignedLong => FieldClass::Unsigned,
        FieldKind::Float(_) => FieldClass::Float,
        FieldKind::Boolean => FieldClass::Boolean,
        FieldKind::Date { format, .. } => FieldClass::Date(format.clone()),
    };
    let kind = field.type_name;
    if !field.doc_values {
        return Err(Exception::illegal_argument(format!(
            "Can't load fielddata on [{path}] because fielddata is unsupported on fields of type \
             [{kind}]. Use doc values instead."
        )));
    }
    let is_number = !matches!(class, FieldClass::Text | FieldClass::Ip);
    if wanted != Wanted::Any && !is_number {
        return Err(Exception::illegal_argument(format!(
            "Field [{path}] of type [{kind}] is not supported for aggregation [{aggregation}]"
        )));
    }
    Ok(class)
}
