//! Templates: composable ones, their components, the older kind, and what they would make.

use axum::Router;
use http::StatusCode;
use pampero_index::cluster::{ComponentTemplate, IndexTemplate, LegacyTemplate, Simulation};
use pampero_opensearch::names::is_pattern;
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value, json};

use super::{DELETE, GET, POST, PUT, READING, Request, WAITING, on};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};

const CREATING: &[&str] = &["create", "cause"];

pub(super) fn routes() -> Router<RestState> {
    let index_template = on(GET, get_index_templates)
        .merge(on(PUT.or(POST), put_index_template))
        .merge(on(DELETE, delete_index_template));
    let component = on(GET, get_components)
        .merge(on(PUT.or(POST), put_component))
        .merge(on(DELETE, delete_component));
    let legacy =
        on(GET, get_legacy).merge(on(PUT.or(POST), put_legacy)).merge(on(DELETE, delete_legacy));
    Router::new()
        .route("/_index_template", on(GET, get_index_templates))
        .route("/_index_template/{name}", index_template)
        .route("/_index_template/_simulate_index/{name}", on(POST, simulate_index))
        .route("/_index_template/_simulate", on(POST, simulate_template))
        .route("/_index_template/_simulate/{name}", on(POST, simulate_template))
        .route("/_component_template", on(GET, get_components))
        .route("/_component_template/{name}", component)
        .route("/_template", on(GET, get_legacy))
        .route("/_template/{name}", legacy)
}

/// Returns the names that are asked for; all of them when there are none.
fn asked<'a>(request: &'a Request<'_>) -> &'a str {
    match request.place("name") {
        "" => "*",
        names => names,
    }
}

fn not_found(what: &str, name: &str) -> Failure {
    Exception::new(ExceptionKind::ResourceNotFound, format!("{what} matching [{name}] not found"))
        .into()
}

fn get_index_templates(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, &["flat_settings"]])?;
    let flat = request.flag("flat_settings", false)?;
    let name = asked(request);
    let templates = request.cluster().index_templates(name);
    if templates.is_empty() && !is_pattern(name) {
        return Err(not_found("index template", name));
    }
    let shown: Vec<Value> = templates
        .iter()
        .map(|(name, it)| json!({ "name": name, "index_template": it.to_json(flat) }))
        .collect();
    Ok(Answer::json(json!({ "index_templates": shown })))
}

fn put_index_template(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING, CREATING])?;
    let template = IndexTemplate::from_json(&request.call.required_json()?)?;
    let create = request.flag("create", false)?;
    request.cluster().put_index_template(request.place("name"), template, create)?;
    Ok(Answer::acknowledged())
}

fn delete_index_template(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[WAITING])?;
    request.cluster().delete_index_template(request.place("name"))?;
    Ok(Answer::acknowledged())
}

fn get_components(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, &["flat_settings"]])?;
    let flat = request.flag("flat_settings", false)?;
    let name = asked(request);
    let components = request.cluster().component_templates(name);
    if components.is_empty() && !is_pattern(name) {
        return Err(not_found("component template", name));
    }
    let shown: Vec<Value> = components
        .iter()
        .map(|(name, it)| json!({ "name": name, "component_template": it.to_json(flat) }))
        .collect();
    Ok(Answer::json(json!({ "component_templates": shown })))
}

fn put_component(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING, CREATING])?;
    let component = ComponentTemplate::from_json(&request.call.required_json()?)?;
    let create = request.flag("create", false)?;
    request.cluster().put_component_template(request.place("name"), component, create)?;
    Ok(Answer::acknowledged())
}

fn delete_component(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[WAITING])?;
    request.cluster().delete_component_template(request.place("name"))?;
    Ok(Answer::acknowledged())
}

/// Shows legacy templates; 404 with an empty object when a name finds none.
fn get_legacy(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, &["flat_settings"]])?;
    let flat = request.flag("flat_settings", false)?;
    let shown: Map<String, Value> = request
        .cluster()
        .legacy_templates(asked(request))
        .iter()
        .map(|(name, it)| (name.clone(), it.to_json(flat)))
        .collect();
    let missing = shown.is_empty() && !request.place("name").is_empty();
    let answer = Answer::json(shown.into());
    Ok(if missing { answer.with_status(StatusCode::NOT_FOUND) } else { answer })
}

fn put_legacy(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING, CREATING, &["order"]])?;
    let mut template = LegacyTemplate::from_json(&request.call.required_json()?)?;
    if let Some(order) = request.parameters().number("order")? {
        template.order = order;
    }
    let create = request.flag("create", false)?;
    request.cluster().put_legacy_template(request.place("name"), template, create)?;
    Ok(Answer::acknowledged())
}

fn delete_legacy(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[WAITING])?;
    request.cluster().delete_legacy_template(request.place("name"))?;
    Ok(Answer::acknowledged())
}

fn simulated(simulation: &Simulation) -> Answer {
    let mut template = json!({ "settings": {}, "mappings": {}, "aliases": {} });
    if let Value::Object(parts) = simulation.blueprint.to_json(false) {
        for (part, value) in parts {
            template[part] = value;
        }
    }
    let overlapping: Vec<Value> = simulation
        .overlapping
        .iter()
        .map(|(name, patterns)| json!({ "name": name, "index_patterns": patterns }))
        .collect();
    Answer::json(json!({ "template": template, "overlapping": overlapping }))
}

/// Tells what an index of this name would be made from, with the template of the body as well.
fn simulate_index(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING, CREATING])?;
    let body = request.call.json()?;
    let new = body.as_ref().map(IndexTemplate::from_json).transpose()?;
    let simulation = request.cluster().simulate_index(request.place("name"), new.as_ref())?;
    Ok(simulated(&simulation))
}

/// Tells what a template, kept or in the body, comes to with its components.
fn simulate_template(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING, CREATING])?;
    let name = request.place("name");
    let template = match request.call.json()? {
        Some(body) => IndexTemplate::from_json(&body)?,
        None => {
            let mut kept = request.cluster().index_templates(name);
            match kept.pop() {
                Some((_, template)) => template,
                None => {
                    return Err(Exception::illegal_argument(format!(
                        "unable to simulate template [{name}] that does not exist"
                    ))
                    .into());
                }
            }
        }
    };
    Ok(simulated(&request.cluster().simulate_template(name, &template)?))
}
