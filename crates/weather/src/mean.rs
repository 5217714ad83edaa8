//! Time-weighted means over a window, with the part of the window for which data speak.
//!
//! The rule: a value holds from its instant until the next value of the same series, but no longer
//! than a given time. Where several series speak for an instant, the first of them counts. The mean
//! weighs every value with the time it counted for; time without any value is left out and makes
//! the coverage smaller. Start reading at [`time_weighted`].

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

/// How long a value of an hourly or more frequent source holds when no further one follows.
pub const HOLD: SignedDuration = SignedDuration::from_hours(1);

/// One value of a series, valid from its instant on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The instant the value was observed.
    pub at: Timestamp,
    /// The value in the unit of its quantity.
    pub value: f64,
}

/// The values of one source; best given in the order of time.
///
/// Values in another order are sorted at the cost of a copy. Of several values for one instant the
/// last one given counts. A value that is no number is left out.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// The values, also some before the window, since they may hold into it.
    pub samples: &'a [Sample],
}

impl<'a> Series<'a> {
    /// Returns the values strictly in the order of time, one per instant, all of them numbers.
    fn in_order(self) -> Cow<'a, [Sample]> {
        let is_in_order = self.samples.windows(2).all(|pair| pair[0].at < pair[1].at);
        if is_in_order && self.samples.iter().all(|sample| sample.value.is_finite()) {
            return Cow::Borrowed(self.samples);
        }
        // Reversed before the stable sort, so that the last value of an instant comes first and stays.
        let numbers = self.samples.iter().rev().filter(|sample| sample.value.is_finite());
        let mut sorted: Vec<Sample> = numbers.copied().collect();
        sorted.sort_by_key(|sample| sample.at);
        sorted.dedup_by_key(|sample| sample.at);
        Cow::Owned(sorted)
    }
}

/// A half-open stretch of time, `[from, to)`; it is empty unless `from` lies before `to`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Window {
    /// The first instant that belongs to it.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
}

impl Window {
    /// Returns the window of a length that ends now.
    pub fn rolling(now: Timestamp, length: SignedDuration) -> Self {
        Self { from: now.saturating_sub(length).unwrap_or(now), to: now }
    }

    /// Returns how long it is; zero when it is empty.
    pub fn length(self) -> SignedDuration {
        self.to.duration_since(self.from).max(SignedDuration::ZERO)
    }

    fn is_empty(self) -> bool {
        self.to <= self.from
    }
}

/// A mean with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The mean in the unit of the values; `None` when no value speaks for any part of the window.
    pub value: Option<f64>,
    /// How much of the window values speak for.
    pub covered: SignedDuration,
    /// The same as a share of the window, 0 to 1; 0 for an empty window.
    pub coverage: f64,
    /// How many values count.
    pub samples: usize,
    /// The window it is a mean of.
    pub window: Window,
}

/// Returns the mean over `window` of several series of one quantity, the preferred one first.
///
/// A value holds for at most `hold`. Takes time in proportion to the number of values, times the
/// number of series.
pub fn time_weighted(series: &[Series<'_>], window: Window, hold: SignedDuration) -> Mean {
    let mut tally = Tally::default();
    let mut gaps = if window.is_empty() { Vec::new() } else { vec![window] };
    for series in series {
        gaps = fill(gaps, &series.in_order(), hold, &mut tally);
    }
    tally.into_mean(window)
}

/// Lets `samples`, in order of time, speak for the gaps; returns what remains of these.
fn fill(
    gaps: Vec<Window>,
    samples: &[Sample],
    hold: SignedDuration,
    tally: &mut Tally,
) -> Vec<Window> {
    let mut remaining = Vec::new();
    let mut gaps = gaps.into_iter();
    let mut open = gaps.next();
    for (index, sample) in samples.iter().enumerate() {
        let held_until = held_until(sample, samples.get(index + 1), hold);
        let mut spoken_for = SignedDuration::ZERO;
        while let Some(gap) = open {
            if held_until <= gap.from {
                break;
            }
            let part = Window { from: sample.at.max(gap.from), to: held_until.min(gap.to) };
            let before = Window { from: gap.from, to: part.from.min(gap.to) };
            remaining.extend((!before.is_empty()).then_some(before));
            spoken_for += part.length();
            if gap.to <= held_until {
                open = gaps.next();
            } else {
                open = Some(Window { from: held_until, to: gap.to });
                break;
            }
        }
        tally.add(sample.value, spoken_for);
    }
    remaining.extend(open);
    remaining.extend(gaps);
    remaining
}

/// Returns the first instant for which a value no longer holds.
fn held_until(sample: &Sample, next: Option<&Sample>, hold: SignedDuration) -> Timestamp {
    let end = sample.at.saturating_add(hold.max(SignedDuration::ZERO)).unwrap_or(sample.at);
    next.map_or(end, |next| next.at.min(end))
}

/// The running sums of a mean.
#[derive(Default)]
struct Tally {
    /// Sum of value times seconds, with what rounding took from it: a week has many small terms.
    sum: f64,
    rounded_off: f64,
    covered: SignedDuration,
    samples: usize,
    range: Option<(f64, f64)>,
}

impl Tally {
    fn add(&mut self, value: f64, duration: SignedDuration) {
        if duration.is_zero() {
            return;
        }
        let term = value * duration.as_secs_f64();
        let sum = self.sum + term;
        // Source: Neumaier 1974, summation with compensation.
        self.rounded_off += if self.sum.abs() >= term.abs() {
            (self.sum - sum) + term
        } else {
            (term - sum) + self.sum
        };
        self.sum = sum;
        self.covered = self.covered.saturating_add(duration);
        self.samples += 1;
        let (min, max) = self.range.unwrap_or((value, value));
        self.range = Some((min.min(value), max.max(value)));
    }

    fn into_mean(self, window: Window) -> Mean {
        let covered_s = self.covered.as_secs_f64();
        // Rounding may carry the quotient a hair past the values it was made of.
        let value = self
            .range
            .map(|(min, max)| ((self.sum + self.rounded_off) / covered_s).clamp(min, max));
        let coverage =
            if window.is_empty() { 0.0 } else { covered_s / window.length().as_secs_f64() };
        Mean { value, covered: self.covered, coverage, samples: self.samples, window }
    }
}
