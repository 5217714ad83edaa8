//! The courier with the channels that there are.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use pampero_notifications::{Channel, ChannelBook, Courier, Delivered, DeliveryError, Message};
use pampero_resilience::FailureClass;

use super::{Deliver, Manner, Receiver};

/// The channels that there are, by their ids; they may change at any time. Clones share them.
///
/// A courier gets a clone to find the accounts and groups of e-mail channels.
#[derive(Clone, Debug, Default)]
pub struct Channels(Arc<ArcSwap<BTreeMap<String, Arc<Channel>>>>);

impl Channels {
    /// Sets the channels. [`Alerting::note_channels`](crate::Alerting::note_channels) then lets what waits for
    /// one of them try at once.
    pub fn set(&self, channels: BTreeMap<String, Arc<Channel>>) {
        self.0.store(Arc::new(channels));
    }

    /// Returns the channels.
    pub fn all(&self) -> Arc<BTreeMap<String, Arc<Channel>>> {
        self.0.load_full()
    }
}

impl ChannelBook for Channels {
    fn channel(&self, id: &str) -> Option<Arc<Channel>> {
        self.0.load().get(id).cloned()
    }
}

/// A courier with the channels that there are.
#[derive(Debug)]
pub struct Post {
    courier: Courier,
    channels: Channels,
}

impl Post {
    /// Makes a post.
    pub fn new(courier: Courier, channels: Channels) -> Self {
        Self { courier, channels }
    }
}

#[async_trait]
impl Deliver for Post {
    fn receiver(&self, channel: &str) -> Option<Receiver> {
        let channel = self.channels.channel(channel).filter(|found| found.is_receiver())?;
        Some(Receiver {
            name: channel.name.clone(),
            is_enabled: channel.is_enabled,
            manner: manner(&channel),
            changed: channel.updated,
        })
    }

    fn forgetful(&self) -> HashSet<String> {
        let channels = self.channels.all();
        let forgetful = channels.iter().filter(|(_, one)| manner(one) == Manner::Forgetful);
        forgetful.map(|(id, _)| id.clone()).collect()
    }

    async fn deliver(&self, channel: &str, message: &Message) -> Result<Delivered, DeliveryError> {
        let Some(found) = self.channels.channel(channel) else {
            return Err(DeliveryError {
                class: FailureClass::BadRequest,
                status: None,
                reason: format!("there is no channel {channel}"),
                retry_after: None,
                may_have_arrived: false,
            });
        };
        self.courier.deliver(&found, message).await
    }
}

fn manner(channel: &Channel) -> Manner {
    match channel.config_type() {
        "alertmanager" => Manner::Forgetful,
        "slack" | "mattermost" => Manner::OnePerSecond,
        _ => Manner::Plain,
    }
}
