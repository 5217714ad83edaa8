//! Which labels of a sender are right.

use pampero_series::{Labels, METRIC_NAME};

use super::wire::Label;
use crate::options::RemoteWriteLimits;

/// What is wrong with the labels of a series.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LabelsProblem {
    /// It has no name, or one that is none.
    #[error("a series has no name, or one with characters that a name of a metric cannot have")]
    MetricName,
    /// The name of a label has characters that it cannot have.
    #[error("{name:?} is no name of a label")]
    LabelName {
        /// The name.
        name: String,
    },
    /// A label is there twice.
    #[error("the label {name:?} is there twice")]
    Twice {
        /// Its name.
        name: String,
    },
    /// There are too many labels.
    #[error("a series has {found} labels, and {max} are the most")]
    TooMany {
        /// How many there are.
        found: usize,
        /// The most there may be.
        max: usize,
    },
    /// A name or a value is too long.
    #[error("the label {name:?} has a name or a value that is too long")]
    TooLong {
        /// The beginning of its name.
        name: String,
    },
}

/// Puts the labels of a series together, in whatever order they were sent.
pub(super) fn labels(sent: &[Label], limits: &RemoteWriteLimits) -> Result<Labels, LabelsProblem> {
    if limits.labels_max < sent.len() {
        return Err(LabelsProblem::TooMany { found: sent.len(), max: limits.labels_max });
    }
    let mut names: Vec<&str> = sent.iter().map(|label| label.name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(LabelsProblem::Twice { name: beginning(pair[0]) });
    }
    for Label { name, value } in sent {
        if limits.label_name_bytes_max < name.len() || limits.label_value_bytes_max < value.len() {
            return Err(LabelsProblem::TooLong { name: beginning(name) });
        }
        if name == METRIC_NAME {
            if !is_metric_name(value) {
                return Err(LabelsProblem::MetricName);
            }
        } else if !is_label_name(name) {
            return Err(LabelsProblem::LabelName { name: beginning(name) });
        }
    }
    let labels: Labels = sent.iter().map(|label| (&label.name, &label.value)).collect();
    if labels.metric_name().is_some() { Ok(labels) } else { Err(LabelsProblem::MetricName) }
}

fn beginning(name: &str) -> String {
    name.chars().take(100).collect()
}

/// Returns whether it is a name of a metric, `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub(crate) fn is_metric_name(name: &str) -> bool {
    is_name(name, |byte| byte == b':')
}

/// Returns whether it is a name of a label, `[a-zA-Z_][a-zA-Z0-9_]*`.
pub(crate) fn is_label_name(name: &str) -> bool {
    is_name(name, |_| false)
}

fn is_name(name: &str, also: impl Fn(u8) -> bool) -> bool {
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || also(byte);
    !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() && name.bytes().all(belongs)
}
