//! Cores: time by mode, clock rate, time that tasks ran and waited.

use std::collections::BTreeMap;

use super::files::{Files, Text, attribute, integer_attribute};
use super::{Families, Kind, SampleError};

/// Ticks a second of the times in `/proc/stat`, the same on every architecture that Linux runs on.
const USER_HZ: f64 = 100.0;

const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
const IDLE: usize = 3;
const GUEST: usize = 8;
const GUEST_NICE: usize = 9;

/// How far idle time may step back before the core counts as taken out and put in again, in ticks.
const IDLE_STEP_BACK_TICKS_MAX: u64 = 300;

/// The times of each core, none of which goes back.
///
/// The kernel estimates idle and waiting time anew at each reading and now and then takes a tick back,
/// which would look like a restart of the machine.
#[derive(Debug, Default)]
pub(super) struct CpuTimes(BTreeMap<u32, [u64; 10]>);

impl CpuTimes {
    pub(super) fn sample(&mut self, files: &Files, out: &mut Families) -> Result<(), SampleError> {
        self.read(&files.proc("stat")?)?;
        out.family(
            Kind::Counter,
            "node_cpu_guest_seconds_total",
            "Seconds the CPUs spent in guests (VMs) for each mode.",
        );
        for (core, ticks) in &self.0 {
            let core = core.to_string();
            for (mode, at) in [("nice", GUEST_NICE), ("user", GUEST)] {
                out.sample(&[("cpu", &core), ("mode", mode)], ticks[at] as f64 / USER_HZ);
            }
        }
        out.family(Kind::Counter, "node_cpu_seconds_total", "Seconds the CPUs spent in each mode.");
        for (core, ticks) in &self.0 {
            let core = core.to_string();
            for (mode, ticks) in MODES.into_iter().zip(ticks) {
                out.sample(&[("cpu", &core), ("mode", mode)], *ticks as f64 / USER_HZ);
            }
        }
        throttles(files, out)
    }

    fn read(&mut self, stat: &Text) -> Result<(), SampleError> {
        let mut present = BTreeMap::new();
        for line in stat.content.lines() {
            let Some((core, rest)) = line.strip_prefix("cpu").and_then(|rest| rest.split_once(' '))
            else {
                continue;
            };
            // The line without a number is the sum of all cores.
            if core.is_empty() {
                continue;
            }
            let mut ticks = [0; 10];
            let mut words = rest.split_ascii_whitespace();
            for (at, ticks) in ticks.iter_mut().enumerate() {
                // Old kernels do not write the last ones.
                match words.next() {
                    Some(word) => *ticks = stat.number(word)?,
                    None if at > IDLE => break,
                    None => return Err(stat.malformed(line)),
                }
            }
            let core = stat.number(core)?;
            present.insert(core, never_back(self.0.get(&core), ticks));
        }
        if present.is_empty() {
            return Err(stat.malformed("no cores"));
        }
        self.0 = present;
        Ok(())
    }
}

fn never_back(before: Option<&[u64; 10]>, mut ticks: [u64; 10]) -> [u64; 10] {
    let Some(before) = before else { return ticks };
    if ticks[IDLE] + IDLE_STEP_BACK_TICKS_MAX < before[IDLE] {
        return ticks;
    }
    for (ticks, before) in ticks.iter_mut().zip(before) {
        *ticks = (*ticks).max(*before);
    }
    ticks
}

/// How often cores and packages were slowed down for their heat.
fn throttles(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let mut cores = BTreeMap::new();
    let mut packages = BTreeMap::new();
    for name in numbered(files.sys_entries("devices/system/cpu")?, "cpu") {
        let folder = files.sys.join("devices/system/cpu").join(name);
        let Some(package) = attribute(&folder.join("topology/physical_package_id")) else {
            continue;
        };
        let Some(core) = attribute(&folder.join("topology/core_id")) else { continue };
        let throttle = folder.join("thermal_throttle");
        if let Some(count) = integer_attribute(&throttle.join("package_throttle_count")) {
            packages.entry(package.clone()).or_insert(count);
        }
        if let Some(count) = integer_attribute(&throttle.join("core_throttle_count")) {
            cores.entry((core, package)).or_insert(count);
        }
    }
    out.family(
        Kind::Counter,
        "node_cpu_core_throttles_total",
        "Number of times this CPU core has been throttled.",
    );
    for ((core, package), count) in &cores {
        out.sample(&[("core", core), ("package", package)], *count as f64);
    }
    out.family(
        Kind::Counter,
        "node_cpu_package_throttles_total",
        "Number of times this CPU package has been throttled.",
    );
    for (package, count) in &packages {
        out.sample(&[("package", package)], *count as f64);
    }
    Ok(())
}

/// Lets the names through that are `prefix` and a number.
fn numbered(names: Vec<String>, prefix: &str) -> impl Iterator<Item = String> {
    names.into_iter().filter(move |name| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// The clock rate of each core, now and at the ends of its range.
pub(super) fn cpufreq(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    const RATES: [(&str, &str, &str); 6] = [
        ("cpuinfo_cur_freq", "node_cpu_frequency_hertz", "Current CPU thread frequency in hertz."),
        (
            "cpuinfo_max_freq",
            "node_cpu_frequency_max_hertz",
            "Maximum CPU thread frequency in hertz.",
        ),
        (
            "cpuinfo_min_freq",
            "node_cpu_frequency_min_hertz",
            "Minimum CPU thread frequency in hertz.",
        ),
        (
            "scaling_cur_freq",
            "node_cpu_scaling_frequency_hertz",
            "Current scaled CPU thread frequency in hertz.",
        ),
        (
            "scaling_max_freq",
            "node_cpu_scaling_frequency_max_hertz",
            "Maximum scaled CPU thread frequency in hertz.",
        ),
        (
            "scaling_min_freq",
            "node_cpu_scaling_frequency_min_hertz",
            "Minimum scaled CPU thread frequency in hertz.",
        ),
    ];
    let root = files.sys.join("devices/system/cpu");
    let mut cores: Vec<String> =
        numbered(files.sys_entries("devices/system/cpu")?, "cpu").collect();
    cores.retain(|core| root.join(core).join("cpufreq").exists());
    for (file, name, help) in RATES {
        out.family(Kind::Gauge, name, help);
        for core in &cores {
            let path = root.join(core).join("cpufreq").join(file);
            if let Some(kilohertz) = integer_attribute(&path) {
                let number = core.trim_start_matches("cpu");
                out.sample(&[("cpu", number)], kilohertz as f64 * 1000.0);
            }
        }
    }
    Ok(())
}

/// How long tasks ran on each core and waited for it.
pub(super) fn schedstat(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    const NANOSECONDS: f64 = 1e9;
    let text = files.optional_proc("schedstat", "scheduler statistics")?;
    let mut cores = Vec::new();
    for line in text.content.lines() {
        let Some((core, rest)) = line.strip_prefix("cpu").and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        let mut words = rest.split_ascii_whitespace().skip(6);
        let mut three = [0.0; 3];
        for value in &mut three {
            *value = text.next_number(line, &mut words)?;
        }
        cores.push((core, three));
    }
    let families = [
        (
            "node_schedstat_running_seconds_total",
            "Number of seconds CPU spent running a process.",
            NANOSECONDS,
        ),
        (
            "node_schedstat_waiting_seconds_total",
            "Number of seconds spent by processing waiting for this CPU.",
            NANOSECONDS,
        ),
        ("node_schedstat_timeslices_total", "Number of timeslices executed by CPU.", 1.0),
    ];
    for (at, (name, help, divisor)) in families.into_iter().enumerate() {
        out.family(Kind::Counter, name, help);
        for (core, values) in &cores {
            out.sample(&[("cpu", core)], values[at] / divisor);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: [u64; 4], now: [u64; 4], shown: [u64; 4]) {
        let widen = |four: [u64; 4]| {
            let mut ten = [0; 10];
            ten[..4].copy_from_slice(&four);
            ten
        };
        assert_eq!(never_back(Some(&widen(before)), widen(now)), widen(shown));
    }

    #[test]
    fn times_do_not_go_back_unless_the_core_begins_anew() {
        check([10, 0, 5, 1000], [12, 0, 6, 1100], [12, 0, 6, 1100]);
        check([10, 0, 5, 1000], [9, 1, 6, 700], [10, 1, 6, 1000]);
        check([10, 0, 5, 1000], [1, 0, 1, 699], [1, 0, 1, 699]);
    }
}
