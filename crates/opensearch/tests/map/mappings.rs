//! Mappings read, put on top of one another and shown.

use pampero_opensearch::mapping::{Analyzer, FieldKind};
use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use serde_json::{Map, Value, json};

fn mapping(body: &Value) -> Mapping {
    Mapping::from_json(body).unwrap()
}

/// Checks that what was put in comes back out.
#[track_caller]
fn kept(body: &Value) {
    let first = mapping(body);
    assert_eq!(first.to_json(), *body);
    assert_eq!(mapping(&first.to_json()), first);
}

#[test]
fn what_was_put_in_comes_back_out() {
    kept(&json!({}));
    kept(&json!({ "properties": {
        "@timestamp": { "type": "date" },
        "level": { "type": "text", "fields": { "keyword": { "type": "keyword", "ignore_above": 256 } } },
        "message": { "type": "text", "analyzer": "whitespace", "search_analyzer": "simple", "norms": false,
            "index_options": "offsets", "term_vector": "yes", "fielddata": true, "similarity": "BM25",
            "position_increment_gap": 50, "store": true, "index": true, "meta": { "unit": "words" } },
        "station": { "type": "keyword", "null_value": "none", "normalizer": "lowercase",
            "eager_global_ordinals": true, "doc_values": false },
        "where": { "type": "wildcard", "ignore_above": 100 },
        "env": { "type": "constant_keyword", "value": "prod" },
        "count": { "type": "long", "coerce": false, "ignore_malformed": true, "null_value": 0, "index": false },
        "price": { "type": "scaled_float", "scaling_factor": 100 },
        "at": { "type": "date_nanos", "format": "strict_date_optional_time_nanos||epoch_second" },
        "from": { "type": "ip" },
        "raw": { "type": "binary", "store": true },
        "ok": { "type": "boolean", "null_value": false },
        "labels": { "type": "flat_object" },
        "host": { "properties": { "name": { "type": "keyword" } } },
        "events": { "type": "nested", "include_in_parent": true, "dynamic": "strict",
            "properties": { "n": { "type": "integer" } } },
        "payload": { "type": "object", "enabled": false },
        "severity": { "type": "alias", "path": "level.keyword" },
        "copied": { "type": "keyword", "copy_to": ["message"] },
    } }));
    kept(&json!({
        "dynamic": "false_allow_templates",
        "date_detection": false,
        "numeric_detection": true,
        "dynamic_date_formats": ["yyyy-MM-dd", "basic_date"],
        "dynamic_templates": [{ "ids": { "match": ["*_id", "id"], "mapping": { "type": "keyword" } } }],
        "_meta": { "version": 3 },
        "_routing": { "required": true },
        "_source": { "enabled": true },
    }));
}

#[test]
fn mappings_are_shown_in_one_spelling() {
    #[track_caller]
    fn shown(body: &Value, expected: &Value) {
        assert_eq!(mapping(body).to_json(), *expected);
    }
    shown(&Value::Null, &json!({}));
    shown(&json!({ "dynamic": true }), &json!({ "dynamic": "true" }));
    shown(
        &json!({ "properties": { "a.b": { "type": "long", "index": "false" } } }),
        &json!({ "properties": { "a": { "properties": { "b": { "type": "long", "index": false } } } } }),
    );
    shown(
        &json!({ "properties": { "a": { "type": "object", "properties": { "b": { "type": "long" } } } } }),
        &json!({ "properties": { "a": { "properties": { "b": { "type": "long" } } } } }),
    );
    shown(
        &json!({ "properties": { "a": { "type": "keyword", "ignore_above": "7", "copy_to": "b" } } }),
        &json!({ "properties": { "a": { "type": "keyword", "ignore_above": 7, "copy_to": ["b"] } } }),
    );
    shown(
        &json!({ "properties": { "a": {} } }),
        &json!({ "properties": { "a": { "type": "object" } } }),
    );
}

#[test]
fn fields_are_found_by_path_pattern_and_alias() {
    let mapping = mapping(&json!({ "properties": {
        "level": { "type": "text", "fields": { "keyword": { "type": "keyword", "ignore_above": 9 } } },
        "host": { "type": "nested", "properties": { "name": { "type": "keyword" }, "ip": { "type": "ip" } } },
        "severity": { "type": "alias", "path": "level.keyword" },
        "raw": { "type": "binary" },
    } }));
    let paths = |pattern| {
        mapping.matching(pattern).iter().map(|field| field.path.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(paths("*"), ["host.ip", "host.name", "level", "level.keyword"]);
    assert_eq!(paths("host.*"), ["host.ip", "host.name"]);
    assert_eq!(paths("*.k*d"), ["level.keyword"]);
    assert_eq!(paths("sev*"), ["level.keyword"]);
    assert_eq!(paths("severity"), ["level.keyword"]);
    assert_eq!(paths("level"), ["level"]);
    assert_eq!(paths("host"), Vec::<String>::new());
    assert_eq!(mapping.fields().count(), 4);
    assert_eq!(&*mapping.field("severity").unwrap().path, "level.keyword");
    assert!(mapping.field("host").is_none() && mapping.field("lev").is_none());
    assert!(mapping.is_nested("host") && mapping.is_object("host") && !mapping.is_nested("level"));
    assert_eq!(mapping.aliases().collect::<Vec<_>>(), [("severity", "level.keyword")]);
    assert_eq!(mapping.objects().collect::<Vec<_>>(), [("host", true)]);
    assert_eq!(mapping.definition("host.name"), Some(json!({ "type": "keyword" })));
    assert_eq!(
        mapping.definition("severity"),
        Some(json!({ "type": "alias", "path": "level.keyword" }))
    );
    let keyword = json!({ "type": "keyword", "ignore_above": 9 });
    assert_eq!(mapping.definition("level.keyword"), Some(keyword));
    assert_eq!(mapping.definition("host"), None);
    assert_eq!(mapping.definition("level.keyword.x"), None);
}

#[test]
fn fields_know_what_may_be_done_with_them() {
    let mapping = mapping(&json!({ "properties": {
        "t": { "type": "text", "analyzer": "stop" },
        "k": { "type": "keyword", "index": false },
        "c": { "type": "constant_keyword", "value": "x" },
        "d": { "type": "date_nanos", "doc_values": false },
    } }));
    let field = |path| mapping.field(path).unwrap();
    let of = |path| (field(path).type_name, field(path).index, field(path).doc_values);
    assert_eq!(of("t"), ("text", true, false));
    assert_eq!(of("k"), ("keyword", false, true));
    assert_eq!(of("c"), ("constant_keyword", true, true));
    assert_eq!(of("d"), ("date_nanos", true, false));
    let stop = FieldKind::Text { analyzer: Analyzer::Stop, search_analyzer: Analyzer::Stop };
    assert_eq!(field("t").kind, stop);
    assert!(matches!(field("d").kind, FieldKind::Date { nanos: true, .. }));
}

/// Checks the refusal of a mapping in a create-index body, and the cause inside it.
#[track_caller]
fn refused(body: &Value, reason: &str) {
    let error = Mapping::from_json(body).unwrap_err();
    assert_eq!(error.kind(), ExceptionKind::MapperParsing);
    assert_eq!(error.reason(), format!("Failed to parse mapping [_doc]: {reason}"));
    assert_eq!(error.cause().map(Exception::reason), Some(reason));
    // A put-mapping call says the same without the wrapping.
    assert_eq!(Mapping::default().merge(body).unwrap_err().reason(), reason);
}

#[test]
fn bad_mappings_are_refused() {
    let field = |body: Value| json!({ "properties": { "bar": body } });
    refused(&field(json!({ "type": "foo" })), "No handler for type [foo] declared on field [bar]");
    refused(
        &field(json!({ "type": "geo_point" })),
        "type [geo_point] declared on field [bar] is not supported by this server",
    );
    refused(
        &field(json!({ "type": "text", "foo": 1 })),
        "unknown parameter [foo] on mapper [bar] of type [text]",
    );
    refused(
        &field(json!({ "type": "text", "doc_values": true })),
        "unknown parameter [doc_values] on mapper [bar] of type [text]",
    );
    refused(&field(json!({ "index": false })), "No type specified for field [bar]");
    refused(
        &field(json!("text")),
        "Expected map for property [fields] on field [bar] but got a class java.lang.String",
    );
    refused(
        &field(json!({ "type": "object", "foo": 1 })),
        "Mapping definition for [bar] has unsupported parameters:  [foo : 1]",
    );
    refused(
        &json!({ "foo": { "type": "text" } }),
        "Root mapping definition has unsupported parameters:  [foo : {type=text}]",
    );
    refused(
        &field(json!({ "type": "text", "analyzer": "klingon" })),
        "analyzer [klingon] has not been configured in mappings",
    );
    refused(
        &field(json!({ "type": "keyword", "normalizer": "upper" })),
        "normalizer [upper] not found for field [bar]",
    );
    refused(
        &field(json!({ "type": "long", "coerce": "yes" })),
        "Failed to parse value [yes] as only [true] or [false] are allowed.",
    );
    refused(
        &field(json!({ "type": "scaled_float" })),
        "Field [bar] misses required parameter [scaling_factor]",
    );
    refused(
        &field(json!({ "type": "scaled_float", "scaling_factor": 0 })),
        "[scaling_factor] must be a positive number",
    );
    refused(
        &field(json!({ "type": "date", "format": "yyyy-tt" })),
        "Error parsing [format] on field [bar]: Invalid format: [yyyy-tt]: Unknown pattern letter: t",
    );
    refused(
        &field(json!({ "type": "text", "fields": { "x.y": { "type": "keyword" } } })),
        "Field name [x.y] which is a multi field of [bar] cannot contain '.'",
    );
    refused(
        &field(json!({ "type": "text", "fields": { "x": { "type": "nested" } } })),
        "Type [nested] cannot be used in multi field [x] of [bar]",
    );
    refused(&json!({ "dynamic": "maybe" }), "No type found for dynamic [maybe]");
    refused(
        &json!({ "properties": { "": { "type": "text" } } }),
        "field name cannot be an empty string",
    );
    refused(
        &json!({ "properties": { "...": { "type": "text" } } }),
        "field name cannot contain only the character [.]",
    );
    refused(
        &json!({ "_source": { "enabled": false } }),
        "mapping parameter [_source.enabled] = [false] is not supported by this server",
    );
    refused(
        &field(json!({ "type": "alias" })),
        "The [path] property must be specified for field [bar].",
    );
    let dots = vec!["a"; 3000].join(".");
    let error = Mapping::from_json(&json!({ "properties": { dots: { "type": "long" } } }));
    assert!(error.unwrap_err().reason().contains("Limit of mapping depth [20] has been exceeded"));
    let mut deep = json!({ "type": "long" });
    for _ in 0..60 {
        deep = json!({ "properties": { "a": deep } });
    }
    refused(&deep, "Limit of mapping depth [20] has been exceeded");
}

#[test]
fn types_cannot_be_named() {
    let body = json!({ "_doc": { "properties": {} } });
    let reason = |error: Exception| (error.kind(), error.reason().to_owned());
    assert_eq!(
        reason(Mapping::from_json(&body).unwrap_err()),
        (
            ExceptionKind::IllegalArgument,
            "The mapping definition cannot be nested under a type".to_owned()
        )
    );
    assert_eq!(
        reason(Mapping::default().merge(&body).unwrap_err()),
        (
            ExceptionKind::IllegalArgument,
            "Types cannot be provided in put mapping requests".to_owned()
        )
    );
    let none = Mapping::from_json(&json!([])).unwrap_err();
    assert_eq!(none.kind(), ExceptionKind::MapperParsing);
}

#[test]
fn aliases_need_a_field() {
    #[track_caller]
    fn refused(path: &str, why: &str) {
        let body = json!({ "properties": {
            "a": { "type": "alias", "path": path },
            "b": { "type": "alias", "path": "f" },
            "f": { "type": "long" },
        } });
        let error = Mapping::from_json(&body).unwrap_err();
        assert_eq!(
            error.reason(),
            format!("Invalid [path] value [{path}] for field alias [a]: {why}")
        );
    }
    refused("a", "an alias cannot refer to itself.");
    refused("b", "an alias cannot refer to another alias.");
    refused("g", "an alias must refer to an existing field in the mappings.");
}

/// Checks what comes of putting one mapping's properties on top of another's.
#[track_caller]
fn put(before: &Value, after: &Value, expected: Result<Value, &str>) {
    let mut mapping = mapping(&json!({ "properties": before }));
    let unchanged = mapping.clone();
    let outcome = mapping.merge(&json!({ "properties": after }));
    match expected {
        Ok(shown) => {
            outcome.unwrap();
            assert_eq!(mapping.to_json(), json!({ "properties": shown }));
        }
        Err(reason) => {
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), error.reason()), (ExceptionKind::IllegalArgument, reason));
            assert_eq!(mapping, unchanged);
            assert_eq!(mapping.to_json(), unchanged.to_json());
        }
    }
}

#[test]
fn fields_may_be_added_and_types_may_not_change() {
    let x = |body: Value| json!({ "x": body });
    put(
        &x(json!({ "type": "long" })),
        &json!({ "y": { "type": "text" } }),
        Ok(json!({ "x": { "type": "long" }, "y": { "type": "text" } })),
    );
    put(
        &x(json!({ "type": "text" })),
        &x(json!({ "type": "text", "fields": { "raw": { "type": "keyword" } } })),
        Ok(x(json!({ "type": "text", "fields": { "raw": { "type": "keyword" } } }))),
    );
    put(
        &x(json!({ "type": "text", "fields": { "raw": { "type": "keyword" } } })),
        &x(
            json!({ "type": "text", "fields": { "low": { "type": "keyword", "normalizer": "lowercase" } } }),
        ),
        Ok(x(json!({ "type": "text", "fields": {
            "raw": { "type": "keyword" }, "low": { "type": "keyword", "normalizer": "lowercase" } } }))),
    );
    put(
        &x(json!({ "type": "keyword", "ignore_above": 5 })),
        &x(json!({ "type": "keyword", "ignore_above": 9, "index": true })),
        Ok(x(json!({ "type": "keyword", "ignore_above": 9, "index": true }))),
    );
    put(
        &x(json!({ "type": "nested", "properties": { "a": { "type": "long" } } })),
        &x(json!({ "properties": { "b": { "type": "long" } } })),
        Ok(x(
            json!({ "type": "nested", "properties": { "a": { "type": "long" }, "b": { "type": "long" } } }),
        )),
    );
    put(
        &x(json!({ "type": "long" })),
        &x(json!({ "type": "text" })),
        Err("mapper [x] cannot be changed from type [long] to [text]"),
    );
    put(
        &x(
            json!({ "properties": { "y": { "type": "text", "fields": { "z": { "type": "long" } } } } }),
        ),
        &x(
            json!({ "properties": { "y": { "type": "text", "fields": { "z": { "type": "ip" } } } } }),
        ),
        Err("mapper [x.y.z] cannot be changed from type [long] to [ip]"),
    );
    put(
        &x(json!({ "type": "text" })),
        &x(json!({ "type": "text", "analyzer": "stop", "store": true })),
        Err("Mapper for [x] conflicts with existing mapper:\n\
             \tCannot update parameter [analyzer] from [standard] to [stop]\n\
             \tCannot update parameter [store] from [false] to [true]"),
    );
    put(
        &x(json!({ "type": "date", "format": "epoch_millis" })),
        &x(json!({ "type": "date" })),
        Err("Mapper for [x] conflicts with existing mapper:\n\
             \tCannot update parameter [format] from [epoch_millis] to [strict_date_optional_time||epoch_millis]"),
    );
    put(
        &x(json!({ "type": "text" })),
        &x(json!({ "properties": { "y": { "type": "long" } } })),
        Err("can't merge a non object mapping [x] with an object mapping"),
    );
    put(
        &x(json!({ "properties": { "y": { "type": "long" } } })),
        &x(json!({ "type": "text" })),
        Err("can't merge an object mapping [x] with a non object mapping"),
    );
    put(
        &x(json!({ "properties": { "y": { "type": "long" } } })),
        &x(json!({ "type": "nested" })),
        Err("object mapping [x] can't be changed from non-nested to nested"),
    );
    put(
        &x(json!({ "type": "nested", "properties": { "y": { "type": "long" } } })),
        &x(json!({ "type": "object" })),
        Err("object mapping [x] can't be changed from nested to non-nested"),
    );
    put(
        &x(json!({ "type": "object", "enabled": false })),
        &x(json!({ "type": "object", "enabled": true })),
        Err("the [enabled] parameter can't be updated for the object mapping [x]"),
    );
}

fn many(count: usize) -> Value {
    let field = |number: usize| (format!("f{number}"), json!({ "type": "long" }));
    json!({ "properties": (0..count).map(field).collect::<Map<_, _>>() })
}

#[test]
fn fields_and_depth_have_a_limit() {
    mapping(&many(1000));
    let error = Mapping::from_json(&many(1001)).unwrap_err();
    assert_eq!(error.kind(), ExceptionKind::IllegalArgument);
    assert_eq!(error.reason(), "Limit of total fields [1000] has been exceeded");
    Mapping::from_json_with(&many(1001), 2000).unwrap();

    // Objects, aliases and multi-fields count as well.
    let mut small = Mapping::with_fields_max(4);
    small
        .merge(&json!({ "properties": {
        "a": { "type": "text", "fields": { "b": { "type": "keyword" } } },
        "c": { "type": "object" },
        "d": { "type": "alias", "path": "a" },
    } }))
        .unwrap();
    let more = json!({ "properties": { "e": { "type": "long" } } });
    assert_eq!(
        small.merge(&more).unwrap_err().reason(),
        "Limit of total fields [4] has been exceeded"
    );
    let inner = json!({ "a": { "type": "text", "fields": { "z": { "type": "keyword" } } } });
    small.merge(&json!({ "properties": inner })).unwrap_err();
    small.merge(&json!({ "properties": { "c.x": { "type": "long" } } })).unwrap_err();
    let nothing_new = json!({ "a": { "type": "text", "fields": { "b": { "type": "keyword" } } } });
    small.merge(&json!({ "properties": nothing_new })).unwrap();
    small.set_fields_max(5);
    small.merge(&more).unwrap();
    // A limit that was lowered later leaves what is there, and what adds nothing.
    small.set_fields_max(1);
    small.merge(&more).unwrap();

    let nested = |levels: usize| {
        let path = vec!["o"; levels].join(".");
        json!({ "properties": { path: { "type": "long" } } })
    };
    mapping(&nested(20));
    let error = Mapping::from_json(&nested(21)).unwrap_err();
    let path = vec!["o"; 20].join(".");
    assert_eq!(
        error.reason(),
        format!("Limit of mapping depth [20] has been exceeded due to object field [{path}]")
    );
}

#[test]
fn routing_is_required_when_the_mapping_says_so() {
    assert!(mapping(&json!({ "_routing": { "required": true } })).is_routing_required());
    assert!(!mapping(&json!({ "_routing": {} })).is_routing_required());
    assert!(!Mapping::default().is_routing_required());
}
