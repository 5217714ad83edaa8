//! The courier with the channels that there are.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use pampero_notifications::{Channel, Courier, Delivered, DeliveryError, Message};
use pampero_resilience::FailureClass;

use super::{Deliver, Manner, Receiver};

/// A courier with the channels that there are, which may change at any time.
#[derive(Debug)]
pub struct Post {
    courier: Courier,
    channels: ArcSwap<BTreeMap<String, Arc<Channel>>>,
}

impl Post {
    /// Makes a post without channels.
    pub fn new(courier: Courier) -> Self {
        Self { courier, channels: ArcSwap::default() }
    }

    /// Sets the channels by their ids. [`Alerting::note_channels`](crate::Alerting::note_channels) then lets
    /// what waits for one of them try at once.
    pub fn set_channels(&self, channels: BTreeMap<String, Arc<Channel>>) {
        self.channels.store(Arc::new(channels));
    }

    /// Returns the channels by their ids.
    pub fn channels(&self) -> Arc<BTreeMap<String, Arc<Channel>>> {
        self.channels.load_full()
    }
}

#[async_trait]
impl Deliver for Post {
    fn receiver(&self, channel: &str) -> Option<Receiver> {
        let channels = self.channels.load();
        let channel = channels.get(channel)?;
        Some(Receiver {
            name: channel.name.clone(),
            is_enabled: channel.is_enabled,
            manner: manner(channel),
            changed: channel.updated,
        })
    }

    fn forgetful(&self) -> HashSet<String> {
        let channels = self.channels.load();
        let forgetful = channels.iter().filter(|(_, one)| manner(one) == Manner::Forgetful);
        forgetful.map(|(id, _)| id.clone()).collect()
    }

    async fn deliver(&self, channel: &str, message: &Message) -> Result<Delivered, DeliveryError> {
        let channels = self.channels();
        let Some(found) = channels.get(channel) else {
            return Err(DeliveryError {
                class: FailureClass::BadRequest,
                status: None,
                reason: format!("there is no channel {channel}"),
                retry_after: None,
                may_have_arrived: false,
            });
        };
        self.courier.deliver(found, message).await
    }
}

fn manner(channel: &Channel) -> Manner {
    match channel.config_type() {
        "alertmanager" => Manner::Forgetful,
        "slack" | "mattermost" => Manner::OnePerSecond,
        _ => Manner::Plain,
    }
}
