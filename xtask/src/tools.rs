//! What the chores need beside Rust, and how it is installed when it is missing.
//!
//! Everything comes through ordinary package managers: rustup for the parts of the toolchain, apt
//! for Python, pip for programs whose versions `xtask/requirements.txt` fixes. What is there already
//! is left alone.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::subprocess;
use crate::workspace::Workspace;

/// The programs that pip installs, all of them with their versions.
const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// Something a check or a test needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tool {
    /// rustfmt and clippy.
    RustComponents,
    /// A virtual environment with the programs of `xtask/requirements.txt`.
    PythonPrograms,
}

impl Tool {
    /// Installs the tool unless it is there; says so before it does.
    ///
    /// # Errors
    /// The package manager is missing or failed.
    pub(crate) fn prepare(self, workspace: &Workspace) -> Result<()> {
        match self {
            Self::RustComponents => prepare_rust_components(),
            Self::PythonPrograms => prepare_python_programs(workspace),
        }
    }
}

/// Prepares a command that runs a program of the virtual environment at the root of the tree.
pub(crate) fn python_program(workspace: &Workspace, name: &str) -> Command {
    let mut command = Command::new(environment(workspace).join("bin").join(name));
    command.current_dir(&workspace.root);
    command
}

fn prepare_rust_components() -> Result<()> {
    for (component, subcommand) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if subprocess::works(Command::new("cargo").args([subcommand, "--version"])) {
            continue;
        }
        println!("installing {component} with rustup");
        subprocess::run_quietly(Command::new("rustup").args(["component", "add", component]))
            .with_context(|| format!("cargo {subcommand} is missing and rustup cannot add it"))?;
    }
    Ok(())
}

fn prepare_python_programs(workspace: &Workspace) -> Result<()> {
    let environment = environment(workspace);
    // Written last, so that an interrupted installation is begun anew.
    let stamp = environment.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(());
    }
    println!("installing the programs of xtask/requirements.txt with pip");
    if !subprocess::works(&mut make_environment(&environment)) {
        install_debian_packages(&["python3", "python3-venv"])?;
        subprocess::run_quietly(&mut make_environment(&environment))?;
    }
    let mut pip = python_program(workspace, "python");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    subprocess::run_quietly(pip.arg(workspace.root.join("xtask/requirements.txt")))?;
    std::fs::write(&stamp, REQUIREMENTS)
        .with_context(|| format!("cannot write {}", stamp.display()))
}

fn environment(workspace: &Workspace) -> PathBuf {
    workspace.target.join("xtask").join("python")
}

fn make_environment(environment: &PathBuf) -> Command {
    let mut python = Command::new("python3");
    python.args(["-m", "venv", "--clear"]).arg(environment);
    python
}

fn install_debian_packages(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if !subprocess::works(Command::new("apt-get").arg("--version")) {
        bail!("{names} missing, and there is no apt-get to install them: install them by hand");
    }
    println!("installing {names} with apt-get");
    let apt_get = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    subprocess::run_quietly(apt_get().args(["update", "-qq"]))?;
    subprocess::run_quietly(apt_get().args(["install", "-y", "-qq"]).args(packages))
        .with_context(|| format!("run `apt-get install {names}` as root, then try again"))
}
