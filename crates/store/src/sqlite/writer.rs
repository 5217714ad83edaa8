//! The one task that writes: takes what waits, puts it into one transaction, and acknowledges
//! each write after the commit.
//!
//! Each write has a savepoint, so that a bad one does not take the others of its group with it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::SqliteConnection;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::failure::{Failure, FailureKind};
use super::options::SqliteOptions;
use super::writes::{Fault, Write};
use crate::StoreError;
use crate::stats::Counters;

/// The side of the writer that everybody else sees.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    queue_wait: Duration,
    stopping: Arc<Notify>,
    task: Mutex<Option<JoinHandle<SqliteConnection>>>,
}

impl Writer {
    /// Starts the task that owns `connection`.
    #[expect(clippy::disallowed_methods, reason = "the task belongs to the store, which awaits it")]
    pub(super) fn start(
        connection: SqliteConnection,
        options: &SqliteOptions,
        counters: Arc<Counters>,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(options.queue_max.max(1));
        let stopping = Arc::new(Notify::new());
        let group_max = options.group_max.max(1);
        let task =
            Task { connection, waiting, stopping: Arc::clone(&stopping), group_max, counters };
        let task = Mutex::new(Some(tokio::spawn(task.run())));
        Self { queue, queue_wait: options.queue_wait, stopping, task }
    }

    /// Hands a write over and waits until it is on disk.
    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Answer, StoreError> {
        let (reply, answered) = oneshot::channel();
        let job = Box::new(Queued { write, answer: None, reply });
        let sent = self.queue.send_timeout(job, self.queue_wait).await;
        sent.map_err(|error| match error {
            SendTimeoutError::Timeout(_) => StoreError::Overloaded,
            SendTimeoutError::Closed(_) => StoreError::Closed,
        })?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Refuses further writes, waits for those in the queue, and gives the connection back; `None` the second time.
    pub(super) async fn stop(&self) -> Option<SqliteConnection> {
        self.stopping.notify_one();
        let task = self.task.lock().await.take()?;
        task.await.ok()
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.queue.is_closed()
    }

    /// Returns how many writes wait.
    pub(super) fn queue_depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

/// A write of any kind, with whoever waits for it.
#[async_trait]
trait Job: Send {
    fn what(&self) -> &'static str;

    /// Does the write inside the transaction that is open; may be called again after a rollback.
    async fn apply(&mut self, connection: &mut SqliteConnection) -> Result<(), Fault>;

    /// Tells whoever waits what became of it.
    fn acknowledge(self: Box<Self>, outcome: Result<(), StoreError>, counters: &Counters);
}

struct Queued<W: Write> {
    write: W,
    answer: Option<W::Answer>,
    reply: oneshot::Sender<Result<W::Answer, StoreError>>,
}

#[async_trait]
impl<W: Write> Job for Queued<W> {
    fn what(&self) -> &'static str {
        W::WHAT
    }

    async fn apply(&mut self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        self.answer = Some(self.write.apply(connection).await?);
        Ok(())
    }

    fn acknowledge(self: Box<Self>, outcome: Result<(), StoreError>, counters: &Counters) {
        let Self { answer, reply, .. } = *self;
        let answer = outcome.and_then(|()| answer.ok_or(StoreError::Closed));
        counters.count_write(answer.is_ok());
        if let Ok(answer) = &answer {
            W::count(answer, counters);
        }
        // Whoever asked may have gone away; what was written stays written.
        let _ = reply.send(answer);
    }
}

/// What became of each write of a committed group.
type Outcomes = Vec<Result<(), StoreError>>;

struct Task {
    connection: SqliteConnection,
    waiting: mpsc::Receiver<Box<dyn Job>>,
    stopping: Arc<Notify>,
    group_max: usize,
    counters: Arc<Counters>,
}

impl Task {
    async fn run(mut self) -> SqliteConnection {
        let mut group = Vec::with_capacity(self.group_max);
        loop {
            tokio::select! {
                biased;
                () = self.stopping.notified() => self.waiting.close(),
                taken = self.waiting.recv_many(&mut group, self.group_max) => {
                    if taken == 0 {
                        return self.connection;
                    }
                    self.settle(std::mem::take(&mut group)).await;
                }
            }
        }
    }

    /// Writes a group whole; where there is no room for all of it, each write by itself.
    async fn settle(&mut self, mut group: Vec<Box<dyn Job>>) {
        match self.commit(&mut group).await {
            Ok(outcomes) => self.acknowledge(group, outcomes),
            // Each one alone would wait for the lock again, and those behind them as well.
            Err(failure) if group.len() == 1 || failure.kind() == FailureKind::Locked => {
                let whats = group.iter().map(|job| job.what());
                let outcomes = whats.map(|what| Err(failure.clone().into_write_error(what)));
                let outcomes = outcomes.collect();
                self.acknowledge(group, outcomes);
            }
            Err(_) => {
                for job in group {
                    Box::pin(self.settle(vec![job])).await;
                }
            }
        }
    }

    fn acknowledge(&self, group: Vec<Box<dyn Job>>, outcomes: Outcomes) {
        for (job, outcome) in group.into_iter().zip(outcomes) {
            job.acknowledge(outcome, &self.counters);
        }
    }

    /// Writes a group in one transaction.
    ///
    /// # Errors
    /// Nothing of the group was written.
    async fn commit(&mut self, group: &mut [Box<dyn Job>]) -> Result<Outcomes, Failure> {
        let begun = Instant::now();
        let committed = self.attempt(group).await;
        if committed.is_err() {
            // SQLite may have rolled back by itself; then there is nothing left to do.
            let _ = self.execute("ROLLBACK").await;
        }
        self.counters.count_transaction(begun.elapsed(), committed.is_ok());
        committed
    }

    async fn attempt(&mut self, group: &mut [Box<dyn Job>]) -> Result<Outcomes, Failure> {
        self.execute("BEGIN IMMEDIATE").await?;
        let mut outcomes = Vec::with_capacity(group.len());
        for job in group {
            outcomes.push(self.apply(job.as_mut()).await?);
        }
        self.execute("COMMIT").await?;
        Ok(outcomes)
    }

    /// Does one write in its savepoint.
    ///
    /// # Errors
    /// The whole transaction has to be given up; a write that is itself at fault is an `Ok(Err(_))`.
    async fn apply(&mut self, job: &mut dyn Job) -> Result<Result<(), StoreError>, Failure> {
        self.execute("SAVEPOINT job").await?;
        let outcome = match job.apply(&mut self.connection).await {
            Ok(()) => Ok(()),
            Err(Fault::Engine(failure)) if failure.kind() != FailureKind::Constraint => {
                return Err(failure);
            }
            Err(fault) => {
                self.execute("ROLLBACK TO job").await?;
                Err(fault.into_store_error(job.what()))
            }
        };
        self.execute("RELEASE job").await?;
        Ok(outcome)
    }

    async fn execute(&mut self, sql: &'static str) -> Result<(), Failure> {
        sqlx::query(sql).execute(&mut self.connection).await?;
        Ok(())
    }
}
