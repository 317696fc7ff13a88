//! The timeline of a playback session: a fold over its fragments in list order.
//!
//! It gives each fragment a place that never changes: which media segment it is, where it starts,
//! whether a discontinuity precedes it. `design/playback.md` has the rules and why.

#[cfg(test)]
mod tests;

use crate::FragmentFacts;
use crate::ticks::{VIDEO_TIMESCALE, ns_of_ticks, ticks_of_ns};

/// Which of a fragment's clocks places it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// When the producer recorded it.
    Producer,
    /// When it arrived.
    Server,
}

/// Where numbering and time of a session begin. Carried by the session's token, so that the
/// timeline can be folded again from any fragment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Ordinal of the first fragment.
    pub ordinal: u64,
    /// Its count of discontinuities.
    pub discontinuities: u32,
    /// Its description.
    pub description: u32,
    /// Wall time of time zero, in ms since 1970, on the session's axis.
    pub zero_ms: u64,
}

/// How fragments are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Numbering {
    /// By their ordinal, counted from the origin: a live list.
    Ordinal,
    /// By their position in the list: a range.
    Position,
}

/// One fragment on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The fragment.
    pub facts: FragmentFacts,
    /// Media sequence number, from 0.
    pub sequence: u64,
    /// Discontinuities since the origin, its own included; that of the origin itself does not count.
    pub discontinuities: u64,
    /// It does not continue the one before it in the list.
    pub is_discontinuous: bool,
    /// Its tracks differ from those of the one before it.
    pub changes_description: bool,
    /// Where the lead track's first frame is presented, in ticks of [`VIDEO_TIMESCALE`].
    pub start: u64,
    /// Where the next fragment would start.
    pub end: u64,
    /// Where the audio track starts, in ticks of its own timescale.
    pub audio_start: u64,
}

impl Segment {
    /// Its length in ticks of [`VIDEO_TIMESCALE`]; at least 1.
    pub fn duration(&self) -> u64 {
        self.end - self.start
    }
}

/// Fragments placed so far.
#[derive(Clone, Debug)]
pub struct Timeline {
    origin: Origin,
    axis: Axis,
    numbering: Numbering,
    audio: AudioScale,
    segments: Vec<Segment>,
}

/// Clocks of the audio track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AudioScale {
    /// Samples per second of what the producer sent.
    pub rate: u32,
    /// Ticks per second of what is handed out; another than `rate` when it is encoded anew.
    pub timescale: u32,
}

impl AudioScale {
    /// Samples of the producer's clock in ticks.
    pub fn ticks(self, samples: u64) -> u64 {
        let ticks = u128::from(samples) * u128::from(self.timescale) / u128::from(self.rate.max(1));
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}

impl Timeline {
    /// An empty timeline.
    pub fn new(origin: Origin, axis: Axis, numbering: Numbering, audio: AudioScale) -> Self {
        Self { origin, axis, numbering, audio, segments: Vec::new() }
    }

    /// Places the next fragment of the list.
    pub fn push(&mut self, facts: FragmentFacts) {
        let previous = self.segments.last().copied();
        let duration = ticks_of_ns(i128::from(facts.duration_ns()), VIDEO_TIMESCALE).max(1) as u64;
        let gap_ns = previous.and_then(|before| continuation_gap_ns(&before.facts, &facts));
        // Gaps are closed and overlaps moved behind: players stop at either, and what is listed
        // cannot be stretched any more when the next fragment comes.
        let start = previous.map_or_else(|| self.natural_start(&facts), |before| before.end);
        let audio_start = match (gap_ns, previous) {
            (Some(gap), Some(before)) => continued_audio(&before, &facts, gap, self.audio),
            _ => None,
        };
        let audio_start =
            audio_start.unwrap_or_else(|| natural_audio(&facts, start, self.audio.timescale));
        let is_discontinuous = gap_ns.is_none();
        let (sequence, before_count) = match (self.numbering, previous) {
            (Numbering::Position, None) => (0, 0),
            (Numbering::Position, Some(before)) => (before.sequence + 1, before.discontinuities),
            // Also where fragments before it have expired since.
            (Numbering::Ordinal, None) => (
                facts.ordinal.saturating_sub(self.origin.ordinal),
                u64::from(facts.discontinuities.saturating_sub(self.origin.discontinuities)),
            ),
            (Numbering::Ordinal, Some(before)) => (
                facts.ordinal.saturating_sub(self.origin.ordinal).max(before.sequence + 1),
                before.discontinuities,
            ),
        };
        self.segments.push(Segment {
            facts,
            sequence,
            discontinuities: before_count + u64::from(is_discontinuous && previous.is_some()),
            is_discontinuous,
            changes_description: previous
                .is_some_and(|before| before.facts.description != facts.description),
            start,
            end: start + duration,
            audio_start,
        });
    }

    /// Where a fragment that is still arriving will be placed, as far as one can tell: its audio is
    /// taken to follow that of the one before without a hole.
    pub fn preview(&self, facts: FragmentFacts, audio_before: u64) -> Segment {
        let mut ahead = Self { segments: Vec::new(), ..*self };
        ahead.segments.extend(self.last().copied());
        ahead.push(facts);
        let mut segment = ahead.segments.pop().expect("was just pushed");
        if let (Some(before), false) = (self.last(), segment.is_discontinuous)
            && before.facts.audio.is_some()
        {
            segment.audio_start = before.audio_start + audio_before;
        }
        segment
    }

    /// All of them, in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Ticks per second of the audio track.
    pub fn audio_timescale(&self) -> u32 {
        self.audio.timescale
    }

    /// The newest.
    pub fn last(&self) -> Option<&Segment> {
        self.segments.last()
    }

    /// The one with a media sequence number.
    pub fn by_sequence(&self, sequence: u64) -> Option<&Segment> {
        let index = self.segments.binary_search_by_key(&sequence, |segment| segment.sequence);
        index.ok().map(|index| &self.segments[index])
    }

    /// How long the audio of a segment is, in ticks of the audio track, as far as the index can
    /// tell: where the next one continues it. It differs from the length of the pictures by up to
    /// the distance at which a producer interleaves the two.
    ///
    /// In a live list the next segment must not change what was listed before it came, so there it
    /// is the sum of the samples; in a range it is exactly what lies between the two.
    pub fn audio_length(&self, index: usize) -> Option<u64> {
        let (own, next) = (self.segments.get(index)?, self.segments.get(index + 1)?);
        if next.is_discontinuous {
            return None;
        }
        let between = next.audio_start.checked_sub(own.audio_start)?;
        let (earlier, later) = (own.facts.audio?, next.facts.audio?);
        let samples = self
            .audio
            .ticks(later.sample_position)
            .checked_sub(self.audio.ticks(earlier.sample_position))?;
        // A clock that was set anew says nothing.
        let apart =
            ns_of_ticks(i64::try_from(samples.abs_diff(between)).ok()?, self.audio.timescale);
        if apart > CONTINUITY_NS || samples == 0 || between == 0 {
            return None;
        }
        Some(match self.numbering {
            Numbering::Ordinal => samples,
            Numbering::Position => between,
        })
    }

    /// Ticks of the audio track in some nanoseconds; 0 for less.
    pub fn audio_ticks(&self, ns: i128) -> u64 {
        u64::try_from(ticks_of_ns(ns, self.audio.timescale)).unwrap_or(0)
    }

    /// Samples of the producer's clock in ticks of the audio track.
    pub fn audio_scale(&self) -> AudioScale {
        self.audio
    }

    /// Where a fragment that stands alone starts: its own time minus time zero.
    fn natural_start(&self, facts: &FragmentFacts) -> u64 {
        let own_ns = match self.axis {
            Axis::Producer => facts.producer_ns(facts.lead.earliest_ticks),
            Axis::Server => i128::from(facts.server_timestamp.0) * 1_000_000,
        };
        let ticks =
            ticks_of_ns(own_ns - i128::from(self.origin.zero_ms) * 1_000_000, VIDEO_TIMESCALE);
        u64::try_from(ticks).unwrap_or(0)
    }
}

/// How far `later` starts behind the end of `earlier` if it continues it: they follow each other in
/// one ingest session, with a gap or overlap within the tolerance.
fn continuation_gap_ns(earlier: &FragmentFacts, later: &FragmentFacts) -> Option<i128> {
    let same_clock = earlier.timestamp_scale_ns == later.timestamp_scale_ns
        && earlier.description == later.description;
    if !later.continues_previous || !same_clock {
        return None;
    }
    let step_ns = later.session_ns(later.lead.earliest_ticks)
        - earlier.session_ns(earlier.lead.earliest_ticks);
    let gap_ns = step_ns - i128::from(earlier.duration_ns());
    // The list may hold another session's fragment in between.
    (gap_ns.abs() <= CONTINUITY_NS).then_some(gap_ns)
}

/// Where the audio of `facts` starts by the sample clock it shares with `before`; a gap that was
/// closed for the lead track is closed for it too.
fn continued_audio(
    before: &Segment,
    facts: &FragmentFacts,
    gap_ns: i128,
    scale: AudioScale,
) -> Option<u64> {
    let (earlier, later) = (before.facts.audio?, facts.audio?);
    let step =
        scale.ticks(later.sample_position).checked_sub(scale.ticks(earlier.sample_position))?;
    let step_ns = facts.session_ns(later.span.earliest_ticks)
        - before.facts.session_ns(earlier.span.earliest_ticks);
    let counted_ns = ns_of_ticks(i64::try_from(step).ok()?, scale.timescale);
    // A clock that was set anew, or one whose rate is not that of the times.
    if (counted_ns - step_ns).abs() > CONTINUITY_NS {
        return None;
    }
    let moved = i64::try_from(step).ok()? - ticks_of_ns(gap_ns, scale.timescale);
    before.audio_start.checked_add_signed(moved)
}

/// Where the audio of a fragment starts beside its lead track.
fn natural_audio(facts: &FragmentFacts, start: u64, timescale: u32) -> u64 {
    let offset_ns = facts.audio.map_or(0, |audio| {
        let ticks = i64::from(audio.span.earliest_ticks) - i64::from(facts.lead.earliest_ticks);
        i128::from(ticks) * i128::from(facts.timestamp_scale_ns)
    });
    let start_ns = ns_of_ticks(i64::try_from(start).unwrap_or(i64::MAX), VIDEO_TIMESCALE);
    u64::try_from(ticks_of_ns(start_ns + offset_ns, timescale)).unwrap_or(0)
}

/// Gap or overlap up to which presentation counts as continuous: that of ON_DISCONTINUITY
/// (playback.md §2).
const CONTINUITY_NS: i128 = 50_000_000;
