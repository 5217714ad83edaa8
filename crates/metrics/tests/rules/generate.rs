//! Rules and series by chance, from a seed.

use std::fmt::Write;

use pampero_series::{Labels, METRIC_NAME};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::SAMPLE_SECONDS;
use crate::live::{EVALUATIONS, INTERVAL};

/// Alerting rules of one case.
const RULES: usize = 30;

const METRICS: [&str; 3] = ["m0", "m1", "m2"];
const PLACES: [&str; 4] = ["p0", "p1", "p2", "p3"];
const KINDS: [&str; 2] = ["a", "b"];

/// What a series has at one of its times.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Value(f64),
    Nothing,
    Stale,
}

impl Step {
    /// Writes it as promtool reads it.
    pub(crate) fn written(self) -> String {
        match self {
            Self::Value(value) => value.to_string(),
            Self::Nothing => "_".to_owned(),
            Self::Stale => "stale".to_owned(),
        }
    }
}

/// Rules, and series for them.
pub(crate) struct Case {
    /// The rule file, which has one group.
    pub(crate) rules: String,
    /// The names of the alerts.
    pub(crate) alerts: Vec<String>,
    /// Each series with its steps, [`SAMPLE_SECONDS`] apart.
    pub(crate) series: Vec<(Labels, Vec<Step>)>,
}

impl Case {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut rules = format!(
            "groups:\n- name: g\n  interval: {}s\n  rules:\n  \
             - {{record: 'rec:m0', expr: 'sum by (place) (m0)', labels: {{by: rule}}}}\n",
            INTERVAL.as_secs()
        );
        let alerts: Vec<_> = (0..RULES).map(|index| format!("R{index}")).collect();
        for alert in &alerts {
            rules += &rule(&mut chance, alert);
        }
        let mut series = Vec::new();
        for metric in METRICS {
            for place in PLACES {
                for kind in KINDS {
                    let labels = [(METRIC_NAME, metric), ("place", place), ("kind", kind)];
                    series.push((labels.into_iter().collect(), steps(&mut chance)));
                }
            }
        }
        Self { rules, alerts, series }
    }
}

/// A value that wanders about zero, with gaps and ends.
fn steps(chance: &mut StdRng) -> Vec<Step> {
    let seconds = i64::try_from(INTERVAL.as_secs()).unwrap() * i64::try_from(EVALUATIONS).unwrap();
    let mut value: f64 = chance.random_range(-3.0..3.0);
    let mut gap = 0;
    (0..=seconds / SAMPLE_SECONDS)
        .map(|_| {
            value = (0.9 * value + chance.random_range(-1.2..1.2)).clamp(-5.0, 5.0);
            if gap > 0 {
                gap -= 1;
                return Step::Nothing;
            }
            match chance.random_range(0..60) {
                0 => {
                    gap = chance.random_range(1..25);
                    Step::Nothing
                }
                1 => {
                    gap = chance.random_range(0..6);
                    Step::Stale
                }
                _ => Step::Value((value * 100.0).round() / 100.0),
            }
        })
        .collect()
}

fn rule(chance: &mut StdRng, alert: &str) -> String {
    let mut text = format!("  - alert: {alert}\n    expr: {}\n", expression(chance, alert));
    if let Some(hold) = ["0s", "1m", "90s", "2m", "5m"].choose(chance) {
        writeln!(text, "    for: {hold}").unwrap();
    }
    if chance.random_range(0..3) == 0 {
        let keep = ["1m", "150s", "4m"].choose(chance).unwrap();
        writeln!(text, "    keep_firing_for: {keep}").unwrap();
    }
    let level = "level: '{{ if gt $value 1.0 }}high{{ else }}low{{ end }}'";
    let empty = "empty: '{{ $labels.nothing }}'";
    let constant = "severity: warning";
    let labels = match chance.random_range(0..5) {
        0 => format!("{constant}, {level}"),
        1 => format!("{constant}, {empty}"),
        2 => String::new(),
        _ => constant.to_owned(),
    };
    writeln!(text, "    labels: {{{labels}}}").unwrap();
    let summary = [
        "{{ $labels.place }} has {{ $value }}",
        "{{ printf \"%.1f\" $value }} of {{ $labels.kind | toUpper }}",
        "{{ $value | humanize }} {{ .Labels.place }}",
        "{{ range $name, $label := $labels }}{{ $name }}={{ $label }};{{ end }}",
        "constant",
    ];
    let summary = summary.choose(chance).unwrap();
    writeln!(text, "    annotations: {{summary: '{summary}'}}").unwrap();
    text
}

fn expression(chance: &mut StdRng, alert: &str) -> String {
    let metric = METRICS.choose(chance).unwrap();
    let other = METRICS.choose(chance).unwrap();
    let above = chance.random_range(-10..30_i32);
    let (high, low) = (f64::from(above) / 10.0, f64::from(above) / 10.0 - 1.0);
    match chance.random_range(0..13) {
        0 => format!("{metric} > {high}"),
        1 => format!("{metric} < {low}"),
        2 => format!("sum by (place) ({metric}) > {high}"),
        3 => format!("max_over_time({metric}[3m]) > {high}"),
        4 => format!("{metric} > {low} and on (place, kind) {other} < {high}"),
        // Two thresholds, of which the second holds while the alert is there.
        5 | 6 => format!(
            "{metric} > {high} or ({metric} > {low} and on (place, kind) \
             ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}})"
        ),
        7 => "count(ALERTS{alertstate=\"pending\"}) > 3".to_owned(),
        8 => "count by (place) (ALERTS{place!=\"\", alertstate=\"firing\"}) > 3".to_owned(),
        9 => format!("rec:m0 > {high}"),
        10 => format!("absent({metric}{{place=\"p1\", kind=\"a\"}})"),
        11 => format!("{metric} unless on (place, kind) {other} > {low}"),
        _ => format!("delta({metric}[2m]) > {high} or {metric} offset 1m < {low}"),
    }
}
