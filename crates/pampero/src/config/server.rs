//! `[server]`: where the API listens, who may use it, and its limits.

use std::num::NonZeroUsize;
use std::time::Duration;

use pampero_api::ServerConfig;

use super::kind::{address, boolean, count, duration, host, list, size, web_origin};
use super::reader::Section;
use super::secret::{SecretKey, Vault};

pub(super) const DOC: &str = "Where the API listens, who may use it, and its limits.";

/// The admin token, which every request that changes something must bring.
fn admin_token() -> SecretKey {
    SecretKey {
        name: "admin_token",
        env: "admin_token_env",
        file: "admin_token_file",
        variable: "PAMPERO_ADMIN_TOKEN".to_owned(),
        doc_env: "Variable with the token that every request which changes something must bring. \
                  Without a token, such requests are allowed to whoever reaches the loopback.",
        doc_file: "File with the token, instead of a variable.",
    }
}

/// Reads the section, and how many threads serve.
pub(super) fn read(
    section: &mut Section<'_>,
    vault: &Vault<'_>,
) -> (ServerConfig, Option<NonZeroUsize>) {
    let default = ServerConfig::default();
    let config = ServerConfig {
        listen: section.read(
            "listen",
            default.listen,
            &address(),
            "Address and port of the listener. Anything but the loopback asks for an admin token.",
        ),
        public_hosts: section.read(
            "public_hosts",
            default.public_hosts,
            &list(host()),
            "Names besides `localhost` and IP addresses under which the API may be asked.",
        ),
        cors_origins: section.read(
            "cors_origins",
            default.cors_origins,
            &list(web_origin()),
            "Origins whose web pages may read answers and, with the token, change things.",
        ),
        admin_token: vault.read(section, &admin_token()),
        connections_max: limit(
            section,
            "connections_max",
            default.connections_max,
            "Most connections served at the same time; further ones wait.",
        ),
        body_limit: section.read(
            "body_limit",
            default.body_limit,
            &size(1024..=64 << 20),
            "Largest request body.",
        ),
        header_limit: section.read(
            "header_limit",
            default.header_limit,
            &size(8 << 10..=1 << 20),
            "Largest request line and headers together.",
        ),
        header_timeout: section.read(
            "header_timeout",
            default.header_timeout,
            &duration(SHORTEST),
            "Longest time a connection may take to send the headers of its next request.",
        ),
        request_timeout: section.read(
            "request_timeout",
            default.request_timeout,
            &duration(SHORTEST),
            "Longest time a request body may take to arrive, and an answer to be made.",
        ),
        shutdown_grace: section.read(
            "shutdown_grace",
            default.shutdown_grace,
            &duration(Duration::ZERO),
            "Longest time that requests and polls under way may take once the program is told to stop.",
        ),
        answer_max_age: section.read(
            "answer_max_age",
            default.answer_max_age,
            &duration(Duration::ZERO),
            "How long a cache may serve a weather answer without asking again.",
        ),
        subscribers_max: limit(
            section,
            "subscribers_max",
            default.subscribers_max,
            "Most clients that follow the event stream at the same time.",
        ),
        measure: section.read(
            "measure",
            default.measure,
            &boolean(),
            "Whether requests are counted and timed for `/metrics`.",
        ),
    };
    let workers = section
        .read_optional(
            "workers",
            &count(1..=512),
            "Threads that serve; one for each core if unset.",
        )
        .and_then(|workers| NonZeroUsize::new(as_usize(workers)));
    if !config.listen.ip().is_loopback() && config.admin_token.is_none() {
        let what = "this address can be reached from other machines, so an admin token is needed; \
                    set the variable PAMPERO_ADMIN_TOKEN, or listen on 127.0.0.1";
        section.problem_at(section.origin_of("listen"), "listen", what);
    }
    (config, workers)
}

const SHORTEST: Duration = Duration::from_millis(10);

fn limit(
    section: &mut Section<'_>,
    name: &'static str,
    default: usize,
    doc: &'static str,
) -> usize {
    as_usize(section.read(name, default as u64, &count(1..=1_000_000), doc))
}

pub(super) fn as_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
