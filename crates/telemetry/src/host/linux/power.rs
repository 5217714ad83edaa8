//! Batteries and mains.

use super::files::{Files, attribute, integer_attribute};
use super::{Families, Kind, SampleError};

const MICRO: f64 = 1e-6;
const TENTHS: f64 = 0.1;

/// Whole numbers: file, family without prefix, factor to base units.
///
/// Source: node_exporter 1.5, collector powersupplyclass; Linux, sysfs-class-power, for the units.
const VALUES: [(&str, &str, f64); 49] = [
    ("authentic", "authentic", 1.0),
    ("calibrate", "calibrate", 1.0),
    ("capacity", "capacity", 1.0),
    ("capacity_alert_max", "capacity_alert_max", 1.0),
    ("capacity_alert_min", "capacity_alert_min", 1.0),
    ("charge_control_limit", "charge_control_limit", MICRO),
    ("charge_control_limit_max", "charge_control_limit_max", MICRO),
    ("charge_counter", "charge_counter", MICRO),
    ("charge_empty", "charge_empty", MICRO),
    ("charge_empty_design", "charge_empty_design", MICRO),
    ("charge_full", "charge_full", MICRO),
    ("charge_full_design", "charge_full_design", MICRO),
    ("charge_now", "charge_ampere", MICRO),
    ("charge_term_current", "charge_term_current", MICRO),
    ("constant_charge_current", "constant_charge_current", MICRO),
    ("constant_charge_current_max", "constant_charge_current_max", MICRO),
    ("constant_charge_voltage", "constant_charge_voltage", MICRO),
    ("constant_charge_voltage_max", "constant_charge_voltage_max", MICRO),
    ("current_boot", "current_boot", MICRO),
    ("current_max", "current_max", MICRO),
    ("current_now", "current_ampere", MICRO),
    ("cycle_count", "cyclecount", 1.0),
    ("energy_empty", "energy_empty", MICRO),
    ("energy_empty_design", "energy_empty_design", MICRO),
    ("energy_full", "energy_full", MICRO),
    ("energy_full_design", "energy_full_design", MICRO),
    ("energy_now", "energy_watthour", MICRO),
    ("input_current_limit", "input_current_limit", MICRO),
    ("online", "online", 1.0),
    ("power_now", "power_watt", MICRO),
    ("precharge_current", "precharge_current", MICRO),
    ("present", "present", 1.0),
    ("temp", "temp_celsius", TENTHS),
    ("temp_alert_max", "temp_alert_max_celsius", TENTHS),
    ("temp_alert_min", "temp_alert_min_celsius", TENTHS),
    ("temp_ambient", "temp_ambient_celsius", TENTHS),
    ("temp_ambient_max", "temp_ambient_max_celsius", TENTHS),
    ("temp_ambient_min", "temp_ambient_min_celsius", TENTHS),
    ("temp_max", "temp_max_celsius", TENTHS),
    ("temp_min", "temp_min_celsius", TENTHS),
    ("time_to_empty_now", "time_to_empty_seconds", 1.0),
    ("time_to_full_now", "time_to_full_seconds", 1.0),
    ("voltage_boot", "voltage_boot", MICRO),
    ("voltage_max", "voltage_max", MICRO),
    ("voltage_max_design", "voltage_max_design", MICRO),
    ("voltage_min", "voltage_min", MICRO),
    ("voltage_min_design", "voltage_min_design", MICRO),
    ("voltage_now", "voltage_volt", MICRO),
    ("voltage_ocv", "voltage_ocv", MICRO),
];

/// Words: each is a label of `node_power_supply_info`.
const WORDS: [&str; 11] = [
    "capacity_level",
    "charge_type",
    "health",
    "manufacturer",
    "model_name",
    "scope",
    "serial_number",
    "status",
    "technology",
    "type",
    "usb_type",
];

/// State and charge of each battery, and whether the mains are there.
pub(super) fn powersupplyclass(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let root = files.sys.join("class/power_supply");
    let supplies = files.optional_sys_entries("class/power_supply", "power supply")?;
    for (file, family, factor) in VALUES {
        out.family(
            Kind::Gauge,
            format_args!("node_power_supply_{family}"),
            format_args!("{family} value of /sys/class/power_supply/<power_supply>."),
        );
        for supply in &supplies {
            if let Some(value) = integer_attribute(&root.join(supply).join(file)) {
                out.sample(&[("power_supply", supply)], value as f64 * factor);
            }
        }
    }
    out.family(
        Kind::Info,
        "node_power_supply_info",
        "info of /sys/class/power_supply/<power_supply>.",
    );
    for supply in &supplies {
        let read = |word| Some((word, attribute(&root.join(supply).join(word))?));
        let words: Vec<(&'static str, String)> = WORDS.into_iter().filter_map(read).collect();
        let mut labels = vec![("power_supply", supply.as_str())];
        labels.extend(words.iter().map(|(name, text)| (*name, text.as_str())));
        labels.retain(|(_, text)| !text.is_empty());
        out.sample(&labels, 1.0);
    }
    Ok(())
}
