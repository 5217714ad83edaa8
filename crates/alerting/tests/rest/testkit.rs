//! Alerts in a temporary folder over logs that are made up, and requests to them.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use pampero_alerting::rest::{AlertingRest, AlertingRestOptions, AlertingRestParts, router};
use pampero_alerting::{
    Alerting, AlertingOptions, Channels, Definitions, DefinitionsOptions, LogSearch, Post,
    RunOptions, Runner,
};
use pampero_notifications::{Courier, CourierOptions, FolderVault, Guard, SystemResolver};
use pampero_opensearch::Exception;
use pampero_resilience::{Clock, VirtualClock};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// What the log holds.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    /// How many documents every search finds.
    pub(crate) found: AtomicU64,
    /// What was asked.
    pub(crate) asked: Mutex<Vec<Value>>,
}

impl LogSearch for Logs {
    fn search(&self, indices: &[String], body: &Value, _: Timestamp) -> Result<Value, Exception> {
        if let Some(missing) = indices.iter().find(|index| !index.starts_with("weather_logs")) {
            return Err(Exception::index_not_found(missing));
        }
        self.asked.lock().unwrap().push(body.clone());
        let found = self.found.load(Ordering::SeqCst);
        Ok(json!({
            "took": 1,
            "timed_out": false,
            "_shards": { "total": 1, "successful": 1, "skipped": 0, "failed": 0 },
            "hits": { "total": { "value": found, "relation": "eq" }, "max_score": null, "hits": [] },
        }))
    }
}

/// Alerts with all that belongs to them.
pub(crate) struct App {
    pub(crate) alerting: Alerting,
    pub(crate) definitions: Arc<Definitions>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) folder: TempDir,
    router: Router,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl App {
    /// Starts at noon of a day in May.
    pub(crate) fn start() -> Self {
        Self::with(AlertingRestOptions::default())
    }

    pub(crate) fn with(options: AlertingRestOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let noon: Timestamp = "2026-05-18T12:00:00Z".parse().unwrap();
        let at: Arc<dyn Clock> = Arc::new(VirtualClock::starting_at(noon));
        let guard = Guard::new(["127.0.0.1/32".parse().unwrap()], Arc::new(SystemResolver));
        let channels = Channels::default();
        let courier = CourierOptions {
            guard: guard.clone(),
            channels: Arc::new(channels.clone()),
            ..CourierOptions::default()
        };
        let courier = Courier::new(courier, at.clone()).unwrap();
        let post = Arc::new(Post::new(courier, channels.clone()));
        let alerting =
            Alerting::open(folder.path(), AlertingOptions::default(), at.clone(), post.clone())
                .unwrap();
        let definitions = Arc::new(open_definitions(&folder, guard, &at));
        let logs = Arc::new(Logs::default());
        let runner = Runner::new(
            definitions.clone(),
            logs.clone(),
            Arc::new(alerting.clone()),
            at.clone(),
            RunOptions::default(),
        );
        let parts = AlertingRestParts {
            alerting: alerting.clone(),
            definitions: definitions.clone(),
            channels,
            runner: Arc::new(runner),
            deliver: post,
            search: logs.clone(),
            clock: at,
        };
        let router = router(AlertingRest::new(parts, options));
        Self { alerting, definitions, logs, folder, router }
    }

    /// Returns the routes, to be mounted elsewhere.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// Lets every search find so many documents.
    pub(crate) fn find(&self, count: u64) {
        self.logs.found.store(count, Ordering::SeqCst);
    }

    /// Sends a call as it stands in the docs, `METHOD path`, with a JSON body unless it is null.
    pub(crate) async fn call(&self, call: &str, body: Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(call, &body).await
    }

    /// The same without a body.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(&format!("GET {path}"), "").await
    }

    /// Sends a call with a body as it is, as JSON unless it is empty.
    pub(crate) async fn send(&self, call: &str, body: &str) -> Reply {
        let (method, path) = call.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let request = Request::builder().method(method).uri(path);
        let request = match body {
            "" => request.body(Body::empty()),
            body => {
                request.header("content-type", "application/json").body(Body::from(body.to_owned()))
            }
        };
        self.request(request.unwrap()).await
    }

    /// Sends any request.
    pub(crate) async fn request(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// Makes a monitor and returns its id.
    pub(crate) async fn make_monitor(&self, monitor: Value) -> String {
        let made = self.call(&format!("POST {ALERTING}/monitors"), monitor).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.at("/_id").as_str().unwrap().to_owned()
    }

    /// Makes a channel for Slack at this address.
    pub(crate) async fn make_slack(&self, id: &str, url: &str) {
        let body = json!({ "config_id": id, "config": { "name": "Ops Slack", "description": "on call",
            "config_type": "slack", "is_enabled": true, "slack": { "url": url } } });
        let made = self.call(&format!("POST {NOTIFICATIONS}/configs"), body).await;
        assert_eq!(made.status, 200, "{}", made.text());
    }
}

impl Reply {
    /// Reads the body.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// Returns the part of the body at a JSON pointer, `null` when there is none.
    #[track_caller]
    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns status and reason, for tables.
    #[track_caller]
    pub(crate) fn refusal(&self) -> String {
        let error = self.at("/error");
        let reason = error.get("reason").unwrap_or(&error);
        format!("{} {}", self.status.as_u16(), reason.as_str().unwrap_or_default())
    }
}

/// Opens monitors and channels in the folders of a test.
fn open_definitions(folder: &TempDir, guard: Guard, clock: &Arc<dyn Clock>) -> Definitions {
    let options = DefinitionsOptions {
        monitors: folder.path().join("monitors"),
        channels: folder.path().join("channels"),
        ledger: folder.path().to_owned(),
        poll: Duration::from_secs(2),
        monitors_max: 1_000,
        channels_max: 1_000,
    };
    let vault = FolderVault::new(folder.path().join("secrets"), Vec::new(), BTreeMap::new());
    Definitions::open(&options, &[], Arc::new(vault), guard, Arc::clone(clock)).unwrap()
}

/// Where the plugins lie.
pub(crate) const ALERTING: &str = "/_plugins/_alerting";
pub(crate) const NOTIFICATIONS: &str = "/_plugins/_notifications";

/// The original's monitor: errors of the last five minutes, every ten.
pub(crate) fn error_monitor() -> Value {
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
                "subject_template": { "source": "Too many errors", "lang": "mustache" },
                "message_template": { "source":
                    "Monitor {{ctx.monitor.name}} found {{ctx.results.0.hits.total.value}} errors.",
                    "lang": "mustache" },
                "throttle_enabled": false,
            }],
        } }],
    })
}

/// Changes a document at a JSON pointer.
pub(crate) fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[name] = value;
    document
}

/// Returns the names of the members of an object.
pub(crate) fn names(value: &Value) -> HashSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}
