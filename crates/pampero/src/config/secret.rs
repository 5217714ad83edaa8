//! Secrets: named by a variable or a file, never written into the configuration itself.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::kind::{Kind, path, quoted, text_of};
use super::origin::Origin;
use super::reader::{Section, Setting};
use super::tree::Node;

/// A shorter secret is refused: it could be guessed, and the log would lose innocent words with it.
const LENGTH_MIN: usize = 8;

/// The kind of a setting that says no more than whether there is a secret.
pub(super) const SECRET: &str = "secret";

/// The kind of a setting that names a variable with a secret.
pub(super) const VARIABLE_NAME: &str = "variable name";

/// Where secrets can be found.
pub(super) struct Vault<'s> {
    /// The environment.
    pub(super) variables: &'s BTreeMap<String, String>,
    /// Reads a file.
    pub(super) read_file: &'s dyn Fn(&Path) -> io::Result<String>,
}

/// How a secret is called, in the configuration and in the environment.
pub(super) struct SecretKey {
    /// The key that must not be written, as in `key`.
    pub(super) name: &'static str,
    /// The key that names a variable, as in `key_env`.
    pub(super) env: &'static str,
    /// The key that names a file, as in `key_file`.
    pub(super) file: &'static str,
    /// The variable that is read when neither is written; with `_FILE` behind it, it names a file.
    pub(super) variable: String,
    /// What the secret is for.
    pub(super) doc_env: &'static str,
    pub(super) doc_file: &'static str,
}

impl Vault<'_> {
    /// Reads a secret; `None` when there is none, or when it is wrong and a problem was noted.
    pub(super) fn read(&self, section: &mut Section<'_>, key: &SecretKey) -> Option<SecretString> {
        let secret = self.find(section, key);
        section.note(Setting {
            section: section.path.clone(),
            name: key.name,
            kind: SECRET.to_owned(),
            default: None,
            value: secret.as_ref().map(|_| "set".to_owned()),
            origin: Origin::Default,
            doc: "",
        });
        secret
    }

    fn find(&self, section: &mut Section<'_>, key: &SecretKey) -> Option<SecretString> {
        let problems_before = section.reader.problems.len();
        if let Some(node) = section.keys.remove(key.name) {
            let what = format!(
                "a secret does not belong here; put it into the variable {}, or into a file named by {}",
                key.variable, key.file
            );
            section.problem_at(node.key_origin, key.name, what);
        }
        let variable = section.read(key.env, key.variable.clone(), &variable_name(), key.doc_env);
        let variable_origin = section.origin_of(key.env);
        let file = section.read_optional(key.file, &path(), key.doc_file);
        if problems_before < section.reader.problems.len() {
            return None;
        }
        let is_named = variable_origin != Origin::Default;
        match (is_named, file) {
            (true, Some(_)) => {
                let what = format!("write either {} or {}, not both", key.env, key.file);
                section.problem_at(variable_origin, key.env, what);
                None
            }
            (true, None) => match self.variable(&variable) {
                Some(secret) => self.checked(section, Origin::Variable(variable), key, secret),
                None => {
                    let what =
                        format!("the variable {variable} is not set; set it, or remove this key");
                    section.problem_at(variable_origin, key.env, what);
                    None
                }
            },
            (false, Some(file)) => {
                let origin = section.origin_of(key.file);
                self.in_file(section, origin, key, &file)
            }
            (false, None) => self.by_default(section, key),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        // Compose files set what is missing to nothing.
        self.variables.get(name).filter(|value| !value.trim().is_empty()).cloned()
    }

    fn by_default(&self, section: &mut Section<'_>, key: &SecretKey) -> Option<SecretString> {
        if let Some(secret) = self.variable(&key.variable) {
            return self.checked(section, Origin::Variable(key.variable.clone()), key, secret);
        }
        let file_variable = format!("{}_FILE", key.variable);
        let file = self.variable(&file_variable)?;
        self.in_file(section, Origin::Variable(file_variable), key, Path::new(&file))
    }

    fn in_file(
        &self,
        section: &mut Section<'_>,
        origin: Origin,
        key: &SecretKey,
        file: &Path,
    ) -> Option<SecretString> {
        match (self.read_file)(file) {
            Ok(secret) => self.checked(section, origin, key, secret),
            Err(error) => {
                let what = format!("{} cannot be read: {error}", file.display());
                section.problem_at(origin, key.name, what);
                None
            }
        }
    }

    fn checked(
        &self,
        section: &mut Section<'_>,
        origin: Origin,
        key: &SecretKey,
        secret: String,
    ) -> Option<SecretString> {
        let secret = SecretString::from(secret.trim());
        let letters = secret.expose_secret();
        let what = if letters.len() < LENGTH_MIN {
            format!("the secret is shorter than {LENGTH_MIN} characters; choose a longer one")
        } else if !letters.chars().all(|letter| letter.is_ascii_graphic()) {
            "the secret must be visible ASCII characters on one line, without spaces".to_owned()
        } else {
            return Some(secret);
        };
        section.problem_at(origin, key.name, what);
        None
    }
}

/// The name of an environment variable.
fn variable_name() -> Kind<String> {
    let read = |node: &Node| {
        let is_name = |text: &&str| {
            let spelled_well = |letter: char| {
                letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'
            };
            !text.is_empty() && text.chars().all(spelled_well)
        };
        // The value is not repeated: it may be the secret itself, written into the wrong key.
        text_of(node).filter(is_name).map(str::to_owned).ok_or_else(|| {
            "write the name of an environment variable in capital letters, not the secret itself"
                .to_owned()
        })
    };
    Kind::new(VARIABLE_NAME, read, |name: &String| quoted(name))
}
