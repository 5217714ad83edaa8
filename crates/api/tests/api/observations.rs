//! History: every row once, whatever the page, and what was corrected.

use jiff::SignedDuration;
use pampero_weather::provider::ProviderId::{MetNorway, OpenMeteo};
use serde_json::{Value, json};

use crate::app::{NOON, TestApp, at, observation};

const ROWS: &str = "/api/places/rosario/observations";

async fn app_with_history() -> TestApp {
    let app = TestApp::start().await;
    for quarter in 0..7 {
        let observed_at = at(NOON) - SignedDuration::from_mins(15 * quarter);
        for provider in [OpenMeteo, MetNorway] {
            let said = observation("rosario", provider, &observed_at.to_string(), 20.5);
            app.observe(said, None).await;
        }
    }
    app
}

fn keys(list: &Value) -> Vec<String> {
    let rows = list["observations"].as_array().unwrap();
    rows.iter().map(|row| format!("{} {}", row["observed_at"], row["provider"])).collect()
}

#[tokio::test]
async fn pages_walk_through_every_row_exactly_once() {
    let app = app_with_history().await;
    let mut all = keys(&app.get(ROWS).await.json());
    assert_eq!(all.len(), 14);
    assert!(all.is_sorted(), "{all:?}");
    for limit in [1, 3, 7, 14, 100] {
        for order in ["asc", "desc"] {
            let walked = walk(&app, &format!("{ROWS}?limit={limit}&order={order}")).await;
            assert_eq!(walked, all, "{order} by {limit}");
            all.reverse();
        }
    }
}

async fn walk(app: &TestApp, path: &str) -> Vec<String> {
    let mut path = path.to_owned();
    let mut walked = Vec::new();
    loop {
        let reply = app.get(&path).await;
        assert_eq!(reply.status, 200, "{path}");
        let list = reply.json();
        let page = keys(&list);
        assert!(!page.is_empty(), "a page that is announced has rows");
        walked.extend(page);
        let Some(rest) = reply.header("link").strip_prefix('<') else {
            assert_eq!(list["next_cursor"], Value::Null);
            return walked;
        };
        assert!(reply.header("link").ends_with(">; rel=\"next\""));
        path = rest.split('>').next().unwrap().to_owned();
        assert!(path.ends_with(list["next_cursor"].as_str().unwrap()), "{path}");
    }
}

#[tokio::test]
async fn rows_are_chosen_by_time_and_provider() {
    let app = app_with_history().await;
    check(&app, "provider=met_norway", 7).await;
    check(&app, "from=2026-11-24T14:30:00Z&to=2026-11-24T15:00:00Z", 4).await;
    check(&app, "from=2026-11-24T11:30:00-03:00", 6).await;
    check(&app, "to=2026-11-24T13:30:00Z", 0).await;
    for query in ["provider=x", "cursor=1.x", "cursor=x", "from=x", "limit=1001", "order="] {
        let problem = app.get(&format!("{ROWS}?{query}")).await;
        let problem = problem.check_problem(400, "invalid_parameter");
        assert_eq!(problem["parameter"], query.split('=').next().unwrap(), "{problem}");
    }
    app.get("/api/places/atlantis/observations").await.check_problem(404, "unknown_place");
}

async fn check(app: &TestApp, query: &str, count: usize) {
    let list = app.get(&format!("{ROWS}?{query}")).await.json();
    assert_eq!(keys(&list).len(), count, "{query}");
}

#[tokio::test]
async fn a_row_says_what_was_measured_and_a_correction_is_kept() {
    let app = TestApp::start().await;
    for t in [20.0, 21.5] {
        app.observe(observation("rosario", OpenMeteo, "2026-11-24T14:45:00Z", t), None).await;
    }
    let list = app.get(ROWS).await.json();
    assert_eq!(list["units"]["temperature"], "°C");
    let row = &list["observations"][0];
    assert_eq!((&row["temperature"], &row["dew_point"]), (&json!(21.5), &Value::Null));
    assert_eq!((&row["source_kind"], &row["flags"]), (&json!("model"), &json!({})));

    let revisions = format!("{ROWS}/open_meteo/2026-11-24T14:45:00Z/revisions");
    let list = app.get(&revisions).await.json();
    assert_eq!(list["revisions"].as_array().unwrap().len(), 1);
    assert_eq!(list["revisions"][0]["revision"], 0);
    assert_eq!(list["revisions"][0]["observation"]["temperature"], 20);
    let unknown = app.get(&revisions.replace("open_meteo", "x")).await;
    unknown.check_problem(404, "unknown_provider");
    let never = app.get(&revisions.replace("2026", "year")).await;
    assert_eq!(never.check_problem(400, "invalid_parameter")["parameter"], "observed_at");
}
