//! `pampero metrics query` against a running program.

use serde_json::Value;

use crate::harness::{Program, folder, hurried, now, path_of, run, simulator};
use crate::remote_write::{body, series, write};

#[tokio::test]
async fn history_is_shown_as_table_chart_and_json() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let program = Program::serve(folder.path(), &config, &[]).await;
    let now_ms = now().as_millisecond();
    let points: Vec<(i64, f64)> =
        (0..60).map(|index| (now_ms - (59 - index) * 30_000, index as f64)).collect();
    let sent = series(&[("__name__", "shown"), ("place", "Ñandú")], &points);
    assert_eq!(crate::harness::reply(write(&program, body(vec![sent]))).await.status, 204);
    let server = program.url("/prometheus");
    let ask = |arguments: &[&str]| {
        let line = ["metrics", "query", "--server", &server];
        run(&[&line, arguments].concat(), &[])
    };

    let (code, stdout, stderr) = ask(&["shown"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "59  shown{place=\"Ñandú\"}\n", ""));
    let (code, stdout, _) = ask(&["shown + 0.5", "--output", "json"]);
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &json["result"][0]["value"][1]), (0, &Value::from("59.5")), "{stdout}");
    let (code, stdout, _) = ask(&["shown", "--range", "20m"]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("Ñandú") && stdout.lines().count() > 10, "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "colours are for terminals: {stdout:?}");
    let dots = |letter: char| ('\u{2801}'..='\u{28ff}').contains(&letter);
    assert!(stdout.contains(dots), "no curve: {stdout}");
    let (code, stdout, _) = ask(&["shown", "--range", "2m", "--step", "30s", "--output", "table"]);
    assert_eq!((code, stdout.lines().count()), (0, 6), "{stdout}");

    for (arguments, told) in [
        (&["sum("][..], "the query is refused (bad_data)"),
        (&["label_replace(shown, \"a\", \"b\", \"c\", \"(\")"], "the query is refused (execution)"),
        (&["shown", "--range", "100y", "--step", "1ms"], "the query is refused (bad_data)"),
        (&["shown", "--range", "soon"], "is no duration"),
    ] {
        let (code, stdout, stderr) = ask(arguments);
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told) && !stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
    let (code, _, stderr) = run(&["metrics", "query", "up", "--server", &program.url("/api")], &[]);
    assert_eq!(code, 1, "{stderr}");
    let (exit, log) = program.terminate();
    assert!(exit.success(), "{log}");
    let (code, stdout, stderr) = ask(&["shown"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("nobody answers at") && stderr.contains("pampero serve"), "{stderr}");
}

#[test]
fn a_wrong_rule_file_is_told_with_its_line() {
    let folder = folder();
    let rules = path_of(&folder, "wrong.yml");
    let text = "groups:\n  - name: a\n    rules:\n      - record: a:b\n        expr: sum(up\n";
    std::fs::write(&rules, text).unwrap();
    let config = path_of(&folder, "pampero.toml");
    std::fs::write(&config, format!("[metrics]\nrules = [{rules:?}]\n")).unwrap();
    for command in ["check", "serve"] {
        let (code, stdout, stderr) = run(&[command, "--config", config.to_str().unwrap()], &[]);
        let told = format!("{stdout}{stderr}");
        assert_eq!(code, 1, "{told}");
        assert!(told.contains("wrong.yml:5"), "{command} names no line: {told}");
        assert!(!told.contains("panicked"), "{told}");
    }
}
