//! What a person gets wrong: each time one clear message, no panic, no trace.

use crate::harness::{Program, folder, hurried, path_of, run, simulator};

#[test]
fn every_problem_of_a_configuration_is_told_at_once_with_its_line() {
    let folder = folder();
    let config = path_of(&folder, "pampero.toml");
    let text = "[server]\nlisten = \"8000\"\n\n[poling]\ninterval = \"15m\"\n\n[[places]]\nname = \"X\"\nlatitude = 95.0\nlongitude = 1.0\n";
    std::fs::write(&config, text).unwrap();
    let (code, stdout, stderr) = run(&["check", "--config", config.to_str().unwrap()], &[]);
    assert_eq!(code, 1, "{stdout}{stderr}");
    let told = format!("{stdout}{stderr}");
    for expected in [":2:", "server.listen", ":4:", "polling", ":9:", "95"] {
        assert!(told.contains(expected), "{expected:?} is not in {told}");
    }
    check_plain(&told);
    let (code, _, stderr) = run(&["serve", "--config", config.to_str().unwrap()], &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("server.listen") && stderr.contains(":9:"), "{stderr}");
}

#[test]
fn a_good_configuration_is_said_to_be_good() {
    let folder = folder();
    let config = path_of(&folder, "pampero.toml");
    std::fs::write(&config, "").unwrap();
    let (code, stdout, stderr) = run(&["check", "--config", config.to_str().unwrap()], &[]);
    assert_eq!(code, 0, "{stdout}{stderr}");
}

#[test]
fn a_missing_configuration_file_is_named() {
    let (code, _, stderr) = run(&["serve", "--config", "missing.toml"], &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("missing.toml"), "{stderr}");
    check_plain(&stderr);
}

#[test]
fn anything_but_loopback_needs_a_token() {
    let folder = folder();
    let data = path_of(&folder, "data");
    let arguments = ["serve", "--listen", "0.0.0.0:0", "--data", data.to_str().unwrap()];
    let (code, _, stderr) = run(&arguments, &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("PAMPERO_ADMIN_TOKEN"), "{stderr}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = folder();
    let file = path_of(&folder, "file");
    std::fs::write(&file, "").unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", file.to_str().unwrap()];
    let (code, _, stderr) = run(&arguments, &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("cannot be written"), "{stderr}");
    check_plain(&stderr);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = folder();
    let data = path_of(&folder, "data");
    let arguments = ["serve", "--listen", &address, "--data", data.to_str().unwrap()];
    let (code, _, stderr) = run(&arguments, &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains(&address) && stderr.contains("in use"), "{stderr}");
    check_plain(&stderr);
}

#[tokio::test]
async fn a_second_start_on_the_same_folder_is_refused() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let first = Program::serve(folder.path(), &config, &[]).await;
    let config_path = path_of(&folder, "pampero.toml");
    let data = path_of(&folder, "data");
    let arguments = [
        "serve",
        "--config",
        config_path.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
        "--data",
        data.to_str().unwrap(),
    ];
    let (code, _, stderr) = run(&arguments, &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("another Pampero"), "{stderr}");
    check_plain(&stderr);
    assert_eq!(first.get("/health/live").await.status, 200, "the first goes on");
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let program = Program::serve(folder.path(), &config, &[]).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    for (path, status, code) in [
        ("/weather/current?place=nowhere", 404, "unknown_place"),
        ("/weather/current?place=NOT%20A%20SLUG", 400, "place"),
        ("/weather/current?plac=jfk", 400, "plac"),
        ("/api/places/jfk/observations?limit=0", 400, "limit"),
        ("/api/places/jfk/observations?from=yesterday", 400, "from"),
        ("/api/events?kind=miracle", 400, "kind"),
        ("/nowhere", 404, "unknown_route"),
    ] {
        let reply = program.get(path).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{path}");
        assert!(reply.text.contains(code), "{path}: {}", reply.text);
    }
    let post = program.request(reqwest::Method::POST, "/weather/current");
    let reply = crate::harness::reply(post).await;
    assert_eq!((reply.status, reply.header("allow").is_some()), (405, true), "{reply:?}");
    let large = "x".repeat(1 << 20);
    let post = program.request(reqwest::Method::POST, "/api/places");
    let post = post.header("content-type", "application/json").body(large);
    assert_eq!(crate::harness::reply(post).await.status, 413);
    let (status, log) = program.terminate();
    assert!(status.success());
    check_plain(&log);
}

/// Checks that a message is for people: no panic, no trace, no debug form.
#[track_caller]
fn check_plain(text: &str) {
    for unwanted in ["panicked", "RUST_BACKTRACE", "stack backtrace", "Os {", "Error {"] {
        assert!(!text.contains(unwanted), "{unwanted:?} in {text}");
    }
}
