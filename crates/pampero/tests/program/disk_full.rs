//! No room on the disk: the history stops with one clear error, the weather does not, and with room
//! it goes on.

use std::path::Path;
use std::process::Command;

use crate::harness::{PATIENCE, Program, folder, hurried, now, path_of, serve_command, simulator};
use crate::remote_write::{body, query, series, write};

/// Mounts a small disk on the folder `$1`.
const SMALL: &str = "mount -t tmpfs -o size=12m tmpfs \"$1\"";

#[tokio::test]
async fn history_stops_while_the_disk_is_full_and_the_weather_goes_on() {
    let simulator = simulator().await;
    let folder = folder();
    let history = "[metrics]\nscrape_interval = \"1s\"\n";
    let serve = serve_command(folder.path(), &hurried(&simulator, &["open_meteo"], history), &[]);
    let data = path_of(&folder, "data");
    std::fs::create_dir(&data).unwrap();
    let program = Program::start_command(on_disk_of_its_own(SMALL, &data, &serve)).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    send(&program, "before").await.unwrap();

    // The disk exists for the program alone, and is reached through its eyes.
    let root = format!("/proc/{}/root", program.process_id());
    let ballast = Path::new(&root).join(data.strip_prefix("/").unwrap()).join("ballast");
    fill(&ballast);
    let begun = std::time::Instant::now();
    let mut number = 0;
    // What is allocated already is used up first.
    while send(&program, &format!("filling_{number}")).await.is_ok() {
        number += 1;
        fill(&ballast);
        assert!(begun.elapsed() < PATIENCE, "there is still room");
    }
    let (status, text) = send(&program, "during").await.unwrap_err();
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("send them again later"), "{text}");
    for _ in 0..50 {
        let weather = program.get("/weather/current").await;
        assert_eq!(weather.status, 200, "{}", weather.text);
        assert!(send(&program, "during").await.is_err());
    }
    assert_eq!(query(&program, "count_over_time(before[1h])").await[0]["value"][1], "1");

    std::fs::remove_file(&ballast).unwrap();
    while let Err((status, text)) = send(&program, "after").await {
        assert_eq!(status, 503, "{text}");
        assert!(begun.elapsed() < PATIENCE, "it does not go on: {text}\n{}", program.log());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for (metric, expected) in [("before", 1), ("during", 0), ("after", 1)] {
        let kept = query(&program, &format!("count_over_time({metric}[1h])")).await;
        assert_eq!(kept.as_array().unwrap().len(), expected, "{metric}");
    }
    let (exit, log) = program.terminate();
    assert!(exit.success(), "{log}");
    let times = |message: &str| log.matches(message).count();
    assert_eq!(times("metric history is not kept until there is room"), 1, "{log}");
    assert_eq!(times("metric history is kept again"), 1, "{log}");
}

/// Sends samples of one series, large enough to need new pages on the disk.
async fn send(program: &Program, metric: &str) -> Result<(), (u16, String)> {
    let now_ms = now().as_millisecond();
    let label = "x".repeat(4_000);
    let sent = series(&[("__name__", metric), ("large", &label)], &[(now_ms, 1.0)]);
    let reply = crate::harness::reply(write(program, body(vec![sent]))).await;
    if reply.status == 204 { Ok(()) } else { Err((reply.status, reply.text)) }
}

/// Takes all the room that is left.
pub(crate) fn fill(ballast: &Path) {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(ballast).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
}

/// Returns a command that mounts something on a folder, for itself alone, and becomes `program` then.
pub(crate) fn on_disk_of_its_own(mount: &str, folder: &Path, program: &Command) -> Command {
    let mut command = Command::new("unshare");
    let script = format!("{mount} && shift && exec \"$@\"");
    command.args(namespace()).args(["sh", "-c", &script, "sh"]).arg(folder);
    command.arg(program.get_program()).args(program.get_args());
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

/// Returns how a mount of one's own is had here: as root, or in a user namespace.
fn namespace() -> &'static [&'static str] {
    const WAYS: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    let works = |way: &&[&str]| {
        let mount = ["sh", "-c", "mount -t tmpfs tmpfs /mnt"];
        Command::new("unshare").args(*way).args(mount).output().unwrap().status.success()
    };
    let found = WAYS.into_iter().find(works);
    found.expect("a small disk can be mounted; run the tests as root, or allow user namespaces")
}
