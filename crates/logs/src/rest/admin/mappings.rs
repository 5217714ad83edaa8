//! Mappings: shown whole or by field, and added to.

use axum::Router;
use pampero_opensearch::names::matches;
use pampero_opensearch::{Exception, Mapping};
use serde_json::{Map, Value, json};

use super::{GET, POST, PUT, READING, RESOLVING, Request, WAITING, on};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};

pub(super) fn routes() -> Router<RestState> {
    let change = || on(PUT.or(POST), put_mapping);
    Router::new()
        .route("/_mapping", on(GET, get_mapping))
        .route("/{index}/_mapping", on(GET, get_mapping).merge(change()))
        .route("/{index}/_mappings", on(GET, get_mapping).merge(change()))
        .route("/_mapping/field/{fields}", on(GET, get_fields))
        .route("/{index}/_mapping/field/{fields}", on(GET, get_fields))
}

fn get_mapping(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, RESOLVING])?;
    let indices =
        request.cluster().resolve(request.place("index"), request.resolving()?, request.now)?;
    let answer: Map<String, Value> = indices
        .iter()
        .map(|index| (index.name().to_string(), json!({ "mappings": index.mapping().to_json() })))
        .collect();
    Ok(Answer::json(answer.into()))
}

/// Adds fields to indices; each of them is asked first, so that none is changed when one refuses.
fn put_mapping(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING, RESOLVING, &["write_index_only"]])?;
    let body = request.call.required_json()?;
    if body.as_object().is_some_and(|it| it.len() == 1 && it.contains_key("_doc")) {
        return Err(Exception::illegal_argument(
            "Types cannot be provided in put mapping requests, unless the include_type_name parameter is set to true.",
        )
        .into());
    }
    let cluster = request.cluster();
    let indices = if request.flag("write_index_only", false)? {
        vec![cluster.write_index(request.place("index"), false, request.now)?]
    } else {
        cluster.resolve(request.place("index"), request.resolving()?, request.now)?
    };
    for index in &indices {
        Mapping::clone(&index.mapping()).merge(&body)?;
    }
    indices.iter().try_for_each(|index| index.put_mapping(&body))?;
    Ok(Answer::acknowledged())
}

/// Shows fields by their whole names; a name without a field is left out.
fn get_fields(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[READING, RESOLVING, &["include_defaults"]])?;
    request.flag("include_defaults", false)?;
    let indices =
        request.cluster().resolve(request.place("index"), request.resolving()?, request.now)?;
    let patterns: Vec<&str> = request.place("fields").split(',').map(str::trim).collect();
    let mut answer = Map::new();
    for index in indices {
        let mapping = index.mapping().to_json();
        let mut fields = Map::new();
        collect_fields(&mapping["properties"], "", &mut fields);
        fields.retain(|name, _| patterns.iter().any(|pattern| matches(pattern, name)));
        answer.insert(index.name().to_string(), json!({ "mappings": fields }));
    }
    if answer.is_empty() {
        return Ok(Answer::json(json!({})).with_status(http::StatusCode::NOT_FOUND));
    }
    Ok(Answer::json(answer.into()))
}

/// Collects the fields under `properties` or `fields`, multi-fields included, objects not.
fn collect_fields(level: &Value, prefix: &str, fields: &mut Map<String, Value>) {
    for (name, field) in level.as_object().into_iter().flatten() {
        let full_name = format!("{prefix}{name}");
        let inner = format!("{full_name}.");
        collect_fields(&field["properties"], &inner, fields);
        collect_fields(&field["fields"], &inner, fields);
        let is_object = field.get("properties").is_some()
            || matches!(field["type"].as_str(), None | Some("object" | "nested"));
        if !is_object {
            let shown = json!({ "full_name": &full_name, "mapping": { name: field } });
            fields.insert(full_name, shown);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_under_objects_and_beside_texts() {
        let properties = json!({
            "level": { "type": "text", "fields": { "raw": { "type": "keyword" } } },
            "error": { "properties": { "chain": { "type": "keyword" } } },
            "free": { "type": "object" },
        });
        let mut fields = Map::new();
        collect_fields(&properties, "", &mut fields);
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["error.chain", "level", "level.raw"]);
        assert_eq!(
            fields["level.raw"],
            json!({ "full_name": "level.raw", "mapping": { "raw": { "type": "keyword" } } })
        );
    }
}
