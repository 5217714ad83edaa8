//! `query_string` and `simple_query_string`: the trees of their languages over the fields of an index.

use jiff::tz::TimeZone;
use pampero_opensearch::date::read_zone;
use pampero_opensearch::mapping::{Analyzer, FieldKind};
use pampero_opensearch::query::query_text::{self, Node, Occurrence};
use pampero_opensearch::query::{
    Fuzziness, Match, MinimumShouldMatch, MultiMatchType, Operator, QueryString, SimpleQueryString,
    WeightedField, simple_text,
};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::Value;
use tantivy::query::Occur;

use super::expansion::FuzzyQuery;
use super::field::Target;
use super::full_text::leniently;
use super::value::DateReading;
use super::{Builder, Built, all, best, boolean, boosted, none};

/// What holds for all nodes of one text.
struct Reading<'a> {
    /// The text, for the words of refusals.
    text: &'a str,
    /// Where words without a field are looked for.
    fields: Vec<(Target<'a>, f32)>,
    /// The field for a lone `*`, when there is exactly one that was named.
    default_field: Option<String>,
    operator: Operator,
    /// Whether words that are no value of a field find nothing there; `None`: as the fields say.
    lenient: Option<bool>,
    /// Whether words without a field are looked for in all fields.
    every: bool,
    kind: MultiMatchType,
    tie_breaker: f32,
    phrase_slop: u32,
    fuzziness: Fuzziness,
    fuzzy_prefix_length: u32,
    fuzzy_max_expansions: u32,
    leading_wildcard: bool,
    analyzer: Option<Analyzer>,
    zone: TimeZone,
    minimum_should_match: Option<MinimumShouldMatch>,
}

impl Reading<'_> {
    /// Tells whether words that are no value of a field find nothing in those that a node is about,
    /// instead of being refused; a node that names its field is strict by itself.
    fn is_lenient(&self, field: Option<&str>) -> bool {
        self.lenient.unwrap_or(match field {
            None => self.every,
            Some(named) => named == "*",
        })
    }
}

impl Builder<'_> {
    pub(super) fn query_string(&self, clause: &QueryString) -> Result<Built, Exception> {
        let tree = query_text::parse(&clause.query, clause.default_operator)
            .map_err(|cause| failed_to_parse(&clause.query, cause))?;
        let Some(tree) = tree else {
            return Ok(none());
        };
        let named = match &clause.default_field {
            Some(field) => vec![WeightedField::read(field)?],
            None => clause.fields.clone(),
        };
        let (fields, every) = self.fields_or_all(&named)?;
        let reading = Reading {
            text: &clause.query,
            fields,
            default_field: clause.default_field.clone().filter(|field| !field.contains('*')),
            operator: clause.default_operator,
            lenient: clause.lenient,
            every,
            kind: clause.kind,
            tie_breaker: clause.tie_breaker.max(clause.kind.tie_breaker()),
            phrase_slop: clause.phrase_slop,
            fuzziness: clause.fuzziness,
            fuzzy_prefix_length: clause.fuzzy_prefix_length,
            fuzzy_max_expansions: clause.fuzzy_max_expansions,
            leading_wildcard: clause.allow_leading_wildcard,
            analyzer: clause.analyzer,
            zone: match &clause.time_zone {
                Some(zone) => read_zone(zone)?,
                None => TimeZone::UTC,
            },
            minimum_should_match: clause.minimum_should_match.clone(),
        };
        self.tree(&tree, &reading)
    }

    pub(super) fn simple_query_string(
        &self,
        clause: &SimpleQueryString,
    ) -> Result<Built, Exception> {
        let tree = simple_text::parse(&clause.query, clause.default_operator, clause.flags)?;
        let Some(tree) = tree else {
            return Ok(none());
        };
        let (fields, every) = self.fields_or_all(&clause.fields)?;
        let reading = Reading {
            text: &clause.query,
            fields,
            default_field: None,
            operator: clause.default_operator,
            lenient: clause.lenient,
            every,
            kind: MultiMatchType::MostFields,
            tie_breaker: 1.0,
            phrase_slop: 0,
            fuzziness: Fuzziness::AUTO,
            fuzzy_prefix_length: clause.fuzzy_prefix_length,
            fuzzy_max_expansions: clause.fuzzy_max_expansions,
            leading_wildcard: true,
            analyzer: clause.analyzer,
            zone: TimeZone::UTC,
            minimum_should_match: clause.minimum_should_match.clone(),
        };
        self.tree(&tree, &reading)
    }

    /// Builds the outermost node, which alone `minimum_should_match` is about.
    fn tree(&self, tree: &Node, reading: &Reading<'_>) -> Result<Built, Exception> {
        match tree {
            Node::Boolean(clauses) => {
                self.clauses(clauses, reading, reading.minimum_should_match.as_ref())
            }
            Node::Words { field, text } => {
                let mut words = self.words_match(field.as_deref(), text, reading);
                words.minimum_should_match = reading.minimum_should_match.clone();
                self.words_node(field.as_deref(), &words, reading)
            }
            node => Ok(self.node(node, reading)?.unwrap_or_else(none)),
        }
    }

    /// Builds a node; `None` when the analyzers leave nothing of it.
    fn node(&self, node: &Node, reading: &Reading<'_>) -> Result<Option<Built>, Exception> {
        match node {
            Node::Words { field, text } if field.as_deref() == Some("_exists_") => {
                Ok(Some(self.exists(text)))
            }
            Node::Words { field, text } => {
                if self.says_nothing(field.as_deref(), text, reading)? {
                    return Ok(None);
                }
                self.words_node(
                    field.as_deref(),
                    &self.words_match(field.as_deref(), text, reading),
                    reading,
                )
                .map(Some)
            }
            Node::Phrase { field, text, .. } if field.as_deref() == Some("_exists_") => {
                Ok(Some(self.exists(text)))
            }
            Node::Phrase { field, text, slop } => {
                let words = self.words_match(field.as_deref(), text, reading);
                let fields = self.fields_of(field.as_deref(), reading)?;
                let slop = slop.unwrap_or(reading.phrase_slop);
                let kind = MultiMatchType::Phrase;
                self.in_fields(&fields, &words, kind, slop, reading.tie_breaker).map(Some)
            }
            Node::Wildcard { field, pattern } => {
                self.wildcard_node(field.as_deref(), pattern, reading).map(Some)
            }
            Node::Regexp { field, pattern } => self
                .each_field(field.as_deref(), reading, |target| {
                    self.in_terms(target, "regexp", |place| self.regexp_at(place, pattern, false))
                })
                .map(Some),
            Node::Fuzzy { field, text, fuzziness } => {
                let fuzziness = fuzziness.unwrap_or(reading.fuzziness);
                self.fuzzy_node(field.as_deref(), text, fuzziness, reading).map(Some)
            }
            Node::Range { field, lower, upper } => {
                let dates =
                    DateReading { now: self.context.now, zone: reading.zone.clone(), format: None };
                self.each_field(field.as_deref(), reading, |target| {
                    let value = |bound: &Option<(String, bool)>| {
                        let (text, inclusive) = bound.as_ref()?;
                        Some((Value::from(self.bound(target, text)), *inclusive))
                    };
                    let (lower, upper) = (value(lower), value(upper));
                    let lower = lower.as_ref().map(|(value, inclusive)| (value, *inclusive));
                    let upper = upper.as_ref().map(|(value, inclusive)| (value, *inclusive));
                    self.range_in(target, (lower, upper), &dates)
                })
                .map(Some)
            }
            Node::Boolean(clauses) => self.clauses(clauses, reading, None).map(Some),
            Node::Boost(node, boost) => {
                Ok(self.node(node, reading)?.map(|query| boosted(query, *boost)))
            }
        }
    }

    fn clauses(
        &self,
        clauses: &[(Occurrence, Node)],
        reading: &Reading<'_>,
        rule: Option<&MinimumShouldMatch>,
    ) -> Result<Built, Exception> {
        let mut built = Vec::with_capacity(clauses.len());
        for (occurrence, node) in clauses {
            let Some(query) = self.node(node, reading)? else {
                continue;
            };
            let occur = match occurrence {
                Occurrence::Must => Occur::Must,
                Occurrence::Should => Occur::Should,
                Occurrence::MustNot => Occur::MustNot,
            };
            built.push((occur, query));
        }
        let count = |wanted| built.iter().filter(|(occur, _)| *occur == wanted).count();
        let (required, optional) = (count(Occur::Must), count(Occur::Should));
        if built.is_empty() {
            return Ok(none());
        }
        if required == 0 && optional == 0 {
            built.push((Occur::Must, super::constant(all(), 0.0)));
        }
        let least = rule.filter(|_| optional > 0).map_or(0, |rule| rule.required(optional));
        let least = if required == 0 && optional > 0 { least.max(1) } else { least };
        Ok(boolean(built, least))
    }

    /// Brings a bound into the form of the words of a field, if it has words.
    fn bound(&self, target: &Target<'_>, text: &str) -> String {
        match target {
            Target::Field(field) => match field.kind {
                FieldKind::Text { analyzer, .. } => self.words(field, analyzer).normalize(text),
                _ => text.to_owned(),
            },
            _ => text.to_owned(),
        }
    }

    fn words_match(&self, field: Option<&str>, text: &str, reading: &Reading<'_>) -> Match {
        let mut words = Match::new("", text);
        words.operator = reading.operator;
        words.lenient = reading.is_lenient(field);
        words.analyzer = reading.analyzer;
        words
    }

    fn words_node(
        &self,
        field: Option<&str>,
        words: &Match,
        reading: &Reading<'_>,
    ) -> Result<Built, Exception> {
        if field == Some("_exists_") {
            return Ok(self.exists(&super::value::text(&words.query)));
        }
        let fields = self.fields_of(field, reading)?;
        self.in_fields(&fields, words, reading.kind, reading.phrase_slop, reading.tie_breaker)
    }

    /// Tells whether the analyzers of all fields leave nothing of a text.
    fn says_nothing(
        &self,
        field: Option<&str>,
        text: &str,
        reading: &Reading<'_>,
    ) -> Result<bool, Exception> {
        let fields = self.fields_of(field, reading)?;
        let value = Value::from(text);
        for (target, _) in &fields {
            match self.words_of(target, reading.analyzer, &value) {
                Ok(Some(words)) if words.words.is_empty() => {}
                _ => return Ok(false),
            }
        }
        Ok(!fields.is_empty())
    }

    fn wildcard_node(
        &self,
        field: Option<&str>,
        pattern: &str,
        reading: &Reading<'_>,
    ) -> Result<Built, Exception> {
        if pattern == "*" {
            return match field.or(reading.default_field.as_deref()) {
                None | Some("*") => Ok(all()),
                Some(field) => Ok(self.exists(field)),
            };
        }
        if !reading.leading_wildcard && pattern.starts_with(['*', '?']) {
            let reason = format!(
                "Cannot parse '{}': '*' or '?' not allowed as first character in WildcardQuery",
                reading.text
            );
            let cause = Exception::new(ExceptionKind::Parse, reason);
            return Err(failed_to_parse(reading.text, cause));
        }
        if field == Some("_exists_") {
            return Ok(self.exists(pattern));
        }
        self.each_field(field, reading, |target| {
            if let Target::Index = target {
                let name = self.context.index;
                let matches = pampero_opensearch::names::matches(pattern, name);
                return Ok(if matches { all() } else { none() });
            }
            self.in_terms(target, "wildcard", |place| {
                self.wildcard_at(place, &place.normalize(pattern), false)
            })
        })
    }

    fn fuzzy_node(
        &self,
        field: Option<&str>,
        text: &str,
        fuzziness: Fuzziness,
        reading: &Reading<'_>,
    ) -> Result<Built, Exception> {
        self.each_field(field, reading, |target| {
            let words = match target {
                Target::Field(it)
                    if matches!(it.kind, FieldKind::Text { .. } | FieldKind::Keyword { .. }) =>
                {
                    true
                }
                Target::Id => true,
                _ => false,
            };
            if !words {
                return self.term_in(target, &Value::from(text), false);
            }
            self.in_terms(target, "fuzzy", |place| {
                let word = place.normalize(text);
                FuzzyQuery::build(
                    place,
                    &word,
                    fuzziness.edits(&word),
                    reading.fuzzy_prefix_length,
                    reading.fuzzy_max_expansions,
                    true,
                )
            })
        })
    }

    /// Builds a query over the terms of a field; without a field there is nothing to find.
    fn in_terms(
        &self,
        target: &Target<'_>,
        clause: &str,
        build: impl FnOnce(&super::field::Place) -> Result<Built, Exception>,
    ) -> Result<Built, Exception> {
        match target {
            Target::Field(field) => build(&self.terms_of(field, clause)?),
            Target::Id => build(&self.id_place()),
            Target::Index | Target::SeqNo | Target::Unmapped => Ok(none()),
        }
    }

    /// Builds a query for every field that a node is about, and takes the best.
    fn each_field(
        &self,
        field: Option<&str>,
        reading: &Reading<'_>,
        build: impl Fn(&Target<'_>) -> Result<Built, Exception>,
    ) -> Result<Built, Exception> {
        let fields = self.fields_of(field, reading)?;
        let lenient = reading.is_lenient(field);
        let queries = fields
            .iter()
            .map(|(target, boost)| Ok(boosted(leniently(lenient, || build(target))?, *boost)));
        Ok(best(queries.collect::<Result<_, Exception>>()?, reading.tie_breaker))
    }

    fn fields_of<'r>(
        &'r self,
        field: Option<&str>,
        reading: &Reading<'r>,
    ) -> Result<Vec<(Target<'r>, f32)>, Exception> {
        match field {
            None => Ok(reading.fields.clone()),
            Some(field) => self.expand(&[WeightedField { field: field.to_owned(), boost: 1.0 }]),
        }
    }
}

/// Says that a text is no query.
fn failed_to_parse(text: &str, cause: Exception) -> Exception {
    Exception::new(ExceptionKind::QueryShard, format!("Failed to parse query [{text}]"))
        .caused_by(cause)
}
