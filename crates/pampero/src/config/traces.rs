//! `[traces]`: whether traces are made, and where they go.

use std::time::Duration;

use pampero_telemetry::traces::TracesConfig;
use secrecy::{ExposeSecret, SecretString};

use super::kind::{boolean, count, duration, number, url};
use super::reader::Section;
use super::secret::{SecretKey, Vault};
use super::server::as_usize;

pub(super) const DOC: &str = "Traces of polls and requests, sent to a collector as OTLP over HTTP. \
    Without an endpoint none are made.";

const SHORTEST: Duration = Duration::from_millis(10);

pub(super) fn read(section: &mut Section<'_>, vault: &Vault<'_>) -> TracesConfig {
    let default = TracesConfig::default();
    let token = SecretKey {
        name: "token",
        env: "token_env",
        file: "token_file",
        variable: "PAMPERO_TRACES_TOKEN".to_owned(),
        doc_env: "Variable with a bearer token for the collector.",
        doc_file: "File with the token, instead of a variable.",
    };
    TracesConfig {
        endpoint: section.read_optional(
            "endpoint",
            &url(),
            "The collector, as in `http://127.0.0.1:4318`; `/v1/traces` is put behind it.",
        ),
        headers: vault.read(section, &token).iter().map(authorization).collect(),
        sample_ratio: section.read(
            "sample_ratio",
            default.sample_ratio,
            &number(0.0..=1.0, "share"),
            "Share of traces that are kept, of those that begin here; a caller's decision stands.",
        ),
        queue_max: as_usize(section.read(
            "queue_max",
            default.queue_max as u64,
            &count(1..=1_000_000),
            "Most spans that wait to be sent; further ones are dropped and counted.",
        )),
        batch_max: as_usize(section.read(
            "batch_max",
            default.batch_max as u64,
            &count(1..=100_000),
            "Most spans in one request to the collector.",
        )),
        interval: section.read(
            "interval",
            default.interval,
            &duration(SHORTEST),
            "Longest wait of a span for others to be sent with.",
        ),
        timeout: section.read(
            "timeout",
            default.timeout,
            &duration(SHORTEST),
            "Longest time of one request to the collector.",
        ),
        pass_on: section.read(
            "pass_on",
            default.pass_on,
            &boolean(),
            "Whether calls to weather services carry the id of the trace in `traceparent`.",
        ),
        attributes: default.attributes,
    }
}

fn authorization(token: &SecretString) -> (String, SecretString) {
    let value = format!("Bearer {}", token.expose_secret());
    ("authorization".to_owned(), SecretString::from(value))
}
