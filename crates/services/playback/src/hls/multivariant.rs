//! The multivariant playlist.

use bytes::Bytes;
use streamkeep_packaging::{Segment, VIDEO_TIMESCALE};
use streamkeep_playlist::hls::{
    AudioRendition, IFrameVariant, MultivariantPlaylist, Variant, VideoRange,
};
use streamkeep_playlist::{PlainText, Uri};

use super::uris::{MEDIA_PLAYLIST, list_query, plain};
use super::window::listed;
use crate::PlaybackError;
use crate::answer::{Cache, PLAYLIST, Resource};
use crate::claims::Protocol;
use crate::query::Query;
use crate::service::{Service, View};
use crate::tracks::TrackSet;

/// The multivariant playlist.
pub(crate) async fn multivariant(
    service: &Service,
    view: &View,
    query: &Query<'_>,
) -> Result<Resource, PlaybackError> {
    let claims = &view.claims;
    let is_low_latency = query.low_latency && claims.parts.is_some();
    if is_low_latency {
        // The media playlist is asked for next: its parts are here by then.
        service.stream(claims.stream)?.tail().look();
    }
    let placed = service.placed(view).await?;
    let listed = listed(claims, placed.timeline.segments(), view.now);
    let newest = listed.last().ok_or(PlaybackError::NotFound("there are no fragments"))?;
    let row = placed.rows.iter().rev().find(|row| row.number == newest.facts.number);
    let row = row.ok_or(PlaybackError::NotFound("there are no fragments"))?.clone();
    let loaded = service.fragments.get_row(claims.stream, row).await?;
    let tracks = &loaded.tracks;
    let token = plain(&view.token)?;

    let codecs = codecs(tracks, claims.protocol);
    let codecs: Vec<PlainText<'_>> =
        codecs.iter().map(|codec| PlainText::new(codec)).collect::<Result<_, _>>().map_err(
            |_| PlaybackError::InvalidCodecPrivate("a codec string cannot be written".to_owned()),
        )?;
    let rates = Rates::of(listed);
    let video_query = list_query(token, 1, is_low_latency, query.is_whole);
    let audio_query = list_query(token, 2, is_low_latency, query.is_whole);
    let mut i_frame_query = list_query(token, 1, false, query.is_whole);
    i_frame_query.push(("IFrames", 1.into()));
    let list = |query| Uri { path: MEDIA_PLAYLIST, query };
    let separate_audio =
        tracks.video.is_some() && tracks.audio.is_some() && claims.protocol == Protocol::HlsMp4;
    let audio: Vec<AudioRendition<'_>> = tracks
        .audio
        .iter()
        .filter(|_| separate_audio)
        .map(|track| AudioRendition {
            group_id: "audio",
            name: "audio",
            channels: Some(u16::from(track.description.channels)),
            language: None,
            uri: list(&audio_query),
        })
        .collect();
    let resolution = tracks.video.as_ref().map(|video| {
        let description = &video.description;
        (u32::from(description.display_width), u32::from(description.display_height))
    });
    let has_i_frames =
        tracks.video.is_some() && claims.protocol == Protocol::HlsMp4 && !is_low_latency;
    let i_frames: Vec<IFrameVariant<'_>> = has_i_frames
        .then(|| IFrameVariant {
            bandwidth: rates.peak,
            codecs: &codecs[..1],
            resolution,
            uri: list(&i_frame_query),
        })
        .into_iter()
        .collect();
    let playlist = MultivariantPlaylist {
        version: 7,
        independent_segments: listed.iter().all(|segment| segment.facts.starts_with_key),
        audio: &audio,
        variants: &[Variant {
            bandwidth: rates.peak,
            average_bandwidth: Some(rates.average),
            codecs: &codecs,
            resolution,
            frame_rate_milli: tracks.video.is_some().then_some(rates.frames_milli),
            video_range: video_range(tracks),
            audio: separate_audio.then_some("audio"),
            uri: list(&video_query),
        }],
        i_frames: &i_frames,
    };
    let mut text = Vec::with_capacity(1_024);
    playlist.write(&mut text);
    Ok(Resource {
        bytes: Bytes::from(text).into(),
        kind: PLAYLIST,
        cache: Cache::Seconds(30),
        etag: None,
    })
}

/// Rates over listed segments.
struct Rates {
    /// Bits per second of the largest, all tracks; with room for what is to come.
    peak: u64,
    average: u64,
    /// Frames per 1,000 seconds.
    frames_milli: u32,
}

impl Rates {
    fn of(segments: &[Segment]) -> Self {
        let newest = &segments[segments.len().saturating_sub(30)..];
        let bits = |segment: &Segment| {
            8 * (u64::from(segment.facts.lead_bytes) + u64::from(segment.facts.audio_bytes))
        };
        let per_second = |bits: u64, ticks: u64| bits * u64::from(VIDEO_TIMESCALE) / ticks.max(1);
        let peak = newest.iter().map(|s| per_second(bits(s), s.duration())).max().unwrap_or(0);
        let ticks: u64 = newest.iter().map(Segment::duration).sum();
        let frames: u64 = newest.iter().map(|s| u64::from(s.facts.lead_frames)).sum();
        Self {
            peak: (peak + peak / 5).max(1),
            average: per_second(newest.iter().map(bits).sum(), ticks).max(1),
            frames_milli: u32::try_from(per_second(frames * 1000, ticks)).unwrap_or(0),
        }
    }
}

/// Every format in the session (RFC 6381), video first.
pub(crate) fn codecs(tracks: &TrackSet, protocol: Protocol) -> Vec<String> {
    let video = tracks.video.iter().map(|video| video.description.codec_string.clone());
    let audio = tracks
        .audio
        .iter()
        .filter(|audio| protocol != Protocol::HlsTs || !audio.is_opus())
        .map(|audio| audio.codec_string().to_owned());
    video.chain(audio).collect()
}

fn video_range(tracks: &TrackSet) -> Option<VideoRange> {
    match tracks.video.as_ref()?.description.colour?.transfer {
        16 => Some(VideoRange::Pq),
        18 => Some(VideoRange::Hlg),
        _ => None,
    }
}
