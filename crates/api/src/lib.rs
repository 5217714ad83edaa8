//! The HTTP edge: weather routes, the API, health, metrics, the contract. Alone knows statuses and
//! JSON shapes.
//!
//! Every answer comes from memory or from the store; no request ever asks a provider. Start reading
//! at [`Api::respond`] for what happens to each request, and at `router.rs` for the routes.

mod alerts;
mod body;
mod config;
mod directory;
mod docs;
mod edge;
mod events;
mod exposition;
mod health;
mod logs;
mod number;
mod observations;
mod openapi;
mod paging;
mod parameters;
mod places;
mod problem;
mod providers;
mod router;
mod server;
mod start_page;
mod state;
mod weather;

pub use alerts::parts::{AlertParts, AlertRules, RuleFileProblem};
pub use config::ServerConfig;
pub use edge::Api;
pub use server::{Served, serve};
pub use state::ApiParts;

/// Returns the OpenAPI 3.1 contract as JSON, as it is served under `/openapi.json`.
pub fn contract() -> String {
    openapi::contract()
}
