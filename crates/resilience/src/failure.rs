//! The classes of failure, from which every policy decides.

use std::time::Duration;

/// What a failed call means; retry, breaker, pause and fallback decide from it, never from text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FailureClass {
    /// The key or the caller's identity was refused.
    Auth,
    /// The allowance of a day or month is used up.
    Quota,
    /// Too many calls in a short time.
    RateLimited,
    /// The service has nothing for what was asked.
    NotCovered,
    /// Our own request is wrong.
    BadRequest,
    /// Server error, timeout, connection, DNS, TLS or truncated body.
    Transient,
    /// An answer that cannot be read.
    Malformed,
    /// A readable answer whose data are too old, or from the future.
    Stale,
}

/// Whether and how often a class of failure is repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RetryRule {
    /// Repeating cannot help.
    Never,
    /// One repeat, in case the answer was cut by accident.
    Once,
    /// Repeated until attempts or deadline are used up.
    UntilLimit,
}

impl FailureClass {
    /// Every class, in the order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Auth,
        Self::Quota,
        Self::RateLimited,
        Self::NotCovered,
        Self::BadRequest,
        Self::Transient,
        Self::Malformed,
        Self::Stale,
    ];

    /// Returns the spelling, as in `rate_limited`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Quota => "quota",
            Self::RateLimited => "rate_limited",
            Self::NotCovered => "not_covered",
            Self::BadRequest => "bad_request",
            Self::Transient => "transient",
            Self::Malformed => "malformed",
            Self::Stale => "stale",
        }
    }

    /// Returns whether a failure of this class may be repeated.
    pub const fn retry_rule(self) -> RetryRule {
        match self {
            Self::Transient | Self::RateLimited => RetryRule::UntilLimit,
            Self::Malformed => RetryRule::Once,
            Self::Auth | Self::Quota | Self::NotCovered | Self::BadRequest | Self::Stale => {
                RetryRule::Never
            }
        }
    }

    /// Tells whether the breaker counts this class as a failure of the service.
    ///
    /// A class that is not counted says nothing about the health of the service: it counts
    /// neither as failure nor as success.
    pub const fn counts_for_breaker(self) -> bool {
        matches!(self, Self::Transient | Self::Malformed)
    }
}

/// An error of an attempt that says what it means.
pub trait Failure: std::error::Error + Send + Sync + 'static {
    /// Returns the class of the failure.
    fn class(&self) -> FailureClass;

    /// Returns how long the service asked us to wait; `None` when it did not say.
    fn retry_after(&self) -> Option<Duration>;
}
