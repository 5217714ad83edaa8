//! Builds the parts of a template from its tokens.
//!
//! What Go would only find out when it executes, and what can never work, is refused here as well.
//!
//! Source: Go, `text/template/parse`, `parse.go`.

mod pipe;

use super::lex::{self, Kind, Piece, Token};
use super::syntax::{Node, Pipe};
use crate::place::{check_length, error_at};
use crate::{NESTING_MAX, TemplateError};

/// The variables that Prometheus gives to every template, and Go's own.
const VARIABLES: [&str; 5] = ["$", "$labels", "$externalLabels", "$externalURL", "$value"];

/// Reads a template.
pub(super) fn parse(source: &str) -> Result<Vec<Node>, TemplateError> {
    check_length(source)?;
    let mut parser = Parser {
        source,
        pieces: lex::lex(source)?.into_iter(),
        variables: VARIABLES.map(str::to_owned).to_vec(),
        depth: 0,
        range_depth: 0,
        patterns: 0,
        dot_is_data: true,
    };
    match parser.list()? {
        (nodes, Ending::Source) => Ok(nodes),
        (_, Ending::End { at }) => Err(parser.error(at, "end has nothing to end")),
        (_, Ending::Else(tokens)) => {
            Err(parser.error(tokens.at, "else stands outside of if, with and range"))
        }
    }
}

struct Parser<'s> {
    source: &'s str,
    pieces: std::vec::IntoIter<Piece<'s>>,
    /// What is declared here.
    variables: Vec<String>,
    depth: usize,
    range_depth: usize,
    /// How many regular expressions were compiled.
    patterns: usize,
    /// Whether the dot is what the template is rendered over.
    dot_is_data: bool,
}

/// The tokens of an action, and how far they are read.
struct Tokens<'s> {
    all: Vec<Token<'s>>,
    read: usize,
    /// Where the action begins.
    at: usize,
}

impl<'s> Tokens<'s> {
    fn peek(&self) -> Option<&Token<'s>> {
        self.all.get(self.read)
    }

    fn next(&mut self) -> Option<Token<'s>> {
        let token = self.all.get(self.read).cloned();
        self.skip(1);
        token
    }

    fn skip(&mut self, count: usize) {
        self.read = self.all.len().min(self.read + count);
    }

    /// Returns what the next tokens are.
    fn kinds(&self) -> [Option<&Kind<'s>>; 4] {
        std::array::from_fn(|ahead| self.all.get(self.read + ahead).map(|token| &token.kind))
    }

    /// Takes the next token if it is this one.
    fn take(&mut self, kind: &Kind<'_>) -> bool {
        let is_there = self.peek().is_some_and(|token| token.kind == *kind);
        self.skip(usize::from(is_there));
        is_there
    }

    /// Returns where the next token is, or the action if there is none.
    fn here(&self) -> usize {
        self.peek().map_or(self.at, |token| token.at)
    }
}

/// What ended a list of parts.
enum Ending<'s> {
    Source,
    End {
        at: usize,
    },
    /// What stands behind `else`.
    Else(Tokens<'s>),
}

/// The control structures that have one body and one pipeline.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Control {
    With,
    Range,
}

impl<'s> Parser<'s> {
    fn error(&self, at: usize, message: impl Into<String>) -> TemplateError {
        error_at(self.source, at, message)
    }

    fn deeper(&mut self, at: usize) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth <= NESTING_MAX {
            return Ok(());
        }
        Err(self.error(at, format!("the template is nested deeper than {NESTING_MAX}")))
    }

    /// Reads parts up to `end`, `else` or the end of the source.
    fn list(&mut self) -> Result<(Vec<Node>, Ending<'s>), TemplateError> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let (tokens, at) = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text.to_owned()));
                    continue;
                }
                Piece::Action { tokens, at } => (tokens, at),
            };
            let mut tokens = Tokens { all: tokens, read: 0, at };
            let keyword = match tokens.peek().map(|token| &token.kind) {
                Some(Kind::Word(word)) => *word,
                _ => "",
            };
            let is_keyword = matches!(
                keyword,
                "end"
                    | "else"
                    | "if"
                    | "with"
                    | "range"
                    | "break"
                    | "continue"
                    | "define"
                    | "template"
                    | "block"
            );
            tokens.skip(usize::from(is_keyword));
            match keyword {
                "end" => {
                    self.finish(&tokens, "end")?;
                    return Ok((nodes, Ending::End { at }));
                }
                "else" => return Ok((nodes, Ending::Else(tokens))),
                "if" => nodes.push(self.branches(tokens)?),
                "with" => nodes.push(self.control(Control::With, tokens)?),
                "range" => nodes.push(self.control(Control::Range, tokens)?),
                "break" | "continue" => {
                    self.finish(&tokens, keyword)?;
                    if self.range_depth == 0 {
                        return Err(self.error(at, format!("{keyword} stands outside of range")));
                    }
                    let is_break = keyword == "break";
                    nodes.push(if is_break { Node::Break } else { Node::Continue });
                }
                "define" | "template" | "block" => {
                    let message = format!("{keyword} is not supported: a template stands alone");
                    return Err(self.error(at, message));
                }
                _ => nodes.push(Node::Action(self.whole_pipe(&mut tokens, false)?)),
            }
        }
        Ok((nodes, Ending::Source))
    }

    /// Refuses anything that is left of an action.
    fn finish(&self, tokens: &Tokens<'s>, keyword: &str) -> Result<(), TemplateError> {
        match tokens.peek() {
            None => Ok(()),
            Some(token) => Err(self.error(token.at, format!("nothing can stand behind {keyword}"))),
        }
    }

    /// Reads a list that must be ended by `end` or `else`, and forgets the variables of it.
    fn body(&mut self, at: usize) -> Result<(Vec<Node>, Ending<'s>), TemplateError> {
        let declared = self.variables.len();
        let (nodes, ending) = self.list()?;
        self.variables.truncate(declared);
        match ending {
            Ending::Source => Err(self.error(at, "there is no {{end}} for it")),
            _ => Ok((nodes, ending)),
        }
    }

    /// Reads what is behind a bare `else` up to `end`.
    fn otherwise(&mut self, tokens: Tokens<'s>, at: usize) -> Result<Vec<Node>, TemplateError> {
        self.finish(&tokens, "else")?;
        match self.body(at)? {
            (nodes, Ending::End { .. }) => Ok(nodes),
            _ => Err(self.error(at, "it has two else")),
        }
    }

    fn branches(&mut self, mut tokens: Tokens<'s>) -> Result<Node, TemplateError> {
        let at = tokens.at;
        let declared = self.variables.len();
        self.deeper(at)?;
        let mut arms = Vec::new();
        let otherwise = loop {
            let pipe = self.whole_pipe(&mut tokens, false)?;
            let (body, ending) = self.body(at)?;
            arms.push((pipe, body));
            match ending {
                Ending::Else(mut behind) => {
                    if !behind.take(&Kind::Word("if")) {
                        break self.otherwise(behind, at)?;
                    }
                    tokens = behind;
                }
                _ => break Vec::new(),
            }
        };
        self.depth -= 1;
        self.variables.truncate(declared);
        Ok(Node::If { arms, otherwise })
    }

    fn control(&mut self, control: Control, mut tokens: Tokens<'s>) -> Result<Node, TemplateError> {
        let at = tokens.at;
        let declared = self.variables.len();
        let is_range = control == Control::Range;
        self.deeper(at)?;
        let pipe = self.whole_pipe(&mut tokens, is_range)?;
        let dot_is_data = std::mem::replace(&mut self.dot_is_data, false);
        self.range_depth += usize::from(is_range);
        let (body, ending) = self.body(at)?;
        self.range_depth -= usize::from(is_range);
        self.dot_is_data = dot_is_data;
        let otherwise = match ending {
            Ending::Else(behind) => self.otherwise(behind, at)?,
            _ => Vec::new(),
        };
        self.depth -= 1;
        self.variables.truncate(declared);
        Ok(match control {
            Control::With => Node::With { pipe, body, otherwise },
            Control::Range => Node::Range { pipe, body, otherwise },
        })
    }

    /// Reads a pipeline that is all that is left of an action.
    fn whole_pipe(
        &mut self,
        tokens: &mut Tokens<'s>,
        is_range: bool,
    ) -> Result<Pipe, TemplateError> {
        let pipe = self.pipe(tokens, is_range)?;
        match tokens.peek() {
            None => Ok(pipe),
            Some(token) => Err(self.error(token.at, "a ) has no ( before it")),
        }
    }
}
