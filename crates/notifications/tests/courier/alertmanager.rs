//! A real Alertmanager, which takes alerts, keeps one of each, and ends them.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pampero_notifications::{MessageAlert, MessageKind};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{channel, courier, message, options};

/// Longest time until it answers.
const READY_WITHIN: Duration = Duration::from_secs(15);

/// A running Alertmanager, which ends with it.
struct Alertmanager {
    process: Child,
    base: String,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Alertmanager {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yml");
        std::fs::write(&config, "route: {receiver: none}\nreceivers: [{name: none}]\n").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus-alertmanager is missing; run `cargo xtask test` once, which installs it");
        // Another test may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let started = Self { process, base, client, _folder: folder };
        let begun = Instant::now();
        while !started.is_ready().await {
            assert!(begun.elapsed() < READY_WITHIN, "the Alertmanager did not become ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        started
    }

    async fn is_ready(&self) -> bool {
        let asked = self.client.get(format!("{}/-/ready", self.base)).send().await;
        asked.is_ok_and(|answer| answer.status() == 200)
    }

    /// Returns the alerts that fire.
    async fn alerts(&self) -> Vec<Value> {
        let answer = self.client.get(format!("{}/api/v2/alerts", self.base)).send().await.unwrap();
        answer.json().await.unwrap()
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        // A process that is gone already is as good as killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn alert_begins_and_ends_in_a_real_alertmanager() {
    let alertmanager = Alertmanager::start().await;
    let to = channel("am", "alertmanager", &json!({ "url": alertmanager.base }));
    let courier = courier(options());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut message = message();
    message.link = Some("https://pampero.example/alerts/1".to_owned());
    message.alerts = vec![MessageAlert {
        labels: [pair("alertname", "Frost"), pair("place", "jfk"), pair("not-a-name", "x")].into(),
        annotations: [pair("summary", "−3 °C"), pair("empty", "")].into(),
        starts_at: message.at,
        ends_at: None,
    }];
    courier.deliver(&to, &message).await.unwrap();
    message.is_repeat = true;
    courier.deliver(&to, &message).await.unwrap();
    let [alert] = <[Value; 1]>::try_from(alertmanager.alerts().await).unwrap();
    assert_eq!(alert["labels"], json!({ "alertname": "Frost", "place": "jfk" }));
    assert_eq!(alert["annotations"], json!({ "summary": "−3 °C" }));
    assert_eq!(alert["startsAt"], "2026-09-21T13:04:00.000Z");
    assert_eq!(alert["generatorURL"], "https://pampero.example/alerts/1");

    message.kind = MessageKind::Recovered;
    courier.deliver(&to, &message).await.unwrap();
    assert_eq!(alertmanager.alerts().await, Vec::<Value>::new());

    // Trouble has no alert of its own, and begins and ends all the same.
    message.alerts.clear();
    message.kind = MessageKind::Trouble;
    courier.deliver(&to, &message).await.unwrap();
    assert_eq!(alertmanager.alerts().await[0]["labels"]["alertname"], "error_logs");
    message.kind = MessageKind::Recovered;
    courier.deliver(&to, &message).await.unwrap();
    assert_eq!(alertmanager.alerts().await, Vec::<Value>::new());
    message.kind = MessageKind::Test;
    courier.deliver(&to, &message).await.unwrap();
}
