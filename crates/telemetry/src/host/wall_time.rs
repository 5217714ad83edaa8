//! The wall time and its zone, the same on every platform.

use jiff::tz::TimeZone;
use pampero_resilience::Clock;

use super::families::{Families, Kind};

pub(super) fn write(clock: &dyn Clock, out: &mut Families) {
    let now = clock.now();
    out.single(
        Kind::Gauge,
        "node_time_seconds",
        "System time in seconds since epoch (1970).",
        now.as_duration().as_secs_f64(),
    );
    let zone = TimeZone::system();
    let offset = zone.to_offset_info(now);
    out.family(Kind::Gauge, "node_time_zone_offset_seconds", "System time zone offset in seconds.");
    let seconds = f64::from(offset.offset().seconds());
    out.sample(&[("time_zone", offset.abbreviation())], seconds);
}
