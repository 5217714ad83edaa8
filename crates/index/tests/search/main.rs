//! Searches over real indices: order, pages, totals, what hits show, scrolls, marks.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod highlight;
mod kit;
mod model;
mod refused;
mod scored;
mod scroll;
mod shown;
mod totals;
