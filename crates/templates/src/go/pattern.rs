//! Regular expressions as Go has them.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::RenderError;
use crate::budget::Budget;

/// Most memory that one compiled regular expression may take, in bytes.
const SIZE_MAX: usize = 1 << 20;

/// Most bytes of one regular expression as written.
const WRITTEN_MAX: usize = 4 << 10;

/// How many times as much as it may be a replacement is guessed to be before it is refused unmade.
const EXPANSION_MAX: usize = 8;

/// Compiles a regular expression.
///
/// # Errors
/// It is none, or too large.
pub(super) fn compile(written: &str) -> Result<Arc<Regex>, String> {
    if WRITTEN_MAX < written.len() {
        let bytes = written.len();
        return Err(format!("the regular expression has {bytes} bytes, at most {WRITTEN_MAX}"));
    }
    let built = RegexBuilder::new(&with_ascii_classes(written)).size_limit(SIZE_MAX).build();
    built.map(Arc::new).map_err(|error| {
        // The last line says what is wrong, those before it draw where.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("the regular expression {written} is not understood: {reason}")
    })
}

/// Rewrites the classes that are of ASCII in Go and of Unicode here.
fn with_ascii_classes(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut characters = written.chars();
    let mut is_in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '[' => is_in_class = true,
            ']' => is_in_class = false,
            '\\' => {
                let Some(escaped) = characters.next() else {
                    out.push('\\');
                    break;
                };
                let class = match escaped {
                    'd' => "[0-9]",
                    'D' => "[^0-9]",
                    'w' => "[0-9A-Za-z_]",
                    'W' => "[^0-9A-Za-z_]",
                    's' => "[\\t\\n\\x0C\\r ]",
                    'S' => "[^\\t\\n\\x0C\\r ]",
                    'b' if !is_in_class => "(?-u:\\b)",
                    _ => {
                        out.extend(['\\', escaped]);
                        continue;
                    }
                };
                out.push_str(class);
                continue;
            }
            _ => {}
        }
        out.push(character);
    }
    out
}

/// Replaces every match; `$1` and `${name}` in the replacement stand for groups.
///
/// # Errors
/// The text becomes longer than any may be.
pub(super) fn replace_all(
    pattern: &Regex,
    replacement: &str,
    text: &str,
    budget: &mut Budget,
) -> Result<String, RenderError> {
    let signs = replacement.bytes().filter(|&byte| byte == b'$').count();
    let mut out = String::new();
    let mut end = 0;
    for groups in pattern.captures_iter(text) {
        let Some(whole) = groups.get(0) else { continue };
        budget.push(&mut out, &text[end..whole.start()])?;
        // Every group is put in at most once for each sign, which says how much that can be before it is.
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
