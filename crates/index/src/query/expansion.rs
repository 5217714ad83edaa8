//! Queries whose terms are looked up in the dictionaries first: fuzzy words, and phrases that end in a
//! prefix. Both take only so many terms, so what they cost has a bound.

use std::collections::BTreeSet;
use std::sync::Arc;

use pampero_opensearch::Exception;
use tantivy::query::{
    BooleanQuery, DfaWrapper, EnableScoring, FuzzyTermQuery, PhraseQuery, Query, Weight,
};
use tantivy::{Searcher, TantivyError, Term};
use tantivy_fst::Automaton;

use super::automaton::{Beginning, Confined};
use super::field::Place;
use super::term_level::term_query;
use super::{Built, best, boosted, none};

/// Finds documents with a term within some edits of a word; the nearest terms count.
#[derive(Clone)]
pub(super) struct FuzzyQuery {
    place: Place,
    word: Arc<str>,
    automaton: Arc<Confined<DfaWrapper>>,
    transpositions: bool,
    expansions: usize,
}

impl FuzzyQuery {
    /// Builds the query; without edits it is an ordinary term.
    ///
    /// # Errors
    /// More than two edits are asked for.
    pub(super) fn build(
        place: &Place,
        word: &str,
        edits: u8,
        prefix_length: u32,
        expansions: u32,
        transpositions: bool,
    ) -> Result<Built, Exception> {
        let at = word.char_indices().nth(prefix_length as usize).map_or(word.len(), |(at, _)| at);
        let (beginning, rest) = word.split_at(at);
        if edits == 0 || rest.is_empty() {
            return Ok(term_query(place.term(word)));
        }
        let rest = Term::from_field_text(place.field(), rest);
        let rest = FuzzyTermQuery::new(rest, edits, transpositions).automaton();
        let rest = rest.map_err(|error| Exception::illegal_argument(error.to_string()))?;
        let automaton = Confined::behind(place, beginning, rest);
        Ok(Box::new(Self {
            place: place.clone(),
            word: word.into(),
            automaton: Arc::new(automaton),
            transpositions,
            expansions: expansions as usize,
        }))
    }

    fn distance(&self, term: &str) -> usize {
        if self.transpositions {
            strsim::osa_distance(&self.word, term)
        } else {
            strsim::levenshtein(&self.word, term)
        }
    }

    /// Returns the query over the nearest terms, those with fewer edits scoring higher.
    ///
    /// Source: Lucene, `FuzzyTermsEnum`: each edit takes its share of the shorter word's length.
    fn expanded(&self, searcher: &Searcher) -> tantivy::Result<Built> {
        let mut nearest: BTreeSet<(usize, String)> = BTreeSet::new();
        visit_terms(searcher, &self.place, &*self.automaton, |term| {
            nearest.insert((self.distance(term), term.to_owned()));
            if nearest.len() > self.expansions {
                nearest.pop_last();
            }
            true
        })?;
        let length = |text: &str| text.chars().count().max(1);
        let queries = nearest.into_iter().map(|(distance, term)| {
            let shorter = length(&self.word).min(length(&term)) as f32;
            let likeness = 1.0 - distance as f32 / shorter;
            boosted(term_query(self.place.term(&term)), likeness.max(0.0))
        });
        Ok(best(queries.collect(), 0.0))
    }
}

impl std::fmt::Debug for FuzzyQuery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FuzzyQuery").field("word", &self.word).finish_non_exhaustive()
    }
}

impl Query for FuzzyQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        self.expanded(searcher(&scoring)?)?.weight(scoring)
    }
}

/// Finds documents with a phrase whose last word begins with a text.
#[derive(Clone, Debug)]
pub(super) struct PhrasePrefix {
    pub(super) place: Place,
    /// The words before the last, with their positions.
    pub(super) words: Vec<(usize, Term)>,
    /// What the last word begins with, and its position.
    pub(super) last: (usize, Arc<str>),
    pub(super) slop: u32,
    /// Most words for the last one; the first in their order are taken.
    pub(super) expansions: usize,
}

impl PhrasePrefix {
    fn expanded(&self, searcher: &Searcher) -> tantivy::Result<Built> {
        let mut last: BTreeSet<String> = BTreeSet::new();
        let automaton = Confined::new(&self.place, Beginning(self.last.1.to_string()));
        for segment in 0..searcher.segment_readers().len() {
            let mut left = self.expansions;
            visit_segment(searcher, segment, &self.place, &automaton, |term| {
                last.insert(term.to_owned());
                left -= 1;
                left > 0
            })?;
        }
        let queries: Vec<Built> = last
            .into_iter()
            .take(self.expansions)
            .map(|term| phrase(&self.words, (self.last.0, self.place.term(&term)), self.slop))
            .collect();
        if queries.is_empty() {
            return Ok(none());
        }
        Ok(Box::new(BooleanQuery::union(queries)))
    }
}

impl Query for PhrasePrefix {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        self.expanded(searcher(&scoring)?)?.weight(scoring)
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        for (_, term) in &self.words {
            visitor(term, true);
        }
    }
}

fn phrase(words: &[(usize, Term)], last: (usize, Term), slop: u32) -> Built {
    if words.is_empty() {
        return term_query(last.1);
    }
    let mut words = words.to_vec();
    words.push(last);
    Box::new(PhraseQuery::new_with_offset_and_slop(words, slop))
}

fn searcher<'a>(scoring: &'a EnableScoring<'_>) -> tantivy::Result<&'a Searcher> {
    scoring.searcher().ok_or_else(|| {
        TantivyError::InvalidArgument("terms are looked up, which takes a searcher".to_owned())
    })
}

/// Shows the values of all terms that an automaton takes, each as often as it stands in a segment.
fn visit_terms<A>(
    searcher: &Searcher,
    place: &Place,
    automaton: &A,
    mut visit: impl FnMut(&str) -> bool,
) -> tantivy::Result<()>
where
    A: Automaton,
    A::State: Clone,
{
    for segment in 0..searcher.segment_readers().len() {
        visit_segment(searcher, segment, place, automaton, &mut visit)?;
    }
    Ok(())
}

/// Shows the values of terms in their order, until `visit` returns false.
fn visit_segment<A>(
    searcher: &Searcher,
    segment: usize,
    place: &Place,
    automaton: &A,
    mut visit: impl FnMut(&str) -> bool,
) -> tantivy::Result<()>
where
    A: Automaton,
    A::State: Clone,
{
    let prefix = place.prefix().len();
    let reader = &searcher.segment_readers()[segment];
    let index = reader.inverted_index(place.field())?;
    let mut terms = index.terms().search(automaton).into_stream()?;
    while let Some((key, _)) = terms.next() {
        let Ok(value) = std::str::from_utf8(&key[prefix..]) else {
            continue;
        };
        if !visit(value) {
            break;
        }
    }
    Ok(())
}
