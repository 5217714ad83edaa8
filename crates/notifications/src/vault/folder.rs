//! A vault of files, one for each secret, and of variables of the environment.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{Vault, VaultError};
use crate::channel::file_stem;
use crate::secret::Reference;

/// Most bytes of one secret.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Keeps secrets in a folder that only its owner can read, as `<channel>.<member>`.
///
/// Whoever may make a channel over REST could send any secret that it may name to a receiver of their own.
/// So a channel has its own files in that folder, files of the further folders that the operator names,
/// and variables of the environment that are called `PAMPERO_CHANNEL_…`: neither the keys of providers nor
/// the admin token.
#[derive(Debug)]
pub struct FolderVault {
    folder: PathBuf,
    further: Vec<PathBuf>,
    env: Environment,
}

/// Variables whose values are not shown.
struct Environment(BTreeMap<String, SecretString>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl FolderVault {
    /// Makes a vault that writes to `folder`, which is made when it is needed, and reads from there, from the
    /// `further` folders, and from the variables of `env`.
    pub fn new(
        folder: impl Into<PathBuf>,
        further: Vec<PathBuf>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let named = env.into_iter().filter(|(name, _)| is_readable(name));
        let env = named.map(|(name, value)| (name, value.into())).collect();
        Self { folder: folder.into(), further, env: Environment(env) }
    }

    fn read_variable(&self, name: &str) -> Result<SecretString, VaultError> {
        let reference = Reference::Env(name.to_owned()).to_string();
        if !is_readable(name) {
            let reason = "only variables called PAMPERO_CHANNEL_ and capital letters, digits and `_` are read";
            return Err(VaultError::Refused { reference, reason });
        }
        match self.env.0.get(name) {
            Some(value) => Ok(value.clone()),
            None => {
                let reason = "the program was started without this variable".to_owned();
                Err(VaultError::Missing { reference, reason })
            }
        }
    }

    fn read_file(&self, config_id: &str, path: &str) -> Result<SecretString, VaultError> {
        let reference = Reference::File(path.to_owned()).to_string();
        let missing = |error: io::Error| VaultError::Missing {
            reference: reference.clone(),
            reason: error.kind().to_string(),
        };
        // Links are followed before the folder is judged, so that none leads out of it.
        let found = fs::canonicalize(self.folder.join(path)).map_err(missing)?;
        if !self.may_read(config_id, &found) {
            let reason = "it lies outside of the folders of secrets, or belongs to another channel";
            return Err(VaultError::Refused { reference, reason });
        }
        read(&found).map_err(missing)
    }

    fn may_read(&self, config_id: &str, found: &Path) -> bool {
        let inside = |folder: &Path| fs::canonicalize(folder).is_ok_and(|at| found.starts_with(at));
        if inside(&self.folder) {
            let own = fs::canonicalize(&self.folder).ok();
            let name = found.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            return found.parent() == own.as_deref() && name.starts_with(&prefix(config_id));
        }
        self.further.iter().any(|folder| inside(folder))
    }

    fn write(&self, name: &str, secret: &SecretString) -> io::Result<()> {
        use secrecy::ExposeSecret as _;
        make_private_folder(&self.folder)?;
        // A temporary file is made for its owner alone.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(secret.expose_secret().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(self.folder.join(name)).map_err(|error| error.error)?;
        fs::File::open(&self.folder)?.sync_all()
    }

    fn remove_all(&self, config_id: &str) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        let prefix = prefix(config_id);
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Vault for FolderVault {
    fn resolve(&self, config_id: &str, reference: &Reference) -> Result<SecretString, VaultError> {
        match reference {
            Reference::Env(name) => self.read_variable(name),
            Reference::File(path) => self.read_file(config_id, path),
        }
    }

    fn store(
        &self,
        config_id: &str,
        member: &str,
        secret: &SecretString,
    ) -> Result<Reference, VaultError> {
        let name = format!("{}{}", prefix(config_id), spelled(member));
        self.write(&name, secret).map_err(|error| VaultError::Write {
            config_id: config_id.to_owned(),
            reason: error.kind().to_string(),
        })?;
        Ok(Reference::File(name))
    }

    fn forget(&self, config_id: &str) -> Result<(), VaultError> {
        self.remove_all(config_id).map_err(|error| VaultError::Write {
            config_id: config_id.to_owned(),
            reason: error.kind().to_string(),
        })
    }
}

/// Returns how the names of a channel's files begin. No id has a dot, so no id is the beginning of another.
fn prefix(config_id: &str) -> String {
    format!("{}.", file_stem(config_id))
}

/// Spells a member so that it can stand in the name of a file.
fn spelled(member: &str) -> String {
    let mut name = String::with_capacity(member.len());
    for byte in member.to_ascii_lowercase().bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(char::from(byte)),
            other => name.push_str(&format!("~{other:02x}")),
        }
    }
    name
}

fn is_readable(name: &str) -> bool {
    let rest = name.strip_prefix("PAMPERO_CHANNEL_").unwrap_or_default();
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !rest.is_empty() && rest.bytes().all(is_part)
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn read(path: &Path) -> io::Result<SecretString> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = String::new();
    let file = fs::File::open(path)?;
    file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text)?;
    if SECRET_BYTES_MAX < text.len() as u64 {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    }
    Ok(secret.into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    struct Place {
        folder: tempfile::TempDir,
        vault: FolderVault,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let at = folder.path();
        for name in ["mounted", "elsewhere"] {
            fs::create_dir(at.join(name)).expect("a folder");
            fs::write(at.join(name).join("hook"), "https://hook\n").expect("a file");
        }
        let env = [
            ("PAMPERO_CHANNEL_SLACK_URL", "https://from-env"),
            ("PAMPERO_ADMIN_TOKEN", "t0ken"),
            ("HOME", "elsewhere"),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let vault = FolderVault::new(at.join("secrets"), vec![at.join("mounted")], env);
        Place { folder, vault }
    }

    #[track_caller]
    fn check(place: &Place, reference: &str, expected: Result<&str, &str>) {
        let reference = reference.parse().expect("the case is a reference");
        match (place.vault.resolve("ops", &reference), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.expose_secret(), expected),
            (Err(error), Err(part)) => {
                let error = error.to_string();
                assert!(error.contains(part), "{error}");
            }
            (found, _) => panic!("{reference}: {found:?}"),
        }
    }

    #[test]
    fn channel_reads_only_what_is_meant_for_channels() {
        let place = place();
        let at = |path: &str| format!("$file:{}", place.folder.path().join(path).display());
        check(&place, "$env:PAMPERO_CHANNEL_SLACK_URL", Ok("https://from-env"));
        check(&place, "$env:PAMPERO_CHANNEL_OTHER", Err("without this variable"));
        check(&place, "$env:PAMPERO_ADMIN_TOKEN", Err("is refused"));
        check(&place, "$env:HOME", Err("is refused"));
        check(&place, "$env:PAMPERO_CHANNEL_x", Err("is refused"));
        check(&place, "$env:PAMPERO_CHANNEL_", Err("is refused"));
        check(&place, &at("mounted/hook"), Ok("https://hook"));
        check(&place, &at("elsewhere/hook"), Err("is refused"));
        check(&place, &at("mounted/../elsewhere/hook"), Err("is refused"));
        check(&place, &at("mounted"), Err("cannot be read"));
        check(&place, &at("mounted/none"), Err("cannot be read"));
        check(&place, "$file:ops.url", Err("cannot be read"));
    }

    #[cfg(unix)]
    #[test]
    fn link_does_not_lead_out() {
        let place = place();
        let at = place.folder.path();
        std::os::unix::fs::symlink(at.join("elsewhere/hook"), at.join("mounted/link"))
            .expect("a link");
        let reference = format!("$file:{}", at.join("mounted/link").display());
        check(&place, &reference, Err("is refused"));
    }

    #[test]
    fn secret_is_kept_for_its_channel_alone() {
        let place = place();
        let secret = SecretString::from("s3cret");
        let kept = place.vault.store("ops", "url", &secret).expect("the folder can be written");
        assert_eq!(kept.to_string(), "$file:ops.url");
        check(&place, "$file:ops.url", Ok("s3cret"));

        let other = place.vault.resolve("op", &kept).expect_err("it belongs to another");
        assert!(matches!(other, VaultError::Refused { .. }), "{other}");
        let nested = place.vault.store("a/b", "header_params.X-Key", &secret).expect("it is kept");
        assert_eq!(nested.to_string(), "$file:a~b.header_params.x-key");
        place.vault.resolve("a/b", &nested).expect("it is found again");

        place.vault.store("ops", "url", &SecretString::from("newer")).expect("it is replaced");
        check(&place, "$file:ops.url", Ok("newer"));
        place.vault.forget("ops").expect("it is removed");
        check(&place, "$file:ops.url", Err("cannot be read"));
        place.vault.resolve("a/b", &nested).expect("others stay");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_what_is_kept() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = place();
        place.vault.store("ops", "url", &"s3cret".into()).expect("the folder can be written");
        let mode = |path: PathBuf| fs::metadata(path).expect("it is there").permissions().mode();
        let secrets = place.folder.path().join("secrets");
        assert_eq!(mode(secrets.join("ops.url")) & 0o777, 0o600);
        assert_eq!(mode(secrets) & 0o777, 0o700);
    }

    #[test]
    fn large_and_empty_files_are_refused() {
        let place = place();
        let at = place.folder.path().join("mounted");
        fs::write(at.join("large"), "x".repeat(70_000)).expect("a file");
        fs::write(at.join("empty"), "\n").expect("a file");
        for name in ["large", "empty"] {
            check(&place, &format!("$file:{}", at.join(name).display()), Err("cannot be read"));
        }
    }

    #[test]
    fn debug_shows_names_only() {
        let shown = format!("{:?}", place().vault);
        assert!(shown.contains("PAMPERO_CHANNEL_SLACK_URL"), "{shown}");
        assert!(!shown.contains("from-env") && !shown.contains("t0ken"), "{shown}");
    }
}
