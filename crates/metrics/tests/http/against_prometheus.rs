//! The same samples and the same requests, here and at a real Prometheus 2.42: the same answers.

use http::StatusCode;

use crate::prometheus::Prometheus;
use crate::requests;
use crate::served::{Response, Served};

/// Differences that are meant: the beginning of the request as it is written, and why.
const MEANT: &[(&str, &str)] = &[
    (
        "GET /api/v1/series match[]={instance=~\"c.*\"}",
        "a dot in a regular expression is any character, line breaks too, as in Prometheus 3",
    ),
    (
        "POST /api/v1/series match[]={instance=~\"c.*\"}",
        "a dot in a regular expression is any character, line breaks too, as in Prometheus 3",
    ),
    ("HEAD /-/healthy", "the type is that of the body which a GET would have"),
];

/// What differs, or nothing.
fn difference(own: &Response, theirs: &Response) -> Option<String> {
    if own.status != theirs.status {
        return Some(format!("status {} and not {}", own.status, theirs.status));
    }
    for name in ["content-type", "allow"] {
        let (own, theirs) = (own.header(name), theirs.header(name));
        // Prometheus allows OPTIONS everywhere, which here is left to the edge.
        let theirs = theirs.replace("OPTIONS, ", "").replace(", OPTIONS", "");
        if own != theirs {
            return Some(format!("{name} {own:?} and not {theirs:?}"));
        }
    }
    let (own, theirs) = (comparable(own), comparable(theirs));
    (own != theirs).then(|| format!("the body\n  {own}\nand not\n  {theirs}"))
}

/// Returns the body without the place and the wording of a parse error, which are the parser's own.
fn comparable(response: &Response) -> String {
    let text = response.text();
    match text.split_once("parse error: ") {
        Some((before, _)) if response.status == StatusCode::BAD_REQUEST => {
            before.trim_end_matches(|place: char| " :0123456789".contains(place)).to_owned()
        }
        _ => text,
    }
}

fn is_meant(written: &str) -> bool {
    MEANT.iter().any(|(beginning, _)| written.starts_with(beginning))
}

#[tokio::test]
async fn answers_are_those_of_prometheus() {
    let served = Served::filled().await;
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let prometheus = Prometheus::start(client).await;
    let written = prometheus.ask(served.write_request()).await;
    assert_eq!(written.status, StatusCode::NO_CONTENT, "{}", written.text());

    let mut wrong = Vec::new();
    let raw = requests::RAW.iter().map(|uri| {
        let request = move || http::Request::get(*uri).body(Vec::new()).unwrap();
        (format!("GET {uri}"), request(), request())
    });
    let all = requests::all().into_iter().map(|asked| {
        let request = || asked.request(served.end_ms);
        (asked.written(), request(), request())
    });
    for (written, own, theirs) in all.chain(raw) {
        let own = served.ask(own).await;
        let theirs = prometheus.ask(theirs).await;
        match (difference(&own, &theirs), is_meant(&written)) {
            (Some(found), false) => wrong.push(format!("{written}: {found}")),
            (None, true) => wrong.push(format!("{written}: is the same by now")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}
