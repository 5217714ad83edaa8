//! A mail server that keeps what it got, and misbehaves on command.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Inbox, Sender, channel};
use std::thread;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::stage::INSIDE;

/// How a server behaves.
#[derive(Clone, Debug)]
pub(crate) struct Behaviour {
    /// Whether it offers STARTTLS.
    pub(crate) starttls: bool,
    /// Whether it speaks TLS from the first byte.
    pub(crate) implicit_tls: bool,
    /// What it says to AUTH.
    pub(crate) auth: &'static str,
    /// Recipients with what it says to them; it takes all others.
    pub(crate) recipients: &'static [(&'static str, &'static str)],
    /// What it says to the letter; empty to cut the connection.
    pub(crate) letter: &'static str,
    /// Whether it never stops with its greeting.
    pub(crate) endless: bool,
    /// Whether it says nothing to the farewell.
    pub(crate) clings: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            starttls: true,
            implicit_tls: false,
            auth: "235 welcome",
            recipients: &[],
            letter: "250 queued as 4711",
            endless: false,
            clings: false,
        }
    }
}

/// A letter with how it came.
#[derive(Debug, Default)]
pub(crate) struct Got {
    /// All commands, with a `+` in front of those that came encrypted.
    pub(crate) commands: Vec<String>,
    pub(crate) letter: String,
}

/// A server on a port of its own, with an authority of its own.
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    /// The certificate of its authority, in DER.
    pub(crate) authority: Vec<u8>,
    inbox: Inbox<Got>,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MailServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl MailServer {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (authority, config) = certificates();
        let (sender, inbox) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut session = Session { behaviour: &behaviour, got: Got::default() };
                session.serve(stream, &config);
                send(&sender, session.got);
            }
        });
        Self { address, authority, inbox }
    }

    /// Waits for the next session to end, and returns what came in it.
    pub(crate) fn got(&self) -> Got {
        self.inbox.recv().unwrap()
    }
}

fn send(sender: &Sender<Got>, got: Got) {
    // A test that is over no longer looks.
    let _ = sender.send(got);
}

/// Makes an authority, and what a server needs whose certificate is signed by it.
fn certificates() -> (Vec<u8>, Arc<ServerConfig>) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::from_params(&params, &authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec![INSIDE.to_owned()]).unwrap();
    let own = own.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], key)
        .unwrap();
    (authority.der().to_vec(), Arc::new(config))
}

struct Session<'b> {
    behaviour: &'b Behaviour,
    got: Got,
}

/// How a conversation ended.
enum End {
    Over,
    StartTls,
}

impl Session<'_> {
    fn serve(&mut self, stream: TcpStream, config: &Arc<ServerConfig>) {
        let secure = |stream: TcpStream| {
            StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream)
        };
        if self.behaviour.implicit_tls {
            self.talk(secure(stream), true, true);
            return;
        }
        let plain = stream.try_clone().unwrap();
        if let End::StartTls = self.talk(plain, false, true) {
            self.talk(secure(stream), true, false);
        }
    }

    fn talk(&mut self, stream: impl Read + Write, secure: bool, greets: bool) -> End {
        let mut stream = BufReader::new(stream);
        if self.behaviour.endless {
            while stream.get_mut().write_all(&[b'x'; 8_192]).is_ok() {}
            return End::Over;
        }
        if greets && !say(&mut stream, "220 stand-in") {
            return End::Over;
        }
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return End::Over;
            }
            let command = line.trim_end().to_owned();
            let mark = if secure { "+" } else { "" };
            self.got.commands.push(format!("{mark}{command}"));
            if command == "DATA" {
                if !self.take_letter(&mut stream) {
                    return End::Over;
                }
                continue;
            }
            if command == "QUIT" && self.behaviour.clings {
                continue;
            }
            if !say(&mut stream, &self.reply(&command, secure)) || command == "QUIT" {
                return End::Over;
            }
            if command == "STARTTLS" {
                return End::StartTls;
            }
        }
    }

    fn reply(&self, command: &str, secure: bool) -> String {
        let word = command.split([' ', ':']).next().unwrap_or_default();
        match word {
            "EHLO" if self.behaviour.starttls && !secure => {
                "250-stand-in\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS".to_owned()
            }
            "EHLO" => "250-stand-in\r\n250 AUTH PLAIN LOGIN".to_owned(),
            "AUTH" => self.behaviour.auth.to_owned(),
            "STARTTLS" => "220 go ahead".to_owned(),
            "RCPT" => {
                let mut known = self.behaviour.recipients.iter();
                let refused = known.find(|(recipient, _)| command.contains(recipient));
                refused.map_or("250 fine", |(_, reply)| reply).to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "250 fine".to_owned(),
        }
    }

    fn take_letter<S: Read + Write>(&mut self, stream: &mut BufReader<S>) -> bool {
        say(stream, "354 go ahead");
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return false;
            }
            if line == ".\r\n" {
                return !self.behaviour.letter.is_empty() && say(stream, self.behaviour.letter);
            }
            self.got.letter.push_str(&line);
        }
    }
}

fn say<S: Read + Write>(stream: &mut BufReader<S>, text: &str) -> bool {
    stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).is_ok()
        && stream.get_mut().flush().is_ok()
}
