//! Why a store could not do what was asked.

use pampero_weather::place::PlaceId;

/// Why a store could not do what was asked; nothing acknowledged before is lost by any of these.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store could not be opened.
    #[error("the store at {location} cannot be opened")]
    Open {
        /// Where it was looked for.
        location: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk is full; try again when there is room.
    #[error("the disk is full: nothing more can be stored until there is room")]
    DiskFull,
    /// Another process holds the store for longer than we wait.
    #[error("the store is locked by another program")]
    Locked,
    /// The file or folder may not be written.
    #[error("the store may not be written: check the permissions of its folder")]
    ReadOnly,
    /// Something in the store cannot be read back.
    #[error("the store holds {what} that cannot be read")]
    Corrupt {
        /// Which row of which table.
        what: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No such place.
    #[error("there is no place {0}")]
    UnknownPlace(PlaceId),
    /// The writer has stopped, because the program is ending.
    #[error("the store is closed")]
    Closed,
    /// Too many writes wait already.
    #[error("too many writes wait for the store")]
    Overloaded,
    /// A read failed for another reason.
    #[error("{what} cannot be read from the store")]
    Read {
        /// What was being read.
        what: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A write failed for another reason.
    #[error("{what} cannot be written to the store")]
    Write {
        /// What was being written.
        what: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
