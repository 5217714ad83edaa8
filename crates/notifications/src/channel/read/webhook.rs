//! A webhook: its address, its form, and whether what it would send can be read.

use pampero_templates::mustache::Template;

use super::super::members::Members;
use super::super::{Body, BodyTemplate, ChannelError, Header, Method, Preset, Webhook};
use super::{address, headers};
use crate::message::Message;
use crate::secret::Secret;
use crate::wire::body_template;

/// Where PagerDuty takes events, unless the channel says otherwise.
const PAGERDUTY_EVENTS: &str = "https://events.pagerduty.com/v2/enqueue";
/// Most bytes of a template.
const TEMPLATE_BYTES_MAX: usize = 64 * 1024;

pub(super) fn read(members: Members<'_>) -> Result<Webhook, ChannelError> {
    members.only(&[
        "url",
        "header_params",
        "method",
        "body_template",
        "hmac_secret",
        "preset",
        "routing_key",
    ])?;
    let headers = headers::read(members)?;
    let body = body(members, &headers)?;
    let is_pagerduty = matches!(body, Body::Preset(Preset::Pagerduty { .. }));
    let url = if is_pagerduty && members.get("url").is_none() {
        Secret::literal(PAGERDUTY_EVENTS)
    } else {
        let (secret, url) = address(members)?;
        if matches!(body, Body::Preset(Preset::Ntfy)) && crate::wire::ntfy_topic(&url).is_none() {
            return Err(members
                .wrong("url", "must end in the name of the topic, as in https://ntfy.sh/topic"));
        }
        secret
    };
    Ok(Webhook {
        url,
        method: method(members)?,
        headers,
        body,
        hmac_secret: members.secret("hmac_secret")?,
    })
}

fn method(members: Members<'_>) -> Result<Method, ChannelError> {
    match members.text("method")? {
        None | Some("POST") => Ok(Method::Post),
        Some("PUT") => Ok(Method::Put),
        Some("PATCH") => Ok(Method::Patch),
        Some(_) => Err(members.wrong("method", "must be POST, PUT or PATCH")),
    }
}

fn body(members: Members<'_>, headers: &[Header]) -> Result<Body, ChannelError> {
    let template = members.get("body_template");
    let preset = members.text("preset")?;
    if preset != Some("pagerduty") && members.get("routing_key").is_some() {
        return Err(members.wrong("routing_key", "belongs to the preset pagerduty"));
    }
    match (template, preset) {
        (Some(_), Some(_)) => Err(members
            .wrong("body_template", "and preset exclude each other: a preset has its own body")),
        (Some(template), None) => {
            let source = template.as_str();
            let source = source.ok_or_else(|| members.wrong("body_template", "must be a text"))?;
            parse_template(members, source, headers).map(Body::Template)
        }
        (None, None) => Ok(Body::Text),
        (None, Some("discord")) => Ok(Body::Preset(Preset::Discord)),
        (None, Some("ntfy")) => Ok(Body::Preset(Preset::Ntfy)),
        (None, Some("pagerduty")) => {
            let routing_key = members.required_secret("routing_key")?;
            Ok(Body::Preset(Preset::Pagerduty { routing_key }))
        }
        (None, Some(_)) => Err(members.wrong("preset", "must be discord, ntfy or pagerduty")),
    }
}

/// Parses a template, and renders a few messages with it, since a body that is no JSON would be noticed
/// only when it matters.
fn parse_template(
    members: Members<'_>,
    source: &str,
    headers: &[Header],
) -> Result<BodyTemplate, ChannelError> {
    if TEMPLATE_BYTES_MAX < source.len() {
        let what = format!("is longer than {TEMPLATE_BYTES_MAX} bytes");
        return Err(members.wrong("body_template", &what));
    }
    let template = Template::parse(source)
        .map_err(|error| members.wrong("body_template", &format!("cannot be read: {error}")))?;
    let template = BodyTemplate(template);
    for message in Message::samples() {
        body_template::render(&template, headers, &message).map_err(|error| {
            members.wrong("body_template", &format!("does not work for a sample message: {error}"))
        })?;
    }
    Ok(template)
}
