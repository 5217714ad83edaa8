//! How monitors ask the logs.

use std::fmt::Debug;

use jiff::Timestamp;
use pampero_opensearch::Exception;
use serde_json::Value;

/// Searches the logs.
pub trait LogSearch: Debug + Send + Sync {
    /// Searches indices, aliases or patterns with the body of a search, as if it were `now`; what was
    /// written before is found. Blocks. Returns the whole answer, `took` included.
    ///
    /// # Errors
    /// The body is wrong, an index is not there, or the search failed.
    fn search(&self, indices: &[String], body: &Value, now: Timestamp) -> Result<Value, Exception>;
}
