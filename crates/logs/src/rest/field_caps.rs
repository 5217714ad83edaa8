//! `_field_caps`: which fields indices have, and what can be done with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use pampero_index::Index;
use pampero_opensearch::names::matches;
use pampero_opensearch::{Exception, Field, FieldKind};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Failure};
use super::call::Call;
use super::scope::{self, Scope};
use super::search::invalid;
use super::{RestState, Work};

/// Fields that every index has, with whether they can be searched and aggregated.
const METADATA: [(&str, bool, bool); 8] = [
    ("_field_names", true, false),
    ("_id", true, true),
    ("_index", true, true),
    ("_primary_term", false, false),
    ("_routing", true, false),
    ("_seq_no", true, true),
    ("_source", false, false),
    ("_version", false, true),
];

/// What one index says of one field.
struct Capability {
    kind: &'static str,
    searchable: bool,
    aggregatable: bool,
    index: Arc<str>,
}

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/_field_caps", get(get_all).post(get_all))
        .route("/{index}/_field_caps", get(get_indices).post(get_indices))
}

async fn get_all(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    field_caps(state, String::new(), call).await
}

async fn get_indices(
    State(state): State<RestState>,
    Path(index): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    field_caps(state, index, call).await
}

async fn field_caps(state: RestState, expression: String, call: Call) -> Result<Answer, Failure> {
    call.takes(&[&["fields", "include_unmapped"], &scope::PARAMETERS])?;
    let parameters = &call.parameters;
    let include_unmapped = parameters.boolean("include_unmapped", false)?;
    let scope = Scope::read(&expression, parameters)?;
    let named = parameters.list("fields").map(|it| it.into_iter().map(str::to_owned).collect());
    let patterns = read_body(call.json()?, named)?;
    let shape = call.shape.clone();
    let work = move |state: &RestState| {
        let now = state.clock.now();
        let indices = state.cluster.resolve(&scope.expression, scope.options, now)?;
        let names: Vec<&str> = indices.iter().map(|index| &**index.name()).collect();
        let fields = capabilities(&indices, &patterns)
            .into_iter()
            .map(|(path, of_field)| (path, shown(&of_field, &names, include_unmapped)))
            .collect::<Map<String, Value>>();
        Ok(Answer::json(json!({ "indices": names, "fields": fields })).rendered(&shape))
    };
    state.run(Work::Search, work).await
}

/// Reads the patterns of fields, which may stand in the body as well.
fn read_body(body: Option<Value>, named: Option<Vec<String>>) -> Result<Vec<String>, Exception> {
    let mut patterns = named;
    for (key, value) in body.as_ref().and_then(Value::as_object).into_iter().flatten() {
        match (key.as_str(), value) {
            ("fields", Value::String(field)) => patterns = Some(vec![field.clone()]),
            ("fields", Value::Array(fields)) => {
                let fields = fields.iter().filter_map(Value::as_str).map(str::to_owned);
                patterns = Some(fields.collect());
            }
            ("index_filter", _) => return Err(Exception::unsupported("[index_filter]")),
            _ => {
                let reason = format!("[field_caps] unknown field [{key}]");
                return Err(Exception::parsing(reason));
            }
        }
    }
    patterns.filter(|it| !it.is_empty()).ok_or_else(|| invalid("no fields specified"))
}

fn capabilities(indices: &[Arc<Index>], patterns: &[String]) -> BTreeMap<String, Vec<Capability>> {
    let mut fields: BTreeMap<String, Vec<Capability>> = BTreeMap::new();
    let asked = |path: &str| patterns.iter().any(|pattern| matches(pattern, path));
    for index in indices {
        let mapping = index.mapping();
        let mut add = |path: &str, kind, searchable, aggregatable| {
            if !asked(path) {
                return;
            }
            let index = Arc::clone(index.name());
            let capability = Capability { kind, searchable, aggregatable, index };
            fields.entry(path.to_owned()).or_default().push(capability);
        };
        for (name, searchable, aggregatable) in METADATA {
            add(name, name, searchable, aggregatable);
        }
        for field in mapping.fields() {
            add(&field.path, field.type_name, field.index, is_aggregatable(field));
        }
        for path in objects(mapping.fields()) {
            add(path, "object", false, false);
        }
    }
    fields
}

/// Returns the paths above fields that are no fields themselves, each once.
fn objects<'a>(fields: impl Iterator<Item = &'a Field>) -> Vec<&'a str> {
    let paths: Vec<&str> = fields.map(|field| &*field.path).collect();
    let mut objects: Vec<&str> = paths
        .iter()
        .flat_map(|path| path.match_indices('.').map(|(at, _)| &path[..at]))
        .filter(|above| !paths.contains(above))
        .collect();
    objects.sort_unstable();
    objects.dedup();
    objects
}

/// Writes one field: each type it has, with the indices where types differ.
fn shown(of_field: &[Capability], indices: &[&str], include_unmapped: bool) -> Value {
    let mut kinds: BTreeMap<&str, Vec<&Capability>> = BTreeMap::new();
    for capability in of_field {
        kinds.entry(capability.kind).or_default().push(capability);
    }
    let unmapped: Vec<&str> = indices
        .iter()
        .copied()
        .filter(|index| include_unmapped && !of_field.iter().any(|it| *it.index == **index))
        .collect();
    let differ = kinds.len() > 1 || !unmapped.is_empty();
    let mut shown = Map::new();
    for (kind, of_kind) in kinds {
        let mut entry = json!({
            "type": kind,
            "searchable": of_kind.iter().all(|it| it.searchable),
            "aggregatable": of_kind.iter().all(|it| it.aggregatable),
        });
        if differ {
            entry["indices"] = of_kind.iter().map(|it| Value::from(&*it.index)).collect();
        }
        shown.insert(kind.to_owned(), entry);
    }
    if !unmapped.is_empty() {
        let entry = json!({
            "type": "unmapped", "searchable": false, "aggregatable": false, "indices": unmapped,
        });
        shown.insert("unmapped".to_owned(), entry);
    }
    Value::Object(shown)
}

fn is_aggregatable(field: &Field) -> bool {
    field.doc_values && !matches!(field.kind, FieldKind::Text { .. })
}
