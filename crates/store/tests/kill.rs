//! Killed at any instant, the store has lost nothing it acknowledged and doubled nothing.
//!
//! The test starts itself again as a child that records without end and tells each acknowledged
//! observation; then it kills the child, opens the file and compares. It does so many times over one file.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pampero_store::behaviour::{
    batch_of, every_observation, minute, place_id, plain_observation, ready_place,
};
use pampero_store::{ObservationFilter, SqliteOptions, SqliteStore, Store};
use pampero_weather::observation::Observation;
use pampero_weather::provider::ProviderId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

/// Tells the child which file to write; without it the test is the parent.
const FILE_VARIABLE: &str = "PAMPERO_KILL_TEST_FILE";
/// Tells the child from which minute on to write.
const START_VARIABLE: &str = "PAMPERO_KILL_TEST_START";

const KILLS: i64 = 20;
const MINUTES_PER_LIFE: i64 = 1_000_000;
const PLACES: [&str; 4] = ["azul", "moron", "tandil", "zarate"];

/// What was said at most recently of a place and minute, in tenths of a degree.
type Known = HashMap<(String, i64), i64>;

#[test]
#[expect(clippy::disallowed_methods, reason = "the child is told its file by the environment")]
fn acknowledged_observations_survive_kills() {
    match std::env::var(FILE_VARIABLE) {
        Ok(file) => {
            let start = std::env::var(START_VARIABLE).unwrap().parse().unwrap();
            block_on(record_until_killed(Path::new(&file), start));
        }
        Err(_) => kill_again_and_again(),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

fn kill_again_and_again() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("weather.db");
    let mut chance = StdRng::seed_from_u64(20_260_301);
    let mut acknowledged = Known::new();
    for life in 0..KILLS {
        let told = live_and_die(&file, life * MINUTES_PER_LIFE, &mut chance);
        assert!(!told.is_empty(), "life {life} acknowledged nothing");
        acknowledged.extend(told);
        block_on(check(&file, &acknowledged));
    }
}

/// Lets a child record for a random while, and returns what it had acknowledged when it was killed.
fn live_and_die(file: &Path, start: i64, chance: &mut StdRng) -> Known {
    let mut child = start_child(file, start);
    let mut lines = BufReader::new(child.stdout.take().expect("its output is piped"));
    let mut told = String::new();
    for _ in 0..chance.random_range(1..60) {
        let length = lines.read_line(&mut told).expect("its output is text");
        assert_ne!(length, 0, "the child ended by itself:\n{told}");
    }
    spin(Duration::from_micros(chance.random_range(0..5_000)));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    lines.read_to_string(&mut told).expect("its output is text");
    // A last line without its end may be cut anywhere.
    let whole = told.rfind('\n').map_or("", |end| &told[..end]);
    whole.lines().filter_map(parse_acknowledgement).collect()
}

fn start_child(file: &Path, start: i64) -> Child {
    let itself = std::env::current_exe().expect("a test has a file");
    Command::new(itself)
        .args(["--exact", "acknowledged_observations_survive_kills", "--nocapture"])
        .env(FILE_VARIABLE, OsStr::new(file))
        .env(START_VARIABLE, start.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a test can be started")
}

/// Lets time pass without giving the processor away, so that the kill comes at any instant.
fn spin(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Reads `ack azul 17 215`; the test harness prints lines of its own between them.
fn parse_acknowledgement(line: &str) -> Option<((String, i64), i64)> {
    let mut words = line.rsplit_once("ack ")?.1.split(' ');
    let place = words.next()?.to_owned();
    let at_minute = words.next()?.parse().ok()?;
    let tenths = words.next()?.parse().ok()?;
    Some(((place, at_minute), tenths))
}

/// The child: one task for each place records batches, and corrects some of what it said before.
async fn record_until_killed(file: &Path, start: i64) {
    let store = SqliteStore::open(file, SqliteOptions::default()).await.expect("it opens");
    for place in PLACES {
        store.put_place(ready_place(place)).await.expect("a place can be put");
    }
    let record = |place| record_without_end(&store, place, start);
    let [azul, moron, tandil, zarate] = PLACES;
    tokio::join!(record(azul), record(moron), record(tandil), record(zarate));
}

async fn record_without_end(store: &SqliteStore, place: &str, start: i64) {
    let seed = u64::try_from(start).expect("minutes count up") + place.len() as u64;
    let mut chance = StdRng::seed_from_u64(seed);
    let mut next = start;
    loop {
        let first = if next > start && chance.random_bool(0.3) { next - 1 } else { next };
        next = first + chance.random_range(1..20);
        let said: Vec<(i64, i64)> =
            (first..next).map(|at| (at, chance.random_range(-200..400))).collect();
        let observation = |(at_minute, tenths): &(i64, i64)| {
            plain_observation(place, ProviderId::OpenMeteo, *at_minute, *tenths as f64 / 10.0)
        };
        let batch = batch_of(said.iter().map(observation).collect::<Vec<_>>());
        store.record(batch).await.expect("recordable");
        let line = |(at_minute, tenths): &(i64, i64)| format!("ack {place} {at_minute} {tenths}\n");
        let lines: String = said.iter().map(line).collect();
        let mut output = std::io::stdout().lock();
        output.write_all(lines.as_bytes()).and_then(|()| output.flush()).expect("a parent reads");
    }
}

/// Opens the file as the next start would, and compares it with what was acknowledged.
async fn check(file: &Path, acknowledged: &Known) {
    let store = SqliteStore::open(file, SqliteOptions::default()).await.expect("it opens again");
    let kept = everything_in(&store).await;
    for (key, tenths) in acknowledged {
        let found = kept.get(key);
        if found != Some(tenths) {
            // A correction may have been committed in the instant before its acknowledgement.
            let replaced = newest_replaced(&store, key).await;
            assert_eq!(replaced, Some(*tenths), "{key:?} was acknowledged, {found:?} is kept");
        }
    }
    store.close().await.expect("it closes");
    check_integrity(file).await;
}

async fn everything_in(store: &SqliteStore) -> Known {
    let mut kept = Known::new();
    for place in PLACES {
        let mut filter = ObservationFilter { limit: 500, ..every_observation() };
        loop {
            let page = store.observations(&place_id(place), &filter).await.expect("readable");
            let Some(last) = page.last() else { break };
            filter.after = Some((last.observed_at, last.provider));
            for said in page {
                let at_minute = (said.observed_at.as_second() - minute(0).as_second()) / 60;
                let before = kept.insert((place.to_owned(), at_minute), tenths_of(&said));
                assert_eq!(before, None, "{place} minute {at_minute} is doubled");
            }
        }
    }
    kept
}

/// Returns what was said before the last correction, in tenths of a degree.
async fn newest_replaced(store: &SqliteStore, (place, at_minute): &(String, i64)) -> Option<i64> {
    let observed_at = minute(*at_minute);
    let revisions = store.revisions(&place_id(place), ProviderId::OpenMeteo, observed_at).await;
    revisions.expect("readable").last().map(|revision| tenths_of(&revision.observation))
}

fn tenths_of(said: &Observation) -> i64 {
    (said.readings.temperature.expect("it was said").0 * 10.0).round() as i64
}

async fn check_integrity(file: &Path) {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
    let connect = SqliteConnectOptions::new().filename(file);
    let mut connection = connect.connect().await.expect("it opens");
    let told: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut connection)
        .await
        .expect("it can be checked");
    assert_eq!(told, "ok");
    let orphans = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await;
    assert!(orphans.expect("it can be checked").is_empty());
}
