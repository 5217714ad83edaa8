//! Finds a document in the segments by its id.

use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocSet, Searcher, SegmentReader, TERMINATED, Term};

use super::Found;
use super::document::StoredDocument;
use crate::layout::Layout;

/// Where a document lies, and its version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) address: DocAddress,
    pub(crate) version: u64,
    pub(crate) seq_no: u64,
}

/// Returns where the document with this id lies, or `None` when there is none.
pub(crate) fn place(
    searcher: &Searcher,
    layout: &Layout,
    id: &str,
) -> tantivy::Result<Option<Place>> {
    let term = Term::from_field_text(layout.id, id);
    // Newer documents are looked up more often, and lie in the smaller segments at the end.
    for (ordinal, segment) in searcher.segment_readers().iter().enumerate().rev() {
        if let Some(document) = alive_document(segment, layout, &term)? {
            let column = |name| -> tantivy::Result<u64> {
                Ok(segment.fast_fields().u64(name)?.first(document).unwrap_or_default())
            };
            let segment_ord = u32::try_from(ordinal).expect("segments are counted in 32 bits");
            return Ok(Some(Place {
                address: DocAddress::new(segment_ord, document),
                version: column(Layout::VERSION)?,
                seq_no: column(Layout::SEQ_NO)?,
            }));
        }
    }
    Ok(None)
}

fn alive_document(
    segment: &SegmentReader,
    layout: &Layout,
    term: &Term,
) -> tantivy::Result<Option<u32>> {
    let inverted = segment.inverted_index(layout.id)?;
    let Some(mut postings) = inverted.read_postings(term, IndexRecordOption::Basic)? else {
        return Ok(None);
    };
    let mut document = postings.doc();
    while document != TERMINATED {
        if segment.alive_bitset().is_none_or(|alive| alive.is_alive(document)) {
            return Ok(Some(document));
        }
        document = postings.advance();
    }
    Ok(None)
}

/// Reads the document with this id.
pub(crate) fn document(
    searcher: &Searcher,
    layout: &Layout,
    id: &str,
) -> tantivy::Result<Option<Found>> {
    let Some(place) = place(searcher, layout, id)? else { return Ok(None) };
    let stored: StoredDocument = searcher.doc(place.address)?;
    Ok(Some(Found {
        version: place.version,
        seq_no: place.seq_no,
        source: stored.source,
        routing: stored.routing,
    }))
}
