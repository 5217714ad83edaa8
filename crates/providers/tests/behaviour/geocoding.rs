//! Looking places up.

use pampero_providers::open_meteo::{FoundPlace, Geocoder, GeocoderConfig, Located};
use pampero_resilience::{Failure, FailureClass};
use pampero_weather::place::Coordinates;

use crate::adapters::{KEY, client, clock_at, now};
use crate::stand_in::{Play, StandIn};

const HITS: &str = include_str!("../../fixtures/open_meteo/geocoding_hits.json");
const MISS: &str = include_str!("../../fixtures/open_meteo/geocoding_miss.json");
const LOCATED: &str = include_str!("../../fixtures/open_meteo/located.json");
const REFUSED: &str = include_str!("../../fixtures/open_meteo/refused_latitude.json");

fn geocoder(stand_in: &StandIn) -> Geocoder {
    let base_url = stand_in.base_url();
    let config = GeocoderConfig {
        search_url: base_url.clone(),
        forecast_url: base_url,
        key: Some(KEY.into()),
    };
    Geocoder::new(config, client(), clock_at(now())).unwrap()
}

#[tokio::test]
async fn name_finds_places() {
    let stand_in = StandIn::start(vec![Play::answer(200, &[], HITS)]).await;
    let found = geocoder(&stand_in).search("Pampa, La Pampa", 200, Some("es")).await.unwrap();
    let pampa_alta = FoundPlace {
        name: "Pampa Alta".to_owned(),
        coordinates: Coordinates::new(-37.1, -64.3).unwrap(),
        elevation_m: Some(140.0),
        time_zone: Some("America/Argentina/Salta".to_owned()),
        country: Some("Argentina".to_owned()),
        country_code: Some("AR".to_owned()),
        admin1: Some("La Pampa".to_owned()),
        population: Some(5300),
    };
    let on_the_equator = FoundPlace {
        name: "Pampa del Mar".to_owned(),
        coordinates: Coordinates::new(0.0, 9.5).unwrap(),
        elevation_m: None,
        time_zone: Some("Africa/Libreville".to_owned()),
        country: None,
        country_code: None,
        admin1: None,
        population: None,
    };
    assert_eq!(found, [pampa_alta, on_the_equator], "a latitude of 95° is no place");
    let seen = stand_in.only_request();
    assert_eq!(seen.path(), "/base/v1/search");
    assert_eq!(seen.header("x-api-key"), Some(KEY));
    let parameters = seen.parameters();
    for (name, value) in
        [("name", "Pampa, La Pampa"), ("count", "100"), ("language", "es"), ("format", "json")]
    {
        assert_eq!(parameters[name], value);
    }
}

#[tokio::test]
async fn name_without_a_match_finds_nothing() {
    let stand_in = StandIn::start(vec![Play::answer(200, &[], MISS)]).await;
    assert_eq!(geocoder(&stand_in).search("Nowhere", 0, None).await.unwrap(), []);
    let parameters = stand_in.only_request().parameters();
    assert_eq!(parameters["count"], "1");
    assert!(!parameters.contains_key("language"));
}

#[tokio::test]
async fn position_has_height_and_zone() {
    let stand_in = StandIn::start(vec![Play::answer(200, &[], LOCATED)]).await;
    let coordinates = Coordinates::new(-34.603_722, -58.381_592).unwrap();
    let located = geocoder(&stand_in).locate(coordinates).await.unwrap();
    let time_zone = "America/Argentina/Buenos_Aires".to_owned();
    assert_eq!(located, Located { elevation_m: Some(25.0), time_zone });
    let seen = stand_in.only_request();
    assert_eq!(seen.path(), "/base/v1/forecast");
    let parameters = seen.parameters();
    for (name, value) in
        [("latitude", "-34.60372"), ("longitude", "-58.38159"), ("timezone", "auto")]
    {
        assert_eq!(parameters[name], value);
    }
}

#[tokio::test]
async fn failed_look_up_has_a_class() {
    check(Play::answer(400, &[], REFUSED), FailureClass::BadRequest).await;
    check(Play::answer(429, &[], "{}"), FailureClass::RateLimited).await;
    check(Play::answer(503, &[], ""), FailureClass::Transient).await;
    check(Play::answer(200, &[], "<html>"), FailureClass::Malformed).await;
    check(Play::Reset, FailureClass::Transient).await;
}

async fn check(play: Play, class: FailureClass) {
    let stand_in = StandIn::start(vec![play]).await;
    let geocoder = geocoder(&stand_in);
    let error = geocoder.search("Rosario", 10, None).await.expect_err("no answer");
    assert_eq!(error.class(), class, "{error}");
    let position = Coordinates::new(0.0, 0.0).unwrap();
    let error = geocoder.locate(position).await.expect_err("no answer");
    assert_eq!(error.class(), class, "{error}");
}
