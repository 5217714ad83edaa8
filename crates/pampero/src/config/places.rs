//! `[[places]]`: the places to keep weather for.

use std::collections::BTreeMap;

use pampero_loader::PlaceDraft;
use pampero_weather::place::{Coordinates, PlaceId, checked_name, checked_time_zone};

use super::kind::{Kind, number, parsed, quoted, text_of};
use super::reader::{Reader, Section};
use super::tree::{Node, Table, Value};

pub(super) const DOC: &str = "A place to keep weather for; write the table once for each. A name \
    alone is enough: position, elevation and time zone are looked up. Without any `[[places]]` \
    Pampero begins with Buenos Aires, and places are added over the API.";

/// The places of the configuration, as they were described.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Places {
    /// Those that were written.
    pub(crate) configured: Vec<PlaceDraft>,
    /// The one to begin with when nobody ever named a place; `None` when the configuration speaks of
    /// places, even of none.
    pub(crate) default: Option<PlaceDraft>,
}

pub(super) fn read(reader: &mut Reader, tree: &mut Table) -> Places {
    let Some(node) = tree.remove("places") else {
        return Places { configured: Vec::new(), default: Some(buenos_aires()) };
    };
    let Value::Array(members) = node.value else {
        let what = "this is a list; write [[places]] and the keys of a place below";
        reader.problem(node.key_origin, "places", what);
        return Places { configured: Vec::new(), default: None };
    };
    let mut configured = Vec::new();
    let mut first_by_id: BTreeMap<PlaceId, String> = BTreeMap::new();
    for (index, member) in members.into_iter().enumerate() {
        let path = format!("places[{index}]");
        reader.table(&path, DOC, Some(member), |section| {
            let draft = read_place(section);
            if let Some(id) = id_of(&draft) {
                if let Some(first) = first_by_id.get(&id) {
                    section.problem(format!(
                        "{first} has the id {id} already; give one of them another id"
                    ));
                } else {
                    first_by_id.insert(id, section.path.clone());
                }
            }
            configured.push(draft);
        });
    }
    Places { configured, default: None }
}

fn read_place(section: &mut Section<'_>) -> PlaceDraft {
    let id = section.read_optional(
        "id",
        &parsed("place id"),
        "Slug of the place in URLs, labels and logs: a-z, 0-9, - and _. Made of the name if unset.",
    );
    let name = section.read_optional(
        "name",
        &checked("name", |text| checked_name(text).map_err(|error| error.to_string())),
        "Name for people, and for the look-up when there is no position.",
    );
    let latitude = section.read_optional(
        "latitude",
        &number(-90.0..=90.0, "degrees"),
        "Degrees north. Looked up by the name if unset.",
    );
    let longitude = section.read_optional(
        "longitude",
        &number(-180.0..=180.0, "degrees"),
        "Degrees east. Looked up by the name if unset.",
    );
    let elevation_m = section.read_optional(
        "elevation",
        &number(-500.0..=9000.0, "metres"),
        "Height above mean sea level. Looked up if unset.",
    );
    let time_zone = section.read_optional(
        "time_zone",
        &checked("IANA time zone", |text| match checked_time_zone(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(error) => Err(format!("{error}; write a name such as Europe/Madrid")),
        }),
        "Time zone of its civil days, as in `America/Argentina/Cordoba`. Looked up if unset.",
    );
    let coordinates = match (latitude, longitude) {
        (Some(latitude), Some(longitude)) => Coordinates::new(latitude, longitude).ok(),
        _ => None,
    };
    let draft = PlaceDraft { id, name, coordinates, elevation_m, time_zone };
    check(section, &draft);
    draft
}

/// Notes what is missing: half a position, or anything to find the place by.
fn check(section: &mut Section<'_>, draft: &PlaceDraft) {
    let (latitude, longitude) = (section.is_written("latitude"), section.is_written("longitude"));
    let (id, name) = (section.is_written("id"), section.is_written("name"));
    if latitude != longitude {
        let (written, missing) =
            if latitude { ("latitude", "longitude") } else { ("longitude", "latitude") };
        let what = format!("there is a {written} but no {missing}; write both or neither");
        section.problem(what);
    } else if !(name || id && latitude) {
        section.problem("this place has no name; write one, or an id with latitude and longitude");
    } else if !id && draft.name.is_some() && id_of(draft).is_none() {
        section.problem("no id can be made of this name; write one");
    }
}

fn id_of(draft: &PlaceDraft) -> Option<PlaceId> {
    let from_name = || PlaceId::from_name(draft.name.as_deref()?);
    draft.id.clone().or_else(from_name)
}

fn checked(name: &'static str, check: fn(&str) -> Result<String, String>) -> Kind<String> {
    let read = move |node: &Node| match text_of(node) {
        Some(text) => check(text),
        None => Err("write it in quotation marks".to_owned()),
    };
    Kind::new(name, read, |text: &String| quoted(text))
}

fn buenos_aires() -> PlaceDraft {
    PlaceDraft {
        id: Some("buenos-aires".parse().expect("the constant is a place id")),
        name: Some("Buenos Aires".to_owned()),
        coordinates: Some(
            Coordinates::new(-34.6037, -58.3816).expect("the constant is a position"),
        ),
        elevation_m: Some(25.0),
        time_zone: Some("America/Argentina/Buenos_Aires".to_owned()),
    }
}
