//! `streamkeep get`: a consumer that writes files.

mod archive;
mod clip;
mod format;
mod images;
mod live;
mod output;
mod playlist;
mod transfer;
mod whole_file;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use streamkeep_client::media::TimestampAxis;
use streamkeep_client::playback::{ClipCut, ImageFormat, Span};
use streamkeep_media::UnixMillis;

use self::format::Format;
use self::images::Instants;
use super::axis::Axis;
use super::connect_args::ConnectArgs;
use super::session::{self, Expires, expires};
use super::time_spec::{TimeSpec, time_spec};
use super::units::duration;

/// Write a stream's media to a file, by time or live
///
/// What is written goes by the file's name:
///
/// .mkv  With --from: everything from then to --to, as one playable file, in the order the
///       producer took it; what a producer sent twice stands once. Without --from: live from now
///       on, until interrupted or for --duration. Standard output gets this too.
///
/// .mp4  A clip from --from to --to, cut at these instants, of at most 24 hours. (The picture at
///       the start is shown; what it is decoded from, up to the key frame before, is in the file.)
///
/// .jpg  The picture at --at or --from, or the newest; with --every one each so often, as
/// .png  FILE-EPOCH_MS.jpg.
///
/// .m3u8 A playlist that plays what --from and --to name, or live, until it expires, in VLC and
///       others; ffplay needs -protocol_whitelist file,http,https,tcp,tls, and browsers a URL
///       instead: `streamkeep url`. Whoever has it can watch.
///
/// The exit status is 0 when all media that the service has was written. A file other than .mkv is
/// there when it is complete, and not before.
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct GetArgs {
    /// Name of the stream
    stream: String,
    /// Start of the range: 2026-11-20T09:30:00Z, epoch seconds, or -5m for ago
    #[arg(long, value_name = "TIME", value_parser = time_spec, allow_hyphen_values = true)]
    from: Option<TimeSpec>,
    /// End of the range [default: now]
    #[arg(
        long, value_name = "TIME", value_parser = time_spec, allow_hyphen_values = true,
        requires = "from"
    )]
    to: Option<TimeSpec>,
    /// File to write, or - for standard output
    #[arg(short, long, value_name = "FILE|-")]
    output: String,
    /// What to write, whatever the file is called
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Which of a fragment's times the range is about
    #[arg(long, value_enum, default_value_t = Axis::Producer)]
    by: Axis,
    /// Live Matroska: stop after this long
    #[arg(long, value_parser = duration, conflicts_with = "from")]
    duration: Option<Duration>,
    /// MP4: whole fragments, chosen by their start, as KVS cuts clips
    #[arg(long)]
    whole_fragments: bool,
    /// Picture: of this instant
    #[arg(
        long, value_name = "TIME", value_parser = time_spec, allow_hyphen_values = true,
        conflicts_with = "from"
    )]
    at: Option<TimeSpec>,
    /// Picture: one each so often, at least 200ms, from --from to --to
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "from")]
    every: Option<Duration>,
    /// Playlist: how long it can be used, 5m to 12h [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = expires)]
    expires: Option<Expires>,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// Runs the command.
pub(crate) fn run(args: GetArgs) -> Result<ExitCode, Box<dyn Error>> {
    let now = UnixMillis::from_system_time(SystemTime::now());
    let job = args.job(now)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(get(&args, job, now))
}

async fn get(args: &GetArgs, job: Job, now: UnixMillis) -> Result<ExitCode, Box<dyn Error>> {
    let client = args.connect.client()?;
    let axis: TimestampAxis = args.by.into();
    let (stream, output) = (args.stream.as_str(), args.output.as_str());
    match job {
        Job::Live => live::get(&client, stream, output, args.duration).await,
        Job::Archive(range) => archive::get(&client, stream, axis, range, output).await,
        Job::Clip(range, cut) => clip::get(&client, stream, axis, range, cut, output).await,
        Job::Images(instants, format) => {
            images::get(&client, stream, axis, (instants, now), format, output).await
        }
        Job::Playlist(span, expires) => {
            playlist::get(&client, stream, axis, span, expires, output).await
        }
    }
}

/// What is to be done, with what it needs and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    Live,
    Archive((UnixMillis, UnixMillis)),
    Clip((UnixMillis, UnixMillis), ClipCut),
    Images(Instants, ImageFormat),
    Playlist(Span, Expires),
}

impl GetArgs {
    /// Error: an option does not go with the format, or with another.
    fn job(&self, now: UnixMillis) -> Result<Job, String> {
        let format = match self.format {
            Some(format) => format,
            None => Format::of_name(&self.output)?,
        };
        self.check_options(format)?;
        let resolve = |time: Option<TimeSpec>| time.map(|time| time.resolve(now));
        let (from, to) = (resolve(self.from), resolve(self.to));
        let range = from.map(|from| (from, to.unwrap_or(now)));
        if range.is_some_and(|(from, to)| from > to) {
            return Err("--from is later than --to".into());
        }
        if let Some(image) = format.image() {
            let instants = match (range, self.every, resolve(self.at)) {
                (Some((from, to)), Some(every), _) => Instants::Every(from, to, every),
                (Some((from, _)), None, _) => Instants::At(from),
                (None, _, Some(at)) => Instants::At(at),
                (None, _, None) => Instants::Newest,
            };
            return Ok(Job::Images(instants, image));
        }
        match (format, range) {
            (Format::M3u8, _) => {
                let span = session::span(from, to, false, now)?;
                Ok(Job::Playlist(span, self.expires.unwrap_or_default()))
            }
            (Format::Mp4, Some((from, to))) if from == to => {
                Err("the range is empty: --from is --to".into())
            }
            (Format::Mp4, Some(range)) => {
                let cut = if self.whole_fragments { ClipCut::Fragments } else { ClipCut::Exact };
                Ok(Job::Clip(range, cut))
            }
            (Format::Mp4, None) => {
                Err("MP4 is written by time: give --from, or write .mkv for live media".into())
            }
            (_, Some(range)) => Ok(Job::Archive(range)),
            (_, None) => Ok(Job::Live),
        }
    }

    fn check_options(&self, format: Format) -> Result<(), String> {
        let is_image = format.image().is_some();
        for (is_given, fits, option, formats) in [
            (self.duration.is_some(), format == Format::Mkv, "--duration", "live Matroska"),
            (self.whole_fragments, format == Format::Mp4, "--whole-fragments", "MP4"),
            (self.at.is_some(), is_image, "--at", "pictures"),
            (self.every.is_some(), is_image, "--every", "pictures"),
            (self.expires.is_some(), format == Format::M3u8, "--expires", "playlists"),
        ] {
            if is_given && !fits {
                return Err(format!("{option} is for {formats}, which {} is not", self.output));
            }
        }
        if is_image && self.to.is_some() && self.every.is_none() {
            return Err("one picture has one instant: --to goes with --every".into());
        }
        match self.every {
            Some(every) if every < images::EVERY_MIN => Err("--every is at least 200ms".into()),
            Some(_) if self.output == "-" => {
                Err("--every writes several files: give a file name".into())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
