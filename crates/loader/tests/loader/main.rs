//! The loader as its neighbours see it: fakes below, virtual time throughout.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod averages_job;
mod bed;
mod book;
mod fake;
mod polling;
mod rounds;
