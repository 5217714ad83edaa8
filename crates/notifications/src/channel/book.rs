//! What an e-mail channel refers to.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use lettre::Address;

use super::{Channel, ChannelError, ChannelErrorKind, ChannelKind, Email, SmtpAccount};

/// Most recipients of one message.
pub(super) const RECIPIENTS_MAX: usize = 100;

/// Finds channels by their ids.
pub trait ChannelBook: Debug + Send + Sync {
    /// Returns the channel with this id; `None` when there is none.
    fn channel(&self, id: &str) -> Option<Arc<Channel>>;
}

/// A book without channels.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoChannels;

impl ChannelBook for NoChannels {
    fn channel(&self, _id: &str) -> Option<Arc<Channel>> {
        None
    }
}

impl ChannelBook for BTreeMap<String, Arc<Channel>> {
    fn channel(&self, id: &str) -> Option<Arc<Channel>> {
        self.get(id).cloned()
    }
}

/// From which account to whom.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) account: SmtpAccount,
    /// Each once, in the order in which they are named.
    pub(crate) recipients: Vec<Address>,
}

pub(super) fn resolve(email: &Email, book: &dyn ChannelBook) -> Result<Mail, ChannelError> {
    let account = find(book, &email.account_id)?;
    let ChannelKind::SmtpAccount(account) = &account.kind else {
        return Err(wrong_kind(&account, "an smtp_account"));
    };
    let mut recipients = email.recipients.clone();
    for id in &email.group_ids {
        let group = find(book, id)?;
        let ChannelKind::EmailGroup(members) = &group.kind else {
            return Err(wrong_kind(&group, "an email_group"));
        };
        recipients.extend(members.iter().cloned());
    }
    let mut unique: Vec<Address> = Vec::with_capacity(recipients.len());
    for recipient in recipients {
        if !unique.contains(&recipient) {
            unique.push(recipient);
        }
    }
    if RECIPIENTS_MAX < unique.len() {
        let reason =
            format!("a channel has at most {RECIPIENTS_MAX} recipients, not {}", unique.len());
        return Err(ChannelError::invalid(reason));
    }
    Ok(Mail { account: account.clone(), recipients: unique })
}

fn find(book: &dyn ChannelBook, id: &str) -> Result<Arc<Channel>, ChannelError> {
    book.channel(id).ok_or_else(|| ChannelError::not_found(id))
}

fn wrong_kind(found: &Channel, wanted: &str) -> ChannelError {
    let reason = format!("{} is of type {}, and must be {wanted}", found.id, found.config_type());
    ChannelError { kind: ChannelErrorKind::NotAcceptable, reason }
}
