//! A stand-in for a cluster: it keeps what it is sent, and misbehaves on command.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use flate2::read::GzDecoder;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How the next requests are answered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Mood {
    /// As they should be.
    #[default]
    Well,
    /// 429 for the whole request, with a `Retry-After` in seconds.
    Busy(u64),
    /// 503 for the whole request.
    Unavailable,
    /// 401 for the whole request.
    Unauthorized,
    /// Every third document is taken, every third is too much, every third fails.
    Partly,
    /// Everything is taken, and nobody is told so: the answer never comes.
    Hanging,
    /// Everything is taken, and the answer breaks off in its middle.
    BreakingOff,
    /// 413 for more documents than this.
    Narrow(usize),
    /// 200 with something that is no answer.
    Talking,
}

/// What it has, and what it was asked.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) mood: Mood,
    /// Bodies by index and id.
    pub(crate) documents: BTreeMap<(String, String), String>,
    /// Creations of what was there already.
    pub(crate) conflicts: usize,
    /// Bulk requests.
    pub(crate) requests: usize,
    /// Documents of the last bulk request.
    pub(crate) last_count: usize,
    pub(crate) templates: Vec<Value>,
    /// The body of `GET /_index_template/…`; `None` for 404.
    pub(crate) template_there: Option<Value>,
    /// Whether there is an index with the name of the alias.
    pub(crate) has_index: bool,
    pub(crate) authorization: Option<String>,
}

/// The server; it goes when it is dropped.
pub(crate) struct StandIn {
    heard: Arc<Mutex<Heard>>,
    address: SocketAddr,
    tasks: JoinSet<()>,
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut stand_in = Self { heard: Arc::default(), address, tasks: JoinSet::new() };
        stand_in.serve(listener);
        stand_in
    }

    /// Goes away: connections are refused from now on.
    pub(crate) async fn stop(&mut self) {
        self.tasks.shutdown().await;
    }

    /// Comes back on the same address, with everything it had.
    pub(crate) async fn restart(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }

    fn serve(&mut self, listener: TcpListener) {
        let router = Router::new()
            .route("/_bulk", post(bulk))
            .route("/_index_template/{name}", get(get_template).put(put_template))
            .route("/{index}/_alias", get(get_alias))
            .with_state(Arc::clone(&self.heard));
        self.tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap()
    }

    pub(crate) fn be(&self, mood: Mood) {
        self.heard().mood = mood;
    }

    /// Returns the numbers of the documents that it has, in order, each as often as it is there.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        let heard = self.heard();
        let number = |body: &String| -> u64 {
            serde_json::from_str::<Value>(body).unwrap()["number"].as_u64().unwrap()
        };
        let mut numbers: Vec<u64> = heard.documents.values().map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Waits in real time, as sockets do, until `so_far` holds.
    pub(crate) async fn wait_until(&self, so_far: impl Fn(&Heard) -> bool) {
        let looking = async {
            while !so_far(&self.heard()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let limit = Duration::from_secs(10);
        tokio::time::timeout(limit, looking).await.expect("it never came to be");
    }
}

async fn bulk(State(heard): State<Arc<Mutex<Heard>>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut text = String::new();
    GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    assert!(text.ends_with('\n'), "a bulk request ends with a line break");
    let lines: Vec<&str> = text.lines().collect();
    let (mood, items) = {
        let mut heard = heard.lock().unwrap();
        heard.requests += 1;
        heard.last_count = lines.len() / 2;
        heard.authorization =
            headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let mood = heard.mood;
        if let Some(refusal) = whole_refusal(mood, lines.len() / 2) {
            return refusal;
        }
        let pairs = lines.chunks(2).enumerate();
        let items: Vec<Value> =
            pairs.map(|(at, pair)| json!({ "create": create(&mut heard, at, pair) })).collect();
        (mood, items)
    };
    match mood {
        Mood::Hanging => std::future::pending().await,
        Mood::BreakingOff => {
            let begun = Ok(Bytes::from_static(b"{\"took\":1,\"items\":[{\"cre"));
            let broken = Err(std::io::Error::other("gone"));
            Body::from_stream(stream::iter([begun, broken])).into_response()
        }
        Mood::Talking => "<html>It works!</html>".into_response(),
        _ => axum::Json(json!({ "took": 1, "errors": true, "items": items })).into_response(),
    }
}

fn whole_refusal(mood: Mood, count: usize) -> Option<Response> {
    let error = |status: StatusCode, kind: &str| {
        let body = json!({ "error": { "type": kind, "reason": "no" }, "status": status.as_u16() });
        (status, axum::Json(body)).into_response()
    };
    match mood {
        Mood::Busy(seconds) => {
            let mut answer = error(StatusCode::TOO_MANY_REQUESTS, "rejected_execution_exception");
            answer.headers_mut().insert("retry-after", seconds.into());
            Some(answer)
        }
        Mood::Unavailable => Some(error(StatusCode::SERVICE_UNAVAILABLE, "unavailable")),
        Mood::Unauthorized => Some(error(StatusCode::UNAUTHORIZED, "security_exception")),
        Mood::Narrow(max) if max < count => Some(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
        _ => None,
    }
}

fn create(heard: &mut Heard, at: usize, pair: &[&str]) -> Value {
    let action: Value = serde_json::from_str(pair[0]).unwrap();
    let text = |key: &str| action["create"][key].as_str().unwrap().to_owned();
    let key = (text("_index"), text("_id"));
    if pair[1].contains("poison") {
        let error = json!({ "type": "mapper_parsing_exception", "reason": "failed to parse" });
        return json!({ "status": 400, "error": error });
    }
    if heard.mood == Mood::Partly && !at.is_multiple_of(3) {
        return json!({ "status": if at % 3 == 1 { 429 } else { 503 } });
    }
    if heard.documents.contains_key(&key) {
        heard.conflicts += 1;
        let error = json!({ "type": "version_conflict_engine_exception", "reason": "exists" });
        return json!({ "status": 409, "error": error });
    }
    heard.documents.insert(key, pair[1].to_owned());
    json!({ "status": 201 })
}

async fn get_template(State(heard): State<Arc<Mutex<Heard>>>) -> Response {
    match &heard.lock().unwrap().template_there {
        Some(template) => axum::Json(template.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn put_template(
    State(heard): State<Arc<Mutex<Heard>>>,
    Path(name): Path<String>,
    body: axum::Json<Value>,
) -> Response {
    let mut heard = heard.lock().unwrap();
    let whole = json!({ "index_templates": [{ "name": name, "index_template": body.0 }] });
    heard.templates.push(body.0);
    heard.template_there = Some(whole);
    axum::Json(json!({ "acknowledged": true })).into_response()
}

async fn get_alias(State(heard): State<Arc<Mutex<Heard>>>, Path(name): Path<String>) -> Response {
    if heard.lock().unwrap().has_index {
        axum::Json(json!({ name: { "aliases": {} } })).into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}
