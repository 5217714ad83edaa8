//! Versions, sequence numbers and conflicts.

use pampero_index::{Action, Index, Operation, Outcome, UpdateBody, VersionCheck};
use serde_json::json;

use crate::scene::{
    Scene, at_ms, create, delete, object, operation, put, source, update, visible, write_one,
};

type Expected<'e> = Result<(Outcome, u64, u64), &'e str>;

#[test]
fn versions_count_for_each_id_and_sequence_numbers_for_the_index() {
    for refreshed in [false, true] {
        let scene = Scene::new();
        let index = scene.index();
        let check = |operation, expected| check(&index, operation, expected, refreshed);
        check(put("7", "{}"), Ok((Outcome::Created, 1, 0)));
        check(put("7", "{}"), Ok((Outcome::Updated, 2, 1)));
        check(create("8", "{}"), Ok((Outcome::Created, 1, 2)));
        check(
            create("7", "{}"),
            Err("[7]: version conflict, document already exists (current version [2])"),
        );
        check(delete("7"), Ok((Outcome::Deleted, 3, 3)));
        check(delete("7"), Ok((Outcome::NotFound, 4, 4)));
        check(create("7", "{}"), Ok((Outcome::Created, 5, 5)));
        check(delete("9"), Ok((Outcome::NotFound, 1, 6)));
        check(put("9", "{}"), Ok((Outcome::Created, 2, 7)));
    }
}

#[test]
fn sequence_numbers_are_compared() {
    for refreshed in [false, true] {
        let scene = Scene::new();
        let index = scene.index();
        let check = |operation, expected| check(&index, operation, expected, refreshed);
        let with = |operation, seq_no, primary_term| Operation {
            check: VersionCheck::Sequence { seq_no, primary_term },
            ..operation
        };
        check(put("7", "{}"), Ok((Outcome::Created, 1, 0)));
        check(put("7", "{}"), Ok((Outcome::Updated, 2, 1)));
        check(
            with(put("7", "{}"), 0, 1),
            Err("[7]: version conflict, required seqNo [0], primary term [1]. \
                 current document has seqNo [1] and primary term [1]"),
        );
        check(
            with(delete("7"), 1, 2),
            Err("[7]: version conflict, required seqNo [1], primary term [2]. \
                 current document has seqNo [1] and primary term [1]"),
        );
        check(
            with(put("8", "{}"), 1, 1),
            Err("[8]: version conflict, required seqNo [1], primary term [1]. \
                 but no document was found"),
        );
        check(with(put("7", "{}"), 1, 1), Ok((Outcome::Updated, 3, 2)));
        check(with(delete("7"), 2, 1), Ok((Outcome::Deleted, 4, 3)));
        check(
            with(put("7", "{}"), 3, 1),
            Err("[7]: version conflict, required seqNo [3], primary term [1]. \
                 but no document was found"),
        );
    }
}

#[test]
fn external_versions_only_rise() {
    let scene = Scene::new();
    let index = scene.index();
    let check = |operation, expected| check(&index, operation, expected, true);
    let with = |operation, check| Operation { check, ..operation };
    check(with(put("7", "{}"), VersionCheck::External(5)), Ok((Outcome::Created, 5, 0)));
    check(
        with(put("7", "{}"), VersionCheck::External(5)),
        Err(
            "[7]: version conflict, current version [5] is higher or equal to the one provided [5]",
        ),
    );
    check(with(put("7", "{}"), VersionCheck::ExternalOrEqual(5)), Ok((Outcome::Updated, 5, 1)));
    check(
        with(put("7", "{}"), VersionCheck::ExternalOrEqual(4)),
        Err("[7]: version conflict, current version [5] is higher than the one provided [4]"),
    );
    check(with(delete("7"), VersionCheck::External(9)), Ok((Outcome::Deleted, 9, 2)));
    check(
        with(put("7", "{}"), VersionCheck::External(8)),
        Err(
            "[7]: version conflict, current version [9] is higher or equal to the one provided [8]",
        ),
    );
    check(with(put("0", "{}"), VersionCheck::External(0)), Ok((Outcome::Created, 0, 3)));
}

#[track_caller]
fn check(index: &Index, operation: Operation, expected: Expected<'_>, refreshed: bool) {
    let written = write_one(index, operation);
    let told = written.as_ref().map(|it| (it.outcome, it.version, it.seq_no));
    assert_eq!(told.map_err(|refusal| refusal.reason()), expected);
    if refreshed {
        index.refresh().unwrap();
    }
}

#[test]
fn a_conflict_names_the_index() {
    let scene = Scene::new();
    let index = scene.index();
    write_one(&index, put("7", "{}")).unwrap();
    let refusal = write_one(&index, create("7", "{}")).unwrap_err();
    let expected = json!({
        "type": "version_conflict_engine_exception",
        "reason": "[7]: version conflict, document already exists (current version [1])",
        "index": "weather_logs",
        "shard": "0",
        "index_uuid": **index.uuid(),
    });
    assert_eq!((refusal.to_json(), refusal.status()), (expected, 409));
}

#[test]
fn operations_of_one_call_see_each_other() {
    let scene = Scene::new();
    let index = scene.index();
    let merged = UpdateBody { doc: object(json!({"b": 2})), ..UpdateBody::default() };
    let written = index.write(
        vec![put("7", r#"{"a":1}"#), update("7", merged), create("7", "{}"), delete("8")],
        at_ms(0),
    );
    assert_eq!(written[1].as_ref().unwrap().version, 2);
    assert_eq!(written[2].as_ref().unwrap_err().status(), 409);
    assert_eq!(written[3].as_ref().unwrap().outcome, Outcome::NotFound);
    assert_eq!(source(&index, "7").unwrap(), r#"{"a":1,"b":2}"#);
    index.refresh().unwrap();
    assert_eq!(visible(&index, at_ms(0)), 1);
}

#[test]
fn documents_are_updated_in_parts() {
    for refreshed in [false, true] {
        let scene = Scene::new();
        let index = scene.index();
        let body =
            |doc| UpdateBody { doc: object(doc), detect_noop: true, ..UpdateBody::default() };
        let check = |operation, expected, source| {
            check_update(&index, operation, expected, source, refreshed);
        };
        let missing = Err("[7]: document missing");
        check(update("7", body(json!({"a": 1}))), missing, None);
        let upsert = UpdateBody { upsert: object(json!({"n": 0})), ..body(json!({"n": 1})) };
        check(update("7", upsert.clone()), Ok((Outcome::Created, 1, 0)), Some(r#"{"n":0}"#));
        check(update("7", upsert.clone()), Ok((Outcome::Updated, 2, 1)), Some(r#"{"n":1}"#));
        check(update("7", upsert.clone()), Ok((Outcome::Noop, 2, 1)), Some(r#"{"n":1}"#));
        let forced = UpdateBody { detect_noop: false, ..upsert };
        check(update("7", forced), Ok((Outcome::Updated, 3, 2)), Some(r#"{"n":1}"#));
        let created = UpdateBody { doc_as_upsert: true, ..body(json!({"o": {"a": 1}})) };
        check(update("8", created), Ok((Outcome::Created, 1, 3)), Some(r#"{"o":{"a":1}}"#));
        let nested = body(json!({"o": {"b": 2}}));
        check(update("8", nested), Ok((Outcome::Updated, 2, 4)), Some(r#"{"o":{"a":1,"b":2}}"#));
    }
}

#[track_caller]
fn check_update(
    index: &Index,
    operation: Operation,
    expected: Expected<'_>,
    merged: Option<&str>,
    refreshed: bool,
) {
    let id = operation.id.clone().unwrap();
    check(index, operation, expected, refreshed);
    assert_eq!(source(index, &id).as_deref(), merged);
}

#[test]
fn an_update_keeps_the_routing() {
    let scene = Scene::new();
    let index = scene.index();
    let routed = Operation { routing: Some("azul".to_owned()), ..put("7", "{}") };
    write_one(&index, routed).unwrap();
    for id_is_committed in [false, true] {
        let body = UpdateBody { doc: object(json!({"n": 1})), ..UpdateBody::default() };
        write_one(&index, update("7", body)).unwrap();
        let found = index.get("7", true).unwrap().unwrap();
        assert_eq!(found.routing.as_deref(), Some("azul"), "committed: {id_is_committed}");
        index.refresh().unwrap();
    }
}

#[test]
fn ids_are_made_where_there_are_none() {
    let scene = Scene::new();
    let index = scene.index();
    let operation = Operation { id: None, ..put("", r#"{"a":1}"#) };
    let written = index.write(vec![operation.clone(), operation], at_ms(0));
    let ids: Vec<String> = written.into_iter().map(|written| written.unwrap().id).collect();
    assert_eq!(ids[0].len(), 20);
    assert_ne!(ids[0], ids[1]);
    assert_eq!(source(&index, &ids[1]).as_deref(), Some(r#"{"a":1}"#));
}

#[test]
fn bad_ids_and_sources_are_refused_without_harm_to_others() {
    let scene = Scene::new();
    let index = scene.index();
    let long = "x".repeat(513);
    let refused = |operation: Operation, reason: &str| {
        let written = index.write(vec![operation, put("7", "{}")], at_ms(0));
        let refusal = written[0].as_ref().unwrap_err();
        assert!(refusal.reason().contains(reason), "{refusal}");
        assert_eq!(refusal.status(), 400);
        assert!(written[1].is_ok());
    };
    refused(put("", "{}"), "if _id is specified it must not be empty");
    refused(put(&long, "{}"), "must be no longer than 512 bytes but was: 513");
    refused(Operation { routing: Some(long.clone()), ..put("8", "{}") }, "routing [");
    let action = Action::Index("{".into());
    let _ = index.write(vec![operation("9", action), put("7", "{}")], at_ms(0));
    assert_eq!(source(&index, "7").as_deref(), Some("{}"));
    write_one(&index, put(&long[1..], "{}")).unwrap();
}

#[test]
fn blocked_indices_refuse_writes() {
    check_block("index.blocks.write", 403, "FORBIDDEN/8/index write (api)");
    check_block("index.blocks.read_only", 403, "FORBIDDEN/5/index read-only (api)");
    check_block("index.blocks.read_only_allow_delete", 429, "TOO_MANY_REQUESTS/12/");
}

#[track_caller]
fn check_block(setting: &str, status: u16, words: &str) {
    let scene = Scene::new();
    let index = scene.index();
    let set = |value| index.put_settings(&object(json!({ setting: value })).unwrap()).unwrap();
    set(json!("true"));
    let refusal = write_one(&index, put("7", "{}")).unwrap_err();
    assert_eq!((refusal.kind().as_str(), refusal.status()), ("cluster_block_exception", status));
    assert!(refusal.reason().contains(words), "{refusal}");
    set(json!(null));
    write_one(&index, put("7", "{}")).unwrap();
}
