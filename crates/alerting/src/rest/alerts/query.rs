//! What a list of alerts is asked for.

use pampero_opensearch::query::{Clause, Operator, Query, QueryString, WeightedField};
use pampero_opensearch::search::MissingValue;
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::Value;

use super::super::answer::Failure;
use super::super::find::{Catalog, FieldKind, Filter, Found, Order};
use crate::AlertState;
use pampero_opensearch::parameters::Parameters;

/// The parameters of a list.
///
/// Source: OpenSearch Alerting, `RestGetAlertsAction`.
pub(super) const PARAMETERS: [&str; 10] = [
    "sortString",
    "sortOrder",
    "missing",
    "size",
    "startIndex",
    "searchString",
    "severityLevel",
    "alertState",
    "monitorId",
    "workflowIds",
];

const SIZE_DEFAULT: usize = 20;

/// Most characters of the words over names, which are held against every alert.
const SEARCH_CHARS_MAX: usize = 256;

/// Most alerts that may be looked at, those that are left out included.
///
/// Source: OpenSearch, `index.max_result_window`.
pub(super) const WINDOW_MAX: usize = 10_000;

/// The states that can be asked for; there are never any of the last one here.
const STATES: [&str; 7] =
    ["ACTIVE", "ACKNOWLEDGED", "COMPLETED", "ERROR", "DELETED", "PENDING", "AUDIT"];

const CATALOG: Catalog = Catalog {
    fields: &[
        ("monitor_name", FieldKind::Text),
        ("trigger_name", FieldKind::Text),
        ("monitor_id", FieldKind::Keyword),
        ("trigger_id", FieldKind::Keyword),
        ("id", FieldKind::Keyword),
        ("version", FieldKind::Number),
        ("monitor_version", FieldKind::Number),
        ("state", FieldKind::Keyword),
        ("severity", FieldKind::Keyword),
        ("error_message", FieldKind::Text),
        ("start_time", FieldKind::Number),
        ("last_notification_time", FieldKind::Number),
        ("end_time", FieldKind::Number),
        ("acknowledged_time", FieldKind::Number),
    ],
    absent: &[],
    default_fields: &["monitor_name", "trigger_name"],
};

/// What a list of alerts is asked for.
#[derive(Debug)]
pub(super) struct Listing {
    /// The state, as OpenSearch names it; `None` for all but those that wait.
    state: Option<&'static str>,
    /// The severity; `None` for all.
    severity: Option<String>,
    /// The monitor; `None` for all.
    pub(super) monitor_id: Option<String>,
    /// Whether alerts of composite monitors alone are asked for, which there are none of.
    of_workflows: bool,
    names: Option<Filter>,
    order: Order,
    from: usize,
    size: usize,
}

impl Listing {
    /// Reads the parameters of a list.
    ///
    /// # Errors
    /// A value that a parameter cannot have.
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Failure> {
        let text = |name| parameters.text(name).filter(|text| !text.is_empty());
        let state = match text("alertState").unwrap_or("ALL") {
            "ALL" => None,
            asked => Some(*STATES.iter().find(|state| **state == asked).ok_or_else(|| {
                let known = STATES.join(", ");
                Exception::illegal_argument(format!(
                    "alertState [{asked}] is none of [ALL, {known}]"
                ))
            })?),
        };
        let severity = match text("severityLevel").unwrap_or("ALL") {
            "ALL" => None,
            asked @ ("1" | "2" | "3" | "4" | "5") => Some(asked.to_owned()),
            asked => {
                let reason = format!("severityLevel [{asked}] is none of [ALL, 1, 2, 3, 4, 5]");
                return Err(Exception::illegal_argument(reason).into());
            }
        };
        let from: usize = count(parameters, "startIndex", 0)?;
        let size: usize = count(parameters, "size", SIZE_DEFAULT)?;
        let window = from.saturating_add(size);
        if WINDOW_MAX < window {
            let reason = format!(
                "Result window is too large, from + size must be less than or equal to: [{WINDOW_MAX}] but was [{window}]."
            );
            return Err(Exception::illegal_argument(reason).into());
        }
        Ok(Self {
            state,
            severity,
            monitor_id: text("monitorId").map(str::to_owned),
            of_workflows: text("workflowIds").is_some(),
            names: text("searchString").map(read_names).transpose()?,
            order: read_order(parameters)?,
            from,
            size,
        })
    }

    /// Returns the states that are asked for, those that come under one name in OpenSearch together; empty
    /// for all.
    pub(super) fn states(&self) -> Vec<AlertState> {
        match self.state {
            Some("ACTIVE") => vec![AlertState::Active],
            Some("ACKNOWLEDGED") => vec![AlertState::Acknowledged],
            Some("COMPLETED") => vec![AlertState::Completed],
            Some("DELETED") => vec![AlertState::Deleted],
            Some("ERROR") => vec![AlertState::Error, AlertState::NoData],
            Some("PENDING") => vec![AlertState::Pending],
            _ => Vec::new(),
        }
    }

    /// Tells whether an alert, as it is shown, is asked for.
    fn takes(&self, alert: &Value) -> bool {
        let is_state = match self.state {
            None => alert["state"] != "PENDING",
            Some(state) => alert["state"] == state,
        };
        let is_severity =
            self.severity.as_ref().is_none_or(|severity| alert["severity"] == severity.as_str());
        let is_monitor =
            self.monitor_id.as_ref().is_none_or(|monitor| alert["monitor_id"] == monitor.as_str());
        let is_named = self.names.as_ref().is_none_or(|names| names.takes(found(alert)));
        is_state && is_severity && is_monitor && is_named && !self.of_workflows
    }

    /// Returns those of `alerts`, as they are shown, that are asked for and belong to the page, and how many
    /// are asked for in all.
    pub(super) fn page(&self, mut alerts: Vec<Value>) -> (Vec<Value>, usize) {
        alerts.retain(|alert| self.takes(alert));
        alerts.sort_by(|one, other| self.order.compare(found(one), found(other)));
        let total = alerts.len();
        (alerts.into_iter().skip(self.from).take(self.size).collect(), total)
    }
}

fn found(alert: &Value) -> Found<'_> {
    Found { id: alert["id"].as_str().unwrap_or_default(), source: alert }
}

fn count(parameters: &Parameters, name: &str, absent: usize) -> Result<usize, Failure> {
    let number: i64 = match parameters.number(name)? {
        Some(number) => number,
        None => return Ok(absent),
    };
    usize::try_from(number).map_err(|_| {
        let reason = format!("[{name}] parameter cannot be negative, found [{number}]");
        Exception::illegal_argument(reason).into()
    })
}

/// Reads words over the names of monitors and triggers, all of which have to be there.
fn read_names(text: &str) -> Result<Filter, Exception> {
    let count = text.chars().count();
    if SEARCH_CHARS_MAX < count {
        return Err(Exception::illegal_argument(format!(
            "searchString has [{count}] characters, and may have [{SEARCH_CHARS_MAX}]"
        )));
    }
    let field = |field: &&str| WeightedField { field: (*field).to_owned(), boost: 1.0 };
    let query = QueryString {
        fields: CATALOG.default_fields.iter().map(field).collect(),
        default_operator: Operator::And,
        ..QueryString::new(text)
    };
    CATALOG.filter(&Query::from(Clause::QueryString(query)))
}

fn read_order(parameters: &Parameters) -> Result<Order, Failure> {
    let path = parameters.text("sortString").unwrap_or("monitor_name.keyword");
    let bare = path.strip_suffix(".keyword").unwrap_or(path);
    if !CATALOG.fields.iter().any(|(name, _)| *name == bare) {
        let reason = format!("No mapping found for [{path}] in order to sort on");
        return Err(Exception::new(ExceptionKind::QueryShard, reason).into());
    }
    let descending = match parameters.text("sortOrder").unwrap_or("asc") {
        "asc" | "ASC" => false,
        "desc" | "DESC" => true,
        other => {
            let reason = format!("sortOrder [{other}] is neither [asc] nor [desc]");
            return Err(Exception::illegal_argument(reason).into());
        }
    };
    let missing = match parameters.text("missing") {
        None | Some("" | "_last") => MissingValue::Last,
        Some("_first") => MissingValue::First,
        Some(value) => MissingValue::Value(read_value(value)),
    };
    Ok(Order::by(bare, descending, missing))
}

/// Reads a number where there is one, and a text elsewhere.
fn read_value(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alerts() -> Vec<Value> {
        let alert =
            |id: &str, monitor: &str, trigger: &str, state: &str, severity: &str, start: i64| {
                json!({ "id": id, "monitor_id": format!("m-{monitor}"), "monitor_name": monitor,
                "trigger_name": trigger, "state": state, "severity": severity, "start_time": start,
                "end_time": if state == "COMPLETED" { json!(start + 1) } else { Value::Null } })
            };
        vec![
            alert("a", "Errors", "too many", "ACTIVE", "1", 30),
            alert("b", "Errors", "far too many", "COMPLETED", "2", 20),
            alert("c", "Frost", "cold", "ERROR", "1", 10),
            alert("d", "Wind", "gust", "PENDING", "3", 40),
        ]
    }

    fn listed(query: &str) -> Result<String, Failure> {
        let listing = Listing::read(&Parameters::read("/a", Some(query)))?;
        let (page, total) = listing.page(alerts());
        let ids: String = page.iter().map(|alert| alert["id"].as_str().unwrap()).collect();
        Ok(format!("{ids} of {total}"))
    }

    #[track_caller]
    fn check(query: &str, expected: &str) {
        assert_eq!(listed(query).unwrap(), expected, "{query}");
    }

    #[test]
    fn alerts_are_filtered_sorted_and_paged() {
        check("", "abc of 3");
        check("alertState=ALL&severityLevel=ALL", "abc of 3");
        check("alertState=PENDING", "d of 1");
        check("alertState=ERROR", "c of 1");
        check("alertState=AUDIT", " of 0");
        check("severityLevel=1", "ac of 2");
        check("monitorId=m-Errors", "ab of 2");
        check("monitorId=x", " of 0");
        check("workflowIds=w", " of 0");
        check("searchString=far", "b of 1");
        check("searchString=too many", "ab of 2");
        check("searchString=*rro*", "ab of 2");
        check("searchString=too AND cold", " of 0");
        check("sortString=start_time", "cba of 3");
        check("sortString=start_time&sortOrder=desc", "abc of 3");
        check("sortString=end_time", "bac of 3");
        check("sortString=end_time&missing=_first", "acb of 3");
        check("sortString=end_time&missing=99", "bac of 3");
        check("sortString=severity&sortOrder=desc", "bac of 3");
        check("size=1&startIndex=1", "b of 3");
        check("size=0", " of 3");
    }

    #[track_caller]
    fn check_refused(query: &str, words: &str) {
        let refused = format!("{:?}", listed(query).unwrap_err());
        assert!(refused.contains(words), "{query}: {refused}");
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        check_refused("alertState=LOUD", "alertState [LOUD]");
        check_refused("severityLevel=9", "severityLevel [9]");
        check_refused("sortString=colour", "No mapping found for [colour]");
        check_refused("sortOrder=up", "[up]");
        check_refused("size=ten", "[size] with value [ten]");
        check_refused("size=-1", "negative");
        check_refused("size=10001", "Result window");
        check_refused("startIndex=18446744073709551615", "startIndex");
        check_refused("searchString=(", "Cannot parse '('");
        check_refused("searchString=colour:red", "field [colour]");
        check_refused(&format!("searchString={}", "a".repeat(257)), "[257] characters");
    }
}
