//! What goes over the wire: the request that each kind of receiver understands.
//!
//! Start reading at [`request`].

mod alertmanager;
pub(crate) mod body_template;
mod chat;
mod preset;
mod text;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use crate::channel::{Body, Channel, ChannelKind, Chat, Header, Method, Preset, Webhook};
use crate::guard::{Guard, GuardError};
use crate::message::Message;
use crate::signature::{SIGNATURE_HEADER, sign};

pub(crate) use preset::ntfy_topic;
pub(crate) use text::{REPEATED, one_line};

/// Most bytes of a body.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A request, ready to be sent.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) url: Url,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why no request can be made of a message. Shows no secret.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("the address is refused: {0}")]
    Guard(#[from] GuardError),
    #[error("{0}")]
    Body(String),
    #[error("a channel of type {0} takes no messages")]
    NoReceiver(&'static str),
}

/// Makes the request that tells `channel` of `message`, signed as it is `now`.
///
/// # Errors
/// The address is refused, or the body cannot be made.
pub(crate) fn request(
    channel: &Channel,
    message: &Message,
    guard: &Guard,
    now: Timestamp,
) -> Result<Request, WireError> {
    let chat = |chat: &Chat, body: Value| json(guard.url(chat.url.reveal())?, &body);
    match &channel.kind {
        ChannelKind::Slack(to) => chat(to, self::chat::slack(message)),
        ChannelKind::Chime(to) => chat(to, self::chat::chime(message)),
        ChannelKind::Mattermost(to) => chat(to, self::chat::mattermost(message)),
        ChannelKind::MicrosoftTeams(to) => chat(to, self::chat::microsoft_teams(message)),
        ChannelKind::Webhook(to) => webhook(to, message, guard, now),
        ChannelKind::Alertmanager(to) => {
            let mut url = guard.url(to.url.as_str())?;
            let path = format!("{}/api/v2/alerts", url.path().trim_end_matches('/'));
            url.set_path(&path);
            let mut request = json(url, &alertmanager::alerts(message))?;
            insert(&mut request.headers, &to.headers)?;
            Ok(request)
        }
        ChannelKind::Email(_) | ChannelKind::SmtpAccount(_) | ChannelKind::EmailGroup(_) => {
            Err(WireError::NoReceiver(channel.config_type()))
        }
    }
}

fn webhook(
    to: &Webhook,
    message: &Message,
    guard: &Guard,
    now: Timestamp,
) -> Result<Request, WireError> {
    let url = guard.url(to.url.reveal())?;
    let mut request = match &to.body {
        Body::Preset(Preset::Discord) => json(url, &preset::discord(message))?,
        Body::Preset(Preset::Ntfy) => {
            let (root, topic) = ntfy_topic(&url)
                .ok_or_else(|| WireError::Body("the address names no topic".to_owned()))?;
            json(root, &preset::ntfy(message, &topic))?
        }
        Body::Preset(Preset::Pagerduty { routing_key }) => {
            json(url, &preset::pagerduty(message, routing_key.reveal()))?
        }
        Body::Text => plain(url, to, message.text.clone().into_bytes())?,
        Body::Template(template) => {
            let body = body_template::render(template, &to.headers, message);
            plain(url, to, body.map_err(WireError::Body)?.into_bytes())?
        }
    };
    request.method = to.method;
    insert(&mut request.headers, &to.headers)?;
    request.headers.insert("idempotency-key", header_value(&message.key)?);
    if let Some(secret) = &to.hmac_secret {
        let signature = sign(secret.reveal().as_bytes(), now, &request.body);
        let name = HeaderName::from_bytes(SIGNATURE_HEADER.as_bytes());
        let name = name.expect("the name of the header is one");
        request.headers.insert(name, header_value(&signature)?);
    }
    Ok(request)
}

fn json(url: Url, body: &Value) -> Result<Request, WireError> {
    sized(url, body.to_string().into_bytes(), true)
}

/// A body that the channel decides on. It is JSON unless the headers of the channel say what it is; a
/// template without such a header was checked to be JSON.
fn plain(url: Url, to: &Webhook, body: Vec<u8>) -> Result<Request, WireError> {
    let is_json = to.headers.is_empty() || matches!(to.body, Body::Template(_));
    sized(url, body, is_json)
}

fn sized(url: Url, body: Vec<u8>, is_json: bool) -> Result<Request, WireError> {
    if BODY_BYTES_MAX < body.len() {
        return Err(WireError::Body(format!("the body is longer than {BODY_BYTES_MAX} bytes")));
    }
    let mut headers = HeaderMap::new();
    if is_json {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(Request { url, method: Method::Post, headers, body })
}

fn insert(headers: &mut HeaderMap, further: &[Header]) -> Result<(), WireError> {
    for header in further {
        let name = HeaderName::from_bytes(header.name.as_bytes())
            .map_err(|_| WireError::Body(format!("`{}` is no name of a header", header.name)))?;
        headers.insert(name, header_value(header.reveal())?);
    }
    Ok(())
}

fn header_value(text: &str) -> Result<HeaderValue, WireError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        WireError::Body("a header is not one line of visible characters".to_owned())
    })?;
    // Keeps the value out of what the client shows of a request.
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
