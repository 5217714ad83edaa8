//! Metrics of the machine, under node_exporter's names and labels, without node_exporter.
//!
//! [`HostMetrics`] samples whenever the registry is encoded: on Linux from procfs and sysfs, in full;
//! elsewhere the part that sysinfo gives. What is covered, and what is not, stands in
//! `docs/host-metrics.md`. Nothing waits for a file system that hangs: their sizes are asked for on
//! threads of their own.
//!
//! Source: node_exporter 1.5, as Debian 12 ships it.

mod background;
mod collector;
mod families;
#[cfg(target_os = "linux")]
mod linux;
mod options;
// The portable part is tested on Linux, where sysinfo works as well.
#[cfg(any(not(target_os = "linux"), test))]
mod portable;
mod sampler;
mod wall_time;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use pampero_resilience::Clock;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Registry;

pub use collector::{Collector, UnknownCollector};
pub use options::{
    DISK_DEVICES_EXCLUDE, FILE_SYSTEM_TYPES_EXCLUDE, HostError, HostOptions, MOUNT_POINTS_EXCLUDE,
    NETWORK_DEVICES_EXCLUDE,
};

#[cfg(target_os = "linux")]
use linux::Host;
#[cfg(not(target_os = "linux"))]
use portable::Host;
use sampler::Sampler;

/// The metrics of the machine; clones share what they remember from one sampling to the next.
#[derive(Clone, Debug)]
pub struct HostMetrics(Arc<Mutex<Sampler>>);

impl HostMetrics {
    /// Prepares the collectors; nothing is read yet.
    ///
    /// `clock` tells `node_time_seconds`.
    ///
    /// # Errors
    /// A pattern of the options is no regular expression.
    pub fn new(options: &HostOptions, clock: Arc<dyn Clock>) -> Result<Self, HostError> {
        Ok(Self(Arc::new(Mutex::new(Sampler::new(options, clock)?))))
    }

    /// Registers the metrics under their full names, so `registry` has to be one without a prefix.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(self.clone()));
    }
}

impl prometheus_client::collector::Collector for HostMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        // Each sampling begins afresh, so a panic in the last one left nothing that matters.
        let mut sampler = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sampler.sample().encode(&mut encoder)
    }
}
