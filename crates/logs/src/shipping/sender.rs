//! The task that takes documents out of the buffer and brings them to the cluster.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::buffer::Buffered;
use super::bulk::{ItemOutcome, index_of, request_body};
use super::dead_letters::DeadLetter;
use super::requests::{RequestError, Requests};
use super::{Shared, ShippingConfig};
use crate::path::{TEMPLATE_VERSION, index_template};

/// Longest reason of a refusal that is logged, in letters.
const REASON_LETTERS_MAX: usize = 300;
/// Shortest time between two lines of the log about refused documents.
const REFUSAL_QUIET: Duration = Duration::from_secs(600);

/// Sends one request at a time.
#[derive(Debug)]
pub(super) struct Sender {
    shared: Arc<Shared>,
    requests: Requests,
    chance: StdRng,
    /// Failures since the last success, which decide how long the next wait may be.
    failures: u32,
    /// Whether the template was looked after since the cluster was away last.
    is_prepared: bool,
    /// Dropped documents when the cluster went away; `None` while it is there.
    away_since: Option<u64>,
    /// When it was told last that documents were refused.
    refusal_told_at: Option<Instant>,
}

impl Sender {
    pub(super) fn new(shared: Arc<Shared>, http: reqwest::Client) -> Self {
        let chance = StdRng::seed_from_u64(shared.seed);
        Self {
            shared,
            requests: Requests { http },
            chance,
            failures: 0,
            is_prepared: false,
            away_since: None,
            refusal_told_at: None,
        }
    }

    /// Never returns. It may be dropped at any point: what was not let go of is sent again.
    pub(super) async fn send_on(&mut self) {
        // An earlier run may have been broken off with documents in its hands.
        while let Err(error) = self.blocking(|shared| shared.buffer.rewind()).await {
            self.tell_away(&error);
            self.wait(Duration::ZERO).await;
        }
        loop {
            let batch = self.next_batch().await;
            let Some(last) = batch.last().map(|document| document.number) else {
                self.wait_for_more().await;
                continue;
            };
            let is_full = self.is_full(&batch);
            self.deliver(batch).await;
            let let_go = self.blocking(move |shared| shared.buffer.let_go(last + 1)).await;
            if let Err(error) = let_go {
                // They are sent again after a restart, and the cluster knows their ids.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the position in the log buffer cannot be kept"
                );
            }
            if !is_full {
                tokio::time::sleep(self.shared.config.interval).await;
            }
        }
    }

    /// Reads a batch; an empty one when nothing waits.
    async fn next_batch(&mut self) -> Vec<Buffered> {
        loop {
            let read = self.blocking(|shared| {
                let config = &shared.config;
                shared.buffer.read(config.batch_documents_max.max(1), config.batch_bytes_max.max(1))
            });
            match read.await {
                Ok(batch) => return batch,
                Err(error) => {
                    self.tell_away(&error);
                    self.wait(Duration::ZERO).await;
                }
            }
        }
    }

    /// Tells whether more documents than these may be waiting already.
    fn is_full(&self, batch: &[Buffered]) -> bool {
        let config = &self.shared.config;
        let bytes: usize = batch.iter().map(|document| document.body.len()).sum();
        config.batch_documents_max <= batch.len() || config.batch_bytes_max <= bytes
    }

    /// Waits until documents come, and then for others to be sent with them.
    async fn wait_for_more(&self) {
        self.shared.filled.notified().await;
        tokio::time::sleep(self.shared.config.interval).await;
    }

    /// Sends documents until the cluster has taken or refused each of them.
    async fn deliver(&mut self, mut left: Vec<Buffered>) {
        let mut part = left.len();
        while !left.is_empty() {
            if !self.is_prepared {
                match self.prepare().await {
                    Ok(()) => self.is_prepared = true,
                    Err(error) => {
                        self.failed(&error).await;
                        continue;
                    }
                }
            }
            let rest = left.split_off(part.min(left.len()));
            match self.send(&left).await {
                Ok(busy) => left = busy,
                Err(RequestError::Unfit(status)) if left.len() == 1 => {
                    self.reject(&left, &[(0, status.as_u16(), String::new())]).await;
                    left.clear();
                }
                Err(RequestError::Unfit(_)) => part = left.len() / 2,
                Err(error) => self.failed(&error).await,
            }
            left.extend(rest);
        }
    }

    /// Sends documents once; returns those that should be sent again, after a wait if there are any.
    async fn send(&mut self, documents: &[Buffered]) -> Result<Vec<Buffered>, RequestError> {
        let body = self.pack(documents.to_vec()).await.map_err(RequestError::Pack)?;
        let counts = &self.shared.counts;
        add(&counts.requests, 1);
        let now = self.shared.clock.now();
        let sent = documents.len();
        let outcomes = match self.requests.bulk(&self.shared.config, body, sent, now).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                add(&counts.requests_failed, 1);
                return Err(error);
            }
        };
        let (mut busy, mut refused, mut taken) = (Vec::new(), Vec::new(), 0);
        for (at, (document, outcome)) in documents.iter().zip(outcomes).enumerate() {
            match outcome {
                ItemOutcome::Taken => taken += 1,
                ItemOutcome::Busy => busy.push(document.clone()),
                ItemOutcome::Refused { status, reason } => refused.push((at, status, reason)),
            }
        }
        add(&counts.shipped, taken);
        let now_ms = self.shared.clock.now().as_millisecond();
        counts.last_success_ms.store(now_ms, Ordering::Relaxed);
        self.reject(documents, &refused).await;
        self.tell_back();
        if (busy.len() as u64) < sent as u64 {
            self.failures = 0;
        }
        if !busy.is_empty() {
            add(&self.shared.counts.retried, busy.len() as u64);
            self.wait(Duration::ZERO).await;
        }
        Ok(busy)
    }

    async fn pack(&self, documents: Vec<Buffered>) -> io::Result<Vec<u8>> {
        self.blocking(move |shared| request_body(&shared.config.index, &documents)).await
    }

    /// Sets documents aside, each named by its place among `documents`.
    async fn reject(&mut self, documents: &[Buffered], refused: &[(usize, u16, String)]) {
        if refused.is_empty() {
            return;
        }
        add(&self.shared.counts.rejected, refused.len() as u64);
        self.tell_refused(&refused[0]);
        let letters: Vec<_> = refused
            .iter()
            .map(|(at, status, reason)| (documents[*at].clone(), *status, reason.clone()))
            .collect();
        let kept = self.blocking(move |shared| set_aside(shared, &letters)).await;
        if let Err(error) = kept {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "refused log documents cannot be set aside and are lost"
            );
        }
    }

    /// Looks after the index template, unless somebody has put up one of their own.
    async fn prepare(&self) -> Result<(), RequestError> {
        let config = &self.shared.config;
        let now = self.shared.clock.now();
        let path = ["_index_template", config.index.as_str()];
        let found = match self.requests.get(config, &path, now).await {
            Err(RequestError::Refused { status, reason }) => {
                tracing::warn!(
                    status = status.as_u16(),
                    reason,
                    "the index template cannot be seen"
                );
                return Ok(());
            }
            found => found?,
        };
        if found.is_some_and(|found| is_left_alone(&found)) {
            return Ok(());
        }
        let has_alias = !self.is_an_index(config).await?;
        if !has_alias {
            tracing::warn!(
                index = config.index,
                "the cluster has an index of the alias's name, so the days stay without the alias"
            );
        }
        match self.requests.put(config, &path, &index_template(&config.index, has_alias), now).await
        {
            Err(RequestError::Refused { status, reason }) => {
                self.tell_template(status.as_u16(), &reason);
                Ok(())
            }
            put => put,
        }
    }

    /// Tells once in a spell of failures that the indices get along without the template.
    fn tell_template(&self, status: u16, reason: &str) {
        if self.away_since.is_none() {
            tracing::warn!(status, reason, "the index template was refused");
        }
    }

    /// Tells whether the name of the alias is taken by an index.
    async fn is_an_index(&self, config: &ShippingConfig) -> Result<bool, RequestError> {
        let path = [config.index.as_str(), "_alias"];
        match self.requests.get(config, &path, self.shared.clock.now()).await {
            Ok(indices) => Ok(indices.is_some_and(|indices| indices.get(&config.index).is_some())),
            Err(RequestError::Refused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn failed(&mut self, error: &RequestError) {
        self.is_prepared = false;
        self.tell_away(error);
        self.wait(error.retry_after()).await;
    }

    /// Waits longer with each failure, by chance up to a bound, and at least as long as was asked for.
    async fn wait(&mut self, asked: Duration) {
        let config = &self.shared.config;
        let doublings = self.failures.min(31);
        self.failures = self.failures.saturating_add(1);
        let bound = config.backoff.saturating_mul(1 << doublings).min(config.backoff_max);
        let bound_ms = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        let drawn = Duration::from_millis(self.chance.random_range(0..=bound_ms));
        tokio::time::sleep(drawn.max(asked.min(config.backoff_max))).await;
    }

    fn tell_away(&mut self, error: &(dyn std::error::Error + 'static)) {
        if self.away_since.is_none() {
            self.away_since = Some(self.shared.buffer.stats().dropped);
            tracing::warn!(
                host = self.shared.config.url.host_str(),
                error,
                "log documents cannot be shipped and wait on disk"
            );
        }
    }

    fn tell_back(&mut self) {
        if let Some(dropped_before) = self.away_since.take() {
            let dropped = self.shared.buffer.stats().dropped - dropped_before;
            tracing::info!(dropped, "log documents are shipped again");
        }
    }

    /// Tells of a refused document, of the first in a while: the line is a document itself, which may
    /// be refused too.
    fn tell_refused(&mut self, (_, status, reason): &(usize, u16, String)) {
        if self.refusal_told_at.is_some_and(|told_at| told_at.elapsed() < REFUSAL_QUIET) {
            return;
        }
        self.refusal_told_at = Some(Instant::now());
        tracing::warn!(
            status,
            reason = reason.chars().take(REASON_LETTERS_MAX).collect::<String>(),
            "the cluster refuses log documents, which are set aside"
        );
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || work(&shared)).await.map_err(io::Error::other)?
    }
}

fn set_aside(shared: &Shared, letters: &[(Buffered, u16, String)]) -> io::Result<()> {
    let prefix = &shared.config.index;
    let parts: Vec<_> = letters
        .iter()
        .map(|(document, status, reason)| {
            let body: &RawValue = serde_json::from_slice(&document.body)?;
            Ok((index_of(prefix, document.at), &document.id, *status, reason, body))
        })
        .collect::<io::Result<_>>()?;
    let letters: Vec<_> = parts
        .iter()
        .map(|(index, id, status, reason, document)| DeadLetter {
            index,
            id,
            status: *status,
            reason,
            document,
        })
        .collect();
    shared.dead_letters.add(&letters)
}

/// Tells whether a template is ours and up to date, or somebody else's.
fn is_left_alone(found: &Value) -> bool {
    let Some(template) = found.pointer("/index_templates/0/index_template") else { return false };
    let is_ours = template.pointer("/_meta/managed_by").is_some_and(|by| by == "pampero");
    !is_ours || template["version"] == TEMPLATE_VERSION
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
