//! Panics as log lines, so that their messages are redacted and keep the format of the log.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};

/// Sends every panic of the process to the log.
pub(super) fn log_panics() {
    panic::set_hook(Box::new(log_panic));
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let cause = panic.payload_as_str().unwrap_or("no message");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    // Captured only when the environment asks for it, as with the standard hook.
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(cause, code.location = place, %backtrace, "panicked");
    } else {
        tracing::error!(cause, code.location = place, "panicked");
    }
}
