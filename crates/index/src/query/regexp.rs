//! Patterns in the syntax of the `regex` crate: from wildcards, and from Lucene's regular expressions.

use pampero_opensearch::Exception;

/// Returns an expression for a text as it is.
pub(super) fn escape(text: &str) -> String {
    regex::escape(text)
}

/// Returns an expression for a pattern with `*` (any run), `?` (one character) and `\` (an escape).
pub(super) fn from_wildcard(pattern: &str) -> String {
    let mut expression = String::with_capacity(pattern.len() + 8);
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            // Several stars say what one says.
            '*' if expression.ends_with(".*") => {}
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            // A backslash at the end stands for itself.
            '\\' => push_literal(&mut expression, characters.next().unwrap_or('\\')),
            _ => push_literal(&mut expression, character),
        }
    }
    expression
}

fn push_literal(expression: &mut String, character: char) {
    let mut buffer = [0; 4];
    expression.push_str(&regex::escape(character.encode_utf8(&mut buffer)));
}

/// Translates a regular expression of Lucene, which is always held against the whole term.
///
/// # Errors
/// It is none, or uses `~`, `&` or `<..>`, for which there is no translation.
pub(crate) fn from_lucene(pattern: &str) -> Result<String, Exception> {
    let characters: Vec<char> = pattern.chars().collect();
    let mut translation = Translation { pattern, characters: &characters, at: 0 };
    let expression = translation.alternatives()?;
    match translation.peek() {
        None => Ok(expression),
        Some(_) => Err(translation.refuse("unexpected ')'")),
    }
}

struct Translation<'a> {
    pattern: &'a str,
    characters: &'a [char],
    at: usize,
}

impl Translation<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek();
        self.at += usize::from(character.is_some());
        character
    }

    fn refuse(&self, reason: &str) -> Exception {
        Exception::illegal_argument(format!(
            "failed to parse regexp [{}]: {reason} at position {}",
            self.pattern, self.at
        ))
    }

    /// Reads up to the end or to the parenthesis that closes this group.
    ///
    /// Groups lie on a stack of their own, so that no pattern is too deep to be read.
    fn alternatives(&mut self) -> Result<String, Exception> {
        let mut open: Vec<String> = Vec::new();
        let mut expression = String::new();
        loop {
            let atom = match self.peek() {
                None if open.is_empty() => return Ok(expression),
                None => return Err(self.refuse("expected ')'")),
                Some(')') => {
                    let Some(outer) = open.pop() else {
                        return Ok(expression);
                    };
                    self.at += 1;
                    let group = format!("(?:{expression})");
                    expression = outer;
                    group
                }
                Some('(') => {
                    self.at += 1;
                    open.push(std::mem::take(&mut expression));
                    continue;
                }
                Some('|') => {
                    self.at += 1;
                    expression.push('|');
                    continue;
                }
                Some(_) => self.atom()?,
            };
            let repeated = self.repeated(atom)?;
            expression.push_str(&repeated);
        }
    }

    fn atom(&mut self) -> Result<String, Exception> {
        let unsupported =
            |operator: &str| Exception::unsupported(format!("regexp operator [{operator}]"));
        let Some(character) = self.next() else {
            return Err(self.refuse("unexpected end"));
        };
        match character {
            '.' => Ok(".".to_owned()),
            '@' => Ok("(?:.*)".to_owned()),
            // Nothing is in both of these.
            '#' => Ok("[a&&b]".to_owned()),
            '[' => self.class(),
            '"' => self.quoted(),
            '\\' => self.escaped(),
            '~' | '&' => Err(unsupported(&character.to_string())),
            '<' => Err(unsupported("<>")),
            '*' | '+' | '?' | '{' => Err(self.refuse("nothing to repeat")),
            _ => Ok(literal(character)),
        }
    }

    fn escaped(&mut self) -> Result<String, Exception> {
        match self.next() {
            None => Err(self.refuse("unexpected end behind '\\'")),
            Some('d') => Ok("[0-9]".to_owned()),
            Some('D') => Ok("[^0-9]".to_owned()),
            Some('s') => Ok("[ \\t\\n\\r]".to_owned()),
            Some('S') => Ok("[^ \\t\\n\\r]".to_owned()),
            Some('w') => Ok("[0-9A-Z_a-z]".to_owned()),
            Some('W') => Ok("[^0-9A-Z_a-z]".to_owned()),
            Some(character) => Ok(literal(character)),
        }
    }

    fn quoted(&mut self) -> Result<String, Exception> {
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(self.refuse("expected '\"'")),
                Some('"') => return Ok(format!("(?:{})", escape(&text))),
                Some(character) => text.push(character),
            }
        }
    }

    /// Reads a class behind its `[`.
    fn class(&mut self) -> Result<String, Exception> {
        let mut class = "[".to_owned();
        if self.peek() == Some('^') {
            self.at += 1;
            class.push('^');
        }
        let mut first = true;
        loop {
            let character = match self.next() {
                None => return Err(self.refuse("expected ']'")),
                Some(']') if !first => break,
                Some('\\') => match self.next() {
                    None => return Err(self.refuse("expected ']'")),
                    Some('d' | 's' | 'w' | 'D' | 'S' | 'W') => {
                        self.at -= 1;
                        first = false;
                        class.push_str(&self.escaped()?);
                        continue;
                    }
                    Some(character) => character,
                },
                Some(character) => character,
            };
            first = false;
            class.push_str(&literal(character));
            let range = self.peek() == Some('-')
                && self.characters.get(self.at + 1).is_some_and(|it| *it != ']');
            if range {
                self.at += 1;
                let last = match self.next() {
                    Some('\\') => self.next(),
                    last => last,
                };
                let last = last.ok_or_else(|| self.refuse("expected ']'"))?;
                if last < character {
                    return Err(self.refuse("a range that ends before it begins"));
                }
                class.push('-');
                class.push_str(&literal(last));
            }
        }
        class.push(']');
        Ok(class)
    }

    /// Reads what says how often an atom stands; one behind another repeats the whole before it.
    fn repeated(&mut self, mut atom: String) -> Result<String, Exception> {
        let mut repeats = 0;
        loop {
            let repeat = match self.peek() {
                Some(sign @ ('*' | '+' | '?')) => {
                    self.at += 1;
                    sign.to_string()
                }
                Some('{') => self.counts()?,
                _ => return Ok(atom),
            };
            repeats += 1;
            atom = if repeats > 1 { format!("(?:{atom}){repeat}") } else { atom + &repeat };
        }
    }

    /// Reads `{2}`, `{2,}` or `{2,5}`.
    fn counts(&mut self) -> Result<String, Exception> {
        let rest = &self.characters[self.at..];
        let length = rest.iter().position(|character| *character == '}');
        let length = length.ok_or_else(|| self.refuse("expected '}'"))?;
        let counts: String = rest[1..length].iter().collect();
        let (least, most) = match counts.split_once(',') {
            Some((least, most)) => (least, Some(most).filter(|most| !most.is_empty())),
            None => (counts.as_str(), None),
        };
        let number = |text: &str| text.parse::<u32>().ok();
        let ordered = match (number(least), most.map(number)) {
            (Some(_), None) => true,
            (Some(least), Some(Some(most))) => least <= most,
            _ => false,
        };
        if !ordered {
            return Err(self.refuse("integer expected in '{}'"));
        }
        self.at += length + 1;
        Ok(format!("{{{counts}}}"))
    }
}

/// Returns a character that means nothing but itself, in a class as well as outside of one.
fn literal(character: char) -> String {
    if character.is_ascii_punctuation() {
        return format!("\\{character}");
    }
    character.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_become_expressions() {
        assert_eq!(from_wildcard("K*2?"), "K.*2.");
        assert_eq!(from_wildcard("a**b"), "a.*b");
        assert_eq!(from_wildcard(r"1.5\*\?"), r"1\.5\*\?");
        assert_eq!(from_wildcard(r".*"), r"\..*");
        assert_eq!(from_wildcard(r"end\"), r"end\\");
    }

    #[test]
    fn expressions_of_lucene_match_whole_terms() {
        check("K[0-9]+", "K12", "AK12");
        check("a|ab", "ab", "abc");
        check("^a$", "^a$", "a");
        check("(ab){2}", "abab", "ab");
        check("a{2,}", "aaa", "a");
        check("\"a.b\"c", "a.bc", "axbc");
        check("a@", "a b", "b");
        check("[^abc]x", "dx", "ax");
        check("[a\\-c]", "-", "b");
        check("[\\d.]+", "1.5", "x");
        check("[&~^]", "&", "a");
        check("a?*", "aa", "b");
        check("()", "", "a");
        check("\\.", ".", "a");
        check("]", "]", "[");
    }

    #[track_caller]
    fn check(pattern: &str, found: &str, missed: &str) {
        let expression = format!("(?s)\\A(?:{})\\z", from_lucene(pattern).unwrap());
        let regex = regex::Regex::new(&expression).unwrap();
        assert!(regex.is_match(found), "{pattern} finds {found}: {expression}");
        assert!(!regex.is_match(missed), "{pattern} misses {missed}: {expression}");
    }

    #[test]
    fn what_cannot_be_translated_is_named() {
        for (pattern, words) in [
            ("~a", "regexp operator [~]"),
            ("a&b", "regexp operator [&]"),
            ("<1-5>", "regexp operator [<>]"),
            ("(a", "expected ')'"),
            ("a)", "unexpected ')'"),
            ("[a", "expected ']'"),
            ("*a", "nothing to repeat"),
            ("a{x}", "integer expected"),
            ("[b-a]", "ends before it begins"),
        ] {
            let refusal = from_lucene(pattern).expect_err(pattern);
            assert!(refusal.reason().contains(words), "{pattern}: {refusal}");
        }
    }
}
