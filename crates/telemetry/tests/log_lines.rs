//! What a log line looks like, and what it never shows.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use pampero_resilience::Clock;
use pampero_telemetry::logging::{Color, LogConfig, LogFormat, subscriber};
use pampero_telemetry::redaction::Redactor;
use secrecy::SecretString;
use tracing::{debug, debug_span, error, info, info_span, trace, warn};

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        "2026-11-24T03:41:02.123456Z".parse().expect("the instant is well written")
    }
}

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `say` with a log of its own and returns what was written.
fn written(config: &LogConfig, secret: &str, say: impl FnOnce()) -> String {
    let page = Page::default();
    let destination = page.clone();
    let redactor = Redactor::new([&SecretString::from(secret)]);
    let log = subscriber(config, redactor, Arc::new(StoppedClock), None, None, move || {
        destination.clone()
    });
    tracing::subscriber::with_default(log, say);
    let bytes = page.0.lock().expect("no writer panics").clone();
    String::from_utf8(bytes).expect("a log is text")
}

fn config(format: LogFormat, filter: &str, color: Color) -> LogConfig {
    LogConfig { format, filter: filter.parse().expect("the filter is well written"), color }
}

#[track_caller]
fn check_human(say: impl FnOnce(), lines: &str) {
    let config = config(LogFormat::Human, "trace", Color::Never);
    assert_eq!(written(&config, "s3cr3t-key", say), lines);
}

#[track_caller]
fn check_json(say: impl FnOnce(), lines: &str) {
    let config = config(LogFormat::Json, "trace", Color::Always);
    let text = written(&config, "s3cr3t-key", say);
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("each line is JSON");
    }
    assert_eq!(text, lines);
}

#[derive(Debug, thiserror::Error)]
#[error("cannot ask the provider")]
struct Outer(#[source] io::Error);

#[test]
fn human_line_has_time_level_message_and_fields() {
    check_human(
        || info!(provider = "open_meteo", cause = "3 failures in a row", "breaker opened"),
        "03:41:02Z INFO  breaker opened  provider=open_meteo cause=\"3 failures in a row\"\n",
    );
    check_human(
        || warn!(place = %"rosario", age_s = 3601, share = 0.5, stale = true, "value is stale"),
        "03:41:02Z WARN  value is stale  place=rosario age_s=3601 share=0.5 stale=true\n",
    );
    check_human(|| info!("listening"), "03:41:02Z INFO  listening\n");
}

#[test]
fn human_line_names_its_origin_at_debug_and_below() {
    check_human(
        || {
            debug!(target: "pampero_loader", attempt = 2, "asking");
            trace!(target: "hyper", "flushed");
        },
        "03:41:02Z DEBUG pampero_loader: asking  attempt=2\n03:41:02Z TRACE hyper: flushed\n",
    );
}

#[test]
fn human_line_ends_with_the_fields_of_its_spans() {
    check_human(
        || {
            let _round = info_span!("round", number = 7).entered();
            let call = info_span!("call", provider = "met_norway", attempt = tracing::field::Empty);
            call.record("attempt", 2);
            let _call = call.entered();
            error!(elapsed_ms = 12, "call failed");
            info!("waiting");
        },
        "03:41:02Z ERROR call failed  elapsed_ms=12 number=7 provider=met_norway attempt=2\n\
         03:41:02Z INFO  waiting  number=7 provider=met_norway attempt=2\n",
    );
}

#[test]
fn human_line_cannot_be_forged_by_a_value() {
    check_human(
        || info!(name = "a\n03:41:03Z INFO  b", paint = "\x1b[31m", empty = "", "x\ny\x07"),
        "03:41:02Z INFO  x\\ny\\u{7}  name=\"a\\n03:41:03Z INFO  b\" paint=\"\\u{1b}[31m\" empty=\"\"\n",
    );
    check_human(
        || info!(quoted = ?"two words", inner = "say \"hi\"", pair = "a=b", "quotation"),
        "03:41:02Z INFO  quotation  quoted=\"two words\" inner=\"say \\\"hi\\\"\" pair=\"a=b\"\n",
    );
}

#[test]
fn error_is_written_with_its_causes() {
    let failure = Outer(io::Error::other("connection refused"));
    check_human(
        || warn!(cause = &failure as &dyn std::error::Error, "poll failed"),
        "03:41:02Z WARN  poll failed  cause=\"cannot ask the provider: connection refused\"\n",
    );
    check_json(
        || warn!(target: "t", cause = &failure as &dyn std::error::Error, "poll failed"),
        "{\"timestamp\":\"2026-11-24T03:41:02.123Z\",\"level\":\"WARN\",\"target\":\"t\",\"message\":\"poll failed\",\
         \"fields\":{\"cause\":\"cannot ask the provider: connection refused\"},\"spans\":[]}\n",
    );
}

#[test]
fn human_line_is_coloured_when_asked() {
    let config = config(LogFormat::Human, "info", Color::Always);
    let line = written(&config, "s3cr3t-key", || error!(port = 8000, "port is in use"));
    let coloured = "\x1b[2m03:41:02Z\x1b[0m \x1b[31mERROR\x1b[0m port is in use  \
                    \x1b[2mport=\x1b[0m8000\n";
    assert_eq!(line, coloured);
}

#[test]
fn json_line_is_one_object() {
    check_json(
        || {
            let _round = info_span!("round", number = 7).entered();
            let call =
                debug_span!("call", provider = "met_norway", attempt = tracing::field::Empty);
            call.record("attempt", 2);
            let _call = call.entered();
            info!(target: "pampero", share = 0.5, lost = f64::NAN, ok = true, text = "a\n\"b\"", "call failed");
        },
        "{\"timestamp\":\"2026-11-24T03:41:02.123Z\",\"level\":\"INFO\",\"target\":\"pampero\",\
         \"message\":\"call failed\",\
         \"fields\":{\"share\":0.5,\"lost\":null,\"ok\":true,\"text\":\"a\\n\\\"b\\\"\"},\
         \"spans\":[{\"name\":\"round\",\"fields\":{\"number\":7}},\
         {\"name\":\"call\",\"fields\":{\"provider\":\"met_norway\",\"attempt\":2}}]}\n",
    );
}

#[test]
fn filter_decides_what_is_let_through() {
    let config = config(LogFormat::Human, "warn,pampero_loader=debug", Color::Never);
    let lines = written(&config, "s3cr3t-key", || {
        info!(target: "hyper", "not let through");
        warn!(target: "hyper", "let through");
        debug!(target: "pampero_loader", "asking");
        trace!(target: "pampero_loader", "not let through");
    });
    assert_eq!(lines, "03:41:02Z WARN  let through\n03:41:02Z DEBUG pampero_loader: asking\n");
}

#[test]
fn no_line_shows_a_secret_in_any_spelling() {
    let secret = "k\"y/1+2 3456";
    for format in LogFormat::ALL {
        for color in Color::ALL {
            let config = config(format, "trace", color);
            let text = written(&config, secret, || {
                let _span = info_span!("call", url = "http://h/?key=k%22y%2F1%2B2+3456").entered();
                trace!(header = secret, debug = ?secret, shown = %secret, "{secret}");
                error!(basic = "Basic dTprInkvMSsyIDM0NTY=", "refused");
            });
            let bare = text.replace("[redacted]", "");
            assert_eq!(text.matches("[redacted]").count(), 7, "{text}");
            for trace in ["y/1", "y%2F1", "y\\/1", "3456", "rInkvMSsy"] {
                assert!(!bare.contains(trace), "{trace} in {text}");
            }
        }
    }
}

#[test]
fn record_of_the_log_crate_is_a_line_like_all_others() {
    let _ = tracing_log::LogTracer::init();
    let say = || tracing_log::log::warn!(target: "tantivy::merge", "merged with s3cr3t-key");
    check_human(say, "03:41:02Z WARN  merged with [redacted]\n");
    check_json(
        say,
        "{\"timestamp\":\"2026-11-24T03:41:02.123Z\",\"level\":\"WARN\",\
         \"target\":\"tantivy::merge\",\"message\":\"merged with [redacted]\",\
         \"fields\":{},\"spans\":[]}\n",
    );
}
