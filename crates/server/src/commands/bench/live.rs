//! `bench live`: how long a frame takes from the camera to someone who watches.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use streamkeep_client::media::{FragmentReader, MediaBody, MediaEvent, StartSelector};
use streamkeep_client::{Client, Error as ClientError};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::generator::Plan;
use super::histogram::Histogram;
use super::ingest::run_plan;
use super::load_args::{LoadArgs, spread};
use super::picture::read_stamp;
use super::process_stats::ProcessWatch;
use super::read::count_error;
use super::{print_result, runtime};

/// Cameras, and a viewer for each by GetMedia from NOW: the time from sending a frame to having it
///
/// The time of sending stands in each frame, and both ends share a clock. The exit status is 0 when
/// nothing failed and every viewer got frames.
#[derive(Args, Clone, Debug)]
pub(crate) struct LiveArgs {
    /// Viewers of each camera; the service allows 3
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    viewers: u32,
    #[command(flatten)]
    load: LoadArgs,
}

/// What the viewers counted.
#[derive(Debug, Default)]
struct Watched {
    latency: Histogram,
    /// GetMedia called → first frame of the media that is sent from then on.
    start: Histogram,
    frames: u64,
    /// Viewers that got no frame.
    blind: u64,
    errors: std::collections::BTreeMap<String, u64>,
}

pub(super) fn run(args: &LiveArgs) -> Result<ExitCode, Box<dyn Error>> {
    let names = args.load.stream_names(args.load.streams);
    let made = args.load.create_streams(&names)?;
    let outcome = measure(args, &names);
    args.load.clean_up(&made)?;
    let (report, clean) = outcome?;
    print_result(&report)?;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(args: &LiveArgs, names: &[String]) -> Result<(Value, bool), Box<dyn Error>> {
    let load = &args.load;
    let ready = Arc::new(Barrier::new(2));
    let stamp_origin = Instant::now();
    let plan = Plan {
        stream_names: names.to_vec(),
        phases: (0..names.len()).map(spread).collect(),
        shared: load.shared(),
        warm_up: load.warm_up,
        send_for: load.send_for(),
        ready: ready.clone(),
        stamp_origin,
    };
    let (own, server) = (ProcessWatch::start("self"), load.watch_server());
    let client = load.client()?;
    let cameras =
        std::thread::Builder::new().name("cameras".into()).spawn(move || run_plan(client, plan))?;
    let client = load.client()?;
    let watched = runtime()?.block_on(watch(client, args, names, &ready, stamp_origin));
    let measured = cameras.join().map_err(|_| "the sending thread failed")??;
    let seconds = load.send_for().as_secs_f64();
    let report = json!({
        "bench": "live",
        "streams": names.len(),
        "viewers": names.len() as u64 * u64::from(args.viewers),
        "frames_watched": watched.frames,
        "viewers_without_frames": watched.blind,
        "viewer_errors": watched.errors,
        "latency_ms": {
            "frame_sent_to_frame_watched": watched.latency.to_json(),
            "get_media_to_first_frame": watched.start.to_json(),
        },
        "ingest": measured.to_json(seconds),
        "generator": own.finish(),
        "server": server.map_or(Value::Null, |server| server.finish()),
    });
    eprint!("{}", measured.summary(seconds));
    eprintln!("frame sent → frame watched: {}", watched.latency.summary());
    eprintln!("GetMedia → first live frame: {}", watched.start.summary());
    for (error, count) in &watched.errors {
        eprintln!("{count} × viewer failed: {error}");
    }
    Ok((report, measured.is_clean() && watched.errors.is_empty() && watched.blind == 0))
}

async fn watch(
    client: Client,
    args: &LiveArgs,
    names: &[String],
    ready: &Barrier,
    stamp_origin: Instant,
) -> Watched {
    ready.wait().await;
    let (begun, send_for) = (Instant::now(), args.load.send_for());
    let measure_from = begun + args.load.warm_up;
    // Within one fragment's time every camera has begun.
    tokio::time::sleep(args.load.fragment).await;
    let end = begun + send_for;
    let mut viewers = JoinSet::new();
    for name in names {
        for _ in 0..args.viewers {
            let (client, name) = (client.clone(), name.clone());
            viewers.spawn(async move {
                let mut watched = Watched::default();
                let watching = view(&client, &name, stamp_origin, measure_from, &mut watched);
                // The viewers leave before the cameras do.
                match tokio::time::timeout_at(end.into(), watching).await {
                    Ok(Ok(())) => count_error(&mut watched.errors, "ended by the service".into()),
                    Ok(Err(error)) => count_error(&mut watched.errors, error.to_string()),
                    Err(_time_is_up) => {}
                }
                watched.blind = u64::from(watched.frames == 0);
                watched
            });
        }
    }
    let mut all = Watched::default();
    while let Some(Ok(watched)) = viewers.join_next().await {
        all.latency.merge(&watched.latency);
        all.start.merge(&watched.start);
        all.frames += watched.frames;
        all.blind += watched.blind;
        for (error, count) in watched.errors {
            *all.errors.entry(error).or_default() += count;
        }
    }
    all
}

async fn view(
    client: &Client,
    stream_name: &str,
    stamp_origin: Instant,
    measure_from: Instant,
    watched: &mut Watched,
) -> Result<(), ClientError> {
    let called = Instant::now();
    let body = MediaBody::get_media(client, stream_name, &StartSelector::Now).await?;
    let mut reader = FragmentReader::new(body);
    while let Some(event) = reader.next().await? {
        let MediaEvent::Block { element, payload_offset, .. } = event else { continue };
        let now = Instant::now();
        let Some(stamp) = element.get(payload_offset..).and_then(read_stamp) else { continue };
        let sent = stamp_origin + Duration::from_nanos(stamp);
        // The fragment at hand began before anyone watched.
        if sent < called {
            continue;
        }
        if watched.frames == 0 {
            watched.start.record(now - called);
        }
        watched.frames += 1;
        if sent >= measure_from {
            watched.latency.record(now.saturating_duration_since(sent));
        }
    }
    Ok(())
}
