//! Names, aliases, templates and settings over real indices, also after they are opened again.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::path::Path;

use bytes::Bytes;
use jiff::Timestamp;
use pampero_index::cluster::{
    Alias, AliasAction, Blueprint, ComponentTemplate, IndexTemplate, LegacyTemplate,
    ResolveOptions, RolloverConditions,
};
use pampero_index::{Action, Cluster, Index, IndexOptions, Operation, VersionCheck};
use pampero_opensearch::Exception;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A cluster in a folder of its own, at an instant of its own.
struct Scene {
    folder: TempDir,
    cluster: Cluster,
    now: Timestamp,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = open(folder.path());
        Self { folder, cluster, now: "2026-11-24T22:30:00Z".parse().unwrap() }
    }

    /// A scene with these indices, made in this order.
    fn with(names: &[&str]) -> Self {
        let scene = Self::new();
        for name in names {
            scene.create(name, json!(null)).unwrap();
        }
        scene
    }

    fn create(&self, name: &str, body: Value) -> Result<std::sync::Arc<Index>, Exception> {
        self.cluster.create_index(name, &body, self.now)
    }

    fn alias(&self, index: &str, name: &str, said: Value) {
        self.update(&[add(index, name, said)]).unwrap();
    }

    fn update(&self, actions: &[AliasAction]) -> Result<(), Exception> {
        self.cluster.update_aliases(actions, self.now)
    }

    /// Closes the cluster and opens it again.
    fn reopened(self) -> Self {
        let Self { folder, cluster, now } = self;
        cluster.indices().close();
        drop(cluster);
        let cluster = open(folder.path());
        Self { folder, cluster, now }
    }

    fn resolve(&self, expression: &str, options: ResolveOptions) -> Result<Vec<String>, Exception> {
        let indices = self.cluster.resolve(expression, options, self.now)?;
        Ok(indices.iter().map(|index| index.name().to_string()).collect())
    }

    #[track_caller]
    fn check(&self, expression: &str, options: ResolveOptions, expected: Result<&[&str], &str>) {
        let found = self.resolve(expression, options);
        let found = found.as_ref().map(|it| it.iter().map(String::as_str).collect::<Vec<_>>());
        let expected = expected.map(<[&str]>::to_vec);
        assert_eq!(found.map_err(Exception::reason), expected, "{expression}");
    }

    #[track_caller]
    fn check_write(&self, name: &str, require_alias: bool, expected: Result<&str, &str>) {
        let found = self.cluster.write_index(name, require_alias, self.now);
        let found = found.as_ref().map(|index| &**index.name()).map_err(Exception::reason);
        assert_eq!(found, expected, "{name}");
    }
}

fn open(folder: &Path) -> Cluster {
    Cluster::open(folder, IndexOptions::default()).unwrap()
}

fn add(index: &str, name: &str, said: Value) -> AliasAction {
    AliasAction::Add {
        indices: vec![index.to_owned()],
        aliases: vec![name.to_owned()],
        alias: Alias::from_json(name, &said).unwrap(),
    }
}

fn remove(index: &str, name: &str, must_exist: Option<bool>) -> AliasAction {
    AliasAction::Remove {
        indices: vec![index.to_owned()],
        aliases: vec![name.to_owned()],
        must_exist,
    }
}

fn put(index: &Index, document: &Value, now: Timestamp) -> Result<(), Exception> {
    let operation = Operation {
        id: None,
        action: Action::Index(Bytes::from(document.to_string())),
        routing: None,
        check: VersionCheck::None,
    };
    index.write(vec![operation], now).remove(0)?;
    index.refresh()
}

const STRICT: ResolveOptions = ResolveOptions {
    ignore_unavailable: false,
    allow_no_indices: false,
    wildcards: true,
    hidden: false,
};

fn lenient() -> ResolveOptions {
    ResolveOptions { ignore_unavailable: true, ..ResolveOptions::default() }
}

fn hidden() -> ResolveOptions {
    ResolveOptions { hidden: true, ..ResolveOptions::default() }
}

#[test]
fn expressions_mean_indices() {
    let scene = Scene::with(&["a1", "a2", "b1", "weather_logs-2026.11.24"]);
    scene.create("secret", json!({ "settings": { "hidden": true } })).unwrap();
    scene.create(".dot", json!({ "settings": { "index.hidden": "true" } })).unwrap();
    scene.alias("a2", "logs", json!({}));
    scene.alias("b1", "logs", json!({}));
    let usual = ResolveOptions::default();
    let all: &[&str] = &["a1", "a2", "b1", "weather_logs-2026.11.24"];
    for expression in ["", "_all", "*", "a*,*"] {
        scene.check(expression, usual, Ok(all));
    }
    scene.check("a1", usual, Ok(&["a1"]));
    scene.check("b1,a1,b1", usual, Ok(&["a1", "b1"]));
    scene.check("a*", usual, Ok(&["a1", "a2"]));
    scene.check("logs", usual, Ok(&["a2", "b1"]));
    scene.check("lo*,a1", usual, Ok(&["a1", "a2", "b1"]));
    scene.check("a*,-a1", usual, Ok(&["a2"]));
    scene.check("*,-logs", usual, Ok(&["a1", "weather_logs-2026.11.24"]));
    scene.check("*,-a*", usual, Ok(&["b1", "weather_logs-2026.11.24"]));
    scene.check("a1,-a1", usual, Err("no such index [-a1]"));
    scene.check("<weather_logs-{now/d}>", usual, Ok(&["weather_logs-2026.11.24"]));
    scene.check("<weather_logs-{now/d-1d}>", usual, Err("no such index [weather_logs-2026.11.23]"));
    scene.check("nothing", usual, Err("no such index [nothing]"));
    scene.check("nothing,a1", lenient(), Ok(&["a1"]));
    scene.check("nothing*", usual, Ok(&[]));
    scene.check("nothing*", STRICT, Err("no such index [nothing*]"));
    scene.check("nothing", lenient(), Ok(&[]));
    scene.check("_license", usual, Err("Invalid index name [_license], must not start with '_'."));
    // Hidden indices are found by name, by what begins with a dot, or when they are asked for.
    scene.check("secret", usual, Ok(&["secret"]));
    scene.check("sec*", usual, Ok(&[]));
    scene.check("sec*", hidden(), Ok(&["secret"]));
    scene.check(".d*", usual, Ok(&[".dot"]));
    let none = ResolveOptions { wildcards: false, ..usual };
    scene.check("*", none, Ok(&[]));
    scene.check("a1", none, Ok(&["a1"]));
}

#[test]
fn nothing_at_all_is_found_among_no_indices() {
    let scene = Scene::new();
    scene.check("", ResolveOptions::default(), Ok(&[]));
    scene.check("", STRICT, Err("no such index [_all]"));
}

#[test]
fn filters_of_aliases_come_with_their_indices() {
    let scene = Scene::with(&["a", "b"]);
    let (errors, rain) =
        (json!({ "term": { "level": "error" } }), json!({ "term": { "w": "rain" } }));
    scene.alias("a", "errors", json!({ "filter": errors }));
    scene.alias("a", "rain", json!({ "filter": rain }));
    scene.alias("a", "plain", json!({}));
    let filter = |expression: &str| {
        let targets =
            scene.cluster.resolve_targets(expression, ResolveOptions::default(), scene.now);
        targets.unwrap().into_iter().find(|it| &**it.index.name() == "a").unwrap().filter
    };
    assert_eq!(filter("errors"), Some(errors.clone()));
    assert_eq!(filter("err*"), Some(errors.clone()));
    let either = json!({ "bool": { "should": [errors, rain], "minimum_should_match": 1 } });
    assert_eq!(filter("errors,rain"), Some(either));
    assert_eq!(filter("errors,plain"), None);
    assert_eq!(filter("errors,a"), None);
    assert_eq!(filter("*"), None);
}

#[test]
fn indices_are_named_by_their_own_names_where_they_are_deleted() {
    let scene = Scene::with(&["a", "b"]);
    scene.alias("a", "logs", json!({}));
    let concrete = |expression: &str, options| {
        let found = scene.cluster.resolve_concrete(expression, options, scene.now);
        found.map(|it| it.iter().map(|it| it.name().to_string()).collect::<Vec<_>>())
    };
    let refused = concrete("logs", ResolveOptions::default()).unwrap_err();
    assert_eq!(
        refused.reason(),
        "The provided expression [logs] matches an alias, specify the corresponding concrete indices instead."
    );
    assert!(concrete("logs", lenient()).unwrap().is_empty());
    assert!(concrete("lo*", ResolveOptions::default()).unwrap().is_empty());
    assert_eq!(concrete("lo*", STRICT).unwrap_err().reason(), "no such index [lo*]");
    assert_eq!(concrete("*", STRICT).unwrap(), ["a", "b"]);
}

#[test]
fn writes_find_their_index_or_make_it() {
    let scene = Scene::with(&["a", "b", "c"]);
    scene.alias("a", "one", json!({}));
    scene.alias("a", "two", json!({}));
    scene.alias("b", "two", json!({}));
    scene.alias("a", "said", json!({}));
    scene.alias("b", "said", json!({ "is_write_index": true }));
    scene.alias("c", "closed", json!({ "is_write_index": false }));
    scene.check_write("a", false, Ok("a"));
    scene.check_write("one", false, Ok("a"));
    scene.check_write("said", true, Ok("b"));
    let none = |alias: &str| {
        format!(
            "no write index is defined for alias [{alias}]. The write index may be explicitly disabled using is_write_index=false or the alias points to multiple indices without one being designated as a write index"
        )
    };
    scene.check_write("two", false, Err(&none("two")));
    scene.check_write("closed", false, Err(&none("closed")));
    let no_alias =
        "no such index [a] and [require_alias] request flag is [true] and [a] is not an alias";
    scene.check_write("a", true, Err(no_alias));
    scene.check_write("new", false, Ok("new"));
    scene.check_write("<logs-{now/d}>", false, Ok("logs-2026.11.24"));
    scene.check_write("<logs-{now/d}>", false, Ok("logs-2026.11.24"));
    scene.check_write("New", false, Err("Invalid index name [New], must be lowercase"));
}

#[test]
fn making_indices_by_writes_can_be_forbidden() {
    let scene = Scene::new();
    let set = |value: Value| {
        let settings = json!({ "action": { "auto_create_index": value } });
        scene.cluster.put_settings(&settings, &json!(null)).unwrap();
    };
    set(json!(false));
    let off = "no such index [x] and [action.auto_create_index] is [false]";
    scene.check_write("x", false, Err(off));
    set(json!("+logs*,-*"));
    scene.check_write("logs1", false, Ok("logs1"));
    let forbidden = "no such index [x] and [action.auto_create_index] contains [-*] which forbids automatic creation of the index";
    scene.check_write("x", false, Err(forbidden));
    set(json!("logs*"));
    let unmatched = "no such index [x] and [action.auto_create_index] ([logs*]) doesn't match";
    scene.check_write("x", false, Err(unmatched));
    set(json!(null));
    scene.check_write("x", false, Ok("x"));
}

#[test]
fn blocked_indices_take_no_writes() {
    let scene = Scene::with(&["a"]);
    let index = scene.cluster.indices().get("a").unwrap();
    let set = |value: Value| {
        let body = json!({ "index.blocks.write": value });
        scene.cluster.put_index_settings(std::slice::from_ref(&index), &body, false).unwrap();
    };
    set(json!(true));
    let refused = put(&index, &json!({ "a": 1 }), scene.now).unwrap_err();
    assert_eq!(refused.reason(), "index [a] blocked by: [FORBIDDEN/8/index write (api)];");
    set(json!(null));
    put(&index, &json!({ "a": 1 }), scene.now).unwrap();
}

#[test]
fn an_index_takes_as_many_fields_as_its_settings_say() {
    let scene = Scene::new();
    let fields = |count: usize| -> Value {
        let fields = (0..count).map(|at| (format!("f{at}"), json!({ "type": "long" })));
        json!({ "properties": fields.collect::<serde_json::Map<_, _>>() })
    };
    let refused = scene.create("a", json!({ "mappings": fields(1001) })).unwrap_err();
    assert_eq!(refused.reason(), "Limit of total fields [1000] has been exceeded");
    let limit = json!({ "index.mapping.total_fields.limit": 1500 });
    let body = json!({ "settings": limit, "mappings": fields(1200) });
    scene.create("a", body).unwrap();
    let scene = scene.reopened();
    let index = scene.cluster.indices().get("a").unwrap();
    assert_eq!(index.damage(), None);
    index.put_mapping(&fields(1500)).unwrap();
    assert!(index.put_mapping(&fields(1501)).is_err());
    // A limit that is lowered takes nothing away, and takes nothing more.
    let lower = json!({ "index.mapping.total_fields.limit": 10 });
    scene.cluster.put_index_settings(&[index], &lower, false).unwrap();
    let scene = scene.reopened();
    let index = scene.cluster.indices().get("a").unwrap();
    assert_eq!((index.damage(), index.mapping().fields().count()), (None, 1500));
    assert!(index.put_mapping(&fields(1501)).is_err());
}

#[test]
fn what_is_kept_of_the_cluster_has_a_limit() {
    let scene = Scene::new();
    let meta = "x".repeat(9 << 20);
    let body = json!({ "index_patterns": ["a"], "_meta": { "note": meta } });
    put_template(&scene, "one", body.clone()).unwrap();
    let body = json!({ "index_patterns": ["b"], "_meta": body["_meta"] });
    let refused = put_template(&scene, "two", body).unwrap_err();
    assert_eq!(
        refused.reason(),
        "aliases, templates and settings would take more than [16mb]; delete some first"
    );
    assert!(scene.cluster.index_templates("two").is_empty());
}

#[test]
fn aliases_change_together_or_not_at_all() {
    let scene = Scene::with(&["a", "b"]);
    scene.alias("a", "logs", json!({}));
    scene.update(&[remove("a", "logs", None), add("b", "logs", json!({}))]).unwrap();
    assert_eq!(scene.cluster.alias_indices("logs"), ["b"]);

    let refused = scene.update(&[add("a", "logs", json!({})), add("missing", "logs", json!({}))]);
    assert_eq!(refused.unwrap_err().reason(), "no such index [missing]");
    assert_eq!(scene.cluster.alias_indices("logs"), ["b"]);

    let writes = json!({ "is_write_index": true });
    let twice = [add("a", "w", writes.clone()), add("b", "w", writes)];
    let refused = scene.update(&twice).unwrap_err();
    assert_eq!(refused.reason(), "alias [w] has more than one write index [a,b]");
    assert!(!scene.cluster.is_alias("w"));
}

#[test]
fn missing_aliases_are_refused_as_asked() {
    let scene = Scene::with(&["a"]);
    let missing = scene.update(&[remove("a", "x", None)]).unwrap_err();
    assert_eq!(missing.reason(), "aliases [x] missing");
    assert_eq!(missing.status(), 404);
    let required = scene.update(&[remove("a", "x", Some(true))]).unwrap_err();
    assert_eq!(required.reason(), "required alias [x] does not exist");
    scene.update(&[remove("a", "x", Some(false))]).unwrap();
    // One that was there makes up for one that was not.
    scene.alias("a", "y", json!({}));
    scene.update(&[remove("a", "x", None), remove("a", "y*", None)]).unwrap();
    assert!(!scene.cluster.is_alias("y"));
}

#[test]
fn an_alias_takes_the_name_of_an_index_that_goes() {
    let scene = Scene::with(&["logs", "logs-2"]);
    let taken = scene.update(&[add("logs-2", "logs", json!({}))]).unwrap_err();
    assert_eq!(
        taken.reason(),
        "Invalid alias name [logs], an index exists with the same name as the alias"
    );
    let swap = [
        add("logs-2", "logs", json!({})),
        AliasAction::RemoveIndex { indices: vec!["logs".to_owned()] },
    ];
    scene.update(&swap).unwrap();
    scene.check("logs", ResolveOptions::default(), Ok(&["logs-2"]));
    let scene = scene.reopened();
    scene.check("logs", ResolveOptions::default(), Ok(&["logs-2"]));
    let refused = scene.create("logs", json!(null)).unwrap_err();
    assert_eq!(refused.reason(), "Invalid index name [logs], already exists as alias");
}

#[test]
fn a_deleted_index_leaves_its_aliases() {
    let scene = Scene::with(&["a", "b"]);
    scene.alias("a", "logs", json!({}));
    scene.alias("b", "logs", json!({}));
    scene.cluster.delete_indices(&["a"]).unwrap();
    assert_eq!(scene.cluster.alias_indices("logs"), ["b"]);
    scene.create("a", json!(null)).unwrap();
    assert_eq!(scene.cluster.alias_indices("logs"), ["b"]);
    assert_eq!(scene.cluster.delete_indices(&["x"]).unwrap_err().status(), 404);
}

#[test]
fn everything_is_there_again_after_it_is_opened_again() {
    let scene = Scene::with(&["a"]);
    let said =
        json!({ "filter": { "term": { "l": "x" } }, "routing": "r", "is_write_index": true });
    scene.alias("a", "logs", said);
    let template = json!({ "index_patterns": "t*", "priority": 3, "_meta": { "by": "me" } });
    scene
        .cluster
        .put_index_template("t", IndexTemplate::from_json(&template).unwrap(), false)
        .unwrap();
    let settings = json!({ "action.auto_create_index": "false" });
    scene.cluster.put_settings(&settings, &json!(null)).unwrap();
    let uuid = scene.cluster.uuid().clone();
    let scene = scene.reopened();
    assert_eq!(*scene.cluster.uuid(), uuid);
    assert_eq!(uuid.len(), 22);
    let index = scene.cluster.indices().get("a").unwrap();
    assert_eq!(
        scene.cluster.aliases_of(&index)["logs"].to_json(),
        json!({ "filter": { "term": { "l": "x" } }, "index_routing": "r", "search_routing": "r",
            "is_write_index": true })
    );
    assert_eq!(scene.cluster.write_routing("logs").as_deref(), Some("r"));
    let kept = scene.cluster.index_templates("t");
    assert_eq!(
        kept[0].1.to_json(false),
        json!({ "index_patterns": ["t*"], "composed_of": [], "priority": 3, "_meta": { "by": "me" } })
    );
    assert_eq!(scene.cluster.write_index("x", false, scene.now).unwrap_err().status(), 404);
}

#[test]
fn a_deletion_that_was_decided_is_finished_after_a_crash() {
    let scene = Scene::with(&["a", "b"]);
    let uuid = scene.cluster.indices().get("a").unwrap().uuid().to_string();
    let Scene { folder, cluster, now } = scene;
    cluster.indices().close();
    drop(cluster);
    let file = folder.path().join("cluster.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    kept["doomed"] = json!([uuid]);
    std::fs::write(&file, kept.to_string()).unwrap();
    let cluster = open(folder.path());
    let scene = Scene { folder, cluster, now };
    scene.check("", ResolveOptions::default(), Ok(&["b"]));
}

#[test]
fn an_alias_does_not_outlive_its_index_in_another_of_the_same_name() {
    let scene = Scene::with(&["a"]);
    scene.alias("a", "logs", json!({}));
    // As after a crash between the deletion and the change of the file.
    scene.cluster.indices().delete("a").unwrap();
    assert!(!scene.cluster.is_alias("logs"));
    scene.create("a", json!(null)).unwrap();
    assert!(!scene.cluster.is_alias("logs"));
    let scene = scene.reopened();
    assert!(!scene.cluster.is_alias("logs"));
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let scene = Scene::with(&["a"]);
    let Scene { folder, cluster, .. } = scene;
    cluster.indices().close();
    drop(cluster);
    let text = std::fs::read_to_string(folder.path().join("cluster.json")).unwrap();
    std::fs::write(folder.path().join("cluster.json"), &text[..text.len() / 2]).unwrap();
    let refused = Cluster::open(folder.path(), IndexOptions::default()).unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(cause.starts_with("cluster.json: ") && cause.contains("put back a copy"), "{cause}");
}

#[test]
fn an_index_that_is_there_is_not_made_again() {
    let scene = Scene::with(&["a"]);
    let index = scene.cluster.indices().get("a").unwrap();
    let refused = scene.create("a", json!(null)).unwrap_err();
    assert_eq!(refused.reason(), format!("index [a/{}] already exists", index.uuid()));
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.metadata()["index_uuid"], &**index.uuid());
}

#[track_caller]
fn check_create(body: Value, expected: Result<(), &str>) {
    let scene = Scene::new();
    let made = scene.create("a", body);
    assert_eq!(made.as_ref().map(|_| ()).map_err(Exception::reason), expected);
    // What was refused leaves nothing behind.
    assert_eq!(scene.cluster.indices().get("a").is_some(), expected.is_ok());
}

#[test]
fn bodies_of_new_indices_are_checked() {
    check_create(json!({}), Ok(()));
    check_create(
        json!({ "settings": { "number_of_shards": 2, "index": { "codec": "zstd" } } }),
        Ok(()),
    );
    check_create(json!({ "settings": { "index.refresh_interval": "-1" } }), Ok(()));
    check_create(json!({ "setting": {} }), Err("unknown key [setting] for create index"));
    check_create(
        json!({ "settings": { "index.number_of_replica": 1 } }),
        Err("unknown setting [index.number_of_replica] did you mean [index.number_of_replicas]?"),
    );
    check_create(
        json!({ "settings": { "xyz": 1 } }),
        Err(
            "unknown setting [index.xyz] please check that any required plugins are installed, or check the breaking changes documentation for removed settings",
        ),
    );
    check_create(
        json!({ "settings": { "number_of_shards": 0 } }),
        Err("Failed to parse value [0] for setting [index.number_of_shards] must be >= 1"),
    );
    check_create(
        json!({ "settings": { "number_of_replicas": "many" } }),
        Err("Failed to parse value [many] for setting [index.number_of_replicas]"),
    );
    check_create(
        json!({ "settings": { "refresh_interval": "5" } }),
        Err(
            "failed to parse setting [index.refresh_interval] with value [5] as a time value: unit is missing or unrecognized",
        ),
    );
    check_create(
        json!({ "settings": { "hidden": "maybe" } }),
        Err("Failed to parse value [maybe] as only [true] or [false] are allowed."),
    );
    check_create(
        json!({ "settings": { "index.uuid": "x" } }),
        Err("private index setting [index.uuid] can not be set explicitly"),
    );
    check_create(
        json!({ "settings": { "analysis": { "analyzer": { "a": { "type": "custom" } } } } }),
        Err("setting [index.analysis.analyzer.a.type] is not supported by this server"),
    );
    check_create(
        json!({ "settings": { "default_pipeline": "p" } }),
        Err("setting [index.default_pipeline] with value [p] is not supported by this server"),
    );
    check_create(
        json!({ "mappings": { "_doc": { "properties": {} } } }),
        Err(
            "The mapping definition cannot be nested under a type [_doc] unless include_type_name is set to true.",
        ),
    );
    check_create(
        json!({ "aliases": { "a*": {} } }),
        Err("Invalid alias name [a*]: must be one plain name"),
    );
    check_create(
        json!({ "aliases": { "x": { "fliter": {} } } }),
        Err("Unknown field [fliter] in alias [x]"),
    );
    check_create(
        json!({ "aliases": { "x": { "filter": { "nothing": {} } } } }),
        Err("failed to parse filter for alias [x]"),
    );
}

#[test]
fn settings_are_kept_flat_and_shown_nested() {
    let scene = Scene::new();
    let body =
        json!({ "settings": { "index": { "refresh_interval": "5s" }, "number_of_shards": 2 } });
    let index = scene.create("<a-{now/d}>", body).unwrap();
    let settings = index.settings();
    assert_eq!(settings["index.refresh_interval"], "5s");
    assert_eq!(settings["index.number_of_shards"], "2");
    assert_eq!(settings["index.number_of_replicas"], "0");
    assert_eq!(settings["index.provided_name"], "<a-{now/d}>");
    assert_eq!(settings["index.uuid"], &**index.uuid());
    assert_eq!(settings["index.creation_date"], scene.now.as_millisecond().to_string());
    let nested = pampero_index::cluster::nest_settings(&settings);
    assert_eq!(nested["index"]["replication"]["type"], "DOCUMENT");
    let mut odd = serde_json::Map::new();
    odd.insert("a".to_owned(), json!("1"));
    odd.insert("a.b".to_owned(), json!("2"));
    assert_eq!(pampero_index::cluster::nest_settings(&odd), json!({ "a": "1", "a.b": "2" }));
}

#[test]
fn settings_change_where_they_can() {
    let scene = Scene::with(&["a"]);
    let index = scene.cluster.indices().get("a").unwrap();
    let change = |body: Value, preserve| {
        scene.cluster.put_index_settings(std::slice::from_ref(&index), &body, preserve)
    };
    change(json!({ "index": { "refresh_interval": "5s" } }), false).unwrap();
    change(json!({ "refresh_interval": "9s", "priority": 7 }), true).unwrap();
    assert_eq!(index.settings()["index.refresh_interval"], "5s");
    assert_eq!(index.settings()["index.priority"], "7");
    change(json!({ "refresh_interval": null }), false).unwrap();
    assert_eq!(index.settings().get("index.refresh_interval"), None);
    let refused = change(json!({ "number_of_shards": 3 }), false).unwrap_err();
    assert_eq!(
        refused.reason(),
        format!(
            "Can't update non dynamic settings [[index.number_of_shards]] for open indices [[a/{}]]",
            index.uuid()
        )
    );
    assert!(change(json!({ "nothing": 3 }), false).is_err());
}

fn put_template(scene: &Scene, name: &str, body: Value) -> Result<(), Exception> {
    scene.cluster.put_index_template(name, IndexTemplate::from_json(&body)?, false)
}

fn put_legacy(scene: &Scene, name: &str, body: Value) {
    let template = LegacyTemplate::from_json(&body).unwrap();
    scene.cluster.put_legacy_template(name, template, false).unwrap();
}

#[test]
fn the_template_with_the_highest_priority_counts_alone() {
    let scene = Scene::new();
    let keyword = |field: &str| json!({ "properties": { field: { "type": "keyword" } } });
    let component = json!({ "template": { "settings": { "priority": 1, "codec": "zstd" },
        "mappings": keyword("from_component") } });
    let component = ComponentTemplate::from_json(&component).unwrap();
    scene.cluster.put_component_template("c", component, false).unwrap();
    put_template(
        &scene,
        "low",
        json!({ "index_patterns": ["logs*"], "priority": 1,
        "template": { "mappings": keyword("from_low") } }),
    )
    .unwrap();
    put_template(
        &scene,
        "high",
        json!({ "index_patterns": "logs-*", "priority": 2,
        "composed_of": ["c"],
        "template": { "settings": { "index.priority": "2" }, "mappings": keyword("from_high"),
            "aliases": { "all": {}, "{index}-alias": {} } } }),
    )
    .unwrap();
    put_legacy(&scene, "old", json!({ "index_patterns": ["*"], "mappings": keyword("from_old") }));

    let body = json!({ "settings": { "priority": 3 }, "mappings": keyword("own") });
    let index = scene.create("logs-1", body).unwrap();
    let properties = index.mapping().to_json()["properties"].clone();
    let names: Vec<&String> = properties.as_object().unwrap().keys().collect();
    assert_eq!(names, ["from_component", "from_high", "own"]);
    assert_eq!(index.settings()["index.priority"], "3");
    assert_eq!(index.settings()["index.codec"], "zstd");
    assert_eq!(scene.cluster.alias_indices("all"), ["logs-1"]);
    assert_eq!(scene.cluster.alias_indices("logs-1-alias"), ["logs-1"]);

    let made = scene.cluster.write_index("logs-2", false, scene.now).unwrap();
    assert_eq!(made.settings()["index.priority"], "2");
    assert_eq!(scene.cluster.alias_indices("all"), ["logs-1", "logs-2"]);

    let simulated = scene.cluster.simulate_index("logs-3", None).unwrap();
    let overlapping: Vec<&str> =
        simulated.overlapping.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(overlapping, ["low", "old"]);
}

#[test]
fn legacy_templates_are_laid_over_one_another_by_order() {
    let scene = Scene::new();
    put_legacy(
        &scene,
        "b",
        json!({ "index_patterns": ["x*"], "order": 1,
        "settings": { "priority": 10 } }),
    );
    put_legacy(
        &scene,
        "a",
        json!({ "index_patterns": ["*"], "order": 5,
        "settings": { "priority": 20, "codec": "zstd" } }),
    );
    let index = scene.create("x1", json!(null)).unwrap();
    assert_eq!(index.settings()["index.priority"], "20");
    assert_eq!(index.settings()["index.codec"], "zstd");
}

#[test]
fn templates_that_cannot_be_are_refused() {
    let scene = Scene::new();
    put_template(&scene, "a", json!({ "index_patterns": ["log*"] })).unwrap();
    #[track_caller]
    fn check(scene: &Scene, name: &str, body: Value, expected: Option<&str>) {
        let refused = put_template(scene, name, body).err();
        assert_eq!(refused.as_ref().map(Exception::reason), expected);
    }
    let rival = "index template [b] has index patterns [*s] matching patterns from existing templates [a] with patterns (a => [log*]) that have the same priority [0], multiple index templates may not match during index creation, please use a different priority";
    check(&scene, "b", json!({ "index_patterns": ["*s"] }), Some(rival));
    check(&scene, "b", json!({ "index_patterns": ["*s"], "priority": 1 }), None);
    check(&scene, "a", json!({ "index_patterns": ["log*"] }), None);
    let missing = "index_template [d] invalid, cause [index template [d] specifies component templates [c] that do not exist]";
    check(&scene, "d", json!({ "index_patterns": ["d"], "composed_of": ["c"] }), Some(missing));
    let none = "Validation Failed: 1: index patterns are missing;";
    check(&scene, "d", json!({ "priority": 1 }), Some(none));
    let unknown = "[1:1] [index_template] unknown field [pattern]";
    check(&scene, "d", json!({ "pattern": [] }), Some(unknown));
    let streams = "template with [data_stream] is not supported by this server";
    check(&scene, "d", json!({ "index_patterns": ["d"], "data_stream": {} }), Some(streams));
    let upper = "index_template [D] invalid, cause [name must be lower cased]";
    check(&scene, "D", json!({ "index_patterns": ["d"] }), Some(upper));
    let bad =
        json!({ "index_patterns": ["d"], "template": { "settings": { "number_of_shards": 0 } } });
    check(
        &scene,
        "d",
        bad,
        Some("Failed to parse value [0] for setting [index.number_of_shards] must be >= 1"),
    );
}

#[test]
fn components_in_use_stay() {
    let scene = Scene::new();
    let component = ComponentTemplate::from_json(&json!({ "template": {} })).unwrap();
    scene.cluster.put_component_template("c", component.clone(), true).unwrap();
    let again = scene.cluster.put_component_template("c", component, true).unwrap_err();
    assert_eq!(again.reason(), "component template [c] already exists");
    put_template(&scene, "t", json!({ "index_patterns": ["x"], "composed_of": ["c"] })).unwrap();
    let refused = scene.cluster.delete_component_template("c").unwrap_err();
    assert_eq!(
        refused.reason(),
        "component templates [c] cannot be removed as they are still in use by index templates [t]"
    );
    scene.cluster.delete_index_template("t").unwrap();
    scene.cluster.delete_component_template("c").unwrap();
    let missing = scene.cluster.delete_component_template("c").unwrap_err();
    assert_eq!((missing.status(), missing.reason()), (404, "index_template [c] missing"));
}

#[test]
fn an_alias_rolls_over_to_the_next_index() {
    let scene = Scene::with(&["logs-000001"]);
    scene.alias("logs-000001", "logs", json!({ "is_write_index": true }));
    let roll = |conditions, dry_run| {
        scene.cluster.rollover("logs", None, conditions, &Blueprint::default(), dry_run, scene.now)
    };
    let conditions = RolloverConditions { documents_min: Some(1), ..RolloverConditions::default() };
    let outcome = roll(conditions, false).unwrap();
    assert_eq!((outcome.rolled_over, outcome.documents_met), (false, Some(false)));
    put(&scene.cluster.indices().get("logs-000001").unwrap(), &json!({ "a": 1 }), scene.now)
        .unwrap();
    let outcome = roll(conditions, true).unwrap();
    assert_eq!((outcome.rolled_over, outcome.documents_met), (false, Some(true)));
    let outcome = roll(conditions, false).unwrap();
    assert!(outcome.rolled_over);
    assert_eq!(outcome.new_index, "logs-000002");
    assert_eq!(scene.cluster.alias_indices("logs"), ["logs-000001", "logs-000002"]);
    scene.check_write("logs", false, Ok("logs-000002"));
    let missing = scene.cluster.rollover(
        "nothing",
        None,
        conditions,
        &Blueprint::default(),
        false,
        scene.now,
    );
    assert!(missing.is_err());
}

#[test]
fn an_alias_of_one_index_moves_on() {
    let scene = Scene::with(&["logs-1"]);
    scene.alias("logs-1", "logs", json!({}));
    let conditions = RolloverConditions::default();
    let outcome = scene
        .cluster
        .rollover("logs", Some("other"), conditions, &Blueprint::default(), false, scene.now)
        .unwrap();
    assert!(outcome.rolled_over);
    assert_eq!(scene.cluster.alias_indices("logs"), ["other"]);
}
