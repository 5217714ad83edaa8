//! A server started for a test or a benchmark: its port, its log, its end, what it costs.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::subprocess;

/// How long a server may take from SIGTERM to its end before it is killed.
const GRACE: Duration = Duration::from_secs(20);
/// How long a server may take to answer one request.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A running server; killed when dropped.
pub(crate) struct Program {
    child: Child,
    name: String,
    address: SocketAddr,
}

impl Program {
    /// Starts `command`, which was told to listen on `address`; its output goes to `log`.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(command: &mut Command, address: SocketAddr, log: &Path) -> Result<Self> {
        let name = Path::new(command.get_program()).display().to_string();
        let output =
            File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, name, address })
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until a GET of `path` answers 200, asking every `interval`.
    ///
    /// # Errors
    /// The program ended, or the limit was reached.
    pub(crate) fn wait_until_ready(
        &mut self,
        path: &str,
        interval: Duration,
        limit: Duration,
    ) -> Result<()> {
        let begun = Instant::now();
        loop {
            let last = match self.get(path) {
                Ok((200, _)) => return Ok(()),
                Ok((status, _)) => format!("status {status}"),
                Err(error) => error.to_string(),
            };
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}) before it answered", self.name);
            }
            if limit < begun.elapsed() {
                bail!("{} did not answer {path} within {limit:?}; last: {last}", self.name);
            }
            std::thread::sleep(interval);
        }
    }

    /// Sends one GET on a connection of its own and returns status and body.
    ///
    /// # Errors
    /// No answer came, or none that can be read.
    pub(crate) fn get(&self, path: &str) -> Result<(u16, String)> {
        let address = self.address;
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_LIMIT)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        status_and_body(&answer).context("the answer is no HTTP")
    }

    /// Returns the CPU time used so far, by the program and in the kernel for it.
    ///
    /// # Errors
    /// The program has ended.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        let ticks = cpu_ticks(&self.proc_file("stat")?).context("unreadable /proc/PID/stat")?;
        let per_second = subprocess::read(Command::new("getconf").arg("CLK_TCK"))?;
        let per_second: f64 = per_second.trim().parse().context("getconf CLK_TCK is no number")?;
        Ok(Duration::from_secs_f64(ticks as f64 / per_second))
    }

    /// Returns the resident memory in bytes.
    ///
    /// # Errors
    /// The program has ended.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        memory_bytes(&self.proc_file("status")?, "VmRSS:").context("no VmRSS in /proc/PID/status")
    }

    /// Returns the most memory that was resident at any time, in bytes.
    ///
    /// # Errors
    /// The program has ended.
    pub(crate) fn resident_peak_bytes(&self) -> Result<u64> {
        memory_bytes(&self.proc_file("status")?, "VmHWM:").context("no VmHWM in /proc/PID/status")
    }

    /// Asks the program to end and waits for it.
    ///
    /// # Errors
    /// It did not end within the grace, or ended with another code than 0.
    pub(crate) fn stop(mut self) -> Result<()> {
        subprocess::run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        let begun = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("{} ended badly on SIGTERM ({status})", self.name),
                None if GRACE < begun.elapsed() => {
                    bail!("{} was still running {GRACE:?} after SIGTERM", self.name)
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Tells whether the program is still running.
    ///
    /// # Errors
    /// The system cannot say.
    pub(crate) fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    fn proc_file(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only when the program has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns an address on the loopback whose port was free a moment ago.
///
/// # Errors
/// The system has no free port.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}

/// Takes an answer apart; the body is taken as it came, in whatever transfer coding.
fn status_and_body(answer: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// Adds utime and stime, the 14th and 15th field of `/proc/PID/stat`.
///
/// Source: proc(5). The second field is the program's name in parentheses and may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Reads a field of `/proc/PID/status`, which is in KiB whatever its unit says.
fn memory_bytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_any_program_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 70 35 9 9 20 0 3 0 12 1 1";
        assert_eq!(cpu_ticks(stat), Some(105));
        assert_eq!(cpu_ticks("42 (cut off"), None);
    }

    #[test]
    fn resident_memory_is_in_bytes() {
        let status = "Name:\tpampero\nVmHWM:\t  9 kB\nVmRSS:\t   20480 kB\n";
        assert_eq!(memory_bytes(status, "VmRSS:"), Some(20 * 1024 * 1024));
        assert_eq!(memory_bytes(status, "VmHWM:"), Some(9 * 1024));
        assert_eq!(memory_bytes("Name:\tpampero\n", "VmRSS:"), None);
    }

    #[test]
    fn answers_are_taken_apart() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\nage: 1\r\n\r\n{}";
        assert_eq!(status_and_body(answer), Some((503, "{}".to_owned())));
        assert_eq!(status_and_body(b"HTTP/1.1 2"), None);
        assert_eq!(status_and_body(b"SSH-2.0-x\r\n\r\n"), None);
    }

    #[test]
    fn a_program_that_ends_early_is_not_waited_for() {
        let address = free_address().unwrap();
        let log = std::env::temp_dir().join(format!("xtask-program-{}.log", std::process::id()));
        let mut program = Program::start(&mut Command::new("true"), address, &log).unwrap();
        let waited =
            program.wait_until_ready("/", Duration::from_millis(5), Duration::from_secs(60));
        std::fs::remove_file(&log).unwrap();
        assert!(waited.unwrap_err().to_string().contains("before it answered"));
    }
}
