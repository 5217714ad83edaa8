//! How the log index is set up: whether there is one, where it listens, who may change it, and what
//! of that a person can get wrong.

use crate::harness::{
    Program, command, folder, hurried, path_of, reply, run, serve_command, simulator,
};

const TOKEN: &str = "a-token-of-the-tests";

#[tokio::test]
async fn without_the_index_nothing_is_kept() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "[logs]\nenabled = false\n");
    let program = Program::serve(folder.path(), &config, &[]).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    for path in ["/opensearch", "/opensearch/", "/opensearch/weather_logs/_search"] {
        let reply = program.get(path).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text);
    }
    assert_eq!(program.index_address(), None, "{}", program.log());
    let metrics = program.get("/metrics").await.text;
    assert!(!metrics.contains("pampero_logs_events_total"), "nothing is made for nobody");
    let (status, log) = program.terminate();
    assert!(status.success(), "{log}");
    for name in ["data/logs", "data/logs-buffer"] {
        assert!(!path_of(&folder, name).exists(), "{name} was made");
    }
}

#[tokio::test]
async fn the_index_can_do_without_a_listener_of_its_own() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "[logs]\nlistener = false\n");
    let program = Program::serve(folder.path(), &config, &[]).await;
    assert_eq!(program.index_address(), None, "{}", program.log());
    check_below_opensearch(&program).await;
}

#[tokio::test]
async fn a_port_in_use_that_nobody_chose_is_told_and_done_without() {
    // Where it cannot be had somebody else has it, which is as good.
    let _taken = std::net::TcpListener::bind("127.0.0.1:9200");
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let mut serve = serve_command(folder.path(), &config, &[]);
    serve.env_remove("PAMPERO_LOGS__LISTEN");
    let program = Program::start_command(serve).await;
    let log = program.log();
    let told = log.lines().find(|line| line.contains("something else listens"));
    let told = told.unwrap_or_else(|| panic!("it is not told: {log}"));
    assert!(told.contains("\"level\":\"WARN\"") && told.contains("127.0.0.1:9200"), "{told}");
    assert_eq!(program.index_address(), None);
    check_below_opensearch(&program).await;
}

#[test]
fn a_port_in_use_that_was_chosen_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = folder();
    let data = path_of(&folder, "data");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let (code, _, stderr) = run(&arguments, &[("PAMPERO_LOGS__LISTEN", &address)]);
    assert_eq!(code, 1, "{stderr}");
    for expected in [&*address, "in use", "logs.listen"] {
        assert!(stderr.contains(expected), "{expected:?} is not in {stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[tokio::test]
async fn changes_over_the_index_need_the_admin_token() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let token = [("PAMPERO_ADMIN_TOKEN", TOKEN)];
    let program = Program::serve(folder.path(), &config, &token).await;
    let bulk = "{\"index\":{\"_index\":\"mine\"}}\n{\"a\":1}\n";
    for (call, body) in [
        ("PUT /mine", ""),
        ("PUT /mine/_doc/1", "{\"a\":1}"),
        ("POST /mine/_doc", "{\"a\":1}"),
        ("POST /mine/_update/1", "{\"doc\":{\"a\":2}}"),
        ("POST /_bulk", bulk),
        ("POST /mine/_bulk", bulk),
        ("PUT /mine/_mapping", "{\"properties\":{\"b\":{\"type\":\"long\"}}}"),
        ("PUT /mine/_settings", "{\"index\":{\"refresh_interval\":\"5s\"}}"),
        ("PUT /_index_template/mine", "{\"index_patterns\":[\"mine*\"]}"),
        ("POST /_aliases", "{\"actions\":[{\"add\":{\"index\":\"mine\",\"alias\":\"ours\"}}]}"),
        ("POST /mine/_delete_by_query", "{\"query\":{\"match_all\":{}}}"),
        ("DELETE /mine/_doc/1", ""),
        ("DELETE /mine", ""),
    ] {
        check_refused(&program, call, body).await;
        let allowed = reply(program.index_request(call, body).basic_auth("any", Some(TOKEN))).await;
        // A document may have gone with the query before; what counts is that it was looked for.
        assert!([200, 201, 404].contains(&allowed.status), "{call}: {}", allowed.text);
    }
    let with_token = program.index_request("PUT /mine/_doc/2?refresh=true", "{\"a\":1}");
    let with_token = reply(with_token.bearer_auth(TOKEN)).await;
    assert_eq!(with_token.status, 201, "{}", with_token.text);
    for (call, body) in [
        ("GET /", ""),
        ("GET /mine/_doc/2", ""),
        ("POST /mine/_search", "{\"query\":{\"match_all\":{}}}"),
        ("POST /mine/_count", ""),
        ("POST /_msearch", "{\"index\":\"mine\"}\n{}\n"),
        ("GET /_cat/indices", ""),
    ] {
        let read = program.index(call, body).await;
        assert_eq!(read.status, 200, "{call} changes nothing: {}", read.text);
    }
    let below = program.request(reqwest::Method::DELETE, "/opensearch/mine");
    assert_eq!(reply(below).await.status, 401);
    assert!(!program.log().contains(TOKEN));
}

/// Sends a change without the token, and with wrong ones.
async fn check_refused(program: &Program, call: &str, body: &'static str) {
    let request = || program.index_request(call, body);
    for refused in [
        request(),
        request().basic_auth("any", Some("thing")),
        request().basic_auth(TOKEN, Some("")),
        request().bearer_auth("wrong"),
    ] {
        let refused = reply(refused).await;
        assert_eq!((refused.status, refused.text.as_str()), (401, "Unauthorized"), "{call}");
        let challenge = refused.header("www-authenticate");
        assert_eq!(challenge, Some("Basic realm=\"OpenSearch Security\""), "{call}");
    }
}

async fn check_below_opensearch(program: &Program) {
    let info = program.get("/opensearch").await;
    assert_eq!(info.status, 200, "{}", info.text);
    assert_eq!(info.json()["version"]["distribution"], "opensearch");
    let counted = program.get("/opensearch/weather_logs/_count").await;
    assert_eq!(counted.status, 200, "{}", counted.text);
    let has_documents = |reply: &crate::harness::Reply| reply.json()["count"].as_u64() > Some(0);
    program.wait_until("/opensearch/weather_logs/_count", has_documents).await;
}

#[test]
fn problems_of_the_log_index_are_told_with_their_lines() {
    let text = "[logs]\n\
        retention = \"1h\"\n\
        size_max = \"1KiB\"\n\
        filter = \"loud\"\n\
        fold_after = 0\n\
        writer_memory = \"1MiB\"\n\
        body_limit = \"many\"\n\
        searches_max = 0\n\
        listener = \"yes\"\n\
        lisen = \"127.0.0.1:9200\"\n\
        queue_max = -1\n";
    let keys = [
        "retention",
        "size_max",
        "filter",
        "fold_after",
        "writer_memory",
        "body_limit",
        "searches_max",
        "listener",
        "listen",
        "queue_max",
    ];
    let told = check_wrong(text, &[]);
    for (number, key) in keys.iter().enumerate() {
        let line = format!("pampero.toml:{}", number + 2);
        let named = told.lines().any(|told| told.contains(&line) && told.contains(key));
        assert!(named, "{key} is not told with {line}: {told}");
    }
}

#[test]
fn problems_of_the_cluster_are_told() {
    check_cluster("url = \"search.example.org\"", "url");
    check_cluster("url = \"ftp://search.example.org\"", "write http:// or https://");
    check_cluster("url = \"https://me:word@search.example.org\"", "without user");
    check_cluster("url = \"https://search.example.org/?a=b\"", "query or fragment");
    check_cluster(
        "url = \"https://search.example.org\"\nindex = \"Upper\"",
        "cannot begin the name",
    );
    check_cluster("url = \"https://search.example.org\"\nbatch_max = 0", "batch_max");
    check_cluster("url = \"https://search.example.org\"\nbuffer_max = \"1KiB\"", "buffer_max");
    check_cluster("url = \"https://search.example.org\"\ntimeout = \"soon\"", "timeout");
    check_cluster("instead = true", "write its url");
    check_cluster("url = \"https://search.example.org\"\npassword = \"secret\"", "password");
    let named = "[logs.opensearch]\nurl = \"https://search.example.org\"\n";
    let told = check_wrong(named, &[("PAMPERO_OPENSEARCH_PASSWORD", "a-password")]);
    assert!(told.contains("a password needs a user name"), "{told}");
    assert!(!told.contains("a-password"), "{told}");
}

#[test]
fn an_address_of_the_index_that_others_reach_needs_a_token() {
    let told = check_wrong("[logs]\nlisten = \"0.0.0.0:9200\"\n", &[]);
    assert!(told.contains("PAMPERO_ADMIN_TOKEN"), "{told}");
}

#[track_caller]
fn check_cluster(text: &str, expected: &str) {
    let told = check_wrong(&format!("[logs.opensearch]\n{text}\n"), &[]);
    assert!(told.contains(expected), "{expected:?} is not in {told}");
    assert!(!told.contains("me:word") && !told.contains("\"secret\""), "{told}");
}

/// Checks that a configuration is refused in words for people, and returns them.
#[track_caller]
fn check_wrong(text: &str, environment: &[(&str, &str)]) -> String {
    let folder = folder();
    let config = path_of(&folder, "pampero.toml");
    std::fs::write(&config, text).unwrap();
    let mut check = command(&["check", "--config", config.to_str().unwrap()], environment);
    let output = check.env_remove("PAMPERO_LOGS__LISTEN").output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8(told).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}: {told}");
    for unwanted in ["panicked", "RUST_BACKTRACE", "Error {"] {
        assert!(!told.contains(unwanted), "{unwanted:?} in {told}");
    }
    told
}
