//! Configurations and what they mean, or what is wrong with them.

mod golden;
mod meaning;
mod problems;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::{Config, Loaded, Problems, Sources};

/// Reads `text` as `pampero.toml`, with `variables` as the environment.
fn read(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Problems> {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let sources =
        Sources { file: Some(("pampero.toml", text)), variables, read_file: &secret_file };
    Config::read(&sources)
}

/// The files with secrets that the cases speak of.
fn secret_file(path: &Path) -> io::Result<String> {
    match path.to_str() {
        Some("keys/good") => Ok("key-from-file\n".to_owned()),
        Some("keys/short") => Ok("short\n".to_owned()),
        Some("keys/lines") => Ok("two-lines\nof-secret\n".to_owned()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
    }
}
