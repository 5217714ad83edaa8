//! Files that change, break, go away and are written back.

use std::fs;
use std::path::PathBuf;

use pampero_notifications::FolderVault;
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A clock that stands still.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_787_306_400).unwrap()
    }
}

struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn open_with(&self, shipped: &[(&str, &str)]) -> Definitions {
        let at = |name: &str| self.folder.path().join(name);
        let options = DefinitionsOptions {
            monitors: at("monitors"),
            channels: at("channels"),
            ledger: at("ledger"),
            poll: Duration::from_secs(2),
            monitors_max: 3,
            channels_max: 3,
        };
        let vault = FolderVault::new(at("secrets"), Vec::new(), []);
        let guard = Guard::public_only();
        Definitions::open(&options, shipped, Arc::new(vault), guard, Arc::new(Stopped)).unwrap()
    }

    fn open(&self) -> Definitions {
        self.open_with(&[])
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), text).unwrap();
    }
}

fn monitor(name: &str, minutes: u32) -> Value {
    json!({
        "name": name,
        "schedule": { "period": { "interval": minutes, "unit": "MINUTES" } },
        "triggers": [{
            "name": "always", "severity": "3", "condition": { "script": { "source": "return true" } },
        }],
    })
}

fn names(definitions: &Definitions) -> Vec<(String, String, u64)> {
    let name =
        |entry: Arc<MonitorEntry>| (entry.id.clone(), entry.item.name().to_owned(), entry.version);
    definitions.monitors().into_iter().map(name).collect()
}

fn named(id: &str, name: &str, version: u64) -> (String, String, u64) {
    (id.to_owned(), name.to_owned(), version)
}

#[test]
fn changes_on_the_disk_are_taken_over() {
    let scene = Scene::new();
    let definitions = scene.open();
    let changes = definitions.subscribe();
    scene.write("monitors/a.json", &monitor("one", 1).to_string());
    scene.write("monitors/.hidden.json", "{");
    scene.write("monitors/notes.txt", "{");
    definitions.look().unwrap();
    assert_eq!(names(&definitions), [named("a", "one", 1)]);
    assert!(changes.has_changed().unwrap());
    scene.write("monitors/a.json", &monitor("three", 1).to_string());
    definitions.look().unwrap();
    assert_eq!(names(&definitions), [named("a", "three", 2)]);
    fs::remove_file(scene.path("monitors/a.json")).unwrap();
    definitions.look().unwrap();
    // Editors move files away for a moment.
    assert_eq!(names(&definitions), [named("a", "three", 2)]);
    definitions.look().unwrap();
    assert_eq!(names(&definitions), []);
}

#[test]
fn nothing_changes_while_files_stay_as_they_are() {
    let scene = Scene::new();
    scene.write("monitors/a.json", &monitor("one", 1).to_string());
    let definitions = scene.open();
    let mut changes = definitions.subscribe();
    changes.mark_unchanged();
    let before = definitions.monitor("a").unwrap();
    definitions.look().unwrap();
    assert!(!changes.has_changed().unwrap());
    assert!(Arc::ptr_eq(&before, &definitions.monitor("a").unwrap()));
    // Triggers without ids have the same ones after a restart.
    let trigger = before.item.triggers()[0].id.clone();
    assert_eq!(scene.open().monitor("a").unwrap().item.triggers()[0].id, trigger);
}

#[test]
fn a_broken_file_keeps_the_last_good_one_and_says_so() {
    let scene = Scene::new();
    scene.write("monitors/a.json", &monitor("one", 1).to_string());
    let definitions = scene.open();
    scene.write("monitors/a.json", "{\n  \"name\": \"one\",\n  oops\n}");
    definitions.look().unwrap();
    assert_eq!(names(&definitions), [named("a", "one", 1)]);
    let problems = definitions.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].file.as_str(), problems[0].line), ("monitors/a.json", 3));
    // Nor does a restart lose it.
    let definitions = scene.open();
    assert_eq!(names(&definitions), [named("a", "one", 1)]);
    assert_eq!(definitions.problems().len(), 1);
    let bad = serde_json::to_string_pretty(&monitor("one", 0)).unwrap();
    scene.write("monitors/a.json", &bad);
    definitions.look().unwrap();
    let problem = &definitions.problems()[0];
    assert_eq!(problem.message, "Interval is not allowed to be 0 or negative");
    let line = bad.lines().nth(problem.line - 1).unwrap();
    assert!(
        line[problem.column - 1..].starts_with('0') && line.contains("\"interval\""),
        "{problem:?}"
    );
    scene.write("monitors/a.json", &monitor("two", 1).to_string());
    definitions.look().unwrap();
    assert_eq!((definitions.problems(), names(&definitions)[0].1.as_str()), (Vec::new(), "two"));
}

#[test]
fn what_the_api_writes_is_a_file_with_a_version() {
    let scene = Scene::new();
    let definitions = scene.open();
    let made = definitions.create_monitor(None, &monitor("Error Weather Logs!", 10)).unwrap();
    assert_eq!((made.id.as_str(), made.version, made.seq_no), ("error_weather_logs", 1, 0));
    let text = fs::read_to_string(scene.path("monitors/error_weather_logs.json")).unwrap();
    assert_eq!(text, made.item.to_file_text());
    let second = definitions.create_monitor(None, &monitor("Error Weather Logs", 10)).unwrap();
    assert_eq!(second.id, "error_weather_logs_2");
    let check = |seq_no| Some(VersionCheck { seq_no, primary_term: 1 });
    let stale = definitions.replace_monitor(&made.id, &monitor("new", 1), check(7)).unwrap_err();
    assert_eq!(stale.status(), 409);
    assert!(stale.to_string().contains("version conflict, required seqNo [7]"), "{stale}");
    let new = definitions.replace_monitor(&made.id, &monitor("new", 1), check(0)).unwrap();
    assert_eq!((new.version, new.seq_no, new.enabled), (2, 2, made.enabled));
    // Versions survive a restart, and what changed on the disk counts for them.
    let definitions = scene.open();
    assert_eq!(definitions.monitor(&made.id).unwrap().version, 2);
    scene.write("monitors/error_weather_logs.json", &monitor("by hand", 1).to_string());
    let stale = definitions.replace_monitor(&made.id, &monitor("late", 1), check(2)).unwrap_err();
    assert_eq!(stale.status(), 409);
    let gone = definitions.delete_monitor(&made.id, None).unwrap();
    assert_eq!(gone.version, 4);
    assert!(!scene.path("monitors/error_weather_logs.json").exists());
    assert_eq!(definitions.delete_monitor(&made.id, None).unwrap_err().status(), 404);
    let missing = definitions.replace_monitor("nobody", &monitor("x", 1), None).unwrap_err();
    assert_eq!((missing.status(), missing.to_string().as_str()), (404, "Monitor not found."));
}

#[test]
fn ids_cannot_leave_the_folder_and_monitors_are_counted() {
    let scene = Scene::new();
    let definitions = scene.open();
    for id in ["../x", "", "a/b", "a.b", ".", &"x".repeat(129)] {
        let error = definitions.create_monitor(Some(id), &monitor("x", 1)).unwrap_err();
        assert_eq!(error.status(), 400, "{id}");
    }
    for id in ["a", "b", "c"] {
        definitions.create_monitor(Some(id), &monitor("x", 1)).unwrap();
    }
    let error = definitions.create_monitor(Some("d"), &monitor("x", 1)).unwrap_err();
    assert_eq!(error.to_string(), "This request would create more than the allowed monitors [3].");
    scene.write("monitors/d.json", &monitor("x", 1).to_string());
    definitions.look().unwrap();
    assert_eq!(definitions.monitors().len(), 3);
    assert!(definitions.problems()[0].message.contains("which is the most"));
}

#[test]
fn what_is_shipped_can_be_overridden_and_not_deleted() {
    let scene = Scene::new();
    let text = monitor("shipped", 10).to_string();
    let shipped = [("logs", text.as_str())];
    let definitions = scene.open_with(&shipped);
    assert!(definitions.monitor("logs").unwrap().is_shipped);
    let error = definitions.delete_monitor("logs", None).unwrap_err();
    assert!(error.to_string().contains("disable it with \"enabled\": false"), "{error}");
    let own = definitions.replace_monitor("logs", &monitor("own", 5), None).unwrap();
    assert_eq!((own.is_shipped, own.version), (false, 2));
    let definitions = scene.open_with(&shipped);
    assert_eq!(names(&definitions), [named("logs", "own", 2)]);
    fs::remove_file(scene.path("monitors/logs.json")).unwrap();
    definitions.look().unwrap();
    definitions.look().unwrap();
    assert_eq!(definitions.monitor("logs").unwrap().item.name(), "shipped");
}

#[test]
fn a_monitor_is_counted_from_when_it_was_switched_on() {
    let scene = Scene::new();
    let definitions = scene.open();
    let mut off = monitor("x", 1);
    off["enabled"] = json!(false);
    let made = definitions.create_monitor(Some("x"), &off).unwrap();
    assert_eq!(made.enabled, None);
    let on = definitions.replace_monitor("x", &monitor("x", 1), None).unwrap();
    assert_eq!(on.enabled, Some(Stopped.now()));
}

#[test]
fn secrets_of_channels_leave_their_files() {
    let scene = Scene::new();
    let definitions = scene.open();
    let hook = "https://hooks.slack.com/services/T000/B000/verysecret";
    let config = |url: &str| json!({ "config": { "name": "Ops", "config_type": "slack", "slack": { "url": url } } });
    let made = definitions.create_channel(Some("slack-ops"), &config(hook)).unwrap();
    assert_eq!(made.item.to_json().pointer("/config/slack/url"), Some(&json!("[redacted]")));
    let file = scene.path("channels/slack-ops.json");
    let written = fs::read_to_string(&file).unwrap();
    assert!(!written.contains("verysecret") && written.contains("$file:"), "{written}");
    let kept = definitions.replace_channel("slack-ops", &config("[redacted]")).unwrap();
    assert_eq!(kept.version, 2);
    // A secret that somebody wrote into a file by hand is taken out of it.
    scene.write("channels/hand.json", &config(hook).to_string());
    definitions.look().unwrap();
    assert_eq!(definitions.channels().len(), 2);
    let written = fs::read_to_string(scene.path("channels/hand.json")).unwrap();
    assert!(!written.contains("verysecret"), "{written}");
    let before = definitions.channel("hand").unwrap();
    definitions.look().unwrap();
    assert!(Arc::ptr_eq(&before, &definitions.channel("hand").unwrap()));
    let again = definitions.create_channel(Some("hand"), &config(hook)).unwrap_err();
    assert_eq!(again.status(), 409);
    definitions.delete_channel("hand").unwrap();
    assert_eq!(definitions.delete_channel("hand").unwrap_err().status(), 404);
    assert_eq!(definitions.create_channel(Some("bad"), &json!({})).unwrap_err().status(), 400);
}
