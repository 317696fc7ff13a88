//! `streamkeep demo`: a server with moving cameras, what to look at, and whether all went well.

mod camera;
mod playback;
mod stamp;
mod summary;
mod test_picture;
mod watch;

use std::error::Error;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use streamkeep_client::Client;

use crate::config::ServeArgs;
use crate::serve::Running;
use camera::{Camera, Picture};
use summary::{PlaybackCheck, Summary};
use test_picture::TestPicture;

/// Options of `streamkeep demo`.
#[derive(Args, Clone, Debug)]
pub(crate) struct DemoArgs {
    /// Cameras
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    cameras: u16,

    /// What the cameras show, over and over, instead of a moving test picture: a file or URL that
    /// ffmpeg reads
    #[arg(long, value_name = "FILE|URL")]
    input: Option<String>,

    /// End after this long with a summary; without it, at Ctrl-C
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,

    /// Keep the data there; without it a temporary directory is used and removed
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Address for plain HTTP [default: 127.0.0.1:8400, or any free port when that is taken]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

/// Runs the demo; the exit status says whether every fragment was kept and came back, and with
/// `--seconds` whether every camera can be played.
pub(crate) fn run(args: DemoArgs) -> Result<ExitCode, Box<dyn Error>> {
    camera::check_ffmpeg()?;
    let temporary = match &args.data_dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("streamkeep-demo-").tempdir()?),
    };
    let data_dir = match (&args.data_dir, &temporary) {
        (Some(dir), _) => dir.clone(),
        // A directory of its own inside, because the outer one is not empty for long.
        (None, Some(dir)) => dir.path().join("data"),
        (None, None) => unreachable!("one of both is there"),
    };
    crate::logging::start_quiet();
    let running = start_server(&args, data_dir)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(play(&args, &running));
    runtime.block_on(running.stop());
    let summary = outcome?;
    summary.print();
    Ok(if summary.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn start_server(args: &DemoArgs, data_dir: PathBuf) -> Result<Running, Box<dyn Error>> {
    let start = |listen: Option<String>| {
        let serve = ServeArgs { data_dir: Some(data_dir.clone()), listen, ..ServeArgs::default() };
        Running::start(&serve.resolve()?)
    };
    match start(args.listen.clone()) {
        Err(_) if args.listen.is_none() => start(Some("127.0.0.1:0".into())),
        result => result,
    }
}

/// Where the cameras' pictures come from.
enum Source<'a> {
    Input(&'a String),
    Test(TestPicture),
}

async fn play(args: &DemoArgs, running: &Running) -> Result<Summary, Box<dyn Error>> {
    let client = running.client()?;
    let names: Vec<String> = (1..=args.cameras).map(|number| format!("demo-{number}")).collect();
    for name in &names {
        create(&client, name).await?;
    }
    let started = Instant::now();
    let source = match &args.input {
        Some(input) => Source::Input(input),
        None => Source::Test(TestPicture::start()?),
    };
    let mut cameras = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let picture = match &source {
            Source::Input(input) => Picture::Input((*input).clone()),
            Source::Test(test_picture) => Picture::Moving { index, feed: test_picture.feed()? },
        };
        cameras.push(Camera::start(client.clone(), name, picture)?);
    }
    announce(running, args);

    let stop = crate::serve::wait_for_signal();
    tokio::pin!(stop);
    let mut is_announced = false;
    let deadline = args.seconds.map(|seconds| started + Duration::from_secs(seconds));
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            result = &mut stop => break result?,
            _ = tick.tick() => {
                if !is_announced && cameras.iter().all(Camera::can_be_played) {
                    is_announced = true;
                    clear_counters();
                    watch::announce(&client, &names).await;
                }
                show_counters(running, &cameras, started);
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    break;
                }
                if cameras.iter().all(Camera::has_ended) {
                    break;
                }
            }
        }
    }
    eprintln!();
    let mut outcomes = Vec::new();
    for camera in cameras {
        outcomes.push(camera.finish().await);
    }
    let playback = match args.seconds {
        Some(_) => PlaybackCheck::Yes,
        None => PlaybackCheck::No,
    };
    Summary::take(&client, running, outcomes, started.elapsed(), playback).await
}

async fn create(client: &Client, name: &str) -> Result<(), streamkeep_client::Error> {
    let input = json!({
        "StreamName": name, "DataRetentionInHours": 24, "MediaType": "video/h264"
    });
    match client.call("/createStream", &input).await {
        Err(error) if !error.has_code("ResourceInUseException") => Err(error),
        _ => Ok(()),
    }
}

#[allow(clippy::print_stdout, reason = "this is the command's output")]
fn announce(running: &Running, args: &DemoArgs) {
    let cameras = args.cameras;
    println!("Streamkeep with {cameras} moving cameras, demo-1 to demo-{cameras}.");
    if args.input.is_none() {
        println!("The squares at the top of a picture are the time it was made, for machines.");
    }
    println!();
    if let Some(link) = running.sign_in_link() {
        println!("See them in a browser on this machine (the link signs in once):");
        println!();
        println!("  {link}");
        println!();
    }
    println!("In another shell:");
    println!();
    for line in running.shell_lines() {
        println!("  {line}");
    }
    println!();
    println!("  streamkeep get demo-1 --from -30s -o demo.mp4  # a clip; .mkv as it was sent");
    println!("  streamkeep get demo-1 -o demo.jpg              # the newest picture");
    println!("  streamkeep get demo-1 -o - | ffplay -          # live, over GetMedia");
    println!("  streamkeep url demo-1 --hls --low-latency      # a URL for a player");
    println!("  aws kinesisvideo list-streams");
    println!("  curl {}/metrics", running.url());
    println!();
    match args.seconds {
        Some(seconds) => println!("Ends after {seconds} s."),
        None => println!("Stop with Ctrl-C."),
    }
}

/// What is printed next begins a line.
fn clear_counters() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}

fn show_counters(running: &Running, cameras: &[Camera], started: Instant) {
    let (mut fragments, mut persisted, mut bytes) = (0, 0, 0);
    for camera in cameras {
        let status = camera.status();
        fragments += status.fragments;
        persisted += status.done;
        bytes += status.bytes;
    }
    let stats = running.stats();
    let durable = match stats.append_latency.percentile_us(99) {
        Some(us) => format!("99 % durable within {} ms", us.div_ceil(1000)),
        None => "nothing durable yet".into(),
    };
    let line = format!(
        "{:>5} s   {fragments} fragments   {persisted} PERSISTED   {:.1} MB   {durable}",
        started.elapsed().as_secs(),
        bytes as f64 / 1e6,
    );
    // A terminal gets one line that changes, a file a line each ten seconds.
    if std::io::stderr().is_terminal() {
        eprint!("\r{line}\x1b[K");
        // A lost progress line is no loss.
        let _ = std::io::stderr().flush();
    } else if started.elapsed().as_secs().is_multiple_of(10) {
        eprintln!("{line}");
    }
}
