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
