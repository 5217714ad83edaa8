//! Scrolls and points in time.

use std::time::Duration;

use pampero_logs::rest::RestOptions;
use serde_json::{Value, json};

use crate::search::server_with_logs;
use crate::testkit::Server;

#[tokio::test]
async fn a_scroll_gives_every_hit_once_as_things_were() {
    let server = server_with_logs().await;
    let body = r#"{"size":2,"sort":["n"]}"#;
    let mut page = server.call("POST /logs/_search?scroll=1m", body).await;
    server.call("DELETE /logs/_doc/5?refresh=true", "").await;
    let mut seen = Vec::new();
    loop {
        assert_eq!(page.status, 200, "{}", String::from_utf8_lossy(&page.body));
        assert_eq!(page.at("/hits/total/value"), 6);
        let hits = page.at("/hits/hits");
        if hits == json!([]) {
            break;
        }
        seen.extend(hits.as_array().unwrap().iter().map(|hit| hit["_id"].clone()));
        let id = page.at("/_scroll_id");
        let next = json!({ "scroll": "1m", "scroll_id": id }).to_string();
        page = server.call("POST /_search/scroll", &next).await;
    }
    assert_eq!(seen, ["0", "1", "2", "3", "4", "5"].map(Value::from));
    let id = page.at("/_scroll_id");
    let freed =
        server.call("DELETE /_search/scroll", &json!({ "scroll_id": [id] }).to_string()).await;
    assert_eq!(freed.json(), json!({ "succeeded": true, "num_freed": 1 }));
    let again =
        server.call("DELETE /_search/scroll", &json!({ "scroll_id": id }).to_string()).await;
    assert_eq!((again.status.as_u16(), again.at("/num_freed")), (404, json!(0)));
    let gone = server.call("POST /_search/scroll", &json!({ "scroll_id": id }).to_string()).await;
    assert_eq!(gone.status, 404);
    assert_eq!(gone.at("/error/root_cause/0/type"), "search_context_missing_exception");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_comes_back_for_is_let_go_of() {
    let server = server_with_logs().await;
    let id = server.call("POST /logs/_search?scroll=1m&size=1", "").await.at("/_scroll_id");
    let next = json!({ "scroll_id": id }).to_string();
    tokio::time::advance(Duration::from_secs(50)).await;
    server.state.tick(server.state.clock.now());
    assert_eq!(server.call("POST /_search/scroll", &next).await.status, 200);
    tokio::time::advance(Duration::from_secs(50)).await;
    assert_eq!(server.call("POST /_search/scroll", &next).await.status, 200, "it was renewed");
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(server.call("POST /_search/scroll", &next).await.status, 404);
    server.state.tick(server.state.clock.now());
    assert_eq!(server.call("DELETE /_search/scroll/_all", "").await.at("/num_freed"), 0);
}

#[tokio::test]
async fn scrolls_are_bounded_in_number_and_time() {
    let server = server_with_logs().await;
    let server = Server {
        router: pampero_logs::rest::router(pampero_logs::rest::RestState::new(
            server.state.cluster.clone(),
            server.state.clock.clone(),
            RestOptions { scrolls_max: 2, ..RestOptions::default() },
        )),
        ..server
    };
    assert_eq!(server.call("POST /logs/_search?scroll=1m", "").await.status, 200);
    assert_eq!(server.call("POST /logs/_search?scroll=1m", "").await.status, 200);
    let reply = server.call("POST /logs/_search?scroll=1m", "").await;
    assert_eq!(
        (reply.status.as_u16(), reply.at("/error/type")),
        (429, json!("rejected_execution_exception"))
    );
    assert_eq!(server.call("DELETE /_search/scroll/_all", "").await.at("/num_freed"), 2);
    assert_eq!(server.call("POST /logs/_search?scroll=1m", "").await.status, 200);
    assert_eq!(server.call("POST /logs/_search?scroll=25h", "").await.status, 400);
    assert_eq!(server.call("POST /logs/_search?scroll=1m&from=1", "").await.status, 400);
    assert_eq!(server.call("POST /logs/_search?scroll=1m&size=0", "").await.status, 400);
    assert_eq!(server.call("POST /logs/_search?scroll=soon", "").await.status, 400);
}

#[tokio::test]
async fn a_point_in_time_is_searched_as_things_were() {
    let server = server_with_logs().await;
    let opened = server.call("POST /logs/_search/point_in_time?keep_alive=1m", "").await;
    let id = opened.at("/pit_id");
    assert_eq!(opened.at("/_shards/successful"), 1);
    server.call("DELETE /logs/_doc/5?refresh=true", "").await;
    let body = json!({ "pit": { "id": id, "keep_alive": "2m" }, "size": 0 }).to_string();
    let found = server.call("POST /_search", &body).await;
    assert_eq!((found.at("/hits/total/value"), found.at("/pit_id")), (json!(6), id.clone()));
    assert_eq!(server.get("/logs/_count").await.at("/count"), 5);
    server.call("POST /logs/_search", &body).await.assert_refused(
        400,
        "action_request_validation_exception",
        "Validation Failed: 1: [indices] cannot be used with point in time;",
    );
    let listed = server.get("/_search/point_in_time/_all").await;
    assert_eq!(listed.at("/pits/0/pit_id"), id);
    assert_eq!(listed.at("/pits/0/keep_alive"), 120_000);
    let close = json!({ "pit_id": [id] }).to_string();
    let closed = server.call("DELETE /_search/point_in_time", &close).await;
    assert_eq!(closed.json(), json!({ "pits": [{ "pit_id": id, "successful": true }] }));
    assert_eq!(server.call("POST /_search", &body).await.status, 404);
    let reply = server.call("POST /logs/_search/point_in_time", "").await;
    assert_eq!(reply.status, 400, "it has to say for how long");
}
