//! The headers that a request carries besides those of the connection.

use reqwest::header::{HeaderName, HeaderValue};

use super::super::members::Members;
use super::super::{ChannelError, Header, HeaderText};

/// Most headers of a channel.
const HEADERS_MAX: usize = 50;
/// What belongs to the connection, or is set here.
const RESERVED: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-pampero-signature",
];
/// What says nothing about who sends.
const PLAIN: [&str; 8] = [
    "accept",
    "accept-language",
    "cache-control",
    "content-type",
    "priority",
    "tags",
    "title",
    "user-agent",
];

/// Reads `header_params`. Values are secrets, since most are there to say who sends.
pub(super) fn read(members: Members<'_>) -> Result<Vec<Header>, ChannelError> {
    let Some(pairs) = members.object("header_params")? else { return Ok(Vec::new()) };
    if HEADERS_MAX < pairs.len() {
        return Err(members.wrong("header_params", &format!("has more than {HEADERS_MAX} members")));
    }
    let mut headers: Vec<Header> = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        let member = format!("header_params.{name}");
        let lower = name.to_ascii_lowercase();
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(members.wrong("header_params", "has a name that is none of a header"));
        }
        if RESERVED.contains(&lower.as_str()) {
            return Err(members.wrong(&member, "is set by the program itself: leave it out"));
        }
        if headers.iter().any(|header| header.name.eq_ignore_ascii_case(name)) {
            return Err(members.wrong(&member, "is there twice"));
        }
        let text = if PLAIN.contains(&lower.as_str()) {
            let text = value.as_str().ok_or_else(|| members.wrong(&member, "must be a text"))?;
            HeaderText::Plain(text.to_owned())
        } else {
            HeaderText::Secret(members.secret_of(&member, value)?)
        };
        let header = Header { name: name.clone(), text };
        if HeaderValue::from_str(header.reveal()).is_err() {
            return Err(members.wrong(&member, "must be one line of visible characters"));
        }
        headers.push(header);
    }
    Ok(headers)
}
