//! Tracks for tests.

use bytes::Bytes;

use crate::{
    AudioCodec, AudioSampleEntry, ColourInformation, Sample, SampleEntry, VideoCodec,
    VisualSampleEntry,
};

/// The avcC of 1280×720 video by libx264, high profile.
pub(crate) const AVCC: &[u8] =
    b"\x01\x64\x00\x1f\xff\xe1\x00\x1a\x67\x64\x00\x1f\xac\xd9\x40\x50\x05\xbb\x01\x10\x00\x00\x03\
      \x00\x10\x00\x00\x03\x03\xc0\xf1\x83\x19\x60\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0\xfd\xf8\xf8\
      \x00";
pub(crate) const OPUS_HEAD: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0";

/// The plainest.
pub(crate) fn avc() -> SampleEntry {
    visual(VideoCodec::Avc { record: Bytes::from_static(AVCC) }, None, None)
}

/// With everything that can be told.
pub(crate) fn hevc() -> SampleEntry {
    let mut record = vec![1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 63, 0xf0, 0, 0xfc, 0xfd];
    record.extend([0xf8, 0xf8, 0, 0, 0x0f, 0]);
    let colour = ColourInformation { primaries: 9, transfer: 16, matrix: 9, full_range: true };
    visual(VideoCodec::Hevc { record: record.into() }, Some((4, 3)), Some(colour))
}

pub(crate) fn aac() -> SampleEntry {
    audio(AudioCodec::Aac { config: Bytes::from_static(&[0x11, 0x90]) }, 2, 48_000)
}

pub(crate) fn opus() -> SampleEntry {
    audio(AudioCodec::Opus { head: Bytes::from_static(OPUS_HEAD) }, 2, 48_000)
}

pub(crate) fn mulaw() -> SampleEntry {
    audio(AudioCodec::Mulaw, 1, 8_000)
}

pub(crate) fn audio(codec: AudioCodec, channels: u16, sampling_rate: u32) -> SampleEntry {
    SampleEntry::Audio(AudioSampleEntry { codec, channels, sampling_rate })
}

fn visual(
    codec: VideoCodec,
    pixel_aspect_ratio: Option<(u32, u32)>,
    colour: Option<ColourInformation>,
) -> SampleEntry {
    SampleEntry::Visual(VisualSampleEntry {
        codec,
        width: 1280,
        height: 720,
        display_width: pixel_aspect_ratio.map_or(1280, |(wide, high)| (1280 * wide / high) as u16),
        display_height: 720,
        pixel_aspect_ratio,
        colour,
    })
}

/// A sample by its size, duration, composition offset and whether it is sync.
pub(crate) fn sample(size: u32, duration: u32, composition_offset: i32, is_sync: bool) -> Sample {
    Sample { size, duration, composition_offset, is_sync }
}
