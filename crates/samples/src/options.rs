//! What the operator of the store may choose.

use std::time::Duration;

use crate::error::OpenError;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The smallest store that can still fold and drop.
const SIZE_MIN_BYTES: u64 = 1 << 20;

/// How much and how long is kept, and what is accepted.
#[derive(Clone, Debug)]
pub struct SampleOptions {
    /// How long samples are kept; whole blocks are dropped once their newest sample is older.
    pub retention: Duration,
    /// Most bytes that the samples may take on disk; beyond, the oldest blocks are dropped.
    ///
    /// Until the next maintenance a quarter more may be taken; beyond that appending is refused.
    pub size_max_bytes: u64,
    /// Most series that are known at once.
    pub series_max: usize,
    /// How much older than the newest sample of the store a sample may be when it arrives.
    pub late_window: Duration,
    /// How far ahead of the clock a sample may be.
    pub future_window: Duration,
    /// The stretch of time that is folded into columns at once; whole minutes, at most a day.
    pub block: Duration,
    /// Most samples that are kept in memory before they are folded early; each takes 16 bytes.
    pub head_samples_max: usize,
    /// Most reads that go on at once; further ones wait.
    pub readers_max: usize,
    /// When a commit counts as done.
    pub synchronous: Synchronous,
}

/// When a commit counts as done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Synchronous {
    /// Once the device has it: nothing acknowledged is lost when the power fails.
    Full,
    /// Once the operating system has it: nothing acknowledged is lost when the process is killed,
    /// the last seconds may be when the power fails.
    Normal,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            retention: Duration::from_secs(30 * 24 * 60 * 60),
            size_max_bytes: 2 << 30,
            series_max: 100_000,
            late_window: Duration::from_secs(60 * 60),
            future_window: Duration::from_secs(10 * 60),
            block: Duration::from_secs(2 * 60 * 60),
            head_samples_max: 500_000,
            readers_max: 8,
            synchronous: Synchronous::Full,
        }
    }
}

impl SampleOptions {
    /// Refuses what cannot work.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let refuse =
            |option, value: String, advice| Err(OpenError::Option { option, value, advice });
        if self.block < MINUTE || self.block > DAY || self.block.subsec_nanos() != 0 {
            let advice = "choose whole seconds between a minute and a day";
            return refuse("block", format!("{:?}", self.block), advice);
        }
        if self.size_max_bytes < SIZE_MIN_BYTES {
            return refuse(
                "size_max_bytes",
                self.size_max_bytes.to_string(),
                "choose a mebibyte or more",
            );
        }
        if self.late_window > 7 * DAY {
            return refuse(
                "late_window",
                format!("{:?}", self.late_window),
                "choose a week at most",
            );
        }
        if self.head_samples_max == 0 || self.head_samples_max > 10_000_000 {
            let value = self.head_samples_max.to_string();
            return refuse("head_samples_max", value, "choose between 1 and 10,000,000");
        }
        if self.readers_max == 0 {
            return refuse("readers_max", "0".to_owned(), "choose 1 or more");
        }
        Ok(())
    }

    /// Returns how large the file may become for appending, and for maintenance, in bytes.
    pub(crate) fn file_limits(&self) -> (u64, u64) {
        let size = self.size_max_bytes;
        (size.saturating_add(size / 4), size.saturating_mul(3))
    }
}
