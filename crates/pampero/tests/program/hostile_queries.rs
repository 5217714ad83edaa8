//! Queries made to hurt: each is refused soon, in Prometheus's own form, and the program stays small.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::harness::{Program, folder, hurried, now, peak_memory_mib, reply, simulator};
use crate::remote_write::{body, series, write};

/// Longest time for one query, on a busy machine.
const SOON: Duration = Duration::from_secs(5);
/// Most memory that the program may ever have held, in mebibytes.
const MEMORY_MAX_MIB: u64 = 400;

#[tokio::test]
async fn hostile_queries_are_refused_soon() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "[metrics]\nquery_timeout = \"2s\"\n");
    let program = Program::serve(folder.path(), &config, &[]).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    send_many_series(&program).await;

    let nested = |open: &str, close: &str, times: usize| {
        format!("{}1{}", open.repeat(times), close.repeat(times))
    };
    for query in [
        nested("(", ")", 3_000),
        nested("-", "", 10_000),
        nested("sum(", ")", 1_000),
        nested("", "+1", 5_000),
        "x".repeat(900_000),
        format!("up{{{}}}", r#"a="b","#.repeat(20_000)),
        format!("{}[5m{}", "up".repeat(10), ":1s]".repeat(1_000)),
        "up[".to_owned(),
        "\u{0}".to_owned(),
        r#"{a=~"("}"#.to_owned(),
        r#"{a=~".*"}"#.to_owned(),
    ] {
        check(&program, &[("query", &query)], 400, "bad_data").await;
    }
    for query in [
        r#"many{number=~"((a{1000}){1000}){1000}"}"#,
        r#"{__name__=~".+"} * on() group_left {__name__=~".+"}"#,
        r#"sum(many) * on() many"#,
        &exploding_labels(),
        "sum_over_time(sum(many)[1000y:1ms])",
        "sum_over_time(sum_over_time(sum(many)[30d:1s])[30d:1s])",
    ] {
        check_refused(&program, &[("query", query)]).await;
    }
    for (start, end, step) in [
        ("0", "9000000000", "1"),
        ("0", "1e18", "1e-9"),
        ("0", "100", "0"),
        ("0", "100", "-1"),
        ("100", "0", "1"),
        ("NaN", "NaN", "NaN"),
        ("-1e300", "1e300", "1"),
    ] {
        let form = [("query", "up"), ("start", start), ("end", end), ("step", step)];
        check(&program, &form, 400, "bad_data").await;
    }
    let memory = peak_memory_mib(&program);
    assert!(memory < MEMORY_MAX_MIB, "it held {memory} MiB");
    assert_eq!(program.get("/weather/current").await.status, 200);
    let (status, log) = program.terminate();
    assert!(status.success() && !log.contains("panicked"), "{log}");
}

/// Sends 5,000 series, each with ten samples.
async fn send_many_series(program: &Program) {
    let now_ms = now().as_millisecond();
    let samples: Vec<(i64, f64)> = (0..10).map(|index| (now_ms - index * 1_000, 1.0)).collect();
    let labelled = |number: u32| {
        let number = number.to_string();
        series(&[("__name__", "many"), ("number", &number)], &samples)
    };
    let reply = reply(write(program, body((0..5_000).map(labelled).collect()))).await;
    assert_eq!(reply.status, 204, "{}", reply.text);
}

/// Returns a query whose label would have 8^12 letters.
fn exploding_labels() -> String {
    let seed = r#"label_replace(vector(1), "a", "xxxxxxxx", "", "")"#.to_owned();
    (0..12).fold(seed, |query, _| {
        format!(r#"label_replace({query}, "a", "$1$1$1$1$1$1$1$1", "a", "(.*)")"#)
    })
}

/// Sends a query, or a query over a range, and checks the status and the type of the error.
async fn check(program: &Program, form: &[(&str, &str)], status: u16, error_type: &str) {
    let told = check_refused(program, form).await;
    assert_eq!(told, (status, error_type.to_owned()), "{}", shown(form));
}

/// Sends a query, checks that it is refused soon, and returns the status and the type of the error.
async fn check_refused(program: &Program, form: &[(&str, &str)]) -> (u16, String) {
    let path = if form.len() == 1 { "query" } else { "query_range" };
    let url = format!("/prometheus/api/v1/{path}");
    let sent = Instant::now();
    let reply = reply(program.request(Method::POST, &url).form(form)).await;
    let shown = format!("{} gets {} {:.300}", shown(form), reply.status, reply.text);
    assert!(sent.elapsed() < SOON, "after {:?}: {shown}", sent.elapsed());
    assert!((400..=503).contains(&reply.status), "{shown}");
    let error = reply.json();
    assert_eq!(error["status"], "error", "{shown}");
    assert!(error["error"].as_str().is_some_and(|told| !told.is_empty()), "{shown}");
    let refusals = ["bad_data", "execution", "timeout"];
    let error_type = error["errorType"].as_str().unwrap_or_default();
    assert!(refusals.contains(&error_type), "{shown}");
    (reply.status, error_type.to_owned())
}

fn shown(form: &[(&str, &str)]) -> String {
    format!("{form:?}").chars().take(200).collect()
}
