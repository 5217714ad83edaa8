//! The language of `query_string`, which is Lucene's classic one, as a tree.
//!
//! The tree knows no fields but those that the text names. [`parse`] is the way in; tokens are cut in
//! `lexer`, and here they are put together.

mod lexer;

use lexer::{Lexer, Token};

use super::{CLAUSES_MAX, DEPTH_MAX, Fuzziness, Operator};
use crate::{Exception, ExceptionKind};

/// What a text asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Words, which the analyzer of each field cuts.
    Words {
        /// Where; `None` for the default.
        field: Option<String>,
        /// Without escapes.
        text: String,
    },
    /// Words in their order.
    Phrase {
        /// Where; `None` for the default.
        field: Option<String>,
        /// Without escapes.
        text: String,
        /// By how many places words may be moved in all; `None`: as the query says.
        slop: Option<u32>,
    },
    /// A pattern with `*` and `?`; other characters may be escaped with `\`.
    Wildcard {
        /// Where; `None` for the default.
        field: Option<String>,
        /// With its escapes.
        pattern: String,
    },
    /// A regular expression.
    Regexp {
        /// Where; `None` for the default.
        field: Option<String>,
        /// What stood between the slashes.
        pattern: String,
    },
    /// A word within some edits.
    Fuzzy {
        /// Where; `None` for the default.
        field: Option<String>,
        /// Without escapes.
        text: String,
        /// `None`: as the query says.
        fuzziness: Option<Fuzziness>,
    },
    /// Values between bounds.
    Range {
        /// Where; `None` for the default.
        field: Option<String>,
        /// The lower bound and whether it belongs to the range; `None` for `*`.
        lower: Option<(String, bool)>,
        /// The upper bound.
        upper: Option<(String, bool)>,
    },
    /// Clauses with what has to become of them.
    Boolean(Vec<(Occurrence, Node)>),
    /// A node whose score is multiplied.
    Boost(Box<Node>, f32),
}

/// What has to become of a clause.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Occurrence {
    /// It has to match.
    Must,
    /// It may match.
    Should,
    /// It must not match.
    MustNot,
}

/// What stands before a clause.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Modifier {
    None,
    Required,
    Forbidden,
}

/// Reads a text; one of nothing but white space is `None`.
///
/// # Errors
/// `parse_exception` `Cannot parse '..'` with what was not expected, and where.
pub fn parse(text: &str, operator: Operator) -> Result<Option<Node>, Exception> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let refuse = |reason: String| {
        Exception::new(ExceptionKind::Parse, format!("Cannot parse '{text}': {reason}"))
    };
    let tokens = Lexer::new(text).tokens().map_err(refuse)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, clauses: 0, operator };
    let node = parser.query(None).map_err(refuse)?;
    match parser.peek() {
        Token::End => Ok(Some(node)),
        _ => Err(refuse(parser.unexpected())),
    }
}

struct Parser<'a> {
    tokens: &'a [(usize, Token)],
    at: usize,
    depth: usize,
    clauses: usize,
    operator: Operator,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> &Token {
        self.tokens.get(self.at + by).map_or(&Token::End, |(_, token)| token)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    /// Takes the next token when it is this one.
    fn accept(&mut self, token: &Token) -> bool {
        let there = self.peek() == token;
        if there {
            self.at += 1;
        }
        there
    }

    fn unexpected(&self) -> String {
        let column = self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |(at, _)| *at);
        format!("Encountered {} at line 1, column {column}.", self.peek().describe())
    }

    /// Reads clauses up to the end or a closing parenthesis.
    fn query(&mut self, field: Option<&str>) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} levels of parentheses"));
        }
        let mut clauses: Vec<(Occurrence, Node)> = Vec::new();
        let mut plain = true;
        loop {
            let and = self.conjunction(clauses.is_empty())?;
            let modifier = self.modifier();
            plain &= modifier == Modifier::None;
            let joined = and.is_none() && modifier == Modifier::None;
            let node = self.clause(field, joined)?;
            self.clauses += 1;
            if self.clauses > CLAUSES_MAX {
                return Err(format!("too many boolean clauses, maxClauseCount is {CLAUSES_MAX}"));
            }
            self.add(&mut clauses, and, modifier, node);
            if matches!(self.peek(), Token::End | Token::Close) {
                break;
            }
        }
        self.depth -= 1;
        if plain && clauses.len() == 1 {
            return Ok(clauses.remove(0).1);
        }
        Ok(Node::Boolean(clauses))
    }

    /// Reads `AND` (true) or `OR` (false) between clauses.
    fn conjunction(&mut self, first: bool) -> Result<Option<bool>, String> {
        let and = match self.peek() {
            Token::And => true,
            Token::Or => false,
            _ => return Ok(None),
        };
        if first {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(Some(and))
    }

    fn modifier(&mut self) -> Modifier {
        let modifier = match self.peek() {
            Token::Plus => Modifier::Required,
            Token::Minus | Token::Not => Modifier::Forbidden,
            _ => return Modifier::None,
        };
        self.at += 1;
        modifier
    }

    /// Adds a clause by the rules of Lucene's classic parser: operators bind to their neighbours, and
    /// `AND` makes the clause before it required, whatever stood before that.
    fn add(
        &self,
        clauses: &mut Vec<(Occurrence, Node)>,
        and: Option<bool>,
        modifier: Modifier,
        node: Node,
    ) {
        if let Some((occurrence, _)) = clauses.last_mut()
            && *occurrence != Occurrence::MustNot
        {
            match (and, self.operator) {
                (Some(true), _) => *occurrence = Occurrence::Must,
                (Some(false), Operator::And) => *occurrence = Occurrence::Should,
                _ => {}
            }
        }
        let required = match self.operator {
            Operator::Or => modifier == Modifier::Required || and == Some(true),
            Operator::And => and != Some(false),
        };
        let occurrence = match modifier {
            Modifier::Forbidden => Occurrence::MustNot,
            _ if required => Occurrence::Must,
            _ => Occurrence::Should,
        };
        clauses.push((occurrence, node));
    }

    /// Reads one clause; `joined` words take in those that follow without anything between them.
    fn clause(&mut self, field: Option<&str>, joined: bool) -> Result<Node, String> {
        let named = match (self.peek(), self.ahead(1)) {
            (Token::Word(name), Token::Colon) => Some(unescape(name)?),
            (Token::Wildcard(pattern), Token::Colon) if pattern == "*" => Some("*".to_owned()),
            _ => None,
        };
        if named.is_some() {
            self.at += 2;
        }
        let joined = joined && named.is_none();
        let field = named.as_deref().or(field);
        if self.accept(&Token::Open) {
            let inner = self.query(field)?;
            if !self.accept(&Token::Close) {
                return Err(self.unexpected());
            }
            let boost = self.boost()?;
            return Ok(boosted(inner, boost));
        }
        self.term(field.map(str::to_owned), joined)
    }

    fn term(&mut self, field: Option<String>, joined: bool) -> Result<Node, String> {
        let token = self.next();
        let node = match token {
            Token::Word(text) => {
                let mut text = text;
                // Words without operators between them are one text, so that a field that has all of
                // them can match as a whole.
                while joined && self.word_follows() {
                    if let Token::Word(word) = self.next() {
                        text = format!("{text} {word}");
                    }
                }
                let fuzzy = self.tilde();
                if let Some(number) = fuzzy {
                    let fuzziness = read_edits(&number)?;
                    Node::Fuzzy { field, text: unescape(&text)?, fuzziness }
                } else {
                    word_or_range(field, &text)?
                }
            }
            Token::Bare(sign) => Node::Words { field, text: sign.to_string() },
            Token::Quoted(text) => {
                let slop = self.tilde().map(|number| number.parse::<f32>().unwrap_or(0.0) as u32);
                Node::Phrase { field, text: unescape(&text)?, slop }
            }
            Token::Wildcard(pattern) => {
                self.tilde();
                Node::Wildcard { field, pattern }
            }
            Token::Regexp(pattern) => {
                self.tilde();
                Node::Regexp { field, pattern }
            }
            Token::Range { lower, upper } => {
                Node::Range { field, lower: bound(lower)?, upper: bound(upper)? }
            }
            _ => {
                self.at -= 1;
                return Err(self.unexpected());
            }
        };
        let boost = self.boost()?;
        Ok(boosted(node, boost))
    }

    /// Tells whether the next token is a word that belongs to the words before it.
    fn word_follows(&self) -> bool {
        matches!(self.peek(), Token::Word(_))
            && !matches!(
                self.ahead(1),
                Token::Colon | Token::Tilde(_) | Token::Boost(_) | Token::And | Token::Or
            )
    }

    /// Reads `~` and returns the number behind it, which may be empty.
    fn tilde(&mut self) -> Option<String> {
        let Token::Tilde(number) = self.peek() else {
            return None;
        };
        let number = number.clone();
        self.at += 1;
        Some(number)
    }

    fn boost(&mut self) -> Result<f32, String> {
        let Token::Boost(number) = self.peek() else {
            return Ok(1.0);
        };
        let boost = number.parse::<f32>().ok().filter(|boost| boost.is_finite());
        let boost = boost.ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(boost)
    }
}

fn boosted(node: Node, boost: f32) -> Node {
    if boost == 1.0 { node } else { Node::Boost(Box::new(node), boost) }
}

/// Reads `>=10` and its like behind a field as a range.
fn word_or_range(field: Option<String>, text: &str) -> Result<Node, String> {
    let (bound, upper, inclusive) = match (&field, text.as_bytes()) {
        (Some(_), [b'>', b'=', ..]) if text.len() > 2 => (&text[2..], false, true),
        (Some(_), [b'<', b'=', ..]) if text.len() > 2 => (&text[2..], true, true),
        (Some(_), [b'>', ..]) if text.len() > 1 => (&text[1..], false, false),
        (Some(_), [b'<', ..]) if text.len() > 1 => (&text[1..], true, false),
        _ => return Ok(Node::Words { field, text: unescape(text)? }),
    };
    let bound = Some((unescape(bound)?, inclusive));
    Ok(match upper {
        true => Node::Range { field, lower: None, upper: bound },
        false => Node::Range { field, lower: bound, upper: None },
    })
}

fn bound(bound: lexer::Bound) -> Result<Option<(String, bool)>, String> {
    if bound.text == "*" && !bound.quoted {
        return Ok(None);
    }
    Ok(Some((unescape(&bound.text)?, bound.inclusive)))
}

/// Reads what stands behind `~`; a number below one is a likeness as older versions of Lucene had it.
fn read_edits(number: &str) -> Result<Option<Fuzziness>, String> {
    if number.is_empty() {
        return Ok(None);
    }
    let edits: f32 = number.parse().map_err(|_| format!("no number behind ~: {number}"))?;
    if edits >= 1.0 && edits.fract() != 0.0 {
        return Err("Fractional edit distances are not allowed!".to_owned());
    }
    let most = edits >= 2.0 || (edits > 0.0 && edits < 1.0);
    Ok(Some(Fuzziness::Edits(if most { 2 } else { edits as u8 })))
}

/// Takes the backslashes of escapes away; `\u0041` is a character by its number.
fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('u') => {
                let digits: String = characters.by_ref().take(4).collect();
                let number = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4);
                let character = number.and_then(char::from_u32).ok_or_else(|| {
                    format!("Non-hex character in Unicode escape sequence: {digits}")
                })?;
                plain.push(character);
            }
            Some(escaped) => plain.push(escaped),
            None => return Err("Term can not end with escape character.".to_owned()),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests;
