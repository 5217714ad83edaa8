//! When to ask whom: places, schedule, chain and fallback, and what is served from it.
//!
//! A round asks the providers of the chain in order, stores every observation and only then puts it
//! on the [`Board`], from which requests are answered. Nothing here knows HTTP, SQL or a wire format.
//! Start reading at [`Poller`] for the work and at [`Board`] for its result.

mod averages;
mod averages_job;
mod board;
mod lookup;
mod place_book;
mod poller;
mod resolver;
mod round;
mod schedule;
mod source;
mod timeline;

pub use averages::{AveragePeriod, Averages, PlaceMean};
pub use averages_job::{MeansAtHand, MeansByPlace};
pub use board::{Board, Role, Served, Slot, Trouble};
pub use lookup::{LocatedPlace, LookupError, PlaceLookup};
pub use place_book::{PlaceBook, PlaceBookError, PlaceDraft};
pub use poller::{Poller, PollerStats};
pub use resolver::Resolver;
pub use schedule::PollingPolicy;
pub use source::{LastFailure, Source, SourceStats, SourceStatus, Sources};
pub use timeline::{Timeline, TimelineStats};
