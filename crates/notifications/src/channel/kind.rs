//! The kinds of channels, with what each needs.

use lettre::Address;
use pampero_templates::mustache::Template;
use url::Url;

use crate::secret::Secret;

/// The kind of a receiver, with what it needs.
#[derive(Clone, Debug)]
pub enum ChannelKind {
    /// An incoming webhook of Slack.
    Slack(Chat),
    /// A webhook of Amazon Chime.
    Chime(Chat),
    /// An incoming webhook of Mattermost.
    Mattermost(Chat),
    /// A webhook of Microsoft Teams.
    MicrosoftTeams(Chat),
    /// Any other address that takes requests.
    Webhook(Webhook),
    /// Mail.
    Email(Email),
    /// The account that mail is sent from.
    SmtpAccount(SmtpAccount),
    /// Recipients of mail.
    EmailGroup(Vec<Address>),
    /// An Alertmanager of Prometheus. Pampero's own; OpenSearch has no such type.
    Alertmanager(Alertmanager),
}

/// A chat whose hook is one secret address.
#[derive(Clone, Debug)]
pub struct Chat {
    /// The address, by which alone one may write.
    pub url: Secret,
}

/// An address that takes requests.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The address, which often holds a secret.
    pub url: Secret,
    /// How the request is made.
    pub method: Method,
    /// Headers besides those that belong to the connection; each name once.
    pub headers: Vec<Header>,
    /// What is sent.
    pub body: Body,
    /// What requests are signed with; `None` when they are not.
    pub hmac_secret: Option<Secret>,
}

/// How a request is made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Method {
    /// `POST`.
    #[default]
    Post,
    /// `PUT`.
    Put,
    /// `PATCH`.
    Patch,
}

/// A header of a request.
#[derive(Clone, Debug)]
pub struct Header {
    /// Its name as it was given.
    pub name: String,
    /// Its value.
    pub text: HeaderText,
}

/// The value of a header.
#[derive(Clone, Debug)]
pub enum HeaderText {
    /// Of headers that say nothing about who sends, as `Content-Type`.
    Plain(String),
    /// Of all others.
    Secret(Secret),
}

/// What a webhook is sent.
#[derive(Clone, Debug)]
pub enum Body {
    /// The text of the message alone, byte for byte.
    Text,
    /// What a template makes of the message.
    Template(BodyTemplate),
    /// The form of a service.
    Preset(Preset),
}

/// A template of a body.
#[derive(Clone, Debug)]
pub struct BodyTemplate(pub(crate) Template);

/// A service whose form is known.
#[derive(Clone, Debug)]
pub enum Preset {
    /// A webhook of Discord.
    Discord,
    /// A topic of ntfy; the address ends in its name.
    Ntfy,
    /// PagerDuty's Events API, version 2.
    Pagerduty {
        /// The key of the integration.
        routing_key: Secret,
    },
}

/// Who gets mail, and from which account.
#[derive(Clone, Debug)]
pub struct Email {
    /// The id of an [`SmtpAccount`](ChannelKind::SmtpAccount).
    pub account_id: String,
    /// Recipients named here.
    pub recipients: Vec<Address>,
    /// The ids of groups of recipients.
    pub group_ids: Vec<String>,
}

/// The account that mail is sent from.
#[derive(Clone, Debug)]
pub struct SmtpAccount {
    /// The name or address of the server.
    pub host: String,
    /// The port, from 1.
    pub port: u16,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// Who sends.
    pub from: Address,
    /// User and password; `None` when the server wants none.
    pub credentials: Option<(Secret, Secret)>,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encryption {
    /// Not at all.
    None,
    /// From its first byte.
    Ssl,
    /// After a word in the clear; a server that does not offer it gets no mail.
    StartTls,
}

/// An Alertmanager.
#[derive(Clone, Debug)]
pub struct Alertmanager {
    /// Its address, before `/api/v2/alerts`.
    pub url: Url,
    /// Headers besides those that belong to the connection; each name once.
    pub headers: Vec<Header>,
}

impl BodyTemplate {
    /// Returns the text of the template.
    pub fn source(&self) -> &str {
        self.0.source()
    }
}

impl Method {
    /// Returns its spelling, as in `POST`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }
}

impl Encryption {
    /// Returns its spelling, as in `start_tls`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ssl => "ssl",
            Self::StartTls => "start_tls",
        }
    }
}

impl Preset {
    /// Returns its spelling, as in `ntfy`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Discord => "discord",
            Self::Ntfy => "ntfy",
            Self::Pagerduty { .. } => "pagerduty",
        }
    }
}

impl ChannelKind {
    /// The types that a channel can have, in the order in which the API lists them.
    pub const CONFIG_TYPES: [&'static str; 9] = [
        "slack",
        "chime",
        "microsoft_teams",
        "webhook",
        "email",
        "smtp_account",
        "email_group",
        "mattermost",
        "alertmanager",
    ];

    /// Returns `config_type`, as in `slack`.
    pub const fn config_type(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Chime(_) => "chime",
            Self::Mattermost(_) => "mattermost",
            Self::MicrosoftTeams(_) => "microsoft_teams",
            Self::Webhook(_) => "webhook",
            Self::Email(_) => "email",
            Self::SmtpAccount(_) => "smtp_account",
            Self::EmailGroup(_) => "email_group",
            Self::Alertmanager(_) => "alertmanager",
        }
    }

    /// Returns the secrets with the members that hold them, as `header_params.Authorization`.
    pub(crate) fn secrets(&self) -> Vec<(String, &Secret)> {
        match self {
            Self::Slack(chat)
            | Self::Chime(chat)
            | Self::Mattermost(chat)
            | Self::MicrosoftTeams(chat) => vec![("url".to_owned(), &chat.url)],
            Self::Webhook(webhook) => {
                let mut secrets = vec![("url".to_owned(), &webhook.url)];
                secrets.extend(webhook.headers.iter().filter_map(Header::secret));
                secrets.extend(webhook.hmac_secret.iter().map(|it| ("hmac_secret".to_owned(), it)));
                if let Body::Preset(Preset::Pagerduty { routing_key }) = &webhook.body {
                    secrets.push(("routing_key".to_owned(), routing_key));
                }
                secrets
            }
            Self::SmtpAccount(account) => {
                let pair = account.credentials.iter();
                pair.flat_map(|(user, password)| {
                    [("username".to_owned(), user), ("password".to_owned(), password)]
                })
                .collect()
            }
            Self::Alertmanager(it) => it.headers.iter().filter_map(Header::secret).collect(),
            Self::Email(_) | Self::EmailGroup(_) => Vec::new(),
        }
    }

    /// Returns the same as [`secrets`](Self::secrets), to be changed.
    pub(crate) fn secrets_mut(&mut self) -> Vec<(String, &mut Secret)> {
        match self {
            Self::Slack(chat)
            | Self::Chime(chat)
            | Self::Mattermost(chat)
            | Self::MicrosoftTeams(chat) => vec![("url".to_owned(), &mut chat.url)],
            Self::Webhook(webhook) => {
                let mut secrets = vec![("url".to_owned(), &mut webhook.url)];
                secrets.extend(webhook.headers.iter_mut().filter_map(Header::secret_mut));
                let hmac_secret = webhook.hmac_secret.iter_mut();
                secrets.extend(hmac_secret.map(|it| ("hmac_secret".to_owned(), it)));
                if let Body::Preset(Preset::Pagerduty { routing_key }) = &mut webhook.body {
                    secrets.push(("routing_key".to_owned(), routing_key));
                }
                secrets
            }
            Self::SmtpAccount(account) => {
                let pair = account.credentials.iter_mut();
                pair.flat_map(|(user, password)| {
                    [("username".to_owned(), user), ("password".to_owned(), password)]
                })
                .collect()
            }
            Self::Alertmanager(it) => {
                it.headers.iter_mut().filter_map(Header::secret_mut).collect()
            }
            Self::Email(_) | Self::EmailGroup(_) => Vec::new(),
        }
    }

    /// Returns where secrets of the channel are sent to, without the path: scheme, host and port.
    pub(crate) fn origin(&self) -> Option<String> {
        let of = |text: &str| Url::parse(text).ok().map(|url| url.origin().ascii_serialization());
        match self {
            Self::Slack(chat)
            | Self::Chime(chat)
            | Self::Mattermost(chat)
            | Self::MicrosoftTeams(chat) => of(chat.url.reveal()),
            Self::Webhook(webhook) => of(webhook.url.reveal()),
            Self::Alertmanager(it) => Some(it.url.origin().ascii_serialization()),
            Self::SmtpAccount(account) => {
                Some(format!("{}:{}/{}", account.host, account.port, account.encryption.as_str()))
            }
            Self::Email(_) | Self::EmailGroup(_) => None,
        }
    }
}

impl Header {
    /// Returns the value for the one place where it is used.
    pub(crate) fn reveal(&self) -> &str {
        match &self.text {
            HeaderText::Plain(text) => text,
            HeaderText::Secret(secret) => secret.reveal(),
        }
    }

    fn secret(&self) -> Option<(String, &Secret)> {
        match &self.text {
            HeaderText::Plain(_) => None,
            HeaderText::Secret(secret) => Some((format!("header_params.{}", self.name), secret)),
        }
    }

    fn secret_mut(&mut self) -> Option<(String, &mut Secret)> {
        match &mut self.text {
            HeaderText::Plain(_) => None,
            HeaderText::Secret(secret) => Some((format!("header_params.{}", self.name), secret)),
        }
    }
}
