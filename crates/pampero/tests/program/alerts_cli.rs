//! `pampero alerts` against a running program with an admin token.

use serde_json::{Value, json};

use crate::harness::{Program, folder, hurried, path_of, reply, run, simulator};

const CONFIGS: &str = "/opensearch/_plugins/_notifications/configs";
const TOKEN: (&str, &str) = ("PAMPERO_ADMIN_TOKEN", "a-long-secret");

/// A rule that always fires, and one that never does.
const RULES: &str = "groups:
  - name: weather
    interval: 1s
    rules:
      - alert: Frost
        expr: label_replace(vector(-1.5), \"place\", \"jfk\", \"\", \"\") < 0
        labels: {severity: high}
        annotations: {summary: 'frost at {{ $labels.place }}', pampero_channels: slack-ops}
      - alert: Heat
        expr: vector(20) > 35
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_are_looked_after_from_a_terminal() {
    let simulator = simulator().await;
    let folder = folder();
    let rules = path_of(&folder, "rules.yml");
    std::fs::write(&rules, RULES).unwrap();
    let more = format!("[metrics]\nshipped_rules = false\nrules = [{rules:?}]\n");
    let config = hurried(&simulator, &["open_meteo"], &more);
    // Nothing fires but the rules above, and the receiver of messages is on this machine.
    let environment = [
        ("PAMPERO_ALERTING__ALLOW", "127.0.0.1"),
        ("PAMPERO_ALERTING__SHIPPED_MONITORS", "false"),
        TOKEN,
    ];
    let program = Program::serve(folder.path(), &config, &environment).await;
    for (id, url) in [
        ("slack-ops", simulator.slack_url().as_str()),
        ("nowhere", "http://127.0.0.1:9/services/secret"),
    ] {
        let channel = json!({ "config_id": id, "config": { "name": id, "config_type": "slack",
            "is_enabled": true, "slack": { "url": url } } });
        let request = program.request("POST".parse().unwrap(), CONFIGS).bearer_auth(TOKEN.1);
        let made = reply(request.json(&channel)).await;
        assert_eq!(made.status, 200, "{}", made.text);
    }

    let server = program.url("");
    let ask = |arguments: &[&str], token: &[(&str, &str)]| {
        run(&[&["alerts", "--server", &server][..], arguments].concat(), token)
    };
    let json = |arguments: &[&str]| -> Value {
        let (code, stdout, stderr) = ask(&[arguments, &["--output", "json"]].concat(), &[TOKEN]);
        assert_eq!(code, 0, "{arguments:?}: {stderr}");
        serde_json::from_str(&stdout).unwrap()
    };
    program.wait_until("/api/alerts", |reply| reply.json()["total"] == 1).await;
    let (code, table, stderr) = ask(&["list"], &[]);
    assert_eq!((code, stderr.as_str()), (0, ""), "reading needs no token");
    let lines: Vec<Vec<&str>> =
        table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["STATE", "SEVERITY", "SINCE", "FOR", "NAME", "OF", "VALUE", "ID"]);
    assert_eq!((lines.len(), &lines[1][..2]), (2, &["active", "2"][..]), "{table}");
    assert!(table.contains("Frost  place=jfk  -1.5"), "{table}");
    let id = lines[1].last().unwrap().to_string();

    let (code, shown, _) = ask(&["show", &id], &[]);
    assert!(code == 0 && shown.contains("summary       frost at jfk"), "{shown}");
    assert!(shown.contains("inactive → active"), "{shown}");
    let (code, tested, _) = ask(&["test", "slack-ops"], &[TOKEN]);
    assert_eq!((code, tested.as_str()), (0, "slack-ops: arrived (200) ok\n"));
    let (code, tested, stderr) = ask(&["test", "nowhere"], &[TOKEN]);
    assert!(code == 1 && tested.starts_with("nowhere: did not arrive (no answer)"), "{tested}");
    assert!(stderr.contains("did not arrive at nowhere"), "{stderr}");
    assert!(!tested.contains("secret"), "{tested}");

    let file = rules.to_str().unwrap();
    let played = json(&["backtest", file, "--since", "1m"]);
    assert_eq!((&played["count"], &played["stopped"]), (&json!(1), &Value::Null), "{played}");
    let (_, table, _) = ask(&["backtest", file, "--since", "1m"], &[TOKEN]);
    assert!(table.contains("firings 1,") && table.contains("Frost  place=jfk"), "{table}");

    let muted = json(&["mute", "place=~j.k", "--for", "2h", "--comment", "repair"]);
    assert_eq!(muted["comment"], "repair");
    let mute = muted["id"].as_str().unwrap();
    assert_eq!(json(&["list"])["alerts"][0]["muted_by"], json!([mute]));
    let (code, told, _) = ask(&["unmute", mute], &[TOKEN]);
    assert_eq!((code, told), (0, format!("mute {mute} is over\n")));
    let (code, told, _) = ask(&["ack", &id], &[TOKEN]);
    assert!(code == 0 && told.contains("acknowledged"), "{told}");
    assert_eq!(json(&["list"])["alerts"][0]["state"], "acknowledged");
    let (code, told, stderr) = ask(&["ack", &id, "nobody"], &[TOKEN]);
    assert_eq!(code, 1, "{stderr}");
    assert!(told.contains("already been acknowledged") && told.contains("nobody"), "{told}");

    let refused = |arguments: &[&str], token: &[(&str, &str)], part: &str| {
        let (code, stdout, stderr) = ask(arguments, token);
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}");
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
    };
    refused(&["ack", &id], &[], "put it into the variable PAMPERO_ADMIN_TOKEN");
    refused(&["ack", &id], &[("PAMPERO_ADMIN_TOKEN", "wrong")], "refuses the admin token");
    refused(&["show", "nobody"], &[], "there is no alert nobody");
    refused(&["unmute", "nobody"], &[TOKEN], "there is no mute nobody");
    refused(&["test", "nobody"], &[TOKEN], "there is no channel nobody");
    refused(&["mute", "Frost", "--for", "2h"], &[TOKEN], "\"Frost\" is no matcher");
    let nowhere = ["list", "--server", "http://127.0.0.1:9"];
    let (code, _, stderr) = run(&[&["alerts"], &nowhere[..]].concat(), &[]);
    assert!(code == 1 && stderr.contains("nobody answers at"), "{stderr}");
    program.terminate();
}
