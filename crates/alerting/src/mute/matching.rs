//! The matchers of a mute: how they are written and kept.

use pampero_series::{MatchOperator, Matcher};

/// Why something is no mute.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MuteError {
    /// It would hold for nothing in particular.
    #[error("a mute needs at least one matcher; alertname=~\".+\" mutes everything")]
    NoMatcher,
    /// It has too many conditions.
    #[error("a mute has at most {max} matchers")]
    TooManyMatchers {
        /// Most there may be.
        max: usize,
    },
    /// A matcher cannot be read.
    #[error("{text:?} is no matcher: write name=\"value\", with = != =~ or !~ ({reason})")]
    Matcher {
        /// As it was written.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It ends before it begins.
    #[error("a mute has to end after it begins")]
    EmptyWindow,
    /// It names no day.
    #[error("a weekly mute needs at least one day: mon, tue, wed, thu, fri, sat, sun")]
    NoDay,
    /// It names a zone that is not there.
    #[error("there is no time zone {zone:?}; write one as America/Montevideo")]
    Zone {
        /// As it was written.
        zone: String,
    },
    /// A text is too long.
    #[error("comment and author have at most {bytes_max} bytes")]
    TextTooLong {
        /// Most bytes.
        bytes_max: usize,
    },
    /// There are too many.
    #[error("there are {max} mutes already; remove one first")]
    TooMany {
        /// Most there may be.
        max: usize,
    },
}

/// Reads a matcher, as `alertname="Frost"`, `severity=~1|2` or `place!=jfk`; quotes may be left out.
///
/// # Errors
/// It has no operator or no name, or its regular expression is wrong.
pub fn matcher(text: &str) -> Result<Matcher, MuteError> {
    let wrong = |reason: &str| MuteError::Matcher { text: cut(text), reason: reason.to_owned() };
    let name_end = text.find(['=', '!']).ok_or_else(|| wrong("no operator"))?;
    let (name, rest) = (text[..name_end].trim(), &text[name_end..]);
    let operators = [
        ("=~", MatchOperator::Regex),
        ("!~", MatchOperator::NotRegex),
        ("!=", MatchOperator::NotEqual),
        ("=", MatchOperator::Equal),
    ];
    let found = operators.iter().find(|(spelling, _)| rest.starts_with(spelling));
    let (spelling, operator) = found.ok_or_else(|| wrong("no operator"))?;
    let value = rest[spelling.len()..].trim();
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    make(name, *operator, value).map_err(|reason| wrong(&reason))
}

fn make(name: &str, operator: MatchOperator, value: &str) -> Result<Matcher, String> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.len() <= 128
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ':'))
    };
    if !is_name(name) {
        return Err("the name of a label has letters, digits and _ . - : only".to_owned());
    }
    if value.len() > 1_000 {
        return Err("the value is longer than 1000 bytes".to_owned());
    }
    Matcher::new(name, operator, value).map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        cause.unwrap_or_else(|| error.to_string())
    })
}

fn cut(text: &str) -> String {
    crate::text::one_line(text, 100)
}

/// Matchers as a list of objects `{"name":…,"operator":…,"value":…}`.
pub(super) mod list {
    use pampero_series::{MatchOperator, Matcher};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Written {
        name: String,
        operator: String,
        value: String,
    }

    pub(in crate::mute) fn serialize<S: Serializer>(
        matchers: &[Matcher],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(matchers.iter().map(|matcher| Written {
            name: matcher.name().to_owned(),
            operator: matcher.operator().as_str().to_owned(),
            value: matcher.value().to_owned(),
        }))
    }

    pub(in crate::mute) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Matcher>, D::Error> {
        use serde::de::Error;
        let written = Vec::<Written>::deserialize(from)?;
        let read = |one: Written| {
            let operator = match one.operator.as_str() {
                "=" => MatchOperator::Equal,
                "!=" => MatchOperator::NotEqual,
                "=~" => MatchOperator::Regex,
                "!~" => MatchOperator::NotRegex,
                other => {
                    let reason = format!("unknown operator {other:?}: write = != =~ or !~");
                    return Err(D::Error::custom(reason));
                }
            };
            super::make(&one.name, operator, &one.value).map_err(D::Error::custom)
        };
        written.into_iter().map(read).collect()
    }
}
