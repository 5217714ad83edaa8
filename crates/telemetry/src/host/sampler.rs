//! One round over the collectors: how long each took, whether it worked, and what it found.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pampero_resilience::Clock;
use tracing::{debug, info, warn};

use super::Host;
use super::collector::Collector;
use super::families::{Families, Kind};
use super::options::{HostError, HostOptions};

/// A collector has nothing to show.
#[derive(Debug, thiserror::Error)]
pub(super) enum SampleError {
    /// The machine lacks what the collector looks for, which is no fault.
    #[error("the machine has no {0}")]
    Absent(&'static str),
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot understand {text:?} in {path}")]
    Malformed { path: PathBuf, text: String },
    #[error("the file systems do not tell their size in time")]
    #[cfg(any(not(target_os = "linux"), test))]
    Hanging,
    #[error("cannot start a thread that asks file systems for their size")]
    Thread(#[source] io::Error),
}

/// Runs the collectors and remembers how each went the last time.
#[derive(Debug)]
pub(super) struct Sampler {
    host: Host,
    families: Families,
    runs: Vec<Run>,
    /// When the last look began; `None` before the first one.
    sampled_at: Option<Instant>,
    age_max: Duration,
}

#[derive(Debug)]
struct Run {
    collector: Collector,
    /// `None` before the first run.
    worked: Option<bool>,
    duration_seconds: f64,
}

impl Sampler {
    pub(super) fn new(options: &HostOptions, clock: Arc<dyn Clock>) -> Result<Self, HostError> {
        let host = Host::new(options, clock)?;
        let chosen = options.collectors.iter().copied();
        let runs = chosen
            .filter(|collector| Host::knows(*collector))
            .map(|collector| Run { collector, worked: None, duration_seconds: 0.0 })
            .collect();
        let families = Families::default();
        Ok(Self { host, families, runs, sampled_at: None, age_max: options.sample_age_max })
    }

    /// Asks every collector once, unless that has been done just now.
    pub(super) fn sample(&mut self) -> &Families {
        if self.sampled_at.is_some_and(|at| at.elapsed() < self.age_max) {
            return &self.families;
        }
        self.sampled_at = Some(Instant::now());
        self.families.clear();
        for run in &mut self.runs {
            let mark = self.families.mark();
            let started = Instant::now();
            let outcome = self.host.sample(run.collector, &mut self.families);
            run.duration_seconds = started.elapsed().as_secs_f64();
            if outcome.is_err() {
                self.families.undo(mark);
            }
            run.note(outcome);
        }
        self.write_runs();
        &self.families
    }

    fn write_runs(&mut self) {
        let out = &mut self.families;
        out.family(
            Kind::Gauge,
            "node_scrape_collector_duration_seconds",
            "node_exporter: Duration of a collector scrape.",
        );
        for run in &self.runs {
            out.sample(&[("collector", run.collector.as_str())], run.duration_seconds);
        }
        out.family(
            Kind::Gauge,
            "node_scrape_collector_success",
            "node_exporter: Whether a collector succeeded.",
        );
        for run in &self.runs {
            let worked = run.worked == Some(true);
            out.sample(&[("collector", run.collector.as_str())], f64::from(u8::from(worked)));
        }
    }
}

impl Run {
    /// Remembers the outcome, and logs the first failure and the first success after one.
    fn note(&mut self, outcome: Result<(), SampleError>) {
        let before = self.worked.replace(outcome.is_ok());
        let collector = self.collector.as_str();
        match outcome {
            Ok(()) if before != Some(false) => {}
            Err(_) if before == Some(false) => {}
            Ok(()) => info!(host.collector = collector, "host collector works again"),
            Err(error @ SampleError::Absent(_)) => {
                debug!(host.collector = collector, cause = %error, "host collector has nothing to show");
            }
            Err(error) => {
                let error: &dyn Error = &error;
                warn!(host.collector = collector, error, "host collector failed");
            }
        }
    }
}
