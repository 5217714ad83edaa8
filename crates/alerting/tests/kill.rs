//! Killed at any instant, no message is lost, and what arrives twice is marked as a repeat.
//!
//! The test starts itself again as a child that evaluates and delivers without end; its receiver is a file to
//! which it appends. Some lives are killed at a random instant, the others exactly between evaluation and
//! delivery, or between delivery and its record. A last life delivers what is left.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pampero_alerting::{
    ActionPolicy, Alerting, AlertingOptions, DefaultTeller, Deliver, Finding, Manner, NoDataRule,
    Observation, Outcome, Phase, Policy, Receiver, SourceId, SourceKind,
};
use pampero_notifications::{Delivered, DeliveryError, Message};
use pampero_resilience::{Clock, SystemClock};
use pampero_series::Labels;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Tells the child which folder to use; without it the test is the parent.
const FOLDER_VARIABLE: &str = "PAMPERO_KILL_TEST_FOLDER";
/// Tells the child at which point to wait for its end, and how to go on until then.
const LIFE_VARIABLE: &str = "PAMPERO_KILL_TEST_LIFE";

const KILLS: u64 = 100;

/// One line of the receiver's file.
#[derive(Debug)]
struct Arrival {
    is_marked: bool,
    life: u64,
}

/// Where a child waits to be killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Point {
    /// Nowhere: the kill comes at any instant.
    Anywhere,
    /// A message is about to be handed over.
    BeforeDelivery,
    /// A message was handed over, and that is not on record.
    BeforeRecord,
    /// Nowhere, and it ends by itself when everything is delivered.
    AtTheEnd,
}

fn point_of(life: u64) -> Point {
    match life {
        KILLS => Point::AtTheEnd,
        _ => [Point::Anywhere, Point::BeforeDelivery, Point::BeforeRecord][(life % 3) as usize],
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the child is told its folder by the environment")]
fn messages_survive_kills_and_repeats_are_marked() {
    match std::env::var(FOLDER_VARIABLE) {
        Ok(folder) => {
            let life = std::env::var(LIFE_VARIABLE).unwrap().parse().unwrap();
            live(Path::new(&folder), life);
        }
        Err(_) => kill_again_and_again(),
    }
}

fn kill_again_and_again() {
    let folder = TempDir::new().unwrap();
    let mut chance = StdRng::seed_from_u64(20_261_124);
    let mut promised = HashSet::new();
    for life in 0..KILLS {
        let told = live_and_die(folder.path(), life, &mut chance);
        promised.extend(told);
    }
    let mut last = start_child(folder.path(), KILLS);
    assert!(last.wait().unwrap().success());

    let mut arrived: BTreeMap<String, Vec<Arrival>> = BTreeMap::new();
    for line in BufReader::new(File::open(folder.path().join("received")).unwrap()).lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let arrival = Arrival { is_marked: words[1] == "repeat", life: words[2].parse().unwrap() };
        arrived.entry(words[0].to_owned()).or_default().push(arrival);
    }
    let lost: Vec<&String> = promised.iter().filter(|key| !arrived.contains_key(*key)).collect();
    assert!(lost.is_empty(), "{} of {} messages are lost", lost.len(), promised.len());
    assert!(promised.len() >= KILLS as usize, "{} messages were promised", promised.len());
    for (key, arrivals) in &arrived {
        let unmarked = arrivals.iter().skip(1).filter(|arrival| !arrival.is_marked).count();
        assert_eq!(unmarked, 0, "{key} arrived without a mark: {arrivals:?}");
        // Only a kill doubles a message, and no kill more than once.
        let lives: HashSet<u64> = arrivals.iter().map(|arrival| arrival.life).collect();
        assert_eq!(lives.len(), arrivals.len(), "{key} arrived twice in one life: {arrivals:?}");
    }
    let mut repeats_of_life: BTreeMap<u64, usize> = BTreeMap::new();
    for arrival in arrived.values().flat_map(|arrivals| arrivals.iter().skip(1)) {
        *repeats_of_life.entry(arrival.life).or_default() += 1;
    }
    // What arrived and is on record is not sent again, so a life repeats one message of each channel at most.
    let most = repeats_of_life.values().max();
    assert!(most.is_some_and(|most| *most <= 2), "repeats by life: {repeats_of_life:?}");
    let doubled = arrived.values().map(|arrivals| arrivals.len() - 1).sum::<usize>();
    // Each kill between delivery and record doubles one message.
    assert!(doubled >= KILLS as usize / 3, "{doubled} doubled of {}", arrived.len());
}

/// Lets a child live for a while, and returns the keys of the messages that it promised to deliver.
fn live_and_die(folder: &Path, life: u64, chance: &mut StdRng) -> Vec<String> {
    let mut child = start_child(folder, life);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut told = String::new();
    let count = chance.random_range(1..10);
    for _ in 0.. {
        let length = lines.read_line(&mut told).unwrap();
        assert_ne!(length, 0, "the child ended by itself:\n{told}");
        let is_there = match point_of(life) {
            Point::Anywhere => told.matches("promise ").count() >= count,
            _ => told.contains("point"),
        };
        if is_there {
            break;
        }
    }
    spin(Duration::from_micros(chance.random_range(0..3_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    lines.read_to_string(&mut told).unwrap();
    // A last line without its end may be cut anywhere.
    let whole = told.rfind('\n').map_or("", |end| &told[..end]);
    whole.lines().filter_map(|line| Some(line.rsplit_once("promise ")?.1.to_owned())).collect()
}

fn start_child(folder: &Path, life: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "messages_survive_kills_and_repeats_are_marked", "--nocapture"])
        .env(FOLDER_VARIABLE, folder)
        .env(LIFE_VARIABLE, life.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Lets time pass without giving the processor away, so that the kill comes at any instant.
fn spin(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// A receiver that appends to a file, and may stop at its point for ever.
#[derive(Debug)]
struct Recorder {
    file: PathBuf,
    life: u64,
    point: Point,
    /// Messages before it stops.
    rest: AtomicU32,
}

impl Recorder {
    async fn stop_at(&self, point: Point) {
        if self.point == point && self.rest.fetch_sub(1, Ordering::AcqRel) == 1 {
            say("point");
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Deliver for Recorder {
    fn receiver(&self, channel: &str) -> Option<Receiver> {
        let (name, manner) = (channel.to_owned(), Manner::Plain);
        Some(Receiver { name, is_enabled: true, manner, changed: jiff::Timestamp::UNIX_EPOCH })
    }

    fn forgetful(&self) -> HashSet<String> {
        HashSet::new()
    }

    async fn deliver(&self, _: &str, message: &Message) -> Result<Delivered, DeliveryError> {
        self.stop_at(Point::BeforeDelivery).await;
        let mark = if message.is_repeat { "repeat" } else { "first" };
        let mut file = File::options().create(true).append(true).open(&self.file).unwrap();
        // One write, so that a kill leaves the whole line or nothing.
        file.write_all(format!("{} {mark} {}\n", message.key, self.life).as_bytes()).unwrap();
        self.stop_at(Point::BeforeRecord).await;
        Ok(Delivered { status: 200, text: String::new() })
    }
}

/// The child: an alert that comes and goes, as fast as it can, for two channels in turn.
fn live(folder: &Path, life: u64) {
    let clock = Arc::new(SystemClock);
    let recorder = Arc::new(Recorder {
        file: folder.join("received"),
        life,
        point: point_of(life),
        rest: AtomicU32::new(1 + (life % 5) as u32),
    });
    let options = AlertingOptions { seed: life, ..AlertingOptions::default() };
    let alerting =
        Alerting::open(&folder.join("alerts"), options, clock.clone(), recorder).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cancel = CancellationToken::new();
    if point_of(life) == Point::AtTheEnd {
        runtime.block_on(async {
            let drained = async {
                while !alerting.outbox().is_empty() {
                    tokio::task::yield_now().await;
                }
                cancel.cancel();
            };
            tokio::join!(alerting.run(cancel.clone()), drained);
        });
        return;
    }
    let evaluating = alerting.clone();
    std::thread::spawn(move || {
        for round in 0_u64.. {
            evaluate(&evaluating, round, clock.now());
        }
    });
    runtime.block_on(alerting.run(cancel));
}

fn evaluate(alerting: &Alerting, round: u64, at: jiff::Timestamp) {
    let channel = if round % 4 < 2 { "slack" } else { "mail" };
    let source = SourceId {
        kind: SourceKind::Monitor,
        definition: "kill".to_owned(),
        trigger: channel.to_owned(),
    };
    let finding = Finding {
        key: Labels::empty(),
        phase: Phase::Firing { since: at },
        value: None,
        annotations: Vec::new(),
    };
    let findings = if round.is_multiple_of(2) { vec![finding] } else { Vec::new() };
    let observation = Observation { at, outcome: Outcome::Known(findings), answer: None };
    let observed = alerting.observe(&source, &policy(channel), &observation, &DefaultTeller);
    for message in observed.messages {
        say(&format!("promise {}", message.key));
    }
    // So that the outbox does not fill up and fold what is waited for.
    while alerting.outbox().len() > 20 {
        std::thread::yield_now();
    }
}

fn policy(channel: &str) -> Policy {
    Policy {
        definition_name: "kill".to_owned(),
        name: channel.to_owned(),
        severity: 1,
        labels: Labels::empty(),
        hold: Duration::ZERO,
        keep_firing: Duration::ZERO,
        no_data: NoDataRule::Quiet,
        actions: vec![ActionPolicy {
            id: "tell".to_owned(),
            name: "tell".to_owned(),
            channel: channel.to_owned(),
            throttle: None,
        }],
        reminder: None,
        recovery: true,
        escalations: Vec::new(),
    }
}

/// Tells the parent something, at once.
fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).unwrap();
}
