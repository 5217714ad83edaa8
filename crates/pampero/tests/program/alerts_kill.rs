//! The whole program, killed round evaluation and delivery: no message is lost, and one that comes twice says so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::alerts_kit::{ENVIRONMENT, NOTIFICATIONS, Receiver, done, wait_for};
use crate::harness::{Program, folder, hurried, path_of, simulator};

const KILLS: usize = 12;
/// Alerts that come and go with every second evaluation, each in a group with turns of its own.
const RULES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_is_lost_and_what_comes_twice_is_marked() {
    let simulator = simulator().await;
    let folder = folder();
    let rules = path_of(&folder, "rules.yml");
    std::fs::write(&rules, blinking_rules()).unwrap();
    let more = format!("[metrics]\nshipped_rules = false\nrules = [{rules:?}]\n");
    let config = hurried(&simulator, &["open_meteo"], &more);
    let receiver = Receiver::start().await;
    let mut chance = StdRng::seed_from_u64(1124);
    let mut promised: BTreeSet<String> = BTreeSet::new();

    for life in 0..KILLS {
        let program = Program::serve(folder.path(), &config, ENVIRONMENT).await;
        if life == 0 {
            done(&program, &format!("POST {NOTIFICATIONS}/configs"), &channel(&receiver)).await;
        }
        let before = receiver.received().len();
        if life % 2 == 0 {
            // Killed while the receiver has a message, and nobody has its answer.
            receiver.fall_silent();
            wait_for("a message", &program, async || {
                (before < receiver.received().len()).then_some(())
            })
            .await;
            promised.extend(keys(&program).await);
            tokio::time::sleep(Duration::from_millis(chance.random_range(0..50))).await;
        } else {
            let life = Duration::from_millis(chance.random_range(500..2_000));
            let end = tokio::time::Instant::now() + life;
            while tokio::time::Instant::now() < end {
                promised.extend(keys(&program).await);
            }
        }
        program.kill();
        receiver.answer("200 OK", "");
    }

    let program = Program::serve(folder.path(), &config, ENVIRONMENT).await;
    promised.extend(keys(&program).await);
    let is_there = |key: &String| arrivals(&receiver).contains_key(key);
    wait_for("the last message", &program, async || promised.iter().all(is_there).then_some(()))
        .await;
    check_history(&program, &receiver).await;
    let (status, log) = program.terminate();
    assert!(status.success() && !log.contains("panicked"), "{log}");
    assert!(!log.contains("damaged"), "{log}");

    assert!(KILLS <= promised.len(), "only {} messages were promised", promised.len());
    let arrivals = arrivals(&receiver);
    let mut doubled = 0;
    for (key, marks) in &arrivals {
        assert!(marks[1..].iter().all(|is_repeat| *is_repeat), "{key} is not marked: {marks:?}");
        // A kill doubles what was under way, and no kill anything else.
        assert!(marks.len() <= KILLS, "{key} came {} times", marks.len());
        doubled += marks.len() - 1;
    }
    // Half of the kills cut an answer off.
    assert!((KILLS / 2..=KILLS).contains(&doubled), "{doubled} of {} doubled", arrivals.len());
}

/// Rules that are true every other second.
fn blinking_rules() -> String {
    let group = |number: usize| {
        format!(
            "  - name: blinking-{number}\n    interval: 1s\n    rules:\n      - alert: Blinking{number}\n        \
             expr: vector((time() + {number}) % 2) < 1\n        \
             annotations: {{pampero_channels: hook}}\n"
        )
    };
    let groups: String = (0..RULES).map(group).collect();
    format!("groups:\n{groups}")
}

/// A webhook that tells what the program says of a message.
fn channel(receiver: &Receiver) -> Value {
    let template = "{\"key\":\"{{key}}\",\"is_repeat\":{{is_repeat}},\"kind\":\"{{kind}}\"}";
    json!({ "config_id": "hook", "config": { "name": "Hook", "config_type": "webhook",
        "webhook": { "url": receiver.url("/hook"), "method": "POST", "body_template": template } } })
}

/// Returns the keys of the messages that are on record.
async fn keys(program: &Program) -> Vec<String> {
    let listed = done(program, "GET /api/notifications?limit=1000", &Value::Null).await;
    let listed = listed["notifications"].as_array().unwrap();
    listed.iter().map(|it| it["key"].as_str().unwrap().to_owned()).collect()
}

/// Returns for each message whether its arrivals were marked as repeats, in their order.
fn arrivals(receiver: &Receiver) -> BTreeMap<String, Vec<bool>> {
    let mut arrivals: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for received in receiver.received() {
        let body: Value = serde_json::from_str(&received.body).unwrap();
        let key = body["key"].as_str().unwrap();
        let header = format!("idempotency-key: {}", key.to_lowercase());
        assert!(received.head.contains(&header), "{}", received.head);
        arrivals.entry(key.to_owned()).or_default().push(body["is_repeat"].as_bool().unwrap());
    }
    arrivals
}

/// Checks that all that is in the history is in the outbox or at the receiver, and that each alert begins and
/// ends in turn.
async fn check_history(program: &Program, receiver: &Receiver) {
    let waiting =
        done(program, "GET /api/notifications?state=waiting&limit=1000", &Value::Null).await;
    let waiting = waiting["notifications"].as_array().unwrap().clone();
    let waiting: BTreeSet<&str> = waiting.iter().map(|it| it["key"].as_str().unwrap()).collect();
    let sources = done(program, "GET /api/alerts/sources?kind=rule", &Value::Null).await;
    let sources = sources["sources"].as_array().unwrap();
    assert_eq!(sources.len(), RULES, "{sources:?}");
    for source in sources {
        let definition = source["source"]["definition"].as_str().unwrap().bytes();
        let definition: String = definition.map(|byte| format!("%{byte:02X}")).collect();
        let trigger = source["source"]["trigger"].as_str().unwrap();
        let path =
            format!("GET /api/alerts/sources/rule/{definition}/{trigger}/history?limit=1000");
        let history = done(program, &path, &Value::Null).await;
        // What came after the list of those that wait may still be on its way.
        let arrived = arrivals(receiver);
        let mut kinds = Vec::new();
        for entry in history["entries"].as_array().unwrap().iter().rev() {
            for message in entry["messages"].as_array().unwrap() {
                let key = message["key"].as_str().unwrap();
                let is_settled = message["state"] == "delivered";
                assert!(
                    arrived.contains_key(key) || waiting.contains(key) || !is_settled,
                    "{message}"
                );
                assert_ne!(message["state"], "dead", "{message}");
                kinds.push(message["kind"].as_str().unwrap().to_owned());
            }
        }
        let is_in_turn = |pair: &[String]| pair[0] != pair[1];
        assert!(1 < kinds.len() && kinds.windows(2).all(is_in_turn), "{trigger}: {kinds:?}");
    }
}
