//! `streamkeep bench`: load on a server, and what it makes of it.

mod camera;
mod fragment_log;
mod generator;
mod histogram;
mod ingest;
mod live;
mod load_args;
mod measured;
mod picture;
mod process_stats;
mod read;
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
    /// Readers; how fast and how soon media comes
    Read(Box<read::ReadArgs>),
    /// Cameras and viewers; how old a frame is when it is seen
    Live(Box<live::LiveArgs>),
}

/// Runs the command.
pub(crate) fn run(args: BenchArgs) -> Result<ExitCode, Box<dyn Error>> {
    match args.kind {
        Kind::Ingest(args) => ingest::run(&args),
        Kind::Read(args) => read::run(&args),
        Kind::Live(args) => live::run(&args),
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn print_result(result: &Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{result:#}")
}
