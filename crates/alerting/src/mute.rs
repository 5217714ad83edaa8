//! Mutes: for whom and when nothing is told, though everything goes on being tracked.

mod matching;
mod window;

use std::time::Duration;

use jiff::Timestamp;
use pampero_series::{Labels, Matcher};
use serde::{Deserialize, Serialize};

pub use self::matching::{MuteError, matcher};
pub use self::window::{Day, MuteWindow};
use crate::alert::Alert;
use crate::policy::Policy;

/// Most mutes at the same time.
pub(crate) const MUTES_MAX: usize = 1_000;
/// Most matchers of one mute.
const MATCHERS_MAX: usize = 50;
/// Most bytes of a comment, and of an author's name.
const COMMENT_BYTES_MAX: usize = 2_000;

/// Holds back what is told of some alerts for some time.
///
/// What becomes active under a mute and still is when the mute ends is told then. What was told before
/// and ends under a mute is told as over when the mute ends, as the Alertmanager does with silences.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Mute {
    /// Its id: letters, digits, `-`, `_`.
    pub id: String,
    /// Conditions on labels, which all have to hold; at least one. Besides the labels of an alert there
    /// are `alertname` (of the trigger or rule), `monitor` (or `group`), `severity` (a number, unless a
    /// rule says it in its own word) and `source` (as `monitor/error_logs/count_error`).
    #[serde(with = "matching::list")]
    pub matchers: Vec<Matcher>,
    /// When.
    pub window: MuteWindow,
    /// Why; may be empty.
    pub comment: String,
    /// Who wants it; may be empty.
    pub author: String,
    /// When it was made.
    pub created: Timestamp,
}

impl Mute {
    /// Says what is wrong with a mute.
    ///
    /// # Errors
    /// It has no matchers or too many, its window is empty, or a text is too long.
    pub fn check(&self) -> Result<(), MuteError> {
        if self.matchers.is_empty() {
            return Err(MuteError::NoMatcher);
        }
        if self.matchers.len() > MATCHERS_MAX {
            return Err(MuteError::TooManyMatchers { max: MATCHERS_MAX });
        }
        if self.comment.len().max(self.author.len()) > COMMENT_BYTES_MAX {
            return Err(MuteError::TextTooLong { bytes_max: COMMENT_BYTES_MAX });
        }
        self.window.check()
    }

    /// Returns whether it holds for this alert, if its time is now.
    fn covers(&self, alert: &Alert, policy: Option<&Policy>) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = label_of(matcher.name(), alert, policy);
            matcher.matches(&value)
        })
    }

    /// Returns whether its time is over for good since so long.
    pub(crate) fn is_over_since(&self, now: Timestamp, rest: Duration) -> bool {
        match &self.window {
            MuteWindow::Once { until, .. } => now.saturating_sub(rest).is_ok_and(|at| at > *until),
            MuteWindow::Weekly { .. } => false,
        }
    }
}

/// Returns the value of a label of an alert as mutes see it, empty when it is not there.
fn label_of(name: &str, alert: &Alert, policy: Option<&Policy>) -> String {
    if let Some(value) = alert.key.get(name) {
        return value.to_owned();
    }
    if let Some(value) = policy.and_then(|policy| policy.labels.get(name)) {
        return value.to_owned();
    }
    match name {
        "alertname" => alert.name.clone(),
        "monitor" | "group" => alert.definition_name.clone(),
        "severity" => alert.severity.to_string(),
        "source" => alert.source.to_string(),
        _ => String::new(),
    }
}

/// Returns all labels of an alert, as receivers of single alerts want them.
pub(crate) fn labels_of(alert: &Alert, policy: Option<&Policy>) -> Labels {
    let own = [
        ("alertname", alert.name.as_str()),
        ("severity", &alert.severity.to_string()),
        (
            match alert.source.kind {
                crate::SourceKind::Monitor => "monitor",
                crate::SourceKind::Rule => "group",
            },
            alert.definition_name.as_str(),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let owned = |labels: &Labels| -> Vec<(String, String)> {
        labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let of_policy = policy.map(|policy| owned(&policy.labels)).unwrap_or_default();
    own.into_iter().chain(of_policy).chain(owned(&alert.key)).collect()
}

/// The mutes that there are.
#[derive(Clone, Debug, Default)]
pub struct Mutes(Vec<Mute>);

impl Mutes {
    /// Collects mutes.
    pub fn new(mutes: Vec<Mute>) -> Self {
        Self(mutes)
    }

    /// Returns them all.
    pub fn all(&self) -> &[Mute] {
        &self.0
    }

    /// Returns those whose time is now.
    pub fn at(&self, now: Timestamp) -> MutesNow<'_> {
        MutesNow(self.0.iter().filter(|mute| mute.window.holds(now)).collect())
    }

    pub(crate) fn push(&mut self, mute: Mute) {
        self.0.push(mute);
    }

    /// Takes a mute away; `None` when there is none of this id.
    pub(crate) fn remove(&mut self, id: &str) -> Option<Mute> {
        let index = self.0.iter().position(|mute| mute.id == id)?;
        Some(self.0.remove(index))
    }
}

/// The mutes whose time is now.
#[derive(Clone, Debug)]
pub struct MutesNow<'m>(Vec<&'m Mute>);

impl MutesNow<'_> {
    /// Returns whether one of them holds for an alert.
    pub fn cover(&self, alert: &Alert, policy: Option<&Policy>) -> bool {
        self.0.iter().any(|mute| mute.covers(alert, policy))
    }

    /// Returns the ids of those that hold for an alert.
    pub fn ids(&self, alert: &Alert, policy: Option<&Policy>) -> Vec<String> {
        let covering = self.0.iter().filter(|mute| mute.covers(alert, policy));
        covering.map(|mute| mute.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
