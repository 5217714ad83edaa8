//! Channels: where messages go, in the form of OpenSearch Notifications, and how they get there.
//!
//! A [`Channel`] says what kind of receiver there is and holds its secrets, which a [`Vault`] keeps; a
//! [`Courier`] makes the request of a [`Message`], guards against targets that must not be reached
//! ([`Guard`]), sends it once, and says what became of it. Repeats nothing: whoever has the outbox does.
//! Knows no alerts, no weather. Start reading at [`Channel`] and [`Courier::deliver`].

mod channel;
mod courier;
mod guard;
mod message;
mod secret;
mod signature;
mod vault;
mod wire;

pub use channel::{
    Alertmanager, Body, BodyTemplate, Channel, ChannelBook, ChannelError, ChannelErrorKind,
    ChannelKind, Chat, Email, Encryption, Header, HeaderText, Method, NoChannels, Preset,
    SmtpAccount, Webhook, check_id, file_stem,
};
pub use courier::{Courier, CourierError, CourierOptions, Delivered, DeliveryError};
pub use guard::{Guard, GuardError, Network, NetworkError, Resolver, SystemResolver};
pub use message::{Message, MessageAlert, MessageKind};
pub use secret::{NotReference, REDACTED, Reference, Secret};
pub use signature::{SIGNATURE_HEADER, sign};
pub use vault::{FolderVault, Vault, VaultError};
