//! Cuts a text in Lucene's language into tokens; the longest token wins, as in Lucene's own grammar.

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    And,
    Or,
    Not,
    Plus,
    Minus,
    Open,
    Close,
    Colon,
    /// `^` and the number behind it.
    Boost(String),
    /// `~` and the number behind it, which may be empty.
    Tilde(String),
    /// A word with its escapes.
    Word(String),
    /// A sign by itself, which is an ordinary character.
    Bare(char),
    /// What stands between quotes, with its escapes.
    Quoted(String),
    /// A word with `*` or `?`, with its escapes.
    Wildcard(String),
    /// What stands between slashes; an escaped slash is a slash.
    Regexp(String),
    Range {
        lower: Bound,
        upper: Bound,
    },
    End,
}

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bound {
    pub(super) text: String,
    pub(super) inclusive: bool,
    pub(super) quoted: bool,
}

impl Token {
    /// Says what it is for an error.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::End => "\"<EOF>\"".to_owned(),
            Self::And => "\"AND\"".to_owned(),
            Self::Or => "\"OR\"".to_owned(),
            Self::Not => "\"NOT\"".to_owned(),
            Self::Plus => "\"+\"".to_owned(),
            Self::Minus => "\"-\"".to_owned(),
            Self::Open => "\"(\"".to_owned(),
            Self::Close => "\")\"".to_owned(),
            Self::Colon => "\":\"".to_owned(),
            Self::Boost(number) => format!("\"^{number}\""),
            Self::Tilde(number) => format!("\"~{number}\""),
            Self::Word(text) | Self::Wildcard(text) => format!("\"{text}\""),
            Self::Quoted(text) => format!("\"\\\"{text}\\\"\""),
            Self::Regexp(text) => format!("\"/{text}/\""),
            Self::Bare(sign) => format!("\"{sign}\""),
            Self::Range { .. } => "a range".to_owned(),
        }
    }
}

/// Walks over the characters of a text.
pub(super) struct Lexer {
    characters: Vec<char>,
    at: usize,
}

impl Lexer {
    pub(super) fn new(text: &str) -> Self {
        Self { characters: text.chars().collect(), at: 0 }
    }

    /// Returns all tokens with the characters before them; the last one is the end.
    pub(super) fn tokens(mut self) -> Result<Vec<(usize, Token)>, String> {
        let mut tokens = Vec::new();
        loop {
            while self.peek().is_some_and(is_space) {
                self.at += 1;
            }
            let at = self.at;
            let token = self.token()?;
            let end = token == Token::End;
            tokens.push((at, token));
            if end {
                return Ok(tokens);
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> Option<char> {
        self.characters.get(self.at + by).copied()
    }

    fn token(&mut self) -> Result<Token, String> {
        let Some(character) = self.peek() else {
            return Ok(Token::End);
        };
        let single = match character {
            '(' => Token::Open,
            ')' => Token::Close,
            ':' => Token::Colon,
            '+' => Token::Plus,
            '-' => Token::Minus,
            '!' => Token::Not,
            '"' => return self.quoted().map(Token::Quoted),
            '/' => return self.regexp(),
            '[' | '{' => return self.range(),
            '^' => {
                self.at += 1;
                return Ok(Token::Boost(self.number()));
            }
            '~' => {
                self.at += 1;
                return Ok(Token::Tilde(self.number()));
            }
            ']' | '}' => return Err(self.lexical_error(character)),
            _ => return self.word(),
        };
        let bare = matches!(character, '+' | '-' | '!') && self.ahead(1).is_some_and(is_space);
        self.at += 1;
        Ok(if bare { Token::Bare(character) } else { single })
    }

    fn lexical_error(&self, character: char) -> String {
        format!("Lexical error at line 1, column {}. Encountered: \"{character}\"", self.at + 1)
    }

    fn number(&mut self) -> String {
        let mut number = String::new();
        while let Some(character) = self.peek() {
            let dot = character == '.' && !number.contains('.') && !number.is_empty();
            if !character.is_ascii_digit() && !dot {
                break;
            }
            number.push(character);
            self.at += 1;
        }
        number
    }

    fn quoted(&mut self) -> Result<String, String> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(character) = self.peek() {
            self.at += 1;
            match character {
                '"' => return Ok(text),
                '\\' => {
                    text.push(character);
                    if let Some(escaped) = self.peek() {
                        text.push(escaped);
                        self.at += 1;
                    }
                }
                _ => text.push(character),
            }
        }
        Err(format!("Lexical error at line 1, column {}. Encountered: <EOF>", start + 1))
    }

    fn regexp(&mut self) -> Result<Token, String> {
        let start = self.at;
        self.at += 1;
        let mut pattern = String::new();
        while let Some(character) = self.peek() {
            self.at += 1;
            match (character, self.peek()) {
                ('/', _) => return Ok(Token::Regexp(pattern)),
                ('\\', Some('/')) => {
                    pattern.push('/');
                    self.at += 1;
                }
                ('\\', Some(escaped)) => {
                    pattern.extend(['\\', escaped]);
                    self.at += 1;
                }
                _ => pattern.push(character),
            }
        }
        Err(format!("Lexical error at line 1, column {}. Encountered: <EOF>", start + 1))
    }

    fn word(&mut self) -> Result<Token, String> {
        let mut text = String::new();
        let mut pattern = false;
        while let Some(character) = self.peek() {
            if is_space(character) || "!():^[]\"{}~/".contains(character) {
                break;
            }
            self.at += 1;
            text.push(character);
            match character {
                '\\' => {
                    let escaped = self.peek().ok_or("Term can not end with escape character.")?;
                    text.push(escaped);
                    self.at += 1;
                }
                '*' | '?' => pattern = true,
                _ => {}
            }
        }
        Ok(match text.as_str() {
            "AND" | "&&" => Token::And,
            "OR" | "||" => Token::Or,
            "NOT" => Token::Not,
            _ if pattern => Token::Wildcard(text),
            _ => Token::Word(text),
        })
    }

    fn range(&mut self) -> Result<Token, String> {
        let inclusive = self.peek() == Some('[');
        self.at += 1;
        let lower = self.bound(inclusive)?;
        let to = self.bound(true)?;
        if to.text != "TO" || to.quoted {
            return Err(format!("Encountered \"{}\" where \"TO\" was expected.", to.text));
        }
        let mut upper = self.bound(true)?;
        self.skip_spaces();
        upper.inclusive = match self.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => return Err("a range has no end.".to_owned()),
        };
        self.at += 1;
        Ok(Token::Range { lower, upper })
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn bound(&mut self, inclusive: bool) -> Result<Bound, String> {
        self.skip_spaces();
        if self.peek() == Some('"') {
            return Ok(Bound { text: self.quoted()?, inclusive, quoted: true });
        }
        let mut text = String::new();
        while let Some(character) = self.peek() {
            if is_space(character) || matches!(character, ']' | '}') {
                break;
            }
            text.push(character);
            self.at += 1;
        }
        if text.is_empty() {
            return Err("a range lacks a bound: write [low TO high].".to_owned());
        }
        Ok(Bound { text, inclusive, quoted: false })
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{3000}')
}
