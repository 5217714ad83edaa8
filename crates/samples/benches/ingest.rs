//! What keeping samples costs: prints bytes per sample, samples per second, CPU and memory.
//!
//! `cargo bench -p pampero-samples --bench ingest -- series=500 days=7 step_s=15` scrapes so many
//! series for so many simulated days, with maintenance once a simulated minute, then reads them.
//! `folder=PATH` keeps the store; `sync=full` waits for the device at every commit.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use pampero_samples::{Sample, SampleOptions, SampleStore, SeriesId, Synchronous};
use pampero_series::{Labels, Matcher, Selection, SeriesSource};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// A midnight in UTC.
const START_MS: i64 = 20_000 * DAY_MS;

/// What the command line asks for.
struct Load {
    series: usize,
    days: i64,
    step_ms: i64,
    folder: Option<PathBuf>,
    synchronous: Synchronous,
}

/// One series and how it goes on.
struct Source {
    id: SeriesId,
    shape: Shape,
    state: f64,
}

/// The kinds of series that a service and its machine expose, by their share in twenty.
#[derive(Clone, Copy)]
enum Shape {
    /// Requests, bytes: a whole number that grows by up to so much in a step.
    Counter(u32),
    /// A bucket that is rarely hit.
    Bucket,
    /// Seconds of a processor, in hundredths.
    CpuSeconds,
    /// Temperature, humidity: tenths that wander, and stand still most of the time.
    Tenths,
    /// Memory: pages of 4 KiB.
    Pages,
    /// Sum of measured durations, with all their digits.
    DurationSum,
    /// Never changes.
    Constant,
}

const SHAPES: [Shape; 20] = [
    Shape::Counter(40),
    Shape::Counter(3),
    Shape::Counter(90_000),
    Shape::Bucket,
    Shape::Bucket,
    Shape::Bucket,
    Shape::CpuSeconds,
    Shape::CpuSeconds,
    Shape::CpuSeconds,
    Shape::Tenths,
    Shape::Tenths,
    Shape::Tenths,
    Shape::Tenths,
    Shape::Pages,
    Shape::Pages,
    Shape::DurationSum,
    Shape::Constant,
    Shape::Constant,
    Shape::Constant,
    Shape::Constant,
];

impl Source {
    fn next(&mut self, chance: &mut StdRng) -> f64 {
        match self.shape {
            Shape::Counter(most) => self.state += f64::from(chance.random_range(0..=most)),
            Shape::Bucket => self.state += f64::from(u8::from(chance.random_bool(0.1))),
            Shape::CpuSeconds => self.state += f64::from(chance.random_range(0..300)),
            Shape::Tenths if chance.random_bool(0.2) => {
                self.state += f64::from(chance.random_range(-3..=3));
            }
            Shape::Pages => self.state += 4096.0 * f64::from(chance.random_range(-90..=90)),
            Shape::DurationSum => self.state += chance.random_range(0.0..0.01),
            Shape::Tenths | Shape::Constant => {}
        }
        match self.shape {
            Shape::CpuSeconds => self.state / 100.0,
            Shape::Tenths => self.state / 10.0,
            _ => self.state,
        }
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn main() {
    let load = read_arguments();
    let temporary = tempfile::tempdir().expect("a folder can be made");
    let folder = load.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
    let options = SampleOptions { synchronous: load.synchronous, ..SampleOptions::default() };
    let store = SampleStore::open(&folder, options.clone()).expect("the store opens");

    let (begun, cpu_before) = (Instant::now(), cpu_seconds());
    let (samples, generating) = ingest(&store, &load);
    let wall = begun.elapsed().as_secs_f64();
    let cpu = cpu_seconds() - cpu_before - generating;
    let bytes = store.statistics().bytes_on_disk;
    println!(
        "ingest samples={samples} bytes_per_sample={:.3} samples_per_second={:.0} cpu_seconds={cpu:.1} rss_peak_mib={:.1}",
        bytes as f64 / samples as f64,
        samples as f64 / (wall - generating),
        memory_peak_mib(),
    );

    drop(store);
    let begun = Instant::now();
    let store = SampleStore::open(&folder, options).expect("the store opens again");
    println!("reopen ms={:.1}", begun.elapsed().as_secs_f64() * 1000.0);
    for (name, matchers) in [
        ("all", vec![]),
        ("one", vec![Matcher::equal("n", "7")]),
        ("none", vec![Matcher::equal("n", "x")]),
    ] {
        let (found, took_ms) = read(&store, &matchers);
        println!("select {name} samples={found} ms={took_ms:.2}");
    }
    store.close().expect("the store closes");
    println!(
        "closed bytes_per_sample={:.3}",
        store.statistics().bytes_on_disk as f64 / samples as f64
    );
}

/// Returns how many samples were appended, and the seconds that making them up took.
fn ingest(store: &SampleStore, load: &Load) -> (u64, f64) {
    let mut chance = StdRng::seed_from_u64(7);
    let mut sources: Vec<Source> =
        (0..load.series).map(|n| source(store, n, &mut chance)).collect();
    let (mut samples, mut generating) = (0, 0.0);
    let end_ms = START_MS + load.days * DAY_MS;
    let mut now_ms = START_MS;
    while now_ms < end_ms {
        let begun = Instant::now();
        let sample = |source: &mut Source| {
            let value = source.next(&mut chance);
            Sample { series: source.id, timestamp_ms: now_ms, value }
        };
        let batch: Vec<Sample> = sources.iter_mut().map(sample).collect();
        generating += begun.elapsed().as_secs_f64();
        let appended = store.append(&batch, now_ms).expect("samples are kept");
        samples += appended.stored as u64;
        now_ms += load.step_ms;
        if now_ms % MINUTE_MS < load.step_ms {
            while store.maintain(now_ms).expect("the store is maintained").more {}
        }
    }
    (samples, generating)
}

fn source(store: &SampleStore, n: usize, chance: &mut StdRng) -> Source {
    let shape = SHAPES[n % SHAPES.len()];
    let name = format!("metric_{}", n % SHAPES.len());
    let labels: Labels =
        [("__name__", &*name), ("job", "bench"), ("n", &n.to_string())].into_iter().collect();
    let id = store.resolve(&labels).expect("the series is registered");
    Source { id, shape, state: f64::from(chance.random_range(0..5000)) }
}

/// Returns how many samples there are, and the milliseconds that reading them took.
fn read(store: &SampleStore, matchers: &[Matcher]) -> (usize, f64) {
    let begun = Instant::now();
    let mut found = 0;
    let selection = Selection { matchers, start_ms: 0, end_ms: i64::MAX };
    let count = &mut |_: &Labels, columns: pampero_series::Columns<'_>| {
        found += columns.values.len();
        ControlFlow::Continue(())
    };
    store.select(selection, count).expect("the samples are readable");
    (found, begun.elapsed().as_secs_f64() * 1000.0)
}

fn read_arguments() -> Load {
    let mut load = Load {
        series: 500,
        days: 1,
        step_ms: 15_000,
        folder: None,
        synchronous: Synchronous::Normal,
    };
    for argument in std::env::args().skip(1) {
        // Cargo adds `--bench`, which says nothing here.
        let Some((name, value)) = argument.split_once('=') else { continue };
        let number = || value.parse::<i64>().expect("a whole number");
        match name {
            "series" => load.series = number() as usize,
            "days" => load.days = number(),
            "step_s" => load.step_ms = number() * 1000,
            "folder" => load.folder = Some(value.into()),
            "sync" if value == "full" => load.synchronous = Synchronous::Full,
            _ => panic!("{argument} is none of series=, days=, step_s=, folder=, sync=full"),
        }
    }
    load
}

/// Returns the seconds that the processors have spent on this process, zero where it is not told.
fn cpu_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = told.rsplit(')').next().unwrap_or_default().split(' ').collect();
    // The twelfth and thirteenth field after the name, in hundredths. Source: proc_pid_stat(5).
    let ticks =
        |index: usize| fields.get(index).and_then(|field| field.parse().ok()).unwrap_or(0.0);
    (ticks(12) + ticks(13)) / 100.0
}

/// Returns the most memory that this process has had in use, in MiB, zero where it is not told.
fn memory_peak_mib() -> f64 {
    let told = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kib = line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0);
    kib / 1024.0
}
