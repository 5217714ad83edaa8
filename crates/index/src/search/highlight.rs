//! Highlighting: the words of a hit that the query looked for, marked in fragments of its texts.
//!
//! What a query looks for is gathered in `clues`, how a text is cut into fragments in `fragments`.
//!
//! Source: OpenSearch documentation, the unified highlighter.

mod clues;
mod fragments;

use std::ops::Range;

use pampero_opensearch::mapping::Analyzer;
use pampero_opensearch::query::Query;
use pampero_opensearch::search::{Highlight, HighlightOptions};
use pampero_opensearch::{Exception, Field, FieldKind, Mapping};
use serde_json::{Map, Value};

use super::fields::{source_values, text_of};
use crate::analysis::analyze;
use crate::engine::Snapshot;
use clues::{Clue, Matcher};

/// Most characters of one text that are looked through, as `index.highlight.max_analyzed_offset`.
const ANALYZED_MAX: usize = 1_000_000;

/// Marks the hits of one index.
pub(super) struct Marker {
    fields: Vec<MarkedField>,
    mapping: std::sync::Arc<Mapping>,
    index: String,
    html: bool,
}

/// One field that is marked.
struct MarkedField {
    field: Field,
    analyzer: Analyzer,
    matchers: Vec<Matcher>,
    options: HighlightOptions,
}

impl Marker {
    /// Makes ready what is marked in one index.
    ///
    /// # Errors
    /// A query text cannot be read.
    pub(super) fn new(
        highlight: &Highlight,
        query: Option<&Query>,
        snapshot: &Snapshot,
    ) -> Result<Self, Exception> {
        let mut fields: Vec<MarkedField> = Vec::new();
        for (pattern, options) in &highlight.fields {
            let clues = match options.query.as_ref().or(query) {
                Some(query) => Clue::gather(query)?,
                None => Vec::new(),
            };
            for field in selected(&snapshot.mapping, pattern) {
                if fields.iter().any(|known| known.field.path == field.path) {
                    continue;
                }
                let (analyzer, search_analyzer) = match &field.kind {
                    FieldKind::Text { analyzer, search_analyzer } => (*analyzer, *search_analyzer),
                    _ => (Analyzer::Keyword, Analyzer::Keyword),
                };
                let matchers = clues
                    .iter()
                    .filter(|clue| !options.require_field_match || clue.concerns(&field.path))
                    .filter_map(|clue| clue.matcher(search_analyzer))
                    .collect();
                let (field, options) = (field.clone(), options.clone());
                fields.push(MarkedField { field, analyzer, matchers, options });
            }
        }
        Ok(Self {
            fields,
            mapping: snapshot.mapping.clone(),
            index: snapshot.name.to_string(),
            html: highlight.html,
        })
    }

    /// Marks a source, and returns the fragments of each field that has any.
    ///
    /// # Errors
    /// A text is too long to be looked through.
    pub(super) fn mark(&self, source: &Value) -> Result<Map<String, Value>, Exception> {
        let mut marked = Map::new();
        for field in &self.fields {
            let texts: Vec<String> = source_values(&self.mapping, &field.field, source)
                .into_iter()
                .map(text_of)
                .collect();
            if texts.iter().any(|text| text.chars().count() > ANALYZED_MAX) {
                return Err(self.too_long(field));
            }
            let fragments = field.mark(&texts, self.html);
            if !fragments.is_empty() {
                marked.insert(field.field.path.to_string(), Value::from(fragments));
            }
        }
        Ok(marked)
    }

    fn too_long(&self, field: &MarkedField) -> Exception {
        Exception::illegal_argument(format!(
            "The length of [{}] field of a document of [{}] index has exceeded [{ANALYZED_MAX}] - maximum allowed to be analyzed for highlighting. This maximum can be set by changing the [index.highlight.max_analyzed_offset] index level setting. For large texts, indexing with offsets or term vectors is recommended!",
            field.field.path, self.index
        ))
    }
}

/// Returns the fields that a name or pattern means; a pattern means fields of text and strings only.
fn selected<'a>(mapping: &'a Mapping, pattern: &str) -> Vec<&'a Field> {
    if !pattern.contains('*') {
        return mapping.field(pattern).into_iter().collect();
    }
    let textual =
        |kind: &FieldKind| matches!(kind, FieldKind::Text { .. } | FieldKind::Keyword { .. });
    mapping.matching(pattern).into_iter().filter(|field| textual(&field.kind)).collect()
}

impl MarkedField {
    fn mark(&self, texts: &[String], html: bool) -> Vec<String> {
        let mut found = Vec::new();
        for text in texts {
            let marks = self.find(text);
            found.extend(fragments::cut(text, &marks, &self.options));
        }
        if self.options.number_of_fragments > 0 {
            fragments::keep_best(
                &mut found,
                self.options.number_of_fragments,
                self.options.by_score,
            );
        }
        if found.is_empty() && self.options.no_match_size > 0 {
            let beginning =
                texts.first().map(|text| fragments::beginning(text, self.options.no_match_size));
            return beginning.map(|text| escape(text, html)).into_iter().collect();
        }
        found.iter().map(|fragment| self.write(fragment, html)).collect()
    }

    /// Finds what is looked for, in bytes, in the order of the text and without overlaps.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        if self.matchers.is_empty() {
            return Vec::new();
        }
        let tokens = analyze(self.analyzer, text);
        let mut marked = vec![false; tokens.len()];
        for matcher in &self.matchers {
            matcher.mark(&tokens, &mut marked);
        }
        let mut marks: Vec<Range<usize>> = Vec::new();
        for (token, _) in tokens.into_iter().zip(marked).filter(|(_, marked)| *marked) {
            if marks.last().is_none_or(|last| last.end <= token.bytes.start) {
                marks.push(token.bytes);
            }
        }
        marks
    }

    fn write(&self, fragment: &fragments::Fragment<'_>, html: bool) -> String {
        let pre = self.options.pre_tags.first().map_or("", String::as_str);
        let post = self.options.post_tags.first().map_or("", String::as_str);
        let mut written = String::new();
        let mut at = 0;
        for mark in &fragment.marks {
            written.push_str(&escape(&fragment.text[at..mark.start], html));
            written.push_str(pre);
            written.push_str(&escape(&fragment.text[mark.clone()], html));
            written.push_str(post);
            at = mark.end;
        }
        written.push_str(&escape(&fragment.text[at..], html));
        written
    }
}

fn escape(text: &str, html: bool) -> String {
    if !html {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("&quot;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&#x27;"),
            '/' => escaped.push_str("&#x2F;"),
            other => escaped.push(other),
        }
    }
    escaped
}
