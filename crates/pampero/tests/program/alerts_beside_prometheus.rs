//! The same rule files in a real Prometheus with a real Alertmanager and in Pampero, while both scrape the same
//! target: the same alerts become pending, fire and end, and both Alertmanagers know of them.
//!
//! A second Pampero has the rules with changes, which shows that what is compared tells each of them. Start
//! reading at [`scene`], which has the rules and what happens.

mod compare;
mod exporter;
mod real;
mod scene;
mod side;

use std::path::Path;
use std::time::Duration;

use pampero_simulator::RunningSimulator;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{Instant, sleep_until};

use self::compare::{
    different_beginnings, different_entries, different_evaluations, different_timelines,
};
use self::exporter::Exporter;
use self::real::{Alertmanager, Prometheus};
use self::scene::{CHANGES, EXPECTED, REST, RULES, Step};
use self::side::{Line, Side, Timelines};
use crate::harness::{Program, folder, hurried, now, path_of, simulator};

/// Longest time for all of it.
const WITHIN: Duration = Duration::from_secs(40);

/// How far apart the same thing may be: a scrape and an evaluation, and a machine that is busy.
const APART_MS: i64 = 2_000 + 500;

/// From one look at the Alertmanagers to the next.
const WATCH_EVERY: Duration = Duration::from_millis(200);

/// Longest time until both list the same, once nothing happens any more.
const SAME_WITHIN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_rules_lead_to_the_same_alerts_as_in_prometheus() {
    tokio::time::timeout(WITHIN, play()).await.expect("the scene ends in time");
}

async fn play() {
    let stage = Stage::set().await;
    let [theirs, ours, other] = &stage.sides();
    for side in [theirs, ours, other] {
        side.wait_until_calm().await;
    }

    let begun = now();
    let watching = async {
        let mut ticks = tokio::time::interval(WATCH_EVERY);
        loop {
            ticks.tick().await;
            for side in [theirs, ours, other] {
                side.watch(begun).await;
            }
        }
    };
    let (mut of_ours, mut of_other) = tokio::select! {
        () = watching => unreachable!("it is watched for as long as the scene lasts"),
        differences = drive(&stage.exporter, [theirs, ours, other]) => differences,
    };

    let (told, ours_told) = (theirs.timelines(begun).await, ours.timelines(begun).await);
    for (side, timelines) in [(theirs, &told), (ours, &ours_told)] {
        check_expected(timelines);
        let mut wrong = different_beginnings(timelines);
        wrong.extend(different_evaluations(side).await);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
    of_ours.extend(different_timelines(&told, &ours_told, APART_MS));
    assert!(of_ours.is_empty(), "{}\n{}", of_ours.join("\n"), stage.pampero.log());
    of_other.extend(different_evaluations(other).await);
    of_other.extend(different_timelines(&told, &other.timelines(begun).await, APART_MS));
    check_changes(&of_other);
    let (status, log) = stage.pampero.terminate();
    assert!(status.success() && !log.contains("\"level\":\"ERROR\""), "{log}");
}

/// Everything that runs.
struct Stage {
    exporter: Exporter,
    prometheus: Prometheus,
    /// With the same rules.
    pampero: Program,
    /// With changed rules.
    changed: Program,
    /// Of Prometheus and of both Pamperos, in this order.
    managers: [Alertmanager; 3],
    _simulator: RunningSimulator,
    _folder: TempDir,
}

impl Stage {
    async fn set() -> Self {
        let exporter = Exporter::start(scene::CALM).await;
        let managers = [Alertmanager::start(), Alertmanager::start(), Alertmanager::start()];
        let simulator = simulator().await;
        let folder = folder();
        let (same, changed) = (path_of(&folder, "same"), path_of(&folder, "changed"));
        write_rules(&same, |text| text);
        write_rules(&changed, changed_text);
        let prometheus = Prometheus::start(&same, exporter.address(), managers[0].address());
        let weather = hurried(&simulator, &["open_meteo"], "");
        let serve = async |name: &str, rules: &Path, manager: &Alertmanager| {
            let config = format!("{weather}{}", configuration(rules, exporter.address()));
            let own = path_of(&folder, name);
            write_channel(&own, manager.address());
            let quietly = [("PAMPERO_POLLING__INTERVAL", "1h"), ("PAMPERO_LOGS__ENABLED", "false")];
            Program::serve(&own, &config, &quietly).await
        };
        let (pampero, changed) = tokio::join!(
            serve("first", &same, &managers[1]),
            serve("second", &changed, &managers[2])
        );
        let (_simulator, _folder) = (simulator, folder);
        Self { exporter, prometheus, pampero, changed, managers, _simulator, _folder }
    }

    fn sides(&self) -> [Side; 3] {
        let [of_prometheus, of_pampero, of_changed] = &self.managers;
        [
            Side::new(self.prometheus.base(), of_prometheus.base()),
            Side::new(&self.pampero.url("/prometheus"), of_pampero.base()),
            Side::new(&self.changed.url("/prometheus"), of_changed.base()),
        ]
    }
}

/// Lets the scene happen; returns how the lists of the two Pamperos are different in the middle of it.
async fn drive(
    exporter: &Exporter,
    [theirs, ours, other]: [&Side; 3],
) -> (Vec<String>, Vec<String>) {
    happen(exporter, scene::SCENE).await;
    let begun = Instant::now();
    let lists = loop {
        let entries = theirs.entries().await;
        let of_ours = different_entries(&entries, &ours.entries().await);
        if of_ours.is_empty() || SAME_WITHIN < begun.elapsed() {
            break (of_ours, different_entries(&entries, &other.entries().await));
        }
        tokio::time::sleep(WATCH_EVERY).await;
    };
    happen(exporter, REST).await;
    for side in [theirs, ours, other] {
        side.wait_until_over().await;
    }
    lists
}

async fn happen(exporter: &Exporter, steps: &[Step]) {
    let begun = Instant::now();
    for step in steps {
        sleep_until(begun + step.at).await;
        for (series, value) in step.gauges {
            exporter.set(series, *value);
        }
    }
}

fn write_rules(folder: &Path, change: impl Fn(String) -> String) {
    std::fs::create_dir(folder).unwrap();
    for (file, text) in RULES {
        std::fs::write(folder.join(file), change(text.to_owned())).unwrap();
    }
}

fn changed_text(text: String) -> String {
    CHANGES.iter().fold(text, |text, change| text.replace(change.from, change.to))
}

fn configuration(rules: &Path, target: &str) -> String {
    format!(
        "[metrics]\nrules = [{rules:?}]\nshipped_rules = false\nevaluation_interval = \"1s\"\n\
         [[metrics.targets]]\njob = \"scene\"\nurl = \"http://{target}/metrics\"\ninterval = \"1s\"\n\
         timeout = \"1s\"\n\
         [alerting]\nshipped_monitors = false\nallow = [\"127.0.0.1\"]\nchannels = [\"am\"]\n"
    )
}

fn write_channel(folder: &Path, manager: &str) {
    let channels = folder.join("data/alerting/channels");
    std::fs::create_dir_all(&channels).unwrap();
    let config = json!({
        "name": "Alertmanager",
        "config_type": "alertmanager",
        "is_enabled": true,
        "alertmanager": { "url": format!("http://{manager}") },
    });
    std::fs::write(channels.join("am.json"), json!({ "config": config }).to_string()).unwrap();
}

/// Checks that what both did is what the scene is about, so that they do not agree on nothing.
#[track_caller]
fn check_expected(timelines: &Timelines) {
    for expected in &EXPECTED {
        let times = |from: &str| {
            let is_meant = |line: &Line| line.0 == from && expected.is_meant(&line.1);
            let meant = timelines.iter().filter(|(line, _)| is_meant(line));
            meant.map(|(_, stretches)| stretches.len()).collect::<Vec<_>>()
        };
        assert_eq!(times("ALERTS"), [expected.times], "{expected:?} among {timelines:#?}");
        if expected.is_told {
            assert_eq!(
                times("Alertmanager"),
                [expected.times],
                "{expected:?} among {timelines:#?}"
            );
        }
    }
    let told = EXPECTED.iter().filter(|expected| expected.is_told).count();
    assert_eq!(timelines.len(), EXPECTED.len() + told, "{timelines:#?}");
}

/// Checks that each change of the rules shows where it should, and nothing besides.
#[track_caller]
fn check_changes(differences: &[String]) {
    for change in CHANGES {
        for shown in change.shown {
            let is_shown = |line: &&String| line.starts_with(shown) && line.contains(change.alert);
            let found = differences.iter().find(is_shown);
            assert!(found.is_some(), "{shown} hides {change:?}:\n{}", differences.join("\n"));
        }
    }
    let is_of_change = |line: &str| CHANGES.iter().any(|change| line.contains(change.alert));
    let unexplained: Vec<&String> = differences.iter().filter(|line| !is_of_change(line)).collect();
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}
