//! 20,000 different paths, methods, hosts and user agents: each is counted, none makes a series.

use std::collections::BTreeSet;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Program, folder, hurried, simulator};

const REQUESTS: usize = 20_000;
/// Requests that are under way on one connection, one behind the other.
const PIPELINED: usize = 500;
/// Enough to have met every method, every kind of path and every answer.
const WARM_UP: usize = 1_000;

#[tokio::test]
async fn series_do_not_grow_with_what_clients_make_up() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "[metrics]\nscrape_interval = \"1s\"\n");
    let program = Program::serve(folder.path(), &config, &[]).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    // The first look at itself gives the history a beginning, and with it a series.
    let has_history = "pampero_history_earliest_sample_timestamp_seconds";
    program.wait_until("/metrics", |reply| reply.text.contains(has_history)).await;
    send_all(&program, 0..WARM_UP).await;
    // A look is counted once it is answered, so that the first one may add a series.
    program.get("/metrics").await;
    let before = program.get("/metrics").await.text;
    send_all(&program, WARM_UP..WARM_UP + REQUESTS).await;
    let after = program.get("/metrics").await.text;

    let made_up: Vec<String> = series(&after).difference(&series(&before)).cloned().collect();
    assert!(made_up.is_empty(), "{made_up:#?}");
    // A look is counted once it is answered: the one before is in the difference.
    let counted = requests_counted(&after) - requests_counted(&before);
    assert_eq!(counted, (REQUESTS + 1) as u64, "every request is counted once");
    let weather = program.get("/weather/current").await;
    assert_eq!(weather.status, 200, "{}", weather.text);
    assert!(program.terminate().0.success());
}

/// Sends these requests over few connections and reads all answers.
async fn send_all(program: &Program, numbers: std::ops::Range<usize>) {
    for begin in numbers.clone().step_by(PIPELINED) {
        let numbers = begin..(begin + PIPELINED).min(numbers.end);
        let count = numbers.len();
        let last = numbers.end - 1;
        let text: String = numbers.map(|number| request(number, number == last)).collect();
        let (mut answers, mut questions) =
            TcpStream::connect(program.address()).await.unwrap().into_split();
        let mut read = Vec::new();
        let (written, answered) =
            tokio::join!(questions.write_all(text.as_bytes()), answers.read_to_end(&mut read));
        written.unwrap();
        answered.unwrap();
        let answered = String::from_utf8_lossy(&read).matches("HTTP/1.1 ").count();
        assert_eq!(answered, count, "{}", String::from_utf8_lossy(&read));
    }
}

/// Returns a request like no other; after the last one the connection ends.
fn request(number: usize, is_last: bool) -> String {
    let method = match number % 7 {
        0 => "GET".to_owned(),
        1 => "DELETE".to_owned(),
        2 => "OPTIONS".to_owned(),
        3 => "PATCH".to_owned(),
        _ => format!("METHOD-{number}"),
    };
    let path = match number % 10 {
        0 => format!("/nowhere/{number}"),
        1 => format!("/weather/current/{number}"),
        2 => format!("/weather/current?place=place-{number}"),
        3 => format!("/api/places/place-{number}/current"),
        4 => format!("/api/providers/provider-{number}"),
        5 => format!("/prometheus/api/v1/label/name_{number}/values"),
        6 => format!("/prometheus/api/v1/made/up/{number}"),
        7 => format!("/docs/{number}.html"),
        8 => format!("/%2e%2e/%00/{number}"),
        _ => format!("/prometheus/api/v1/query?query=made_up_{number}"),
    };
    let end = if is_last { "Connection: close\r\n" } else { "" };
    format!(
        "{method} {path} HTTP/1.1\r\nHost: host-{number}.example\r\nUser-Agent: agent/{number}\r\n\
         X-Request-Id: {number}\r\nAuthorization: Bearer {number}\r\n{end}\r\n"
    )
}

/// Returns the program's own series, without their values; those of the machine change by themselves.
fn series(metrics: &str) -> BTreeSet<String> {
    let own = metrics.lines().filter(|line| line.starts_with("pampero_"));
    own.filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series.to_owned()).collect()
}

/// Returns how many requests are counted, over all routes and all classes of answers.
fn requests_counted(metrics: &str) -> u64 {
    let lines = metrics.lines().filter(|line| line.starts_with("pampero_http_requests_total{"));
    lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
}
