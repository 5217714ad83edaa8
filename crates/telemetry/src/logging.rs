//! Log lines: their two formats, what is let through, and where they go.
//!
//! Lines go to standard error, so that standard output stays for what a command prints. Every line,
//! whichever library wrote it and at whichever level, passes through the redactor. Lines that are
//! written within a trace carry its ids. Records of the `log` crate are lines like all others.
//! [`documents`] are the same events for an index, with a filter of their own.

pub mod documents;

mod filter;
mod human;
mod json;
mod panic;
mod request;

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal};
use std::str::FromStr;
use std::sync::Arc;

use pampero_resilience::Clock;
use tracing::Subscriber;
use tracing::field::Field;
use tracing_log::{AsLog, LogTracer};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::{Layer, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

pub use filter::{InvalidFilter, LogFilter};
pub use request::{LoggedRequest, within_request};

use crate::redaction::{MakeRedactingWriter, Redactor};
use crate::traces::Traces;
use documents::Documents;
use human::{HumanFields, HumanLine};
use json::{JsonFields, JsonLine};

/// How the program logs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LogConfig {
    /// The shape of a line.
    pub format: LogFormat,
    /// What is let through.
    pub filter: LogFilter,
    /// Whether the levels are coloured; JSON lines never are.
    pub color: Color,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogFormat {
    /// For people: time of day in UTC, level, message, then the fields.
    #[default]
    Human,
    /// For programs: one JSON object a line.
    Json,
}

impl LogFormat {
    /// Every format, in the order in which they are listed to people.
    pub const ALL: [Self; 2] = [Self::Human, Self::Json];

    /// Returns the spelling: `human` or `json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

/// Whether lines for people are coloured.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Color {
    /// When standard error is a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Every choice, in the order in which they are listed to people.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    /// Returns the spelling: `auto`, `always` or `never`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    fn is_on(self) -> bool {
        match self {
            Self::Auto => io::stderr().is_terminal(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// The text is none of the words that a log setting takes.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is none of {known}")]
pub struct UnknownWord {
    text: String,
    known: &'static str,
}

impl FromStr for LogFormat {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|format| format.as_str() == text);
        known.ok_or_else(|| UnknownWord { text: text.to_owned(), known: "human, json" })
    }
}

impl FromStr for Color {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|color| color.as_str() == text);
        known.ok_or_else(|| UnknownWord { text: text.to_owned(), known: "auto, always, never" })
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Display for Color {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The log of this process was set up before.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the log of this process is set up already")]
pub struct LogAlreadySetUp;

/// Sends the log of the whole process to standard error from now on, panics included.
///
/// Spans become `traces` and events become `documents`, if there are any.
///
/// # Errors
/// The process has a log already.
pub fn init(
    config: &LogConfig,
    redactor: Redactor,
    clock: Arc<dyn Clock>,
    traces: Option<&Traces>,
    documents: Option<&Documents>,
) -> Result<(), LogAlreadySetUp> {
    let subscriber = subscriber(config, redactor, clock, traces, documents, io::stderr);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogAlreadySetUp)?;
    let documented_max = documents.map_or(LevelFilter::OFF, Documents::level_max);
    let level_max = config.filter.level_max().max(documented_max).as_log();
    // Fails only where somebody else reads the records of the `log` crate already.
    let _ = LogTracer::builder().with_max_level(level_max).init();
    panic::log_panics();
    Ok(())
}

/// Puts a log together that writes to what `destination` makes, for use by one thread or process.
///
/// What the filter lets through decides over lines only: `traces` and `documents` have their own
/// measure.
pub fn subscriber<M>(
    config: &LogConfig,
    redactor: Redactor,
    clock: Arc<dyn Clock>,
    traces: Option<&Traces>,
    documents: Option<&Documents>,
    destination: M,
) -> impl Subscriber + Send + Sync + use<M>
where
    M: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let writer = MakeRedactingWriter::new(redactor, destination);
    let layer = match config.format {
        LogFormat::Human => boxed(
            base(writer, config.color.is_on())
                .fmt_fields(HumanFields)
                .event_format(HumanLine::new(clock)),
        ),
        LogFormat::Json => {
            boxed(base(writer, false).fmt_fields(JsonFields).event_format(JsonLine::new(clock)))
        }
    };
    tracing_subscriber::registry()
        .with(traces.map(Traces::layer))
        .with(layer.with_filter(config.filter.to_env_filter()))
        .with(documents.map(Documents::layer))
}

fn base<S, W>(
    writer: W,
    ansi: bool,
) -> Layer<
    S,
    tracing_subscriber::fmt::format::DefaultFields,
    tracing_subscriber::fmt::format::Format,
    W,
>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    // A line that cannot be formatted would be printed raw, past the redactor.
    Layer::default().with_writer(writer).with_ansi(ansi).log_internal_errors(false)
}

/// Tells whether a field says of a record of the `log` crate what the line says elsewhere.
fn is_of_log_record(field: &Field) -> bool {
    field.name().starts_with("log.")
}

/// Writes an error with all its causes, as in `cannot poll: connection refused`.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    words
}

fn boxed<S, L>(layer: L) -> Box<dyn tracing_subscriber::Layer<S> + Send + Sync>
where
    S: Subscriber,
    L: tracing_subscriber::Layer<S> + Send + Sync + 'static,
{
    Box::new(layer)
}
