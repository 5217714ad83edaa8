//! A minimal HTTP/1.1 client: one kept connection, one GET at a time.
//!
//! It costs as little as it can, because it shares a machine with what it measures. It reads bodies
//! of a stated length only, which is all that the servers under measurement send.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// An answer larger than this is refused, in bytes.
const ANSWER_MAX: usize = 1024 * 1024;

/// What is asked for, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    address: SocketAddr,
    request: Vec<u8>,
}

/// A connection that is kept between requests.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Where the parts of an answer lie in the buffer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Layout {
    status: u16,
    /// Length of status line and headers, the empty line included.
    head: usize,
    body: usize,
}

impl Target {
    /// Prepares the request.
    ///
    /// # Errors
    /// The URL is no plain HTTP or names no address.
    pub(crate) fn new(url: &Url) -> Result<Self> {
        ensure!(url.scheme() == "http", "{url} is not plain HTTP");
        let addresses =
            url.socket_addrs(|| None).with_context(|| format!("no address in {url}"))?;
        let address = *addresses.first().with_context(|| format!("no address in {url}"))?;
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: */*\r\n\r\n");
        Ok(Self { address, request: request.into_bytes() })
    }
}

impl Connection {
    /// Connects to the target.
    ///
    /// # Errors
    /// Nobody listens there.
    pub(crate) async fn open(target: &Target) -> Result<Self> {
        let stream = TcpStream::connect(target.address)
            .await
            .with_context(|| format!("cannot connect to {}", target.address))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends one request, waits for the whole answer and returns its status.
    ///
    /// # Errors
    /// The connection broke, or the answer cannot be read.
    pub(crate) async fn get(&mut self, target: &Target) -> Result<u16> {
        Ok(self.exchange(target).await?.status)
    }

    /// Sends one request and returns the answer: status, head, body.
    ///
    /// # Errors
    /// As [`Connection::get`].
    pub(crate) async fn get_whole(&mut self, target: &Target) -> Result<(u16, &[u8], &[u8])> {
        let layout = self.exchange(target).await?;
        let (head, rest) = self.buffer.split_at(layout.head);
        Ok((layout.status, head, &rest[..layout.body]))
    }

    async fn exchange(&mut self, target: &Target) -> Result<Layout> {
        self.stream.write_all(&target.request).await?;
        self.buffer.clear();
        let mut layout = None;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the connection was closed within an answer");
            }
            if layout.is_none() {
                layout = read_head(&self.buffer)?;
            }
            if let Some(layout) = layout
                && layout.head + layout.body <= self.buffer.len()
            {
                return Ok(layout);
            }
            ensure!(self.buffer.len() <= ANSWER_MAX, "an answer of more than {ANSWER_MAX} bytes");
        }
    }
}

/// Reads status and lengths; `None` as long as the head is not complete.
fn read_head(buffer: &[u8]) -> Result<Option<Layout>> {
    let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&buffer[..end]).context("the head of an answer is no text")?;
    let (first, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let status = first
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .with_context(|| format!("no status in {first:?}"))?;
    let length = headers.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    let body = length.context("an answer without content-length")?.parse()?;
    Ok(Some(Layout { status, head: end + 4, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_read_when_it_is_complete() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", None);
        check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", Some((200, 38, 5)));
        check("HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n", Some((404, 44, 0)));
    }

    #[test]
    fn answers_that_cannot_be_read_are_errors() {
        assert!(read_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(read_head(b"SSH-2.0\r\n\r\n").is_err());
        assert!(read_head(b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n").is_err());
    }

    #[test]
    fn request_names_path_query_and_host() {
        let url = Url::parse("http://127.0.0.1:8000/weather/current?place=rosario#top").unwrap();
        let request = String::from_utf8(Target::new(&url).unwrap().request).unwrap();
        assert!(request.starts_with("GET /weather/current?place=rosario HTTP/1.1\r\n"));
        assert!(request.contains("\r\nhost: 127.0.0.1:8000\r\n"));
        assert!(Target::new(&Url::parse("https://127.0.0.1/").unwrap()).is_err());
    }

    #[track_caller]
    fn check(answer: &str, read: Option<(u16, usize, usize)>) {
        let layout = read.map(|(status, head, body)| Layout { status, head, body });
        assert_eq!(read_head(answer.as_bytes()).unwrap(), layout);
    }
}
