//! Marked hits: which words, in which fragments, with which tags.

use serde_json::{Value, json};

use crate::kit::{Kit, hits};

const LONG: &str = "The sensor timed out. It was restarted at noon by the operator of the station. After that the sensor said nothing about errors any more, and the wind came from the south.";

fn kit() -> Kit {
    let mapping = json!({
        "message": { "type": "text", "fields": { "keyword": { "type": "keyword" } } },
        "title": { "type": "text" }, "code": { "type": "keyword" },
    });
    let document = json!({
        "message": "Sensor 12 timed out & <b>failed</b>",
        "title": ["first timeout", "second error", "third timeout"],
        "code": "E-12", "long": LONG,
    });
    Kit::with("logs", mapping, &[document])
}

#[track_caller]
fn check(kit: &Kit, query: Value, highlight: Value, marked: Value) {
    let answer = kit.search(&json!({ "query": query, "highlight": highlight }));
    let hit = &hits(&answer)[0];
    assert_eq!(hit.get("highlight").cloned().unwrap_or_default(), marked, "{query} {highlight}");
}

fn message(text: &str) -> Value {
    json!({ "message": [text] })
}

#[test]
fn every_kind_of_clause_is_marked() {
    let kit = kit();
    let fields = json!({ "fields": { "message": {} } });
    let rest = "12 timed out & <b>failed</b>";
    let marked = format!("<em>Sensor</em> {rest}");
    for query in [
        json!({ "match": { "message": "sensor" } }),
        json!({ "term": { "message": "sensor" } }),
        json!({ "terms": { "message": ["sensor", "x"] } }),
        json!({ "prefix": { "message": "sen" } }),
        json!({ "wildcard": { "message": "s*r" } }),
        json!({ "regexp": { "message": "sens.r" } }),
        json!({ "fuzzy": { "message": "sensro" } }),
        json!({ "match": { "message": { "query": "sensro", "fuzziness": "AUTO" } } }),
        json!({ "match_bool_prefix": { "message": "sens" } }),
        json!({ "multi_match": { "query": "sensor", "fields": ["message", "title"] } }),
        json!({ "query_string": { "query": "message:SENS* AND NOT message:absent" } }),
        json!({ "query_string": { "query": "sensor", "default_field": "message" } }),
        json!({ "simple_query_string": { "query": "sensor", "fields": ["message"] } }),
        json!({ "bool": { "filter": { "match": { "message": "sensor" } } } }),
        json!({ "constant_score": { "filter": { "match": { "message": "sensor" } } } }),
        json!({ "dis_max": { "queries": [{ "match": { "message": "sensor" } }] } }),
    ] {
        check(&kit, query, fields.clone(), message(&marked));
    }
    check(&kit, json!({ "match_all": {} }), fields, Value::Null);
}

#[test]
fn phrases_are_marked_as_phrases_only() {
    let kit = kit();
    let fields = json!({ "fields": { "message": {} } });
    let marked = message("Sensor 12 <em>timed</em> <em>out</em> & <b>failed</b>");
    check(
        &kit,
        json!({ "match_phrase": { "message": "timed out" } }),
        fields.clone(),
        marked.clone(),
    );
    check(&kit, json!({ "match_phrase_prefix": { "message": "timed o" } }), fields.clone(), marked);
    let apart = json!({ "bool": { "should": [
        { "match_all": {} }, { "match_phrase": { "message": "out timed" } },
    ] } });
    check(&kit, apart, fields.clone(), Value::Null);
    let slop = json!({ "match_phrase": { "message": { "query": "sensor timed", "slop": 1 } } });
    check(&kit, slop, fields, message("<em>Sensor</em> 12 <em>timed</em> out & <b>failed</b>"));
}

#[test]
fn fields_and_tags_are_chosen() {
    let kit = kit();
    let query = json!({ "match": { "message": "failed" } });
    check(
        &kit,
        query.clone(),
        json!({ "pre_tags": ["@"], "post_tags": ["#"], "encoder": "html", "fields": [{ "message": {} }] }),
        message("Sensor 12 timed out &amp; &lt;b&gt;@failed#&lt;&#x2F;b&gt;"),
    );
    check(&kit, query.clone(), json!({ "fields": { "title": {}, "absent": {} } }), Value::Null);
    check(
        &kit,
        query.clone(),
        json!({ "require_field_match": false, "fields": { "mes*": {} } }),
        message("Sensor 12 timed out & <b><em>failed</em></b>"),
    );
    check(
        &kit,
        query.clone(),
        json!({ "fields": { "message": { "highlight_query": { "match": { "message": "out" } } } } }),
        message("Sensor 12 timed <em>out</em> & <b>failed</b>"),
    );
    check(
        &kit,
        query,
        json!({ "fields": { "title": { "no_match_size": 3 } } }),
        json!({ "title": ["first"] }),
    );
    check(
        &kit,
        json!({ "term": { "code": "E-12" } }),
        json!({ "fields": { "*": {} } }),
        json!({ "code": ["<em>E-12</em>"] }),
    );
}

#[test]
fn fragments_are_cut_and_counted() {
    let kit = kit();
    let query = json!({ "match": { "long": "sensor" } });
    check(
        &kit,
        query.clone(),
        json!({ "fields": { "long": { "fragment_size": 30 } } }),
        json!({ "long": [
            "The <em>sensor</em> timed out.",
            "After that the <em>sensor</em> said nothing",
        ] }),
    );
    check(
        &kit,
        query.clone(),
        json!({ "fields": { "long": { "fragment_size": 30, "number_of_fragments": 1 } } }),
        json!({ "long": ["The <em>sensor</em> timed out."] }),
    );
    let whole = LONG.replace("sensor", "<em>sensor</em>");
    check(
        &kit,
        query,
        json!({ "fields": { "long": { "number_of_fragments": 0 } } }),
        json!({ "long": [whole] }),
    );
    check(
        &kit,
        json!({ "match": { "title": "timeout" } }),
        json!({ "fields": { "title": {} } }),
        json!({ "title": ["first <em>timeout</em>", "third <em>timeout</em>"] }),
    );
}
