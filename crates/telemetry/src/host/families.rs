//! What the collectors found in one sampling, kept in few allocations that are used again.
//!
//! A collector writes one family after the other; [`Families::undo`] takes back what a collector
//! wrote before it failed, so that no half series leaves the house.

use std::fmt::{self, Display, Write};
use std::ops::Range;

use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;

/// The type of a family.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Only grows; the name ends with `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Labels with the value 1; the name ends with `_info`.
    Info,
    /// The kernel does not say; the older format calls it untyped.
    Unknown,
}

/// Families of samples, in the order in which they were written.
#[derive(Debug, Default)]
pub(super) struct Families {
    text: String,
    families: Vec<Family>,
    samples: Vec<Sample>,
    labels: Vec<(&'static str, Range<usize>)>,
}

#[derive(Debug)]
struct Family {
    kind: Kind,
    name: Range<usize>,
    help: Range<usize>,
    first_sample: usize,
}

#[derive(Debug)]
struct Sample {
    labels: Range<usize>,
    value: f64,
}

/// How far the families were written at some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    text: usize,
    families: usize,
    samples: usize,
    labels: usize,
}

impl Families {
    /// Begins a family; one that gets no sample leaves no trace.
    pub(super) fn family(&mut self, kind: Kind, name: impl Display, help: impl Display) {
        let name = self.keep(name);
        let help = self.keep(help);
        self.families.push(Family { kind, name, help, first_sample: self.samples.len() });
    }

    /// Adds a sample to the family begun last.
    pub(super) fn sample(&mut self, labels: &[(&'static str, &str)], value: f64) {
        let first = self.labels.len();
        for (name, text) in labels {
            let kept = self.keep(text);
            self.labels.push((name, kept));
        }
        self.samples.push(Sample { labels: first..self.labels.len(), value });
    }

    /// Writes a family of one sample without labels.
    pub(super) fn single(
        &mut self,
        kind: Kind,
        name: impl Display,
        help: impl Display,
        value: f64,
    ) {
        self.family(kind, name, help);
        self.sample(&[], value);
    }

    fn keep(&mut self, text: impl Display) -> Range<usize> {
        let start = self.text.len();
        write!(self.text, "{text}").expect("writing to a string cannot fail");
        start..self.text.len()
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            text: self.text.len(),
            families: self.families.len(),
            samples: self.samples.len(),
            labels: self.labels.len(),
        }
    }

    /// Takes back everything written since `mark`.
    pub(super) fn undo(&mut self, mark: Mark) {
        self.text.truncate(mark.text);
        self.families.truncate(mark.families);
        self.samples.truncate(mark.samples);
        self.labels.truncate(mark.labels);
    }

    pub(super) fn clear(&mut self) {
        self.undo(Mark { text: 0, families: 0, samples: 0, labels: 0 });
    }

    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        for (position, family) in self.families.iter().enumerate() {
            let next = self.families.get(position + 1);
            let end = next.map_or(self.samples.len(), |next| next.first_sample);
            let samples = &self.samples[family.first_sample..end];
            if !samples.is_empty() {
                self.encode_family(family, samples, encoder)?;
            }
        }
        Ok(())
    }

    fn encode_family(
        &self,
        family: &Family,
        samples: &[Sample],
        encoder: &mut DescriptorEncoder<'_>,
    ) -> fmt::Result {
        let name = &self.text[family.name.clone()];
        // The encoder adds these endings by itself.
        let (metric_type, ending) = match family.kind {
            Kind::Counter => (MetricType::Counter, "_total"),
            Kind::Gauge => (MetricType::Gauge, ""),
            Kind::Info => (MetricType::Info, "_info"),
            Kind::Unknown => (MetricType::Unknown, ""),
        };
        let name = name.strip_suffix(ending).unwrap_or(name);
        let help = &self.text[family.help.clone()];
        let mut metric = encoder.encode_descriptor(name, help, None, metric_type)?;
        for sample in samples {
            let labels = SampleLabels { families: self, range: sample.labels.clone() };
            if family.kind == Kind::Info {
                metric.encode_info(&labels)?;
                continue;
            }
            let value = sample.value;
            let is_counter = family.kind == Kind::Counter;
            // Asked for a series, the encoder writes braces even when there is nothing in them.
            match (is_counter, sample.labels.is_empty()) {
                (true, true) => metric.encode_counter::<NoLabelSet, f64, f64>(&value, None)?,
                (false, true) => metric.encode_gauge(&value)?,
                (true, false) => metric
                    .encode_family(&labels)?
                    .encode_counter::<NoLabelSet, f64, f64>(&value, None)?,
                (false, false) => metric.encode_family(&labels)?.encode_gauge(&value)?,
            }
        }
        Ok(())
    }
}

struct SampleLabels<'f> {
    families: &'f Families,
    range: Range<usize>,
}

impl EncodeLabelSet for SampleLabels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for (name, text) in &self.families.labels[self.range.clone()] {
            (*name, &self.families.text[text.clone()]).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}
