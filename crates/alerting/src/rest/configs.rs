//! Channels over REST: made, replaced, shown, removed, tried. What is shown has no secrets in it.

mod list;
mod trial;

use axum::extract::{Path, State};
use axum::routing::{MethodRouter, get, post};
use http::StatusCode;
use pampero_notifications::ChannelKind;
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value, json};

use super::AlertingRest;
use super::answer::{Answer, Failure, warn_of};
use super::call::Call;
use crate::definitions::DefinitionError;
use list::Listing;

/// Most channels that are removed at once.
const REMOVED_MAX: usize = 1_000;

/// Returns the paths, without the prefix of the plugin, and what answers there.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<AlertingRest>)> {
    vec![
        ("/configs", get(list_configs).post(create_config).delete(delete_configs)),
        ("/configs/{id}", get(get_config).put(replace_config).delete(delete_config)),
        ("/channels", get(list_channels)),
        ("/features", get(get_features)),
        // OpenSearch takes GET as well, which whoever follows a link would send a message by.
        ("/feature/test/{id}", post(trial::send_test)),
    ]
}

async fn create_config(State(rest): State<AlertingRest>, call: Call) -> Result<Answer, Failure> {
    call.takes(&[])?;
    let body = read_body(&call)?;
    let id = match body.get("config_id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => return Err(invalid("config_id must be a text")),
    };
    let state = rest.clone();
    let made = move || {
        check_references(&state, &body)?;
        let made = state.definitions().create_channel(id.as_deref(), &body).map_err(refused);
        state.spread_channels();
        made
    };
    let entry = rest.write(made).await?;
    Ok(Answer::ok(json!({ "config_id": entry.id })))
}

async fn replace_config(
    State(rest): State<AlertingRest>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&[])?;
    let body = read_body(&call)?;
    let state = rest.clone();
    let replaced = move || {
        check_references(&state, &body)?;
        let replaced = state.definitions().replace_channel(&id, &body).map_err(refused);
        state.spread_channels();
        replaced
    };
    let entry = rest.write(replaced).await?;
    Ok(Answer::ok(json!({ "config_id": entry.id })))
}

async fn get_config(
    State(rest): State<AlertingRest>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    listed(&rest, Some(&id), &call)
}

async fn list_configs(State(rest): State<AlertingRest>, call: Call) -> Result<Answer, Failure> {
    listed(&rest, None, &call)
}

fn listed(rest: &AlertingRest, id: Option<&str>, call: &Call) -> Result<Answer, Failure> {
    let listing = Listing::read(id, &call.parameters)?;
    call.takes_no_body()?;
    Ok(Answer::ok(listing.answer(all(rest))?))
}

/// Returns all channels as they are shown.
fn all(rest: &AlertingRest) -> Vec<Value> {
    rest.definitions().channels().iter().map(|entry| entry.item.to_json()).collect()
}

async fn list_channels(State(rest): State<AlertingRest>, call: Call) -> Result<Answer, Failure> {
    call.takes(&[])?;
    call.takes_no_body()?;
    Ok(Answer::ok(list::channels(all(&rest))))
}

async fn get_features(call: Call) -> Result<Answer, Failure> {
    call.takes(&[])?;
    call.takes_no_body()?;
    Ok(Answer::ok(json!({
        "allowed_config_type_list": ChannelKind::CONFIG_TYPES,
        "plugin_features": { "tooltip_support": "true" },
    })))
}

async fn delete_config(
    State(rest): State<AlertingRest>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&[])?;
    call.takes_no_body()?;
    delete(&rest, vec![id]).await
}

async fn delete_configs(State(rest): State<AlertingRest>, call: Call) -> Result<Answer, Failure> {
    call.takes(&["config_id", "config_id_list"])?;
    call.takes_no_body()?;
    let one = call.parameters.text("config_id").filter(|id| !id.is_empty());
    let several = call.parameters.list("config_id_list").unwrap_or_default();
    let mut ids: Vec<String> = one.into_iter().chain(several).map(str::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    let invalid = match ids.len() {
        0 => "configIds is null or empty".to_owned(),
        count if REMOVED_MAX < count => {
            format!("configIds has {count} ids, and may have {REMOVED_MAX}")
        }
        _ => return delete(&rest, ids).await,
    };
    let reason = format!("Validation Failed: 1: {invalid};");
    Err(Exception::new(ExceptionKind::ActionRequestValidation, reason).into())
}

/// Removes channels: all that are named, or none when one of them is not there.
async fn delete(rest: &AlertingRest, ids: Vec<String>) -> Result<Answer, Failure> {
    let state = rest.clone();
    let deleted = move || {
        let definitions = state.definitions();
        let missing: Vec<&str> =
            ids.iter().filter(|id| definitions.channel(id).is_none()).map(String::as_str).collect();
        if !missing.is_empty() {
            return Err(list::not_found(&missing));
        }
        let mut statuses = Map::new();
        for id in &ids {
            let status = match definitions.delete_channel(id) {
                Ok(_) => "OK",
                Err(error) if ids.len() == 1 => return Err(refused(error)),
                Err(error) if error.status() < 500 => "BAD_REQUEST",
                Err(_) => "INTERNAL_SERVER_ERROR",
            };
            statuses.insert(id.clone(), status.into());
        }
        state.spread_channels();
        Ok(json!({ "delete_response_list": statuses }))
    };
    Ok(Answer::ok(rest.write(deleted).await?))
}

/// Refuses mail through an account or to a group that is not there, or is something else.
fn check_references(rest: &AlertingRest, body: &Value) -> Result<(), Failure> {
    let Some(email) = body.pointer("/config/email") else { return Ok(()) };
    let account = email.get("email_account_id").and_then(Value::as_str);
    let groups = email.get("email_group_id_list").and_then(Value::as_array).into_iter().flatten();
    let groups = groups.filter_map(Value::as_str).map(|id| (id, "email_group"));
    for (id, wanted) in account.map(|id| (id, "smtp_account")).into_iter().chain(groups) {
        let found = rest.definitions().channel(id).ok_or_else(|| list::not_found(&[id]))?;
        let found = found.item.config_type();
        if found != wanted {
            let reason = format!("{id} is of type {found}, and must be of type {wanted}");
            return Err(Failure::notifications(StatusCode::NOT_ACCEPTABLE, reason));
        }
    }
    Ok(())
}

fn read_body(call: &Call) -> Result<Value, Failure> {
    let body = call.required_json()?;
    let Some(members) = body.as_object() else {
        return Err(invalid("the body must be an object, as {\"config\":{…}}"));
    };
    let is_known = |name: &str| ["config_id", "config", "name"].contains(&name);
    match members.keys().find(|name| !is_known(name)) {
        Some(name) => {
            Err(invalid(&format!("Unknown field [{name}]; known are [config_id, config]")))
        }
        None => Ok(body),
    }
}

fn invalid(reason: &str) -> Failure {
    Failure::notifications(StatusCode::BAD_REQUEST, reason)
}

/// Puts a refusal into the form of the notifications plugin. Why the disk fails is for the log alone.
fn refused(error: DefinitionError) -> Failure {
    warn_of(&error);
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Failure::notifications(status, error.to_string())
}
