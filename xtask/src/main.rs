//! The project's own chores: `cargo xtask check`, `cargo xtask test`, `cargo xtask bench`.
//!
//! CI calls the same recipes as people do. The crate stays light, because every chore compiles it
//! first; what needs an HTTP stack lives in `xtask/bench`. Start reading at [`COMMANDS`].

#![expect(clippy::print_stdout, reason = "a chore talks to the person who started it")]
#![expect(clippy::print_stderr, reason = "a chore says on stderr why it failed")]

mod bench;
mod check;
mod form;
mod program;
mod subprocess;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// One chore: its name, its arguments, what it does, and the function behind it.
///
/// The function returns whether all went well; an error is a chore that could not be done at all.
struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&Workspace, &[String]) -> Result<bool>,
}

const COMMANDS: [Command; 3] = [
    Command {
        name: "check",
        arguments: "[NAME]",
        about: "format, lints, dependencies, arrows between crates, docs, links, hygiene",
        run: check::main,
    },
    Command {
        name: "test",
        arguments: "[--quick] [FILTER]",
        about: "installs what the tests need, then runs check and every test",
        run: test::main,
    },
    Command {
        name: "bench",
        arguments: "[NAME]",
        about: "measures speed and size, compares them with what is promised",
        run: bench::main,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<bool> {
    let Some((name, rest)) = arguments.split_first() else {
        print_help();
        return Ok(false);
    };
    if matches!(name.as_str(), "help" | "-h" | "--help") {
        print_help();
        return Ok(true);
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        bail!("there is no chore `{name}`; `cargo xtask help` lists them");
    };
    if rest.iter().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        print_help();
        return Ok(true);
    }
    (command.run)(&Workspace::find()?, rest)
}

fn print_help() {
    println!("usage: cargo xtask CHORE\n");
    for command in &COMMANDS {
        println!("  {:<6} {:<20} {}", command.name, command.arguments, command.about);
    }
    println!("\nchecks      {}", check::names().join(", "));
    println!("test steps  {}", test::names().join(", "));
    println!("benchmarks  {}", bench::names().join(", "));
    println!("\nA FILTER that is the name of a test step runs that step alone; any other one");
    println!("selects Rust tests by a part of their name.");
}
