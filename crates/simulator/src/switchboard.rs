//! Which fault is on for whom, and what was asked: the state behind the stand-ins.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pampero_weather::provider::ProviderId;
use serde::Serialize;

use crate::config::Now;
use crate::counts::RequestCounts;
use crate::fault::Fault;
use crate::schedule::ScheduledFault;

/// A fault that is on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActiveFault {
    /// Who plays it, as in `open_meteo`.
    pub provider: &'static str,
    /// What is played.
    pub fault: Fault,
    /// Who switched it on.
    pub switched_by: SwitchedBy,
    /// When it began.
    pub since: Timestamp,
    /// When it ends; `None` when it stays until it is switched off.
    pub until: Option<Timestamp>,
    /// The share of requests that are hit.
    pub share: f64,
}

/// Who switched a fault on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SwitchedBy {
    /// The schedule.
    Schedule,
    /// The control API or the program; comes before the schedule.
    Hand,
}

/// A fault to be switched on by hand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Switch {
    pub(crate) fault: Fault,
    pub(crate) lasting: Option<Duration>,
    pub(crate) share: f64,
}

/// Which fault is on for whom, and what was asked.
pub(crate) struct Switchboard {
    now: Now,
    started_at: Timestamp,
    schedule: Vec<ScheduledFault>,
    lines: [Mutex<Line>; ProviderId::ALL.len()],
}

/// The state of one provider.
#[derive(Default)]
struct Line {
    by_hand: Option<ActiveFault>,
    counts: RequestCounts,
    /// Requests seen while a fault with a share was on; decides who is hit.
    shared: u64,
}

impl Switchboard {
    pub(crate) fn new(now: Now, schedule: Vec<ScheduledFault>) -> Self {
        let started_at = now();
        Self { now, started_at, schedule, lines: Default::default() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    pub(crate) fn schedule(&self) -> &[ScheduledFault] {
        &self.schedule
    }

    fn line(&self, provider: ProviderId) -> MutexGuard<'_, Line> {
        let index = ProviderId::ALL.iter().position(|id| *id == provider).unwrap_or_default();
        self.lines[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn switch(&self, provider: ProviderId, switch: Option<Switch>) {
        let since = self.now();
        let by_hand = switch.map(|switch| ActiveFault {
            provider: provider.as_str(),
            fault: switch.fault,
            switched_by: SwitchedBy::Hand,
            since,
            until: switch.lasting.map(|lasting| later(since, lasting)),
            share: switch.share,
        });
        let mut line = self.line(provider);
        line.by_hand = by_hand;
        line.shared = 0;
    }

    /// Returns the fault that is on for `provider`, whether or not the next request is hit.
    pub(crate) fn active(&self, provider: ProviderId) -> Option<ActiveFault> {
        let now = self.now();
        let by_hand = self.line(provider).by_hand.clone();
        let still_on = by_hand.filter(|active| active.until.is_none_or(|until| now < until));
        still_on.or_else(|| self.scheduled(provider, now))
    }

    fn scheduled(&self, provider: ProviderId, now: Timestamp) -> Option<ActiveFault> {
        let elapsed = Duration::try_from(now.duration_since(self.started_at)).ok()?;
        self.schedule.iter().filter(|entry| entry.provider == provider).find_map(|entry| {
            let (begin, end) = entry.when.play_at(elapsed)?;
            Some(ActiveFault {
                provider: provider.as_str(),
                fault: entry.fault.clone(),
                switched_by: SwitchedBy::Schedule,
                since: later(self.started_at, begin),
                until: end.map(|end| later(self.started_at, end)),
                share: entry.share,
            })
        })
    }

    /// Returns the fault to be played on the request that has just arrived.
    pub(crate) fn fault_for_request(&self, provider: ProviderId) -> Option<ActiveFault> {
        let active = self.active(provider)?;
        let mut line = self.line(provider);
        if active.share < 1.0 {
            line.shared += 1;
            if !is_hit(line.shared, active.share) {
                return None;
            }
        }
        *line.counts.by_fault.entry(active.fault.kind()).or_default() += 1;
        Some(active)
    }

    pub(crate) fn counts(&self, provider: ProviderId) -> RequestCounts {
        self.line(provider).counts.clone()
    }

    /// Switches off every fault that was switched on by hand and forgets what was asked.
    pub(crate) fn reset(&self) {
        for provider in ProviderId::ALL {
            let mut line = self.line(provider);
            line.by_hand = None;
            line.shared = 0;
            // Requests in flight stay counted: they will still end.
            let in_flight = line.counts.in_flight;
            line.counts =
                RequestCounts { in_flight, in_flight_max: in_flight, ..Default::default() };
        }
    }

    /// Counts a request as arrived; the ticket counts its end.
    pub(crate) fn arrive(self: &Arc<Self>, provider: ProviderId, seen: Seen) -> Ticket {
        let mut line = self.line(provider);
        let counts = &mut line.counts;
        counts.total += 1;
        counts.in_flight += 1;
        counts.in_flight_max = counts.in_flight_max.max(counts.in_flight);
        counts.last_query = Some(seen.query);
        counts.last_user_agent = seen.user_agent;
        counts.last_if_modified_since = seen.if_modified_since;
        drop(line);
        Ticket { board: Arc::clone(self), provider, status: None }
    }
}

/// What is kept of a request.
pub(crate) struct Seen {
    pub(crate) query: String,
    pub(crate) user_agent: Option<String>,
    pub(crate) if_modified_since: Option<String>,
}

/// A request being answered. Dropped without a status, it counts as unanswered.
pub(crate) struct Ticket {
    board: Arc<Switchboard>,
    provider: ProviderId,
    status: Option<u16>,
}

impl Ticket {
    pub(crate) fn answered(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut line = self.board.line(self.provider);
        let counts = &mut line.counts;
        counts.in_flight = counts.in_flight.saturating_sub(1);
        match self.status {
            Some(status) => *counts.by_status.entry(status).or_default() += 1,
            None => counts.unanswered += 1,
        }
    }
}

/// Tells whether the `count`th request (from 1) is hit, so that hits are spread evenly.
fn is_hit(count: u64, share: f64) -> bool {
    let hits = |requests: u64| (requests as f64 * share).floor();
    hits(count) > hits(count.saturating_sub(1))
}

/// Adds a length of time to an instant; stays at the last instant that can be written.
fn later(instant: Timestamp, length: Duration) -> Timestamp {
    instant.checked_add(length).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_a_quarter_hits_each_fourth_request() {
        let hits: Vec<u64> = (1..=12).filter(|count| is_hit(*count, 0.25)).collect();
        assert_eq!(hits, [4, 8, 12]);
    }
}
