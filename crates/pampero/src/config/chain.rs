//! `[chain]`: in which order the providers are asked.

use std::collections::BTreeMap;

use pampero_weather::provider::ProviderId;

use super::kind::{list, one_of};
use super::origin::Origin;
use super::providers::{ProviderConfig, key_variable, needs_key};
use super::reader::{Reader, Section};

pub(super) const DOC: &str = "In which order the providers are asked.";

const KEY: &str = "chain.order";

/// Reads the section: the order, and where it was written.
pub(super) fn read(section: &mut Section<'_>) -> (Vec<ProviderId>, Origin) {
    let order = section.read(
        "order",
        vec![ProviderId::OpenMeteo, ProviderId::MetNorway],
        &list(one_of(ProviderId::ALL.map(|provider| (provider.as_str(), provider)))),
        "The first that gives a good answer is served; a later one is marked as a fallback.",
    );
    (order, section.origin_of("order"))
}

/// Notes what keeps the chain from being used.
pub(super) fn check(
    reader: &mut Reader,
    chain: &[ProviderId],
    origin: &Origin,
    providers: &BTreeMap<ProviderId, ProviderConfig>,
) {
    if chain.is_empty() {
        reader.problem(origin.clone(), KEY, "the chain is empty; name at least one provider");
    }
    for (index, id) in chain.iter().enumerate() {
        let what = match providers.get(id) {
            _ if chain[..index].contains(id) => {
                format!("{id} is named twice; name each provider once")
            }
            Some(provider) if !provider.enabled => {
                format!("{id} is not enabled; take it out, or remove providers.{id}.enabled")
            }
            // A key that was named but could not be read is a problem already.
            Some(provider)
                if needs_key(*id) && provider.key.is_none() && !has_key_problem(reader, *id) =>
            {
                let variable = key_variable(*id);
                format!(
                    "{id} needs a key; set the variable {variable}, or write providers.{id}.key_file"
                )
            }
            _ => continue,
        };
        reader.problem(origin.clone(), KEY, what);
    }
}

fn has_key_problem(reader: &Reader, id: ProviderId) -> bool {
    let section = format!("providers.{id}.key");
    reader.problems.iter().any(|problem| problem.key.starts_with(&section))
}
