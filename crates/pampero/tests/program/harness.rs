//! Starts the program, reads its log and talks to it over HTTP.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pampero_simulator::{RunningSimulator, Simulator, SimulatorConfig};
use pampero_weather::provider::ProviderId;
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Longest wait for anything that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running program with its own data folder.
pub(crate) struct Program {
    child: Child,
    address: String,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    client: reqwest::Client,
}

/// An answer of the program.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Program {
    /// Starts `pampero` with these arguments and variables and waits until it listens.
    pub(crate) async fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_command(command(arguments, environment)).await
    }

    /// Starts a command that becomes `pampero` and waits until it listens.
    pub(crate) async fn start_command(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let written = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut log = written.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let client = pampero_providers::http_client_without_proxy("pampero-tests").unwrap();
        let mut program = Self { child, address: String::new(), log, reader: Some(reader), client };
        program.address = program.wait_for_address().await;
        program
    }

    /// Starts `pampero serve` on a configuration in `folder`, which also keeps the data.
    pub(crate) async fn serve(folder: &Path, config: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_command(serve_command(folder, config, environment)).await
    }

    async fn wait_for_address(&mut self) -> String {
        let begun = Instant::now();
        loop {
            if let Some(address) = self.address_in_log() {
                return address;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the program ended with {status}:\n{}", self.log());
            }
            assert!(begun.elapsed() < PATIENCE, "it does not listen:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn address_in_log(&self) -> Option<String> {
        self.address_told_with("listening")
    }

    fn address_told_with(&self, message: &str) -> Option<String> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut told = lines.filter(|line| line["message"] == message);
        told.find_map(|line| line["fields"]["address"].as_str().map(str::to_owned))
    }

    /// Returns where the log index listens for OpenSearch's clients, as `host:port`; `None` when it
    /// has no listener of its own.
    pub(crate) fn index_address(&self) -> Option<String> {
        // It is told before the address of the API, which was waited for.
        self.address_told_with("the log index listens")
    }

    /// Asks the log index on its own listener, with a JSON body unless it is empty.
    ///
    /// `call` is as it stands in OpenSearch's documentation, as in `GET /_cat/indices`.
    pub(crate) fn index_request(
        &self,
        call: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::RequestBuilder {
        let (method, path) = call.split_once(' ').unwrap();
        let address = self.index_address().expect("the log index has a listener of its own");
        let request =
            self.client.request(method.parse().unwrap(), format!("http://{address}{path}"));
        let body = body.into();
        if body.as_bytes().is_some_and(<[u8]>::is_empty) {
            return request;
        }
        request.header("content-type", "application/json").body(body)
    }

    /// Asks the log index on its own listener and returns the answer.
    pub(crate) async fn index(&self, call: &str, body: impl Into<reqwest::Body>) -> Reply {
        reply(self.index_request(call, body)).await
    }

    /// Returns everything the program wrote to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Returns the id of the process.
    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Returns where it listens, as `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        reply(self.request(reqwest::Method::GET, path)).await
    }

    /// Asks again and again until the answer is what is waited for.
    pub(crate) async fn wait_until(&self, path: &str, wanted: impl Fn(&Reply) -> bool) -> Reply {
        let begun = Instant::now();
        loop {
            let reply = self.get(path).await;
            if wanted(&reply) {
                return reply;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} stays {reply:?}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the program as a service manager would and returns how it went.
    pub(crate) fn terminate(mut self) -> (ExitStatus, String) {
        signal(self.child.id(), "TERM");
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        (status, self.log())
    }

    /// Kills the program at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(process_id: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(process_id.to_string()).status();
    assert!(sent.unwrap().success());
}

/// Returns the command that [`Program::serve`] runs.
pub(crate) fn serve_command(folder: &Path, config: &str, environment: &[(&str, &str)]) -> Command {
    let config_path = folder.join("pampero.toml");
    std::fs::write(&config_path, config).unwrap();
    let data = folder.join("data");
    let arguments = [
        "serve",
        "--config",
        config_path.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
        "--data",
        data.to_str().unwrap(),
        "--log-format",
        "json",
    ];
    command(&arguments, environment)
}

/// Returns a command that runs `pampero` with these arguments and variables.
pub(crate) fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pampero"));
    // Many run at once, and only one of them could listen where OpenSearch's clients look.
    command.env("PAMPERO_LOGS__LISTEN", "127.0.0.1:0");
    command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null());
    command
}

/// Returns the most memory that the program has held so far, in mebibytes; 0 where the system does
/// not say.
pub(crate) fn peak_memory_mib(program: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.process_id()));
    let status = status.unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or(0, |kib| kib.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10)
}

/// Runs `pampero` to its end and returns its exit code, output and error output.
pub(crate) fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let output = command(arguments, environment).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

pub(crate) async fn reply(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    Reply { status, headers, text: response.text().await.unwrap() }
}

/// Starts a simulator on a port of its own.
pub(crate) async fn simulator() -> RunningSimulator {
    simulator_with(SimulatorConfig::new(Arc::new(now))).await
}

pub(crate) async fn simulator_with(config: SimulatorConfig) -> RunningSimulator {
    Simulator::start(config, CancellationToken::new()).await.unwrap()
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub(crate) fn path_of(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}

pub(crate) fn now() -> Timestamp {
    pampero_resilience::Clock::now(&pampero_resilience::SystemClock)
}

/// Writes a configuration that points all four providers at the simulator and hurries everything.
pub(crate) fn hurried(simulator: &RunningSimulator, chain: &[&str], more: &str) -> String {
    let base_urls = ProviderId::ALL.map(|provider| {
        let url = simulator.base_url(provider);
        format!("[providers.{provider}]\nbase_url = \"{url}\"\n")
    });
    let geocoding = format!("geocoding_url = \"{}\"\n", simulator.geocoding_url());
    let [open_meteo, met_norway, openweathermap, weatherstack] = base_urls;
    let chain: Vec<String> = chain.iter().map(|provider| format!("{provider:?}")).collect();
    let chain = chain.join(", ");
    format!(
        "[polling]\ninterval = \"200ms\"\njitter = \"0s\"\nrecheck = \"200ms\"\n\
         [chain]\norder = [{chain}]\n\
         [resilience]\nattempt_timeout = \"500ms\"\ndeadline = \"3s\"\nattempts_max = 2\n\
         backoff = \"20ms\"\nbreaker_open_for = \"1s\"\n\
         {open_meteo}{geocoding}{met_norway}contact = \"test@example.org\"\n{openweathermap}{weatherstack}\
         [[places]]\nid = \"jfk\"\nname = \"John F. Kennedy\"\nlatitude = 40.6398\nlongitude = -73.7789\n\
         elevation = 4\ntime_zone = \"America/New_York\"\n{more}"
    )
}
