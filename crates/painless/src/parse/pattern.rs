//! Patterns: those of Java, written anew for an engine that takes linear time.
//!
//! What that engine cannot do (look-around, back references) or reads in another way is refused; classes,
//! the dot and the end of the text are spelled out as Java means them. With `i`, letters beyond ASCII are
//! folded as well, which Java does with `u` only. Source: `java.util.regex.Pattern`.

use std::iter::Peekable;
use std::str::Chars;

use regex::RegexBuilder;

use crate::syntax::Pattern;

/// Longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 2048;

/// Largest compiled pattern, in bytes.
const COMPILED_BYTES_MAX: usize = 1 << 17;

/// Size up to which a compiled pattern costs one step for each byte of a text.
const COMPILED_BYTES_MIN: usize = 1 << 9;

/// How deep groups may lie in one another.
const GROUPS_MAX: u32 = 50;

const LINE_ENDS: &str = r"\n\r\u{85}\u{2028}\u{2029}";

/// Compiles a pattern, for the whole text or for any part of it; the message says what is wrong with it.
pub(super) fn compile(body: &str, flags: &str, whole: bool) -> Result<Pattern, String> {
    if body.len() > PATTERN_BYTES_MAX {
        return Err(format!("the pattern is longer than {PATTERN_BYTES_MAX} bytes"));
    }
    if body.is_empty() {
        return Err("the pattern is empty".to_owned());
    }
    if let Some(flag) = flags.chars().find(|flag| !matches!(flag, 'i' | 's' | 'm')) {
        return Err(format!("the flag {flag} of a pattern is not understood"));
    }
    let has = |flag: char| flags.contains(flag);
    let mut writer = Writer {
        rest: body.chars().peekable(),
        written: String::with_capacity(body.len() * 2),
        dot_takes_all: has('s'),
        lines: has('m'),
        whole,
    };
    writer.write()?;
    let written = match whole {
        true => format!(r"\A(?:{})\z", writer.written),
        false => writer.written,
    };
    build(&written, has('i')).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large once compiled".to_owned(),
        other => {
            // The last line says what is wrong; those above draw where, in the spelled-out pattern.
            let text = other.to_string();
            let reason = text.lines().last().unwrap_or_default().trim();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            format!("the pattern is not understood: {reason}")
        }
    })
}

/// Builds the engine of a pattern within the smallest size that is enough for it.
///
/// At worst each byte of a text is looked at once for each state of the pattern, and the size, which
/// nothing else tells, stands for the states.
fn build(written: &str, ignore_case: bool) -> Result<Pattern, regex::Error> {
    let mut size = COMPILED_BYTES_MIN;
    loop {
        let built = RegexBuilder::new(written)
            .case_insensitive(ignore_case)
            .size_limit(size)
            .dfa_size_limit(1 << 20)
            .nest_limit(GROUPS_MAX)
            .build();
        match built {
            Err(regex::Error::CompiledTooBig(_)) if size < COMPILED_BYTES_MAX => size *= 2,
            other => {
                let steps_per_byte = size / COMPILED_BYTES_MIN;
                return other.map(|regex| Pattern { regex, steps_per_byte });
            }
        }
    }
}

/// Writes a pattern of Java as one of the engine.
struct Writer<'p> {
    rest: Peekable<Chars<'p>>,
    written: String,
    dot_takes_all: bool,
    lines: bool,
    whole: bool,
}

impl Writer<'_> {
    fn write(&mut self) -> Result<(), String> {
        let mut behind_quantifier = false;
        while let Some(character) = self.rest.next() {
            if behind_quantifier && character == '+' {
                return Err("a possessive quantifier (like ++) is not understood".to_owned());
            }
            behind_quantifier = matches!(character, '*' | '+' | '?' | '}') && !behind_quantifier;
            match character {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                '.' if self.dot_takes_all => self.written.push_str(r"(?s:.)"),
                '.' => self.written.push_str(&format!("[^{LINE_ENDS}]")),
                '^' if self.lines => self.written.push_str("(?m:^)"),
                '^' => self.written.push_str(r"\A"),
                '$' => self.end(),
                other => self.written.push(other),
            }
        }
        Ok(())
    }

    /// Writes `$`, which in Java stands before a last end of line as well.
    fn end(&mut self) {
        self.written.push_str(match (self.lines, self.whole) {
            (true, _) => "(?m:$)",
            (false, true) => r"\z",
            // That the end of line is taken in cannot be seen: only whether there is a match is asked.
            (false, false) => r"(?:\r\n|[\n\r\u{85}\u{2028}\u{2029}])?\z",
        });
    }

    fn group(&mut self) -> Result<(), String> {
        self.written.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.written.push('?');
        let refused = match self.rest.next() {
            Some(':') => {
                self.written.push(':');
                return Ok(());
            }
            Some('<') if !matches!(self.rest.peek(), Some('=' | '!')) => {
                self.written.push('<');
                return Ok(());
            }
            Some('i') if matches!(self.rest.peek(), Some(':' | ')')) => {
                self.written.push('i');
                return Ok(());
            }
            Some('=' | '!') => "look-ahead (?= and ?!)",
            Some('<') => "look-behind (?<= and ?<!)",
            Some('>') => "an atomic group (?>)",
            _ => "a flag within a pattern other than (?i)",
        };
        Err(format!("{refused} is not understood in a pattern"))
    }

    /// Writes the escape behind a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let Some(escaped) = self.rest.next() else {
            return Err("the pattern ends with a backslash".to_owned());
        };
        let written = match escaped {
            'd' if in_class => "0-9",
            'd' => "[0-9]",
            'D' => "[^0-9]",
            'w' if in_class => "0-9A-Za-z_",
            'w' => "[0-9A-Za-z_]",
            'W' => "[^0-9A-Za-z_]",
            's' if in_class => r" \t\n\x0B\f\r",
            's' => r"[ \t\n\x0B\f\r]",
            'S' => r"[^ \t\n\x0B\f\r]",
            'b' if !in_class => r"(?-u:\b)",
            'B' if !in_class => r"\B",
            'A' if !in_class => r"\A",
            'z' if !in_class => r"\z",
            'e' => r"\x1B",
            'p' | 'P' => return self.property(escaped),
            'a' | 'f' | 'n' | 'r' | 't' | 'u' | 'x' => {
                self.written.push('\\');
                self.written.push(escaped);
                return Ok(());
            }
            '1'..='9' => {
                return Err(format!(
                    r"a back reference (\{escaped}) is not understood in a pattern"
                ));
            }
            'k' => return Err(r"a back reference (\k) is not understood in a pattern".to_owned()),
            'A'..='Z' | 'a'..='z' | '0' => {
                return Err(format!(r"\{escaped} is not understood in a pattern"));
            }
            other => {
                if other.is_ascii_punctuation() {
                    self.written.push('\\');
                }
                self.written.push(other);
                return Ok(());
            }
        };
        self.written.push_str(written);
        Ok(())
    }

    /// Writes a class like `\p{Lu}`; the names of Java, which mean ASCII, are not among them.
    fn property(&mut self, escaped: char) -> Result<(), String> {
        let name: String = match self.rest.next() {
            Some('{') => self.rest.by_ref().take_while(|character| *character != '}').collect(),
            Some(letter) => letter.to_string(),
            None => String::new(),
        };
        let is_category = (1..=2).contains(&name.len())
            && name.starts_with(['L', 'M', 'N', 'P', 'S', 'Z', 'C'])
            && name.chars().all(|letter| letter.is_ascii_alphabetic());
        if !is_category {
            return Err(format!(r"the class \{escaped}{{{name}}} is not understood in a pattern"));
        }
        self.written.push_str(&format!(r"\{escaped}{{{name}}}"));
        Ok(())
    }

    /// Writes a class in brackets, those within it included.
    fn class(&mut self) -> Result<(), String> {
        let mut open = 1_usize;
        self.written.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.written.push('^');
        }
        while open > 0 {
            let Some(character) = self.rest.next() else {
                return Err("a class [ of the pattern does not end".to_owned());
            };
            match character {
                '\\' => {
                    self.escape(true)?;
                    continue;
                }
                '[' if self.rest.peek() == Some(&':') => {
                    return Err("a class like [:alpha:] is not understood in a pattern".to_owned());
                }
                '-' | '~' if self.rest.peek() == Some(&character) => {
                    return Err(format!(
                        r"{character}{character} in a class of a pattern is not understood: write \{character}"
                    ));
                }
                '[' => open += 1,
                ']' => open -= 1,
                _ => {}
            }
            self.written.push(character);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, flags: &str, whole: bool, text: &str, matches: bool) {
        let pattern = compile(body, flags, whole).unwrap().regex;
        assert_eq!(pattern.is_match(text), matches, "/{body}/{flags} in {text:?}: {pattern}");
    }

    #[test]
    fn patterns_mean_what_they_mean_in_java() {
        check("time ?out", "", false, "a timeout", true);
        check("time", "", true, "a timeout", false);
        check("a|b", "", true, "ab", false);
        check("TIME", "i", false, "a timeout", true);
        check("(?i)TIME", "", false, "a timeout", true);
        check(r"\d+", "", true, "12", true);
        check(r"\d", "", false, "٣", false);
        check(r"\w+", "", true, "ñandú", false);
        check(r"[\d.]+", "", true, "1.5", true);
        check(r"[\w]+", "", true, "a_B1", true);
        check(r"[^\d]+", "", true, "ab", true);
        check(r"[\D]+", "", true, "a1", false);
        check(r"\s", "", false, "a\u{a0}b", false);
        check(r"\bdown\b", "", false, "is down now", true);
        check("a.b", "", true, "a\nb", false);
        check("a.b", "s", true, "a\nb", true);
        check("a.b", "", true, "a\u{2028}b", false);
        check("^b", "", false, "a\nb", false);
        check("^b", "m", false, "a\nb", true);
        check("end$", "", false, "the end\n", true);
        check("end$", "", false, "the end\r\n", true);
        check("end$", "", false, "the end\nx", false);
        check("end$", "", true, "end\n", false);
        check("(?<name>a)", "", true, "a", true);
        check("[a-c&&[^b]]", "", true, "b", false);
        check("[a-c&&[^b]]", "", true, "c", true);
        check(r"\/api\/v1", "", false, "GET /api/v1", true);
        check(r"\p{Lu}\p{L}+", "", true, "Ñandú", true);
        check("a{2,3}", "", true, "aa", true);
        check("a+?", "", true, "aaa", true);
        check(r"\++", "", true, "++", true);
    }

    #[track_caller]
    fn refused(body: &str, flags: &str, message: &str) {
        let error = compile(body, flags, false).unwrap_err();
        assert!(error.contains(message), "/{body}/: {error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn what_the_engine_cannot_do_is_refused_by_name() {
        refused("a(?=b)", "", "look-ahead");
        refused("a(?!b)", "", "look-ahead");
        refused("(?<=a)b", "", "look-behind");
        refused("(?<!a)b", "", "look-behind");
        refused("(?>a)b", "", "atomic group");
        refused(r"(a)\1", "", r"back reference (\1)");
        refused(r"(?<x>a)\k<x>", "", r"back reference (\k)");
        refused("a++", "", "possessive");
        refused("a*+", "", "possessive");
        refused("(?s)a", "", "a flag within a pattern");
        refused(r"\Qa\E", "", r"\Q is not understood");
        refused(r"\G", "", r"\G is not understood");
        refused(r"\p{Alpha}", "", r"\p{Alpha} is not understood");
        refused("[[:alpha:]]", "", "[:alpha:]");
        refused("[a--b]", "", r"write \-");
        refused("a", "x", "the flag x");
        refused("(a", "", "unclosed group");
        refused("[a", "", "does not end");
        refused("a{3,2}", "", "the pattern is not understood");
        refused("", "", "empty");
        refused("(a{1000}){1000}", "", "too large");
        refused(&"(".repeat(200), "", "the pattern is not understood");
        refused(&"a".repeat(5000), "", "longer than");
    }
}
