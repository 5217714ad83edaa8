//! The part of a forecast that is kept, and its form in the store.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Number of the form below; a body in another form is fetched again.
const VERSION: u32 = 1;
/// How much of a forecast is kept: far more than the time between two answers.
const KEPT_AHEAD: SignedDuration = SignedDuration::from_hours(24);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Steps of a forecast in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Series {
    pub(super) steps: Vec<Step>,
}

/// The values at one instant; °C, %, hPa, m/s and degrees, `None` where the service said nothing.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Step {
    /// Seconds since the Unix epoch.
    #[serde(rename = "t")]
    pub(super) time_s: i64,
    #[serde(rename = "ta", skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(rename = "rh", skip_serializing_if = "Option::is_none")]
    pub(super) relative_humidity: Option<f64>,
    #[serde(rename = "td", skip_serializing_if = "Option::is_none")]
    pub(super) dew_point: Option<f64>,
    #[serde(rename = "p", skip_serializing_if = "Option::is_none")]
    pub(super) pressure_msl: Option<f64>,
    #[serde(rename = "ff", skip_serializing_if = "Option::is_none")]
    pub(super) wind_speed: Option<f64>,
    #[serde(rename = "fx", skip_serializing_if = "Option::is_none")]
    pub(super) wind_gust: Option<f64>,
    #[serde(rename = "dd", skip_serializing_if = "Option::is_none")]
    pub(super) wind_direction: Option<f64>,
    #[serde(rename = "n", skip_serializing_if = "Option::is_none")]
    pub(super) cloud_cover: Option<f64>,
    /// Precipitation in mm in the hour that begins at the time of the step.
    #[serde(rename = "rr", skip_serializing_if = "Option::is_none")]
    pub(super) precipitation_next_hour: Option<f64>,
    /// The symbol of the hour that begins at the time of the step.
    #[serde(rename = "ww", skip_serializing_if = "Option::is_none")]
    pub(super) symbol_code: Option<String>,
}

/// What stands in the store.
#[derive(Deserialize, Serialize)]
struct Body {
    version: u32,
    /// The question the steps answer: a place that was moved must not be answered from them.
    question: String,
    steps: Vec<Step>,
}

impl Series {
    /// Reads a kept body; `None` when it is in another form or answers another question.
    pub(super) fn parse(body: &str, question: &[(&'static str, String)]) -> Option<Self> {
        let body: Body = serde_json::from_str(body).ok()?;
        let fits = body.version == VERSION && body.question == spelled(question);
        (fits && !body.steps.is_empty()).then_some(Self { steps: body.steps })
    }

    /// Writes the body to keep.
    pub(super) fn to_body(&self, question: &[(&'static str, String)]) -> String {
        let steps = self.steps.clone();
        let body = Body { version: VERSION, question: spelled(question), steps };
        serde_json::to_string(&body).expect("finite numbers and texts are always JSON")
    }

    /// Returns the latest step that has begun, with the step an hour before it.
    ///
    /// `None` when the series begins later.
    pub(super) fn at(&self, now: Timestamp) -> Option<(&Step, Option<&Step>)> {
        let begun = self.steps.partition_point(|step| step.time_s <= now.as_second());
        let index = begun.checked_sub(1)?;
        let step = &self.steps[index];
        let before = index.checked_sub(1).map(|index| &self.steps[index]);
        Some((step, before.filter(|before| before.time_s + HOUR.as_secs() == step.time_s)))
    }

    /// Tells whether the series has not run out by `now`.
    pub(super) fn speaks_of(&self, now: Timestamp) -> bool {
        let end_s = self.steps.last().map(|step| step.time_s + HOUR.as_secs());
        end_s.is_some_and(|end_s| now.as_second() < end_s)
    }

    /// Puts the last step of `older` that lies before the first one of this series before it.
    ///
    /// A new forecast begins at the present hour, but what fell before that is said by the step
    /// of the hour before.
    pub(super) fn take_step_before(&mut self, older: &Self) {
        let Some(first) = self.steps.first() else { return };
        let earlier = older.steps.iter().rev().find(|step| step.time_s < first.time_s);
        if let Some(step) = earlier {
            self.steps.insert(0, step.clone());
        }
    }

    /// Drops what is over, but for the two steps that `at` needs, and what lies far ahead.
    pub(super) fn keep_around(&mut self, now: Timestamp) {
        let begun = self.steps.partition_point(|step| step.time_s <= now.as_second());
        self.steps.drain(..begun.saturating_sub(2));
        let end_s = now.as_second() + KEPT_AHEAD.as_secs();
        self.steps.retain(|step| step.time_s <= end_s);
    }
}

fn spelled(question: &[(&'static str, String)]) -> String {
    let parts: Vec<String> =
        question.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join("&")
}
