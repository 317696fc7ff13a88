//! `streamkeep get`: a consumer that writes Matroska.

mod archive;
mod live;
mod output;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use streamkeep_client::media::TimestampAxis;
use streamkeep_media::UnixMillis;

use super::connect_args::ConnectArgs;
use super::time_spec::{TimeSpec, time_spec};
use super::units::duration;

/// Write a stream's media to a Matroska file, by time or live
///
/// With --from: everything from then to --to, as one playable file, in the order the producer took
/// it; what a producer sent twice stands once. Without --from: live from now on, until interrupted
/// or for --duration.
///
/// The exit status is 0 when all media that the service has was written.
#[derive(Args, Clone, Debug)]
pub(crate) struct GetArgs {
    /// Name of the stream
    stream: String,
    /// Start of the range: 2026-11-20T09:30:00Z, epoch seconds, or -5m for ago
    #[arg(long, value_name = "TIME", value_parser = time_spec, allow_hyphen_values = true)]
    from: Option<TimeSpec>,
    /// End of the range
    #[arg(
        long, value_name = "TIME", value_parser = time_spec, allow_hyphen_values = true,
        default_value = "now", requires = "from"
    )]
    to: TimeSpec,
    /// File to write, or - for standard output
    #[arg(short, long, value_name = "FILE|-")]
    output: String,
    /// Which of a fragment's times the range is about
    #[arg(long, value_enum, default_value_t = Axis::Producer)]
    by: Axis,
    /// Live: stop after this long
    #[arg(long, value_parser = duration, conflicts_with = "from")]
    duration: Option<Duration>,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Axis {
    /// When the producer took it
    Producer,
    /// When the service received it
    Server,
}

/// Runs the command.
pub(crate) fn run(args: GetArgs) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(get(&args))
}

async fn get(args: &GetArgs) -> Result<ExitCode, Box<dyn Error>> {
    output::check_name(&args.output)?;
    let client = args.connect.client()?;
    let Some(from) = args.from else {
        return live::get(&client, &args.stream, &args.output, args.duration).await;
    };
    let now = UnixMillis::from_system_time(SystemTime::now());
    let axis = match args.by {
        Axis::Producer => TimestampAxis::Producer,
        Axis::Server => TimestampAxis::Server,
    };
    let range = (from.resolve(now), args.to.resolve(now));
    if range.0 > range.1 {
        return Err("--from is later than --to".into());
    }
    archive::get(&client, &args.stream, axis, range, &args.output).await
}
