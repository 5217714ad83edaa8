//! `pampero logs` against a running program.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use crate::harness::{PATIENCE, Program, command, folder, hurried, run, simulator};
use crate::logs::{produce_errors, wait_until_all_errors_are_counted};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_searched_and_followed_from_a_terminal() {
    let simulator = simulator().await;
    let folder = folder();
    let config =
        hurried(&simulator, &["open_meteo", "met_norway"], "[logs]\nfold_after = 1000000\n");
    let program = Program::serve(folder.path(), &config, &[]).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    produce_errors(&program, &simulator).await;
    let errors = wait_until_all_errors_are_counted(&program).await as usize;
    let servers =
        [program.url("/opensearch"), format!("http://{}", program.index_address().unwrap())];
    for server in &servers {
        let ask =
            |arguments: &[&str]| run(&[&["logs", "--server", server][..], arguments].concat(), &[]);
        let (code, stdout, stderr) = ask(&["level:error", "--since", "1h", "-n", "1000"]);
        assert_eq!((code, stdout.lines().count(), stderr.as_str()), (0, errors, ""), "{stdout}");
        assert!(stdout.lines().all(|line| line.contains("  ERROR  loader ")), "{stdout}");
        assert!(!stdout.contains('\u{1b}'), "colours are for terminals: {stdout:?}");
        let times: Vec<&str> =
            stdout.lines().map(|line| line.split("  ").next().unwrap()).collect();
        assert!(times.is_sorted(), "the newest is last: {times:?}");

        let (code, stdout, _) =
            ask(&["level:error", "--since", "1h", "-n", "2", "--output", "json"]);
        let shown: Vec<Value> =
            stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((code, shown.len()), (0, 2), "{stdout}");
        assert!(shown.iter().all(|document| document["level"] == "ERROR"), "{stdout}");
        assert_eq!(shown[1]["timestamp"], *times.last().unwrap());

        let never = ask(&["level:error", "--since", "2100-01-01T00:00:00Z"]);
        assert_eq!(never, (0, String::new(), String::new()));
        for (arguments, told) in [
            (&["level:("][..], "the search is refused: Failed to parse query [level:(]"),
            (
                &["level:error AND"],
                "the search is refused: Failed to parse query [level:error AND]",
            ),
            (
                &["timestamp:[now TO"],
                "the search is refused: Failed to parse query [timestamp:[now TO]",
            ),
            (&["timestamp:2026-13-45"], "failed to parse date field [2026-13-45]"),
            (&["timestamp:[2026-02-30 TO *]"], "failed to parse date field [2026-02-30]"),
            (&["*", "--since", "yesterday"], "--since \"yesterday\" is neither"),
            (&["*", "--since", "2026-13-45"], "--since \"2026-13-45\" is neither"),
            (&["*", "--index", "wether_logs"], "404 Not Found: no such index [wether_logs]"),
            (&["*", "-n", "10001"], "--limit 10001 is too many lines"),
        ] {
            let (code, stdout, stderr) = ask(arguments);
            assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}: {stderr}");
            assert!(
                stderr.contains(told) && !stderr.contains("panicked"),
                "{arguments:?}: {stderr}"
            );
        }
    }
    let following = Following::start(&["level:error", "--server", &servers[0]]);
    for _ in 0..errors.min(50) {
        following.next();
    }
    produce_errors(&program, &simulator).await;
    let line = following.next();
    assert!(line.contains("  ERROR  loader "), "{line}");
    let (exit, log) = program.terminate();
    assert!(exit.success(), "{log}");
    let (code, stdout, stderr) = run(&["logs", "*", "--server", &servers[0]], &[]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("nobody answers at") && stderr.contains("pampero serve"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_not_there_yet_is_told_and_is_no_error() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "[logs]\nfilter = \"off\"\n");
    let program = Program::serve(folder.path(), &config, &[]).await;
    let deleted = program.index("DELETE /weather_logs-*", "").await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    let server = program.url("/opensearch");
    let (code, stdout, stderr) = run(&["logs", "--server", &server], &[]);
    let told =
        format!("note: there is no weather_logs at {server}, so nothing was logged there yet\n");
    assert_eq!((code, stdout.as_str(), stderr), (0, "", told));
}

/// A `pampero logs --follow` that runs, and the lines that it shows.
struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    fn start(arguments: &[&str]) -> Self {
        let mut command = command(&[&["logs", "--follow"][..], arguments].concat(), &[]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // Nobody reads on once the test has seen enough.
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a further line is shown")
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
