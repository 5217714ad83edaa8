//! Everything that is watched: the triggers of all monitors and all alerting rules, with what is known of each.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use pampero_alerting::{MonitorEntry, RunStatus, Schedule, SourceId, SourceKind};
use pampero_metrics::{Health, RuleDetail, RuleGroupState, RuleSource, RuleState};

use super::parts::AlertParts;
use crate::state::ApiState;

/// A trigger of a monitor, or an alerting rule.
pub(super) struct Watched {
    pub(super) id: SourceId,
    /// The name of the monitor, or of the group of the rule.
    pub(super) definition_name: String,
    pub(super) name: String,
    pub(super) severity: u8,
    pub(super) is_enabled: bool,
    pub(super) rhythm: Rhythm,
    /// When it was evaluated last, how long that took, and how it went; `None` before the first time since
    /// the start.
    pub(super) last: Option<Evaluated>,
    /// The file, without the folders above its own; `None` for a monitor that comes with the program.
    pub(super) file: Option<String>,
    /// The expression of a rule, or the condition of a trigger.
    pub(super) condition: String,
    /// The channels that are told, each once.
    pub(super) channels: Vec<String>,
    /// Those of them that the definition names itself.
    pub(super) named_channels: Vec<String>,
    /// What is wrong with annotations of a rule.
    pub(super) problems: Vec<String>,
}

/// When something is evaluated.
pub(super) enum Rhythm {
    Every(Duration),
    Cron { expression: String, zone: String },
}

/// The last evaluation.
pub(super) struct Evaluated {
    pub(super) at: Timestamp,
    pub(super) took: Duration,
    pub(super) error: Option<String>,
}

/// Returns everything that is watched: monitors by their ids, then rules in the order of their groups.
pub(super) fn all(parts: &AlertParts, state: &ApiState) -> Vec<Watched> {
    let ran = parts.runner.as_ref().map(|runner| runner.status()).unwrap_or_default();
    let mut all = Vec::new();
    for entry in parts.definitions.monitors() {
        add_triggers(&mut all, &entry, ran.get(&entry.id));
    }
    if let Some((history, _)) = &state.history {
        for group in history.rule_groups() {
            add_rules(&mut all, parts, &group);
        }
    }
    all
}

fn add_triggers(all: &mut Vec<Watched>, entry: &MonitorEntry, ran: Option<&RunStatus>) {
    let monitor = &entry.item;
    for trigger in monitor.triggers() {
        let policy = monitor.policy(trigger);
        let told = policy.actions.iter().map(|action| &action.channel);
        let channels = each_once(told.chain(policy.escalations.iter().map(|it| &it.channel)));
        all.push(Watched {
            id: SourceId {
                kind: SourceKind::Monitor,
                definition: entry.id.clone(),
                trigger: trigger.id.clone(),
            },
            definition_name: policy.definition_name,
            name: policy.name,
            severity: policy.severity,
            is_enabled: monitor.is_enabled(),
            rhythm: match monitor.schedule() {
                Schedule::Every(interval) => Rhythm::Every(interval.duration()),
                Schedule::Cron(cron) => Rhythm::Cron {
                    expression: cron.expression().to_owned(),
                    zone: cron.zone_name().to_owned(),
                },
            },
            last: ran.map(|ran| Evaluated {
                at: ran.at,
                took: Duration::from_millis(ran.took_ms),
                error: ran.error.clone(),
            }),
            file: (!entry.is_shipped).then(|| format!("monitors/{}.json", entry.id)),
            condition: trigger.condition.source().to_owned(),
            named_channels: channels.clone(),
            channels,
            problems: Vec::new(),
        });
    }
}

fn add_rules(all: &mut Vec<Watched>, parts: &AlertParts, group: &RuleGroupState) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for rule in &group.rules {
        let count = counts.entry(&rule.name).or_default();
        let Some(source) = rule_source(group, rule, *count + 1) else { continue };
        *count += 1;
        let (policy, problems) = parts.rules.policy(&source);
        let escalations = policy.escalations.iter().map(|it| &it.channel);
        let told = policy.actions.iter().map(|action| &action.channel);
        // Those that are told unless a rule says otherwise need not be there.
        let names_channels = source.annotation("pampero_channels").is_some();
        let named = each_once(told.clone().filter(|_| names_channels).chain(escalations.clone()));
        let last = rule.last_evaluation_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        all.push(Watched {
            id: parts.rules.source_id(&source),
            definition_name: policy.definition_name.clone(),
            name: policy.name.clone(),
            severity: policy.severity,
            is_enabled: true,
            rhythm: Rhythm::Every(group.interval),
            last: last.filter(|_| rule.health != Health::Unknown).map(|at| Evaluated {
                at,
                took: rule.last_duration,
                error: rule.last_error.clone(),
            }),
            file: Some(group.file.clone()),
            condition: rule.query.clone(),
            channels: each_once(told.chain(escalations)),
            named_channels: named,
            problems,
        });
    }
}

/// Returns an alerting rule as it is told of; `None` for a recording rule. `number` counts those of its name
/// in the group, from 1.
fn rule_source(group: &RuleGroupState, rule: &RuleState, number: usize) -> Option<RuleSource> {
    let RuleDetail::Alerting { hold, keep_firing, annotations, .. } = &rule.detail else {
        return None;
    };
    let suffix = if number == 1 { String::new() } else { format!("#{number}") };
    Some(RuleSource {
        file: group.file.clone(),
        group: group.name.clone(),
        rule: format!("{}{suffix}", rule.name),
        alert: rule.name.clone(),
        query: rule.query.clone(),
        hold: *hold,
        keep_firing: *keep_firing,
        interval: group.interval,
        labels: rule.labels.clone(),
        annotations: annotations.clone(),
    })
}

fn each_once<'c>(channels: impl Iterator<Item = &'c String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for channel in channels {
        if !found.contains(channel) {
            found.push(channel.clone());
        }
    }
    found
}
