//! What is read, refused and written; what the original's walkthrough makes.

use serde_json::{Value, json};

use super::*;
use crate::NoDataRule;

/// A monitor with one of everything.
fn whole() -> Value {
    json!({
        "type": "monitor",
        "name": "station-errors",
        "monitor_type": "query_level_monitor",
        "enabled": true,
        "schedule": { "period": { "interval": 1, "unit": "MINUTES" } },
        "inputs": [{ "search": {
            "indices": ["weather_logs"],
            "query": { "size": 1, "query": { "bool": { "filter": [
                { "match": { "level": "error" } },
                { "range": { "@timestamp": {
                    "gte": "{{period_end}}||-5m", "lte": "{{period_end}}", "format": "epoch_millis"
                } } },
            ] } } },
        } }],
        "triggers": [{ "query_level_trigger": {
            "id": "trg-errors",
            "name": "too many errors",
            "severity": "2",
            "condition": { "script": {
                "source": "ctx.results[0].hits.total.value > 10", "lang": "painless"
            } },
            "actions": [{
                "id": "act-slack",
                "name": "tell ops",
                "destination_id": "slack-ops",
                "subject_template": { "source": "{{ctx.trigger.name}}", "lang": "mustache" },
                "message_template": {
                    "source": "{{ctx.results.0.hits.total.value}} errors", "lang": "mustache"
                },
                "throttle_enabled": true,
                "throttle": { "value": 10, "unit": "MINUTES" },
            }],
        } }],
        "ui_metadata": { "schedule": { "frequency": "interval" } },
        "pampero": {
            "no_data": "tell",
            "triggers": { "trg-errors": {
                "for": "2m",
                "keep_firing_for": "5m",
                "reminder": "1h",
                "recovery": false,
                "escalations": [
                    { "after": "2h", "channel": "boss" },
                    { "after": "30m", "channel": "pager" },
                ],
            } },
        },
    })
}

const TRIGGER: &str = "/triggers/0/query_level_trigger";
const ACTION: &str = "/triggers/0/query_level_trigger/actions/0";

#[test]
fn a_monitor_is_written_as_it_was_read() {
    let monitor = Monitor::from_json(&whole()).unwrap();
    assert_eq!(monitor.to_json(), whole());
    let text = monitor.to_file_text();
    let again: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(again, whole());
    assert!(text.starts_with("{\n  \"type\": \"monitor\",\n  \"name\": \"station-errors\",\n"));
    assert!(text.ends_with("}\n"));
    assert_eq!(Monitor::from_json(&again).unwrap().to_file_text(), text);
}

#[test]
fn the_shipped_monitor_is_that_of_the_original() {
    let text = include_str!("../../../../monitors/error_logs.json");
    let document: Value = serde_json::from_str(text).unwrap();
    let monitor = Monitor::from_json(&document).unwrap();
    assert_eq!(monitor.to_json(), document);
    assert_eq!(monitor.name(), "Error Weather Logs");
    let every = json!({ "period": { "interval": 10, "unit": "MINUTES" } });
    assert_eq!(monitor.schedule().to_json(), every);
    assert_eq!(monitor.time_field(), Some("timestamp"));
    let [trigger] = monitor.triggers() else { panic!("one trigger") };
    assert_eq!((trigger.id.as_str(), trigger.severity), ("count_error", 1));
    assert_eq!(trigger.condition.source(), "ctx.results[0].hits.total.value > 2");
    assert_eq!(trigger.actions[0].name, "ERROR Log");
}

#[test]
fn what_the_server_shows_can_be_given_back() {
    let monitor = Monitor::from_json(&whole()).unwrap();
    let facts = StoredFacts { id: "m1".to_owned(), version: 3, ..StoredFacts::default() };
    let stored = monitor.to_stored_json(&facts);
    assert_eq!(stored["owner"], "alerting");
    assert_eq!(stored["enabled_time"], Value::Null);
    assert_eq!(stored["data_sources"]["alerts_index"], ".opendistro-alerting-alerts");
    assert_eq!(Monitor::from_json(&stored).unwrap().to_json(), whole());
}

#[test]
fn what_is_missing_is_filled_in() {
    let bare = json!({
        "name": "bare",
        "schedule": { "period": { "interval": 5, "unit": "hours" } },
        "future_member": [1, 2],
        "triggers": [{
            "name": "always",
            "severity": 4,
            "condition": { "script": { "source": "return true" } },
            "actions": [{
                "name": "tell", "destination_id": "c", "message_template": { "source": "x" },
            }],
        }],
    });
    let monitor = Monitor::from_json(&bare).unwrap();
    let trigger = &monitor.triggers()[0];
    for id in [&trigger.id, &trigger.actions[0].id] {
        let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(id.len() == 20 && id.chars().all(is_fine), "{id}");
    }
    assert_ne!(trigger.id, trigger.actions[0].id);
    let written = monitor.to_json();
    assert_eq!(written["triggers"][0]["query_level_trigger"]["severity"], "4");
    assert_eq!(written["future_member"], json!([1, 2]));
    assert_eq!(written["enabled"], true);
    assert!(monitor.input().is_none());
}

#[test]
fn policies_have_what_the_action_and_the_extension_say() {
    let monitor = Monitor::from_json(&whole()).unwrap();
    let policy = monitor.policy(&monitor.triggers()[0]);
    let minutes = |count: u64| Duration::from_secs(count * 60);
    assert_eq!(policy.definition_name, "station-errors");
    assert_eq!((policy.severity, policy.no_data), (2, NoDataRule::Tell));
    assert_eq!((policy.hold, policy.keep_firing), (minutes(2), minutes(5)));
    assert_eq!((policy.reminder, policy.recovery), (Some(minutes(60)), false));
    assert_eq!(policy.actions[0].throttle, Some(minutes(10)));
    let channels: Vec<&str> = policy.escalations.iter().map(|e| e.channel.as_str()).collect();
    assert_eq!(channels, ["pager", "boss"]);
    let mut plain = whole();
    plain.as_object_mut().unwrap().remove("pampero");
    *plain.pointer_mut(&format!("{ACTION}/throttle_enabled")).unwrap() = json!(false);
    let plain = Monitor::from_json(&plain).unwrap();
    let policy = plain.policy(&plain.triggers()[0]);
    assert_eq!((policy.hold, policy.reminder, policy.recovery), (Duration::ZERO, None, true));
    assert_eq!((policy.actions[0].throttle, policy.no_data), (None, NoDataRule::Quiet));
}

#[test]
fn the_period_is_filled_into_the_search() {
    let monitor = Monitor::from_json(&whole()).unwrap();
    assert_eq!(monitor.time_field(), Some("@timestamp"));
    let end = "2026-08-21T10:00:00Z".parse().unwrap();
    let (start, end) = monitor.schedule().period_ending(end);
    let rendered = monitor.input().unwrap().render(start, end).unwrap();
    let range = rendered.body.pointer("/query/bool/filter/1/range/@timestamp").unwrap();
    assert_eq!(range["gte"], "1787306400000||-5m");
    let narrowed = rendered.before("@timestamp", end);
    let filter = narrowed.body.pointer("/query/bool/filter/0/range/@timestamp/lt").unwrap();
    assert_eq!(*filter, json!(1_787_306_400_000_i64));
    assert_eq!(narrowed.body.pointer("/query/bool/must/0"), rendered.body.get("query"));
    assert_eq!(narrowed.body["size"], 1);
}

#[test]
fn wrong_values_are_refused_in_the_words_of_opensearch() {
    check("/schedule", json!({}), 400, "Schedule is empty: it needs [period] or [cron]");
    check("/schedule", json!({ "period": {} }), 400, "Interval in period schedule is null.");
    let both = json!({
        "period": { "interval": 1, "unit": "DAYS" },
        "cron": { "expression": "* * * * *", "timezone": "UTC" },
    });
    check("/schedule", both, 400, "You can only specify one type of schedule.");
    check("/schedule", json!({ "often": {} }), 400, "Invalid field: [often] found in schedule.");
    check(
        "/schedule/period/interval",
        json!(0),
        400,
        "Interval is not allowed to be 0 or negative",
    );
    check(
        "/schedule/period/interval",
        json!(-3),
        400,
        "Interval is not allowed to be 0 or negative",
    );
    check("/schedule/period/interval", json!(1.5), 400, "[interval] must be a whole number");
    check("/schedule/period/interval", json!(i64::MAX), 400, "must not be longer than");
    check("/schedule/period/unit", json!("WEEKS"), 400, "Unit [WEEKS] is none of");
    let cron = |expression: &str, zone: Value| json!({ "cron": { "expression": expression, "timezone": zone } });
    check("/schedule", cron("* * * * *", Value::Null), 400, "Timezone in cron schedule is null.");
    check(
        "/schedule",
        cron("* * * * *", json!("Mars/Base")),
        400,
        "Timezone [Mars/Base] is not known",
    );
    check(
        "/schedule",
        cron("61 * * * *", json!("UTC")),
        400,
        "Invalid cron expression [61 * * * *]",
    );
    check("/name", json!(null), 400, "Monitor name is null");
    check("/name", json!(" "), 400, "[name] must not be empty");
    check("/enabled", json!("yes"), 400, "[enabled] must be true or false");
    check(
        "/data_sources",
        json!({ "alerts_index": "mine" }),
        400,
        "Custom Data Sources are not allowed.",
    );
    check(
        &format!("{TRIGGER}/severity"),
        json!("6"),
        400,
        "Severity [6] is none of [1, 2, 3, 4, 5]",
    );
    check(
        &format!("{TRIGGER}/condition/script/lang"),
        json!("mustache"),
        400,
        "Invalid script language. Allowed languages are [painless]",
    );
    check(
        &format!("{TRIGGER}/condition/script/source"),
        json!("ctx.results[0].fly() > 2"),
        400,
        "fly",
    );
    check(&format!("{TRIGGER}/colour"), json!("red"), 400, "Unknown field [colour] in trigger");
    check(
        &format!("{ACTION}/colour"),
        json!("red"),
        500,
        "Unexpected field: colour, while parsing action",
    );
    check(
        &format!("{ACTION}/throttle"),
        json!(null),
        400,
        "Action throttle enabled but not set throttle value",
    );
    check(
        &format!("{ACTION}/throttle/value"),
        json!(1441),
        400,
        "Can only set throttle period less than or equal to 1d",
    );
    check(
        &format!("{ACTION}/throttle/value"),
        json!(0),
        400,
        "Can not set throttle period less than 1m",
    );
    check(
        &format!("{ACTION}/throttle/unit"),
        json!("HOURS"),
        400,
        "Can only support MINUTES throttle unit",
    );
    check(
        &format!("{ACTION}/subject_template/source"),
        json!("x".repeat(1_001)),
        400,
        "subject_template has 1001 characters, and may have at most 1000",
    );
    check(
        &format!("{ACTION}/message_template/source"),
        json!("x".repeat(3_001)),
        400,
        "message_template has 3001 characters, and may have at most 3000",
    );
    check(
        &format!("{ACTION}/message_template/source"),
        json!("{{> other}}"),
        400,
        "message_template is not understood",
    );
    check(
        &format!("{ACTION}/message_template/lang"),
        json!("painless"),
        400,
        "message_template must be a mustache script",
    );
    check(
        &format!("{ACTION}/action_execution_policy"),
        json!({ "action_execution_scope": { "per_alert": { "actionable_alerts": [] } } }),
        400,
        "Execution scope [per_alert] is for bucket and document monitors",
    );
    check("/inputs/0/search/indices", json!([]), 400, "at least one index");
    check("/inputs/0/search/query/query", json!({ "geo_shape": {} }), 400, "geo_shape");
    check("/inputs/0/search/query/sizes", json!(1), 400, "sizes");
    check("/inputs/0/search/query/pit", json!({ "id": "x" }), 400, "not a point in time");
}

#[test]
fn other_kinds_are_refused_by_their_names() {
    for kind in
        ["bucket_level_monitor", "doc_level_monitor", "cluster_metrics_monitor", "ppl_monitor"]
    {
        check(
            "/monitor_type",
            json!(kind),
            400,
            &format!("monitor type [{kind}] is not supported"),
        );
    }
    check("/monitor_type", json!("sky_monitor"), 400, "Monitor type [sky_monitor] is not known");
    check("/type", json!("workflow"), 400, "composite monitors (type [workflow]) is not supported");
    for input in ["uri", "doc_level_input", "ppl_input"] {
        check("/inputs/0", json!({ input: {} }), 400, &format!("input [{input}] is not supported"));
    }
    let two = json!([{ "search": {} }, { "search": {} }]);
    check("/inputs", two, 400, "Monitors can only have 1 search input.");
    for trigger in ["bucket_level_trigger", "document_level_trigger", "chained_alert_trigger"] {
        check(
            "/triggers/0",
            json!({ trigger: {} }),
            400,
            &format!("trigger [{trigger}] is not supported"),
        );
    }
}

#[test]
fn misspelled_extensions_are_refused_with_what_is_known() {
    check(
        "/pampero/nodata",
        json!("tell"),
        400,
        "[nodata] in pampero; known are [no_data, time_field, triggers]",
    );
    check("/pampero/no_data", json!("loud"), 400, "no_data [loud] is none of [quiet, tell, keep]");
    check(
        "/pampero/triggers/other",
        json!({}),
        400,
        "names [other]; the triggers are [trg-errors]",
    );
    let of = |member: &str| format!("/pampero/triggers/trg-errors/{member}");
    check(
        &of("hold"),
        json!("1m"),
        400,
        "known are [for, keep_firing_for, reminder, recovery, escalations]",
    );
    check(&of("for"), json!("soon"), 400, "[soon] is no length of time");
    check(&of("for"), json!("400d"), 400, "[400d] is longer than 366d");
    check(&of("reminder"), json!("5ms"), 400, "[reminder] must be at least 1s");
    check(&of("escalations"), json!([{ "after": "1h" }]), 400, "an escalation needs [channel]");
}

#[test]
fn ids_are_unique_and_triggers_few() {
    let mut monitor = whole();
    let trigger = monitor["triggers"][0].clone();
    monitor["triggers"] = json!([trigger, trigger]);
    let error = Monitor::from_json(&monitor).unwrap_err();
    assert_eq!(error.reason, "Duplicate trigger id: trg-errors. Trigger ids must be unique.");
    assert_eq!(error.pointer, "/triggers/1");
    monitor["triggers"] = Value::Array(vec![trigger; 11]);
    let error = Monitor::from_json(&monitor).unwrap_err();
    assert_eq!(error.reason, "Monitors can only support up to 10 triggers.");
}

#[test]
fn what_is_no_monitor_at_all_is_refused() {
    for document in [json!(null), json!([]), json!("x"), json!(1)] {
        let error = Monitor::from_json(&document).unwrap_err();
        assert!(error.reason.contains("[monitor] must be an object"), "{document}: {error}");
        assert_eq!(error.status(), 400);
    }
}

/// Puts a value into the whole monitor, and expects a refusal there or below.
#[track_caller]
fn check(pointer: &str, value: Value, status: u16, reason: &str) {
    let mut monitor = whole();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    match monitor.pointer_mut(parent).unwrap() {
        Value::Object(members) => {
            members.insert(member.to_owned(), value);
        }
        Value::Array(items) => items[member.parse::<usize>().unwrap()] = value,
        other => panic!("{other} has no members"),
    }
    let error = Monitor::from_json(&monitor).unwrap_err();
    assert!(error.reason.contains(reason), "{pointer}: {error}");
    assert_eq!(error.status(), status, "{pointer}: {error}");
}
