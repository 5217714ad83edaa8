//! What a round of monitors costs over a log index, beside the bare searches: prints CPU, lateness, memory.
//!
//! Definitions, search, alerts and runner are put together as the program does it, and three rounds are
//! waited for: the first one, a steady one, and one while documents come in. Run it by
//! `cargo xtask bench alerts`, or with other numbers of documents and monitors by
//! `cargo bench -p pampero-alerting --bench rounds -- 100000 1000`.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail at any step")]
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

mod definition;
mod logs;

use std::collections::HashSet;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pampero_alerting::{
    Alerting, AlertingOptions, Definitions, DefinitionsOptions, Deliver, LogSearch, Manner,
    Receiver, RenderedSearch, RunOptions, RunStatus, Runner,
};
use pampero_notifications::{Delivered, DeliveryError, FolderVault, Guard, Message};
use pampero_resilience::{Clock, SystemClock};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use definition::monitor;
use logs::{Corpus, Logs};

/// Documents unless told otherwise.
const DOCUMENTS: u64 = 100_000;
/// Monitors unless told otherwise.
const MONITORS: usize = 1_000;
/// How long after the start the documents end, so that every round finds as many of them.
const AHEAD: SignedDuration = SignedDuration::from_mins(60);
const ROUND: Duration = Duration::from_secs(60);
/// For how long nothing runs, to know what a minute costs without runs.
const IDLE: Duration = Duration::from_secs(10);
/// As often as the program does it.
const TICK: Duration = Duration::from_millis(200);
/// How many documents come in at once while a round is disturbed, and how often.
const INCOMING: (u64, Duration) = (2, Duration::from_millis(100));
/// How often the bare searches are made.
const BARE_RUNS: u32 = 2;

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|it| it.parse::<u64>().ok());
    let documents = numbers.next().unwrap_or(DOCUMENTS);
    let monitors = numbers.next().map_or(MONITORS, |count| usize::try_from(count).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let corpus = Corpus { end: SystemClock.now() + AHEAD, documents };
    let begun = Instant::now();
    let logs = Arc::new(Logs::filled(&folder.path().join("logs"), corpus));
    print!("rounds documents={documents} fill_s={:.1}", begun.elapsed().as_secs_f64());
    measure(folder.path(), logs, corpus, monitors).await;
}

async fn measure(folder: &Path, logs: Arc<Logs>, corpus: Corpus, monitors: usize) {
    let jobs = Jobs::default();
    let ticking = Arc::clone(&logs);
    jobs.every(TICK, move || ticking.cluster.indices().tick(SystemClock.now()));
    settle(folder).await;

    let (definitions, alerting) = open(folder, monitors);
    let cancel = jobs.cancel.clone();
    jobs.tracker.spawn(Arc::clone(&definitions).run(cancel));
    let (told, cancel) = (alerting.clone(), jobs.cancel.clone());
    jobs.tracker.spawn(async move { told.run(cancel).await });
    print!(" monitors={}", definitions.monitors().len());

    let options = RunOptions { ledger: Some(folder.join("alerts")), ..RunOptions::default() };
    let settling = options.settle;
    let runner = Arc::new(Runner::new(
        Arc::clone(&definitions),
        Arc::clone(&logs) as Arc<_>,
        Arc::new(alerting.clone()),
        Arc::new(SystemClock),
        options,
    ));
    let runs = Jobs::default();
    runs.tracker.spawn(Arc::clone(&runner).run(runs.cancel.clone()));
    // Everybody's first run lies within a minute after the definitions were opened, and its second one within
    // the next: a window of a minute holds one run of each, wherever it begins.
    for name in ["first", "steady", "busy"] {
        if name == "busy" {
            let incoming = Arc::clone(&logs);
            runs.every(INCOMING.1, move || incoming.take_in(corpus, INCOMING.0));
        }
        let before = (cpu_ms(), run_count(&runner));
        tokio::time::sleep(ROUND).await;
        let ms = cpu_ms() - before.0;
        let status = runner.status();
        print!(" {name}_ms={ms:.0} {name}_runs={}", run_count(&runner) - before.1);
        print!(" {}", Lateness::of(status.values(), settling).written(name));
    }
    runs.end().await;
    let memory = memory();
    let before_ms = cpu_ms();
    tokio::time::sleep(IDLE).await;
    let idle_ms = (cpu_ms() - before_ms) * ROUND.as_secs_f64() / IDLE.as_secs_f64();
    jobs.end().await;

    let status = runner.status();
    let failed = status.iter().find_map(|(id, it)| it.error.as_ref().map(|why| (id, why)));
    let is_broken = |why: &&(_, &String)| !why.1.starts_with("no data");
    assert_eq!(failed.as_ref().filter(is_broken), None, "every monitor can be told");
    let missed: u64 = status.values().map(|it| it.missed).sum();
    let bare_ms = bare(&logs, &definitions);
    let active = alerting.statistics().alerts.active;
    println!(" idle_ms={idle_ms:.0} missed={missed} active={active} bare_ms={bare_ms:.0} {memory}");
}

/// Makes the searches of all monitors and nothing else; returns the CPU of one time, in milliseconds.
fn bare(logs: &Logs, definitions: &Definitions) -> f64 {
    let at = SystemClock.now();
    let searches: Vec<RenderedSearch> = definitions
        .monitors()
        .iter()
        .map(|entry| {
            let (start, end) = entry.item.schedule().period_ending(at);
            let rendered = entry.item.input().unwrap().render(start, end).unwrap();
            rendered.before(entry.item.time_field().unwrap(), at)
        })
        .collect();
    let before_ms = cpu_ms();
    for _ in 0..BARE_RUNS {
        for asked in &searches {
            black_box(logs.search(&asked.indices, &asked.body, at).unwrap());
        }
    }
    (cpu_ms() - before_ms) / f64::from(BARE_RUNS)
}

/// Opens what the program opens, over files of monitors.
fn open(folder: &Path, monitors: usize) -> (Arc<Definitions>, Alerting) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let options = DefinitionsOptions {
        monitors: folder.join("monitors"),
        channels: folder.join("channels"),
        ledger: folder.join("alerts"),
        poll: Duration::from_secs(2),
        monitors_max: monitors,
        channels_max: 1_000,
    };
    std::fs::create_dir_all(&options.monitors).unwrap();
    for number in 0..monitors {
        let file = options.monitors.join(format!("m{number:04}.json"));
        std::fs::write(file, monitor(number).to_string()).unwrap();
    }
    let vault = Arc::new(FolderVault::new(folder.join("secrets"), Vec::new(), []));
    let definitions =
        Definitions::open(&options, &[], vault, Guard::public_only(), Arc::clone(&clock)).unwrap();
    assert_eq!(definitions.problems(), []);
    let options = AlertingOptions::default();
    let alerting =
        Alerting::open(&folder.join("alerts"), options, clock, Arc::new(Everywhere)).unwrap();
    (Arc::new(definitions), alerting)
}

/// Takes every message.
#[derive(Debug)]
struct Everywhere;

#[async_trait]
impl Deliver for Everywhere {
    fn receiver(&self, channel: &str) -> Option<Receiver> {
        Some(Receiver {
            name: channel.to_owned(),
            is_enabled: true,
            manner: Manner::Plain,
            changed: Timestamp::UNIX_EPOCH,
        })
    }

    fn forgetful(&self) -> HashSet<String> {
        HashSet::new()
    }

    async fn deliver(&self, _: &str, _: &Message) -> Result<Delivered, DeliveryError> {
        Ok(Delivered { status: 200, text: String::new() })
    }
}

/// What runs in the background.
#[derive(Default)]
struct Jobs {
    tracker: TaskTracker,
    cancel: CancellationToken,
}

impl Jobs {
    /// Does something that blocks again and again.
    fn every(&self, pause: Duration, work: impl Fn() + Send + Sync + 'static) {
        let (cancel, work) = (self.cancel.clone(), Arc::new(work));
        self.tracker.spawn(async move {
            while cancel.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                let work = Arc::clone(&work);
                tokio::task::spawn_blocking(move || work()).await.unwrap();
            }
        });
    }

    async fn end(&self) {
        self.cancel.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// How late runs began, the settling left out, in milliseconds.
struct Lateness {
    median_ms: u64,
    most_ms: u64,
    took_median_ms: u64,
}

impl Lateness {
    fn of<'s>(status: impl Iterator<Item = &'s RunStatus>, settling: Duration) -> Self {
        let settling_ms = u64::try_from(settling.as_millis()).unwrap();
        let (mut late, mut took): (Vec<u64>, Vec<u64>) =
            status.map(|it| (it.late_ms.saturating_sub(settling_ms), it.took_ms)).unzip();
        late.sort_unstable();
        took.sort_unstable();
        Self {
            median_ms: late[late.len() / 2],
            most_ms: late[late.len() - 1],
            took_median_ms: took[took.len() / 2],
        }
    }

    fn written(&self, name: &str) -> String {
        let Self { median_ms, most_ms, took_median_ms } = self;
        format!(
            "{name}_late_ms={median_ms} {name}_late_most_ms={most_ms} {name}_took_ms={took_median_ms}"
        )
    }
}

fn run_count(runner: &Runner) -> u64 {
    runner.status().values().map(|status| status.runs).sum()
}

/// Waits until merging has ended: nothing changes on disk for two seconds.
async fn settle(folder: &Path) {
    let (mut last, mut since) = (bytes_below(folder), Instant::now());
    while since.elapsed() < Duration::from_secs(2) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = bytes_below(folder);
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
}

fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Returns the CPU time that the process has used, in milliseconds.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks * 10.0 // Linux counts in hundredths of a second.
}

/// Returns what is resident, and what of it is not the cache of files.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mib = |name: &str| -> f64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
    };
    let (all, own) = (mib("VmRSS:"), mib("RssAnon:"));
    format!("resident_mib={all:.1} resident_own_mib={own:.1}")
}
