//! Clips: a progressive MP4 over a range, made while it is sent (playback.md §7, packaging.md
//! §3.3).
//!
//! Two passes: the first reads frame tables only and lays the file out; the second reads one
//! fragment after another and hands its frames on. Memory: 20 bytes a frame, and two fragments.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use streamkeep_engine::{Engine, IndexedRow, RowRange, StoreError, TimeAxis};
use streamkeep_fmp4::progressive::{Edit, MovieBuilder, MovieTrack, TrackIndex};
use streamkeep_fmp4::{Sample, SampleEntry};
use streamkeep_http::{BodyError, BodyStream};
use streamkeep_media::{FrameEntry, StreamId, UnixMillis};
use streamkeep_packaging::{
    AudioScale, Axis, Numbering, Origin, Segment, Timeline, VIDEO_TIMESCALE, audio_samples,
    ns_of_ticks, ticks_of_ns, video_samples,
};
use tokio::task::spawn_blocking;

use crate::PlaybackError;
use crate::facts::facts_of;
use crate::fragments::Loaded;
use crate::init::{plain_audio_entry, visual_entry};
use crate::service::Service;
use crate::timelines::{all_rows, without_repeats};
use crate::tracks::{AudioTrack, TrackSet, TrackSets};

/// How much a clip may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipLimits {
    /// The first 200 fragments or 100 MB of the range (playback.md §7).
    Published,
    /// All of the range.
    None,
}

/// A clip that is asked for.
#[derive(Clone, Debug)]
pub struct ClipRequest {
    /// The stream.
    pub stream: StreamId,
    /// Which clock the range is of.
    pub axis: Axis,
    /// Start, included.
    pub from: UnixMillis,
    /// End, included.
    pub to: UnixMillis,
    /// How much of it.
    pub limits: ClipLimits,
    /// Begin and end at these instants, not at fragments: what lies before in the first fragment
    /// is in the file, but not shown.
    pub exact: bool,
}

/// A clip ready to be sent.
pub struct Clip {
    /// Bytes of the file.
    pub len: u64,
    /// Fragments in it.
    pub fragments: usize,
    /// The file.
    pub body: BodyStream,
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clip").field("len", &self.len).field("fragments", &self.fragments).finish()
    }
}

/// GetClip: "the first 100 MB or the first 200 fragments".
const FRAGMENTS_MAX: usize = 200;
const LEN_MAX: u64 = 100_000_000;

impl Service {
    /// Lays a clip out. Its body reads as it is taken.
    ///
    /// # Errors
    /// `NotFound` when the range is empty, what is wrong with the media, and what the store says.
    pub async fn clip(self: &Arc<Self>, request: ClipRequest) -> Result<Clip, PlaybackError> {
        let engine = self.engine.clone();
        let track_sets = self.track_sets.clone();
        let stream = request.stream;
        let plan = spawn_blocking(move || lay_out(&engine, &track_sets, &request))
            .await
            .map_err(|_| PlaybackError::Stopping)??;
        let fragments = plan.rows.len();
        let len = plan.head.len() as u64 + plan.media_len;
        let head = stream::once(std::future::ready(Ok::<_, BodyError>(Bytes::from(plan.head))));
        let service = self.clone();
        let media = stream::iter(plan.rows)
            .map(move |row| {
                let service = service.clone();
                async move {
                    let loaded = service.fragments.read_ahead(stream, row).await?;
                    Ok::<_, PlaybackError>(payload(&loaded))
                }
            })
            .buffered(READ_AHEAD)
            .map(|piece| {
                piece.map_err(|error| {
                    tracing::warn!(%error, "a clip is cut off");
                    BodyError::new(error)
                })
            });
        Ok(Clip { len, fragments, body: Box::pin(head.chain(media)) })
    }
}

/// Fragments read ahead of the one that is being sent.
const READ_AHEAD: usize = 2;

struct Plan {
    head: Vec<u8>,
    media_len: u64,
    rows: Vec<IndexedRow>,
}

fn lay_out(
    engine: &Engine,
    track_sets: &TrackSets,
    request: &ClipRequest,
) -> Result<Plan, PlaybackError> {
    let mut rows = rows_of(engine, request)?;
    let Some(first) = rows.first() else {
        return Err(PlaybackError::NotFound("there are no fragments in the range"));
    };
    let first_tracks = track_sets.get(&engine.read_meta(request.stream, first)?.session_header)?;
    let first_facts = facts_of(first);
    let mut movie = Movie::new(&first_tracks)?;
    let audio = first_tracks.audio.as_ref();
    let rate = audio.map_or(1, |audio| audio.description.sampling_rate);
    let origin = Origin {
        ordinal: first_facts.ordinal,
        discontinuities: 0,
        description: first_facts.description,
        zero_ms: match request.axis {
            Axis::Producer => first_facts.producer_start().0,
            Axis::Server => first_facts.server_timestamp.0,
        },
    };
    let mut timeline = Timeline::new(
        origin,
        request.axis,
        Numbering::Position,
        AudioScale { rate, timescale: rate },
    );
    // Rows alone say where everything lies; only what is in the file is read further.
    rows.iter().for_each(|row| timeline.push(facts_of(row)));
    let mut media_len = 0;
    let mut count = 0;
    for row in &rows {
        let is_published = request.limits == ClipLimits::Published;
        if is_published && (count == FRAGMENTS_MAX || media_len > LEN_MAX) {
            break;
        }
        let meta = engine.read_meta(request.stream, row)?;
        let tracks = track_sets.get(&meta.session_header)?;
        let segments = timeline.segments();
        let audio_start = segments[count].audio_start;
        let next_audio_start = segments.get(count + 1).map(|next| next.audio_start);
        movie.push(&tracks, row, &meta.frames, (audio_start, next_audio_start), is_published)?;
        media_len += u64::from(row.media_len);
        count += 1;
    }
    rows.truncate(count);
    let placed = &timeline.segments()[..count];
    if request.exact {
        movie.cut(placed, request);
    }
    let (head, media_len) = movie.finish(placed)?;
    Ok(Plan { head, media_len, rows })
}

fn rows_of(engine: &Engine, request: &ClipRequest) -> Result<Vec<IndexedRow>, StoreError> {
    let mut from = request.from;
    if request.exact {
        let axis = match request.axis {
            Axis::Producer => TimeAxis::Producer,
            Axis::Server => TimeAxis::Server,
        };
        // The fragment that reaches into the range.
        if let Some(row) = engine.containing(request.stream, axis, request.from)? {
            let start = match request.axis {
                Axis::Producer => row.producer_timestamp,
                Axis::Server => row.server_timestamp,
            };
            from = from.min(start);
        }
    }
    let range = match request.axis {
        Axis::Producer => RowRange::Producer(from..=request.to),
        Axis::Server => RowRange::Server(from..=request.to),
    };
    let limit = match request.limits {
        // Repeats are left out afterwards.
        ClipLimits::Published => 2 * FRAGMENTS_MAX,
        ClipLimits::None => usize::MAX,
    };
    let rows = all_rows(engine, request.stream, range, None, limit)?;
    Ok(if request.axis == Axis::Producer { without_repeats(rows) } else { rows })
}

/// The file so far.
struct Movie {
    builder: MovieBuilder,
    video: Option<Lane>,
    audio: Option<Lane>,
    /// What is shown, in ticks of [`VIDEO_TIMESCALE`] on the timeline.
    shown: Option<(u64, u64)>,
    first: Arc<TrackSet>,
}

struct Lane {
    track: TrackIndex,
    entries: Vec<SampleEntry>,
    /// Where the track's first sample is presented, on the timeline in ticks of the track.
    start: Option<u64>,
}

impl Movie {
    fn new(first: &Arc<TrackSet>) -> Result<Self, PlaybackError> {
        let mut builder = MovieBuilder::new();
        let mut add = |timescale, entry: SampleEntry| {
            let track = MovieTrack { timescale, sample_entries: vec![entry.clone()] };
            let track = builder.add_track(track).map_err(invalid)?;
            Ok::<_, PlaybackError>(Lane { track, entries: vec![entry], start: None })
        };
        let video = match &first.video {
            Some(video) => Some(add(VIDEO_TIMESCALE, SampleEntry::Visual(visual_entry(video)))?),
            None => None,
        };
        let audio = match &first.audio {
            Some(audio) => Some(add(
                audio.description.sampling_rate,
                SampleEntry::Audio(plain_audio_entry(audio)),
            )?),
            None => None,
        };
        Ok(Self { builder, video, audio, shown: None, first: first.clone() })
    }

    fn push(
        &mut self,
        tracks: &TrackSet,
        row: &IndexedRow,
        frames: &[FrameEntry],
        (audio_start, next_audio_start): (u64, Option<u64>),
        is_published: bool,
    ) -> Result<(), PlaybackError> {
        let kinds = |set: &TrackSet| (set.video.is_some(), set.audio.is_some());
        if kinds(tracks) != kinds(&self.first) {
            return Err(PlaybackError::UnsupportedMedia(
                "the tracks change within the clip".to_owned(),
            ));
        }
        if let (Some(lane), Some(video)) = (&mut self.video, &tracks.video) {
            let entry = lane.entry(
                &mut self.builder,
                SampleEntry::Visual(visual_entry(video)),
                is_published,
            )?;
            let end = row.tracks.get(usize::from(video.index)).map_or(0, |track| track.end_ticks);
            let samples =
                video_samples(frames, video.index, row.timestamp_scale_ns, end, |_| true).samples;
            // Pictures join without a gap, as they do on the timeline.
            lane.push(&mut self.builder, entry, &samples, 0)?;
        }
        if let (Some(lane), Some(audio)) = (&mut self.audio, &tracks.audio) {
            let entry = lane.entry(
                &mut self.builder,
                SampleEntry::Audio(plain_audio_entry(audio)),
                is_published,
            )?;
            let mut samples = sound(frames, audio, row.timestamp_scale_ns);
            let length: u64 = samples.iter().map(|sample| u64::from(sample.duration)).sum();
            // A hole in the sound is filled by the sample before it.
            let hole = next_audio_start.and_then(|next| next.checked_sub(audio_start + length));
            if let (Some(last), Some(hole)) = (samples.last_mut(), hole) {
                last.duration = last.duration.saturating_add(u32::try_from(hole).unwrap_or(0));
            }
            lane.push(&mut self.builder, entry, &samples, audio_start)?;
        }
        Ok(())
    }

    /// Shows only what the request names.
    fn cut(&mut self, segments: &[Segment], request: &ClipRequest) {
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return };
        let wall = |facts: &streamkeep_packaging::FragmentFacts| match request.axis {
            Axis::Producer => facts.producer_start().0,
            Axis::Server => facts.server_timestamp.0,
        };
        let start = first.start + request.from.0.saturating_sub(wall(&first.facts)) * 90;
        let end = last.start + request.to.0.saturating_sub(wall(&last.facts)).saturating_mul(90);
        let end = end.min(last.end);
        if start < end {
            self.shown = Some((start.min(last.end), end));
        }
    }

    fn finish(mut self, segments: &[Segment]) -> Result<(Vec<u8>, u64), PlaybackError> {
        let zero = segments.first().map_or(0, |first| first.start);
        let whole_end = segments.last().map_or(0, |last| last.end);
        let (from, to) = self.shown.unwrap_or((zero, whole_end));
        let scale = self.first.audio.as_ref().map_or(1, |audio| audio.description.sampling_rate);
        if let Some(lane) = &self.video
            && self.shown.is_some()
        {
            let edit = Edit { duration: to - from, media_time: Some(from - zero) };
            self.builder.set_edits(lane.track, vec![edit]).map_err(invalid)?;
        }
        if let Some(lane) = &self.audio {
            // Against the pictures sound may start later or earlier.
            let from_ns = ns_of_ticks(i64::try_from(from).unwrap_or(i64::MAX), VIDEO_TIMESCALE);
            let wanted = ticks_of_ns(from_ns, scale);
            let start = i64::try_from(lane.start.unwrap_or(0)).unwrap_or(i64::MAX);
            let edits = match start - wanted {
                0 if self.shown.is_none() => Vec::new(),
                late if late > 0 => {
                    let gap = ticks_of_ns(ns_of_ticks(late, scale), VIDEO_TIMESCALE);
                    let gap = u64::try_from(gap).unwrap_or(0).min(to - from);
                    vec![
                        Edit { duration: gap, media_time: None },
                        Edit { duration: (to - from - gap).max(1), media_time: Some(0) },
                    ]
                }
                early => {
                    let media_time = Some(early.unsigned_abs());
                    vec![Edit { duration: to - from, media_time }]
                }
            };
            self.builder.set_edits(lane.track, edits).map_err(invalid)?;
        }
        let layout = self.builder.finish().map_err(invalid)?;
        Ok((layout.head, layout.media_len))
    }
}

impl Lane {
    /// The index of a sample entry.
    fn entry(
        &mut self,
        builder: &mut MovieBuilder,
        entry: SampleEntry,
        is_published: bool,
    ) -> Result<usize, PlaybackError> {
        if let Some(index) = self.entries.iter().position(|known| *known == entry) {
            return Ok(index);
        }
        if is_published {
            // Browsers freeze at the second description (packaging.md §3.3).
            return Err(PlaybackError::UnsupportedMedia(
                "the codec's configuration changes within the clip".to_owned(),
            ));
        }
        self.entries.push(entry.clone());
        builder.add_sample_entry(self.track, entry).map_err(invalid)
    }

    /// Adds a chunk that starts at `start` on the timeline.
    fn push(
        &mut self,
        builder: &mut MovieBuilder,
        entry: usize,
        samples: &[Sample],
        start: u64,
    ) -> Result<(), PlaybackError> {
        if !samples.is_empty() {
            self.start.get_or_insert(start);
        }
        builder.add_chunk(self.track, entry, samples).map_err(invalid)
    }
}

fn sound(frames: &[FrameEntry], audio: &AudioTrack, scale_ns: u64) -> Vec<Sample> {
    let format = &audio.description.format;
    let rate = audio.description.sampling_rate;
    // Frame tables do not say how long an Opus packet is; 20 ms is what devices send.
    let length = |frame: &FrameEntry| format.samples(&[], frame.len as usize).unwrap_or(rate / 50);
    audio_samples(frames, audio.index, scale_ns, rate, length).samples
}

/// The frames of a fragment in the order of its chunks: pictures, then sound. In one piece, since
/// each piece is a write of its own: a copy costs less than fifty of those.
fn payload(loaded: &Loaded) -> Bytes {
    let indices = [
        loaded.tracks.video.as_ref().map(|video| video.index),
        loaded.tracks.audio.as_ref().map(|audio| audio.index),
    ];
    let mut out = Vec::with_capacity(loaded.media.len());
    for index in indices.into_iter().flatten() {
        let own = loaded.frames.iter().filter(|f| f.track_index == index && f.len > 0);
        own.for_each(|frame| out.extend_from_slice(loaded.frame_bytes(frame)));
    }
    out.into()
}

fn invalid(error: streamkeep_fmp4::Error) -> PlaybackError {
    PlaybackError::InvalidFrame(error.to_string())
}
