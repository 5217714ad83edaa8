//! What there is to say of a result besides its values.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// Most warnings, and most infos, that one evaluation collects.
const COUNT_MAX: usize = 10;

/// How the name of a counter ends.
const COUNTER_ENDINGS: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];

/// Collects each remark once.
///
/// Source: Prometheus, `util/annotations`.
#[derive(Debug, Default)]
pub(super) struct Annotations {
    warnings: RefCell<BTreeSet<String>>,
    infos: RefCell<BTreeSet<String>>,
}

impl Annotations {
    /// Warns of a quantile that there is not.
    pub(super) fn check_quantile(&self, phi: f64) {
        if !(0.0..=1.0).contains(&phi) {
            let message =
                format!("PromQL warning: quantile value should be between 0 and 1, got {phi}");
            add(&self.warnings, message);
        }
    }

    /// Remarks that a metric whose rate is taken is not named like a counter.
    pub(super) fn check_counter(&self, metric_name: &str) {
        if !COUNTER_ENDINGS.iter().any(|ending| metric_name.ends_with(ending)) {
            let message = format!(
                "PromQL info: metric might not be a counter, name does not end in \
                 _total/_sum/_count/_bucket: {metric_name:?}"
            );
            add(&self.infos, message);
        }
    }

    pub(super) fn into_parts(self) -> (Vec<String>, Vec<String>) {
        let list = |set: RefCell<BTreeSet<String>>| set.into_inner().into_iter().collect();
        (list(self.warnings), list(self.infos))
    }
}

fn add(set: &RefCell<BTreeSet<String>>, message: String) {
    let mut set = set.borrow_mut();
    if set.len() < COUNT_MAX {
        set.insert(message);
    }
}
