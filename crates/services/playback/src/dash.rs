//! DASH: the manifest, and segments by their number (playback.md §6, packaging.md §6).

use bytes::Bytes;
use streamkeep_packaging::{Segment, VIDEO_TIMESCALE};
use streamkeep_playlist::dash::{
    AdaptationSet, Content, Mpd, Presentation, TimelineSegment, UtcTiming,
};
use streamkeep_playlist::{MediaDuration, PlainText, Uri, Value};

use crate::PlaybackError;
use crate::answer::{Cache, MPD, Resource};
use crate::claims::{Claims, Mode};
use crate::hls::{INIT, MP4_SEGMENT, codecs, listed, plain, wall_time};
use crate::query::Query;
use crate::segment::SegmentWish;
use crate::service::{Service, View};
use crate::sound_length::sound_lengths;
use crate::timelines::Placed;
use crate::tracks::{TrackRole, TrackSet};

/// The manifest as of now.
pub(crate) async fn manifest(service: &Service, view: &View) -> Result<Resource, PlaybackError> {
    let claims = &view.claims;
    let placed = service.placed(view).await?;
    let segments = listed(claims, placed.timeline.segments(), view.now);
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
        return Err(PlaybackError::NotFound("there are no fragments"));
    };
    let tracks = service.tracks_of_session(view, &placed).await?;
    let token = plain(&view.token)?;
    let is_static = claims.mode == Mode::OnDemand;
    let longest_ms = segments.iter().map(|s| s.duration().div_ceil(90)).max().unwrap_or(1);
    // Sound may end after the pictures; a presentation is as long as what ends last.
    let pictures = last.end - first.start;
    let sound_length = match &tracks.audio {
        Some(_) => last_sound_length(service, view, &placed, last).await?,
        None => 0,
    };
    let sound = match &tracks.audio {
        Some(audio) => {
            let ticks = last.audio_start + sound_length - first.audio_start;
            (u128::from(ticks) * u128::from(VIDEO_TIMESCALE))
                .div_ceil(u128::from(audio.timescale.max(1)))
        }
        None => 0,
    };
    let sound = u64::try_from(sound).unwrap_or(0);
    let presentation = match is_static {
        true => Presentation::Static {
            duration: MediaDuration::from_ticks_90k(pictures.max(sound)),
            availability_start_time: None,
        },
        false => Presentation::Dynamic {
            availability_start_time: availability_start(claims),
            publish_time: view.now,
            minimum_update_period_ms: 1_000,
            time_shift_buffer_depth_ms: Some((last.end - first.start).div_ceil(90)),
            suggested_presentation_delay_ms: Some(2 * longest_ms + 1_000),
        },
    };
    let mpd = Mpd {
        presentation,
        min_buffer_time_ms: longest_ms.min(2_000),
        max_segment_duration_ms: Some(u64::from(claims.target_duration_s) * 1_000),
        kvs_attributes: claims.display_timestamp || claims.display_number,
        title: None,
        // With milliseconds, and without a header that pages of other origins may not see.
        utc_timing: (!is_static).then_some(UtcTiming::HttpIso("/time")),
    };
    let names = codecs(&tracks, claims.protocol);
    let mut writer = mpd.writer(Vec::with_capacity(2_048 + segments.len() * 96));
    let roles = [TrackRole::Video, TrackRole::Audio];
    let roles = roles.iter().filter(|role| match role {
        TrackRole::Video => tracks.video.is_some(),
        TrackRole::Audio => tracks.audio.is_some(),
    });
    for (&role, (name, number)) in roles.zip(names.iter().zip(1_u8..)) {
        let codec = PlainText::new(name).map_err(|_| {
            PlaybackError::InvalidCodecPrivate("a codec string cannot be written".to_owned())
        })?;
        let track = u64::from(number);
        let init = [("SessionToken", token.into()), ("TrackNumber", track.into())];
        let media = [
            ("Number", Value::NumberTemplate),
            ("SessionToken", token.into()),
            ("TrackNumber", track.into()),
        ];
        let starts: Vec<u64> = segments.iter().map(|segment| start_of(segment, role)).collect();
        let set = AdaptationSet {
            id: u32::from(number),
            content: content(&tracks, role, segments),
            codecs: codec,
            bandwidth: bandwidth(segments, role, &tracks),
            timescale: tracks.timescale(role),
            // A static presentation begins at its first segment.
            presentation_time_offset: if is_static { starts[0] } else { 0 },
            start_number: first.sequence + 1,
            initialization: Uri { path: INIT, query: &init },
            media: Uri { path: MP4_SEGMENT, query: &media },
        };
        let entries = segments.iter().enumerate().map(|(index, segment)| TimelineSegment {
            time: starts[index],
            // No jumps: some players end at the first (packaging.md §2.5).
            duration: match starts.get(index + 1) {
                Some(next) => next.saturating_sub(starts[index]).max(1),
                None if role == TrackRole::Audio => sound_length,
                None => segment.duration(),
            },
            timestamp: claims.display_timestamp.then(|| wall_time(claims, segment)),
            fragment_number: claims
                .display_number
                .then(|| u128::from_be_bytes(segment.facts.number.to_be_bytes())),
        });
        writer.adaptation_set(&set, entries);
    }
    let cache = match is_static {
        true => Cache::Seconds(view.seconds_left()),
        false => Cache::Revalidate,
    };
    Ok(Resource { bytes: Bytes::from(writer.finish()).into(), kind: MPD, cache, etag: None })
}

/// A segment by its number, from 1.
pub(crate) async fn segment(
    service: &Service,
    view: &View,
    query: &Query<'_>,
) -> Result<Resource, PlaybackError> {
    let number = Query::need(query.number, "Number")?;
    let placed = service.placed(view).await?;
    let gone = || PlaybackError::NotFound("the segment is not in the session");
    let sequence = number.checked_sub(1).ok_or_else(gone)?;
    let segment = *placed.timeline.by_sequence(sequence).ok_or_else(gone)?;
    if view.claims.mode == Mode::LiveReplay {
        let shown = listed(&view.claims, placed.timeline.segments(), service.now());
        if shown.last().is_none_or(|last| last.sequence < sequence) {
            return Err(gone());
        }
    }
    let session = service.tracks_of_session(view, &placed).await?;
    let loaded = service.loaded(view, &placed, &segment).await?;
    // "The fragments with other codec private data give an error when fetched" (playback.md §1).
    let role = service.role(&session, query.track)?;
    let init = |tracks: &TrackSet| crate::init::track_init_segment(tracks, role);
    if init(&session)? != init(&loaded.tracks)? {
        return Err(PlaybackError::UnsupportedMedia(
            "the codec's configuration changed: start another session".to_owned(),
        ));
    }
    let previous = previous(&placed, &segment).filter(|_| role == TrackRole::Audio);
    let wish = SegmentWish {
        role,
        at: start_of(&segment, role),
        sequence: sequence as u32,
        is_join: segment.is_discontinuous && segment.facts.has_leading(),
        key_frame_only: false,
    };
    let previous = previous.map(|segment| segment.facts.number);
    service.made_segment(view, segment.facts.number, previous, wish, false).await
}

fn previous<'a>(placed: &'a Placed, segment: &Segment) -> Option<&'a Segment> {
    let before = segment.sequence.checked_sub(1)?;
    placed.timeline.by_sequence(before).filter(|_| !segment.is_discontinuous)
}

/// Wall time of media time zero: so that the newest segment ends about now.
fn availability_start(claims: &Claims) -> streamkeep_media::UnixMillis {
    match claims.mode {
        // The session began with its first fragment already there.
        Mode::LiveReplay => claims.created,
        // On the server's clock also when the producer's places fragments; the difference is
        // what came before the session began.
        _ => claims.from,
    }
}

fn start_of(segment: &Segment, role: TrackRole) -> u64 {
    match role {
        TrackRole::Video => segment.start,
        TrackRole::Audio => segment.audio_start,
    }
}

/// How long the sound of the last listed segment is, in ticks of its track.
async fn last_sound_length(
    service: &Service,
    view: &View,
    placed: &Placed,
    last: &Segment,
) -> Result<u64, PlaybackError> {
    let all = placed.timeline.segments();
    let end = all.partition_point(|segment| segment.sequence <= last.sequence);
    let lengths = sound_lengths(service, view, placed, end.saturating_sub(1)..end).await?;
    Ok(lengths.first().copied().unwrap_or(1))
}

fn content<'a>(tracks: &TrackSet, role: TrackRole, segments: &[Segment]) -> Content<'a> {
    match (role, &tracks.video, &tracks.audio) {
        (TrackRole::Video, Some(video), _) => {
            let frames: u64 = segments.iter().map(|s| u64::from(s.facts.lead_frames)).sum();
            let ticks: u64 = segments.iter().map(Segment::duration).sum();
            let rate = (frames * u64::from(VIDEO_TIMESCALE) + ticks / 2) / ticks.max(1);
            Content::Video {
                width: u32::from(video.description.display_width),
                height: u32::from(video.description.display_height),
                frame_rate: u32::try_from(rate).ok().filter(|rate| *rate > 0).map(|rate| (rate, 1)),
            }
        }
        (_, _, audio) => Content::Audio {
            sampling_rate: tracks.timescale(TrackRole::Audio),
            channels: audio.as_ref().map_or(1, |audio| u16::from(audio.description.channels)),
            language: None,
        },
    }
}

fn bandwidth(segments: &[Segment], role: TrackRole, tracks: &TrackSet) -> u64 {
    let bytes = |segment: &Segment| match (role, tracks.lead()) {
        (TrackRole::Audio, TrackRole::Video) => segment.facts.audio_bytes,
        _ => segment.facts.lead_bytes,
    };
    let rate =
        |s: &Segment| 8 * u64::from(bytes(s)) * u64::from(VIDEO_TIMESCALE) / s.duration().max(1);
    segments.iter().map(rate).max().unwrap_or(0).max(1)
}
