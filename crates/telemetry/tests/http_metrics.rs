//! What the measuring of requests leaves for the operator.

use std::time::Duration;

use jiff::Timestamp;
use pampero_telemetry::metrics::http::HttpMetrics;
use pampero_telemetry::metrics::{Exposition, Metrics};

/// Returns the registry and, with the `http` prefix, the measuring of requests.
fn measured() -> (Metrics, HttpMetrics) {
    let mut metrics = Metrics::new("0.1.0", Timestamp::UNIX_EPOCH);
    let http = HttpMetrics::register(metrics.area("http"));
    (metrics, http)
}

/// Returns the lines that speak of requests, without the buckets.
fn lines(metrics: &Metrics) -> Vec<String> {
    let text = metrics.encode(Exposition::PrometheusText);
    let speaks =
        |line: &&str| line.starts_with("pampero_http_request") && !line.contains("_bucket");
    text.lines().filter(speaks).map(str::to_owned).collect()
}

#[test]
fn requests_are_counted_by_route_method_and_status() {
    let (metrics, http) = measured();
    let current = http.route("GET", "/weather/current");
    current.record(200, Duration::from_micros(30));
    current.record(200, Duration::from_micros(70));
    http.route("GET", "/weather/current").record(304, Duration::from_micros(400));
    http.unmatched("BREW").record(404, Duration::from_millis(2));
    http.refuse_unread(431);
    current.receive(7);
    current.receive(2);

    assert_eq!(
        lines(&metrics),
        [
            r#"pampero_http_requests_in_flight 0"#,
            r#"pampero_http_requests_total{route="/weather/current",method="GET",status_class="2xx",status="200"} 2"#,
            r#"pampero_http_requests_total{route="/weather/current",method="GET",status_class="3xx",status="304"} 1"#,
            r#"pampero_http_requests_total{route="unmatched",method="other",status_class="4xx",status="404"} 1"#,
            r#"pampero_http_requests_total{route="unmatched",method="other",status_class="4xx",status="431"} 1"#,
            r#"pampero_http_request_duration_seconds_sum{route="/weather/current",method="GET"} 0.0005"#,
            r#"pampero_http_request_duration_seconds_count{route="/weather/current",method="GET"} 3"#,
            r#"pampero_http_request_duration_seconds_sum{route="unmatched",method="other"} 0.002"#,
            r#"pampero_http_request_duration_seconds_count{route="unmatched",method="other"} 1"#,
            r#"pampero_http_request_body_bytes_total{route="/weather/current",method="GET"} 9"#,
            r#"pampero_http_request_body_bytes_total{route="unmatched",method="other"} 0"#,
        ]
    );
}

#[test]
fn buckets_add_up() {
    let (metrics, http) = measured();
    let current = http.route("GET", "/weather/current");
    for micros in [30, 70, 400, 40_000_000] {
        current.record(200, Duration::from_micros(micros));
    }
    let text = metrics.encode(Exposition::PrometheusText);
    let bucket = |line: &str| {
        let bound = line.split_once("le=\"")?.1.split_once('"')?.0;
        Some(format!("{bound}: {}", line.rsplit_once(' ')?.1))
    };
    let buckets: Vec<String> = text.lines().filter_map(bucket).collect();
    assert_eq!(
        buckets,
        [
            "0.0000025: 0",
            "0.000005: 0",
            "0.00001: 0",
            "0.000025: 0",
            "0.00005: 1",
            "0.0001: 2",
            "0.00025: 2",
            "0.0005: 3",
            "0.001: 3",
            "0.0025: 3",
            "0.005: 3",
            "0.01: 3",
            "0.025: 3",
            "0.05: 3",
            "0.1: 3",
            "0.25: 3",
            "0.5: 3",
            "1.0: 3",
            "2.5: 3",
            "5.0: 3",
            "10.0: 3",
            "30.0: 3",
            "+Inf: 4",
        ]
    );
}

#[test]
fn unknown_methods_share_one_series() {
    let (metrics, http) = measured();
    for method in ["get", "PROPFIND", "GET ", "X\"\n"] {
        http.unmatched(method).record(405, Duration::ZERO);
    }
    let requests = r#"pampero_http_requests_total{route="unmatched",method="other",status_class="4xx",status="405"} 4"#;
    assert!(lines(&metrics).contains(&requests.to_owned()));
}

#[test]
fn requests_in_flight_fall_when_the_guard_is_dropped() {
    let (metrics, http) = measured();
    let first = http.enter();
    let second = http.clone().enter();
    assert_eq!(lines(&metrics), ["pampero_http_requests_in_flight 2"]);
    drop(first);
    assert_eq!(lines(&metrics), ["pampero_http_requests_in_flight 1"]);
    drop(second);
    assert_eq!(lines(&metrics), ["pampero_http_requests_in_flight 0"]);
}

#[test]
fn connections_and_reused_answers_are_counted() {
    let (metrics, http) = measured();
    let open = http.connect();
    drop(http.connect());
    http.reuse_answer();
    http.reuse_answer();
    http.render_answer();
    let text = metrics.encode(Exposition::PrometheusText);
    for line in [
        "pampero_http_connections_open 1",
        "pampero_http_connections_total 2",
        r#"pampero_http_cache_answers_total{result="reused"} 2"#,
        r#"pampero_http_cache_answers_total{result="rendered"} 1"#,
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
    }
    drop(open);
    assert!(metrics.encode(Exposition::PrometheusText).contains("connections_open 0"));
}
