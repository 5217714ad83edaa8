//! Mail: channels, accounts and groups.

use lettre::Address;
use serde_json::Value;
use url::Host;

use super::super::book::RECIPIENTS_MAX;
use super::super::members::Members;
use super::super::{ChannelError, Email, Encryption, SmtpAccount, check_id};

pub(super) fn email(members: Members<'_>) -> Result<Email, ChannelError> {
    members.only(&["email_account_id", "recipient_list", "email_group_id_list"])?;
    let account_id = members.required_text("email_account_id")?;
    check_id(account_id)?;
    let mut group_ids = Vec::new();
    for id in members.list("email_group_id_list")? {
        let id = id
            .as_str()
            .ok_or_else(|| members.wrong("email_group_id_list", "must be a list of ids"))?;
        check_id(id)?;
        group_ids.push(id.to_owned());
    }
    if RECIPIENTS_MAX < group_ids.len() {
        return Err(
            members.wrong("email_group_id_list", &format!("has more than {RECIPIENTS_MAX} ids"))
        );
    }
    let recipients = recipients(members)?;
    if recipients.is_empty() && group_ids.is_empty() {
        return Err(
            members.wrong("recipient_list", "is empty, and there is no group: name somebody")
        );
    }
    Ok(Email { account_id: account_id.to_owned(), recipients, group_ids })
}

pub(super) fn group(members: Members<'_>) -> Result<Vec<Address>, ChannelError> {
    members.only(&["recipient_list"])?;
    let recipients = recipients(members)?;
    if recipients.is_empty() {
        return Err(members.wrong("recipient_list", "is empty"));
    }
    Ok(recipients)
}

pub(super) fn account(members: Members<'_>) -> Result<SmtpAccount, ChannelError> {
    members.only(&["host", "port", "method", "from_address", "username", "password"])?;
    let text = members.required_text("host")?;
    let host = members.source.guard.host(text);
    let host = host.map_err(|error| ChannelError::of_member("smtp_account.host", &error))?;
    let port = members.get("port").ok_or_else(|| members.absent("port"))?;
    let port = port.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0);
    let port = port.ok_or_else(|| members.wrong("port", "must be from 1 to 65535"))?;
    let encryption = match members.required_text("method")? {
        "none" => Encryption::None,
        "ssl" => Encryption::Ssl,
        "start_tls" => Encryption::StartTls,
        _ => return Err(members.wrong("method", "must be none, ssl or start_tls")),
    };
    let credentials = match (members.secret("username")?, members.secret("password")?) {
        (None, None) => None,
        (Some(username), Some(password)) => Some((username, password)),
        (Some(_), None) => return Err(members.absent("password")),
        (None, Some(_)) => return Err(members.absent("username")),
    };
    if credentials.is_some() && encryption == Encryption::None && !may_be_loopback(&host) {
        let what = "is none, and a password is not sent in the clear: use start_tls or ssl";
        return Err(members.wrong("method", what));
    }
    Ok(SmtpAccount {
        host: text.to_owned(),
        port,
        encryption,
        from: address(members, "from_address", members.required_text("from_address")?)?,
        credentials,
    })
}

/// Tells whether a host is the machine itself; a name other than `localhost` is never taken for it.
fn may_be_loopback(host: &Host) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    }
}

fn recipients(members: Members<'_>) -> Result<Vec<Address>, ChannelError> {
    let list = members.list("recipient_list")?;
    if RECIPIENTS_MAX < list.len() {
        return Err(
            members.wrong("recipient_list", &format!("has more than {RECIPIENTS_MAX} recipients"))
        );
    }
    let text = |entry: &'_ Value| entry.get("recipient").and_then(Value::as_str).map(str::to_owned);
    let wrong = || members.wrong("recipient_list", "must be a list of {\"recipient\":\"a@b.c\"}");
    let mut recipients = Vec::with_capacity(list.len());
    for entry in list {
        let text = text(entry).ok_or_else(wrong)?;
        recipients.push(address(members, "recipient_list", &text)?);
    }
    Ok(recipients)
}

fn address(members: Members<'_>, member: &str, text: &str) -> Result<Address, ChannelError> {
    text.parse()
        .map_err(|_| members.wrong(member, &format!("has {text:?}, which is no address of mail")))
}
