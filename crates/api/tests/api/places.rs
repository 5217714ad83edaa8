//! Places: added, changed, removed, and every way to describe one wrongly.

use http::Method;
use serde_json::{Value, json};

use crate::app::TestApp;

#[tokio::test]
async fn places_are_listed_as_they_were_added() {
    let app = TestApp::start().await;
    let places = app.get("/api/places").await.json();
    assert_eq!(
        places["places"][0],
        json!({
            "id": "buenos-aires", "name": "Buenos Aires", "state": "ready", "problem": null,
            "origin": "configuration", "latitude": -34.6037, "longitude": -58.3816,
            "elevation": 25, "time_zone": "America/Argentina/Buenos_Aires",
        })
    );
    assert_eq!(places["places"][1]["origin"], "api");
    assert_eq!(app.get("/api/places/rosario").await.json(), places["places"][1]);
    app.get("/api/places/atlantis").await.check_problem(404, "unknown_place");
}

#[tokio::test]
async fn a_complete_place_is_created_and_one_by_name_accepted() {
    let app = TestApp::start().await;
    let complete = r#"{"name": "Salto", "latitude": -31.4, "longitude": -58, "time_zone": "UTC"}"#;
    let reply = app.send_json(Method::POST, "/api/places", complete).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (201, "/api/places/salto"));
    assert_eq!(
        (&reply.json()["state"], &reply.json()["elevation"]),
        (&json!("ready"), &Value::Null)
    );

    let named = r#"{"name": "Córdoba"}"#;
    let reply = app.send_json(Method::POST, "/api/places", named).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (202, "/api/places/cordoba"));
    assert_eq!(reply.json()["state"], "unresolved");
    let current = app.get("/api/places/cordoba/current").await;
    let problem = current.check_problem(404, "no_observation_yet");
    let detail = "nothing is known of cordoba yet: the position of \"Córdoba\" is being looked up";
    assert_eq!(problem["detail"], detail);
    assert_eq!(current.header("retry-after"), "15");

    let reply = app.send_json(Method::POST, "/api/places", r#"{"name": "One more"}"#).await;
    reply.check_problem(409, "too_many_places");
    let reply = app.send_json(Method::POST, "/api/places", named).await;
    reply.check_problem(409, "place_exists");
}

#[tokio::test]
async fn a_place_is_changed_and_removed() {
    let app = TestApp::start().await;
    let path = "/api/places/rosario";
    let renamed =
        r#"{"name": "Rosario Norte", "latitude": -32.9, "longitude": -60.6, "time_zone": "UTC"}"#;
    let reply = app.send_json(Method::PUT, path, renamed).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["name"]), (200, &json!("Rosario Norte")));
    assert_eq!(app.get(path).await.json()["time_zone"], "UTC");
    assert_eq!(app.send_json(Method::PUT, path, r#"{"name": "R"}"#).await.status, 202);
    let other = app.send_json(Method::PUT, path, r#"{"id": "other", "name": "R"}"#).await;
    assert_eq!(other.check_problem(400, "invalid_place")["field"], "id");
    assert_eq!(app.send_json(Method::DELETE, path, "").await.status, 204);
    app.get(path).await.check_problem(404, "unknown_place");
    app.get("/weather/current?place=rosario").await.check_problem(404, "unknown_place");
    app.send_json(Method::DELETE, path, "").await.check_problem(404, "unknown_place");
    app.send_json(Method::PUT, path, renamed).await.check_problem(404, "unknown_place");
}

#[tokio::test]
async fn a_configured_place_is_changed_in_the_configuration() {
    let app = TestApp::start().await;
    let path = "/api/places/buenos-aires";
    for (method, body) in [(Method::PUT, r#"{"name": "B"}"#), (Method::DELETE, "")] {
        let reply = app.send_json(method, path, body).await;
        let problem = reply.check_problem(409, "place_is_configured");
        assert!(problem["detail"].as_str().unwrap().contains("configuration"), "{problem}");
    }
}

#[tokio::test]
async fn wrong_descriptions_are_refused_by_field() {
    let app = TestApp::start().await;
    check(&app, "{", "invalid_json", Value::Null).await;
    check(&app, "", "invalid_json", Value::Null).await;
    check(&app, "[]", "invalid_body", Value::Null).await;
    check(&app, "{} {}", "invalid_json", Value::Null).await;
    check(&app, "{}", "invalid_place", Value::Null).await;
    check(&app, r#"{"nom": "x"}"#, "invalid_body", json!("nom")).await;
    check(&app, r#"{"name": 1}"#, "invalid_body", json!("name")).await;
    check(&app, r#"{"name": ""}"#, "invalid_place", Value::Null).await;
    check(&app, r#"{"id": "x", "name": " "}"#, "invalid_place", json!("name")).await;
    check(&app, r#"{"id": "A B"}"#, "invalid_place", json!("id")).await;
    let position = |latitude: &str, longitude: &str| {
        format!(r#"{{"id": "x", "latitude": {latitude}, "longitude": {longitude}}}"#)
    };
    check(&app, &position("91", "0"), "invalid_place", json!("latitude")).await;
    check(&app, &position("0", "-181"), "invalid_place", json!("longitude")).await;
    check(&app, &position("0", "null"), "invalid_place", json!("longitude")).await;
    check(&app, &position("1e999", "0"), "invalid_json", json!("latitude")).await;
    check(&app, r#"{"id": "x", "elevation": 9001}"#, "invalid_place", json!("elevation")).await;
    check(&app, r#"{"id": "x", "time_zone": "Mars/One"}"#, "invalid_place", json!("time_zone"))
        .await;
}

async fn check(app: &TestApp, body: &str, code: &str, field: Value) {
    let reply = app.send_json(Method::POST, "/api/places", body).await;
    let problem = reply.check_problem(400, code);
    assert_eq!(problem["field"], field, "{body}: {problem}");
}
