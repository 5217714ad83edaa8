//! Memory: what it holds, how it is paged, its errors.

use super::files::{Files, integer_attribute};
use super::{Families, Kind, SampleError};

/// Every line of `/proc/meminfo`, whatever the kernel writes there.
pub(super) fn meminfo(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let text = files.proc("meminfo")?;
    for line in text.content.lines() {
        let (field, rest) = line.split_once(':').ok_or_else(|| text.malformed(line))?;
        // `Active(anon)` is called `Active_anon`.
        let (before, inside) = match field.split_once('(') {
            Some((before, rest)) => (before, rest.strip_suffix(')').unwrap_or(rest)),
            None => (field, ""),
        };
        let before = text.field(before)?;
        let joint = if inside.is_empty() { "" } else { "_" };
        if !inside.is_empty() {
            text.field(inside)?;
        }
        let mut words = rest.split_ascii_whitespace();
        let value: u64 = text.next_number(line, &mut words)?;
        let (value, unit) = match words.next() {
            None => (value as f64, ""),
            Some("kB") => (value as f64 * 1024.0, "_bytes"),
            Some(_) => return Err(text.malformed(line)),
        };
        out.single(
            Kind::Gauge,
            format_args!("node_memory_{before}{joint}{inside}{unit}"),
            format_args!("Memory information field {before}{joint}{inside}{unit}."),
            value,
        );
    }
    Ok(())
}

/// Page faults, paging, swapping and processes killed for want of memory.
pub(super) fn vmstat(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let text = files.proc("vmstat")?;
    for line in text.content.lines() {
        if !is_paging(line) {
            continue;
        }
        let (field, value) = line.split_once(' ').ok_or_else(|| text.malformed(line))?;
        let field = text.field(field)?;
        out.single(
            Kind::Unknown,
            format_args!("node_vmstat_{field}"),
            format_args!("/proc/vmstat information field {field}."),
            text.number(value)?,
        );
    }
    Ok(())
}

/// Fits the names that node_exporter shows: `^(oom_kill|pgpg|pswp|pg.*fault).*`.
fn is_paging(line: &str) -> bool {
    let prefixes = ["oom_kill", "pgpg", "pswp"];
    prefixes.iter().any(|prefix| line.starts_with(prefix))
        || (line.starts_with("pg") && line.contains("fault"))
}

/// Errors that memory controllers corrected, and those that they could not.
pub(super) fn edac(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    const ROOT: &str = "devices/system/edac/mc";
    const COUNTS: [(&str, &str, &str); 4] = [
        ("ce_count", "node_edac_correctable_errors_total", "Total correctable memory errors."),
        ("ue_count", "node_edac_uncorrectable_errors_total", "Total uncorrectable memory errors."),
        (
            "ce_count",
            "node_edac_csrow_correctable_errors_total",
            "Total correctable memory errors for this csrow.",
        ),
        (
            "ue_count",
            "node_edac_csrow_uncorrectable_errors_total",
            "Total uncorrectable memory errors for this csrow.",
        ),
    ];
    let mut controllers = files.sys_entries(ROOT)?;
    controllers.retain(|name| name.starts_with("mc"));
    for (at, (file, name, help)) in COUNTS.into_iter().enumerate() {
        let is_by_row = at >= 2;
        out.family(Kind::Counter, name, help);
        for controller in &controllers {
            let folder = files.sys.join(ROOT).join(controller);
            let number = controller.trim_start_matches("mc");
            if !is_by_row {
                if let Some(count) = integer_attribute(&folder.join(file)) {
                    out.sample(&[("controller", number)], count as f64);
                }
                // What the controller could not assign to a row counts as a row of its own.
                continue;
            }
            let unassigned = file.replace("_count", "_noinfo_count");
            if let Some(count) = integer_attribute(&folder.join(unassigned)) {
                out.sample(&[("controller", number), ("csrow", "unknown")], count as f64);
            }
            let rows = files.sys_entries(&format!("{ROOT}/{controller}"))?;
            for row in rows.iter().filter(|name| name.starts_with("csrow")) {
                if let Some(count) = integer_attribute(&folder.join(row).join(file)) {
                    let row = row.trim_start_matches("csrow");
                    out.sample(&[("controller", number), ("csrow", row)], count as f64);
                }
            }
        }
    }
    Ok(())
}
