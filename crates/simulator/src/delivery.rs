//! How an answer goes over the wire: whole, slowly, cut, or without end.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};

use crate::reply::Reply;

/// Pieces of a body that trickles.
const PIECES: usize = 20;

/// Size of the pieces of a huge body, in bytes.
const HUGE_PIECE: usize = 64 * 1024;

/// How the body is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// In pieces over a length of time.
    Trickle(Duration),
    /// The first half; then the connection is closed.
    Cut,
}

/// Sends an answer as it is.
pub(crate) fn whole(mut reply: Reply) -> Response {
    let body = std::mem::take(&mut reply.body);
    respond(reply, Body::from(body))
}

/// Sends an answer in pieces.
pub(crate) fn paced(mut reply: Reply, pace: Pace) -> Response {
    let bytes = Bytes::from(std::mem::take(&mut reply.body));
    let length = bytes.len();
    let body = match pace {
        Pace::Trickle(lasting) => trickle(&bytes, lasting),
        Pace::Cut => first_half(&bytes),
    };
    let mut response = respond(reply, body);
    // The length is told beforehand, so that a client can see that something is missing.
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn trickle(bytes: &Bytes, lasting: Duration) -> Body {
    let pause = lasting / PIECES as u32;
    let pieces: Vec<Bytes> = (0..PIECES)
        .map(|index| {
            let bound = |index: usize| bytes.len() * index / PIECES;
            bytes.slice(bound(index)..bound(index + 1))
        })
        .collect();
    let slowly = stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(piece)
    });
    Body::from_stream(slowly)
}

fn first_half(bytes: &Bytes) -> Body {
    let half = bytes.slice(..bytes.len() / 2);
    let broken = stream::once(async {
        // The first half has to be on its way before the connection is torn down.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::other("the body is cut on purpose"))
    });
    Body::from_stream(stream::once(async { Ok(half) }).chain(broken))
}

/// Sends a JSON object with a text of many MiB in it.
pub(crate) fn huge(mib: u32) -> Response {
    let piece = Bytes::from(vec![b'x'; HUGE_PIECE]);
    let count = mib as usize * 1024 * 1024 / HUGE_PIECE;
    let middle = std::iter::repeat_n(piece, count);
    let pieces = std::iter::once(Bytes::from_static(b"{\"padding\":\""))
        .chain(middle)
        .chain(std::iter::once(Bytes::from_static(b"\"}")));
    let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>)));
    respond(Reply::of(200, "application/json; charset=utf-8", Vec::new()), body)
}

fn respond(reply: Reply, body: Body) -> Response {
    let mut builder = Response::builder().status(reply.status);
    builder = builder.header(CONTENT_TYPE, reply.content_type);
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(body).unwrap_or_else(|_| Response::new(Body::empty()))
}
