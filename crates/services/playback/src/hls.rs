//! HLS: playlists, segments, parts (playback.md §5, packaging.md §5).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamkeep_media::UnixMillis;
use streamkeep_packaging::{Axis, Segment, VIDEO_TIMESCALE};
use streamkeep_playlist::hls::{
    Answer, AudioRendition, IFramePlaylist, IFrameVariant, ListState, MediaInitialization,
    MediaPlaylist, MultivariantPlaylist, Part, PlaylistKind, RenditionReport, SegmentFormat,
    SegmentStart, ServerControl, Variant, VideoRange,
};
use streamkeep_playlist::{MediaDuration, PlainText, Uri, Value};

use crate::PlaybackError;
use crate::answer::{Cache, PLAYLIST, Resource};
use crate::claims::{Claims, DiscontinuityMode, Mode, PartRule, Protocol};
use crate::edge::Parted;
use crate::fragments::Loaded;
use crate::query::Query;
use crate::service::{Service, View};
use crate::sound_length::sound_lengths;
use crate::tracks::{TrackRole, TrackSet};

/// The multivariant playlist.
pub(crate) async fn multivariant(
    service: &Service,
    view: &View,
    query: &Query<'_>,
) -> Result<Resource, PlaybackError> {
    let claims = &view.claims;
    let placed = service.placed(view).await?;
    let listed = listed(claims, placed.timeline.segments(), view.now);
    let newest = listed.last().ok_or(PlaybackError::NotFound("there are no fragments"))?;
    let row = placed.rows.iter().rev().find(|row| row.number == newest.facts.number);
    let row = row.ok_or(PlaybackError::NotFound("there are no fragments"))?.clone();
    let loaded = service.fragments.get_row(claims.stream, row).await?;
    let tracks = &loaded.tracks;
    let is_low_latency = query.low_latency && claims.parts.is_some();
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
    Ok(Resource { bytes: text.into(), kind: PLAYLIST, cache: Cache::Seconds(30), etag: None })
}

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
    placed: Arc<crate::timelines::Placed>,
    /// Listed segments: from, to.
    range: std::ops::Range<usize>,
    rule: Option<PartRule>,
    /// Parts of the newest stored segments, and of the one arriving, oldest first.
    parted: Vec<Parted>,
    ended: bool,
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
        Ok(Self { role, other, placed, range, rule, parted, ended, target_duration_s })
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
            can_block_reload: self.rule.is_some(),
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
            server_control: server_control(self.rule),
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
        Ok(Resource { bytes: text.into(), kind: PLAYLIST, cache, etag: None })
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
        one: &mut streamkeep_playlist::hls::SegmentWriter<'_>,
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
        Ok(Resource { bytes: text.into(), kind: PLAYLIST, cache, etag: None })
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

/// The segments that a list shows now.
pub(crate) fn listed<'a>(
    claims: &Claims,
    segments: &'a [Segment],
    now: UnixMillis,
) -> &'a [Segment] {
    let shown = match claims.mode {
        Mode::OnDemand => segments,
        Mode::Live => {
            let window = segments.len().saturating_sub(usize::from(claims.window.max(1)));
            &segments[window..]
        }
        Mode::LiveReplay => {
            let until = replay_position(claims, segments, now);
            let shown = segments.partition_point(|segment| segment.end <= until);
            let shown = &segments[..shown];
            &shown[shown.len().saturating_sub(usize::from(claims.window.max(1)))..]
        }
    };
    // Players must be able to begin with the first.
    let skipped = shown.iter().position(|segment| segment.facts.starts_with_key).unwrap_or(0);
    &shown[skipped..]
}

/// How far a replay has come: it begins with three target durations, then time goes by.
fn replay_position(claims: &Claims, segments: &[Segment], now: UnixMillis) -> u64 {
    let start = segments.first().map_or(0, |first| first.start);
    let first_end = segments.first().map_or(0, |first| first.end);
    let head_start = 3 * u64::from(claims.target_duration_s) * u64::from(VIDEO_TIMESCALE);
    let elapsed = now.since(claims.created) * 90;
    (start + head_start + elapsed).max(first_end)
}

fn replay_has_ended(claims: &Claims, segments: &[Segment], shown: usize, now: UnixMillis) -> bool {
    let range_is_over = match claims.axis {
        Axis::Server => claims.to < now,
        // A producer's clock may be late; a minute covers what is in flight.
        Axis::Producer => claims.to.0.saturating_add(60_000) < now.0,
    };
    range_is_over && shown == segments.len()
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

fn server_control(rule: Option<PartRule>) -> ServerControl {
    match rule {
        Some(rule) => ServerControl {
            can_block_reload: true,
            part_hold_back_ms: Some(3 * u32::from(rule.target_ms)),
            hold_back_ms: None,
            can_skip_until_ms: None,
        },
        None => ServerControl::default(),
    }
}

pub(crate) fn wall_time(claims: &Claims, segment: &Segment) -> UnixMillis {
    match claims.axis {
        Axis::Producer => segment.facts.producer_start(),
        Axis::Server => segment.facts.server_timestamp,
    }
}

pub(crate) fn plain(token: &str) -> Result<PlainText<'_>, PlaybackError> {
    PlainText::new(token).map_err(|_| PlaybackError::Forbidden("the session token is not valid"))
}

pub(crate) fn fragment_number(segment: &Segment) -> Value<'static> {
    Value::Number(u128::from_be_bytes(segment.facts.number.to_be_bytes()))
}

fn list_query(
    token: PlainText<'_>,
    track: u8,
    low_latency: bool,
    is_whole: bool,
) -> Vec<(&'static str, Value<'_>)> {
    let mut query = vec![("SessionToken", token.into()), ("TrackNumber", u64::from(track).into())];
    if low_latency {
        query.push(("LowLatency", 1.into()));
    }
    if is_whole {
        query.push(("Whole", 1.into()));
    }
    query
}

fn init_query(token: PlainText<'_>, track: u8, version: u32) -> [(&'static str, Value<'_>); 3] {
    [
        ("SessionToken", token.into()),
        ("TrackNumber", u64::from(track).into()),
        ("SequenceNumber", u64::from(version).into()),
    ]
}

fn segment_query<'a>(
    segment: &Segment,
    role: TrackRole,
    track: u8,
    token: PlainText<'a>,
    previous: Option<&Segment>,
    tag: bool,
) -> SegmentQuery<'a> {
    let at = match role {
        TrackRole::Video => segment.start,
        TrackRole::Audio => segment.audio_start,
    };
    let mut query = SegmentQuery { parameters: [("", Value::NumberTemplate); 7], len: 0 };
    query.push("FragmentNumber", fragment_number(segment));
    query.push("SessionToken", token.into());
    query.push("TrackNumber", u64::from(track).into());
    query.push("At", at.into());
    query.push("Msn", segment.sequence.into());
    if (segment.sequence == 0 || tag) && segment.facts.has_leading() && role == TrackRole::Video {
        query.push("Join", 1.into());
    }
    if let Some(previous) = previous.filter(|_| role == TrackRole::Audio) {
        query.push("Previous", fragment_number(previous));
    }
    query
}

/// A query on the stack: a list of a day has 43,200 of them.
struct SegmentQuery<'a> {
    parameters: [(&'static str, Value<'a>); 7],
    len: usize,
}

impl<'a> SegmentQuery<'a> {
    fn push(&mut self, name: &'static str, value: Value<'a>) {
        self.parameters[self.len] = (name, value);
        self.len += 1;
    }
}

impl<'a> std::ops::Deref for SegmentQuery<'a> {
    type Target = [(&'static str, Value<'a>)];

    fn deref(&self) -> &Self::Target {
        &self.parameters[..self.len]
    }
}

fn part_query<'a>(
    token: PlainText<'a>,
    track: u8,
    parted: &Parted,
    role: TrackRole,
    part: u64,
) -> [(&'static str, Value<'a>); 6] {
    [
        ("FragmentNumber", fragment_number(&parted.segment)),
        ("SessionToken", token.into()),
        ("TrackNumber", u64::from(track).into()),
        ("At", parted.start(role).into()),
        ("Msn", parted.segment.sequence.into()),
        ("Part", part.into()),
    ]
}

/// The loaded fragment behind a part request, from the tail or the archive.
pub(crate) async fn part(
    service: &Service,
    view: &View,
    query: &Query<'_>,
) -> Result<bytes::Bytes, PlaybackError> {
    let claims = &view.claims;
    let rule = claims.parts.ok_or(PlaybackError::NotFound("the session has no parts"))?;
    let number = Query::need(query.fragment, "FragmentNumber")?;
    let (at, index) = (Query::need(query.at, "At")?, Query::need(query.part, "Part")?);
    let sequence = query.msn.unwrap_or(0) as u32;
    let patience = Duration::from_millis(3_000 * u64::from(claims.target_duration_s));
    let began = Instant::now();
    loop {
        let stream = service.stream(claims.stream)?;
        let changed = stream.tail().changed();
        tokio::pin!(changed);
        changed.as_mut().enable();

        let placed = service.placed(view).await?;
        let known = placed.timeline.segments().iter().rev();
        let stored = known.take(64).find(|segment| segment.facts.number == number);
        if let Some(segment) = stored {
            let loaded: Arc<Loaded> = service.loaded(view, &placed, segment).await?;
            let role = service.role(&loaded.tracks, query.track)?;
            return Parted::stored(segment, &loaded, rule)?.part(role, index, at, sequence);
        }
        let last =
            placed.timeline.last().ok_or(PlaybackError::NotFound("there are no fragments"))?;
        if number <= last.facts.number {
            return Err(PlaybackError::NotFound("the part is no longer there"));
        }
        let loaded = service.loaded(view, &placed, last).await?;
        let arriving =
            Parted::arriving(stream.tail(), &placed.timeline, &loaded, &service.track_sets, rule);
        if let Some(arriving) = arriving.filter(|one| one.segment.facts.number == number) {
            let role = service.role(&loaded.tracks, query.track)?;
            if (index as usize) < arriving.spans(role).len() {
                return arriving.part(role, index, at, sequence);
            }
            if arriving.is_complete {
                return Err(PlaybackError::NotFound("there is no such part"));
            }
        }
        // A hint: held until the part is whole (packaging.md §5.3).
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep(patience.saturating_sub(began.elapsed())) => {
                return Err(PlaybackError::NotFound("the part did not come"));
            }
        }
    }
}

/// A list of parts names the next one (bis §B.1). A fragment ends because the next begins, so that
/// comes within a frame; a producer that pauses is not waited for.
const HINT_WAIT: Duration = Duration::from_millis(100);

/// File names of the sub-requests (playback.md §5).
pub(crate) const MEDIA_PLAYLIST: &str = "getHLSMediaPlaylist.m3u8";
pub(crate) const INIT: &str = "getMP4InitFragment.mp4";
pub(crate) const MP4_SEGMENT: &str = "getMP4MediaFragment.mp4";
pub(crate) const MP4_PART: &str = "getMP4Part.mp4";
pub(crate) const TS_SEGMENT: &str = "getTSFragment.ts";
