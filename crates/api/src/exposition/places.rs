//! `pampero_place_…`: what each place is served, and how good that is.

use std::fmt;
use std::sync::Arc;

use pampero_loader::{Role, Served};
use pampero_store::{PlaceState, StoredPlace};
use pampero_weather::observation::Quantity;
use prometheus_client::registry::Unit;

use super::{Labels, Shown, Writer};
use crate::weather::freshness::Freshness;

/// Most places that have metrics of their own: the first ones.
const PLACES_MAX: usize = 1_000;

/// The quantities that are shown, with the unit in the name of the metric.
const SHOWN: [(Quantity, &str, &str); 4] = [
    (Quantity::Temperature, "temperature", "celsius"),
    (Quantity::RelativeHumidity, "relative_humidity", "percent"),
    (Quantity::PressureMsl, "pressure_msl", "hectopascals"),
    (Quantity::WindSpeed, "wind_speed", "meters_per_second"),
];

/// A place that is served, with what it is served.
struct ServedPlace {
    place: Arc<StoredPlace>,
    served: Arc<Served>,
    freshness: Freshness,
    has_trouble: bool,
}

pub(super) fn write(shown: &Shown, writer: &mut Writer<'_, '_>) -> fmt::Result {
    let places = shown.places.list();
    let is_ready = |place: &Arc<StoredPlace>| matches!(place.state, PlaceState::Ready(_));
    let ready = places.iter().filter(|place| is_ready(place)).count();
    let by_state = [("ready", ready), ("unresolved", places.len() - ready)];
    let by_state = by_state.map(|(state, n)| (vec![("state", state.to_owned())], n as f64));
    writer.gauge("count", "Places, by whether they can be asked for.", None, by_state)?;

    let served: Vec<ServedPlace> =
        places.iter().take(PLACES_MAX).filter_map(|place| served_place(shown, place)).collect();
    let of_each =
        |value: fn(&ServedPlace) -> f64| served.iter().map(move |it| (labels(it), value(it)));
    let age = of_each(|it| it.freshness.age_seconds as f64);
    let help = "Time since the served values were observed.";
    writer.gauge("age", help, Some(&Unit::Seconds), age)?;
    let stale = of_each(|it| flag(it.freshness.is_stale()));
    writer.gauge("stale", "1 while the served values are older than their limit.", None, stale)?;
    let fallback = of_each(|it| flag(matches!(it.served.role, Role::Fallback { .. })));
    writer.gauge("fallback", "1 while a fallback serves the place.", None, fallback)?;
    let trouble = of_each(|it| flag(it.has_trouble));
    writer.gauge("trouble", "1 while no provider answers for the place.", None, trouble)?;
    for (quantity, name, unit) in SHOWN {
        let series = served.iter().filter_map(|it| {
            let value = it.served.observation.readings.get(quantity)?;
            Some((labels(it), value))
        });
        let unit = Unit::Other(unit.to_owned());
        writer.gauge(name, "The served value.", Some(&unit), series)?;
    }
    Ok(())
}

fn served_place(shown: &Shown, place: &Arc<StoredPlace>) -> Option<ServedPlace> {
    let slot = shown.board.slot(&place.id)?;
    let served = slot.served()?;
    let observation = &served.observation;
    let (provider, observed_at) = (observation.provider, observation.observed_at);
    let freshness = Freshness::of(&shown.sources, provider, observed_at, shown.clock.now());
    let has_trouble = slot.trouble().is_some();
    Some(ServedPlace { place: Arc::clone(place), served, freshness, has_trouble })
}

fn labels(it: &ServedPlace) -> Labels {
    vec![("place", it.place.id.as_str().to_owned())]
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}
