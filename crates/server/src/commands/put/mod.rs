//! `streamkeep put`: a producer for files and piped media.

mod input;
mod pace;
mod progress;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use serde_json::json;
use streamkeep_client::Client;
use streamkeep_client::producer::{
    Delivery, FinalAck, FragmentLimits, Producer, ProducerOptions, Status,
};
use streamkeep_client::put_media::TimecodeType;
use streamkeep_client::source::{SourceFrame, SourceItem};
use streamkeep_media::{Track, UnixMillis};

use self::input::{Input, MediaFormat};
use self::pace::Pace;
use self::progress::Progress;
use super::connect_args::ConnectArgs;
use super::time_spec::{TimeSpec, time_spec};
use super::units::duration;

/// Send a file, or media from standard input, to a stream
///
/// Media is not re-encoded: H.264 and H.265 with AAC, G.711 or Opus can be played back, anything
/// that Matroska holds can be stored. Fragments begin at key frames. What a broken connection lost
/// is sent again.
///
/// The exit status is 0 when every fragment was PERSISTED (RECEIVED for a stream that keeps
/// nothing).
#[derive(Args, Clone, Debug)]
pub(crate) struct PutArgs {
    /// Name of the stream
    stream: String,
    /// File, or - for standard input
    #[arg(value_name = "FILE|-")]
    source: String,
    /// Send as fast as the media plays, stamped with the time of sending
    #[arg(long)]
    realtime: bool,
    /// Create the stream if it is not there
    #[arg(long)]
    create: bool,
    /// How long a created stream keeps media; 0 keeps nothing
    #[arg(long, value_name = "N", default_value_t = 24, requires = "create")]
    retention_hours: u32,
    /// What the input is; told by name and content when left out
    #[arg(long, value_enum)]
    format: Option<MediaFormat>,
    /// Frames per second of a raw H.264 or H.265 stream; told by the stream when left out, else 25
    #[arg(long, value_parser = frame_rate)]
    fps: Option<f64>,
    /// Time of the first frame: 2026-11-20T09:30:00Z, epoch seconds, or -5m for ago. When left out:
    /// that of the media when it has one, as a recorded stream does, else now
    #[arg(long, value_name = "TIME", value_parser = time_spec, allow_hyphen_values = true)]
    start: Option<TimeSpec>,
    /// Shortest fragment; key frames that come sooner do not begin one
    #[arg(long, default_value = "1s", value_parser = duration)]
    min_fragment: Duration,
    /// Give up when nothing is acked for this long
    #[arg(long, default_value = "120s", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// Runs the command.
pub(crate) fn run(args: PutArgs) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(put(&args));
    // A thread that waits for standard input cannot be joined.
    runtime.shutdown_background();
    result
}

async fn put(args: &PutArgs) -> Result<ExitCode, Box<dyn Error>> {
    let mut input = Input::open(&args.source, args.format, args.fps)?;
    let client = args.connect.client()?;
    let final_ack = match ensure_stream(&client, args).await? {
        0 => FinalAck::Received,
        _ => FinalAck::Persisted,
    };
    let begun = Instant::now();
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let mut sending: Option<Sending> = None;
    let mut tracks: Vec<Track> = Vec::new();
    let mut source_error = None;
    let mut was_interrupted = false;
    loop {
        let item = tokio::select! {
            item = input.next() => item,
            _ = &mut interrupted => {
                was_interrupted = true;
                break;
            }
        };
        let item = match item {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(error) => {
                source_error = Some(error);
                break;
            }
        };
        let stopped = match (item, &mut sending) {
            (SourceItem::Tracks(found), None) => {
                tracks = found;
                continue;
            }
            (SourceItem::Tracks(found), Some(sending)) => sending.producer.set_tracks(found).await,
            (SourceItem::Frame(frame), None) => {
                let new = Sending::start(client.clone(), args, final_ack, &input, &frame);
                let new = sending.insert(new);
                match new.producer.set_tracks(std::mem::take(&mut tracks)).await {
                    Ok(()) => new.send(frame).await,
                    stopped => stopped,
                }
            }
            (SourceItem::Frame(frame), Some(sending)) => tokio::select! {
                sent = sending.send(frame) => sent,
                _ = &mut interrupted => {
                    was_interrupted = true;
                    break;
                }
            },
            (SourceItem::Tags(groups), Some(sending)) => sending.producer.send_tags(groups).await,
            _ => continue,
        };
        if stopped.is_err() {
            break; // finish() tells why
        }
    }
    let Some(sending) = sending else {
        return Err(source_error.map_or_else(|| "the input holds no frame".into(), Box::from));
    };
    let Sending { producer, progress, .. } = sending;
    if was_interrupted {
        eprintln!("interrupted: completing what was sent; once more to give up");
    }
    let (status, result) = tokio::select! {
        finished = producer.finish() => finished,
        _ = tokio::signal::ctrl_c() => return Err("given up before everything was acked".into()),
    };
    drop(progress);
    report(&status, begun.elapsed(), final_ack);
    if let Err(error) = result {
        return Err(error.into());
    }
    if let Some(error) = source_error {
        return Err(error.into());
    }
    let all_done = status.done == status.fragments && status.refused.is_empty();
    Ok(if all_done && status.fragments > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A producer at work, and its clock.
struct Sending {
    producer: Producer,
    pace: Option<Pace>,
    progress: Progress,
}

impl Sending {
    fn start(
        client: Client,
        args: &PutArgs,
        final_ack: FinalAck,
        input: &Input,
        first: &SourceFrame,
    ) -> Self {
        let now = UnixMillis::from_system_time(SystemTime::now());
        let first_ms = first.pts_ns.div_euclid(1_000_000);
        let start = match args.start {
            Some(start) => i64::try_from(start.resolve(now).0).unwrap_or(i64::MAX),
            None if !args.realtime && first_ms >= EPOCH_TIMES_FROM_MS => first_ms,
            None => i64::try_from(now.0).unwrap_or(i64::MAX),
        };
        let live = args.realtime || input.is_live();
        let producer = Producer::start(
            client,
            ProducerOptions {
                stream_name: args.stream.clone(),
                timecode_type: TimecodeType::Absolute,
                origin_ms: start.saturating_sub(first_ms),
                producer_start: UnixMillis(u64::try_from(start).unwrap_or(0)),
                delivery: if live { Delivery::Streaming } else { Delivery::WholeFragments },
                final_ack,
                fragments: FragmentLimits { min: args.min_fragment, ..FragmentLimits::default() },
                buffer_max: Duration::from_secs(120),
                ack_timeout: Duration::from_secs(60).min(args.timeout),
                give_up_after: args.timeout,
            },
        );
        let progress = Progress::start(producer.status());
        let pace = args.realtime.then(|| Pace::start(first.pts_ns));
        Self { producer, pace, progress }
    }

    async fn send(
        &mut self,
        frame: SourceFrame,
    ) -> Result<(), streamkeep_client::producer::Stopped> {
        if let Some(pace) = &mut self.pace {
            pace.wait_for(frame.pts_ns).await;
        }
        self.producer.send_frame(frame).await
    }
}

/// The stream's retention in hours; creates it where that was asked for.
async fn ensure_stream(client: &Client, args: &PutArgs) -> Result<u64, Box<dyn Error>> {
    let name = json!({ "StreamName": args.stream });
    match client.call("/describeStream", &name).await {
        Ok(answer) => Ok(answer["StreamInfo"]["DataRetentionInHours"].as_u64().unwrap_or(0)),
        Err(error) if error.has_code("ResourceNotFoundException") && args.create => {
            let input = json!({
                "StreamName": args.stream,
                "DataRetentionInHours": args.retention_hours,
            });
            client.call("/createStream", &input).await?;
            eprintln!("created stream {}", args.stream);
            Ok(args.retention_hours.into())
        }
        Err(error) if error.has_code("ResourceNotFoundException") => {
            Err(format!("there is no stream {}: --create makes it", args.stream).into())
        }
        Err(error) => Err(error.into()),
    }
}

fn report(status: &Status, elapsed: Duration, final_ack: FinalAck) {
    let ack = match final_ack {
        FinalAck::Persisted => "PERSISTED",
        FinalAck::Received => "RECEIVED (the stream keeps nothing)",
    };
    eprintln!(
        "{} of {} fragments {ack}: {} frames, {:.1} MB in {:.1} s",
        status.done,
        status.fragments,
        status.frames - status.frames_dropped,
        status.bytes as f64 / 1e6,
        elapsed.as_secs_f64(),
    );
    if status.frames_dropped > 0 {
        eprintln!(
            "{} frames left out: they come before the first key frame, or far from the others",
            status.frames_dropped
        );
    }
    for refused in &status.refused {
        eprintln!(
            "fragment {} was refused: {} {}",
            refused.timecode, refused.error_id, refused.error_code
        );
    }
    if status.sessions > 1
        && let Some(trouble) = &status.last_trouble
    {
        eprintln!("{} sessions were needed; last trouble: {trouble}", status.sessions);
    }
}

fn frame_rate(text: &str) -> Result<f64, String> {
    let rate = match text.split_once('/') {
        Some((frames, seconds)) => {
            let number = |text: &str| text.parse::<f64>().map_err(|error| error.to_string());
            number(frames)? / number(seconds)?
        }
        None => text.parse().map_err(|_| format!("{text:?} is no number"))?,
    };
    match (0.1..=300.0).contains(&rate) {
        true => Ok(rate),
        false => Err("must be between 0.1 and 300, or a fraction such as 30000/1001".into()),
    }
}

/// 2000-01-01: media whose own times are later was stamped with the time of day.
const EPOCH_TIMES_FROM_MS: i64 = 946_684_800_000;
