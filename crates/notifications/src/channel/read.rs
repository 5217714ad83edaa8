//! JSON to channels.

mod headers;
mod mail;
mod webhook;

use jiff::Timestamp;
use serde_json::Value;
use url::{Host, Url};

use super::members::{Members, Source};
use super::{Alertmanager, Channel, ChannelError, ChannelErrorKind, ChannelKind, Chat, check_id};
use crate::guard::Guard;
use crate::secret::Secret;
use crate::vault::Vault;

/// Most bytes of a name.
const NAME_BYTES_MAX: usize = 512;
/// Where Slack takes messages.
const SLACK_HOOKS: [&str; 2] = ["hooks.slack.com/services/", "hooks.gov-slack.com/services/"];

/// Reads a channel. Its times are those of the beginning of time: who asks for it knows better.
pub(super) fn channel(
    id: &str,
    json: &Value,
    old: Option<&Channel>,
    vault: &dyn Vault,
    guard: &Guard,
) -> Result<Channel, ChannelError> {
    check_id(id)?;
    check_own_id(id, json)?;
    let config = json.get("config").filter(|config| !config.is_null());
    let config = config.ok_or_else(|| ChannelError::invalid("config field absent"))?;
    let map =
        config.as_object().ok_or_else(|| ChannelError::invalid("config must be an object"))?;
    let source = Source { config_id: id, old, vault, guard };
    let members = Members { of: "config", map, source };
    let name = members.required_text("name")?;
    if NAME_BYTES_MAX < name.len() {
        return Err(members.wrong("name", &format!("is longer than {NAME_BYTES_MAX} bytes")));
    }
    let config_type = members.required_text("config_type")?;
    check_type(config_type, old)?;
    let data = members.object(config_type)?.ok_or_else(|| {
        ChannelError::invalid(format!(
            "ConfigType: {config_type} and data doesn't match: there is no object {config_type}"
        ))
    })?;
    let kind = kind(config_type, Members { of: config_type, map: data, source })?;
    check_kept_secrets(&kind, data, old)?;
    Ok(Channel {
        id: id.to_owned(),
        name: name.to_owned(),
        description: members.text("description")?.unwrap_or_default().to_owned(),
        is_enabled: members.flag("is_enabled")?.unwrap_or(true),
        created: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
        kind,
    })
}

/// Reads a time in milliseconds since 1970; `None` when it is missing.
pub(super) fn time(json: &Value, member: &str) -> Result<Option<Timestamp>, ChannelError> {
    let Some(value) = json.get(member).filter(|value| !value.is_null()) else { return Ok(None) };
    let ms = value.as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let wrong = || ChannelError::invalid(format!("{member} must be milliseconds since 1970"));
    ms.ok_or_else(wrong).map(Some)
}

fn check_own_id(id: &str, json: &Value) -> Result<(), ChannelError> {
    match json.get("config_id").filter(|own| !own.is_null()) {
        Some(own) if own.as_str() != Some(id) => {
            let reason =
                format!("config_id must be {id}, as the address or the name of the file says");
            Err(ChannelError::invalid(reason))
        }
        _ => Ok(()),
    }
}

fn check_type(config_type: &str, old: Option<&Channel>) -> Result<(), ChannelError> {
    if matches!(config_type, "ses_account" | "sns") {
        let reason = format!(
            "config_type {config_type} is not supported: it needs an account of Amazon; use email with \
             an smtp_account, or a webhook"
        );
        return Err(ChannelError::invalid(reason));
    }
    if !ChannelKind::CONFIG_TYPES.contains(&config_type) {
        let known = ChannelKind::CONFIG_TYPES.join(", ");
        let reason = format!("config_type is not known; it is one of {known}");
        return Err(ChannelError::invalid(reason));
    }
    match old {
        Some(old) if old.config_type() != config_type => Err(ChannelError {
            kind: ChannelErrorKind::Conflict,
            reason: "Config type cannot be changed after creation".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn kind(config_type: &str, members: Members<'_>) -> Result<ChannelKind, ChannelError> {
    match config_type {
        "slack" => slack(members).map(ChannelKind::Slack),
        "chime" => chat(members).map(ChannelKind::Chime),
        "mattermost" => chat(members).map(ChannelKind::Mattermost),
        "microsoft_teams" => chat(members).map(ChannelKind::MicrosoftTeams),
        "webhook" => webhook::read(members).map(ChannelKind::Webhook),
        "email" => mail::email(members).map(ChannelKind::Email),
        "smtp_account" => mail::account(members).map(ChannelKind::SmtpAccount),
        "email_group" => mail::group(members).map(ChannelKind::EmailGroup),
        _ => alertmanager(members).map(ChannelKind::Alertmanager),
    }
}

/// Refuses to send kept secrets to another place than before: otherwise whoever may change a channel
/// could have its secrets sent to themselves.
fn check_kept_secrets(
    kind: &ChannelKind,
    data: &serde_json::Map<String, Value>,
    old: Option<&Channel>,
) -> Result<(), ChannelError> {
    let Some(old) = old else { return Ok(()) };
    if kind.origin() == old.kind.origin() {
        return Ok(());
    }
    let keeps = |value: &Value| value.as_str() == Some(crate::secret::REDACTED);
    let headers = data.get("header_params").and_then(Value::as_object);
    let all = data.iter().chain(headers.into_iter().flatten());
    match all.into_iter().find(|(_, value)| keeps(value)) {
        None => Ok(()),
        Some((member, _)) => Err(ChannelError::invalid(format!(
            "the address is another than before: give {member} anew, since a kept one is not sent there"
        ))),
    }
}

fn chat(members: Members<'_>) -> Result<Chat, ChannelError> {
    members.only(&["url"])?;
    Ok(Chat { url: address(members)?.0 })
}

fn slack(members: Members<'_>) -> Result<Chat, ChannelError> {
    members.only(&["url"])?;
    let (secret, url) = address(members)?;
    let place = format!("{}{}", url.host_str().unwrap_or_default(), url.path());
    let is_slack = SLACK_HOOKS.iter().any(|hook| place.contains(hook));
    if !is_slack && !is_stand_in(&url, members.source.guard) {
        let reason = "Invalid slack url. It must contain hooks.slack.com/services/ or \
                      hooks.gov-slack.com/services/, or have the path /services/… at an address that \
                      the configuration of the program allows";
        return Err(ChannelError::invalid(reason));
    }
    Ok(Chat { url: secret })
}

/// Tells whether the address may belong to something that speaks as Slack does, inside. A name is
/// looked at again when it is resolved.
fn is_stand_in(url: &Url, guard: &Guard) -> bool {
    let is_allowed = match url.host() {
        Some(Host::Ipv4(address)) => guard.names(address.into()),
        Some(Host::Ipv6(address)) => guard.names(address.into()),
        Some(Host::Domain(_)) => guard.allows_any(),
        None => false,
    };
    is_allowed && url.path().starts_with("/services/")
}

fn alertmanager(members: Members<'_>) -> Result<Alertmanager, ChannelError> {
    members.only(&["url", "header_params"])?;
    let text = members.required_text("url")?;
    let url = members.source.guard.url(text);
    let url = url.map_err(|error| ChannelError::of_member("alertmanager.url", &error))?;
    if url.query().is_some() || url.fragment().is_some() {
        let reason = "alertmanager.url must end before /api/v2/alerts, without `?` and `#`";
        return Err(ChannelError::invalid(reason));
    }
    Ok(Alertmanager { url, headers: headers::read(members)? })
}

/// Reads the secret address of a receiver.
fn address(members: Members<'_>) -> Result<(Secret, Url), ChannelError> {
    let secret = members.required_secret("url")?;
    let url = members.source.guard.url(secret.reveal());
    let url =
        url.map_err(|error| ChannelError::of_member(&format!("{}.url", members.of), &error))?;
    Ok((secret, url))
}
