//! `streamkeep bench`: load on a server, and what it makes of it.

mod camera;
mod fragment_log;
mod generator;
mod histogram;
mod ingest;
mod measured;
mod picture;
mod process_stats;
mod streams;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

/// Load generators. Results go to standard output as JSON, a summary to standard error
#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand, Debug)]
enum Kind {
    /// Cameras that send; how long acks take
    Ingest(Box<ingest::IngestArgs>),
}

/// Runs the command.
pub(crate) fn run(args: BenchArgs) -> Result<ExitCode, Box<dyn Error>> {
    match args.kind {
        Kind::Ingest(args) => ingest::run(&args),
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn print_result(result: &Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{result:#}")
}
