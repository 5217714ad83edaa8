//! Texts with holes: Mustache as OpenSearch renders it, and the part of Go's templates that annotations of
//! Prometheus's rules use.
//!
//! Both are parsed once, refuse what they do not understand by its name, and render within a limit of
//! bytes and steps. Know no alerts. Start reading at [`mustache`] and [`go`].

mod budget;
mod error;
pub mod go;
pub mod mustache;
mod place;

pub use budget::{NESTING_MAX, SOURCE_BYTES_MAX, STEPS_MAX};
pub use error::{RenderError, TemplateError};
