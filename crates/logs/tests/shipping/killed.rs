//! A process that ships is killed at any instant: what is in its buffer arrives, once.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Mood, Program, StandIn, config, is_done};

const KILLS: u64 = 16;
/// Longest time that is left to a process, in milliseconds.
const LIFE_MS: u64 = 60;
/// Documents that go into the buffer together.
const TOGETHER: u64 = 7;
/// The numbers of two processes are at least this far apart.
const NUMBERS: u64 = 1_000_000;
/// Tells the process to be killed where to ship from, where to, and which one it is.
const TASK: &str = "PAMPERO_TEST_SHIPPING";

/// Not a test by itself, but the process that is killed, where the environment says so.
#[tokio::test]
async fn process_that_is_killed() {
    let Some(task) = std::env::var_os(TASK) else { return };
    let task = task.into_string().unwrap();
    let [folder, url, run] = task.split('|').collect::<Vec<_>>()[..] else { panic!("{task}") };
    let run: u64 = run.parse().unwrap();
    let program = Program::start(Path::new(folder), config(url), run);
    let mut next = run * NUMBERS;
    loop {
        program.put(next..next + TOGETHER);
        next += TOGETHER;
        println!("next {next}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Runs a process and kills it after `life`; returns the number after the last one that it had put
/// into the buffer for sure.
fn run_and_kill(task: &str, life: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["killed::process_that_is_killed", "--exact", "--nocapture"])
        .env(TASK, task)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = lines.filter_map(|line| line.unwrap().strip_prefix("next ")?.parse().ok());
    let first = told.next().expect("it puts something into the buffer");
    std::thread::sleep(life);
    child.kill().unwrap();
    child.wait().unwrap();
    told.last().unwrap_or(first)
}

#[tokio::test]
async fn process_that_is_killed_loses_and_doubles_nothing() {
    let (cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let moods = [Mood::Well, Mood::Hanging, Mood::Partly, Mood::BreakingOff];
    let mut put = BTreeSet::new();
    for run in 1..=KILLS {
        cluster.be(moods[run as usize % moods.len()]);
        let task = format!("{}|{}|{run}", folder.path().display(), cluster.url());
        let life = Duration::from_millis(run * 13 % LIFE_MS);
        let killing = tokio::task::spawn_blocking(move || run_and_kill(&task, life));
        put.extend(run * NUMBERS..killing.await.unwrap());
    }
    cluster.be(Mood::Well);
    let program = Program::start(folder.path(), config(&cluster.url()), 0);
    program.wait_until(is_done).await;

    let numbers = cluster.numbers();
    let different: BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!(numbers.len(), different.len(), "something is there twice");
    assert_eq!(put.difference(&different).collect::<Vec<_>>(), Vec::<&u64>::new());
    // What nobody was told of any more may have arrived as well: one `put` of each process.
    let untold = different.difference(&put).count() as u64;
    assert!(untold <= KILLS * TOGETHER, "{untold} documents were made up");
    let stats = program.stop().await;
    assert_eq!((stats.dropped, stats.rejected, stats.damaged_bytes), (0, 0, 0));
}
