//! A stand-in for Slack on a port of the system's choice.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What a stand-in was sent, and what it answers. It ends when it is dropped.
pub(crate) struct Slack {
    address: String,
    desk: Arc<Mutex<Desk>>,
    _serving: JoinSet<()>,
}

struct Desk {
    messages: Vec<(HeaderMap, Value)>,
    answer: (StatusCode, &'static str),
}

impl Slack {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answer = (StatusCode::OK, "ok");
        let desk = Arc::new(Mutex::new(Desk { messages: Vec::new(), answer }));
        let taking = Arc::clone(&desk);
        let take = async move |headers: HeaderMap, body: String| {
            let mut desk = taking.lock().unwrap();
            desk.messages.push((headers, serde_json::from_str(&body).unwrap()));
            desk.answer
        };
        let router = Router::new().route("/services/T0/B0/s3cr3t-hook", post(take));
        let mut serving = JoinSet::new();
        serving.spawn(async { axum::serve(listener, router).await.unwrap() });
        Self { address, desk, _serving: serving }
    }

    /// Returns the address of the hook, which is a secret.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/services/T0/B0/s3cr3t-hook", self.address)
    }

    /// Answers everything like this from now on.
    pub(crate) fn answer(&self, status: StatusCode, text: &'static str) {
        self.desk.lock().unwrap().answer = (status, text);
    }

    /// Returns the texts that were sent, each in the form that Slack takes.
    #[track_caller]
    pub(crate) fn texts(&self) -> Vec<String> {
        let desk = self.desk.lock().unwrap();
        let text = |(headers, body): &(HeaderMap, Value)| {
            let kind = headers["content-type"].to_str().unwrap();
            assert!(kind.starts_with("application/json"), "{kind}");
            body["text"].as_str().unwrap().to_owned()
        };
        desk.messages.iter().map(text).collect()
    }
}
