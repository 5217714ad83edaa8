//! Whatever comes in, nothing panics; and what must hold for every mapping and every date.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pampero_opensearch::Mapping;
use pampero_opensearch::date::{DateContext, DateFormat, Rounding, millis, read_zone};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A mapping with a field of every type.
fn every_type() -> Mapping {
    let types = [
        "text",
        "keyword",
        "wildcard",
        "long",
        "integer",
        "short",
        "byte",
        "double",
        "float",
        "half_float",
        "unsigned_long",
        "boolean",
        "date",
        "date_nanos",
        "ip",
        "flat_object",
        "binary",
        "object",
        "nested",
    ];
    let field = |(number, name): (usize, &&str)| {
        (char::from(b'a' + u8::try_from(number).unwrap()).to_string(), json!({ "type": name }))
    };
    let properties: Map<String, Value> = types.iter().enumerate().map(field).collect();
    Mapping::from_json(&json!({ "properties": properties })).unwrap()
}

fn plain() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9a-z:./ -]{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::from("2026-08-21T10:00:00Z")),
        Just(Value::from("10.0.0.1")),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let names = || "[a-t]{1,2}(\\.[a-t]){0,2}";
    let value = plain().prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names(), inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(names(), value, 0..6)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()))
}

/// Bodies that look like mappings and are often ones.
fn mapping_body() -> impl Strategy<Value = Value> {
    let of = prop::sample::select(vec![
        "text",
        "keyword",
        "long",
        "date",
        "ip",
        "boolean",
        "scaled_float",
        "constant_keyword",
        "flat_object",
        "wildcard",
        "binary",
        "alias",
        "foo",
    ]);
    let parameter = prop_oneof![
        Just(("index", json!(false))),
        Just(("doc_values", json!("true"))),
        Just(("ignore_above", json!(7))),
        Just(("null_value", json!(1))),
        Just(("format", json!("yyyy-MM-dd||epoch_millis"))),
        Just(("analyzer", json!("simple"))),
        Just(("scaling_factor", json!(10))),
        Just(("value", json!("v"))),
        Just(("copy_to", json!("a"))),
        Just(("path", json!("a"))),
        Just(("fields", json!({ "raw": { "type": "keyword" } }))),
        plain().prop_map(|value| ("meta", value)),
    ];
    let leaf = (of, prop::collection::vec(parameter, 0..2)).prop_map(|(of, parameters)| {
        let mut body = Map::new();
        body.insert("type".to_owned(), of.into());
        body.extend(parameters.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Value::Object(body)
    });
    let field = leaf.prop_recursive(3, 12, 3, |inner| {
        let of = prop::sample::select(vec!["object", "nested"]);
        (of, prop::collection::btree_map("[a-e]{1,2}", inner, 0..3)).prop_map(
            |(of, fields)| json!({ "type": of, "properties": fields, "dynamic": "strict" }),
        )
    });
    (prop::collection::btree_map("[a-e](\\.[a-e])?", field, 0..4), any::<bool>())
        .prop_map(|(fields, dynamic)| json!({ "properties": fields, "dynamic": dynamic }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64), text in ".{0,64}") {
        let mapping = every_type();
        let _ = mapping.parse_document("1", &bytes);
        let _ = mapping.parse_document("1", format!("{{{text}}}").as_bytes());
    }

    #[test]
    fn a_document_adds_nothing_twice(document in document()) {
        let mut mapping = Mapping::default();
        let bytes = serde_json::to_vec(&document).unwrap();
        if let Ok(parsed) = mapping.parse_document("1", &bytes) {
            if let Some(additions) = parsed.additions {
                mapping.merge(&additions).unwrap();
            }
            if let Ok(again) = mapping.parse_document("1", &bytes) {
                prop_assert_eq!(again.additions, None);
            }
        }
        let _ = every_type().parse_document("1", &bytes);
    }

    #[test]
    fn a_mapping_survives_being_shown(body in mapping_body()) {
        if let Ok(mapping) = Mapping::from_json(&body) {
            let shown = mapping.to_json();
            let again = Mapping::from_json(&shown).unwrap();
            prop_assert_eq!(&again, &mapping);
            prop_assert_eq!(again.to_json(), shown.clone());
            let mut merged = mapping.clone();
            merged.merge(&shown).unwrap();
            prop_assert_eq!(merged, mapping);
        }
    }

    #[test]
    fn any_mapping_is_taken_or_refused(body in document()) {
        let _ = Mapping::from_json(&body);
        let _ = Mapping::from_json(&json!({ "properties": body }));
        let _ = Mapping::from_json(&json!({ "dynamic_templates": [{ "t": body }] }));
    }

    #[test]
    fn any_date_is_read_or_refused(
        pattern in "([yuYMwdDEeaGHkKhmsSAnXxZzV':. \\[\\]-]{0,10}|.{0,10})",
        text in "([0-9TZ:.+ -]{0,24}|.{0,12})",
        steps in "[-+/0-9yMwdhHms]{0,12}",
        zone in "(.{0,8}|[+-][0-9:]{0,6})",
        nanos in -377_705_023_201_000_000_000_i128..253_402_207_200_000_000_000,
    ) {
        let now = Timestamp::from_nanosecond(nanos).unwrap();
        let zone = read_zone(&zone).unwrap_or(TimeZone::UTC);
        let context = DateContext { now, zone: zone.clone() };
        for format in [DateFormat::new(&pattern).ok(), Some(DateFormat::default_date())] {
            let Some(format) = format else { continue };
            let _ = format.read(&text);
            let _ = format.write(now, &zone);
            for rounding in [Rounding::Down, Rounding::Up] {
                for text in [text.clone(), format!("now{steps}"), format!("{text}||{steps}")] {
                    let _ = format.evaluate(&text, rounding, &context);
                }
            }
        }
    }

    #[test]
    fn a_date_that_is_written_is_read_again(
        nanos in -62_167_219_200_000_000_000_i128..253_402_200_000_000_000_000,
        zone in prop::sample::select(vec!["UTC", "+05:30", "-11:00"]),
    ) {
        let instant = Timestamp::from_nanosecond(nanos).unwrap();
        let format = DateFormat::default_date().with_nanos();
        let written = format.write(instant, &read_zone(zone).unwrap());
        // The edges of the first and the last year may lie in others elsewhere, which have no dates.
        if written.starts_with(|first: char| first.is_ascii_digit()) {
            prop_assert_eq!(format.read(&written).unwrap(), instant);
            let offset = written.replace('Z', "+00:00");
            prop_assert_eq!(format.read(&offset).unwrap(), instant);
        }
        let cut = DateFormat::new("epoch_millis").unwrap().read(&millis(instant).to_string());
        prop_assert_eq!(cut.unwrap().as_nanosecond(), nanos.div_euclid(1_000_000) * 1_000_000);
    }

    #[test]
    fn rounding_keeps_the_instant_between_its_edges(
        seconds in 0_i64..4_000_000_000,
        unit in prop::sample::select(vec!['y', 'M', 'w', 'd', 'h', 'm', 's']),
        zone in prop::sample::select(vec!["UTC", "Europe/Paris", "America/Sao_Paulo", "Asia/Kolkata"]),
    ) {
        let now = Timestamp::from_second(seconds).unwrap();
        let context = DateContext { now, zone: read_zone(zone).unwrap() };
        let format = DateFormat::default_date();
        let at = |rounding| format.evaluate(&format!("now/{unit}"), rounding, &context).unwrap();
        let (down, up) = (at(Rounding::Down), at(Rounding::Up));
        prop_assert!(down <= now && now <= up);
        // The next unit begins where this one ends.
        let next = DateContext { now: up + jiff::SignedDuration::from_millis(1), ..context.clone() };
        let begins = format.evaluate(&format!("now/{unit}"), Rounding::Down, &next).unwrap();
        prop_assert_eq!(begins, next.now);
    }
}
