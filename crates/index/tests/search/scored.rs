//! Scores and what depends on them: order, floors, boosts, filters behind the query, named queries.

use serde_json::{Value, json};

use crate::kit::{Kit, hits, ids, write};

fn mapping() -> Value {
    json!({ "text": { "type": "text" }, "n": { "type": "long" } })
}

fn kit() -> Kit {
    let documents = [
        json!({ "text": "wind", "n": 1 }),
        json!({ "text": "wind and rain and no wind", "n": 2 }),
        json!({ "text": "wind wind wind", "n": 3 }),
        json!({ "text": "rain", "n": 4 }),
    ];
    Kit::with("a", mapping(), &documents)
}

fn scores(answer: &Value) -> Vec<f64> {
    hits(answer).iter().map(|hit| hit["_score"].as_f64().unwrap()).collect()
}

#[test]
fn best_score_comes_first() {
    let answer = kit().search(&json!({ "query": { "match": { "text": "wind" } } }));
    assert_eq!(ids(&answer), ["2", "1", "0"]);
    let scores = scores(&answer);
    assert!(scores.is_sorted_by(|one, other| one > other), "{scores:?}");
    assert_eq!(answer["hits"]["max_score"], scores[0]);
    let page = kit().search(&json!({ "query": { "match": { "text": "wind" } }, "from": 1 }));
    assert_eq!(ids(&page), ["1", "0"]);
    assert_eq!(page["hits"]["max_score"], scores[0]);
}

#[test]
fn score_may_be_one_key_of_several() {
    let query = json!({ "match": { "text": "wind" } });
    let kit = kit();
    let answer = kit.search(&json!({ "query": query, "sort": [{ "_score": "asc" }, "n"] }));
    assert_eq!(ids(&answer), ["0", "1", "2"]);
    let last = hits(&answer)[0]["sort"].clone();
    assert_eq!(hits(&answer)[0]["_score"], last[0]);
    let next = kit.search(&json!({
        "query": query, "sort": [{ "_score": "asc" }, "n"], "search_after": last,
    }));
    assert_eq!(ids(&next), ["1", "2"]);
}

#[test]
fn floor_leaves_low_scores_out_of_hits_and_aggregations() {
    let kit = kit();
    let query = json!({ "match": { "text": "wind" } });
    let all = scores(&kit.search(&json!({ "query": query })));
    for sort in [json!([]), json!(["n"])] {
        let body = json!({
            "query": query, "min_score": all[1], "sort": sort,
            "aggs": { "n": { "value_count": { "field": "n" } } },
        });
        let answer = kit.search(&body);
        let mut found = ids(&answer);
        found.sort_unstable();
        assert_eq!(found, ["1", "2"], "{sort}");
        assert_eq!(answer["hits"]["total"]["value"], 2);
        assert_eq!(answer["aggregations"]["n"]["value"], 2);
    }
    let counted = kit.search(&json!({ "query": query, "min_score": all[1], "size": 0 }));
    assert_eq!(counted["hits"]["total"]["value"], 2);
}

#[test]
fn post_filter_leaves_aggregations_alone() {
    let answer = kit().search(&json!({
        "query": { "match": { "text": "wind" } }, "post_filter": { "range": { "n": { "gte": 2 } } },
        "aggs": { "n": { "value_count": { "field": "n" } } },
    }));
    assert_eq!(ids(&answer), ["2", "1"]);
    assert_eq!(answer["hits"]["total"]["value"], 2);
    assert_eq!(answer["aggregations"]["n"]["value"], 3);
    let plain = kit().search(&json!({ "query": { "match": { "text": "wind" } } }));
    assert_eq!(scores(&answer)[0], scores(&plain)[0]);
}

#[test]
fn boosted_index_comes_first() {
    let kit = kit();
    write(&kit.create("b", mapping()), &[("b0".to_owned(), json!({ "text": "wind" }))]);
    let body =
        |boost: Value| json!({ "query": { "match_all": {} }, "indices_boost": boost, "size": 1 });
    assert_eq!(ids(&kit.search(&body(json!([])))), ["0"]);
    let boosted = kit.search(&body(json!([{ "b*": 2.0 }])));
    assert_eq!((ids(&boosted), scores(&boosted)), (vec!["b0"], vec![2.0]));
}

#[test]
fn hits_tell_which_named_queries_they_match() {
    let answer = kit().search(&json!({ "sort": ["n"], "query": { "bool": { "should": [
        { "match": { "text": { "query": "wind", "_name": "w" } } },
        { "range": { "n": { "gte": 2, "_name": "late" } } },
    ] } } }));
    let matched: Vec<&Value> = hits(&answer).iter().map(|hit| &hit["matched_queries"]).collect();
    assert_eq!(
        matched,
        [&json!(["w"]), &json!(["w", "late"]), &json!(["w", "late"]), &json!(["late"])]
    );
}

#[test]
fn first_hits_do_not_depend_on_counting() {
    let documents: Vec<Value> = (0..3000)
        .map(|n| json!({ "text": format!("wind {} {}", "wind ".repeat(n % 5), "x ".repeat(1 + n % 11)) }))
        .collect();
    let kit = Kit::with("a", mapping(), &documents);
    for query in [
        json!({ "match": { "text": "wind" } }),
        json!({ "match": { "text": "wind x" } }),
        json!({ "match": { "text": { "query": "wind x", "operator": "and" } } }),
    ] {
        let ask = |total: Value| {
            kit.search(&json!({ "query": query, "size": 20, "track_total_hits": total }))
        };
        let (untracked, full) = (ask(json!(false)), ask(json!(true)));
        assert_eq!(hits(&untracked), hits(&full), "{query}");
        assert_eq!(full["hits"]["total"]["value"], 3000, "{query}");
    }
}
