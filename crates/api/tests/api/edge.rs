//! What holds for every request: who may ask, ids, errors, limits, panics, counters.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use pampero_api::ServerConfig;

use pampero_weather::provider::ProviderId::OpenMeteo;

use crate::app::{TestApp, observation, request};

const PLACE: &str = r#"{"name": "Salto", "latitude": -31.4, "longitude": -58, "time_zone": "UTC"}"#;

#[tokio::test]
async fn only_known_hosts_are_let_in() {
    let public_hosts = vec!["Weather.example.org".to_owned()];
    let app = TestApp::with(ServerConfig { public_hosts, ..ServerConfig::default() }).await;
    for host in [
        "127.0.0.1",
        "127.0.0.1:8000",
        "localhost:1",
        "LOCALHOST",
        "localhost.",
        "[::1]:8000",
        "192.168.1.20:8000",
        "weather.example.org",
        "weather.EXAMPLE.org:443",
    ] {
        assert_eq!(app.get_with("/health/live", "host", host).await.status, 200, "{host}");
    }
    for host in [
        "evil.example",
        "weather.example.org.evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "[::1",
        "example.org",
    ] {
        let reply = app.get_with("/health/live", "host", host).await;
        reply.check_problem(421, "unknown_host");
    }
    let absolute = Request::get("http://evil.example/health/live").header("host", "localhost");
    let reply = app.send(absolute.body(Body::empty()).unwrap()).await;
    reply.check_problem(421, "unknown_host");
    let none = Request::get("/health/live").body(Body::empty()).unwrap();
    app.send(none).await.check_problem(400, "bad_host");
    let two = Request::get("/health/live").header("host", "localhost").header("host", "localhost");
    app.send(two.body(Body::empty()).unwrap()).await.check_problem(400, "bad_host");
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let cors_origins = vec!["https://maps.example.org".to_owned()];
    let app = TestApp::with(ServerConfig { cors_origins, ..ServerConfig::default() }).await;
    check_origin(&app, &[("origin", "http://evil.example")], 403).await;
    check_origin(&app, &[("origin", "null")], 403).await;
    check_origin(&app, &[("origin", "http://127.0.0.1:9999")], 403).await;
    check_origin(&app, &[("sec-fetch-site", "cross-site")], 403).await;
    check_origin(&app, &[("sec-fetch-site", "same-site")], 403).await;
    check_origin(&app, &[], 404).await;
    check_origin(&app, &[("sec-fetch-site", "same-origin")], 404).await;
    check_origin(&app, &[("origin", "http://127.0.0.1:8000")], 404).await;
    check_origin(&app, &[("origin", "https://maps.example.org")], 404).await;
}

/// Tries to remove a place that is not there.
async fn check_origin(app: &TestApp, headers: &[(&'static str, &str)], status: u16) {
    let mut asked = request(Method::DELETE, "/api/places/nowhere");
    for (name, value) in headers {
        asked.headers_mut().insert(*name, value.parse().unwrap());
    }
    let code = if status == 403 { "foreign_origin" } else { "unknown_place" };
    app.send(asked).await.check_problem(status, code);
}

#[tokio::test]
async fn listed_origins_may_read() {
    let cors_origins = vec!["https://maps.example.org/".to_owned()];
    let app = TestApp::with(ServerConfig { cors_origins, ..ServerConfig::default() }).await;
    let origin = "https://maps.example.org";
    let listed = app.get_with("/health/live", "origin", origin).await;
    assert_eq!(listed.header("access-control-allow-origin"), origin);
    assert_eq!(listed.header("vary"), "Origin");
    let other = app.get_with("/health/live", "origin", "https://evil.example").await;
    assert_eq!((other.status.as_u16(), other.header("access-control-allow-origin")), (200, ""));
    let mut preflight = request(Method::OPTIONS, "/api/places");
    preflight.headers_mut().insert("origin", origin.parse().unwrap());
    preflight.headers_mut().insert("access-control-request-method", "POST".parse().unwrap());
    let reply = app.send(preflight).await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), origin);
    assert!(reply.header("access-control-allow-methods").contains("POST"));
    assert!(reply.header("access-control-allow-headers").contains("authorization"));

    let closed = TestApp::start().await;
    let reply = closed.get_with("/health/live", "origin", origin).await;
    assert_eq!((reply.header("access-control-allow-origin"), reply.header("vary")), ("", ""));
}

#[tokio::test]
async fn changes_ask_for_the_token() {
    let config = ServerConfig {
        admin_token: Some("correct horse battery".to_owned().into()),
        ..ServerConfig::default()
    };
    let app = TestApp::with(config).await;
    for (method, path, body) in [
        (Method::POST, "/api/places", PLACE),
        (Method::PUT, "/api/places/rosario", PLACE),
        (Method::DELETE, "/api/places/rosario", ""),
        (Method::PUT, "/api/providers/open_meteo/breaker", r#"{"state": "open"}"#),
    ] {
        let reply = app.send_json(method.clone(), path, body).await;
        reply.check_problem(401, "token_missing");
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"pampero\"");
        for wrong in ["Bearer wrong", "Bearer correct horse batter", "Bearer ", "Basic abc"] {
            let mut asked = request(method.clone(), path).map(|_| Body::from(body));
            asked.headers_mut().insert("authorization", wrong.parse().unwrap());
            assert_eq!(app.send(asked).await.status, 401, "{method} {path} {wrong}");
        }
    }
    let mut asked = request(Method::DELETE, "/api/places/rosario");
    asked.headers_mut().insert("authorization", "bearer correct horse battery".parse().unwrap());
    assert_eq!(app.send(asked).await.status, 204);
    assert_eq!(app.get("/api/places").await.status, 200, "reading asks for no token");
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems_too() {
    let app = TestApp::start().await;
    app.get("/nothing").await.check_problem(404, "unknown_route");
    app.get("/weather/current/").await.check_problem(404, "unknown_route");
    let reply = app.send(request(Method::PATCH, "/api/places")).await;
    reply.check_problem(405, "method_not_allowed");
    assert_eq!(reply.header("allow"), "GET,HEAD,POST");
    let reply = app.send(request(Method::POST, "/weather/current")).await;
    reply.check_problem(405, "method_not_allowed");
    assert_eq!(reply.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn request_id_goes_in_and_out() {
    let app = TestApp::start().await;
    assert_eq!(
        app.get_with("/nothing", "x-request-id", "abc-1").await.json()["request_id"],
        "abc-1"
    );
    let drawn = app.get_with("/health/live", "x-request-id", "not decent!").await;
    assert!(!["", "not decent!"].contains(&drawn.header("x-request-id")));
}

#[tokio::test]
async fn bodies_are_limited_in_size_kind_and_time() {
    let config = ServerConfig {
        body_limit: 200,
        request_timeout: Duration::from_millis(50),
        ..ServerConfig::default()
    };
    let app = TestApp::with(config).await;
    let large = format!(r#"{{"name": "{}"}}"#, "x".repeat(300));
    let reply = app.send_json(Method::POST, "/api/places", &large).await;
    reply.check_problem(413, "body_too_large");
    let plain = request(Method::POST, "/api/places").map(|_| Body::from(PLACE));
    app.send(plain).await.check_problem(415, "unsupported_media_type");
    let mut endless = request(Method::POST, "/api/places").map(|_| {
        Body::from_stream(futures_util::stream::pending::<Result<&str, std::io::Error>>())
    });
    endless.headers_mut().insert("content-type", "application/json".parse().unwrap());
    app.send(endless).await.check_problem(408, "body_too_slow");
}

#[tokio::test]
async fn a_panic_costs_one_request_and_tells_nothing_of_its_cause() {
    let app = TestApp::start().await;
    let said = observation("buenos-aires", OpenMeteo, "2026-11-24T14:45:00Z", 16.0);
    app.observe(said, None).await;
    for path in ["/weather/current", "/weather/average/day"] {
        app.clock.set_broken(true);
        let problem = app.get(path).await.check_problem(500, "internal");
        assert!(!problem.to_string().contains("spring"), "{problem}");
        app.clock.set_broken(false);
        assert_eq!(app.get(path).await.status, 200);
    }
}

#[tokio::test]
async fn current_conditions_outlive_the_store() {
    let app = TestApp::start().await;
    let said = observation("buenos-aires", OpenMeteo, "2026-11-24T14:45:00Z", 16.0);
    app.observe(said, None).await;
    app.store.close().await.unwrap();
    assert_eq!(app.get("/weather/current").await.status, 200);
    app.get("/health/ready").await.check_problem(503, "store_silent");
    for path in ["/api/events", "/api/places/rosario/observations", "/weather/average/day"] {
        let reply = app.get(path).await;
        reply.check_problem(503, "stopping");
        assert_eq!(reply.header("retry-after"), "5", "{path}");
    }
    app.send_json(Method::POST, "/api/places", PLACE).await.check_problem(503, "stopping");
}

#[tokio::test]
async fn requests_are_counted_by_route() {
    let app = TestApp::start().await;
    for path in ["/weather/current", "/weather/current?place=rosario", "/nothing", "/api/places/a"]
    {
        app.get(path).await;
    }
    let told = app.get("/metrics").await;
    assert_eq!(told.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = String::from_utf8(told.body.to_vec()).unwrap();
    for line in [
        r#"pampero_http_requests_total{route="/weather/current",method="GET",status_class="4xx",status="404"} 2"#,
        r#"pampero_http_requests_total{route="unmatched",method="GET",status_class="4xx",status="404"} 1"#,
        r#"pampero_http_requests_total{route="/api/places/{place}",method="GET",status_class="4xx",status="404"} 1"#,
        r#"pampero_http_requests_in_flight 1"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let open = app.get_with("/metrics", "accept", "application/openmetrics-text").await;
    assert!(open.body.ends_with(b"# EOF\n"));
}
