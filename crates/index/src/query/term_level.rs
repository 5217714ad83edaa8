//! Clauses over whole terms and values: `term`, `terms`, `range`, `exists`, `ids`.

use std::ops::Bound;
use std::sync::Arc;

use jiff::tz::TimeZone;
use pampero_opensearch::date::{DateFormat, read_zone};
use pampero_opensearch::mapping::{Field, FieldKind};
use pampero_opensearch::query as dsl;
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::Value;
use tantivy::Term;
use tantivy::query::{
    ExistsQuery, FastFieldRangeQuery, InvertedIndexRangeQuery, TermQuery, TermSetQuery,
};
use tantivy::schema::IndexRecordOption;

use super::automaton::{self, TermsQuery};
use super::columns::{ColumnQuery, Number};
use super::field::{Place, Target, check_indexed, column};
use super::value::{self, DateReading, Limit, Range};
use super::{Builder, Built, all, boolean, constant, failed_to_create, none, regexp};
use crate::layout::Layout;

impl Builder<'_> {
    pub(super) fn term(&self, clause: &dsl::Term) -> Result<Built, Exception> {
        self.term_in(&self.target(&clause.field), &clause.value, clause.case_insensitive)
    }

    /// Finds a whole term or value in one field.
    pub(super) fn term_in(
        &self,
        target: &Target<'_>,
        value: &Value,
        case_insensitive: bool,
    ) -> Result<Built, Exception> {
        let field = match target {
            Target::Unmapped => return Ok(none()),
            Target::Id => return Ok(self.ids([value::text(value).as_str()])),
            Target::Index => return Ok(self.index_is(&value::text(value), case_insensitive)),
            Target::SeqNo => return self.seq_no(Some((value, true)), Some((value, true))),
            Target::Field(field) => field,
        };
        match &field.kind {
            FieldKind::Text { analyzer, .. } => {
                check_indexed(field)?;
                self.whole_term(
                    &self.words(field, *analyzer),
                    &value::text(value),
                    case_insensitive,
                )
            }
            FieldKind::Keyword { .. } => {
                check_indexed(field)?;
                let place = self.keywords(field);
                let text = place.normalize(&value::text(value));
                self.whole_term(&place, &text, case_insensitive)
            }
            FieldKind::Ip => {
                let (first, last) =
                    value::addresses(&value::text(value)).map_err(failed_to_create)?;
                let place = self.keywords(field);
                if first == last {
                    return self.whole_term(&place, &first, false);
                }
                Ok(between_keywords(&place, (Bound::Included(first), Bound::Included(last))))
            }
            _ => {
                let range = value::equal(field, value, &self.date_reading());
                Ok(match range.map_err(failed_to_create)? {
                    Some(range) => self.column(field, vec![range]),
                    None => none(),
                })
            }
        }
    }

    fn whole_term(
        &self,
        place: &Place,
        text: &str,
        case_insensitive: bool,
    ) -> Result<Built, Exception> {
        if !case_insensitive {
            return Ok(term_query(place.term(text)));
        }
        let pattern = automaton::Pattern::new(&regexp::escape(text), true)?;
        Ok(Box::new(TermsQuery::new(place, pattern)))
    }

    pub(super) fn terms(&self, clause: &dsl::Terms) -> Result<Built, Exception> {
        let texts = || clause.values.iter().map(value::text);
        let field = match self.target(&clause.field) {
            Target::Unmapped => return Ok(none()),
            Target::Id => {
                return Ok(self.ids(texts().collect::<Vec<_>>().iter().map(String::as_str)));
            }
            Target::Field(field) => field,
            target => {
                let queries = clause.values.iter().map(|value| self.term_in(&target, value, false));
                return Ok(any(queries.collect::<Result<_, _>>()?));
            }
        };
        let terms: Vec<Term> = match &field.kind {
            FieldKind::Text { analyzer, .. } => {
                check_indexed(&field)?;
                let place = self.words(&field, *analyzer);
                texts().map(|text| place.term(&text)).collect()
            }
            FieldKind::Keyword { .. } => {
                check_indexed(&field)?;
                let place = self.keywords(&field);
                texts().map(|text| place.term(&place.normalize(&text))).collect()
            }
            FieldKind::Ip => {
                let target = Target::Field(field);
                let queries = clause.values.iter().map(|value| self.term_in(&target, value, false));
                return Ok(constant(any(queries.collect::<Result<_, _>>()?), 1.0));
            }
            _ => return self.values(&field, &clause.values),
        };
        Ok(constant(Box::new(TermSetQuery::new(terms)), 1.0))
    }

    fn values(&self, field: &Field, values: &[Value]) -> Result<Built, Exception> {
        let reading = self.date_reading();
        let ranges = values.iter().map(|value| value::equal(field, value, &reading));
        let ranges: Vec<_> = ranges.collect::<Result<_, _>>().map_err(failed_to_create)?;
        Ok(self.column(field, ranges.into_iter().flatten().collect()))
    }

    pub(super) fn range(&self, clause: &dsl::Range) -> Result<Built, Exception> {
        let mut reading = self.date_reading();
        if let Some(format) = &clause.format {
            reading.format = Some(DateFormat::new(format)?);
        }
        if let Some(zone) = &clause.time_zone {
            reading.zone = read_zone(zone)?;
        }
        let bound = |bound: &Option<(Value, bool)>| bound.clone();
        let (lower, upper) = (bound(&clause.lower), bound(&clause.upper));
        let lower = lower.as_ref().map(|(value, inclusive)| (value, *inclusive));
        let upper = upper.as_ref().map(|(value, inclusive)| (value, *inclusive));
        self.range_in(&self.target(&clause.field), (lower, upper), &reading)
    }

    /// Finds values between bounds in one field; without any bound, every value.
    pub(super) fn range_in(
        &self,
        target: &Target<'_>,
        bounds: (Limit<'_>, Limit<'_>),
        reading: &DateReading,
    ) -> Result<Built, Exception> {
        let field = match target {
            Target::Unmapped => return Ok(none()),
            Target::SeqNo => return self.seq_no(bounds.0, bounds.1),
            Target::Id => return Err(not_for_range("_id")),
            Target::Index => return Err(not_for_range("_index")),
            Target::Field(field) => field,
        };
        if let (None, None) = bounds {
            return Ok(self.exists(&field.path));
        }
        match &field.kind {
            FieldKind::Text { analyzer, .. } => {
                check_indexed(field)?;
                // As with `term`, what is given is not analyzed.
                let place = self.words(field, *analyzer);
                Ok(between_words(&place, text_bounds(bounds, str::to_owned)))
            }
            FieldKind::Keyword { .. } => {
                let place = self.keywords(field);
                let range = text_bounds(bounds, |text| place.normalize(text));
                Ok(between_keywords(&place, range))
            }
            FieldKind::Ip => {
                let place = self.keywords(field);
                let range = address_bounds(bounds).map_err(failed_to_create)?;
                Ok(between_keywords(&place, range))
            }
            _ => {
                let range = value::between(field, bounds, reading).map_err(|cause| {
                    // Date math says itself what is wrong with it, as OpenSearch does.
                    if cause.kind() == ExceptionKind::Parse {
                        cause
                    } else {
                        failed_to_create(cause)
                    }
                })?;
                Ok(self.column(field, vec![range]))
            }
        }
    }

    fn seq_no(&self, lower: Limit<'_>, upper: Limit<'_>) -> Result<Built, Exception> {
        let bound = |bound: Limit<'_>| match bound {
            None => Ok(Bound::Unbounded),
            Some((value, inclusive)) => {
                let number: u64 = value::text(value).parse().map_err(|_| {
                    failed_to_create(Exception::new(
                        ExceptionKind::NumberFormat,
                        format!("For input string: \"{}\"", value::text(value)),
                    ))
                })?;
                let term = Term::from_field_u64(self.context.layout.seq_no, number);
                Ok(if inclusive { Bound::Included(term) } else { Bound::Excluded(term) })
            }
        };
        Ok(match (bound(lower)?, bound(upper)?) {
            (Bound::Unbounded, Bound::Unbounded) => all(),
            (lower, upper) => constant(Box::new(FastFieldRangeQuery::new(lower, upper)), 1.0),
        })
    }

    fn column(&self, field: &Field, ranges: Vec<Range<Number>>) -> Built {
        let query = ColumnQuery::new(
            self.context.layout.numbers,
            column(Layout::NUMBERS, &field.path),
            Arc::clone(&field.path),
            ranges,
        );
        constant(Box::new(query), 1.0)
    }

    pub(super) fn date_reading(&self) -> DateReading {
        DateReading { now: self.context.now, zone: TimeZone::UTC, format: None }
    }

    pub(super) fn exists(&self, name: &str) -> Built {
        match self.target(name) {
            Target::Id | Target::Index | Target::SeqNo => return all(),
            Target::Field(field) => return self.exists_in(&field),
            Target::Unmapped => {}
        }
        // An object is there when anything in it is; a pattern stands for all that it matches.
        let mut fields = self.context.mapping.matching(&format!("{name}.*"));
        if name.contains('*') {
            fields.extend(self.context.mapping.matching(name));
        }
        constant(any(fields.into_iter().map(|field| self.exists_in(field)).collect()), 1.0)
    }

    fn exists_in(&self, field: &Field) -> Built {
        let in_column =
            |name: &str| -> Built { Box::new(ExistsQuery::new(column(name, &field.path), false)) };
        let named = || -> Built {
            let term = Term::from_field_text(self.context.layout.field_names, &field.path);
            constant(term_query(term), 1.0)
        };
        match (&field.kind, field.doc_values) {
            (FieldKind::Text { .. }, _) => named(),
            (FieldKind::Keyword { .. } | FieldKind::Ip, true) => in_column(Layout::KEYWORDS),
            (FieldKind::Keyword { .. } | FieldKind::Ip, false) => {
                constant(any(vec![named(), in_column(Layout::KEYWORDS)]), 1.0)
            }
            (_, true) => in_column(Layout::NUMBERS),
            (_, false) => constant(any(vec![named(), in_column(Layout::NUMBERS)]), 1.0),
        }
    }

    pub(super) fn ids<'i>(&self, ids: impl IntoIterator<Item = &'i str>) -> Built {
        let place = self.id_place();
        let terms: Vec<Term> = ids.into_iter().map(|id| place.term(id)).collect();
        if terms.is_empty() {
            return none();
        }
        constant(Box::new(TermSetQuery::new(terms)), 1.0)
    }

    fn index_is(&self, name: &str, case_insensitive: bool) -> Built {
        let same = if case_insensitive {
            name.eq_ignore_ascii_case(self.context.index)
        } else {
            pampero_opensearch::names::matches(name, self.context.index)
        };
        if same { all() } else { none() }
    }
}

/// Finds one term; frequencies count where there are any.
pub(super) fn term_query(term: Term) -> Built {
    Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
}

/// Finds what any of several queries finds.
fn any(mut queries: Vec<Built>) -> Built {
    match queries.len() {
        0 => none(),
        1 => queries.remove(0),
        _ => {
            let clauses = queries.into_iter().map(|query| (tantivy::query::Occur::Should, query));
            boolean(clauses.collect(), 1)
        }
    }
}

fn not_for_range(field: &str) -> Exception {
    failed_to_create(Exception::illegal_argument(format!(
        "Field [{field}] of type [{field}] does not support range queries"
    )))
}

fn text_bounds(
    (lower, upper): (Limit<'_>, Limit<'_>),
    term: impl Fn(&str) -> String,
) -> Range<String> {
    let bound = |bound: Limit<'_>| match bound {
        None => Bound::Unbounded,
        Some((value, true)) => Bound::Included(term(&value::text(value))),
        Some((value, false)) => Bound::Excluded(term(&value::text(value))),
    };
    (bound(lower), bound(upper))
}

fn address_bounds((lower, upper): (Limit<'_>, Limit<'_>)) -> Result<Range<String>, Exception> {
    let bound = |bound: Limit<'_>| match bound {
        None => Ok(Bound::Unbounded),
        Some((value, inclusive)) => {
            let (address, _) = value::addresses(&value::text(value))?;
            Ok(if inclusive { Bound::Included(address) } else { Bound::Excluded(address) })
        }
    };
    Ok((bound(lower)?, bound(upper)?))
}

/// Finds whole strings between bounds by their column, in which they are numbered in their order.
///
/// Tantivy finds the column by the name in the term, in which it reads backslashes as escapes.
fn between_keywords(place: &Place, (lower, upper): Range<String>) -> Built {
    if place.prefix().contains(&b'\\') {
        return between_words(place, (lower, upper));
    }
    let term = |text: String| place.term(&text);
    constant(Box::new(FastFieldRangeQuery::new(lower.map(term), upper.map(term))), 1.0)
}

/// Finds words between bounds by the dictionary, which holds those of other paths before and behind.
fn between_words(place: &Place, (lower, upper): Range<String>) -> Built {
    let term = |text: String| place.term(&text);
    let lower = match lower.map(term) {
        Bound::Unbounded => Bound::Included(place.term("")),
        bound => bound,
    };
    let upper = match upper.map(term) {
        Bound::Unbounded => Bound::Excluded(place.end()),
        bound => bound,
    };
    constant(Box::new(InvertedIndexRangeQuery::new(lower, upper)), 1.0)
}
