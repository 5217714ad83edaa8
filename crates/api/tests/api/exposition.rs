//! `/metrics` as a whole: both formats of a fixed state, the reference page made of it, and what
//! Prometheus's own linter says.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;
use http::Method;
use pampero_telemetry::metrics::{Exposition, Family};
use pampero_weather::observation::{Observation, Precipitation, Readings};
use pampero_weather::provider::ProviderId::{MetNorway, OpenMeteo};
use pampero_weather::unit::{
    Celsius, Degrees, Meters, MetersPerSecond, Millimeters, Percent, SeaLevelPressure,
    StationPressure,
};

use crate::alerts_told::deliver;
use crate::app::{NOON, TestApp, observation, request};

/// Returns an app in which every metric has a value.
async fn told() -> TestApp {
    let app = TestApp::start().await;
    let full = Readings {
        temperature: Some(Celsius(-3.25)),
        relative_humidity: Some(Percent(54.0)),
        dew_point: Some(Celsius(-11.0)),
        pressure_msl: Some(SeaLevelPressure(1017.5)),
        pressure_station: Some(StationPressure(1014.25)),
        wind_speed: Some(MetersPerSecond(3.5)),
        wind_gust: Some(MetersPerSecond(6.0)),
        wind_direction: Some(Degrees(140.0)),
        precipitation: Some(Precipitation {
            amount: Millimeters(0.5),
            interval: Some(jiff::SignedDuration::from_mins(15)),
        }),
        cloud_cover: Some(Percent(40.0)),
        visibility: Some(Meters(24_140.0)),
    };
    let said = observation("buenos-aires", OpenMeteo, "2026-11-24T14:45:00Z", 0.0);
    let said = Observation { readings: full, ..said };
    app.observe(said.clone(), None).await;
    let other = observation("rosario", MetNorway, "2026-11-24T13:00:00Z", 20.5);
    app.observe(other, Some("open_meteo: breaker open")).await;
    app.averages.renew_at_hand(&app.places).await;
    app.fail_a_round().await;
    app.hear(said).await;
    app.timeline.flush().await;
    // One message is given up, since its channel is not there, and another one waits.
    app.freeze(NOON, &[("jfk", -1.5)]);
    let dead = async || !app.alerting.dead_letters(1).unwrap().is_empty();
    deliver(&app, dead).await;
    app.freeze(NOON, &[]);
    for path in ["/weather/current", "/weather/current", "/nothing"] {
        app.get(path).await;
    }
    app
}

/// Replaces the values that no two runs share, and what names the machine.
fn without_chance(text: &str) -> String {
    let mut fixed = String::new();
    for line in text.lines() {
        let by_chance = ["process_", "pampero_runtime_", "pampero_store_", "pampero_history_"];
        let by_time = ["_seconds_bucket", "_seconds_sum", "_body_bytes_total", "next_due"];
        let varies = by_chance.iter().any(|start| line.starts_with(start))
            || by_time.iter().any(|part| line.contains(part));
        let machine =
            format!("os=\"{}\",arch=\"{}\"", std::env::consts::OS, std::env::consts::ARCH);
        let line = line.replace(&machine, "os=\"~\",arch=\"~\"");
        match line.rsplit_once(' ') {
            Some((series, _)) if varies && !line.starts_with('#') => {
                writeln!(fixed, "{series} ~").unwrap();
            }
            _ => writeln!(fixed, "{line}").unwrap(),
        }
    }
    fixed
}

/// Compares with the file of that name in the tree; with `UPDATE_GOLDEN=1` in the environment it
/// writes the file instead.
#[track_caller]
fn check_file(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = kept.lines().zip(text.lines()).find(|(kept, now)| kept != now);
    assert!(
        kept == text,
        "{name} is out of date, first at {differs:?}; run the tests once with UPDATE_GOLDEN=1"
    );
}

#[tokio::test]
async fn both_formats_are_in_the_tree_as_they_are_today() {
    let app = told().await;
    let text = app.api.render_metrics(Exposition::PrometheusText);
    check_file("tests/golden/metrics.txt", &without_chance(&text));
    let open = app.api.render_metrics(Exposition::OpenMetrics);
    check_file("tests/golden/metrics.openmetrics", &without_chance(&open));
}

#[tokio::test]
async fn reference_page_is_up_to_date() {
    let app = told().await;
    let families = Family::read_all(&app.api.render_metrics(Exposition::OpenMetrics));
    check_file("../../docs/metrics.md", &reference(&families));
}

/// Writes the page: one table for each area, in the order of the exposition.
fn reference(families: &[Family]) -> String {
    let mut page = "# Metrics\n\n\
        What `/metrics` shows of Pampero itself, in the Prometheus text format or in OpenMetrics, \
        whichever the `Accept` header likes better. A test makes this page of what is really \
        shown. The metrics of the host have names of their own, which begin with `node_`.\n\n\
        Units are base units: seconds, bytes, meters, pascals, degrees Celsius, and ratios from 0 \
        to 1 instead of percent. A value that is not known is absent, never zero. A label takes \
        its values from a list that is fixed or that the operator wrote, so that no client can \
        make the number of series grow: `route` is the template of a route, and `unmatched` for \
        every path that fits none; `method` is `other` for whatever HTTP does not define. The \
        first 1,000 places are shown.\n\n\
        Every request counts once in `pampero_http_requests_total`. A client that goes away \
        before its answer counts as status 499 and so among the `4xx`; a head that is too large \
        or cannot be read counts as 431 or 400 of the route `unmatched`, without a duration. The \
        shares of requests that went well (`1xx` to `3xx`), that failed by the client's fault \
        (`4xx`) and by ours (`5xx`) therefore sum to all requests.\n"
        .to_owned();
    let mut area = "";
    for family in families {
        let beginning = family.name.split('_').take(2).collect::<Vec<_>>();
        let here = if beginning[0] == "process" { "process" } else { beginning[1] };
        if here != area {
            area = here;
            write!(page, "\n## {area}\n\n| name | type | labels | unit | meaning |\n").unwrap();
            page.push_str("| --- | --- | --- | --- | --- |\n");
        }
        let labels: Vec<String> = family.labels.iter().map(|it| format!("`{it}`")).collect();
        let unit = family.unit.as_deref().unwrap_or_default();
        let Family { name, kind, help, .. } = family;
        let labels = labels.join(", ");
        writeln!(page, "| `{name}` | {kind} | {labels} | {unit} | {help} |").unwrap();
    }
    page
}

#[tokio::test]
async fn the_linter_of_prometheus_has_no_complaints() {
    let app = told().await;
    let text = app.api.render_metrics(Exposition::PrometheusText);
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is missing; run `cargo xtask test` once, which installs it");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
}

#[tokio::test]
async fn the_format_is_negotiated() {
    let app = TestApp::start().await;
    let (text, open) = ("text/plain; version=0.0.4; charset=utf-8", "application/openmetrics-text");
    for (accept, kind) in [
        ("*/*", text),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3", open),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.3", text),
    ] {
        let reply = app.get_with("/metrics", "accept", accept).await;
        assert!(reply.header("content-type").starts_with(kind), "{accept}: {:?}", reply.headers);
        assert_eq!(reply.body.ends_with(b"# EOF\n"), kind == open, "{accept}");
        let vary: Vec<_> = reply.headers.get_all("vary").iter().collect();
        assert!(vary.iter().any(|it| *it == "accept"), "{vary:?}");
    }
    let mut two = request(Method::GET, "/metrics");
    two.headers_mut().append("accept", "text/plain;q=0.1".parse().unwrap());
    two.headers_mut().append("accept", "application/openmetrics-text".parse().unwrap());
    assert!(app.send(two).await.body.ends_with(b"# EOF\n"));
}

#[tokio::test]
async fn metrics_are_compressed_for_those_that_ask_and_empty_for_head() {
    let app = TestApp::start().await;
    let packed = app.get_with("/metrics", "accept-encoding", "gzip").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut GzDecoder::new(&packed.body[..]), &mut text).unwrap();
    assert!(text.contains("# TYPE pampero_http_requests_total counter\n"), "{text}");
    assert!(packed.body.len() * 4 < text.len(), "{} of {}", packed.body.len(), text.len());
    let head = app.send(request(Method::HEAD, "/metrics")).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
}
