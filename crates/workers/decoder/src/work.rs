//! One job, from message to answer.

use std::time::{Duration, Instant};

use streamkeep_decoder_protocol::{
    Answer, Codec, FailureKind, Format, Job, JpegQuality, PictureSize, Sample, Timing, Wanted,
};

use crate::failure::Failure;
use crate::picture::Picture;
use crate::{h264, image};

/// The framed answer to a job, given without its prefix.
pub(crate) fn answer(message: &[u8]) -> Vec<u8> {
    let done = Job::parse(message).map_err(Failure::internal).and_then(|job| picture(&job));
    let answer = match &done {
        Ok(Done { size, timing, image }) => {
            Answer::Image { size: *size, timing: *timing, bytes: image }
        }
        Err(Failure { kind, reason }) => Answer::Failure { kind: *kind, reason: reason.clone() },
    };
    answer.encode().unwrap_or_else(|error| {
        let failure = Answer::Failure { kind: FailureKind::TooLarge, reason: error.to_string() };
        failure.encode().expect("a failure is far below the cap")
    })
}

/// Decodes a picture of a few bytes, so that the first job finds everything in its place.
pub(crate) fn warm_up() -> Result<(), String> {
    let job = Job {
        codec: Codec::H264,
        configuration: &[],
        samples: vec![Sample { pts: 0, data: KEY_FRAME }],
        wanted: Wanted::Last,
        format: Format::Jpeg(JpegQuality::DEFAULT),
        size: None,
        image_len_max: u32::MAX,
    };
    match picture(&job) {
        Ok(_) => Ok(()),
        Err(failure) => Err(format!("the decoder does not work: {}", failure.reason)),
    }
}

struct Done {
    size: PictureSize,
    timing: Timing,
    image: Vec<u8>,
}

fn picture(job: &Job<'_>) -> Result<Done, Failure> {
    let started = Instant::now();
    let mut decoded = started;
    let take = |picture: &Picture<'_>| {
        decoded = Instant::now();
        image::encode(picture, job.size, job.format, job.image_len_max as usize)
    };
    let (size, image) = match job.codec {
        Codec::H264 => h264(job, take),
        Codec::H265 => h265(job, take),
    }?;
    let timing =
        Timing { decode_us: micros(decoded - started), encode_us: micros(decoded.elapsed()) };
    Ok(Done { size, timing, image })
}

#[cfg(not(feature = "ffmpeg"))]
fn h264<T>(
    job: &Job<'_>,
    take: impl FnOnce(&Picture<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    h264::decode(job, take)
}

#[cfg(not(feature = "ffmpeg"))]
fn h265<T>(
    _job: &Job<'_>,
    _take: impl FnOnce(&Picture<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    Err(Failure::unsupported("H.265 needs a worker built with its feature `ffmpeg`"))
}

#[cfg(feature = "ffmpeg")]
fn h264<T>(
    job: &Job<'_>,
    take: impl FnOnce(&Picture<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut take = Some(take);
    let once = |picture: &Picture<'_>| match take.take() {
        Some(take) => take(picture),
        None => Err(Failure::internal("a picture was taken twice")),
    };
    match h264::decode(job, once) {
        // What it cannot do, FFmpeg can. It tells interlaced pictures from damaged ones only here.
        Err(failure) if matches!(failure.kind, FailureKind::Unsupported | FailureKind::Media) => {
            match take {
                Some(take) => crate::ffmpeg::decode(job, take),
                None => Err(failure),
            }
        }
        result => result,
    }
}

#[cfg(feature = "ffmpeg")]
fn h265<T>(
    job: &Job<'_>,
    take: impl FnOnce(&Picture<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    crate::ffmpeg::decode(job, take)
}

fn micros(duration: Duration) -> u32 {
    duration.as_micros().try_into().unwrap_or(u32::MAX)
}

/// 64×64, one colour, constrained baseline, by libx264: SPS, PPS and one IDR slice in Annex B.
pub(crate) const KEY_FRAME: &[u8] = &[
    0x00, 0x00, 0x00, 0x01, 0x67, 0x42, 0xc0, 0x0a, 0xdc, 0x42, 0x6c, 0x04, 0x40, 0x00, 0x00, 0x03,
    0x00, 0x40, 0x00, 0x00, 0x03, 0x00, 0x83, 0xc4, 0x89, 0xe0, 0x00, 0x00, 0x00, 0x01, 0x68, 0xce,
    0x0f, 0x2c, 0x80, 0x00, 0x00, 0x01, 0x65, 0x88, 0x84, 0x04, 0xbc, 0x46, 0x28, 0x00, 0x08, 0x9a,
    0xc7, 0x00, 0x01, 0x28, 0xc8, 0xe0, 0x00, 0x24, 0x67, 0x27, 0x27, 0x27, 0x5d, 0x75, 0xd7, 0x5d,
    0x75, 0xd7, 0x5d, 0x75, 0xd7, 0x80,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warms_up() {
        assert_eq!(warm_up(), Ok(()));
    }

    #[test]
    fn nonsense_is_answered() {
        let frame = answer(&[9, 9, 9]);
        let answer = Answer::parse(&frame[4..]).unwrap();
        assert!(matches!(answer, Answer::Failure { kind: FailureKind::Internal, .. }));
    }

    #[test]
    #[cfg(not(feature = "ffmpeg"))]
    fn without_ffmpeg_h265_is_unsupported() {
        let job = Job {
            codec: Codec::H265,
            configuration: &[],
            samples: vec![Sample { pts: 0, data: KEY_FRAME }],
            wanted: Wanted::Last,
            format: Format::Png,
            size: None,
            image_len_max: u32::MAX,
        };
        let frame = answer(&job.encode().unwrap()[4..]);
        match Answer::parse(&frame[4..]).unwrap() {
            Answer::Failure { kind: FailureKind::Unsupported, reason } => {
                assert!(reason.contains("ffmpeg"));
            }
            other => panic!("{other:?}"),
        }
    }
}
