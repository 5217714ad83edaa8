//! MET Norway: kept answers, conditional requests, and the hours in between.

use jiff::Timestamp;
use pampero_providers::met_norway::{MetNorway, MetNorwayConfig};
use pampero_providers::{Answer, Ask, CachedAnswer, ConfigError, WeatherProvider};
use pampero_resilience::{Failure, FailureClass};
use pampero_weather::observation::{Observation, Quantity};
use pampero_weather::provider::ProviderId;
use url::Url;

use crate::adapters::{buenos_aires, client, clock_at, instant, met_norway, now};
use crate::stand_in::{Play, Seen, StandIn};

const COMPLETE: &str = include_str!("../../fixtures/met_norway/complete.json");
const UPDATED: &str = include_str!("../../fixtures/met_norway/updated.json");
/// A date in a form that nobody would write anew: it has to go back as it came.
const LAST_MODIFIED: &str = "Monday, 21-Sep-26 12:34:26 GMT";
const EXPIRES: &str = "Mon, 21 Sep 2026 13:50:00 GMT";

fn fresh(body: &str) -> Play {
    Play::answer(200, &[("Last-Modified", LAST_MODIFIED), ("Expires", EXPIRES)], body)
}

fn unchanged() -> Play {
    Play::answer(304, &[("Expires", "Mon, 21 Sep 2026 14:50:00 GMT")], "")
}

/// Asks once at `at`, with what was kept; returns the answer and the request.
async fn ask_at(at: &str, play: Play, cached: Option<CachedAnswer>) -> (Answer, Seen) {
    let stand_in = StandIn::start(vec![play]).await;
    let ask = Ask { cached, ..buenos_aires() };
    let asked = met_norway(stand_in.base_url(), instant(at)).current(&[ask]).await;
    let answer = asked.expect("the service answers").remove(0);
    (answer, stand_in.only_request())
}

fn value(observation: &Observation, quantity: Quantity) -> Option<f64> {
    observation.readings.get(quantity)
}

async fn kept_at_13_20() -> CachedAnswer {
    let (answer, _) = ask_at("2026-09-21T13:20:00Z", fresh(COMPLETE), None).await;
    answer.cache.expect("an answer to keep")
}

#[tokio::test]
async fn answer_is_kept_with_its_terms() {
    let cache = kept_at_13_20().await;
    assert_eq!(cache.fetched_at, instant("2026-09-21T13:20:00Z"));
    assert_eq!(cache.expires_at, Some(instant("2026-09-21T13:50:00Z")));
    assert_eq!(cache.last_modified.as_deref(), Some(LAST_MODIFIED));
    assert!(cache.body.len() < 1000, "{}", cache.body);
}

#[tokio::test]
async fn kept_answer_replays_until_it_expires() {
    let adapter = met_norway("http://127.0.0.1:9/".parse().unwrap(), now());
    let ask = Ask { cached: Some(kept_at_13_20().await), ..buenos_aires() };
    let replay = |at: &str| adapter.replay(&ask, instant(at));
    let answer = replay("2026-09-21T13:49:59Z").expect("a replay");
    let observation = answer.outcome.expect("an observation");
    assert_eq!(observation.observed_at, instant("2026-09-21T13:00:00Z"));
    assert_eq!(observation.fetched_at, instant("2026-09-21T13:20:00Z"));
    assert_eq!(answer.cache, None);
    assert!(replay("2026-09-21T13:50:00Z").is_none());
    assert!(adapter.replay(&buenos_aires(), now()).is_none());
}

#[tokio::test]
async fn replay_goes_on_to_the_next_step() {
    let adapter = met_norway("http://127.0.0.1:9/".parse().unwrap(), now());
    let expires_at = Some(instant("2026-09-21T15:00:00Z"));
    let cached = Some(CachedAnswer { expires_at, ..kept_at_13_20().await });
    let ask = Ask { cached, ..buenos_aires() };
    let answer = adapter.replay(&ask, instant("2026-09-21T14:10:00Z")).expect("a replay");
    let observation = answer.outcome.expect("an observation");
    assert_eq!(observation.observed_at, instant("2026-09-21T14:00:00Z"));
    assert_eq!(value(&observation, Quantity::Temperature), Some(9.9));
    assert_eq!(value(&observation, Quantity::Precipitation), Some(0.3), "of the hour before");
}

#[tokio::test]
async fn unchanged_forecast_is_confirmed() {
    let kept = kept_at_13_20().await;
    let (answer, seen) = ask_at("2026-09-21T14:10:00Z", unchanged(), Some(kept.clone())).await;
    assert_eq!(seen.header("if-modified-since"), Some(LAST_MODIFIED));
    let observation = answer.outcome.expect("an observation");
    assert_eq!(observation.observed_at, instant("2026-09-21T14:00:00Z"));
    assert_eq!(observation.fetched_at, kept.fetched_at, "confirmed is not fetched");
    assert_eq!(value(&observation, Quantity::Precipitation), Some(0.3));
    let expires_at = Some(instant("2026-09-21T14:50:00Z"));
    assert_eq!(answer.cache, Some(CachedAnswer { expires_at, ..kept }));
}

#[tokio::test]
async fn new_forecast_keeps_the_hour_before() {
    let kept = kept_at_13_20().await;
    let (answer, _) = ask_at("2026-09-21T14:10:00Z", fresh(UPDATED), Some(kept)).await;
    let observation = answer.outcome.expect("an observation");
    assert_eq!(observation.fetched_at, instant("2026-09-21T14:10:00Z"));
    assert_eq!(value(&observation, Quantity::Temperature), Some(10.3));
    assert_eq!(value(&observation, Quantity::Precipitation), Some(0.3));

    let (answer, _) = ask_at("2026-09-21T14:10:00Z", fresh(UPDATED), None).await;
    let observation = answer.outcome.expect("an observation");
    assert_eq!(value(&observation, Quantity::Precipitation), None, "nobody knows it any more");
}

#[tokio::test]
async fn kept_answer_that_cannot_serve_is_fetched_anew() {
    let kept = kept_at_13_20().await;
    let over = "2026-09-21T19:30:00Z";
    check_unconditional(over, kept.clone()).await;
    let body = kept.body.replace("-34.6037", "-34.6038");
    check_unconditional("2026-09-21T14:10:00Z", CachedAnswer { body, ..kept.clone() }).await;
    let body = "unreadable".to_owned();
    check_unconditional("2026-09-21T14:10:00Z", CachedAnswer { body, ..kept.clone() }).await;
    let last_modified = Some("no\nheader".to_owned());
    check_unconditional("2026-09-21T14:10:00Z", CachedAnswer { last_modified, ..kept }).await;
}

async fn check_unconditional(at: &str, cached: CachedAnswer) {
    let (_, seen) = ask_at(at, fresh(COMPLETE), Some(cached)).await;
    assert_eq!(seen.header("if-modified-since"), None);
}

#[tokio::test]
async fn unchanged_without_anything_kept_is_malformed() {
    let stand_in = StandIn::start(vec![unchanged()]).await;
    let asked = met_norway(stand_in.base_url(), now()).current(&[buenos_aires()]).await;
    let error = asked.expect_err("nothing to confirm");
    assert_eq!(error.class(), FailureClass::Malformed);
}

#[tokio::test]
async fn deprecated_product_is_valid_but_never_conditional() {
    let headers = [("Last-Modified", LAST_MODIFIED), ("Expires", EXPIRES)];
    let play = Play::answer(203, &headers, COMPLETE);
    let (answer, _) = ask_at("2026-09-21T13:20:00Z", play, None).await;
    assert!(answer.outcome.is_ok());
    let cache = answer.cache.expect("an answer to keep");
    assert_eq!(cache.last_modified, None);
    assert_eq!(cache.expires_at, Some(instant("2026-09-21T13:50:00Z")));
}

#[tokio::test]
async fn strange_expiry_freezes_nothing() {
    let expiry = async |text: &str| {
        let play = Play::answer(200, &[("Expires", text)], COMPLETE);
        let (answer, _) = ask_at("2026-09-21T13:20:00Z", play, None).await;
        answer.cache.expect("an answer to keep").expires_at
    };
    let in_a_day = instant("2026-09-22T13:20:00Z");
    assert_eq!(expiry("Fri, 21 Sep 2096 13:50:00 GMT").await, Some(in_a_day));
    assert_eq!(expiry("0").await, None);
}

#[test]
fn contact_is_required() {
    for (contact, allowed) in [
        ("ops@example.org", true),
        ("https://example.org/weather", true),
        ("", false),
        ("  ", false),
        ("me", false),
        ("ops@example.org\nX-Other: 1", false),
        ("oöps@example.org", false),
    ] {
        let config = MetNorwayConfig::new(contact);
        let built = MetNorway::new(config, client(), clock_at(now()));
        let refused = built.err();
        let expected = (!allowed).then_some(ConfigError::Contact(ProviderId::MetNorway));
        assert_eq!(refused, expected, "{contact:?}");
    }
}

#[test]
fn base_url_is_checked_by_every_constructor() {
    let base_url: Url = "https://api.example.org/?key=1".parse().unwrap();
    let config = MetNorwayConfig { base_url, ..MetNorwayConfig::new("ops@example.org") };
    let refused = MetNorway::new(config, client(), clock_at(Timestamp::UNIX_EPOCH)).err();
    assert_eq!(refused, Some(ConfigError::BaseUrl(ProviderId::MetNorway)));
}
