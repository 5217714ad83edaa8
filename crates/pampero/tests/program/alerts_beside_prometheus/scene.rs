//! The rules, and what happens to the gauges that they are about.

use std::time::Duration;

use pampero_series::Labels;

/// A series as a target writes it, and its value; `None` for one that is gone.
pub(super) type Gauge = (&'static str, Option<f64>);

/// What happens at one instant.
pub(super) struct Step {
    /// Since the beginning.
    pub(super) at: Duration,
    pub(super) gauges: &'static [Gauge],
}

/// The rule files, by their names. Groups have no interval of their own.
pub(super) const RULES: [(&str, &str); 2] = [("first.yml", FIRST), ("second.yml", SECOND)];

const FIRST: &str = r#"
groups:
- name: at_once
  rules:
  - {record: 'scene:heat:max', expr: 'max by (place) (scene_heat)', labels: {kind: heat}}
  - alert: Hot
    expr: scene:heat:max > 30
    labels: {severity: critical, team: 'of {{ $labels.place }}'}
    annotations:
      summary: '{{ $labels.place | toUpper }} has {{ $value | printf "%.1f" }} °C, not <{{ humanize 30.0 }}>'
      pampero_channels: am
- name: waiting
  rules:
  - {record: 'scene:beat', expr: 'vector(1)'}
  - {record: 'scene:gusty', expr: 'scene_wind > 60'}
  - alert: Gust
    expr: scene:gusty
    for: 4s
    annotations: {summary: '{{ with $labels }}{{ .job }} at {{ .place }}{{ end }}: {{ $value }} km/h'}
  - {record: 'scene:stormy', expr: 'scene_storm > 0'}
  - {alert: Storm, expr: 'scene:stormy', keep_firing_for: 8s}
"#;

const SECOND: &str = r#"
groups:
- name: several
  limit: 10
  rules:
  - alert: Frost
    expr: scene_temperature < 0
    labels: {severity: warning}
    annotations: {summary: 'Frost in {{ $labels.place }}', description: '{{ -1.5 }} and {{ $value }}'}
  - alert: Level
    expr: scene_level > 50
    labels: {severity: '{{ if gt $value 90.0 }}critical{{ else }}warning{{ end }}'}
    annotations: {summary: '{{ $value | humanizePercentage }} {{ reReplaceAll "a(.)" "$1" "ab" }}'}
  - {alert: Calm, expr: 'scene_calm == 1'}
"#;

/// Where everything begins: nothing but the calm is told.
pub(super) const CALM: &[Gauge] = &[
    ("scene_calm", Some(1.0)),
    (HEAT, Some(20.0)),
    (WIND, Some(10.0)),
    (STORM, Some(0.0)),
    (LEVEL, Some(0.0)),
    (TEMPERATURE_A, Some(5.0)),
    (TEMPERATURE_B, Some(5.0)),
    (TEMPERATURE_C, Some(5.0)),
];

const HEAT: &str = "scene_heat{place=\"a\"}";
const WIND: &str = "scene_wind{place=\"a\"}";
const STORM: &str = "scene_storm";
const LEVEL: &str = "scene_level{place=\"Ñandú \\\"1\\\"\"}";
const TEMPERATURE_A: &str = "scene_temperature{place=\"a\"}";
const TEMPERATURE_B: &str = "scene_temperature{place=\"b\"}";
const TEMPERATURE_C: &str = "scene_temperature{place=\"c\"}";

/// The first part, after which nothing changes any more. What lasts is there for two seconds, so that each
/// scrape and each evaluation has its turn.
pub(super) const SCENE: &[Step] = &[
    Step {
        at: Duration::ZERO,
        gauges: &[
            ("scene_calm", Some(0.0)),
            (HEAT, Some(35.0)),
            (WIND, Some(70.0)),
            (STORM, Some(1.0)),
            (LEVEL, Some(70.0)),
            (TEMPERATURE_A, Some(-1.5)),
            (TEMPERATURE_B, Some(-20.0)),
            (TEMPERATURE_C, Some(-0.001)),
        ],
    },
    // Before the gust has lasted long enough, and shorter than the storm is kept.
    Step { at: Duration::from_secs(2), gauges: &[(WIND, Some(10.0)), (STORM, Some(0.0))] },
    Step {
        at: Duration::from_secs(4),
        gauges: &[
            (WIND, Some(80.0)),
            (STORM, Some(2.0)),
            (LEVEL, Some(95.0)),
            (TEMPERATURE_C, Some(5.0)),
        ],
    },
    Step { at: Duration::from_secs(6), gauges: &[(TEMPERATURE_B, None)] },
    Step { at: Duration::from_secs(7), gauges: &[(STORM, Some(0.0))] },
    Step { at: Duration::from_secs(8), gauges: &[(HEAT, Some(20.0))] },
    Step { at: Duration::from_millis(10_500), gauges: &[] },
];

/// The second part: the heat comes again, and everything ends.
pub(super) const REST: &[Step] = &[
    Step {
        at: Duration::ZERO,
        gauges: &[
            (HEAT, Some(40.0)),
            (WIND, Some(10.0)),
            (LEVEL, Some(0.0)),
            (TEMPERATURE_A, Some(5.0)),
        ],
    },
    Step { at: Duration::from_secs(3), gauges: &[(HEAT, Some(20.0))] },
];

/// A series of alerts that comes of it.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) alert: &'static str,
    pub(super) state: &'static str,
    /// A label that it has, and others of the rule have not.
    pub(super) label: (&'static str, &'static str),
    /// How often it comes.
    pub(super) times: usize,
    /// Whether an Alertmanager hears of it while the scene lasts.
    pub(super) is_told: bool,
}

impl Expected {
    /// Returns whether these are the labels of the series, or of the alert itself.
    pub(super) fn is_meant(&self, labels: &Labels) -> bool {
        let (name, value) = self.label;
        let state = labels.get("alertstate").unwrap_or("firing");
        labels.value("alertname") == self.alert
            && state == self.state
            && labels.value(name) == value
    }
}

const fn firing(
    alert: &'static str,
    label: (&'static str, &'static str),
    times: usize,
) -> Expected {
    Expected { alert, state: "firing", label, times, is_told: true }
}

const ALONE: (&str, &str) = ("job", "scene");

/// All series of alerts.
pub(super) const EXPECTED: [Expected; 10] = [
    firing("Hot", ("team", "of a"), 2),
    Expected { state: "pending", is_told: false, ..firing("Gust", ALONE, 2) },
    firing("Gust", ALONE, 1),
    firing("Storm", ALONE, 1),
    firing("Frost", ("place", "a"), 1),
    firing("Frost", ("place", "b"), 1),
    firing("Frost", ("place", "c"), 1),
    firing("Level", ("severity", "warning"), 1),
    firing("Level", ("severity", "critical"), 1),
    // It fired before, so that the Alertmanagers knew of it.
    Expected { is_told: false, ..firing("Calm", ALONE, 1) },
];

/// An alert whose rule reads what another records, so that it is known at which evaluations its condition held.
pub(super) struct Recorded {
    pub(super) alert: &'static str,
    /// What records its condition, in the same group and before it.
    pub(super) record: &'static str,
    pub(super) hold_ms: i64,
    pub(super) keep_firing_ms: i64,
}

/// What has a sample for each evaluation of the group of [`RECORDED`].
pub(super) const BEAT: &str = "scene:beat";

/// The alerts that are followed from evaluation to evaluation.
pub(super) const RECORDED: [Recorded; 2] = [
    Recorded { alert: "Gust", record: "scene:gusty", hold_ms: 4_000, keep_firing_ms: 0 },
    Recorded { alert: "Storm", record: "scene:stormy", hold_ms: 0, keep_firing_ms: 8_000 },
];

/// How the rules of the second Pampero are different.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    /// The alert whose rule it is.
    pub(super) alert: &'static str,
    /// With what differences begin that show it.
    pub(super) shown: &'static [&'static str],
}

/// All differences, each of another rule; those of `Level` and `Calm` stay.
pub(super) const CHANGES: [Change; 4] = [
    Change {
        from: " for: 4s",
        to: " for: 1s",
        alert: "Gust",
        shown: &["ALERTS", "Alertmanager", "evaluations", "rules"],
    },
    Change {
        from: "keep_firing_for: 8s",
        to: "keep_firing_for: 1s",
        alert: "Storm",
        shown: &["ALERTS", "Alertmanager", "evaluations", "rules", "alerts"],
    },
    Change {
        from: "scene:heat:max > 30",
        to: "scene:heat:max > 50",
        alert: "Hot",
        shown: &["ALERTS", "Alertmanager", "rules"],
    },
    Change {
        from: "Frost in",
        to: "Cold in",
        alert: "Frost",
        shown: &["Alertmanager", "rules", "alerts"],
    },
];
