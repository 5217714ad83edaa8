//! Scraping: text is read, turned into samples of known series, and kept.
//!
//! [`text`] reads the formats, [`series_cache`] remembers which line is which series, [`intake`]
//! turns one answer of a target into samples. Nothing in here speaks HTTP but [`fetch`], and
//! nothing knows when to scrape but `jobs`.

pub(crate) mod fetch;
pub(crate) mod intake;
pub(crate) mod relabel;
pub(crate) mod series_cache;
pub(crate) mod target;
pub(crate) mod text;
