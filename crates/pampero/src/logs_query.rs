//! `pampero logs`: searches the log of a running Pampero, or any OpenSearch, in Lucene's words.
//!
//! The newest lines are shown with the oldest of them first, as a file of logs would be; with `--follow`
//! further ones as they come.

mod line;

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use pampero_promql::parse_duration;
use pampero_resilience::{Clock, SystemClock};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::Url;

use crate::cli::{LogsArguments, LogsOutput};
use crate::http::client_for;
use line::{Line, Style};

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// From one question for further lines to the next.
const PERIOD: Duration = Duration::from_millis(500);

/// How long a line may take from its timestamp until it can be searched.
const DELAY_MAX: Duration = Duration::from_secs(10);

/// Most lines of one answer.
const LINES_MAX: usize = 10_000;

/// Searches, writes what is found to standard output, and follows if asked to.
///
/// # Errors
/// The arguments are wrong, nobody answers, or the search is refused.
pub(crate) async fn run(arguments: &LogsArguments) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let since = arguments.since.as_deref().map(|since| instant(since, now)).transpose()?;
    let limit = usize::try_from(arguments.limit)?;
    ensure!(limit <= LINES_MAX, "--limit {limit} is too many lines; ask for at most {LINES_MAX}");
    let index = LogIndex::of(arguments)?;
    let mut out = Out::new(arguments.output);
    let found = index.search(&arguments.query, since, limit, "desc").await?;
    if found.is_none() {
        let (name, server) = (&arguments.index, &arguments.server);
        let told = format!("note: there is no {name} at {server}, so nothing was logged there yet");
        // Nobody is left to be told when standard error is closed.
        let _ = writeln!(std::io::stderr(), "{told}");
    }
    let mut hits = found.unwrap_or_default();
    hits.reverse();
    out.write(&hits)?;
    if !arguments.follow {
        return Ok(());
    }
    let mut shown = Shown::begin(now, &hits);
    loop {
        tokio::time::sleep(PERIOD).await;
        let found = index.search(&arguments.query, Some(shown.since()), LINES_MAX, "asc").await?;
        let now = SystemClock.now();
        let hits = found.unwrap_or_default();
        let fresh: Vec<Hit> = hits.into_iter().filter(|hit| shown.is_new(hit)).collect();
        shown.forget_before(now);
        out.write(&fresh)?;
    }
}

/// Reads `1h` as an hour ago, and an instant as it is.
fn instant(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let back = parse_duration(text).ok().filter(|back| !back.is_zero()).with_context(|| {
        format!("--since {text:?} is neither; write how far back, as in 15m or 7d, or an instant, as in 2026-11-24T12:00:00Z")
    })?;
    Ok(now.checked_sub(back).unwrap_or(Timestamp::MIN))
}

/// The index that is asked.
struct LogIndex {
    client: Client,
    server: Url,
    search: Url,
    /// Whether the index may not be there yet, since nobody chose its name.
    may_lack: bool,
}

/// One document that was found.
#[derive(Debug, Deserialize)]
struct Hit {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_source")]
    source: Box<RawValue>,
    /// The milliseconds of its timestamp.
    sort: (Option<i64>,),
}

#[derive(Deserialize)]
struct Answer {
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<Hit>,
}

impl LogIndex {
    fn of(arguments: &LogsArguments) -> anyhow::Result<Self> {
        let server = arguments.server.clone();
        let before = server.as_str().trim_end_matches('/');
        let search = format!("{before}/{}/_search", arguments.index);
        let search = search
            .parse()
            .with_context(|| format!("--index {:?} cannot be part of a URL", arguments.index))?;
        let may_lack = arguments.index == LogsArguments::INDEX;
        Ok(Self { client: client_for(&server)?, server, search, may_lack })
    }

    /// Returns what is found; `None` when the index is not there and need not be.
    async fn search(
        &self,
        query: &str,
        since: Option<Timestamp>,
        limit: usize,
        order: &str,
    ) -> anyhow::Result<Option<Vec<Hit>>> {
        let body = body(query, since, limit, order);
        let request = self.client.post(self.search.clone()).timeout(TIMEOUT).json(&body);
        let server = &self.server;
        let response = request.send().await.with_context(|| {
            format!(
                "nobody answers at {server}; start `pampero serve`, or name another with --server"
            )
        })?;
        let status = response.status();
        let text = response.text().await.context("the answer broke off")?;
        if self.may_lack && lacks_index(status, &text) {
            return Ok(None);
        }
        if status != StatusCode::OK {
            bail!("{}", refusal(server, status, &text));
        }
        let answer: Answer = serde_json::from_str(&text)
            .with_context(|| format!("{server} answered, but not as an OpenSearch does"))?;
        Ok(Some(answer.hits.hits))
    }
}

fn body(query: &str, since: Option<Timestamp>, limit: usize, order: &str) -> Value {
    let mut filter = vec![json!({
        "query_string": { "query": query, "default_operator": "AND", "default_field": "*" }
    })];
    if let Some(since) = since {
        filter.push(json!({ "range": { "timestamp": { "gte": since.to_string() } } }));
    }
    json!({
        "size": limit,
        "track_total_hits": false,
        "query": { "bool": { "filter": filter } },
        "sort": [{ "timestamp": { "order": order, "unmapped_type": "date" } }],
    })
}

/// Tells whether a server answered that the index is not there.
fn lacks_index(status: StatusCode, text: &str) -> bool {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    status == StatusCode::NOT_FOUND && answer["error"]["type"] == "index_not_found_exception"
}

/// Says why a search failed, in the server's own words where it has some.
fn refusal(server: &Url, status: StatusCode, text: &str) -> String {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let error = &answer["error"];
    let cause = &error["root_cause"][0];
    let reason = cause["reason"].as_str().or(error["reason"].as_str()).or(error.as_str());
    match reason {
        Some(reason) if status == StatusCode::BAD_REQUEST => {
            format!("the search is refused: {reason}")
        }
        Some(reason) => format!("{server} answered {status}: {reason}"),
        None => format!(
            "{server} answered {status}; is there a log index? see [logs] in the configuration"
        ),
    }
}

/// What was shown already, so that nothing is shown twice and nothing that came late is left out.
struct Shown {
    since: Timestamp,
    ids: BTreeSet<(i64, String)>,
}

impl Shown {
    fn begin(now: Timestamp, hits: &[Hit]) -> Self {
        let ids = hits.iter().map(|hit| (hit.sort.0.unwrap_or_default(), hit.id.clone())).collect();
        let mut shown = Self { since: now, ids };
        shown.forget_before(now);
        shown
    }

    fn since(&self) -> Timestamp {
        self.since
    }

    fn is_new(&mut self, hit: &Hit) -> bool {
        self.ids.insert((hit.sort.0.unwrap_or_default(), hit.id.clone()))
    }

    /// Forgets what is too old to be asked for again.
    fn forget_before(&mut self, now: Timestamp) {
        self.since = now.checked_sub(DELAY_MAX).unwrap_or(now);
        self.ids = self.ids.split_off(&(self.since.as_millisecond(), String::new()));
    }
}

/// Where lines go, and how.
struct Out {
    output: LogsOutput,
    style: Style,
}

impl Out {
    fn new(output: LogsOutput) -> Self {
        let variables = crate::config::environment();
        let is_plain = variables.get("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_coloured = std::io::stdout().is_terminal() && !is_plain;
        Self { output, style: Style { is_coloured } }
    }

    fn write(&mut self, hits: &[Hit]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        for hit in hits {
            match self.output {
                LogsOutput::Json => writeln!(out, "{}", hit.source.get())?,
                LogsOutput::Table => {
                    writeln!(out, "{}", Line::read(hit.source.get()).write(self.style))?;
                }
            }
        }
        Ok(out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-24T12:00:00Z";

    #[track_caller]
    fn check_since(text: &str, instant_text: &str) {
        let now: Timestamp = NOW.parse().unwrap();
        assert_eq!(instant(text, now).unwrap().to_string(), instant_text);
    }

    #[test]
    fn since_is_a_stretch_or_an_instant() {
        check_since("1h", "2026-11-24T11:00:00Z");
        check_since("7d", "2026-11-17T12:00:00Z");
        check_since("2026-11-24T10:30:00+01:00", "2026-11-24T09:30:00Z");
        let error = instant("yesterday", NOW.parse().unwrap()).unwrap_err().to_string();
        assert!(error.starts_with("--since \"yesterday\" is neither"), "{error}");
        assert!(instant("0s", NOW.parse().unwrap()).is_err());
    }

    fn hit(id: &str, at: &str) -> Hit {
        let at: Timestamp = at.parse().unwrap();
        let source = RawValue::from_string("{}".to_owned()).unwrap();
        Hit { id: id.to_owned(), source, sort: (Some(at.as_millisecond()),) }
    }

    #[test]
    fn lines_are_shown_once_even_if_they_come_late() {
        let first = [hit("a", "2026-11-24T11:59:59Z"), hit("old", "2026-11-24T09:00:00Z")];
        let mut shown = Shown::begin(NOW.parse().unwrap(), &first);
        assert_eq!(shown.since().to_string(), "2026-11-24T11:59:50Z");
        assert!(!shown.is_new(&hit("a", "2026-11-24T11:59:59Z")));
        assert!(shown.is_new(&hit("late", "2026-11-24T11:59:52Z")));
        assert!(!shown.is_new(&hit("late", "2026-11-24T11:59:52Z")));
        assert_eq!(shown.ids.len(), 2);
        shown.forget_before("2026-11-24T12:00:05Z".parse().unwrap());
        assert_eq!(shown.ids.len(), 1);
    }

    #[test]
    fn refusals_are_told_in_the_words_of_the_server() {
        let server: Url = "http://127.0.0.1:8000/opensearch".parse().unwrap();
        let text = r#"{"error":{"root_cause":[{"reason":"Failed to parse query [level:]"}],"reason":"all shards failed"},"status":400}"#;
        assert_eq!(
            refusal(&server, StatusCode::BAD_REQUEST, text),
            "the search is refused: Failed to parse query [level:]"
        );
        let told = refusal(&server, StatusCode::NOT_FOUND, "no JSON");
        assert!(told.ends_with("is there a log index? see [logs] in the configuration"), "{told}");
    }
}
