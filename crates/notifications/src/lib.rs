//! Channels: where messages go, in the form of OpenSearch Notifications, and how they get there.
//!
//! A [`Channel`] says what kind of receiver there is and holds its secrets; a [`Courier`] makes the
//! request of a [`Message`], guards against targets that must not be reached, sends it once, and says
//! what became of it. Keeps nothing and repeats nothing: whoever has the outbox does. Knows no alerts,
//! no weather. Start reading at [`Channel`] and [`Courier::deliver`].

mod channel;
mod courier;
mod message;

pub use channel::{Channel, ChannelError, ChannelKind};
pub use courier::{Courier, CourierOptions, Delivered, DeliveryError};
pub use message::{Message, MessageAlert, MessageKind};
