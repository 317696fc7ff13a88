//! Fragments: the unit of ingest, storage and playback.

use std::sync::Arc;

use bytes::Bytes;

use crate::{FragmentNumber, Track, UnixMillis};

/// One complete fragment: a Cluster and what the producer sent after it, byte for byte, with all
/// that readers need to know about it without looking at payload.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// Unique and rising in its stream.
    pub number: FragmentNumber,
    /// Producer time of the first block: absolute, also for RELATIVE sessions.
    pub producer_timestamp: UnixMillis,
    /// When the fragment's first byte arrived; the time inside [`Self::number`].
    pub server_timestamp: UnixMillis,
    /// From the earliest presentation time to [`end`](TrackTiming::end_ticks) over all tracks.
    pub duration_ms: u32,
    /// The Cluster Timestamp exactly as sent, in TimestampScale units. Acks repeat it.
    pub timecode: u64,
    /// What precedes the first Cluster; shared by the fragments of one session.
    pub header: Arc<SessionHeader>,
    /// The fragment's bytes as sent: Cluster element and all up to the next Cluster. Pieces in
    /// order; their sum is at most 50 MB.
    pub media: Vec<Bytes>,
    /// One entry per frame in stream order, that is decode order.
    pub frames: Vec<FrameEntry>,
    /// The producer's own tags that belong to this fragment.
    pub tags: Vec<TagGroup>,
    /// One entry per track of [`SessionHeader::tracks`], in the same order.
    pub timing: Vec<TrackTiming>,
    /// The first video frame is a verified key frame; with no video track: always true.
    pub starts_with_key: bool,
    /// Presentation continues from the previous fragment of the same session without a gap or
    /// overlap of more than 50 ms. False for the first fragment of a session.
    pub continues_previous: bool,
}

impl Fragment {
    /// Bytes of media as sent, without the session header.
    pub fn media_len(&self) -> usize {
        self.media.iter().map(Bytes::len).sum()
    }
}

/// All bytes of a PutMedia session that precede its first Cluster, with what they declare.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionHeader {
    /// EBML header, Segment header, Info, Tracks, Tags: verbatim. GetMedia repeats these bytes
    /// before each fragment.
    pub bytes: Bytes,
    /// TimestampScale in nanoseconds per tick; 1,000,000 when absent. Never 0.
    pub timestamp_scale_ns: u64,
    /// In order of declaration.
    pub tracks: Vec<Track>,
}

/// One frame of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameEntry {
    /// Index into [`SessionHeader::tracks`].
    pub track_index: u8,
    /// Key, invisible, discardable.
    pub flags: FrameFlags,
    /// Presentation time in TimestampScale ticks relative to [`Fragment::timecode`]; may be
    /// negative and need not rise.
    pub pts_ticks: i32,
    /// BlockDuration in ticks when the producer gave one.
    pub duration_ticks: Option<u32>,
    /// Where the frame's bytes start, counted from the start of [`Fragment::media`].
    pub offset: u32,
    /// Length of the frame's bytes.
    pub len: u32,
}

/// Properties of a frame. `key` is verified on the payload for H.264 and H.265, else as claimed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameFlags {
    /// Random access point.
    pub key: bool,
    /// Decoded but not shown.
    pub invisible: bool,
    /// May be dropped without harm to other frames.
    pub discardable: bool,
}

/// What one track contributes to a fragment. Times are TimestampScale ticks relative to
/// [`Fragment::timecode`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackTiming {
    /// Frames of this track.
    pub frame_count: u32,
    /// Payload bytes of this track.
    pub bytes: u32,
    /// Presentation time of the first frame in stream order.
    pub first_ticks: i32,
    /// Smallest presentation time: where the fragment starts on the media timeline.
    pub earliest_ticks: i32,
    /// Largest presentation time plus the duration of that frame; decided once, at ingest.
    pub end_ticks: i32,
    /// Audio: samples of this track that came before this fragment in the session, by the sample
    /// clock of packaging.md §2.4. 0 for other tracks.
    pub sample_position: u64,
}

/// The SimpleTags of one Tag element, kept together: an event tag and its payload are siblings
/// (put-media.md §4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagGroup {
    /// In order of appearance; at least one.
    pub tags: Vec<Tag>,
}

/// A name and a value set by the producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// TagName, at most 128 bytes by the protective quotas.
    pub name: String,
    /// TagString; empty for marks.
    pub value: String,
}

/// The bytes `start..start + len` of `pieces` as one slice: without a copy when they lie in one
/// piece. `None` when the range runs past the end.
pub fn gather(pieces: &[Bytes], start: usize, len: usize) -> Option<Bytes> {
    let mut skip = start;
    let mut pieces = pieces.iter();
    let first = loop {
        let piece = pieces.next()?;
        if skip < piece.len() || (len == 0 && skip == piece.len()) {
            break piece.slice(skip..);
        }
        skip -= piece.len();
    };
    if first.len() >= len {
        return Some(first.slice(..len));
    }
    let mut joined = Vec::with_capacity(len);
    joined.extend_from_slice(&first);
    for piece in pieces {
        let wanted = (len - joined.len()).min(piece.len());
        joined.extend_from_slice(&piece[..wanted]);
        if joined.len() == len {
            return Some(joined.into());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gather_at_every_split() {
        let whole = Bytes::from_static(b"0123456789");
        for cut in 0..=10 {
            let pieces = [whole.slice(..cut), Bytes::new(), whole.slice(cut..)];
            for start in 0..=10 {
                for len in 0..=10 - start {
                    let got = gather(&pieces, start, len);
                    assert_eq!(got.as_deref(), Some(&whole[start..start + len]));
                }
                assert_eq!(gather(&pieces, start, 11 - start), None);
            }
        }
    }
}
