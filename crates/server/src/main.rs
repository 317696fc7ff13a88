//! Streamkeep: the command line and the wiring of the server.

mod commands;
mod config;
mod demo;
mod logging;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Self-hosted video streams, wire-compatible with Amazon Kinesis Video Streams.
#[derive(Parser)]
#[command(name = "streamkeep", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// Where a variant has no text of its own, that of its options is shown, which is longer.
#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<config::ServeArgs>),
    Put(commands::put::PutArgs),
    Get(commands::get::GetArgs),
    Url(commands::url::UrlArgs),
    /// Run a server with moving cameras, to see it work
    Demo(demo::DemoArgs),
    /// Check a data directory, offline
    Fsck(commands::offline::FsckArgs),
    /// Make the databases anew from cards and volumes, offline
    RebuildIndex(commands::offline::DirectoryArgs),
    /// List what is in a volume, offline
    DumpVolume(commands::offline::DumpArgs),
    /// Load a server and measure it
    Bench(commands::bench::BenchArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Serve(args) => serve::run(*args),
        Command::Put(args) => commands::put::run(args),
        Command::Get(args) => commands::get::run(args),
        Command::Url(args) => commands::url::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Fsck(args) => commands::offline::run_fsck(args),
        Command::RebuildIndex(args) => commands::offline::run_rebuild_index(args),
        Command::DumpVolume(args) => commands::offline::run_dump_volume(args),
        Command::Bench(args) => commands::bench::run(args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("streamkeep: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprintln!("  because: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}
