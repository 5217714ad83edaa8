//! Settings of an index: which there are, what values they take, which may change later.
//!
//! A setting that only tunes how shards are placed, cached or logged is taken and given back, as one
//! server has nothing to place. A setting that would change what is kept or answered, and that this
//! server does not follow, is refused by its name. Of the limits to what one request may ask, only
//! `index.max_result_window` is followed; the others are this server's own.
//!
//! Source: OpenSearch, index settings; their defaults are those of OpenSearch 3.1.

mod flat;
mod whole_cluster;

use pampero_opensearch::Exception;
use serde_json::{Map, Value};

pub use flat::{flatten_index_settings, flatten_settings, nest_settings};
pub(crate) use whole_cluster::{merge, read_cluster_settings};

/// When a setting may be given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scope {
    /// At creation only.
    Static,
    /// Always.
    Dynamic,
    /// Never: the server sets it.
    Private,
}

/// What values a setting takes.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// A whole number from a least one to a greatest one.
    Integer(i64, i64),
    Boolean,
    /// A length of time such as `1s`; `-1` means never.
    Time,
    /// A size such as `512mb`.
    Bytes,
    Text,
    /// Only what means that it is off; anything else is more than this server can.
    Only(&'static str),
}

struct Setting {
    name: &'static str,
    scope: Scope,
    kind: Kind,
    /// What holds when it is not set; empty when there is nothing to show.
    default: &'static str,
}

const fn setting(name: &'static str, scope: Scope, kind: Kind, default: &'static str) -> Setting {
    Setting { name, scope, kind, default }
}

const COUNT: Kind = Kind::Integer(0, i32::MAX as i64);
const COUNT_FROM_ONE: Kind = Kind::Integer(1, i32::MAX as i64);

use Kind::{Boolean, Bytes, Integer, Only, Text, Time};
use Scope::{Dynamic, Private, Static};

/// Settings by their whole names.
const SETTINGS: &[Setting] = &[
    setting("index.number_of_shards", Static, Integer(1, 1024), "1"),
    setting("index.number_of_replicas", Dynamic, COUNT, "0"),
    setting("index.number_of_routing_shards", Static, Integer(1, 1024), ""),
    setting("index.routing_partition_size", Static, COUNT_FROM_ONE, "1"),
    setting("index.auto_expand_replicas", Dynamic, Text, "false"),
    setting("index.refresh_interval", Dynamic, Time, "1s"),
    setting("index.hidden", Dynamic, Boolean, "false"),
    setting("index.codec", Static, Text, "default"),
    setting("index.max_result_window", Dynamic, COUNT_FROM_ONE, "10000"),
    setting("index.max_inner_result_window", Dynamic, COUNT_FROM_ONE, "100"),
    setting("index.max_rescore_window", Dynamic, COUNT_FROM_ONE, "10000"),
    setting("index.max_docvalue_fields_search", Dynamic, COUNT, "100"),
    setting("index.max_script_fields", Dynamic, COUNT, "32"),
    setting("index.max_ngram_diff", Dynamic, COUNT, "1"),
    setting("index.max_shingle_diff", Dynamic, COUNT, "3"),
    setting("index.max_terms_count", Dynamic, COUNT_FROM_ONE, "65536"),
    setting("index.max_regex_length", Dynamic, COUNT_FROM_ONE, "1000"),
    setting("index.max_refresh_listeners", Dynamic, COUNT, "1000"),
    setting("index.max_slices_per_scroll", Dynamic, COUNT_FROM_ONE, "1024"),
    setting("index.max_slices_per_pit", Dynamic, COUNT_FROM_ONE, "1024"),
    setting("index.max_adjacency_matrix_filters", Dynamic, COUNT, "100"),
    setting("index.highlight.max_analyzed_offset", Dynamic, COUNT_FROM_ONE, "1000000"),
    setting("index.analyze.max_token_count", Dynamic, COUNT_FROM_ONE, "10000"),
    setting("index.query.default_field", Dynamic, Only("*"), "*"),
    setting("index.query_string.lenient", Static, Only("false"), "false"),
    setting("index.mapping.total_fields.limit", Dynamic, COUNT, "1000"),
    setting("index.mapping.depth.limit", Dynamic, Only("20"), "20"),
    setting("index.mapping.nested_fields.limit", Dynamic, COUNT, "50"),
    setting("index.mapping.nested_objects.limit", Dynamic, COUNT, "10000"),
    setting("index.mapping.field_name_length.limit", Dynamic, COUNT_FROM_ONE, "50000"),
    setting("index.mapping.coerce", Static, Only("true"), "true"),
    setting("index.mapping.ignore_malformed", Static, Only("false"), "false"),
    setting("index.translog.durability", Dynamic, Text, "REQUEST"),
    setting("index.translog.sync_interval", Dynamic, Time, "5s"),
    setting("index.translog.flush_threshold_size", Dynamic, Bytes, "512mb"),
    setting("index.translog.generation_threshold_size", Dynamic, Bytes, "64mb"),
    setting("index.translog.retention.age", Dynamic, Time, "-1"),
    setting("index.translog.retention.size", Dynamic, Bytes, "-1"),
    setting("index.blocks.write", Dynamic, Boolean, "false"),
    setting("index.blocks.read_only", Dynamic, Boolean, "false"),
    setting("index.blocks.read_only_allow_delete", Dynamic, Boolean, "false"),
    setting("index.blocks.read", Dynamic, Only("false"), "false"),
    setting("index.blocks.metadata", Dynamic, Only("false"), "false"),
    setting("index.default_pipeline", Dynamic, Only("_none"), "_none"),
    setting("index.final_pipeline", Dynamic, Only("_none"), "_none"),
    setting("index.search.default_pipeline", Dynamic, Only("_none"), "_none"),
    setting("index.gc_deletes", Dynamic, Time, "60s"),
    setting("index.soft_deletes.enabled", Static, Boolean, "true"),
    setting("index.soft_deletes.retention_lease.period", Dynamic, Time, "12h"),
    setting("index.soft_deletes.retention.operations", Dynamic, COUNT, "0"),
    setting("index.requests.cache.enable", Dynamic, Boolean, "true"),
    setting("index.queries.cache.enabled", Static, Boolean, "true"),
    setting("index.search.idle.after", Dynamic, Time, "30s"),
    setting("index.search.throttled", Private, Boolean, ""),
    setting("index.store.type", Static, Text, ""),
    setting("index.store.preload", Static, Text, ""),
    setting("index.shard.check_on_startup", Static, Text, "false"),
    setting("index.warmer.enabled", Dynamic, Boolean, "true"),
    setting("index.load_fixed_bitset_filters_eagerly", Static, Boolean, "true"),
    setting("index.priority", Dynamic, COUNT, "1"),
    setting("index.write.wait_for_active_shards", Dynamic, Text, "1"),
    setting("index.unassigned.node_left.delayed_timeout", Dynamic, Time, "1m"),
    setting("index.knn", Static, Only("false"), "false"),
    setting("index.append_only.enabled", Static, Only("false"), "false"),
    setting("index.replication.type", Static, Only("DOCUMENT"), "DOCUMENT"),
    setting("index.plugins.index_state_management.rollover_alias", Dynamic, Text, ""),
    setting("index.opendistro.index_state_management.rollover_alias", Dynamic, Text, ""),
    setting("index.uuid", Private, Text, ""),
    setting("index.creation_date", Private, Text, ""),
    setting("index.provided_name", Private, Text, ""),
    setting("index.version.created", Private, Text, ""),
];

/// Families of settings that are taken and given back.
const TAKEN: [&str; 6] = [
    "index.merge.",
    "index.routing.allocation.",
    "index.routing.rebalance.",
    "index.search.slowlog.",
    "index.indexing.slowlog.",
    "index.lifecycle.origination_",
];

/// Families of settings that OpenSearch has and this server does not follow.
const REFUSED: [&str; 7] = [
    "index.analysis.",
    "index.similarity.",
    "index.sort.",
    "index.knn.",
    "index.plugins.",
    "index.opendistro.",
    "index.blocks.",
];

/// The id of OpenSearch 3.1.0 as indices carry it: the version in decimal places, with a bit that tells
/// it from Elasticsearch.
const VERSION_CREATED: &str = "137227827";

/// Returns what holds of the known settings that are not in `set`, flat.
pub fn default_settings(set: &Map<String, Value>) -> Map<String, Value> {
    let shown = SETTINGS.iter().filter(|it| !it.default.is_empty() && !set.contains_key(it.name));
    shown.map(|it| (it.name.to_owned(), Value::from(it.default))).collect()
}

/// Returns what every new index has beside what was asked for.
pub(crate) fn of_new_index(provided_name: &str) -> Map<String, Value> {
    [
        ("index.number_of_shards", "1"),
        ("index.number_of_replicas", "0"),
        ("index.provided_name", provided_name),
        ("index.replication.type", "DOCUMENT"),
        ("index.version.created", VERSION_CREATED),
    ]
    .map(|(name, value)| (name.to_owned(), Value::from(value)))
    .into_iter()
    .collect()
}

/// Checks flat settings of an index that is to be created, or of a template.
///
/// # Errors
/// `illegal_argument_exception`: one of them is not known, not supported, or has a wrong value.
pub(crate) fn check_new(settings: &Map<String, Value>) -> Result<(), Exception> {
    settings.iter().try_for_each(|(name, value)| {
        if scope(name)? == Private {
            return Err(private(name));
        }
        check_value(name, value)
    })
}

/// Checks flat settings that are to be changed in an index that is there.
///
/// # Errors
/// As [`check_new`]; and one of them cannot change. `open` names the indices, as in `logs/uuid`.
pub(crate) fn check_change(
    settings: &Map<String, Value>,
    open: &[String],
) -> Result<(), Exception> {
    let mut fixed = Vec::new();
    for (name, value) in settings {
        match scope(name)? {
            Private => return Err(private(name)),
            Static => fixed.push(name.as_str()),
            Dynamic => check_value(name, value)?,
        }
    }
    if fixed.is_empty() {
        return Ok(());
    }
    Err(Exception::illegal_argument(format!(
        "Can't update non dynamic settings [[{}]] for open indices [[{}]]",
        fixed.join(", "),
        open.join(", ")
    )))
}

fn private(name: &str) -> Exception {
    Exception::illegal_argument(format!("private index setting [{name}] can not be set explicitly"))
}

/// Returns when a setting may be given.
fn scope(name: &str) -> Result<Scope, Exception> {
    if let Some(known) = SETTINGS.iter().find(|it| it.name == name) {
        return Ok(known.scope);
    }
    if TAKEN.iter().any(|family| name.starts_with(family)) {
        return Ok(Dynamic);
    }
    if REFUSED.iter().any(|family| name.starts_with(family)) {
        return Err(Exception::unsupported(format!("setting [{name}]")));
    }
    Err(unknown(name, SETTINGS.iter().map(|it| it.name)))
}

/// Makes the refusal of a name that no setting has, with near ones.
fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Exception {
    const LIKENESS_MIN: f64 = 0.7;
    let mut near: Vec<(f64, &str)> = known
        .map(|it| (strsim::normalized_levenshtein(name, it), it))
        .filter(|(likeness, _)| LIKENESS_MIN < *likeness)
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
    let names: Vec<&str> = near.into_iter().map(|(_, it)| it).collect();
    let advice = match names[..] {
        [] => "please check that any required plugins are installed, or check the breaking \
               changes documentation for removed settings"
            .to_owned(),
        [one] => format!("did you mean [{one}]?"),
        _ => format!("did you mean any of [{}]?", names.join(", ")),
    };
    Exception::illegal_argument(format!("unknown setting [{name}] {advice}"))
}

fn check_value(name: &str, value: &Value) -> Result<(), Exception> {
    let Some(known) = SETTINGS.iter().find(|it| it.name == name) else { return Ok(()) };
    let text = match value {
        Value::Null => return Ok(()),
        Value::String(text) => text.as_str(),
        Value::Array(_) if matches!(known.kind, Text) => return Ok(()),
        _ => return Err(Exception::illegal_argument(format!("setting [{name}] takes one value"))),
    };
    match known.kind {
        Text => Ok(()),
        Integer(least, greatest) => check_integer(name, text, least, greatest),
        Boolean if matches!(text, "true" | "false") => Ok(()),
        Boolean => Err(Exception::illegal_argument(format!(
            "Failed to parse value [{text}] as only [true] or [false] are allowed."
        ))),
        Time => {
            check_unit(name, text, "a time value", &["nanos", "micros", "ms", "s", "m", "h", "d"])
        }
        Bytes => check_unit(name, text, "a size in bytes", &["kb", "mb", "gb", "tb", "pb", "b"]),
        Only(off) if text.eq_ignore_ascii_case(off) => Ok(()),
        Only(_) => Err(Exception::unsupported(format!("setting [{name}] with value [{text}]"))),
    }
}

fn check_integer(name: &str, text: &str, least: i64, greatest: i64) -> Result<(), Exception> {
    let refused = |what: &str| {
        Exception::illegal_argument(format!(
            "Failed to parse value [{text}] for setting [{name}]{what}"
        ))
    };
    let number: i64 = text.trim().parse().map_err(|_| refused(""))?;
    if number < least {
        Err(refused(&format!(" must be >= {least}")))
    } else if greatest < number {
        Err(refused(&format!(" must be <= {greatest}")))
    } else {
        Ok(())
    }
}

fn check_unit(name: &str, text: &str, what: &str, units: &[&str]) -> Result<(), Exception> {
    let lower = text.trim().to_ascii_lowercase();
    let number = |unit: &&str| lower.strip_suffix(unit)?.trim().parse::<f64>().ok();
    let counts = units.iter().find_map(number).is_some_and(|it| it.is_finite() && 0.0 <= it);
    if counts || matches!(&*lower, "-1" | "0") {
        return Ok(());
    }
    Err(Exception::illegal_argument(format!(
        "failed to parse setting [{name}] with value [{text}] as {what}: unit is missing or unrecognized"
    )))
}

/// Checks the settings of a new index as a whole.
///
/// # Errors
/// `illegal_argument_exception`: two settings contradict one another.
pub(crate) fn check_new_whole(settings: &Map<String, Value>) -> Result<(), Exception> {
    let number = |name: &str| settings.get(name).and_then(Value::as_str)?.parse::<u64>().ok();
    let shards = number("index.number_of_shards").unwrap_or(1);
    match number("index.number_of_routing_shards") {
        Some(routing) if routing < shards || !routing.is_multiple_of(shards) => {
            Err(Exception::illegal_argument(format!(
                "the number of source shards [{shards}] must be a factor of [{routing}]"
            )))
        }
        _ => Ok(()),
    }
}
