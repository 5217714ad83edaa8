//! Scrolls: one page after the other over the same snapshots.
//!
//! A page ends at a position in the order of hits, and the next one begins behind it. In the order of
//! documents the scan goes straight there; in any other it goes through all hits again, and so looks
//! for many pages at once.

use std::collections::VecDeque;
use std::time::Instant;

use jiff::Timestamp;
use pampero_opensearch::Exception;
use pampero_opensearch::search::{SearchRequest, TotalHits};
use serde_json::{Map, Value};

use super::order::{After, Position};
use super::plan::Plan;
use super::scan::{Found, STRETCH, Wanted, scan};
use super::{SearchOptions, answer, deadline, hits, write_total};
use crate::engine::Snapshot;

/// Positions that are looked for at once behind the first page.
const AHEAD: usize = 50_000;

/// Where a scroll stands.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// Found already, and not shown yet.
    ahead: VecDeque<Position>,
    /// Behind what was found; `None` when there is nothing behind it.
    after: Option<After>,
    total: u64,
    score_max: Option<f32>,
}

impl Cursor {
    /// Tells whether all hits were shown.
    pub fn is_at_end(&self) -> bool {
        self.ahead.is_empty() && self.after.is_none()
    }
}

/// Answers one page of a scroll, as [`super::search`] does, and returns where it ended.
///
/// `cursor` is where the page before ended, `None` for the first one; snapshots and request are the
/// same for all pages. Hits are counted exactly, and aggregations stand on the first page only.
///
/// # Errors
/// As [`super::search`]; and what makes no sense in a scroll: `from`, `search_after`, collapsing, or
/// counting switched off.
pub fn search_page(
    snapshots: &[Snapshot],
    request: &SearchRequest,
    options: &SearchOptions,
    cursor: Option<Cursor>,
    now: Timestamp,
) -> Result<(Value, Cursor), Exception> {
    check(request)?;
    let mut plan = Plan::new(snapshots, request, now)?;
    let is_first = cursor.is_none();
    let mut state = Found::default();
    let mut cursor = match cursor {
        Some(cursor) => cursor,
        None => start(&mut plan, request, options, &mut state)?,
    };
    if cursor.ahead.len() < request.size && cursor.after.is_some() {
        refill(&mut plan, request, deadline(request, options), &mut cursor, &mut state)?;
    }
    let count = request.size.min(cursor.ahead.len());
    let shown: Vec<Position> = cursor.ahead.drain(..count).collect();
    let written = hits::write(&plan, request, options, &shown, now)?;
    let aggregations = match is_first {
        true => super::aggregate(&plan, request, options, now)?,
        false => None::<Map<String, Value>>,
    };
    let total = write_total(TotalHits::Exact, cursor.total, options.total_hits_as_int);
    let answer = answer(&plan, &state, written, cursor.score_max, total, aggregations);
    Ok((answer, cursor))
}

fn check(request: &SearchRequest) -> Result<(), Exception> {
    let refuse = |reason: &str| Err(Exception::illegal_argument(reason));
    if request.from > 0 {
        return refuse("using [from] is not allowed in a scroll context");
    }
    if request.size == 0 {
        return refuse("[size] cannot be [0] in a scroll context");
    }
    if request.search_after.is_some() {
        return refuse("`search_after` cannot be used in a scroll context.");
    }
    if request.collapse.is_some() {
        return refuse("cannot use `collapse` in a scroll context");
    }
    if request.track_total_hits == Some(TotalHits::Untracked) {
        return refuse("disabling [track_total_hits] is not allowed in a scroll context");
    }
    Ok(())
}

/// Counts all hits and finds those of the first page.
fn start(
    plan: &mut Plan<'_>,
    request: &SearchRequest,
    options: &SearchOptions,
    state: &mut Found,
) -> Result<Cursor, Exception> {
    let wanted = Wanted {
        count: request.size,
        total_max: Some(u64::MAX),
        ..behind(plan, request, None, deadline(request, options))
    };
    *state = scan(&plan.shards, &wanted);
    plan.fail(&state.failures)?;
    let positions = std::mem::take(&mut state.positions);
    let mut cursor = Cursor {
        ahead: VecDeque::new(),
        after: None,
        total: state.total,
        score_max: state
            .score_max
            .filter(|_| request.track_scores || plan.order.starts_with_score()),
    };
    cursor.extend(positions, request.size);
    Ok(cursor)
}

/// Finds what comes behind the positions that are known.
fn refill(
    plan: &mut Plan<'_>,
    request: &SearchRequest,
    deadline: Instant,
    cursor: &mut Cursor,
    state: &mut Found,
) -> Result<(), Exception> {
    let count = request.size.max(AHEAD);
    let wanted = Wanted { count, ..behind(plan, request, cursor.after.as_ref(), deadline) };
    let found = scan(&plan.shards, &wanted);
    plan.fail(&found.failures)?;
    state.timed_out |= found.timed_out;
    cursor.extend(found.positions, count);
    Ok(())
}

fn behind<'a>(
    plan: &'a Plan<'_>,
    request: &SearchRequest,
    after: Option<&'a After>,
    deadline: Instant,
) -> Wanted<'a> {
    Wanted {
        order: &plan.order,
        count: 0,
        total_max: None,
        after,
        group: None,
        terminate_after: request.terminate_after,
        scores: plan.needs_scores(request),
        constant_scores: plan.has_constant_scores(request),
        stretch: STRETCH,
        deadline,
    }
}

impl Cursor {
    /// Adds positions of a scan for `wanted` of them; fewer mean that there are no more.
    fn extend(&mut self, positions: Vec<Position>, wanted: usize) {
        self.after = match positions.last() {
            Some(last) if positions.len() >= wanted => {
                Some(After { ranks: last.ranks.clone(), address: Some(last.address) })
            }
            _ => None,
        };
        self.ahead.extend(positions);
    }
}
