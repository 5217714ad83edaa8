//! What runs here: kernel, distribution, maker of the machine, and what time it is.

use std::collections::BTreeMap;

use pampero_resilience::Clock;

use crate::host::wall_time;

use super::files::{Files, attribute};
use super::{Families, Kind, SampleError};

/// Name, release and version of the kernel.
pub(super) fn uname(out: &mut Families) -> Result<(), SampleError> {
    let names = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    out.family(
        Kind::Info,
        "node_uname_info",
        "Labeled system information as provided by the uname system call.",
    );
    let labels = [
        ("domainname", text(names.domainname())),
        ("machine", text(names.machine())),
        ("nodename", text(names.nodename())),
        ("release", text(names.release())),
        ("sysname", text(names.sysname())),
        ("version", text(names.version())),
    ];
    out.sample(&labels.each_ref().map(|(name, text)| (*name, text.as_str())), 1.0);
    Ok(())
}

/// Name and version of the distribution.
pub(super) fn os(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    const LABELS: [&str; 12] = [
        "build_id",
        "id",
        "id_like",
        "image_id",
        "image_version",
        "name",
        "pretty_name",
        "variant",
        "variant_id",
        "version",
        "version_codename",
        "version_id",
    ];
    let text = files
        .text(files.root.join("etc/os-release"))
        .or_else(|_| files.text(files.root.join("usr/lib/os-release")))?;
    let release = assignments(&text.content);
    let value = |label: &str| release.get(label).map_or("", String::as_str);
    out.family(
        Kind::Info,
        "node_os_info",
        "A metric with a constant '1' value labeled by build_id, id, id_like, image_id, image_version, name, pretty_name, variant, variant_id, version, version_codename, version_id.",
    );
    out.sample(&LABELS.map(|label| (label, value(label))), 1.0);
    if let Some(version) = major_minor(value("version_id")) {
        out.family(
            Kind::Gauge,
            "node_os_version",
            "Metric containing the major.minor part of the OS version.",
        );
        out.sample(&["id", "id_like", "name"].map(|label| (label, value(label))), version);
    }
    Ok(())
}

/// Reads lines like `VERSION_ID="12"`, with the names in lower case.
fn assignments(content: &str) -> BTreeMap<String, String> {
    let lines = content.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    let unquoted = |value: &str| {
        let value = value.trim();
        let is_quote =
            |mark: char| value.len() > 1 && value.starts_with(mark) && value.ends_with(mark);
        let quoted = is_quote('"') || is_quote('\'');
        let inside = if quoted { &value[1..value.len() - 1] } else { value };
        inside.replace("\\\"", "\"").replace("\\$", "$").replace("\\`", "`")
    };
    pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), unquoted(value))).collect()
}

/// Reads the number that a version begins with: `22.04.1` is 22.04; `None` without one.
fn major_minor(version: &str) -> Option<f64> {
    let mut parts = version.split('.');
    let major = parts.next()?;
    let digits = |part: &str| part.bytes().take_while(u8::is_ascii_digit).count();
    let major_digits = digits(major);
    let mut number = major[..major_digits].to_owned();
    if major_digits == major.len() {
        let minor = parts.next().unwrap_or_default();
        number.extend([".", &minor[..digits(minor)]]);
    }
    number.trim_end_matches('.').parse().ok()
}

/// Maker, model and firmware, as far as the caller may read them.
pub(super) fn dmi(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    const LABELS: [&str; 20] = [
        "bios_date",
        "bios_release",
        "bios_vendor",
        "bios_version",
        "board_asset_tag",
        "board_name",
        "board_serial",
        "board_vendor",
        "board_version",
        "chassis_asset_tag",
        "chassis_serial",
        "chassis_vendor",
        "chassis_version",
        "product_family",
        "product_name",
        "product_serial",
        "product_sku",
        "product_uuid",
        "product_version",
        "sys_vendor",
    ];
    files.optional_sys_entries("class/dmi/id", "description of its hardware")?;
    let folder = files.sys.join("class/dmi/id");
    let present = LABELS.into_iter().filter_map(|label| {
        // The label of the vendor of the whole says more than the name of its file.
        let name = if label == "sys_vendor" { "system_vendor" } else { label };
        Some((name, attribute(&folder.join(label))?))
    });
    let labels: Vec<(&'static str, String)> = present.collect();
    let labels: Vec<(&'static str, &str)> =
        labels.iter().map(|(name, text)| (*name, text.as_str())).collect();
    out.family(
        Kind::Info,
        "node_dmi_info",
        "A metric with a constant '1' value labeled by bios_date, bios_release, bios_vendor, bios_version, board_asset_tag, board_name, board_serial, board_vendor, board_version, chassis_asset_tag, chassis_serial, chassis_vendor, chassis_version, product_family, product_name, product_serial, product_sku, product_uuid, product_version, system_vendor if provided by DMI.",
    );
    out.sample(&labels, 1.0);
    Ok(())
}

/// Wall time, its zone, and the hardware that counts it.
pub(super) fn time(
    files: &Files,
    clock: &dyn Clock,
    out: &mut Families,
) -> Result<(), SampleError> {
    wall_time::write(clock, out);
    clock_sources(files, out)
}

fn clock_sources(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    const ROOT: &str = "devices/system/clocksource";
    let mut sources = files.sys_entries(ROOT)?;
    sources.retain(|name| name.starts_with("clocksource"));
    for (file, name, help) in [
        (
            "available_clocksource",
            "node_time_clocksource_available_info",
            "Available clocksources read from '/sys/devices/system/clocksource'.",
        ),
        (
            "current_clocksource",
            "node_time_clocksource_current_info",
            "Current clocksource read from '/sys/devices/system/clocksource'.",
        ),
    ] {
        out.family(Kind::Info, name, help);
        for source in &sources {
            let number = source.trim_start_matches("clocksource");
            let names = attribute(&files.sys.join(ROOT).join(source).join(file));
            for name in names.unwrap_or_default().split_ascii_whitespace() {
                out.sample(&[("clocksource", name), ("device", number)], 1.0);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_version(text: &str, expected: Option<f64>) {
        assert_eq!(major_minor(text), expected, "{text:?}");
    }

    #[test]
    fn version_is_the_number_that_the_text_begins_with() {
        check_version("12", Some(12.0));
        check_version("22.04.1", Some(22.04));
        check_version("22.04.1 LTS", Some(22.04));
        check_version("9.x", Some(9.0));
        check_version("8beta", Some(8.0));
        check_version("rolling", None);
        check_version("", None);
    }

    #[test]
    fn quotes_of_the_shell_are_taken_off() {
        let release =
            assignments("# no=1\nNAME='Some OS'\nPRETTY_NAME=\"A \\\"B\\\"\"\nID=x\nV=\"\n");
        let expected = [("id", "x"), ("name", "Some OS"), ("pretty_name", "A \"B\""), ("v", "\"")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(release, BTreeMap::from(expected));
    }
}
