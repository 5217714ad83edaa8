//! What the tests of the alerts have in common: a monitor, calls with JSON, a receiver of webhooks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::harness::{PATIENCE, Program, Reply, now, reply};

pub(crate) const ALERTING: &str = "/opensearch/_plugins/_alerting";
pub(crate) const NOTIFICATIONS: &str = "/opensearch/_plugins/_notifications";

/// Lets channels reach the receivers of the tests, and nothing tells but what a test defines.
pub(crate) const ENVIRONMENT: &[(&str, &str)] =
    &[("PAMPERO_ALERTING__ALLOW", "127.0.0.1"), ("PAMPERO_ALERTING__SHIPPED_MONITORS", "false")];

/// Sends a JSON body, none when it is null. `call` is as in `POST /path`.
pub(crate) async fn call(program: &Program, call: &str, body: &Value) -> Reply {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    send(program, call, text).await
}

/// Sends a text that may be no JSON at all, as if it were.
pub(crate) async fn send(program: &Program, call: &str, body: impl Into<reqwest::Body>) -> Reply {
    let (method, path) = call.split_once(' ').unwrap();
    let request = program.request(method.parse().unwrap(), path);
    let body = body.into();
    if body.as_bytes().is_some_and(<[u8]>::is_empty) {
        return reply(request).await;
    }
    reply(request.header("content-type", "application/json").body(body)).await
}

/// Sends a JSON body and returns the answer, which has to be a success.
pub(crate) async fn done(program: &Program, what: &str, body: &Value) -> Value {
    let reply = call(program, what, body).await;
    assert!((200..300).contains(&reply.status), "{what}: {} {}", reply.status, reply.text);
    if reply.text.is_empty() { Value::Null } else { reply.json() }
}

/// The monitor of the original: its query, its schedule, its trigger and its message.
pub(crate) fn error_monitor() -> Value {
    let message = "Monitor {{ctx.monitor.name}} just entered alert status. Please investigate the issue.\n\
                   - Trigger: {{ctx.trigger.name}}\n- Severity: {{ctx.trigger.severity}}\n\
                   - Period start: {{ctx.periodStart}}\n- Period end: {{ctx.periodEnd}}";
    json!({
        "type": "monitor",
        "name": "Error Weather Logs",
        "monitor_type": "query_level_monitor",
        "enabled": true,
        "schedule": { "period": { "interval": 10, "unit": "MINUTES" } },
        "inputs": [{ "search": { "indices": ["weather_logs"], "query": {
            "size": 0,
            "query": { "bool": { "must": [
                { "match": { "level": "error" } },
                { "range": { "timestamp": { "gte": "now-5m/m", "lte": "now/m" } } },
            ] } },
        } } }],
        "triggers": [{ "query_level_trigger": {
            "id": "count_error",
            "name": "count_error",
            "severity": "1",
            "condition": { "script": {
                "source": "ctx.results[0].hits.total.value > 2", "lang": "painless" } },
            "actions": [{
                "id": "error_log",
                "name": "ERROR Log",
                "destination_id": "slack-ops",
                "message_template": { "source": message, "lang": "mustache" },
                "throttle_enabled": false,
            }],
        } }],
    })
}

/// The same with another rhythm, which looks back over so many seconds.
pub(crate) fn hurried_monitor(every_s: u64, window_s: u64) -> Value {
    let window = json!({ "gte": format!("now-{window_s}s"), "lte": "now" });
    let monitor = with(error_monitor(), "/schedule/period", {
        json!({ "interval": every_s, "unit": "SECONDS" })
    });
    with(monitor, "/inputs/0/search/query/query/bool/must/1/range/timestamp", window)
}

/// A monitor whose condition is `source`, and which runs every second.
pub(crate) fn monitor_with_condition(source: &str) -> Value {
    let pointer = "/triggers/0/query_level_trigger/condition/script/source";
    with(hurried_monitor(1, 10), pointer, json!(source))
}

/// Changes a document at a JSON pointer.
pub(crate) fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    match name.parse::<usize>() {
        Ok(index) if parent.is_array() => parent[index] = value,
        _ => parent[name] = value,
    }
    document
}

/// A channel for Slack in the form of OpenSearch.
pub(crate) fn slack_channel(id: &str, url: &str) -> Value {
    json!({ "config_id": id, "config": {
        "name": "Ops Slack", "description": "on call", "config_type": "slack", "is_enabled": true,
        "slack": { "url": url },
    } })
}

/// Writes errors into the log of the weather, as the original's service did, as old as this.
pub(crate) async fn log_errors(program: &Program, count: usize, age: Duration) {
    let document = json!({ "timestamp": (now() - age).to_string(), "level": "ERROR",
        "log_message": "Error fetching weather data: 503 Server Error" });
    let lines = format!("{{\"create\":{{}}}}\n{document}\n").repeat(count);
    let written = send(program, "POST /opensearch/weather_logs/_bulk?refresh=true", lines).await;
    assert_eq!(written.status, 200, "{}", written.text);
    assert_eq!(written.json()["errors"], false, "{}", written.text);
}

/// Does `work` while errors are logged without end.
pub(crate) async fn while_failing<T>(program: &Program, work: impl Future<Output = T>) -> T {
    let failing = async {
        loop {
            log_errors(program, 3, Duration::ZERO).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::select! {
        done = work => done,
        () = failing => unreachable!("it fails without end"),
    }
}

/// Looks again and again until there is what is waited for.
pub(crate) async fn wait_for<T>(
    what: &str,
    program: &Program,
    look: impl AsyncFn() -> Option<T>,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} never came\n{}", program.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until so many seconds of evaluations have gone by.
pub(crate) async fn wait_for_evaluations(program: &Program, trigger: &str, seconds: i64) {
    let begun = now();
    let path = "/api/alerts/sources?limit=1000";
    let is_past = |reply: &Reply| {
        let sources = reply.json();
        let mut sources = sources["sources"].as_array().unwrap().iter();
        let source = sources.find(|it| it["source"]["trigger"] == trigger);
        let last = source.and_then(|source| source["last_evaluation"].as_str());
        let last: Option<jiff::Timestamp> = last.map(|last| last.parse().unwrap());
        last.is_some_and(|last| seconds <= last.duration_since(begun).as_secs())
    };
    program.wait_until(path, is_past).await;
}

/// What a receiver was sent.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The first line and the headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Takes webhooks on a port of its own; it ends when it is dropped.
pub(crate) struct Receiver {
    address: String,
    desk: Arc<Mutex<Desk>>,
    _serving: JoinSet<()>,
}

#[derive(Default)]
struct Desk {
    received: VecDeque<Received>,
    /// What every request is answered with; `None` takes requests and never answers.
    answer: Option<String>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let desk = Arc::new(Mutex::new(Desk::default()));
        let mut serving = JoinSet::new();
        serving.spawn(take_all(listener, Arc::clone(&desk)));
        let receiver = Self { address, desk, _serving: serving };
        receiver.answer("200 OK", "");
        receiver
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> &str {
        self.address.rsplit_once(':').unwrap().1
    }

    /// Answers with this status from now on; `headers` end with `\r\n`, if there are any.
    pub(crate) fn answer(&self, status: &str, headers: &str) {
        let answer = format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: 2\r\nconnection: close\r\n\r\nok"
        );
        self.desk.lock().unwrap().answer = Some(answer);
    }

    /// Takes messages and leaves their senders without an answer from now on.
    pub(crate) fn fall_silent(&self) {
        self.desk.lock().unwrap().answer = None;
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.desk.lock().unwrap().received.iter().cloned().collect()
    }
}

async fn take_all(listener: TcpListener, desk: Arc<Mutex<Desk>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(take(stream, Arc::clone(&desk)));
        while connections.try_join_next().is_some() {}
    }
}

/// Takes one request; one that breaks off counts as never sent.
async fn take(mut stream: TcpStream, desk: Arc<Mutex<Desk>>) {
    let mut bytes = Vec::new();
    let received = loop {
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(length) if 0 < length => bytes.extend_from_slice(&part[..length]),
            _ => return,
        }
        if let Some(received) = whole(&bytes) {
            break received;
        }
    };
    let answer = {
        let mut desk = desk.lock().unwrap();
        desk.received.push_back(received);
        desk.answer.clone()
    };
    match answer {
        // The sender may be gone.
        Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
        // Until the sender goes away.
        None => drop(stream.read(&mut [0; 16]).await),
    }
}

/// Returns a request once all of it is there.
fn whole(bytes: &[u8]) -> Option<Received> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    let body = bytes.get(end + 4..end + 4 + length)?;
    Some(Received { head, body: String::from_utf8_lossy(body).into_owned() })
}
