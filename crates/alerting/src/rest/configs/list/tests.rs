//! Lists of a few channels, as a table.

use super::*;

fn documents() -> Vec<Value> {
    let config = |id: &str, created: i64, config: Value| {
        json!({ "config_id": id, "created_time_ms": created,
            "last_updated_time_ms": 1_000 - created, "config": config })
    };
    vec![
        config(
            "slack-ops",
            1,
            json!({ "name": "Ops Slack", "description": "on call", "config_type": "slack",
                "is_enabled": true, "slack": { "url": "[redacted]" } }),
        ),
        config(
            "mail",
            2,
            json!({ "name": "Mail to ops", "description": "", "config_type": "email",
                "is_enabled": false, "email": { "email_account_id": "account",
                "recipient_list": [{ "recipient": "a@b.example" }], "email_group_id_list": [] } }),
        ),
        config(
            "account",
            3,
            json!({ "name": "account", "description": "", "config_type": "smtp_account",
                "is_enabled": true, "smtp_account": { "host": "mail.example", "port": 587,
                "method": "start_tls", "from_address": "w@b.example" } }),
        ),
    ]
}

fn listed(query: &str) -> Result<Value, Failure> {
    Listing::read(None, &Parameters::read("/c", Some(query)))?.answer(documents())
}

#[track_caller]
fn check(query: &str, expected: &[&str]) {
    let answer = listed(query).unwrap();
    let list = answer["config_list"].as_array().unwrap();
    let ids: Vec<&str> = list.iter().map(|it| it["config_id"].as_str().unwrap()).collect();
    assert_eq!(ids, expected, "{query}");
}

#[test]
fn channels_are_filtered_sorted_and_paged() {
    check("", &["account", "mail", "slack-ops"]);
    check("sort_order=desc", &["slack-ops", "mail", "account"]);
    check("sort_field=name&sort_order=asc", &["mail", "slack-ops", "account"]);
    check("sort_field=config_type", &["mail", "slack-ops", "account"]);
    check("config_id_list=mail,slack-ops", &["mail", "slack-ops"]);
    check("config_id=mail", &["mail"]);
    check("from_index=1&max_items=1", &["mail"]);
    check("config_type=slack,email", &["mail", "slack-ops"]);
    check("is_enabled=false", &["mail"]);
    check("name=ops", &["mail", "slack-ops"]);
    check("name=*lac*", &["slack-ops"]);
    check("query=start_tls", &["account"]);
    check("text_query=smtp_account", &["account"]);
    check("text_query=start_tls", &[]);
    check("query=redacted", &[]);
    check("description=call", &["slack-ops"]);
    check("email.recipient_list.recipient=a@b.example", &["mail"]);
    check("smtp_account.host=mail.example", &["account"]);
    check("created_time_ms=2..3", &["account", "mail"]);
    check("last_updated_time_ms=0..997", &["account"]);
    assert_eq!(listed("from_index=9").unwrap()["total_hits"], 3);
}

#[track_caller]
fn check_refused(query: &str, words: &str) {
    let refused = format!("{:?}", listed(query).unwrap_err());
    assert!(refused.contains(words), "{query}: {refused}");
}

#[test]
fn what_a_list_does_not_take_is_refused() {
    check_refused("slack.url=hooks", "secret");
    check_refused("sns.topic_arn=x", "[sns]");
    check_refused("colour=red", "unrecognized parameter: [colour]");
    check_refused("sort_field=slack.url", "Sort on slack.url not acceptable");
    check_refused("sort_order=up", "[up]");
    check_refused("max_items=0", "max_items");
    check_refused("max_items=-1", "max_items");
    check_refused("created_time_ms=yesterday", "created_time_ms");
    check_refused("config_id_list=x,mail,y", "NotificationConfig [x, y] not found");
    check_refused("config_id=x", "NotificationConfig x not found");
}

#[test]
fn channels_in_short_are_those_that_messages_go_to() {
    let answer = channels(documents());
    let ids: Vec<&Value> =
        answer["channel_list"].as_array().unwrap().iter().map(|it| &it["config_id"]).collect();
    assert_eq!(ids, ["slack-ops", "mail"]);
    assert_eq!(answer["total_hits"], 2);
    assert!(answer["channel_list"][0].get("slack").is_none());
}
