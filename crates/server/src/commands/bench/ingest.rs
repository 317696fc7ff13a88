//! `bench ingest`: many cameras send at once.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use streamkeep_client::{Client, Scheme};
use tokio::sync::Barrier;

use super::generator::{self, Plan};
use super::load_args::{LoadArgs, spread};
use super::measured::Measured;
use super::process_stats::ProcessWatch;
use super::{print_result, runtime};

/// Cameras that send H.264-shaped noise by PutMedia, each on its own schedule, and how long the
/// acks take
///
/// Latencies count from the byte that completes a fragment: the start of the next one, or the
/// end-of-fragment tag with --end-of-fragment-tags. The exit status is 0 when every fragment was
/// PERSISTED.
#[derive(Args, Clone, Debug)]
pub(crate) struct IngestArgs {
    /// Threads that send
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
    /// Starting from --streams, add cameras until the 99th percentile of PERSISTED passes one
    /// second, or anything fails
    #[arg(long)]
    find_limit: bool,
    #[command(flatten)]
    load: LoadArgs,
}

pub(super) fn run(args: &IngestArgs) -> Result<ExitCode, Box<dyn Error>> {
    let (result, clean) = if args.find_limit { find_limit(args)? } else { single(args)? };
    print_result(&result)?;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn single(args: &IngestArgs) -> Result<(Value, bool), Box<dyn Error>> {
    let names = args.load.stream_names(args.load.streams);
    let made = args.load.create_streams(&names)?;
    let outcome = measure(args, &names);
    args.load.clean_up(&made)?;
    let (measured, report) = outcome?;
    eprint!("{}", measured.summary(args.load.send_for().as_secs_f64()));
    Ok((report, measured.is_clean()))
}

/// Steps by half until something gives, then closes in on it.
fn find_limit(args: &IngestArgs) -> Result<(Value, bool), Box<dyn Error>> {
    let (mut passed, mut failed): (u32, Option<u32>) = (0, None);
    let (mut steps, mut made) = (Vec::new(), Vec::new());
    let mut count = args.load.streams;
    let outcome = loop {
        let names = args.load.stream_names(count);
        let step = args.load.create_streams(&names).and_then(|created| {
            made.extend(created);
            measure(args, &names)
        });
        let (measured, report) = match step {
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
    args.load.clean_up(&made)?;
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
    let load = &args.load;
    let shared = load.shared();
    let threads = usize::from(args.threads).min(names.len());
    let ready = Arc::new(Barrier::new(threads));
    let stamp_origin = Instant::now();
    let (own, server) = (ProcessWatch::start("self"), load.watch_server());
    let running: Vec<_> = (0..threads)
        .map(|thread| {
            let mine = || (thread..names.len()).step_by(threads);
            let plan = Plan {
                stream_names: mine().map(|index| names[index].clone()).collect(),
                phases: mine().map(spread).collect(),
                shared: shared.clone(),
                warm_up: load.warm_up,
                send_for: load.send_for(),
                ready: ready.clone(),
                stamp_origin,
            };
            // Connections belong to the runtime they were made on, hence a client for each.
            let client = load.client()?;
            Ok(std::thread::Builder::new()
                .name(format!("bench-{thread}"))
                .spawn(move || run_plan(client, plan))?)
        })
        .collect::<Result<_, Box<dyn Error>>>()?;
    let mut measured = Measured::default();
    for thread in running {
        measured.merge(&thread.join().map_err(|_| "a sending thread failed")??);
    }
    let mut report = measured.to_json(load.send_for().as_secs_f64());
    report["bench"] = "ingest".into();
    report["streams"] = names.len().into();
    report["seconds"] = load.seconds.as_secs_f64().into();
    report["bitrate"] = load.bitrate.into();
    report["fps"] = load.fps.into();
    report["fragment_seconds"] = load.fragment.as_secs_f64().into();
    report["tls"] = (load.client()?.settings().endpoint.scheme() == Scheme::Https).into();
    report["generator"] = own.finish();
    report["generator"]["overloaded"] = measured.is_overloaded().into();
    report["server"] = server.map_or(Value::Null, |server| server.finish());
    Ok((measured, report))
}

pub(super) fn run_plan(client: Client, plan: Plan) -> std::io::Result<Measured> {
    Ok(runtime()?.block_on(generator::run(client, plan)))
}

const PERSISTED_P99_MAX: Duration = Duration::from_secs(1);
