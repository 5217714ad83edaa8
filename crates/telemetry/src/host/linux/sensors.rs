//! Temperatures, fans, voltages: hardware monitors and thermal zones.

use std::collections::BTreeMap;
use std::path::Path;

use super::files::{Files, attribute, entries, integer_attribute};
use super::{Families, Kind, SampleError};

/// Kinds of sensors in the names of files; any other file is no sensor.
const SENSOR_TYPES: [&str; 13] = [
    "vrm",
    "beep_enable",
    "update_interval",
    "in",
    "cpu",
    "fan",
    "pwm",
    "temp",
    "curr",
    "power",
    "energy",
    "humidity",
    "intrusion",
];

/// A family of one of the sensors, in the order of the names.
type Readings = BTreeMap<(String, String), Reading>;

#[derive(Debug)]
struct Reading {
    kind: Kind,
    samples: Vec<(String, String, f64)>,
}

/// Every value of every hardware monitor.
pub(super) fn hwmon(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let monitors = files.optional_sys_entries("class/hwmon", "hardware monitor")?;
    let mut chip_names = Vec::new();
    let mut sensor_labels = Vec::new();
    let mut readings = Readings::new();
    for monitor in monitors {
        let folder = files.sys.join("class/hwmon").join(&monitor);
        let chip = chip_of(&folder, &monitor);
        let name = attribute(&folder.join("name")).map(|name| clean(&name));
        chip_names.extend(name.filter(|name| !name.is_empty()).map(|name| (chip.clone(), name)));
        for (sensor, elements) in sensors_of(&folder) {
            if let Some(label) = elements.get("label") {
                sensor_labels.push((chip.clone(), sensor.clone(), label.clone()));
            }
            read_sensor(&chip, &sensor, &elements, &mut readings);
        }
    }
    out.family(
        Kind::Gauge,
        "node_hwmon_chip_names",
        "Annotation metric for human-readable chip names",
    );
    for (chip, name) in &chip_names {
        out.sample(&[("chip", chip), ("chip_name", name)], 1.0);
    }
    out.family(Kind::Gauge, "node_hwmon_sensor_label", "Label for given chip and sensor");
    for (chip, sensor, label) in &sensor_labels {
        out.sample(&[("chip", chip), ("label", label), ("sensor", sensor)], 1.0);
    }
    for ((name, help), reading) in &readings {
        out.family(reading.kind, name, help);
        for (chip, sensor, value) in &reading.samples {
            out.sample(&[("chip", chip), ("sensor", sensor)], *value);
        }
    }
    Ok(())
}

/// Names a monitor after its device, which stays the same from boot to boot, unlike its number.
fn chip_of(folder: &Path, monitor: &str) -> String {
    if let Ok(device) = folder.join("device").canonicalize() {
        let name = |path: Option<&Path>| {
            path.and_then(Path::file_name)
                .and_then(|name| name.to_str())
                .map_or_else(String::new, clean)
        };
        let own = name(Some(&device));
        let parent = name(device.parent());
        if !own.is_empty() {
            return if parent.is_empty() { own } else { format!("{parent}_{own}") };
        }
    }
    let name = attribute(&folder.join("name")).map(|name| clean(&name)).unwrap_or_default();
    if name.is_empty() { clean(monitor) } else { name }
}

/// Reads all files of a monitor that belong to a sensor, as sensor and element.
fn sensors_of(folder: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut sensors: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    // Old drivers keep the values beside the device.
    for place in [folder.to_owned(), folder.join("device")] {
        for file in entries(&place).unwrap_or_default() {
            let Some((sensor, element)) = sensor_and_element(&file) else { continue };
            // A sensor that does not answer, as of a sleeping disk, is left out and the others stay.
            if let Some(value) = attribute(&place.join(&file)) {
                sensors.entry(sensor).or_default().insert(element.to_owned(), value);
            }
        }
    }
    sensors
}

/// Takes `temp1_max` apart into `temp1` and `max`; `None` for files that are no sensor's.
fn sensor_and_element(file: &str) -> Option<(String, &str)> {
    let digits_at = file.find(|letter: char| letter.is_ascii_digit());
    let (kind, rest) = match digits_at {
        Some(at) => file.split_at(at),
        None => (file, ""),
    };
    if !SENSOR_TYPES.contains(&kind) {
        return None;
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, element) = rest.split_at(digits);
    let number: u32 = if number.is_empty() { 0 } else { number.parse().ok()? };
    let element = if element.is_empty() { "" } else { element.strip_prefix('_')? };
    Some((format!("{kind}{number}"), element))
}

fn read_sensor(
    chip: &str,
    sensor: &str,
    elements: &BTreeMap<String, String>,
    readings: &mut Readings,
) {
    let kind = sensor.trim_end_matches(|letter: char| letter.is_ascii_digit());
    for (element, text) in elements.iter().filter(|(element, _)| *element != "label") {
        let Ok(value) = text.parse::<f64>() else { continue };
        let has_bare_value = elements.contains_key("");
        let (name, help, factor) = family_of(kind, element, has_bare_value);
        let is_counter = name.ends_with("_total");
        let reading = readings.entry((name, help)).or_insert_with(|| Reading {
            kind: if is_counter { Kind::Counter } else { Kind::Gauge },
            samples: Vec::new(),
        });
        reading.samples.push((chip.to_owned(), sensor.to_owned(), value * factor));
    }
}

/// Returns the name, the help and the factor to base units of an element of a kind of sensor.
///
/// Source: node_exporter 1.5, collector hwmon; Linux, hwmon sysfs interface, for the units.
fn family_of(kind: &str, element: &str, has_bare_value: bool) -> (String, String, f64) {
    const MILLI: f64 = 1e-3;
    const MICRO: f64 = 1e-6;
    let part = match element {
        "" => String::new(),
        "input" if !has_bare_value => String::new(),
        other => format!("_{}", clean(other)),
    };
    let name = format!("node_hwmon_{kind}{part}");
    let shown = if element.is_empty() && kind == "temp" { "input" } else { element };
    let (ending, help, factor) = match (kind, element) {
        ("beep_enable", _) => {
            return ("node_hwmon_beep_enabled".into(), "Hardware beep enabled".into(), 1.0);
        }
        ("vrm", _) => {
            let name = "node_hwmon_voltage_regulator_version";
            return (name.into(), "Hardware voltage regulator".into(), 1.0);
        }
        ("update_interval", _) => {
            let name = "node_hwmon_update_interval_seconds";
            return (name.into(), "Hardware monitor update interval".into(), MILLI);
        }
        (_, "fault" | "alarm") => ("", format!("Hardware sensor {element} status ({kind})"), 1.0),
        (_, "beep") => ("_enabled", "Hardware monitor sensor has beeping enabled".into(), 1.0),
        ("in" | "cpu", _) => ("_volts", format!("Hardware monitor for voltage ({shown})"), MILLI),
        ("temp", element) if element != "type" => {
            ("_celsius", format!("Hardware monitor for temperature ({shown})"), MILLI)
        }
        ("curr", _) => ("_amps", format!("Hardware monitor for current ({shown})"), MILLI),
        ("energy", _) => {
            ("_joule_total", format!("Hardware monitor for joules used so far ({shown})"), MICRO)
        }
        ("power", "accuracy") => {
            ("", "Hardware monitor power meter accuracy, as a ratio".into(), MICRO)
        }
        ("power", "average_interval" | "average_interval_min" | "average_interval_max") => {
            ("_seconds", format!("Hardware monitor power usage update interval ({shown})"), MILLI)
        }
        ("power", _) => {
            ("_watt", format!("Hardware monitor for power usage in watts ({shown})"), MICRO)
        }
        ("humidity", _) => {
            let help = format!(
                "Hardware monitor for humidity, as a ratio (multiply with 100.0 to get the humidity as a percentage) ({shown})"
            );
            ("", help, MICRO)
        }
        ("fan", "input" | "min" | "max" | "target") => {
            ("_rpm", format!("Hardware monitor for fan revolutions per minute ({shown})"), 1.0)
        }
        _ => ("", format!("Hardware monitor {kind} element {shown}"), 1.0),
    };
    (format!("{name}{ending}"), help, factor)
}

/// Makes a name fit for a metric: lower case, with anything odd as an underscore.
fn clean(name: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == ':' || letter == '_';
    let name = name.trim().to_lowercase();
    let name: String = name.chars().map(|letter| if fits(letter) { letter } else { '_' }).collect();
    name.trim_matches('_').to_owned()
}

/// Temperatures of thermal zones, and how far cooling devices are turned up.
pub(super) fn thermal_zone(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let root = files.sys.join("class/thermal");
    let names = files.sys_entries("class/thermal")?;
    let type_of = |name: &str| attribute(&root.join(name).join("type")).unwrap_or_default();
    let mut cooling = Vec::new();
    for name in &names {
        if let Some(number) = name.strip_prefix("cooling_device") {
            cooling.push((name, number, type_of(name)));
        }
    }
    for (file, name, help) in [
        (
            "cur_state",
            "node_cooling_device_cur_state",
            "Current throttle state of the cooling device",
        ),
        (
            "max_state",
            "node_cooling_device_max_state",
            "Maximum throttle state of the cooling device",
        ),
    ] {
        out.family(Kind::Gauge, name, help);
        for (folder, number, kind) in &cooling {
            if let Some(state) = integer_attribute(&root.join(folder).join(file)) {
                out.sample(&[("name", number), ("type", kind)], state as f64);
            }
        }
    }
    out.family(Kind::Gauge, "node_thermal_zone_temp", "Zone temperature in Celsius");
    for name in &names {
        let Some(number) = name.strip_prefix("thermal_zone") else { continue };
        // A zone that is switched off answers with an error.
        if let Some(millidegrees) = integer_attribute(&root.join(name).join("temp")) {
            let kind = type_of(name);
            out.sample(&[("type", &kind), ("zone", number)], millidegrees as f64 / 1000.0);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_file(file: &str, expected: Option<(&str, &str)>) {
        let found = sensor_and_element(file);
        let found = found.as_ref().map(|(sensor, element)| (sensor.as_str(), *element));
        assert_eq!(found, expected, "{file}");
    }

    #[test]
    fn file_names_tell_sensor_and_element() {
        check_file("temp1_input", Some(("temp1", "input")));
        check_file("fan12_min_alarm", Some(("fan12", "min_alarm")));
        check_file("pwm2", Some(("pwm2", "")));
        check_file("update_interval", Some(("update_interval0", "")));
        check_file("in0", Some(("in0", "")));
        check_file("name", None);
        check_file("uevent", None);
        check_file("temp1x", None);
        check_file("temp99999999999_input", None);
    }

    #[track_caller]
    fn check_family(kind: &str, element: &str, name: &str, factor: f64) {
        let (found, _, found_factor) = family_of(kind, element, false);
        assert_eq!((found.as_str(), found_factor), (name, factor));
    }

    #[test]
    fn families_carry_the_base_unit() {
        check_family("temp", "input", "node_hwmon_temp_celsius", 1e-3);
        check_family("temp", "crit_hyst", "node_hwmon_temp_crit_hyst_celsius", 1e-3);
        check_family("temp", "crit_alarm", "node_hwmon_temp_crit_alarm_celsius", 1e-3);
        check_family("temp", "alarm", "node_hwmon_temp_alarm", 1.0);
        check_family("temp", "type", "node_hwmon_temp_type", 1.0);
        check_family("fan", "input", "node_hwmon_fan_rpm", 1.0);
        check_family("fan", "pulses", "node_hwmon_fan_pulses", 1.0);
        check_family("in", "min", "node_hwmon_in_min_volts", 1e-3);
        check_family("curr", "input", "node_hwmon_curr_amps", 1e-3);
        check_family("power", "average", "node_hwmon_power_average_watt", 1e-6);
        check_family(
            "power",
            "average_interval",
            "node_hwmon_power_average_interval_seconds",
            1e-3,
        );
        check_family("energy", "input", "node_hwmon_energy_joule_total", 1e-6);
        check_family("pwm", "", "node_hwmon_pwm", 1.0);
        check_family("update_interval", "", "node_hwmon_update_interval_seconds", 1e-3);
    }
}
