//! Requests to the log index made to hurt: the right refusal, soon, in bounded memory, and the weather
//! is served as ever.

use std::fmt::Write;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::harness::{Program, Reply, folder, hurried, peak_memory_mib, reply, simulator};

/// Longest time for one request, on a busy machine.
const SOON: Duration = Duration::from_secs(40);
/// Most memory that the program may ever have held, in mebibytes.
const MEMORY_MAX_MIB: u64 = 600;
const CLIENTS: usize = 1_000;
/// Little enough that a thousand clients find no room.
const LIMITS: &str = "[logs]\nwaiting_max = 300\nbodies_memory = \"64MiB\"\nbody_limit = \"32MiB\"\nsearch_timeout = \"2s\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_documents_are_refused_soon() {
    let simulator = simulator().await;
    let folder = folder();
    let program =
        Program::serve(folder.path(), &hurried(&simulator, &["open_meteo"], LIMITS), &[]).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    let watch = WeatherWatch::start(&program);
    check_many_fields(&program).await;
    check_large_document(&program).await;
    check_large_bulk(&program).await;
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(1_000), close.repeat(1_000));
    let within_json =
        |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    check(&program, "POST /deep/_doc", within_json(100), 400, "depth").await;
    check(&program, "POST /deep/_doc", deep("{\"a\":", "}"), 400, "depth").await;
    let arrays = format!("{{\"a\":{}}}", deep("[", "]"));
    check(&program, "POST /deep/_doc", arrays, 400, "").await;
    let bulk = format!("{{\"index\":{}}}\n{{}}\n", deep("{\"_id\":", "}"));
    check(&program, "POST /deep/_bulk", bulk, 400, "").await;
    let no_text = b"{\"text\":\"\xff\xfe\xc3\x28\"}".to_vec();
    check(&program, "POST /deep/_doc", no_text.clone(), 400, "").await;
    let lines = [b"{\"index\":{}}\n", &no_text[..], b"\n"].concat();
    let items = program.index("POST /deep/_bulk", lines).await;
    assert_eq!(items.status, 200, "{}", items.text);
    assert_eq!(items.json()["items"][0]["index"]["status"], 400, "{}", items.text);
    check(&program, "PUT /%ff%fe/_doc/1", "{}", 400, "").await;
    let long_id = format!("PUT /deep/_doc/{}", "x".repeat(513));
    check(&program, &long_id, "{}", 400, "is too long, must be no longer than 512 bytes").await;
    let number = format!("{{\"number\":1{}}}", "0".repeat(400));
    check(&program, "POST /deep/_doc", number, 400, "").await;
    check_packed(&program).await;
    check_held_bodies(&program).await;

    watch.check("hostile documents");
    check_end(program);
}

/// Sends ten thousand fields, at once and one after another.
async fn check_many_fields(program: &Program) {
    const FIELDS: usize = 10_000;
    let fields = (0..FIELDS).map(|number| (format!("field_{number}"), Value::from("x")));
    let document = Value::Object(fields.collect()).to_string();
    let limit = "Limit of total fields [1000] has been exceeded";
    check(program, "PUT /wide/_doc/1", document, 400, limit).await;

    let mut bulk = String::new();
    for number in 0..FIELDS {
        writeln!(bulk, "{{\"create\":{{}}}}\n{{\"field_{number}\":\"x\"}}").unwrap();
    }
    bulk.push_str("{\"create\":{\"_id\":\"last\"}}\n{\"field_0\":\"y\"}\n");
    let answer = program.index("POST /wide/_bulk", bulk).await;
    assert_eq!(answer.status, 200, "{:.300}", answer.text);
    let answer = answer.json();
    let items = answer["items"].as_array().unwrap();
    let kept = items.iter().filter(|item| item["create"]["status"] == 201).count();
    // Each field has a `.keyword` beside it; the last document brings no field of its own.
    assert_eq!(kept, 501, "{}", items[0]);
    let refused = items.iter().find(|item| item["create"]["status"] != 201).unwrap();
    assert_eq!(refused["create"]["status"], 400, "{refused}");
    assert_eq!(refused["create"]["error"]["type"], "illegal_argument_exception", "{refused}");
    assert!(refused.to_string().contains(limit), "{refused}");
    assert_eq!(items.last().unwrap()["create"]["status"], 201);
    program.index("POST /wide/_refresh", "").await;
    assert_eq!(program.index("GET /wide/_count", "").await.json()["count"], 501);
}

async fn check_large_document(program: &Program) {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < 5 << 20 {
        number += 1;
        write!(text, "word{} ", number % 10_000).unwrap();
    }
    text.push_str("last");
    let document = json!({ "text": text }).to_string();
    let sent = Instant::now();
    let kept = program.index("PUT /large/_doc/1?refresh=true", document).await;
    assert_eq!(kept.status, 201, "{:.300}", kept.text);
    assert!(sent.elapsed() < SOON, "after {:?}", sent.elapsed());
    let found = program.index("GET /large/_doc/1", "").await.json();
    assert_eq!(found["_source"]["text"].as_str().unwrap().len(), text.len());
    assert_eq!(program.index("GET /large/_count?q=text:last", "").await.json()["count"], 1);
    let longer = format!("{{\"text\":\"{}\"}}", "x".repeat(33 << 20));
    check(program, "PUT /large/_doc/2", longer, 413, "").await;
}

async fn check_large_bulk(program: &Program) {
    const DOCUMENTS: usize = 100_000;
    let mut bulk = String::new();
    for number in 0..DOCUMENTS {
        writeln!(bulk, "{{\"index\":{{}}}}\n{{\"number\":{number}}}").unwrap();
    }
    let sent = Instant::now();
    let answer = program.index("POST /many/_bulk?refresh=true&filter_path=errors", bulk).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "{\"errors\":false}"));
    tell(&format!("{DOCUMENTS} documents in one _bulk take {:?}", sent.elapsed()));
    let counted = program.index("GET /many/_count", "").await.json();
    assert_eq!(counted["count"], DOCUMENTS);
}

/// Sends little that unpacks to much.
async fn check_packed(program: &Program) {
    let part = packed(&vec![b' '; 1 << 20]);
    for (repeats, status) in [(200, 413), (1, 400)] {
        let body = part.repeat(repeats);
        let request = program.index_request("POST /many/_search", body);
        let reply = reply(request.header("content-encoding", "gzip")).await;
        assert_eq!(reply.status, status, "{repeats} MiB: {}", reply.text);
    }
    let broken = program.index_request("POST /many/_search", part[..part.len() / 2].to_vec());
    let broken = reply(broken.header("content-encoding", "gzip")).await;
    check_refusal("half of it", &broken, 400, "no valid gzip");
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Holds many large bodies that do not end; what finds no room is refused at once, and the room comes
/// back.
async fn check_held_bodies(program: &Program) {
    const BODIES: usize = 100;
    /// Bodies of a mebibyte that find room.
    const ROOM: usize = 64;
    let begin = async || {
        let mut stream = TcpStream::connect(program.index_address().unwrap()).await.unwrap();
        let head = format!(
            "POST /held/_doc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            2 << 20
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // What is refused is not read to its end.
        let _ = stream.write_all(&vec![b' '; 1 << 20]).await;
        stream
    };
    let mut held = Vec::new();
    for _ in 0..BODIES {
        held.push(begin().await);
    }
    let begun = Instant::now();
    let mut answers = String::new();
    // Those that found room are being read still, and are not answered.
    while held.len() > ROOM {
        assert!(begun.elapsed() < SOON, "{} of {BODIES} are held", held.len());
        for mut stream in std::mem::take(&mut held) {
            let mut answer = [0; 4096];
            let reading = tokio::time::timeout(Duration::from_millis(1), stream.read(&mut answer));
            match reading.await {
                Err(_) => held.push(stream),
                Ok(Ok(length)) => answers.push_str(&String::from_utf8_lossy(&answer[..length])),
                // A system may take an answer away when its connection ends.
                Ok(Err(_)) => {}
            }
        }
    }
    assert!(answers.contains("HTTP/1.1 429 "), "{answers}");
    assert!(!answers.contains("HTTP/1.1 2") && !answers.contains("HTTP/1.1 5"), "{answers}");
    for told in ["circuit_breaking_exception", "Data too large", "\"status\":429"] {
        assert!(answers.contains(told), "{told:?} is missing: {answers}");
    }
    drop(held);
    while program.index("POST /held/_doc", "{}").await.status != 201 {
        assert!(begun.elapsed() < SOON, "the room does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_searches_are_refused_soon() {
    let simulator = simulator().await;
    let folder = folder();
    let program =
        Program::serve(folder.path(), &hurried(&simulator, &["open_meteo"], LIMITS), &[]).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    let watch = WeatherWatch::start(&program);
    send_logs(&program).await;
    check_windows(&program).await;
    check_deep_searches(&program).await;
    check_long_texts(&program).await;
    check_patterns(&program).await;
    check_aggregations(&program).await;
    watch.check("hostile searches");
    let watch = WeatherWatch::start(&program);
    check_a_thousand_clients(&program).await;
    watch.check("a thousand clients");
    check_end(program);
}

/// Keeps documents from over ten years, each with words of its own.
async fn send_logs(program: &Program) {
    let mut bulk = String::new();
    for number in 0..2_000 {
        let year = 2015 + number % 11;
        let word = "a".repeat(number % 40 + 1);
        writeln!(
            bulk,
            "{{\"index\":{{}}}}\n{{\"at\":\"{year}-05-18T12:00:00Z\",\"number\":{number},\"text\":\"{word}{number} rain\"}}"
        )
        .unwrap();
    }
    let answer = program.index("POST /logs/_bulk?refresh=true&filter_path=errors", bulk).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "{\"errors\":false}"));
}

async fn check_windows(program: &Program) {
    for (body, told) in [
        (r#"{"size":1000000000}"#, "Result window is too large"),
        (r#"{"from":1000000000}"#, "Result window is too large"),
        (r#"{"from":2147483647,"size":2147483647}"#, "Result window is too large"),
        (r#"{"size":99999999999999999999}"#, ""),
        (r#"{"size":-1}"#, "negative"),
        (r#"{"size":1e400}"#, ""),
        (r#"{"from":-10}"#, "negative"),
        (r#"{"collapse":{"field":"number"},"size":1000000000}"#, ""),
    ] {
        check(program, "POST /logs/_search", body, 400, told).await;
    }
    let url = "GET /logs/_search?size=1000000000";
    check(program, url, "", 400, "Result window is too large").await;
    let scroll = "POST /logs/_search?scroll=1000000000d";
    check(program, scroll, "{}", 400, "").await;
    let scroll = "POST /logs/_search?scroll=1m";
    check(program, scroll, "{\"size\":1000000000}", 400, "too large").await;
    let lines = "{}\n{\"size\":1000000000}\n".repeat(100);
    let many = program.index("POST /logs/_msearch", lines).await;
    assert_eq!(many.status, 200, "{:.300}", many.text);
    assert_eq!(many.json()["responses"][99]["status"], 400, "{:.300}", many.text);
}

async fn check_deep_searches(program: &Program) {
    let search = "POST /logs/_search";
    let nested = |inner: Value, levels: usize, outer: fn(Value) -> Value| {
        (0..levels).fold(inner, |inner, _| outer(inner)).to_string()
    };
    let of_query = |inner: Value| json!({ "query": inner });
    let bool_query = |inner: Value| json!({ "bool": { "must": [inner] } });
    let deep = nested(json!({ "match_all": {} }), 40, bool_query);
    check(program, search, format!("{{\"query\":{deep}}}"), 400, "nested depth").await;
    let terms = |inner: Value| json!({ "a": { "terms": { "field": "number" }, "aggs": inner } });
    let deep = nested(json!({}), 40, terms);
    check(program, search, format!("{{\"size\":0,\"aggs\":{deep}}}"), 400, "nested more than")
        .await;
    for open in
        ["{\"query\":", "{\"query\":{\"bool\":{\"must\":[", "{\"aggs\":{\"a\":", "{\"sort\":["]
    {
        check(program, search, open.repeat(10_000), 400, "").await;
    }
    let clauses = vec![json!({ "term": { "number": 1 } }); 1_025];
    let body = of_query(json!({ "bool": { "should": clauses } })).to_string();
    check(program, search, body, 400, "maxClauseCount").await;
    let body = of_query(json!({ "terms": { "number": vec![1; 65_537] } })).to_string();
    check(program, search, body, 400, "65536").await;
    for text in [
        "(".repeat(10_000),
        format!("{}a{}", "(".repeat(31), ")".repeat(31)),
        "a OR ".repeat(5_000) + "a",
        "text:".repeat(10_000),
        "[".repeat(10_000),
    ] {
        let body = of_query(json!({ "query_string": { "query": text } })).to_string();
        check(program, search, body, 400, "").await;
    }
    // These are odd, and OpenSearch answers them.
    for text in ["-".repeat(10_000), "\"".repeat(10_000), "a ".repeat(1_000), "*".repeat(10_000)] {
        let body = of_query(json!({ "simple_query_string": { "query": text } })).to_string();
        check_soon(program, search, body).await;
    }
}

/// Sends texts of millions of words, and paths that fit in countless ways.
async fn check_long_texts(program: &Program) {
    let text = "a ".repeat(2_000_000);
    let body = json!({ "text": text }).to_string();
    check(program, "POST /logs/_analyze", body, 400, "exceeded the allowed maximum").await;
    let body = json!({ "query": { "match": { "text": text } } }).to_string();
    check(program, "POST /logs/_search", body, 400, "maxClauseCount").await;
    let path = format!("GET /logs/_mapping?filter_path={}nothing", "**.*.".repeat(100));
    let nothing = check_soon(program, &path, "").await;
    assert_eq!((nothing.status, nothing.text.as_str()), (200, "{}"));
    let path = format!("GET /logs/_mapping?filter_path={}nothing", "**.".repeat(100));
    let nothing = check_soon(program, &path, "").await;
    assert_eq!((nothing.status, nothing.text.as_str()), (200, "{}"));
}

async fn check_patterns(program: &Program) {
    let search = "POST /logs/_search";
    let long = "a".repeat(1_001);
    for (pattern, told) in [
        ("((a{1000}){1000}){1000}", "cannot be used"),
        ("(((((a{10}){10}){10}){10}){10}){10}", "cannot be used"),
        ("[a-z]{500}[0-9]{500}(a|b|c){500}", ""),
        (&long, "exceed"),
        ("(", "failed to parse regexp"),
        ("a{2,1}", ""),
        ("a{99999999999}", ""),
    ] {
        let body = json!({ "query": { "regexp": { "text": pattern } } }).to_string();
        let reply = check_soon(program, search, body).await;
        if !told.is_empty() {
            check_refusal(pattern, &reply, 400, told);
        }
    }
    for query in [
        json!({ "regexp": { "text": "((a+)+)+b" } }),
        json!({ "regexp": { "text": "(a|aa)+$" } }),
        json!({ "regexp": { "text": ".*.*.*.*.*.*.*.*.*.*b" } }),
        json!({ "wildcard": { "text": "*a*a*a*a*a*a*a*a*a*a*a*b" } }),
        json!({ "wildcard": { "text": format!("{}b", "?*".repeat(300)) } }),
        json!({ "fuzzy": { "text": { "value": "aaaaaaaaaa", "fuzziness": 2, "max_expansions": 1_000 } } }),
        json!({ "prefix": { "text": "a" } }),
        json!({ "query_string": { "query": "*a*a*a*a*a* AND /(a+)+b/ AND aaaaaa~2" } }),
        json!({ "match_phrase_prefix": { "text": { "query": "rain a", "max_expansions": 100_000 } } }),
    ] {
        let reply = check_soon(program, search, json!({ "query": query }).to_string()).await;
        assert!([200, 400].contains(&reply.status), "{query}: {:.300}", reply.text);
    }
}

async fn check_aggregations(program: &Program) {
    let over_ages = json!({
        "field": "at",
        "calendar_interval": "year",
        "extended_bounds": { "min": "0001-01-01", "max": "9998-12-31" },
        "min_doc_count": 0,
    });
    let over_numbers = json!({
        "field": "number",
        "interval": 0.001,
        "extended_bounds": { "min": -1e15, "max": 1e15 },
    });
    for aggregation in [
        json!({ "date_histogram": { "field": "at", "fixed_interval": "1ms" } }),
        json!({ "date_histogram": { "field": "at", "fixed_interval": "1s", "min_doc_count": 0 } }),
        json!({ "histogram": over_numbers }),
        json!({ "date_histogram": over_ages, "aggs": { "b": { "histogram": over_numbers } } }),
    ] {
        let body = json!({ "size": 0, "aggs": { "a": aggregation } }).to_string();
        let reply = check_soon(program, "POST /logs/_search", body.clone()).await;
        check_refusal(&body, &reply, 503, "Trying to create too many buckets");
        assert!(reply.text.contains("too_many_buckets_exception"), "{body}: {:.500}", reply.text);
    }
    for (aggregation, told) in [
        (json!({ "date_histogram": { "field": "at", "fixed_interval": "0ms" } }), ""),
        (json!({ "date_histogram": { "field": "at", "fixed_interval": "-1d" } }), ""),
        (json!({ "histogram": { "field": "number", "interval": 0 } }), "interval"),
        (json!({ "terms": { "field": "number", "size": 0 } }), "size"),
        (json!({ "composite": { "sources": [], "size": 10 } }), ""),
        (json!({ "scripted_metric": { "map_script": "while (true) {}" } }), "scripted_metric"),
    ] {
        let body = json!({ "size": 0, "aggs": { "a": aggregation } }).to_string();
        check(program, "POST /logs/_search", body, 400, told).await;
    }
    let terms = |size: u64| json!({ "terms": { "field": "text.keyword", "size": size } });
    let large = json!({ "size": 0, "aggs": { "a": terms(1_000_000_000) } }).to_string();
    let large = check_soon(program, "POST /logs/_search", large).await;
    assert_eq!(large.status, 200, "{:.300}", large.text);
    let many = (0..1_000).map(|number| (format!("a{number}"), terms(1_000)));
    let many: serde_json::Map<String, Value> = many.collect();
    let many = json!({ "size": 0, "aggs": many }).to_string();
    let many = check_soon(program, "POST /logs/_search", many).await;
    check_refusal("a thousand aggregations", &many, 429, "circuit_breaking_exception");
}

/// Lets a thousand clients search at once: each is answered, or refused in OpenSearch's words.
async fn check_a_thousand_clients(program: &Program) {
    let search = json!({
        "size": 10,
        "query": { "query_string": { "query": "rain AND number:[100 TO 500]" } },
        "aggs": { "a": { "date_histogram": { "field": "at", "calendar_interval": "year" } } },
    })
    .to_string();
    let all_there = Arc::new(Barrier::new(CLIENTS));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let request = program.index_request("POST /logs/_search", search.clone());
        let all_there = Arc::clone(&all_there);
        clients.spawn(async move {
            all_there.wait().await;
            reply(request).await
        });
    }
    let sent = Instant::now();
    let (mut answered, mut refused) = (0, 0);
    while let Some(reply) = clients.join_next().await {
        let reply = reply.unwrap();
        if reply.status == 200 {
            answered += 1;
            assert_eq!(reply.json()["_shards"]["failed"], 0, "{:.300}", reply.text);
        } else {
            refused += 1;
            check_refusal("a client of a thousand", &reply, 429, "rejected execution of search");
            assert_eq!(reply.json()["error"]["type"], "rejected_execution_exception");
        }
    }
    tell(&format!(
        "{CLIENTS} clients at once: {answered} answered, {refused} refused, {:?}",
        sent.elapsed()
    ));
    // As many as run and wait, and those that come while these are answered.
    assert!(answered >= 300, "only {answered} were answered");
}

/// Sends a request and checks its refusal.
async fn check(
    program: &Program,
    call: &str,
    body: impl Into<reqwest::Body>,
    status: u16,
    told: &str,
) {
    let body = body.into();
    let shown = String::from_utf8_lossy(body.as_bytes().unwrap_or_default()).into_owned();
    let reply = check_soon(program, call, body).await;
    check_refusal(&format!("{call:.100} {shown:.100}"), &reply, status, told);
}

/// Checks that a refusal has its status, says why, and is in OpenSearch's form.
#[track_caller]
fn check_refusal(what: &str, reply: &Reply, status: u16, told: &str) {
    let shown = format!("{what} gets {} {:.500}", reply.status, reply.text);
    assert_eq!(reply.status, status, "{shown}");
    let answer = reply.json();
    assert_eq!(answer["status"], status, "{shown}");
    let error = &answer["error"];
    // The HTTP layer refuses with a plain text, everything else with a type and a reason.
    let is_plain = error.as_str().is_some_and(|told| !told.is_empty());
    let has_reason = error["reason"].as_str().is_some_and(|told| !told.is_empty());
    assert!(is_plain || (has_reason && error["type"].is_string()), "{shown}");
    assert!(reply.text.contains(told), "{told:?} is missing: {shown}");
}

/// Sends a request and checks that it is answered soon.
async fn check_soon(program: &Program, call: &str, body: impl Into<reqwest::Body>) -> Reply {
    let sent = Instant::now();
    let reply = program.index(call, body).await;
    assert!(sent.elapsed() < SOON, "{call:.100} after {:?}: {:.300}", sent.elapsed(), reply.text);
    reply
}

fn check_end(program: Program) {
    let memory = peak_memory_mib(&program);
    tell(&format!("the program held {memory} MiB at most"));
    assert!(memory < MEMORY_MAX_MIB, "it held {memory} MiB");
    let (status, log) = program.terminate();
    assert!(status.success() && !log.contains("panicked"), "{log}");
    // A simulated provider may be too late on a busy machine.
    let errors = log.lines().filter(|line| line.contains("\"level\":\"ERROR\""));
    let errors: Vec<&str> = errors.filter(|line| !line.contains("pampero_loader")).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[expect(clippy::print_stdout, reason = "what was measured is worth reading, and judged by nobody")]
fn tell(measured: &str) {
    println!("{measured}");
}

/// Asks for the weather all the while, on a thread of its own.
pub(crate) struct WeatherWatch {
    stop: CancellationToken,
    asking: JoinHandle<Vec<Duration>>,
}

impl WeatherWatch {
    /// Begins to ask.
    pub(crate) fn start(program: &Program) -> Self {
        let stop = CancellationToken::new();
        let (url, stopped) = (program.url("/weather/current"), stop.clone());
        let asking = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(ask_until(&url, &stopped))
        });
        Self { stop, asking }
    }

    /// Ends, checks that each answer was the weather, and tells how long they took.
    pub(crate) fn check(self, while_what: &str) {
        self.stop.cancel();
        let mut latencies = self.asking.join().expect("the weather is served all the while");
        latencies.sort_unstable();
        let count = latencies.len();
        assert!(count > 10, "the weather was asked for {count} times only");
        let (p99, longest) = (latencies[count * 99 / 100], latencies[count - 1]);
        tell(&format!("{while_what}: the weather {count} times, p99 {p99:?}, longest {longest:?}"));
    }
}

async fn ask_until(url: &str, stopped: &CancellationToken) -> Vec<Duration> {
    let client = pampero_providers::http_client_without_proxy("pampero-tests").unwrap();
    let mut latencies = Vec::new();
    while !stopped.is_cancelled() {
        let asked = Instant::now();
        let reply = reply(client.get(url)).await;
        latencies.push(asked.elapsed());
        assert_eq!(reply.status, 200, "{}", reply.text);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    latencies
}
