//! Regular expressions as Go has them.

use regex::{Regex, RegexBuilder};

use crate::RenderError;
use crate::budget::Budget;

/// Most memory that one compiled regular expression may take, in bytes.
const SIZE_MAX: usize = 256 << 10;

/// What is smaller, in bytes, searches fast.
const SMALL_MAX: usize = 16 << 10;

/// Most memory of what one regular expression learns while it searches, in bytes.
const CACHE_MAX: usize = 256 << 10;

/// Most bytes of one regular expression as written.
const WRITTEN_MAX: usize = 4 << 10;

/// How many times as much as it may be a replacement is guessed to be before it is refused unmade.
const EXPANSION_MAX: usize = 8;

/// A regular expression that was compiled.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// What the search through one byte costs.
    steps_per_byte: usize,
}

impl Pattern {
    /// Compiles a regular expression.
    ///
    /// # Errors
    /// It is none, or too large.
    pub(super) fn compile(written: &str) -> Result<Self, String> {
        if WRITTEN_MAX < written.len() {
            let bytes = written.len();
            return Err(format!("the regular expression has {bytes} bytes, at most {WRITTEN_MAX}"));
        }
        let rewritten = as_here(written);
        let build = |size_max: usize| {
            RegexBuilder::new(&rewritten).size_limit(size_max).dfa_size_limit(CACHE_MAX).build()
        };
        if let Ok(regex) = build(SMALL_MAX) {
            return Ok(Self { regex, steps_per_byte: 1 });
        }
        let regex = build(SIZE_MAX).map_err(|error| {
            // The last line says what is wrong, those before it draw where.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("the regular expression {written} is not understood: {reason}")
        })?;
        Ok(Self { regex, steps_per_byte: SIZE_MAX / SMALL_MAX })
    }

    /// Returns whether it matches anywhere in `text`.
    ///
    /// # Errors
    /// That takes too many steps.
    pub(super) fn is_match(&self, text: &str, budget: &mut Budget) -> Result<bool, RenderError> {
        budget.step(text.len().saturating_mul(self.steps_per_byte))?;
        Ok(self.regex.is_match(text))
    }

    /// Replaces every match; `$1` and `${name}` in the replacement stand for groups.
    ///
    /// # Errors
    /// The text becomes longer than any may be, or that takes too many steps.
    pub(super) fn replace_all(
        &self,
        replacement: &str,
        text: &str,
        budget: &mut Budget,
    ) -> Result<String, RenderError> {
        budget.step(text.len().saturating_mul(self.steps_per_byte))?;
        let signs = replacement.bytes().filter(|&byte| byte == b'$').count();
        let mut out = String::new();
        let mut end = 0;
        for groups in self.regex.captures_iter(text) {
            let Some(whole) = groups.get(0) else { continue };
            budget.push(&mut out, &text[end..whole.start()])?;
            // Every group is put in at most once for each sign, which says how much that can be.
            let group = groups.iter().flatten().map(|group| group.len()).max().unwrap_or_default();
            let most = group.saturating_mul(signs).saturating_add(replacement.len());
            budget.fits(most / EXPANSION_MAX)?;
            let mut replaced = String::new();
            groups.expand(replacement, &mut replaced);
            budget.push(&mut out, &replaced)?;
            end = whole.end();
        }
        budget.push(&mut out, &text[end..])?;
        Ok(out)
    }
}

/// Rewrites what is written otherwise here: classes that are of ASCII in Go, and the signs that nest, cut
/// and subtract classes here and are characters there.
fn as_here(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut characters = written.chars().peekable();
    let mut is_in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped) => push_escape(&mut out, escaped, is_in_class),
                None => out.push('\\'),
            },
            '[' if is_in_class && characters.peek() != Some(&':') => out.push_str("\\["),
            '[' if is_in_class => {
                // A named class, up to its own bracket.
                out.push('[');
                for part in characters.by_ref() {
                    out.push(part);
                    if part == ']' {
                        break;
                    }
                }
            }
            '[' => {
                is_in_class = true;
                out.push('[');
                out.extend(characters.next_if_eq(&'^'));
                // The first bracket closes nothing.
                if characters.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' => {
                is_in_class = false;
                out.push(']');
            }
            '&' | '~' if is_in_class => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}

fn push_escape(out: &mut String, escaped: char, is_in_class: bool) {
    let class = match escaped {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        's' => "[\\t\\n\\x0C\\r ]",
        'S' => "[^\\t\\n\\x0C\\r ]",
        'b' if !is_in_class => "(?-u:\\b)",
        _ => return out.extend(['\\', escaped]),
    };
    out.push_str(class);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_go() {
        check(r"^\d+$", "12", true);
        check(r"\d", "٣", false);
        check(r"^[\w-]+$", "a_1-", true);
        check(r"\w", "é", false);
        check(r"[^\s\d]", " 1\t", false);
        check(r"\bw", "éw", true);
        check(r"^[[a]$", "[", true);
        check(r"^[[:digit:]x]+$", "1x", true);
        check(r"^[]a]+$", "]a", true);
        check(r"^[^]a]$", "]", false);
        check(r"^[]&&]+$", "]&", true);
        check(r"^[a&&b]+$", "a&b", true);
        check(r"^[~~]+$", "~", true);
        check(r"\pL", "é", true);
    }

    #[track_caller]
    fn check(written: &str, text: &str, expected: bool) {
        let pattern = Pattern::compile(written).unwrap();
        let found = pattern.is_match(text, &mut Budget::new(1000)).unwrap();
        assert_eq!(found, expected, "{written} in {text}");
    }

    #[test]
    fn large_ones_cost_more_and_the_largest_are_refused() {
        assert_eq!(Pattern::compile("a{100}").unwrap().steps_per_byte, 1);
        assert_eq!(Pattern::compile("[a-z]{900}").unwrap().steps_per_byte, 16);
        assert!(Pattern::compile("((a{99}){99}){99}").is_err());
        assert!(Pattern::compile(&"a".repeat(WRITTEN_MAX + 1)).is_err());
    }
}
