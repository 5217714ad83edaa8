//! Writes that wait for the regular refresh.

use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use http::{Method, Request};
use pampero_logs::rest::RestOptions;

use crate::testkit::Server;

/// Far longer than anything here takes, and shorter than the refreshes that are waited for.
const LIMIT: Duration = Duration::from_secs(20);

/// Starts a server with an index whose regular refresh is far away, since somebody searches.
async fn searched(options: RestOptions) -> Server {
    let server = Server::with(options);
    server.call("PUT /logs", r#"{"settings":{"refresh_interval":"60s"}}"#).await;
    server.get("/logs/_search").await;
    server
}

async fn until_written(server: &Server, id: usize) {
    while server.get(&format!("/logs/_doc/{id}")).await.status != 200 {
        tokio::task::yield_now().await;
    }
}

fn refresh(server: &Server) {
    server.state.cluster.indices().get("logs").unwrap().refresh().unwrap();
}

#[tokio::test]
async fn who_waits_for_a_refresh_holds_up_no_write() {
    const COUNT: usize = 30;
    let server = searched(RestOptions { writes_max: 1, ..RestOptions::default() }).await;
    let calls = (0..COUNT).map(|id| match id % 4 {
        0 => (format!("PUT /logs/_doc/{id}?refresh=wait_for"), "{}".to_owned()),
        1 => (
            format!("POST /logs/_update/{id}?refresh=wait_for"),
            r#"{"doc":{},"doc_as_upsert":true}"#.to_owned(),
        ),
        2 => (format!("PUT /logs/_create/{id}?refresh=wait_for"), "{}".to_owned()),
        _ => (
            "POST /logs/_bulk?refresh=wait_for".to_owned(),
            format!("{{\"index\":{{\"_id\":\"{id}\"}}}}\n{{}}\n"),
        ),
    });
    let calls: Vec<_> = calls.collect();
    let waiting = join_all(calls.iter().map(|(call, body)| server.call(call, body)));
    let others = async {
        for id in 0..COUNT {
            until_written(&server, id).await;
        }
        let plain = server.call("PUT /logs/_doc/plain", "{}").await;
        assert_eq!(plain.status, 201);
        assert_eq!(server.get("/logs/_count").await.at("/count"), 0, "nothing was refreshed yet");
        refresh(&server);
    };
    let (answers, ()) = tokio::time::timeout(LIMIT, async { tokio::join!(waiting, others) })
        .await
        .expect("nobody waits for a place among the writes");
    for answer in answers {
        assert!(answer.status.is_success(), "{:?}", answer.body);
        assert_eq!(answer.at("/forced_refresh"), serde_json::Value::Null);
    }
    assert_eq!(server.get("/logs/_count").await.at("/count"), COUNT + 1);
}

#[tokio::test]
async fn the_line_for_a_refresh_is_bounded_and_left_by_who_goes_away() {
    let server = searched(RestOptions { waiting_max: 1, ..RestOptions::default() }).await;
    let wait = |id: usize| {
        let request = Request::builder()
            .method(Method::PUT)
            .uri(format!("/logs/_doc/{id}?refresh=wait_for"))
            .header("content-type", "application/json");
        server.request(request.body(Body::from("{}")).unwrap())
    };
    let second = async {
        until_written(&server, 1).await;
        wait(2).await.assert_refused(
            429,
            "rejected_execution_exception",
            "rejected execution of refresh=wait_for: [1] wait; try again later",
        );
    };
    tokio::select! {
        _ = wait(1) => unreachable!("nothing is refreshed"),
        () = second => {}
    }
    assert_eq!(server.get("/logs/_doc/2").await.status, 404, "it is refused before it is written");
    let third = async {
        until_written(&server, 3).await;
        refresh(&server);
    };
    let both = async { tokio::join!(wait(3), third) };
    let (answer, ()) = tokio::time::timeout(LIMIT, both).await.expect("the refresh is seen");
    assert_eq!(answer.status, 201);
}
