//! Asks a target over HTTP for its metrics.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::ExposeSecret;
use url::Url;

use super::target::{Credentials, ScrapeTarget};
use super::text::ScrapeFormat;
use crate::writer::chain;

/// What is asked for, as Prometheus asks: OpenMetrics first.
const ACCEPTED: &str = "application/openmetrics-text;version=1.0.0;q=0.5,\
                        text/plain;version=0.0.4;q=0.4,*/*;q=0.1";

/// Why a target did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the target did not answer within {} s", limit.as_secs_f64())]
    TimedOut { limit: Duration },
    #[error("the target cannot be reached: {cause}")]
    Unreachable { cause: String },
    #[error("the target answered with HTTP status {status}")]
    Status { status: reqwest::StatusCode },
    #[error("the answer has more than {max} bytes")]
    TooLarge { max: usize },
}

/// Asks once. The client decides about redirects; one that is not followed is an error.
pub(crate) async fn fetch(
    client: &reqwest::Client,
    target: &ScrapeTarget,
    url: &Url,
) -> Result<(Vec<u8>, ScrapeFormat), FetchError> {
    let answer = tokio::time::timeout(target.timeout, ask(client, target, url)).await;
    answer.unwrap_or(Err(FetchError::TimedOut { limit: target.timeout }))
}

async fn ask(
    client: &reqwest::Client,
    target: &ScrapeTarget,
    url: &Url,
) -> Result<(Vec<u8>, ScrapeFormat), FetchError> {
    let mut request = client
        .get(url.clone())
        .header(ACCEPT, ACCEPTED)
        .header("x-prometheus-scrape-timeout-seconds", target.timeout.as_secs_f64().to_string());
    request = match &target.credentials {
        Some(Credentials::Basic { user, password }) => {
            request.basic_auth(user, Some(password.expose_secret()))
        }
        Some(Credentials::Bearer(token)) => request.bearer_auth(token.expose_secret()),
        None => request,
    };
    let mut response = request.send().await.map_err(unreachable)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(FetchError::Status { status: response.status() });
    }
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let format = ScrapeFormat::for_content_type(content_type);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if target.body_bytes_max < body.len() + chunk.len() {
            return Err(FetchError::TooLarge { max: target.body_bytes_max });
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, format))
}

/// Leaves the address out, whose parameters may be secret.
fn unreachable(error: reqwest::Error) -> FetchError {
    FetchError::Unreachable { cause: chain(&error.without_url()) }
}
