//! What is wrong with a configuration, word for word.

use super::read;

/// Checks the remarks on `text` and `variables`, without the count at their end.
#[track_caller]
fn check(text: &str, variables: &[(&str, &str)], remarks: &[&str]) {
    let problems = read(text, variables).map(|loaded| loaded.effective).unwrap_err();
    let rendered = problems.to_string();
    let mut lines: Vec<&str> = rendered.lines().collect();
    let count = lines.pop().expect("the count is always there");
    assert_eq!(lines, remarks, "{rendered}");
    assert!(count.starts_with(&format!("{} problem", remarks.len())), "{count}");
}

#[test]
fn all_problems_are_told_together_in_the_order_of_the_file() {
    let text = "\
[server]
listen = \"localhost\"
body_limit = \"64kb\"

[polling]
interval = 15

[log]
format = \"humane\"
";
    check(
        text,
        &[("PAMPERO_STORE__EVENTS_MAX", "many")],
        &[
            "pampero.toml:2:10: server.listen: \"localhost\" is not an address; write an IP address and a port, as in 127.0.0.1:8000 or [::1]:8000",
            "pampero.toml:3:14: server.body_limit: \"64kb\" is not a size; write a number with its unit, as in 512B, 64KiB or 1MiB",
            "pampero.toml:6:12: polling.interval: 15 has no unit; write a number with its unit, as in 500ms, 10s, 15m or 1h 30m",
            "pampero.toml:9:10: log.format: \"humane\" is not known; did you mean human? Known are human, json",
            "PAMPERO_STORE__EVENTS_MAX: store.events_max: \"many\" is not a whole number; write a number from 100 to 100000000",
        ],
    );
}

#[test]
fn unknown_keys_are_refused_with_the_likely_one() {
    check(
        "[server]\nlisten_ = \"127.0.0.1:1\"\n",
        &[],
        &["pampero.toml:2:1: server.listen_: unknown key; did you mean listen?"],
    );
    check(
        "[polling]\nlisten = \"127.0.0.1:1\"\n",
        &[],
        &["pampero.toml:2:1: polling.listen: unknown key; did you mean server.listen?"],
    );
    check("[serve]\n", &[], &["pampero.toml:1:2: serve: unknown key; did you mean server?"]);
    check(
        "[providers.openmeteo]\nenabled = false\n",
        &[],
        &["pampero.toml:1:12: providers.openmeteo: unknown key; did you mean open_meteo?"],
    );
    check(
        "[open_meteo]\n",
        &[],
        &["pampero.toml:1:2: open_meteo: unknown key; did you mean providers.open_meteo?"],
    );
    check(
        "[store]\nzzz = 1\n",
        &[("PAMPERO_LOG__FORMATT", "json")],
        &[
            "pampero.toml:2:1: store.zzz: unknown key; known here are events_max, path",
            "PAMPERO_LOG__FORMATT: log.formatt: unknown key; did you mean format?",
        ],
    );
    check(
        "zzz = 1\n[[places]]\nname = \"Rosario\"\nlattitude = 1\n",
        &[],
        &[
            "pampero.toml:1:1: zzz: unknown key; known here are alerting, chain, host, log, logs, metrics, places, polling, providers, resilience, server, store, traces",
            "pampero.toml:4:1: places[0].lattitude: unknown key; did you mean latitude?",
        ],
    );
}

#[test]
fn text_that_is_not_toml_is_refused_with_its_line() {
    check(
        "[log]\nformat = json\n[store\n",
        &[],
        &[
            "pampero.toml:2:10: this is not TOML: string values must be quoted, expected literal string",
            "pampero.toml:3:7: this is not TOML: unclosed table, expected `]`",
        ],
    );
    check(
        "[log]\nfilter = \"info\"\nfilter = \"warn\"\n",
        &[],
        &["pampero.toml:3:1: this is not TOML: duplicate key"],
    );
}

#[test]
fn values_are_checked_by_their_kind() {
    check(
        "server = 1\nplaces = \"Rosario\"\n[providers]\nopen_meteo = true\n",
        &[],
        &[
            "pampero.toml:1:1: server: this is a table; write [server] and its keys below",
            "pampero.toml:2:1: places: this is a list; write [[places]] and the keys of a place below",
            "pampero.toml:4:1: providers.open_meteo: this is a table; write [providers.open_meteo] and its keys below",
        ],
    );
    check(
        "\
[server]
public_hosts = [\"weather.example.org\", \"https://weather.example.org\"]
cors_origins = [\"maps.example.org\"]
connections_max = 0
header_limit = \"1KiB\"
workers = 1.5
[store]
path = \"\"
[log]
filter = \"inf\"
[polling]
interval = \"0s\"
jitter = \"-5s\"
recheck = \"1000000h\"
[resilience]
breaker_failure_rate = 50
attempts_max = -1
[providers.open_meteo]
enabled = \"yes\"
base_url = \"https://user:marker-secret@host/\"
rate = \"600/fortnight\"
",
        &[],
        &[
            "pampero.toml:2:16: server.public_hosts: \"https://weather.example.org\" is not a host name; write a host name without scheme, port or path, as in weather.example.org",
            "pampero.toml:3:16: server.cors_origins: \"maps.example.org\" is not an origin; write scheme, host and perhaps a port, as in https://maps.example.org, or *",
            "pampero.toml:4:19: server.connections_max: 0 is out of range; write a number from 1 to 1000000",
            "pampero.toml:5:16: server.header_limit: \"1KiB\" is out of range; write a size from 8KiB to 1MiB",
            "pampero.toml:6:11: server.workers: 1.5 is not a whole number; write a number from 1 to 512",
            "pampero.toml:8:8: store.path: \"\" is not a path; write the path of a folder",
            "pampero.toml:10:10: log.filter: `inf` is no level; write off, error, warn, info, debug or trace, or `inf=debug` for a part of the program",
            "pampero.toml:12:12: polling.interval: \"0s\" is too short; write at least 100ms",
            "pampero.toml:13:10: polling.jitter: \"-5s\" is not a duration; write a number with its unit, as in 500ms, 10s, 15m or 1h 30m",
            "pampero.toml:14:11: polling.recheck: \"1000000h\" is too long; write at most 8784h",
            "pampero.toml:16:24: resilience.breaker_failure_rate: 50 is out of range; write a number from 0 to 1 (share)",
            "pampero.toml:17:16: resilience.attempts_max: -1 is out of range; write a number from 1 to 10000",
            "pampero.toml:19:11: providers.open_meteo.enabled: \"yes\" is not true or false; write true or false",
            "pampero.toml:20:12: providers.open_meteo.base_url: this is not the URL of a service; write http:// or https://, a host and perhaps a path, without user, query or fragment",
            "pampero.toml:21:8: providers.open_meteo.rate: \"600/fortnight\" is not a rate; write units per second, minute or hour, as in 600/minute, or none",
        ],
    );
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    let what = "the deadline of a call must be longer than attempt_timeout; otherwise a provider that hangs is never noticed";
    check(
        "[resilience]\ndeadline = \"10s\"\n",
        &[],
        &[&format!("pampero.toml:2:12: resilience.deadline: {what}")],
    );
    check(
        "[providers.met_norway]\nattempt_timeout = \"90s\"\n",
        &[],
        &[&format!("pampero.toml:2:19: providers.met_norway.attempt_timeout: {what}")],
    );
}

#[test]
fn secrets_are_refused_where_they_could_be_seen() {
    check(
        "[server]\nadmin_token = \"marker-secret\"\n[providers.weatherstack]\nkey = \"marker-secret\"\n",
        &[],
        &[
            "pampero.toml:2:1: server.admin_token: a secret does not belong here; put it into the variable PAMPERO_ADMIN_TOKEN, or into a file named by admin_token_file",
            "pampero.toml:4:1: providers.weatherstack.key: a secret does not belong here; put it into the variable PAMPERO_WEATHERSTACK_KEY, or into a file named by key_file",
        ],
    );
    check(
        "[providers.openweathermap]\nkey_env = \"0123456789abcdef\"\n",
        &[],
        &[
            "pampero.toml:2:11: providers.openweathermap.key_env: write the name of an environment variable in capital letters, not the secret itself",
        ],
    );
}

#[test]
fn secrets_that_cannot_be_used_are_refused() {
    check(
        "[providers.openweathermap]\nkey_env = \"OWM\"\n[providers.weatherstack]\nkey_file = \"keys/none\"\n",
        &[],
        &[
            "pampero.toml:2:11: providers.openweathermap.key_env: the variable OWM is not set; set it, or remove this key",
            "pampero.toml:4:12: providers.weatherstack.key: keys/none cannot be read: no such file",
        ],
    );
    check(
        "[providers.openweathermap]\nkey_env = \"OWM\"\nkey_file = \"keys/good\"\n[providers.weatherstack]\nkey_file = \"keys/short\"\n",
        &[("PAMPERO_ADMIN_TOKEN", "marker secret"), ("PAMPERO_OPEN_METEO_KEY_FILE", "keys/lines")],
        &[
            "pampero.toml:2:11: providers.openweathermap.key_env: write either key_env or key_file, not both",
            "pampero.toml:5:12: providers.weatherstack.key: the secret is shorter than 8 characters; choose a longer one",
            "PAMPERO_ADMIN_TOKEN: server.admin_token: the secret must be visible ASCII characters on one line, without spaces",
            "PAMPERO_OPEN_METEO_KEY_FILE: providers.open_meteo.key: the secret must be visible ASCII characters on one line, without spaces",
        ],
    );
}

#[test]
fn address_that_others_can_reach_needs_a_token() {
    let what = "server.listen: this address can be reached from other machines, so an admin token is needed; set the variable PAMPERO_ADMIN_TOKEN, or listen on 127.0.0.1";
    check("[server]\nlisten = \"0.0.0.0:8000\"\n", &[], &[&format!("pampero.toml:2:10: {what}")]);
    check(
        "",
        &[("PAMPERO_SERVER__LISTEN", "[::]:80")],
        &[&format!("PAMPERO_SERVER__LISTEN: {what}")],
    );
}

#[test]
fn chain_names_usable_providers_once() {
    check(
        "[chain]\norder = [\"open_meteo\", \"weatherstack\", \"met_norway\", \"open_meteo\"]\n[providers.met_norway]\nenabled = false\n",
        &[],
        &[
            "pampero.toml:2:9: chain.order: met_norway is not enabled; take it out, or remove providers.met_norway.enabled",
            "pampero.toml:2:9: chain.order: open_meteo is named twice; name each provider once",
            "pampero.toml:2:9: chain.order: weatherstack needs a key; set the variable PAMPERO_WEATHERSTACK_KEY, or write providers.weatherstack.key_file",
        ],
    );
    check(
        "[chain]\norder = []\n",
        &[],
        &["pampero.toml:2:9: chain.order: the chain is empty; name at least one provider"],
    );
    check(
        "",
        &[("PAMPERO_CHAIN__ORDER", "metnorway")],
        &[
            "PAMPERO_CHAIN__ORDER: chain.order: \"metnorway\" is not known; did you mean met_norway? Known are open_meteo, met_norway, openweathermap, weatherstack",
        ],
    );
    // A key that was named but cannot be read is one problem, not two.
    check(
        "[chain]\norder = [\"weatherstack\"]\n[providers.weatherstack]\nkey_file = \"keys/none\"\n",
        &[],
        &["pampero.toml:4:12: providers.weatherstack.key: keys/none cannot be read: no such file"],
    );
    check(
        "[providers.met_norway]\ncontact = \"\"\n",
        &[],
        &[
            "pampero.toml:2:11: providers.met_norway.contact: MET Norway wants to know whom to write to; write an e-mail address or the address of a web page",
        ],
    );
}

#[test]
fn places_are_checked() {
    check(
        "\
[[places]]
name = \"Rosario\"
latitude = -91
longitude = -60.7

[[places]]
name = \"Rosario\"

[[places]]
id = \"North Field\"
name = \"x\"

[[places]]
id = \"north-field\"

[[places]]
name = \"東京\"

[[places]]
name = \"Half\"
longitude = 1

[[places]]
name = \"Zone\"
elevation = 9001
time_zone = \"Argentina\"
",
        &[],
        &[
            "pampero.toml:3:12: places[0].latitude: -91 is out of range; write a number from -90 to 90 (degrees)",
            "pampero.toml:6:1: places[1]: places[0] has the id rosario already; give one of them another id",
            "pampero.toml:10:6: places[2].id: place id \"North Field\" must be 1 to 64 of a-z, 0-9, '-' and '_', beginning with a letter or digit",
            "pampero.toml:13:1: places[3]: this place has no name; write one, or an id with latitude and longitude",
            "pampero.toml:16:1: places[4]: no id can be made of this name; write one",
            "pampero.toml:19:1: places[5]: there is a longitude but no latitude; write both or neither",
            "pampero.toml:25:13: places[6].elevation: 9001 is out of range; write a number from -500 to 9000 (metres)",
            "pampero.toml:26:13: places[6].time_zone: time zone \"Argentina\" is not in the IANA time zone database; write a name such as Europe/Madrid",
        ],
    );
}

#[test]
fn variable_cannot_reach_into_a_list() {
    check(
        "[[places]]\nname = \"Rosario\"\n",
        &[("PAMPERO_PLACES__0__NAME", "Funes")],
        &["PAMPERO_PLACES__0__NAME: places is no table, so no variable can reach into it"],
    );
}

#[test]
fn no_problem_repeats_a_secret() {
    let marker = "marker-secret";
    let text = format!(
        "[server]\nadmin_token = \"{marker}\"\nadmin_token_env = \"{marker}\"\n\
         [providers.open_meteo]\nbase_url = \"https://h/?apikey={marker}\"\nkey = {marker}\n\
         [providers.weatherstack]\napi_key = \"{marker}\"\nkey = \"{marker}\n"
    );
    let problems = read(&text, &[("PAMPERO_SERVER__ADMIN_TOKEN", marker)]).unwrap_err();
    let rendered = problems.to_string();
    assert!(!rendered.contains("marker"), "{rendered}");
    assert!(6 < problems.remarks.len(), "{rendered}");
}

#[test]
fn targets_are_checked_key_by_key() {
    check(
        "\
[[metrics.targets]]
job = \"node\"

[[metrics.targets]]
job = \"node\"
url = \"http://127.0.0.1:9100/metrics\"
interval = \"5s\"
timeout = \"20s\"
labels = { __site = \"north\" }
drop = [\"go_(\"]
user = \"me\"
",
        &[],
        &[
            "pampero.toml:1:1: metrics.targets[0]: this target has no job or no url; write both",
            "pampero.toml:4:1: metrics.targets[1]: write a user and a password, or a token, or neither",
            "pampero.toml:8:11: metrics.targets[1].timeout: the timeout is longer than the interval; write a shorter one",
            "pampero.toml:9:10: metrics.targets[1].labels: \"__site\" cannot be a label; write letters, digits and _, no digit and no __ in front",
            "pampero.toml:10:8: metrics.targets[1].drop: \"go_(\" is no regular expression; write one, as in `go_.*`",
        ],
    );
}

#[test]
fn metrics_host_and_traces_are_checked() {
    check(
        "\
[metrics]
window = \"prometheus4\"
target = []

[host]
collectors = [\"cpus\"]
mount_points_exclude = \"(\"

[traces]
endpoint = \"127.0.0.1:4318\"
sample_ratio = 2
",
        &[],
        &[
            "pampero.toml:2:10: metrics.window: \"prometheus4\" is not known; did you mean prometheus2? Known are prometheus3, prometheus2",
            "pampero.toml:3:1: metrics.target: unknown key; did you mean targets?",
            "pampero.toml:6:14: host.collectors: \"cpus\" is no host collector; use one of arp, bonding, conntrack, cpu, cpufreq, diskstats, dmi, edac, entropy, filefd, filesystem, hwmon, loadavg, meminfo, netclass, netdev, netstat, nvme, os, powersupplyclass, pressure, schedstat, sockstat, softnet, stat, thermal_zone, time, udp_queues, uname, vmstat",
            "pampero.toml:7:24: host.mount_points_exclude: \"(\" is no regular expression",
            "pampero.toml:10:12: traces.endpoint: this is not the URL of a service; write http:// or https://, a host and perhaps a path, without user, query or fragment",
            "pampero.toml:11:16: traces.sample_ratio: 2 is out of range; write a number from 0 to 1 (share)",
        ],
    );
}
