//! Marker values as keys, every fault, the most verbose log: the markers appear nowhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pampero_simulator::catalogue;
use pampero_weather::provider::ProviderId;

use crate::harness::{Program, folder, hurried, reply, simulator};

/// What every key begins with, and how it is spelt in base64 behind `any:` and behind `pampero:`, as
/// basic authentication sends it.
const MARKERS: [&str; 3] = ["MARKER-5a1f", "UktFUi01YTFm", "QVJLRVItNWEx"];
const VARIABLES: &[(&str, &str)] = &[
    ("PAMPERO_OPENWEATHERMAP_KEY", "MARKER-5a1f-openweathermap"),
    ("PAMPERO_WEATHERSTACK_KEY", "MARKER-5a1f-weatherstack"),
    ("PAMPERO_OPEN_METEO_KEY", "MARKER-5a1f-open-meteo"),
    ("PAMPERO_ADMIN_TOKEN", "MARKER-5a1f-admin-token"),
    ("PAMPERO_TARGET_0_TOKEN", "MARKER-5a1f-target"),
    ("PAMPERO_TRACES_TOKEN", "MARKER-5a1f-traces"),
    ("PAMPERO_OPENSEARCH_PASSWORD", "MARKER-5a1f-opensearch"),
];
const PATHS: &[&str] = &[
    "/weather/current",
    "/weather/average/day",
    "/api/places",
    "/api/places/jfk/observations?limit=1000",
    "/api/providers",
    "/api/events?limit=1000",
    "/metrics",
    "/openapi.json",
    "/prometheus/api/v1/targets",
    "/prometheus/api/v1/status/config",
    "/prometheus/api/v1/status/flags",
    "/prometheus/api/v1/query?query=up%7Bjob=%22elsewhere%22%7D",
    "/opensearch/_cluster/settings?include_defaults=true",
    "/opensearch/_nodes",
    "/opensearch/_all/_settings",
    "/health/ready",
    "/",
];

#[tokio::test]
async fn no_key_appears_anywhere() {
    let simulator = simulator().await;
    let folder = folder();
    let chain = ["openweathermap", "weatherstack", "open_meteo", "met_norway"];
    // A server that is neither a target nor a collector nor a cluster gets their secrets all the same.
    let elsewhere = simulator.base_url(ProviderId::OpenMeteo);
    let more = format!(
        "[log]\nfilter = \"trace\"\n[logs]\nfilter = \"trace\"\nfold_after = 1000000\n\
         [logs.opensearch]\nurl = \"{elsewhere}\"\nuser = \"pampero\"\n\
         interval = \"100ms\"\nbackoff = \"100ms\"\nbackoff_max = \"100ms\"\n\
         [traces]\nendpoint = \"{elsewhere}\"\n\
         [[metrics.targets]]\njob = \"elsewhere\"\nurl = \"{elsewhere}\"\ninterval = \"1s\"\ntimeout = \"1s\"\n"
    );
    let config = hurried(&simulator, &chain, &more);
    // Nothing may stand between the faults and the adapters.
    let config = config
        .replace("[resilience]\n", "[resilience]\nbreaker_failures = 10000\nbreaker_failure_rate = 1.0\nbreaker_rate_calls_min = 10000\n")
        .replace("attempts_max = 2", "attempts_max = 1")
        .replace("attempt_timeout = \"500ms\"", "attempt_timeout = \"150ms\"");
    let program = Program::serve(folder.path(), &config, VARIABLES).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    let mut seen = String::new();
    let mut played = BTreeSet::new();
    for entry in catalogue() {
        for provider in ProviderId::ALL {
            if entry.example.applies_to(provider) {
                simulator.set_fault(provider, Some(entry.example.clone())).unwrap();
            }
        }
        played.insert(entry.kind);
        tokio::time::sleep(Duration::from_millis(250)).await;
        for path in ["/weather/current", "/api/providers"] {
            seen.push_str(&program.get(path).await.text);
        }
    }
    assert!(played.len() > 30, "{played:?}");
    for path in PATHS {
        let reply = program.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        seen.push_str(&format!("{:?}", reply.headers));
        seen.push_str(&reply.text);
    }
    let with_token = program.index_request("PUT /mine/_doc/1", "{}");
    let with_token = with_token.basic_auth("any", Some("MARKER-5a1f-admin-token"));
    assert_eq!(reply(with_token).await.status, 201);
    let documents = all_documents(&program).await;
    assert!(documents.len() > 200, "only {} documents were kept", documents.len());
    assert!(documents.iter().any(|document| document.contains("\"DEBUG\"")));
    for document in &documents {
        check_absent("a document of the log", document.as_bytes());
    }
    for provider in [ProviderId::OpenWeatherMap, ProviderId::Weatherstack] {
        let requests = simulator.requests(provider);
        assert!(requests.total > 0, "{provider} was asked, with its key: {requests:?}");
    }
    assert!(seen.contains("\"__name__\":\"up\""), "the target was scraped, with its token");
    let (_, log) = program.terminate();
    assert!(log.contains("\"level\":\"TRACE\""), "the log is as verbose as it can be");
    check_absent("a response", seen.as_bytes());
    check_absent("the log", log.as_bytes());
    let files = files_below(&folder.path().join("data"));
    for part in ["data/metrics", "data/logs", "data/logs-buffer"] {
        let part = folder.path().join(part);
        assert!(files.iter().any(|file| file.starts_with(&part)), "{part:?} holds nothing");
    }
    for file in files {
        check_absent(&file.display().to_string(), &std::fs::read(&file).unwrap());
    }
}

/// Returns the log as it can be searched, each document as it was written.
async fn all_documents(program: &Program) -> Vec<String> {
    let first = program.index("POST /weather_logs/_search?scroll=1m", "{\"size\":5000}").await;
    assert_eq!(first.status, 200, "{}", first.text);
    let mut page = first.json();
    let mut documents = Vec::new();
    loop {
        let hits = page["hits"]["hits"].as_array().unwrap();
        if hits.is_empty() {
            return documents;
        }
        documents.extend(hits.iter().map(|hit| hit["_source"].to_string()));
        let next = format!("{{\"scroll\":\"1m\",\"scroll_id\":{}}}", page["_scroll_id"]);
        page = program.index("POST /_search/scroll", next).await.json();
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { files_below(&path) } else { vec![path] };
    paths.flat_map(below).collect()
}

#[track_caller]
fn check_absent(place: &str, bytes: &[u8]) {
    for marker in MARKERS {
        let found = bytes.windows(marker.len()).position(|window| window == marker.as_bytes());
        if let Some(position) = found {
            let from = position.saturating_sub(200);
            let to = (position + 100).min(bytes.len());
            panic!("{place} holds a key: {}", String::from_utf8_lossy(&bytes[from..to]));
        }
    }
}
