//! What each adapter sends.

use pampero_providers::open_meteo::{OpenMeteo, OpenMeteoConfig};
use pampero_providers::{Ask, WeatherProvider};
use pampero_weather::provider::ProviderId;

use crate::adapters::{
    CONTACT, KEY, USER_AGENT, adapter, ask, buenos_aires, client, clock_at, good_answer, now,
    open_meteo,
};
use crate::stand_in::{Play, Seen, StandIn};

async fn request_of(id: ProviderId) -> Seen {
    let stand_in = StandIn::start(vec![Play::answer(200, &[], good_answer(id))]).await;
    let _ = adapter(id, stand_in.base_url()).current(&[buenos_aires()]).await;
    stand_in.only_request()
}

#[track_caller]
fn check(seen: &Seen, path: &str, expected: &[(&str, &str)]) {
    assert_eq!((seen.method.as_str(), seen.path()), ("GET", path));
    let mut sent: Vec<(String, String)> = seen.parameters().into_iter().collect();
    sent.sort();
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (&**name, &**value)).collect();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(sent, expected);
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
    assert_eq!(seen.header("referer"), None);
}

#[tokio::test]
async fn open_meteo_is_asked_in_our_units() {
    let seen = request_of(ProviderId::OpenMeteo).await;
    let variables = "temperature_2m,relative_humidity_2m,precipitation,weather_code,pressure_msl,\
        cloud_cover,wind_speed_10m,wind_direction_10m,wind_gusts_10m,visibility";
    let parameters = [
        ("latitude", "-34.60372"),
        ("longitude", "-58.38159"),
        ("elevation", "25"),
        ("current", variables),
        ("wind_speed_unit", "ms"),
        ("timeformat", "unixtime"),
        ("forecast_days", "1"),
    ];
    check(&seen, "/base/v1/forecast", &parameters);
    assert_eq!(seen.header("x-api-key"), Some(KEY));
    assert_eq!(seen.header("user-agent"), Some(USER_AGENT));
}

#[tokio::test]
async fn met_norway_is_told_who_asks() {
    let seen = request_of(ProviderId::MetNorway).await;
    let parameters = [("lat", "-34.6037"), ("lon", "-58.3815"), ("altitude", "25")];
    check(&seen, "/base/weatherapi/locationforecast/2.0/complete", &parameters);
    let user_agent = format!("Pampero/{} {CONTACT}", env!("CARGO_PKG_VERSION"));
    assert_eq!(seen.header("user-agent"), Some(user_agent.as_str()));
    assert_eq!(seen.header("if-modified-since"), None);
}

#[tokio::test]
async fn openweathermap_is_asked_in_our_units() {
    let seen = request_of(ProviderId::OpenWeatherMap).await;
    let parameters =
        [("lat", "-34.603722"), ("lon", "-58.381592"), ("units", "metric"), ("appid", KEY)];
    check(&seen, "/base/data/2.5/weather", &parameters);
}

#[tokio::test]
async fn weatherstack_is_asked_in_metric_units() {
    let seen = request_of(ProviderId::Weatherstack).await;
    let parameters = [("access_key", KEY), ("query", "-34.603722,-58.381592"), ("units", "m")];
    check(&seen, "/base/current", &parameters);
}

fn many(count: usize) -> Vec<Ask> {
    (0..count).map(|index| ask(&format!("place-{index}"), -34.6, -58.4)).collect()
}

fn batch_answer(count: usize) -> Play {
    Play::answer(
        200,
        &[],
        format!("[{}]", vec![good_answer(ProviderId::OpenMeteo); count].join(",")),
    )
}

#[tokio::test]
async fn long_question_goes_into_the_body() {
    for (count, method) in [(2, "GET"), (100, "GET"), (101, "POST")] {
        let stand_in = StandIn::start(vec![batch_answer(count)]).await;
        let answers = open_meteo(stand_in.base_url()).current(&many(count)).await.unwrap();
        assert!(answers.iter().all(|answer| answer.outcome.is_ok()));
        let ids: Vec<String> = answers.iter().map(|answer| answer.place.to_string()).collect();
        assert_eq!(ids, (0..count).map(|index| format!("place-{index}")).collect::<Vec<_>>());
        let seen = stand_in.only_request();
        assert_eq!((seen.method.as_str(), seen.path()), (method, "/base/v1/forecast"));
        assert!(seen.target.len() < 5000, "{}", seen.target.len());
        assert_eq!(seen.header("x-api-key"), Some(KEY));
        let parameters = seen.parameters();
        for list in ["latitude", "longitude", "elevation"] {
            assert_eq!(parameters[list].split(',').count(), count, "{list}");
        }
    }
}

#[tokio::test]
async fn large_batch_may_be_larger_than_one_place() {
    let padding = " ".repeat(2 * 1024 * 1024);
    let one = good_answer(ProviderId::OpenMeteo);
    let play = Play::answer(200, &[], format!("[{one},{padding}{one}]"));
    let stand_in = StandIn::start(vec![play]).await;
    let answers = open_meteo(stand_in.base_url()).current(&many(2)).await;
    assert_eq!(answers.unwrap().len(), 2);

    let padding = " ".repeat(16 * 1024 * 1024);
    let play = Play::answer(200, &[], format!("[{one},{padding}{one}]"));
    let stand_in = StandIn::start(vec![play]).await;
    let error = open_meteo(stand_in.base_url()).current(&many(2)).await.unwrap_err();
    assert!(error.to_string().contains("larger than 16 MiB"), "{error}");
}

#[tokio::test]
async fn free_service_gets_no_key_and_has_its_allowance() {
    let stand_in = StandIn::start(vec![batch_answer(1)]).await;
    let config = OpenMeteoConfig { base_url: stand_in.base_url(), ..OpenMeteoConfig::default() };
    let own_server = OpenMeteo::new(config, client(), clock_at(now())).unwrap();
    own_server.current(&[buenos_aires()]).await.unwrap();
    assert_eq!(stand_in.only_request().header("x-api-key"), None);

    let free = OpenMeteo::new(OpenMeteoConfig::default(), client(), clock_at(now())).unwrap();
    let limits = |adapter: &OpenMeteo| {
        let defaults = &adapter.profile().defaults;
        (defaults.rate.is_some(), defaults.allowances.len(), defaults.concurrency.get())
    };
    assert_eq!(limits(&free), (true, 2, 1));
    assert_eq!(limits(&own_server), (false, 0, 4));
    assert_eq!(free.cost(&many(100)), 100);
    assert_eq!(free.cost(&many(1)), 1);
}
