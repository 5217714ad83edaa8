//! Folds over windows that move to the right, each sample being taken up a few times at most
//! however far windows overlap, and without ever subtracting, so NaN and infinities stay where
//! they are.

/// Folds the values of windows whose edges never move to the left.
///
/// The values of a window stand in two parts: those before `middle` have a fold for each place
/// that the left edge may still move to, those from `middle` on have one fold.
pub(super) struct Rolling<'v, T, L, C> {
    values: &'v [f64],
    lift: L,
    combine: C,
    start: usize,
    middle: usize,
    end: usize,
    /// Folds of `start..middle`, `start + 1..middle` and so on, the last one first.
    left: Vec<T>,
    /// The fold of `middle..end`.
    right: Option<T>,
}

impl<'v, T: Copy, L: Fn(f64) -> T, C: Fn(T, T) -> T> Rolling<'v, T, L, C> {
    /// `combine` has to be associative.
    pub(super) fn new(values: &'v [f64], lift: L, combine: C) -> Self {
        Self { values, lift, combine, start: 0, middle: 0, end: 0, left: Vec::new(), right: None }
    }

    /// Returns the fold of a window, `None` when it is empty.
    pub(super) fn over(&mut self, start: usize, end: usize) -> Option<T> {
        if start >= self.end {
            (self.middle, self.end) = (start, start);
            self.left.clear();
            self.right = None;
        }
        for _ in self.start..start.min(self.middle) {
            self.left.pop();
        }
        self.start = start;
        for index in self.end..end {
            let value = (self.lift)(self.values[index]);
            self.right = Some(self.joined(self.right, value));
        }
        self.end = self.end.max(end);
        if start > self.middle {
            self.turn_over();
        }
        match (self.left.last(), self.right) {
            (Some(left), Some(right)) => Some((self.combine)(*left, right)),
            (Some(left), None) => Some(*left),
            (None, right) => right,
        }
    }

    /// Makes the whole window the left part.
    fn turn_over(&mut self) {
        self.left.clear();
        for index in (self.start..self.end).rev() {
            let value = (self.lift)(self.values[index]);
            let fold = match self.left.last() {
                Some(fold) => (self.combine)(value, *fold),
                None => value,
            };
            self.left.push(fold);
        }
        self.middle = self.end;
        self.right = None;
    }

    fn joined(&self, fold: Option<T>, value: T) -> T {
        match fold {
            Some(fold) => (self.combine)(fold, value),
            None => value,
        }
    }
}

/// A sum with what rounding has lost from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum {
    pub(super) sum: f64,
    pub(super) lost: f64,
}

impl Sum {
    pub(super) fn of(value: f64) -> Self {
        Self { sum: value, lost: 0.0 }
    }

    /// Adds two sums.
    ///
    /// Source: Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen.
    pub(super) fn plus(self, other: Self) -> Self {
        let sum = self.sum + other.sum;
        let lost = if self.sum.abs() >= other.sum.abs() {
            (self.sum - sum) + other.sum
        } else {
            (other.sum - sum) + self.sum
        };
        Self { sum, lost: self.lost + other.lost + lost }
    }

    /// Returns the sum with what was lost; NaN once it is infinite.
    pub(super) fn exact(self) -> f64 {
        self.sum + self.lost
    }

    /// Returns the sum with what was lost, or infinite.
    pub(super) fn total(self) -> f64 {
        // An infinite sum has lost NaN.
        if self.sum.is_infinite() { self.sum } else { self.exact() }
    }
}

/// A mean that does not overflow where its sum would.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean {
    count: f64,
    /// The sum, and once it has overflown the mean so far.
    sum: Sum,
    has_overflown: bool,
}

impl Mean {
    /// The mean of nothing.
    pub(super) const NOTHING: Self =
        Self { count: 0.0, sum: Sum { sum: 0.0, lost: 0.0 }, has_overflown: false };

    pub(super) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.has_overflown {
            let sum = self.sum.plus(Sum::of(value));
            let overflows = sum.sum.is_infinite() && self.sum.sum.is_finite() && value.is_finite();
            if !overflows {
                self.sum = sum;
                return;
            }
            let count = self.count - 1.0;
            self.has_overflown = true;
            self.sum = Sum { sum: self.sum.sum / count, lost: self.sum.lost / count };
        }
        let mean = self.sum.sum;
        // Inf - Inf of one sign would be NaN, and a finite value leaves an infinite mean as it is.
        let is_settled = mean.is_infinite()
            && !value.is_nan()
            && (value.is_finite() || (value > 0.0) == (mean > 0.0));
        if !is_settled {
            self.sum = self.sum.plus(Sum::of(value / self.count - mean / self.count));
        }
    }

    /// Returns the mean; `None` of nothing.
    pub(super) fn get(&self) -> Option<f64> {
        let divisor = if self.has_overflown { 1.0 } else { self.count };
        (self.count > 0.0).then(|| self.sum.total() / divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_folded_as_if_each_stood_alone() {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        for (step, width) in [(1, 1), (1, 7), (3, 7), (7, 7), (9, 4), (50, 50)] {
            let mut rolling = Rolling::new(&values, |value| value, |one, other| one + other);
            for start in (0..values.len()).step_by(step) {
                let end = (start + width).min(values.len());
                let expected: f64 = values[start..end].iter().sum();
                assert_eq!(rolling.over(start, end), Some(expected), "{start}..{end}");
            }
            assert_eq!(rolling.over(50, 50), None);
        }
    }

    #[test]
    fn sums_keep_what_rounding_would_lose() {
        let sum = [1.0, 1e100, 1.0, -1e100].map(Sum::of).into_iter().reduce(Sum::plus);
        assert_eq!(sum.map(Sum::total), Some(2.0));
        let mut mean = Mean::NOTHING;
        [f64::MAX, f64::MAX].into_iter().for_each(|value| mean.add(value));
        assert_eq!(mean.get(), Some(f64::MAX));
    }
}
