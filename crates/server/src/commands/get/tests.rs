use clap::Parser;

use super::*;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: GetArgs,
}

const NOW: UnixMillis = UnixMillis(1_000_000_000);

fn job(line: &str) -> Result<Job, String> {
    let words = ["get"].into_iter().chain(line.split_whitespace());
    let command = Command::try_parse_from(words).map_err(|error| error.to_string())?;
    command.args.job(NOW)
}

fn ago(ms: u64) -> UnixMillis {
    UnixMillis(NOW.0 - ms)
}

#[test]
fn jobs() {
    let range = (ago(600_000), ago(300_000));
    let to_now = (ago(600_000), NOW);
    let hour = Expires(3600);
    let every = Duration::from_secs(10);
    for (line, expected) in [
        ("cam -o a.mkv", Job::Live),
        ("cam -o -", Job::Live),
        ("cam -o a.mkv --duration 5s", Job::Live),
        ("cam -o a.mkv --from -10m", Job::Archive(to_now)),
        ("cam -o a.mp4 --from -10m", Job::Clip(to_now, ClipCut::Exact)),
        ("cam -o a.mp4 --from -10m --to -5m", Job::Clip(range, ClipCut::Exact)),
        (
            "cam -o a.mp4 --from -10m --to -5m --whole-fragments",
            Job::Clip(range, ClipCut::Fragments),
        ),
        ("cam -o - --format mp4 --from -10m", Job::Clip(to_now, ClipCut::Exact)),
        ("cam -o a.mp4 --format mkv", Job::Live),
        ("cam -o a.jpg", Job::Images(Instants::Newest, ImageFormat::Jpeg)),
        ("cam -o a.png --at -10m", Job::Images(Instants::At(range.0), ImageFormat::Png)),
        ("cam -o a.jpg --from -10m", Job::Images(Instants::At(range.0), ImageFormat::Jpeg)),
        (
            "cam -o a.jpg --from -10m --to -5m --every 10s",
            Job::Images(Instants::Every(range.0, range.1, every), ImageFormat::Jpeg),
        ),
        ("cam -o - --format jpeg --at -10m", Job::Images(Instants::At(range.0), ImageFormat::Jpeg)),
        ("cam -o a.m3u8", Job::Playlist(Span::Live, hour)),
        (
            "cam -o a.m3u8 --from -10m --to -5m --expires 12h",
            Job::Playlist(Span::OnDemand { from: range.0, to: range.1 }, Expires(43_200)),
        ),
    ] {
        assert_eq!(job(line), Ok(expected), "{line}");
    }
}

#[test]
fn refusals() {
    for (line, part) in [
        ("cam", "--output"),
        ("cam -o a.mp4", "give --from"),
        ("cam -o a.mp4 --from -10m --to -10m", "empty"),
        ("cam -o a.mkv --from -5m --to -10m", "later than --to"),
        ("cam -o a.mkv --to -5m", "--from"),
        ("cam -o a.mkv --from -5m --duration 5s", "--duration"),
        ("cam -o a.jpg --duration 5s", "--duration is for live Matroska"),
        ("cam -o a.mkv --whole-fragments", "--whole-fragments is for MP4"),
        ("cam -o a.mkv --at -5m", "--at is for pictures"),
        ("cam -o a.mp4 --from -5m --every 5s", "--every is for pictures"),
        ("cam -o a.jpg --every 5s", "--from"),
        ("cam -o a.jpg --from -5m --every 100ms", "at least 200ms"),
        ("cam -o - --format jpeg --from -5m --every 1s", "several files"),
        ("cam -o a.jpg --from -5m --to -4m", "--to goes with --every"),
        ("cam -o a.jpg --at -5m --from -5m", "cannot be used with"),
        ("cam -o a.mp4 --from -5m --expires 1h", "--expires is for playlists"),
        ("cam -o a.m3u8 --expires 1m", "between 5m and 12h"),
        ("cam -o a.m3u8 --from now", "empty"),
        ("cam -o a.mov --from -5m", "not written"),
        ("cam -o a.mpd", "--dash"),
    ] {
        let refused = job(line).expect_err(line);
        assert!(refused.contains(part), "{line}: {refused}");
    }
}
