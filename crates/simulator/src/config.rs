//! What a simulator is started with.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::schedule::ScheduledFault;

/// The clock of the simulator: returns the present instant.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a simulator is started with; [`SimulatorConfig::new`] has the defaults.
#[derive(Clone)]
pub struct SimulatorConfig {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The faults played by schedule. Of several that are on at once, the first counts.
    pub faults: Vec<ScheduledFault>,
    /// The clock.
    pub now: Now,
    /// The keys that OpenWeatherMap and Weatherstack accept.
    pub keys: KeyRule,
    /// How long an answer of MET Norway is good before it may be asked for again.
    pub met_norway_expires: Duration,
    /// Two readings of an airport at most this many hours apart are joined by a line; over a
    /// longer stretch without readings there is no value. With 1, every real gap is played.
    pub gap_bridged_hours: u32,
    /// Most connections at a time; further ones wait.
    pub connections_max: usize,
}

impl SimulatorConfig {
    /// Returns a configuration without faults, on a port of 127.0.0.1 that the system chooses.
    pub fn new(now: Now) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            faults: Vec::new(),
            now,
            keys: KeyRule::default(),
            met_norway_expires: Duration::from_secs(30 * 60),
            gap_bridged_hours: 6,
            connections_max: 4096,
        }
    }
}

/// Which keys are accepted. The default accepts any key but `wrong-key` and the empty one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyRule {
    /// Any key that is not empty and not one of these.
    AnyBut(BTreeSet<String>),
    /// These keys alone.
    Only(BTreeSet<String>),
}

impl KeyRule {
    pub(crate) fn accepts(&self, key: &str) -> bool {
        match self {
            Self::AnyBut(refused) => !key.is_empty() && !refused.contains(key),
            Self::Only(accepted) => accepted.contains(key),
        }
    }
}

impl Default for KeyRule {
    fn default() -> Self {
        Self::AnyBut(BTreeSet::from(["wrong-key".to_owned()]))
    }
}
