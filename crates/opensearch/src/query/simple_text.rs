//! The language of `simple_query_string`, as a tree: every text is one, however it is written.
//!
//! Source: Lucene, `SimpleQueryParser`.

use super::query_text::{Node, Occurrence};
use super::{CLAUSES_MAX, DEPTH_MAX, Fuzziness, Operator};
use crate::Exception;

/// Most changes between operators, each of which puts what stands before it one level deeper.
const CHANGES_MAX: usize = 100;

/// Which operators a text may use; the characters of others are ordinary ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flags(u16);

impl Flags {
    /// Every operator.
    pub const ALL: Self = Self(u16::MAX);
    const AND: Self = Self(1);
    const OR: Self = Self(1 << 1);
    const NOT: Self = Self(1 << 2);
    const PREFIX: Self = Self(1 << 3);
    const PHRASE: Self = Self(1 << 4);
    const PRECEDENCE: Self = Self(1 << 5);
    const ESCAPE: Self = Self(1 << 6);
    const WHITESPACE: Self = Self(1 << 7);
    const FUZZY: Self = Self(1 << 8);
    const SLOP: Self = Self(1 << 9);

    /// Reads names joined by `|`, as in `OR|AND|PREFIX`.
    ///
    /// # Errors
    /// A name is not known.
    pub fn read(text: &str) -> Result<Self, Exception> {
        let mut flags = Self(0);
        for name in text.split('|').map(str::trim).filter(|name| !name.is_empty()) {
            let flag = match name.to_ascii_uppercase().as_str() {
                "ALL" => Self::ALL,
                "NONE" => Self(0),
                "AND" => Self::AND,
                "OR" => Self::OR,
                "NOT" => Self::NOT,
                "PREFIX" => Self::PREFIX,
                "PHRASE" => Self::PHRASE,
                "PRECEDENCE" => Self::PRECEDENCE,
                "ESCAPE" => Self::ESCAPE,
                "WHITESPACE" => Self::WHITESPACE,
                "FUZZY" => Self::FUZZY,
                "SLOP" | "NEAR" => Self::SLOP,
                _ => {
                    return Err(Exception::illegal_argument(format!(
                        "Unknown simple_query_string flag [{name}]"
                    )));
                }
            };
            flags.0 |= flag.0;
        }
        Ok(flags)
    }

    fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }
}

/// Reads a text; one without any word is `None`.
///
/// # Errors
/// `too_many_clauses`, or too many parentheses inside one another; the syntax itself is never wrong.
pub fn parse(text: &str, operator: Operator, flags: Flags) -> Result<Option<Node>, Exception> {
    let characters: Vec<char> = text.chars().collect();
    let mut parser = Parser {
        characters: &characters,
        at: 0,
        depth: 0,
        clauses: 0,
        changes: 0,
        operator,
        flags,
    };
    if text.trim() == "*" {
        return Ok(Some(Node::Wildcard { field: None, pattern: "*".to_owned() }));
    }
    parser.group()
}

struct Parser<'a> {
    characters: &'a [char],
    at: usize,
    depth: usize,
    clauses: usize,
    changes: usize,
    operator: Operator,
    flags: Flags,
}

/// What one group has come to so far.
#[derive(Default)]
struct Group {
    top: Option<Node>,
    /// The operator that `top` is joined by.
    joined: Option<Occurrence>,
    /// The operator that was read before the next clause.
    pending: Option<Occurrence>,
    negations: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    /// Reads up to the end or to the parenthesis that closes this group.
    fn group(&mut self) -> Result<Option<Node>, Exception> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Exception::illegal_argument(format!(
                "[simple_query_string] has more than [{DEPTH_MAX}] levels of parentheses"
            )));
        }
        let mut group = Group::default();
        while let Some(character) = self.peek() {
            match character {
                '(' if self.flags.has(Flags::PRECEDENCE) => {
                    self.at += 1;
                    let inner = self.group()?;
                    self.add(&mut group, inner)?;
                }
                ')' if self.flags.has(Flags::PRECEDENCE) => {
                    self.at += 1;
                    // One that closes nothing says nothing.
                    if self.depth > 1 {
                        break;
                    }
                }
                '"' if self.flags.has(Flags::PHRASE) => {
                    let phrase = self.phrase();
                    self.add(&mut group, phrase)?;
                }
                '+' if self.flags.has(Flags::AND) => self.operator(&mut group, Occurrence::Must),
                '|' if self.flags.has(Flags::OR) => self.operator(&mut group, Occurrence::Should),
                '-' if self.flags.has(Flags::NOT) => {
                    group.negations += 1;
                    self.at += 1;
                    continue;
                }
                _ if self.is_space(character) => self.at += 1,
                _ => {
                    let word = self.word();
                    self.add(&mut group, word)?;
                }
            }
            group.negations = 0;
        }
        self.depth -= 1;
        Ok(group.top)
    }

    fn is_space(&self, character: char) -> bool {
        self.flags.has(Flags::WHITESPACE) && matches!(character, ' ' | '\t' | '\n' | '\r')
    }

    /// Takes an operator; it counts only behind a clause, and only the first one does.
    fn operator(&mut self, group: &mut Group, occurrence: Occurrence) {
        if group.pending.is_none() && group.top.is_some() {
            group.pending = Some(occurrence);
        }
        self.at += 1;
    }

    /// Adds a clause; a change of operator makes what there is the first clause of a new level.
    fn add(&mut self, group: &mut Group, node: Option<Node>) -> Result<(), Exception> {
        let pending = group.pending.take();
        let Some(mut node) = node else {
            return Ok(());
        };
        self.clauses += 1;
        if self.clauses > CLAUSES_MAX {
            return Err(super::too_many_clauses());
        }
        if group.negations % 2 == 1 {
            node = Node::Boolean(vec![(Occurrence::MustNot, node)]);
        }
        let Some(top) = group.top.take() else {
            group.top = Some(node);
            return Ok(());
        };
        let occurrence = pending.unwrap_or(match self.operator {
            Operator::Or => Occurrence::Should,
            Operator::And => Occurrence::Must,
        });
        if group.joined.is_some_and(|joined| joined != occurrence) {
            self.changes += 1;
            if self.changes > CHANGES_MAX {
                return Err(Exception::illegal_argument(format!(
                    "[simple_query_string] changes between operators more than [{CHANGES_MAX}] \
                     times: use parentheses"
                )));
            }
        }
        let mut clauses = match (top, group.joined == Some(occurrence)) {
            (Node::Boolean(clauses), true) => clauses,
            (top, _) => vec![(occurrence, top)],
        };
        clauses.push((occurrence, node));
        group.top = Some(Node::Boolean(clauses));
        group.joined = Some(occurrence);
        Ok(())
    }

    /// Reads a phrase; a quote that is never closed says nothing.
    fn phrase(&mut self) -> Option<Node> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(character) = self.peek() {
            self.at += 1;
            match character {
                '\\' if self.flags.has(Flags::ESCAPE) => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                '"' => {
                    let slop = self.number(Flags::SLOP);
                    return Some(Node::Phrase { field: None, text, slop });
                }
                _ => text.push(character),
            }
        }
        self.at = start + 1;
        None
    }

    fn word(&mut self) -> Option<Node> {
        let mut text = String::new();
        let mut star = false;
        while let Some(character) = self.peek() {
            if self.ends_word(character) {
                break;
            }
            if character == '~' && !text.is_empty() {
                let before = self.at;
                if let Some(edits) = self.number(Flags::FUZZY) {
                    let fuzziness = Some(Fuzziness::Edits(edits.min(2) as u8));
                    return Some(Node::Fuzzy { field: None, text, fuzziness });
                }
                self.at = before;
            }
            self.at += 1;
            star = false;
            match character {
                '\\' if self.flags.has(Flags::ESCAPE) => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                '*' => {
                    star = self.flags.has(Flags::PREFIX);
                    text.push(character);
                }
                _ => text.push(character),
            }
        }
        if star && text.len() > 1 {
            text.pop();
            return Some(Node::Wildcard { field: None, pattern: escape_wildcard(&text) + "*" });
        }
        (!text.is_empty()).then_some(Node::Words { field: None, text })
    }

    fn ends_word(&self, character: char) -> bool {
        let flag = match character {
            '"' => Flags::PHRASE,
            '|' => Flags::OR,
            '+' => Flags::AND,
            '(' | ')' => Flags::PRECEDENCE,
            other => return self.is_space(other),
        };
        self.flags.has(flag)
    }

    /// Reads `~` with a number that ends a word; without digits it is 2.
    fn number(&mut self, flag: Flags) -> Option<u32> {
        if !self.flags.has(flag) || self.peek() != Some('~') {
            return None;
        }
        let rest = &self.characters[self.at + 1..];
        let digits: String = rest.iter().take_while(|it| it.is_ascii_digit()).collect();
        let end = self.at + 1 + digits.len();
        if self.characters.get(end).is_some_and(|character| !self.ends_word(*character)) {
            return None;
        }
        self.at = end;
        if digits.is_empty() { Some(2) } else { digits.parse().ok() }
    }
}

/// Puts a backslash before what a pattern would take for more than a character.
fn escape_wildcard(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests;
