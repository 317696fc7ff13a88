//! A fragment's row: all that the index knows of it.
//!
//! It stands in clear in the record header and again, the same bytes, in the footer.
//!
//! | Offset | Bytes | Content |
//! | --- | --- | --- |
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | number of tracks, T |
//! | 2 | 2 | flags: 1 starts with a key frame, 2 continues the previous fragment |
//! | 4 | 4 | data key generation |
//! | 8 | 16 | fragment number, big-endian |
//! | 24 | 8 | producer timestamp, ms |
//! | 32 | 8 | server timestamp, ms |
//! | 40 | 4 | duration, ms |
//! | 44 | 4 | number of frames |
//! | 48 | 8 | ordinal |
//! | 56 | 8 | cumulative duration, ms |
//! | 64 | 4 | discontinuities |
//! | 68 | 4 | sample description version |
//! | 72 | 16 | number of the last fragment that starts with a key frame, big-endian; 0 = none |
//! | 88 | 8 | TimestampScale, ns |
//! | 96 | 8 | timecode, ticks |
//! | 104 | 4 | media length, bytes |
//! | 108 | 4 | meta length, bytes |
//! | 112 | 8 | position of the record in the file |
//! | 120 | 4 | length of the record |
//! | 124 | 4 | 0 |
//! | 128 | 40 T | tracks |
//!
//! Track: kind u8 (Matroska TrackType), 0 × 3, frame count u32, track number u64, bytes u32,
//! first, earliest and end ticks i32 each, sample position u64.

use streamkeep_media::{Fragment, FragmentNumber, StreamId, TrackKind, UnixMillis};

use crate::cursor::{Cursor, Put};
use crate::limits::{MEDIA_LEN_MAX, META_LEN_MAX, TRACKS_MAX};

/// What the index knows of a fragment. Times and counts as in [`Fragment`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FragmentRow {
    /// Unique and rising in its stream.
    pub number: FragmentNumber,
    /// Producer time of the first block.
    pub producer_timestamp: UnixMillis,
    /// When the fragment's first byte arrived.
    pub server_timestamp: UnixMillis,
    /// From the earliest presentation time to the end, over all tracks.
    pub duration_ms: u32,
    /// Frames over all tracks.
    pub frame_count: u32,
    /// Generation of the data key it is sealed under.
    pub key_generation: u32,
    /// The first video frame is a verified key frame.
    pub starts_with_key: bool,
    /// Continues the previous fragment of its session without a gap.
    pub continues_previous: bool,
    /// Where the fragment stands in its stream's history.
    pub counters: RunningCounters,
    /// TimestampScale in nanoseconds per tick.
    pub timestamp_scale_ns: u64,
    /// Cluster Timestamp as sent, in ticks.
    pub timecode: u64,
    /// Plaintext bytes of media.
    pub media_len: u32,
    /// Plaintext bytes of meta.
    pub meta_len: u32,
    /// Where its record is; zero until it is placed in a batch.
    pub location: Location,
    /// In the order of the session's tracks.
    pub tracks: Box<[TrackRow]>,
}

/// Counters that run along a stream, each as of this fragment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunningCounters {
    /// Fragments of the stream before this one, ever.
    pub ordinal: u64,
    /// Fragments up to and with this one that do not continue the one before.
    pub discontinuities: u32,
    /// Durations of all fragments of the stream before this one, in ms.
    pub cumulative_duration_ms: u64,
    /// Grows when the tracks or their codec data change.
    pub description_version: u32,
    /// The last fragment up to and with this one that starts with a key frame.
    pub last_key_number: Option<FragmentNumber>,
}

/// A record's place in its volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Position of the record header in the file.
    pub offset: u64,
    /// Bytes of the record with its padding.
    pub record_len: u32,
}

/// What one track contributes to a fragment. Times in ticks relative to the fragment's timecode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackRow {
    /// Video, audio or other.
    pub kind: TrackKind,
    /// Matroska TrackNumber.
    pub number: u64,
    /// Frames of this track.
    pub frame_count: u32,
    /// Payload bytes of this track.
    pub bytes: u32,
    /// Presentation time of the first frame in stream order.
    pub first_ticks: i32,
    /// Smallest presentation time.
    pub earliest_ticks: i32,
    /// Largest presentation time plus the duration of that frame.
    pub end_ticks: i32,
    /// Audio: samples of this track before this fragment in the session.
    pub sample_position: u64,
}

/// A row with its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedRow {
    /// Whose fragment it is.
    pub stream: StreamId,
    /// The fragment.
    pub row: FragmentRow,
}

impl FragmentRow {
    /// Bytes of an encoded row without tracks.
    pub(crate) const FIXED_LEN: usize = 128;

    /// Bytes that each track adds.
    pub(crate) const TRACK_LEN: usize = 40;

    /// The row of a fragment; its key generation, meta length and location are filled in when
    /// it is sealed and placed.
    pub fn describe(fragment: &Fragment, counters: RunningCounters) -> Self {
        let tracks = fragment.header.tracks.iter().zip(&fragment.timing);
        Self {
            number: fragment.number,
            producer_timestamp: fragment.producer_timestamp,
            server_timestamp: fragment.server_timestamp,
            duration_ms: fragment.duration_ms,
            frame_count: u32::try_from(fragment.frames.len()).unwrap_or(u32::MAX),
            key_generation: 0,
            starts_with_key: fragment.starts_with_key,
            continues_previous: fragment.continues_previous,
            counters,
            timestamp_scale_ns: fragment.header.timestamp_scale_ns,
            timecode: fragment.timecode,
            media_len: u32::try_from(fragment.media_len()).unwrap_or(u32::MAX),
            meta_len: 0,
            location: Location::default(),
            tracks: tracks
                .map(|(track, timing)| TrackRow {
                    kind: track.kind,
                    number: track.number,
                    frame_count: timing.frame_count,
                    bytes: timing.bytes,
                    first_ticks: timing.first_ticks,
                    earliest_ticks: timing.earliest_ticks,
                    end_ticks: timing.end_ticks,
                    sample_position: timing.sample_position,
                })
                .collect(),
        }
    }

    /// Producer time at which the fragment ends: its start and its duration.
    pub fn producer_end(&self) -> UnixMillis {
        UnixMillis(self.producer_timestamp.0.saturating_add(u64::from(self.duration_ms)))
    }

    /// Bytes of the encoded row.
    pub fn encoded_len(&self) -> usize {
        Self::FIXED_LEN + Self::TRACK_LEN * self.tracks.len()
    }

    /// Appends the row's bytes. At most [`TRACKS_MAX`] tracks are encoded.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let tracks = &self.tracks[..self.tracks.len().min(TRACKS_MAX)];
        out.put_u8(VERSION);
        out.put_u8(tracks.len() as u8);
        out.put_u16(
            u16::from(self.starts_with_key) * STARTS_WITH_KEY
                + u16::from(self.continues_previous) * CONTINUES_PREVIOUS,
        );
        out.put_u32(self.key_generation);
        out.put(&self.number.to_be_bytes());
        out.put_u64(self.producer_timestamp.0);
        out.put_u64(self.server_timestamp.0);
        out.put_u32(self.duration_ms);
        out.put_u32(self.frame_count);
        out.put_u64(self.counters.ordinal);
        out.put_u64(self.counters.cumulative_duration_ms);
        out.put_u32(self.counters.discontinuities);
        out.put_u32(self.counters.description_version);
        out.put(&self.counters.last_key_number.unwrap_or(FragmentNumber::MIN).to_be_bytes());
        out.put_u64(self.timestamp_scale_ns);
        out.put_u64(self.timecode);
        out.put_u32(self.media_len);
        out.put_u32(self.meta_len);
        out.put_u64(self.location.offset);
        out.put_u32(self.location.record_len);
        out.put_u32(0);
        for track in tracks {
            out.put_u8(match track.kind {
                TrackKind::Video => 1,
                TrackKind::Audio => 2,
                TrackKind::Other(kind) => kind,
            });
            out.put_zeros(3);
            out.put_u32(track.frame_count);
            out.put_u64(track.number);
            out.put_u32(track.bytes);
            out.put_i32(track.first_ticks);
            out.put_i32(track.earliest_ticks);
            out.put_i32(track.end_ticks);
            out.put_u64(track.sample_position);
        }
    }

    /// Decodes a row from the front of `bytes` and tells its length. `None` when the bytes are no
    /// row: they end early, say another version, set unknown bits or exceed a limit.
    pub fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut cursor = Cursor::new(bytes);
        if cursor.u8()? != VERSION {
            return None;
        }
        let track_count = usize::from(cursor.u8()?);
        let flags = cursor.u16()?;
        if flags & !(STARTS_WITH_KEY | CONTINUES_PREVIOUS) != 0 {
            return None;
        }
        let key_generation = cursor.u32()?;
        let number = FragmentNumber::from_be_bytes(cursor.array()?);
        let producer_timestamp = UnixMillis(cursor.u64()?);
        let server_timestamp = UnixMillis(cursor.u64()?);
        let duration_ms = cursor.u32()?;
        let frame_count = cursor.u32()?;
        let ordinal = cursor.u64()?;
        let cumulative_duration_ms = cursor.u64()?;
        let discontinuities = cursor.u32()?;
        let description_version = cursor.u32()?;
        let last_key_number = FragmentNumber::from_be_bytes(cursor.array()?);
        let counters = RunningCounters {
            ordinal,
            discontinuities,
            cumulative_duration_ms,
            description_version,
            last_key_number: (last_key_number != FragmentNumber::MIN).then_some(last_key_number),
        };
        let timestamp_scale_ns = cursor.u64()?;
        let timecode = cursor.u64()?;
        let media_len = cursor.u32()?;
        let meta_len = cursor.u32()?;
        let location = Location { offset: cursor.u64()?, record_len: cursor.u32()? };
        cursor.zeros(4)?;
        if media_len > MEDIA_LEN_MAX || meta_len > META_LEN_MAX {
            return None;
        }
        let mut tracks = Cursor::new(cursor.bytes(track_count * Self::TRACK_LEN)?);
        let tracks = (0..track_count).map(|_| decode_track(&mut tracks)).collect::<Option<_>>()?;
        let row = Self {
            number,
            producer_timestamp,
            server_timestamp,
            duration_ms,
            frame_count,
            key_generation,
            starts_with_key: flags & STARTS_WITH_KEY != 0,
            continues_previous: flags & CONTINUES_PREVIOUS != 0,
            counters,
            timestamp_scale_ns,
            timecode,
            media_len,
            meta_len,
            location,
            tracks,
        };
        Some((row, bytes.len() - cursor.rest().len()))
    }

    /// What the seal of the fragment vouches for besides its sections. Neither volume nor
    /// position: records can be moved without sealing them anew.
    ///
    /// `"SKFRAG\0\1"`, stream id, number big-endian, producer and server timestamp, duration, key
    /// generation, meta and media length.
    pub(crate) fn aad(&self, stream: StreamId) -> Vec<u8> {
        let mut aad = Vec::with_capacity(72);
        aad.put(b"SKFRAG\0\x01");
        aad.put(&stream.0);
        aad.put(&self.number.to_be_bytes());
        aad.put_u64(self.producer_timestamp.0);
        aad.put_u64(self.server_timestamp.0);
        aad.put_u32(self.duration_ms);
        aad.put_u32(self.key_generation);
        aad.put_u32(self.meta_len);
        aad.put_u32(self.media_len);
        aad
    }
}

fn decode_track(cursor: &mut Cursor<'_>) -> Option<TrackRow> {
    let kind = TrackKind::from_track_type(cursor.u8()?.into());
    cursor.zeros(3)?;
    let frame_count = cursor.u32()?;
    Some(TrackRow {
        kind,
        number: cursor.u64()?,
        frame_count,
        bytes: cursor.u32()?,
        first_ticks: cursor.i32()?,
        earliest_ticks: cursor.i32()?,
        end_ticks: cursor.i32()?,
        sample_position: cursor.u64()?,
    })
}

const VERSION: u8 = 1;
const STARTS_WITH_KEY: u16 = 1;
const CONTINUES_PREVIOUS: u16 = 2;

#[cfg(test)]
pub(crate) mod strategy {
    //! Arbitrary rows.

    use proptest::prelude::*;

    use super::*;

    pub(crate) fn row() -> impl Strategy<Value = FragmentRow> {
        let first = (
            any::<[u8; 16]>(),
            any::<[u64; 6]>(),
            any::<[u32; 5]>(),
            any::<(bool, bool)>(),
            prop::option::of(1u128..),
        );
        let lens = (0..=MEDIA_LEN_MAX, 0..=META_LEN_MAX, any::<(u64, u32)>());
        let tracks = prop::collection::vec(track(), 0..5);
        (first, lens, tracks).prop_map(|(first, (media_len, meta_len, location), tracks)| {
            let (number, long, short, flags, last_key) = first;
            FragmentRow {
                number: FragmentNumber::from_be_bytes(number),
                producer_timestamp: UnixMillis(long[0]),
                server_timestamp: UnixMillis(long[1]),
                duration_ms: short[0],
                frame_count: short[1],
                key_generation: short[2],
                starts_with_key: flags.0,
                continues_previous: flags.1,
                counters: RunningCounters {
                    ordinal: long[2],
                    discontinuities: short[3],
                    cumulative_duration_ms: long[3],
                    description_version: short[4],
                    last_key_number: last_key
                        .map(|number| FragmentNumber::from_be_bytes(number.to_be_bytes())),
                },
                timestamp_scale_ns: long[4],
                timecode: long[5],
                media_len,
                meta_len,
                location: Location { offset: location.0, record_len: location.1 },
                tracks: tracks.into(),
            }
        })
    }

    fn track() -> impl Strategy<Value = TrackRow> {
        (any::<u8>(), any::<[u64; 2]>(), any::<[u32; 2]>(), any::<[i32; 3]>()).prop_map(
            |(kind, long, short, ticks)| TrackRow {
                kind: TrackKind::from_track_type(kind.into()),
                number: long[0],
                frame_count: short[0],
                bytes: short[1],
                first_ticks: ticks[0],
                earliest_ticks: ticks[1],
                end_ticks: ticks[2],
                sample_position: long[1],
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use proptest::prelude::*;
    use streamkeep_media::{FrameEntry, FrameFlags, SessionHeader, Track, TrackTiming};

    use super::*;

    #[test]
    fn describes_a_fragment() {
        let track = |number, kind| Track {
            number,
            uid: 0,
            kind,
            codec_id: String::new(),
            codec_private: Bytes::new(),
            name: String::new(),
            default_duration_ns: None,
            video: None,
            audio: None,
        };
        let timing = |frame_count| TrackTiming {
            frame_count,
            bytes: 10,
            first_ticks: 1,
            earliest_ticks: -2,
            end_ticks: 3,
            sample_position: 4,
        };
        let frame = FrameEntry {
            track_index: 0,
            flags: FrameFlags::default(),
            pts_ticks: 0,
            duration_ticks: None,
            offset: 0,
            len: 1,
        };
        let fragment = Fragment {
            number: FragmentNumber::new(UnixMillis(5_000), 1, 2),
            producer_timestamp: UnixMillis(4_000),
            server_timestamp: UnixMillis(5_000),
            duration_ms: 2_000,
            timecode: 77,
            header: Arc::new(SessionHeader {
                bytes: Bytes::new(),
                timestamp_scale_ns: 100_000,
                tracks: vec![track(1, TrackKind::Video), track(3, TrackKind::Other(17))],
            }),
            media: vec![Bytes::from_static(b"abc"), Bytes::from_static(b"de")],
            frames: vec![frame; 3],
            tags: Vec::new(),
            timing: vec![timing(2), timing(1)],
            starts_with_key: true,
            continues_previous: false,
        };
        let counters = RunningCounters { ordinal: 9, ..RunningCounters::default() };
        let row = FragmentRow::describe(&fragment, counters);
        assert_eq!((row.frame_count, row.media_len, row.timecode), (3, 5, 77));
        assert_eq!((row.timestamp_scale_ns, row.counters.ordinal), (100_000, 9));
        assert_eq!((row.starts_with_key, row.continues_previous), (true, false));
        assert_eq!(row.producer_end(), UnixMillis(6_000));
        assert_eq!(
            row.tracks[1],
            TrackRow {
                kind: TrackKind::Other(17),
                number: 3,
                frame_count: 1,
                bytes: 10,
                first_ticks: 1,
                earliest_ticks: -2,
                end_ticks: 3,
                sample_position: 4,
            }
        );
    }

    /// Moving a record changes its row, not what its seal vouches for.
    #[test]
    fn the_aad_binds_identity_and_not_place() {
        let row = crate::sample::row(1, 2);
        let stream = StreamId([1; 16]);
        let aad = row.aad(stream);
        assert_eq!(aad.len(), 72);
        let location = Location { offset: 1 << 30, record_len: 64 };
        assert_eq!(FragmentRow { location, ..row.clone() }.aad(stream), aad);
        let others = [
            FragmentRow { number: row.number.next(), ..row.clone() },
            FragmentRow { producer_timestamp: UnixMillis(1), ..row.clone() },
            FragmentRow { server_timestamp: UnixMillis(1), ..row.clone() },
            FragmentRow { duration_ms: 1, ..row.clone() },
            FragmentRow { key_generation: 1, ..row.clone() },
            FragmentRow { meta_len: 1, ..row.clone() },
            FragmentRow { media_len: 1, ..row.clone() },
        ];
        assert!(others.iter().all(|other| other.aad(stream) != aad));
        assert_ne!(row.aad(StreamId([2; 16])), aad);
    }

    proptest! {
        #[test]
        fn rows_round_trip(row in strategy::row(), after in prop::collection::vec(any::<u8>(), 0..9)) {
            let mut bytes = Vec::new();
            row.encode(&mut bytes);
            prop_assert_eq!(bytes.len(), row.encoded_len());
            for len in 0..bytes.len() {
                prop_assert_eq!(FragmentRow::decode(&bytes[..len]), None);
            }
            let len = bytes.len();
            bytes.extend_from_slice(&after);
            prop_assert_eq!(FragmentRow::decode(&bytes), Some((row, len)));
        }

        #[test]
        fn any_bytes_are_a_row_or_none(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            crate::fuzz::row(&bytes);
            if bytes.len() > 128 {
                bytes[..4].copy_from_slice(&[1, 1, 0, 0]);
                bytes[104..112].fill(0);
                bytes[124..128].fill(0);
                crate::fuzz::row(&bytes);
            }
        }
    }
}
