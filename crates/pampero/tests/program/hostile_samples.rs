//! Remote writes made to hurt: the right status, soon, and never more memory than a good one takes.

use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Program, folder, hurried, now, peak_memory_mib, reply, simulator};
use crate::remote_write::{TimeSeries, body, compress, query, series, write};

/// Longest time for one request, on a busy machine.
const SOON: Duration = Duration::from_secs(5);
/// Most memory that the program may ever have held, in mebibytes.
const MEMORY_MAX_MIB: u64 = 250;
/// A size that no request may have, in bytes.
const HUGE: usize = 100 << 20;

#[tokio::test]
async fn hostile_remote_writes_are_refused_soon() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let program = Program::serve(folder.path(), &config, &[]).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    let now_ms = now().as_millisecond();

    let bomb_of_4_gib = [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xfe, 1, 0].repeat(1_000)].concat();
    check(&program, bomb_of_4_gib, 413, "bytes").await;
    check(&program, compress(&vec![0; 33 << 20]), 413, "bytes").await;
    check(&program, compress(&vec![0; 31 << 20]), 400, "WriteRequest").await;
    check(&program, vec![0xff; 100], 400, "snappy").await;
    check(&program, Vec::new(), 400, "snappy").await;
    let good = body(vec![labelled("good", &[(now_ms, 1.0)])]);
    check(&program, good[..good.len() - 3].to_vec(), 400, "snappy").await;
    check(&program, compress(&[0x0a, 0x7f, 1, 2, 3]), 400, "WriteRequest").await;
    check(&program, compress(b"{\"timeseries\": []}"), 400, "WriteRequest").await;
    // A million series without a single byte.
    check(&program, compress(&[0x0a, 0].repeat(1 << 20)), 400, "has no name").await;
    for (time, told) in
        [(i64::MAX, "future"), (i64::MIN, "past"), (now_ms + 86_400_000, "future"), (0, "past")]
    {
        check(&program, body(vec![labelled("absurd", &[(time, 1.0)])]), 400, told).await;
    }
    for (header, value) in [("content-type", "application/json"), ("content-encoding", "gzip")] {
        let request = program.request(Method::POST, "/prometheus/api/v1/write");
        let other = ("content-type", "application/x-protobuf");
        let request = if header == other.0 { request } else { request.header(other.0, other.1) };
        let reply = reply(request.header(header, value).body(good.clone())).await;
        assert_eq!(reply.status, 415, "{header}: {}", reply.text);
    }
    check_huge(&program, &format!("Content-Length: {HUGE}\r\n"), "").await;
    check_huge(&program, "Transfer-Encoding: chunked\r\n", &format!("{HUGE:x}\r\n")).await;

    let memory = peak_memory_mib(&program);
    assert!(memory < MEMORY_MAX_MIB, "it held {memory} MiB");
    assert_eq!(reply(write(&program, good)).await.status, 204, "a good one is taken as ever");
    assert_eq!(query(&program, "good").await.as_array().unwrap().len(), 1);
    assert_eq!(query(&program, "count_over_time(absurd[1h])").await.as_array().unwrap().len(), 0);
    assert_eq!(program.get("/weather/current").await.status, 200);
    let (status, log) = program.terminate();
    assert!(status.success() && !log.contains("panicked"), "{log}");
}

fn labelled(name: &str, samples: &[(i64, f64)]) -> TimeSeries {
    series(&[("__name__", name)], samples)
}

/// Sends a body and checks the status and what the answer says.
async fn check(program: &Program, body: Vec<u8>, status: u16, told: &str) {
    let sent = Instant::now();
    let length = body.len();
    let reply = reply(write(program, body)).await;
    let shown = format!("{length} bytes get {} {:.300}", reply.status, reply.text);
    assert!(sent.elapsed() < SOON, "after {:?}: {shown}", sent.elapsed());
    assert_eq!(reply.status, status, "{shown}");
    assert!(reply.text.contains(told), "{told:?} is missing: {shown}");
}

/// Sends a body that is far too large and checks that it is refused before it has come.
async fn check_huge(program: &Program, length: &str, before: &str) {
    let stream = TcpStream::connect(program.address()).await.unwrap();
    let (mut answer, mut question) = stream.into_split();
    let head = format!(
        "POST /prometheus/api/v1/write HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n{length}\r\n{before}"
    );
    let send = async {
        question.write_all(head.as_bytes()).await.unwrap();
        let part = vec![0; 1 << 20];
        for _ in 0..HUGE >> 20 {
            if question.write_all(&part).await.is_err() {
                // Nobody listens any more; what was said before can still be read.
                return std::future::pending().await;
            }
        }
    };
    let mut read = [0; 4096];
    let sent = Instant::now();
    tokio::select! {
        // The answer has come, and nothing more is sent.
        read_bytes = answer.read(&mut read) => {
            let text = String::from_utf8_lossy(&read[..read_bytes.unwrap()]).into_owned();
            assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
        }
        () = send => panic!("all of it was taken"),
    }
    assert!(sent.elapsed() < SOON, "after {:?}", sent.elapsed());
}
