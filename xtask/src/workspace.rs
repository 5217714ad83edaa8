//! Where the tree is and what it consists of, as cargo and git see it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::subprocess;

/// The checkout the chores work on.
pub(crate) struct Workspace {
    /// The folder with the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// The folder cargo builds into.
    pub(crate) target: PathBuf,
    /// Every member of the workspace.
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// The package's name, as in `pampero-store`.
    pub(crate) name: String,
    /// What its manifest asks for.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a manifest's dependency tables.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    /// The name of the package depended upon.
    pub(crate) package: String,
    /// Whether only tests, examples and benchmarks use it.
    pub(crate) dev: bool,
}

impl Workspace {
    /// Asks cargo about the workspace that this program was built in.
    ///
    /// # Errors
    /// Cargo cannot read the manifests.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the chores live one folder below the root")?
            .to_path_buf();
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--format-version=1", "--no-deps"]).current_dir(&root);
        let metadata: Value = serde_json::from_str(&subprocess::read(&mut cargo)?)
            .context("cargo metadata printed no JSON")?;
        let target = metadata["target_directory"]
            .as_str()
            .context("cargo metadata names no target directory")?
            .into();
        let packages = items(&metadata["packages"]).map(Package::from_metadata).collect();
        Ok(Self { root, target, packages })
    }

    /// Starts a `cargo` command at the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.args(arguments).current_dir(&self.root);
        cargo
    }

    /// Returns the files that are tracked or would be, relative to the root, sorted.
    ///
    /// # Errors
    /// Git is missing, or the tree is no git checkout.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listing = subprocess::read(git.current_dir(&self.root))?;
        let mut files: Vec<PathBuf> =
            listing.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from).collect();
        // A file that was deleted but not yet committed is still listed.
        files.retain(|file| self.root.join(file).is_file());
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// Returns the tracked files whose name ends in `.extension`.
    ///
    /// # Errors
    /// As [`Workspace::files`].
    pub(crate) fn files_with_extension(&self, extension: &str) -> Result<Vec<PathBuf>> {
        let mut files = self.files()?;
        files.retain(|file| file.extension().is_some_and(|found| found == extension));
        Ok(files)
    }

    /// Reads a file of the tree.
    ///
    /// # Errors
    /// It is missing or no UTF-8.
    pub(crate) fn text(&self, file: &Path) -> Result<String> {
        std::fs::read_to_string(self.root.join(file))
            .with_context(|| format!("cannot read {}", file.display()))
    }

    /// Builds the program with all optimisations and returns where it is.
    ///
    /// # Errors
    /// It does not compile.
    pub(crate) fn release_binary(&self, package: &str) -> Result<PathBuf> {
        println!("building {package} in release");
        subprocess::run(&mut self.cargo(&["build", "--release", "--quiet", "--package", package]))?;
        Ok(self.target.join("release").join(package))
    }

    /// Builds the program as the Rust tests have it, which costs nothing after they ran, and returns where
    /// it is.
    ///
    /// # Errors
    /// It does not compile.
    pub(crate) fn tested_binary(&self) -> Result<PathBuf> {
        // Cargo builds the program for its tests; of the workspace as a whole, since the features of
        // shared crates would be others, and they would be compiled again.
        let build = ["test", "--workspace", "--test", "program", "--no-run", "--quiet"];
        subprocess::run(&mut self.cargo(&build))?;
        Ok(self.target.join("debug").join("pampero"))
    }

    /// Returns an empty folder of that name under the target directory.
    ///
    /// # Errors
    /// It cannot be cleared or made.
    pub(crate) fn empty_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join("xtask").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot clear {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }
}

impl Package {
    fn from_metadata(package: &Value) -> Self {
        Self {
            name: word(&package["name"]),
            dependencies: items(&package["dependencies"])
                .map(|dependency| Dependency {
                    package: word(&dependency["name"]),
                    dev: dependency["kind"] == "dev",
                })
                .collect(),
        }
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
