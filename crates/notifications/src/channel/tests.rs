//! What is taken for a channel, what is refused, and that no secret is ever shown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use serde_json::json;

use super::*;
use crate::guard::{Network, SystemResolver};
use crate::secret::Reference;
use crate::vault::VaultError;

/// Keeps secrets in memory, and remembers what it was given.
#[derive(Debug, Default)]
struct MemoryVault {
    stored: Mutex<BTreeMap<String, SecretString>>,
}

impl Vault for MemoryVault {
    fn resolve(&self, _config_id: &str, reference: &Reference) -> Result<SecretString, VaultError> {
        let reference = reference.to_string();
        match reference.as_str() {
            "$env:PAMPERO_SLACK_URL" => Ok("https://hooks.slack.com/services/T/B/FROMENV".into()),
            "$env:PAMPERO_KEY" => Ok("k3y-from-env".into()),
            _ => {
                let stored = self.stored.lock().expect("no test panics while it writes");
                let reason = "it is not there".to_owned();
                stored.get(&reference).cloned().ok_or(VaultError::Missing { reference, reason })
            }
        }
    }

    fn store(
        &self,
        config_id: &str,
        member: &str,
        secret: &SecretString,
    ) -> Result<Reference, VaultError> {
        let reference = Reference::File(format!("{config_id}.{member}"));
        let mut stored = self.stored.lock().expect("no test panics while it writes");
        stored.insert(reference.to_string(), secret.clone());
        Ok(reference)
    }

    fn forget(&self, _config_id: &str) -> Result<(), VaultError> {
        Ok(())
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("an instant")
}

fn guard() -> Guard {
    let allowed: Vec<Network> = vec!["127.0.0.1/32".parse().expect("a range")];
    Guard::new(allowed, Arc::new(SystemResolver))
}

fn config(config_type: &str, data: Value) -> Value {
    json!({ "config": { "name": "Ops", "config_type": config_type, config_type: data } })
}

fn make(json: &Value, old: Option<&Channel>) -> Result<Channel, ChannelError> {
    Channel::from_json("ops", json, old, &MemoryVault::default(), &guard(), at(1_000))
}

/// Takes a channel, and shows it as the API and as its file do.
#[track_caller]
fn check(config_type: &str, data: Value, shown: Value, in_file: Value) -> Channel {
    let vault = MemoryVault::default();
    let json = config(config_type, data);
    let channel = Channel::from_json("ops", &json, None, &vault, &guard(), at(1_000));
    let channel = channel.expect("the case is a channel");
    assert_eq!(channel.to_json()["config"][config_type], shown);
    let file = channel.to_file_json();
    assert_eq!(file["config"][config_type], in_file);
    let again = Channel::from_file("ops", &file, &vault, &guard(), at(2_000));
    let again = again.expect("its file is read again");
    assert_eq!(again.to_file_json(), file);
    assert_eq!(again.created, at(1_000));
    for secret in channel.secrets().iter().chain(&again.secrets()) {
        let all = format!("{channel:?}{}{file}", channel.to_json());
        assert!(!all.contains(secret.1.reveal()), "{} is shown", secret.0);
    }
    channel
}

#[test]
fn channel_of_each_type_is_taken_and_written_again() {
    let slack = "https://hooks.slack.com/services/T0/B0/XXXXSECRET";
    let hidden = json!({ "url": "[redacted]" });
    let kept = json!({ "url": "$file:ops.url" });
    for config_type in ["slack", "chime", "mattermost", "microsoft_teams"] {
        check(config_type, json!({ "url": slack }), hidden.clone(), kept.clone());
    }
    check("slack", json!({ "url": "http://127.0.0.1:9/services/T/B/X" }), hidden.clone(), kept);
    let env = json!({ "url": "$env:PAMPERO_SLACK_URL" });
    check("slack", env.clone(), hidden, env);
    check(
        "webhook",
        json!({
            "url": "https://receiver.example/in?token=abcdef",
            "method": "PUT",
            "header_params": { "Content-Type": "text/plain", "X-Api-Key": "k3y-value" },
            "hmac_secret": "$env:PAMPERO_KEY",
        }),
        json!({
            "url": "[redacted]",
            "method": "PUT",
            "header_params": { "Content-Type": "text/plain", "X-Api-Key": "[redacted]" },
            "hmac_secret": "[redacted]",
        }),
        json!({
            "url": "$file:ops.url",
            "method": "PUT",
            "header_params": { "Content-Type": "text/plain", "X-Api-Key": "$file:ops.header_params.X-Api-Key" },
            "hmac_secret": "$env:PAMPERO_KEY",
        }),
    );
    check(
        "webhook",
        json!({ "preset": "pagerduty", "routing_key": "R0UT1NG-KEY" }),
        json!({
            "url": "[redacted]", "method": "POST", "preset": "pagerduty", "routing_key": "[redacted]"
        }),
        json!({
            "url": "$file:ops.url", "method": "POST", "preset": "pagerduty",
            "routing_key": "$file:ops.routing_key"
        }),
    );
    let email = json!({
        "email_account_id": "smtp", "recipient_list": [{ "recipient": "a@b.example" }],
        "email_group_id_list": ["all"]
    });
    check("email", email.clone(), email.clone(), email);
    let group = json!({ "recipient_list": [{ "recipient": "a@b.example" }] });
    check("email_group", group.clone(), group.clone(), group);
    let account = |username: &str, password: &str| {
        json!({
            "host": "mail.example", "port": 587, "method": "start_tls", "from_address": "p@b.example",
            "username": username, "password": password,
        })
    };
    check(
        "smtp_account",
        account("us3r-name", "p4ssw0rd"),
        account("[redacted]", "[redacted]"),
        account("$file:ops.username", "$file:ops.password"),
    );
    let alertmanager = json!({ "url": "http://127.0.0.1:9093/" });
    check("alertmanager", alertmanager.clone(), alertmanager.clone(), alertmanager);
}

#[track_caller]
fn refuse(json: &Value, kind: ChannelErrorKind, part: &str) {
    let error = make(json, None).expect_err("the case is no channel");
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.reason.contains(part), "{error}");
    assert!(!error.reason.contains("s3cret"), "{error}");
}

#[test]
fn what_is_no_channel_is_refused_with_what_to_do() {
    use ChannelErrorKind::Invalid;
    let slack = |url: &str| config("slack", json!({ "url": url }));
    refuse(&json!({}), Invalid, "config field absent");
    refuse(&json!({ "config": 1 }), Invalid, "config must be an object");
    refuse(&json!({ "config": { "config_type": "slack" } }), Invalid, "name field absent");
    refuse(&json!({ "config": { "name": "x" } }), Invalid, "config_type field absent");
    refuse(&config("fax", json!({})), Invalid, "it is one of slack, chime");
    refuse(&config("sns", json!({})), Invalid, "config_type sns is not supported");
    refuse(&config("ses_account", json!({})), Invalid, "config_type ses_account is not supported");
    let crossed = json!({ "config": { "name": "x", "config_type": "slack", "chime": {} } });
    refuse(&crossed, Invalid, "ConfigType: slack and data doesn't match");
    refuse(&json!({ "config_id": "other", "config": {} }), Invalid, "config_id must be ops");

    refuse(&slack("s3cret"), Invalid, "Invalid slack.url: it is no URL");
    refuse(&slack(""), Invalid, "slack.url is empty");
    refuse(&slack("[redacted]"), Invalid, "there is none to keep");
    refuse(&slack("$env:PAMPERO_NONE"), Invalid, "$env:PAMPERO_NONE cannot be read");
    refuse(
        &slack("https://example.org/s3cret"),
        Invalid,
        "It must contain hooks.slack.com/services/",
    );
    refuse(
        &slack("https://example.org/?hooks.slack.com/services/s3cret"),
        Invalid,
        "It must contain",
    );
    refuse(&slack("http://127.0.0.1/s3cret"), Invalid, "It must contain hooks.slack.com/services/");
    refuse(&slack("http://10.0.0.1/services/s3cret"), Invalid, "10.0.0.1 is in a private network");
    refuse(&slack("http://169.254.169.254/services/s3cret"), Invalid, "169.254.169.254 is");
    refuse(
        &slack("https://u:s3cret@hooks.slack.com/services/T/B/X"),
        Invalid,
        "user or a password",
    );
    refuse(&config("slack", json!({ "url": 1 })), Invalid, "slack.url must be a text");
    refuse(
        &config("slack", json!({ "uri": "x" })),
        Invalid,
        "slack.uri is not known; there is url",
    );

    let webhook = |extra: Value| {
        let mut data = json!({ "url": "https://receiver.example/s3cret" });
        let object = data.as_object_mut().expect("an object");
        object.extend(extra.as_object().expect("an object").clone());
        config("webhook", data)
    };
    refuse(&webhook(json!({ "method": "GET" })), Invalid, "must be POST, PUT or PATCH");
    refuse(&webhook(json!({ "preset": "icq" })), Invalid, "must be discord, ntfy or pagerduty");
    refuse(&webhook(json!({ "preset": "pagerduty" })), Invalid, "routing_key field absent");
    refuse(
        &webhook(json!({ "routing_key": "s3cret" })),
        Invalid,
        "belongs to the preset pagerduty",
    );
    refuse(
        &webhook(json!({ "hmac_secert": "s3cret" })),
        Invalid,
        "webhook.hmac_secert is not known",
    );
    refuse(
        &webhook(json!({ "header_params": { "Host": "x" } })),
        Invalid,
        "set by the program itself",
    );
    refuse(&webhook(json!({ "header_params": { "a b": "x" } })), Invalid, "none of a header");
    refuse(&webhook(json!({ "header_params": { "X-A": "s3cret\nX-B: y" } })), Invalid, "one line");
    refuse(
        &webhook(json!({ "header_params": { "X-A": "1", "x-a": "2" } })),
        Invalid,
        "is there twice",
    );
    let both = json!({ "preset": "discord", "body_template": "{}" });
    refuse(&webhook(both), Invalid, "exclude each other");
    let topic = json!({ "url": "https://ntfy.sh/", "preset": "ntfy" });
    refuse(&config("webhook", topic), Invalid, "must end in the name of the topic");

    let email = |data: Value| config("email", data);
    refuse(&email(json!({})), Invalid, "email_account_id field absent");
    refuse(&email(json!({ "email_account_id": "smtp" })), Invalid, "name somebody");
    let wrong =
        json!({ "email_account_id": "smtp", "recipient_list": [{ "recipient": "nobody" }] });
    refuse(&email(wrong), Invalid, "\"nobody\", which is no address of mail");
    let account = |method: &str, host: &str, port: u32| {
        config(
            "smtp_account",
            json!({
                "host": host, "port": port, "method": method, "from_address": "p@b.example",
                "username": "s3cret", "password": "s3cret",
            }),
        )
    };
    refuse(&account("none", "mail.example", 25), Invalid, "not sent in the clear");
    refuse(&account("tls", "mail.example", 25), Invalid, "must be none, ssl or start_tls");
    refuse(&account("ssl", "mail.example", 0), Invalid, "from 1 to 65535");
    refuse(&account("ssl", "mail.example", 70_000), Invalid, "from 1 to 65535");
    refuse(&account("ssl", "10.1.1.1", 465), Invalid, "10.1.1.1 is in a private network");
    assert!(make(&account("none", "127.0.0.1", 25), None).is_ok());
    let query = json!({ "url": "http://127.0.0.1:9093/?x" });
    refuse(&config("alertmanager", query), Invalid, "must end before /api/v2/alerts");
}

#[test]
fn stand_in_for_slack_must_be_allowed() {
    let make = |url: &str, guard: &Guard| {
        let json = config("slack", json!({ "url": url }));
        Channel::from_json("ops", &json, None, &MemoryVault::default(), guard, at(0)).is_ok()
    };
    let nothing = Guard::public_only();
    assert!(make("https://hooks.gov-slack.com/services/T/B/X", &nothing));
    assert!(!make("https://stand-in.example/services/T/B/X", &nothing));
    // Where a name leads to is judged when a message is sent.
    assert!(make("https://stand-in.example/services/T/B/X", &guard()));
    assert!(!make("https://stand-in.example/other/T/B/X", &guard()));
    assert!(!make("http://93.184.216.34/services/T/B/X", &guard()));
}

#[test]
fn template_is_tried_before_it_is_taken() {
    let template = |source: &str| {
        make(
            &config("webhook", json!({ "url": "https://r.example/", "body_template": source })),
            None,
        )
    };
    template(r#"{"text":"{{subject}}","by":"{{source}}","n":{{severity}}}"#)
        .expect("it makes JSON");
    let trailing = template(r#"{"text":"{{subject}}",}"#).expect_err("a comma is left over");
    assert!(trailing.reason.contains("does not work for a sample message"), "{trailing}");
    let raw = template(r#"{"text":"{{{subject}}}"}"#).expect_err("quotes are not escaped");
    assert!(raw.reason.contains("the body is no JSON"), "{raw}");
    let open = template("{{#alerts}}").expect_err("a section is not closed");
    assert!(open.reason.contains("cannot be read"), "{open}");
    let text = json!({
        "url": "https://r.example/", "body_template": "{{{subject}}}: {{text}}",
        "header_params": { "content-type": "text/plain" },
    });
    make(&config("webhook", text), None).expect("a text need not be JSON");
}

#[test]
fn word_for_a_secret_keeps_the_old_one() {
    let vault = MemoryVault::default();
    let data = json!({
        "url": "https://receiver.example/in", "header_params": { "X-Key": "k3y" }, "hmac_secret": "hm4c",
    });
    let make = |json: &Value, old: Option<&Channel>, second| {
        Channel::from_json("ops", json, old, &vault, &guard(), at(second))
    };
    let old = make(&config("webhook", data), None, 1_000).expect("it is a channel");
    let mut shown = old.to_json();
    shown["config"]["name"] = "Renamed".into();

    let new = make(&shown, Some(&old), 2_000).expect("what is shown can be put");
    assert_eq!((new.name.as_str(), new.created, new.updated), ("Renamed", at(1_000), at(2_000)));
    assert_eq!(new.to_file_json()["config"]["webhook"], old.to_file_json()["config"]["webhook"]);

    // A secret must not follow a channel to somebody else's address.
    shown["config"]["webhook"]["url"] = "https://elsewhere.example/in".into();
    let error = make(&shown, Some(&old), 2_000).expect_err("the key would go elsewhere");
    assert!(error.reason.contains("the address is another than before"), "{error}");
    shown["config"]["webhook"]["url"] = "https://receiver.example/other".into();
    make(&shown, Some(&old), 2_000).expect("the same host may have another path");

    let slack = config("slack", json!({ "url": "https://hooks.slack.com/services/T/B/X" }));
    let error = make(&slack, Some(&old), 2_000).expect_err("the type is another");
    assert_eq!(error.kind, ChannelErrorKind::Conflict);
    assert_eq!(error.kind.status(), 409);
}

#[test]
fn refused_channel_leaves_no_secret_behind() {
    let vault = MemoryVault::default();
    let data = json!({ "url": "https://r.example/", "hmac_secret": "hm4c", "method": "GET" });
    let outcome =
        Channel::from_json("ops", &config("webhook", data), None, &vault, &guard(), at(0));
    assert!(outcome.is_err());
    assert!(vault.stored.lock().expect("no panic").is_empty());
}

#[test]
fn email_finds_its_account_and_groups() {
    let named = |id: &str, config_type: &str, data: Value| {
        let json = config(config_type, data);
        let vault = MemoryVault::default();
        let channel = Channel::from_json(id, &json, None, &vault, &guard(), at(0));
        (id.to_owned(), Arc::new(channel.expect("it is a channel")))
    };
    let account = json!({
        "host": "mail.example", "port": 25, "method": "none", "from_address": "p@b.example"
    });
    let people = json!({ "recipient_list": [{ "recipient": "a@b.example" }, { "recipient": "c@b.example" }] });
    let book: BTreeMap<_, _> =
        [named("smtp", "smtp_account", account), named("all", "email_group", people)].into();
    let email = |account: &str, group: &str| {
        let data = json!({
            "email_account_id": account, "recipient_list": [{ "recipient": "a@b.example" }],
            "email_group_id_list": [group],
        });
        named("mail", "email", data).1
    };
    email("smtp", "all").check_references(&book).expect("all is there");
    let ChannelKind::Email(found) = &email("smtp", "all").kind else { panic!("it is mail") };
    let mail = book::resolve(found, &book).expect("all is there");
    assert_eq!(mail.recipients.len(), 2, "a double is named once");
    let status = |channel: Arc<Channel>| {
        let error = channel.check_references(&book).expect_err("something is missing");
        (error.kind.status(), error.reason)
    };
    let missing = (404, "NotificationConfig none not found".to_owned());
    assert_eq!(status(email("none", "all")), missing);
    assert_eq!(status(email("smtp", "none")), missing);
    assert_eq!(status(email("all", "all")).0, 406);
    assert_eq!(status(email("smtp", "smtp")).0, 406);
}

#[test]
fn id_has_few_characters() {
    for id in ["slack-ops", "a", "A/b+c=d_e-9", &"x".repeat(128)] {
        check_id(id).expect("the case is an id");
    }
    for id in ["", "a.b", "../x", "a b", "é", "a\n", "~", &"x".repeat(129)] {
        check_id(id).expect_err("the case is no id");
    }
}

#[test]
fn receivers_that_know_a_repeat_are_told_apart() {
    let knows = |config_type: &str, data: Value| {
        make(&config(config_type, data), None).expect("it is a channel").knows_repeats()
    };
    let hook = "https://hooks.slack.com/services/T/B/X";
    assert!(!knows("slack", json!({ "url": hook })));
    assert!(!knows("webhook", json!({ "url": hook, "preset": "discord" })));
    assert!(knows("webhook", json!({ "url": hook })));
    assert!(knows("webhook", json!({ "preset": "pagerduty", "routing_key": "k" })));
    assert!(knows("alertmanager", json!({ "url": "http://127.0.0.1:9093" })));
}
