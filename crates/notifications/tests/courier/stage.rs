//! What the tests share: a courier that may reach the machine itself, messages, channels.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use pampero_notifications::{
    Channel, Courier, CourierOptions, FolderVault, Guard, Message, MessageKind, Network, Resolver,
};
use pampero_resilience::{Clock, VirtualClock};
use serde_json::{Value, json};

/// A name that leads to the machine itself.
pub(crate) const INSIDE: &str = "receiver.test";
/// A name that leads there with one of its addresses only, and to another place with the other.
pub(crate) const REBOUND: &str = "rebound.test";

pub(crate) fn start() -> Timestamp {
    "2026-09-21T13:04:00Z".parse().unwrap()
}

/// Knows the names of the tests.
#[derive(Debug)]
pub(crate) struct Names;

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let loopback: IpAddr = [127, 0, 0, 1].into();
        match name {
            INSIDE => Ok(vec![loopback]),
            REBOUND => Ok(vec![[93, 184, 216, 34].into(), loopback]),
            "public.test" => Ok(vec![[93, 184, 216, 34].into()]),
            _ => Err(io::Error::other("no such name")),
        }
    }
}

pub(crate) fn guard(allowed: &[&str]) -> Guard {
    let allowed: Vec<Network> = allowed.iter().map(|text| text.parse().unwrap()).collect();
    Guard::new(allowed, Arc::new(Names))
}

pub(crate) fn options() -> CourierOptions {
    CourierOptions { guard: guard(&["127.0.0.1/32"]), ..CourierOptions::default() }
}

pub(crate) fn courier(options: CourierOptions) -> Courier {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::starting_at(start()));
    Courier::new(options, clock).unwrap()
}

pub(crate) fn message() -> Message {
    Message {
        key: "m-1".to_owned(),
        kind: MessageKind::Fired,
        subject: "14 errors".to_owned(),
        text: "14 errors in 5 minutes\nsince 13:00 — é\n".to_owned(),
        severity: 1,
        source: "error_logs".to_owned(),
        incident: "monitor/error_logs/count_error".to_owned(),
        link: None,
        at: start(),
        is_repeat: false,
        alerts: Vec::new(),
    }
}

/// Makes a channel; what is secret in `data` is kept in a folder that is gone afterwards.
pub(crate) fn channel(id: &str, config_type: &str, data: &Value) -> Channel {
    let folder = tempfile::tempdir().unwrap();
    let vault = FolderVault::new(folder.path().join("secrets"), Vec::new(), BTreeMap::new());
    let json = json!({ "config": { "name": id, "config_type": config_type, config_type: data } });
    Channel::from_json(id, &json, None, &vault, &guard(&["127.0.0.1/32"]), start()).unwrap()
}
