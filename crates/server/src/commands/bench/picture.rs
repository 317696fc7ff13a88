//! The media that the load generator sends: H.264 by its framing, noise by its content.
//!
//! Every chunk is put together from a small head, which is written anew for each frame, and a
//! slice of noise that all cameras share: no frame is copied or allocated. The noise has no zero
//! bytes, so it holds no start codes, and does not compress.

use bytes::Bytes;
use streamkeep_codec::h264::AvcDecoderConfigurationRecord;
use streamkeep_media::{FrameFlags, Track, TrackKind, VideoParameters};
use streamkeep_mkv::{Info, producer};

/// How a camera's frames are sized.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    /// Frames of one fragment, the key frame included; at least 1.
    pub(super) frames_per_fragment: u32,
    pub(super) key_frame_len: usize,
    pub(super) delta_frame_len: usize,
}

impl Profile {
    /// `bits_per_second` over fragments of this many frames; a key frame is eight times as large
    /// as the others, as with a typical camera.
    pub(super) fn new(
        bits_per_second: u64,
        fragment_seconds: f64,
        frames_per_fragment: u32,
    ) -> Self {
        let fragment_len = bits_per_second as f64 / 8.0 * fragment_seconds;
        let delta = fragment_len / f64::from(frames_per_fragment - 1 + KEY_FRAME_RATIO);
        Self {
            frames_per_fragment,
            key_frame_len: frame_len(delta * f64::from(KEY_FRAME_RATIO)),
            delta_frame_len: frame_len(delta),
        }
    }

    pub(super) fn frame_len(&self, key: bool) -> usize {
        if key { self.key_frame_len } else { self.delta_frame_len }
    }
}

fn frame_len(len: f64) -> usize {
    (len as usize).clamp(FRAME_HEAD_LEN + 1, FRAME_LEN_MAX)
}

/// Noise that every frame is cut from.
#[derive(Clone, Debug)]
pub(super) struct Noise(Bytes);

impl Noise {
    /// Enough for frames of this length at many offsets.
    pub(super) fn new(longest_frame: usize) -> Self {
        // xorshift64; any seed but 0.
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut bytes = Vec::with_capacity(longest_frame + OFFSETS);
        while bytes.len() < longest_frame + OFFSETS {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend(state.to_le_bytes().map(|byte| byte.max(1)));
        }
        Self(bytes.into())
    }

    /// `len` bytes that differ from frame to frame.
    pub(super) fn slice(&self, frame: u64, len: usize) -> &[u8] {
        let offset = (frame.wrapping_mul(7919) % OFFSETS as u64) as usize;
        &self.0[offset..offset + len]
    }
}

/// What precedes the first Cluster: one H.264 track of 1280×720.
pub(super) fn session_header() -> Vec<u8> {
    let record = AvcDecoderConfigurationRecord::build(&[&SPS], &[&PPS])
        .expect("the parameter sets are an encoder's own");
    let track = Track {
        number: TRACK,
        uid: 1,
        kind: TrackKind::Video,
        codec_id: "V_MPEG4/ISO/AVC".into(),
        codec_private: record.into(),
        name: "video".into(),
        default_duration_ns: None,
        video: Some(VideoParameters { width: 1280, height: 720 }),
        audio: None,
    };
    let info = Info {
        timestamp_scale_ns: 1_000_000,
        duration_ticks: None,
        segment_uuid: None,
        title: "streamkeep bench".into(),
        muxing_app: "streamkeep".into(),
        writing_app: "streamkeep bench".into(),
    };
    let mut header = Vec::new();
    producer::encode_header(&mut header, &info, &[track]);
    header
}

/// Replaces `head` by all of one frame's chunk that precedes its noise: the chunk size line, a
/// Cluster start when `cluster` gives its timecode, the SimpleBlock header, and the frame's first
/// [`FRAME_HEAD_LEN`] bytes with `stamp` in them. `frame_len` counts these and the noise.
pub(super) fn encode_chunk_head(
    head: &mut Vec<u8>,
    cluster: Option<u64>,
    relative_ms: i16,
    frame_len: usize,
    stamp: u64,
) {
    head.clear();
    // The size line has a fixed width, so what follows can be written in place.
    head.extend_from_slice(b"00000000\r\n");
    let body_start = head.len();
    if let Some(timecode) = cluster {
        producer::encode_cluster_start(head, timecode);
    }
    let key = cluster.is_some();
    let flags = FrameFlags { key, ..FrameFlags::default() };
    producer::encode_simple_block_header(head, TRACK, relative_ms, flags, frame_len);
    head.extend_from_slice(&((frame_len - 4) as u32).to_be_bytes());
    // NAL unit header, then first_mb_in_slice 0 and slice_type 7 (I) or 5 (P).
    head.extend_from_slice(if key { &[0x65, 0x88] } else { &[0x41, 0x9A] });
    for shift in (0..STAMP_DIGITS).rev() {
        // Digits from 1 on keep zero bytes out.
        head.push(b'A' + (stamp >> (4 * shift) & 15) as u8);
    }
    let chunk_len = head.len() - body_start + frame_len - FRAME_HEAD_LEN;
    for (at, digit) in head[..8].iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[chunk_len >> (4 * at) & 15];
    }
}

/// The stamp in a frame that [`encode_chunk_head`] began; `None` when it is no such frame.
pub(super) fn read_stamp(frame: &[u8]) -> Option<u64> {
    let digits = frame.get(6..FRAME_HEAD_LEN)?;
    digits.iter().try_fold(0, |stamp, digit| {
        let value = digit.checked_sub(b'A').filter(|value| *value < 16)?;
        Some(stamp << 4 | u64::from(value))
    })
}

/// A chunk with the tag that completes the fragment before it.
pub(super) fn end_of_fragment_chunk() -> Vec<u8> {
    let mut tags = Vec::new();
    producer::encode_end_of_fragment(&mut tags);
    let mut chunk = format!("{:x}\r\n", tags.len()).into_bytes();
    chunk.extend_from_slice(&tags);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

const TRACK: u64 = 1;
const KEY_FRAME_RATIO: u32 = 8;
const STAMP_DIGITS: usize = 16;
/// NAL unit length, NAL unit header and the slice header's start, stamp.
pub(super) const FRAME_HEAD_LEN: usize = 4 + 2 + STAMP_DIGITS;
/// 8 key frames of this size fit a fragment of 50 MB.
const FRAME_LEN_MAX: usize = 6_000_000;
const OFFSETS: usize = 64 * 1024;

/// libx264 for 1280×720 at 30 frames/s, high profile, level 3.1.
const SPS: [u8; 26] = [
    0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00,
    0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
];
const PPS: [u8; 6] = [0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0];

#[cfg(test)]
mod tests {
    use streamkeep_codec::is_key_frame;
    use streamkeep_mkv::{Event, Limits, Scanner};

    use super::*;

    #[test]
    fn bitrate_is_kept() {
        let profile = Profile::new(1_000_000, 2.0, 50);
        let fragment_len = profile.key_frame_len + 49 * profile.delta_frame_len;
        assert!((249_000..=250_000).contains(&fragment_len), "{fragment_len}");
        assert_eq!(profile.key_frame_len / profile.delta_frame_len, KEY_FRAME_RATIO as usize);
        // Bitrates too low for the framing still give frames.
        assert!(Profile::new(100, 2.0, 50).delta_frame_len > FRAME_HEAD_LEN);
    }

    /// Two frames, as they go out, are what the service expects.
    #[test]
    fn chunks_are_matroska_in_http() {
        let noise = Noise::new(5000);
        let mut body = session_header();
        let mut head = Vec::new();
        for (frame, (cluster, len)) in
            [(Some(1_795_000_000_000), 5000), (None, 700)].into_iter().enumerate()
        {
            encode_chunk_head(
                &mut head,
                cluster,
                40 * frame as i16,
                len,
                0x1234_5678_9ABC + frame as u64,
            );
            let mut chunk = head.clone();
            chunk.extend_from_slice(noise.slice(frame as u64, len - FRAME_HEAD_LEN));
            let (size, payload) = chunk.split_at(10);
            let size = std::str::from_utf8(&size[..8]).unwrap();
            assert_eq!(usize::from_str_radix(size, 16).unwrap(), payload.len());
            body.extend_from_slice(payload);
        }
        let end = end_of_fragment_chunk();
        body.extend_from_slice(
            &end[end.iter().position(|&b| b == b'\n').unwrap() + 1..end.len() - 2],
        );

        let mut scanner = Scanner::new(Limits::default());
        let (mut at, mut keys, mut private, mut tags) = (0, Vec::new(), Bytes::new(), 0);
        while let Some(item) = scanner.next(&body[at..]).unwrap() {
            match item.event {
                Event::Tracks(tracks) => private = tracks[0].codec_private.clone(),
                Event::Block(block) => {
                    assert_eq!(
                        is_key_frame("V_MPEG4/ISO/AVC", &private, block.payload),
                        Some(block.key)
                    );
                    assert_eq!(
                        read_stamp(block.payload),
                        Some(0x1234_5678_9ABC + keys.len() as u64)
                    );
                    keys.push(block.key);
                }
                Event::Tags(_) => tags += 1,
                _ => {}
            }
            at += item.len;
        }
        assert_eq!((at, keys, tags), (body.len(), vec![true, false], 1));
        assert_eq!(read_stamp(&[0; 40]), None);
    }
}
