//! The samples of one series, put together from several places.

/// Two columns that grow; after [`Parts::finish`] the times are strictly ascending.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) times_ms: Vec<i64>,
    pub(crate) values: Vec<f64>,
    disordered: bool,
}

impl Parts {
    pub(crate) fn clear(&mut self) {
        self.times_ms.clear();
        self.values.clear();
        self.disordered = false;
    }

    pub(crate) fn push(&mut self, timestamp_ms: i64, value: f64) {
        self.disordered |= self.times_ms.last().is_some_and(|last| *last >= timestamp_ms);
        self.times_ms.push(timestamp_ms);
        self.values.push(value);
    }

    /// Adds the samples of two columns whose times are in the range and ascend.
    pub(crate) fn extend(&mut self, times_ms: &[i64], values: &[f64], range_ms: (i64, i64)) {
        let from = times_ms.partition_point(|time| *time < range_ms.0);
        let end = times_ms.partition_point(|time| *time <= range_ms.1);
        if from >= end {
            return;
        }
        self.disordered |= self.times_ms.last().is_some_and(|last| *last >= times_ms[from]);
        self.times_ms.extend(&times_ms[from..end]);
        self.values.extend(&values[from..end]);
    }

    /// Brings the samples into order; of several with the same time the first one stays.
    pub(crate) fn finish(&mut self) {
        if !self.disordered {
            return;
        }
        let mut samples: Vec<(i64, f64)> =
            self.times_ms.drain(..).zip(self.values.drain(..)).collect();
        samples.sort_by_key(|sample| sample.0);
        samples.dedup_by_key(|sample| sample.0);
        (self.times_ms, self.values) = samples.into_iter().unzip();
        self.disordered = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_put_in_order_without_doubles() {
        let mut parts = Parts::default();
        parts.extend(&[1, 5, 9, 12], &[0.1, 0.5, 0.9, 1.2], (2, 10));
        parts.extend(&[3, 9], &[0.3, 9.9], (0, 10));
        parts.push(7, 0.7);
        parts.finish();
        assert_eq!(parts.times_ms, [3, 5, 7, 9]);
        assert_eq!(parts.values, [0.3, 0.5, 0.7, 0.9]);
        parts.clear();
        parts.push(1, 1.0);
        parts.finish();
        assert_eq!(parts.times_ms, [1]);
    }
}
