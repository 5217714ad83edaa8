//! A receiver of requests that keeps what it got, and answers as it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver as Inbox, Sender, channel};
use std::thread;

/// How requests are answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// With these bytes.
    Bytes(String),
    /// Not at all, and the connection stays open until the caller closes it.
    Hang,
    /// Not at all: the connection is closed when the request was read.
    Cut,
    /// The connection is closed within the head of the answer.
    CutMidway,
    /// With a success whose body does not end.
    Endless,
    /// With a head that does not end.
    EndlessHead,
}

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) line: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }
}

/// A receiver on a port of its own.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    inbox: Inbox<Got>,
}

impl Receiver {
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, inbox) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A caller that goes away in the middle is none of the receiver's business.
                let _ = serve(&stream, &answer, &sender);
            }
        });
        Self { address, inbox }
    }

    pub(crate) fn answering(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}");
        Self::start(Answer::Bytes(head))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns what arrived since the last time.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.inbox.try_iter().collect()
    }
}

fn serve(stream: &TcpStream, answer: &Answer, sender: &Sender<Got>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|header| header.0 == "content-length");
    let length: usize = length.map_or(0, |header| header.1.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    // A test that is over no longer looks.
    let _ = sender.send(Got { line: line.trim_end().to_owned(), headers, body });
    let mut stream = stream;
    match answer {
        Answer::Bytes(bytes) => stream.write_all(bytes.as_bytes()),
        Answer::Hang => reader.read_line(&mut line).map(|_| ()),
        Answer::Cut => Ok(()),
        Answer::CutMidway => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le"),
        Answer::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 8_192])?;
            }
        }
        Answer::EndlessHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                stream.write_all(b"x-more: and more\r\n")?;
            }
        }
    }
}
