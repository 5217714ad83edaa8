//! Terms by automata: patterns over the dictionary of one path.

use std::sync::Arc;

use pampero_opensearch::Exception;
use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, MatchKind};
use tantivy::query::{AutomatonWeight, EnableScoring, Query, Weight};
use tantivy::schema::Field;
use tantivy_fst::Automaton;

use super::field::Place;

/// Most bytes that an expression may take before it is made into an automaton.
const EXPRESSION_BYTES_MAX: usize = 512 << 10;
/// Most bytes that an automaton may take, and again while it is made.
const AUTOMATON_BYTES_MAX: usize = 1 << 20;

/// Lets an automaton see only the values of terms that begin with `prefix`.
#[derive(Debug)]
pub(super) struct Confined<A> {
    prefix: Vec<u8>,
    inner: A,
}

impl<A> Confined<A> {
    pub(super) fn new(place: &Place, inner: A) -> Self {
        Self::behind(place, "", inner)
    }

    /// Lets it see only what follows `beginning` in the values.
    pub(super) fn behind(place: &Place, beginning: &str, inner: A) -> Self {
        let mut prefix = place.prefix();
        prefix.extend_from_slice(beginning.as_bytes());
        Self { prefix, inner }
    }
}

/// How far a term has been read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reached<S> {
    /// So many bytes of the prefix.
    Prefix(usize),
    /// The value.
    Value(S),
    /// Another prefix.
    Elsewhere,
}

impl<A: Automaton> Automaton for Confined<A> {
    type State = Reached<A::State>;

    fn start(&self) -> Self::State {
        if self.prefix.is_empty() { Reached::Value(self.inner.start()) } else { Reached::Prefix(0) }
    }

    fn is_match(&self, state: &Self::State) -> bool {
        matches!(state, Reached::Value(state) if self.inner.is_match(state))
    }

    fn can_match(&self, state: &Self::State) -> bool {
        match state {
            Reached::Prefix(_) => true,
            Reached::Value(state) => self.inner.can_match(state),
            Reached::Elsewhere => false,
        }
    }

    fn will_always_match(&self, state: &Self::State) -> bool {
        matches!(state, Reached::Value(state) if self.inner.will_always_match(state))
    }

    fn accept(&self, state: &Self::State, byte: u8) -> Self::State {
        match state {
            Reached::Prefix(at) if self.prefix.get(*at) == Some(&byte) => {
                if at + 1 == self.prefix.len() {
                    Reached::Value(self.inner.start())
                } else {
                    Reached::Prefix(at + 1)
                }
            }
            Reached::Value(state) => Reached::Value(self.inner.accept(state, byte)),
            _ => Reached::Elsewhere,
        }
    }
}

/// A regular expression that has to match the whole value.
#[derive(Debug)]
pub(super) struct Pattern {
    machine: dense::DFA<Vec<u32>>,
    start: StateID,
}

impl Pattern {
    /// Compiles an expression in the syntax of the `regex` crate.
    ///
    /// # Errors
    /// It is none, or it would take too much memory.
    pub(super) fn new(expression: &str, case_insensitive: bool) -> Result<Self, Exception> {
        let refuse = |reason: String| {
            Exception::illegal_argument(format!(
                "the pattern [{expression}] cannot be used: {reason}"
            ))
        };
        let configuration = dense::Config::new()
            .start_kind(StartKind::Anchored)
            // Every alternative has to be followed to the end of the term.
            .match_kind(MatchKind::All)
            .accelerate(false)
            .dfa_size_limit(Some(AUTOMATON_BYTES_MAX))
            .determinize_size_limit(Some(AUTOMATON_BYTES_MAX));
        let syntax = regex_automata::util::syntax::Config::new()
            .dot_matches_new_line(true)
            .case_insensitive(case_insensitive);
        let machine = dense::Builder::new()
            .configure(configuration)
            .syntax(syntax)
            .thompson(thompson::Config::new().nfa_size_limit(Some(EXPRESSION_BYTES_MAX)))
            .build(expression)
            .map_err(|error| refuse(reason(&error)))?;
        let start = machine.universal_start_state(Anchored::Yes);
        let start = start.ok_or_else(|| refuse("it looks round itself".to_owned()))?;
        Ok(Self { machine, start })
    }
}

/// Returns the innermost cause of a failure, on one line.
fn reason(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    text.lines().last().unwrap_or_default().trim().to_owned()
}

impl Automaton for Pattern {
    type State = StateID;

    fn start(&self) -> StateID {
        self.start
    }

    fn is_match(&self, state: &StateID) -> bool {
        self.machine.is_match_state(self.machine.next_eoi_state(*state))
    }

    fn can_match(&self, state: &StateID) -> bool {
        !self.machine.is_dead_state(*state)
    }

    fn accept(&self, state: &StateID, byte: u8) -> StateID {
        self.machine.next_state(*state, byte)
    }
}

/// A text that the value has to begin with.
#[derive(Debug)]
pub(super) struct Beginning(pub(super) String);

impl Automaton for Beginning {
    /// How many bytes are the same; `None` once one is not.
    type State = Option<usize>;

    fn start(&self) -> Option<usize> {
        Some(0)
    }

    fn is_match(&self, state: &Option<usize>) -> bool {
        *state == Some(self.0.len())
    }

    fn can_match(&self, state: &Option<usize>) -> bool {
        state.is_some()
    }

    fn will_always_match(&self, state: &Option<usize>) -> bool {
        self.is_match(state)
    }

    fn accept(&self, state: &Option<usize>, byte: u8) -> Option<usize> {
        let at = (*state)?;
        match self.0.as_bytes().get(at) {
            None => Some(at),
            Some(expected) => (*expected == byte).then_some(at + 1),
        }
    }
}

/// Finds documents with a term that an automaton takes; all of them score the same.
pub(super) struct TermsQuery<A> {
    field: Field,
    automaton: Arc<Confined<A>>,
}

impl<A> TermsQuery<A> {
    pub(super) fn new(place: &Place, automaton: A) -> Self {
        Self { field: place.field(), automaton: Arc::new(Confined::new(place, automaton)) }
    }
}

impl<A> Clone for TermsQuery<A> {
    fn clone(&self) -> Self {
        Self { field: self.field, automaton: self.automaton.clone() }
    }
}

impl<A> std::fmt::Debug for TermsQuery<A> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TermsQuery").field("field", &self.field).finish_non_exhaustive()
    }
}

impl<A> Query for TermsQuery<A>
where
    A: Automaton + Send + Sync + 'static,
    A::State: Clone,
{
    fn weight(&self, _scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(AutomatonWeight::<Confined<A>>::new(self.field, self.automaton.clone())))
    }
}
