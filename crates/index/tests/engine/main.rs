//! Indices on disk: versions, refreshes, recovery, damage, kills.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod damage;
mod fields;
mod kill;
mod model;
mod recovery;
mod refresh;
mod scene;
mod versions;
