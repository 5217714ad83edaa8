//! The body of a bulk request as operations, read one after the other without copying documents.

use std::sync::Arc;

use bytes::Bytes;
use pampero_index::{Action, Operation, UpdateBody};
use pampero_opensearch::search::SourceFilter;
use pampero_opensearch::{Exception, ExceptionKind};

use super::action::{self, ActionLine, Target, Text};
use crate::rest::documents::{self, VersionParameters};

/// What is done, as the answer names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Word {
    Index,
    Create,
    Update,
    Delete,
}

impl Word {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What the path and the query string say for all items.
#[derive(Clone, Debug, Default)]
pub(super) struct Defaults {
    pub(super) index: Option<Arc<str>>,
    pub(super) routing: Option<String>,
    pub(super) pipeline: Option<String>,
    pub(super) require_alias: bool,
    pub(super) source: Option<SourceFilter>,
}

/// One operation of a bulk request.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) word: Word,
    /// The index or alias, as it was named.
    pub(super) index: Arc<str>,
    /// The id, as it was named.
    pub(super) id: Option<String>,
    pub(super) require_alias: bool,
    /// Which parts of an updated document are given back; `None` when none are asked for.
    pub(super) source: Option<SourceFilter>,
    /// What is done, or why this one operation is refused.
    pub(super) operation: Result<Operation, Exception>,
}

/// Reads items one after the other; a clone goes on from the same place.
#[derive(Clone, Debug)]
pub(super) struct Parser<'a> {
    body: Bytes,
    at: usize,
    line: usize,
    defaults: &'a Defaults,
    /// The name that the last item gave, for most items name the same one.
    last_index: Option<Arc<str>>,
}

impl<'a> Parser<'a> {
    /// Starts at the beginning of a body.
    ///
    /// # Errors
    /// The last line does not end.
    pub(super) fn new(body: Bytes, defaults: &'a Defaults) -> Result<Self, Exception> {
        if body.last() != Some(&b'\n') {
            let reason = "The bulk request must be terminated by a newline [\\n]";
            return Err(Exception::illegal_argument(reason));
        }
        Ok(Self { body, at: 0, line: 0, defaults, last_index: None })
    }

    /// Reads the next item; `None` at the end.
    ///
    /// # Errors
    /// An action line is malformed, which refuses the whole request.
    pub(super) fn next_item(&mut self) -> Result<Option<Item>, Exception> {
        let Some((range, number)) = self.next_action_line() else { return Ok(None) };
        let body = self.body.clone();
        let line = action::read(&body[range], number)?;
        let (word, target) = match line {
            ActionLine::Index(target) => (index_word(&target)?, target),
            ActionLine::Create(target) => (Word::Create, target),
            ActionLine::Update(target) => (Word::Update, target),
            ActionLine::Delete(target) => (Word::Delete, target),
        };
        let document = match word {
            Word::Delete => Bytes::new(),
            _ => self.document(number)?,
        };
        self.item(word, target, document).map(Some)
    }

    /// Reads the action lines that are left and forgets them, so that a malformed one refuses the
    /// request before anything is written.
    ///
    /// # Errors
    /// As [`Parser::next_item`].
    pub(super) fn check_rest(&self) -> Result<(), Exception> {
        let mut ahead = self.clone();
        while let Some((range, number)) = ahead.next_action_line() {
            let line = action::read(&ahead.body[range], number)?;
            let (has_document, target) = match &line {
                ActionLine::Delete(target) => (false, target),
                ActionLine::Index(target) => (true, target),
                ActionLine::Create(target) | ActionLine::Update(target) => (true, target),
            };
            if let ActionLine::Index(target) = &line {
                index_word(target)?;
            }
            if target.index.is_none() && self.defaults.index.is_none() {
                return Err(index_missing());
            }
            drop(line);
            if has_document {
                ahead.document(number)?;
            }
        }
        Ok(())
    }

    /// Returns where the next line that is not empty lies, and its number.
    fn next_action_line(&mut self) -> Option<(std::ops::Range<usize>, usize)> {
        loop {
            let range = self.next_line()?;
            if !self.body[range.clone()].trim_ascii().is_empty() {
                return Some((range, self.line));
            }
        }
    }

    /// Returns where the next line lies, without its end.
    fn next_line(&mut self) -> Option<std::ops::Range<usize>> {
        let rest = &self.body[self.at..];
        let length = memchr::memchr(b'\n', rest)?;
        let start = self.at;
        self.at += length + 1;
        self.line += 1;
        let carriage = length > 0 && rest[length - 1] == b'\r';
        Some(start..start + length - usize::from(carriage))
    }

    /// Returns the line behind an action line.
    fn document(&mut self, action: usize) -> Result<Bytes, Exception> {
        let range = self.next_line().ok_or_else(|| {
            Exception::illegal_argument(format!(
                "Malformed action/metadata line [{action}], expected a document on the line behind it but the request ends"
            ))
        })?;
        Ok(self.body.slice(range))
    }

    fn item(&mut self, word: Word, target: Target<'_>, body: Bytes) -> Result<Item, Exception> {
        let index = self.index(target.index.as_ref())?;
        let id = target.id.map(|id| id.0.into_owned());
        let routing = target.routing.map(|it| it.0.into_owned());
        let routing = routing.or_else(|| self.defaults.routing.clone());
        let pipeline = target.pipeline.as_ref().map(|it| &*it.0);
        let pipeline = pipeline.or(self.defaults.pipeline.as_deref());
        let version = VersionParameters {
            version: target.version,
            version_type: target.version_type.as_ref().map(|it| &*it.0),
            if_seq_no: target.if_seq_no,
            if_primary_term: target.if_primary_term,
        };
        let mut source = None;
        let operation = (|| {
            documents::check_pipeline(pipeline)?;
            check_id(word, id.as_deref())?;
            let check = version.check(word == Word::Create)?;
            let action = match word {
                Word::Index => Action::Index(body),
                Word::Create => Action::Create(body),
                Word::Delete => Action::Delete,
                Word::Update => {
                    let update = documents::read_update(&body)?;
                    source = update.source;
                    let retry_on_conflict = target.retry_on_conflict.unwrap_or_default();
                    Action::Update(UpdateBody { retry_on_conflict, ..update.body })
                }
            };
            Ok(Operation { id: id.clone(), action, routing, check })
        })();
        if word == Word::Update && source.is_none() {
            source = match &target.source {
                Some(source) => Some(SourceFilter::from_json(source)?),
                None => self.defaults.source.clone(),
            };
        }
        let require_alias = target.require_alias.unwrap_or(self.defaults.require_alias);
        Ok(Item { word, index, id, require_alias, source, operation })
    }

    fn index(&mut self, named: Option<&Text<'_>>) -> Result<Arc<str>, Exception> {
        let Some(name) = named else {
            return self.defaults.index.clone().ok_or_else(index_missing);
        };
        match &self.last_index {
            Some(last) if **last == *name.0 => Ok(Arc::clone(last)),
            _ => {
                let name: Arc<str> = Arc::from(&*name.0);
                self.last_index = Some(Arc::clone(&name));
                Ok(name)
            }
        }
    }
}

/// Returns what an `index` line does: `op_type` may make it a `create`.
fn index_word(target: &Target<'_>) -> Result<Word, Exception> {
    match target.op_type.as_ref().map(|it| &*it.0) {
        None | Some("index") => Ok(Word::Index),
        Some("create") => Ok(Word::Create),
        Some(other) => Err(Exception::illegal_argument(format!(
            "opType must be 'create' or 'index', found: [{other}]"
        ))),
    }
}

fn check_id(word: Word, id: Option<&str>) -> Result<(), Exception> {
    match (word, id) {
        (_, Some("")) => {
            Err(Exception::illegal_argument("if _id is specified it must not be empty"))
        }
        (Word::Update | Word::Delete, None) => Err(Exception::new(
            ExceptionKind::ActionRequestValidation,
            "Validation Failed: 1: id is missing;",
        )),
        _ => Ok(()),
    }
}

fn index_missing() -> Exception {
    Exception::new(
        ExceptionKind::ActionRequestValidation,
        "Validation Failed: 1: index is missing;",
    )
}

#[cfg(test)]
mod tests {
    use pampero_index::VersionCheck;
    use proptest::prelude::*;

    use super::*;

    fn parse(body: &[u8], defaults: &Defaults) -> Result<Vec<Item>, Exception> {
        let mut parser = Parser::new(Bytes::copy_from_slice(body), defaults)?;
        parser.check_rest()?;
        std::iter::from_fn(|| parser.next_item().transpose()).collect()
    }

    fn defaults() -> Defaults {
        Defaults { index: Some("logs".into()), ..Defaults::default() }
    }

    #[test]
    fn documents_are_slices_of_the_body() {
        let body = Bytes::from_static(b"{\"index\":{\"_id\":\"1\"}}\n{\"a\": 1}\r\n");
        let defaults = defaults();
        let item = Parser::new(body.clone(), &defaults).unwrap().next_item().unwrap().unwrap();
        let Action::Index(document) = item.operation.unwrap().action else { unreachable!() };
        assert_eq!(document, "{\"a\": 1}");
        assert!(body.as_ptr_range().contains(&document.as_ptr()), "it was copied");
    }

    #[test]
    fn an_item_says_what_its_line_says_and_the_request_the_rest() {
        let defaults = Defaults { routing: Some("r".to_owned()), ..defaults() };
        let body = concat!(
            r#"{"index":{"_index":"more","routing":"own","if_seq_no":4,"if_primary_term":1}}"#,
            "\n{}\n\n",
            r#"{"update":{"_id":"7","retry_on_conflict":3,"_source":["a"]}}"#,
            "\n",
            r#"{"doc":{"a":1}}"#,
            "\n",
            r#"{"delete":{"_id":"8"}}"#,
            "\n",
        );
        let items = parse(body.as_bytes(), &defaults).unwrap();
        let words: Vec<&str> = items.iter().map(|item| item.word.as_str()).collect();
        assert_eq!(words, ["index", "update", "delete"]);
        let [first, second, third] = &items[..] else { unreachable!() };
        let operation = first.operation.as_ref().unwrap();
        assert_eq!((&*first.index, operation.routing.as_deref()), ("more", Some("own")));
        assert_eq!(operation.check, VersionCheck::Sequence { seq_no: 4, primary_term: 1 });
        let operation = second.operation.as_ref().unwrap();
        assert_eq!((&*second.index, operation.routing.as_deref()), ("logs", Some("r")));
        assert!(matches!(&operation.action, Action::Update(body) if body.retry_on_conflict == 3));
        assert!(second.source.as_ref().unwrap().is_shown());
        assert_eq!(third.id.as_deref(), Some("8"));
    }

    /// A well-formed item and whether a document follows.
    fn item() -> impl Strategy<Value = (String, Option<String>)> {
        let id = proptest::option::of("[a-z0-9 \\\\\"é]{1,8}");
        let document = "\\{\"[a-z]{1,5}\":(1|\"x\"|null)\\}";
        (0..4_usize, id, document).prop_map(|(word, id, document)| {
            let word = ["index", "create", "update", "delete"][word];
            let id = id.or_else(|| ["update", "delete"].contains(&word).then(|| "1".to_owned()));
            let target = match &id {
                Some(id) => format!("{{\"_id\":{}}}", serde_json::to_string(id).unwrap()),
                None => "{}".to_owned(),
            };
            let document = match word {
                "delete" => None,
                "update" => Some(format!("{{\"doc\":{document}}}")),
                _ => Some(document),
            };
            (format!("{{\"{word}\":{target}}}"), document)
        })
    }

    proptest! {
        #[test]
        fn every_well_formed_item_is_read(
            items in proptest::collection::vec(item(), 0..20),
            ends in proptest::collection::vec(0..3_usize, 20),
        ) {
            let mut body = String::new();
            for ((line, document), end) in items.iter().zip(ends) {
                let end = ["\n", "\r\n", "\n\n"][end];
                body.push_str(line);
                match document {
                    // A blank line behind an action line would be its document.
                    Some(document) => body.push_str(&format!("\n{document}{end}")),
                    None => body.push_str(end),
                }
            }
            body.push('\n');
            let read = parse(body.as_bytes(), &defaults()).unwrap();
            prop_assert_eq!(read.len(), items.len());
            for (item, (_, document)) in read.iter().zip(&items) {
                match (&item.operation.as_ref().unwrap().action, document) {
                    (Action::Index(it) | Action::Create(it), Some(document)) => {
                        prop_assert_eq!(&it[..], document.as_bytes());
                    }
                    (Action::Update(_), Some(_)) | (Action::Delete, None) => {}
                    (action, _) => prop_assert!(false, "{:?}", action),
                }
            }
        }

        #[test]
        fn no_bytes_make_it_panic(mut body in proptest::collection::vec(any::<u8>(), 0..200)) {
            body.push(b'\n');
            let _ = parse(&body, &defaults());
        }

        #[test]
        fn no_text_that_looks_like_a_request_makes_it_panic(
            body in "(\\{|\\}|\"|:|,|index|create|update|delete|_id|_source|doc|version|\n|\r|1|-9|1e9|null|\\[|\\])*",
        ) {
            let _ = parse(format!("{body}\n").as_bytes(), &defaults());
        }
    }
}
