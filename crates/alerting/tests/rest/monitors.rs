//! Monitors: what is shown of them, versions, searches.

use serde_json::{Value, json};

use crate::testkit::{ALERTING, App, error_monitor, names, with};

#[tokio::test(start_paused = true)]
async fn a_monitor_is_shown_with_what_the_server_adds() {
    let app = App::start();
    let made = app.call(&format!("POST {ALERTING}/monitors?refresh=true"), error_monitor()).await;
    let expected = ["_id", "_version", "_seq_no", "_primary_term", "monitor"];
    assert_eq!(names(&made.json()), expected.map(str::to_owned).into());
    let id = made.at("/_id").as_str().unwrap().to_owned();
    let shown = app.get(&format!("{ALERTING}/monitors/{id}")).await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.at("/associated_workflows"), json!([]));
    assert_eq!(shown.at("/_version"), 1);
    assert_eq!(shown.at("/_seq_no"), made.at("/_seq_no"));
    let noon_ms = 1_779_105_600_000_i64;
    assert_eq!(shown.at("/monitor/enabled_time"), noon_ms);
    assert_eq!(shown.at("/monitor/last_update_time"), noon_ms);
    assert_eq!(shown.at("/monitor/owner"), "alerting");
    assert!(shown.at("/monitor/data_sources/alerts_index").is_string());
    assert_eq!(shown.at("/monitor/triggers"), error_monitor()["triggers"]);
    // The older prefix has the same routes, and HEAD is a GET without a body.
    let older = app.get(&format!("/_opendistro/_alerting/monitors/{id}")).await;
    assert_eq!(older.json(), shown.json());
    assert_eq!(app.send(&format!("HEAD {ALERTING}/monitors/{id}"), "").await.status, 200);
    assert_eq!(app.send(&format!("HEAD {ALERTING}/monitors/x"), "").await.status, 404);
    // What is shown can be sent back as it is.
    let put = app.call(&format!("PUT {ALERTING}/monitors/{id}"), shown.at("/monitor")).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(put.at("/_version"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_change_counts_only_against_the_version_it_was_made_for() {
    let app = App::start();
    let id = app.make_monitor(error_monitor()).await;
    let path = format!("{ALERTING}/monitors/{id}");
    let off = with(error_monitor(), "/enabled", json!(false));
    let put = async |query: &str| app.call(&format!("PUT {path}{query}"), off.clone()).await;
    let first = put("?if_seq_no=0&if_primary_term=1").await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!((first.at("/_version"), first.at("/_seq_no")), (json!(2), json!(1)));
    assert_eq!(first.at("/monitor/enabled_time"), Value::Null);
    let late = put("?if_seq_no=0&if_primary_term=1").await;
    assert_eq!(
        late.refusal(),
        format!(
            "409 [{id}]: version conflict, required seqNo [0], primary term [1]. \
             current document has seqNo [1] and primary term [1]"
        )
    );
    assert_eq!(late.at("/error/type"), "alerting_exception");
    assert_eq!(put("?if_seq_no=1&if_primary_term=7").await.status, 409);
    assert_eq!(
        put("?if_seq_no=1").await.refusal(),
        "400 Validation Failed: 1: ifSeqNo is set, but primary term is [0];"
    );
    assert_eq!(put("").await.status, 200);
    let shown = app.get(&format!("{path}?version=3")).await;
    assert_eq!(shown.status, 200);
    assert_eq!(app.get(&format!("{path}?version=1")).await.status, 409);
}

#[tokio::test(start_paused = true)]
async fn monitors_are_searched_as_dashboards_does() {
    let app = App::start();
    let first = app.make_monitor(error_monitor()).await;
    let named = |name: &str| with(error_monitor(), "/name", json!(name));
    let second = app.make_monitor(with(named("Frost"), "/enabled", json!(false))).await;
    app.make_monitor(named("errors of the API")).await;
    let search = format!("POST {ALERTING}/monitors/_search");
    let found = app
        .call(
            &search,
            json!({ "seq_no_primary_term": true, "version": true, "size": 1, "from": 0,
                "sort": [{ "monitor.name.keyword": "asc" }],
                "query": { "bool": {
                    "should": [{ "term": { "monitor.enabled": true } },
                        { "term": { "workflow.enabled": true } }],
                    "minimum_should_match": 1,
                    "must": [{ "query_string": { "default_field": "monitor.name",
                        "default_operator": "AND", "query": "*rro*" } }] } } }),
        )
        .await;
    assert_eq!(
        found.at("/hits/total"),
        json!({ "value": 2, "relation": "eq" }),
        "{}",
        found.text()
    );
    assert_eq!(found.at("/hits/hits/0/_id"), first);
    assert_eq!(found.at("/hits/hits/0/_source/name"), "Error Weather Logs");
    assert_eq!(found.at("/hits/hits/0/_index"), ".opendistro-alerting-config");
    assert_eq!(found.at("/hits/hits/0/_primary_term"), 1);
    assert_eq!(found.at("/hits/hits/0/sort"), json!(["Error Weather Logs"]));
    assert_eq!(found.at("/hits/hits").as_array().unwrap().len(), 1);
    let get = format!("GET {ALERTING}/monitors/_search");
    let query = json!({ "query": { "match": { "monitor.name": "frost" } }, "_source": ["name"] });
    let found = app.call(&get, query).await;
    assert_eq!(found.at("/hits/hits/0/_id"), second);
    assert_eq!(found.at("/hits/hits/0/_source"), json!({ "name": "Frost" }));
    assert_eq!(found.at("/hits/max_score"), 1.0);
    let none = json!({ "query": { "terms": { "_id": ["x"] } }, "track_total_hits": false });
    let found = app.call(&search, none).await;
    assert_eq!(found.at("/hits"), json!({ "max_score": null, "hits": [] }));
}

#[tokio::test(start_paused = true)]
async fn what_runs_is_told_by_stats() {
    let app = App::start();
    let id = app.make_monitor(error_monitor()).await;
    let stats = app.get(&format!("{ALERTING}/stats")).await;
    assert_eq!(stats.at("/nodes_on_schedule"), 1, "{}", stats.text());
    let job = stats.at(&format!("/nodes/pampero-1/jobs_info/{id}"));
    assert_eq!(job["running_on_time"], true);
    let part = app.get(&format!("{ALERTING}/_local/stats/job_scheduling_metrics")).await;
    assert!(part.at("/nodes/pampero-1/jobs_info").is_null());
    assert!(part.at("/nodes/pampero-1/job_scheduling_metrics").is_object());
    let other = app.get(&format!("{ALERTING}/other-node/stats")).await;
    assert_eq!(other.at("/_nodes/total"), 0);
}

#[tokio::test(start_paused = true)]
async fn things_of_the_past_are_empty_lists() {
    let app = App::start();
    let check = async |call: &str, expected: Value| {
        let reply = app.send(call, "").await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, expected), "{call}");
    };
    let nothing = json!({ "took": 0, "timed_out": false,
        "_shards": { "total": 1, "successful": 1, "skipped": 0, "failed": 0 },
        "hits": { "total": { "value": 0, "relation": "eq" }, "max_score": null, "hits": [] } });
    let path = |call: &str| call.replace(" /", &format!(" {ALERTING}/"));
    check(&path("GET /destinations"), json!({ "totalDestinations": 0, "destinations": [] })).await;
    check(&path("POST /destinations/email_accounts/_search"), nothing.clone()).await;
    check(&path("GET /destinations/email_groups/_search"), nothing).await;
    check(&path("GET /findings/_search"), json!({ "total_findings": 0, "findings": [] })).await;
}
