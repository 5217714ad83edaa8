//! A thread that does one thing on order, for calls that may never come back.

use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

/// A question that is answered by a thread of its own.
///
/// While an answer is due, the question is not asked again. The thread ends when this is dropped, at
/// the latest when its call comes back.
pub(super) struct Background<T> {
    orders: SyncSender<()>,
    answers: Receiver<T>,
    /// An order was given that is not answered yet.
    is_due: bool,
}

impl<T: Send + 'static> Background<T> {
    /// Starts the thread; `stack_bytes` is all that `work` gets.
    pub(super) fn start(
        stack_bytes: usize,
        mut work: impl FnMut() -> T + Send + 'static,
    ) -> io::Result<Self> {
        let (orders, ordered) = mpsc::sync_channel(1);
        let (answer, answers) = mpsc::sync_channel(1);
        let serve = move || {
            while ordered.recv().is_ok() {
                if answer.send(work()).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().name("host-metrics".into()).stack_size(stack_bytes).spawn(serve)?;
        Ok(Self { orders, answers, is_due: false })
    }

    /// Asks, unless the last answer is still due; tells whether it asked. A late answer is thrown away.
    pub(super) fn order(&mut self) -> bool {
        if self.is_due && matches!(self.answers.try_recv(), Err(TryRecvError::Empty)) {
            return false;
        }
        self.is_due = self.orders.try_send(()).is_ok();
        self.is_due
    }

    /// Waits for the answer; `None` when it has not come by `until`.
    pub(super) fn answer(&mut self, until: Instant) -> Option<T> {
        let wait: Duration = until.saturating_duration_since(Instant::now());
        let answer = self.answers.recv_timeout(wait).ok()?;
        self.is_due = false;
        Some(answer)
    }
}
