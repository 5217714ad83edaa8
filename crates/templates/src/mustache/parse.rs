//! Reads a template.

use super::syntax::{Node, Path};
use crate::place::{check_length, error_at};
use crate::{NESTING_MAX, TemplateError};

/// Most parts of one name, between its dots.
const NAME_PARTS_MAX: usize = 64;

/// What Handlebars has in place of sections, which people try.
const HANDLEBARS: [&str; 5] = ["if", "unless", "each", "with", "else"];

/// Reads a template.
pub(super) fn parse(source: &str) -> Result<Vec<Node>, TemplateError> {
    check_length(source)?;
    let mut parser = Parser { source, nodes: Vec::new(), open: Vec::new() };
    let mut at = 0;
    while let Some(found) = source[at..].find("{{") {
        at = parser.tag(at, at + found)?;
    }
    parser.text(at, source.len());
    match parser.open.pop() {
        None => Ok(parser.nodes),
        Some(open) => {
            Err(error_at(source, open.at, format!("section {} is not closed", open.name)))
        }
    }
}

struct Parser<'s> {
    source: &'s str,
    /// The parts of the innermost section so far.
    nodes: Vec<Node>,
    open: Vec<Open<'s>>,
}

/// A section that is not closed yet.
struct Open<'s> {
    /// What stands in its tag behind the sign.
    name: &'s str,
    at: usize,
    kind: OpenKind,
    /// The parts before it, of the section around it.
    outside: Vec<Node>,
}

enum OpenKind {
    Section(Path),
    Inverted(Path),
    ToJson,
    Join(String),
    Url,
}

impl<'s> Parser<'s> {
    fn text(&mut self, start: usize, end: usize) {
        if start < end {
            self.nodes.push(Node::Text(self.source[start..end].to_owned()));
        }
    }

    fn error(&self, at: usize, message: impl Into<String>) -> TemplateError {
        error_at(self.source, at, message)
    }

    /// Reads the text from `start` on and the tag at `at` behind it; returns where to go on.
    fn tag(&mut self, start: usize, at: usize) -> Result<usize, TemplateError> {
        let inside = &self.source[at + 2..];
        let is_triple = inside.starts_with('{');
        let closing = if is_triple { "}}}" } else { "}}" };
        let Some(length) = inside.find(closing) else {
            return Err(self.error(at, format!("a tag is not closed: there is no {closing}")));
        };
        let end = at + 2 + length + closing.len();
        let content = inside[..length].trim();
        let sign = content.chars().next();
        if matches!(sign, Some('#' | '^' | '/' | '!')) {
            let (text_end, next) = standalone(self.source, at, end).unwrap_or((at, end));
            // A line that a tag before it has taken already begins behind that tag.
            self.text(start, text_end.max(start));
            self.block(sign, content[1..].trim(), at)?;
            return Ok(next);
        }
        self.text(start, at);
        let (name, is_raw) = match sign {
            Some('{' | '&') => (&content[1..], true),
            Some('>') => return Err(self.error(at, "partials ({{> name}}) are not supported")),
            Some('=') => {
                let message = "changes of the delimiters ({{= =}}) are not supported";
                return Err(self.error(at, message));
            }
            Some(sign @ ('<' | '$' | '%')) => {
                let message = format!("{{{{{sign} }}}} (inheritance and pragmas) is not supported");
                return Err(self.error(at, message));
            }
            _ => (content, false),
        };
        let path = self.path(name.trim(), at)?;
        self.nodes.push(Node::Value { path, is_raw });
        Ok(end)
    }

    /// Reads the tag of a section or a comment, without its sign.
    fn block(&mut self, sign: Option<char>, name: &'s str, at: usize) -> Result<(), TemplateError> {
        let kind = match sign {
            Some('#') => self.section(name, at)?,
            Some('^') => OpenKind::Inverted(self.path(name, at)?),
            Some('/') => return self.close(name, at),
            _ => return Ok(()),
        };
        if self.open.len() == NESTING_MAX {
            return Err(self.error(at, format!("sections are nested deeper than {NESTING_MAX}")));
        }
        let outside = std::mem::take(&mut self.nodes);
        self.open.push(Open { name, at, kind, outside });
        Ok(())
    }

    fn section(&self, name: &str, at: usize) -> Result<OpenKind, TemplateError> {
        let (word, rest) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
        Ok(match word {
            "toJson" if rest.is_empty() => OpenKind::ToJson,
            "url" if rest.is_empty() => OpenKind::Url,
            "join" if rest.is_empty() => OpenKind::Join(",".to_owned()),
            "join" => match delimiter(rest.trim()) {
                Some(delimiter) => OpenKind::Join(delimiter.to_owned()),
                None => {
                    let message = format!("join takes delimiter='…' only, and not {rest}");
                    return Err(self.error(at, message));
                }
            },
            _ => OpenKind::Section(self.path(name, at)?),
        })
    }

    fn close(&mut self, name: &str, at: usize) -> Result<(), TemplateError> {
        let Some(open) = self.open.pop() else {
            return Err(self.error(at, format!("section {name} is closed, and was not opened")));
        };
        // The end of a join may leave the delimiter out.
        let is_short_join = matches!(open.kind, OpenKind::Join(_)) && name == "join";
        if open.name != name && !is_short_join {
            let message = format!("section {} is open, and {name} is closed", open.name);
            return Err(self.error(at, message));
        }
        let body = std::mem::replace(&mut self.nodes, open.outside);
        let node = match open.kind {
            OpenKind::Section(path) => Node::Section { path, body },
            OpenKind::Inverted(path) => Node::Inverted { path, body },
            OpenKind::Url => Node::Url(body),
            OpenKind::ToJson => Node::ToJson(self.name_inside(&body, "toJson", open.at)?),
            OpenKind::Join(delimiter) => {
                Node::Join { path: self.name_inside(&body, "join", open.at)?, delimiter }
            }
        };
        self.nodes.push(node);
        Ok(())
    }

    /// Returns the name that a function has as its only text.
    fn name_inside(&self, body: &[Node], name: &str, at: usize) -> Result<Path, TemplateError> {
        match body {
            [Node::Text(text)] => self.path(text.trim(), at),
            _ => Err(self.error(
                at,
                format!("{name} takes one name as text: {{{{#{name}}}}}a.b{{{{/{name}}}}}"),
            )),
        }
    }

    fn path(&self, name: &str, at: usize) -> Result<Path, TemplateError> {
        let first = name.split_whitespace().next().unwrap_or_default();
        if name.is_empty() {
            return Err(self.error(at, "a tag has no name"));
        }
        if HANDLEBARS.contains(&first) && (first.len() < name.len() || first == "else") {
            let message = format!(
                "{first} is of Handlebars: a section {{{{#name}}}}…{{{{/name}}}} tests and repeats"
            );
            return Err(self.error(at, message));
        }
        if name.contains(['{', '}']) {
            return Err(self.error(at, format!("the name {name} has a brace in it")));
        }
        if name != "." && name.split('.').any(str::is_empty) {
            let message = format!("the name {name} has nothing before, between or after its dots");
            return Err(self.error(at, message));
        }
        if name.split('.').count() > NAME_PARTS_MAX {
            let message = format!("a name has more than {NAME_PARTS_MAX} parts between its dots");
            return Err(self.error(at, message));
        }
        Ok(Path(name.to_owned()))
    }
}

/// Returns the text between the quotes of `delimiter='…'`.
fn delimiter(text: &str) -> Option<&str> {
    let quoted = text.strip_prefix("delimiter")?.trim_start().strip_prefix('=')?.trim_start();
    quoted.strip_prefix('\'')?.strip_suffix('\'')
}

/// Returns where the line of a tag begins and where the next one does, if nothing else is on it.
///
/// Source: Mustache specification, "Standalone Lines" of sections, inverted sections and comments.
fn standalone(source: &str, at: usize, end: usize) -> Option<(usize, usize)> {
    let before = source[..at].trim_end_matches([' ', '\t']);
    if !before.is_empty() && !before.ends_with('\n') {
        return None;
    }
    let after = source[end..].trim_start_matches([' ', '\t']);
    let rest = match after {
        "" => after,
        _ => after.strip_prefix('\n').or_else(|| after.strip_prefix("\r\n"))?,
    };
    Some((before.len(), source.len() - rest.len()))
}
