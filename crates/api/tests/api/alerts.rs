//! The alerts over the API: what is the matter, what watches, what is wrong, and who is muted.

use http::Method;
use pampero_api::ServerConfig;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::app::{TestApp, request};

const HISTORY: &str = "/api/alerts/sources/rule/rules%2Fweather.yml%3Bweather/Frost/history";

/// Returns the names of the places of a list of alerts.
fn places(list: &Value) -> Vec<&str> {
    let alerts = list["alerts"].as_array().unwrap();
    alerts.iter().map(|alert| alert["labels"]["place"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn alerts_are_listed_from_their_beginning_to_their_end() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/api/alerts").await.json()["total"], 0);
    app.freeze("2026-11-24T15:00:00Z", &[("jfk", -1.5), ("ewr", -0.5)]);
    app.freeze("2026-11-24T15:01:00Z", &[("jfk", -2.0)]);

    let list = app.get("/api/alerts").await.json();
    assert_eq!((places(&list), &list["next_cursor"]), (vec!["jfk"], &Value::Null));
    let alert = &list["alerts"][0];
    assert_eq!(
        alert["source"],
        json!({ "kind": "rule", "definition": "rules/weather.yml;weather", "trigger": "Frost" })
    );
    let labels = json!({
        "alertname": "Frost", "group": "weather", "severity": "high", "place": "jfk",
    });
    assert_eq!(alert["labels"], labels);
    assert_eq!((&alert["state"], &alert["severity"]), (&json!("active"), &json!(2)));
    assert_eq!((&alert["value"], &alert["lasted_seconds"]), (&json!(-2.0), &json!(60)));
    assert_eq!(alert["since"], "2026-11-24T15:00:00Z");
    assert_eq!((&alert["ended"], &alert["muted_by"]), (&Value::Null, &json!([])));
    assert_eq!(alert["annotations"], json!({ "summary": "frost at jfk" }));

    let over = app.get("/api/alerts?state=completed").await.json();
    assert_eq!(places(&over), ["ewr"]);
    assert_eq!(over["alerts"][0]["ended"], "2026-11-24T15:01:00Z");
    let both = app.get("/api/alerts?state=completed,active&sort=start&order=asc&limit=1").await;
    assert_eq!(both.json()["total"], 2);
    let next = both.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
    let rest = app.get(&next).await.json();
    assert_eq!((rest["alerts"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
    assert_ne!(rest["alerts"][0]["id"], both.json()["alerts"][0]["id"]);
}

#[tokio::test]
async fn alerts_are_found_by_source_severity_and_text() {
    let app = TestApp::start().await;
    app.freeze("2026-11-24T15:00:00Z", &[("jfk", -1.5), ("ewr", -0.5)]);
    let check = async |query: &str, total: u64| {
        let list = app.get(&format!("/api/alerts?{query}")).await.json();
        assert_eq!(list["total"], total, "{query}");
    };
    check("search=JFK", 1).await;
    check("search=frost", 2).await;
    check("search=heat", 0).await;
    check("severity=2", 2).await;
    check("severity=1", 0).await;
    check("state=acknowledged", 0).await;
    check("source=rule", 2).await;
    check("source=monitor", 0).await;
    check("source=rule/rules%2Fweather.yml%3Bweather/Frost", 2).await;
    check("source=rule/rules%252Fweather.yml%253Bweather/Frost", 2).await;
    check("source=rule/rules%2Fweather.yml%3Bweather/Heat", 0).await;
    for (query, parameter) in [
        ("state=burning", "state"),
        ("severity=0", "severity"),
        ("source=alarm", "source"),
        ("sort=colour", "sort"),
        ("order=up", "order"),
        ("cursor=x", "cursor"),
        ("limit=0", "limit"),
    ] {
        let reply = app.get(&format!("/api/alerts?{query}")).await;
        assert_eq!(reply.check_problem(400, "invalid_parameter")["parameter"], parameter);
    }
}

#[tokio::test]
async fn an_alert_shows_what_happened_to_it_alone() {
    let app = TestApp::start().await;
    app.freeze("2026-11-24T15:00:00Z", &[("jfk", -1.5)]);
    app.freeze("2026-11-24T15:01:00Z", &[("jfk", -2.0), ("ewr", -0.5)]);
    app.freeze("2026-11-24T15:02:00Z", &[("ewr", -0.5)]);
    let over = app.get("/api/alerts?state=completed").await.json();
    let id = over["alerts"][0]["id"].as_str().unwrap().to_owned();
    let alert = app.get(&format!("/api/alerts/{id}")).await.json();
    assert_eq!((&alert["id"], &alert["labels"]["place"]), (&json!(id), &json!("jfk")));
    let history = alert["history"].as_array().unwrap();
    assert_eq!(history.len(), 2, "{history:?}");
    let (end, begin) = (&history[0], &history[1]);
    let after = |entry: &Value| entry["changes"][0]["after"].clone();
    assert_eq!((after(begin), after(end)), (json!("active"), json!("completed")));
    assert_eq!((&begin["value"], &begin["answer"]), (&json!(-1.5), &json!({ "places": 1 })));
    let told = &begin["messages"][0];
    assert_eq!((&told["channel"], &told["kind"]), (&json!("slack-ops"), &json!("fired")));
    // Nobody delivers here.
    assert_eq!(told["state"], "waiting");
    assert!(told["text"].as_str().unwrap().contains("Frost"), "{told}");
    assert_eq!(end["messages"][0]["kind"], "recovered");
    app.get("/api/alerts/nobody").await.check_problem(404, "unknown_alert");
}

#[tokio::test]
async fn the_history_of_a_source_is_read_page_by_page() {
    let app = TestApp::start().await;
    for minute in 0..4 {
        let frost = [("jfk", -1.0)];
        let places = if minute % 2 == 0 { &frost[..] } else { &[] };
        app.freeze(&format!("2026-11-24T15:0{minute}:00Z"), places);
    }
    let times = |page: &Value| -> Vec<String> {
        let entries = page["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["at"].as_str().unwrap()[14..16].to_owned()).collect()
    };
    let page = app.get(&format!("{HISTORY}?limit=3")).await;
    assert_eq!(times(&page.json()), ["03", "02", "01"]);
    let next = page.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
    assert_eq!(times(&app.get(&next).await.json()), ["00"]);
    let part = "from=2026-11-24T15:01:00Z&to=2026-11-24T15:03:00Z";
    assert_eq!(times(&app.get(&format!("{HISTORY}?{part}")).await.json()), ["02", "01"]);
    let none = app.get(&format!("{HISTORY}?from=2026-11-25T00:00:00Z")).await;
    assert_eq!(times(&none.json()), Vec::<String>::new());
    let other = HISTORY.replace("Frost", "Heat");
    app.get(&other).await.check_problem(404, "unknown_source");
    let wrong = HISTORY.replace("/rule/", "/alarm/");
    app.get(&wrong).await.check_problem(400, "invalid_parameter");
    // One that is watched and never changed has an empty history.
    let quiet = app.get("/api/alerts/sources/monitor/error_logs/count_error/history").await;
    assert_eq!(quiet.json(), json!({ "entries": [], "next_cursor": null }));
}

#[tokio::test]
async fn alerts_are_acknowledged_once() {
    let app = TestApp::start().await;
    app.freeze("2026-11-24T15:00:00Z", &[("jfk", -1.5)]);
    let list = app.get("/api/alerts").await.json();
    let id = list["alerts"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({ "ids": [id, "nobody"] }).to_string();
    let done = app.send_json(Method::POST, "/api/alerts/acknowledge", &body).await.json();
    assert_eq!(done["acknowledged"], json!([id]));
    assert_eq!(done["refused"][0]["id"], "nobody");
    let again = app.send_json(Method::POST, "/api/alerts/acknowledge", &body).await.json();
    assert_eq!(again["refused"][0]["reason"], "Alert has already been acknowledged.");
    let list = app.get("/api/alerts?state=acknowledged").await.json();
    assert_eq!(list["alerts"][0]["acknowledged"], "2026-11-24T15:00:00Z");
    let none = app.send_json(Method::POST, "/api/alerts/acknowledge", r#"{"ids": []}"#).await;
    assert_eq!(none.check_problem(400, "invalid_body")["field"], "ids");
}

/// Rules of which one names a channel that is not there and has a wrong annotation.
const RULES: &str = r#"
groups:
- name: weather
  interval: 30s
  rules:
  - record: t:max
    expr: max(t)
  - alert: Frost
    expr: t < 0
    labels: {severity: high}
  - alert: Frost
    expr: t < -10
    annotations: {pampero_channels: pager, pampero_wrong: "yes"}
"#;

#[tokio::test]
async fn what_is_watched_is_listed_with_its_state() {
    let app = TestApp::start().await;
    let parse = pampero_metrics::RuleGroup::parse_file;
    let groups = parse("rules/weather.yml", RULES, app.history.engine()).unwrap();
    app.history.replace_rules(groups);
    app.freeze("2026-11-24T15:00:00Z", &[("jfk", -1.5)]);
    let list = app.get("/api/alerts/sources").await.json();
    assert_eq!(list["total"], 3, "{list}");
    let monitor = &list["sources"][0];
    assert_eq!(
        monitor["source"],
        json!({ "kind": "monitor", "definition": "error_logs", "trigger": "count_error" })
    );
    assert_eq!((&monitor["name"], &monitor["severity"]), (&json!("count_error"), &json!(1)));
    assert_eq!((&monitor["interval_seconds"], &monitor["cron"]), (&json!(600), &Value::Null));
    assert_eq!((&monitor["state"], &monitor["health"]), (&json!("inactive"), &json!("unknown")));
    assert_eq!((&monitor["file"], &monitor["enabled"]), (&Value::Null, &json!(true)));
    let frost = &list["sources"][1];
    assert_eq!((&frost["state"], &frost["active_count"]), (&json!("active"), &json!(1)));
    assert_eq!((&frost["interval_seconds"], &frost["condition"]), (&json!(30), &json!("t < 0")));
    assert_eq!((&frost["channels"], &frost["problems"]), (&json!(["default"]), &json!([])));
    let second = &list["sources"][2];
    assert_eq!(second["source"]["trigger"], "Frost#2");
    let problems: Vec<&str> =
        second["problems"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert!(problems[0].contains("no channel \"pager\""), "{problems:?}");
    assert_eq!(problems[1], "pampero_wrong: it is unknown");

    let rules = app.get("/api/alerts/sources?kind=rule&search=FROST&limit=1").await.json();
    assert_eq!((&rules["total"], &rules["next_cursor"]), (&json!(2), &json!("1")));
    let wrong = app.get("/api/alerts/sources?kind=alarm").await;
    wrong.check_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn problems_of_definitions_are_told_with_their_place() {
    let app = TestApp::start().await;
    let parse = pampero_metrics::RuleGroup::parse_file;
    app.history.replace_rules(parse("rules/weather.yml", RULES, app.history.engine()).unwrap());
    let monitors = app.alerts_folder().join("monitors");
    std::fs::create_dir_all(&monitors).unwrap();
    std::fs::write(monitors.join("broken.json"), "{\n  \"name\": }").unwrap();
    app.definitions.look().unwrap();
    let list = app.get("/api/alerts/problems").await.json();
    let find = |kind: &str, text: &str| -> Value {
        let problems = list["problems"].as_array().unwrap();
        let found = problems
            .iter()
            .find(|it| it["kind"] == kind && it["message"].as_str().unwrap().contains(text));
        found.unwrap_or_else(|| panic!("no {kind} with {text} in {list}")).clone()
    };
    let file = find("file", "expected value");
    assert_eq!((&file["file"], &file["line"]), (&json!("monitors/broken.json"), &json!(2)));
    assert_eq!(file["since"], "2026-11-24T15:00:00Z");
    let rules = find("file", "forr");
    assert_eq!((&rules["file"], &rules["line"]), (&json!("rules/broken.yml"), &json!(3)));
    let channel = find("channel", "make channels/pager.json");
    assert_eq!(channel["source"]["trigger"], "Frost#2");
    assert_eq!(find("annotation", "pampero_wrong")["file"], "rules/weather.yml");
}

#[tokio::test]
async fn mutes_are_made_listed_and_ended() {
    let app = TestApp::start().await;
    app.freeze("2026-11-24T15:00:00Z", &[("jfk", -1.5), ("ewr", -0.5)]);
    let once = json!({
        "matchers": [{ "name": "place", "operator": "=~", "value": "j.\"?k" }],
        "ends_at": "2026-11-24T17:00:00+00:00", "comment": "repair", "author": "me",
    });
    let made = app.send_json(Method::POST, "/api/alerts/mutes", &once.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let mute = made.json();
    let id = mute["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), format!("/api/alerts/mutes/{id}"));
    assert_eq!((&mute["matchers"], &mute["active"]), (&once["matchers"], &json!(true)));
    assert_eq!(mute["starts_at"], "2026-11-24T15:00:00Z");
    let listed = app.get("/api/alerts").await.json();
    let muted: Vec<&Value> = listed["alerts"].as_array().unwrap().iter().collect();
    for alert in muted {
        let expected = if alert["labels"]["place"] == "jfk" { json!([id]) } else { json!([]) };
        assert_eq!(alert["muted_by"], expected, "{alert}");
    }
    let weekly = json!({
        "matchers": [{ "name": "severity", "operator": "!=", "value": "1" }],
        "weekly": { "days": ["sat", "sun"], "start": "22:00", "end": "06:30",
            "time_zone": "America/Montevideo" },
    });
    let made = app.send_json(Method::POST, "/api/alerts/mutes", &weekly.to_string()).await.json();
    assert_eq!((&made["weekly"], &made["ends_at"]), (&weekly["weekly"], &Value::Null));
    assert_eq!(made["active"], false, "it is a Tuesday");
    let mutes = app.get("/api/alerts/mutes").await.json();
    assert_eq!(mutes["mutes"].as_array().unwrap().len(), 2);
    let path = format!("/api/alerts/mutes/{id}");
    assert_eq!(app.send_json(Method::DELETE, &path, "").await.status, 204);
    app.send_json(Method::DELETE, &path, "").await.check_problem(404, "unknown_mute");
}

#[tokio::test]
async fn wrong_mutes_are_refused_by_field() {
    let app = TestApp::start().await;
    let check = async |change: Value, code: &str, field: Value| {
        let mut body = json!({
            "matchers": [{ "name": "alertname", "operator": "=", "value": "Frost" }],
            "ends_at": "2026-11-24T17:00:00Z",
        });
        let members = change.as_object().unwrap();
        body.as_object_mut().unwrap().extend(members.clone());
        let reply = app.send_json(Method::POST, "/api/alerts/mutes", &body.to_string()).await;
        assert_eq!(reply.check_problem(400, code)["field"], field, "{body}");
    };
    let matcher = |name: &str, operator: &str, value: &str| json!({ "matchers": [{ "name": name, "operator": operator, "value": value }] });
    check(json!({ "matchers": [] }), "invalid_mute", Value::Null).await;
    check(matcher("", "=", "x"), "invalid_mute", json!("matchers[0]")).await;
    check(matcher("a", "=~", "("), "invalid_mute", json!("matchers[0]")).await;
    check(matcher("a=b", "=", "x"), "invalid_body", json!("matchers[0]")).await;
    check(matcher("a", "is", "x"), "invalid_mute", json!("matchers[0]")).await;
    check(matcher("a", "=x", "x"), "invalid_body", json!("matchers[0]")).await;
    check(json!({ "ends_at": "tomorrow" }), "invalid_body", json!("ends_at")).await;
    check(json!({ "ends_at": null }), "invalid_body", json!("ends_at")).await;
    check(json!({ "ends_at": "2026-11-24T14:00:00Z" }), "invalid_mute", Value::Null).await;
    check(json!({ "for": "2h" }), "invalid_body", json!("for")).await;
    let weekly = |day: &str, start: &str, zone: &str| {
        json!({ "ends_at": null, "weekly": {
            "days": [day], "start": start, "end": "06:00", "time_zone": zone } })
    };
    check(weekly("someday", "22:00", "UTC"), "invalid_body", json!("weekly.days")).await;
    check(weekly("mon", "25:00", "UTC"), "invalid_body", json!("weekly.start")).await;
    check(weekly("mon", "22:00", "Mars/One"), "invalid_mute", Value::Null).await;
    assert_eq!(app.get("/api/alerts/mutes").await.json()["mutes"], json!([]));
}

#[tokio::test]
async fn alerts_that_are_switched_off_say_so_everywhere() {
    let app = TestApp::without_alerts().await;
    let acknowledge = r#"{"ids": ["a"]}"#;
    let mute = r#"{"matchers": [{"name": "a", "operator": "=", "value": "b"}], "ends_at": "2026-11-24T17:00:00Z"}"#;
    for (method, path, body) in [
        (Method::GET, "/api/alerts", ""),
        (Method::GET, "/api/alerts/a", ""),
        (Method::GET, "/api/alerts/sources", ""),
        (Method::GET, HISTORY, ""),
        (Method::GET, "/api/alerts/problems", ""),
        (Method::GET, "/api/alerts/mutes", ""),
        (Method::GET, "/api/channels", ""),
        (Method::GET, "/api/notifications", ""),
        (Method::POST, "/api/alerts/acknowledge", acknowledge),
        (Method::POST, "/api/alerts/mutes", mute),
        (Method::DELETE, "/api/alerts/mutes/a", ""),
        (Method::POST, "/api/alerts/backtest", r#"{"monitor_id": "error_logs"}"#),
        (Method::POST, "/api/channels/a/test", ""),
        (Method::POST, "/api/notifications/1/resend", ""),
        (Method::DELETE, "/api/notifications/1", ""),
    ] {
        let reply = app.send_json(method, path, body).await;
        let problem = reply.check_problem(404, "alerting_off");
        assert!(problem["detail"].as_str().unwrap().contains("alerting.enabled"), "{path}");
    }
    let reply = app.get("/opensearch/_plugins/_alerting/monitors/alerts").await;
    assert_eq!(reply.status, 400, "no such route");
}

#[tokio::test]
async fn opensearchs_routes_are_mounted_and_changes_ask_for_the_token() {
    let token = Some(SecretString::from("a-long-secret"));
    let app = TestApp::with(ServerConfig { admin_token: token, ..ServerConfig::default() }).await;
    let send = async |method: Method, path: &str, token: Option<&str>| {
        let mut request = request(method, path);
        let headers = request.headers_mut();
        headers.insert("content-type", "application/json".parse().unwrap());
        if let Some(token) = token {
            headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        *request.body_mut() = axum::body::Body::from("{}");
        app.send(request).await.status.as_u16()
    };
    let base = "/opensearch/_plugins/_alerting";
    let reply = app.get(&format!("{base}/monitors/error_logs?pretty")).await;
    assert_eq!(reply.json()["_id"], "error_logs", "{:?}", reply.body);
    assert!(reply.body.starts_with(b"{\n"), "the frame of the log index renders it");
    let search = format!("{base}/monitors/_search");
    assert_eq!(send(Method::POST, &search, None).await, 200);
    let execute = format!("{base}/monitors/error_logs/_execute");
    assert_eq!(send(Method::POST, &execute, None).await, 401);
    assert_eq!(send(Method::POST, &format!("{base}/monitors"), None).await, 401);
    assert_eq!(send(Method::POST, &format!("{base}/monitors"), Some("a-long-secret")).await, 400);
    let configs = "/opensearch/_plugins/_notifications/configs";
    assert_eq!(send(Method::GET, configs, None).await, 400, "it takes no body");
    assert_eq!(send(Method::DELETE, configs, None).await, 401);
    // The API's own routes ask as well.
    for path in ["/api/alerts/acknowledge", "/api/alerts/backtest", "/api/channels/a/test"] {
        assert_eq!(send(Method::POST, path, None).await, 401, "{path}");
    }
}
