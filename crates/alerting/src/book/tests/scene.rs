//! Plays timelines, written as text, on a book.

use std::collections::BTreeMap;
use std::fmt::Write;

use pampero_series::Labels;

use super::*;
use crate::alert::NoticeKind;
use crate::mute::{Mute, MuteWindow, matcher};
use crate::observation::{Finding, Outcome, Phase, SourceKind};
use crate::policy::{ActionPolicy, Escalation, NoDataRule};

/// A book with one source, and what a store would hold of it.
pub(crate) struct Scene {
    pub(crate) book: Book,
    pub(crate) last: Step,
    pub(crate) policy: Policy,
    source: SourceId,
    mutes: Mutes,
    /// By id, as JSON.
    live: BTreeMap<String, String>,
    saved: Option<String>,
}

/// Plays lines `minutes:seconds input | expected output` one after the other.
///
/// Input: groups that are found (`a?` is pending by its source), `-` for none, `nodata`, `error`, `tick`,
/// `ack a`, `mute matcher from-until`, `restart`, `remove`. Output: changes as `a=active` (`!` is the
/// source itself), notices as `channel:kind(groups)+throttled`, and `throttled` when something is held back.
#[track_caller]
pub(crate) fn check(policy: &str, timeline: &str) {
    let mut scene = Scene::new(policy);
    for line in timeline.lines() {
        let (input, expected) = line.split_once('|').unwrap();
        let (at, input) = input.trim().split_once(' ').unwrap();
        let said = scene.play(seconds(at), input.trim());
        assert_eq!(said, expected.trim(), "at {at}, {input} of:\n{timeline}");
    }
}

fn seconds(text: &str) -> i64 {
    let (minutes, seconds) = text.split_once(':').unwrap();
    minutes.parse::<i64>().unwrap() * 60 + seconds.parse::<i64>().unwrap()
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_500_000 + seconds).unwrap()
}

fn duration(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.len() - 1);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => panic!("{text} is no duration"),
    };
    Duration::from_secs(number.parse::<u64>().unwrap() * seconds)
}

/// Reads `throttle=10m reminder=1h hold=2m keep=5m nodata=tell recovery=no escalate=30m:pager`, and
/// `action=mail/throttle=1h` for actions other than one to `slack`.
fn policy(text: &str) -> Policy {
    let action = |channel: &str, throttle: Option<Duration>| ActionPolicy {
        id: channel.to_owned(),
        name: format!("tell {channel}"),
        channel: channel.to_owned(),
        throttle,
    };
    let mut policy = Policy {
        definition_name: "Error Weather Logs".to_owned(),
        name: "count_error".to_owned(),
        severity: 1,
        labels: Labels::empty(),
        hold: Duration::ZERO,
        keep_firing: Duration::ZERO,
        no_data: NoDataRule::Quiet,
        actions: Vec::new(),
        reminder: None,
        recovery: true,
        escalations: Vec::new(),
    };
    let mut throttle = None;
    for word in text.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap();
        match name {
            "throttle" => throttle = Some(duration(value)),
            "reminder" => policy.reminder = Some(duration(value)),
            "hold" => policy.hold = duration(value),
            "keep" => policy.keep_firing = duration(value),
            "recovery" => policy.recovery = value == "yes",
            "nodata" => {
                policy.no_data = match value {
                    "quiet" => NoDataRule::Quiet,
                    "tell" => NoDataRule::Tell,
                    _ => NoDataRule::Keep,
                };
            }
            "escalate" => {
                let (after, channel) = value.split_once(':').unwrap();
                let channel = channel.to_owned();
                policy.escalations.push(Escalation { after: duration(after), channel });
            }
            "action" => {
                let (channel, own) = value.split_once("/throttle=").unwrap_or((value, ""));
                let own = (!own.is_empty()).then(|| duration(own));
                policy.actions.push(action(channel, own));
            }
            _ => panic!("{word} is no part of a policy"),
        }
    }
    if policy.actions.is_empty() {
        policy.actions.push(action("slack", throttle));
    }
    policy
}

fn key(group: &str) -> Labels {
    [("group", group)].into_iter().collect()
}

impl Scene {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            book: Book::new(BookLimits::default()),
            last: Step::default(),
            policy: policy(text),
            source: SourceId {
                kind: SourceKind::Monitor,
                definition: "error_logs".to_owned(),
                trigger: "count_error".to_owned(),
            },
            mutes: Mutes::default(),
            live: BTreeMap::new(),
            saved: None,
        }
    }

    /// Plays one input so many seconds after the start, and returns what it brought about.
    pub(crate) fn play(&mut self, at: i64, input: &str) -> String {
        let now = instant(at);
        let mut refused = String::new();
        let words: Vec<&str> = input.split_whitespace().collect();
        self.last = match words.as_slice() {
            ["tick"] => self.book.tick(now, &self.mutes).pop().map(|(_, s)| s).unwrap_or_default(),
            ["ack", group] => {
                let alert = self.book.alerts().find(|alert| name(&alert.key) == *group);
                let id = alert.unwrap().id.clone();
                let (outcomes, step) = self.book.acknowledge(&[id], now);
                if let Err(error) = &outcomes[0].1 {
                    refused = format!("refused: {error}");
                }
                step
            }
            ["mute", text, window] => {
                let (from, until) = window.split_once('-').unwrap();
                let (from, until) = (instant(seconds(from)), instant(seconds(until)));
                self.mutes.push(Mute {
                    id: "m".to_owned(),
                    matchers: vec![matcher(text).unwrap()],
                    window: MuteWindow::Once { from, until },
                    comment: String::new(),
                    author: String::new(),
                    created: now,
                });
                Step::default()
            }
            ["restart"] => {
                self.restart();
                Step::default()
            }
            ["remove"] => self.book.remove_source(&self.source, now).unwrap(),
            ["nodata"] => self.observe(now, Outcome::NoData),
            ["error", ..] => self.observe(now, Outcome::Failed("it broke".to_owned())),
            ["-"] => self.observe(now, Outcome::Known(Vec::new())),
            groups => {
                let finding = |group: &&str| Finding {
                    key: key(group.trim_end_matches('?')),
                    phase: match group.ends_with('?') {
                        true => Phase::Pending { since: now },
                        false => Phase::Firing { since: now },
                    },
                    value: Some(3.0),
                    annotations: Vec::new(),
                };
                self.observe(now, Outcome::Known(groups.iter().map(finding).collect()))
            }
        };
        self.store();
        format!("{refused}{}", shown(&self.last))
    }

    pub(crate) fn observe(&mut self, at: Timestamp, outcome: Outcome) -> Step {
        let observation = Observation { at, outcome, answer: None };
        self.book.observe(&self.source, &self.policy, &observation, &self.mutes)
    }

    /// Does what a store does with a step.
    fn store(&mut self) {
        let rows = &self.last.rows;
        for live in &rows.live {
            self.live.insert(live.alert.id.clone(), serde_json::to_string(live).unwrap());
        }
        for id in rows.over.iter().map(|alert| &alert.id).chain(&rows.dropped) {
            self.live.remove(id);
        }
        if let Some((_, saved)) = &rows.source {
            self.saved = saved.as_ref().map(|saved| serde_json::to_string(saved).unwrap());
        }
    }

    /// Begins again with what a store holds.
    fn restart(&mut self) {
        let limits = self.book.limits.clone();
        self.book = Book::new(limits);
        let live = self.live.values().map(|text| serde_json::from_str(text).unwrap()).collect();
        let saved = self.saved.iter().map(|text| serde_json::from_str(text).unwrap());
        self.book.restore(live, saved.map(|saved| (self.source.clone(), saved)).collect());
    }

    /// Returns how many alerts each notice of the last step names.
    pub(crate) fn named_per_notice(&self) -> Vec<usize> {
        self.last.notices.iter().map(|notice| notice.alerts.len()).collect()
    }
}

/// Returns the group of a key; `!` is the source itself.
pub(crate) fn name(key: &Labels) -> &str {
    key.get("group").unwrap_or("!")
}

fn shown(step: &Step) -> String {
    let mut changes: Vec<String> = step
        .changes
        .iter()
        .map(|change| {
            let state = match change.alert.state {
                AlertState::Pending => "pending",
                AlertState::Active => "active",
                AlertState::Acknowledged => "acknowledged",
                AlertState::Completed => "completed",
                AlertState::Error => "error",
                AlertState::NoData => "nodata",
                AlertState::Deleted => "deleted",
            };
            format!("{}={state}", name(&change.alert.key))
        })
        .collect();
    changes.sort_unstable();
    let mut out = changes.join(" ");
    if step.throttled > 0 && step.notices.is_empty() {
        out.push_str(" throttled");
    }
    let mut held = step.throttled > 0 && !step.notices.is_empty();
    for notice in &step.notices {
        let kind = match notice.kind {
            NoticeKind::Fired => "fired",
            NoticeKind::Reminder => "reminder",
            NoticeKind::Escalated => "escalated",
            NoticeKind::Recovered => "recovered",
            NoticeKind::NoData => "nodata",
            NoticeKind::Failed => "failed",
        };
        if std::mem::take(&mut held) && notice.kind == NoticeKind::Recovered {
            out.push_str(" throttled");
        } else if step.throttled > 0 && notice.kind == NoticeKind::Fired {
            held = true;
        }
        let mut groups: Vec<&str> = notice.alerts.iter().map(|alert| name(&alert.key)).collect();
        groups.sort_unstable();
        let _ = write!(out, " {}:{kind}({})", notice.channel, groups.join(" "));
        if notice.throttled > 0 {
            let _ = write!(out, "+{}", notice.throttled);
        }
    }
    if held {
        out.push_str(" throttled");
    }
    out.trim().to_owned()
}
