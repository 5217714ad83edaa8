//! The work that comes back: scrapes, groups of rules, maintenance. Each on its own schedule, none
//! of them twice at once, all of them within bounds.
//!
//! A series that a target had before the program was restarted and does not have afterwards gets no
//! marker, as with Prometheus: it ends with the look-back of queries, five minutes later.

use std::sync::Arc;
use std::time::Duration;

use pampero_promql::Cancel;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::history::History;
use crate::rules::{AlertSink, Desk, GroupAtWork, Replaced};
use crate::schedule::{Schedule, Turn};
use crate::scrape::fetch::fetch;
use crate::scrape::intake::Timing;
use crate::scrape::text::ScrapeFormat;
use crate::target::Target;
use crate::writer::chain;

/// From one maintenance to the next.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60);

/// Most pieces of maintenance in a row, before it waits for its next turn.
const PIECES_MAX: usize = 1000;

/// Writes the metrics of the program as Prometheus text 0.0.4.
pub type Exposition = Arc<dyn Fn() -> String + Send + Sync>;

/// What the jobs need beside the history.
#[derive(Clone)]
pub struct Jobs {
    /// Writes the metrics of the program; called from threads that may block.
    pub exposition: Exposition,
    /// Is told what alerting rules find; `None` when nobody is.
    pub alerts: Option<Arc<dyn AlertSink>>,
    /// Asks targets. It should follow no redirects and use no proxy for local addresses.
    pub client: reqwest::Client,
    /// Owns every task.
    pub tracker: TaskTracker,
    /// Ends all of them; nothing is marked as gone then.
    pub cancel: CancellationToken,
}

impl History {
    /// Starts scrapes, rules and maintenance on the tracker.
    pub fn start(&self, jobs: &Jobs) {
        let scrapes = Arc::new(Semaphore::new(self.options().scrapes_max.max(1)));
        for target in self.scraped() {
            let (history, jobs_of_task) = (self.clone(), jobs.clone());
            let (target, permits) = (target.clone(), scrapes.clone());
            jobs.tracker.spawn(async move {
                let cancel = jobs_of_task.cancel.clone();
                let work = scrape_on_schedule(&history, &target, &permits, &jobs_of_task);
                cancel.run_until_cancelled(work).await;
            });
        }
        let starter = Starter {
            tracker: jobs.tracker.clone(),
            cancel: jobs.cancel.clone(),
            sink: jobs.alerts.clone(),
            permits: Arc::new(Semaphore::new(self.options().rule_groups_max.max(1))),
        };
        self.set_starter(Some(starter.clone()));
        for group in self.roster().groups().iter() {
            starter.begin(self, Arc::clone(group));
        }
        // What is told of alerts may hold this history, which would never be let go then.
        let (history, cancel) = (self.clone(), jobs.cancel.clone());
        jobs.tracker.spawn(async move {
            cancel.cancelled().await;
            history.set_starter(None);
        });
        let (history, jobs_of_task) = (self.clone(), jobs.clone());
        jobs.tracker.spawn(async move {
            let cancel = jobs_of_task.cancel.clone();
            cancel.run_until_cancelled(maintain_on_schedule(&history, &jobs_of_task)).await;
        });
    }
}

async fn scrape_on_schedule(
    history: &History,
    target: &Arc<Target>,
    permits: &Semaphore,
    jobs: &Jobs,
) {
    let mut schedule = Schedule::new(target.interval, target.offset);
    loop {
        let turn = schedule.next(history.now_ms());
        tokio::time::sleep(turn.wait).await;
        let Ok(_permit) = permits.acquire().await else { return };
        scrape(history, target, turn, jobs).await;
    }
}

/// Scrapes once, and keeps what comes of it.
async fn scrape(history: &History, target: &Arc<Target>, turn: Turn, jobs: &Jobs) {
    let at_ms = turn.stamp_ms(history.now_ms());
    let started = Instant::now();
    let fetched = match &target.http {
        Some((http, url)) => {
            let answer = fetch(&jobs.client, http, url).await;
            Some((answer.map_err(|error| error.to_string()), started.elapsed()))
        }
        None => None,
    };
    let (target, writer) = (target.clone(), history.writer().clone());
    let exposition = jobs.exposition.clone();
    let work = move || {
        let (answer, duration) = fetched.unwrap_or_else(|| {
            let text = exposition().into_bytes();
            (Ok((text, ScrapeFormat::PrometheusText)), started.elapsed())
        });
        target.record(&writer, answer, Timing { at_ms, duration });
    };
    if let Err(error) = jobs.tracker.spawn_blocking(work).await {
        tracing::error!(error = chain(&error), "scrape failed");
    }
}

/// Puts groups of rules to work.
#[derive(Clone)]
pub(crate) struct Starter {
    tracker: TaskTracker,
    cancel: CancellationToken,
    sink: Option<Arc<dyn AlertSink>>,
    permits: Arc<Semaphore>,
}

impl Starter {
    /// Evaluates a group on its schedule from now on.
    fn begin(&self, history: &History, group: Arc<GroupAtWork>) {
        let (history, starter) = (history.clone(), self.clone());
        self.tracker.spawn(async move {
            let (stop, cancel) = (group.stop.clone(), starter.cancel.clone());
            let work = evaluate_on_schedule(&history, &group, &starter);
            cancel.run_until_cancelled(stop.run_until_cancelled(work)).await;
        });
    }

    /// Does what is to be done after groups were replaced.
    pub(crate) fn carry_on(&self, history: &History, replaced: Replaced) {
        for group in replaced.begun {
            self.begin(history, group);
        }
        for ended in replaced.ended {
            let (history, starter) = (history.clone(), self.clone());
            self.tracker.spawn(async move {
                let wait = tokio::time::sleep(ended.wait);
                if starter.cancel.run_until_cancelled(wait).await.is_none() {
                    return;
                }
                let work = move || history.roster().end_series(history.writer(), ended);
                if let Err(error) = starter.tracker.spawn_blocking(work).await {
                    tracing::error!(error = chain(&error), "series of rules were not ended");
                }
            });
        }
    }
}

/// Evaluates a group at its times; an evaluation that is late is stamped with the time it was due,
/// as in Prometheus.
async fn evaluate_on_schedule(history: &History, group: &Arc<GroupAtWork>, starter: &Starter) {
    let mut schedule = Schedule::new(group.interval, group.offset);
    let _cancel = CancelOnDrop(group.cancel.clone());
    loop {
        tokio::time::sleep(schedule.following(history.now_ms()).wait).await;
        let turn = schedule.settle(history.now_ms());
        group.count_missed(turn.missed);
        let Ok(_permit) = starter.permits.acquire().await else { return };
        let (history, group, sink) = (history.clone(), group.clone(), starter.sink.clone());
        let work = move || {
            let (engine, store, writer) = (history.engine(), history.store(), history.writer());
            let now_ms = history.now_ms();
            let desk = Desk { engine, store, writer, sink: sink.as_deref(), now_ms };
            group.evaluate(desk, turn.due_ms);
        };
        if let Err(error) = starter.tracker.spawn_blocking(work).await {
            tracing::error!(error = chain(&error), "evaluation of rules failed");
        }
    }
}

/// Ends the evaluation that is going on when its task is dropped.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

async fn maintain_on_schedule(history: &History, jobs: &Jobs) {
    let mut schedule = Schedule::new(MAINTENANCE_INTERVAL, MAINTENANCE_INTERVAL / 2);
    loop {
        tokio::time::sleep(schedule.next(history.now_ms()).wait).await;
        let (history, cancel) = (history.clone(), jobs.cancel.clone());
        let work = move || maintain(&history, &cancel);
        if let Err(error) = jobs.tracker.spawn_blocking(work).await {
            tracing::error!(error = chain(&error), "maintenance of the metric history failed");
        }
    }
}

fn maintain(history: &History, cancel: &CancellationToken) {
    for _ in 0..PIECES_MAX {
        match history.store().maintain(history.now_ms()) {
            Ok(done) if done.more && !cancel.is_cancelled() => {}
            Ok(_) => return,
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(error, "metric history is not tidied up; it will be tried again");
                return;
            }
        }
    }
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Jobs").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Starter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Starter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
