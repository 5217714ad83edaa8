//! The program as its users see it: started for real, pointed at simulated providers, asked over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod alerts;
mod alerts_backtest;
mod alerts_beside_prometheus;
mod alerts_cli;
mod alerts_files;
mod alerts_hostile;
mod alerts_kill;
mod alerts_kit;
mod bad_input;
mod demo;
#[cfg(target_os = "linux")]
mod disk_full;
mod harness;
mod history;
mod hostile_queries;
mod hostile_requests;
mod hostile_samples;
mod kill_nine;
mod logs;
#[cfg(target_os = "linux")]
mod logs_disk;
mod logs_hostile;
mod logs_kill;
mod logs_query;
mod logs_set_up;
mod metrics_query;
mod outage;
mod quota;
mod remote_write;
mod secrets;
