//! `[logs.opensearch]`: a real OpenSearch that gets the documents of the log as well.

use std::time::Duration;

use pampero_logs::shipping::{InvalidShipping, ShippingConfig};
use url::Url;

use super::kind::{Kind, boolean, count, duration, quoted, size, text_of, url};
use super::metrics::word;
use super::reader::Section;
use super::secret::{SecretKey, Vault};
use super::server::as_usize;
use super::tree::Node;

pub(super) const DOC: &str = "A real OpenSearch that gets the documents of the log, from a buffer on \
    disk that outlives its outages. Without a URL there is none.";

const SHORTEST: Duration = Duration::from_millis(10);

/// Reads the section; the cluster, and whether documents go there only.
pub(super) fn read(section: &mut Section<'_>, vault: &Vault<'_>) -> (Option<ShippingConfig>, bool) {
    let address = section.read_optional(
        "url",
        &url(),
        "Where the cluster answers, as in `https://search.example.org:9200`.",
    );
    let default = ShippingConfig::new(placeholder());
    let username = section.read_optional("user", &word(), "User for basic authentication.");
    let password = vault.read(section, &password());
    let instead = section.read(
        "instead",
        false,
        &boolean(),
        "Whether documents go there only, and not into Pampero's own index as well.",
    );
    let config = ShippingConfig {
        username,
        password,
        index: section.read(
            "index",
            default.index,
            &index(),
            "Name of the alias, and first words of the names of the daily indices behind it.",
        ),
        buffer_bytes_max: section.read(
            "buffer_max",
            as_usize(default.buffer_bytes_max),
            &size(1 << 20..=1 << 50),
            "Most space of what waits on disk; beyond, the oldest documents are dropped and counted.",
        ) as u64,
        rejected_bytes_max: section.read(
            "rejected_max",
            as_usize(default.rejected_bytes_max),
            &size(64 << 10..=1 << 40),
            "Most space of documents that the cluster refused, which are set aside.",
        ) as u64,
        batch_documents_max: as_usize(section.read(
            "batch_max",
            default.batch_documents_max as u64,
            &count(1..=100_000),
            "Most documents of one request.",
        )),
        batch_bytes_max: section.read(
            "batch_size_max",
            default.batch_bytes_max,
            &size(64 << 10..=100 << 20),
            "Largest request, before it is compressed.",
        ),
        interval: section.read(
            "interval",
            default.interval,
            &duration(SHORTEST),
            "Longest wait of a document for others to be sent with.",
        ),
        timeout: section.read(
            "timeout",
            default.timeout,
            &duration(SHORTEST),
            "Longest time of one request.",
        ),
        backoff: section.read(
            "backoff",
            default.backoff,
            &duration(SHORTEST),
            "Upper bound of the wait after a first failure; it doubles with each further one.",
        ),
        backoff_max: section.read(
            "backoff_max",
            default.backoff_max,
            &duration(SHORTEST),
            "Beyond this the bound does not grow.",
        ),
        url: placeholder(),
    };
    let Some(address) = address else {
        if instead {
            section
                .problem("documents are to go to a cluster only, but none is named; write its url");
        }
        return (None, false);
    };
    let config = ShippingConfig { url: address, ..config };
    if let Err(problem) = config.check() {
        section.problem(problem.to_string());
    }
    (Some(config), instead)
}

/// Stands for the address until it is known that there is one.
fn placeholder() -> Url {
    "http://localhost/".parse().expect("the constant is a URL")
}

fn password() -> SecretKey {
    SecretKey {
        name: "password",
        env: "password_env",
        file: "password_file",
        variable: "PAMPERO_OPENSEARCH_PASSWORD".to_owned(),
        doc_env: "Variable with the password of the user.",
        doc_file: "File with it, instead of a variable.",
    }
}

fn index() -> Kind<String> {
    let read = |node: &Node| {
        let index = text_of(node).unwrap_or_default().to_owned();
        let config = ShippingConfig { index: index.clone(), ..ShippingConfig::new(placeholder()) };
        match config.check() {
            Err(problem @ InvalidShipping::Index(_)) => Err(problem.to_string()),
            _ => Ok(index),
        }
    };
    Kind::new("name of indices", read, |index: &String| quoted(index))
}
