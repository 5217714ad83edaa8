//! PromQL: parses queries and evaluates them over a [`SeriesSource`](pampero_series::SeriesSource).
//!
//! Knows no storage, no HTTP, no wall clock and no runtime. An [`Engine`] turns text into a checked
//! [`Query`], and evaluates it at one time or at the steps of a range; everything that can grow has
//! a limit in [`Limits`]. Evaluation is column-wise: all steps of one series at once, with labels
//! and matching worked out once per query. Start reading at [`Engine`], then `evaluate`.

mod answer;
mod cancel;
mod duration;
mod engine;
mod error;
mod evaluate;
mod functions;
mod options;
mod parse;
mod query;
mod syntax;

pub use answer::{Answer, Point, Statistics, Steps, Value};
pub use cancel::Cancel;
pub use duration::{format_duration, parse_duration};
pub use engine::Engine;
pub use error::{ErrorKind, Position, QueryError};
pub use functions::function_names;
pub use options::{Limits, Options, WindowRule};
pub use query::Query;
pub use syntax::ValueType;
