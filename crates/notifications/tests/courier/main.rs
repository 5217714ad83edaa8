//! Messages on their way to real local servers, which check what they get and misbehave on command.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod alertmanager;
mod http;
mod mail;
mod mail_server;
mod receiver;
mod slack;
mod stage;
