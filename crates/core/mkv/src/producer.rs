//! Writing a PutMedia body as the producer SDK does, byte for byte: put-media.md §4.1.
//!
//! ```text
//! encode_header           EBML header, Segment, Info, Tracks          once
//! encode_cluster_start    Cluster, Timestamp, Position                at each fragment
//!   encode_simple_block   SimpleBlock
//! encode_tags             Tags: of the fragment before
//! encode_end_of_fragment  Tags: it is complete
//! ```
//!
//! Segment and Cluster have unknown size, so nothing written is ever changed. The functions append;
//! an `out` that does not grow panics when it is full.

use bytes::BufMut;
use streamkeep_media::{FrameFlags, TagGroup, Track, TrackKind};

use crate::element_writer::{
    UNKNOWN_SIZE, put_element, put_float, put_header, put_id, put_size, put_tags, put_uint,
};
use crate::{ElementId, Info, vint};

/// The tag that completes a fragment before the next one starts (put-media.md §5).
pub const END_OF_FRAGMENT: &str = "AWS_KINESISVIDEO_END_OF_FRAGMENT";

/// EBML header of the SDK: EBML 1, `matroska` version 2.
#[rustfmt::skip]
const EBML_HEADER: [u8; 40] = [
    0x1A, 0x45, 0xDF, 0xA3, 0xA3,                                       // EBML, 35 bytes
    0x42, 0x86, 0x81, 1,                                                // EBMLVersion
    0x42, 0xF7, 0x81, 1,                                                // EBMLReadVersion
    0x42, 0xF2, 0x81, 4,                                                // EBMLMaxIDLength
    0x42, 0xF3, 0x81, 8,                                                // EBMLMaxSizeLength
    0x42, 0x82, 0x88, b'm', b'a', b't', b'r', b'o', b's', b'k', b'a',   // DocType
    0x42, 0x87, 0x81, 2,                                                // DocTypeVersion
    0x42, 0x85, 0x81, 2,                                                // DocTypeReadVersion
];

/// Width of the sizes of blocks and tags.
const WIDE: usize = 8;
/// Width of the sizes of Tracks and the masters in it.
const MEDIUM: usize = 4;

/// EBML header, Segment, Info and Tracks. What is empty or `None` is left out, also a TrackUID of
/// 0. Beyond what the SDK writes: Duration and DefaultDuration, when there are any.
pub fn encode_header(out: &mut impl BufMut, info: &Info, tracks: &[Track]) {
    put_document_start(out);
    let mut body = Vec::new();
    if let Some(uuid) = &info.segment_uuid {
        put_element(&mut body, ElementId::SEGMENT_UUID, uuid, 1);
    }
    put_uint(&mut body, ElementId::TIMESTAMP_SCALE, info.timestamp_scale_ns, 8);
    if let Some(ticks) = info.duration_ticks {
        put_float(&mut body, ElementId::DURATION, ticks);
    }
    put_text(&mut body, ElementId::TITLE, &info.title);
    put_text(&mut body, ElementId::MUXING_APP, &info.muxing_app);
    put_text(&mut body, ElementId::WRITING_APP, &info.writing_app);
    put_element(out, ElementId::INFO, &body, 2);

    let mut entries = Vec::new();
    for track in tracks {
        put_element(&mut entries, ElementId::TRACK_ENTRY, &track_entry(track), MEDIUM);
    }
    put_element(out, ElementId::TRACKS, &entries, MEDIUM);
}

/// EBML header and Segment.
pub(crate) fn put_document_start(out: &mut impl BufMut) {
    out.put_slice(&EBML_HEADER);
    put_id(out, ElementId::SEGMENT);
    out.put_u8(UNKNOWN_SIZE);
}

fn track_entry(track: &Track) -> Vec<u8> {
    let mut entry = Vec::with_capacity(128 + track.codec_private.len());
    put_uint(&mut entry, ElementId::TRACK_NUMBER, track.number, 1);
    if track.uid != 0 {
        put_uint(&mut entry, ElementId::TRACK_UID, track.uid, 8);
    }
    let track_type = match track.kind {
        TrackKind::Video => 1,
        TrackKind::Audio => 2,
        TrackKind::Other(other) => u64::from(other),
    };
    put_uint(&mut entry, ElementId::TRACK_TYPE, track_type, 1);
    put_text(&mut entry, ElementId::NAME, &track.name);
    put_element(&mut entry, ElementId::CODEC_ID, track.codec_id.as_bytes(), 1);
    if let Some(ns) = track.default_duration_ns {
        put_uint(&mut entry, ElementId::DEFAULT_DURATION, ns, 4);
    }
    if let Some(video) = track.video {
        let mut body = Vec::new();
        put_uint(&mut body, ElementId::PIXEL_WIDTH, video.width.into(), 2);
        put_uint(&mut body, ElementId::PIXEL_HEIGHT, video.height.into(), 2);
        put_element(&mut entry, ElementId::VIDEO, &body, MEDIUM);
    }
    if let Some(audio) = track.audio {
        let mut body = Vec::new();
        put_float(&mut body, ElementId::SAMPLING_FREQUENCY, audio.sampling_frequency);
        put_uint(&mut body, ElementId::CHANNELS, audio.channels.into(), 1);
        if let Some(bits) = audio.bit_depth {
            put_uint(&mut body, ElementId::BIT_DEPTH, bits.into(), 1);
        }
        put_element(&mut entry, ElementId::AUDIO, &body, MEDIUM);
    }
    if !track.codec_private.is_empty() {
        put_element(&mut entry, ElementId::CODEC_PRIVATE, &track.codec_private, 1);
    }
    entry
}

fn put_text(out: &mut Vec<u8>, id: ElementId, text: &str) {
    if !text.is_empty() {
        put_element(out, id, text.as_bytes(), 1);
    }
}

/// Starts a Cluster; `timestamp` counts ticks of TimestampScale. Position is always 0.
pub fn encode_cluster_start(out: &mut impl BufMut, timestamp: u64) {
    put_id(out, ElementId::CLUSTER);
    out.put_u8(UNKNOWN_SIZE);
    put_uint(out, ElementId::TIMESTAMP, timestamp, 8);
    put_uint(out, ElementId::POSITION, 0, 1);
}

/// A SimpleBlock without lacing. `relative_timestamp` counts ticks from the Cluster's Timestamp.
///
/// # Panics
/// If `track_number` is 0 or above 2^56 − 2, which no track has.
pub fn encode_simple_block(
    out: &mut impl BufMut,
    track_number: u64,
    relative_timestamp: i16,
    flags: FrameFlags,
    frame: &[u8],
) {
    encode_simple_block_header(out, track_number, relative_timestamp, flags, frame.len());
    out.put_slice(frame);
}

/// A SimpleBlock but for its frame, of which `frame_len` bytes must follow.
///
/// # Panics
/// As [`encode_simple_block`].
pub fn encode_simple_block_header(
    out: &mut impl BufMut,
    track_number: u64,
    relative_timestamp: i16,
    flags: FrameFlags,
    frame_len: usize,
) {
    assert!(
        track_number > 0 && track_number < vint::all_ones(8),
        "track number {track_number} cannot be written"
    );
    let number_len = vint::shortest_len(track_number);
    put_header(out, ElementId::SIMPLE_BLOCK, number_len + 3 + frame_len, WIDE);
    // The track number has the form of a size.
    put_size(out, track_number as usize, 1);
    out.put_i16(relative_timestamp);
    let bit = |set, bit| if set { bit } else { 0u8 };
    out.put_u8(bit(flags.key, 0x80) | bit(flags.invisible, 0x08) | bit(flags.discardable, 0x01));
}

/// One Tags element for each group, with one Tag. Tags belong to the Cluster before them
/// (put-media.md §5).
pub fn encode_tags(out: &mut impl BufMut, groups: &[TagGroup]) {
    for group in groups {
        let tags = group.tags.iter().map(|tag| (tag.name.as_str(), tag.value.as_str()));
        put_tags(out, tags, WIDE);
    }
}

/// The tag [`END_OF_FRAGMENT`].
pub fn encode_end_of_fragment(out: &mut impl BufMut) {
    put_tags(out, [(END_OF_FRAGMENT, "")].into_iter(), WIDE);
}

#[cfg(test)]
mod tests {
    use streamkeep_media::{AudioParameters, VideoParameters};

    use super::*;

    /// The layout of put-media.md §4.1, with members that the captures do not have.
    #[test]
    fn layout_byte_by_byte() {
        let info = Info {
            timestamp_scale_ns: 1_000_000,
            duration_ticks: None,
            segment_uuid: Some([0x11; 16]),
            title: "T".into(),
            muxing_app: "M".into(),
            writing_app: "W".into(),
        };
        let video = Track {
            number: 1,
            uid: 7,
            kind: TrackKind::Video,
            codec_id: "V_X".into(),
            codec_private: vec![0xC0, 0xC1].into(),
            name: "N".into(),
            default_duration_ns: None,
            video: Some(VideoParameters { width: 160, height: 120 }),
            audio: None,
        };
        let audio = Track {
            number: 2,
            uid: 8,
            kind: TrackKind::Audio,
            codec_id: "A_X".into(),
            codec_private: Default::default(),
            name: String::new(),
            default_duration_ns: None,
            video: None,
            audio: Some(AudioParameters {
                sampling_frequency: 8000.0,
                channels: 1,
                bit_depth: Some(16),
            }),
        };
        let mut out = Vec::new();
        encode_header(&mut out, &info, &[video, audio]);
        encode_cluster_start(&mut out, 0x0102);
        let key = FrameFlags { key: true, ..FrameFlags::default() };
        encode_simple_block(&mut out, 1, 3, key, b"f");
        let others = FrameFlags { key: false, invisible: true, discardable: true };
        encode_simple_block(&mut out, 2, -2, others, b"");
        encode_simple_block(&mut out, 127, 0, key, b"");
        encode_end_of_fragment(&mut out);
        #[rustfmt::skip]
        let expected = [
            &EBML_HEADER[..],
            &[0x18, 0x53, 0x80, 0x67, 0xFF],                            // Segment, unknown
            &[0x15, 0x49, 0xA9, 0x66, 0x40, 43],                        // Info, 2-byte size
            &[0x73, 0xA4, 0x90], &[0x11; 16],                           // SegmentUUID
            &[0x2A, 0xD7, 0xB1, 0x88, 0, 0, 0, 0, 0, 0x0F, 0x42, 0x40], // TimestampScale
            &[0x7B, 0xA9, 0x81, b'T'],                                  // Title
            &[0x4D, 0x80, 0x81, b'M'],                                  // MuxingApp
            &[0x57, 0x41, 0x81, b'W'],                                  // WritingApp
            &[0x16, 0x54, 0xAE, 0x6B, 0x10, 0, 0, 98],                  // Tracks, 4-byte size
            &[0xAE, 0x10, 0, 0, 44],                                    // TrackEntry, 4-byte size
            &[0xD7, 0x81, 1],                                           // TrackNumber
            &[0x73, 0xC5, 0x88, 0, 0, 0, 0, 0, 0, 0, 7],                // TrackUID
            &[0x83, 0x81, 1],                                           // TrackType
            &[0x53, 0x6E, 0x81, b'N'],                                  // Name
            &[0x86, 0x83, b'V', b'_', b'X'],                            // CodecID
            &[0xE0, 0x10, 0, 0, 8],                                     // Video
            &[0xB0, 0x82, 0, 160, 0xBA, 0x82, 0, 120],                  // PixelWidth, PixelHeight
            &[0x63, 0xA2, 0x82, 0xC0, 0xC1],                            // CodecPrivate
            &[0xAE, 0x10, 0, 0, 44],                                    // TrackEntry
            &[0xD7, 0x81, 2],                                           // TrackNumber
            &[0x73, 0xC5, 0x88, 0, 0, 0, 0, 0, 0, 0, 8],                // TrackUID
            &[0x83, 0x81, 2],                                           // TrackType
            &[0x86, 0x83, b'A', b'_', b'X'],                            // CodecID
            &[0xE1, 0x10, 0, 0, 0x11],                                  // Audio
            &[0xB5, 0x88, 0x40, 0xBF, 0x40, 0, 0, 0, 0, 0],             // SamplingFrequency
            &[0x9F, 0x81, 1],                                           // Channels
            &[0x62, 0x64, 0x81, 16],                                    // BitDepth
            &[0x1F, 0x43, 0xB6, 0x75, 0xFF],                            // Cluster, unknown
            &[0xE7, 0x88, 0, 0, 0, 0, 0, 0, 1, 2],                      // Timestamp
            &[0xA7, 0x81, 0],                                           // Position
            &[0xA3, 0x01, 0, 0, 0, 0, 0, 0, 5, 0x81, 0, 3, 0x80, b'f'], // SimpleBlock
            &[0xA3, 0x01, 0, 0, 0, 0, 0, 0, 4, 0x82, 0xFF, 0xFE, 0x09],
            &[0xA3, 0x01, 0, 0, 0, 0, 0, 0, 5, 0x40, 0x7F, 0, 0, 0x80], // 0xFF is ambiguous
            &[0x12, 0x54, 0xC3, 0x67, 0x01, 0, 0, 0, 0, 0, 0, 72],      // Tags, 8-byte size
            &[0x73, 0x73, 0x01, 0, 0, 0, 0, 0, 0, 62],                  // Tag
            &[0x67, 0xC8, 0x01, 0, 0, 0, 0, 0, 0, 52],                  // SimpleTag
            &[0x45, 0xA3, 0x01, 0, 0, 0, 0, 0, 0, 32],                  // TagName
            b"AWS_KINESISVIDEO_END_OF_FRAGMENT",
            &[0x44, 0x87, 0x01, 0, 0, 0, 0, 0, 0, 0],                   // TagString, empty
        ]
        .concat();
        assert_eq!(out, expected);
    }

    #[test]
    #[should_panic(expected = "track number 0")]
    fn no_track_has_number_zero() {
        encode_simple_block(&mut Vec::new(), 0, 0, FrameFlags::default(), b"");
    }
}
