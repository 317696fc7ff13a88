//! `bench read`: many readers at once.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use streamkeep_client::media::{MediaBody, StartSelector, TimestampAxis, list_fragments};
use streamkeep_client::{Client, DataApi, Error as ClientError};
use streamkeep_media::UnixMillis;
use tokio::task::JoinSet;

use super::histogram::Histogram;
use super::process_stats::ProcessWatch;
use super::{print_result, runtime};
use crate::commands::connect_args::ConnectArgs;
use crate::commands::units::duration;

/// Readers of streams that are there already: how fast media comes, and how soon
///
/// `bench ingest --keep-streams` leaves streams to read. The exit status is 0 when nothing failed.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReadArgs {
    /// Readers at once
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    readers: u32,
    /// What readers do
    #[arg(long, value_enum, default_value_t = Mode::Archive)]
    mode: Mode,
    /// Read these streams
    #[arg(long = "stream", value_name = "NAME")]
    streams: Vec<String>,
    /// Read the streams whose names begin so
    #[arg(long, default_value = "bench-", conflicts_with = "streams")]
    prefix: String,
    /// Archive: consecutive fragments in one call
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    fragments: u16,
    /// How long to measure
    #[arg(long, default_value = "30s", value_parser = duration)]
    seconds: Duration,
    /// Process id of the server, to report its processor time and memory
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// GetMediaForFragmentList of runs of fragments here and there, over and over
    Archive,
    /// GetMedia from the oldest fragment on; starts again once it has caught up
    Earliest,
    /// GetMedia from now on
    Live,
}

#[derive(Debug, Default)]
struct Counted {
    bytes: u64,
    answers: u64,
    /// Call sent → first byte of media.
    start: Histogram,
    /// Call sent → last byte, for answers that end.
    whole: Histogram,
    errors: BTreeMap<String, u64>,
}

/// A stream, and its fragments in order of ingestion.
#[derive(Clone, Debug)]
struct Target {
    name: String,
    fragments: Vec<String>,
}

pub(super) fn count_error(errors: &mut BTreeMap<String, u64>, error: String) {
    *errors.entry(error).or_default() += 1;
}

pub(super) fn run(args: &ReadArgs) -> Result<ExitCode, Box<dyn Error>> {
    runtime()?.block_on(read(args))
}

async fn read(args: &ReadArgs) -> Result<ExitCode, Box<dyn Error>> {
    let client = args.connect.client()?;
    let targets = targets(&client, args).await?;
    if targets.is_empty() {
        return Err("there are no streams with media to read".into());
    }
    let server = args.server_pid.map(|pid| ProcessWatch::start(&pid.to_string()));
    let own = ProcessWatch::start("self");
    let begun = Instant::now();
    let mut readers = JoinSet::new();
    for index in 0..args.readers as usize {
        let (client, target) = (client.clone(), targets[index % targets.len()].clone());
        let (mode, run_len, end) = (args.mode, usize::from(args.fragments), begun + args.seconds);
        readers.spawn(async move {
            let mut counted = Counted::default();
            while Instant::now() < end {
                let reading = read_one(&client, &target, mode, run_len, index, &mut counted);
                match tokio::time::timeout_at(end.into(), reading).await {
                    Ok(Ok(())) | Err(_) => {}
                    Ok(Err(error)) => {
                        count_error(&mut counted.errors, error.to_string());
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
            counted
        });
    }
    let mut all = Counted::default();
    while let Some(Ok(counted)) = readers.join_next().await {
        all.bytes += counted.bytes;
        all.answers += counted.answers;
        all.start.merge(&counted.start);
        all.whole.merge(&counted.whole);
        for (error, count) in counted.errors {
            *all.errors.entry(error).or_default() += count;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let megabytes_per_second = all.bytes as f64 / 1e6 / seconds;
    let report = json!({
        "bench": "read",
        "mode": format!("{:?}", args.mode).to_lowercase(),
        "readers": args.readers,
        "streams": targets.len(),
        "seconds": args.seconds.as_secs_f64(),
        "megabytes_per_s": (megabytes_per_second * 10.0).round() / 10.0,
        "answers": all.answers,
        "latency_ms": {
            "call_to_first_byte": all.start.to_json(),
            "call_to_last_byte": all.whole.to_json(),
        },
        "errors": all.errors,
        "generator": own.finish(),
        "server": server.map_or(Value::Null, |server| server.finish()),
    });
    print_result(&report)?;
    eprintln!("{megabytes_per_second:.1} MB/s, {} answers", all.answers);
    eprintln!("call → first byte: {}", all.start.summary());
    for (error, count) in &all.errors {
        eprintln!("{count} × {error}");
    }
    let clean = all.errors.is_empty() && all.bytes > 0;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One call, read to its end.
async fn read_one(
    client: &Client,
    target: &Target,
    mode: Mode,
    run_len: usize,
    reader: usize,
    counted: &mut Counted,
) -> Result<(), ClientError> {
    let called = Instant::now();
    let mut body = match mode {
        Mode::Live => MediaBody::get_media(client, &target.name, &StartSelector::Now).await?,
        Mode::Earliest => {
            MediaBody::get_media(client, &target.name, &StartSelector::Earliest).await?
        }
        Mode::Archive => {
            // Anywhere, but different for each reader and call.
            let runs = target.fragments.len().saturating_sub(run_len) + 1;
            let step = (counted.answers as usize).wrapping_mul(2_654_435_761) + reader * 97;
            let first = step % runs;
            let last = (first + run_len).min(target.fragments.len());
            let list = &target.fragments[first..last];
            let api = DataApi::GetMediaForFragmentList;
            let endpoint = client.data_endpoint(&target.name, api).await?;
            MediaBody::get_media_for_fragment_list(client, &endpoint, &target.name, list).await?
        }
    };
    let mut started = false;
    loop {
        // A reader from the oldest fragment has caught up when nothing comes for a while.
        let piece = match mode {
            Mode::Earliest => match tokio::time::timeout(CAUGHT_UP, body.next()).await {
                Ok(piece) => piece?,
                Err(_) => break,
            },
            _ => body.next().await?,
        };
        let Some(piece) = piece else {
            counted.whole.record(called.elapsed());
            break;
        };
        if !std::mem::replace(&mut started, true) {
            counted.start.record(called.elapsed());
            counted.answers += 1;
        }
        counted.bytes += piece.len() as u64;
    }
    Ok(())
}

async fn targets(client: &Client, args: &ReadArgs) -> Result<Vec<Target>, ClientError> {
    let names = match args.streams.is_empty() {
        true => stream_names(client, &args.prefix).await?,
        false => args.streams.clone(),
    };
    let now = UnixMillis::from_system_time(SystemTime::now());
    let mut targets = Vec::new();
    for name in names {
        let mut fragments = Vec::new();
        if args.mode == Mode::Archive {
            let listed =
                list_fragments(client, &name, TimestampAxis::Server, UnixMillis(0), now).await?;
            fragments = listed.into_iter().map(|info| info.number).collect();
            fragments.sort_by_key(|number| (number.len(), number.clone()));
            if fragments.is_empty() {
                continue;
            }
        }
        targets.push(Target { name, fragments });
        if targets.len() == args.readers as usize {
            break;
        }
    }
    Ok(targets)
}

async fn stream_names(client: &Client, prefix: &str) -> Result<Vec<String>, ClientError> {
    let mut names = Vec::new();
    let mut input = json!({
        "MaxResults": 1000,
        "StreamNameCondition": {
            "ComparisonOperator": "BEGINS_WITH", "ComparisonValue": prefix,
        },
    });
    loop {
        let answer = client.call("/listStreams", &input).await?;
        let page = answer["StreamInfoList"].as_array().map(Vec::as_slice).unwrap_or_default();
        names.extend(page.iter().filter_map(|info| info["StreamName"].as_str().map(str::to_owned)));
        match answer["NextToken"].as_str() {
            Some(token) if !token.is_empty() => input["NextToken"] = token.into(),
            _ => return Ok(names),
        }
    }
}

const CAUGHT_UP: Duration = Duration::from_millis(500);
