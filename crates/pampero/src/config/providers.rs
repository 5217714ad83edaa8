//! `[providers.…]`: what is particular to each provider, and its own limits.

mod own;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use pampero_resilience::{Policy, QuotaLimit, QuotaWindow, RatePolicy};
use pampero_weather::provider::ProviderId;
use secrecy::SecretString;
use url::Url;

use super::kind::Kind;
use super::kind::{boolean, count, duration, quoted, rate, text_of, url};
use super::limits;
use super::reader::{Reader, Section};
use super::secret::{SecretKey, Vault};
use super::server::as_usize;
use super::tree::{Node, Table, Value};
use crate::http::is_loopback;
use own::Own;

/// A provider, ready to be put together.
#[derive(Clone, Debug)]
pub(crate) struct ProviderConfig {
    /// Whether it may be used at all.
    pub(crate) enabled: bool,
    /// Where it is asked.
    pub(crate) base_url: Url,
    /// Where names of places are looked up; Open-Meteo only.
    pub(crate) geocoding_url: Option<Url>,
    /// Whom the provider can write to; MET Norway only.
    pub(crate) contact: Option<String>,
    /// Its key; `None` when it was not given one.
    pub(crate) key: Option<SecretString>,
    /// Most places in one request; 1 where the provider takes no more.
    pub(crate) batch_max: usize,
    /// Older observations of it are stale.
    pub(crate) stale_after: Duration,
    /// The limits round it.
    pub(crate) policy: Policy,
}

/// The limits of `[resilience]`, and which of them were written.
pub(super) struct General {
    pub(super) policy: Policy,
    pub(super) is_backoff_written: bool,
    pub(super) is_backoff_max_written: bool,
    pub(super) is_concurrency_written: bool,
    pub(super) stale_after: Option<Duration>,
}

/// Reads the section of every provider.
pub(super) fn read(
    reader: &mut Reader,
    tree: &mut Table,
    vault: &Vault<'_>,
    general: &General,
) -> BTreeMap<ProviderId, ProviderConfig> {
    let mut sections = match tree.remove("providers").map(|node| (node.value, node.key_origin)) {
        None => Table::new(),
        Some((Value::Table(sections), _)) => sections,
        Some((_, origin)) => {
            let what = "this is a table; write [providers.open_meteo] and its keys below";
            reader.problem(origin, "providers", what);
            Table::new()
        }
    };
    let mut providers = BTreeMap::new();
    for id in ProviderId::ALL {
        let node = sections.remove(id.as_str());
        let config = reader.table(&format!("providers.{id}"), doc(id), node, |section| {
            read_provider(section, id, vault, general)
        });
        providers.insert(id, config);
    }
    reader.leave_over("providers", sections);
    providers
}

/// Whether the provider answers nobody without a key.
pub(super) fn needs_key(id: ProviderId) -> bool {
    match id {
        ProviderId::OpenMeteo | ProviderId::MetNorway => false,
        ProviderId::OpenWeatherMap | ProviderId::Weatherstack => true,
    }
}

/// Returns the variable that holds the key of a provider unless another is named.
pub(super) fn key_variable(id: ProviderId) -> String {
    format!("PAMPERO_{}_KEY", id.as_str().to_uppercase())
}

fn doc(id: ProviderId) -> &'static str {
    match id {
        ProviderId::OpenMeteo => {
            "Open-Meteo: no key; free for non-commercial use within its allowance."
        }
        ProviderId::MetNorway => "MET Norway: no key, but a contact in every request.",
        ProviderId::OpenWeatherMap => "OpenWeatherMap 2.5: needs a key.",
        ProviderId::Weatherstack => "Weatherstack: needs a key; its free plan suits a last resort.",
    }
}

fn read_provider(
    section: &mut Section<'_>,
    id: ProviderId,
    vault: &Vault<'_>,
    general: &General,
) -> ProviderConfig {
    let enabled = section.read("enabled", true, &boolean(), "Whether it may be used at all.");
    let key = match id {
        ProviderId::MetNorway => None,
        _ => vault.read(section, &key_of(id)),
    };
    let base_url = section.read(
        "base_url",
        own::base_url(id, key.is_some()),
        &url(),
        "Where it is asked; what stands before the paths of the service.",
    );
    let geocoding_url = (id == ProviderId::OpenMeteo).then(|| {
        let doc = "Where names of places are looked up.";
        section.read("geocoding_url", own::geocoding_url(), &url(), doc)
    });
    let contact = (id == ProviderId::MetNorway).then(|| {
        let doc = "Whom MET Norway can write to: an e-mail address or a web page. Write your own.";
        section.read("contact", own::CONTACT.to_owned(), &contact_kind(), doc)
    });
    let own = own::limits(id, &base_url, key.is_some());
    let batch_max = match own.batch_max {
        Some((default, most)) => {
            let doc = "Most places in one request.";
            as_usize(section.read("batch_max", default, &count(1..=most), doc))
        }
        None => 1,
    };
    let stale_after = section.read(
        "stale_after",
        general.stale_after.unwrap_or(own.stale_after),
        &duration(Duration::from_secs(1)),
        "Observations older than this are stale.",
    );
    let mut policy = limits::read(section, &base_policy(general, &own));
    policy.rate = read_rate(section, own.rate);
    policy.quota = read_quota(section, &own);
    warn_of_clear_text(section, &base_url, key.is_some());
    ProviderConfig {
        enabled,
        base_url,
        geocoding_url,
        contact,
        key,
        batch_max,
        stale_after,
        policy,
    }
}

/// What holds where the section of the provider says nothing: `[resilience]` where it was written,
/// then what suits the provider.
fn base_policy(general: &General, own: &Own) -> Policy {
    let mut base = general.policy.clone();
    if !general.is_backoff_written {
        base.retry.backoff = own.backoff;
    }
    if !general.is_backoff_max_written {
        base.retry.backoff_max = own.backoff_max;
    }
    if !general.is_concurrency_written {
        base.concurrency = own.concurrency;
    }
    base
}

fn read_rate(
    section: &mut Section<'_>,
    default: Option<(NonZeroU32, Duration)>,
) -> Option<RatePolicy> {
    let doc = "Most units in a stretch of time; one place costs one unit with every provider.";
    let written = section.read("rate", default, &rate(), doc)?;
    Some(RatePolicy { units: written.0, per: written.1, burst: written.0 })
}

fn read_quota(section: &mut Section<'_>, own: &Own) -> Vec<QuotaLimit> {
    let any = count(0..=u64::MAX);
    let per_day = section.read(
        "quota_per_day",
        own.quota_per_day,
        &any,
        "Most units from midnight to midnight UTC; 0 sets no limit.",
    );
    let per_month = section.read(
        "quota_per_month",
        own.quota_per_month,
        &any,
        "Most units in a calendar month, UTC; 0 sets no limit.",
    );
    [(QuotaWindow::Day, per_day), (QuotaWindow::Month, per_month)]
        .into_iter()
        .filter(|(_, units)| *units != 0)
        .map(|(window, units)| QuotaLimit { window, units })
        .collect()
}

fn warn_of_clear_text(section: &mut Section<'_>, base_url: &Url, has_key: bool) {
    if has_key && base_url.scheme() == "http" && !is_loopback(base_url) {
        let what = "the key travels in clear text over http; use https if the key allows it";
        let (origin, key) = (section.origin_of("base_url"), section.key("base_url"));
        section.reader.warning(origin, &key, what);
    }
}

fn key_of(id: ProviderId) -> SecretKey {
    SecretKey {
        name: "key",
        env: "key_env",
        file: "key_file",
        variable: key_variable(id),
        doc_env: "Variable with the key; the same name with `_FILE` behind it names a file.",
        doc_file: "File with the key, instead of a variable.",
    }
}

fn contact_kind() -> Kind<String> {
    let read = |node: &Node| {
        let contact = text_of(node).unwrap_or_default().trim();
        let is_visible = contact.chars().all(|letter| letter.is_ascii_graphic());
        if is_visible && contact.contains(['@', '.']) {
            Ok(contact.to_owned())
        } else {
            Err("MET Norway wants to know whom to write to; write an e-mail address or the address of a web page".to_owned())
        }
    };
    Kind::new("contact", read, |contact: &String| quoted(contact))
}
