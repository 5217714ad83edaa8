//! `pampero metrics query`: asks the history of a running Pampero, or any Prometheus, in PromQL.
//!
//! A range is drawn as a chart, an instant written as a table; both can be had as JSON.

mod answer;
mod chart;
mod table;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, bail};
use pampero_promql::parse_duration;
use pampero_resilience::{Clock, SystemClock};
use reqwest::StatusCode;
use url::Url;

use crate::cli::{MetricsQueryArguments, QueryOutput};
use crate::http::client_for;
use answer::{Answer, Reply};
use chart::Canvas;

/// Points that a range has unless a step is given: about as many as a wide terminal can show.
const STEPS: u32 = 240;

/// The shortest step that is chosen by itself.
const STEP_MIN: Duration = Duration::from_secs(1);

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(150);

/// Asks once and writes the answer to standard output.
///
/// # Errors
/// The arguments are wrong, nobody answers, or the query is refused.
pub(crate) async fn run(arguments: &MetricsQueryArguments) -> anyhow::Result<()> {
    let server = &arguments.server;
    let (path, form) = request(arguments)?;
    let url: Url = format!("{}/api/v1/{path}", server.as_str().trim_end_matches('/')).parse()?;
    let client = client_for(server)?;
    let sent = client.post(url).timeout(TIMEOUT).form(&form).send().await;
    let response = sent.with_context(|| {
        format!("nobody answers at {server}; start `pampero serve`, or name another with --server")
    })?;
    let status = response.status();
    let body = response.text().await.context("the answer broke off")?;
    let reply: Reply = serde_json::from_str(&body)
        .with_context(|| format!("{server} answered {status}, but not as a Prometheus does"))?;
    let (data, remarks) = match reply {
        Reply::Success { data, warnings, infos } => (data, warnings.into_iter().chain(infos)),
        Reply::Error { error_type, error } if status != StatusCode::NOT_FOUND => {
            bail!("the query is refused ({error_type}): {error}")
        }
        Reply::Error { error, .. } => bail!("there is no history at {server}: {error}"),
    };
    for remark in remarks {
        // Nobody is left to be told when standard error is closed.
        let _ = writeln!(std::io::stderr(), "note: {remark}");
    }
    let page = match arguments.output.unwrap_or_else(|| default_output(arguments)) {
        QueryOutput::Json => serde_json::to_string_pretty(&data)? + "\n",
        QueryOutput::Table => table::write(&Answer::read(data)?),
        QueryOutput::Chart => chart::draw(&Answer::read(data)?, &canvas()),
    };
    std::io::stdout().lock().write_all(page.as_bytes())?;
    Ok(())
}

fn default_output(arguments: &MetricsQueryArguments) -> QueryOutput {
    if arguments.range.is_some() { QueryOutput::Chart } else { QueryOutput::Table }
}

/// Returns the path of the call, and its form.
fn request(
    arguments: &MetricsQueryArguments,
) -> anyhow::Result<(&'static str, Vec<(&'static str, String)>)> {
    let query = ("query", arguments.query.clone());
    let now_ms = SystemClock.now().as_millisecond();
    let Some(range) = &arguments.range else {
        if arguments.step.is_some() {
            bail!("--step needs --range; without a range there is one instant only");
        }
        if arguments.output == Some(QueryOutput::Chart) {
            bail!("a chart needs --range, as in --range 6h");
        }
        return Ok(("query", vec![query, ("time", seconds(now_ms))]));
    };
    let range = duration("--range", range)?;
    let step = match &arguments.step {
        Some(step) => duration("--step", step)?,
        None => STEP_MIN.max(Duration::from_secs((range / STEPS).as_secs())),
    };
    let range_ms = i64::try_from(range.as_millis()).context("--range is too long")?;
    let form = vec![
        query,
        ("start", seconds(now_ms.saturating_sub(range_ms))),
        ("end", seconds(now_ms)),
        ("step", step.as_secs_f64().to_string()),
    ];
    Ok(("query_range", form))
}

fn duration(option: &str, text: &str) -> anyhow::Result<Duration> {
    let duration = parse_duration(text).ok().filter(|duration| !duration.is_zero());
    duration
        .with_context(|| format!("{option} {text:?} is no duration; write it as in 90s, 6h, 7d"))
}

fn seconds(milliseconds: i64) -> String {
    format!("{}.{:03}", milliseconds.div_euclid(1_000), milliseconds.rem_euclid(1_000))
}

/// Returns how large and in what colours a chart is drawn: for the terminal, or plainly for a file.
fn canvas() -> Canvas {
    let is_terminal = std::io::stdout().is_terminal();
    let size = terminal_size::terminal_size().filter(|_| is_terminal);
    let width = size.map_or(100, |(width, _)| width.0).clamp(40, 200);
    let height = size.map_or(20, |(_, height)| height.0.saturating_sub(6)).clamp(8, 30);
    let is_plain = crate::config::environment().get("NO_COLOR").is_some_and(|it| !it.is_empty());
    Canvas { width, height, is_coloured: is_terminal && !is_plain }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command, MetricsCommand};

    fn arguments(line: &[&str]) -> MetricsQueryArguments {
        let line = ["pampero", "metrics", "query"].iter().chain(line);
        match Cli::try_parse_from(line).unwrap().command {
            Command::Metrics(MetricsCommand::Query(arguments)) => arguments,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn check_refused(line: &[&str], message: &str) {
        assert_eq!(request(&arguments(line)).unwrap_err().to_string(), message);
    }

    #[test]
    fn arguments_that_contradict_are_refused() {
        check_refused(
            &["up", "--step", "1m"],
            "--step needs --range; without a range there is one instant only",
        );
        check_refused(&["up", "--output", "chart"], "a chart needs --range, as in --range 6h");
        let message = "--range \"6\" is no duration; write it as in 90s, 6h, 7d";
        check_refused(&["up", "--range", "6"], message);
        let message = "--range \"0s\" is no duration; write it as in 90s, 6h, 7d";
        check_refused(&["up", "--range", "0s"], message);
    }

    #[test]
    fn step_fits_the_range_unless_it_is_given() {
        let step = |line: &[&str]| request(&arguments(line)).unwrap().1.pop().unwrap().1;
        assert_eq!(step(&["up", "--range", "6h"]), "90");
        assert_eq!(step(&["up", "--range", "1m"]), "1");
        assert_eq!(step(&["up", "--range", "6h", "--step", "500ms"]), "0.5");
    }
}
