//! Definitions are files: what changes on disk is at work without a restart, what is broken leaves the last good
//! one at work, and what comes over REST is written into the same file.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::alerts_kit::{
    ALERTING, ENVIRONMENT, NOTIFICATIONS, Receiver, done, monitor_with_condition, wait_for,
    wait_for_evaluations, with,
};
use crate::harness::{Program, folder, hurried, path_of, simulator};
use crate::logs::create_as_in_the_original;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_taken_over_without_a_restart_and_broken_ones_stay_as_they_were() {
    let simulator = simulator().await;
    let folder = folder();
    let rules = path_of(&folder, "rules.yml");
    std::fs::write(&rules, rule("First", "vector(1)")).unwrap();
    let more = format!("[metrics]\nshipped_rules = false\nrules = [{rules:?}]\n");
    let config = hurried(&simulator, &["open_meteo"], &more);
    let program = Program::serve(folder.path(), &config, ENVIRONMENT).await;
    create_as_in_the_original(&program).await;
    let receiver = Receiver::start().await;
    let definitions = folder.path().join("data/alerting");
    let monitors = watch_monitors(&program, &receiver, &definitions);
    tokio::join!(monitors, watch_rules(&program, &rules));
    let (status, log) = program.terminate();
    assert!(status.success() && !log.contains("panicked"), "{log}");
}

/// Drops, breaks, mends and removes the file of a monitor.
async fn watch_monitors(program: &Program, receiver: &Receiver, definitions: &Path) {
    let file = definitions.join("monitors/dropped.json");
    let channel = definitions.join("channels/hook.json");
    for file in [&file, &channel] {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    }
    let hook = json!({ "config": { "name": "Hook", "config_type": "webhook",
        "webhook": { "url": receiver.url("/XXs3cr3tXX"), "method": "POST",
            "body_template": "{\"kind\":\"{{kind}}\",\"subject\":\"{{subject}}\"}" } } });
    std::fs::write(&channel, hook.to_string()).unwrap();
    std::fs::write(&file, named("Dropped").to_string()).unwrap();
    wait_for_message(program, receiver, "fired", "Dropped").await;
    let listed = alerts(program).await;
    assert_eq!(listed["total"], 1, "{listed}");
    let alert = listed["alerts"][0]["id"].as_str().unwrap().to_owned();
    // The address was a secret that stood there as it is.
    let written = std::fs::read_to_string(&channel).unwrap();
    assert!(!written.contains("XXs3cr3tXX") && written.contains("$file:"), "{written}");
    let shown = done(program, &format!("GET {NOTIFICATIONS}/configs/hook"), &Value::Null).await;
    assert_eq!(shown["config_list"][0]["config"]["webhook"]["url"], "[redacted]", "{shown}");
    assert_eq!(problems(program).await, Vec::<Value>::new());

    let broken = "{\n  \"type\": \"monitor\",\n  \"name\": \"Broken\",\n  \"schedule\": }\n";
    std::fs::write(&file, broken).unwrap();
    let problem = wait_for("a problem", program, async || problems(program).await.pop()).await;
    assert_eq!(problem["file"], "monitors/dropped.json", "{problem}");
    assert_eq!((&problem["kind"], &problem["line"]), (&json!("file"), &json!(4)), "{problem}");
    wait_for_evaluations(program, "count_error", 2).await;
    assert_eq!(alerts(program).await["alerts"][0]["id"], alert.as_str());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), broken, "nobody touches what is broken");

    let path = format!("{ALERTING}/monitors/dropped");
    let put = done(program, &format!("PUT {path}"), &named("Mended")).await;
    assert_eq!(put["monitor"]["name"], "Mended", "{put}");
    assert_eq!(problems(program).await, Vec::<Value>::new());
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(
        written.starts_with("{\n  \"type\": \"monitor\",\n  \"name\": \"Mended\",\n"),
        "{written}"
    );
    assert!(written.ends_with("}\n"), "{written}");
    // What is shown can be sent back, and leaves the file as it is.
    let shown = done(program, &format!("GET {path}"), &Value::Null).await;
    done(program, &format!("PUT {path}"), &shown["monitor"]).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);

    std::fs::write(&file, written.replace("Mended", "By hand")).unwrap();
    wait_for("the change by hand", program, async || {
        let shown = done(program, &format!("GET {path}"), &Value::Null).await;
        (shown["monitor"]["name"] == "By hand").then_some(())
    })
    .await;
    assert_eq!(alerts(program).await["alerts"][0]["id"], alert.as_str());
    std::fs::remove_file(&file).unwrap();
    wait_for_message(program, receiver, "recovered", "removed").await;
    assert_eq!(alerts(program).await["total"], 0);
    let shown = done(program, &format!("GET /api/alerts/{alert}"), &Value::Null).await;
    assert_eq!(shown["state"], "deleted", "{shown}");
    let told: Vec<Value> = told(receiver);
    assert_eq!(told.len(), 2, "{told:?}");
}

/// Changes, breaks and mends a file of rules.
async fn watch_rules(program: &Program, file: &PathBuf) {
    wait_for_alert(program, "First").await;
    std::fs::write(file, rule("Second", "vector(2)")).unwrap();
    wait_for_alert(program, "Second").await;
    assert_eq!(alerting_rules(program).await, ["Second"]);

    std::fs::write(file, rule("Third", "sum(")).unwrap();
    let of_rules = |problem: &Value| problem["file"].as_str().unwrap().ends_with("rules.yml");
    let problem = wait_for("a problem of the rules", program, async || {
        problems_of_all(program).await.into_iter().find(of_rules)
    })
    .await;
    assert_eq!((&problem["kind"], &problem["line"]), (&json!("file"), &json!(6)), "{problem}");
    assert_eq!(alerting_rules(program).await, ["Second"]);
    wait_for_evaluations(program, "Second", 2).await;

    std::fs::write(file, rule("Fourth", "vector(4)")).unwrap();
    wait_for_alert(program, "Fourth").await;
    assert_eq!(alerting_rules(program).await, ["Fourth"]);
    wait_for("an end of problems", program, async || {
        let problems = problems_of_all(program).await;
        (!problems.iter().any(of_rules)).then_some(())
    })
    .await;
}

fn named(name: &str) -> Value {
    let monitor = with(monitor_with_condition("return true"), "/name", json!(name));
    with(monitor, "/triggers/0/query_level_trigger/actions/0/destination_id", json!("hook"))
}

fn rule(alert: &str, query: &str) -> String {
    format!(
        "groups:\n  - name: changing\n    interval: 1s\n    rules:\n      - alert: {alert}\n        \
         expr: {query}\n"
    )
}

/// Returns what a receiver was sent, in the form of the channel's template.
fn told(receiver: &Receiver) -> Vec<Value> {
    let bodies = receiver.received().into_iter().map(|received| received.body);
    bodies.map(|body| serde_json::from_str(&body).unwrap()).collect()
}

async fn wait_for_message(program: &Program, receiver: &Receiver, kind: &str, words: &str) {
    wait_for(words, program, async || {
        let told = told(receiver);
        let is_wanted = |message: &Value| {
            message["kind"] == kind && message["subject"].as_str().unwrap().contains(words)
        };
        told.iter().any(is_wanted).then_some(())
    })
    .await;
}

async fn alerts(program: &Program) -> Value {
    done(program, "GET /api/alerts?source=monitor/dropped", &Value::Null).await
}

async fn problems_of_all(program: &Program) -> Vec<Value> {
    let listed = done(program, "GET /api/alerts/problems", &Value::Null).await;
    listed["problems"].as_array().unwrap().clone()
}

/// Returns what is wrong with monitors and channels.
async fn problems(program: &Program) -> Vec<Value> {
    let mut problems = problems_of_all(program).await;
    problems.retain(|problem| !problem["file"].as_str().unwrap_or_default().ends_with(".yml"));
    problems
}

/// Returns the names of the alerting rules, as Prometheus lists them.
async fn alerting_rules(program: &Program) -> Vec<String> {
    let listed = done(program, "GET /prometheus/api/v1/rules?type=alert", &Value::Null).await;
    let groups = listed["data"]["groups"].as_array().unwrap();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
    rules.map(|rule| rule["name"].as_str().unwrap().to_owned()).collect()
}

/// Waits until a rule is firing, for Prometheus's clients and for Pampero's, and nothing else of its file is.
async fn wait_for_alert(program: &Program, name: &str) {
    wait_for(name, program, async || {
        let of_prometheus = done(program, "GET /prometheus/api/v1/alerts", &Value::Null).await;
        let of_pampero = done(program, "GET /api/alerts?source=rule", &Value::Null).await;
        let alerts = of_prometheus["data"]["alerts"].as_array().unwrap();
        let is_firing = alerts.len() == 1
            && alerts[0]["labels"]["alertname"] == name
            && alerts[0]["state"] == "firing";
        let is_active = of_pampero["total"] == 1
            && of_pampero["alerts"][0]["name"] == name
            && of_pampero["alerts"][0]["state"] == "active";
        (is_firing && is_active).then_some(())
    })
    .await;
}
