//! A real Prometheus beside the demo: it scrapes it, evaluates the rules, and passes on every sample,
//! so that each query of each dashboard and rule can be asked of both over the same samples.
//!
//! A real node_exporter is scraped too, because the hardware dashboard promises to work on either.

mod answer;
mod ask;
mod reference;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::answer::Answer;
use self::reference::Reference;
use crate::program::Program;
use crate::test::dashboards::document::{Document, Query, Values};
use crate::test::dashboards::selector::selectors;
use crate::test::{Counts, Options, demo};
use crate::workspace::Workspace;

/// How long is watched: the slowest group of rules is evaluated every minute.
const WATCHED: Duration = Duration::from_secs(75);
/// How long the last samples may take from Prometheus to the demo.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(20);
/// Time between two rounds of requests while the demo is watched.
const PAUSE: Duration = Duration::from_millis(500);
/// The last instant that is asked for lies so long ago that its samples have been passed on.
const SETTLED_SECONDS: f64 = 3.0;
/// The range queries: how far back, and in what steps.
const RANGE_SECONDS: f64 = 60.0;
const STEP_SECONDS: f64 = 5.0;
/// What Grafana would fill in at a scrape interval of one second.
const VALUES: Values<'static> =
    Values { rate_interval: "20s", range: "1m", interval: "5s", variables: &[("job", JOBS)] };
/// The jobs whose samples both sides have; the demo's own view of itself has another one.
const JOBS: &str = "watched|watched-node";
/// Good and bad requests, so that the panels of the API have something to show.
const REQUESTS: [&str; 6] = [
    "/weather/current?place=ewr",
    "/weather/average/day?place=ewr",
    "/weather/average/week?place=ewr",
    "/weather/current?place=nowhere",
    "/no-such-page",
    "/metrics",
];
/// Metrics on a dashboard that the demo or the machine may not have, and why.
const MAY_BE_ABSENT: [(&str, &str); 8] = [
    ("pampero_provider_quota_used", "the providers of the demo have no allowance"),
    ("pampero_provider_quota_limit", "the providers of the demo have no allowance"),
    (
        "pampero_weather_wind_gust_meters_per_second",
        "the readings that are replayed have calm hours",
    ),
    ("pampero_weather_pressure_msl_pascals", "the readings that are replayed have gaps"),
    ("node_hwmon_temp_celsius", "a virtual machine has no sensors"),
    ("node_pressure_cpu_waiting_seconds_total", "the kernel may not count pressure"),
    ("node_pressure_memory_waiting_seconds_total", "the kernel may not count pressure"),
    ("node_pressure_io_waiting_seconds_total", "the kernel may not count pressure"),
];

/// Watches the demo; every query counts as one test, and so does that scraping went without a fault.
pub(super) fn run(workspace: &Workspace, _options: &Options) -> Result<Counts> {
    let folder = workspace.empty_folder("dashboards-live")?;
    // The range of Debian's Prometheus is closed on the left.
    let variables = [("PAMPERO_METRICS__WINDOW", "prometheus2")];
    let mut demo = demo::start(workspace, &folder, &variables)?;
    let mut reference = Reference::start(workspace, &folder, demo.address())?;
    watch(&demo);
    let end = settled_instant(&reference, &demo)?;

    let queries = all_queries(workspace, &reference)?;
    let mut faults = reference.faults()?;
    faults.extend(absent_metrics(&queries, &reference)?);
    for fault in &faults {
        println!("{fault}");
    }
    let sides = Sides { reference: reference.address(), demo: demo.address(), end };
    let mut counts = sides.compare_all(&queries);
    match faults.is_empty() {
        true => counts.passed += 1,
        false => counts.failed += faults.len() as u64,
    }
    if !demo.is_running()? || !reference.is_running()? {
        bail!("a program ended while it was being asked; see {}", folder.display());
    }
    drop(reference);
    demo.stop()?;
    Ok(counts)
}

/// Sends requests for as long as the demo is watched.
fn watch(demo: &Program) {
    let begun = Instant::now();
    while begun.elapsed() < WATCHED {
        for path in REQUESTS {
            // An answer that does not come is seen by the checks that follow.
            let _ = demo.get(path);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Returns an instant, in seconds since the Unix epoch, up to which both sides have all samples.
fn settled_instant(reference: &Reference, demo: &Program) -> Result<f64> {
    let now = Answer::instant(reference.address(), "time()", None)?.only_value();
    let end = now.context("Prometheus does not tell the time")?.floor() - SETTLED_SECONDS;
    // One queue passes samples on in their order, and `up` comes last of each scrape.
    let counted = format!("count_over_time(up{{job=~\"{JOBS}\"}}[1m])");
    let begun = Instant::now();
    loop {
        let expected = Answer::instant(reference.address(), &counted, Some(end))?;
        let found = Answer::instant(demo.address(), &counted, Some(end))?;
        match found.difference(&expected) {
            None => return Ok(end),
            Some(difference) if ARRIVAL_LIMIT < begun.elapsed() => {
                bail!("the samples of Prometheus did not reach the demo: {difference}")
            }
            Some(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// Returns every query of the dashboards and every expression of the rules, ready to be asked.
fn all_queries(workspace: &Workspace, reference: &Reference) -> Result<Vec<Query>> {
    let mut queries = Vec::new();
    for document in Document::read_all(workspace)? {
        for query in document.queries() {
            queries.push(Query {
                owner: format!("{}: {}", document.file, query.owner),
                expression: query.filled_in(&VALUES),
                ..query
            });
        }
    }
    queries.extend(reference.rules()?);
    Ok(queries)
}

/// Names the metrics that a query selects and that Prometheus never saw.
fn absent_metrics(queries: &[Query], reference: &Reference) -> Result<Vec<String>> {
    let seen = reference.metric_names()?;
    let wanted: BTreeSet<&str> = queries
        .iter()
        .flat_map(|query| selectors(&query.expression))
        .map(|selector| selector.name)
        .collect();
    let absent = wanted.into_iter().filter(|name| {
        !seen.contains(*name) && !MAY_BE_ABSENT.iter().any(|(allowed, _)| allowed == name)
    });
    Ok(absent
        .map(|name| format!("a dashboard or a rule asks for {name}, which is not exposed"))
        .collect())
}

/// The two that are asked the same.
struct Sides {
    reference: SocketAddr,
    demo: SocketAddr,
    end: f64,
}

/// Whether an answer that both gave had any series.
enum Found {
    Something,
    Nothing,
}

impl Sides {
    /// Compares every query, and tells of those that differ and of those that found nothing.
    fn compare_all(&self, queries: &[Query]) -> Counts {
        let mut counts = Counts::default();
        let mut empty = Vec::new();
        for query in queries {
            let name = format!("{} {}", query.owner, query.reference);
            match self.compare(query) {
                Ok(found) => {
                    counts.passed += 1;
                    empty.extend(matches!(found, Found::Nothing).then_some(name));
                }
                Err(error) => {
                    println!("{name}: {error:#}\n    {}", query.expression);
                    counts.failed += 1;
                }
            }
        }
        println!("{} of {} queries found nothing on either side:", empty.len(), queries.len());
        println!("  {}", empty.join("\n  "));
        counts
    }

    /// Asks both for one instant, and for a range unless the query is for one instant only.
    fn compare(&self, query: &Query) -> Result<Found> {
        let expression = &query.expression;
        let of_instant = |side| Answer::instant(side, expression, Some(self.end));
        let at_end = check(of_instant(self.demo), of_instant(self.reference))?;
        if query.is_instant {
            return Ok(at_end);
        }
        let start = self.end - RANGE_SECONDS;
        let of_range = |side| Answer::range(side, expression, start, self.end, STEP_SECONDS);
        check(of_range(self.demo), of_range(self.reference))
    }
}

fn check(found: Result<Answer>, expected: Result<Answer>) -> Result<Found> {
    let expected = expected.context("Prometheus refuses the query")?.of_jobs(JOBS);
    let found = found.context("Pampero refuses the query")?.of_jobs(JOBS);
    match found.difference(&expected) {
        Some(difference) => bail!("{difference}"),
        None if expected.is_empty() => Ok(Found::Nothing),
        None => Ok(Found::Something),
    }
}
