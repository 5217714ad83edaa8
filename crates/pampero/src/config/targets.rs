//! `[[metrics.targets]]`: what is scraped beside Pampero itself.

use std::collections::BTreeMap;
use std::time::Duration;

use pampero_metrics::{Credentials, Relabel, ScrapeTarget};
use secrecy::SecretString;
use url::Url;

use super::kind::{Kind, boolean, count, duration, list, quoted, size, text_of, texts, url};
use super::metrics::word;
use super::reader::{Reader, Section};
use super::secret::{SecretKey, Vault};
use super::server::as_usize;
use super::tree::{Node, Value};

pub(super) const DOC: &str = "Something else that has metrics, to be scraped over HTTP; write the \
    table once for each.";

const SHORTEST: Duration = Duration::from_secs(1);

/// Reads the list of targets; `node` is what was written, `None` for nothing.
pub(super) fn read(
    reader: &mut Reader,
    node: Option<Node>,
    vault: &Vault<'_>,
) -> Vec<ScrapeTarget> {
    let Some(node) = node else { return Vec::new() };
    let Value::Array(members) = node.value else {
        let what = "this is a list; write [[metrics.targets]] and the keys of a target below";
        reader.problem(node.key_origin, "metrics.targets", what);
        return Vec::new();
    };
    let mut targets = Vec::new();
    for (index, member) in members.into_iter().enumerate() {
        let path = format!("metrics.targets[{index}]");
        let target = reader.table(&path, DOC, Some(member), |section| read_target(section, vault));
        targets.extend(target);
    }
    targets
}

/// Reads a target; `None` when it lacks what it cannot do without.
fn read_target(section: &mut Section<'_>, vault: &Vault<'_>) -> Option<ScrapeTarget> {
    let job = section.read_optional("job", &word(), "Label `job` of everything it says. Needed.");
    let address = section.read_optional(
        "url",
        &url(),
        "Where its metrics are, as in `http://127.0.0.1:9100/metrics`. Needed.",
    );
    let default = ScrapeTarget::new(job.as_deref().unwrap_or_default(), placeholder());
    let doc = "From one scrape to the next.";
    let interval = section.read("interval", default.interval, &duration(SHORTEST), doc);
    let target = ScrapeTarget {
        interval,
        timeout: section.read(
            "timeout",
            default.timeout.min(interval),
            &duration(Duration::from_millis(10)),
            "How long a scrape may take; not longer than the interval.",
        ),
        body_bytes_max: section.read(
            "body_max",
            default.body_bytes_max,
            &size(1 << 10..=1 << 30),
            "Largest answer, decompressed; of a larger one nothing is kept.",
        ),
        honor_labels: section.read(
            "honor_labels",
            default.honor_labels,
            &boolean(),
            "Whether labels that it has itself win over those given here.",
        ),
        honor_timestamps: section.read(
            "honor_timestamps",
            default.honor_timestamps,
            &boolean(),
            "Whether times that it gives are kept.",
        ),
        labels: section
            .read(
                "labels",
                BTreeMap::new(),
                &texts("table of labels", check_label),
                "Labels that everything it says gets, as in `{ site = \"north\" }`.",
            )
            .into_iter()
            .collect(),
        params: section
            .read(
                "params",
                BTreeMap::new(),
                &texts("table of texts", |_| Ok(())),
                "Parameters that are put behind the URL.",
            )
            .into_iter()
            .collect(),
        limits: {
            let mut limits = default.limits;
            limits.samples_max = as_usize(section.read(
                "samples_max",
                limits.samples_max as u64,
                &count(1..=10_000_000),
                "Most samples of one scrape; of a larger one nothing is kept.",
            ));
            limits
        },
        metric_relabel: read_relabel(section),
        credentials: read_credentials(section, vault),
        ..default
    };
    let (Some(_), Some(address)) = (job, address) else {
        if !section.is_written("job") || !section.is_written("url") {
            section.problem("this target has no job or no url; write both");
        }
        return None;
    };
    if target.interval < target.timeout {
        let what = "the timeout is longer than the interval; write a shorter one";
        section.problem_at(section.origin_of("timeout"), "timeout", what);
    }
    Some(ScrapeTarget { url: address, ..target })
}

/// Stands for the address until it is known that there is one.
fn placeholder() -> Url {
    "http://localhost/".parse().expect("the constant is a URL")
}

fn read_relabel(section: &mut Section<'_>) -> Vec<Relabel> {
    let by_name = ["__name__"];
    let keep = section.read(
        "keep",
        Vec::new(),
        &list(pattern()),
        "Metrics that are kept, by regular expressions that fit the whole name; all if empty.",
    );
    let drop = section.read(
        "drop",
        Vec::new(),
        &list(pattern()),
        "Metrics that are dropped, by regular expressions that fit the whole name.",
    );
    let label_drop = section.read(
        "label_drop",
        Vec::new(),
        &list(pattern()),
        "Labels that are taken away, by regular expressions that fit the whole name.",
    );
    let kept = (!keep.is_empty()).then(|| Relabel::keep(&by_name, "", &keep.join("|")));
    let dropped = drop.iter().map(|pattern| Relabel::drop(&by_name, "", pattern));
    let without = label_drop.iter().map(|pattern| Relabel::label_drop(pattern));
    // A pattern that is wrong has been noted where it was read.
    kept.into_iter().chain(dropped).chain(without).filter_map(Result::ok).collect()
}

fn pattern() -> Kind<String> {
    let read = |node: &Node| {
        let text = text_of(node).unwrap_or_default();
        match Relabel::label_drop(text) {
            Ok(_) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(format!("{text:?} is no regular expression; write one, as in `go_.*`")),
        }
    };
    Kind::new("regular expression", read, |text: &String| quoted(text))
}

fn check_label(name: &str) -> Result<(), String> {
    let spelled_well = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let begins_well =
        name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    if begins_well && name.chars().all(spelled_well) && !name.starts_with("__") {
        Ok(())
    } else {
        Err(format!(
            "{name:?} cannot be a label; write letters, digits and _, no digit and no __ in front"
        ))
    }
}

fn read_credentials(section: &mut Section<'_>, vault: &Vault<'_>) -> Option<Credentials> {
    let user = section.read_optional("user", &word(), "User for HTTP basic authentication.");
    let password = vault.read(section, &secret("password", section_variable(section, "PASSWORD")));
    let token = vault.read(section, &secret("token", section_variable(section, "TOKEN")));
    match (user, password, token) {
        (None, None, None) => None,
        (Some(user), Some(password), None) => Some(Credentials::Basic { user, password }),
        (None, None, Some(token)) => Some(Credentials::Bearer(token)),
        _ => {
            section.problem("write a user and a password, or a token, or neither");
            None
        }
    }
}

/// Returns the variable that holds a secret unless another is named, as in
/// `PAMPERO_TARGET_0_TOKEN`.
fn section_variable(section: &Section<'_>, what: &str) -> String {
    let index: String = section.path.chars().filter(char::is_ascii_digit).collect();
    format!("PAMPERO_TARGET_{index}_{what}")
}

fn secret(name: &'static str, variable: String) -> SecretKey {
    let (env, file, doc_env) = match name {
        "password" => ("password_env", "password_file", "Variable with the password of the user."),
        _ => ("token_env", "token_file", "Variable with a bearer token."),
    };
    let doc_file = "File with it, instead of a variable.";
    SecretKey { name, env, file, variable, doc_env, doc_file }
}

/// Returns the secrets of the targets, for the redactor.
pub(super) fn secrets(targets: &[ScrapeTarget]) -> impl Iterator<Item = &SecretString> {
    targets.iter().filter_map(|target| match &target.credentials {
        Some(Credentials::Basic { password, .. }) => Some(password),
        Some(Credentials::Bearer(token)) => Some(token),
        None => None,
    })
}
