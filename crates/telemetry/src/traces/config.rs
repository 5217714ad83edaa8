//! How traces are made and where they go.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

const TRACES_PATH: &str = "v1/traces";

/// How traces are made and where they go.
#[derive(Clone, Debug)]
pub struct TracesConfig {
    /// The collector, as in `http://127.0.0.1:4318`; `v1/traces` is added unless it ends so.
    /// `None`, the default, for no traces at all.
    pub endpoint: Option<Url>,
    /// Headers of every request to the collector, as for a token.
    pub headers: Vec<(String, SecretString)>,
    /// Share of traces that are kept, 0 to 1, for those that begin here; a caller's decision stands.
    pub sample_ratio: f64,
    /// Most spans that wait to be sent; further ones are dropped and counted.
    pub queue_max: usize,
    /// Most spans in one request to the collector.
    pub batch_max: usize,
    /// Longest wait of a span for others to be sent with.
    pub interval: Duration,
    /// Longest time of one request to the collector, and of sending the last spans at the end.
    pub timeout: Duration,
    /// Whether calls to the weather services carry the id of the trace in `traceparent`.
    pub pass_on: bool,
    /// What else is told of this process, beside `service.name` and `service.version`.
    pub attributes: Vec<(String, String)>,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: Vec::new(),
            sample_ratio: 1.0,
            queue_max: 4096,
            batch_max: 512,
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            pass_on: true,
            attributes: Vec::new(),
        }
    }
}

/// Why traces cannot be made as asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidTraces {
    /// The collector is not reached over HTTP.
    #[error("the collector must be an http or https URL, such as http://127.0.0.1:4318")]
    Scheme,
    /// A URL is written to logs, so it must hold no password.
    #[error("the collector's URL must not hold a user name or password; use a header")]
    Credentials,
    /// The name or the value cannot stand in a header.
    #[error("{0:?} with its value cannot be a header of HTTP")]
    Header(String),
    /// The share is no share.
    #[error("the share of traces must lie between 0 and 1")]
    SampleRatio,
    /// A limit of zero would let nothing through.
    #[error("{0} must be at least 1")]
    Zero(&'static str),
}

impl TracesConfig {
    /// Finds what [`open`](super::open) would refuse.
    ///
    /// # Errors
    /// The first thing that cannot be used.
    pub fn check(&self) -> Result<(), InvalidTraces> {
        if let Some(endpoint) = &self.endpoint {
            if !matches!(endpoint.scheme(), "http" | "https") {
                return Err(InvalidTraces::Scheme);
            }
            if !endpoint.username().is_empty() || endpoint.password().is_some() {
                return Err(InvalidTraces::Credentials);
            }
        }
        for (name, value) in &self.headers {
            header(name, value).ok_or_else(|| InvalidTraces::Header(name.clone()))?;
        }
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            return Err(InvalidTraces::SampleRatio);
        }
        let limits = [("queue_max", self.queue_max), ("batch_max", self.batch_max)];
        match limits.into_iter().find(|(_, limit)| *limit == 0) {
            Some((name, _)) => Err(InvalidTraces::Zero(name)),
            None => Ok(()),
        }
    }

    /// Returns where spans are sent to; `None` when there is no collector.
    ///
    /// Source: OpenTelemetry Protocol specification, OTLP/HTTP, default path of traces.
    pub(super) fn traces_url(&self) -> Option<Url> {
        let mut url = self.endpoint.clone()?;
        let path = url.path().trim_end_matches('/');
        if !path.ends_with(TRACES_PATH) {
            url.set_path(&format!("{path}/{TRACES_PATH}"));
        }
        Some(url)
    }

    /// Returns the headers of every request, none of which is ever printed.
    pub(super) fn header_map(&self) -> http::HeaderMap {
        self.headers.iter().filter_map(|(name, value)| header(name, value)).collect()
    }

    /// Returns what is told of this process.
    pub(super) fn resource(&self, version: &'static str) -> Resource {
        let more =
            self.attributes.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        Resource::builder_empty()
            .with_attributes(more)
            .with_attribute(KeyValue::new("service.version", version))
            .with_service_name("pampero")
            .build()
    }
}

fn header(name: &str, value: &SecretString) -> Option<(HeaderName, HeaderValue)> {
    let name = name.parse::<HeaderName>().ok()?;
    let mut value = value.expose_secret().parse::<HeaderValue>().ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(endpoint: &str) -> TracesConfig {
        TracesConfig { endpoint: Some(endpoint.parse().unwrap()), ..TracesConfig::default() }
    }

    #[track_caller]
    fn check(config: TracesConfig, problem: Option<InvalidTraces>) {
        assert_eq!(config.check().err(), problem, "{config:?}");
    }

    #[test]
    fn configuration_that_cannot_be_used_is_refused() {
        let default = TracesConfig::default;
        let headers = |name: &str, value: &str| vec![(name.to_owned(), value.into())];
        check(default(), None);
        check(at("https://collector.example.org/otlp"), None);
        check(at("grpc://127.0.0.1:4317"), Some(InvalidTraces::Scheme));
        check(at("http://user@127.0.0.1/"), Some(InvalidTraces::Credentials));
        check(at("http://:word@127.0.0.1/"), Some(InvalidTraces::Credentials));
        check(TracesConfig { headers: headers("authorization", "Bearer x"), ..default() }, None);
        let of_header = |name: &str| Some(InvalidTraces::Header(name.to_owned()));
        check(TracesConfig { headers: headers("a b", "x"), ..default() }, of_header("a b"));
        check(TracesConfig { headers: headers("a", "x\ny"), ..default() }, of_header("a"));
        for sample_ratio in [-0.1, 1.1, f64::NAN] {
            let config = TracesConfig { sample_ratio, ..default() };
            check(config, Some(InvalidTraces::SampleRatio));
        }
        check(TracesConfig { queue_max: 0, ..default() }, Some(InvalidTraces::Zero("queue_max")));
        check(TracesConfig { batch_max: 0, ..default() }, Some(InvalidTraces::Zero("batch_max")));
    }

    #[test]
    fn path_of_the_protocol_is_added_once() {
        check_url("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces");
        check_url("http://127.0.0.1:4318/otlp/", "http://127.0.0.1:4318/otlp/v1/traces");
        check_url("http://127.0.0.1:4318/v1/traces", "http://127.0.0.1:4318/v1/traces");
    }

    #[track_caller]
    fn check_url(endpoint: &str, url: &str) {
        assert_eq!(at(endpoint).traces_url().unwrap().as_str(), url);
    }

    #[test]
    fn secrets_of_headers_are_not_printed() {
        let headers = vec![("authorization".to_owned(), "Bearer s3cr3t-key".into())];
        let config = TracesConfig { headers, ..TracesConfig::default() };
        let printed = format!("{config:?} {:?}", config.header_map());
        assert!(!printed.contains("s3cr3t-key"), "{printed}");
    }
}
