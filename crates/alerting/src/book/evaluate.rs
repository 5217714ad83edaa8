//! What an evaluation does to the states of alerts.

use jiff::Timestamp;
use pampero_series::Labels;

use super::{BookLimits, Live, Source, Step, elapsed, id};
use crate::alert::{Alert, AlertState};
use crate::observation::{Finding, Observation, Outcome, Phase, SourceId};
use crate::policy::{NoDataRule, Policy};

impl Source {
    /// Enters what an evaluation found.
    pub(super) fn evaluate(
        &mut self,
        source: &SourceId,
        observation: &Observation,
        limits: &BookLimits,
        step: &mut Step,
    ) {
        let Some(policy) = self.policy.clone() else { return };
        let now = observation.at;
        self.round += 1;
        match &observation.outcome {
            Outcome::Known(findings) => {
                self.end_trouble(now, step);
                for finding in findings {
                    self.enter(source, &policy, finding, now, limits, step);
                }
                self.end_absent(&policy, now, step);
            }
            Outcome::NoData => match policy.no_data {
                NoDataRule::Quiet => {
                    self.end_trouble(now, step);
                    self.end_absent(&policy, now, step);
                }
                NoDataRule::Keep => self.end_trouble(now, step),
                NoDataRule::Tell => {
                    self.trouble(source, &policy, AlertState::NoData, None, now, step);
                }
            },
            Outcome::Failed(error) => {
                let error = Some(crate::text::cut(error.clone(), 2_000));
                self.trouble(source, &policy, AlertState::Error, error, now, step);
            }
        }
    }

    /// Enters one group for which the condition holds.
    fn enter(
        &mut self,
        source: &SourceId,
        policy: &Policy,
        finding: &Finding,
        now: Timestamp,
        limits: &BookLimits,
        step: &mut Step,
    ) {
        let round = self.round;
        let (said_since, is_firing) = match finding.phase {
            Phase::Pending { since } => (since, false),
            Phase::Firing { since } => (since, true),
        };
        let Some(live) = self.live.get_mut(&finding.key) else {
            if self.live.len() >= limits.keys_max {
                step.ignored += 1;
                return;
            }
            let mut alert = new_alert(source, policy, finding.key.clone(), now, "group");
            alert.since = said_since.min(now);
            alert.value = finding.value;
            alert.annotations.clone_from(&finding.annotations);
            if is_firing && elapsed(alert.since, now) >= policy.hold {
                alert.state = AlertState::Active;
                alert.started = Some(now);
            }
            let live = Live::open(alert, round, step);
            self.live.insert(finding.key.clone(), live);
            return;
        };
        live.round = round;
        live.alert.seen = now;
        live.alert.value = finding.value;
        if live.alert.annotations != finding.annotations {
            live.alert.annotations.clone_from(&finding.annotations);
        }
        if live.absent_since.take().is_some() {
            live.is_dirty = true;
        }
        if live.alert.state != AlertState::Pending {
            // A rule that lost its memory says pending again; the condition holds, so nothing is over.
            return;
        }
        if !is_firing {
            live.alert.since = said_since.min(now);
        } else if elapsed(live.alert.since, now) >= policy.hold {
            live.alert.started = Some(now);
            live.change(AlertState::Active, step);
        }
    }

    /// Ends what the evaluation did not mention.
    fn end_absent(&mut self, policy: &Policy, now: Timestamp, step: &mut Step) {
        let round = self.round;
        let mut over = Vec::new();
        for (key, live) in &mut self.live {
            if live.round == round {
                continue;
            }
            if live.is_firing() && !policy.keep_firing.is_zero() {
                let since = live.absent_since.get_or_insert_with(|| {
                    live.is_dirty = true;
                    now
                });
                if elapsed(*since, now) < policy.keep_firing {
                    continue;
                }
            }
            over.push(key.clone());
        }
        // In the order of their keys, so that the same evaluation always tells the same.
        over.sort_unstable();
        for key in over {
            if let Some(live) = self.live.remove(&key) {
                self.end(live, AlertState::Completed, now, step);
            }
        }
    }

    /// Ends an alert, and keeps it until its end is told if it was told itself.
    fn end(&mut self, mut live: Live, state: AlertState, now: Timestamp, step: &mut Step) {
        let was_pending = live.alert.state == AlertState::Pending;
        live.alert.ended = Some(now);
        live.change(state, step);
        if was_pending {
            step.rows.dropped.push(live.alert.id);
            return;
        }
        step.rows.over.push(live.alert.clone());
        if live.was_told() {
            self.ended.push(live);
            self.is_dirty = true;
        }
    }

    /// Notes that it cannot be told whether the condition holds.
    fn trouble(
        &mut self,
        source: &SourceId,
        policy: &Policy,
        state: AlertState,
        error: Option<String>,
        now: Timestamp,
        step: &mut Step,
    ) {
        let Some(live) = &mut self.trouble else {
            let mut alert = new_alert(source, policy, Labels::empty(), now, "trouble");
            alert.state = state;
            alert.error = error;
            self.trouble = Some(Live::open(alert, self.round, step));
            return;
        };
        live.alert.seen = now;
        live.alert.error = error;
        if live.alert.state != state {
            live.change(state, step);
        }
    }

    fn end_trouble(&mut self, now: Timestamp, step: &mut Step) {
        if let Some(live) = self.trouble.take() {
            self.end(live, AlertState::Completed, now, step);
        }
    }

    /// Ends everything, because the definition is gone.
    pub(super) fn delete_all(&mut self, now: Timestamp, step: &mut Step) {
        let mut live: Vec<Live> = self.live.drain().map(|(_, live)| live).collect();
        live.sort_by(|a, b| a.alert.key.cmp(&b.alert.key));
        for live in live.into_iter().chain(self.trouble.take()) {
            self.end(live, AlertState::Deleted, now, step);
        }
    }
}

fn new_alert(
    source: &SourceId,
    policy: &Policy,
    key: Labels,
    now: Timestamp,
    what: &'static str,
) -> Alert {
    Alert {
        id: id::of(&(source, &key, now, what)),
        version: 1,
        source: source.clone(),
        key,
        definition_name: policy.definition_name.clone(),
        name: policy.name.clone(),
        severity: policy.severity,
        state: AlertState::Pending,
        since: now,
        started: None,
        ended: None,
        acknowledged: None,
        seen: now,
        told: None,
        value: None,
        error: None,
        annotations: Vec::new(),
    }
}
