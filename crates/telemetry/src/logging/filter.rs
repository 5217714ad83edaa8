//! Which log lines are let through.

use std::fmt;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// A checked filter: a level such as `info`, or directives such as `info,pampero_loader=debug`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogFilter(String);

/// What is wrong with a filter.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidFilter {
    /// There is no directive in it.
    #[error("the filter is empty; write a level such as `info`")]
    Empty,
    /// A directive is a single word, but no level.
    #[error(
        "`{0}` is no level; write off, error, warn, info, debug or trace, or `{0}=debug` for a part of the program"
    )]
    NoLevel(String),
    /// A directive cannot be read.
    #[error(
        "the filter cannot be read ({0}); write directives such as `info,pampero_loader=debug`"
    )]
    Directive(String),
}

impl LogFilter {
    /// Returns the filter as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the most talkative level that any part of the program may have.
    pub(super) fn level_max(&self) -> LevelFilter {
        self.to_env_filter().max_level_hint().unwrap_or(LevelFilter::TRACE)
    }

    pub(super) fn to_env_filter(&self) -> EnvFilter {
        EnvFilter::builder().parse(&self.0).expect("the filter was parsed before")
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromStr for LogFilter {
    type Err = InvalidFilter;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.split(',').map(str::trim).collect::<Vec<_>>().join(",");
        if text.is_empty() {
            return Err(InvalidFilter::Empty);
        }
        // A lone word would be read as the name of a part of the program, let through whole, with
        // everything else silenced: hardly ever what a mistyped level is meant to do.
        let lone_word =
            text.split(',').find(|part| is_word(part) && part.parse::<LevelFilter>().is_err());
        if let Some(word) = lone_word {
            return Err(InvalidFilter::NoLevel(word.to_owned()));
        }
        EnvFilter::builder()
            .parse(&text)
            .map_err(|error| InvalidFilter::Directive(error.to_string()))?;
        Ok(Self(text))
    }
}

fn is_word(directive: &str) -> bool {
    !directive.is_empty() && !directive.contains(['=', '[', ']', '{', '}'])
}

impl fmt::Display for LogFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, problem: Option<&str>) {
        let parsed = text.parse::<LogFilter>();
        assert_eq!(parsed.err().map(|error| error.to_string()).as_deref(), problem, "{text:?}");
    }

    #[test]
    fn levels_and_directives_are_read() {
        check("info", None);
        check("WARN", None);
        check("off", None);
        check(" info,pampero_loader=debug , hyper=off ", None);
        check("info,[poll{place=rosario}]=trace", None);
    }

    #[test]
    fn unreadable_filter_says_what_to_write() {
        check("", Some("the filter is empty; write a level such as `info`"));
        check(
            "inf",
            Some(
                "`inf` is no level; write off, error, warn, info, debug or trace, or `inf=debug` for a part of the program",
            ),
        );
        check(
            "info,[pampero=debug",
            Some(
                "the filter cannot be read (invalid filter directive); write directives such as `info,pampero_loader=debug`",
            ),
        );
    }
}
