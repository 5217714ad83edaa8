//! What the log index costs: `_bulk` into it, searches over it, its size on disk and in memory.
//!
//! The server is a process of its own, so that its memory is its own; the client is this one. Run it by
//! `cargo xtask bench logs`, or with another number of documents by
//! `cargo bench -p pampero-logs --bench logs -- 1000000`.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail at any step")]
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use pampero_index::layout::Layout;
use pampero_index::{Cluster, IndexOptions, analysis};
use pampero_logs::rest::{RestOptions, RestState, router};
use pampero_resilience::{Clock, SystemClock};
use serde_json::{Value, json};
use tikv_jemallocator::Jemalloc;

/// Documents unless told otherwise.
const DOCUMENTS: u64 = 10_000_000;
/// Over how many days they are spread; the last of them ends now.
const DAYS: u64 = 7;
/// Documents of one `_bulk`.
const BATCH: u64 = 2_000;
/// Connections that write at the same time.
const CLIENTS: u64 = 2;
/// How long an index stays ready to be written after the last document.
const WRITER_IDLE: Duration = Duration::from_secs(35);
/// Documents that the plain writer of tantivy gets.
const PLAIN_MAX: u64 = 1_000_000;
const RUNS: usize = 30;

const ROLE: &str = "PAMPERO_BENCH_SERVER";

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() {
    if let Some(folder) = std::env::args_os().nth(2).filter(|_| is_server()) {
        serve(Path::new(&folder));
        return;
    }
    let asked = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    measure(asked.unwrap_or(DOCUMENTS));
}

fn is_server() -> bool {
    std::env::args().nth(1).is_some_and(|argument| argument == ROLE)
}

/// Serves the folder on a port of the system's choice until standard input ends.
#[tokio::main]
async fn serve(folder: &Path) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let cluster = Arc::new(Cluster::open(folder, IndexOptions::default()).unwrap());
    let state = RestState::new(Arc::clone(&cluster), Arc::clone(&clock), RestOptions::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let ticking = Arc::clone(&cluster);
    std::thread::spawn(move || {
        loop {
            ticking.indices().tick(SystemClock.now());
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        std::io::stdin().read_to_end(&mut rest).unwrap();
        cluster.indices().close();
        std::process::exit(0);
    });
    axum::serve(listener, router(state)).await.unwrap();
}

fn measure(documents: u64) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let corpus = Corpus {
        begin: SystemClock.now() - SignedDuration::from_hours(24 * DAYS as i64),
        documents,
    };
    server.send("PUT", "/_index_template/logs", &template()).check();

    let begun = Instant::now();
    let raw_bytes = ingest(&server, corpus);
    let rate = documents as f64 / begun.elapsed().as_secs_f64();
    let plain = plain_rate(corpus, documents.min(PLAIN_MAX));
    server.send("POST", "/weather_logs-*/_refresh", "").check();
    server.settle(folder.path());
    let on_disk = bytes_below(folder.path());
    print!(
        "logs documents={documents} bytes={} bulk_per_s={rate:.0} plain_per_s={plain:.0} disk_share={:.4}",
        raw_bytes / documents,
        on_disk as f64 / raw_bytes as f64
    );
    std::thread::sleep(WRITER_IDLE);
    for (name, body) in questions() {
        let (median, ninetieth, total) = ask(&server, &body.to_string());
        print!(" {name}_ms={median:.3} {name}_p90_ms={ninetieth:.3} {name}_total={total}");
    }
    println!(" {}", server.memory());
}

/// Asks again and again; returns median and ninetieth percentile in milliseconds, and the total.
fn ask(server: &Server, body: &str) -> (f64, f64, Value) {
    let mut connection = Connection::open(server.address);
    let mut times = Vec::new();
    let mut total = Value::Null;
    for _ in 0..RUNS {
        let begun = Instant::now();
        let answer = connection.send("POST", "/weather_logs-*/_search", body);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        answer.check();
        total = answer.json()["hits"]["total"]["value"].clone();
    }
    times.sort_by(f64::total_cmp);
    (times[RUNS / 2], times[RUNS * 9 / 10], total)
}

/// What is written: one document after the other, evenly spread over the days.
#[derive(Clone, Copy)]
struct Corpus {
    begin: Timestamp,
    documents: u64,
}

impl Corpus {
    fn at(&self, number: u64) -> Timestamp {
        let span_ms = DAYS * 24 * 3_600 * 1_000;
        let ms = u128::from(span_ms) * u128::from(number) / u128::from(self.documents);
        self.begin + SignedDuration::from_millis(ms as i64)
    }

    /// Appends the document with this number as one line of JSON.
    fn write(&self, number: u64, out: &mut String) {
        const PLACES: [&str; 5] = ["jfk", "ewr", "lga", "rosario", "north-field"];
        const PROVIDERS: [&str; 4] = ["open_meteo", "met_norway", "openweathermap", "weatherstack"];
        const MESSAGES: [&str; 6] = [
            "attempt failed",
            "retry scheduled",
            "weather",
            "answered",
            "breaker opened",
            "request was slow",
        ];
        // Mixed, so that neighbours differ, and the same for every run.
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
        let level = match mixed % 100 {
            0..2 => "ERROR",
            2..10 => "WARN",
            _ => "INFO",
        };
        let pick = |shift: u32, count: usize| (mixed >> shift) as usize % count;
        let (place, provider) = (PLACES[pick(3, 5)], PROVIDERS[pick(7, 4)]);
        write!(
            out,
            "{{\"timestamp\":\"{:.3}\",\"level\":\"{level}\",\"log_message\":\"{} after {} ms\",\
             \"target\":\"pampero_loader::round\",\"service\":\"loader\",\"place\":\"{place}\",\
             \"provider\":\"{provider}\",\"request_id\":\"{:08x}-{:x}\",\"duration_ms\":{},\
             \"fields\":{{\"attempt\":{},\"cause\":\"connection to the service timed out\"}}}}",
            self.at(number),
            MESSAGES[pick(11, 6)],
            mixed % 5_000,
            mixed as u32,
            number % 4_096,
            mixed % 5_000,
            1 + mixed % 3,
        )
        .unwrap();
    }
}

fn template() -> String {
    let word = json!({ "type": "keyword" });
    let text = json!({ "type": "text", "fields": { "keyword": { "type": "keyword", "ignore_above": 256 } } });
    json!({
        "index_patterns": ["weather_logs-*"],
        "template": { "mappings": { "properties": {
            "timestamp": { "type": "date" },
            "level": text,
            "log_message": { "type": "text" },
            "target": word, "service": word, "place": word, "provider": word, "request_id": word,
            "duration_ms": { "type": "float" },
        } } },
    })
    .to_string()
}

/// What is asked: the monitor query of the original, a search of a person, a chart of a dashboard.
fn questions() -> [(&'static str, Value); 3] {
    let monitor = json!({ "size": 0, "query": { "bool": { "must": [
        { "match": { "level": "error" } },
        { "range": { "timestamp": { "gte": "now-5m/m", "lte": "now/m" } } },
    ] } } });
    let newest = json!({ "size": 50, "sort": [{ "timestamp": "desc" }], "query": { "query_string": {
        "query": "level:error AND provider:open_meteo AND place:jfk" } } });
    let levels = json!({ "levels": { "terms": { "field": "level.keyword" } } });
    let by_hour = json!({ "date_histogram": { "field": "timestamp", "fixed_interval": "1h" }, "aggs": levels });
    let chart = json!({ "size": 0, "query": { "range": { "timestamp": { "gte": "now-24h" } } },
        "aggs": { "hours": by_hour } });
    [("monitor", monitor), ("newest", newest), ("chart", chart)]
}

/// Writes everything through `_bulk`; returns the bytes of the documents.
fn ingest(server: &Server, corpus: Corpus) -> u64 {
    let (next, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut connection = Connection::open(server.address);
                loop {
                    let first = next.fetch_add(BATCH, Ordering::Relaxed);
                    if corpus.documents <= first {
                        break;
                    }
                    let end = (first + BATCH).min(corpus.documents);
                    let (body, documents_bytes) = bulk_body(corpus, first..end);
                    bytes.fetch_add(documents_bytes, Ordering::Relaxed);
                    let answer = connection.send("POST", "/_bulk", &body);
                    assert!(answer.body.contains("\"errors\":false"), "{:.500}", answer.body);
                }
            });
        }
    });
    bytes.into_inner()
}

fn bulk_body(corpus: Corpus, numbers: std::ops::Range<u64>) -> (String, u64) {
    let mut body = String::with_capacity(BATCH as usize * 400);
    let mut bytes = 0;
    for number in numbers {
        let day = corpus.at(number).strftime("%Y.%m.%d").to_string();
        writeln!(body, "{{\"create\":{{\"_index\":\"weather_logs-{day}\"}}}}").unwrap();
        let begin = body.len();
        corpus.write(number, &mut body);
        bytes += (body.len() - begin) as u64;
        body.push('\n');
    }
    (body, bytes)
}

/// Returns how many documents per second tantivy takes by itself, with the same fields.
fn plain_rate(corpus: Corpus, documents: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new();
    let index = tantivy::Index::create_in_dir(folder.path(), layout.schema.clone()).unwrap();
    analysis::register(&index);
    let options = IndexOptions::default();
    let mut writer = index
        .writer_with_num_threads::<tantivy::TantivyDocument>(
            options.writer_threads,
            options.writer_bytes,
        )
        .unwrap();
    let text = layout.text(pampero_opensearch::mapping::Analyzer::Standard);
    let begun = Instant::now();
    let mut line = String::new();
    for number in 0..documents {
        line.clear();
        corpus.write(number, &mut line);
        let source: serde_json::Map<String, Value> = serde_json::from_str(&line).unwrap();
        let (mut words, mut numbers, mut texts) = (json!({}), json!({}), json!({}));
        for name in ["target", "service", "place", "provider", "request_id"] {
            words[name] = source[name].clone();
        }
        words["level.keyword"] = source["level"].clone();
        words["fields.cause.keyword"] = source["fields"]["cause"].clone();
        texts["level"] = source["level"].clone();
        texts["log_message"] = source["log_message"].clone();
        texts["fields.cause"] = source["fields"]["cause"].clone();
        numbers["duration_ms"] = source["duration_ms"].clone();
        numbers["fields.attempt"] = source["fields"]["attempt"].clone();
        numbers["timestamp"] = json!(corpus.at(number).as_millisecond());
        let mut document = tantivy::TantivyDocument::new();
        document.add_text(layout.id, format!("{number:020}"));
        document.add_bytes(layout.source, line.as_bytes());
        document.add_u64(layout.seq_no, number);
        document.add_u64(layout.version, 1);
        document.add_field_value(layout.keywords, &tantivy::schema::OwnedValue::from(words));
        document.add_field_value(layout.numbers, &tantivy::schema::OwnedValue::from(numbers));
        document.add_field_value(text, &tantivy::schema::OwnedValue::from(texts));
        writer.add_document(document).unwrap();
    }
    writer.commit().unwrap();
    documents as f64 / begun.elapsed().as_secs_f64()
}

/// The server in its own process; killed when dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(ROLE)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().parse().unwrap() }
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        Connection::open(self.address).send(method, path, body)
    }

    /// Waits until merging has ended: nothing changes on disk for two seconds.
    fn settle(&self, folder: &Path) {
        let (mut last, mut since) = (bytes_below(folder), Instant::now());
        while since.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(100));
            let now = bytes_below(folder);
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
    }

    /// Returns what is resident, and what of it is not the cache of files.
    fn memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kib = |name: &str| -> f64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        let mib = |name: &str| kib(name) / 1024.0;
        let (all, own, peak) = (mib("VmRSS:"), mib("RssAnon:"), mib("VmHWM:"));
        format!("resident_mib={all:.1} resident_own_mib={own:.1} resident_peak_mib={peak:.1}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection that stays open.
struct Connection(BufReader<TcpStream>);

struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    fn check(&self) {
        assert!((200..300).contains(&self.status), "{} {:.2000}", self.status, self.body);
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Connection {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let stream = self.0.get_mut();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            assert!(!lower.starts_with("transfer-encoding:"), "answers have a length");
            if line == "\r\n" {
                break;
            }
        }
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        Answer { status, body: String::from_utf8(bytes).unwrap() }
    }
}

fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
