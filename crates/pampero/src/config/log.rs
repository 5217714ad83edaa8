//! `[log]`: what the program tells on standard error.

use pampero_telemetry::logging::{Color, LogConfig, LogFormat};

use super::kind::{one_of, parsed};
use super::reader::Section;

pub(super) const DOC: &str = "What the program tells on standard error.";

/// Reads the section; `no_color` is what the variable `NO_COLOR` asks for.
pub(super) fn read(section: &mut Section<'_>, no_color: bool) -> LogConfig {
    let default = LogConfig::default();
    let config = LogConfig {
        format: section.read(
            "format",
            default.format,
            &one_of(LogFormat::ALL.map(|format| (format.as_str(), format))),
            "Lines for people, or one JSON object a line for programs.",
        ),
        filter: section.read(
            "filter",
            default.filter,
            &parsed("log filter"),
            "Lowest level shown, also by part of the program, as in `info,pampero_loader=debug`.",
        ),
        color: section.read(
            "color",
            default.color,
            &one_of(Color::ALL.map(|color| (color.as_str(), color))),
            "Whether levels are coloured; `auto` is on a terminal, unless `NO_COLOR` is set.",
        ),
    };
    if no_color && !section.is_written("color") {
        return LogConfig { color: Color::Never, ..config };
    }
    config
}
