//! How many optional clauses must match.

use serde_json::Value;

use super::options;
use crate::Exception;

/// How many optional clauses must match, as a rule over how many there are.
///
/// Source: OpenSearch, `minimum_should_match`: `2`, `-1`, `75%`, `-25%`, `2<75%`, `2<-25% 9<-3`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MinimumShouldMatch(Vec<Step>);

/// What holds when there are more optional clauses than `above`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Step {
    /// `None` when it always holds.
    above: Option<i64>,
    amount: Amount,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Amount {
    /// This many; all but so many when negative.
    Clauses(i64),
    /// These per cent, rounded down; all but so many when negative.
    Percent(i64),
}

impl MinimumShouldMatch {
    /// Reads a number or a text.
    ///
    /// # Errors
    /// `number_format_exception` or its kin.
    pub fn from_json(clause: &str, value: &Value) -> Result<Self, Exception> {
        Self::read(&options::text(clause, "minimum_should_match", value)?)
    }

    /// Reads the spelling.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<Self, Exception> {
        let bad = || {
            Exception::illegal_argument(format!(
                "failed to parse [minimum_should_match] from [{text}]: use a number such as 2 or -1, \
                 a percentage such as 75%, or conditions such as 2<75%"
            ))
        };
        if !text.contains('<') {
            let amount = Amount::read(text.trim()).ok_or_else(bad)?;
            return Ok(Self(vec![Step { above: None, amount }]));
        }
        let joined = text.split('<').map(str::trim).collect::<Vec<_>>().join("<");
        let steps = joined.split_whitespace().map(|step| {
            let (above, amount) = step.split_once('<')?;
            Some(Step { above: Some(above.parse().ok()?), amount: Amount::read(amount)? })
        });
        steps.collect::<Option<Vec<_>>>().map(Self).ok_or_else(bad)
    }

    /// Returns how many of `optional` clauses must match; it may be more than there are.
    pub fn required(&self, optional: usize) -> usize {
        let all = i64::try_from(optional).unwrap_or(i64::MAX);
        let mut required = all;
        for step in &self.0 {
            if step.above.is_some_and(|above| all <= above) {
                break;
            }
            required = step.amount.of(all);
        }
        usize::try_from(required).unwrap_or(0)
    }
}

impl Amount {
    fn read(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(percent) => percent.parse().ok().map(Self::Percent),
            None => text.parse().ok().map(Self::Clauses),
        }
    }

    fn of(self, all: i64) -> i64 {
        let part = match self {
            Self::Clauses(clauses) => clauses,
            Self::Percent(percent) => all.saturating_mul(percent) / 100,
        };
        let less = match self {
            Self::Clauses(clauses) => clauses < 0,
            Self::Percent(percent) => percent < 0,
        };
        if less { all.saturating_add(part).max(0) } else { part }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_clauses_follow_the_rule() {
        check("2", 5, Some(2));
        check("3", 2, Some(3));
        check("-1", 4, Some(3));
        check("-9", 4, Some(0));
        check("75%", 4, Some(3));
        check("75%", 5, Some(3));
        check("-25%", 4, Some(3));
        check("-25%", 5, Some(4));
        check("-25%", 3, Some(3));
        check("2<75%", 2, Some(2));
        check("2<75%", 4, Some(3));
        check("2<-25% 9<-3", 1, Some(1));
        check("2<-25% 9<-3", 8, Some(6));
        check("2<-25% 9<-3", 10, Some(7));
        check("2 < 75%", 4, Some(3));
        check("0", 4, Some(0));
        check("", 4, None);
        check("most", 4, None);
        check("2<", 4, None);
        check("%", 4, None);
    }

    #[track_caller]
    fn check(spelling: &str, optional: usize, required: Option<usize>) {
        let read = MinimumShouldMatch::read(spelling).ok();
        assert_eq!(read.map(|it| it.required(optional)), required, "{spelling} of {optional}");
    }
}
