//! What a round of 1,000 alerting rules over 10,000 series costs, beside the bare queries, and one
//! rule with 10,000 alerts: prints milliseconds of CPU and mebibytes.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "a bench prints what it measures")]

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pampero_metrics::{
    AlertSink, History, HistoryOptions, Jobs, Rule, RuleAlertState, RuleEvaluation, RuleGroup,
};
use pampero_promql::{Cancel, Engine};
use pampero_resilience::VirtualClock;
use pampero_samples::Sample;
use pampero_series::{Labels, METRIC_NAME};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const METRICS: usize = 10;
const PLACES: usize = 1_000;
const RULES: usize = 1_000;
const GROUPS: usize = 20;
const ROUNDS: u32 = 5;
const INTERVAL: Duration = Duration::from_secs(60);
const SAMPLE_MS: i64 = 15_000;

/// Counts what is told.
#[derive(Default)]
struct Counted {
    evaluations: AtomicUsize,
    firing: AtomicUsize,
}

impl AlertSink for Counted {
    fn take(&self, evaluation: RuleEvaluation) {
        let alerts = evaluation.outcome.unwrap();
        let firing = alerts.iter().filter(|it| it.state == RuleAlertState::Firing).count();
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        self.firing.fetch_add(firing, Ordering::Relaxed);
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(measure("1,000 rules over 10,000 series", &many_rules()));
    runtime.block_on(measure("1 rule with 10,000 alerts", &one_rule()));
}

/// Rules that look at ten series each, in several ways; one series of ten is an alert.
fn many_rules() -> String {
    let mut text = String::from("groups:\n");
    for group in 0..GROUPS {
        writeln!(text, "- name: g{group}\n  interval: 60s\n  rules:").unwrap();
        for index in (group..RULES).step_by(GROUPS) {
            let metric = index % METRICS;
            let selector = format!("m{metric}{{shard=\"{}\"}}", index / METRICS);
            let expression = match index / METRICS % 4 {
                0 | 1 => format!("{selector} > 8.5"),
                2 => format!("max by (place) (max_over_time({selector}[5m])) > 8.5"),
                _ => format!("{selector} > 8.5 and on (place) {selector} offset 1m >= 0"),
            };
            write_rule(&mut text, &format!("R{index}"), &expression);
        }
    }
    text
}

fn one_rule() -> String {
    let mut text = String::from("groups:\n- name: g\n  interval: 60s\n  rules:\n");
    write_rule(&mut text, "All", "{__name__=~\"m.\"} >= 0");
    text.replace("labels: {", "labels: {metric: '{{ $labels.__name__ }}', ")
}

fn write_rule(text: &mut String, alert: &str, expression: &str) {
    writeln!(
        text,
        "  - alert: {alert}\n    expr: '{expression}'\n    for: 1m\n    labels: {{severity: \
         warning}}\n    annotations: {{summary: '{{{{ $labels.place }}}} has {{{{ $value | humanize \
         }}}}', description: 'What is measured in {{{{ $labels.place }}}} is too much.'}}"
    )
    .unwrap();
}

async fn measure(name: &str, rules: &str) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::starting_at("2026-11-24T12:00:00Z".parse().unwrap()));
    let mut options = HistoryOptions { self_scrape: None, ..HistoryOptions::default() };
    options.samples.future_window = Duration::from_secs(24 * 60 * 60);
    options.rule_groups_max = 1;
    let engine = Engine::new(options.query.clone());
    let groups = RuleGroup::parse_file("r.yml", rules, &engine).unwrap();
    let history = History::open(folder.path(), options, clock).unwrap();
    fill(&history);
    let counted = Arc::new(Counted::default());
    let jobs = jobs(counted.clone());
    history.start(&jobs);
    history.replace_rules(groups.clone());
    // Until everything fires.
    tokio::time::sleep(3 * INTERVAL).await;
    let memory_mib = resident_mib();
    counted.firing.store(0, Ordering::Relaxed);
    counted.evaluations.store(0, Ordering::Relaxed);
    let before_ms = cpu_ms();
    tokio::time::sleep(ROUNDS * INTERVAL).await;
    let round_ms = (cpu_ms() - before_ms) / f64::from(ROUNDS);
    jobs.cancel.cancel();
    jobs.tracker.close();
    jobs.tracker.wait().await;

    let now_ms = history.now_ms();
    let before_ms = cpu_ms();
    for _ in 0..ROUNDS {
        for rule in groups.iter().flat_map(|group| &group.rules) {
            let Rule::Alerting(rule) = rule else { continue };
            let answer = engine.instant(history.store(), &rule.query, now_ms, &Cancel::new());
            black_box(answer.unwrap());
        }
    }
    let bare_ms = (cpu_ms() - before_ms) / f64::from(ROUNDS);
    println!("{name}:");
    println!("  evaluations of rules in a round   {}", per_round(&counted.evaluations));
    println!("  alerts that fire                  {}", per_round(&counted.firing));
    println!("  CPU of a round                    {round_ms:.0} ms");
    println!("  CPU of the bare queries           {bare_ms:.0} ms");
    println!("  ratio                             {:.2}", round_ms / bare_ms);
    println!("  resident memory of the process    {memory_mib:.0} MiB");
}

fn per_round(count: &AtomicUsize) -> usize {
    count.load(Ordering::Relaxed) / usize::try_from(ROUNDS).unwrap()
}

/// Puts samples of half an hour into the history, each series with a value of its own.
fn fill(history: &History) {
    let now_ms = history.now_ms();
    let mut batch = Vec::new();
    for metric in 0..METRICS {
        for place in 0..PLACES {
            let labels: Labels = [
                (METRIC_NAME, format!("m{metric}")),
                ("place", format!("p{place}")),
                ("shard", (place / METRICS).to_string()),
                ("instance", "localhost:8000".to_owned()),
                ("job", "pampero".to_owned()),
            ]
            .into_iter()
            .collect();
            let series = history.store().resolve(&labels).unwrap();
            batch.extend((-20..80).map(|step| Sample {
                series,
                timestamp_ms: now_ms + SAMPLE_MS * step,
                value: (place % 10) as f64,
            }));
        }
    }
    for part in batch.chunks(100_000) {
        history.store().append(part, now_ms).unwrap();
    }
}

fn jobs(counted: Arc<Counted>) -> Jobs {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Jobs {
        exposition: Arc::new(String::new),
        alerts: Some(counted),
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        tracker: TaskTracker::new(),
        cancel: CancellationToken::new(),
    }
}

/// Returns the CPU time that the process has used, in milliseconds.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks * 10.0 // Linux counts in hundredths of a second.
}

fn resident_mib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096.0 / f64::from(1 << 20)
}
