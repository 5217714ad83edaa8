//! `fields` and `docvalue_fields`: the values of single fields, always as arrays.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pampero_opensearch::date::DateFormat;
use pampero_opensearch::mapping::FloatKind;
use pampero_opensearch::search::FieldSelector;
use pampero_opensearch::{Exception, Field, FieldKind, Mapping};
use serde_json::{Map, Value};
use tantivy::{DocId, SegmentReader};

use super::values::{Number, NumberKind, address_text};
use super::{column, failed, order};
use crate::layout::Layout;

/// Adds the values that a source has for the selected fields; unmapped ones are left out.
pub(super) fn read_from_source(
    selectors: &[FieldSelector],
    mapping: &Mapping,
    source: &Value,
    fields: &mut Map<String, Value>,
) {
    for selector in selectors {
        for field in selected(mapping, &selector.pattern) {
            let values = source_values(mapping, field, source);
            let written: Vec<Value> = values
                .into_iter()
                .filter_map(|value| write_source_value(field, value, selector.format.as_ref()))
                .collect();
            if !written.is_empty() {
                fields.insert(field.path.to_string(), Value::Array(written));
            }
        }
    }
}

/// Returns the fields that a name or pattern means.
fn selected<'a>(mapping: &'a Mapping, pattern: &str) -> Vec<&'a Field> {
    if pattern.contains('*') {
        mapping.matching(pattern)
    } else {
        mapping.field(pattern).into_iter().collect()
    }
}

/// Returns the leaves of a source that belong to a field; a multi-field has those of its parent.
pub(super) fn source_values<'a>(
    mapping: &Mapping,
    field: &Field,
    source: &'a Value,
) -> Vec<&'a Value> {
    let mut found = Vec::new();
    gather(source, &field.path, &mut found);
    if found.is_empty()
        && let Some((parent, _)) = field.path.rsplit_once('.')
        && mapping.field(parent).is_some()
    {
        gather(source, parent, &mut found);
    }
    found
}

/// Gathers the leaves at a dotted path; dots may stand inside keys, and arrays may be anywhere.
fn gather<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| gather(value, path, found)),
        Value::Object(object) if !path.is_empty() => {
            for (key, inner) in object {
                match path.strip_prefix(key.as_str()) {
                    Some("") => gather(inner, "", found),
                    Some(rest) => {
                        if let Some(rest) = rest.strip_prefix('.') {
                            gather(inner, rest, found);
                        }
                    }
                    None => {}
                }
            }
        }
        Value::Object(_) | Value::Null => {}
        leaf if path.is_empty() => found.push(leaf),
        _ => {}
    }
}

/// Writes a leaf of the source as its field understands it; `None` when it is no value of the field.
fn write_source_value(field: &Field, value: &Value, asked: Option<&DateFormat>) -> Option<Value> {
    match &field.kind {
        FieldKind::Text { .. } => Some(Value::from(text_of(value))),
        FieldKind::Keyword { ignore_above, lowercase } => {
            let text = text_of(value);
            if ignore_above.is_some_and(|most| text.chars().count() > most) {
                return None;
            }
            Some(Value::from(if *lowercase { text.to_lowercase() } else { text }))
        }
        FieldKind::Ip => Some(Value::from(text_of(value))),
        FieldKind::Boolean => match value {
            Value::Bool(_) => Some(value.clone()),
            _ => match text_of(value).as_str() {
                "true" => Some(Value::Bool(true)),
                "false" | "" => Some(Value::Bool(false)),
                _ => None,
            },
        },
        FieldKind::Integer(_) => {
            let number = NumberKind::Long.read(value, None).or_else(|| {
                text_of(value).parse().ok().map(|it: f64| NumberKind::Long.rounded(it.trunc()))
            })?;
            Some(NumberKind::Long.write(number, false, None))
        }
        FieldKind::UnsignedLong => NumberKind::Unsigned
            .read(value, None)
            .map(|it| NumberKind::Unsigned.write(it, false, None)),
        FieldKind::Float(kind) => {
            let number = NumberKind::Double.to_f64(NumberKind::Double.read(value, None)?);
            Some(match kind {
                FloatKind::Scaled { factor } => {
                    Number::from_f64((number * factor).round() / factor)
                }
                _ => Number::from_f64(number),
            })
        }
        FieldKind::Date { format, .. } => {
            let instant = format.read(&text_of(value)).ok()?;
            Some(write_date(instant, asked.unwrap_or(format)))
        }
    }
}

fn write_date(instant: Timestamp, format: &DateFormat) -> Value {
    Value::from(format.write(instant, &TimeZone::UTC))
}

/// Returns a leaf as text, without the quotes of strings.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Adds the values that columns have for the selected fields and for a collapsed one.
///
/// # Errors
/// A field has no columns, or they cannot be read.
pub(super) fn read_from_columns(
    selectors: &[FieldSelector],
    collapsed: Option<&str>,
    mapping: &Mapping,
    reader: &SegmentReader,
    document: DocId,
    fields: &mut Map<String, Value>,
) -> Result<(), Exception> {
    for selector in selectors {
        let named = !selector.pattern.contains('*');
        for field in selected(mapping, &selector.pattern) {
            match order::column_kind(field) {
                Ok(_) => {}
                Err(refused) if named => return Err(refused),
                Err(_) => continue,
            }
            add_column(field, selector.format.as_ref(), reader, document, fields)?;
        }
    }
    match collapsed.and_then(|path| mapping.field(path)) {
        Some(field) => add_column(field, None, reader, document, fields),
        None => Ok(()),
    }
}

fn add_column(
    field: &Field,
    format: Option<&DateFormat>,
    reader: &SegmentReader,
    document: DocId,
    fields: &mut Map<String, Value>,
) -> Result<(), Exception> {
    let values = match NumberKind::of(&field.kind) {
        Some(kind) => number_values(field, kind, format, reader, document)?,
        None => string_values(field, reader, document)?,
    };
    if !values.is_empty() {
        fields.insert(field.path.to_string(), Value::Array(values));
    }
    Ok(())
}

fn number_values(
    field: &Field,
    kind: NumberKind,
    asked: Option<&DateFormat>,
    reader: &SegmentReader,
    document: DocId,
) -> Result<Vec<Value>, Exception> {
    let name = format!("{}.{}", Layout::NUMBERS, field.path);
    let Some(column) = column::open_numbers(reader, &name, kind)? else {
        return Ok(Vec::new());
    };
    let mut numbers: Vec<u64> = column.values_for_doc(document).collect();
    numbers.sort_unstable();
    let write = |number| match &field.kind {
        FieldKind::Boolean => Value::Bool(number != 0),
        FieldKind::Date { format, .. } => kind
            .timestamp(number)
            .map_or(Value::Null, |instant| write_date(instant, asked.unwrap_or(format))),
        _ => kind.write(number, false, None),
    };
    Ok(numbers.into_iter().map(write).collect())
}

fn string_values(
    field: &Field,
    reader: &SegmentReader,
    document: DocId,
) -> Result<Vec<Value>, Exception> {
    let name = format!("{}.{}", Layout::KEYWORDS, field.path);
    let Some(strings) = reader.fast_fields().str(&name).map_err(failed)? else {
        return Ok(Vec::new());
    };
    let mut ordinals: Vec<u64> = strings.term_ords(document).collect();
    ordinals.sort_unstable();
    ordinals.dedup();
    let mut values = Vec::new();
    let mut text = String::new();
    for ordinal in ordinals {
        strings.ord_to_str(ordinal, &mut text).map_err(failed)?;
        let shown = if field.kind == FieldKind::Ip { address_text(&text) } else { text.clone() };
        values.push(Value::from(shown));
    }
    Ok(values)
}
