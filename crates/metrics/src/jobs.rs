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
use crate::rules::{Desk, GroupAtWork};
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
        let groups = Arc::new(Semaphore::new(self.options().rule_groups_max.max(1)));
        for group in self.grouped_rules() {
            let (history, jobs_of_task) = (self.clone(), jobs.clone());
            let (group, permits) = (group.clone(), groups.clone());
            jobs.tracker.spawn(async move {
                let cancel = jobs_of_task.cancel.clone();
                let work = evaluate_on_schedule(&history, &group, &permits, &jobs_of_task);
                cancel.run_until_cancelled(work).await;
            });
        }
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

async fn evaluate_on_schedule(
    history: &History,
    group: &Arc<GroupAtWork>,
    permits: &Semaphore,
    jobs: &Jobs,
) {
    let mut schedule = Schedule::new(group.interval, group.offset);
    let cancel = CancelOnDrop(Cancel::new());
    loop {
        let turn = schedule.next(history.now_ms());
        group.count_missed(turn.missed);
        tokio::time::sleep(turn.wait).await;
        let Ok(_permit) = permits.acquire().await else { return };
        let at_ms = turn.stamp_ms(history.now_ms());
        let (history, group, cancel) = (history.clone(), group.clone(), cancel.0.clone());
        let work = move || {
            let (engine, store, writer) = (history.engine(), history.store(), history.writer());
            group.evaluate(Desk { engine, store, writer, cancel: &cancel }, at_ms);
        };
        if let Err(error) = jobs.tracker.spawn_blocking(work).await {
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

#[cfg(test)]
mod tests;
