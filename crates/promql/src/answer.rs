//! What a query answers.

use pampero_series::Labels;

/// A value and its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// The value; NaN is one.
    pub value: f64,
}

/// The times at which a range query is evaluated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Steps {
    /// The first, in milliseconds since the Unix epoch.
    pub start_ms: i64,
    /// No time is later, in milliseconds since the Unix epoch.
    pub end_ms: i64,
    /// From one to the next, in milliseconds; at least 1.
    pub step_ms: i64,
}

/// What a query answers, with what there is to say of it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The result.
    pub value: Value,
    /// What makes the result doubtful.
    pub warnings: Vec<String>,
    /// What the author of the query may want to know.
    pub infos: Vec<String>,
    /// What it cost.
    pub statistics: Statistics,
}

/// The result of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One number at the time of an instant query.
    Scalar(Point),
    /// A string, at this time in milliseconds since the Unix epoch.
    String(i64, String),
    /// One number per series: ordered by `sort`, `topk` and the like where the query uses them at
    /// last, and by labels otherwise.
    Vector(Vec<(Labels, Point)>),
    /// Points of series, ordered by labels: what a range query answers, and what an instant query
    /// for a range vector answers. No series is without points.
    Matrix(Vec<(Labels, Vec<Point>)>),
}

impl Value {
    /// Returns the name of the type as the Prometheus HTTP API spells it in `resultType`.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "scalar",
            Self::String(..) => "string",
            Self::Vector(_) => "vector",
            Self::Matrix(_) => "matrix",
        }
    }
}

/// What an evaluation cost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Statistics {
    /// Samples read from the source.
    pub samples_read: usize,
    /// Series read from the source; one that two selectors read counts twice.
    pub series_read: usize,
    /// The most points held at once.
    pub points_held_max: usize,
}
