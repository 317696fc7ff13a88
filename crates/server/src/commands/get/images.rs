//! JPEG and PNG: GetImages, one picture or one every so often.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use streamkeep_client::Client;
use streamkeep_client::media::{TimestampAxis, list_fragments};
use streamkeep_client::playback::{ImageError, ImageFormat, ImageSelection, Images};
use streamkeep_media::UnixMillis;

use super::whole_file::WholeFile;

/// Where pictures are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instants {
    /// The newest there is.
    Newest,
    /// One.
    At(UnixMillis),
    /// From, to, and how often.
    Every(UnixMillis, UnixMillis, Duration),
}

/// GetImages takes no shorter interval.
pub(super) const EVERY_MIN: Duration = Duration::from_millis(200);

pub(super) async fn get(
    client: &Client,
    stream_name: &str,
    axis: TimestampAxis,
    (instants, now): (Instants, UnixMillis),
    format: ImageFormat,
    output: &str,
) -> Result<ExitCode, Box<dyn Error>> {
    let (first, last, interval_ms) = match instants {
        Instants::At(at) => (at, at, 1000),
        Instants::Every(from, to, every) => {
            (from, to, u64::try_from(every.as_millis()).unwrap_or(u64::MAX))
        }
        Instants::Newest => {
            let at = newest(client, stream_name, axis, now).await?;
            (at, at, 1000)
        }
    };
    let is_series = matches!(instants, Instants::Every(..));
    let selection = ImageSelection { axis, first, last, interval_ms, format };
    let mut images = Images::open(client, stream_name, selection).await?;
    let mut counts = Counts::default();
    while let Some(page) = images.next_page().await? {
        for image in page {
            match image.content {
                Ok(bytes) => {
                    let path = match is_series {
                        true => numbered(output, image.at),
                        false => output.to_owned(),
                    };
                    let mut file = WholeFile::create(&path)?;
                    file.write_all(&bytes).map_err(|error| format!("{path}: {error}"))?;
                    file.finish()?;
                    counts.written += 1;
                    counts.bytes += bytes.len() as u64;
                }
                Err(ImageError::NoMedia) => counts.without_media += 1,
                Err(ImageError::Other(error)) => {
                    eprintln!("{}: {error}", image.at.0);
                    counts.failed += 1;
                }
            }
        }
    }
    if counts.written + counts.failed == 0 {
        return Err("the stream has no pictures there".into());
    }
    eprintln!("{}", counts.told());
    Ok(if counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Default)]
struct Counts {
    written: u64,
    bytes: u64,
    without_media: u64,
    failed: u64,
}

impl Counts {
    fn told(&self) -> String {
        let plural = if self.written == 1 { "" } else { "s" };
        let mut told =
            format!("{} picture{plural}, {:.1} MB", self.written, self.bytes as f64 / 1e6);
        if self.without_media > 0 {
            told += &format!("; nothing was recorded at {} of the instants", self.without_media);
        }
        if self.failed > 0 {
            told += &format!("; {} could not be decoded", self.failed);
        }
        told
    }
}

/// The last instant of the newest fragment.
async fn newest(
    client: &Client,
    stream_name: &str,
    axis: TimestampAxis,
    now: UnixMillis,
) -> Result<UnixMillis, Box<dyn Error>> {
    let from = UnixMillis(now.0.saturating_sub(NEWEST_MS));
    // The server's clock may be ahead of ours.
    let to = UnixMillis(now.0.saturating_add(NEWEST_MS));
    let listed = list_fragments(client, stream_name, TimestampAxis::Server, from, to).await?;
    let newest = listed.iter().max_by_key(|info| info.timestamp(axis));
    let newest = newest.ok_or("nothing has arrived within the last 10 minutes: give --at TIME")?;
    Ok(UnixMillis(newest.timestamp(axis).0 + newest.length_ms.saturating_sub(1)))
}

/// How old the newest picture may be.
const NEWEST_MS: u64 = 600_000;

/// `out.jpg` becomes `out-EPOCH_MS.jpg`.
fn numbered(path: &str, at: UnixMillis) -> String {
    match path.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') && !stem.is_empty() => {
            format!("{stem}-{}.{extension}", at.0)
        }
        _ => format!("{path}-{}", at.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let at = UnixMillis(1_795_167_015_250);
        for (path, expected) in [
            ("out.jpg", "out-1795167015250.jpg"),
            ("./dir.x/out", "./dir.x/out-1795167015250"),
            ("dir/a.b.png", "dir/a.b-1795167015250.png"),
        ] {
            assert_eq!(numbered(path, at), expected);
        }
    }

    #[test]
    fn what_is_told() {
        let one = Counts { written: 1, bytes: 61_000, ..Counts::default() };
        assert_eq!(one.told(), "1 picture, 0.1 MB");
        let mixed = Counts { written: 3, bytes: 1_250_000, without_media: 2, failed: 1 };
        assert_eq!(
            mixed.told(),
            "3 pictures, 1.2 MB; nothing was recorded at 2 of the instants; 1 could not be decoded"
        );
    }
}
