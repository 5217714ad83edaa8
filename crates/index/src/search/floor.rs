//! `min_score`: a query whose hits are those of another that score enough.

use tantivy::query::{EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED};

/// Leaves out the hits of a query that score less than a floor.
#[derive(Debug)]
pub(super) struct ScoreFloor {
    /// What is asked.
    pub(super) inner: Box<dyn Query>,
    /// The lowest score of a hit.
    pub(super) floor: Score,
}

impl Clone for ScoreFloor {
    fn clone(&self) -> Self {
        Self { inner: self.inner.box_clone(), floor: self.floor }
    }
}

impl Query for ScoreFloor {
    /// Scores are worked out even if the caller does not want them.
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let inner = match scoring.searcher() {
            Some(searcher) if !scoring.is_scoring_enabled() => {
                self.inner.weight(EnableScoring::enabled_from_searcher(searcher))?
            }
            _ => self.inner.weight(scoring)?,
        };
        Ok(Box::new(FloorWeight { inner, floor: self.floor }))
    }
}

struct FloorWeight {
    inner: Box<dyn Weight>,
    floor: Score,
}

impl Weight for FloorWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let inner = self.inner.scorer(reader, boost)?;
        let mut scorer = FloorScorer { inner, floor: self.floor };
        scorer.skip_low();
        Ok(Box::new(scorer))
    }

    fn explain(&self, reader: &SegmentReader, document: DocId) -> tantivy::Result<Explanation> {
        self.inner.explain(reader, document)
    }
}

struct FloorScorer {
    inner: Box<dyn Scorer>,
    floor: Score,
}

impl FloorScorer {
    fn skip_low(&mut self) -> DocId {
        while self.inner.doc() != TERMINATED && self.inner.score() < self.floor {
            self.inner.advance();
        }
        self.inner.doc()
    }
}

impl DocSet for FloorScorer {
    fn advance(&mut self) -> DocId {
        self.inner.advance();
        self.skip_low()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.inner.seek(target);
        self.skip_low()
    }

    fn doc(&self) -> DocId {
        self.inner.doc()
    }

    fn size_hint(&self) -> u32 {
        self.inner.size_hint()
    }
}

impl Scorer for FloorScorer {
    fn score(&mut self) -> Score {
        self.inner.score()
    }
}
