//! How many edits a fuzzy term may be away.

use serde_json::Value;

use super::options;
use crate::Exception;

/// How many edits a fuzzy term may be away: inserting, deleting, replacing a character, or changing
/// two neighbours round.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fuzziness {
    /// By the length of the term in characters: none below `low`, one below `high`, two from there.
    Auto {
        /// Length from which one edit is allowed.
        low: u32,
        /// Length from which two are.
        high: u32,
    },
    /// This many, at most 2.
    Edits(u8),
}

impl Fuzziness {
    /// `AUTO`, which is `AUTO:3,6`.
    pub const AUTO: Self = Self::Auto { low: 3, high: 6 };

    /// Reads `AUTO`, `AUTO:3,6`, `0`, `1` or `2`, as text or number.
    ///
    /// # Errors
    /// It is nothing of that.
    pub fn from_json(clause: &str, value: &Value) -> Result<Self, Exception> {
        let text = options::text(clause, "fuzziness", value)?;
        Self::read(&text).ok_or_else(|| {
            Exception::illegal_argument(format!(
                "failed to parse [{text}] as a fuzziness: use AUTO, AUTO:low,high, 0, 1 or 2"
            ))
        })
    }

    /// Reads the spelling, or returns `None` when it is none.
    pub fn read(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        if upper == "AUTO" {
            return Some(Self::AUTO);
        }
        if let Some(bounds) = upper.strip_prefix("AUTO:") {
            let (low, high) = bounds.split_once(',')?;
            let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
            return (low <= high).then_some(Self::Auto { low, high });
        }
        // Whole numbers may be written as decimals, as in `1.0`.
        let edits: f32 = text.parse().ok()?;
        [0u8, 1, 2].into_iter().find(|known| f32::from(*known) == edits).map(Self::Edits)
    }

    /// Returns how many edits a term may be away.
    pub fn edits(self, term: &str) -> u8 {
        match self {
            Self::Edits(edits) => edits,
            Self::Auto { low, high } => {
                let length = term.chars().count() as u64;
                u8::from(length >= u64::from(low)) + u8::from(length >= u64::from(high))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_follow_the_length() {
        check("AUTO", "", Some(0));
        check("AUTO", "ab", Some(0));
        check("auto", "abc", Some(1));
        check("AUTO", "abcde", Some(1));
        check("AUTO", "abcdef", Some(2));
        check("AUTO", "äöü", Some(1));
        check("AUTO:1,4", "a", Some(1));
        check("AUTO:1,4", "abcd", Some(2));
        check("0", "abcdef", Some(0));
        check("1.0", "abcdef", Some(1));
        check("2", "a", Some(2));
        check("3", "abc", None);
        check("AUTO:4,1", "abc", None);
        check("some", "abc", None);
    }

    #[track_caller]
    fn check(spelling: &str, term: &str, edits: Option<u8>) {
        assert_eq!(Fuzziness::read(spelling).map(|it| it.edits(term)), edits, "{spelling}, {term}");
    }
}
