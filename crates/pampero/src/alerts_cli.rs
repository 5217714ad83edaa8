//! `pampero alerts`: shows the alerts of a running Pampero, and decides who is told of them.
//!
//! Everything goes over HTTP, so that nothing of a running program's files is touched. `server` asks,
//! `shown` writes what is answered, `table` aligns columns.

mod server;
mod shown;
mod table;

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use pampero_promql::parse_duration;
use pampero_resilience::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::cli::{
    AlertsArguments, AlertsBacktestArguments, AlertsCommand, AlertsListArguments,
    AlertsMuteArguments, AlertsOutput,
};
use server::Server;

/// Largest file that is played, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Does what the arguments say, and writes what is answered to standard output.
///
/// # Errors
/// The arguments are wrong, nobody answers, what is asked for is refused, or it does not come off.
pub(crate) async fn run(arguments: &AlertsArguments) -> anyhow::Result<()> {
    let variables = crate::config::environment();
    let server = Server::new(&arguments.server, &arguments.token_env, &variables)?;
    let now = SystemClock.now();
    let (answer, page) = match &arguments.command {
        AlertsCommand::List(wanted) => {
            let answer = server.get(&["api", "alerts"], &listing(wanted)).await?;
            let page = shown::list(&answer, wanted.all);
            (answer, page)
        }
        AlertsCommand::Show { id } => {
            let answer = server.get(&["api", "alerts", id], &[]).await?;
            let page = shown::alert(&answer);
            (answer, page)
        }
        AlertsCommand::Test { channel } => {
            let answer = server.post(&["api", "channels", channel, "test"], None).await?;
            let page = shown::test(&answer);
            (answer, page)
        }
        AlertsCommand::Backtest(wanted) => {
            let body = backtest(wanted, now)?;
            let answer = server.post(&["api", "alerts", "backtest"], Some(&body)).await?;
            let page = shown::backtest(&answer);
            (answer, page)
        }
        AlertsCommand::Ack { ids } => {
            let body = json!({ "ids": ids });
            let answer = server.post(&["api", "alerts", "acknowledge"], Some(&body)).await?;
            let page = shown::acknowledged(&answer);
            (answer, page)
        }
        AlertsCommand::Mute(wanted) => {
            let body = mute(wanted, now)?;
            let answer = server.post(&["api", "alerts", "mutes"], Some(&body)).await?;
            let page = shown::mute(&answer);
            (answer, page)
        }
        AlertsCommand::Unmute { id } => {
            server.delete(&["api", "alerts", "mutes", id]).await?;
            (json!({ "id": id }), format!("mute {} is over\n", table::printable(id)))
        }
    };
    let text = match arguments.output {
        AlertsOutput::Table => page,
        AlertsOutput::Json => format!("{answer:#}\n"),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    drop(out);
    check_outcome(&arguments.command, &answer)
}

/// Fails when what was asked for did not come off, though the server answered.
fn check_outcome(command: &AlertsCommand, answer: &Value) -> anyhow::Result<()> {
    match command {
        AlertsCommand::Test { channel } => {
            ensure!(answer["delivered"] == true, "the message did not arrive at {channel}");
        }
        AlertsCommand::Ack { .. } => {
            let refused = answer["refused"].as_array().map_or(0, Vec::len);
            ensure!(refused == 0, "not acknowledged: {refused} of the alerts");
        }
        _ => {}
    }
    Ok(())
}

fn listing(wanted: &AlertsListArguments) -> Vec<(&'static str, String)> {
    let mut query = vec![("limit", wanted.limit.to_string())];
    if wanted.all {
        let states = "active,error,no_data,acknowledged,pending,completed,deleted";
        query.push(("state", states.to_owned()));
    }
    query.extend(wanted.search.iter().map(|text| ("search", text.clone())));
    query
}

fn backtest(wanted: &AlertsBacktestArguments, now: Timestamp) -> anyhow::Result<Value> {
    let from = instant(&wanted.since, now)?;
    let file = &wanted.file;
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let mut body = json!({ "from": from.to_string(), "to": now.to_string() });
    match ending.to_ascii_lowercase().as_str() {
        "json" => {
            let monitor: Value = serde_json::from_str(&read(file)?)
                .with_context(|| format!("{} is no JSON", file.display()))?;
            body["monitor"] = monitor;
        }
        "yml" | "yaml" => body["rules"] = json!(read(file)?),
        _ => bail!(
            "{} is neither: name a monitor with the ending .json, or rules with .yml or .yaml",
            file.display()
        ),
    }
    Ok(body)
}

fn read(file: &Path) -> anyhow::Result<String> {
    let unreadable = || format!("{} cannot be read", file.display());
    let length = std::fs::metadata(file).with_context(unreadable)?.len();
    ensure!(
        length <= FILE_BYTES_MAX,
        "{} has {length} bytes, and {FILE_BYTES_MAX} are the most",
        file.display()
    );
    std::fs::read_to_string(file).with_context(unreadable)
}

fn mute(wanted: &AlertsMuteArguments, now: Timestamp) -> anyhow::Result<Value> {
    let mut matchers = Vec::with_capacity(wanted.matchers.len());
    for text in &wanted.matchers {
        let matcher = pampero_alerting::matcher(text)?;
        matchers.push(json!({
            "name": matcher.name(),
            "operator": matcher.operator().as_str(),
            "value": matcher.value(),
        }));
    }
    let length = parse_duration(&wanted.length).ok().filter(|length| !length.is_zero());
    let length = length.with_context(|| {
        format!("--for {:?} is no duration; write it as in 90s, 2h, 7d", wanted.length)
    })?;
    let until = now.checked_add(length).context("--for reaches beyond the end of time")?;
    Ok(json!({
        "matchers": matchers,
        "ends_at": until.to_string(),
        "comment": wanted.comment,
    }))
}

/// Reads `1h` as an hour ago, and an instant as it is.
fn instant(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let back = parse_duration(text).ok().filter(|back| !back.is_zero()).with_context(|| {
        format!("--since {text:?} is neither; write how far back, as in 6h or 7d, or an instant, as in 2026-11-24T12:00:00Z")
    })?;
    Ok(now.checked_sub(back).unwrap_or(Timestamp::MIN))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    const NOW: &str = "2026-11-24T12:00:00Z";

    fn command(line: &[&str]) -> AlertsCommand {
        match Cli::try_parse_from([&["pampero", "alerts"], line].concat()).unwrap().command {
            Command::Alerts(arguments) => arguments.command,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn check_mute(line: &[&str], expected: Result<Value, &str>) {
        let AlertsCommand::Mute(wanted) = command(&[&["mute"], line].concat()) else { panic!() };
        let made = mute(&wanted, NOW.parse().unwrap());
        match (made, expected) {
            (Ok(made), Ok(expected)) => assert_eq!(made, expected),
            (Err(error), Err(part)) => {
                assert!(error.to_string().contains(part), "{error}");
            }
            (made, expected) => panic!("{made:?} is not {expected:?}"),
        }
    }

    #[test]
    fn mutes_are_written_as_the_server_reads_them() {
        let matchers = json!([
            { "name": "alertname", "operator": "=", "value": "Frost" },
            { "name": "severity", "operator": "=~", "value": "1|2" },
        ]);
        let until = "2026-11-24T14:00:00Z";
        check_mute(
            &["alertname=Frost", "severity=~\"1|2\"", "--for", "2h", "--comment", "repair"],
            Ok(json!({ "matchers": matchers, "ends_at": until, "comment": "repair" })),
        );
        check_mute(&["Frost", "--for", "2h"], Err("is no matcher"));
        check_mute(&["a=~(", "--for", "2h"], Err("is no matcher"));
        check_mute(&["a=b", "--for", "soon"], Err("--for \"soon\" is no duration"));
    }

    #[test]
    fn files_are_told_by_their_ending() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            let arguments = AlertsBacktestArguments { file, since: "1d".to_owned() };
            backtest(&arguments, NOW.parse().unwrap())
        };
        let stretch = |key: &str, value: Value| json!({ "from": "2026-11-23T12:00:00Z", "to": NOW, key: value });
        assert_eq!(
            make("a.json", "{\"name\": 1}").unwrap(),
            stretch("monitor", json!({"name": 1}))
        );
        assert_eq!(make("a.yml", "groups:").unwrap(), stretch("rules", json!("groups:")));
        assert_eq!(make("a.YAML", "groups:").unwrap(), stretch("rules", json!("groups:")));
        let check = |made: anyhow::Result<Value>, part: &str| {
            let error = made.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check(make("a.txt", ""), "is neither");
        check(make("b.json", "{"), "is no JSON");
        let large = "x".repeat(usize::try_from(FILE_BYTES_MAX).unwrap() + 1);
        check(make("c.yml", &large), "are the most");
        let file = folder.path().join("missing.yml");
        let missing = AlertsBacktestArguments { file, since: "1d".to_owned() };
        check(backtest(&missing, NOW.parse().unwrap()), "cannot be read");
    }

    #[test]
    fn what_did_not_come_off_fails() {
        let check = |line: &[&str], answer: Value, comes_off: bool| {
            let outcome = check_outcome(&command(line), &answer);
            assert_eq!(outcome.is_ok(), comes_off, "{line:?}");
        };
        check(&["test", "slack"], json!({ "delivered": true }), true);
        check(&["test", "slack"], json!({ "delivered": false }), false);
        check(&["ack", "a", "b"], json!({ "refused": [] }), true);
        check(&["ack", "a", "b"], json!({ "refused": [{ "id": "b" }] }), false);
        check(&["list"], json!({ "alerts": [] }), true);
    }
}
