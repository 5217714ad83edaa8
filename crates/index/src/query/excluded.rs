//! What must not match, as tantivy may ask for it.
//!
//! Tantivy asks what is excluded about documents before the one it stands on, which some of its own
//! scorers refuse, and others answer by looking at the document anew. Here such questions are answered
//! from what is known: nothing lies between.

use tantivy::query::{EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{DocId, DocSet, Score, SeekDangerResult, SegmentReader, Term};

use super::Built;

/// Finds what another query finds, for excluding it.
#[derive(Debug)]
pub(super) struct Excluded(pub(super) Built);

impl Clone for Excluded {
    fn clone(&self) -> Self {
        Self(self.0.box_clone())
    }
}

impl Query for Excluded {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(ExcludedWeight(self.0.weight(scoring)?)))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        self.0.query_terms(visitor);
    }
}

struct ExcludedWeight(Box<dyn Weight>);

impl Weight for ExcludedWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let scorer = self.0.scorer(reader, boost)?;
        let next = scorer.doc();
        Ok(Box::new(ExcludedScorer { scorer, next }))
    }

    fn explain(&self, reader: &SegmentReader, document: DocId) -> tantivy::Result<Explanation> {
        self.0.explain(reader, document)
    }
}

struct ExcludedScorer {
    scorer: Box<dyn Scorer>,
    /// No document lies before it that was not told of.
    next: DocId,
}

impl DocSet for ExcludedScorer {
    fn advance(&mut self) -> DocId {
        self.next = self.scorer.advance();
        self.next
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.next = self.scorer.seek(target);
        self.next
    }

    fn seek_danger(&mut self, target: DocId) -> SeekDangerResult {
        if target < self.next {
            return SeekDangerResult::SeekLowerBound(self.next);
        }
        let found = self.scorer.seek_danger(target);
        self.next = match found {
            SeekDangerResult::Found => target,
            SeekDangerResult::SeekLowerBound(next) => next,
        };
        found
    }

    fn doc(&self) -> DocId {
        self.scorer.doc()
    }

    fn size_hint(&self) -> u32 {
        self.scorer.size_hint()
    }

    fn cost(&self) -> u64 {
        self.scorer.cost()
    }
}

impl Scorer for ExcludedScorer {
    fn score(&mut self) -> Score {
        self.scorer.score()
    }
}
