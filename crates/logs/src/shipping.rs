//! Sending the documents of the log to a real OpenSearch.
