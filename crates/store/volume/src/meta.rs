//! The meta section: what is known of a fragment and stays secret.
//!
//! Plaintext of the sealed section. Numbers are varints ([`crate::varint`]), signed ones
//! alternate around zero.
//!
//! | Content | Form |
//! | --- | --- |
//! | version, 1 | u8 |
//! | fingerprint | 32 bytes |
//! | TimestampScale, ns | varint |
//! | session header | length varint, bytes |
//! | frames | count varint, then each frame |
//! | tag groups | count varint; each: count varint, then tags: name and value, each length varint and UTF-8 |
//!
//! Frame: a byte (1 key, 2 invisible, 4 discardable, 8 duration follows, 16 other track than the
//! frame before), then: track index u8 if it is another track; presentation time minus that of
//! the last frame of the same track, signed (first frame: minus 0); duration if it follows;
//! start minus end of the frame before, signed (first frame: minus 0); length. A frame of a
//! camera takes five bytes.

use bytes::Bytes;
use streamkeep_media::{Fragment, FrameEntry, FrameFlags, Tag, TagGroup};

use crate::cursor::{Cursor, Put};
use crate::varint;
use crate::{Part, VolumeError};

/// Bytes of a fingerprint.
pub const FINGERPRINT_LEN: usize = 32;

/// The meta section in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FragmentMeta {
    /// Keyed hash of the frames, by which a re-sent fragment is known.
    pub fingerprint: [u8; FINGERPRINT_LEN],
    /// TimestampScale in nanoseconds per tick.
    pub timestamp_scale_ns: u64,
    /// What precedes the first Cluster of the session, verbatim. The tracks are parsed from it
    /// when they are needed.
    pub session_header: Bytes,
    /// The frame table.
    pub frames: Vec<FrameEntry>,
    /// The producer's tags.
    pub tags: Vec<TagGroup>,
}

impl FragmentMeta {
    /// The meta section of a fragment.
    pub fn describe(fragment: &Fragment, fingerprint: [u8; FINGERPRINT_LEN]) -> Self {
        Self {
            fingerprint,
            timestamp_scale_ns: fragment.header.timestamp_scale_ns,
            session_header: fragment.header.bytes.clone(),
            frames: fragment.frames.clone(),
            tags: fragment.tags.clone(),
        }
    }

    /// The section's plaintext.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.session_header.len() + 8 * self.frames.len());
        out.put_u8(VERSION);
        out.put(&self.fingerprint);
        varint::put(&mut out, self.timestamp_scale_ns);
        put_bytes(&mut out, &self.session_header);
        put_frames(&mut out, &self.frames);
        varint::put(&mut out, self.tags.len() as u64);
        for group in &self.tags {
            varint::put(&mut out, group.tags.len() as u64);
            for tag in &group.tags {
                put_bytes(&mut out, tag.name.as_bytes());
                put_bytes(&mut out, tag.value.as_bytes());
            }
        }
        out
    }

    /// The inverse of [`Self::encode`].
    ///
    /// # Errors
    ///
    /// [`VolumeError::Damaged`] with the position in `bytes` where they stop making sense. Since
    /// the section was authenticated, that means it was written by a faulty or later version.
    pub fn decode(bytes: &Bytes) -> Result<Self, VolumeError> {
        let mut cursor = Cursor::new(bytes);
        let meta = decode_fields(&mut cursor, bytes);
        meta.filter(|_| cursor.rest().is_empty()).ok_or_else(|| {
            VolumeError::damaged(Part::Meta, (bytes.len() - cursor.rest().len()) as u64)
        })
    }
}

fn decode_fields(cursor: &mut Cursor<'_>, bytes: &Bytes) -> Option<FragmentMeta> {
    if cursor.u8()? != VERSION {
        return None;
    }
    let fingerprint = cursor.array()?;
    let timestamp_scale_ns = varint::take(cursor)?;
    let session_header = bytes.slice_ref(take_bytes(cursor)?);
    let frames = take_frames(cursor)?;
    let group_count = take_count(cursor, TAG_GROUP_LEN_MIN)?;
    let mut tags = Vec::with_capacity(group_count);
    for _ in 0..group_count {
        let tag_count = take_count(cursor, TAG_LEN_MIN)?;
        let mut group = TagGroup { tags: Vec::with_capacity(tag_count) };
        for _ in 0..tag_count {
            group.tags.push(Tag { name: take_text(cursor)?, value: take_text(cursor)? });
        }
        tags.push(group);
    }
    Some(FragmentMeta { fingerprint, timestamp_scale_ns, session_header, frames, tags })
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    varint::put(out, bytes.len() as u64);
    out.put(bytes);
}

fn take_bytes<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = usize::try_from(varint::take(cursor)?).ok()?;
    cursor.bytes(len)
}

fn take_text(cursor: &mut Cursor<'_>) -> Option<String> {
    std::str::from_utf8(take_bytes(cursor)?).ok().map(str::to_owned)
}

/// A count of things that take at least `len_min` bytes each, so that it cannot exceed what the
/// rest holds.
fn take_count(cursor: &mut Cursor<'_>, len_min: usize) -> Option<usize> {
    let count = usize::try_from(varint::take(cursor)?).ok()?;
    (count <= cursor.rest().len() / len_min).then_some(count)
}

fn put_frames(out: &mut Vec<u8>, frames: &[FrameEntry]) {
    varint::put(out, frames.len() as u64);
    let mut last_pts = [0; 256];
    let mut track_index = 0;
    let mut end = 0;
    for frame in frames {
        let is_other_track = frame.track_index != track_index;
        out.put_u8(
            u8::from(frame.flags.key) * KEY
                + u8::from(frame.flags.invisible) * INVISIBLE
                + u8::from(frame.flags.discardable) * DISCARDABLE
                + u8::from(frame.duration_ticks.is_some()) * HAS_DURATION
                + u8::from(is_other_track) * OTHER_TRACK,
        );
        if is_other_track {
            track_index = frame.track_index;
            out.put_u8(track_index);
        }
        let pts = i64::from(frame.pts_ticks);
        varint::put_signed(out, pts - last_pts[usize::from(track_index)]);
        last_pts[usize::from(track_index)] = pts;
        if let Some(duration) = frame.duration_ticks {
            varint::put(out, duration.into());
        }
        varint::put_signed(out, i64::from(frame.offset) - end);
        varint::put(out, frame.len.into());
        end = i64::from(frame.offset) + i64::from(frame.len);
    }
}

fn take_frames(cursor: &mut Cursor<'_>) -> Option<Vec<FrameEntry>> {
    let count = take_count(cursor, FRAME_LEN_MIN)?;
    let mut frames = Vec::with_capacity(count);
    let mut last_pts = [0i64; 256];
    let mut track_index = 0;
    let mut end = 0i64;
    for _ in 0..count {
        let bits = cursor.u8()?;
        if bits & !(KEY | INVISIBLE | DISCARDABLE | HAS_DURATION | OTHER_TRACK) != 0 {
            return None;
        }
        if bits & OTHER_TRACK != 0 {
            let other = cursor.u8()?;
            // One form per table: the bit is set when the track changes.
            if other == track_index {
                return None;
            }
            track_index = other;
        }
        let pts = last_pts[usize::from(track_index)].checked_add(varint::take_signed(cursor)?)?;
        let pts_ticks = i32::try_from(pts).ok()?;
        last_pts[usize::from(track_index)] = pts;
        let duration_ticks = if bits & HAS_DURATION != 0 {
            Some(u32::try_from(varint::take(cursor)?).ok()?)
        } else {
            None
        };
        let offset = u32::try_from(end.checked_add(varint::take_signed(cursor)?)?).ok()?;
        let len = u32::try_from(varint::take(cursor)?).ok()?;
        end = i64::from(offset) + i64::from(len);
        let flags = FrameFlags {
            key: bits & KEY != 0,
            invisible: bits & INVISIBLE != 0,
            discardable: bits & DISCARDABLE != 0,
        };
        frames.push(FrameEntry { track_index, flags, pts_ticks, duration_ticks, offset, len });
    }
    Some(frames)
}

const VERSION: u8 = 1;
const KEY: u8 = 1;
const INVISIBLE: u8 = 2;
const DISCARDABLE: u8 = 4;
const HAS_DURATION: u8 = 8;
const OTHER_TRACK: u8 = 16;
/// Bits, time, start, length.
const FRAME_LEN_MIN: usize = 4;
/// Its count.
const TAG_GROUP_LEN_MIN: usize = 1;
/// Two lengths.
const TAG_LEN_MIN: usize = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    fn frame() -> impl Strategy<Value = FrameEntry> {
        let flags = any::<(bool, bool, bool)>()
            .prop_map(|(key, invisible, discardable)| FrameFlags { key, invisible, discardable });
        (any::<u8>(), flags, any::<i32>(), any::<Option<u32>>(), any::<(u32, u32)>()).prop_map(
            |(track_index, flags, pts_ticks, duration_ticks, (offset, len))| FrameEntry {
                track_index,
                flags,
                pts_ticks,
                duration_ticks,
                offset,
                len,
            },
        )
    }

    fn meta() -> impl Strategy<Value = FragmentMeta> {
        let tag = any::<(String, String)>().prop_map(|(name, value)| Tag { name, value });
        let group = prop::collection::vec(tag, 0..4).prop_map(|tags| TagGroup { tags });
        (
            any::<[u8; 32]>(),
            any::<u64>(),
            prop::collection::vec(any::<u8>(), 0..300),
            prop::collection::vec(frame(), 0..60),
            prop::collection::vec(group, 0..4),
        )
            .prop_map(|(fingerprint, timestamp_scale_ns, header, frames, tags)| {
                FragmentMeta {
                    fingerprint,
                    timestamp_scale_ns,
                    session_header: header.into(),
                    frames,
                    tags,
                }
            })
    }

    fn decode(bytes: &[u8]) -> Result<FragmentMeta, VolumeError> {
        FragmentMeta::decode(&Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn a_camera_frame_takes_five_bytes() {
        let frames: Vec<FrameEntry> = (0..50)
            .map(|index| FrameEntry {
                track_index: 0,
                flags: FrameFlags { key: index == 0, ..FrameFlags::default() },
                pts_ticks: 40 * index,
                duration_ticks: None,
                offset: 17 + 5_008 * index as u32,
                len: 5_000,
            })
            .collect();
        let bare = FragmentMeta { frames: Vec::new(), ..sample::meta() };
        let len = FragmentMeta { frames, ..bare.clone() }.encode().len() - bare.encode().len();
        assert_eq!(len, 50 * 5);
    }

    #[test]
    fn the_session_header_is_not_copied() {
        let bytes = Bytes::from(sample::meta().encode());
        let meta = FragmentMeta::decode(&bytes).unwrap();
        assert!(bytes.as_ptr_range().contains(&meta.session_header.as_ptr()));
    }

    /// A count sizes an allocation only after it was held against the bytes that are left.
    #[test]
    fn counts_are_bounded_by_the_bytes_that_are_left() {
        let count = |count: u8, rest: usize| {
            let bytes = [&[count][..], &vec![0; rest]].concat();
            take_count(&mut Cursor::new(&bytes), FRAME_LEN_MIN)
        };
        assert_eq!(count(2, 8), Some(2));
        assert_eq!(count(2, 7), None);
        assert_eq!(count(0, 0), Some(0));
    }

    #[test]
    fn refusals() {
        let good = sample::meta().encode();
        assert_eq!(decode(&good).unwrap(), sample::meta());
        for len in 0..good.len() {
            let error = decode(&good[..len]).unwrap_err();
            assert!(matches!(error, VolumeError::Damaged { part: Part::Meta, .. }), "{len}");
        }
        assert!(decode(&[&good[..], &[0]].concat()).is_err(), "bytes left over");
        let mut version = good.clone();
        version[0] = 2;
        assert!(decode(&version).is_err());

        // A table of three frames with one byte changed at a time: version, fingerprint, scale
        // 1, header of length 0, count, then frames.
        let table = |frames: &[u8]| [&[1][..], &[0; 32], &[1, 0], frames, &[0]].concat();
        let frames = [1, 0, 2, 4, 5];
        assert_eq!(decode(&table(&frames)).unwrap().frames.len(), 1);
        for (what, bad) in [
            ("unknown bits", &[1, 32, 2, 4, 5][..]),
            ("same track again", &[1, 16, 0, 2, 4, 5]),
            ("start before the media", &[1, 0, 2, 3, 5]),
            ("more frames than bytes", &[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0]),
            ("time past 32 bits", &[1, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 4, 5]),
            ("length past 32 bits", &[1, 0, 2, 4, 0x80, 0x80, 0x80, 0x80, 0x10]),
            ("duration past 32 bits", &[1, 8, 2, 0x80, 0x80, 0x80, 0x80, 0x10, 4, 5]),
        ] {
            assert!(decode(&table(bad)).is_err(), "{what}");
        }
        let not_text = [&[1][..], &[0; 32], &[1, 0, 0, 1, 1, 1, 0xff, 0]].concat();
        assert!(decode(&not_text).is_err());
    }

    proptest! {
        #[test]
        fn round_trip(meta in meta()) {
            let bytes = meta.encode();
            prop_assert_eq!(decode(&bytes).unwrap(), meta);
        }

        #[test]
        fn any_bytes_are_a_meta_or_an_error(
            meta in meta(),
            at in any::<prop::sample::Index>(),
            byte: u8,
        ) {
            let mut bytes = meta.encode();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            crate::fuzz::meta(&bytes);
        }
    }
}
