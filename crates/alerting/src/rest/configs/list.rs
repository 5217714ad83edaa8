//! Lists of channels: filters, order and paging of `GET /configs`.
//!
//! Filters look at channels as they are shown, so that nobody finds a secret by guessing at it.

use std::cmp::Ordering;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::answer::Failure;
use pampero_opensearch::parameters::Parameters;

/// Channels that are given back unless the request says otherwise.
///
/// Source: OpenSearch Notifications, `defaultItemsQueryCount`.
const ITEMS_DEFAULT: usize = 100;

/// Most channels that are given back at once.
const ITEMS_MAX: usize = 10_000;

/// Parameters that are no filters.
const PAGING: [&str; 6] =
    ["config_id", "config_id_list", "from_index", "max_items", "sort_field", "sort_order"];

/// Filters by times in milliseconds, as `a..b`.
const RANGES: [&str; 2] = ["created_time_ms", "last_updated_time_ms"];

/// Filters by one of several whole values.
const KEYWORDS: [&str; 6] = [
    "config_type",
    "email.email_account_id",
    "email.email_group_id_list",
    "smtp_account.method",
    "webhook.method",
    "webhook.preset",
];

/// Filters by words.
const TEXTS: [&str; 7] = [
    "name",
    "description",
    "alertmanager.url",
    "email.recipient_list.recipient",
    "email_group.recipient_list.recipient",
    "smtp_account.host",
    "smtp_account.from_address",
];

/// Filters of OpenSearch that would tell secrets, or that belong to types that there are none of.
const REFUSED: [(&str, &str); 10] = [
    ("slack.url", "addresses of webhooks are secret"),
    ("chime.url", "addresses of webhooks are secret"),
    ("mattermost.url", "addresses of webhooks are secret"),
    ("microsoft_teams.url", "addresses of webhooks are secret"),
    ("webhook.url", "addresses of webhooks are secret"),
    ("sns.topic_arn", "there are no channels of type [sns]"),
    ("sns.role_arn", "there are no channels of type [sns]"),
    ("ses_account.region", "there are no channels of type [ses_account]"),
    ("ses_account.role_arn", "there are no channels of type [ses_account]"),
    ("ses_account.from_address", "there are no channels of type [ses_account]"),
];

/// What a list is asked for.
#[derive(Debug)]
pub(super) struct Listing {
    ids: Vec<String>,
    from: usize,
    items_max: usize,
    sort_field: String,
    descending: bool,
    filters: Vec<Filter>,
}

#[derive(Debug)]
enum Filter {
    Enabled(bool),
    Between(&'static str, i64, i64),
    OneOf(&'static str, Vec<String>),
    Words(&'static str, String),
    /// Words anywhere, or in the texts alone.
    Anywhere(String, bool),
}

impl Listing {
    /// Reads the parameters of a list; `id` stands in the path.
    ///
    /// # Errors
    /// A parameter that there is none of, or a value that it cannot have.
    pub(super) fn read(id: Option<&str>, parameters: &Parameters) -> Result<Self, Failure> {
        for (name, _) in parameters.pairs() {
            if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
                let reason = format!("filter [{name}] is not supported by this server: {why}");
                return Err(Failure::notifications(StatusCode::BAD_REQUEST, reason));
            }
        }
        let known: Vec<&str> = PAGING
            .iter()
            .chain(&RANGES)
            .chain(&KEYWORDS)
            .chain(&TEXTS)
            .chain(&["is_enabled", "query", "text_query"])
            .copied()
            .collect();
        parameters.check(&[&known])?;
        let named = parameters.list("config_id_list").unwrap_or_default();
        let one = parameters.text("config_id").filter(|id| !id.is_empty());
        let ids = id.into_iter().chain(one).chain(named).map(str::to_owned).collect();
        let descending = match parameters.text("sort_order").unwrap_or("asc") {
            "asc" => false,
            "desc" => true,
            other => return Err(invalid(format!("sort_order [{other}] is neither asc nor desc"))),
        };
        let sort_field = parameters.text("sort_field").unwrap_or("last_updated_time_ms");
        let is_sortable = ["config_id", "is_enabled"].contains(&sort_field)
            || [&RANGES[..], &KEYWORDS, &TEXTS].iter().any(|names| names.contains(&sort_field));
        if !is_sortable {
            return Err(invalid(format!("Sort on {sort_field} not acceptable")));
        }
        let items_max = parameters.number("max_items")?.unwrap_or(ITEMS_DEFAULT);
        if !(1..=ITEMS_MAX).contains(&items_max) {
            return Err(invalid(format!("max_items must be from 1 to {ITEMS_MAX}")));
        }
        Ok(Self {
            ids,
            from: parameters.number("from_index")?.unwrap_or(0),
            items_max,
            sort_field: sort_field.to_owned(),
            descending,
            filters: read_filters(parameters)?,
        })
    }

    /// Answers with those of `channels`, as they are shown, that are asked for.
    ///
    /// # Errors
    /// One that is asked for by its id is not there (404).
    pub(super) fn answer(&self, channels: Vec<Value>) -> Result<Value, Failure> {
        let is_there = |id: &&String| channels.iter().any(|it| it["config_id"] == id.as_str());
        let missing: Vec<&str> =
            self.ids.iter().filter(|id| !is_there(id)).map(String::as_str).collect();
        if !missing.is_empty() {
            return Err(not_found(&missing));
        }
        let mut found: Vec<Value> = channels
            .into_iter()
            .filter(|it| {
                self.ids.is_empty() || self.ids.iter().any(|id| it["config_id"] == id.as_str())
            })
            .filter(|channel| self.filters.iter().all(|filter| filter.takes(channel)))
            .collect();
        found.sort_by(|one, other| self.compare(one, other));
        let total = found.len();
        let page: Vec<Value> = found.into_iter().skip(self.from).take(self.items_max).collect();
        Ok(json!({
            "start_index": self.from,
            "total_hits": total,
            "total_hit_relation": "eq",
            "config_list": page,
        }))
    }

    fn compare(&self, one: &Value, other: &Value) -> Ordering {
        let value = |channel| values(channel, &self.sort_field).into_iter().next();
        let by_field = match (value(one), value(other)) {
            (Some(one), Some(other)) => match (one.as_i64(), other.as_i64()) {
                (Some(one), Some(other)) => one.cmp(&other),
                _ => text(one).cmp(&text(other)),
            },
            // Those without a value come last in both directions.
            (None, Some(_)) => return Ordering::Greater,
            (Some(_), None) => return Ordering::Less,
            (None, None) => Ordering::Equal,
        };
        let by_field = if self.descending { by_field.reverse() } else { by_field };
        by_field.then_with(|| text(&one["config_id"]).cmp(&text(&other["config_id"])))
    }
}

impl Filter {
    fn takes(&self, channel: &Value) -> bool {
        match self {
            Self::Enabled(truth) => channel["config"]["is_enabled"] == *truth,
            Self::Between(name, from, to) => {
                channel[*name].as_i64().is_some_and(|time| *from <= time && time <= *to)
            }
            Self::OneOf(name, wanted) => {
                values(channel, name).iter().any(|value| wanted.contains(&text(value)))
            }
            Self::Words(name, words) => {
                values(channel, name).iter().any(|value| has_words(&text(value), words))
            }
            Self::Anywhere(words, texts_only) => {
                let keywords: &[&str] = if *texts_only { &[] } else { &KEYWORDS };
                let mut names = TEXTS.iter().chain(keywords);
                names.any(|name| {
                    values(channel, name).iter().any(|value| has_words(&text(value), words))
                })
            }
        }
    }
}

fn read_filters(parameters: &Parameters) -> Result<Vec<Filter>, Failure> {
    let mut filters = Vec::new();
    if parameters.text("is_enabled").is_some() {
        filters.push(Filter::Enabled(parameters.boolean("is_enabled", true)?));
    }
    for name in RANGES {
        if let Some(range) = parameters.text(name) {
            let (from, to) = read_range(name, range)?;
            filters.push(Filter::Between(name, from, to));
        }
    }
    for name in KEYWORDS {
        if let Some(list) = parameters.list(name) {
            filters.push(Filter::OneOf(name, list.into_iter().map(str::to_owned).collect()));
        }
    }
    for name in TEXTS {
        filters.extend(parameters.text(name).map(|words| Filter::Words(name, words.to_owned())));
    }
    for (name, texts_only) in [("query", false), ("text_query", true)] {
        let words = parameters.text(name).map(str::to_owned);
        filters.extend(words.map(|words| Filter::Anywhere(words, texts_only)));
    }
    Ok(filters)
}

fn read_range(name: &str, range: &str) -> Result<(i64, i64), Failure> {
    let numbers = range.split_once("..").and_then(|(from, to)| {
        let number = |text: &str| text.trim().parse::<i64>().ok();
        Some((number(from)?, number(to)?))
    });
    numbers.ok_or_else(|| {
        invalid(format!("{name} must be a range of milliseconds, as 1787300000000..1787306000000"))
    })
}

/// Returns the values of a field of a channel: of the channel itself, or of its `config`.
fn values<'c>(channel: &'c Value, name: &str) -> Vec<&'c Value> {
    let at_top = RANGES.contains(&name) || name == "config_id";
    let mut found = vec![if at_top { channel } else { &channel["config"] }];
    for part in name.split('.') {
        let members = found.into_iter().filter_map(|value| value.get(part));
        found = members
            .flat_map(|value| match value {
                Value::Array(list) => list.iter().collect(),
                Value::Null => Vec::new(),
                other => vec![other],
            })
            .collect();
    }
    found
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Tells whether a text has one of these words; a word ends where letters and digits do, and `*` goes on.
fn has_words(text: &str, asked: &str) -> bool {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|it: char| !it.is_alphanumeric()).collect();
    asked.to_lowercase().split_whitespace().any(|word| match word.trim_matches('*') {
        "" => true,
        part if part.len() < word.len() => text.contains(part),
        _ => {
            let mut parts =
                word.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty());
            parts.any(|part| words.contains(&part))
        }
    })
}

/// Says that channels are not there.
pub(super) fn not_found(ids: &[&str]) -> Failure {
    let named = match ids {
        [one] => (*one).to_owned(),
        several => format!("[{}]", several.join(", ")),
    };
    let reason = format!("NotificationConfig {named} not found");
    Failure::notifications(StatusCode::NOT_FOUND, reason)
}

fn invalid(reason: String) -> Failure {
    Failure::notifications(StatusCode::BAD_REQUEST, reason)
}

/// Answers with the channels among what is listed, in short.
pub(super) fn channels(channels: Vec<Value>) -> Value {
    let is_channel = |it: &Value| {
        !["smtp_account", "email_group"].contains(&text(&it["config"]["config_type"]).as_str())
    };
    let list: Vec<Value> = channels.into_iter().filter(is_channel).map(in_short).collect();
    json!({
        "start_index": 0,
        "total_hits": list.len(),
        "total_hit_relation": "eq",
        "channel_list": list,
    })
}

fn in_short(channel: Value) -> Value {
    let mut short = Map::new();
    short.insert("config_id".to_owned(), channel["config_id"].clone());
    for name in ["name", "description", "config_type", "is_enabled"] {
        short.insert(name.to_owned(), channel["config"][name].clone());
    }
    short.into()
}

#[cfg(test)]
mod tests;
