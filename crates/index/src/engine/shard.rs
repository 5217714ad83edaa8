//! The part of an index that tantivy keeps: segments, their writer, their reader.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, UserOperation};
use tantivy::store::{Compressor, ZstdCompressor};
use tantivy::{IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyError};

use super::IndexOptions;
use super::document::IndexedDocument;
use super::in_flight::InFlight;
use crate::analysis;
use crate::layout::Layout;

/// Bytes of a block of the document store before it is compressed. A larger one is smaller on disk
/// and dearer to read one document of.
const STORE_BLOCK_BYTES: usize = 32 << 10;
/// Blocks of the document store that each segment keeps uncompressed.
const STORE_BLOCKS_CACHED: usize = 8;
/// Level of zstd for the document store.
const STORE_LEVEL: i32 = 3;
/// Segments with more documents are left as they are.
const MERGED_DOCUMENTS_MAX: usize = 5_000_000;
/// Share of deleted documents from which on a segment is written anew.
const DELETED_SHARE_MAX: f32 = 0.3;
/// Bytes of documents that may wait for tantivy's thread.
const WAITING_BYTES_MAX: usize = 16 << 20;
/// Bytes of documents in one batch: tantivy looks at its memory between batches only.
const BATCH_BYTES_MAX: usize = 1 << 20;
/// How often a lock is tried for that a child process that was just forked may still hold.
const LOCK_TRIES: u32 = 20;

/// A merge that goes on.
pub(crate) type Merge = tantivy::FutureResult<Option<tantivy::SegmentMeta>>;

/// Operation for tantivy.
pub(crate) type ShardOperation = UserOperation<IndexedDocument>;

/// The tantivy index of one index.
pub(crate) struct Shard {
    index: tantivy::Index,
    writer: Writer,
    pub(crate) in_flight: Arc<InFlight>,
}

enum Writer {
    Closed,
    Open(Box<IndexWriter<IndexedDocument>>),
    /// Finishes its merges on its own thread.
    Closing(JoinHandle<()>),
}

impl std::fmt::Debug for Shard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shard").finish_non_exhaustive()
    }
}

/// Makes an empty tantivy index in a folder.
pub(crate) fn create(folder: &Path, layout: &Layout) -> tantivy::Result<()> {
    let settings = IndexSettings {
        docstore_compression: Compressor::Zstd(ZstdCompressor {
            compression_level: Some(STORE_LEVEL),
        }),
        docstore_blocksize: STORE_BLOCK_BYTES,
        ..IndexSettings::default()
    };
    let builder = tantivy::Index::builder().schema(layout.schema.clone()).settings(settings);
    builder.create_in_dir(folder).map(drop)
}

impl Shard {
    /// Opens the tantivy index of a folder, and a reader of it.
    pub(crate) fn open(folder: &Path, layout: &Layout) -> tantivy::Result<(Self, IndexReader)> {
        let index = tantivy::Index::open_in_dir(folder)?;
        if index.schema() != layout.schema {
            let reason = "it was made by another version, with other fields of tantivy";
            return Err(TantivyError::SchemaError(reason.to_owned()));
        }
        analysis::register(&index);
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(STORE_BLOCKS_CACHED)
            .try_into()?;
        Ok((Self { index, writer: Writer::Closed, in_flight: Arc::default() }, reader))
    }

    /// Returns the first sequence number that the last commit does not hold.
    pub(crate) fn next_seq_no(&self) -> tantivy::Result<u64> {
        let payload = self.index.load_metas()?.payload;
        Ok(payload.and_then(|payload| payload.parse().ok()).unwrap_or(0))
    }

    /// Returns whether a writer is open.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.writer, Writer::Open(_))
    }

    /// Opens a writer where there is none.
    pub(crate) fn open_writer(&mut self, options: &IndexOptions) -> tantivy::Result<()> {
        match std::mem::replace(&mut self.writer, Writer::Closed) {
            Writer::Open(writer) => {
                self.writer = Writer::Open(writer);
                return Ok(());
            }
            // The new writer can have the lock when the old one is done with its merges.
            Writer::Closing(closing) => drop(closing.join()),
            Writer::Closed => {}
        }
        let writer = new_writer(&self.index, options)?;
        // What a killed program left half made may have the names of files that are made next.
        writer.garbage_collect_files().wait()?;
        let mut policy = LogMergePolicy::default();
        policy.set_max_docs_before_merge(MERGED_DOCUMENTS_MAX);
        policy.set_del_docs_ratio_before_merge(DELETED_SHARE_MAX);
        writer.set_merge_policy(Box::new(policy));
        self.writer = Writer::Open(Box::new(writer));
        Ok(())
    }

    /// Hands operations over; they are in the index after a commit.
    ///
    /// # Errors
    /// The writer died, with all that was not committed. It is closed then.
    pub(crate) fn run(&mut self, operations: Vec<ShardOperation>) -> tantivy::Result<()> {
        let Writer::Open(writer) = &self.writer else { return Err(no_writer()) };
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut handed = Ok(0);
        for operation in operations {
            if let UserOperation::Add(document) = &operation {
                bytes += document.source.len();
            }
            batch.push(operation);
            if bytes >= BATCH_BYTES_MAX {
                handed = handed.and_then(|_| writer.run(std::mem::take(&mut batch)));
                bytes = 0;
                self.in_flight.wait_below(WAITING_BYTES_MAX);
            }
        }
        handed = handed.and_then(|_| writer.run(batch));
        match handed {
            Ok(_) => {
                self.in_flight.wait_below(WAITING_BYTES_MAX);
                Ok(())
            }
            Err(error) => {
                self.drop_writer();
                Err(error)
            }
        }
    }

    /// Commits what was handed over; the commit says from which sequence number on it knows nothing.
    ///
    /// # Errors
    /// Nothing was committed; the writer is closed then, with all that was handed over.
    pub(crate) fn commit(&mut self, next_seq_no: u64) -> tantivy::Result<()> {
        let Writer::Open(writer) = &mut self.writer else { return Err(no_writer()) };
        let committed = writer.prepare_commit().and_then(|mut commit| {
            commit.set_payload(&next_seq_no.to_string());
            commit.commit()
        });
        if let Err(error) = committed {
            self.drop_writer();
            return Err(error);
        }
        Ok(())
    }

    /// Begins to merge all segments but the largest into one, so that there are `segments_max` at
    /// most; `None` when there is nothing to merge.
    pub(crate) fn begin_merge(&mut self, segments_max: usize) -> tantivy::Result<Option<Merge>> {
        let Writer::Open(writer) = &mut self.writer else { return Err(no_writer()) };
        let mut metas = self.index.searchable_segment_metas()?;
        metas.sort_by_key(|meta| std::cmp::Reverse(meta.num_docs()));
        let merged = &metas[metas.len().min(segments_max.max(1) - 1)..];
        if merged.len() < 2 && merged.iter().all(|meta| !meta.has_deletes()) {
            return Ok(None);
        }
        let merged: Vec<_> = merged.iter().map(|meta| meta.id()).collect();
        Ok(Some(writer.merge(&merged)))
    }

    /// Closes the writer on a thread that lets its merges finish first. What is not committed is
    /// thrown away.
    pub(crate) fn close_writer(&mut self) {
        self.writer = match std::mem::replace(&mut self.writer, Writer::Closed) {
            Writer::Open(writer) => Writer::Closing(std::thread::spawn(move || {
                if let Err(error) = writer.wait_merging_threads() {
                    tracing::warn!(%error, "a merge of an index failed");
                }
            })),
            other => other,
        };
    }

    /// Closes the writer, throws away what is not committed, and waits until its threads have ended.
    pub(crate) fn end_writer(&mut self) {
        self.close_writer();
        if let Writer::Closing(closing) = std::mem::replace(&mut self.writer, Writer::Closed) {
            // The thread tells of its failures itself.
            let _ = closing.join();
        }
    }

    /// Closes a writer that died.
    fn drop_writer(&mut self) {
        self.writer = Writer::Closed;
    }
}

fn no_writer() -> TantivyError {
    TantivyError::SystemError("the writer is closed".to_owned())
}

fn new_writer(
    index: &tantivy::Index,
    options: &IndexOptions,
) -> tantivy::Result<IndexWriter<IndexedDocument>> {
    let writer_options = || {
        IndexWriterOptions::builder()
            .memory_budget_per_thread(options.writer_bytes / options.writer_threads.max(1))
            .num_worker_threads(options.writer_threads.max(1))
            .num_merge_threads(1)
            .build()
    };
    for _ in 1..LOCK_TRIES {
        match index.writer_with_options(writer_options()) {
            Err(TantivyError::LockFailure(..)) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened,
        }
    }
    index.writer_with_options(writer_options())
}
