//! Allowances: a used-up one moves to the fallback, and a restart does not give it back.

use crate::harness::{Program, folder, hurried, simulator};
use pampero_weather::provider::ProviderId;

const KEY: &[(&str, &str)] = &[("PAMPERO_OPENWEATHERMAP_KEY", "a-key-for-the-tests")];

#[tokio::test]
async fn a_used_up_allowance_moves_to_the_fallback_and_survives_a_restart() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["openweathermap", "met_norway"], "");
    let config = config.replace(
        "[providers.openweathermap]\n",
        "[providers.openweathermap]\nquota_per_day = 3\nquota_per_month = 100\n",
    );
    let program = Program::serve(folder.path(), &config, KEY).await;
    let fell_back =
        |reply: &crate::harness::Reply| reply.status == 200 && reply.json()["role"] == "fallback";
    let reply = program.wait_until("/weather/current", fell_back).await;
    let why = reply.json()["fallback_reason"].as_str().unwrap().to_owned();
    assert!(why.contains("allowance of the day is used up"), "{why}");
    let asked = simulator.requests(ProviderId::OpenWeatherMap).total;
    assert_eq!(asked, 3);
    let status = program.get("/api/providers/openweathermap").await.json();
    assert_eq!(status["breaker"]["state"], "closed", "{status}");
    assert_eq!(status["quota"][0]["used"], 3, "{status}");
    program.kill();

    let again = Program::serve(folder.path(), &config, KEY).await;
    let reply = again.wait_until("/weather/current", fell_back).await;
    assert_eq!(reply.json()["provider"], "met_norway");
    let status = again.get("/api/providers/openweathermap").await.json();
    assert_eq!(status["quota"][0]["used"], 3, "{status}");
    assert_eq!(simulator.requests(ProviderId::OpenWeatherMap).total, asked, "nobody asked again");
}
