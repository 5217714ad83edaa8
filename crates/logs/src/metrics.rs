//! What the logs tell of themselves.
