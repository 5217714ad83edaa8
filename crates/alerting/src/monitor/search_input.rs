//! What a monitor searches: indices, and a body with the period as holes in it.

use jiff::Timestamp;
use pampero_opensearch::Exception;
use pampero_opensearch::search::SearchRequest;
use pampero_templates::mustache::{Escape, Template};
use serde_json::{Value, json};

use super::error::{MonitorError, MonitorErrorKind};
use super::place::Place;

/// Most indices, aliases and patterns of one monitor.
const INDICES_MAX: usize = 100;

/// Most bytes of a body, before and after its holes are filled.
const BODY_BYTES_MAX: usize = 256 << 10;

/// A search with holes.
#[derive(Clone, Debug)]
pub struct SearchInput {
    indices: Vec<String>,
    query: Value,
    /// The body as text with holes; `None` when it has none, so that it is the same every time.
    template: Option<Template>,
    time_field: Option<String>,
}

/// A search whose holes were filled.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderedSearch {
    /// Indices, aliases and patterns.
    pub indices: Vec<String>,
    /// The body.
    pub body: Value,
}

impl SearchInput {
    pub(super) fn read(place: &Place<'_>) -> Result<Self, MonitorError> {
        place.only(&["indices", "query"], "search input")?;
        let list = place.need("indices", "Search input has no indices")?;
        let mut indices = Vec::new();
        for item in list.items()? {
            indices.push(item.filled_text(255)?.to_owned());
        }
        if indices.is_empty() {
            return Err(list.refuse("Search input must name at least one index"));
        }
        if INDICES_MAX < indices.len() {
            let reason = format!("Search input may name at most {INDICES_MAX} indices");
            return Err(list.refuse(reason));
        }
        let query = place.need("query", "Search input has no query")?;
        query.object()?;
        let text = query.value.to_string();
        if BODY_BYTES_MAX < text.len() {
            let reason = format!("The query is longer than {BODY_BYTES_MAX} bytes");
            return Err(query.refuse(reason));
        }
        let template = if text.contains("{{") {
            let parsed = Template::parse(&text).map_err(|error| {
                let reason = format!("The query is no template that is understood: {error}");
                query.refuse(reason)
            })?;
            Some(parsed)
        } else {
            None
        };
        let time_field = find_time_field(query.value, 0).map(str::to_owned);
        let input = Self { indices, query: query.value.clone(), template, time_field };
        input.check(&query)?;
        Ok(input)
    }

    /// Reads the body as a search would, with an hour of some day in its holes.
    fn check(&self, place: &Place<'_>) -> Result<(), MonitorError> {
        let start = Timestamp::from_second(1_787_306_400).expect("an instant of our time");
        let end = Timestamp::from_second(1_787_310_000).expect("an instant of our time");
        let rendered = self.render(start, end).map_err(|reason| place.refuse(reason))?;
        let refused = |error: Exception| place.refuse(error.reason()).of(MonitorErrorKind::Parsing);
        let request = SearchRequest::from_json(&rendered.body).map_err(refused)?;
        if request.pit.is_some() {
            return Err(place.refuse("A monitor searches indices, not a point in time"));
        }
        Ok(())
    }

    /// Returns the indices, aliases and patterns.
    pub fn indices(&self) -> &[String] {
        &self.indices
    }

    /// Returns the body with its holes.
    pub fn query(&self) -> &Value {
        &self.query
    }

    /// Returns the field of the first range that has a bound in the present.
    pub(super) fn time_field(&self) -> Option<&str> {
        self.time_field.as_deref()
    }

    /// Fills `period_start` and `period_end`, in milliseconds since 1970.
    ///
    /// # Errors
    /// The body is too long then, or is no JSON any more.
    pub fn render(&self, start: Timestamp, end: Timestamp) -> Result<RenderedSearch, String> {
        let body = match &self.template {
            None => self.query.clone(),
            Some(template) => {
                let data = json!({
                    "period_start": start.as_millisecond(),
                    "period_end": end.as_millisecond(),
                });
                let text = template
                    .render(&data, Escape::Json, BODY_BYTES_MAX)
                    .map_err(|error| format!("the query cannot be rendered: {error}"))?;
                serde_json::from_str(&text)
                    .map_err(|error| format!("the rendered query is no JSON: {error}"))?
            }
        };
        Ok(RenderedSearch { indices: self.indices.clone(), body })
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "search": { "indices": self.indices, "query": self.query } })
    }
}

impl RenderedSearch {
    /// Narrows it to documents before `until`, by the field that tells their time.
    pub fn before(&self, field: &str, until: Timestamp) -> Self {
        let mut body = self.body.clone();
        let bound = json!({ "lt": until.as_millisecond(), "format": "epoch_millis" });
        let range = json!({ "range": { field: bound } });
        let Some(members) = body.as_object_mut() else { return self.clone() };
        let narrowed = match members.remove("query").filter(|query| !query.is_null()) {
            // A filter and no second `must`, so that scores stay what they are.
            Some(query) => json!({ "bool": { "must": [query], "filter": [range] } }),
            None => json!({ "bool": { "must": [{ "match_all": {} }], "filter": [range] } }),
        };
        members.insert("query".to_owned(), narrowed);
        Self { indices: self.indices.clone(), body }
    }
}

/// Looks for a `range` of which a bound is `now…` or a hole for the period.
fn find_time_field(value: &Value, depth: usize) -> Option<&str> {
    if 32 < depth {
        return None;
    }
    match value {
        Value::Object(members) => {
            let range = members.get("range").and_then(Value::as_object);
            let timed = range.and_then(|range| {
                range.iter().find(|(_, bounds)| has_present_bound(bounds)).map(|(field, _)| field)
            });
            timed
                .map(String::as_str)
                .or_else(|| members.values().find_map(|inner| find_time_field(inner, depth + 1)))
        }
        Value::Array(items) => items.iter().find_map(|inner| find_time_field(inner, depth + 1)),
        _ => None,
    }
}

fn has_present_bound(bounds: &Value) -> bool {
    let is_present = |bound: &Value| {
        bound.as_str().is_some_and(|text| text.starts_with("now") || text.contains("{{period_"))
    };
    let names = ["gte", "gt", "lte", "lt", "from", "to"];
    names.iter().any(|name| bounds.get(name).is_some_and(is_present))
}
