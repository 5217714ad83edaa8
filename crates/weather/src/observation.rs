//! What one provider says of one place at one instant, with where it came from and how it was checked.

use jiff::{SignedDuration, Timestamp};

use crate::condition::ReportedCondition;
use crate::place::PlaceId;
use crate::provider::ProviderId;
use crate::quality::QualityFlags;
use crate::unit::{
    Celsius, Degrees, Meters, MetersPerSecond, Millimeters, Percent, SeaLevelPressure,
    StationPressure,
};

/// What one provider says of one place at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The place it speaks of.
    pub place: PlaceId,
    /// The service that said it.
    pub provider: ProviderId,
    /// The instant the values are valid for; never the time they were fetched.
    pub observed_at: Timestamp,
    /// The instant the answer arrived here.
    pub fetched_at: Timestamp,
    /// How the provider came by the values.
    pub source_kind: SourceKind,
    /// The quantities, `None` where the provider said nothing or the value was rejected.
    pub readings: Readings,
    /// State of the sky; `None` where the provider said nothing.
    pub condition: Option<ReportedCondition>,
    /// What is to be known of single readings.
    pub flags: QualityFlags,
}

impl Observation {
    /// Tells whether `other` says the same of the same place at the same instant.
    ///
    /// When each was fetched does not matter: a repeated answer is the same observation.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let same_key = (&self.place, self.provider, self.observed_at)
            == (&other.place, other.provider, other.observed_at);
        same_key
            && self.source_kind == other.source_kind
            && self.readings == other.readings
            && self.condition == other.condition
            && self.flags == other.flags
    }
}

/// How a provider comes by its values.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SourceKind {
    /// An instrument at or near the place.
    Station,
    /// A numerical weather model.
    Model,
    /// Stations, radar and models mixed by the provider.
    Blend,
}

impl SourceKind {
    /// Returns the spelling: `station`, `model` or `blend`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Station => "station",
            Self::Model => "model",
            Self::Blend => "blend",
        }
    }
}

impl std::str::FromStr for SourceKind {
    type Err = UnknownSourceKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = [Self::Station, Self::Model, Self::Blend];
        let found = known.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| UnknownSourceKind(text.to_owned()))
    }
}

/// The text is none of `station`, `model`, `blend`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown source kind {0:?}; known are station, model and blend")]
pub struct UnknownSourceKind(pub String);

/// The quantities of an observation; `None` means that the source did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Readings {
    /// Air temperature 2 m above ground.
    pub temperature: Option<Celsius>,
    /// Relative humidity over water, 0 to 100.
    pub relative_humidity: Option<Percent>,
    /// Dew point 2 m above ground.
    pub dew_point: Option<Celsius>,
    /// Pressure reduced to mean sea level.
    pub pressure_msl: Option<SeaLevelPressure>,
    /// Pressure at the height of the station or model terrain.
    pub pressure_station: Option<StationPressure>,
    /// Mean wind 10 m above ground.
    pub wind_speed: Option<MetersPerSecond>,
    /// Strongest gust 10 m above ground.
    pub wind_gust: Option<MetersPerSecond>,
    /// Where the wind comes from; `None` also when it is calm or variable.
    pub wind_direction: Option<Degrees>,
    /// Precipitation with the stretch of time it fell in.
    pub precipitation: Option<Precipitation>,
    /// Share of the sky covered by clouds.
    pub cloud_cover: Option<Percent>,
    /// Horizontal visibility; the provider may cap it, which a flag then says.
    pub visibility: Option<Meters>,
}

/// An amount of precipitation and the stretch of time, ending at `observed_at`, in which it fell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precipitation {
    /// Rain and melted snow.
    pub amount: Millimeters,
    /// The stretch it fell in; `None` when the provider does not say, which keeps it out of sums.
    pub interval: Option<SignedDuration>,
}

/// The names of the quantities in [`Readings`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Quantity {
    /// [`Readings::temperature`].
    Temperature,
    /// [`Readings::relative_humidity`].
    RelativeHumidity,
    /// [`Readings::dew_point`].
    DewPoint,
    /// [`Readings::pressure_msl`].
    PressureMsl,
    /// [`Readings::pressure_station`].
    PressureStation,
    /// [`Readings::wind_speed`].
    WindSpeed,
    /// [`Readings::wind_gust`].
    WindGust,
    /// [`Readings::wind_direction`].
    WindDirection,
    /// [`Readings::precipitation`].
    Precipitation,
    /// [`Readings::cloud_cover`].
    CloudCover,
    /// [`Readings::visibility`].
    Visibility,
}

impl Quantity {
    /// Every quantity, in the order of [`Readings`].
    pub const ALL: [Self; 11] = [
        Self::Temperature,
        Self::RelativeHumidity,
        Self::DewPoint,
        Self::PressureMsl,
        Self::PressureStation,
        Self::WindSpeed,
        Self::WindGust,
        Self::WindDirection,
        Self::Precipitation,
        Self::CloudCover,
        Self::Visibility,
    ];

    /// Returns the spelling, as in `relative_humidity`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::RelativeHumidity => "relative_humidity",
            Self::DewPoint => "dew_point",
            Self::PressureMsl => "pressure_msl",
            Self::PressureStation => "pressure_station",
            Self::WindSpeed => "wind_speed",
            Self::WindGust => "wind_gust",
            Self::WindDirection => "wind_direction",
            Self::Precipitation => "precipitation",
            Self::CloudCover => "cloud_cover",
            Self::Visibility => "visibility",
        }
    }

    /// Returns the symbol of its unit, as in `°C`.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Temperature | Self::DewPoint => Celsius::SYMBOL,
            Self::RelativeHumidity | Self::CloudCover => Percent::SYMBOL,
            Self::PressureMsl | Self::PressureStation => SeaLevelPressure::SYMBOL,
            Self::WindSpeed | Self::WindGust => MetersPerSecond::SYMBOL,
            Self::WindDirection => Degrees::SYMBOL,
            Self::Precipitation => Millimeters::SYMBOL,
            Self::Visibility => Meters::SYMBOL,
        }
    }
}

impl std::str::FromStr for Quantity {
    type Err = UnknownQuantity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|quantity| quantity.as_str() == text);
        known.ok_or_else(|| UnknownQuantity(text.to_owned()))
    }
}

/// The text names no quantity.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown quantity {0:?}")]
pub struct UnknownQuantity(pub String);

impl Readings {
    /// Returns the number of `quantity` in its fixed unit; precipitation without its interval.
    pub fn get(&self, quantity: Quantity) -> Option<f64> {
        match quantity {
            Quantity::Temperature => self.temperature.map(|reading| reading.0),
            Quantity::RelativeHumidity => self.relative_humidity.map(|reading| reading.0),
            Quantity::DewPoint => self.dew_point.map(|reading| reading.0),
            Quantity::PressureMsl => self.pressure_msl.map(|reading| reading.0),
            Quantity::PressureStation => self.pressure_station.map(|reading| reading.0),
            Quantity::WindSpeed => self.wind_speed.map(|reading| reading.0),
            Quantity::WindGust => self.wind_gust.map(|reading| reading.0),
            Quantity::WindDirection => self.wind_direction.map(|reading| reading.0),
            Quantity::Precipitation => self.precipitation.map(|reading| reading.amount.0),
            Quantity::CloudCover => self.cloud_cover.map(|reading| reading.0),
            Quantity::Visibility => self.visibility.map(|reading| reading.0),
        }
    }

    /// Takes the reading of `quantity` out, so that it reads as not said.
    pub fn remove(&mut self, quantity: Quantity) {
        match quantity {
            Quantity::Temperature => self.temperature = None,
            Quantity::RelativeHumidity => self.relative_humidity = None,
            Quantity::DewPoint => self.dew_point = None,
            Quantity::PressureMsl => self.pressure_msl = None,
            Quantity::PressureStation => self.pressure_station = None,
            Quantity::WindSpeed => self.wind_speed = None,
            Quantity::WindGust => self.wind_gust = None,
            Quantity::WindDirection => self.wind_direction = None,
            Quantity::Precipitation => self.precipitation = None,
            Quantity::CloudCover => self.cloud_cover = None,
            Quantity::Visibility => self.visibility = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::ReportedCondition;
    use crate::quality::Flag;

    #[test]
    fn every_quantity_is_found_by_its_spelling_and_reads_its_own_field() {
        let mut readings = full();
        for (index, quantity) in Quantity::ALL.into_iter().enumerate() {
            assert_eq!(quantity.as_str().parse(), Ok(quantity));
            assert_eq!(readings.get(quantity), Some(index as f64), "{quantity:?}");
            readings.remove(quantity);
            assert_eq!(readings.get(quantity), None, "{quantity:?}");
        }
        assert_eq!(readings, Readings::default());
        assert_eq!("dewpoint".parse::<Quantity>(), Err(UnknownQuantity("dewpoint".to_owned())));
    }

    fn full() -> Readings {
        Readings {
            temperature: Some(Celsius(0.0)),
            relative_humidity: Some(Percent(1.0)),
            dew_point: Some(Celsius(2.0)),
            pressure_msl: Some(SeaLevelPressure(3.0)),
            pressure_station: Some(StationPressure(4.0)),
            wind_speed: Some(MetersPerSecond(5.0)),
            wind_gust: Some(MetersPerSecond(6.0)),
            wind_direction: Some(Degrees(7.0)),
            precipitation: Some(Precipitation { amount: Millimeters(8.0), interval: None }),
            cloud_cover: Some(Percent(9.0)),
            visibility: Some(Meters(10.0)),
        }
    }

    #[test]
    fn every_source_kind_is_found_by_its_spelling() {
        for kind in [SourceKind::Station, SourceKind::Model, SourceKind::Blend] {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("radar".parse::<SourceKind>(), Err(UnknownSourceKind("radar".to_owned())));
    }

    #[test]
    fn repeated_answer_says_the_same_whenever_it_was_fetched() {
        let first = Observation {
            place: "rosario".parse().unwrap(),
            provider: ProviderId::OpenMeteo,
            observed_at: Timestamp::UNIX_EPOCH,
            fetched_at: Timestamp::UNIX_EPOCH,
            source_kind: SourceKind::Model,
            readings: full(),
            condition: Some(ReportedCondition::from_wmo(61)),
            flags: QualityFlags::default(),
        };
        let check = |says_the_same: bool, change: fn(&mut Observation)| {
            let mut other = first.clone();
            change(&mut other);
            assert_eq!(first.says_the_same_as(&other), says_the_same, "{other:?}");
        };
        check(true, |other| other.fetched_at = Timestamp::MAX);
        check(false, |other| other.observed_at = Timestamp::MAX);
        check(false, |other| other.provider = ProviderId::MetNorway);
        check(false, |other| other.source_kind = SourceKind::Blend);
        check(false, |other| other.readings.remove(Quantity::Visibility));
        check(false, |other| other.condition = None);
        check(false, |other| other.flags.set(Quantity::WindSpeed, Flag::Suspect));
    }
}
