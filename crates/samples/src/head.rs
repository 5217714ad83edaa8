//! The newest samples, in memory: what the journal holds, in columns.
//!
//! Time is cut into windows. The samples of one window are a generation, which is folded into a
//! block as a whole. Samples are put into a generation before they are on disk, under a sequence
//! that readers do not see yet; the commit makes it visible, a failed one takes them out again.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::locks;
use crate::parts::Parts;

/// All generations, in the order in which they came up.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) generations: Vec<Arc<Generation>>,
}

/// The samples of one window, or some of them.
pub(crate) struct Generation {
    /// The beginning of the window in milliseconds since the Unix epoch.
    pub(crate) start_ms: i64,
    /// Samples may still be added; falls once, when folding begins.
    pub(crate) open: AtomicBool,
    /// The newest sequence that readers see.
    visible: AtomicU32,
    state: RwLock<Columns>,
}

/// What is in a generation.
#[derive(Default)]
pub(crate) struct Columns {
    /// For each slot its samples, in ascending order of their times.
    columns: Vec<Vec<Point>>,
    /// Visible samples.
    pub(crate) samples: u64,
    /// First and last of each run of rows of the journal that hold these samples.
    pub(crate) rows: Vec<(i64, i64)>,
    /// Earliest and latest time.
    pub(crate) range_ms: Option<(i64, i64)>,
}

#[derive(Clone, Copy)]
struct Point {
    /// Milliseconds since the beginning of the window, which lasts a day at most.
    offset_ms: i32,
    sequence: u32,
    value: f64,
}

/// What becomes of a sample in a generation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Put {
    Stored,
    Duplicate,
    Conflicting,
}

/// What a reader sees: generations, each up to a sequence.
pub(crate) type View = Vec<(Arc<Generation>, u32)>;

impl Head {
    /// Returns the generation of a window that takes samples, and makes it if there is none.
    pub(crate) fn open_generation(&mut self, start_ms: i64) -> Arc<Generation> {
        let open = |generation: &&Arc<Generation>| {
            generation.start_ms == start_ms && generation.open.load(Ordering::Acquire)
        };
        if let Some(found) = self.generations.iter().find(open) {
            return Arc::clone(found);
        }
        let made = Arc::new(Generation {
            start_ms,
            open: AtomicBool::new(true),
            visible: AtomicU32::new(0),
            state: RwLock::default(),
        });
        self.generations.push(Arc::clone(&made));
        made
    }

    /// Returns what readers see now.
    pub(crate) fn view(&self) -> View {
        let cut = |generation: &Arc<Generation>| {
            (Arc::clone(generation), generation.visible.load(Ordering::Acquire))
        };
        self.generations.iter().map(cut).collect()
    }

    /// Returns how many samples are visible.
    pub(crate) fn samples(&self) -> u64 {
        self.generations.iter().map(|generation| generation.read().samples).sum()
    }
}

impl Generation {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Columns> {
        locks::read(&self.state)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Columns> {
        locks::write(&self.state)
    }

    /// Returns the sequence that the next commit makes visible.
    pub(crate) fn next_sequence(&self) -> u32 {
        self.visible.load(Ordering::Acquire) + 1
    }

    /// Makes the samples of a commit visible; the head is locked, so that readers see all of it.
    pub(crate) fn publish(&self, samples: u64, row: i64) {
        let mut columns = self.write();
        columns.samples += samples;
        match columns.rows.last_mut() {
            Some((_, last)) if *last + 1 == row => *last = row,
            _ => columns.rows.push((row, row)),
        }
        self.visible.store(self.next_sequence(), Ordering::Release);
    }

    /// Takes samples out whose commit failed.
    pub(crate) fn withdraw(&self, slots: impl Iterator<Item = u32>) {
        let visible = self.visible.load(Ordering::Acquire);
        let mut columns = self.write();
        for slot in slots {
            columns.columns[slot as usize].retain(|point| point.sequence <= visible);
        }
    }

    /// Returns the value at a time, visible or not.
    pub(crate) fn value_at(&self, slot: u32, timestamp_ms: i64) -> Option<f64> {
        let offset_ms = i32::try_from(timestamp_ms.checked_sub(self.start_ms)?).ok()?;
        let columns = self.read();
        let points = columns.columns.get(slot as usize)?;
        let found = points.binary_search_by_key(&offset_ms, |point| point.offset_ms).ok()?;
        Some(points[found].value)
    }

    /// Adds the samples of a series in a range to the parts.
    pub(crate) fn read_into(&self, slot: u32, cut: u32, range_ms: (i64, i64), parts: &mut Parts) {
        let columns = self.read();
        let Some(points) = columns.columns.get(slot as usize) else { return };
        let time_ms = |point: &Point| self.start_ms + i64::from(point.offset_ms);
        let from = points.partition_point(|point| time_ms(point) < range_ms.0);
        let seen = points[from..].iter().take_while(|point| time_ms(point) <= range_ms.1);
        for point in seen.filter(|point| point.sequence <= cut) {
            parts.push(time_ms(point), point.value);
        }
    }

    /// Returns whether a series has a sample in the range.
    pub(crate) fn has(&self, slot: u32, cut: u32, range_ms: (i64, i64)) -> bool {
        let columns = self.read();
        let Some(points) = columns.columns.get(slot as usize) else { return false };
        let time_ms = |point: &Point| self.start_ms + i64::from(point.offset_ms);
        let from = points.partition_point(|point| time_ms(point) < range_ms.0);
        let mut seen = points[from..].iter().take_while(|point| time_ms(point) <= range_ms.1);
        seen.any(|point| point.sequence <= cut)
    }
}

impl Columns {
    /// Puts a sample into its place; nothing that is there changes.
    pub(crate) fn put(&mut self, slot: u32, offset_ms: i32, sequence: u32, value: f64) -> Put {
        let slot = slot as usize;
        if self.columns.len() <= slot {
            self.columns.resize_with(slot + 1, Vec::new);
        }
        let points = &mut self.columns[slot];
        let point = Point { offset_ms, sequence, value };
        if points.last().is_none_or(|last| last.offset_ms < offset_ms) {
            points.push(point);
            return Put::Stored;
        }
        match points.binary_search_by_key(&offset_ms, |point| point.offset_ms) {
            Ok(found) => compare(points[found].value, value),
            Err(place) => {
                points.insert(place, point);
                Put::Stored
            }
        }
    }

    /// Widens the range by a time.
    pub(crate) fn widen(&mut self, timestamp_ms: i64) {
        let (first, last) = self.range_ms.unwrap_or((timestamp_ms, timestamp_ms));
        self.range_ms = Some((first.min(timestamp_ms), last.max(timestamp_ms)));
    }

    /// Returns the slots that have samples.
    pub(crate) fn slots(&self) -> Vec<u32> {
        let used = self.columns.iter().enumerate().filter(|(_, points)| !points.is_empty());
        used.map(|(slot, _)| slot as u32).collect()
    }
}

/// Says what a sample is whose time is taken by `kept`.
pub(crate) fn compare(kept: f64, value: f64) -> Put {
    if kept.to_bits() == value.to_bits() { Put::Duplicate } else { Put::Conflicting }
}
