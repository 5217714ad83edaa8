//! Faults that are played on a finished answer: on its JSON, or on its bytes.

use pampero_weather::provider::ProviderId;
use serde_json::{Map, Value, json};

use crate::fault::Fault;
use crate::reply::Reply;

/// Plays a fault on a good answer; a fault of another kind leaves it as it is.
pub(crate) fn distort(provider: ProviderId, fault: &Fault, mut reply: Reply) -> Reply {
    match fault {
        Fault::CutJson => cut(&mut reply.body),
        Fault::NullFields
        | Fault::AbsentFields
        | Fault::TextNumbers
        | Fault::ExtraFields
        | Fault::WrongCount
        | Fault::OneElementNull
        | Fault::OutOfOrder
        | Fault::ObjectInsteadOfArray => {
            if let Ok(mut answer) = serde_json::from_slice(&reply.body) {
                rewrite(provider, fault, &mut answer);
                reply.body = answer.to_string().into_bytes();
            }
        }
        _ => {}
    }
    reply
}

/// Ends the JSON in the middle and says why in plain text, as a server does that fails while it writes.
fn cut(body: &mut Vec<u8>) {
    body.truncate(body.len() * 2 / 3);
    body.extend_from_slice(b"\nAn error occurred while the answer was written.");
}

fn rewrite(provider: ProviderId, fault: &Fault, answer: &mut Value) {
    match fault {
        Fault::NullFields => for_measured(provider, answer, |block, kept| {
            let lost = block.iter_mut().filter(|(name, _)| !kept.contains(&name.as_str()));
            lost.for_each(|(_, value)| *value = Value::Null);
        }),
        Fault::AbsentFields => for_measured(provider, answer, |block, kept| {
            block.retain(|name, _| kept.contains(&name.as_str()));
        }),
        Fault::TextNumbers => numbers_to_text(answer),
        Fault::ExtraFields => add_fields(answer),
        Fault::WrongCount => {
            if let Value::Array(places) = answer {
                places.pop();
            } else {
                *answer = json!([]);
            }
        }
        Fault::OneElementNull => match answer {
            Value::Array(places) => {
                if let Some(last) = places.last_mut() {
                    *last = Value::Null;
                }
            }
            single => *single = Value::Null,
        },
        Fault::OutOfOrder => {
            if let Value::Array(places) = answer {
                places.reverse();
            }
        }
        Fault::ObjectInsteadOfArray => {
            if let Value::Array(places) = answer
                && !places.is_empty()
            {
                *answer = places.swap_remove(0);
            }
        }
        _ => {}
    }
}

/// Calls `play` with each object of measured values and the names in it that stay.
fn for_measured(
    provider: ProviderId,
    answer: &mut Value,
    mut play: impl FnMut(&mut Map<String, Value>, &[&str]),
) {
    let mut on = |block: Option<&mut Value>, kept: &[&str]| {
        if let Some(Value::Object(block)) = block {
            play(block, kept);
        }
    };
    match provider {
        ProviderId::OpenMeteo => {
            let kept = ["time", "interval", "temperature_2m"];
            match answer {
                Value::Array(places) => {
                    places.iter_mut().for_each(|place| on(place.get_mut("current"), &kept));
                }
                place => on(place.get_mut("current"), &kept),
            }
        }
        ProviderId::MetNorway => {
            let steps = answer.pointer_mut("/properties/timeseries").and_then(Value::as_array_mut);
            for step in steps.into_iter().flatten() {
                on(step.pointer_mut("/data/instant/details"), &["air_temperature"]);
            }
        }
        ProviderId::OpenWeatherMap => {
            on(answer.get_mut("main"), &["temp"]);
            on(answer.get_mut("wind"), &[]);
            on(answer.get_mut("clouds"), &[]);
            // What stands beside the groups: only the visibility is a measured value.
            let others =
                ["coord", "weather", "base", "main", "wind", "clouds", "rain", "snow", "dt"];
            let more = ["sys", "timezone", "id", "name", "cod"];
            let kept: Vec<&str> = others.into_iter().chain(more).collect();
            on(Some(answer), &kept);
        }
        ProviderId::Weatherstack => {
            let kept = ["observation_time", "temperature", "weather_code", "weather_icons"];
            on(answer.get_mut("current"), &kept);
        }
    }
}

fn numbers_to_text(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(list) => list.iter_mut().for_each(numbers_to_text),
        Value::Object(object) => object.values_mut().for_each(numbers_to_text),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Adds a field to every object, as a service does that has learnt something new.
fn add_fields(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(add_fields),
        Value::Object(object) => {
            object.values_mut().for_each(add_fields);
            // A list of names, such as that of the units, grows by a name.
            let names_only = object.values().all(Value::is_string);
            let new = json!({"since": "today", "values": [1, null]});
            let new = if names_only { json!("new") } else { new };
            object.insert("x_new_field".to_owned(), new);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
