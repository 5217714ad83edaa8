//! Settings of indices: shown and changed.

use axum::Router;
use pampero_opensearch::names::matches;
use serde_json::{Map, Value, json};

use super::indices::add_settings;
use super::{GET, PUT, READING, RESOLVING, Request, WAITING, on};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};

pub(super) fn routes() -> Router<RestState> {
    let both = || on(GET, get_settings).merge(on(PUT, put_settings));
    Router::new()
        .route("/_settings", both())
        .route("/_settings/{name}", on(GET, get_settings))
        .route("/{index}/_settings", both())
        .route("/{index}/_settings/{name}", on(GET, get_settings))
}

fn get_settings(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, RESOLVING, &["flat_settings", "include_defaults"]])?;
    let flat = request.flag("flat_settings", false)?;
    let defaults = request.flag("include_defaults", false)?;
    let names = request.place("name");
    let patterns: Vec<&str> =
        names.split(',').map(str::trim).filter(|it| !it.is_empty() && *it != "_all").collect();
    let wanted =
        |name: &str| patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, name));
    let indices =
        request.cluster().resolve(request.place("index"), request.resolving()?, request.now)?;
    let mut answer = Map::new();
    for index in indices {
        let mut settings = Map::clone(&index.settings());
        settings.retain(|name, _| wanted(name));
        let mut entry = json!({});
        add_settings(&mut entry, &settings, flat, defaults);
        if settings.is_empty() && !defaults {
            continue;
        }
        answer.insert(index.name().to_string(), entry);
    }
    Ok(Answer::json(answer.into()))
}

fn put_settings(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING, RESOLVING, &["flat_settings", "preserve_existing"]])?;
    let body = request.call.required_json()?;
    // The form of a create-index body is taken as well.
    let settings = match body.get("settings") {
        Some(inner @ Value::Object(_)) => inner,
        _ => &body,
    };
    let preserve = request.flag("preserve_existing", false)?;
    let indices =
        request.cluster().resolve(request.place("index"), request.resolving()?, request.now)?;
    request.cluster().put_index_settings(&indices, settings, preserve)?;
    Ok(Answer::acknowledged())
}
