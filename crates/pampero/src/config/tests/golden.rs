//! The pages made of the declarations are in the tree as they are made today.

use std::collections::BTreeMap;
use std::path::Path;

use super::{read, secret_file};
use crate::config::reader::Reader;
use crate::config::reference::pages;
use crate::config::{Sources, read_sections, read_tree};

/// Reads a place and a target with hardly a value, so that the keys of both are declared too.
fn declared() -> Reader {
    let text = "[[places]]\nname = \"Rosario\"\n[[metrics.targets]]\njob = \"node\"\n";
    let file = Some(("pampero.toml", text));
    let sources = Sources { file, variables: BTreeMap::new(), read_file: &secret_file };
    let mut reader = Reader::default();
    let tree = read_tree(&sources, &mut reader);
    read_sections(&sources, &mut reader, tree);
    reader
}

/// Compares `page` with the file of that name at the root of the tree; with `UPDATE_GOLDEN=1` in the
/// environment it writes the file instead.
#[track_caller]
fn check(name: &str, page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, page).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == page, "{name} is out of date; run the tests once with UPDATE_GOLDEN=1");
}

#[test]
fn reference_page_is_up_to_date() {
    let reader = declared();
    check("docs/configuration.md", &pages::reference(&reader.settings, &reader.sections));
}

#[test]
fn example_file_is_up_to_date() {
    let reader = declared();
    check("pampero.example.toml", &pages::example(&reader.settings, &reader.sections));
}

#[test]
fn example_file_means_the_defaults() {
    let reader = declared();
    let example = pages::example(&reader.settings, &reader.sections);
    let is_value = |line: &&str| !line.starts_with("##") && !line.ends_with('=');
    let mut is_of_list = false;
    // The keys that name a variable would ask for it, and a member of a list would be one more.
    let written: Vec<&str> = example
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.starts_with('[') || line.contains(" = "))
        .filter(is_value)
        .filter(|line| {
            if line.starts_with('[') {
                is_of_list = line.starts_with("[[");
            }
            !is_of_list && !line.contains("_env = ")
        })
        .collect();
    assert!(50 < written.len(), "{example}");
    let read_back = read(&written.join("\n"), &[]).unwrap().config;
    let default = read("", &[]).unwrap().config;
    assert_eq!(format!("{read_back:?}"), format!("{default:?}"));
}
