//! A minimal HTTP/1.1 client: one kept connection, one request at a time.
//!
//! It costs as little as it can, because it shares a machine with what it measures. It reads bodies
//! of a stated length and bodies in chunks, which is all that the servers under measurement send.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// An answer larger than this is refused, in bytes.
const ANSWER_MAX: usize = 64 * 1024 * 1024;

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
    body: Body,
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Body {
    /// By its length in bytes.
    Sized(usize),
    /// By a chunk of no bytes.
    Chunked,
}

impl Target {
    /// Prepares a GET.
    ///
    /// # Errors
    /// The URL is no plain HTTP or names no address.
    pub(crate) fn new(url: &Url) -> Result<Self> {
        let (address, path) = address_and_path(url)?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: */*\r\n\r\n");
        Ok(Self { address, request: request.into_bytes() })
    }

    /// Prepares a POST of `body` with further headers, each of which ends in a line break.
    ///
    /// # Errors
    /// As [`Target::new`].
    pub(crate) fn posting(url: &Url, headers: &str, body: &[u8]) -> Result<Self> {
        let (address, path) = address_and_path(url)?;
        let length = body.len();
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        Ok(Self { address, request })
    }
}

fn address_and_path(url: &Url) -> Result<(SocketAddr, &str)> {
    ensure!(url.scheme() == "http", "{url} is not plain HTTP");
    let addresses = url.socket_addrs(|| None).with_context(|| format!("no address in {url}"))?;
    let address = *addresses.first().with_context(|| format!("no address in {url}"))?;
    Ok((address, &url[url::Position::BeforePath..url::Position::AfterQuery]))
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
        if layout.body == Body::Chunked {
            let body =
                dechunked(&self.buffer[layout.head..])?.context("the answer is not whole")?;
            self.buffer.truncate(layout.head);
            self.buffer.extend_from_slice(&body);
        }
        let (head, body) = self.buffer.split_at(layout.head);
        Ok((layout.status, head, body))
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
                && layout.is_whole(&self.buffer)
            {
                return Ok(layout);
            }
            ensure!(self.buffer.len() <= ANSWER_MAX, "an answer of more than {ANSWER_MAX} bytes");
        }
    }
}

impl Layout {
    /// Tells whether the body has come to its end.
    fn is_whole(self, buffer: &[u8]) -> bool {
        match self.body {
            Body::Sized(length) => self.head + length <= buffer.len(),
            // Only one answer is awaited at a time, so that nothing comes behind it.
            Body::Chunked => buffer.ends_with(b"\r\n0\r\n\r\n"),
        }
    }
}

/// Returns the bytes of a body in chunks; `None` when it is cut off.
fn dechunked(mut rest: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut body = Vec::with_capacity(rest.len());
    loop {
        let Some(end) = rest.windows(2).position(|bytes| bytes == b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&rest[..end]).context("the size of a chunk is no text")?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
            .with_context(|| format!("{size:?} is no size of a chunk"))?;
        if size == 0 {
            return Ok(Some(body));
        }
        let Some(chunk) = rest[end + 2..].get(..size) else { return Ok(None) };
        body.extend_from_slice(chunk);
        rest = rest.get(end + 2 + size + 2..).unwrap_or_default();
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
    let value_of = |wanted: &str| {
        headers.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let body = match value_of("content-length") {
        Some(length) => Body::Sized(length.parse().context("the length of a body is no number")?),
        None if value_of("transfer-encoding") == Some("chunked") => Body::Chunked,
        None if status == 204 => Body::Sized(0),
        None => bail!("an answer without the length of its body"),
    };
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
        check("HTTP/1.1 204 No Content\r\n\r\n", Some((204, 27, 0)));
    }

    #[test]
    fn answers_that_cannot_be_read_are_errors() {
        assert!(read_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(read_head(b"SSH-2.0\r\n\r\n").is_err());
        assert!(read_head(b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n").is_err());
    }

    #[test]
    fn chunks_are_put_together() {
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwind\r\n1\r\ny\r\n0\r\n\r\n";
        let layout = read_head(answer).unwrap().unwrap();
        assert_eq!(layout.body, Body::Chunked);
        assert!(layout.is_whole(answer) && !layout.is_whole(&answer[..answer.len() - 2]));
        let body = dechunked(&answer[layout.head..]).unwrap();
        assert_eq!(body.as_deref(), Some(&b"windy"[..]));
        assert_eq!(dechunked(b"4\r\nwi").unwrap(), None);
        assert!(dechunked(b"four\r\nwind").is_err());
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
        let layout =
            read.map(|(status, head, body)| Layout { status, head, body: Body::Sized(body) });
        assert_eq!(read_head(answer.as_bytes()).unwrap(), layout);
    }
}
