//! How queries are evaluated, and how much one of them may cost.

use std::time::Duration;

/// How an [`Engine`](crate::Engine) evaluates queries.
#[derive(Clone, Debug)]
pub struct Options {
    /// How old the newest sample of a series may be to stand for it; 5 minutes unless told
    /// otherwise.
    pub lookback: Duration,
    /// The step of a subquery that names none; 15 seconds unless told otherwise.
    pub evaluation_interval: Duration,
    /// Whether a window has the sample at its left edge.
    pub window: WindowRule,
    /// What one query may cost.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lookback: Duration::from_secs(5 * 60),
            evaluation_interval: Duration::from_secs(15),
            window: WindowRule::default(),
            limits: Limits::default(),
        }
    }
}

/// Whose rules hold where the major versions of Prometheus disagree: above all whether a range,
/// a subquery and the look-back have the sample that lies exactly on their left edge.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WindowRule {
    /// They have it, as in Prometheus 2.
    LeftClosed,
    /// They do not, as in Prometheus 3.
    #[default]
    LeftOpen,
}

impl WindowRule {
    /// Returns the first millisecond that belongs to a window.
    pub(crate) fn first_ms(self, left_edge_ms: i64) -> i64 {
        match self {
            Self::LeftClosed => left_edge_ms,
            Self::LeftOpen => left_edge_ms.saturating_add(1),
        }
    }
}

/// What one query may cost; beyond it the query is refused with the name of the limit.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a query; 16 KiB unless told otherwise.
    pub query_length_max: usize,
    /// How deep a query may nest, where each operator of a chain counts as one level; 128 unless
    /// told otherwise. Evaluation at this depth fits into a stack of 2 MiB.
    pub depth_max: usize,
    /// Regular expressions in a query; 64 unless told otherwise.
    pub regexes_max: usize,
    /// Steps of a range query, and so points of each series in its answer; 11,000 unless told
    /// otherwise.
    pub points_max: usize,
    /// Series that a query may read, or that may stand in one of its results; 100,000 unless told
    /// otherwise.
    pub series_max: usize,
    /// Samples that a query may read; 200 million unless told otherwise.
    pub samples_max: usize,
    /// Points, of 8 bytes each, that a query may hold at once; 25 million unless told otherwise.
    pub held_max: usize,
    /// Pairs of series that one operator may match; 200,000 unless told otherwise.
    pub matches_max: usize,
    /// How long an evaluation may take; 2 minutes unless told otherwise.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            query_length_max: 16 << 10,
            depth_max: 128,
            regexes_max: 64,
            points_max: 11_000,
            series_max: 100_000,
            samples_max: 200_000_000,
            held_max: 25_000_000,
            matches_max: 200_000,
            time: Duration::from_secs(2 * 60),
        }
    }
}
