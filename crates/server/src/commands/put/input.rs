//! What is to be sent: opened, recognised, read on a thread of its own.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use clap::ValueEnum;
use streamkeep_client::Error as ClientError;
use streamkeep_client::source::{MatroskaSource, Mp4Source, RawVideoSource, Source, SourceItem};
use streamkeep_codec::VideoCodec;
use tokio::sync::mpsc;

/// Forms of media that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MediaFormat {
    /// Matroska or WebM
    Mkv,
    /// MP4 or QuickTime, also fragmented
    Mp4,
    /// Raw H.264, Annex B
    H264,
    /// Raw H.265, Annex B
    H265,
}

/// A source that is read by a thread, some items ahead.
pub(super) struct Input {
    items: mpsc::Receiver<Result<SourceItem, ClientError>>,
    is_live: bool,
}

impl Input {
    pub(super) fn open(
        source: &str,
        format: Option<MediaFormat>,
        fps: Option<f64>,
    ) -> Result<Self, Box<dyn Error>> {
        let is_live = source == "-";
        let opened: Box<dyn Source> = match (is_live, source.split_once("://")) {
            (true, _) => from_stdin(format, fps)?,
            (false, Some((scheme, _))) => {
                return Err(format!(
                    "{scheme}:// is not supported: give a file, or pipe media in, for example \
                     ffmpeg -i URL -c copy -f matroska - | streamkeep put STREAM -"
                )
                .into());
            }
            (false, None) => from_file(Path::new(source), format, fps)?,
        };
        let (sender, items) = mpsc::channel(ITEMS_AHEAD);
        std::thread::Builder::new().name("source".into()).spawn(move || read(opened, &sender))?;
        Ok(Self { items, is_live })
    }

    /// Standard input: it may come as it is made.
    pub(super) fn is_live(&self) -> bool {
        self.is_live
    }

    /// The next item. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<SourceItem>, ClientError> {
        self.items.recv().await.transpose()
    }
}

fn read(mut source: Box<dyn Source>, items: &mpsc::Sender<Result<SourceItem, ClientError>>) {
    while let Some(item) = source.next().transpose() {
        let failed = item.is_err();
        if items.blocking_send(item).is_err() || failed {
            return;
        }
    }
}

fn from_file(
    path: &Path,
    format: Option<MediaFormat>,
    fps: Option<f64>,
) -> Result<Box<dyn Source>, Box<dyn Error>> {
    let shown = path.display();
    let mut file = File::open(path).map_err(|error| format!("{shown}: {error}"))?;
    let format = match format {
        Some(format) => format,
        None => {
            let mut start = Vec::new();
            file.by_ref().take(SNIFF_LEN).read_to_end(&mut start)?;
            file = File::open(path)?;
            recognise(path, &start)
                .ok_or_else(|| format!("{shown}: not recognised; --format says what it is"))?
        }
    };
    refuse_fps(format, fps)?;
    Ok(match format {
        MediaFormat::Mp4 => {
            let source = Mp4Source::new(file).map_err(|error| format!("{shown}: {error}"))?;
            for skipped in source.skipped() {
                eprintln!("left out: {skipped}");
            }
            Box::new(source)
        }
        other => stream_source(other, Box::new(file), fps),
    })
}

fn from_stdin(
    format: Option<MediaFormat>,
    fps: Option<f64>,
) -> Result<Box<dyn Source>, Box<dyn Error>> {
    let mut start = Vec::new();
    let format = match format {
        Some(format) => format,
        None => {
            io::stdin().lock().take(STDIN_SNIFF_LEN).read_to_end(&mut start)?;
            recognise(Path::new("-"), &start)
                .ok_or("standard input is not recognised; --format says what it is")?
        }
    };
    if format == MediaFormat::Mp4 {
        return Err("MP4 cannot be read from standard input: its tables may come last; give the \
                    file, or pipe Matroska"
            .into());
    }
    refuse_fps(format, fps)?;
    let reader = io::Cursor::new(start).chain(io::stdin());
    Ok(stream_source(format, Box::new(reader), fps))
}

fn stream_source(
    format: MediaFormat,
    reader: Box<dyn Read + Send>,
    fps: Option<f64>,
) -> Box<dyn Source> {
    match format {
        MediaFormat::H264 => Box::new(RawVideoSource::new(reader, VideoCodec::H264, fps)),
        MediaFormat::H265 => Box::new(RawVideoSource::new(reader, VideoCodec::H265, fps)),
        MediaFormat::Mkv | MediaFormat::Mp4 => Box::new(MatroskaSource::new(reader)),
    }
}

/// Media that carries its times keeps them.
fn refuse_fps(format: MediaFormat, fps: Option<f64>) -> Result<(), String> {
    match (format, fps) {
        (MediaFormat::Mkv | MediaFormat::Mp4, Some(_)) => {
            Err("--fps is for raw H.264 and H.265: this input carries its own times".into())
        }
        _ => Ok(()),
    }
}

/// By content; raw streams by name first, as their content tells little.
fn recognise(path: &Path, start: &[u8]) -> Option<MediaFormat> {
    if start.starts_with(&[0x1A, 0x45, 0xDF, 0xA3]) {
        return Some(MediaFormat::Mkv);
    }
    let box_type = start.get(4..8).unwrap_or_default();
    if matches!(box_type, b"ftyp" | b"moov" | b"mdat" | b"wide" | b"free" | b"styp" | b"skip") {
        return Some(MediaFormat::Mp4);
    }
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "h264" | "264" | "avc" | "jsv" => return Some(MediaFormat::H264),
        "h265" | "265" | "hevc" => return Some(MediaFormat::H265),
        _ => {}
    }
    // The first NAL unit: H.265 begins with a VPS (40 01), or a delimiter before it (46 01); H.264
    // with an SPS (67, 27, 47), a delimiter (09) or SEI (06).
    let zeros = start.iter().take_while(|byte| **byte == 0).count();
    let after = start.get(zeros..)?.strip_prefix(&[1])?;
    match (zeros, after) {
        (2.., [0x40 | 0x46, 0x01, ..]) => Some(MediaFormat::H265),
        (2.., [0x67 | 0x27 | 0x47 | 0x09 | 0x06, ..]) => Some(MediaFormat::H264),
        _ => None,
    }
}

const ITEMS_AHEAD: usize = 32;
const SNIFF_LEN: u64 = 64;
/// Few enough that a live stream's first frame is not waited for.
const STDIN_SNIFF_LEN: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_recognised() {
        for (name, start, expected) in [
            ("a", &b"\x1a\x45\xdf\xa3..."[..], Some(MediaFormat::Mkv)),
            ("a.h264", b"\x1a\x45\xdf\xa3...", Some(MediaFormat::Mkv)),
            ("a", b"\0\0\0\x20ftypisom", Some(MediaFormat::Mp4)),
            ("a.mov", b"\0\0\0\x08wide\0\0", Some(MediaFormat::Mp4)),
            ("a.265", b"\0\0\x01\x26\x01", Some(MediaFormat::H265)),
            ("-", b"\0\0\0\x01\x67\x64", Some(MediaFormat::H264)),
            ("-", b"\0\0\0\x01\x40\x01", Some(MediaFormat::H265)),
            ("-", b"\0\0\x01\x09\xf0", Some(MediaFormat::H264)),
            ("-", b"\0\x01\x67", None),
            ("a.mkv", b"hello", None),
            ("-", b"", None),
        ] {
            assert_eq!(recognise(Path::new(name), start), expected, "{name} {start:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_clearly() {
        let refusal = |source: &str| match Input::open(source, None, None) {
            Ok(_) => panic!("{source} was accepted"),
            Err(error) => error.to_string(),
        };
        assert!(refusal("rtsp://camera/stream").contains("rtsp:// is not supported"));
        assert!(refusal("/no/such/file").contains("/no/such/file"));
        assert!(refusal("/dev/null").contains("--format"));
    }
}
