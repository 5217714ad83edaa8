//! The steps of a forecast. It foresees exactly what will be.

use serde_json::{Map, Value, json};

use super::Product;
use crate::scene::{Scene, round, timestamp};
use crate::world::{Site, Sky, Spot, Strength, Weather, sun};

/// Hours with a step each; then a step every six hours until the end.
const HOURLY: usize = 48;

/// Hours from the first to the last step.
const LAST: usize = 72;

/// Hours looked ahead beyond the last step, for the amounts of the six and twelve hours after it.
const AHEAD: usize = 12;

/// Returns the steps from the hour of the model run on, so that the newest run always has a step in
/// the past and the same run always the same steps.
pub(super) fn steps(
    scene: &Scene<'_>,
    product: Product,
    site: &Site,
    altitude_m: Option<f64>,
    run: i64,
) -> Vec<Value> {
    let ahead_of_clock = scene.now < scene.instant();
    // A clock that runs ahead has no step left in the present.
    let first = if ahead_of_clock { scene.instant() + 3_599 } else { run };
    let first = first.div_euclid(3_600) * 3_600;
    let at = |hour: usize| first + hour as i64 * 3_600;
    let hours: Vec<Weather> =
        (0..=LAST + AHEAD).map(|hour| scene.weather(site, at(hour), altitude_m)).collect();
    let outlook = Outlook { scene, product, spot: site.spot, hours: &hours, first };
    let listed = (0..=LAST).filter(|hour| *hour <= HOURLY || (*hour - HOURLY).is_multiple_of(6));
    let until = if scene.series_ends() { scene.instant() } else { i64::MAX };
    listed
        .take_while(|hour| at(*hour) <= until)
        .map(|hour| json!({"time": timestamp(at(hour)).to_string(), "data": outlook.data(hour)}))
        .collect()
}

/// The weather of the hours to come.
struct Outlook<'a> {
    scene: &'a Scene<'a>,
    product: Product,
    spot: Spot,
    hours: &'a [Weather],
    first: i64,
}

impl Outlook<'_> {
    fn data(&self, hour: usize) -> Map<String, Value> {
        let mut data = Map::new();
        data.insert("instant".to_owned(), json!({"details": self.details(&self.hours[hour])}));
        if hour < HOURLY {
            let details = json!({"precipitation_amount": self.amount(hour, 1)});
            let summary = json!({"symbol_code": self.symbol(hour, 1)});
            data.insert("next_1_hours".to_owned(), json!({"summary": summary, "details": details}));
        }
        let mut details = json!({"precipitation_amount": self.amount(hour, 6)});
        if self.product == Product::Complete {
            let (coldest, warmest) = self.extremes(hour, 6);
            details["air_temperature_min"] = coldest.into();
            details["air_temperature_max"] = warmest.into();
        }
        let summary = json!({"symbol_code": self.symbol(hour, 6)});
        data.insert("next_6_hours".to_owned(), json!({"summary": summary, "details": details}));
        let mut summary = json!({"symbol_code": self.symbol(hour, 12)});
        if self.product == Product::Complete {
            summary["symbol_confidence"] = "certain".into();
        }
        data.insert("next_12_hours".to_owned(), json!({"summary": summary, "details": {}}));
        data
    }

    /// Writes the values of an instant; one that nobody knows is left out.
    fn details(&self, weather: &Weather) -> Map<String, Value> {
        let mut details = Map::new();
        let mut put = |name: &str, value: Option<f64>| {
            if let Some(value) = value {
                details.insert(name.to_owned(), round(value, 1).into());
            }
        };
        let wrong = self.scene.in_wrong_units();
        let degrees = |celsius: f64| if wrong { celsius + 273.15 } else { celsius };
        let speed = |ms: f64| if wrong { ms * 3.6 } else { ms };
        put("air_pressure_at_sea_level", weather.sea_level_hpa);
        put("air_temperature", weather.temperature_c.map(degrees));
        put("cloud_area_fraction", weather.cloud_percent);
        put("relative_humidity", weather.humidity_percent);
        put("wind_from_direction", weather.wind_from_degrees);
        put("wind_speed", weather.wind_ms.map(speed));
        if self.product == Product::Complete {
            let foggy = if weather.sky == Sky::Fog { 100.0 } else { 0.0 };
            put("dew_point_temperature", weather.dew_point_c.map(degrees));
            put("fog_area_fraction", Some(foggy));
            put("wind_speed_of_gust", weather.gust_ms.map(speed));
        }
        details
    }

    /// Returns the mm of water that fall in the `length` hours after `hour`.
    ///
    /// The amount of an hour is known at its end.
    fn amount(&self, hour: usize, length: usize) -> f64 {
        let ends = &self.hours[hour + 1..=hour + length];
        round(ends.iter().filter_map(|weather| weather.hour_mm).sum(), 1)
    }

    fn extremes(&self, hour: usize, length: usize) -> (Option<f64>, Option<f64>) {
        let hours = &self.hours[hour..=hour + length];
        let known = || hours.iter().filter_map(|weather| weather.temperature_c);
        let coldest = known().min_by(f64::total_cmp).map(|celsius| round(celsius, 1));
        let warmest = known().max_by(f64::total_cmp).map(|celsius| round(celsius, 1));
        (coldest, warmest)
    }

    /// Names the worst of the sky in the `length` hours after `hour`.
    fn symbol(&self, hour: usize, length: usize) -> String {
        if self.scene.with_unknown_code() {
            return "rainoffrogs_day".to_owned();
        }
        let ends = &self.hours[hour + 1..=hour + length];
        let worst = ends.iter().max_by_key(|weather| severity(weather.sky));
        let sky = worst.map_or(Sky::Clear, |weather| weather.sky);
        let suffixed = matches!(sky, Sky::Clear | Sky::MostlyClear | Sky::PartlyCloudy);
        let day = sun::is_up(self.spot, self.first + hour as i64 * 3_600 + 1_800);
        let suffix = if !suffixed {
            ""
        } else if day {
            "_day"
        } else {
            "_night"
        };
        format!("{}{suffix}", stem(sky))
    }
}

const fn severity(sky: Sky) -> u8 {
    match sky {
        Sky::Clear => 0,
        Sky::MostlyClear => 1,
        Sky::PartlyCloudy => 2,
        Sky::Overcast => 3,
        Sky::Fog => 4,
        Sky::Drizzle(strength) => 5 + strength as u8,
        Sky::Rain(strength) => 8 + strength as u8,
        Sky::Sleet(strength) => 11 + strength as u8,
        Sky::Snow(strength) => 14 + strength as u8,
        Sky::Thunderstorm => 17,
    }
}

/// Drizzle has no symbol of its own and is light rain.
const fn stem(sky: Sky) -> &'static str {
    use Strength::{Heavy, Light, Moderate};
    match sky {
        Sky::Clear => "clearsky",
        Sky::MostlyClear => "fair",
        Sky::PartlyCloudy => "partlycloudy",
        Sky::Overcast => "cloudy",
        Sky::Fog => "fog",
        Sky::Drizzle(_) | Sky::Rain(Light) => "lightrain",
        Sky::Rain(Moderate) => "rain",
        Sky::Rain(Heavy) => "heavyrain",
        Sky::Sleet(Light) => "lightsleet",
        Sky::Sleet(Moderate) => "sleet",
        Sky::Sleet(Heavy) => "heavysleet",
        Sky::Snow(Light) => "lightsnow",
        Sky::Snow(Moderate) => "snow",
        Sky::Snow(Heavy) => "heavysnow",
        Sky::Thunderstorm => "heavyrainandthunder",
    }
}

/// Lists the units of the values that the product has.
pub(super) fn units(product: Product, wrong: bool) -> Value {
    let (temperature, speed) = if wrong { ("kelvin", "km/h") } else { ("celsius", "m/s") };
    let mut units = json!({
        "air_pressure_at_sea_level": "hPa",
        "air_temperature": temperature,
        "cloud_area_fraction": "%",
        "precipitation_amount": "mm",
        "relative_humidity": "%",
        "wind_from_direction": "degrees",
        "wind_speed": speed,
    });
    if product == Product::Complete {
        units["air_temperature_max"] = temperature.into();
        units["air_temperature_min"] = temperature.into();
        units["dew_point_temperature"] = temperature.into();
        units["fog_area_fraction"] = "%".into();
        units["wind_speed_of_gust"] = speed.into();
    }
    units
}
