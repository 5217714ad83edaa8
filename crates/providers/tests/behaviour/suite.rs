//! One table of what a service may do, over all adapters.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use pampero_resilience::Failure;
use pampero_resilience::FailureClass::{self, Auth, Malformed, RateLimited, Transient};
use pampero_weather::provider::ProviderId;
use url::Url;

use crate::adapters::{KEY, KEY_IN_ADDRESS, adapter, ask, buenos_aires, good_answer, now};
use crate::stand_in::{Play, StandIn};

const MEBIBYTE: usize = 1024 * 1024;

#[tokio::test]
async fn good_answer_becomes_an_observation() {
    for id in ProviderId::ALL {
        check_answered(id, Play::answer(200, &[], good_answer(id))).await;
    }
}

#[tokio::test]
async fn compressed_answer_becomes_an_observation() {
    for id in ProviderId::ALL {
        let body = gzip(good_answer(id).as_bytes());
        check_answered(id, Play::answer(200, &[("content-encoding", "gzip")], body)).await;
    }
}

async fn check_answered(id: ProviderId, play: Play) {
    let stand_in = StandIn::start(vec![play]).await;
    let ask = buenos_aires();
    let answers = adapter(id, stand_in.base_url()).current(std::slice::from_ref(&ask)).await;
    let answers = answers.unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_eq!(answers.len(), 1, "{id}");
    assert_eq!(answers[0].place, ask.place.id);
    let observation = answers[0].outcome.as_ref().unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_eq!((observation.provider, observation.fetched_at), (id, now()));
    assert!(observation.readings.temperature.is_some(), "{id}");
    assert!(observation.condition.is_some(), "{id}");
    assert_eq!(stand_in.seen().len(), 1, "{id} makes one attempt");
}

#[tokio::test]
async fn refused_identity_is_told() {
    check_all(|_| Play::answer(401, &[], "{}"), Auth, None).await;
    check_all(|_| Play::answer(403, &[], "<html><title>No</title>"), Auth, None).await;
}

#[tokio::test]
async fn wait_that_is_asked_for_is_told() {
    let seconds = |_| Play::answer(429, &[("Retry-After", "120")], "{}");
    check_all(seconds, RateLimited, Some(120)).await;
    let date = |_| Play::answer(429, &[("retry-after", "Mon, 21 Sep 2026 14:22:00 GMT")], "{}");
    check_all(date, RateLimited, Some(90)).await;
    check_all(|_| Play::answer(429, &[], "{}"), RateLimited, None).await;
}

#[tokio::test]
async fn server_error_is_transient() {
    check_all(|_| Play::answer(503, &[], "<html><title>Busy</title>"), Transient, None).await;
    check_all(|_| Play::answer(500, &[("retry-after", "9")], ""), Transient, Some(9)).await;
}

#[tokio::test]
async fn lost_connection_is_transient() {
    check_all(|_| Play::Reset, Transient, None).await;
    check_all(|_| Play::Bytes(Vec::new()), Transient, None).await;
    check_all(|id| Play::cut(&good_answer(id)[..200]), Transient, None).await;
}

#[tokio::test]
async fn redirect_without_end_is_transient() {
    check_all(|_| Play::answer(302, &[("location", "/again")], ""), Transient, None).await;
}

#[tokio::test]
async fn answer_that_cannot_be_read_is_malformed() {
    check_all(|_| Play::answer(200, &[], "<html><title>Log in</title>"), Malformed, None).await;
    check_all(|_| Play::answer(200, &[], ""), Malformed, None).await;
    check_all(|_| Play::answer(204, &[], ""), Malformed, None).await;
    check_all(|_| Play::answer(200, &[], "[]"), Malformed, None).await;
    check_all(|_| Play::answer(200, &[], "{\"temp\": \u{1}"), Malformed, None).await;
    check_all(|id| Play::answer(200, &[], &good_answer(id)[..200]), Malformed, None).await;
    let no_gzip = |_| Play::answer(200, &[("content-encoding", "gzip")], "not compressed");
    check_all(no_gzip, Malformed, None).await;
}

#[tokio::test]
async fn too_large_an_answer_is_malformed() {
    let padded = |id| format!("{}{}", good_answer(id), " ".repeat(MEBIBYTE));
    check_all(|id| Play::answer(200, &[], padded(id)), Malformed, None).await;
    // What counts is the size after decompression.
    let bomb = |id| {
        let body = gzip(padded(id).as_bytes());
        assert!(body.len() < 10_000);
        Play::answer(200, &[("content-encoding", "gzip")], body)
    };
    check_all(bomb, Malformed, None).await;
}

#[tokio::test]
async fn refused_connection_is_transient() {
    // A port that was free a moment ago, and that nobody listens on any more.
    let base_url = StandIn::start(vec![Play::Reset]).await.base_url();
    for id in ProviderId::ALL {
        check(id, base_url.clone(), Transient, None).await;
    }
}

#[tokio::test]
async fn echoed_key_is_not_passed_on() {
    let echo = format!("no {KEY} at ?appid={KEY_IN_ADDRESS}");
    // MET Norway has no key, and so none to hide.
    for id in ProviderId::ALL.into_iter().filter(|id| *id != ProviderId::MetNorway) {
        for (status, body, class) in
            [(401, &echo, Auth), (500, &echo, Transient), (200, &format!("{KEY:?}"), Malformed)]
        {
            let stand_in = StandIn::start(vec![Play::answer(status, &[], body)]).await;
            check(id, stand_in.base_url(), class, None).await;
        }
    }
}

#[tokio::test]
async fn weatherstack_fails_for_a_place_that_it_knows() {
    let failed = include_str!("../../fixtures/weatherstack/refused_failed.json");
    let id = ProviderId::Weatherstack;
    let good = Play::answer(200, &[], good_answer(id));
    let stand_in = StandIn::start(vec![good, Play::answer(200, &[], failed)]).await;
    let adapter = adapter(id, stand_in.base_url());
    assert!(adapter.current(&[buenos_aires()]).await.is_ok());
    let known = adapter.current(&[buenos_aires()]).await.expect_err("it fails");
    assert_eq!(known.class(), Transient);
    let unknown = adapter.current(&[ask("nowhere", 0.0, 0.0)]).await.expect_err("it fails");
    assert_eq!(unknown.class(), FailureClass::NotCovered);
}

#[tokio::test]
async fn several_places_are_refused_where_one_is_the_limit() {
    let asks = [buenos_aires(), buenos_aires()];
    for id in ProviderId::ALL.into_iter().filter(|id| *id != ProviderId::OpenMeteo) {
        let stand_in = StandIn::start(vec![Play::Reset]).await;
        let adapter = adapter(id, stand_in.base_url());
        assert_eq!(adapter.profile().batch_max, 1);
        let error = adapter.current(&asks).await.expect_err("two places in one call");
        assert_eq!(error.class(), FailureClass::BadRequest, "{id}");
        assert_eq!(stand_in.seen().len(), 0, "{id} asks nothing");
    }
}

#[tokio::test]
async fn no_place_needs_no_call() {
    for id in ProviderId::ALL {
        let stand_in = StandIn::start(vec![Play::Reset]).await;
        let answers = adapter(id, stand_in.base_url()).current(&[]).await;
        assert_eq!(answers.expect("nothing can fail").len(), 0);
        assert_eq!(stand_in.seen().len(), 0, "{id} asks nothing");
    }
}

/// Checks what every adapter makes of the same behaviour.
async fn check_all(play: impl Fn(ProviderId) -> Play, class: FailureClass, wait_s: Option<u64>) {
    for id in ProviderId::ALL {
        let stand_in = StandIn::start(vec![play(id)]).await;
        check(id, stand_in.base_url(), class, wait_s).await;
    }
}

async fn check(id: ProviderId, base_url: Url, class: FailureClass, wait_s: Option<u64>) {
    let answers = adapter(id, base_url.clone()).current(&[buenos_aires()]).await;
    // What fails for the only place of a batch is a failure all the same.
    let failed = answers.and_then(|mut answers| answers.remove(0).outcome.map(|_| ()));
    let error = failed.expect_err("the attempt fails");
    let seen = (error.class(), error.retry_after());
    assert_eq!(seen, (class, wait_s.map(Duration::from_secs)), "{id}: {error}");
    assert_shows_no_secret(&error, &base_url);
}

#[track_caller]
fn assert_shows_no_secret(error: &pampero_providers::ProviderError, base_url: &Url) {
    let mut shown = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        shown.push_str(&error.to_string());
        cause = error.source();
    }
    for secret in [KEY, KEY_IN_ADDRESS, base_url.path()] {
        assert!(!shown.contains(secret), "{secret} stands in {shown}");
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}
