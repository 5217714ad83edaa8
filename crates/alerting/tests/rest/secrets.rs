//! What is secret stands in no answer, whatever is asked.

use serde_json::{Value, json};

use crate::slack::Slack;
use crate::testkit::{ALERTING, App, NOTIFICATIONS, error_monitor};

const SECRETS: [&str; 5] =
    ["s3cr3t-hook", "s3cr3t-key", "s3cr3t-token", "s3cr3t-user", "s3cr3t-word"];

fn channels(hook: &str) -> Vec<Value> {
    let config = |id: &str, kind: &str, of: Value| {
        json!({ "config_id": id, "config": { "name": id, "description": "", "config_type": kind,
            "is_enabled": true, kind: of } })
    };
    vec![
        config("slack-ops", "slack", json!({ "url": hook })),
        config(
            "hook",
            "webhook",
            json!({ "url": "http://127.0.0.1:9/s3cr3t-hook", "method": "POST", "hmac_secret": "s3cr3t-key",
                "header_params": { "Content-Type": "application/json",
                    "Authorization": "Bearer s3cr3t-token" } }),
        ),
        config(
            "account",
            "smtp_account",
            json!({ "host": "mail.example", "port": 587, "method": "start_tls",
                "from_address": "w@example.com", "username": "s3cr3t-user", "password": "s3cr3t-word" }),
        ),
    ]
}

#[tokio::test]
async fn no_answer_holds_a_secret() {
    let slack = Slack::start().await;
    let app = App::start();
    for channel in channels(&slack.url()) {
        let made = app.call(&format!("POST {NOTIFICATIONS}/configs"), channel.clone()).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let again = app.call(&format!("POST {NOTIFICATIONS}/configs"), channel.clone()).await;
        check(&again.text());
        // A wrong member beside the secret: the refusal does not repeat the secret.
        let mut wrong = channel;
        let kind = wrong["config"]["config_type"].as_str().unwrap().to_owned();
        wrong["config_id"] = json!("wrong");
        wrong["config"][&kind]["colour"] = json!(1);
        let refused = app.call(&format!("POST {NOTIFICATIONS}/configs"), wrong).await;
        assert!(refused.status.is_client_error(), "{}", refused.text());
        check(&refused.text());
    }
    let id = app.make_monitor(error_monitor()).await;
    app.find(14);
    let calls = [
        format!("GET {NOTIFICATIONS}/configs"),
        format!("GET {NOTIFICATIONS}/configs/slack-ops"),
        format!("GET {NOTIFICATIONS}/configs?query=hook"),
        format!("GET {NOTIFICATIONS}/configs?slack.url=http"),
        format!("GET {NOTIFICATIONS}/channels"),
        format!("POST {NOTIFICATIONS}/feature/test/slack-ops"),
        // Nobody listens there, so that the refusal of the connection is told.
        format!("POST {NOTIFICATIONS}/feature/test/hook"),
        format!("POST {ALERTING}/monitors/{id}/_execute"),
        format!("GET {ALERTING}/monitors/alerts"),
        format!("DELETE {NOTIFICATIONS}/configs?config_id_list=hook,slack-ops,account"),
    ];
    for call in calls {
        check(&app.send(&call, "").await.text());
    }
    // Nor do the files of definitions.
    let files = std::fs::read_dir(app.folder.path().join("channels")).unwrap();
    for file in files {
        check(&std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
}

#[track_caller]
fn check(answer: &str) {
    for secret in SECRETS {
        assert!(!answer.contains(secret), "{answer}");
    }
}
