//! A target at work: its series, what it says of its metrics, and how its last scrape went.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pampero_promql::format_duration;
use pampero_series::{Labels, LabelsBuilder};
use url::Url;

use crate::metadata::MetadataBook;
use crate::options::{HistoryOptions, SelfScrape};
use crate::scrape::intake::{Answer, Intake, IntakeError, Timing};
use crate::scrape::target::{ScrapeLimits, ScrapeTarget, offset};
use crate::scrape::text::ScrapeFormat;
use crate::state::{Health, TargetState};
use crate::writer::{Writer, chain};

/// A target that is scraped on its schedule.
#[derive(Debug)]
pub(crate) struct Target {
    /// Where it is scraped; `None` for the program itself.
    pub(crate) http: Option<(ScrapeTarget, Url)>,
    pub(crate) interval: Duration,
    pub(crate) offset: Duration,
    /// One scrape at a time.
    intake: Mutex<Intake>,
    metadata: Mutex<MetadataBook>,
    state: Mutex<TargetState>,
}

impl Target {
    /// Makes the target that is the program itself.
    pub(crate) fn own(own: &SelfScrape, options: &HistoryOptions) -> Self {
        let labels: Labels = [("job", &own.job), ("instance", &own.instance)].into_iter().collect();
        let mut discovered = LabelsBuilder::from(&labels);
        for (name, value) in [
            ("__address__", own.instance.as_str()),
            ("__scheme__", "http"),
            ("__metrics_path__", "/metrics"),
            ("__scrape_interval__", &format_duration(own.interval)),
            ("__scrape_timeout__", &format_duration(own.interval)),
        ] {
            discovered.set(name, value);
        }
        let limits = ScrapeLimits { samples_max: own.sample_limit, ..ScrapeLimits::default() };
        let state = TargetState {
            job: own.job.clone(),
            labels: labels.clone(),
            discovered_labels: discovered.build(),
            scrape_url: format!("http://{}/metrics", own.instance),
            last_scrape_ms: None,
            last_duration: Duration::ZERO,
            last_error: None,
            health: Health::Unknown,
            interval: own.interval,
            timeout: own.interval,
        };
        Self::new(None, Intake::new(labels, limits), state, options)
    }

    /// Makes a target that is scraped over HTTP.
    pub(crate) fn over_http(target: &ScrapeTarget, options: &HistoryOptions) -> Self {
        let (labels, url) = (target.target_labels(), target.scrape_url());
        let mut intake = Intake::new(labels.clone(), target.limits);
        intake.honor_labels = target.honor_labels;
        intake.honor_timestamps = target.honor_timestamps;
        intake.relabel = target.metric_relabel.clone();
        let state = TargetState {
            job: target.job.clone(),
            labels,
            discovered_labels: target.discovered_labels(),
            scrape_url: url.to_string(),
            last_scrape_ms: None,
            last_duration: Duration::ZERO,
            last_error: None,
            health: Health::Unknown,
            interval: target.interval,
            timeout: target.timeout,
        };
        Self::new(Some((target.clone(), url)), intake, state, options)
    }

    fn new(
        http: Option<(ScrapeTarget, Url)>,
        intake: Intake,
        state: TargetState,
        options: &HistoryOptions,
    ) -> Self {
        let offset = offset(&intake.labels, &state.scrape_url, state.interval);
        Self {
            http,
            interval: state.interval,
            offset,
            intake: Mutex::new(intake),
            metadata: Mutex::new(MetadataBook::new(options.metadata_max)),
            state: Mutex::new(state),
        }
    }

    /// Returns how the target does.
    pub(crate) fn state(&self) -> TargetState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets `read` look at what the target says of its metrics.
    pub(crate) fn with_metadata<T>(&self, read: impl FnOnce(&MetadataBook) -> T) -> T {
        read(&self.metadata.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps what the target answered, or that it did not. Blocks until it is on disk.
    pub(crate) fn record(
        &self,
        writer: &Writer,
        answer: Result<(Vec<u8>, ScrapeFormat), String>,
        timing: Timing,
    ) {
        let (body, mut trouble) = match &answer {
            Ok((body, format)) => (Some(Answer { body, format: *format }), None),
            Err(error) => (None, Some(error.clone())),
        };
        let result = {
            let mut intake = self.intake.lock().unwrap_or_else(PoisonError::into_inner);
            let mut metadata = self.metadata.lock().unwrap_or_else(PoisonError::into_inner);
            intake.record(writer, &mut metadata, body, timing)
        };
        match result {
            Ok(()) => {}
            // The target is well; that nothing is kept is told by whoever keeps it.
            Err(error @ IntakeError::Append(_)) if trouble.is_none() => {
                return self.note(timing, Health::Good, Some(chain(&error)));
            }
            Err(error) => trouble = trouble.or_else(|| Some(chain(&error))),
        }
        let health = if trouble.is_none() { Health::Good } else { Health::Bad };
        self.note(timing, health, trouble);
    }

    fn note(&self, timing: Timing, health: Health, trouble: Option<String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (job, url) = (&state.job, &state.scrape_url);
        match (state.health, health) {
            (Health::Good | Health::Unknown, Health::Bad) => {
                let error = trouble.as_deref().unwrap_or_default();
                tracing::warn!(target.job = job, target.url = url, error, "target is down");
            }
            (Health::Bad, Health::Good) => {
                tracing::info!(target.job = job, target.url = url, "target is up again");
            }
            _ => {}
        }
        state.last_scrape_ms = Some(timing.at_ms);
        state.last_duration = timing.duration;
        state.last_error = trouble;
        state.health = health;
    }
}
