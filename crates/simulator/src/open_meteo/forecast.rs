//! The answer of `v1/forecast`: one object for one place, an array for many.
//!
//! Written straight into bytes, because a batch has a hundred places and there are many batches.

use std::borrow::Cow;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::query::{Asked, Query, Zone};
use super::variable::{Moment, Number, Temperature, Units, Variable, Wind};
use crate::reply::Reply;
use crate::scene::{Scene, round, timestamp};

/// The length of the step of `current`.
const STEP_S: i64 = 900;

pub(super) fn answer(scene: &Scene<'_>, query: &Query) -> Reply {
    let mut units = query.units;
    if scene.in_wrong_units() {
        units = Units { temperature: Temperature::Kelvin, wind: Wind::KilometresPerHour, ..units };
    }
    let [current_units, hourly_units] = [(&query.current, true), (&query.hourly, false)]
        .map(|(variables, interval)| UnitNames { variables, interval, units, query }.written());
    let names = UnitTexts { current: current_units.as_deref(), hourly: hourly_units.as_deref() };
    let bodies: Vec<PlaceBody<'_>> = query
        .places
        .iter()
        .enumerate()
        .map(|(index, asked)| PlaceBody::new(scene, query, units, names, index, asked))
        .collect();
    match bodies.as_slice() {
        [only] => Reply::json(200, only),
        many => Reply::json(200, &many),
    }
}

/// The answer for one place.
#[derive(Serialize)]
struct PlaceBody<'a> {
    latitude: f64,
    longitude: f64,
    generationtime_ms: f64,
    utc_offset_seconds: i32,
    timezone: &'a str,
    timezone_abbreviation: Cow<'static, str>,
    elevation: f64,
    /// The number of the place in the request, left out for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    location_id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_units: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Current<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hourly_units: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hourly: Option<Hourly<'a>>,
}

impl<'a> PlaceBody<'a> {
    fn new(
        scene: &'a Scene<'a>,
        query: &'a Query,
        units: Units,
        names: UnitTexts<'a>,
        index: usize,
        asked: &'a Asked,
    ) -> Self {
        let (offset_s, abbreviation) = asked.zone.offset_at(scene.instant());
        let context = Context { scene, query, units, asked, offset_s };
        let has_current = !query.current.is_empty();
        let has_hourly = !query.hourly.is_empty();
        Self {
            latitude: cell(asked.site.spot.latitude),
            longitude: cell(asked.site.spot.longitude),
            generationtime_ms: 0.05,
            utc_offset_seconds: offset_s,
            timezone: &asked.zone.name,
            timezone_abbreviation: abbreviation,
            elevation: asked.elevation_m.unwrap_or(asked.site.ground_m),
            location_id: (index > 0).then_some(index),
            current_units: names.current,
            current: has_current.then_some(Current(context)),
            hourly_units: names.hourly,
            hourly: has_hourly.then_some(Hourly(context)),
        }
    }
}

/// Returns the centre of the grid cell, which need not be where the client asked.
fn cell(degrees: f64) -> f64 {
    round(degrees * 8.0, 0) / 8.0
}

impl Zone {
    fn offset_at(&self, at: i64) -> (i32, Cow<'static, str>) {
        let Some(rules) = &self.rules else { return (0, Cow::Borrowed("GMT")) };
        let info = rules.to_offset_info(timestamp(at));
        (info.offset().seconds(), Cow::Owned(info.abbreviation().to_owned()))
    }
}

/// The names of the units as JSON, written once for all places; `None` where nothing is asked.
#[derive(Clone, Copy)]
struct UnitTexts<'a> {
    current: Option<&'a RawValue>,
    hourly: Option<&'a RawValue>,
}

/// The names of the units, in the order of the variables.
struct UnitNames<'a> {
    variables: &'a [Variable],
    interval: bool,
    units: Units,
    query: &'a Query,
}

impl UnitNames<'_> {
    /// Writes the names as JSON; `None` when there are no variables.
    fn written(&self) -> Option<Box<RawValue>> {
        if self.variables.is_empty() { None } else { to_raw_value(self).ok() }
    }
}

impl Serialize for UnitNames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", if self.query.unix_time { "unixtime" } else { "iso8601" })?;
        if self.interval {
            map.serialize_entry("interval", "seconds")?;
        }
        for variable in self.variables {
            map.serialize_entry(variable.as_str(), variable.unit(self.units))?;
        }
        map.end()
    }
}

/// What the values of a place are worked out from.
#[derive(Clone, Copy)]
struct Context<'a> {
    scene: &'a Scene<'a>,
    query: &'a Query,
    units: Units,
    asked: &'a Asked,
    offset_s: i32,
}

impl Context<'_> {
    fn time(&self, at: i64) -> Time {
        if self.query.unix_time {
            return Time::Unix(at);
        }
        // The text carries no zone: it is the wall clock of the place.
        let wall = timestamp(at + i64::from(self.offset_s));
        Time::Iso(wall.strftime("%Y-%m-%dT%H:%M").to_string())
    }

    fn values(&self, variables: &[Variable], at: i64, step_s: i64) -> Vec<Number> {
        let Asked { site, elevation_m, .. } = self.asked;
        let weather = self.scene.weather(site, at, *elevation_m);
        let moment = Moment {
            weather: &weather,
            spot: site.spot,
            at,
            hour_share: step_s as f64 / 3_600.0,
            units: self.units,
            unknown_code: self.scene.with_unknown_code(),
        };
        variables.iter().map(|variable| variable.value(&moment)).collect()
    }
}

/// An instant as it was asked for.
#[derive(Serialize)]
#[serde(untagged)]
enum Time {
    Unix(i64),
    Iso(String),
}

/// The values of the present quarter of an hour.
struct Current<'a>(Context<'a>);

impl Serialize for Current<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let context = &self.0;
        let at = context.scene.instant().div_euclid(STEP_S) * STEP_S;
        let variables = &context.query.current;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &context.time(at))?;
        map.serialize_entry("interval", &STEP_S)?;
        for (variable, value) in variables.iter().zip(context.values(variables, at, STEP_S)) {
            map.serialize_entry(variable.as_str(), &value)?;
        }
        map.end()
    }
}

/// The values of full hours, as columns.
struct Hourly<'a>(Context<'a>);

impl Serialize for Hourly<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let context = &self.0;
        let variables = &context.query.hourly;
        let hours: Vec<i64> = context.query.hours.clone().step_by(3_600).collect();
        let rows: Vec<Vec<Number>> =
            hours.iter().map(|at| context.values(variables, *at, 3_600)).collect();
        let times: Vec<Time> = hours.iter().map(|at| context.time(*at)).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &times)?;
        for (index, variable) in variables.iter().enumerate() {
            let column: Vec<Number> = rows.iter().map(|row| row[index]).collect();
            map.serialize_entry(variable.as_str(), &column)?;
        }
        map.end()
    }
}
