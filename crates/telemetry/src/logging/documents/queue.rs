//! The bounded queue between those who log and the one who keeps documents.

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use pampero_resilience::Clock;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tracing::Level;
use tracing::callsite::Identifier;

use super::folding::{Folding, Repeats, SWEEP, Verdict};
use super::members::{Members, json_text};
use super::{DocumentConfig, DocumentStats, LogDocument};
use crate::redaction::Redactor;

/// What both ends share.
#[derive(Debug)]
pub(super) struct Shared {
    redactor: Redactor,
    clock: Arc<dyn Clock>,
    hashes: RandomState,
    folding: Mutex<Folding>,
    sender: mpsc::Sender<LogDocument>,
    bytes_max: usize,
    waiting_bytes: AtomicUsize,
    queued: AtomicU64,
    folded: AtomicU64,
    dropped: AtomicU64,
    /// Of those dropped, how many were told of.
    told: AtomicU64,
}

/// Where an event comes from.
pub(super) struct Origin<'e> {
    pub(super) callsite: Identifier,
    pub(super) target: &'e str,
    pub(super) level: Level,
}

impl Shared {
    pub(super) fn new(
        config: &DocumentConfig,
        redactor: Redactor,
        clock: Arc<dyn Clock>,
        sender: mpsc::Sender<LogDocument>,
    ) -> Self {
        Self {
            redactor,
            clock,
            hashes: RandomState::new(),
            folding: Mutex::new(Folding::new(config.folding)),
            sender,
            bytes_max: config.queue_bytes_max,
            waiting_bytes: AtomicUsize::new(0),
            queued: AtomicU64::new(0),
            folded: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            told: AtomicU64::new(0),
        }
    }

    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    pub(super) fn stats(&self) -> DocumentStats {
        DocumentStats {
            queued: self.queued.load(Ordering::Relaxed),
            folded: self.folded.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            waiting: self.sender.max_capacity() - self.sender.capacity(),
            waiting_bytes: self.waiting_bytes.load(Ordering::Relaxed),
        }
    }

    /// Makes the document of an event and puts it into the queue, or folds it.
    pub(super) fn take(&self, origin: &Origin<'_>, members: &Members) {
        let at = self.clock.now();
        // Records of the `log` crate of one level share their callsite, so the target counts too.
        let key = self.hashes.hash_one((
            &origin.callsite,
            origin.target,
            &members.message,
            &members.place,
            &members.provider,
        ));
        let mut ended = Vec::new();
        let written = || write_members(origin, members, &self.redactor);
        let verdict = {
            let mut folding = self.folding.lock().expect("no code panics while it folds");
            folding.decide(key, Instant::now(), at, written, &mut ended)
        };
        for repeats in ended {
            self.push(document_of_repeats(repeats));
        }
        match verdict {
            Verdict::Alone => self.push(document(at, &written(), None)),
            Verdict::Folded => {
                self.folded.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn push(&self, document: LogDocument) {
        let bytes = document.body.len();
        let waiting = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if waiting <= self.bytes_max && self.sender.try_send(document).is_ok() {
            self.queued.fetch_add(1, Ordering::Relaxed);
        } else {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the documents of folded repeats whose window is over, or of all of them.
    fn ended(&self, all: bool) -> Vec<LogDocument> {
        let mut ended = Vec::new();
        let mut folding = self.folding.lock().expect("no code panics while it folds");
        if all {
            folding.end(&mut ended);
        } else {
            folding.sweep(Instant::now(), &mut ended);
        }
        drop(folding);
        ended.into_iter().map(document_of_repeats).collect()
    }

    /// Returns a document that tells what was dropped since it was told last; `None` for nothing.
    fn loss(&self) -> Option<LogDocument> {
        let dropped = self.dropped.load(Ordering::Relaxed);
        let untold = dropped - self.told.swap(dropped, Ordering::Relaxed);
        if untold == 0 {
            return None;
        }
        let words = json_text(&format!("{untold} log events were dropped"));
        let mut members = Vec::new();
        begin_members(&mut members, Level::WARN, &words, module_path!());
        write!(members, ",\"fields\":{{\"dropped\":{untold}}}").expect("memory takes it");
        Some(document(self.clock.now(), &members, None))
    }
}

/// The far end of the queue.
#[derive(Debug)]
pub struct DocumentQueue {
    receiver: mpsc::Receiver<LogDocument>,
    shared: Arc<Shared>,
    sweeps_at: Instant,
}

impl DocumentQueue {
    pub(super) fn new(receiver: mpsc::Receiver<LogDocument>, shared: Arc<Shared>) -> Self {
        Self { receiver, shared, sweeps_at: Instant::now() + SWEEP }
    }

    /// Waits for documents and adds them to `batch`, about `max` at most; returns how many were added.
    ///
    /// 0 after [`close`](Self::close), when all were taken. A call that is dropped loses nothing.
    pub async fn recv_many(&mut self, batch: &mut Vec<LogDocument>, max: usize) -> usize {
        let before = batch.len();
        loop {
            match timeout_at(self.sweeps_at, self.receiver.recv_many(batch, max)).await {
                Ok(0) => {
                    batch.extend(self.shared.ended(true));
                    batch.extend(self.shared.loss());
                    return batch.len() - before;
                }
                Ok(_) => break,
                Err(_) => {
                    self.sweeps_at = Instant::now() + SWEEP;
                    batch.extend(self.shared.ended(false));
                    if before < batch.len() {
                        return batch.len() - before;
                    }
                }
            }
        }
        let bytes: usize = batch[before..].iter().map(|document| document.body.len()).sum();
        self.shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        if self.sweeps_at <= Instant::now() {
            self.sweeps_at = Instant::now() + SWEEP;
            batch.extend(self.shared.ended(false));
        }
        // Told when there is room again, so that one spell of losses is told once.
        if self.receiver.len() <= self.receiver.max_capacity() / 2 {
            batch.extend(self.shared.loss());
        }
        batch.len() - before
    }

    /// Takes no more documents: what is logged from now on is dropped and counted.
    pub fn close(&mut self) {
        self.receiver.close();
    }
}

impl Drop for DocumentQueue {
    /// Counts what nobody will take any more.
    fn drop(&mut self) {
        self.receiver.close();
        while let Ok(document) = self.receiver.try_recv() {
            self.shared.waiting_bytes.fetch_sub(document.body.len(), Ordering::Relaxed);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes the members of a document without its time.
fn write_members(origin: &Origin<'_>, members: &Members, redactor: &Redactor) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let message: &[u8] = if members.message.is_empty() { b"\"\"" } else { &members.message };
    begin_members(&mut out, origin.level, message, &redactor.redact(origin.target));
    members.write(&mut out);
    out
}

fn begin_members(out: &mut Vec<u8>, level: Level, message: &[u8], target: &str) {
    write!(out, "\"level\":\"{level}\",\"log_message\":").expect("memory takes it");
    out.extend_from_slice(message);
    out.extend_from_slice(b",\"target\":");
    out.extend_from_slice(&json_text(target));
    write!(out, ",\"service\":\"{}\"", service_of(target)).expect("memory takes it");
}

/// Names the part of the program: `loader` for `pampero_loader::round`, `pampero` for the program
/// itself and for libraries.
fn service_of(target: &str) -> &str {
    let own = target.strip_prefix("pampero_").and_then(|rest| rest.split("::").next());
    own.filter(|name| name.bytes().all(|letter| letter.is_ascii_lowercase())).unwrap_or("pampero")
}

fn document_of_repeats(repeats: Repeats) -> LogDocument {
    document(repeats.last, &repeats.members, Some(&repeats))
}

fn document(at: Timestamp, members: &[u8], repeats: Option<&Repeats>) -> LogDocument {
    let mut body = Vec::with_capacity(members.len() + 48);
    write!(body, "{{\"timestamp\":\"{at:.3}\",").expect("memory takes it");
    body.extend_from_slice(members);
    if let Some(Repeats { count, first, last, .. }) = repeats {
        write!(
            body,
            ",\"repeated\":{{\"count\":{count},\"first\":\"{first:.3}\",\"last\":\"{last:.3}\"}}"
        )
        .expect("memory takes it");
    }
    body.push(b'}');
    LogDocument { at, body: body.into() }
}
