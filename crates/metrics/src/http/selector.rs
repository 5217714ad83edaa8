//! Series selectors, as `match[]` has them: a name, conditions in braces, and nothing else.

use pampero_series::{METRIC_NAME, MatchOperator, Matcher};

/// Most bytes of one selector.
const LENGTH_MAX: usize = 16 << 10;

/// Most conditions in one selector.
const MATCHERS_MAX: usize = 128;

/// Reads a selector.
///
/// # Errors
/// The text is no selector; the message says where.
pub(super) fn parse_selector(text: &str) -> Result<Vec<Matcher>, String> {
    if LENGTH_MAX < text.len() {
        return Err(format!("the selector is longer than {LENGTH_MAX} bytes"));
    }
    let mut reader = Reader { text, at: 0 };
    reader.selector().map_err(|fault| {
        let before = &text[..fault.at];
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        format!("{line}:{column}: parse error: {}", fault.message)
    })
}

/// Returns whether these conditions hold for less than everything.
pub(super) fn is_selective(matchers: &[Matcher]) -> bool {
    matchers.iter().any(|matcher| !matcher.matches(""))
}

/// Returns whether this may be the name of a label.
pub(super) fn is_label_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

struct Fault {
    at: usize,
    message: String,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn selector(&mut self) -> Result<Vec<Matcher>, Fault> {
        let mut matchers = Vec::new();
        self.skip_blanks();
        let name = self.word(|byte| byte == b':');
        if !name.is_empty() {
            matchers.push(Matcher::equal(METRIC_NAME, name));
            self.skip_blanks();
        }
        if self.take('{') {
            self.conditions(&mut matchers)?;
            self.skip_blanks();
        } else if name.is_empty() {
            return Err(self.unexpected(""));
        }
        if self.at < self.text.len() { Err(self.unexpected("")) } else { Ok(matchers) }
    }

    /// Reads up to the closing brace.
    fn conditions(&mut self, matchers: &mut Vec<Matcher>) -> Result<(), Fault> {
        loop {
            self.skip_blanks();
            if self.take('}') {
                return Ok(());
            }
            if MATCHERS_MAX <= matchers.len() {
                return Err(self.fault(format!("more than {MATCHERS_MAX} conditions")));
            }
            matchers.push(self.condition()?);
            self.skip_blanks();
            if !self.take(',') {
                return if self.take('}') {
                    Ok(())
                } else {
                    Err(self.unexpected(" inside braces"))
                };
            }
        }
    }

    fn condition(&mut self) -> Result<Matcher, Fault> {
        let start = self.at;
        let name = self.word(|_| false);
        if name.is_empty() {
            return Err(self.unexpected(" inside braces"));
        }
        self.skip_blanks();
        let operators = [
            MatchOperator::Regex,
            MatchOperator::NotRegex,
            MatchOperator::NotEqual,
            MatchOperator::Equal,
        ];
        let found =
            operators.into_iter().find(|operator| self.rest().starts_with(operator.as_str()));
        let operator = found.ok_or_else(|| self.unexpected(" inside braces"))?;
        self.at += operator.as_str().len();
        self.skip_blanks();
        let value = self.string()?;
        Matcher::new(name, operator, &value).map_err(|error| {
            let message = super::query::written_out(&error);
            Fault { at: start, message }
        })
    }

    /// Reads a string in any of the three kinds of quotes.
    fn string(&mut self) -> Result<String, Fault> {
        let Some(quote) = self.rest().chars().next().filter(|first| "\"'`".contains(*first)) else {
            return Err(self.unexpected(" inside braces"));
        };
        let start = self.at;
        self.at += 1;
        let mut value = String::new();
        loop {
            let Some(character) = self.rest().chars().next() else {
                let message = "unterminated quoted string".to_owned();
                return Err(Fault { at: start, message });
            };
            self.at += character.len_utf8();
            match character {
                character if character == quote => return Ok(value),
                '\\' if quote != '`' => value.push(self.escape(quote)?),
                '\n' if quote != '`' => {
                    let message = "unterminated quoted string".to_owned();
                    return Err(Fault { at: start, message });
                }
                character => value.push(character),
            }
        }
    }

    /// Reads what follows a backslash.
    fn escape(&mut self, quote: char) -> Result<char, Fault> {
        let fault = |reader: &Self| reader.fault("invalid escape in a string".to_owned());
        let letter = self.rest().chars().next().ok_or_else(|| fault(self))?;
        let (digits, radix) = match letter {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (3, 8),
            _ => {
                let plain = match letter {
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\u{b}',
                    '\\' => '\\',
                    letter if letter == quote => letter,
                    _ => return Err(fault(self)),
                };
                self.at += letter.len_utf8();
                return Ok(plain);
            }
        };
        let from = if radix == 16 { self.at + 1 } else { self.at };
        let code = self.text.get(from..from + digits).filter(|code| !code.starts_with('+'));
        let code = code.and_then(|code| u32::from_str_radix(code, radix).ok());
        let character = code.and_then(char::from_u32).ok_or_else(|| fault(self))?;
        self.at = from + digits;
        Ok(character)
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Reads letters, digits, underscores and what else is allowed; no digit comes first.
    fn word(&mut self, also: impl Fn(u8) -> bool) -> &'t str {
        let rest = self.rest();
        let belongs = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric() || also(byte);
        let length = rest.bytes().position(|byte| !belongs(byte)).unwrap_or(rest.len());
        if rest.starts_with(|first: char| first.is_ascii_digit()) {
            return "";
        }
        self.at += length;
        &rest[..length]
    }

    fn take(&mut self, character: char) -> bool {
        let is_there = self.rest().starts_with(character);
        self.at += if is_there { character.len_utf8() } else { 0 };
        is_there
    }

    /// Skips white space and comments, which go on to the end of their line.
    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest().trim_start_matches([' ', '\t', '\n', '\r']);
            self.at = self.text.len() - rest.len();
            if !rest.starts_with('#') {
                return;
            }
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }

    fn unexpected(&self, place: &str) -> Fault {
        self.fault(match self.rest().chars().next() {
            Some(character) => format!("unexpected \"{}\"{place}", character.escape_debug()),
            None => format!("unexpected end of input{place}"),
        })
    }

    fn fault(&self, message: String) -> Fault {
        Fault { at: self.at, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let matchers = parse_selector(text).unwrap();
        let written: Vec<_> = matchers.iter().map(ToString::to_string).collect();
        assert_eq!(written, expected, "{text}");
    }

    #[test]
    fn selectors_are_read() {
        check("up", &[r#"__name__="up""#]);
        check(" a:b ", &[r#"__name__="a:b""#]);
        check("sum{}", &[r#"__name__="sum""#]);
        check("{}", &[]);
        check(
            r#"up{a="1",b!='2',c=~`3.*`,d!~"4",}"#,
            &[r#"__name__="up""#, r#"a="1""#, r#"b!="2""#, r#"c=~"3.*""#, r#"d!~"4""#],
        );
        check("up { # why\n a = \"}\" }", &[r#"__name__="up""#, r#"a="}""#]);
        check(r#"{a="\n\"\\\x41\u00f1\101"}"#, &[r#"a="\n\"\\AñA""#]);
        check(r"{a=`\n`}", &[r#"a="\\n""#]);
    }

    #[track_caller]
    fn check_wrong(text: &str, expected: &str) {
        assert_eq!(parse_selector(text).unwrap_err(), expected, "{text}");
    }

    #[test]
    fn what_is_no_selector_is_refused_with_its_place() {
        check_wrong("", "1:1: parse error: unexpected end of input");
        check_wrong("up{", "1:4: parse error: unexpected end of input inside braces");
        check_wrong("up[5m]", "1:3: parse error: unexpected \"[\"");
        check_wrong("sum(up)", "1:4: parse error: unexpected \"(\"");
        check_wrong("-up", "1:1: parse error: unexpected \"-\"");
        check_wrong("up offset 5m", "1:4: parse error: unexpected \"o\"");
        check_wrong("5up", "1:1: parse error: unexpected \"5\"");
        check_wrong("{a}", "1:3: parse error: unexpected \"}\" inside braces");
        check_wrong("{a=1}", "1:4: parse error: unexpected \"1\" inside braces");
        check_wrong("{a=\"1\" b=\"2\"}", "1:8: parse error: unexpected \"b\" inside braces");
        check_wrong("{\na=\"1}", "2:3: parse error: unterminated quoted string");
        check_wrong("{a=\"\\q\"}", "1:6: parse error: invalid escape in a string");
        check_wrong("{a=\"\\x+1\"}", "1:6: parse error: invalid escape in a string");
        check_wrong("{a=\"\\uñ\"}", "1:6: parse error: invalid escape in a string");
        assert!(parse_selector("{a=~\"(\"}").unwrap_err().starts_with("1:2: parse error: "));
        assert!(parse_selector(&"{".repeat(LENGTH_MAX + 1)).is_err());
    }

    #[test]
    fn only_conditions_that_refuse_the_empty_value_select() {
        let is_selective = |text| is_selective(&parse_selector(text).unwrap());
        assert!(is_selective("up"));
        assert!(!is_selective("{}"));
        assert!(!is_selective(r#"{a=~".*"}"#));
        assert!(is_selective(r#"{a=~".*",b=~".+"}"#));
    }

    #[test]
    fn names_of_labels_are_checked() {
        assert!(is_label_name("__name__"));
        assert!(is_label_name("a1"));
        assert!(!is_label_name("1a"));
        assert!(!is_label_name("a-b"));
        assert!(!is_label_name(""));
        assert!(!is_label_name("ñ"));
    }
}
