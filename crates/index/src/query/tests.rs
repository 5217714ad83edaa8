//! Tests of building queries.
