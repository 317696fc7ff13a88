//! `bench ingest`: many cameras send at once.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use streamkeep_client::Client;
use tokio::sync::Barrier;

use super::camera::Shared;
use super::generator::{self, Plan};
use super::measured::Measured;
use super::picture::{Noise, Profile};
use super::process_stats::ProcessWatch;
use super::{print_result, runtime, streams};
use crate::commands::connect_args::ConnectArgs;
use crate::commands::units::{bits_per_second, duration};

/// Cameras that send H.264-shaped noise by PutMedia, each on its own schedule, and how long the
/// acks take.
///
/// Latencies count from the byte that completes a fragment: the start of the next one, or the
/// end-of-fragment tag with --end-of-fragment-tags. The exit status is 0 when every fragment was
/// PERSISTED.
#[derive(Args, Clone, Debug)]
pub(crate) struct IngestArgs {
    /// Cameras; with --find-limit the number to start from
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    streams: u32,
    /// Bits per second of each camera
    #[arg(long, default_value = "1M", value_parser = bits_per_second)]
    bitrate: u64,
    /// Frames per second
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=240))]
    fps: u32,
    /// Fragment duration: the distance of two key frames
    #[arg(long, default_value = "2s", value_parser = duration)]
    fragment: Duration,
    /// How long to measure; each camera then completes its fragment
    #[arg(long, default_value = "30s", value_parser = duration)]
    seconds: Duration,
    /// Fragments that start within this time do not count
    #[arg(long, default_value = "2s", value_parser = duration)]
    warm_up: Duration,
    /// Threads that send
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
    /// Complete each fragment with the end-of-fragment tag after its last frame
    #[arg(long)]
    end_of_fragment_tags: bool,
    /// Names of the streams are this and a number
    #[arg(long, default_value = "bench-")]
    prefix: String,
    /// Retention of the streams made
    #[arg(long, default_value_t = 1, value_name = "HOURS")]
    retention_hours: u32,
    /// Leave the streams made for the run in place
    #[arg(long)]
    keep_streams: bool,
    /// Add cameras until the 99th percentile of PERSISTED passes one second, or anything fails
    #[arg(long)]
    find_limit: bool,
    /// Process id of the server, to report its processor time and memory
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    #[command(flatten)]
    connect: ConnectArgs,
}

pub(super) fn run(args: &IngestArgs) -> Result<ExitCode, Box<dyn Error>> {
    let fragment_seconds = args.fragment.as_secs_f64();
    if !(0.2..=20.0).contains(&fragment_seconds) {
        return Err("--fragment must be between 200ms and 20s".into());
    }
    let (result, clean) = if args.find_limit { find_limit(args)? } else { single(args)? };
    print_result(&result)?;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn single(args: &IngestArgs) -> Result<(Value, bool), Box<dyn Error>> {
    let names = stream_names(args, args.streams);
    let made = runtime()?.block_on(streams::create(
        &args.connect.client()?,
        &names,
        args.retention_hours,
    ))?;
    let outcome = measure(args, &names);
    clean_up(args, &made)?;
    let (measured, report) = outcome?;
    eprint!("{}", measured.summary(args.seconds.as_secs_f64() + args.warm_up.as_secs_f64()));
    Ok((report, measured.is_clean()))
}

/// Steps by half until something gives, then closes in on it.
fn find_limit(args: &IngestArgs) -> Result<(Value, bool), Box<dyn Error>> {
    let (mut passed, mut failed): (u32, Option<u32>) = (0, None);
    let mut steps = Vec::new();
    let mut made = Vec::new();
    let mut count = args.streams;
    let outcome = loop {
        let names = stream_names(args, count);
        let created = runtime()?.block_on(streams::create(
            &args.connect.client()?,
            &names,
            args.retention_hours,
        ));
        let (measured, report) = match created.map_err(Box::from).and_then(|created| {
            made.extend(created);
            measure(args, &names)
        }) {
            Ok(done) => done,
            Err(error) => break Err(error),
        };
        let verdict = verdict(&measured);
        let p99 = measured.persisted_latency.quantile(0.99).as_secs_f64() * 1000.0;
        eprintln!("{count} cameras: PERSISTED p99 {p99:.1} ms, {verdict}");
        steps.push(json!({ "streams": count, "verdict": verdict, "result": report }));
        match verdict {
            "passed" => passed = count,
            _ => failed = Some(count),
        }
        count = match failed {
            None => passed + (passed / 2).max(1),
            Some(failed) if failed - passed <= (failed / 16).max(1) => break Ok(()),
            Some(failed) => passed + (failed - passed) / 2,
        };
    };
    clean_up(args, &made)?;
    outcome?;
    eprintln!("the limit is {passed} cameras");
    Ok((json!({ "bench": "ingest", "limit_streams": passed, "steps": steps }), passed > 0))
}

fn verdict(measured: &Measured) -> &'static str {
    if measured.persisted_latency.quantile(0.99) > PERSISTED_P99_MAX {
        "too slow"
    } else if !measured.is_clean() {
        "failed"
    } else if measured.is_overloaded() {
        "generator overloaded"
    } else {
        "passed"
    }
}

fn measure(args: &IngestArgs, names: &[String]) -> Result<(Measured, Value), Box<dyn Error>> {
    let fragment_seconds = args.fragment.as_secs_f64();
    let frames_per_fragment = ((fragment_seconds * f64::from(args.fps)).round() as u32).max(1);
    let profile = Profile::new(args.bitrate, fragment_seconds, frames_per_fragment);
    let shared = Shared {
        profile,
        noise: Noise::new(profile.key_frame_len),
        period: Duration::from_secs(1) / args.fps,
        end_of_fragment_tags: args.end_of_fragment_tags,
    };
    let threads = usize::from(args.threads).min(names.len());
    let ready = Arc::new(Barrier::new(threads));
    let (send_for, stamp_origin) = (args.warm_up + args.seconds, Instant::now());
    let own = ProcessWatch::start("self");
    let server = args.server_pid.map(|pid| ProcessWatch::start(&pid.to_string()));
    let running: Vec<_> = (0..threads)
        .map(|thread| {
            let mine = || (thread..names.len()).step_by(threads);
            let plan = Plan {
                stream_names: mine().map(|index| names[index].clone()).collect(),
                phases: mine().map(spread).collect(),
                shared: shared.clone(),
                warm_up: args.warm_up,
                send_for,
                ready: ready.clone(),
                stamp_origin,
            };
            // Connections belong to the runtime they were made on, hence a client for each.
            let client = args.connect.client()?;
            Ok(std::thread::Builder::new()
                .name(format!("bench-{thread}"))
                .spawn(move || run_plan(client, plan))?)
        })
        .collect::<Result<_, Box<dyn Error>>>()?;
    let mut measured = Measured::default();
    for thread in running {
        measured.merge(&thread.join().map_err(|_| "a sending thread failed")??);
    }
    let mut report = measured.to_json(send_for.as_secs_f64());
    report["bench"] = "ingest".into();
    report["streams"] = names.len().into();
    report["seconds"] = args.seconds.as_secs_f64().into();
    report["bitrate"] = args.bitrate.into();
    report["fps"] = args.fps.into();
    report["fragment_seconds"] = fragment_seconds.into();
    report["tls"] = (args.connect.client()?.settings().endpoint.scheme()
        == streamkeep_client::Scheme::Https)
        .into();
    report["generator"] = own.finish();
    report["generator"]["overloaded"] = measured.is_overloaded().into();
    report["server"] = server.map_or(Value::Null, |server| server.finish());
    Ok((measured, report))
}

fn run_plan(client: Client, plan: Plan) -> std::io::Result<Measured> {
    Ok(runtime()?.block_on(generator::run(client, plan)))
}

/// Deletes the streams made for the run, unless they are to stay.
fn clean_up(args: &IngestArgs, made: &[String]) -> Result<(), Box<dyn Error>> {
    if !args.keep_streams && !made.is_empty() {
        let failed = runtime()?.block_on(streams::delete(&args.connect.client()?, made));
        if failed > 0 {
            eprintln!("{failed} of {} streams could not be deleted", made.len());
        }
    }
    Ok(())
}

fn stream_names(args: &IngestArgs, count: u32) -> Vec<String> {
    (0..count).map(|index| format!("{}{index:05}", args.prefix)).collect()
}

/// The n-th point of a sequence that fills 0..1 evenly however far it goes (multiples of the
/// golden ratio), so that key frames of cameras do not meet.
fn spread(index: usize) -> f64 {
    (index as f64 * 0.618_033_988_749_895).fract()
}

const PERSISTED_P99_MAX: Duration = Duration::from_secs(1);
