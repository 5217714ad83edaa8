//! Conditions on one label.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// Most memory that one compiled regular expression may take, in bytes.
const REGEX_SIZE_MAX: usize = 1 << 20;

/// How a label is compared.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MatchOperator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

impl MatchOperator {
    /// Returns the spelling in a selector.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

/// A condition on one label; a label that is not there counts as empty.
#[derive(Clone, Debug)]
pub struct Matcher {
    name: Box<str>,
    operator: MatchOperator,
    value: Box<str>,
    /// Compiled when the operator is one of the two that need it.
    regex: Option<Regex>,
}

/// Why there is no such matcher.
#[derive(Debug, thiserror::Error)]
pub enum MatcherError {
    /// The regular expression is wrong or too large.
    #[error("the regular expression {pattern:?} cannot be used")]
    Regex {
        /// As it was written.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: regex::Error,
    },
}

impl Matcher {
    /// Makes a matcher; a regular expression has to match the whole value, with `.` for any
    /// character, line breaks included.
    ///
    /// # Errors
    /// The regular expression is wrong, or takes more than 1 MiB when compiled.
    pub fn new(name: &str, operator: MatchOperator, value: &str) -> Result<Self, MatcherError> {
        let regex = match operator {
            MatchOperator::Equal | MatchOperator::NotEqual => None,
            MatchOperator::Regex | MatchOperator::NotRegex => Some(whole_value(value)?),
        };
        Ok(Self { name: name.into(), operator, value: value.into(), regex })
    }

    /// Makes a matcher for exactly this value.
    pub fn equal(name: &str, value: &str) -> Self {
        Self { name: name.into(), operator: MatchOperator::Equal, value: value.into(), regex: None }
    }

    /// Returns the name of the label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how the label is compared.
    pub fn operator(&self) -> MatchOperator {
        self.operator
    }

    /// Returns what the label is compared with: a value, or a pattern.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns whether the condition holds for this value of the label, empty if it is not there.
    pub fn matches(&self, value: &str) -> bool {
        let regex = || self.regex.as_ref().is_some_and(|regex| regex.is_match(value));
        match self.operator {
            MatchOperator::Equal => *self.value == *value,
            MatchOperator::NotEqual => *self.value != *value,
            MatchOperator::Regex => regex(),
            MatchOperator::NotRegex => !regex(),
        }
    }
}

fn whole_value(pattern: &str) -> Result<Regex, MatcherError> {
    let error = |source| MatcherError::Regex { pattern: pattern.to_owned(), source };
    // Alone first: `a)|(b` is wrong, and must not become right by what is put round it.
    build(pattern).map_err(error)?;
    build(&format!("^(?s:{pattern})$")).map_err(error)
}

fn build(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(REGEX_SIZE_MAX).build()
}

impl fmt::Display for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}{:?}", self.name, self.operator.as_str(), self.value)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.operator, &self.value) == (&other.name, other.operator, &other.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(operator: MatchOperator, pattern: &str, value: &str, expected: bool) {
        let matcher = Matcher::new("place", operator, pattern).unwrap();
        assert_eq!(matcher.matches(value), expected, "{matcher} against {value:?}");
    }

    #[test]
    fn values_are_compared() {
        use MatchOperator::{Equal, NotEqual, NotRegex, Regex};
        check(Equal, "jfk", "jfk", true);
        check(Equal, "jfk", "jfk2", false);
        check(Equal, "", "", true);
        check(NotEqual, "jfk", "", true);
        check(Regex, "j.*", "jfk", true);
        check(Regex, "f", "jfk", false);
        check(Regex, "a|b", "ab", false);
        check(Regex, "Ñandú.*", "Ñandúbay", true);
        check(Regex, "a.b", "a\nb", true);
        check(Regex, "jfk$", "jfk\n", false);
        check(NotRegex, "j.*", "lga", true);
        check(NotRegex, ".+", "", true);
    }

    #[test]
    fn a_pattern_stands_by_itself() {
        assert!(Matcher::new("place", MatchOperator::Regex, "a)|(b").is_err());
        assert!(Matcher::new("place", MatchOperator::Regex, "(a{1000}){1000}").is_err());
    }
}
