//! Refusals in OpenSearch's words: type, reason, status, metadata and cause.

use std::fmt;

use serde_json::{Map, Value, json};

/// A refusal or a failure as OpenSearch tells it.
///
/// `Display` is the reason alone; [`Exception::to_json`] is the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Exception(Box<Parts>);

#[derive(Clone, Debug, PartialEq)]
struct Parts {
    kind: ExceptionKind,
    reason: String,
    metadata: Map<String, Value>,
    cause: Option<Exception>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal;)*) => {
        /// The kind of an [`Exception`]: its `type` on the wire and its HTTP status.
        ///
        /// Source: OpenSearch REST API, the class names of its exceptions in snake case.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum ExceptionKind {
            $($(#[$doc])* $variant,)*
        }

        impl ExceptionKind {
            /// Returns the `type` on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns the HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$variant => $status,)*
                }
            }
        }
    };
}

kinds! {
    /// A concrete index that is not there.
    IndexNotFound = "index_not_found_exception", 404;
    /// Something is created that is there already.
    ResourceAlreadyExists = "resource_already_exists_exception", 400;
    /// A document or resource that is not there.
    ResourceNotFound = "resource_not_found_exception", 404;
    /// A name that no index may have.
    InvalidIndexName = "invalid_index_name_exception", 400;
    /// An alias that cannot be made.
    InvalidAliasName = "invalid_alias_name_exception", 400;
    /// A closed index was named.
    IndexClosed = "index_closed_exception", 400;
    /// Most bad values.
    IllegalArgument = "illegal_argument_exception", 400;
    /// Query DSL that cannot be read.
    Parsing = "parsing_exception", 400;
    /// Options of a body that cannot be read.
    XContentParse = "x_content_parse_exception", 400;
    /// A body that is no JSON.
    JsonParse = "json_parse_exception", 400;
    /// A date, date math, query text, or a missing body.
    Parse = "parse_exception", 400;
    /// A text that is no number.
    NumberFormat = "number_format_exception", 400;
    /// A number beyond its type.
    InputCoercion = "input_coercion_exception", 400;
    /// A value that does not fit the mapping, or a bad mapping.
    MapperParsing = "mapper_parsing_exception", 400;
    /// A new field where the mapping takes none.
    StrictDynamicMapping = "strict_dynamic_mapping_exception", 400;
    /// Another version of the document is there.
    VersionConflict = "version_conflict_engine_exception", 409;
    /// An update of a document that is not there.
    DocumentMissing = "document_missing_exception", 404;
    /// A request that lacks something.
    ActionRequestValidation = "action_request_validation_exception", 400;
    /// A search that failed everywhere; its status is that of its cause.
    SearchPhaseExecution = "search_phase_execution_exception", 500;
    /// A query that cannot be built for an index.
    QueryShard = "query_shard_exception", 400;
    /// More buckets than may be.
    TooManyBuckets = "too_many_buckets_exception", 503;
    /// More clauses than may be.
    TooManyClauses = "too_many_clauses", 400;
    /// An alias that is not there.
    AliasesNotFound = "aliases_not_found_exception", 404;
    /// An index template that is not there.
    IndexTemplateMissing = "index_template_missing_exception", 404;
    /// An index template that cannot be.
    InvalidIndexTemplate = "invalid_index_template_exception", 400;
    /// An index that takes no writes by a setting.
    ClusterBlock = "cluster_block_exception", 403;
    /// An index that takes no writes since the disk is all but full; it may be tried again.
    FloodStage = "cluster_block_exception", 429;
    /// Too much at once; it may be tried again.
    RejectedExecution = "rejected_execution_exception", 429;
    /// It would take more memory than may be used.
    CircuitBreaking = "circuit_breaking_exception", 429;
    /// A scroll or point in time that is not there, or no longer.
    SearchContextMissing = "search_context_missing_exception", 404;
    /// Time ran out.
    Timeout = "timeout_exception", 503;
    /// Credentials are missing or not enough.
    Security = "security_exception", 403;
    /// Something that OpenSearch can and this server cannot.
    Unsupported = "unsupported_operation_exception", 400;
    /// A fault of the server itself; the cause is in its log.
    Internal = "exception", 500;
    /// The disk, or the index on it, failed.
    Io = "i_o_exception", 500;
    /// A part of an index is damaged.
    Corrupt = "corrupt_index_exception", 500;
}

impl Exception {
    /// Makes an exception without metadata or cause.
    pub fn new(kind: ExceptionKind, reason: impl Into<String>) -> Self {
        Self(Box::new(Parts { kind, reason: reason.into(), metadata: Map::new(), cause: None }))
    }

    /// Makes an `illegal_argument_exception`.
    pub fn illegal_argument(reason: impl Into<String>) -> Self {
        Self::new(ExceptionKind::IllegalArgument, reason)
    }

    /// Makes a `parsing_exception`.
    pub fn parsing(reason: impl Into<String>) -> Self {
        Self::new(ExceptionKind::Parsing, reason)
    }

    /// Makes an `index_not_found_exception` with the metadata that goes with it.
    pub fn index_not_found(index: &str) -> Self {
        Self::new(ExceptionKind::IndexNotFound, format!("no such index [{index}]"))
            .with("index", index)
            .with("resource.id", index)
            .with("resource.type", "index_or_alias")
            .with("index_uuid", "_na_")
    }

    /// Refuses what OpenSearch has and this server has not; `what` names it, as in `query [geo_shape]`.
    pub fn unsupported(what: impl fmt::Display) -> Self {
        Self::illegal_argument(format!("{what} is not supported by this server"))
    }

    /// Adds one entry of metadata.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// Names the index that it is about.
    #[must_use]
    pub fn in_index(self, name: &str, uuid: &str) -> Self {
        self.with("index", name).with("index_uuid", uuid)
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(mut self, cause: Self) -> Self {
        self.0.cause = Some(cause);
        self
    }

    /// Returns its kind.
    pub fn kind(&self) -> ExceptionKind {
        self.0.kind
    }

    /// Returns its reason.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Returns what caused it, if anything is known.
    pub fn cause(&self) -> Option<&Self> {
        self.0.cause.as_ref()
    }

    /// Returns the metadata.
    pub fn metadata(&self) -> &Map<String, Value> {
        &self.0.metadata
    }

    /// Returns the HTTP status: that of the cause for a failed search, that of the kind otherwise.
    pub fn status(&self) -> u16 {
        match (self.0.kind, &self.0.cause) {
            (ExceptionKind::SearchPhaseExecution, Some(cause)) => cause.status(),
            (kind, _) => kind.status(),
        }
    }

    /// Returns the inner object: type, reason, metadata and cause, without `root_cause`.
    pub fn to_json(&self) -> Value {
        let mut object = json!({ "type": self.0.kind.as_str(), "reason": self.0.reason });
        let entries = object.as_object_mut().expect("an object was just made");
        entries.extend(self.0.metadata.clone());
        if let Some(cause) = &self.0.cause {
            entries.insert("caused_by".to_owned(), cause.to_json());
        }
        object
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.reason)
    }
}

impl std::error::Error for Exception {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}
