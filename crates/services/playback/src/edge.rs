//! The live edge: the fragment that is arriving, as far as it has come.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use streamkeep_live::{LiveFragment, LiveTail, Progress};
use streamkeep_media::{FrameEntry, gather};
use streamkeep_packaging::{
    AudioSpan, FragmentFacts, Segment, Span, Timeline, TrackSamples, audio_samples, video_samples,
};

use crate::PlaybackError;
use crate::claims::PartRule;
use crate::fragments::Loaded;
use crate::parts::{PartSpan, cut_parts, part_bytes};
use crate::segment::{audio_track, row_of, video_track};
use crate::tracks::{TrackRole, TrackSet, TrackSets};

/// A fragment cut into parts: arriving, or stored a moment ago.
pub(crate) struct Parted {
    /// Its place on the timeline; while it arrives, as far as one can tell.
    pub(crate) segment: Segment,
    lead: TrackRole,
    video: Option<Cut>,
    audio: Option<Cut>,
    media: Media,
    /// All of it is here.
    pub(crate) is_complete: bool,
}

struct Cut {
    samples: TrackSamples,
    /// Of each sample.
    frames: Vec<Range<u32>>,
    spans: Vec<PartSpan>,
}

enum Media {
    Live(Vec<Bytes>),
    Stored(Arc<Loaded>),
}

impl Parted {
    /// The fragment that is arriving after the last of a timeline, if one is.
    pub(crate) fn arriving(
        tail: &LiveTail,
        timeline: &Timeline,
        last: &Loaded,
        track_sets: &TrackSets,
        rule: PartRule,
    ) -> Option<Self> {
        let before = timeline.last()?;
        let fragment = tail.next_after(before.facts.number)?;
        Self::of_live(&fragment, timeline, last, track_sets, rule)
    }

    fn of_live(
        fragment: &LiveFragment,
        timeline: &Timeline,
        last: &Loaded,
        track_sets: &TrackSets,
        rule: PartRule,
    ) -> Option<Self> {
        let tracks = track_sets.get(&fragment.start.header.bytes).ok()?;
        let frames = fragment.frames_from(0);
        let (pieces, progress) = fragment.pieces_from(0);
        let is_complete = match progress {
            Progress::Arriving => false,
            Progress::Complete(_) => true,
            Progress::Aborted => return None,
        };
        if frames.is_empty() || !tracks.is_same_kind(&last.tracks) {
            return None;
        }
        let scale = fragment.start.header.timestamp_scale_ns;
        let end = |index: u8| match &progress {
            Progress::Complete(whole) => {
                whole.timing.get(usize::from(index)).map_or(0, |timing| timing.end_ticks)
            }
            _ => guessed_end(&frames, index),
        };
        let video = tracks
            .video
            .as_ref()
            .map(|track| video_samples(&frames, track.index, scale, end(track.index), |_| true));
        let audio = tracks.audio.as_ref().map(|track| {
            let format = &track.description.format;
            let length = |frame: &FrameEntry| {
                let head = gather(&pieces, frame.offset as usize, frame.len.min(2) as usize);
                format.samples(head.as_deref().unwrap_or_default(), frame.len as usize).unwrap_or(0)
            };
            audio_samples(&frames, track.index, scale, track.description.sampling_rate, length)
        });
        let before = timeline.last()?;
        let facts = facts_of_live(fragment, &frames, &tracks, before, last, &end);
        let audio_before =
            last.tracks.audio.as_ref().map_or(0, |track| audio_track(last, track).duration());
        let segment = timeline.preview(facts, audio_before);
        Some(Self::new(
            segment,
            &tracks,
            &frames,
            video,
            audio,
            Media::Live(pieces),
            rule,
            is_complete,
        ))
    }

    /// A fragment of the archive.
    pub(crate) fn stored(
        segment: &Segment,
        loaded: &Arc<Loaded>,
        rule: PartRule,
    ) -> Result<Self, PlaybackError> {
        let tracks = loaded.tracks.clone();
        let video = tracks.video.is_some().then(|| video_track(loaded, false)).transpose()?;
        let audio = tracks.audio.as_ref().map(|track| audio_track(loaded, track));
        let media = Media::Stored(loaded.clone());
        Ok(Self::new(*segment, &tracks, &loaded.frames, video, audio, media, rule, true))
    }

    #[allow(clippy::too_many_arguments, reason = "one call joins what two kinds of fragment give")]
    fn new(
        segment: Segment,
        tracks: &TrackSet,
        frames: &[FrameEntry],
        video: Option<TrackSamples>,
        audio: Option<TrackSamples>,
        media: Media,
        rule: PartRule,
        is_complete: bool,
    ) -> Self {
        let ranges = |index: u8| {
            let own = frames.iter().filter(|frame| frame.track_index == index && frame.len > 0);
            own.map(|frame| frame.offset..frame.offset.saturating_add(frame.len)).collect()
        };
        let cut =
            |samples: TrackSamples, index: u8, spans| Cut { samples, frames: ranges(index), spans };
        let lead = tracks.lead();
        let (mut video_cut, mut audio_cut) = (None, None);
        if let (Some(track), Some(samples)) = (&tracks.video, video) {
            let spans = cut_parts(&samples, None, rule, is_complete);
            if let (Some(track), Some(sound)) = (&tracks.audio, audio) {
                let along = cut_parts(&samples, Some((&sound, track.timescale)), rule, is_complete);
                audio_cut = Some(cut(sound, track.index, along));
            }
            video_cut = Some(cut(samples, track.index, spans));
        } else if let (Some(track), Some(samples)) = (&tracks.audio, audio) {
            let spans = cut_parts(&samples, None, rule, is_complete);
            audio_cut = Some(cut(samples, track.index, spans));
        }
        Self { segment, lead, video: video_cut, audio: audio_cut, media, is_complete }
    }

    fn cut(&self, role: TrackRole) -> Option<&Cut> {
        match role {
            TrackRole::Video => self.video.as_ref(),
            TrackRole::Audio => self.audio.as_ref(),
        }
    }

    /// The parts that are final: while the fragment arrives, as many for one track as for the other.
    pub(crate) fn spans(&self, role: TrackRole) -> &[PartSpan] {
        let all = self.cut(role).map_or(&[][..], |cut| &cut.spans[..]);
        if self.is_complete {
            return all; // sound may end earlier than the pictures
        }
        let other = match role {
            TrackRole::Video => TrackRole::Audio,
            TrackRole::Audio => TrackRole::Video,
        };
        let count = self.cut(other).map_or(all.len(), |cut| cut.spans.len().min(all.len()));
        &all[..count]
    }

    /// Where a track starts, in its ticks.
    pub(crate) fn start(&self, role: TrackRole) -> u64 {
        if role == self.lead && role == TrackRole::Video {
            self.segment.start
        } else {
            self.segment.audio_start
        }
    }

    /// The bytes of a part whose track starts at `at`.
    pub(crate) fn part(
        &self,
        role: TrackRole,
        index: u32,
        at: u64,
        sequence: u32,
    ) -> Result<Bytes, PlaybackError> {
        let gone = PlaybackError::NotFound("there is no such part");
        let spans = self.spans(role);
        let span = spans.get(index as usize).ok_or(gone)?;
        let is_last = self.is_complete && index as usize + 1 == spans.len();
        let cut = self.cut(role).ok_or(PlaybackError::NotFound("there is no such track"))?;
        let media = |range: Range<u32>| match &self.media {
            Media::Live(pieces) => {
                gather(pieces, range.start as usize, (range.end - range.start) as usize)
            }
            Media::Stored(loaded) => {
                let (start, end) = (range.start as usize, range.end as usize);
                (end <= loaded.media.len()).then(|| loaded.media.slice(start..end))
            }
        };
        part_bytes(media, &cut.samples, &cut.frames, span, is_last, at, sequence)
    }
}

/// Where a track ends as far as it has come: one frame after its last.
pub(crate) fn guessed_end(frames: &[FrameEntry], index: u8) -> i32 {
    let mut times: Vec<i32> =
        frames.iter().filter(|f| f.track_index == index).map(|f| f.pts_ticks).collect();
    times.sort_unstable();
    match times[..] {
        [] => 0,
        [only] => only.saturating_add(1),
        [first, .., last] => {
            let step = (i64::from(last) - i64::from(first)) / (times.len() as i64 - 1);
            last.saturating_add(i32::try_from(step.max(1)).unwrap_or(1))
        }
    }
}

fn facts_of_live(
    fragment: &LiveFragment,
    frames: &[FrameEntry],
    tracks: &TrackSet,
    before: &Segment,
    last: &Loaded,
    end: &dyn Fn(u8) -> i32,
) -> FragmentFacts {
    let span_of = |index: u8| {
        let mut own = frames.iter().filter(|frame| frame.track_index == index);
        let first = own.clone().next()?.pts_ticks;
        let earliest = own.clone().map(|frame| frame.pts_ticks).min().unwrap_or(first);
        let count = own.by_ref().count();
        Some((
            Span { first_ticks: first, earliest_ticks: earliest, end_ticks: end(index) },
            u32::try_from(count).unwrap_or(u32::MAX),
        ))
    };
    let video = tracks.video.as_ref().and_then(|track| span_of(track.index));
    let audio = tracks.audio.as_ref().and_then(|track| span_of(track.index));
    let (lead, lead_frames) = video.or(audio).unwrap_or_default();
    let same_tracks = tracks.header.tracks == last.tracks.header.tracks;
    let audio_row = last.tracks.audio.as_ref().and_then(|track| row_of(last, track.index));
    FragmentFacts {
        number: fragment.start.number,
        ordinal: before.facts.ordinal + 1,
        discontinuities: before.facts.discontinuities,
        description: before.facts.description + u32::from(!same_tracks),
        // Checked against the times by the timeline.
        continues_previous: true,
        starts_with_key: frames.first().is_some_and(|frame| frame.flags.key),
        producer_timestamp: fragment.start.producer_timestamp,
        server_timestamp: fragment.start.server_timestamp,
        timecode: fragment.start.timecode,
        timestamp_scale_ns: fragment.start.header.timestamp_scale_ns,
        lead,
        audio: audio.map(|(span, _)| AudioSpan {
            span,
            sample_position: audio_row.map_or(0, |row| row.sample_position),
        }),
        lead_bytes: 0,
        audio_bytes: 0,
        lead_frames,
    }
}
