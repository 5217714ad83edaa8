//! What becomes of the series of a target before they are kept.

use pampero_series::{Labels, MatchOperator, Matcher, MatcherError};

/// One step of relabelling; the regular expressions have to match as a whole.
///
/// Source: Prometheus, configuration, `metric_relabel_configs`, of which four actions are known.
#[derive(Clone, Debug)]
pub struct Relabel(Action);

#[derive(Clone, Debug)]
enum Action {
    Keep { source: Source, matcher: Matcher },
    Drop { source: Source, matcher: Matcher },
    LabelKeep(Matcher),
    LabelDrop(Matcher),
}

/// The labels whose values are compared, joined by a separator.
#[derive(Clone, Debug)]
struct Source {
    names: Vec<String>,
    separator: String,
}

impl Relabel {
    /// Keeps only series for which the values of `source_labels`, joined by `separator`, match.
    ///
    /// # Errors
    /// The regular expression is wrong or too large.
    pub fn keep(
        source_labels: &[&str],
        separator: &str,
        regex: &str,
    ) -> Result<Self, MatcherError> {
        let source = Source::new(source_labels, separator);
        Ok(Self(Action::Keep { source, matcher: whole(regex)? }))
    }

    /// Drops series for which the values of `source_labels`, joined by `separator`, match.
    ///
    /// # Errors
    /// The regular expression is wrong or too large.
    pub fn drop(
        source_labels: &[&str],
        separator: &str,
        regex: &str,
    ) -> Result<Self, MatcherError> {
        let source = Source::new(source_labels, separator);
        Ok(Self(Action::Drop { source, matcher: whole(regex)? }))
    }

    /// Keeps only labels whose names match; a series that loses its name is dropped.
    ///
    /// # Errors
    /// The regular expression is wrong or too large.
    pub fn label_keep(regex: &str) -> Result<Self, MatcherError> {
        Ok(Self(Action::LabelKeep(whole(regex)?)))
    }

    /// Drops labels whose names match; a series that loses its name is dropped.
    ///
    /// # Errors
    /// The regular expression is wrong or too large.
    pub fn label_drop(regex: &str) -> Result<Self, MatcherError> {
        Ok(Self(Action::LabelDrop(whole(regex)?)))
    }

    /// Returns the labels after this step; `None` when the series is dropped.
    pub(crate) fn apply(&self, labels: Labels) -> Option<Labels> {
        match &self.0 {
            Action::Keep { source, matcher } => {
                matcher.matches(&source.join(&labels)).then_some(labels)
            }
            Action::Drop { source, matcher } => {
                (!matcher.matches(&source.join(&labels))).then_some(labels)
            }
            Action::LabelKeep(matcher) => Some(labels.filtered(|name| matcher.matches(name))),
            Action::LabelDrop(matcher) => Some(labels.filtered(|name| !matcher.matches(name))),
        }
    }
}

impl Source {
    fn new(names: &[&str], separator: &str) -> Self {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Self { names, separator: separator.to_owned() }
    }

    fn join(&self, labels: &Labels) -> String {
        let values: Vec<_> = self.names.iter().map(|name| labels.value(name)).collect();
        values.join(&self.separator)
    }
}

fn whole(regex: &str) -> Result<Matcher, MatcherError> {
    Matcher::new("", MatchOperator::Regex, regex)
}

/// Returns the labels after all steps; `None` when the series is dropped.
pub(crate) fn relabel(steps: &[Relabel], labels: Labels) -> Option<Labels> {
    let labels = steps.iter().try_fold(labels, |labels, step| step.apply(labels))?;
    labels.metric_name().is_some().then_some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(step: Result<Relabel, MatcherError>, expected: Option<&str>) {
        let pairs = [("__name__", "up"), ("place", "jfk"), ("secret", "x")];
        let labels = relabel(&[step.unwrap()], pairs.into_iter().collect());
        assert_eq!(labels.map(|labels| labels.to_string()).as_deref(), expected);
    }

    #[test]
    fn series_and_labels_are_kept_and_dropped() {
        let all = Some(r#"up{place="jfk", secret="x"}"#);
        check(Relabel::keep(&["place"], ";", "j.*"), all);
        check(Relabel::keep(&["place"], ";", "j"), None);
        check(Relabel::drop(&["__name__", "place"], ";", "up;jfk"), None);
        check(Relabel::drop(&["__name__", "place"], "/", "up;jfk"), all);
        check(Relabel::drop(&["absent"], ";", ""), None);
        check(Relabel::label_drop("sec.*"), Some(r#"up{place="jfk"}"#));
        check(Relabel::label_keep("__name__|place"), Some(r#"up{place="jfk"}"#));
        check(Relabel::label_keep("place"), None);
        assert!(Relabel::label_keep("(").is_err());
    }
}
