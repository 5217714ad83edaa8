//! Killed at any instant, the store has lost nothing it acknowledged and doubled nothing.
//!
//! The test starts itself again as a child that appends and maintains without end and tells each
//! acknowledged batch; then it kills the child, opens the store and compares. It does so many times
//! over one folder.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pampero_samples::{Sample, SampleOptions, SampleStore};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::scene::{SECOND_MS, START_MS, everything, labels, minutes, options};

/// Tells the child its folder; without it the test is the parent.
const FOLDER_VARIABLE: &str = "PAMPERO_KILL_TEST_FOLDER";
/// Tells the child from which batch on to append.
const START_VARIABLE: &str = "PAMPERO_KILL_TEST_START";

const KILLS: i64 = 12;
const SERIES: i64 = 30;
const STEP_MS: i64 = 15 * SECOND_MS;

/// Small windows and a small head, so that a life sees folding, merging and sweeping.
fn small() -> SampleOptions {
    SampleOptions {
        block: minutes(5),
        late_window: minutes(5),
        head_samples_max: 20_000,
        ..options()
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the child is told its folder by the environment")]
fn acknowledged_samples_survive_kills() {
    match std::env::var(FOLDER_VARIABLE) {
        Ok(folder) => {
            let start = std::env::var(START_VARIABLE).unwrap().parse().unwrap();
            append_until_killed(Path::new(&folder), start);
        }
        Err(_) => kill_again_and_again(),
    }
}

fn kill_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut chance = StdRng::seed_from_u64(20_261_124);
    let mut acknowledged = 0;
    for life in 0..KILLS {
        let told = live_and_die(folder.path(), acknowledged, &mut chance);
        assert!(told > acknowledged, "life {life} acknowledged nothing");
        acknowledged = check(folder.path(), told);
    }
}

/// Lets a child append for a random while, and returns how many batches it had acknowledged.
fn live_and_die(folder: &Path, start: i64, chance: &mut StdRng) -> i64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::acknowledged_samples_survive_kills", "--nocapture"])
        .env(FOLDER_VARIABLE, folder)
        .env(START_VARIABLE, start.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut told = String::new();
    for _ in 0..chance.random_range(20..400) {
        let length = lines.read_line(&mut told).unwrap();
        assert_ne!(length, 0, "the child ended by itself:\n{told}");
    }
    spin(Duration::from_micros(chance.random_range(0..5_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    lines.read_to_string(&mut told).unwrap();
    // A last line without its end may be cut anywhere.
    let whole = told.rfind('\n').map_or("", |end| &told[..end]);
    let number = |line: &str| line.rsplit_once("ack ")?.1.parse::<i64>().ok();
    whole.lines().filter_map(number).max().map_or(start, |last| last + 1)
}

/// Lets time pass without giving the processor away, so that the kill comes at any instant.
fn spin(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

fn append_until_killed(folder: &Path, start: i64) {
    let store = SampleStore::open(folder, small()).unwrap();
    let resolve = |n: i64| store.resolve(&labels(&format!("up n={n}"))).unwrap();
    let series: Vec<_> = (0..SERIES).map(resolve).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                let now_ms = store.statistics().latest_ms.unwrap_or(START_MS);
                store.maintain(now_ms).unwrap();
            }
        });
        for number in start.. {
            let timestamp_ms = START_MS + number * STEP_MS;
            let value = number as f64 / 10.0;
            let sample = |&series| Sample { series, timestamp_ms, value };
            let batch: Vec<Sample> = series.iter().map(sample).collect();
            store.append(&batch, timestamp_ms).unwrap();
            let mut output = std::io::stdout().lock();
            writeln!(output, "ack {number}").and_then(|()| output.flush()).unwrap();
        }
    });
}

/// Opens the store as the next start would, compares it with what was acknowledged, and returns how
/// many batches are there: the last one may have been committed and not told any more.
fn check(folder: &Path, acknowledged: i64) -> i64 {
    let store = SampleStore::open(folder, small()).unwrap();
    let kept = everything(&store);
    assert_eq!(kept.len(), SERIES as usize);
    let count = kept.values().next().unwrap().len() as i64;
    assert!(count == acknowledged || count == acknowledged + 1, "{count} of {acknowledged}");
    let sample = |n: i64| (START_MS + n * STEP_MS, (n as f64 / 10.0).to_bits());
    let expected: Vec<(i64, u64)> = (0..count).map(sample).collect();
    assert!(kept.values().all(|samples| *samples == expected), "some are lost or doubled");
    store.close().unwrap();
    drop(store);
    let file = rusqlite::Connection::open(folder.join("samples.db")).unwrap();
    let told: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(told, "ok");
    count
}
