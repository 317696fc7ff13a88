//! Media playlists: whole, or blocked until they have what was asked for.

use bytes::Bytes;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamkeep_packaging::{Segment, VIDEO_TIMESCALE};
use streamkeep_playlist::hls::{
    Answer, IFramePlaylist, ListState, MediaInitialization, MediaPlaylist, Part, PlaylistKind,
    RenditionReport, SegmentFormat, SegmentStart, SegmentWriter, ServerControl,
};
use streamkeep_playlist::{MediaDuration, PlainText, Uri};

use super::uris::{
    INIT, MEDIA_PLAYLIST, MP4_PART, MP4_SEGMENT, TS_SEGMENT, fragment_number, init_query,
    list_query, part_query, plain, segment_query,
};
use super::window::{listed, replay_has_ended, wall_time};
use crate::PlaybackError;
use crate::answer::{Cache, PLAYLIST, Resource};
use crate::claims::{Claims, DiscontinuityMode, Mode, PartRule, Protocol};
use crate::edge::Parted;
use crate::query::Query;
use crate::service::{Service, View};
use crate::sound_length::sound_lengths;
use crate::timelines::Placed;
use crate::tracks::TrackRole;

/// A list of parts names the next one (bis §B.1). A fragment ends because the next begins, so that
/// comes within a frame; a producer that pauses is not waited for.
const HINT_WAIT: Duration = Duration::from_millis(100);

/// A media playlist, whole or blocked until it has what was asked for.
pub(crate) async fn media(
    service: &Service,
    view: &View,
    query: &Query<'_>,
) -> Result<Resource, PlaybackError> {
    let claims = &view.claims;
    let rule = claims.parts.filter(|_| query.low_latency && claims.mode == Mode::Live);
    let began = Instant::now();
    // When what was asked for was there.
    let mut ready: Option<Instant> = None;
    loop {
        let stream = service.stream(claims.stream)?;
        // Enabled before looking: what comes between the look and the wait is not missed.
        let changed = stream.tail().changed();
        tokio::pin!(changed);
        changed.as_mut().enable();

        let list = List::look(service, view, query, rule).await?;
        let state = list.state();
        match state.answer(query.directives.reload) {
            Answer::Now => {
                let since = ready.get_or_insert_with(Instant::now);
                let left = HINT_WAIT.saturating_sub(since.elapsed());
                // A player that only begins is not kept from its first picture.
                let is_reload = query.directives.reload.is_some();
                if !is_reload || !list.lacks_hint() || left.is_zero() {
                    return list.write(service, view, query).await;
                }
                tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep(left) => {}
                }
            }
            Answer::BadRequest(error) => return Err(PlaybackError::BadRequest(error.to_string())),
            Answer::Wait(_) => {
                let patience = Duration::from_millis(state.wait_ms_max());
                let left = patience.saturating_sub(began.elapsed());
                tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep(left) => return Err(PlaybackError::TimedOut),
                }
            }
        }
    }
}

/// A media playlist at one moment.
struct List {
    role: TrackRole,
    /// Of the other track, when there is one.
    other: Option<TrackRole>,
    placed: Arc<Placed>,
    /// Listed segments: from, to.
    range: std::ops::Range<usize>,
    rule: Option<PartRule>,
    /// Parts of the newest stored segments, and of the one arriving, oldest first.
    parted: Vec<Parted>,
    ended: bool,
    is_live: bool,
    target_duration_s: u16,
}

impl List {
    async fn look(
        service: &Service,
        view: &View,
        query: &Query<'_>,
        rule: Option<PartRule>,
    ) -> Result<Self, PlaybackError> {
        let claims = &view.claims;
        let placed = service.placed(view).await?;
        let segments = placed.timeline.segments();
        let listed = listed(claims, segments, view.now);
        let end = listed.last().map_or(0, |last| {
            segments.partition_point(|segment| segment.sequence <= last.sequence)
        });
        let range = end - listed.len()..end;
        let tracks = service.tracks_of_session(view, &placed).await?;
        let role = service.role(&tracks, query.track)?;
        let other = match role {
            TrackRole::Video => tracks.audio.as_ref().map(|_| TrackRole::Audio),
            TrackRole::Audio => tracks.video.as_ref().map(|_| TrackRole::Video),
        };
        let mut parted = Vec::new();
        if let Some(rule) = rule {
            let stream = service.stream(claims.stream)?;
            // "The last 3 target durations" (bis §6.2.2).
            let mut left_ms = 3_000 * u64::from(claims.target_duration_s);
            for segment in listed.iter().rev() {
                let loaded = service.loaded(view, &placed, segment).await?;
                if loaded.tracks.is_same_kind(&tracks) {
                    parted.push(Parted::stored(segment, &loaded, rule)?);
                }
                let Some(rest) = left_ms.checked_sub(segment.duration() / 90) else { break };
                left_ms = rest;
            }
            parted.reverse();
            if let Some(last) = listed.last() {
                let loaded = service.loaded(view, &placed, last).await?;
                parted.extend(Parted::arriving(
                    stream.tail(),
                    &placed.timeline,
                    &loaded,
                    &service.track_sets,
                    rule,
                ));
            }
        }
        let ended = match claims.mode {
            Mode::OnDemand => true,
            Mode::Live => false,
            Mode::LiveReplay => replay_has_ended(claims, segments, range.end, view.now),
        };
        let target_duration_s = claims.target_duration_s;
        let is_live = claims.mode == Mode::Live;
        Ok(Self { role, other, placed, range, rule, parted, ended, is_live, target_duration_s })
    }

    fn segments(&self) -> &[Segment] {
        &self.placed.timeline.segments()[self.range.clone()]
    }

    /// The fragment that is arriving, when it is cut.
    fn arriving(&self) -> Option<&Parted> {
        let last = self.segments().last()?;
        self.parted.last().filter(|parted| parted.segment.sequence > last.sequence)
    }

    /// Between two fragments: the one is complete, of the next there is no number to hint at yet.
    fn lacks_hint(&self) -> bool {
        self.rule.is_some()
            && !self.ended
            && self.arriving().is_none_or(|arriving| arriving.is_complete)
    }

    fn parted(&self, sequence: u64) -> Option<&Parted> {
        self.parted.iter().find(|parted| parted.segment.sequence == sequence)
    }

    fn state(&self) -> ListState {
        let last = self.segments().last();
        let parts = |parted: Option<&Parted>| {
            parted.map_or(0, |parted| parted.spans(self.role).len() as u64)
        };
        ListState {
            can_block_reload: self.is_live,
            ended: self.ended,
            next_msn: last.map_or(0, |last| last.sequence + 1),
            next_part_count: parts(self.arriving()),
            last_part_count: parts(last.and_then(|last| self.parted(last.sequence))),
            part_target_ms: self.rule.map(|rule| u32::from(rule.target_ms)),
            target_duration_secs: u32::from(self.target_duration_s),
        }
    }

    async fn write(
        &self,
        service: &Service,
        view: &View,
        query: &Query<'_>,
    ) -> Result<Resource, PlaybackError> {
        let claims = &view.claims;
        let token = plain(&view.token)?;
        let track_number = query.track.unwrap_or(1);
        let mode = self.discontinuity_mode(claims);
        let segments = self.segments();
        let versions = service.init_versions(view, &self.placed, self.role, segments).await?;
        let first = segments.first();
        let tags: Vec<bool> = segments
            .iter()
            .zip(&versions)
            .map(|(segment, version)| match mode {
                DiscontinuityMode::Always => true,
                DiscontinuityMode::OnDiscontinuity => {
                    segment.is_discontinuous && segment.sequence > 0
                }
                DiscontinuityMode::Never => version.changes,
            })
            .collect();
        let head = MediaPlaylist {
            kind: match claims.mode {
                Mode::OnDemand => PlaylistKind::Vod,
                _ => PlaylistKind::Live,
            },
            format: match claims.protocol {
                Protocol::HlsTs => SegmentFormat::MpegTs,
                _ => SegmentFormat::FragmentedMp4,
            },
            target_duration_secs: u32::from(claims.target_duration_s),
            media_sequence: first.map_or(0, |first| first.sequence),
            discontinuity_sequence: match (mode, first) {
                (_, None) => 0,
                (DiscontinuityMode::Always, Some(first)) => first.sequence,
                (DiscontinuityMode::OnDiscontinuity, Some(first)) => {
                    first.discontinuities - u64::from(tags[0] && first.discontinuities > 0)
                }
                (DiscontinuityMode::Never, Some(_)) => {
                    u64::from(versions[0].number) - u64::from(tags[0] && versions[0].number > 0)
                }
            },
            independent_segments: !segments.is_empty()
                && segments.iter().all(|segment| segment.facts.starts_with_key),
            server_control: server_control(claims.mode, self.rule),
            part_target_ms: self.rule.map(|rule| u32::from(rule.target_ms)),
        };
        if query.i_frames {
            return self.write_i_frames(&head, view, token, &versions, &tags);
        }
        let shows_time = claims.display_timestamp || self.rule.is_some();
        let lengths = self.lengths(service, view).await?;
        let mut writer = head.writer(Vec::with_capacity(1_024 + segments.len() * 420));
        let listed = segments.iter().zip(&versions).zip(&tags).zip(lengths);
        for (((segment, version), &tag), length) in listed {
            let init = init_query(token, track_number, version.number);
            let start = SegmentStart {
                discontinuity: tag,
                map: (head.format == SegmentFormat::FragmentedMp4).then_some(MediaInitialization {
                    version: version.number,
                    uri: Uri { path: INIT, query: &init },
                }),
                program_date_time: shows_time.then(|| wall_time(claims, segment)),
            };
            let mut one = writer.segment(&start);
            if let Some(parted) = self.parted(segment.sequence) {
                self.write_parts(&mut one, parted, token, track_number);
            }
            let previous = self.previous_of(segment);
            let params = segment_query(segment, self.role, track_number, token, previous, tag);
            let path = match claims.protocol {
                Protocol::HlsTs => TS_SEGMENT,
                _ => MP4_SEGMENT,
            };
            one.finish(length, &Uri { path, query: &params });
        }
        if let Some(arriving) = self.arriving() {
            let segment = &arriving.segment;
            let version = versions.last().map_or(0, |last| last.number);
            let init = init_query(token, track_number, version);
            let start = SegmentStart {
                discontinuity: match mode {
                    DiscontinuityMode::Always => true,
                    DiscontinuityMode::OnDiscontinuity => segment.is_discontinuous,
                    DiscontinuityMode::Never => false,
                },
                map: Some(MediaInitialization { version, uri: Uri { path: INIT, query: &init } }),
                program_date_time: Some(wall_time(claims, segment)),
            };
            if !arriving.spans(self.role).is_empty() {
                let mut one = writer.segment(&start);
                self.write_parts(&mut one, arriving, token, track_number);
            }
            if !arriving.is_complete {
                let next = arriving.spans(self.role).len() as u64;
                let params = part_query(token, track_number, arriving, self.role, next);
                writer.preload_hint(&Uri { path: MP4_PART, query: &params });
            }
        }
        if let (Some(_), Some(other)) = (self.rule, self.other) {
            let other_number = if track_number == 1 { 2 } else { 1 };
            let params = list_query(token, other_number, true, false);
            let newest = self.arriving().filter(|arriving| !arriving.spans(other).is_empty());
            let newest =
                newest.or_else(|| segments.last().and_then(|last| self.parted(last.sequence)));
            if let Some(newest) = newest {
                writer.rendition_report(&RenditionReport {
                    uri: Uri { path: MEDIA_PLAYLIST, query: &params },
                    last_msn: newest.segment.sequence,
                    last_part: (newest.spans(other).len() as u64).checked_sub(1),
                });
            }
        }
        let text = if self.ended { writer.end_list() } else { writer.finish() };
        let cache = match claims.mode {
            Mode::OnDemand => Cache::Seconds(view.seconds_left()),
            _ if query.directives.reload.is_some() => {
                Cache::Seconds(6 * u64::from(claims.target_duration_s))
            }
            _ => Cache::Revalidate,
        };
        Ok(Resource { bytes: Bytes::from(text).into(), kind: PLAYLIST, cache, etag: None })
    }

    /// How long the track is in each segment.
    async fn lengths(
        &self,
        service: &Service,
        view: &View,
    ) -> Result<Vec<MediaDuration>, PlaybackError> {
        if self.role == TrackRole::Video {
            let of = |segment: &Segment| MediaDuration::from_ticks_90k(segment.duration());
            return Ok(self.segments().iter().map(of).collect());
        }
        let timescale = self.placed.timeline.audio_timescale();
        let timescale = NonZeroU32::new(timescale).unwrap_or(NonZeroU32::MIN);
        let lengths = sound_lengths(service, view, &self.placed, self.range.clone()).await?;
        Ok(lengths.into_iter().map(|length| MediaDuration::new(length, timescale)).collect())
    }

    fn write_parts(
        &self,
        one: &mut SegmentWriter<'_>,
        parted: &Parted,
        token: PlainText<'_>,
        track_number: u8,
    ) {
        let timescale = match self.role {
            TrackRole::Video => VIDEO_TIMESCALE,
            TrackRole::Audio => self.placed.timeline.audio_timescale(),
        };
        let timescale = NonZeroU32::new(timescale).unwrap_or(NonZeroU32::MIN);
        for (index, span) in parted.spans(self.role).iter().enumerate() {
            let params = part_query(token, track_number, parted, self.role, index as u64);
            one.part(&Part {
                duration: MediaDuration::new(span.duration, timescale),
                uri: Uri { path: MP4_PART, query: &params },
                independent: span.is_independent,
            });
        }
    }

    fn write_i_frames(
        &self,
        head: &MediaPlaylist,
        view: &View,
        token: PlainText<'_>,
        versions: &[InitVersion],
        tags: &[bool],
    ) -> Result<Resource, PlaybackError> {
        let list = IFramePlaylist {
            kind: head.kind,
            format: head.format,
            target_duration_secs: head.target_duration_secs,
            media_sequence: head.media_sequence,
            discontinuity_sequence: head.discontinuity_sequence,
            server_control: ServerControl::default(),
        };
        let mut writer = list.writer(Vec::with_capacity(1_024 + self.segments().len() * 400));
        for ((segment, version), &tag) in self.segments().iter().zip(versions).zip(tags) {
            // One entry per segment, so that numbers are those of the other list.
            let init = init_query(token, 1, version.number);
            let params = [
                ("FragmentNumber", fragment_number(segment)),
                ("SessionToken", token.into()),
                ("TrackNumber", 1.into()),
                ("At", segment.start.into()),
                ("Msn", segment.sequence.into()),
                ("IFrames", 1.into()),
            ];
            writer.i_frame(
                &SegmentStart {
                    discontinuity: tag,
                    map: Some(MediaInitialization {
                        version: version.number,
                        uri: Uri { path: INIT, query: &init },
                    }),
                    program_date_time: view
                        .claims
                        .display_timestamp
                        .then(|| wall_time(&view.claims, segment)),
                },
                MediaDuration::from_ticks_90k(segment.duration()),
                &Uri { path: MP4_SEGMENT, query: &params },
            );
        }
        let text = if self.ended { writer.end_list() } else { writer.finish() };
        let cache = match view.claims.mode {
            Mode::OnDemand => Cache::Seconds(view.seconds_left()),
            _ => Cache::Revalidate,
        };
        Ok(Resource { bytes: Bytes::from(text).into(), kind: PLAYLIST, cache, etag: None })
    }

    /// Parts and a discontinuity before every segment do not go together in players.
    fn discontinuity_mode(&self, claims: &Claims) -> DiscontinuityMode {
        match (claims.discontinuity, self.rule) {
            (DiscontinuityMode::Always, Some(_)) => DiscontinuityMode::OnDiscontinuity,
            (mode, _) => mode,
        }
    }

    fn previous_of(&self, segment: &Segment) -> Option<&Segment> {
        let all = self.placed.timeline.segments();
        let index = all.partition_point(|other| other.sequence < segment.sequence);
        all.get(index.checked_sub(1)?).filter(|_| !segment.is_discontinuous)
    }
}

/// Which initialisation segment a fragment needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InitVersion {
    /// `SequenceNumber` in its URL.
    pub(crate) number: u32,
    /// Another than that of the segment before in the session.
    pub(crate) changes: bool,
}

/// Three part targets are the least that is recommended (bis §4.4.3.8); with short parts a player would run
/// dry on a busy machine.
const PART_HOLD_BACK_MS_MIN: u32 = 800;

/// A live list can be waited for, with parts or without: a player that asks again when its time comes
/// learns of a segment up to a target duration late.
fn server_control(mode: Mode, rule: Option<PartRule>) -> ServerControl {
    ServerControl {
        can_block_reload: mode == Mode::Live,
        part_hold_back_ms: rule
            .map(|rule| (3 * u32::from(rule.target_ms)).max(PART_HOLD_BACK_MS_MIN)),
        hold_back_ms: None,
        can_skip_until_ms: None,
    }
}
