//! The labels that name a series.

use std::fmt;
use std::sync::Arc;

/// The label that holds the name of the metric.
pub const METRIC_NAME: &str = "__name__";

/// A set of labels: each name once, in ascending order of the names, no value empty.
///
/// The name of the metric is the label [`METRIC_NAME`]. Clones share their memory. Two sets are
/// ordered by their first different pair of name and value; one that is a beginning of the other
/// comes first.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Labels(Arc<[(Box<str>, Box<str>)]>);

impl Labels {
    /// Returns the set without any label.
    pub fn empty() -> Self {
        Self(Arc::new([]))
    }

    /// Returns the value of a label; `None` when it is not there.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.binary_search_by(|(candidate, _)| (**candidate).cmp(name));
        found.ok().map(|index| &*self.0[index].1)
    }

    /// Returns the value of a label, empty when it is not there, as matchers see it.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Returns the name of the metric; `None` when it has none.
    pub fn metric_name(&self) -> Option<&str> {
        self.get(METRIC_NAME)
    }

    /// Returns names and values, in ascending order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Returns how many labels there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the set without those labels for which `keep` says no.
    #[must_use]
    pub fn filtered(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        let kept: Vec<_> = self.0.iter().filter(|(name, _)| keep(name)).cloned().collect();
        if kept.len() == self.0.len() { self.clone() } else { Self(kept.into()) }
    }

    /// Returns the set without the name of the metric.
    #[must_use]
    pub fn without_metric_name(&self) -> Self {
        self.filtered(|name| name != METRIC_NAME)
    }

    /// Returns the set with this label set to `value`; an empty value takes the label away.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut builder = LabelsBuilder::from(self);
        builder.set(name, value);
        builder.build()
    }
}

impl fmt::Display for Labels {
    /// Writes the set as a selector, as in `up{job="node"}`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.value(METRIC_NAME))?;
        let mut others = self.iter().filter(|(name, _)| *name != METRIC_NAME).peekable();
        if others.peek().is_none() {
            return if self.is_empty() { formatter.write_str("{}") } else { Ok(()) };
        }
        for (index, (name, value)) in others.enumerate() {
            let opening = if index == 0 { "{" } else { ", " };
            write!(formatter, "{opening}{name}={value:?}")?;
        }
        formatter.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Labels {
    /// Collects labels; of two with the same name the last one holds.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(labels: I) -> Self {
        let mut builder = LabelsBuilder::default();
        for (name, value) in labels {
            builder.set(name.as_ref(), value.as_ref());
        }
        builder.build()
    }
}

/// Puts a set of labels together.
#[derive(Clone, Debug, Default)]
pub struct LabelsBuilder {
    /// In ascending order of the names.
    labels: Vec<(Box<str>, Box<str>)>,
}

impl LabelsBuilder {
    /// Sets a label, whether or not it was there; an empty value takes it away.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        match self.labels.binary_search_by(|(candidate, _)| (**candidate).cmp(name)) {
            Ok(index) if value.is_empty() => {
                self.labels.remove(index);
            }
            Ok(index) => self.labels[index].1 = value.into(),
            Err(_) if value.is_empty() => {}
            Err(index) => self.labels.insert(index, (name.into(), value.into())),
        }
        self
    }

    /// Returns the set.
    pub fn build(self) -> Labels {
        Labels(self.labels.into())
    }
}

impl From<&Labels> for LabelsBuilder {
    fn from(labels: &Labels) -> Self {
        Self { labels: labels.0.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    #[test]
    fn labels_are_sorted_and_empty_values_are_absent() {
        let set = labels(&[("place", "jfk"), ("__name__", "up"), ("job", ""), ("place", "lga")]);
        let pairs: Vec<_> = set.iter().collect();
        assert_eq!(pairs, [("__name__", "up"), ("place", "lga")]);
        assert_eq!(set.get("job"), None);
        assert_eq!(set.value("job"), "");
        assert_eq!(set.metric_name(), Some("up"));
        assert_eq!(set.with("place", ""), labels(&[("__name__", "up")]));
        assert_eq!(set.without_metric_name(), labels(&[("place", "lga")]));
    }

    #[test]
    fn labels_are_written_as_a_selector() {
        check_written(&[], "{}");
        check_written(&[("__name__", "up")], "up");
        check_written(&[("job", "a\"b")], r#"{job="a\"b"}"#);
        check_written(&[("__name__", "up"), ("a", "1"), ("b", "ñ")], r#"up{a="1", b="ñ"}"#);
    }

    #[track_caller]
    fn check_written(pairs: &[(&str, &str)], expected: &str) {
        assert_eq!(labels(pairs).to_string(), expected);
    }

    #[test]
    fn sets_are_ordered_by_their_first_difference() {
        let ascending = [
            labels(&[]),
            labels(&[("a", "1")]),
            labels(&[("a", "1"), ("b", "1")]),
            labels(&[("a", "2")]),
            labels(&[("b", "1")]),
        ];
        assert!(ascending.is_sorted());
    }
}
