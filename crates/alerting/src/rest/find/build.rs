//! Makes filters of queries, and refuses by name what there is no filter for.

use pampero_opensearch::query::query_text::{Node, Occurrence, parse};
use pampero_opensearch::query::{
    Bool, Clause, Match, MatchPhrase, MinimumShouldMatch, Operator, Pattern, Query, QueryString,
    Term, Terms, ZeroTerms,
};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::Value;

use super::filter::{Filter, Test};
use super::text::{Wildcard, words};
use super::{Catalog, FieldKind, Named};

/// The path under which a query asks for the id.
const ID: &str = "_id";

/// Most words, values and characters of patterns of one query: each is held against each document.
const WEIGHT_MAX: usize = 4_096;

impl Catalog {
    /// Makes the filter of a query.
    ///
    /// # Errors
    /// It asks for a field that is not there, in a way that this search does not know, or for too much.
    pub(in crate::rest) fn filter(&self, query: &Query) -> Result<Filter, Exception> {
        let filter = self.part(query)?;
        let weight = filter.weight();
        if WEIGHT_MAX < weight {
            return Err(Exception::illegal_argument(format!(
                "the query asks for [{weight}] words, values and characters of patterns, and a search \
                 over monitors and alerts takes [{WEIGHT_MAX}]"
            )));
        }
        Ok(filter)
    }

    fn part(&self, query: &Query) -> Result<Filter, Exception> {
        match &query.clause {
            Clause::MatchAll => Ok(Filter::Always(true)),
            Clause::MatchNone => Ok(Filter::Always(false)),
            Clause::Ids(ids) => Ok(Filter::Ids(ids.clone())),
            Clause::ConstantScore(inner) => self.part(inner),
            Clause::Term(term) => self.term(term),
            Clause::Terms(terms) => self.terms(terms),
            Clause::Match(text) => self.matching(text),
            Clause::MatchPhrase(phrase) => self.phrase(phrase),
            Clause::Exists(path) => self.exists(path),
            Clause::Wildcard(pattern) => self.wildcard(pattern, Wildcard::read),
            Clause::Prefix(pattern) => self.wildcard(pattern, Wildcard::prefix),
            Clause::Bool(clauses) => self.bool(clauses),
            Clause::QueryString(text) => self.query_string(text),
            other => Err(refused(name_of(other))),
        }
    }

    fn term(&self, term: &Term) -> Result<Filter, Exception> {
        if term.field == ID {
            return Ok(Filter::Ids(vec![plain(&term.value)]));
        }
        let field = self.named(&term.field)?;
        whole(&field, &term.value, term.case_insensitive)
    }

    fn terms(&self, terms: &Terms) -> Result<Filter, Exception> {
        if terms.field == ID {
            return Ok(Filter::Ids(terms.values.iter().map(plain).collect()));
        }
        let field = self.named(&terms.field)?;
        let each = terms.values.iter().map(|value| whole(&field, value, false));
        Ok(Filter::any_of(each.collect::<Result<_, _>>()?))
    }

    fn matching(&self, text: &Match) -> Result<Filter, Exception> {
        if text.fuzziness.is_some() {
            return Err(refused("match] with [fuzziness"));
        }
        if text.analyzer.is_some() {
            return Err(refused("match] with [analyzer"));
        }
        if text.field == ID {
            return Ok(Filter::Ids(vec![plain(&text.query)]));
        }
        let field = self.named(&text.field)?;
        let minimum = text.minimum_should_match.as_ref();
        let is_empty = words(&plain(&text.query)).is_empty();
        if field.kind == Some(FieldKind::Text) && is_empty && text.zero_terms == ZeroTerms::All {
            return Ok(Filter::Always(true));
        }
        analyzed(&field, &plain(&text.query), text.operator, minimum)
    }

    fn phrase(&self, phrase: &MatchPhrase) -> Result<Filter, Exception> {
        if phrase.slop != 0 || phrase.analyzer.is_some() {
            return Err(refused("match_phrase] with [slop] or [analyzer"));
        }
        in_order(&self.named(&phrase.field)?, &plain(&phrase.query))
    }

    fn exists(&self, path: &str) -> Result<Filter, Exception> {
        if path == ID || self.knows_object(path) {
            let there = Filter::Exists(path.to_owned());
            return Ok(if path == ID { Filter::Always(true) } else { there });
        }
        Ok(match self.named(path)? {
            Named { kind: None, .. } => Filter::Always(false),
            Named { path, .. } => Filter::Exists(path),
        })
    }

    fn wildcard(&self, pattern: &Pattern, read: fn(&str) -> Wildcard) -> Result<Filter, Exception> {
        let field = self.named(&pattern.field)?;
        let lowered = pattern.pattern.to_lowercase();
        patterned(&field, pattern.case_insensitive, read(&pattern.pattern), read(&lowered))
    }

    fn bool(&self, clauses: &Bool) -> Result<Filter, Exception> {
        let all = |queries: &[Query]| -> Result<Vec<Filter>, Exception> {
            queries.iter().map(|query| self.part(query)).collect()
        };
        let mut must = all(&clauses.must)?;
        must.extend(all(&clauses.filter)?);
        let should = all(&clauses.should)?;
        let unsaid = usize::from(must.is_empty() && !should.is_empty());
        let said = clauses.minimum_should_match.as_ref();
        let should_min = said.map_or(unsaid, |said| said.required(should.len()));
        Ok(Filter::Bool { must, should, should_min, must_not: all(&clauses.must_not)? })
    }

    fn query_string(&self, text: &QueryString) -> Result<Filter, Exception> {
        if text.analyzer.is_some() {
            return Err(refused("query_string] with [analyzer"));
        }
        if text.phrase_slop != 0 {
            return Err(refused("query_string] with [phrase_slop"));
        }
        if text.minimum_should_match.is_some() {
            return Err(refused("query_string] with [minimum_should_match"));
        }
        let named: Vec<&str> = match &text.default_field {
            Some(field) if field != "*" => vec![field],
            _ if text.fields.is_empty() => self.default_fields.to_vec(),
            _ => text.fields.iter().map(|it| it.field.as_str()).collect(),
        };
        let fields = named.into_iter().map(|path| self.named(path)).collect::<Result<_, _>>()?;
        let language = Language { catalog: self, fields, text };
        match parse(&text.query, text.default_operator)? {
            Some(node) => language.filter(&node),
            None => Ok(Filter::Always(false)),
        }
    }
}

/// The language of `query_string`, with the fields of words that name none.
struct Language<'q> {
    catalog: &'q Catalog,
    fields: Vec<Named>,
    text: &'q QueryString,
}

impl Language<'_> {
    fn filter(&self, node: &Node) -> Result<Filter, Exception> {
        let operator = self.text.default_operator;
        match node {
            Node::Words { field: Some(field), text } if field == "_exists_" => {
                self.catalog.exists(text)
            }
            Node::Words { field, text } => {
                self.each(field.as_deref(), |field| analyzed(field, text, operator, None))
            }
            Node::Phrase { field, text, slop: None | Some(0) } => {
                self.each(field.as_deref(), |field| in_order(field, text))
            }
            Node::Wildcard { field, pattern } => self.pattern(field.as_deref(), pattern),
            Node::Boolean(clauses) => self.boolean(clauses),
            Node::Boost(inner, _) => self.filter(inner),
            Node::Phrase { .. } => Err(refused("query_string] with a moved phrase [\"..\"~n")),
            Node::Regexp { .. } => Err(refused("query_string] with a regular expression [/../")),
            Node::Fuzzy { .. } => Err(refused("query_string] with a fuzzy word [word~")),
            Node::Range { .. } => Err(refused("query_string] with a range [from TO to")),
        }
    }

    fn pattern(&self, field: Option<&str>, pattern: &str) -> Result<Filter, Exception> {
        if !self.text.allow_leading_wildcard && pattern.starts_with(['*', '?']) {
            let reason =
                format!("Cannot parse '{pattern}': '*' or '?' not allowed as first character");
            return Err(Exception::new(ExceptionKind::Parse, reason));
        }
        if field.is_none() && pattern == "*" {
            return Ok(Filter::Always(true));
        }
        let lowered = Wildcard::read(&pattern.to_lowercase());
        self.each(field, |field| patterned(field, false, Wildcard::read(pattern), lowered.clone()))
    }

    /// Asks the named field, or each of the default ones.
    fn each(
        &self,
        field: Option<&str>,
        ask: impl Fn(&Named) -> Result<Filter, Exception>,
    ) -> Result<Filter, Exception> {
        match field {
            Some(path) => ask(&self.catalog.named(path)?),
            None => Ok(Filter::any_of(self.fields.iter().map(ask).collect::<Result<_, _>>()?)),
        }
    }

    fn boolean(&self, clauses: &[(Occurrence, Node)]) -> Result<Filter, Exception> {
        let (mut must, mut should, mut must_not) = (Vec::new(), Vec::new(), Vec::new());
        for (occurrence, node) in clauses {
            let filter = self.filter(node)?;
            match occurrence {
                Occurrence::Must => must.push(filter),
                Occurrence::Should => should.push(filter),
                Occurrence::MustNot => must_not.push(filter),
            }
        }
        let should_min = usize::from(must.is_empty() && !should.is_empty());
        Ok(Filter::Bool { must, should, should_min, must_not })
    }
}

/// Asks for one whole term: a word of a text, or the value.
fn whole(field: &Named, value: &Value, any_case: bool) -> Result<Filter, Exception> {
    let text = plain(value);
    let test = match field.kind {
        None => return Ok(Filter::Always(false)),
        Some(FieldKind::Text) if any_case => Test::Words(vec![text.to_lowercase()], 1),
        Some(FieldKind::Text) => Test::Words(vec![text], 1),
        Some(FieldKind::Keyword) if any_case => Test::WholeAnyCase(text),
        Some(FieldKind::Keyword) => Test::Whole(text),
        Some(FieldKind::Boolean) => Test::Truth(read_truth(&field.path, &text)?),
        Some(FieldKind::Number) => Test::Number(read_number(&field.path, &text)?),
    };
    Ok(Filter::Field(field.path.clone(), test))
}

/// Asks for the words of a text where the field has words, for the value elsewhere.
fn analyzed(
    field: &Named,
    text: &str,
    operator: Operator,
    minimum: Option<&MinimumShouldMatch>,
) -> Result<Filter, Exception> {
    if field.kind != Some(FieldKind::Text) {
        return whole(field, &Value::from(text), false);
    }
    let asked = words(text);
    let needed = match operator {
        Operator::And => asked.len(),
        Operator::Or => minimum.map_or(1, |minimum| minimum.required(asked.len())),
    };
    Ok(Filter::Field(field.path.clone(), Test::Words(asked, needed.max(1))))
}

/// Asks for the words of a text one behind another.
fn in_order(field: &Named, text: &str) -> Result<Filter, Exception> {
    if field.kind != Some(FieldKind::Text) {
        return whole(field, &Value::from(text), false);
    }
    Ok(Filter::Field(field.path.clone(), Test::Phrase(words(text))))
}

/// Asks for a pattern: over the words of a text, which are in lower case, or over the value.
fn patterned(
    field: &Named,
    any_case: bool,
    pattern: Wildcard,
    lowered: Wildcard,
) -> Result<Filter, Exception> {
    let test = match field.kind {
        None => return Ok(Filter::Always(false)),
        Some(FieldKind::Text) => Test::Word(lowered),
        Some(FieldKind::Keyword) if any_case => Test::Pattern(lowered, true),
        Some(FieldKind::Keyword) => Test::Pattern(pattern, false),
        Some(FieldKind::Boolean | FieldKind::Number) => {
            let path = &field.path;
            return Err(Exception::illegal_argument(format!(
                "Can only use wildcard queries on keyword and text fields - not on [{path}]"
            )));
        }
    };
    Ok(Filter::Field(field.path.clone(), test))
}

fn read_truth(path: &str, text: &str) -> Result<bool, Exception> {
    match text {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        _ => Err(Exception::illegal_argument(format!(
            "Can't parse boolean value [{text}] of [{path}], expected [true] or [false]"
        ))),
    }
}

fn read_number(path: &str, text: &str) -> Result<f64, Exception> {
    text.trim().parse().map_err(|_| {
        let reason = format!("[{path}] holds numbers, and [{text}] is none");
        Exception::new(ExceptionKind::NumberFormat, reason)
    })
}

/// Returns a scalar as text.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn refused(name: &str) -> Exception {
    Exception::unsupported(format!("query [{name}] over monitors and alerts"))
}

fn name_of(clause: &Clause) -> &'static str {
    match clause {
        Clause::MatchBoolPrefix(_) => "match_bool_prefix",
        Clause::MatchPhrasePrefix(_) => "match_phrase_prefix",
        Clause::MultiMatch(_) => "multi_match",
        Clause::Range(_) => "range",
        Clause::Regexp(_) => "regexp",
        Clause::Fuzzy(_) => "fuzzy",
        Clause::DisMax(_) => "dis_max",
        Clause::Boosting(_) => "boosting",
        Clause::Nested(_) => "nested",
        Clause::SimpleQueryString(_) => "simple_query_string",
        _ => "of this kind",
    }
}
