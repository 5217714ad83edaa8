//! What a stand-in knows when it answers: the instant, the weather, and how both are bent.

use jiff::Timestamp;
use pampero_weather::provider::ProviderId;

use crate::config::SimulatorConfig;
use crate::fault::Fault;
use crate::switchboard::ActiveFault;
use crate::world::{Site, Spot, Weather, station_hpa};

/// What a stand-in knows when it answers one request.
pub(crate) struct Scene<'a> {
    pub(crate) config: &'a SimulatorConfig,
    pub(crate) provider: ProviderId,
    /// The true instant, in seconds since the Unix epoch.
    pub(crate) now: i64,
    /// The fault that is played, whatever it is; each stand-in looks for those it has to play.
    pub(crate) fault: Option<&'a ActiveFault>,
}

impl Scene<'_> {
    fn plays(&self, fault: &Fault) -> bool {
        self.fault.is_some_and(|active| active.fault == *fault)
    }

    /// Tells whether the answer is in units nobody asked for.
    pub(crate) fn in_wrong_units(&self) -> bool {
        self.plays(&Fault::WrongUnits)
    }

    /// Tells whether the weather code is one that nobody knows.
    pub(crate) fn with_unknown_code(&self) -> bool {
        self.plays(&Fault::UnknownCode)
    }

    /// Returns the instant the answer takes for now, in seconds since the Unix epoch.
    pub(crate) fn instant(&self) -> i64 {
        let Some(active) = self.fault else { return self.now };
        match active.fault {
            Fault::Frozen => active.since.as_second(),
            Fault::ClockAhead { minutes } => self.now + i64::from(minutes) * 60,
            Fault::OldAnswer { hours } => self.now - i64::from(hours) * 3_600,
            _ => self.now,
        }
    }

    /// Tells whether a series must end with the instant, because the service stood still since.
    pub(crate) fn series_ends(&self) -> bool {
        self.instant() < self.now
    }

    /// Returns the weather as the provider tells it, `at` in seconds since the Unix epoch.
    ///
    /// `asked_m` is the height the client gave, to which temperature and pressure are corrected.
    pub(crate) fn weather(&self, site: &Site, at: i64, asked_m: Option<f64>) -> Weather {
        let mut weather = site.weather(at, self.config.gap_bridged_hours);
        if let Some(asked_m) = asked_m {
            correct_to_height(&mut weather, asked_m - site.ground_m, asked_m);
        }
        lean(&mut weather, self.provider);
        if let Some(active) = self.fault {
            bend(&mut weather, &active.fault);
        }
        weather
    }
}

/// Moves temperature and station pressure to another height, as the real services do.
fn correct_to_height(weather: &mut Weather, difference_m: f64, height_m: f64) {
    let cooler_k = 0.0065 * difference_m;
    shift(&mut weather.temperature_c, -cooler_k);
    shift(&mut weather.dew_point_c, -cooler_k);
    if let (Some(sea_level), Some(air)) = (weather.sea_level_hpa, weather.temperature_c) {
        weather.station_hpa = Some(station_hpa(sea_level, height_m, air));
    }
}

/// Makes each provider differ a little, so that it can be seen who answered.
///
/// Open-Meteo tells the truth.
fn lean(weather: &mut Weather, provider: ProviderId) {
    let (warmer_k, higher_hpa, windier) = match provider {
        ProviderId::OpenMeteo => return,
        ProviderId::MetNorway => (0.3, -0.4, 1.05),
        ProviderId::OpenWeatherMap => (-0.4, 0.3, 0.95),
        ProviderId::Weatherstack => (0.6, 0.8, 1.08),
    };
    correct(weather, warmer_k, higher_hpa, windier);
}

/// Plays the faults that change what is said of an instant.
fn bend(weather: &mut Weather, fault: &Fault) {
    match fault {
        // More than one unit, so that it shows in whole numbers too.
        Fault::CorrectedValue => correct(weather, 1.2, 1.2, 1.12),
        Fault::Implausible => {
            let wind = weather.wind_ms.unwrap_or(0.0).max(4.0);
            weather.temperature_c = Some(999.0);
            weather.humidity_percent = Some(101.0);
            weather.wind_ms = Some(wind);
            weather.gust_ms = Some(wind / 2.0);
        }
        Fault::StationPressureAsMsl => {
            let air = weather.temperature_c.unwrap_or(10.0);
            weather.sea_level_hpa = weather.sea_level_hpa.map(|hpa| station_hpa(hpa, 1_600.0, air));
        }
        _ => {}
    }
}

fn correct(weather: &mut Weather, warmer_k: f64, higher_hpa: f64, windier: f64) {
    shift(&mut weather.temperature_c, warmer_k);
    shift(&mut weather.dew_point_c, warmer_k);
    shift(&mut weather.sea_level_hpa, higher_hpa);
    shift(&mut weather.station_hpa, higher_hpa);
    weather.wind_ms = weather.wind_ms.map(|wind| wind * windier);
    weather.gust_ms = weather.gust_ms.map(|gust| gust * windier);
}

fn shift(value: &mut Option<f64>, by: f64) {
    *value = value.map(|value| value + by);
}

/// Rounds to a number of decimals, and never to a negative zero.
pub(crate) fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale + 0.0
}

/// Takes the latitude and longitude of a question; `None` when they lie outside the Earth.
pub(crate) fn spot(latitude: f64, longitude: f64) -> Option<Spot> {
    let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    on_earth.then_some(Spot { latitude, longitude })
}

/// Makes an instant of seconds since the Unix epoch; the epoch itself for what cannot be one.
pub(crate) fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Writes an instant as an HTTP date (RFC 1123).
pub(crate) fn http_date(seconds: i64) -> String {
    let since_epoch = std::time::Duration::from_secs(seconds.max(0).unsigned_abs());
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since_epoch)
}
