//! Redirects, and what is said about a connection that failed.

use pampero_providers::WeatherProvider;
use pampero_resilience::{Failure, FailureClass};
use pampero_weather::provider::ProviderId;

use crate::adapters::{buenos_aires, good_answer, open_meteo};
use crate::stand_in::{Play, StandIn};

fn redirect() -> Play {
    Play::answer(307, &[("location", "/moved")], "")
}

#[tokio::test]
async fn three_redirects_are_followed_and_no_more() {
    let answer = Play::answer(200, &[], good_answer(ProviderId::OpenMeteo));
    let mut plays = vec![redirect(); 3];
    plays.push(answer);
    let stand_in = StandIn::start(plays.clone()).await;
    assert!(open_meteo(stand_in.base_url()).current(&[buenos_aires()]).await.is_ok());
    assert_eq!(stand_in.seen().len(), 4);

    plays.insert(0, redirect());
    let stand_in = StandIn::start(plays).await;
    let error = open_meteo(stand_in.base_url()).current(&[buenos_aires()]).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Transient);
    assert_eq!(error.to_string(), "the connection failed while following a redirect");
    assert!(causes(&error).contains("redirects more than 3 times"), "{}", causes(&error));
    assert_eq!(stand_in.seen().len(), 4);
}

#[tokio::test]
async fn redirect_to_another_site_is_not_followed() {
    let elsewhere = StandIn::start(vec![Play::answer(200, &[], "{}")]).await;
    let location = elsewhere.base_url().as_str().replace("127.0.0.1", "localhost");
    let play = Play::answer(302, &[("location", &location)], "");
    let stand_in = StandIn::start(vec![play]).await;
    let error = open_meteo(stand_in.base_url()).current(&[buenos_aires()]).await.unwrap_err();
    assert!(causes(&error).contains("redirects to another site"), "{}", causes(&error));
    assert_eq!(elsewhere.seen().len(), 0, "the key stays at home");
}

#[tokio::test]
async fn failed_connection_says_what_we_were_doing() {
    let gone = StandIn::start(vec![Play::Reset]).await.base_url();
    check(gone, "connecting").await;
    let resetting = StandIn::start(vec![Play::Reset]).await;
    check(resetting.base_url(), "waiting for the answer").await;
    let cutting = StandIn::start(vec![Play::cut("{\"latitude\"")]).await;
    check(cutting.base_url(), "reading the answer").await;
}

async fn check(base_url: url::Url, during: &str) {
    let error = open_meteo(base_url).current(&[buenos_aires()]).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the connection failed while {during}"));
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
