//! The original's alert, made in its order: a channel, a query, a trigger, a message; then an outage that is
//! told when it begins and when it ends, and nothing twice.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use pampero_simulator::RunningSimulator;
use serde_json::{Value, json};

use crate::alerts_kit::{
    ALERTING, ENVIRONMENT, NOTIFICATIONS, call, error_monitor, hurried_monitor, log_errors,
    slack_channel, wait_for, wait_for_evaluations, while_failing, with,
};
use crate::harness::{Program, Reply, folder, hurried, simulator};
use crate::logs::{MONITOR, create_as_in_the_original};

/// The end of the address of the channel, which nobody may see.
const SECRET: &str = "XXs3cr3tXXhookXX";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_alert_of_the_original_is_made_and_tells_an_outage_once() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "[log]\nfilter = \"debug\"\n");
    let program = Program::serve(folder.path(), &config, ENVIRONMENT).await;
    let scene = Scene { program, simulator, seen: Mutex::default() };
    let data = folder.path().join("data");

    create_as_in_the_original(&scene.program).await;
    scene.make_channel().await;
    scene.preview().await;
    scene.send_test_message().await;
    let id = scene.make_monitor(&data).await;
    scene.watch_outage(&id).await;
    scene.check_nothing_secret(&data).await;
    let (status, log) = scene.program.terminate();
    assert!(status.success() && !log.contains("panicked"), "{log}");
    assert!(!log.contains(SECRET), "the log holds the address of the channel");
    check_files(&data);
}

/// The program and what it is connected with.
struct Scene {
    program: Program,
    simulator: RunningSimulator,
    /// Every answer.
    seen: Mutex<String>,
}

impl Scene {
    async fn ask(&self, what: &str, body: &Value) -> Reply {
        let reply = call(&self.program, what, body).await;
        let mut seen = self.seen.lock().unwrap();
        seen.push_str(&format!("{:?}\n", reply.headers));
        seen.push_str(&reply.text);
        reply
    }

    /// Asks and returns the answer, which has to be a success.
    async fn done(&self, what: &str, body: &Value) -> Value {
        let reply = self.ask(what, body).await;
        assert!((200..300).contains(&reply.status), "{what}: {} {}", reply.status, reply.text);
        reply.json()
    }

    fn told(&self) -> Vec<String> {
        self.simulator.slack_messages().into_iter().map(|message| message.text).collect()
    }

    async fn make_channel(&self) {
        let url = self.simulator.slack_url().join(&format!("/services/T000/B000/{SECRET}"));
        let channel = slack_channel("slack-ops", url.unwrap().as_str());
        let configs = format!("POST {NOTIFICATIONS}/configs");
        assert_eq!(self.done(&configs, &channel).await["config_id"], "slack-ops");
        let again = self.ask(&configs, &channel).await;
        assert_eq!(again.status, 409, "{}", again.text);
        let listed = self.done(&format!("GET {NOTIFICATIONS}/channels"), &Value::Null).await;
        assert_eq!(listed["channel_list"][0]["config_id"], "slack-ops", "{listed}");
        let shown = format!("GET {NOTIFICATIONS}/configs/slack-ops");
        let shown = self.done(&shown, &Value::Null).await;
        assert_eq!(shown["config_list"][0]["config"]["slack"]["url"], "[redacted]", "{shown}");
    }

    /// Looks at the query and at the trigger before anything is saved.
    async fn preview(&self) {
        let query = serde_json::from_str(MONITOR).unwrap();
        let search = "POST /opensearch/weather_logs/_search";
        let found = self.done(search, &query).await;
        assert_eq!(found["hits"]["total"]["value"], 0, "{found}");
        let preview = format!("POST {ALERTING}/monitors/_execute?dryrun=true");
        let seen = self.done(&preview, &error_monitor()).await;
        assert_eq!(seen["trigger_results"]["count_error"]["triggered"], false, "{seen}");

        // Too old for a monitor in a hurry.
        let age = Duration::from_secs(30);
        log_errors(&self.program, 2, age).await;
        let seen = self.done(&preview, &error_monitor()).await;
        assert_eq!(seen["input_results"]["results"][0]["hits"]["total"]["value"], 2, "{seen}");
        assert_eq!(seen["trigger_results"]["count_error"]["triggered"], false, "{seen}");
        log_errors(&self.program, 1, age).await;
        let found = self.done(search, &query).await;
        assert_eq!(found["hits"]["total"]["value"], 3, "{found}");
        let seen = self.done(&preview, &error_monitor()).await;
        assert_eq!(seen["trigger_results"]["count_error"]["triggered"], true, "{seen}");
        let output = &seen["trigger_results"]["count_error"]["action_results"]["error_log"];
        let message = output["output"]["message"].as_str().unwrap();
        check_message(message);
        assert_eq!(self.told(), Vec::<String>::new(), "a preview sends nothing");
    }

    async fn send_test_message(&self) {
        let test = format!("POST {NOTIFICATIONS}/feature/test/slack-ops");
        let sent = self.done(&test, &Value::Null).await;
        let status = &sent["status_list"][0]["delivery_status"];
        assert_eq!(status["status_code"], "200", "{sent}");
        assert_eq!(self.told().len(), 1);
    }

    /// Saves the monitor as it was previewed and returns its id.
    async fn make_monitor(&self, data: &Path) -> String {
        let made = self.ask(&format!("POST {ALERTING}/monitors"), &error_monitor()).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let id = made.json()["_id"].as_str().unwrap().to_owned();
        let file = data.join(format!("alerting/monitors/{id}.json"));
        let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(written["schedule"], error_monitor()["schedule"]);
        id
    }

    /// Changes the monitor: a run each second, and reminders if any.
    async fn hurry(&self, id: &str, reminder: Option<&str>) {
        let mut monitor = hurried_monitor(1, 3);
        if let Some(reminder) = reminder {
            monitor["pampero"] = json!({ "triggers": { "count_error": { "reminder": reminder } } });
        }
        self.done(&format!("PUT {ALERTING}/monitors/{id}"), &monitor).await;
    }

    /// Lets an outage come and go: told when it begins, again as often as somebody wants to be reminded, and
    /// when it ends.
    async fn watch_outage(&self, id: &str) {
        let program = &self.program;
        self.hurry(id, None).await;
        wait_for_evaluations(program, "count_error", 2).await;
        let before = self.told().len();
        assert_eq!(before, 1, "only the test message: {:?}", self.told());
        let alert = while_failing(program, async {
            wait_for("a message of the beginning", program, async || {
                (before < self.told().len()).then_some(())
            })
            .await;
            // Several runs later it is still one message.
            wait_for_evaluations(program, "count_error", 4).await;
            assert_eq!(self.told().len(), before + 1, "{:?}", self.told());
            check_message(self.told().last().unwrap());
            let alert = self.check_active(id).await;

            self.hurry(id, Some("2s")).await;
            wait_for("two reminders", program, async || {
                (before + 3 <= self.told().len()).then_some(())
            })
            .await;
            alert
        })
        .await;
        let path = format!("/api/alerts/{alert}");
        program.wait_until(&path, |reply| reply.json()["state"] == "completed").await;
        let messages = self.simulator.slack_messages();
        wait_for("a message of the end", program, async || {
            self.told().last().is_some_and(|text| text.contains("is over")).then_some(())
        })
        .await;
        wait_for_evaluations(program, "count_error", 3).await;
        self.check_over(id, &alert).await;
        for (earlier, later) in messages[before + 1..].iter().zip(&messages[before + 2..]) {
            let apart = later.at.duration_since(earlier.at).as_millis();
            assert!(1_500 <= apart, "reminders come {apart} ms apart");
        }
    }

    /// Checks that the alert is shown while it lasts, and returns its id.
    async fn check_active(&self, monitor: &str) -> String {
        let listed = self.done(&format!("GET {ALERTING}/monitors/alerts"), &Value::Null).await;
        assert_eq!(listed["totalAlerts"], 1, "{listed}");
        let shown = &listed["alerts"][0];
        assert_eq!(shown["monitor_id"], monitor, "{listed}");
        assert_eq!(shown["monitor_name"], "Error Weather Logs", "{listed}");
        assert_eq!(shown["trigger_name"], "count_error", "{listed}");
        assert_eq!((&shown["state"], &shown["severity"]), (&json!("ACTIVE"), &json!("1")));
        assert!(shown["end_time"].is_null() && shown["start_time"].is_i64(), "{listed}");
        let id = shown["id"].as_str().unwrap().to_owned();
        let listed = self.done("GET /api/alerts", &Value::Null).await;
        assert_eq!(listed["total"], 1, "{listed}");
        assert_eq!(listed["alerts"][0]["id"], id.as_str(), "{listed}");
        let source = json!({ "kind": "monitor", "definition": monitor, "trigger": "count_error" });
        assert_eq!(listed["alerts"][0]["source"], source, "{listed}");
        let shown = self.done(&format!("GET /api/alerts/{id}"), &Value::Null).await;
        assert_eq!(shown["state"], "active", "{shown}");
        assert!(shown["value"].as_f64().unwrap() >= 3.0, "{shown}");
        assert_eq!(kinds(&shown), ["fired"], "{shown}");
        id
    }

    /// Checks that everything of the alert is on record: when, how long, and each message with its fate.
    async fn check_over(&self, monitor: &str, alert: &str) {
        let shown = self.done(&format!("GET /api/alerts/{alert}"), &Value::Null).await;
        assert_eq!(shown["state"], "completed", "{shown}");
        assert!(shown["lasted_seconds"].as_f64().unwrap() >= 8.0, "{shown}");
        let kinds = kinds(&shown);
        let (first, last) = (kinds.first().unwrap(), kinds.last().unwrap());
        assert_eq!((first.as_str(), last.as_str()), ("fired", "recovered"), "{shown}");
        let reminders = &kinds[1..kinds.len() - 1];
        let are_reminders = reminders.iter().all(|kind| kind == "reminder");
        assert!(2 <= reminders.len() && are_reminders, "{kinds:?}: {:#?}", self.told());
        let of_alert = self.told().split_off(1);
        assert_eq!(of_alert.len(), kinds.len(), "{of_alert:?}");
        let (end, others) = of_alert.split_last().unwrap();
        others.iter().for_each(|text| check_message(text));
        assert!(end.contains("count_error (Error Weather Logs) is over. It lasted"), "{end}");
        let over = of_alert.iter().filter(|text| text.contains("is over")).count();
        assert_eq!(over, 1, "{of_alert:?}");

        let completed = format!("GET {ALERTING}/monitors/alerts?alertState=COMPLETED");
        let listed = self.done(&completed, &Value::Null).await;
        assert_eq!(listed["alerts"][0]["id"], alert, "{listed}");
        assert!(listed["alerts"][0]["end_time"].is_i64(), "{listed}");
        assert_eq!(self.done("GET /api/alerts", &Value::Null).await["total"], 0);
        let history = format!("GET /api/alerts/sources/monitor/{monitor}/count_error/history");
        let history = self.done(&history, &Value::Null).await;
        let begun = history["entries"].as_array().unwrap().last().unwrap();
        assert_eq!(begun["changes"][0]["after"], "active", "{history}");
        assert!(begun["answer"]["hits"]["total"]["value"].as_u64().unwrap() >= 3, "{history}");
        let delivered = self.done("GET /api/notifications?state=delivered", &Value::Null).await;
        let delivered = delivered["notifications"].as_array().unwrap();
        assert!(delivered.iter().all(|it| it["tries"] == 1 && it["is_repeat"] == false));
    }

    /// Looks everywhere over HTTP.
    async fn check_nothing_secret(&self, data: &Path) {
        for path in [
            "/api/alerts/sources",
            "/api/alerts/problems",
            "/api/channels",
            "/api/notifications?limit=1000",
            "/metrics",
            "/openapi.json",
            "/prometheus/api/v1/status/config",
        ] {
            self.done_or_text(path).await;
        }
        let by_secret = format!("GET {NOTIFICATIONS}/configs?slack.url={SECRET}");
        assert_eq!(self.ask(&by_secret, &Value::Null).await.status, 400);
        // A wrong change beside the secret is refused without repeating it.
        let url = format!("http://127.0.0.1:9/services/{SECRET}");
        let mut wrong = slack_channel("slack-ops", &url);
        wrong["config"]["slack"]["colour"] = json!(1);
        let refused = format!("PUT {NOTIFICATIONS}/configs/slack-ops");
        assert_eq!(self.ask(&refused, &wrong).await.status, 400);
        // Nobody listens there any more.
        let gone = with(slack_channel("slack-ops", &url), "/config/name", json!("gone"));
        self.done(&format!("PUT {NOTIFICATIONS}/configs/slack-ops"), &gone).await;
        let test = format!("POST {NOTIFICATIONS}/feature/test/slack-ops");
        let failed = self.ask(&test, &Value::Null).await;
        assert_eq!(failed.status, 500, "{}", failed.text);
        let all = r#"{"size":10000,"query":{"match_all":{}}}"#;
        let all = serde_json::from_str(all).unwrap();
        self.done("POST /opensearch/weather_logs/_search", &all).await;
        let seen = self.seen.lock().unwrap();
        if let Some(place) = seen.find(SECRET) {
            let around = &seen[place.saturating_sub(300)..place];
            panic!("an answer holds the address of the channel: {around}");
        }
        let secrets = std::fs::read_dir(data.join("alerting/secrets")).unwrap();
        let secrets: Vec<PathBuf> = secrets.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(secrets.len(), 1, "{secrets:?}");
        let mode = std::fs::metadata(&secrets[0]).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secrets:?}");
        assert!(std::fs::read_to_string(&secrets[0]).unwrap().contains(SECRET));
    }

    async fn done_or_text(&self, path: &str) {
        let reply = self.ask(&format!("GET {path}"), &Value::Null).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    }
}

/// Returns what the messages of an alert were for, the first one first.
fn kinds(alert: &Value) -> Vec<String> {
    let mut kinds = Vec::new();
    for entry in alert["history"].as_array().unwrap().iter().rev() {
        for message in entry["messages"].as_array().unwrap() {
            kinds.push(message["kind"].as_str().unwrap().to_owned());
        }
    }
    kinds
}

#[track_caller]
fn check_message(text: &str) {
    for part in [
        "Monitor Error Weather Logs just entered alert status. Please investigate the issue.",
        "- Trigger: count_error\n- Severity: 1\n- Period start: 20",
    ] {
        assert!(text.contains(part), "{part:?} is missing in {text:?}");
    }
}

/// Looks for the address of the channel in every file but those for secrets.
fn check_files(data: &Path) {
    let mut folders = vec![data.to_owned()];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("alerting/secrets") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            count += 1;
            let bytes = std::fs::read(&path).unwrap();
            let holds = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
            assert!(!holds, "{} holds the address of the channel", path.display());
        }
    }
    assert!(10 < count, "only {count} files were looked through");
}
