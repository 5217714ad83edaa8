//! What is to be told now, from what is and from what was told before.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use pampero_series::Labels;

use super::{BookLimits, Live, Source, Step, elapsed, escalation_id};
use crate::alert::{Alert, AlertState, Notice, NoticeKind};
use crate::mute::Mutes;
use crate::policy::{ActionPolicy, Policy};

/// Most alerts that one notice names.
const NAMED_MAX: usize = 100;

/// Channels that are told again and again, and how often.
pub(super) type Repeating<'r> = (&'r HashSet<String>, Duration);

/// The circumstances under which something is told.
struct Telling<'t> {
    now: Timestamp,
    repeating: Repeating<'t>,
    step: &'t mut Step,
}

impl Source {
    /// Tells what is due.
    ///
    /// First what is over, so that the same alert that is over and there again ends as there.
    pub(super) fn tell(
        &mut self,
        now: Timestamp,
        mutes: &Mutes,
        repeating: Repeating<'_>,
        limits: &BookLimits,
        step: &mut Step,
    ) {
        let policy = self.policy.clone();
        let mutes_now = mutes.at(now);
        for live in self.live.values_mut().chain(&mut self.trouble).chain(&mut self.ended) {
            let can_be_told = live.alert.state != AlertState::Pending;
            live.is_muted = can_be_told && mutes_now.cover(&live.alert, policy.as_deref());
        }
        let mut telling = Telling { now, repeating, step };
        let recovery = policy.as_deref().is_none_or(|policy| policy.recovery);
        self.tell_ended(recovery, limits, &mut telling);
        let Some(policy) = policy else { return };
        for action in &policy.actions {
            self.tell_fired(action, &mut telling);
            self.tell_trouble(action, &policy, &mut telling);
        }
        self.tell_escalations(&policy, &mut telling);
        self.tell_reminders(&policy, &mut telling);
    }

    /// Tells that what was told is over.
    fn tell_ended(&mut self, recovery: bool, limits: &BookLimits, telling: &mut Telling<'_>) {
        if self.ended.is_empty() {
            return;
        }
        let (held, over): (Vec<Live>, Vec<Live>) =
            std::mem::take(&mut self.ended).into_iter().partition(|live| live.is_muted);
        self.is_dirty |= !over.is_empty();
        self.ended = held;
        let excess = self.ended.len().saturating_sub(limits.ended_max);
        self.ended.drain(..excess);
        // What could not be told has notices of its own: its end means something else.
        let mut by_action: BTreeMap<(bool, Box<str>), Vec<Alert>> = BTreeMap::new();
        for live in over {
            let is_trouble = live.alert.started.is_none();
            for told in live.told.iter().filter(|told| told.at.is_some()) {
                let key = (is_trouble, told.action.clone());
                by_action.entry(key).or_default().push(live.alert.clone());
            }
        }
        for ((_, action), alerts) in by_action {
            let is_repeating = self
                .actions
                .get(&*action)
                .is_some_and(|state| telling.repeating.0.contains(&state.channel));
            // Without a word that it is over, such a receiver would be told so by the silence anyway.
            if recovery || is_repeating {
                self.tell_of(NoticeKind::Recovered, &action, alerts, 0, telling);
            }
        }
    }

    /// Tells what became active and was not told yet, as far as the throttle lets it.
    fn tell_fired(&mut self, action: &ActionPolicy, telling: &mut Telling<'_>) {
        let id = action.id.as_str();
        let untold = |live: &Live| {
            live.alert.state == AlertState::Active && !live.is_muted && live.told_at(id).is_none()
        };
        let keys = self.keys_where(untold);
        if keys.is_empty() {
            return;
        }
        let state = self.actions.entry(action.id.clone()).or_default();
        if is_throttled(action, state.fired, telling.now) {
            let news: Vec<Labels> = keys
                .into_iter()
                .filter(|key| self.live.get(key).is_some_and(|live| live.told_by(id).is_none()))
                .collect();
            if !news.is_empty() {
                self.is_dirty = true;
                state.throttled += 1;
                telling.step.throttled += 1;
                self.note_all(&news, id, None);
            }
            return;
        }
        self.is_dirty = true;
        state.fired = Some(telling.now);
        let throttled = std::mem::take(&mut state.throttled);
        self.note_all(&keys, id, Some(telling.now));
        let alerts = self.alerts_at(&keys);
        self.tell_of(NoticeKind::Fired, id, alerts, throttled, telling);
    }

    /// Tells that something cannot be told, once it lasts as long as the policy holds findings.
    fn tell_trouble(&mut self, action: &ActionPolicy, policy: &Policy, telling: &mut Telling<'_>) {
        let Some(live) = &mut self.trouble else { return };
        let lasts = elapsed(live.alert.since, telling.now) >= policy.hold;
        if live.is_muted || !lasts || live.told_at(&action.id).is_some() {
            return;
        }
        let state = self.actions.entry(action.id.clone()).or_default();
        if is_throttled(action, state.troubled, telling.now) {
            if live.told_by(&action.id).is_none() {
                live.note(&action.id, None);
                telling.step.throttled += 1;
            }
            return;
        }
        self.is_dirty = true;
        state.troubled = Some(telling.now);
        live.note(&action.id, Some(telling.now));
        let kind = match live.alert.state {
            AlertState::NoData => NoticeKind::NoData,
            _ => NoticeKind::Failed,
        };
        let alerts = vec![live.alert.clone()];
        self.tell_of(kind, &action.id, alerts, 0, telling);
    }

    /// Tells further people what nobody acknowledged for so long, once each.
    fn tell_escalations(&mut self, policy: &Policy, telling: &mut Telling<'_>) {
        for (index, escalation) in policy.escalations.iter().enumerate() {
            let id = escalation_id(index);
            let now = telling.now;
            let due = |live: &Live| {
                live.alert.state == AlertState::Active
                    && !live.is_muted
                    && live.told_by(&id).is_none()
                    && live.alert.started.is_some_and(|at| elapsed(at, now) >= escalation.after)
            };
            let keys = self.keys_where(due);
            if !keys.is_empty() {
                self.note_all(&keys, &id, Some(now));
                let alerts = self.alerts_at(&keys);
                self.tell_of(NoticeKind::Escalated, &id, alerts, 0, telling);
            }
        }
    }

    /// Tells again what goes on. Once one alert is due, all that were told are told with it, so that
    /// two reminders are never closer than the interval.
    fn tell_reminders(&mut self, policy: &Policy, telling: &mut Telling<'_>) {
        let now = telling.now;
        let actions: Vec<(String, bool)> = self
            .actions
            .iter()
            .map(|(id, state)| (id.clone(), telling.repeating.0.contains(&state.channel)))
            .collect();
        for (id, is_repeating) in actions {
            let is_action = policy.actions.iter().any(|action| action.id == id);
            let own = policy.reminder.filter(|_| is_action);
            let repeat = is_repeating.then_some(telling.repeating.1);
            let Some(interval) = own.into_iter().chain(repeat).min() else { continue };
            let can_be_told = |live: &Live| match is_repeating {
                true => live.is_firing(),
                false => live.alert.state == AlertState::Active && !live.is_muted,
            };
            let is_due = |live: &Live| {
                can_be_told(live)
                    && live.told_at(&id).is_some_and(|at| elapsed(at, now) >= interval)
            };
            if is_repeating
                && let Some(live) = self.trouble.as_mut()
                && live.told_at(&id).is_some_and(|at| elapsed(at, now) >= interval)
            {
                live.note(&id, Some(now));
                let alerts = vec![live.alert.clone()];
                self.tell_of(NoticeKind::Reminder, &id, alerts, 0, telling);
            }
            if !self.live.values().any(is_due) {
                continue;
            }
            let keys = self.keys_where(|live| can_be_told(live) && live.told_at(&id).is_some());
            self.note_all(&keys, &id, Some(now));
            let alerts = self.alerts_at(&keys);
            self.tell_of(NoticeKind::Reminder, &id, alerts, 0, telling);
        }
    }

    /// Makes the notices of alerts that are told together through an action.
    fn tell_of(
        &self,
        kind: NoticeKind,
        action: &str,
        mut alerts: Vec<Alert>,
        throttled: u64,
        telling: &mut Telling<'_>,
    ) {
        let Some(state) = self.actions.get(action) else { return };
        let begun = |alert: &Alert| alert.started.unwrap_or(alert.since);
        alerts.sort_by(|a, b| begun(a).cmp(&begun(b)).then_with(|| a.key.cmp(&b.key)));
        let firing = || self.live.values().filter(|live| live.is_firing());
        let lasts = |alert: &Alert| elapsed(begun(alert), alert.ended.unwrap_or(telling.now));
        let mut notice = Notice {
            kind,
            action: action.to_owned(),
            channel: state.channel.clone(),
            count: alerts.len(),
            active_count: firing().count(),
            open_count: firing().filter(|live| live.told_at(action).is_some()).count(),
            since: alerts.iter().map(begun).min().unwrap_or(telling.now),
            lasted: alerts.iter().map(lasts).max().unwrap_or_default(),
            at: telling.now,
            throttled,
            alerts,
        };
        if !telling.repeating.0.contains(&state.channel) {
            notice.alerts.truncate(NAMED_MAX);
            telling.step.notices.push(notice);
            return;
        }
        // A receiver that knows single alerts has to get every one of them.
        for part in notice.alerts.chunks(NAMED_MAX) {
            let (alerts, count) = (part.to_vec(), part.len());
            telling.step.notices.push(Notice { alerts, count, ..without_alerts(&notice) });
        }
    }

    fn keys_where(&self, is_wanted: impl Fn(&Live) -> bool) -> Vec<Labels> {
        let wanted = self.live.iter().filter(|(_, live)| is_wanted(live));
        wanted.map(|(key, _)| key.clone()).collect()
    }

    fn note_all(&mut self, keys: &[Labels], action: &str, at: Option<Timestamp>) {
        for key in keys {
            if let Some(live) = self.live.get_mut(key) {
                live.note(action, at);
            }
        }
    }

    fn alerts_at(&self, keys: &[Labels]) -> Vec<Alert> {
        let found = keys.iter().filter_map(|key| self.live.get(key));
        found.map(|live| live.alert.clone()).collect()
    }
}

fn without_alerts(notice: &Notice) -> Notice {
    Notice { alerts: Vec::new(), action: notice.action.clone(), ..notice.clone() }
}

fn is_throttled(action: &ActionPolicy, last: Option<Timestamp>, now: Timestamp) -> bool {
    match (action.throttle, last) {
        (Some(throttle), Some(last)) => elapsed(last, now) < throttle,
        _ => false,
    }
}
