//! Mail, from the connection to the farewell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pampero_notifications::{Channel, CourierOptions, Delivered, DeliveryError, Message};
use pampero_resilience::FailureClass;
use serde_json::{Value, json};

use crate::mail_server::{Behaviour, MailServer};
use crate::stage::{INSIDE, channel, courier, message, options};

const PASSWORD: &str = "p4ssw0rd-of-the-account";

/// An account at the server, to be changed by a test.
fn account(server: &MailServer, method: &str) -> Value {
    json!({
        "host": INSIDE, "port": server.address.port(), "method": method,
        "from_address": "pampero@weather.example", "username": "us3r-name", "password": PASSWORD,
    })
}

fn options_with(server: &MailServer, account: &Value) -> CourierOptions {
    let people = json!({ "recipient_list": [{ "recipient": "c@ops.example" }] });
    let named = |id: &str, config_type: &str, data: &Value| {
        (id.to_owned(), Arc::new(channel(id, config_type, data)))
    };
    let book: BTreeMap<String, Arc<Channel>> =
        [named("smtp", "smtp_account", account), named("all", "email_group", &people)].into();
    CourierOptions {
        channels: Arc::new(book),
        authorities: vec![server.authority.clone()],
        ..options()
    }
}

fn mail() -> Channel {
    let data = json!({
        "email_account_id": "smtp",
        "recipient_list": [{ "recipient": "a@ops.example" }, { "recipient": "b@ops.example" }],
        "email_group_id_list": ["all"],
    });
    channel("mail", "email", &data)
}

async fn deliver(
    server: &MailServer,
    account: &Value,
    message: &Message,
) -> Result<Delivered, DeliveryError> {
    let outcome = courier(options_with(server, account)).deliver(&mail(), message).await;
    let shown = format!("{outcome:?}");
    assert!(!shown.contains(PASSWORD) && !shown.contains("us3r-name"), "{shown}");
    outcome
}

#[tokio::test]
async fn letter_goes_encrypted_after_starttls() {
    let server = MailServer::start(Behaviour::default());
    let delivered = deliver(&server, &account(&server, "start_tls"), &message()).await.unwrap();
    assert_eq!((delivered.status, delivered.text.as_str()), (250, "queued as 4711"));

    let got = server.got();
    let commands: Vec<&str> = got.commands.iter().map(String::as_str).collect();
    assert_eq!(
        commands,
        [
            "EHLO [127.0.0.1]",
            "STARTTLS",
            "+EHLO [127.0.0.1]",
            // printf '\0us3r-name\0p4ssw0rd-of-the-account' | base64
            "+AUTH PLAIN AHVzM3ItbmFtZQBwNHNzdzByZC1vZi10aGUtYWNjb3VudA==",
            "+MAIL FROM:<pampero@weather.example>",
            "+RCPT TO:<a@ops.example>",
            "+RCPT TO:<b@ops.example>",
            "+RCPT TO:<c@ops.example>",
            "+DATA",
            "+QUIT",
        ]
    );
    for line in [
        "From: Pampero <pampero@weather.example>\r\n",
        "To: a@ops.example, b@ops.example, c@ops.example\r\n",
        "Subject: 14 errors\r\n",
        "Message-ID: <m-1@weather.example>\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Date: Mon, 21 Sep 2026 13:04:0",
    ] {
        assert!(got.letter.contains(line), "{line} in {}", got.letter);
    }
    assert!(got.letter.contains("=E2=80=94 =C3=A9"), "{}", got.letter);
}

#[tokio::test]
async fn letter_goes_encrypted_from_the_first_byte() {
    let behaviour = Behaviour { implicit_tls: true, starttls: false, ..Behaviour::default() };
    let server = MailServer::start(behaviour);
    deliver(&server, &account(&server, "ssl"), &message()).await.unwrap();
    assert!(server.got().commands.iter().all(|command| command.starts_with('+')));
}

#[tokio::test]
async fn repeat_says_so() {
    let server = MailServer::start(Behaviour::default());
    let mut message = message();
    message.is_repeat = true;
    message.text = "plain\n".to_owned();
    deliver(&server, &account(&server, "start_tls"), &message).await.unwrap();
    let letter = server.got().letter;
    assert!(letter.contains("plain\r\n(repeated: the first try may have arrived)\r\n"), "{letter}");
}

#[tokio::test]
async fn nothing_goes_where_encryption_fails() {
    // It offers none.
    let server = MailServer::start(Behaviour { starttls: false, ..Behaviour::default() });
    let error = deliver(&server, &account(&server, "start_tls"), &message()).await.unwrap_err();
    assert!(error.reason.contains("offers no STARTTLS"), "{error}");
    assert_eq!(error.class, FailureClass::BadRequest);
    assert_eq!(server.got().commands, ["EHLO [127.0.0.1]"]);

    // Its authority is not trusted.
    let server = MailServer::start(Behaviour::default());
    let mut options = options_with(&server, &account(&server, "start_tls"));
    options.authorities.clear();
    let error = courier(options).deliver(&mail(), &message()).await.unwrap_err();
    assert!(error.reason.contains("no connection to the mail server"), "{error}");
    assert!(!error.may_have_arrived);
    assert!(!server.got().commands.iter().any(|command| command.starts_with('+')));

    // Its certificate is that of another host.
    let mut other = account(&server, "start_tls");
    other["host"] = "127.0.0.1".into();
    let error = deliver(&server, &other, &message()).await.unwrap_err();
    assert!(error.reason.contains("no connection to the mail server"), "{error}");
}

#[tokio::test]
async fn letter_in_the_clear_needs_no_password_or_the_machine_itself() {
    let server = MailServer::start(Behaviour::default());
    let mut open = account(&server, "none");
    let members = open.as_object_mut().unwrap();
    members.remove("username");
    members.remove("password");
    deliver(&server, &open, &message()).await.unwrap();
    assert!(!server.got().commands.iter().any(|command| command.contains("AUTH")));

    let mut own = account(&server, "none");
    own["host"] = "127.0.0.1".into();
    deliver(&server, &own, &message()).await.unwrap();
    assert!(server.got().commands.iter().any(|command| command.starts_with("AUTH")));
}

#[tokio::test]
async fn wrong_recipient_keeps_nothing_from_the_others() {
    let recipients = &[("b@ops.example", "550 no such user")];
    let server = MailServer::start(Behaviour { recipients, ..Behaviour::default() });
    let delivered = deliver(&server, &account(&server, "start_tls"), &message()).await.unwrap();
    assert!(
        delivered.text.contains("1 of 3 recipients were refused: b@ops.example"),
        "{delivered:?}"
    );
    assert!(!server.got().letter.is_empty());

    let recipients = &[("@ops.example", "550 no such user")];
    let server = MailServer::start(Behaviour { recipients, ..Behaviour::default() });
    let error = deliver(&server, &account(&server, "start_tls"), &message()).await.unwrap_err();
    assert_eq!((error.class, error.status), (FailureClass::BadRequest, Some(550)));

    let recipients =
        &[("a@ops.example", "550 no such user"), ("@ops.example", "451 come back later")];
    let server = MailServer::start(Behaviour { recipients, ..Behaviour::default() });
    let error = deliver(&server, &account(&server, "start_tls"), &message()).await.unwrap_err();
    assert_eq!((error.class, error.status), (FailureClass::Transient, Some(451)));
}

#[tokio::test]
async fn refusals_of_the_server_are_told_apart() {
    use FailureClass::{Auth, BadRequest, Transient};
    let auth = |auth| Behaviour { auth, ..Behaviour::default() };
    let letter = |letter| Behaviour { letter, ..Behaviour::default() };
    check(auth("535 wrong password"), Auth, Some(535), false).await;
    check(auth("454 not now"), Transient, Some(454), false).await;
    check(letter("552 too large"), BadRequest, Some(552), false).await;
    check(letter("451 not now"), Transient, Some(451), false).await;
    // The connection is cut behind the letter: nobody knows.
    check(letter(""), Transient, None, true).await;
}

async fn check(
    behaviour: Behaviour,
    class: FailureClass,
    status: Option<u16>,
    may_have_arrived: bool,
) {
    let shown = format!("{behaviour:?}");
    let server = MailServer::start(behaviour);
    let error = deliver(&server, &account(&server, "start_tls"), &message()).await.unwrap_err();
    assert_eq!((error.class, error.status), (class, status), "{shown}: {error}");
    assert_eq!(error.may_have_arrived, may_have_arrived, "{shown}: {error}");
}

#[tokio::test]
async fn endless_greeting_is_cut() {
    let server = MailServer::start(Behaviour { endless: true, ..Behaviour::default() });
    let error = deliver(&server, &account(&server, "start_tls"), &message()).await.unwrap_err();
    assert!(error.reason.contains("says too much"), "{error}");
}

#[tokio::test]
async fn server_that_does_not_say_farewell_has_the_letter() {
    let server = MailServer::start(Behaviour { clings: true, ..Behaviour::default() });
    let account = account(&server, "start_tls");
    let message = message();
    let patience = Duration::from_secs(8);
    let outcome = tokio::time::timeout(patience, deliver(&server, &account, &message)).await;
    let delivered = outcome.expect("the server is not waited for").unwrap();
    assert_eq!(delivered.status, 250);
}

#[tokio::test]
async fn account_that_is_gone_or_forbidden_is_told() {
    let server = MailServer::start(Behaviour::default());
    let account = account(&server, "start_tls");
    let error = courier(options()).deliver(&mail(), &message()).await.unwrap_err();
    assert_eq!(error.reason, "NotificationConfig smtp not found");

    let mut closed = options_with(&server, &account);
    closed.guard = crate::stage::guard(&[]);
    let error = courier(closed).deliver(&mail(), &message()).await.unwrap_err();
    assert!(error.reason.contains("receiver.test is refused: 127.0.0.1"), "{error}");
    assert_eq!(error.class, FailureClass::BadRequest);
}
