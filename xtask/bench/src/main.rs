//! The ends of a benchmark: a load generator, a writer of samples, a bare server to compare with.
//!
//! Speaks HTTP only and knows nothing of Pampero. `cargo xtask bench` builds it in release.

mod bare;
mod connection;
mod ingest;
mod load;

use std::net::SocketAddr;

use anyhow::Result;
use clap::{Parser, Subcommand};
use url::Url;

/// Load generator and bare server for `cargo xtask bench`.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sends GET requests as fast as they are answered and prints what came back as JSON.
    Load {
        /// What is asked for; plain HTTP only.
        #[arg(long)]
        url: Url,
        /// Connections, each kept alive with one request under way.
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// How long requests are begun.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
    /// Sends a made-up history of 500 series by remote write and prints how long it took as JSON.
    Ingest {
        /// Where remote writes go; plain HTTP only.
        #[arg(long)]
        url: Url,
        /// How long the history is, at a sample every 15 seconds.
        #[arg(long, default_value_t = 7.0)]
        days: f64,
        /// When it ends, in seconds since the Unix epoch.
        #[arg(long)]
        end: i64,
    },
    /// Answers every request with the body and headers that a URL answered once.
    BareServer {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddr,
        /// Where body and headers come from; plain HTTP only.
        #[arg(long)]
        body_from: Url,
    },
}

#[expect(clippy::print_stdout, reason = "the report goes to the program that started this one")]
fn main() -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    match Arguments::parse().command {
        Command::Load { url, connections, seconds } => {
            let target = connection::Target::new(&url)?;
            let tally = runtime.block_on(load::run(target, connections, seconds))?;
            println!("{}", tally.to_json());
        }
        Command::Ingest { url, days, end } => {
            println!("{}", runtime.block_on(ingest::run(&url, days, end))?);
        }
        Command::BareServer { listen, body_from } => {
            runtime.block_on(bare::serve(listen, connection::Target::new(&body_from)?))?;
        }
    }
    Ok(())
}
