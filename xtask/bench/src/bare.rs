//! The bare server: one axum handler that returns a body and headers it was given once.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::net::TcpListener;

use crate::connection::{Connection, Target};

/// Headers that the HTTP library writes by itself into every answer.
const WRITTEN_BY_THE_LIBRARY: [&str; 4] =
    ["connection", "content-length", "date", "transfer-encoding"];

/// What is returned to every request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    headers: HeaderMap,
    body: Bytes,
}

/// Fetches the answer once, then serves it until the process ends.
///
/// # Errors
/// The original does not answer with 200, or the address is taken.
pub(crate) async fn serve(listen: SocketAddr, original: Target) -> Result<()> {
    let answer = Answer::fetch(&original).await?;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    Ok(axum::serve(listener, router(answer)).await?)
}

/// Answers a GET of any path.
pub(crate) fn router(answer: Answer) -> Router {
    Router::new().route("/{*path}", get(async move || answer.clone()))
}

impl Answer {
    async fn fetch(original: &Target) -> Result<Self> {
        let mut connection = Connection::open(original).await?;
        let (status, head, body) = connection.get_whole(original).await?;
        ensure!(status == 200, "the original answered {status}");
        Self::from_parts(std::str::from_utf8(head)?, body)
    }

    /// Takes the headers out of the head of an answer.
    ///
    /// # Errors
    /// A header is malformed.
    pub(crate) fn from_parts(head: &str, body: &[u8]) -> Result<Self> {
        let mut headers = HeaderMap::new();
        for line in head.split("\r\n").skip(1).filter(|line| !line.is_empty()) {
            let (name, value) =
                line.split_once(':').with_context(|| format!("no header: {line}"))?;
            let name: HeaderName = name.parse()?;
            if !WRITTEN_BY_THE_LIBRARY.contains(&name.as_str()) {
                headers.append(name, HeaderValue::from_str(value.trim())?);
            }
        }
        Ok(Self { headers, body: Bytes::copy_from_slice(body) })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body.into());
        *response.headers_mut() = self.headers;
        response
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;
    use url::Url;

    use super::*;

    #[test]
    fn headers_of_the_original_are_kept_and_those_of_the_library_are_not() {
        let head = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nVary: origin\r\nVary: accept\r\n\
                    Content-Length: 2\r\nDate: today\r\n\r\n";
        let answer = Answer::from_parts(head, b"{}").unwrap();
        let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
        assert_eq!((vary.len(), &answer.headers["etag"]), (2, &HeaderValue::from_static("\"a\"")));
        assert_eq!(answer.headers.len(), 3);
    }

    #[tokio::test]
    async fn a_copy_of_a_copy_has_the_same_body_and_headers() {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\netag: \"a\"\r\n\r\n";
        let original = Answer::from_parts(head, b"{\"temperature\": 21.5}").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/weather/current", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        let served = original.clone();
        server.spawn(async move { axum::serve(listener, router(served)).await });

        let copy = Answer::fetch(&Target::new(&Url::parse(&url).unwrap()).unwrap()).await.unwrap();

        assert_eq!((copy.headers, copy.body), (original.headers, original.body));
    }
}
