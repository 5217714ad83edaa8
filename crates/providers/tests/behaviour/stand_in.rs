//! A stand-in for a service: plays what it is told, byte by byte, and remembers what it was asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

/// What the stand-in does with one connection once it has read the request.
#[derive(Clone)]
pub(crate) enum Play {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Resets the connection without a word.
    Reset,
}

impl Play {
    /// Answers with a status, headers and a body whose length is announced.
    pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let length = body.as_ref().len();
        Self::announcing(length, status, headers, body)
    }

    /// Answers with a body that ends before the announced length.
    pub(crate) fn cut(body: &str) -> Self {
        Self::announcing(body.len() + 100, 200, &[], body)
    }

    fn announcing(
        length: usize,
        status: u16,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Self {
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "HTTP/1.1 {status} Some Reason\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        Self::Bytes([head.as_bytes(), body.as_ref()].concat())
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query, as they were sent.
    pub(crate) target: String,
    /// Header names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    /// Returns the parameters of the query, or of the form in the body of a POST.
    pub(crate) fn parameters(&self) -> HashMap<String, String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let text = if self.method == "POST" { &self.body } else { query };
        url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// The stand-in while it runs; it ends with this value.
pub(crate) struct StandIn {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _task: JoinSet<()>,
}

impl StandIn {
    /// Starts playing: one entry of `plays` for each connection, the last one again and again.
    pub(crate) async fn start(plays: Vec<Play>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let remembered = seen.clone();
        let mut task = JoinSet::new();
        task.spawn(async move {
            for turn in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let play = &plays[turn.min(plays.len() - 1)];
                serve(stream, play, &remembered).await;
            }
        });
        Self { address, seen, _task: task }
    }

    /// Returns a base URL with a path, as behind a gateway.
    pub(crate) fn base_url(&self) -> Url {
        format!("http://{}/base/", self.address).parse().unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    #[track_caller]
    pub(crate) fn only_request(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }
}

async fn serve(mut stream: TcpStream, play: &Play, seen: &Mutex<Vec<Seen>>) {
    let Some(request) = read_request(&mut stream).await else { return };
    seen.lock().unwrap().push(request);
    match play {
        // The client may hang up in the middle, which is its right.
        Play::Bytes(bytes) => {
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
        }
        Play::Reset => stream.set_zero_linger().unwrap(),
    }
}

/// Reads head and body of a request; `None` when the client hangs up before it is complete.
async fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let seen = parse(head, body);
            let length = seen.header("content-length").map_or(0, |text| text.parse().unwrap());
            if length <= body.len() {
                return Some(seen);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn parse(head: &str, body: &str) -> Seen {
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    Seen {
        method: first.next().unwrap().to_owned(),
        target: first.next().unwrap().to_owned(),
        headers: lines.map(header).collect(),
        body: body.to_owned(),
    }
}
