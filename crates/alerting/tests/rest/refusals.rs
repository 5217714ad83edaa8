//! What alerting refuses, in its own words.

use serde_json::{Value, json};

use crate::testkit::{ALERTING, App, error_monitor, with};

const TRIGGER: &str = "/triggers/0/query_level_trigger";

/// Monitors that are none, with status and reason.
fn monitors() -> Vec<(Value, &'static str)> {
    let at = |pointer: &str, value: Value| with(error_monitor(), pointer, value);
    let in_trigger = |pointer: &str, value: Value| at(&format!("{TRIGGER}{pointer}"), value);
    let action = |pointer: &str, value: Value| in_trigger(&format!("/actions/0{pointer}"), value);
    let twice = error_monitor()["triggers"][0].clone();
    let throttle = |value: i64| {
        let on = action("/throttle_enabled", json!(true));
        let throttle = json!({ "value": value, "unit": "MINUTES" });
        with(on, &format!("{TRIGGER}/actions/0/throttle"), throttle)
    };
    let period = json!({ "interval": 1, "unit": "MINUTES" });
    let cron = json!({ "expression": "0 6 * * *", "timezone": "America/Montevideo" });
    vec![
        (
            at("/schedule", json!({ "period": period, "cron": cron })),
            "400 You can only specify one type of schedule.",
        ),
        (at("/schedule", json!({ "lunar": {} })), "400 Invalid field: [lunar] found in schedule."),
        (
            at("/schedule/period/interval", json!(0)),
            "400 Interval is not allowed to be 0 or negative",
        ),
        (
            at("/triggers", json!([twice, twice])),
            "400 Duplicate trigger id: count_error. Trigger ids must be unique.",
        ),
        (
            in_trigger("/condition/script/lang", json!("expression")),
            "400 Invalid script language. Allowed languages are [painless]",
        ),
        (
            action("/throttle_enabled", json!(true)),
            "400 Action throttle enabled but not set throttle value",
        ),
        (throttle(1_441), "400 Can only set throttle period less than or equal to "),
        (throttle(0), "400 Can not set throttle period less than "),
        (
            at("/data_sources", json!({ "alerts_index": "mine" })),
            "400 Custom Data Sources are not allowed.",
        ),
        (at("/inputs/0/search/indices", json!(["x"])), "404 Configured indices are not found: [x]"),
        (action("/colour", json!("red")), "500 Unexpected field: colour, while parsing action"),
        (
            at("/monitor_type", json!("bucket_level_monitor")),
            "400 monitor type [bucket_level_monitor]",
        ),
        (at("/inputs", json!([{ "uri": {} }])), "400 input [uri]"),
        (at("/pampero", json!({ "nodata": "tell" })), "400 Unknown field [nodata] in pampero"),
        (
            in_trigger("/condition/script/source", json!("Runtime.getRuntime()")),
            "400 The condition of trigger [count_error] is not understood",
        ),
        (json!([]), "400 [monitor] must be an object"),
    ]
}

#[tokio::test(start_paused = true)]
async fn monitors_that_are_none_are_refused_wherever_they_come_in() {
    let app = App::start();
    let id = app.make_monitor(error_monitor()).await;
    for (monitor, expected) in monitors() {
        let calls = [
            format!("POST {ALERTING}/monitors"),
            format!("PUT {ALERTING}/monitors/{id}"),
            format!("POST {ALERTING}/monitors/_execute?dryrun=true"),
        ];
        for call in calls {
            let refused = app.call(&call, monitor.clone()).await;
            if expected.starts_with("404") && call.contains("_execute") {
                continue; // The answer of a run tells it as the error of its input.
            }
            assert!(refused.refusal().starts_with(expected), "{call}: {}", refused.text());
            assert_eq!(refused.at("/error/type"), "alerting_exception");
            let reason = refused.at("/error/reason");
            let cause = refused.at("/error/caused_by/reason");
            assert!(cause.as_str().unwrap().ends_with(reason.as_str().unwrap()), "{cause}");
            assert_eq!(refused.at("/error/root_cause/0/reason"), reason);
        }
    }
    assert_eq!(app.definitions.monitors().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_none_are_refused() {
    let app = App::start();
    let id = app.make_monitor(error_monitor()).await;
    let check = async |call: &str, body: Value, expected: &str| {
        let path = call.replace(" /", &format!(" {ALERTING}/")).replace("{id}", &id);
        let reply = app.call(&path, body.clone()).await;
        let expected = expected.replace("{id}", &id);
        assert!(reply.refusal().starts_with(&expected), "{call} {body}: {}", reply.text());
    };
    let none = Value::Null;
    let off = app.make_monitor(with(error_monitor(), "/enabled", json!(false))).await;
    check(
        &format!("POST /monitors/{off}/_execute"),
        none.clone(),
        &format!("400 [{off}] is disabled"),
    )
    .await;
    check("POST /monitors", none.clone(), "400 request body is required").await;
    check(
        "POST /monitors?colour=1",
        error_monitor(),
        "400 request [/_plugins/_alerting/monitors] contains unrecognized parameter: [colour]",
    )
    .await;
    check("POST /monitors?refresh=now", error_monitor(), "400 Unknown value for refresh: [now].")
        .await;
    check("PUT /monitors/x", error_monitor(), "404 Monitor not found.").await;
    check(
        "PUT /monitors/{id}?if_seq_no=a&if_primary_term=1",
        error_monitor(),
        "400 Failed to parse int parameter [if_seq_no]",
    )
    .await;
    check("GET /monitors/x", none.clone(), "404 Monitor not found.").await;
    check(
        "GET /monitors/{id}",
        json!({}),
        "400 request [GET /_plugins/_alerting/monitors/{id}] does not support having a body",
    )
    .await;
    check("DELETE /monitors/x", none.clone(), "404 Monitor not found.").await;
    check("POST /monitors/x/_execute", none.clone(), "404 Can't find monitor with id: x").await;
    check("POST /monitors/_execute", none.clone(), "400 request body is required").await;
    check(
        "POST /monitors/{id}/_execute?dryrun=perhaps",
        none.clone(),
        "400 Failed to parse value [perhaps]",
    )
    .await;
    check(
        "POST /monitors/{id}/_execute?dryrun=true&period_end=noon",
        none.clone(),
        "400 failed to parse setting [period_end] with value [noon]",
    )
    .await;
    check(
        "POST /monitors/{id}/_execute?dryrun=true&period_end=9223372036854775807",
        none.clone(),
        "400 failed to parse setting [period_end]",
    )
    .await;
    check(
        "POST /monitors/{id}/_execute?period_end=1787306400000",
        none.clone(),
        "400 [period_end] of a saved monitor needs [dryrun=true]",
    )
    .await;
    check(
        "POST /monitors/_search",
        none.clone(),
        "400 request body or source parameter is required",
    )
    .await;
    check("POST /monitors/_search?index=other", json!({}), "400 Invalid index name.").await;
    check(
        "POST /monitors/_search",
        json!({ "query": { "geo_shape": {} } }),
        "400 query [geo_shape]",
    )
    .await;
    check(
        "POST /monitors/_search",
        json!({ "query": { "range": { "monitor.name": { "gt": 1 } } } }),
        "400 query [range]",
    )
    .await;
    check(
        "POST /monitors/_search",
        json!({ "query": { "term": { "colour": 1 } } }),
        "400 field [colour]",
    )
    .await;
    check(
        "POST /monitors/_search",
        json!({ "aggs": { "a": { "terms": { "field": "monitor.name" } } } }),
        "400 [aggregations]",
    )
    .await;
    check(
        "POST /monitors/_search",
        json!({ "size": 1, "from": 10_000 }),
        "400 Result window is too large",
    )
    .await;
    check(
        "POST /monitors/_search",
        json!({ "sort": "monitor.name" }),
        "400 Text fields are not optimised",
    )
    .await;
    check("GET /monitors/alerts?alertState=LOUD", none.clone(), "400 alertState [LOUD]").await;
    check("GET /monitors/alerts?sortstring=x", none.clone(), "400 request [/_plugins/_alerting/monitors/alerts] contains unrecognized parameter: [sortstring] -> did you mean [sortString]?").await;
    let acknowledge = "POST /monitors/{id}/_acknowledge/alerts";
    check(acknowledge, none.clone(), "400 request body is required").await;
    check(acknowledge, json!({}), "400 You must provide at least one alert id.").await;
    check(acknowledge, json!({ "alerts": [] }), "400 You must provide at least one alert id.")
        .await;
    check(acknowledge, json!({ "alerts": "a" }), "400 [alerts] must be a list").await;
    check(acknowledge, json!({ "alerts": [1] }), "400 [alerts] must be a list").await;
    check(acknowledge, json!({ "alerts": ["a"], "x": 1 }), "400 Unknown field [x]").await;
    check(
        "GET /stats/colour",
        none.clone(),
        "400 request [/_plugins/_alerting/stats/colour] contains unrecognized metric: [colour]",
    )
    .await;
    check("GET /workflows/alerts", none.clone(), "400 [/_plugins/_alerting/workflows/alerts]: composite monitors ([workflows]) are not supported").await;
    check("POST /workflows", json!({}), "400 [/_plugins/_alerting/workflows]").await;
    check(
        "POST /comments/a",
        json!({ "content": "x" }),
        "400 [/_plugins/_alerting/comments/a]: comments on alerts",
    )
    .await;
    check("GET /comments/_search", none.clone(), "400 [/_plugins/_alerting/comments/_search]")
        .await;
    check(
        "POST /destinations",
        json!({}),
        "400 [/_plugins/_alerting/destinations]: legacy destinations",
    )
    .await;
    check("PUT /destinations/x", json!({}), "400 [/_plugins/_alerting/destinations/x]").await;
    check(
        "POST /destinations/email_accounts",
        json!({}),
        "400 [/_plugins/_alerting/destinations/email_accounts]",
    )
    .await;
    check("GET /destinations/x", none.clone(), "404 Destination not found.").await;
    check("GET /destinations/email_groups/x", none, "404 Email Group not found.").await;
}
