//! The plain model: each document is looked at for itself, each answer worked out from the request.

pub(crate) mod aggregations;
pub(crate) mod dates;
pub(crate) mod language;
pub(crate) mod order;
pub(crate) mod queries;
pub(crate) mod values;
