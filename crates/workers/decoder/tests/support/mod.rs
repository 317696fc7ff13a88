//! What the tests of the worker share: a pool around it, video to give it.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "tests and benchmarks may fail loudly")]

use std::num::NonZero;
use std::process::{Command, Stdio};

use bytes::Bytes;
use streamkeep_codec::{AccessUnitSplitter, VideoCodec};
use streamkeep_pictures::{
    Codec, CodedFrame, Format, JpegQuality, Picture, PictureError, PictureJob, Pictures, Settings,
    Wanted,
};

/// Settings with the worker just built, which may misbehave.
pub(crate) fn settings() -> Settings {
    Settings {
        executable: Some(env!("CARGO_BIN_EXE_streamkeep-decoder").into()),
        arguments: vec!["--self-test".to_owned()],
        workers: NonZero::new(2).unwrap(),
        ..Settings::default()
    }
}

pub(crate) fn pool(settings: Settings) -> Pictures {
    Pictures::new(settings).unwrap()
}

/// Waits for one picture, on a runtime of its own.
pub(crate) fn picture(pool: &Pictures, job: PictureJob) -> Result<Picture, PictureError> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(pool.picture(job))
}

/// A job for 64×64 pixels of one colour, R 64 G 128 B 192, by libx264.
pub(crate) fn job() -> PictureJob {
    const KEY_FRAME: &[u8] = &[
        0x00, 0x00, 0x00, 0x01, 0x67, 0x42, 0xc0, 0x0a, 0xdc, 0x42, 0x6c, 0x04, 0x40, 0x00, 0x00,
        0x03, 0x00, 0x40, 0x00, 0x00, 0x03, 0x00, 0x83, 0xc4, 0x89, 0xe0, 0x00, 0x00, 0x00, 0x01,
        0x68, 0xce, 0x0f, 0x2c, 0x80, 0x00, 0x00, 0x01, 0x65, 0x88, 0x84, 0x04, 0xbc, 0x46, 0x28,
        0x00, 0x08, 0x9a, 0xc7, 0x00, 0x01, 0x28, 0xc8, 0xe0, 0x00, 0x24, 0x67, 0x27, 0x27, 0x27,
        0x5d, 0x75, 0xd7, 0x5d, 0x75, 0xd7, 0x5d, 0x75, 0xd7, 0x80,
    ];
    job_of(Codec::H264, &[], vec![CodedFrame { pts: 0, data: Bytes::from_static(KEY_FRAME) }])
}

pub(crate) fn job_of(codec: Codec, configuration: &[u8], frames: Vec<CodedFrame>) -> PictureJob {
    PictureJob {
        codec,
        configuration: Bytes::copy_from_slice(configuration),
        frames,
        wanted: Wanted::Last,
        format: Format::Jpeg(JpegQuality::DEFAULT),
        size: None,
        image_len_max: PictureJob::GET_IMAGES_LEN_MAX,
    }
}

/// A job on which the worker misbehaves.
pub(crate) fn misbehaving(how: &str) -> PictureJob {
    PictureJob { configuration: format!("misbehave={how}").into(), ..job() }
}

/// The pixels of an image, RGB.
pub(crate) fn pixels(picture: &Picture) -> Vec<u8> {
    if picture.bytes.starts_with(&[0xff, 0xd8]) {
        return jpeg_decoder::Decoder::new(&picture.bytes[..]).decode().unwrap();
    }
    let cursor = std::io::Cursor::new(&picture.bytes[..]);
    let mut reader = png::Decoder::new(cursor).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
}

/// One pixel of an image.
pub(crate) fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let at = ((y * picture.size.width + x) * 3) as usize;
    pixels(picture)[at..at + 3].try_into().unwrap()
}

/// Video as a track holds it.
pub(crate) struct Video {
    pub(crate) configuration: Bytes,
    /// In decode order, presentation times in frames.
    pub(crate) frames: Vec<CodedFrame>,
    pub(crate) keys: Vec<bool>,
}

/// Encodes what FFmpeg makes of `arguments`; `None`, said aloud, where there is no FFmpeg with
/// such an encoder.
pub(crate) fn video(codec: VideoCodec, arguments: &[&str]) -> Option<Video> {
    let format = match codec {
        VideoCodec::H264 => "h264",
        VideoCodec::H265 => "hevc",
    };
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(arguments)
        .args(["-f", format, "-"])
        .stdin(Stdio::null())
        .output();
    let stream = match output {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => output.stdout,
        _ => {
            eprintln!("skipped: no ffmpeg that makes {format}");
            return None;
        }
    };
    let mut splitter = AccessUnitSplitter::new(codec);
    splitter.push(&stream).unwrap();
    splitter.finish();
    let units: Vec<_> = std::iter::from_fn(|| splitter.next_access_unit()).collect();
    // Presentation order: by key frame that restarts the count, then by count.
    let mut restarts = 0;
    let places: Vec<_> = units
        .iter()
        .map(|unit| {
            restarts += u32::from(unit.order.restarts);
            (restarts, unit.order.count)
        })
        .collect();
    let mut sorted = places.clone();
    sorted.sort();
    let pts = |place| sorted.binary_search(place).unwrap() as i64;
    Some(Video {
        configuration: units[0].parameters.codec_private.clone(),
        frames: units
            .iter()
            .zip(&places)
            .map(|(unit, place)| CodedFrame { pts: pts(place), data: unit.data.clone() })
            .collect(),
        keys: units.iter().map(|unit| unit.key).collect(),
    })
}
