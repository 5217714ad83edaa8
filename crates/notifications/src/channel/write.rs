//! Channels to JSON.

use lettre::Address;
use serde_json::{Map, Value, json};

use super::{Body, Channel, ChannelKind, Header, HeaderText, Preset, SmtpAccount, Webhook};
use crate::secret::{REDACTED, Secret};

/// What stands in the place of secrets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Secrets {
    /// A word.
    Hidden,
    /// Where they are kept.
    AsReferences,
}

pub(super) fn channel(channel: &Channel, secrets: Secrets) -> Value {
    let config_type = channel.config_type();
    let mut config = Map::new();
    config.insert("name".to_owned(), channel.name.as_str().into());
    config.insert("description".to_owned(), channel.description.as_str().into());
    config.insert("config_type".to_owned(), config_type.into());
    config.insert("is_enabled".to_owned(), channel.is_enabled.into());
    config.insert(config_type.to_owned(), kind(&channel.kind, secrets));
    json!({
        "config_id": channel.id,
        "last_updated_time_ms": channel.updated.as_millisecond(),
        "created_time_ms": channel.created.as_millisecond(),
        "config": config,
    })
}

fn kind(kind: &ChannelKind, secrets: Secrets) -> Value {
    match kind {
        ChannelKind::Slack(chat)
        | ChannelKind::Chime(chat)
        | ChannelKind::Mattermost(chat)
        | ChannelKind::MicrosoftTeams(chat) => json!({ "url": secrets.show(&chat.url) }),
        ChannelKind::Webhook(webhook) => self::webhook(webhook, secrets),
        ChannelKind::Email(email) => json!({
            "email_account_id": email.account_id,
            "recipient_list": recipients(&email.recipients),
            "email_group_id_list": email.group_ids,
        }),
        ChannelKind::SmtpAccount(account) => smtp_account(account, secrets),
        ChannelKind::EmailGroup(members) => json!({ "recipient_list": recipients(members) }),
        ChannelKind::Alertmanager(it) => {
            let mut members = Map::new();
            members.insert("url".to_owned(), it.url.as_str().into());
            insert_headers(&mut members, &it.headers, secrets);
            members.into()
        }
    }
}

fn webhook(webhook: &Webhook, secrets: Secrets) -> Value {
    let mut members = Map::new();
    members.insert("url".to_owned(), secrets.show(&webhook.url));
    insert_headers(&mut members, &webhook.headers, secrets);
    members.insert("method".to_owned(), webhook.method.as_str().into());
    match &webhook.body {
        Body::Text => {}
        Body::Template(template) => {
            members.insert("body_template".to_owned(), template.source().into());
        }
        Body::Preset(preset) => {
            members.insert("preset".to_owned(), preset.as_str().into());
            if let Preset::Pagerduty { routing_key } = preset {
                members.insert("routing_key".to_owned(), secrets.show(routing_key));
            }
        }
    }
    if let Some(secret) = &webhook.hmac_secret {
        members.insert("hmac_secret".to_owned(), secrets.show(secret));
    }
    members.into()
}

fn smtp_account(account: &SmtpAccount, secrets: Secrets) -> Value {
    let mut members = json!({
        "host": account.host,
        "port": account.port,
        "method": account.encryption.as_str(),
        "from_address": account.from.to_string(),
    });
    if let Some((username, password)) = &account.credentials {
        members["username"] = secrets.show(username);
        members["password"] = secrets.show(password);
    }
    members
}

fn insert_headers(members: &mut Map<String, Value>, headers: &[Header], secrets: Secrets) {
    if headers.is_empty() {
        return;
    }
    let pairs = headers.iter().map(|header| {
        let shown = match &header.text {
            HeaderText::Plain(text) => text.as_str().into(),
            HeaderText::Secret(secret) => secrets.show(secret),
        };
        (header.name.clone(), shown)
    });
    members.insert("header_params".to_owned(), pairs.collect());
}

fn recipients(list: &[Address]) -> Value {
    list.iter().map(|address| json!({ "recipient": address.to_string() })).collect()
}

impl Secrets {
    fn show(self, secret: &Secret) -> Value {
        match (self, secret.reference()) {
            (Self::AsReferences, Some(reference)) => reference.to_string().into(),
            _ => REDACTED.into(),
        }
    }
}
