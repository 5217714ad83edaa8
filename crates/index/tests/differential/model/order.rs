//! The order of hits and the values that a hit is sorted by.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::values::{Datum, Kind, address_text, data, datum, kind};
use crate::documents::Document;

/// One sort key of a request.
struct Key<'a> {
    field: &'a str,
    kind: Kind,
    descending: bool,
    mode: &'a str,
    missing: &'a Value,
}

/// What a document is sorted by: a value, or the lack of one.
#[derive(Clone)]
enum Place {
    First,
    At(Datum),
    Last,
}

impl<'a> Key<'a> {
    fn read(value: &'a Value) -> Self {
        let (field, options) = match value {
            Value::String(field) => (field.as_str(), &Value::Null),
            value => {
                let (field, options) = value.as_object().unwrap().iter().next().unwrap();
                (field.as_str(), options)
            }
        };
        let direction = options.as_str().or(options["order"].as_str());
        let descending = direction == Some("desc");
        let mode = options["mode"].as_str().unwrap_or(if descending { "max" } else { "min" });
        Self {
            field,
            kind: kind(field).unwrap_or(Kind::Keyword(usize::MAX)),
            descending,
            mode,
            missing: &options["missing"],
        }
    }

    fn place(&self, document: &Document) -> Place {
        if self.field == "_id" {
            return Place::At(Datum::Word(document.id.clone()));
        }
        match one_of(&data(document, self.field), self.mode, self.kind) {
            Some(value) => Place::At(value),
            None => match self.missing {
                Value::Null => Place::Last,
                Value::String(end) if end == "_last" => Place::Last,
                Value::String(end) if end == "_first" => Place::First,
                value => Place::At(datum(self.kind, value).unwrap()),
            },
        }
    }

    fn compare(&self, one: &Place, other: &Place) -> Ordering {
        let rank = |place: &Place| match place {
            Place::First => 0,
            Place::At(_) => 1,
            Place::Last => 2,
        };
        match (one, other) {
            (Place::At(one), Place::At(other)) if self.descending => other.compare(one),
            (Place::At(one), Place::At(other)) => one.compare(other),
            _ => rank(one).cmp(&rank(other)),
        }
    }

    /// Writes a value as hits show it; the lack of a number is the end of its range.
    fn write(&self, place: &Place) -> Value {
        let is_highest = matches!(place, Place::Last) != self.descending;
        match (place, self.kind) {
            (Place::At(Datum::Number(number)), Kind::Double) => json!(number),
            (Place::At(Datum::Number(number)), _) => json!(*number as i64),
            (Place::At(Datum::Word(word)), _) => json!(word),
            (Place::At(Datum::Address(bits)), _) => json!(address_text(*bits)),
            (_, Kind::Double) => json!(if is_highest { "Infinity" } else { "-Infinity" }),
            (_, Kind::Long | Kind::Date | Kind::Boolean) => {
                json!(if is_highest { i64::MAX } else { i64::MIN })
            }
            (_, Kind::Text | Kind::Keyword(_) | Kind::Ip) => Value::Null,
        }
    }
}

/// Makes one value of several.
fn one_of(data: &[Datum], mode: &str, kind: Kind) -> Option<Datum> {
    let (first, last) = (data.first()?, data.last()?);
    let numbers = || data.iter().map(Datum::number);
    let count = data.len();
    let number = match mode {
        "min" => return Some(first.clone()),
        "max" => return Some(last.clone()),
        "sum" => numbers().sum::<f64>(),
        "avg" => numbers().sum::<f64>() / count as f64,
        _ if count % 2 == 1 => return Some(data[count / 2].clone()),
        _ => f64::midpoint(data[count / 2 - 1].number(), data[count / 2].number()),
    };
    // Java rounds halves up, towards the higher number.
    let is_whole = kind != Kind::Double;
    Some(Datum::Number(if is_whole { (number + 0.5).floor() } else { number }))
}

/// Sorts documents and returns each with its sort values; the last key has to be unique.
pub(crate) fn sorted<'a>(
    documents: &[&'a Document],
    sort: &Value,
) -> Vec<(&'a Document, Vec<Value>)> {
    let keys: Vec<Key<'_>> = sort.as_array().unwrap().iter().map(Key::read).collect();
    let mut placed: Vec<(&Document, Vec<Place>)> = documents
        .iter()
        .map(|document| (*document, keys.iter().map(|key| key.place(document)).collect()))
        .collect();
    placed.sort_by(|(_, one), (_, other)| {
        let orders = keys.iter().zip(one.iter().zip(other));
        orders.fold(Ordering::Equal, |order, (key, (one, other))| {
            order.then_with(|| key.compare(one, other))
        })
    });
    placed
        .into_iter()
        .map(|(document, places)| {
            let values = keys.iter().zip(&places).map(|(key, place)| key.write(place)).collect();
            (document, values)
        })
        .collect()
}
