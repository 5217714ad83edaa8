//! What OpenSearch's alerting has and this server has not: refused by its name, or answered as empty where
//! OpenSearch itself has nothing but the past to show.

use axum::extract::Path;
use axum::routing::{MethodRouter, any, get};
use http::Uri;
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::call::Call;
use super::{AlertingRest, envelope};
use crate::MonitorErrorKind;

/// Paths and what lies there in OpenSearch.
const REFUSED: [(&str, &str); 7] = [
    ("/workflows", "composite monitors ([workflows])"),
    ("/workflows/{*rest}", "composite monitors ([workflows])"),
    ("/comments/{*rest}", "comments on alerts ([comments])"),
    ("/remote/{*rest}", "monitors over other clusters ([remote])"),
    ("/v2/{*rest}", "monitors of version 2 ([v2])"),
    ("/destinations/email_accounts", LEGACY),
    ("/destinations/email_groups", LEGACY),
];

/// What the notifications plugin took the place of.
const LEGACY: &str =
    "legacy destinations; channels lie under [/_plugins/_notifications/configs], and these";

/// Returns the paths, without the prefix of the plugin, and what answers there.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<AlertingRest>)> {
    let refused = REFUSED
        .into_iter()
        .map(|(path, what)| (path, any(move |uri: Uri| async move { refuse(what, &uri) })));
    let legacy = |read: MethodRouter<AlertingRest>| {
        read.put(refuse_destinations).delete(refuse_destinations)
    };
    refused
        .chain([
            ("/destinations", get(no_destinations).post(refuse_destinations)),
            ("/destinations/{id}", legacy(get(no_destination))),
            ("/destinations/email_accounts/{id}", legacy(get(no_email_account))),
            ("/destinations/email_groups/{id}", legacy(get(no_email_group))),
            ("/destinations/email_accounts/_search", get(no_hits).post(no_hits)),
            ("/destinations/email_groups/_search", get(no_hits).post(no_hits)),
            ("/findings/_search", get(no_findings)),
        ])
        .collect()
}

fn refuse(what: &str, uri: &Uri) -> Failure {
    let reason = format!("[{}]: {what} are not supported by this server", uri.path());
    Failure::alerting(MonitorErrorKind::Unsupported, reason)
}

async fn refuse_destinations(uri: Uri) -> Failure {
    refuse(LEGACY, &uri)
}

/// The parameters of lists, all of which mean nothing where there is nothing.
const LIST: [&str; 8] = [
    "sortString",
    "sortOrder",
    "missing",
    "size",
    "startIndex",
    "searchString",
    "destinationType",
    "version",
];

async fn no_destinations(call: Call) -> Result<Answer, Failure> {
    call.takes(&LIST)?;
    call.takes_no_body()?;
    Ok(Answer::ok(json!({ "totalDestinations": 0, "destinations": [] })))
}

async fn no_destination(Path(_): Path<String>, call: Call) -> Result<Answer, Failure> {
    call.takes(&LIST)?;
    Err(Failure::alerting(MonitorErrorKind::NotFound, "Destination not found."))
}

async fn no_email_account(Path(_): Path<String>, call: Call) -> Result<Answer, Failure> {
    call.takes(&LIST)?;
    Err(Failure::alerting(MonitorErrorKind::NotFound, "Email Account not found."))
}

async fn no_email_group(Path(_): Path<String>, call: Call) -> Result<Answer, Failure> {
    call.takes(&LIST)?;
    Err(Failure::alerting(MonitorErrorKind::NotFound, "Email Group not found."))
}

async fn no_hits(call: Call) -> Result<Answer, Failure> {
    call.takes(&[])?;
    call.json()?;
    Ok(Answer::ok(envelope(0, json!({ "value": 0, "relation": "eq" }), Value::Null, Vec::new())))
}

/// Findings are made by document monitors, which there are none of.
async fn no_findings(call: Call) -> Result<Answer, Failure> {
    call.takes(&[
        "findingId",
        "sortString",
        "sortOrder",
        "missing",
        "size",
        "startIndex",
        "searchString",
        "monitorId",
    ])?;
    call.takes_no_body()?;
    Ok(Answer::ok(json!({ "total_findings": 0, "findings": [] })))
}
