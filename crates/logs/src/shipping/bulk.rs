//! Bulk requests and what the cluster answers to them.
//!
//! Source: OpenSearch REST API, `_bulk`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::Deserialize;

use super::buffer::Buffered;
use crate::path::{daily_index, day_of};

/// What became of one document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum ItemOutcome {
    /// It is there, now or since an earlier attempt.
    Taken,
    /// It may be sent again.
    Busy,
    /// It will never be taken.
    Refused {
        /// The HTTP status of the item.
        status: u16,
        /// Type and reason, as the cluster told them.
        reason: String,
    },
}

#[derive(Deserialize)]
struct Answer {
    items: Vec<BTreeMap<String, Item>>,
}

#[derive(Deserialize)]
struct Item {
    status: u16,
    error: Option<ItemError>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ItemError {
    Object { r#type: String, reason: Option<String> },
    Text(String),
}

/// The cluster's answer is none to the request that it was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnswerError {
    #[error("the answer is no JSON of a bulk request")]
    Json(#[source] serde_json::Error),
    #[error("the answer tells of {told} documents, {sent} were sent")]
    Count { told: usize, sent: usize },
}

/// Names the index of the day on which something was logged, in UTC.
pub(super) fn index_of(prefix: &str, at: Timestamp) -> String {
    daily_index(prefix, day_of(at))
}

/// Writes a request that creates the documents, compressed.
pub(super) fn request_body(prefix: &str, documents: &[Buffered]) -> io::Result<Vec<u8>> {
    let mut body = GzEncoder::new(Vec::new(), Compression::fast());
    for document in documents {
        let index = index_of(prefix, document.at);
        writeln!(body, "{{\"create\":{{\"_index\":\"{index}\",\"_id\":\"{}\"}}}}", document.id)?;
        body.write_all(&document.body)?;
        body.write_all(b"\n")?;
    }
    body.finish()
}

/// Reads what became of each of `sent` documents, in their order.
pub(super) fn read_answer(body: &[u8], sent: usize) -> Result<Vec<ItemOutcome>, AnswerError> {
    let answer: Answer = serde_json::from_slice(body).map_err(AnswerError::Json)?;
    let items: Vec<Item> =
        answer.items.into_iter().filter_map(|it| it.into_values().next()).collect();
    if items.len() != sent {
        return Err(AnswerError::Count { told: items.len(), sent });
    }
    Ok(items.into_iter().map(outcome_of).collect())
}

fn outcome_of(item: Item) -> ItemOutcome {
    // A document cannot help it that its sender may not write: somebody has to change that first.
    let is_forbidden = matches!(&item.error, Some(ItemError::Object { r#type, .. }) if r#type == "security_exception");
    match item.status {
        _ if is_forbidden => ItemOutcome::Busy,
        // A conflict says that an earlier attempt arrived after all.
        200..=299 | 409 => ItemOutcome::Taken,
        429 | 500..=599 => ItemOutcome::Busy,
        status => ItemOutcome::Refused {
            status,
            reason: match item.error {
                Some(ItemError::Object { r#type, reason }) => {
                    format!("{type}: {}", reason.unwrap_or_default())
                }
                Some(ItemError::Text(text)) => text,
                None => String::new(),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn request_creates_each_document_in_the_index_of_its_day() {
        let document = |id: &str, at: &str| Buffered {
            number: 0,
            id: id.to_owned(),
            at: at.parse().unwrap(),
            body: format!("{{\"at\":\"{at}\"}}").into(),
        };
        let documents =
            [document("a-0", "2026-11-24T23:59:59.999Z"), document("a-1", "2026-11-25T00:00:00Z")];
        let body = request_body("logs", &documents).unwrap();
        let mut text = String::new();
        GzDecoder::new(body.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(
            text,
            "{\"create\":{\"_index\":\"logs-2026.11.24\",\"_id\":\"a-0\"}}\n\
             {\"at\":\"2026-11-24T23:59:59.999Z\"}\n\
             {\"create\":{\"_index\":\"logs-2026.11.25\",\"_id\":\"a-1\"}}\n\
             {\"at\":\"2026-11-25T00:00:00Z\"}\n"
        );
    }

    #[track_caller]
    fn check(item: &str, outcome: ItemOutcome) {
        let body = format!("{{\"took\":3,\"errors\":true,\"items\":[{{\"create\":{item}}}]}}");
        assert_eq!(read_answer(body.as_bytes(), 1).unwrap(), [outcome]);
    }

    #[test]
    fn status_of_an_item_decides() {
        let refused = |status, reason: &str| ItemOutcome::Refused { status, reason: reason.into() };
        check(r#"{"status":201}"#, ItemOutcome::Taken);
        check(
            r#"{"status":409,"error":{"type":"version_conflict_engine_exception"}}"#,
            ItemOutcome::Taken,
        );
        check(
            r#"{"status":429,"error":{"type":"rejected_execution_exception"}}"#,
            ItemOutcome::Busy,
        );
        check(r#"{"status":503}"#, ItemOutcome::Busy);
        check(r#"{"status":403,"error":{"type":"security_exception"}}"#, ItemOutcome::Busy);
        check(
            r#"{"status":403,"error":{"type":"cluster_block_exception","reason":"read-only"}}"#,
            refused(403, "cluster_block_exception: read-only"),
        );
        check(
            r#"{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed"}}"#,
            refused(400, "mapper_parsing_exception: failed"),
        );
        check(r#"{"status":404,"error":"no such index"}"#, refused(404, "no such index"));
    }

    #[test]
    fn answer_to_something_else_is_an_error() {
        assert!(matches!(read_answer(b"<html>", 1), Err(AnswerError::Json(_))));
        assert!(matches!(read_answer(b"{}", 0), Err(AnswerError::Json(_))));
        let answer = br#"{"items":[{"create":{"status":201}}]}"#;
        assert!(matches!(read_answer(answer, 2), Err(AnswerError::Count { told: 1, sent: 2 })));
    }
}
