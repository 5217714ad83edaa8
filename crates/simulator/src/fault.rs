//! What a stand-in can do wrong: one variant, one spelling and one JSON form for each way.
//!
//! What a client should make of each stands in [`catalogue`]; how it is played, in the crate's
//! `stage`, `delivery` and `distortion`.

mod catalogue;
mod spelling;

use pampero_weather::provider::ProviderId;
use serde::{Deserialize, Serialize};

pub use catalogue::{CatalogueEntry, Expected, catalogue};
pub use spelling::InvalidFault;

/// A way in which a weather service misbehaves.
///
/// The JSON form is an object with the spelling in `kind` and the parameters beside it, as in
/// `{"kind": "status", "code": 503}`; parameters with a default may be left out. The short form,
/// for command lines, is the spelling with the parameter behind a colon, as in `status:503`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Answers with a status and the service's own error body; with 203, an ordinary answer.
    Status {
        /// The HTTP status: 203, 204, or 300 to 599.
        code: u16,
    },
    /// Answers 429.
    RateLimited {
        /// What the `Retry-After` header says.
        #[serde(default)]
        retry_after: RetryAfter,
    },
    /// Answers that the limit of a window is reached, in the service's own words.
    LimitReached {
        /// Which window is full.
        window: LimitWindow,
    },
    /// Answers that the allowance of the day or month is used up, each service in its own way.
    QuotaExhausted,
    /// Refuses the key or the caller, each service in its own way.
    AuthRefused,
    /// Refuses the caller with status 403 and a page of HTML.
    #[serde(rename = "auth_html_403")]
    AuthHtml403,
    /// Calls the request wrong, each service in its own way.
    BadRequest,
    /// Has nothing for the place, each service in its own way.
    NotCovered,
    /// Waits before the first byte of an ordinary answer.
    SlowFirstByte {
        /// The wait in milliseconds.
        #[serde(default = "slow_ms")]
        ms: u64,
    },
    /// Sends the headers at once and lets the body trickle.
    SlowBody {
        /// How long the whole body takes, in milliseconds.
        #[serde(default = "slow_ms")]
        ms: u64,
    },
    /// Takes the request and never answers.
    Hang,
    /// Takes the request and resets the connection (TCP RST).
    Reset,
    /// Takes the request and closes the connection without an answer.
    Close,
    /// Closes the connection in the middle of the body.
    CutBody,
    /// Ends the JSON in the middle, with plain text behind it, in a complete HTTP answer.
    CutJson,
    /// Answers 200 with bytes that are no text.
    Garbage,
    /// Answers 200 with a page of HTML.
    Html,
    /// Answers 200 with no body at all.
    EmptyAnswer,
    /// Answers 200 with an empty JSON array.
    EmptyArray,
    /// Leaves the last place of a batch out.
    WrongCount,
    /// Answers `null` for the last place of a batch.
    OneElementNull,
    /// Answers the places of a batch in the reverse order.
    OutOfOrder,
    /// Answers a batch with the first place alone, as an object.
    ObjectInsteadOfArray,
    /// Answers in Kelvin and km/h, whatever was asked for.
    WrongUnits,
    /// Keeps answering with the instant and the values of the moment the fault began.
    Frozen,
    /// Answers with an instant in the future.
    ClockAhead {
        /// How far ahead, in minutes.
        #[serde(default = "ahead_minutes")]
        minutes: u32,
    },
    /// Answers with an instant, and values, of long ago.
    OldAnswer {
        /// How long ago, in hours.
        #[serde(default = "old_hours")]
        hours: u32,
    },
    /// Writes `null` for every measured value but the temperature.
    NullFields,
    /// Leaves out every measured value but the temperature.
    AbsentFields,
    /// Writes numbers as text.
    TextNumbers,
    /// Answers with a weather code that is in no map.
    UnknownCode,
    /// Adds fields that nobody described.
    ExtraFields,
    /// Answers a temperature of 999 °C, a humidity of 101 % and gusts below the mean wind.
    Implausible,
    /// Gives the pressure of a mountain station, 1600 m up, as pressure at sea level.
    StationPressureAsMsl,
    /// Says something slightly different of an instant than before.
    CorrectedValue,
    /// Answers with a JSON body that does not end for a long while.
    HugeBody {
        /// The size in MiB.
        #[serde(default = "huge_mib")]
        mib: u32,
    },
    /// Redirects to the same address for ever.
    RedirectLoop,
    /// Redirects some times, then answers.
    TooManyRedirects {
        /// The number of redirects before the answer.
        #[serde(default = "redirect_hops")]
        hops: u32,
    },
}

/// What the `Retry-After` header of a 429 says.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// There is no such header.
    #[default]
    None,
    /// This many seconds.
    Seconds(u32),
    /// The HTTP date this many seconds from now.
    Date(u32),
}

/// The window whose limit is reached.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitWindow {
    /// The present minute.
    Minute,
    /// The present hour.
    Hour,
    /// The present day (UTC).
    Day,
    /// Too many requests at the same time.
    Concurrent,
}

const fn slow_ms() -> u64 {
    3_000
}

const fn ahead_minutes() -> u32 {
    120
}

const fn old_hours() -> u32 {
    6
}

const fn huge_mib() -> u32 {
    32
}

const fn redirect_hops() -> u32 {
    5
}

impl Fault {
    /// Tells whether the fault can be played by the stand-in for `provider`.
    ///
    /// The faults of batches belong to Open-Meteo, the only service with batches.
    pub const fn applies_to(&self, provider: ProviderId) -> bool {
        match self {
            Self::WrongCount
            | Self::OneElementNull
            | Self::OutOfOrder
            | Self::ObjectInsteadOfArray => matches!(provider, ProviderId::OpenMeteo),
            _ => true,
        }
    }
}
