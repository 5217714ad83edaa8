//! One question to a Prometheus HTTP API.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::form::encode;

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Where both sides have their API; Prometheus is told so.
const API: &str = "/prometheus/api/v1";

/// Sends a form to a path of the API, as in `query`, and returns the `data` of the answer.
///
/// # Errors
/// No answer came, or one that says `error`, with its words.
pub(super) fn ask(address: SocketAddr, path: &str, form: &[(&str, &str)]) -> Result<Value> {
    let fields: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    // Only queries may be long, and only they may be posted.
    let (method, target, body) = match path.starts_with("query") {
        true => ("POST", format!("{API}/{path}"), fields.join("&")),
        false => ("GET", format!("{API}/{path}?{}", fields.join("&")), String::new()),
    };
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_LIMIT)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    // An answer to HTTP/1.0 comes whole, without any transfer coding.
    write!(
        stream,
        "{method} {target} HTTP/1.0\r\nhost: {address}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer).context("the answer is no text")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    let status = head.lines().next().unwrap_or_default();
    let mut answer: Value =
        serde_json::from_str(body).with_context(|| format!("{path} answered {status}: {body}"))?;
    if answer["status"] != "success" {
        bail!("{status}: {} {}", answer["errorType"], answer["error"]);
    }
    Ok(answer["data"].take())
}
