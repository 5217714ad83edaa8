//! The timeline: every decision Pampero took about a provider or a place, with its cause.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use crate::place::PlaceId;
use crate::provider::ProviderId;

/// One decision, kept in the store and published inside the process.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it was taken.
    pub at: Timestamp,
    /// What was decided.
    pub kind: EventKind,
    /// The provider it is about; `None` when it is about no single one.
    pub provider: Option<ProviderId>,
    /// The place it is about; `None` when it is about many or none.
    pub place: Option<PlaceId>,
    /// Why, in words without secrets; `None` when the kind says it all.
    pub cause: Option<String>,
    /// The attempt it belongs to, counted from 1.
    pub attempt: Option<u32>,
    /// How long the attempt or the call had taken.
    pub elapsed: Option<Duration>,
}

/// Declares [`EventKind`] with one spelling per variant.
macro_rules! event_kinds {
    ($($(#[$doc:meta])* $variant:ident = $spelling:literal,)+) => {
        /// What was decided.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum EventKind { $($(#[$doc])* $variant,)+ }

        impl EventKind {
            /// Every kind, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the spelling of the kind, as in `breaker_opened`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $spelling,)+ }
            }
        }
    };
}

event_kinds! {
    /// An attempt failed; the cause names its class.
    AttemptFailed = "attempt_failed",
    /// A failed attempt will be repeated; the cause says when.
    RetryScheduled = "retry_scheduled",
    /// No further attempt is made; the cause says why not.
    GaveUp = "gave_up",
    /// A call succeeded after at least one failed attempt.
    Recovered = "recovered",
    /// The breaker opened: calls are refused from now on.
    BreakerOpened = "breaker_opened",
    /// The breaker lets probes through.
    BreakerHalfOpened = "breaker_half_opened",
    /// The breaker closed: calls pass again.
    BreakerClosed = "breaker_closed",
    /// An operator forced the breaker open.
    BreakerForcedOpen = "breaker_forced_open",
    /// An operator forced the breaker closed.
    BreakerForcedClosed = "breaker_forced_closed",
    /// An operator gave the breaker back to its own rules.
    BreakerReleased = "breaker_released",
    /// A call was not made; the cause says what refused it.
    CallRefused = "call_refused",
    /// The provider is left alone for a while; the cause says why and until when.
    ProviderPaused = "provider_paused",
    /// The allowance of a day or month is used up.
    QuotaExhausted = "quota_exhausted",
    /// A quota count could not be put on record; it is kept in memory and written with the next one.
    LedgerFailed = "ledger_failed",
    /// A place is now served from a later provider of its chain.
    FallbackStarted = "fallback_started",
    /// A place is served from the first provider of its chain again.
    FallbackEnded = "fallback_ended",
    /// No provider of the chain answered for a place; what is kept goes on being served.
    ChainExhausted = "chain_exhausted",
    /// A reading was out of bounds and removed.
    ReadingRejected = "reading_rejected",
    /// An answer was not taken because its observation is too old or in the future.
    AnswerRejected = "answer_rejected",
    /// A later, different answer for the same instant replaced the one kept.
    RevisionStored = "revision_stored",
    /// The store refused a write; the cause says why.
    StoreFailed = "store_failed",
    /// The position or time zone of a place was looked up.
    PlaceResolved = "place_resolved",
    /// A place could not be looked up.
    PlaceUnresolved = "place_unresolved",
}

impl fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The text names no kind of event.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown event kind {0:?}")]
pub struct UnknownEventKind(pub String);

impl FromStr for EventKind {
    type Err = UnknownEventKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().copied().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| UnknownEventKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_spelling() {
        for kind in EventKind::ALL.iter().copied() {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        let error = "breaker_ajar".parse::<EventKind>().unwrap_err();
        assert_eq!(error, UnknownEventKind("breaker_ajar".to_owned()));
    }
}
