//! Reading single documents by their ids.

use axum::extract::{Path, State};
use http::StatusCode;
use pampero_index::{Found, Index};
use pampero_opensearch::search::SourceFilter;
use pampero_opensearch::{Exception, ExceptionKind};

use super::write::quoted;
use super::{filtered_source, one_index, source_parameters};
use crate::rest::answer::{Answer, Failure};
use crate::rest::call::Call;
use crate::rest::{RestState, Work};
use pampero_opensearch::parameters::Parameters;

/// Names that reading a document takes.
pub(super) const PARAMETERS: [&str; 8] = [
    "_source",
    "_source_includes",
    "_source_excludes",
    "preference",
    "realtime",
    "refresh",
    "routing",
    "stored_fields",
];

const VERSION_PARAMETERS: [&str; 2] = ["version", "version_type"];

/// How documents are read and shown.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    realtime: bool,
    refresh: bool,
    source: SourceFilter,
}

impl Reading {
    /// Reads the query string.
    ///
    /// # Errors
    /// A boolean is none.
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Exception> {
        let source = source_parameters(parameters);
        let stored = parameters.list("stored_fields");
        Ok(Self {
            realtime: parameters.boolean("realtime", true)?,
            refresh: parameters.boolean("refresh", false)?,
            source: source.unwrap_or_else(|| Self::unasked_source(stored.as_deref())),
        })
    }

    /// Returns what is shown when nothing is said of the source: no field but `_source` is stored.
    fn unasked_source(stored: Option<&[&str]>) -> SourceFilter {
        match stored {
            None => SourceFilter::all(),
            Some(names) if names.contains(&"_source") => SourceFilter::all(),
            Some(_) => SourceFilter::none(),
        }
    }

    /// Shows another part of the source.
    pub(super) fn with_source(&self, source: SourceFilter) -> Self {
        Self { source, ..self.clone() }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// The disk failed.
    pub(super) fn find(&self, index: &Index, id: &str) -> Result<Option<Found>, Exception> {
        if self.refresh {
            index.refresh()?;
        }
        index.get(id, self.realtime)
    }

    /// Writes what is shown of a document as compact JSON.
    pub(super) fn show(&self, index: &str, id: &str, found: Option<&Found>) -> String {
        let (index, id) = (quoted(index), quoted(id));
        let Some(found) = found else {
            return format!("{{\"_index\":{index},\"_id\":{id},\"found\":false}}");
        };
        let Found { version, seq_no, .. } = found;
        let routing = found.routing.as_deref().map(quoted);
        let routing = routing.map(|it| format!(",\"_routing\":{it}")).unwrap_or_default();
        let source = if self.source.is_shown() {
            format!(",\"_source\":{}", filtered_source(&found.source, &self.source))
        } else {
            String::new()
        };
        format!(
            "{{\"_index\":{index},\"_id\":{id},\"_version\":{version},\"_seq_no\":{seq_no},\"_primary_term\":1{routing},\"found\":true{source}}}"
        )
    }
}

pub(super) async fn get_document(
    State(state): State<RestState>,
    Path((name, id)): Path<(String, String)>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&[&PARAMETERS, &VERSION_PARAMETERS])?;
    call.takes_no_body()?;
    let reading = Reading::read(&call.parameters)?;
    let wanted = wanted_version(&call.parameters)?;
    let work = move |state: &RestState| {
        let index = one_index(state, &name)?;
        let found = reading.find(&index, &id)?;
        check_version(&index, &id, found.as_ref(), wanted)?;
        let answer = Answer::raw(reading.show(index.name(), &id, found.as_ref()));
        Ok(if found.is_some() { answer } else { answer.with_status(StatusCode::NOT_FOUND) })
    };
    state.run(Work::Search, work).await
}

pub(super) async fn get_source(
    State(state): State<RestState>,
    Path((name, id)): Path<(String, String)>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&[&PARAMETERS, &VERSION_PARAMETERS])?;
    call.takes_no_body()?;
    let reading = Reading::read(&call.parameters)?;
    let wanted = wanted_version(&call.parameters)?;
    if !reading.source.is_shown() {
        let reason = "Validation Failed: 1: fetching source can not be disabled;";
        return Err(Exception::new(ExceptionKind::ActionRequestValidation, reason).into());
    }
    let work = move |state: &RestState| {
        let index = one_index(state, &name)?;
        let found = reading.find(&index, &id)?;
        check_version(&index, &id, found.as_ref(), wanted)?;
        let found = found.ok_or_else(|| {
            let reason = format!("Document not found [{}]/[{id}]", index.name());
            Exception::new(ExceptionKind::ResourceNotFound, reason)
        })?;
        Ok(Answer::raw(filtered_source(&found.source, &reading.source)))
    };
    state.run(Work::Search, work).await
}

/// Reads which version a caller wants to see, whatever its type is.
fn wanted_version(parameters: &Parameters) -> Result<Option<u64>, Exception> {
    match parameters.text("version_type") {
        None | Some("internal" | "external" | "external_gt" | "external_gte") => {
            parameters.number("version")
        }
        Some(other) => Err(Exception::illegal_argument(format!("No version type match [{other}]"))),
    }
}

fn check_version(
    index: &Index,
    id: &str,
    found: Option<&Found>,
    wanted: Option<u64>,
) -> Result<(), Exception> {
    match (found, wanted) {
        (Some(found), Some(wanted)) if found.version != wanted => {
            let reason = format!(
                "[{id}]: version conflict, current version [{}] is different than the one provided [{wanted}]",
                found.version
            );
            let conflict = Exception::new(ExceptionKind::VersionConflict, reason);
            Err(conflict.in_index(index.name(), index.uuid()).with("shard", "0"))
        }
        _ => Ok(()),
    }
}
