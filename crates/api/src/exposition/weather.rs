//! `pampero_weather_…`: what each place is served, how good that is, and its means.
//!
//! Units are the base units of Prometheus: pascals, meters, ratios from 0 to 1.

use std::fmt;
use std::sync::Arc;

use pampero_loader::{MeansAtHand, Role, Served};
use pampero_store::{PlaceState, StoredPlace};
use pampero_weather::observation::Quantity;
use prometheus_client::registry::Unit;

use super::Shown;
use super::writer::{Writer, flag, metric};
use crate::weather::freshness::Freshness;

/// Most places that have metrics of their own: the first ones.
const PLACES_MAX: usize = 1_000;

/// A place that is served, with what it is served.
struct ServedPlace {
    place: Arc<StoredPlace>,
    served: Arc<Served>,
    freshness: Freshness,
}

type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

impl ServedPlace {
    fn labels(&self) -> Labels<'_, 2> {
        let provider = self.served.observation.provider.as_str();
        [("place", self.place.id.as_str()), ("provider", provider)]
    }
}

pub(super) fn write(shown: &Shown, writer: &mut Writer<'_, '_>) -> fmt::Result {
    let places = shown.places.list();
    write_places(&places, writer)?;
    let first = &places[..places.len().min(PLACES_MAX)];
    let served: Vec<ServedPlace> =
        first.iter().filter_map(|place| served_place(shown, place)).collect();
    for quantity in Quantity::ALL {
        write_quantity(quantity, &served, writer)?;
    }
    write_precipitation_interval(&served, writer)?;
    write_quality(&served, writer)?;
    let troubled = first.iter().filter_map(|place| {
        let is_troubled = shown.board.slot(&place.id)?.trouble().is_some();
        Some(([("place", place.id.as_str())], flag(is_troubled)))
    });
    let help = "1 while no provider answers for the place.";
    writer.gauges(metric("trouble", help), troubled)?;
    write_means(shown, first, writer)
}

fn write_places(places: &[Arc<StoredPlace>], writer: &mut Writer<'_, '_>) -> fmt::Result {
    let is_ready = |place: &&Arc<StoredPlace>| matches!(place.state, PlaceState::Ready(_));
    let ready = places.iter().filter(is_ready).count();
    let by_state = [("ready", ready), ("unresolved", places.len() - ready)];
    let by_state = by_state.map(|(state, count)| ([("state", state)], count as f64));
    writer.gauges(metric("places", "Places, by whether they can be asked for."), by_state)
}

fn served_place(shown: &Shown, place: &Arc<StoredPlace>) -> Option<ServedPlace> {
    let served = shown.board.slot(&place.id)?.served()?;
    let observation = &served.observation;
    let (provider, observed_at) = (observation.provider, observation.observed_at);
    let freshness = Freshness::of(&shown.sources, provider, observed_at, shown.clock.now());
    Some(ServedPlace { place: Arc::clone(place), served, freshness })
}

/// How a quantity is shown: name, unit, what its own unit is divided by, meaning.
struct ShownAs(&'static str, &'static str, f64, &'static str);

fn shown_as(quantity: Quantity) -> ShownAs {
    match quantity {
        Quantity::Temperature => {
            ShownAs("temperature", "celsius", 1.0, "Air temperature 2 m above ground.")
        }
        Quantity::RelativeHumidity => {
            ShownAs("relative_humidity", "ratio", 100.0, "Relative humidity over water, 0 to 1.")
        }
        Quantity::DewPoint => ShownAs("dew_point", "celsius", 1.0, "Dew point 2 m above ground."),
        Quantity::PressureMsl => {
            ShownAs("pressure_msl", "pascals", 0.01, "Air pressure reduced to mean sea level.")
        }
        Quantity::PressureStation => ShownAs(
            "pressure_station",
            "pascals",
            0.01,
            "Air pressure at the height of the station or of the model's terrain.",
        ),
        Quantity::WindSpeed => {
            ShownAs("wind_speed", "meters_per_second", 1.0, "Mean wind 10 m above ground.")
        }
        Quantity::WindGust => {
            ShownAs("wind_gust", "meters_per_second", 1.0, "Strongest gust 10 m above ground.")
        }
        Quantity::WindDirection => ShownAs(
            "wind_direction",
            "degrees",
            1.0,
            "Where the wind comes from, clockwise from true north.",
        ),
        Quantity::Precipitation => ShownAs(
            "precipitation",
            "meters",
            1_000.0,
            "Rain and melted snow that fell in the stretch which ends at the observation.",
        ),
        Quantity::CloudCover => {
            ShownAs("cloud_cover", "ratio", 100.0, "Share of the sky covered by clouds, 0 to 1.")
        }
        Quantity::Visibility => ShownAs("visibility", "meters", 1.0, "Horizontal visibility."),
    }
}

fn write_quantity(
    quantity: Quantity,
    served: &[ServedPlace],
    writer: &mut Writer<'_, '_>,
) -> fmt::Result {
    let ShownAs(name, unit, divisor, help) = shown_as(quantity);
    let series = served.iter().filter_map(|it| {
        let value = it.served.observation.readings.get(quantity)?;
        Some((it.labels(), value / divisor))
    });
    writer.gauges(metric(name, help).in_unit(&Unit::Other(unit.to_owned())), series)
}

fn write_precipitation_interval(
    served: &[ServedPlace],
    writer: &mut Writer<'_, '_>,
) -> fmt::Result {
    let series = served.iter().filter_map(|it| {
        let interval = it.served.observation.readings.precipitation?.interval?;
        Some((it.labels(), interval.as_secs_f64()))
    });
    let help = "Stretch of time in which the precipitation fell; absent when nobody says.";
    writer.gauges(metric("precipitation_interval", help).in_seconds(), series)
}

fn write_quality(served: &[ServedPlace], writer: &mut Writer<'_, '_>) -> fmt::Result {
    let observed = served
        .iter()
        .map(|it| (it.labels(), it.served.observation.observed_at.as_duration().as_secs_f64()));
    let help = "When the served values were observed, in seconds since the Unix epoch.";
    writer.gauges(metric("observation_timestamp", help).in_seconds(), observed)?;
    let ages = served.iter().map(|it| (it.labels(), it.freshness.age_seconds as f64));
    let help = "Time since the served values were observed.";
    writer.gauges(metric("observation_age", help).in_seconds(), ages)?;
    let stale = served.iter().map(|it| (it.labels(), flag(it.freshness.is_stale())));
    let help = "1 while the served values are older than the limit of their provider.";
    writer.gauges(metric("stale", help), stale)?;
    let roles = served.iter().flat_map(|it| {
        let is_fallback = matches!(it.served.role, Role::Fallback { .. });
        let [place, provider] = it.labels();
        [("primary", !is_fallback), ("fallback", is_fallback)]
            .map(|(role, is_so)| ([place, provider, ("role", role)], flag(is_so)))
    });
    let help = "1 for the part that the provider plays which serves the place.";
    writer.gauges(metric("role", help), roles)
}

/// Means are looked at, never worked out here: a job keeps them at hand.
fn write_means(
    shown: &Shown,
    places: &[Arc<StoredPlace>],
    writer: &mut Writer<'_, '_>,
) -> fmt::Result {
    let at_hand = shown.averages.at_hand();
    let means = || {
        let of_place = |place| Some((place_label(place), at_hand.get(&place.id)?));
        places.iter().filter_map(of_place).flat_map(|(place, means): (_, &MeansAtHand)| {
            means.all().map(|(period, mean)| ([place, ("window", period.as_str())], mean))
        })
    };
    let values = means().filter_map(|(labels, mean)| Some((labels, mean.mean.value?)));
    let help = "Mean temperature of the last 24 hours or 7 days; absent without any data.";
    let celsius = Unit::Other("celsius".to_owned());
    writer.gauges(metric("temperature_mean", help).in_unit(&celsius), values)?;
    let coverage = means().map(|(labels, mean)| (labels, mean.mean.coverage));
    let help = "Part of the window for which values speak, 0 to 1; also without a mean.";
    let ratio = Unit::Other("ratio".to_owned());
    writer.gauges(metric("temperature_mean_coverage", help).in_unit(&ratio), coverage)?;
    let computed =
        means().map(|(labels, mean)| (labels, mean.computed_at.as_duration().as_secs_f64()));
    let help = "When the mean was worked out, in seconds since the Unix epoch.";
    writer.gauges(metric("temperature_mean_timestamp", help).in_seconds(), computed)
}

fn place_label(place: &Arc<StoredPlace>) -> (&'static str, &str) {
    ("place", place.id.as_str())
}
