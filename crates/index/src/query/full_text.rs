//! Clauses over analyzed text: the `match` family and `multi_match`.

use pampero_opensearch::mapping::{Analyzer, Field, FieldKind};
use pampero_opensearch::query::{
    self as dsl, CLAUSES_MAX, Fuzziness, Match, MatchPhrase, MinimumShouldMatch, MultiMatch,
    MultiMatchType, Operator, WeightedField, ZeroTerms, too_many_clauses,
};
use pampero_opensearch::{Exception, ExceptionKind};
use tantivy::Term;
use tantivy::query::{Occur, PhraseQuery};

use super::expansion::{FuzzyQuery, PhrasePrefix};
use super::field::{Place, Target, check_indexed};
use super::term_level::term_query;
use super::{Builder, Built, all, best, boolean, boosted, none, value};
use crate::analysis::analyze_first;

/// The words of a text with their positions, and where they are looked for.
pub(super) struct Words {
    pub(super) place: Place,
    pub(super) words: Vec<(usize, String)>,
}

impl Builder<'_> {
    pub(super) fn match_text(&self, clause: &Match) -> Result<Built, Exception> {
        self.match_in(&self.target(&clause.field), clause)
    }

    /// Finds the words of a text, or a value, in one field.
    pub(super) fn match_in(&self, target: &Target<'_>, clause: &Match) -> Result<Built, Exception> {
        let Some(words) = self.words_of(target, clause.analyzer, &clause.query)? else {
            return leniently(clause.lenient, || self.whole_value(target, clause));
        };
        if words.words.is_empty() {
            return Ok(no_words(clause.zero_terms));
        }
        let queries = words.words.iter().map(|(_, word)| fuzzy_word(&words.place, word, clause));
        join(queries.collect::<Result<_, _>>()?, clause.operator, &clause.minimum_should_match)
    }

    /// Finds a value in a field without words; whole strings may be fuzzy.
    fn whole_value(&self, target: &Target<'_>, clause: &Match) -> Result<Built, Exception> {
        if let (Target::Field(field), Some(_)) = (target, clause.fuzziness)
            && let FieldKind::Keyword { .. } = field.kind
        {
            let place = self.keywords(field);
            return fuzzy_word(&place, &place.normalize(&value::text(&clause.query)), clause);
        }
        self.term_in(target, &clause.query, false)
    }

    pub(super) fn match_bool_prefix(&self, clause: &Match) -> Result<Built, Exception> {
        self.match_bool_prefix_in(&self.target(&clause.field), clause)
    }

    fn match_bool_prefix_in(
        &self,
        target: &Target<'_>,
        clause: &Match,
    ) -> Result<Built, Exception> {
        let Some(words) = self.words_of(target, clause.analyzer, &clause.query)? else {
            return leniently(clause.lenient, || self.prefix_of_value(target, clause));
        };
        let Some(((_, last), before)) = words.words.split_last() else {
            return Ok(no_words(clause.zero_terms));
        };
        let mut queries = Vec::with_capacity(words.words.len());
        for (_, word) in before {
            queries.push(fuzzy_word(&words.place, word, clause)?);
        }
        queries.push(self.prefix_at(&words.place, last, false)?);
        join(queries, clause.operator, &clause.minimum_should_match)
    }

    fn prefix_of_value(&self, target: &Target<'_>, clause: &Match) -> Result<Built, Exception> {
        match target {
            Target::Field(field) if matches!(field.kind, FieldKind::Keyword { .. }) => {
                let place = self.terms_of(field, "prefix")?;
                self.prefix_at(&place, &place.normalize(&value::text(&clause.query)), false)
            }
            _ => self.term_in(target, &clause.query, false),
        }
    }

    pub(super) fn match_phrase(&self, clause: &MatchPhrase) -> Result<Built, Exception> {
        self.phrase_in(&self.target(&clause.field), clause)
    }

    /// Finds a phrase in one field.
    pub(super) fn phrase_in(
        &self,
        target: &Target<'_>,
        clause: &MatchPhrase,
    ) -> Result<Built, Exception> {
        match self.words_of(target, clause.analyzer, &clause.query)? {
            None => self.term_in(target, &clause.query, false),
            Some(words) => Ok(phrase(words, clause.slop, clause.zero_terms)),
        }
    }

    pub(super) fn match_phrase_prefix(&self, clause: &MatchPhrase) -> Result<Built, Exception> {
        self.phrase_prefix_in(&self.target(&clause.field), clause)
    }

    fn phrase_prefix_in(
        &self,
        target: &Target<'_>,
        clause: &MatchPhrase,
    ) -> Result<Built, Exception> {
        let Some(mut words) = self.words_of(target, clause.analyzer, &clause.query)? else {
            let text = value::text(&clause.query);
            return match target {
                Target::Field(field) => {
                    let place = self.terms_of(field, "phrase prefix")?;
                    self.prefix_at(&place, &place.normalize(&text), false)
                }
                _ => self.term_in(target, &clause.query, false),
            };
        };
        let Some((at, last)) = words.words.pop() else {
            return Ok(no_words(clause.zero_terms));
        };
        let before = words.words.into_iter().map(|(at, word)| (at, words.place.term(&word)));
        Ok(Box::new(PhrasePrefix {
            words: before.collect(),
            last: (at, last.into()),
            slop: clause.slop,
            expansions: clause.max_expansions as usize,
            place: words.place,
        }))
    }

    pub(super) fn multi_match(&self, clause: &MultiMatch) -> Result<Built, Exception> {
        let (fields, every) = self.fields_or_all(&clause.fields)?;
        let mut text = clause.text.clone();
        text.lenient |= every;
        let tie_breaker = clause.tie_breaker.unwrap_or(clause.kind.tie_breaker());
        self.in_fields(&fields, &text, clause.kind, clause.slop, tie_breaker)
    }

    /// Returns the fields that are named, or all of them, and whether it is all.
    pub(super) fn fields_or_all(
        &self,
        fields: &[WeightedField],
    ) -> Result<(Vec<(Target<'_>, f32)>, bool), Exception> {
        if fields.is_empty() {
            let every = WeightedField { field: "*".to_owned(), boost: 1.0 };
            return Ok((self.expand(&[every])?, true));
        }
        let every = matches!(fields, [only] if only.field == "*");
        Ok((self.expand(fields)?, every))
    }

    /// Finds a text in several fields.
    pub(super) fn in_fields(
        &self,
        fields: &[(Target<'_>, f32)],
        text: &Match,
        kind: MultiMatchType,
        slop: u32,
        tie_breaker: f32,
    ) -> Result<Built, Exception> {
        if kind == MultiMatchType::CrossFields {
            return self.across_fields(fields, text, tie_breaker);
        }
        let phrase = MatchPhrase {
            field: String::new(),
            query: text.query.clone(),
            slop,
            max_expansions: text.max_expansions,
            analyzer: text.analyzer,
            zero_terms: text.zero_terms,
        };
        let queries = fields.iter().map(|(target, boost)| {
            let query = leniently(text.lenient, || match kind {
                MultiMatchType::Phrase => self.phrase_in(target, &phrase),
                MultiMatchType::PhrasePrefix => self.phrase_prefix_in(target, &phrase),
                MultiMatchType::BoolPrefix => self.match_bool_prefix_in(target, text),
                _ => self.match_in(target, text),
            });
            Ok(boosted(query?, *boost))
        });
        Ok(best(queries.collect::<Result<_, Exception>>()?, tie_breaker))
    }

    /// Finds the words of a text, each of which may stand in another of the fields that are cut in the
    /// same way.
    fn across_fields(
        &self,
        fields: &[(Target<'_>, f32)],
        text: &Match,
        tie_breaker: f32,
    ) -> Result<Built, Exception> {
        let mut groups: Vec<(Analyzer, Vec<(Words, f32)>)> = Vec::new();
        let mut queries = Vec::new();
        for (target, boost) in fields {
            let analyzer = match target {
                Target::Field(field) => search_analyzer(field, text.analyzer),
                _ => None,
            };
            match (analyzer, self.words_of(target, text.analyzer, &text.query)?) {
                (Some(analyzer), Some(words)) => {
                    match groups.iter_mut().find(|(known, _)| *known == analyzer) {
                        Some((_, group)) => group.push((words, *boost)),
                        None => groups.push((analyzer, vec![(words, *boost)])),
                    }
                }
                _ => {
                    let query = leniently(text.lenient, || self.match_in(target, text))?;
                    queries.push(boosted(query, *boost));
                }
            }
        }
        for (_, group) in groups {
            let count = group.first().map_or(0, |(words, _)| words.words.len());
            if count == 0 {
                queries.push(no_words(text.zero_terms));
                continue;
            }
            let words = (0..count).map(|at| {
                let in_fields = group.iter().map(|(words, boost)| {
                    boosted(term_query(words.place.term(&words.words[at].1)), *boost)
                });
                best(in_fields.collect(), tie_breaker)
            });
            queries.push(join(words.collect(), text.operator, &text.minimum_should_match)?);
        }
        Ok(best(queries, tie_breaker))
    }

    /// Cuts a text as a field says; `None` for a field that holds no words.
    pub(super) fn words_of(
        &self,
        target: &Target<'_>,
        analyzer: Option<Analyzer>,
        query: &serde_json::Value,
    ) -> Result<Option<Words>, Exception> {
        let Target::Field(field) = target else {
            return Ok(None);
        };
        let FieldKind::Text { analyzer: of_field, .. } = field.kind else {
            return Ok(None);
        };
        check_indexed(field)?;
        let analyzer = search_analyzer(field, analyzer).unwrap_or(of_field);
        // One more than there may be tells that there are too many, however long the text is.
        let tokens = analyze_first(analyzer, &value::text(query), CLAUSES_MAX + 1);
        if tokens.len() > CLAUSES_MAX {
            return Err(too_many_clauses());
        }
        let words = tokens.into_iter().map(|token| (token.position, token.text)).collect();
        Ok(Some(Words { place: self.words(field, of_field), words }))
    }
}

/// Returns what cuts a text that is looked for in a field; `None` for a field without words.
fn search_analyzer(field: &Field, given: Option<Analyzer>) -> Option<Analyzer> {
    match field.kind {
        FieldKind::Text { search_analyzer, .. } => Some(given.unwrap_or(search_analyzer)),
        _ => None,
    }
}

/// Takes a value that a field cannot hold for one that is not found, when that is asked for.
pub(super) fn leniently(
    lenient: bool,
    build: impl FnOnce() -> Result<Built, Exception>,
) -> Result<Built, Exception> {
    match build() {
        Err(refusal)
            if lenient
                && matches!(
                    refusal.kind(),
                    ExceptionKind::QueryShard
                        | ExceptionKind::Parse
                        | ExceptionKind::NumberFormat
                        | ExceptionKind::IllegalArgument
                ) =>
        {
            Ok(none())
        }
        built => built,
    }
}

fn no_words(zero_terms: ZeroTerms) -> Built {
    match zero_terms {
        ZeroTerms::None => none(),
        ZeroTerms::All => all(),
    }
}

fn fuzzy_word(place: &Place, word: &str, clause: &Match) -> Result<Built, Exception> {
    let edits = clause.fuzziness.map_or(0, |fuzziness: Fuzziness| fuzziness.edits(word));
    FuzzyQuery::build(
        place,
        word,
        edits,
        clause.prefix_length,
        clause.max_expansions,
        clause.transpositions,
    )
}

/// Puts the words of a text together.
fn join(
    mut words: Vec<Built>,
    operator: Operator,
    rule: &Option<MinimumShouldMatch>,
) -> Result<Built, Exception> {
    // A single word is no list of clauses, so no rule is about it.
    if words.len() == 1 {
        return Ok(words.remove(0));
    }
    let occur = match operator {
        dsl::Operator::Or => Occur::Should,
        dsl::Operator::And => Occur::Must,
    };
    let least = match (occur, rule) {
        (Occur::Should, Some(rule)) => rule.required(words.len()).max(1),
        (Occur::Should, None) => 1,
        _ => 0,
    };
    Ok(boolean(words.into_iter().map(|word| (occur, word)).collect(), least))
}

/// Finds words in their order.
fn phrase(words: Words, slop: u32, zero_terms: ZeroTerms) -> Built {
    let place = words.place;
    let mut terms: Vec<(usize, Term)> =
        words.words.into_iter().map(|(at, word)| (at, place.term(&word))).collect();
    match terms.len() {
        0 => no_words(zero_terms),
        1 => term_query(terms.remove(0).1),
        _ => Box::new(PhraseQuery::new_with_offset_and_slop(terms, slop)),
    }
}
