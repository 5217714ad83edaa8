//! What documents add to a mapping.

use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use serde_json::{Value, json};

fn mapping(body: &Value) -> Mapping {
    Mapping::from_json(body).unwrap()
}

/// Checks what a document adds to a mapping, as the `properties` of a put-mapping body, and that it
/// adds nothing once that is merged.
#[track_caller]
fn check(body: &Value, document: &str, expected: &Value) {
    let mut mapping = mapping(body);
    let additions = mapping.parse_document("1", document.as_bytes()).unwrap().additions;
    let expected = (!expected.is_null()).then(|| json!({ "properties": expected }));
    assert_eq!(additions, expected, "{document}");
    if let Some(additions) = additions {
        mapping.merge(&additions).unwrap();
        let parsed = mapping.parse_document("1", document.as_bytes()).unwrap();
        assert_eq!(parsed.additions, None, "{document} once it is mapped");
    }
}

fn words() -> Value {
    json!({ "type": "text", "fields": { "keyword": { "type": "keyword", "ignore_above": 256 } } })
}

#[test]
fn new_fields_become_what_their_first_value_is() {
    let none = json!({});
    let adds = |document: &str, expected: Value| check(&none, document, &expected);
    let slash = "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis";
    adds("{}", Value::Null);
    adds(r#"{"a":null,"b":[],"c":[null]}"#, Value::Null);
    adds(r#"{"a":true}"#, json!({ "a": { "type": "boolean" } }));
    adds(r#"{"a":1}"#, json!({ "a": { "type": "long" } }));
    adds(r#"{"a":1.5}"#, json!({ "a": { "type": "float" } }));
    adds(r#"{"a":"x"}"#, json!({ "a": words() }));
    adds(r#"{"a":"2024"}"#, json!({ "a": words() }));
    adds(r#"{"a":"1.5"}"#, json!({ "a": words() }));
    adds(r#"{"a":"2026-08-21"}"#, json!({ "a": { "type": "date" } }));
    adds(r#"{"a":"2026-08-21T10:00"}"#, json!({ "a": { "type": "date" } }));
    adds(r#"{"a":"2026-08-21T10:00:00.123Z"}"#, json!({ "a": { "type": "date" } }));
    adds(r#"{"a":"2026/08/21"}"#, json!({ "a": { "type": "date", "format": slash } }));
    adds(r#"{"a":"2026/08/21 10:00:00"}"#, json!({ "a": { "type": "date", "format": slash } }));
    adds(r#"{"a":"2026-08-21 10:00:00"}"#, json!({ "a": words() }));
    adds(r#"{"a":{}}"#, json!({ "a": { "type": "object" } }));
    adds(r#"{"a":[null,7]}"#, json!({ "a": { "type": "long" } }));
    adds(
        r#"{"a":[{"b":1},{"c":true}]}"#,
        json!({ "a": { "type": "object", "properties": {
            "b": { "type": "long" }, "c": { "type": "boolean" } } } }),
    );
    adds(r#"{"a.b":1}"#, json!({ "a": { "properties": { "b": { "type": "long" } } } }));
}

#[test]
fn only_what_is_missing_is_added() {
    let body = json!({ "properties": {
        "level": { "type": "keyword" },
        "host": { "type": "nested", "properties": { "name": { "type": "keyword" } } },
    } });
    check(&body, r#"{"level":"x","host":{"name":"y"}}"#, &Value::Null);
    check(
        &body,
        r#"{"level":"x","host":{"name":"y","cores":4}}"#,
        &json!({ "host": { "properties": { "cores": { "type": "long" } } } }),
    );
    check(
        &json!({ "properties": { "a": { "type": "long", "copy_to": "sum" } } }),
        r#"{"a":3}"#,
        &json!({ "sum": { "type": "long" } }),
    );
}

#[test]
fn detection_follows_the_mapping() {
    let numeric = json!({ "numeric_detection": true });
    check(
        &numeric,
        r#"{"a":"7","b":"7.5","c":"x"}"#,
        &json!({
        "a": { "type": "long" }, "b": { "type": "double" }, "c": words() }),
    );
    let no_dates = json!({ "date_detection": false });
    check(&no_dates, r#"{"a":"2026-08-21"}"#, &json!({ "a": words() }));
    let own = json!({ "dynamic_date_formats": ["dd.MM.yyyy"] });
    check(
        &own,
        r#"{"a":"21.08.2026","b":"2026-08-21"}"#,
        &json!({
        "a": { "type": "date", "format": "dd.MM.yyyy" }, "b": words() }),
    );
}

/// Checks that a document is refused with `strict_dynamic_mapping_exception`.
#[track_caller]
fn refused(body: &Value, document: &str, dynamic: &str, name: &str, within: &str) {
    let error = mapping(body).parse_document("1", document.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ExceptionKind::StrictDynamicMapping);
    assert_eq!(
        error.reason(),
        format!(
            "mapping set to {dynamic}, dynamic introduction of [{name}] within [{within}] is not allowed"
        )
    );
}

#[test]
fn dynamic_says_what_becomes_of_new_fields() {
    let properties = json!({
        "known": { "type": "long" },
        "free": { "dynamic": true, "properties": {} },
        "inner": { "properties": { "deep": { "type": "object" } } },
    });
    let with = |dynamic: &str| json!({ "dynamic": dynamic, "properties": properties });
    let document = r#"{"known":1,"room":"x","more":{"a":1}}"#;
    check(&with("false"), document, &Value::Null);
    refused(&with("strict"), document, "strict", "room", "_doc");
    refused(&with("strict"), r#"{"room":null}"#, "strict", "room", "_doc");
    refused(&with("strict"), r#"{"a.b":1}"#, "strict", "a", "_doc");
    refused(&with("strict"), r#"{"inner":{"deep":{"x":1}}}"#, "strict", "x", "inner.deep");
    check(
        &with("strict"),
        r#"{"known":1,"free":{"a":1}}"#,
        &json!({
        "free": { "properties": { "a": { "type": "long" } } } }),
    );
    let templated = |dynamic: &str| {
        json!({
            "dynamic": dynamic,
            "dynamic_templates": [{ "ids": { "match": "*_id", "mapping": { "type": "keyword" } } }],
        })
    };
    let ids = json!({ "user_id": { "type": "keyword" } });
    check(&templated("false"), r#"{"user_id":"1","room":"x"}"#, &Value::Null);
    refused(&templated("strict"), r#"{"user_id":"1"}"#, "strict", "user_id", "_doc");
    check(&templated("false_allow_templates"), r#"{"user_id":"1","room":"x"}"#, &ids);
    check(&templated("strict_allow_templates"), r#"{"user_id":"1"}"#, &ids);
    let strict = templated("strict_allow_templates");
    refused(&strict, r#"{"user_id":"1","room":"x"}"#, "strict_allow_templates", "room", "_doc");
}

#[test]
fn templates_are_tried_in_order() {
    let body = json!({ "dynamic_templates": [
        { "addresses": { "match": "ip_*", "unmatch": "ip_text", "mapping": { "type": "ip" } } },
        { "hosts": { "path_match": "host.*", "path_unmatch": "*.raw", "match_mapping_type": "string",
            "mapping": { "type": "keyword", "meta": { "from": "{name}" } } } },
        { "counts": { "match_pattern": "regex", "match": "^n[0-9]+$", "mapping": { "type": "integer" } } },
        { "closed": { "match": "payload", "match_mapping_type": "object", "mapping": { "enabled": false } } },
        { "still": { "match": "still", "match_mapping_type": "object", "mapping": { "dynamic": "false" } } },
        { "flat": { "match": "labels", "match_mapping_type": "object", "mapping": { "type": "flat_object" } } },
        { "kinds": { "match_mapping_type": "*", "path_match": "typed.*",
            "mapping": { "type": "{dynamic_type}", "store": true } } },
        { "plain": { "match_mapping_type": "double", "mapping": { "coerce": false } } },
    ] });
    let adds = |document: &str, expected: Value| check(&body, document, &expected);
    adds(r#"{"ip_a":"10.0.0.1"}"#, json!({ "ip_a": { "type": "ip" } }));
    adds(r#"{"ip_text":"10.0.0.1"}"#, json!({ "ip_text": words() }));
    adds(
        r#"{"host":{"name":"a"}}"#,
        json!({ "host": { "type": "object", "properties": {
        "name": { "type": "keyword", "meta": { "from": "name" } } } } }),
    );
    adds(
        r#"{"host":{"raw":"a"}}"#,
        json!({ "host": { "type": "object", "properties": { "raw": words() } } }),
    );
    adds(
        r#"{"n12":1,"n1x":1}"#,
        json!({ "n12": { "type": "integer" }, "n1x": { "type": "long" } }),
    );
    adds(r#"{"payload":{"a":1}}"#, json!({ "payload": { "enabled": false } }));
    adds(r#"{"still":{"a":1}}"#, json!({ "still": { "dynamic": "false" } }));
    adds(r#"{"labels":{"a":1}}"#, json!({ "labels": { "type": "flat_object" } }));
    adds(r#"{"f":1.5}"#, json!({ "f": { "type": "float", "coerce": false } }));
    adds(
        r#"{"typed":{"a":true,"b":1,"c":"2026-08-21"}}"#,
        json!({ "typed": { "type": "object", "properties": {
        "a": { "type": "boolean", "store": true }, "b": { "type": "long", "store": true },
        "c": { "type": "date", "store": true } } } }),
    );
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    let none = mapping(&json!({}));
    let document = br#"{"a":1,"a.b":2}"#;
    let error = none.parse_document("1", document).unwrap_err();
    assert_eq!(
        error.reason(),
        "Could not dynamically add mapping for field [a.b]. \
         Existing mapping for [a] must be of type object but found [long]."
    );
    // The first value decides, so the second does not fit once the field is mapped.
    let mut mapping = none.clone();
    let document = br#"{"a":[1,"warm"]}"#;
    mapping.merge(&none.parse_document("1", document).unwrap().additions.unwrap()).unwrap();
    let error = mapping.parse_document("1", document).unwrap_err();
    assert!(error.reason().starts_with("failed to parse field [a] of type [long]"), "{error}");
}

#[test]
fn bad_templates_are_refused() {
    #[track_caller]
    fn refused(template: &Value, reason: &str) {
        let body = json!({ "dynamic_templates": [template] });
        let error: Exception = Mapping::default().merge(&body).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ExceptionKind::MapperParsing, reason));
    }
    refused(&json!({}), "A dynamic template must be defined with a name");
    refused(
        &json!({ "t": { "match": "a", "mapping": {}, "foo": 1 } }),
        "Illegal dynamic template parameter: [foo] of template [t]",
    );
    refused(
        &json!({ "t": { "match": "a" } }),
        "template [t] must have a mapping that is an object",
    );
    refused(
        &json!({ "t": { "mapping": {} } }),
        "template must have match, path_match or match_mapping_type set {mapping={}}",
    );
    refused(
        &json!({ "t": { "match_mapping_type": "text", "mapping": {} } }),
        "No field type matched on [text], possible values are \
         [object, string, long, double, boolean, date, binary]",
    );
    refused(
        &json!({ "t": { "match": "(", "match_pattern": "regex", "mapping": {} } }),
        "Pattern [(] of type [regex] is invalid. Cannot create dynamic template [t].",
    );
    refused(
        &json!({ "t": { "match": "(a{1000}){1000}", "match_pattern": "regex", "mapping": {} } }),
        "Pattern [(a{1000}){1000}] of type [regex] is invalid. Cannot create dynamic template [t].",
    );
}

#[test]
fn new_objects_have_a_limit_of_depth() {
    let path = |dots: usize| vec!["o"; dots + 1].join(".");
    let named = |dots: usize| format!(r#"{{"{}":1}}"#, path(dots));
    let nested = |dots: usize| format!("{}1{}", r#"{"o":"#.repeat(dots + 1), "}".repeat(dots + 1));
    let none = Mapping::default();
    for document in [named(19), nested(19)] {
        let parsed = none.parse_document("1", document.as_bytes()).unwrap();
        none.clone().merge(&parsed.additions.unwrap()).unwrap();
    }
    for document in [named(20), nested(20)] {
        let error = none.parse_document("1", document.as_bytes()).unwrap_err();
        assert_eq!(
            error.reason(),
            format!(
                "Limit of mapping depth [20] has been exceeded due to object field [{}]",
                path(19)
            )
        );
    }
    let error = none.parse_document("1", named(100_000).as_bytes()).unwrap_err();
    let cause = error.cause().unwrap().reason();
    assert!(cause.starts_with("Limit of mapping depth [20] has been exceeded"), "{cause}");
    assert!(cause.len() < 1200);
}
