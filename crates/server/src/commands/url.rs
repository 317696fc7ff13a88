//! `streamkeep url`: playback sessions for any player.

use std::error::Error;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{ArgGroup, Args, ValueEnum};
use streamkeep_client::playback::{
    Container, DiscontinuityMode, HlsOptions, SessionOptions, dash_session_url, hls_session_url,
};
use streamkeep_media::UnixMillis;

use super::axis::Axis;
use super::connect_args::ConnectArgs;
use super::session::{self, Expires, expires};
use super::time_spec::{TimeSpec, time_spec};

/// Print a URL that a player opens, live or by time
///
/// The URL is all a player needs, and all anyone needs to watch until it expires: it holds no
/// credentials, but stands for them. HLS opens in VLC, ffplay and Safari, in Chrome and Edge from
/// version 142, and in pages with hls.js; DASH in VLC, ffplay and pages with dash.js or Shaka.
///
/// Without --from: live. With --from: everything from then to --to, at once, to seek in; a list
/// holds 5000 fragments at most, which the command says when it cuts off.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("protocol").required(true))]
pub(crate) struct UrlArgs {
    /// Name of the stream
    stream: String,
    /// The URL of an HLS multivariant playlist
    #[arg(long, group = "protocol")]
    hls: bool,
    /// The URL of a DASH manifest
    #[arg(long, group = "protocol")]
    dash: bool,
    /// Start of the range: 2026-11-20T09:30:00Z, epoch seconds, or -5m for ago
    #[arg(long, value_name = "TIME", value_parser = time_spec, allow_hyphen_values = true)]
    from: Option<TimeSpec>,
    /// End of the range [default: now; none for a replay]
    #[arg(
        long, value_name = "TIME", value_parser = time_spec, allow_hyphen_values = true,
        requires = "from"
    )]
    to: Option<TimeSpec>,
    /// Play the range as if it was live
    #[arg(long, requires = "from")]
    live_replay: bool,
    /// Low-latency HLS: parts of fragments while they arrive. Needs a Streamkeep server
    #[arg(long, conflicts_with_all = ["dash", "ts", "from"])]
    low_latency: bool,
    /// HLS: transport streams instead of fragmented MP4, for players of old
    #[arg(long, conflicts_with = "dash")]
    ts: bool,
    /// How long the URL can be used: 5m to 12h
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = expires)]
    expires: Expires,
    /// Tell the wall time of each fragment in the list
    #[arg(long)]
    timestamps: bool,
    /// HLS: where players are told that the media breaks off
    #[arg(
        long, value_name = "WHERE", value_enum, default_value_t = Discontinuity::OnDiscontinuity,
        conflicts_with = "dash"
    )]
    discontinuity: Discontinuity,
    /// Which of a fragment's times range and media have
    #[arg(long, value_enum, default_value_t = Axis::Producer)]
    by: Axis,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[allow(clippy::enum_variant_names, reason = "the names of the published interface")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Discontinuity {
    /// Between any two fragments
    Always,
    /// Nowhere
    Never,
    /// Where there is a gap or an overlap
    OnDiscontinuity,
}

/// Runs the command.
pub(crate) fn run(args: UrlArgs) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(print(&args))
}

#[allow(clippy::print_stdout, reason = "this is the command's output")]
async fn print(args: &UrlArgs) -> Result<ExitCode, Box<dyn Error>> {
    let client = args.connect.client()?;
    let now = UnixMillis::from_system_time(SystemTime::now());
    let options = args.session_options(now)?;
    let url = match args.dash {
        true => dash_session_url(&client, &args.stream, &options).await?,
        false => hls_session_url(&client, &args.stream, &args.hls_options(options)).await?,
    };
    println!("{url}");
    let left_out = session::left_out(&client, &args.stream, options.axis, options.span).await;
    if let Some(left_out) = left_out {
        eprintln!("{}", session::left_out_note(left_out));
    }
    Ok(ExitCode::SUCCESS)
}

impl UrlArgs {
    fn session_options(&self, now: UnixMillis) -> Result<SessionOptions, String> {
        let resolve = |time: Option<TimeSpec>| time.map(|time| time.resolve(now));
        let span = session::span(resolve(self.from), resolve(self.to), self.live_replay, now)?;
        Ok(SessionOptions {
            span,
            axis: self.by.into(),
            expires_seconds: self.expires.0,
            timestamps: self.timestamps,
            fragments_max: session::fragments_max(span),
        })
    }

    fn hls_options(&self, session: SessionOptions) -> HlsOptions {
        HlsOptions {
            session,
            container: if self.ts { Container::MpegTs } else { Container::FragmentedMp4 },
            discontinuity: Some(match self.discontinuity {
                Discontinuity::Always => DiscontinuityMode::Always,
                Discontinuity::Never => DiscontinuityMode::Never,
                Discontinuity::OnDiscontinuity => DiscontinuityMode::OnDiscontinuity,
            }),
            low_latency: self.low_latency,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use streamkeep_client::media::TimestampAxis;
    use streamkeep_client::playback::Span;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: UrlArgs,
    }

    fn parse(line: &str) -> Result<UrlArgs, clap::Error> {
        let words = ["url"].into_iter().chain(line.split_whitespace());
        Command::try_parse_from(words).map(|command| command.args)
    }

    #[test]
    fn options() {
        let now = UnixMillis(1_000_000_000);
        let live = SessionOptions {
            span: Span::Live,
            axis: TimestampAxis::Producer,
            expires_seconds: 3600,
            timestamps: false,
            fragments_max: None,
        };
        let from = UnixMillis(now.0 - 600_000);
        let range = |to: u64| SessionOptions {
            span: Span::OnDemand { from, to: UnixMillis(to) },
            fragments_max: Some(5000),
            ..live
        };
        let replay = Span::LiveReplay { from, to: None };
        for (line, expected) in [
            ("cam --hls", live),
            ("cam --dash --expires 12h", SessionOptions { expires_seconds: 43_200, ..live }),
            ("cam --hls --from -10m", range(now.0)),
            ("cam --dash --from -10m --to -5m", range(now.0 - 300_000)),
            ("cam --hls --from -10m --live-replay", SessionOptions { span: replay, ..live }),
            (
                "cam --hls --timestamps --by server",
                SessionOptions { timestamps: true, axis: TimestampAxis::Server, ..live },
            ),
        ] {
            let args = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(args.session_options(now), Ok(expected), "{line}");
        }
        let args = parse("cam --hls --low-latency --discontinuity never").unwrap();
        let hls = args.hls_options(live);
        assert_eq!((hls.low_latency, hls.container), (true, Container::FragmentedMp4));
        assert_eq!(hls.discontinuity, Some(DiscontinuityMode::Never));
        let hls = parse("cam --hls --ts").unwrap().hls_options(live);
        assert_eq!((hls.low_latency, hls.container), (false, Container::MpegTs));
        assert_eq!(hls.discontinuity, Some(DiscontinuityMode::OnDiscontinuity));
        assert!(parse("cam --hls --from -5m --to -10m").unwrap().session_options(now).is_err());
    }

    #[test]
    fn refusals() {
        for line in [
            "cam",
            "--hls",
            "cam --hls --dash",
            "cam --hls --to -1m",
            "cam --hls --live-replay",
            "cam --dash --low-latency",
            "cam --hls --ts --low-latency",
            "cam --hls --from -5m --low-latency",
            "cam --dash --ts",
            "cam --dash --discontinuity never",
            "cam --hls --discontinuity sometimes",
            "cam --hls --expires 1m",
            "cam --hls --expires 13h",
            "cam --hls --from yesterday",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
