//! What a query looks for, by field, and where tokens of a text are it.

use pampero_opensearch::Exception;
use pampero_opensearch::mapping::Analyzer;
use pampero_opensearch::names::matches;
use pampero_opensearch::query::query_text::{self, Node, Occurrence};
use pampero_opensearch::query::{
    Clause, Fuzziness, MultiMatchType, Query, WeightedField, simple_text,
};
use regex::{Regex, RegexBuilder};

use crate::analysis::{Token, analyze};
use crate::search::fields::text_of;

/// Most bytes of a compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Most places by which the words of a phrase may be moved and still be marked.
const SLOP_MAX: usize = 100;

/// Something that a query looks for.
#[derive(Debug)]
pub(super) struct Clue {
    /// Names or patterns; empty for all fields.
    fields: Vec<String>,
    sought: Sought,
}

/// What is looked for.
#[derive(Clone, Debug)]
enum Sought {
    /// Any of the words of a text; the last one as a prefix, or all within some edits.
    Words { text: String, prefix: bool, fuzziness: Option<Fuzziness> },
    /// The words of a text in their order, moved by a number of places at most.
    Phrase { text: String, slop: u32, prefix: bool },
    /// A whole term.
    Term { text: String, any_case: bool },
    /// A term that matches a regular expression as a whole.
    Pattern(Regex),
}

/// Finds what a clue looks for among the tokens of a text.
#[derive(Debug)]
pub(super) enum Matcher {
    /// Single tokens: any of these terms.
    Terms {
        terms: Vec<String>,
        prefix: Option<String>,
        fuzziness: Option<Fuzziness>,
        any_case: bool,
    },
    /// Single tokens that match an expression.
    Pattern(Regex),
    /// Tokens in an order: terms with their places.
    Phrase { terms: Vec<(usize, String)>, slop: usize, prefix: bool },
}

impl Clue {
    /// Gathers what a query looks for; what must not match is left out.
    ///
    /// # Errors
    /// A query text cannot be read.
    pub(super) fn gather(query: &Query) -> Result<Vec<Self>, Exception> {
        let mut clues = Vec::new();
        gather_clause(&query.clause, &mut clues)?;
        Ok(clues)
    }

    /// Tells whether it is looked for in a field.
    pub(super) fn concerns(&self, path: &str) -> bool {
        self.fields.is_empty() || self.fields.iter().any(|pattern| matches(pattern, path))
    }

    /// Fits it to a field, whose texts are searched with `analyzer`; `None` without any word.
    pub(super) fn matcher(&self, analyzer: Analyzer) -> Option<Matcher> {
        match &self.sought {
            Sought::Words { text, prefix, fuzziness } => {
                let mut terms: Vec<String> =
                    analyze(analyzer, text).into_iter().map(|token| token.text).collect();
                let prefix = if *prefix { terms.pop() } else { None };
                let found = !terms.is_empty() || prefix.is_some();
                let fuzziness = *fuzziness;
                found.then_some(Matcher::Terms { terms, prefix, fuzziness, any_case: false })
            }
            Sought::Phrase { text, slop, prefix } => {
                let terms: Vec<(usize, String)> = analyze(analyzer, text)
                    .into_iter()
                    .map(|token| (token.position, token.text))
                    .collect();
                let slop = *slop as usize;
                (!terms.is_empty()).then_some(Matcher::Phrase { terms, slop, prefix: *prefix })
            }
            Sought::Term { text, any_case } => Some(Matcher::Terms {
                terms: vec![text.clone()],
                prefix: None,
                fuzziness: None,
                any_case: *any_case,
            }),
            Sought::Pattern(pattern) => Some(Matcher::Pattern(pattern.clone())),
        }
    }
}

fn gather_clause(clause: &Clause, clues: &mut Vec<Clue>) -> Result<(), Exception> {
    let mut add = |field: &str, sought| clues.push(Clue { fields: vec![field.to_owned()], sought });
    match clause {
        Clause::Match(it) | Clause::MatchBoolPrefix(it) => add(
            &it.field,
            Sought::Words {
                text: text_of(&it.query),
                prefix: matches!(clause, Clause::MatchBoolPrefix(_)),
                fuzziness: it.fuzziness,
            },
        ),
        Clause::MatchPhrase(it) | Clause::MatchPhrasePrefix(it) => add(
            &it.field,
            Sought::Phrase {
                text: text_of(&it.query),
                slop: it.slop,
                prefix: matches!(clause, Clause::MatchPhrasePrefix(_)),
            },
        ),
        Clause::MultiMatch(it) => {
            let text = text_of(&it.text.query);
            let phrase = |prefix| Sought::Phrase { text: text.clone(), slop: it.slop, prefix };
            let words =
                |prefix| Sought::Words { text: text.clone(), prefix, fuzziness: it.text.fuzziness };
            let sought = match it.kind {
                MultiMatchType::Phrase => phrase(false),
                MultiMatchType::PhrasePrefix => phrase(true),
                MultiMatchType::BoolPrefix => words(true),
                _ => words(false),
            };
            clues.push(Clue { fields: names(&it.fields), sought });
        }
        Clause::Term(it) => add(&it.field, term(text_of(&it.value), it.case_insensitive)),
        Clause::Terms(it) => {
            it.values.iter().for_each(|value| add(&it.field, term(text_of(value), false)));
        }
        Clause::Prefix(it) => {
            let expression = format!("{}.*", regex::escape(&it.pattern));
            add_pattern(&it.field, &expression, it.case_insensitive, clues);
        }
        Clause::Wildcard(it) => {
            add_pattern(&it.field, &wildcard(&it.pattern), it.case_insensitive, clues);
        }
        Clause::Regexp(it) => add_pattern(&it.field, &it.pattern, it.case_insensitive, clues),
        Clause::Fuzzy(it) => add(
            &it.field,
            Sought::Words { text: it.value.clone(), prefix: false, fuzziness: Some(it.fuzziness) },
        ),
        Clause::Bool(it) => {
            for query in it.must.iter().chain(&it.filter).chain(&it.should) {
                gather_clause(&query.clause, clues)?;
            }
        }
        Clause::ConstantScore(query) => gather_clause(&query.clause, clues)?,
        Clause::Nested(it) => gather_clause(&it.query.clause, clues)?,
        Clause::DisMax(it) => {
            it.queries.iter().try_for_each(|query| gather_clause(&query.clause, clues))?;
        }
        Clause::Boosting(it) => gather_clause(&it.positive.clause, clues)?,
        Clause::QueryString(it) => {
            let fields = match &it.default_field {
                Some(field) => vec![field.clone()],
                None => names(&it.fields),
            };
            if let Some(node) = query_text::parse(&it.query, it.default_operator)? {
                gather_node(&node, &fields, it.fuzziness, it.phrase_slop, clues);
            }
        }
        Clause::SimpleQueryString(it) => {
            if let Some(node) = simple_text::parse(&it.query, it.default_operator, it.flags)? {
                gather_node(&node, &names(&it.fields), Fuzziness::AUTO, 0, clues);
            }
        }
        Clause::MatchAll
        | Clause::MatchNone
        | Clause::Range(_)
        | Clause::Exists(_)
        | Clause::Ids(_) => {}
    }
    Ok(())
}

fn gather_node(
    node: &Node,
    fields: &[String],
    fuzziness: Fuzziness,
    slop: u32,
    clues: &mut Vec<Clue>,
) {
    let at = |field: &Option<String>| match field {
        Some(field) => vec![field.clone()],
        None => fields.iter().filter(|field| *field != "*").cloned().collect(),
    };
    let (field, sought) = match node {
        Node::Words { field, text } => {
            (field, Sought::Words { text: text.clone(), prefix: false, fuzziness: None })
        }
        Node::Phrase { field, text, slop: own } => {
            let slop = own.unwrap_or(slop);
            (field, Sought::Phrase { text: text.clone(), slop, prefix: false })
        }
        Node::Fuzzy { field, text, fuzziness: own } => {
            let fuzziness = Some(own.unwrap_or(fuzziness));
            (field, Sought::Words { text: text.clone(), prefix: false, fuzziness })
        }
        // The terms of a text are lower case, and a pattern is brought to their form.
        Node::Wildcard { field, pattern } => match compile(&wildcard(pattern), true) {
            Some(pattern) => (field, Sought::Pattern(pattern)),
            None => return,
        },
        Node::Regexp { field, pattern } => match compile(pattern, true) {
            Some(pattern) => (field, Sought::Pattern(pattern)),
            None => return,
        },
        Node::Range { .. } => return,
        Node::Boolean(clauses) => {
            for (_, inner) in clauses.iter().filter(|(it, _)| *it != Occurrence::MustNot) {
                gather_node(inner, fields, fuzziness, slop, clues);
            }
            return;
        }
        Node::Boost(inner, _) => return gather_node(inner, fields, fuzziness, slop, clues),
    };
    clues.push(Clue { fields: at(field), sought });
}

fn names(fields: &[WeightedField]) -> Vec<String> {
    fields.iter().map(|field| field.field.clone()).collect()
}

fn term(text: String, any_case: bool) -> Sought {
    Sought::Term { text, any_case }
}

fn add_pattern(field: &str, expression: &str, any_case: bool, clues: &mut Vec<Clue>) {
    if let Some(pattern) = compile(expression, any_case) {
        clues.push(Clue { fields: vec![field.to_owned()], sought: Sought::Pattern(pattern) });
    }
}

/// Returns the expression of a pattern with `*` and `?`, other characters escaped by `\`.
fn wildcard(pattern: &str) -> String {
    let mut expression = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            '\\' => {
                let escaped = characters.next().unwrap_or('\\');
                expression.push_str(&regex::escape(&escaped.to_string()));
            }
            other => expression.push_str(&regex::escape(&other.to_string())),
        }
    }
    expression
}

/// `None` when the expression is none or too large; then it marks nothing.
fn compile(expression: &str, any_case: bool) -> Option<Regex> {
    RegexBuilder::new(&format!("^(?:{expression})$"))
        .case_insensitive(any_case)
        .dot_matches_new_line(true)
        .size_limit(PATTERN_BYTES_MAX)
        .build()
        .ok()
}

impl Matcher {
    /// Sets the places of the tokens that are looked for.
    pub(super) fn mark(&self, tokens: &[Token], marked: &mut [bool]) {
        match self {
            Self::Terms { terms, prefix, fuzziness, any_case } => {
                for (token, mark) in tokens.iter().zip(marked) {
                    let text = token.text.as_str();
                    *mark |= prefix.as_ref().is_some_and(|prefix| text.starts_with(prefix))
                        || terms.iter().any(|term| match fuzziness {
                            Some(fuzziness) => is_near(term, text, fuzziness.edits(term)),
                            None if *any_case => term.to_lowercase() == text.to_lowercase(),
                            None => term == text,
                        });
                }
            }
            Self::Pattern(pattern) => {
                for (token, mark) in tokens.iter().zip(marked) {
                    *mark |= pattern.is_match(&token.text);
                }
            }
            Self::Phrase { terms, slop, prefix } => {
                mark_phrases(terms, *slop, *prefix, tokens, marked)
            }
        }
    }
}

fn mark_phrases(
    terms: &[(usize, String)],
    slop: usize,
    prefix: bool,
    tokens: &[Token],
    marked: &mut [bool],
) {
    let slop = slop.min(SLOP_MAX);
    let is_term = |token: &Token, at: usize| {
        let term = terms[at].1.as_str();
        token.text == term || (prefix && at + 1 == terms.len() && token.text.starts_with(term))
    };
    for start in 0..tokens.len() {
        if !is_term(&tokens[start], 0) {
            continue;
        }
        let mut places = vec![start];
        for at in 1..terms.len() {
            let expected = tokens[start].position + terms[at].0 - terms[0].0;
            let place = (start..tokens.len())
                .take_while(|place| tokens[*place].position <= expected + slop)
                .find(|place| tokens[*place].position >= expected && is_term(&tokens[*place], at));
            match place {
                Some(place) => places.push(place),
                None => break,
            }
        }
        if places.len() == terms.len() {
            places.into_iter().for_each(|place| marked[place] = true);
        }
    }
}

/// Tells whether two words are at most some edits apart; changing neighbours round is one.
fn is_near(one: &str, other: &str, edits: u8) -> bool {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    if one.len().abs_diff(other.len()) > usize::from(edits) {
        return false;
    }
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i.max(j)
            } else {
                let change = usize::from(one[i - 1] != other[j - 1]);
                let mut least = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                least = least.min(rows[i - 1][j - 1] + change);
                if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[one.len()][other.len()] <= usize::from(edits)
}
