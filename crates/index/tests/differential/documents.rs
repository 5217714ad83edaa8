//! Random documents, and the indices they are written to: several segments, with updates and deletions.

use jiff::Timestamp;
use pampero_index::{
    Action, Cluster, Index, IndexOptions, Operation, Snapshot, UpdateBody, VersionCheck,
};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use crate::model::dates::NOW_MS;

/// Words of texts; some differ in a letter or two.
pub(crate) const WORDS: [&str; 16] = [
    "rain",
    "ruin",
    "wind",
    "winds",
    "gust",
    "sensor",
    "sensors",
    "timed_out",
    "10.5mm",
    "v1.2",
    "don't",
    "of",
    "the",
    "west",
    "k12",
    "snow",
];
/// What stands between words.
const GAPS: [&str; 6] = [" ", " ", " ", ", ", " - ", "! "];
/// Levels, in the spellings that programs use.
pub(crate) const LEVELS: [&str; 6] = ["ERROR", "WARN", "INFO", "info", "Debug", "two words"];
/// Names of stations.
pub(crate) const STATIONS: [&str; 9] =
    ["k1", "k12", "K12", "k123", "west-1", "west-2", "a*b", "Z", "z z"];
/// Addresses of both families.
pub(crate) const ADDRESSES: [&str; 7] =
    ["10.0.0.1", "10.0.0.2", "10.1.2.3", "192.168.0.7", "2001:db8::1", "2001:db8:1::5", "::1"];
/// The first instant of the documents: nine days before Paris changes to summer time.
pub(crate) const FIRST_MS: i64 = 1_773_964_800_000;
/// How many milliseconds the documents span: 18 days.
pub(crate) const SPAN_MS: i64 = 18 * 86_400_000;

/// Makes a value of a field.
type Make = fn(&mut StdRng) -> Value;

/// A document as the model keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) index: &'static str,
    pub(crate) source: Value,
}

/// Indices as they can be searched, and the same documents in a list.
///
/// The folder goes away as soon as it was written; what is open can be read on.
pub(crate) struct Scene {
    pub(crate) documents: Vec<Document>,
    pub(crate) snapshots: Vec<Snapshot>,
}

/// Returns the instant at which all searches play.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millisecond(NOW_MS).unwrap()
}

/// Picks one of several.
pub(crate) fn pick<T: Clone>(chance: &mut StdRng, among: &[T]) -> T {
    among.choose(chance).unwrap().clone()
}

/// The second index keeps its numbers in narrower types.
fn mapping(narrow: bool) -> Value {
    json!({ "properties": {
        "unique": { "type": "long" },
        "message": { "type": "text" },
        "title": { "type": "text" },
        "level": { "type": "text", "fields": { "keyword": { "type": "keyword", "ignore_above": 256 } } },
        "station": { "type": "keyword" },
        "code": { "type": "keyword", "ignore_above": 4 },
        "count": { "type": if narrow { "integer" } else { "long" } },
        "temp": { "type": if narrow { "float" } else { "double" } },
        "ok": { "type": "boolean" },
        "at": { "type": "date" },
        "ip": { "type": "ip" },
        "place": { "properties": {
            "name": { "type": "keyword" }, "floor": { "type": "long" }, "note": { "type": "text" },
        } },
    } })
}

impl Scene {
    /// Writes random documents to one to three indices.
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::open(folder.path(), IndexOptions::default()).unwrap();
        let mut documents = Vec::new();
        let mut snapshots = Vec::new();
        let mut unique = 0;
        let names = ["alpha", "beta", "gamma"];
        for (number, name) in names[..chance.random_range(1..=3)].iter().enumerate() {
            let body = json!({ "mappings": mapping(number == 1) });
            let index = cluster.create_index(name, &body, now()).unwrap();
            for _ in 0..chance.random_range(2..5) {
                fill(&index, name, &mut unique, &mut documents, &mut chance);
            }
            snapshots.push(index.snapshot(now()).unwrap());
        }
        Self { documents, snapshots }
    }
}

/// Writes, changes and deletes documents, then makes a segment of it.
fn fill(
    index: &Index,
    name: &'static str,
    unique: &mut usize,
    documents: &mut Vec<Document>,
    chance: &mut StdRng,
) {
    let mut operations = Vec::new();
    for _ in 0..chance.random_range(5..40) {
        let id = format!("{name}-{}", chance.random_range(0..90));
        let known = documents.iter().position(|it| it.id == id);
        let action = match (known, chance.random_range(0..10)) {
            (Some(at), 0..3) => {
                documents.remove(at);
                Action::Delete
            }
            (Some(at), 3..5) => {
                let patch =
                    [("count", json!(chance.random_range(-30..30))), ("title", text(chance))];
                let patch = Map::from_iter(patch.map(|(field, value)| (field.to_owned(), value)));
                documents[at].source.as_object_mut().unwrap().extend(patch.clone());
                Action::Update(UpdateBody {
                    doc: Some(patch),
                    upsert: None,
                    doc_as_upsert: false,
                    detect_noop: true,
                    retry_on_conflict: 0,
                })
            }
            _ => {
                let source = source(*unique, chance);
                *unique += 1;
                documents.retain(|it| it.id != id);
                let bytes = serde_json::to_vec(&source).unwrap();
                documents.push(Document { id: id.clone(), index: name, source });
                Action::Index(bytes.into())
            }
        };
        let check = VersionCheck::None;
        operations.push(Operation { id: Some(id), action, routing: None, check });
    }
    for written in index.write(operations, now()) {
        written.unwrap();
    }
    index.refresh().unwrap();
}

fn source(unique: usize, chance: &mut StdRng) -> Value {
    let mut source = json!({ "unique": unique });
    let fields: [(&str, Make); 9] = [
        ("message", text),
        ("title", text),
        ("level", |chance| json!(pick(chance, &LEVELS))),
        ("station", |chance| json!(pick(chance, &STATIONS))),
        ("code", |chance| json!(pick(chance, &["a", "ab", "abcd", "abcde", "12"]))),
        ("count", integer),
        ("temp", |chance| json!(f64::from(chance.random_range(-160..160)) / 8.0)),
        ("at", date),
        ("ip", |chance| json!(pick(chance, &ADDRESSES))),
    ];
    for (field, make) in fields {
        put(&mut source, field, chance, make);
    }
    put(&mut source, "ok", chance, |chance| {
        pick(chance, &[json!(true), json!(false), json!("true"), json!("false")])
    });
    match chance.random_range(0..6) {
        0 => {}
        1 => source["place"] = json!([place(chance), place(chance)]),
        2 => {
            for (key, value) in place(chance).as_object().unwrap() {
                source[format!("place.{key}")] = value.clone();
            }
        }
        _ => source["place"] = place(chance),
    }
    source
}

/// Puts no value, null, an empty list, one or several values, one of which may be null.
fn put(source: &mut Value, field: &str, chance: &mut StdRng, make: Make) {
    source[field] = match chance.random_range(0..16) {
        0..2 => return,
        2 => Value::Null,
        3 => json!([]),
        4..13 => make(chance),
        13 => json!([make(chance), null, make(chance)]),
        _ => (0..chance.random_range(1..4)).map(|_| make(chance)).collect(),
    };
}

fn place(chance: &mut StdRng) -> Value {
    let mut place = json!({});
    put(&mut place, "name", chance, |chance| json!(pick(chance, &["roof", "cellar", "attic"])));
    put(&mut place, "floor", chance, |chance| json!(chance.random_range(-2..6)));
    put(&mut place, "note", chance, text);
    place
}

fn text(chance: &mut StdRng) -> Value {
    let mut text = String::new();
    for _ in 0..chance.random_range(0..7) {
        let word = pick(chance, &WORDS);
        text += &match chance.random_range(0..5) {
            0 => word.to_uppercase(),
            _ => word.to_owned(),
        };
        text += pick(chance, &GAPS);
    }
    json!(text)
}

/// Integers; decimals lose what stands behind the point, and texts are read.
fn integer(chance: &mut StdRng) -> Value {
    let number: i32 = chance.random_range(-20..20);
    match chance.random_range(0..12) {
        0 => json!(number.to_string()),
        1 => json!(f64::from(number) + 0.5),
        _ => json!(number),
    }
}

/// Instants in the spellings that a date field reads.
fn date(chance: &mut StdRng) -> Value {
    let ms = FIRST_MS + chance.random_range(0..SPAN_MS);
    let instant = Timestamp::from_millisecond(ms).unwrap();
    let offset = jiff::tz::offset(pick(chance, &[-5, 1, 2]));
    let local = offset.to_datetime(instant);
    match chance.random_range(0..8) {
        0 => json!(ms),
        1 => json!(ms.to_string()),
        2 => json!(local.strftime("%Y-%m-%d").to_string()),
        3 => json!(local.strftime("%Y-%m-%dT%H:%M").to_string()),
        4 => json!(format!("{}{}", local.strftime("%Y-%m-%dT%H:%M:%S"), {
            let hours = offset.seconds() / 3600;
            format!("{}{:02}:00", if hours < 0 { '-' } else { '+' }, hours.abs())
        })),
        // Many documents share a whole hour.
        5 => json!(instant.strftime("%Y-%m-%dT%H:00:00Z").to_string()),
        _ => json!(instant.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()),
    }
}
