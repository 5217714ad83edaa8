//! Columns packed with pco, without the preamble of its file format: the caller knows the rest.

use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec, PagingSpec};

use super::ColumnError;

/// How hard whole numbers are packed; a higher level takes twice the time and saves under 1 %.
const WHOLE_LEVEL: usize = 6;

/// Most numbers of a column; a longer one cannot come up, as the head holds fewer samples.
const PAGE_MAX: usize = 1 << 24;

/// Packs times: their second differences, which are next to nothing.
pub(crate) fn put_times(bytes: &mut Vec<u8>, times_ms: &[i64]) -> Result<(), ColumnError> {
    let config = ChunkConfig::default()
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(DeltaSpec::TryConsecutive(2));
    put(bytes, times_ms, config)
}

/// Packs whole numbers: their differences where these are smaller than the numbers are apart.
///
/// The choice is made here, because having it made by trial takes several times as long.
pub(crate) fn put_whole(bytes: &mut Vec<u8>, numbers: &[i64]) -> Result<(), ColumnError> {
    let order = if differences_are_smaller(numbers) { 1 } else { 0 };
    let config = ChunkConfig::default()
        .with_compression_level(WHOLE_LEVEL)
        .with_delta_spec(DeltaSpec::TryConsecutive(order));
    put(bytes, numbers, config)
}

/// Packs values that are not decimal.
pub(crate) fn put_floats(bytes: &mut Vec<u8>, values: &[f64]) -> Result<(), ColumnError> {
    put(bytes, values, ChunkConfig::default())
}

fn differences_are_smaller(numbers: &[i64]) -> bool {
    let mean = numbers.iter().map(|&number| number as f64).sum::<f64>() / numbers.len() as f64;
    let spread: f64 = numbers.iter().map(|&number| (number as f64 - mean).abs()).sum();
    let steps: u64 = numbers.windows(2).map(|pair| pair[1].abs_diff(pair[0])).sum();
    (steps as f64) < spread
}

fn put<T: Number>(
    bytes: &mut Vec<u8>,
    numbers: &[T],
    config: ChunkConfig,
) -> Result<(), ColumnError> {
    let config = config.with_paging_spec(PagingSpec::EqualPagesUpTo(PAGE_MAX));
    let file = FileCompressor::default();
    file.write_header(&mut *bytes)?;
    let mut chunk = file.chunk_compressor(numbers, &config)?;
    chunk.write_meta(&mut *bytes)?;
    chunk.write_page(0, &mut *bytes)?;
    Ok(())
}

/// Reads so many numbers.
pub(crate) fn take<T: Number + Default>(bytes: &[u8], count: usize) -> Result<Vec<T>, ColumnError> {
    if count > PAGE_MAX {
        return Err(ColumnError::Truncated(crate::varint::Truncated));
    }
    let (file, bytes) = FileDecompressor::new(bytes)?;
    let (mut chunk, bytes) = file.chunk_decompressor::<T, _>(bytes)?;
    let mut numbers = vec![T::default(); count];
    let mut page = chunk.page_decompressor(bytes, count)?;
    let progress = page.read(&mut numbers)?;
    let whole = progress.n_processed == count;
    if whole { Ok(numbers) } else { Err(ColumnError::Truncated(crate::varint::Truncated)) }
}
