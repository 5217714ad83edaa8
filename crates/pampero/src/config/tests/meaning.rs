//! What a configuration means.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pampero_api::ServerConfig;
use pampero_loader::{PlaceDraft, PollingPolicy};
use pampero_providers::met_norway::{MetNorway, MetNorwayConfig};
use pampero_providers::open_meteo::{GeocoderConfig, OpenMeteo, OpenMeteoConfig};
use pampero_providers::openweathermap::{OpenWeatherMap, OpenWeatherMapConfig};
use pampero_providers::weatherstack::{Weatherstack, WeatherstackConfig};
use pampero_providers::{Allowance, Defaults, Profile, Rate, WeatherProvider, http_client};
use pampero_resilience::{Policy, QuotaLimit, QuotaWindow, RatePolicy, SystemClock};
use pampero_telemetry::logging::{Color, LogConfig, LogFormat};
use pampero_weather::place::Coordinates;
use pampero_weather::provider::ProviderId;
use secrecy::{ExposeSecret, SecretString};

use super::read;
use crate::config::{Config, Loaded, ProviderConfig};

#[track_caller]
fn loaded(text: &str, variables: &[(&str, &str)]) -> Loaded {
    match read(text, variables) {
        Ok(loaded) => loaded,
        Err(problems) => panic!("{problems}"),
    }
}

#[track_caller]
fn config(text: &str, variables: &[(&str, &str)]) -> Config {
    loaded(text, variables).config
}

fn provider(config: &Config, id: ProviderId) -> &ProviderConfig {
    &config.providers[&id]
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn empty_file_means_buenos_aires_by_two_providers_without_keys() {
    let Loaded { config, warnings, .. } = loaded("", &[]);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(format!("{:?}", config.server), format!("{:?}", ServerConfig::default()));
    assert_eq!(config.workers, None);
    assert_eq!(config.store.path, Path::new("./data"));
    assert_eq!(config.store.events_max, 100_000);
    assert_eq!(config.log, LogConfig::default());
    assert_eq!(config.polling.policy, PollingPolicy::default());
    assert_eq!(config.polling.places_max, 10_000);
    assert_eq!(config.places.configured, []);
    let buenos_aires = PlaceDraft {
        id: Some("buenos-aires".parse().unwrap()),
        name: Some("Buenos Aires".to_owned()),
        coordinates: Some(Coordinates::new(-34.6037, -58.3816).unwrap()),
        elevation_m: Some(25.0),
        time_zone: Some("America/Argentina/Buenos_Aires".to_owned()),
    };
    assert_eq!(config.places.default, Some(buenos_aires));
    assert_eq!(config.chain, [ProviderId::OpenMeteo, ProviderId::MetNorway]);
    assert_eq!(config.secrets().count(), 0);
}

#[test]
fn file_decides_over_the_defaults() {
    let text = "\
[server]
listen = \"127.0.0.1:9000\"
public_hosts = [\"Weather.Example.org\"]
body_limit = \"1MiB\"
workers = 2
[store]
path = \"weather\"
[log]
format = \"json\"
color = \"always\"
[polling]
interval = \"1h 30m\"
jitter = \"500ms\"
[chain]
order = [\"met_norway\"]
[providers.met_norway]
contact = \"weather@farm.example\"
rate = \"none\"
quota_per_day = 500
";
    let config = config(text, &[]);
    assert_eq!(config.server.listen, "127.0.0.1:9000".parse().unwrap());
    assert_eq!(config.server.public_hosts, ["weather.example.org"]);
    assert_eq!(config.server.body_limit, 1 << 20);
    assert_eq!(config.workers.map(usize::from), Some(2));
    assert_eq!(config.store.path, Path::new("weather"));
    assert_eq!((config.log.format, config.log.color), (LogFormat::Json, Color::Always));
    assert_eq!(config.polling.policy.interval, secs(5400));
    assert_eq!(config.polling.policy.jitter, Duration::from_millis(500));
    assert_eq!(config.chain, [ProviderId::MetNorway]);
    let met_norway = provider(&config, ProviderId::MetNorway);
    assert_eq!(met_norway.contact.as_deref(), Some("weather@farm.example"));
    assert_eq!(met_norway.policy.rate, None);
    assert_eq!(met_norway.policy.quota, [QuotaLimit { window: QuotaWindow::Day, units: 500 }]);
}

#[test]
fn environment_decides_over_the_file() {
    let config = config(
        "[server]\nlisten = \"127.0.0.1:9000\"\n[log]\nfilter = \"warn\"\n",
        &[
            ("PAMPERO_SERVER__LISTEN", "127.0.0.1:9001"),
            ("PAMPERO_SERVER__PUBLIC_HOSTS", "[\"a.example\", \"b.example\"]"),
            ("PAMPERO_SERVER__CORS_ORIGINS", "https://maps.example.org"),
            ("PAMPERO_SERVER__CONNECTIONS_MAX", "7"),
            ("PAMPERO_POLLING__INTERVAL", "10s"),
            ("PAMPERO_STORE__PATH", "2026"),
            ("PAMPERO_CHAIN__ORDER", "[\"met_norway\"]"),
            ("PAMPERO_PROVIDERS__OPEN_METEO__BASE_URL", "http://127.0.0.1:1/open_meteo"),
            ("PAMPERO_PROVIDERS__OPEN_METEO__ENABLED", "false"),
            ("PAMPERO_PLACES", "[{ name = \"Rosario\" }, { name = \"Funes\" }]"),
            ("PATH", "/bin"),
        ],
    );
    assert_eq!(config.server.listen, "127.0.0.1:9001".parse().unwrap());
    assert_eq!(config.server.public_hosts, ["a.example", "b.example"]);
    assert_eq!(config.server.cors_origins, ["https://maps.example.org"]);
    assert_eq!(config.server.connections_max, 7);
    assert_eq!(config.polling.policy.interval, secs(10));
    assert_eq!(config.store.path, Path::new("2026"));
    assert_eq!(config.log.filter.as_str(), "warn");
    assert_eq!(config.chain, [ProviderId::MetNorway]);
    let open_meteo = provider(&config, ProviderId::OpenMeteo);
    assert_eq!(open_meteo.base_url.as_str(), "http://127.0.0.1:1/open_meteo");
    assert!(!open_meteo.enabled);
    let names = config.places.configured.iter().map(|place| place.name.as_deref());
    assert_eq!(names.collect::<Vec<_>>(), [Some("Rosario"), Some("Funes")]);
}

#[test]
fn places_may_be_named_or_described() {
    let text = "\
[[places]]
name = \" Rosario \"

[[places]]
id = \"north-field\"
latitude = -32.9012
longitude = -60
elevation = 31
time_zone = \"America/Argentina/Cordoba\"
";
    let places = config(text, &[]).places;
    let rosario = PlaceDraft { name: Some("Rosario".to_owned()), ..PlaceDraft::default() };
    let field = PlaceDraft {
        id: Some("north-field".parse().unwrap()),
        name: None,
        coordinates: Some(Coordinates::new(-32.9012, -60.0).unwrap()),
        elevation_m: Some(31.0),
        time_zone: Some("America/Argentina/Cordoba".to_owned()),
    };
    assert_eq!(places.configured, [rosario, field]);
    assert_eq!(places.default, None);
}

#[test]
fn empty_list_of_places_means_no_place() {
    let places = config("places = []\n", &[]).places;
    assert_eq!((places.configured.len(), places.default), (0, None));
}

#[test]
fn provider_takes_its_own_limit_then_the_general_one_then_what_suits_it() {
    let text = "\
[polling]
stale_after = \"30m\"
[resilience]
backoff = \"7s\"
breaker_failures = 5
breaker_failure_rate = 0
concurrency = 2
slow_call = \"3s\"
[providers.weatherstack]
backoff = \"9s\"
slow_call = \"4s\"
breaker_failures = 6
stale_after = \"2h\"
";
    let config = config(text, &[]);
    let limits = |id| {
        let ProviderConfig { policy, stale_after, .. } = provider(&config, id);
        let failures = policy.breaker.consecutive_failures.get();
        (
            policy.retry.backoff,
            policy.retry.backoff_max,
            failures,
            policy.concurrency.get(),
            *stale_after,
        )
    };
    assert_eq!(limits(ProviderId::OpenMeteo), (secs(7), secs(600), 5, 2, secs(1800)));
    assert_eq!(limits(ProviderId::Weatherstack), (secs(9), secs(3600), 6, 2, secs(7200)));
    for provider in config.providers.values() {
        assert_eq!(provider.policy.breaker.failure_rate, None);
    }
    let slow_call = |id| provider(&config, id).policy.breaker.slow_call;
    assert_eq!(slow_call(ProviderId::OpenMeteo), Some(secs(3)));
    assert_eq!(slow_call(ProviderId::Weatherstack), Some(secs(4)));
}

#[test]
fn general_bound_of_the_wait_holds_for_every_provider() {
    let config = config("[resilience]\nbackoff_max = \"11s\"\n", &[]);
    for (id, own) in &config.providers {
        assert_eq!(own.policy.retry.backoff_max, secs(11), "{id}");
    }
}

#[test]
fn limits_that_nobody_wrote_suit_the_provider() {
    let config = config("", &[]);
    let general = Policy::default();
    for (id, own) in &config.providers {
        assert_eq!(own.policy.deadline, general.deadline, "{id}");
        assert_eq!(own.policy.breaker, general.breaker, "{id}");
        assert_eq!(own.policy.pause, general.pause, "{id}");
    }
    let rate = |units: u32, seconds| {
        let units = units.try_into().unwrap();
        Some(RatePolicy { units, per: secs(seconds), burst: units })
    };
    let open_meteo = &provider(&config, ProviderId::OpenMeteo).policy;
    assert_eq!(open_meteo.rate, rate(600, 60));
    let day = QuotaLimit { window: QuotaWindow::Day, units: 10_000 };
    let month = QuotaLimit { window: QuotaWindow::Month, units: 300_000 };
    assert_eq!(open_meteo.quota, [day, month]);
    assert_eq!(provider(&config, ProviderId::MetNorway).policy.rate, rate(20, 1));
    let weatherstack = &provider(&config, ProviderId::Weatherstack).policy;
    assert_eq!(weatherstack.quota, [QuotaLimit { window: QuotaWindow::Month, units: 100 }]);
}

#[test]
fn open_meteo_with_a_key_or_of_ones_own_has_no_free_allowance() {
    let paying = config("", &[("PAMPERO_OPEN_METEO_KEY", "marker-secret")]);
    let paying = provider(&paying, ProviderId::OpenMeteo);
    assert_eq!(paying.base_url.as_str(), "https://customer-api.open-meteo.com/");
    assert_eq!((&paying.policy.rate, paying.policy.quota.len()), (&None, 0));
    let own = config("[providers.open_meteo]\nbase_url = \"http://10.0.0.1:8080\"\n", &[]);
    let own = provider(&own, ProviderId::OpenMeteo);
    assert_eq!((&own.policy.rate, own.policy.quota.len()), (&None, 0));
}

#[track_caller]
fn check_key(text: &str, variables: &[(&str, &str)], key: Option<&str>) {
    let config = config(text, variables);
    let found = provider(&config, ProviderId::OpenWeatherMap).key.as_ref();
    assert_eq!(found.map(SecretString::expose_secret), key, "{text}");
}

#[test]
fn key_comes_from_a_variable_or_a_file() {
    check_key("", &[], None);
    check_key("", &[("PAMPERO_OPENWEATHERMAP_KEY", "key-by-default")], Some("key-by-default"));
    check_key("", &[("PAMPERO_OPENWEATHERMAP_KEY", "")], None);
    check_key("", &[("PAMPERO_OPENWEATHERMAP_KEY_FILE", "keys/good")], Some("key-from-file"));
    let named = "[providers.openweathermap]\nkey_env = \"OWM\"\n";
    check_key(
        named,
        &[("OWM", "key-by-name"), ("PAMPERO_OPENWEATHERMAP_KEY", "key-by-default")],
        Some("key-by-name"),
    );
    check_key("[providers.openweathermap]\nkey_file = \"keys/good\"\n", &[], Some("key-from-file"));
    check_key(
        "",
        &[("PAMPERO_PROVIDERS__OPENWEATHERMAP__KEY_FILE", "keys/good")],
        Some("key-from-file"),
    );
}

#[test]
fn all_secrets_are_known_to_the_redactor() {
    let config = config(
        "[server]\nlisten = \"0.0.0.0:80\"\n",
        &[
            ("PAMPERO_ADMIN_TOKEN", "secret-0"),
            ("PAMPERO_OPEN_METEO_KEY", "secret-1"),
            ("PAMPERO_OPENWEATHERMAP_KEY", "secret-2"),
            ("PAMPERO_WEATHERSTACK_KEY_FILE", "keys/good"),
        ],
    );
    let mut secrets: Vec<&str> = config.secrets().map(SecretString::expose_secret).collect();
    secrets.sort_unstable();
    assert_eq!(secrets, ["key-from-file", "secret-0", "secret-1", "secret-2"]);
    assert!(!format!("{config:?}").contains("secret-"), "{config:?}");
}

#[test]
fn no_color_is_obeyed_unless_the_configuration_says_otherwise() {
    let asked = [("NO_COLOR", "1")];
    assert_eq!(config("", &asked).log.color, Color::Never);
    assert_eq!(config("", &[("NO_COLOR", "")]).log.color, Color::Auto);
    assert_eq!(config("[log]\ncolor = \"always\"\n", &asked).log.color, Color::Always);
}

#[track_caller]
fn check_warnings(text: &str, variables: &[(&str, &str)], warnings: &[&str]) {
    assert_eq!(loaded(text, variables).warnings, warnings);
}

#[test]
fn what_is_hardly_meant_is_a_warning() {
    let http = "[providers.weatherstack]\nbase_url = \"http://api.weatherstack.com\"\n";
    let key = ("PAMPERO_WEATHERSTACK_KEY", "marker-secret");
    let warning = "pampero.toml:2:12: providers.weatherstack.base_url: the key travels in clear text over http; use https if the key allows it";
    check_warnings(http, &[key], &[warning]);
    check_warnings(http, &[], &[]);
    let local = "[providers.weatherstack]\nbase_url = \"http://127.0.0.1:9\"\n";
    check_warnings(local, &[key], &[]);
    check_warnings(
        "",
        &[("PAMPERO_SERVER_LISTEN", "127.0.0.1:1"), ("PAMPERO_PORT", "tcp://10.0.0.1:8000")],
        &["PAMPERO_SERVER_LISTEN: this variable is not read; write PAMPERO_SERVER__LISTEN"],
    );
}

#[test]
fn effective_configuration_tells_origins_and_no_secrets() {
    let text = "[server]\nlisten = \"127.0.0.1:9000\"\n[[places]]\nname = \"Rosario\"\n";
    let variables = [
        ("PAMPERO_LOG__FORMAT", "json"),
        ("PAMPERO_ADMIN_TOKEN", "marker-secret"),
        ("PAMPERO_OPENWEATHERMAP_KEY", "marker-secret"),
    ];
    let effective = loaded(text, &variables).effective;
    for line in [
        "listen = \"127.0.0.1:9000\"  # pampero.toml:2",
        "# admin_token: set",
        "format = \"json\"  # PAMPERO_LOG__FORMAT",
        "name = \"Rosario\"  # pampero.toml:4",
        "# latitude is not set",
        "# key: not set",
    ] {
        assert!(effective.lines().any(|one| one == line), "{line} in {effective}");
    }
    assert!(!effective.contains("marker"), "{effective}");
    // What is printed can be read again, and means the same.
    let again = loaded(&effective, &variables[1..]).config;
    assert_eq!(format!("{again:?}"), format!("{:?}", loaded(text, &variables).config));
}

/// Compares the limits of a provider with those its adapter starts from.
#[track_caller]
fn check_limits(config: &Config, adapter: &dyn WeatherProvider) {
    let Profile { id, batch_max, defaults, .. } = adapter.profile();
    let own = provider(config, *id);
    let policy = &own.policy;
    let rate = policy.rate.as_ref().map(|rate| Rate { units: rate.units, per: rate.per });
    let allowances =
        policy.quota.iter().map(|limit| Allowance { window: limit.window, units: limit.units });
    let limits = Defaults {
        stale_after: own.stale_after,
        attempt_timeout: policy.attempt_timeout,
        backoff: policy.retry.backoff,
        backoff_max: policy.retry.backoff_max,
        concurrency: policy.concurrency,
        rate,
        allowances: allowances.collect(),
    };
    assert_eq!((&limits, own.batch_max), (defaults, *batch_max), "{id}");
}

#[test]
fn limits_are_those_the_adapters_start_from() {
    let http = http_client("Pampero").unwrap();
    let clock = Arc::new(SystemClock);
    let config = config("", &[]);
    let contact = provider(&config, ProviderId::MetNorway).contact.clone().unwrap();
    let key = || SecretString::from("marker-secret");
    let open_meteo = OpenMeteoConfig::default();
    let adapters: [Box<dyn WeatherProvider>; 4] = [
        Box::new(OpenMeteo::new(open_meteo.clone(), http.clone(), clock.clone()).unwrap()),
        Box::new(
            MetNorway::new(MetNorwayConfig::new(contact), http.clone(), clock.clone()).unwrap(),
        ),
        Box::new(
            OpenWeatherMap::new(OpenWeatherMapConfig::new(key()), http.clone(), clock.clone())
                .unwrap(),
        ),
        Box::new(
            Weatherstack::new(WeatherstackConfig::new(key()), http.clone(), clock.clone()).unwrap(),
        ),
    ];
    for adapter in &adapters {
        check_limits(&config, adapter.as_ref());
    }
    let geocoding = provider(&config, ProviderId::OpenMeteo).geocoding_url.clone();
    assert_eq!(geocoding, Some(GeocoderConfig::default().search_url));
    let base = |id| provider(&config, id).base_url.clone();
    assert_eq!(base(ProviderId::OpenMeteo), open_meteo.base_url);
    assert_eq!(base(ProviderId::MetNorway), MetNorwayConfig::new("a.example").base_url);
    assert_eq!(base(ProviderId::OpenWeatherMap), OpenWeatherMapConfig::new(key()).base_url);
    assert_eq!(base(ProviderId::Weatherstack), WeatherstackConfig::new(key()).base_url);
}

#[test]
fn limits_of_a_paying_customer_are_those_the_adapter_starts_from() {
    let http = http_client("Pampero").unwrap();
    let config = config("", &[("PAMPERO_OPEN_METEO_KEY", "marker-secret")]);
    let customer = OpenMeteoConfig::for_customer(SecretString::from("marker-secret"));
    assert_eq!(provider(&config, ProviderId::OpenMeteo).base_url, customer.base_url);
    check_limits(&config, &OpenMeteo::new(customer, http, Arc::new(SystemClock)).unwrap());
}

#[test]
fn targets_mean_what_was_written() {
    use pampero_metrics::Credentials;

    let text = "\
[[metrics.targets]]
job = \"node\"
url = \"http://10.0.0.7:9100/metrics\"
interval = \"1m\"
labels = { site = \"north\" }
params = { collect = \"cpu\" }
drop = [\"go_.*\"]
token_env = \"NODE_TOKEN\"
";
    let loaded = read(text, &[("NODE_TOKEN", "a-long-secret")]).unwrap();
    let secrets = loaded.config.secrets().count();
    let [target] = &loaded.config.metrics.history.targets[..] else { panic!("one target") };
    assert_eq!(
        (target.job.as_str(), target.url.as_str()),
        ("node", "http://10.0.0.7:9100/metrics")
    );
    assert_eq!(target.interval.as_secs(), 60);
    assert_eq!(target.labels.get("site"), Some("north"));
    assert_eq!(target.params, [("collect".to_owned(), "cpu".to_owned())]);
    assert_eq!(target.metric_relabel.len(), 1);
    assert!(matches!(target.credentials, Some(Credentials::Bearer(_))));
    assert_eq!(secrets, 1, "the log has to know the token");
    assert!(!loaded.effective.contains("a-long-secret"));
}

#[test]
fn own_metrics_are_told_apart_by_the_address_of_the_listener() {
    let instance =
        |text: &str| read(text, &[]).unwrap().config.metrics.history.self_scrape.unwrap().instance;
    assert_eq!(instance(""), "127.0.0.1:8000");
    assert_eq!(instance("[server]\nlisten = \"127.0.0.1:9\"\n"), "127.0.0.1:9");
    assert_eq!(instance("[metrics]\ninstance = \"farm\"\n"), "farm");
}
