//! The labels and annotations of an alerting rule as templates.

use std::sync::Arc;

use pampero_series::{Labels, LabelsBuilder, METRIC_NAME};
use pampero_templates::TemplateError;
use pampero_templates::go::{Data, Template};

/// The label that every alert has, with the name of its rule.
pub(super) const ALERT_NAME: &str = "alertname";

/// Most bytes of one expanded label or annotation.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// The labels and annotations of an alerting rule as templates, in the order of their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    labels: Vec<(String, Template)>,
    annotations: Vec<(String, Template)>,
}

/// What is said of an alert: names and texts.
pub(super) type Annotations = Arc<[(String, String)]>;

/// A template that is wrong: `label` or `annotation`, its name, and why.
type WrongText = (&'static str, String, TemplateError);

impl Texts {
    /// Reads the templates, and returns beside them those that are wrong.
    pub(super) fn parse(
        labels: &Labels,
        annotations: &[(String, String)],
    ) -> (Self, Vec<WrongText>) {
        let mut texts = Self::default();
        let mut wrong = Vec::new();
        for (name, text) in labels.iter() {
            match Template::parse(text) {
                Ok(template) => texts.labels.push((name.to_owned(), template)),
                Err(error) => wrong.push(("label", name.to_owned(), error)),
            }
        }
        for (name, text) in annotations {
            match Template::parse(text) {
                Ok(template) => texts.annotations.push((name.clone(), template)),
                Err(error) => wrong.push(("annotation", name.clone(), error)),
            }
        }
        (texts, wrong)
    }

    /// Returns the labels and annotations of the alert for a series of the result.
    ///
    /// A template that fails becomes a text that says so, as in Prometheus.
    pub(super) fn expand(&self, alert: &str, found: &Labels, value: f64) -> (Labels, Annotations) {
        let pairs: Vec<(&str, &str)> = found.iter().collect();
        let data = Data { labels: &pairs, value, external_labels: &[], external_url: "" };
        let expand = |template: &Template| {
            template
                .render(data, TEXT_BYTES_MAX)
                .unwrap_or_else(|error| format!("<error expanding template: {error}>"))
        };
        let mut labels = LabelsBuilder::from(found);
        labels.set(METRIC_NAME, "");
        for (name, template) in &self.labels {
            labels.set(name, &expand(template));
        }
        labels.set(ALERT_NAME, alert);
        let annotations = self.annotations.iter();
        let annotations = annotations.map(|(name, text)| (name.clone(), expand(text))).collect();
        (labels.build(), annotations)
    }
}
