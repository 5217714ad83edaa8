//! What the chores need beside Rust, and how it is installed when it is missing.
//!
//! Everything comes through ordinary package managers: rustup for the parts of the toolchain, apt
//! for Python, Node and Prometheus, pip for programs whose versions `xtask/requirements.txt` fixes,
//! npm for those of `xtask/grafana/package-lock.json`. What is there already is left alone.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::subprocess;
use crate::workspace::Workspace;

/// The programs that pip installs, all of them with their versions.
const REQUIREMENTS: &str = include_str!("../requirements.txt");
/// The packages that npm installs, all of them with their versions.
const NODE_PACKAGES: &str = include_str!("../grafana/package-lock.json");
/// What Debian's maintainer scripts ask before they start a service.
const SERVICE_POLICY: &str = "/usr/sbin/policy-rc.d";

/// Something a check or a test needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tool {
    /// rustfmt and clippy.
    RustComponents,
    /// A virtual environment with the programs of `xtask/requirements.txt`.
    PythonPrograms,
    /// A real Prometheus with its promtool, a real Alertmanager and a real node_exporter, on the PATH.
    Prometheus,
    /// A real VictoriaMetrics on the PATH.
    VictoriaMetrics,
    /// Grafana's published schema, and what checks a dashboard against it.
    GrafanaSchema,
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
            Self::Prometheus => prepare_services(
                &["prometheus", "promtool", "prometheus-alertmanager", "prometheus-node-exporter"],
                &["prometheus", "prometheus-alertmanager", "prometheus-node-exporter"],
            ),
            Self::VictoriaMetrics => prepare_services(&["victoria-metrics"], &["victoria-metrics"]),
            Self::GrafanaSchema => prepare_grafana_schema(workspace),
        }
    }
}

/// Prepares a command that runs a program of the virtual environment at the root of the tree.
pub(crate) fn python_program(workspace: &Workspace, name: &str) -> Command {
    let mut command = Command::new(environment(workspace).join("bin").join(name));
    command.current_dir(&workspace.root);
    command
}

/// Prepares a command that checks the dashboards named behind it against Grafana's schema.
pub(crate) fn grafana_schema(workspace: &Workspace) -> Command {
    let mut command = Command::new("node");
    command.arg(node_folder(workspace).join("validate.mjs")).current_dir(&workspace.root);
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

/// Installs Debian packages that bring services, unless their programs are there already.
fn prepare_services(programs: &[&str], packages: &[&str]) -> Result<()> {
    let is_there = |name: &&str| subprocess::works(Command::new(name).arg("--version"));
    if programs.iter().all(is_there) {
        return Ok(());
    }
    let _policy = NoServices::begin()?;
    install_debian_packages(packages)
}

/// Keeps installed programs from being started as services, which would take their usual ports.
struct NoServices {
    /// Whether the policy is ours to take away again.
    is_ours: bool,
}

impl NoServices {
    fn begin() -> Result<Self> {
        if Path::new(SERVICE_POLICY).exists() {
            return Ok(Self { is_ours: false });
        }
        let write = || -> std::io::Result<()> {
            let mut policy = File::create_new(SERVICE_POLICY)?;
            // 101 stands for an action that is forbidden.
            policy.write_all(b"#!/bin/sh\nexit 101\n")?;
            policy.set_permissions(std::fs::Permissions::from_mode(0o755))
        };
        write().with_context(|| {
            format!(
                "cannot write {SERVICE_POLICY}: install Debian's prometheus, \
                     prometheus-node-exporter and victoria-metrics by hand, or try again as root"
            )
        })?;
        Ok(Self { is_ours: true })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours && std::fs::remove_file(SERVICE_POLICY).is_err() {
            println!("{SERVICE_POLICY} could not be removed: remove it by hand");
        }
    }
}

fn prepare_grafana_schema(workspace: &Workspace) -> Result<()> {
    let (source, folder) = (workspace.root.join("xtask/grafana"), node_folder(workspace));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    // Node looks for packages beside the file that asks for them, so the files go where those are.
    for name in ["package.json", "package-lock.json", "shape.ts", "tsconfig.json", "validate.mjs"] {
        std::fs::copy(source.join(name), folder.join(name))
            .with_context(|| format!("cannot copy xtask/grafana/{name}"))?;
    }
    // Written last, as above.
    let stamp = folder.join("installed.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == NODE_PACKAGES) {
        return Ok(());
    }
    if !subprocess::works(Command::new("npm").arg("--version")) {
        install_debian_packages(&["nodejs", "npm"])?;
    }
    println!("installing the packages of xtask/grafana with npm");
    let mut npm = Command::new("npm");
    npm.args(["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]);
    subprocess::run_quietly(npm.current_dir(&folder))?;
    std::fs::write(&stamp, NODE_PACKAGES)
        .with_context(|| format!("cannot write {}", stamp.display()))
}

fn node_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("xtask").join("grafana")
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
