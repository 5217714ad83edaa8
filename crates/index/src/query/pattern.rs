//! Clauses over terms by what they are like: `prefix`, `wildcard`, `regexp`, `fuzzy`.

use pampero_opensearch::Exception;
use pampero_opensearch::mapping::FieldKind;
use pampero_opensearch::query::{self as dsl, Pattern};
use serde_json::Value;

use super::automaton::{self, Beginning, TermsQuery};
use super::expansion::FuzzyQuery;
use super::field::{Place, Target};
use super::{Builder, Built, all, none, regexp};

impl Builder<'_> {
    pub(super) fn prefix(&self, clause: &Pattern) -> Result<Built, Exception> {
        let Some(place) = self.pattern_place("prefix", clause)? else {
            return Ok(none());
        };
        let text = self.pattern_text(clause, &place);
        self.prefix_at(&place, &text, clause.case_insensitive)
    }

    /// Finds terms that begin with a text, which is in the form of the terms.
    pub(super) fn prefix_at(
        &self,
        place: &Place,
        text: &str,
        case_insensitive: bool,
    ) -> Result<Built, Exception> {
        if !case_insensitive {
            return Ok(Box::new(TermsQuery::new(place, Beginning(text.to_owned()))));
        }
        let expression = format!("{}.*", regexp::escape(text));
        Ok(Box::new(TermsQuery::new(place, automaton::Pattern::new(&expression, true)?)))
    }

    pub(super) fn wildcard(&self, clause: &Pattern) -> Result<Built, Exception> {
        if let Target::Index = self.target(&clause.field) {
            let matches = pampero_opensearch::names::matches(&clause.pattern, self.context.index);
            return Ok(if matches { all() } else { none() });
        }
        let Some(place) = self.pattern_place("wildcard", clause)? else {
            return Ok(none());
        };
        let text = self.pattern_text(clause, &place);
        self.wildcard_at(&place, &text, clause.case_insensitive)
    }

    /// Finds terms that match a pattern, which is in the form of the terms.
    pub(super) fn wildcard_at(
        &self,
        place: &Place,
        pattern: &str,
        case_insensitive: bool,
    ) -> Result<Built, Exception> {
        // What is a prefix needs no pattern compiled.
        if let Some(text) = pattern.strip_suffix('*')
            && !case_insensitive
            && !text.contains(['*', '?', '\\'])
        {
            return self.prefix_at(place, text, false);
        }
        let pattern = automaton::Pattern::new(&regexp::from_wildcard(pattern), case_insensitive)?;
        Ok(Box::new(TermsQuery::new(place, pattern)))
    }

    pub(super) fn regexp(&self, clause: &Pattern) -> Result<Built, Exception> {
        let Some(place) = self.pattern_place("regexp", clause)? else {
            return Ok(none());
        };
        self.regexp_at(&place, &clause.pattern, clause.case_insensitive)
    }

    pub(super) fn regexp_at(
        &self,
        place: &Place,
        pattern: &str,
        case_insensitive: bool,
    ) -> Result<Built, Exception> {
        let expression = regexp::from_lucene(pattern)?;
        let pattern = automaton::Pattern::new(&expression, case_insensitive)?;
        Ok(Box::new(TermsQuery::new(place, pattern)))
    }

    pub(super) fn fuzzy(&self, clause: &dsl::Fuzzy) -> Result<Built, Exception> {
        let place = match self.target(&clause.field) {
            Target::Field(field) => match field.kind {
                FieldKind::Text { .. } | FieldKind::Keyword { .. } => {
                    self.terms_of(&field, "fuzzy")?
                }
                _ => {
                    let value = Value::from(clause.value.as_str());
                    return self.term_in(&Target::Field(field), &value, false);
                }
            },
            Target::Id => self.id_place(),
            _ => return Ok(none()),
        };
        FuzzyQuery::build(
            &place,
            &clause.value,
            clause.fuzziness.edits(&clause.value),
            clause.prefix_length,
            clause.max_expansions,
            clause.transpositions,
        )
    }

    /// Returns where the terms lie that a pattern is held against; `None` when there are none.
    fn pattern_place(&self, name: &str, clause: &Pattern) -> Result<Option<Place>, Exception> {
        match self.target(&clause.field) {
            Target::Field(field) => self.terms_of(&field, name).map(Some),
            Target::Id => Ok(Some(self.id_place())),
            Target::Unmapped => Ok(None),
            Target::Index | Target::SeqNo => {
                Err(Exception::unsupported(format!("query [{name}] on [{}]", clause.field)))
            }
        }
    }

    /// Returns a pattern in the form of the terms: words of texts are looked for as they are written.
    fn pattern_text(&self, clause: &Pattern, place: &Place) -> String {
        match self.target(&clause.field) {
            Target::Field(field) if matches!(field.kind, FieldKind::Text { .. }) => {
                clause.pattern.clone()
            }
            _ => place.normalize(&clause.pattern),
        }
    }
}
