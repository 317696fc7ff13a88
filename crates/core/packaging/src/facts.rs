//! What the timeline must know of a fragment: the index has all of it, so nobody looks at payload.

use streamkeep_media::{FragmentNumber, UnixMillis};

/// One fragment, as far as lists are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentFacts {
    /// Its number.
    pub number: FragmentNumber,
    /// Fragments of the stream appended before it.
    pub ordinal: u64,
    /// Fragments of the stream, up to and with this one, that did not continue the one before.
    pub discontinuities: u32,
    /// Which description of the tracks it has; equal numbers mean equal tracks.
    pub description: u32,
    /// It continues the fragment before it in its ingest session, to 50 ms.
    pub continues_previous: bool,
    /// Its first video frame is a key frame.
    pub starts_with_key: bool,
    /// Producer time of its first block.
    pub producer_timestamp: UnixMillis,
    /// When it arrived.
    pub server_timestamp: UnixMillis,
    /// Cluster Timestamp, in ticks of the session's TimestampScale.
    pub timecode: u64,
    /// Nanoseconds of a tick.
    pub timestamp_scale_ns: u64,
    /// The track that carries the timeline: the first video track, else the first audio track.
    pub lead: Span,
    /// The first audio track, when it has frames here.
    pub audio: Option<AudioSpan>,
    /// Payload bytes of the lead track.
    pub lead_bytes: u32,
    /// Payload bytes of the audio track, 0 without one.
    pub audio_bytes: u32,
    /// Frames of the lead track.
    pub lead_frames: u32,
}

/// Presentation of a track within a fragment, in ticks relative to the fragment's timecode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Presentation time of the first frame in stream order.
    pub first_ticks: i32,
    /// Smallest presentation time.
    pub earliest_ticks: i32,
    /// Where it ends.
    pub end_ticks: i32,
}

/// An audio track within a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioSpan {
    /// Its presentation.
    pub span: Span,
    /// Samples of its session before it, by the ingest's sample clock.
    pub sample_position: u64,
}

impl FragmentFacts {
    /// Session time of a tick count of the fragment, in nanoseconds. Only differences of one ingest
    /// session mean anything.
    pub(crate) fn session_ns(&self, ticks: i32) -> i128 {
        (i128::from(self.timecode) + i128::from(ticks)) * i128::from(self.timestamp_scale_ns)
    }

    /// Length of the lead track, in nanoseconds; at least 1 ms, so that no list holds a segment
    /// without length.
    pub fn duration_ns(&self) -> u64 {
        let ticks = i64::from(self.lead.end_ticks) - i64::from(self.lead.earliest_ticks);
        let ticks = u64::try_from(ticks).unwrap_or(0);
        ticks.saturating_mul(self.timestamp_scale_ns).max(1_000_000)
    }

    /// Wall time of a tick count by the producer's clock, in nanoseconds since 1970.
    pub(crate) fn producer_ns(&self, ticks: i32) -> i128 {
        i128::from(self.producer_timestamp.0) * 1_000_000
            + i128::from(ticks) * i128::from(self.timestamp_scale_ns)
    }

    /// Wall time of the first frame shown, by the producer's clock.
    pub fn producer_start(&self) -> UnixMillis {
        let ns = self.producer_ns(self.lead.earliest_ticks).max(0);
        UnixMillis(u64::try_from((ns + 500_000) / 1_000_000).unwrap_or(u64::MAX))
    }

    /// Leading pictures are presented before the first frame in stream order (open GOP).
    pub fn has_leading(&self) -> bool {
        self.lead.earliest_ticks < self.lead.first_ticks
    }
}
