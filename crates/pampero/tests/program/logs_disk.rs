//! A disk of the log index that is full, read-only, or no disk at all: the index says so in
//! OpenSearch's words, the weather goes on.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::disk_full::{fill, on_disk_of_its_own};
use crate::harness::{
    PATIENCE, Program, Reply, folder, hurried, path_of, reply, serve_command, simulator,
};
use crate::logs_hostile::WeatherWatch;

const SMALL: &str = "mount -t tmpfs -o size=12m tmpfs \"$1\"";
const READ_ONLY: &str = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_index_stops_while_its_disk_is_full_and_the_weather_goes_on() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let logs = path_of(&folder, "data/logs");
    std::fs::create_dir_all(&logs).unwrap();
    let serve = serve_command(folder.path(), &config, &[]);
    let program = Program::start_command(on_disk_of_its_own(SMALL, &logs, &serve)).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    let watch = WeatherWatch::start(&program);
    let before = program.index("PUT /mine/_doc/before?refresh=true", document()).await;
    assert_eq!(before.status, 201, "{}", before.text);

    // The disk exists for the program alone, and is reached through its eyes.
    let root = format!("/proc/{}/root", program.process_id());
    let ballast = Path::new(&root).join(logs.strip_prefix("/").unwrap()).join("ballast");
    fill(&ballast);
    let begun = Instant::now();
    let mut kept = 1;
    // What is allocated already is used up first.
    let refused = loop {
        let reply = program.index("POST /mine/_doc", document()).await;
        if reply.status != 201 {
            break reply;
        }
        kept += 1;
        fill(&ballast);
        assert!(begun.elapsed() < PATIENCE, "there is still room");
    };
    check_flood_stage(&refused);
    for call in ["PUT /mine/_doc/during", "POST /mine/_update/before", "PUT /other"] {
        let body = match call {
            "POST /mine/_update/before" => format!("{{\"doc\":{}}}", document()),
            "PUT /other" => String::new(),
            _ => document(),
        };
        check_flood_stage(&program.index(call, body).await);
    }
    let bulk = format!("{{\"create\":{{\"_id\":\"during\"}}}}\n{}\n", document());
    let bulk = program.index("POST /mine/_bulk", bulk.repeat(3)).await;
    assert_eq!((bulk.status, &bulk.json()["errors"]), (200, &true.into()), "{}", bulk.text);
    assert_eq!(bulk.json()["items"][2]["create"]["status"], 429, "{}", bulk.text);
    let found = program.index("GET /mine/_doc/before", "").await;
    assert_eq!((found.status, &found.json()["found"]), (200, &true.into()), "{}", found.text);
    let found = program.index("GET /mine/_count", "").await;
    assert_eq!(found.status, 200, "what is kept can be searched: {}", found.text);
    // Its own log waits meanwhile, and says so once.
    let waits = "pampero_logs_write_failures_total{destination=\"index\"} ";
    program.wait_until("/metrics", |reply| value_of(&reply.text, waits) > 0.0).await;

    std::fs::remove_file(&ballast).unwrap();
    loop {
        let after = program.index("PUT /mine/_doc/after?refresh=true", document()).await;
        if after.status == 201 {
            break;
        }
        check_flood_stage(&after);
        assert!(begun.elapsed() < PATIENCE, "it does not go on: {}\n{}", after.text, program.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let count = program.index("GET /mine/_count", "").await.json()["count"].clone();
    assert_eq!(count, kept + 1, "what was acknowledged, and nothing else");
    assert_eq!(program.index("GET /mine/_doc/during", "").await.status, 404);
    let written = "pampero_logs_documents_written_total ";
    let before = value_of(&program.get("/metrics").await.text, written);
    program.wait_until("/metrics", |reply| value_of(&reply.text, written) > before).await;
    watch.check("a full disk");
    let (exit, log) = program.terminate();
    assert!(exit.success() && !log.contains("panicked"), "{log}");
}

/// Checks the refusal of a write for want of room.
#[track_caller]
fn check_flood_stage(reply: &Reply) {
    assert_eq!(reply.status, 429, "{}", reply.text);
    let answer = reply.json();
    assert_eq!(answer["status"], 429, "{answer}");
    assert_eq!(answer["error"]["type"], "cluster_block_exception", "{answer}");
    let reason = answer["error"]["reason"].as_str().unwrap();
    assert!(reason.contains("disk usage exceeded flood-stage watermark"), "{answer}");
}

fn value_of(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(0.0, |value| value.parse().unwrap())
}

/// A document that is large enough to need new pages on the disk.
fn document() -> String {
    format!("{{\"text\":\"{}\"}}", "rain ".repeat(4_000))
}

#[tokio::test]
async fn a_read_only_folder_is_told_and_the_weather_goes_on() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let program = Program::serve(folder.path(), &config, &[]).await;
    program.index("PUT /mine/_doc/1", "{}").await;
    program.terminate();

    let serve = serve_command(folder.path(), &config, &[]);
    let logs = path_of(&folder, "data/logs");
    check_without_index(on_disk_of_its_own(READ_ONLY, &logs, &serve)).await;

    let again = Program::serve(folder.path(), &config, &[]).await;
    assert_eq!(again.index("GET /mine/_doc/1", "").await.status, 200, "nothing was lost");
}

#[tokio::test]
async fn a_file_in_place_of_the_folder_is_told_and_the_weather_goes_on() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    std::fs::create_dir(path_of(&folder, "data")).unwrap();
    std::fs::write(path_of(&folder, "data/logs"), "no folder").unwrap();
    check_without_index(serve_command(folder.path(), &config, &[])).await;
    assert_eq!(std::fs::read_to_string(path_of(&folder, "data/logs")).unwrap(), "no folder");
}

/// Checks that a program which cannot open its index tells it once and serves the weather.
async fn check_without_index(serve: Command) {
    let program = Program::start_command(serve).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    let asked = program.request(reqwest::Method::GET, "/opensearch/weather_logs/_search");
    let asked = reply(asked).await;
    assert!(asked.status >= 400 && asked.json()["error"].is_object(), "{}", asked.text);
    let (exit, log) = program.terminate();
    assert!(exit.success() && !log.contains("panicked"), "{log}");
    assert_eq!(log.matches("the log cannot be kept and searched").count(), 1, "{log}");
}
