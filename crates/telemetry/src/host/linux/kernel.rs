//! The kernel as a whole: load, interrupts and forks, open files, randomness, pressure.

use super::files::Files;
use super::{Families, Kind, SampleError};

/// Load averages of one, five and fifteen minutes.
pub(super) fn loadavg(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let text = files.proc("loadavg")?;
    let mut words = text.content.split_ascii_whitespace();
    for (name, help) in [
        ("node_load1", "1m load average."),
        ("node_load5", "5m load average."),
        ("node_load15", "15m load average."),
    ] {
        out.single(Kind::Gauge, name, help, text.next_number(&text.content, &mut words)?);
    }
    Ok(())
}

/// Interrupts, context switches, forks, boot time, runnable and blocked processes.
pub(super) fn stat(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    const LINES: [(&str, Kind, &str, &str); 6] = [
        ("intr", Kind::Counter, "node_intr_total", "Total number of interrupts serviced."),
        ("ctxt", Kind::Counter, "node_context_switches_total", "Total number of context switches."),
        ("btime", Kind::Gauge, "node_boot_time_seconds", "Node boot time, in unixtime."),
        ("processes", Kind::Counter, "node_forks_total", "Total number of forks."),
        (
            "procs_running",
            Kind::Gauge,
            "node_procs_running",
            "Number of processes in runnable state.",
        ),
        (
            "procs_blocked",
            Kind::Gauge,
            "node_procs_blocked",
            "Number of processes blocked waiting for I/O to complete.",
        ),
    ];
    let text = files.proc("stat")?;
    let mut found = 0;
    for line in text.content.lines() {
        let mut words = line.split_ascii_whitespace();
        let word = words.next();
        if let Some((_, kind, name, help)) = LINES.into_iter().find(|known| word == Some(known.0)) {
            // Only the first number of `intr` is the sum; one for each interrupt follows.
            out.single(kind, name, help, text.next_number(line, &mut words)?);
            found += 1;
        }
    }
    if found < LINES.len() { Err(text.malformed("too few lines")) } else { Ok(()) }
}

/// Open files of the whole system.
pub(super) fn filefd(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let text = files.proc("sys/fs/file-nr")?;
    let mut words = text.content.split_ascii_whitespace();
    let allocated = text.next_number(&text.content, &mut words)?;
    let maximum = text.next_number(&text.content, &mut words.skip(1))?;
    let families = [("allocated", allocated), ("maximum", maximum)];
    for (what, value) in families {
        out.single(
            Kind::Gauge,
            format_args!("node_filefd_{what}"),
            format_args!("File descriptor statistics: {what}."),
            value,
        );
    }
    Ok(())
}

/// Bits in the kernel's pool of randomness.
pub(super) fn entropy(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    for (file, name, help) in [
        ("entropy_avail", "node_entropy_available_bits", "Bits of available entropy."),
        ("poolsize", "node_entropy_pool_size_bits", "Bits of entropy pool."),
    ] {
        let text = files.proc(&format!("sys/kernel/random/{file}"))?;
        out.single(Kind::Gauge, name, help, text.number(&text.content)?);
    }
    Ok(())
}

/// Time that tasks lost waiting for cores, disks and memory.
pub(super) fn pressure(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    const FAMILIES: [(&str, &str, &str, &str); 5] = [
        (
            "cpu",
            "some",
            "node_pressure_cpu_waiting_seconds_total",
            "Total time in seconds that processes have waited for CPU time",
        ),
        (
            "io",
            "some",
            "node_pressure_io_waiting_seconds_total",
            "Total time in seconds that processes have waited due to IO congestion",
        ),
        (
            "io",
            "full",
            "node_pressure_io_stalled_seconds_total",
            "Total time in seconds no process could make progress due to IO congestion",
        ),
        (
            "memory",
            "some",
            "node_pressure_memory_waiting_seconds_total",
            "Total time in seconds that processes have waited for memory",
        ),
        (
            "memory",
            "full",
            "node_pressure_memory_stalled_seconds_total",
            "Total time in seconds no process could make progress due to memory congestion",
        ),
    ];
    for resource in ["cpu", "io", "memory"] {
        let path = format!("pressure/{resource}");
        let text = files.optional_proc(&path, "pressure stall information")?;
        for (_, share, name, help) in FAMILIES.into_iter().filter(|family| family.0 == resource) {
            let line = text.content.lines().find(|line| line.starts_with(share));
            let total = line.and_then(|line| line.rsplit_once("total="));
            let (_, microseconds) = total.ok_or_else(|| text.malformed(share))?;
            let microseconds: u64 = text.number(microseconds)?;
            out.single(Kind::Counter, name, help, microseconds as f64 / 1e6);
        }
    }
    Ok(())
}
