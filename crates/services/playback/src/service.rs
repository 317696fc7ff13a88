//! The service: makes sessions and answers their sub-requests.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, Method, Response};
use streamkeep_engine::{Engine, IndexedRow, RowQuery, RowRange};
use streamkeep_http::{Body, Pieces};
use streamkeep_io::{Buffer, Clock, Rng};
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};
use streamkeep_packaging::{AudioScale, Axis, Segment};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::answer::{self, AUDIO_MP4, Cache, Resource, VIDEO_MP4, VIDEO_TS};
use crate::claims::{Claims, Mode, Protocol};
use crate::fragments::{Fragments, Loaded};
use crate::hls::{self, InitVersion};
use crate::init::track_init_segment;
use crate::lru::Lru;
use crate::query::Query;
use crate::segment::{SegmentWish, media_segment};
use crate::session::{self, SessionRequest};
use crate::source::{PlaybackStream, Source};
use crate::timelines::{Placed, Timelines};
use crate::token::TokenKey;
use crate::tracks::{TrackRole, TrackSet, TrackSets};
use crate::{PlaybackError, dash, thumbnails, transport};

/// Bytes that the caches may take.
#[derive(Clone, Copy, Debug)]
pub struct CacheSizes {
    /// Decrypted fragments.
    pub fragments: usize,
    /// Segments as they are given out.
    pub segments: usize,
}

impl Default for CacheSizes {
    /// 64 MiB and 128 MiB: the live edge of a hundred streams of 1 Mbit/s, and what is watched now.
    fn default() -> Self {
        Self { fragments: 64 << 20, segments: 128 << 20 }
    }
}

/// Makes playback sessions, answers what they ask for, cuts clips. Shared by all connections.
pub struct Service {
    pub(crate) engine: Engine,
    source: Arc<dyn Source>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    key: TokenKey,
    pub(crate) track_sets: Arc<TrackSets>,
    pub(crate) fragments: Fragments,
    timelines: Timelines,
    segments: Mutex<Lru<SegmentKey, SegmentCell>>,
    /// Segments that were asked for once.
    asked: Mutex<Lru<SegmentKey, ()>>,
    scales: Mutex<Lru<(StreamId, u64), AudioScale>>,
    /// Tracks of a stream's descriptions.
    descriptions: Mutex<Lru<(StreamId, u32), Arc<TrackSet>>>,
}

/// A sub-request that was let in.
pub(crate) struct View {
    pub(crate) claims: Claims,
    pub(crate) token: String,
    pub(crate) now: UnixMillis,
}

impl View {
    /// For how long what is given out may be kept.
    pub(crate) fn seconds_left(&self) -> u64 {
        self.claims.expires.since(self.now) / 1000
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SegmentKey {
    stream: StreamId,
    number: FragmentNumber,
    previous: Option<FragmentNumber>,
    wish: SegmentWish,
    is_ts: bool,
}

type SegmentCell = Arc<OnceCell<Made>>;

/// What of the making of a segment stays in the caches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Fragment,
    Nothing,
}

/// A segment, with the times that say which sessions may have it.
#[derive(Clone, Debug)]
struct Made {
    bytes: Pieces,
    producer_timestamp: UnixMillis,
}

impl Service {
    /// `secret` seals session tokens: the same over restarts, or players end with them.
    pub fn new(
        engine: Engine,
        source: Arc<dyn Source>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        secret: &Zeroizing<[u8; 32]>,
        sizes: CacheSizes,
    ) -> Self {
        let track_sets = Arc::new(TrackSets::new());
        Self {
            fragments: Fragments::new(engine.clone(), track_sets.clone(), sizes.fragments),
            timelines: Timelines::new(engine.clone()),
            segments: Mutex::new(Lru::new(sizes.segments)),
            asked: Mutex::new(Lru::new(SMALL_ENTRIES)),
            scales: Mutex::new(Lru::new(SMALL_ENTRIES)),
            descriptions: Mutex::new(Lru::new(SMALL_ENTRIES)),
            key: TokenKey::new(secret),
            engine,
            source,
            clock,
            rng,
            track_sets,
        }
    }

    /// Makes a session: checks that there is something to play and that it can be played, and
    /// returns the token.
    ///
    /// # Errors
    /// `NotFound`, and what is wrong with the media of the first fragment (by range) or the newest
    /// (live).
    pub async fn create_session(&self, request: &SessionRequest) -> Result<String, PlaybackError> {
        let now = self.clock.now();
        let rows = session::find_first_rows(&self.engine, request, now).await?;
        let sample = match request.mode {
            Mode::Live => rows.last(),
            _ => rows.first(),
        };
        let sample = sample.ok_or(PlaybackError::NotFound("there are no fragments"))?.clone();
        let sample = self.fragments.get_row(request.stream, sample).await?;
        let claims = session::claims(request, &rows, &sample, now)?;
        let mut nonce = [0; 12];
        self.rng.fill(&mut nonce);
        Ok(self.key.seal(&claims, nonce))
    }

    /// Answers a sub-request: `path` is `/hls/v1/…` or `/dash/v1/…`.
    pub async fn answer(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        headers: &HeaderMap,
    ) -> Response<Body> {
        if method == Method::OPTIONS {
            return answer::preflight();
        }
        match self.resource(path, query).await {
            Ok(resource) => answer::answer(method, headers, resource),
            Err(error) => {
                match &error {
                    PlaybackError::Store(source) => {
                        tracing::warn!(%source, path, "playback failed")
                    }
                    other => tracing::debug!(error = %other, path, "playback refused"),
                }
                answer::refusal(&error)
            }
        }
    }

    async fn resource(&self, path: &str, query: &str) -> Result<Resource, PlaybackError> {
        let query = Query::parse(query)?;
        let (is_hls, file) = match (path.strip_prefix("/hls/v1/"), path.strip_prefix("/dash/v1/")) {
            (Some(file), _) => (true, file),
            (_, Some(file)) => (false, file),
            _ => return Err(PlaybackError::NotFound("there is no such resource")),
        };
        let view = self.admit(&query)?;
        if is_hls == (view.claims.protocol == Protocol::Dash) {
            return Err(PlaybackError::Forbidden("the session is of another protocol"));
        }
        match (is_hls, file) {
            (true, "getThumbnails.vtt") => thumbnails::track(self, &view).await,
            (true, "getHLSMasterPlaylist.m3u8") => hls::multivariant(self, &view, &query).await,
            (true, hls::MEDIA_PLAYLIST) => hls::media(self, &view, &query).await,
            (false, "getDASHManifest.mpd") => dash::manifest(self, &view).await,
            (_, hls::INIT) if view.claims.protocol != Protocol::HlsTs => {
                self.init(&view, &query).await
            }
            (true, hls::MP4_SEGMENT) if view.claims.protocol == Protocol::HlsMp4 => {
                self.segment(&view, &query).await
            }
            (false, hls::MP4_SEGMENT) => dash::segment(self, &view, &query).await,
            (true, hls::MP4_PART) => {
                let bytes = hls::part(self, &view, &query).await?;
                let kind = if query.track == Some(2) { AUDIO_MP4 } else { VIDEO_MP4 };
                let cache = Cache::Immutable(view.seconds_left());
                Ok(Resource { bytes: bytes.into(), kind, cache, etag: None })
            }
            (true, hls::TS_SEGMENT) if view.claims.protocol == Protocol::HlsTs => {
                self.segment(&view, &query).await
            }
            _ => Err(PlaybackError::NotFound("there is no such resource")),
        }
    }

    /// Who may ask: the one place that opens a session token.
    pub(crate) fn admit(&self, query: &Query<'_>) -> Result<View, PlaybackError> {
        let refused = PlaybackError::Forbidden("the session token is not valid");
        let Some(token) = query.token() else { return Err(refused) };
        let Some(mut claims) = self.key.open(&token) else { return Err(refused) };
        if query.is_whole && claims.mode == Mode::OnDemand {
            // How much of its range a list shows is for the player to say.
            claims.window = 0;
        }
        let now = self.clock.now();
        if now > claims.expires {
            return Err(PlaybackError::Forbidden("the session has expired"));
        }
        self.stream(claims.stream)?;
        Ok(View { claims, token, now })
    }

    /// The stream, unless it was deleted since.
    pub(crate) fn stream(&self, id: StreamId) -> Result<Arc<dyn PlaybackStream>, PlaybackError> {
        self.source.stream(id).ok_or(PlaybackError::NotFound("the stream is not there"))
    }

    /// The session's timeline as of now.
    pub(crate) async fn placed(&self, view: &View) -> Result<Arc<Placed>, PlaybackError> {
        let scale = self.audio_scale(&view.claims).await?;
        self.timelines.get(&view.claims, scale).await
    }

    async fn audio_scale(&self, claims: &Claims) -> Result<AudioScale, PlaybackError> {
        let key =
            (claims.stream, claims.origin.zero_ms ^ u64::from(claims.origin.description) << 48);
        if let Some(known) = self.scales.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known);
        }
        let row = self.first_row(claims).await?;
        let loaded = self.fragments.get_row(claims.stream, row).await?;
        let audio = loaded.tracks.audio.as_ref();
        let scale = AudioScale {
            rate: audio.map_or(1, |audio| audio.description.sampling_rate),
            timescale: audio.map_or(1, |audio| audio.timescale),
        };
        self.scales.lock().unwrap_or_else(PoisonError::into_inner).insert(key, scale, 1);
        Ok(scale)
    }

    /// The first fragment of a session that is still there.
    async fn first_row(&self, claims: &Claims) -> Result<IndexedRow, PlaybackError> {
        let range = match (claims.mode, claims.axis) {
            (Mode::Live, _) | (_, Axis::Server) => RowRange::Server(claims.from..=claims.to),
            (_, Axis::Producer) => RowRange::Producer(claims.from..=claims.to),
        };
        let (engine, stream) = (self.engine.clone(), claims.stream);
        let query = RowQuery { range, after: None, limit: 1 };
        let rows = spawn_blocking(move || engine.rows(stream, &query))
            .await
            .map_err(|_| PlaybackError::Stopping)??;
        rows.into_iter().next().ok_or(PlaybackError::NotFound("there are no fragments"))
    }

    /// The fragment of a segment.
    pub(crate) async fn loaded(
        &self,
        view: &View,
        placed: &Placed,
        segment: &Segment,
    ) -> Result<Arc<Loaded>, PlaybackError> {
        let index = placed
            .timeline
            .segments()
            .binary_search_by_key(&segment.sequence, |other| other.sequence)
            .map_err(|_| PlaybackError::NotFound("the fragment is not in the session"))?;
        self.fragments.get_row(view.claims.stream, placed.rows[index].clone()).await
    }

    /// The tracks that a session plays: those of its newest fragment, or of its first by range.
    pub(crate) async fn tracks_of_session(
        &self,
        view: &View,
        placed: &Placed,
    ) -> Result<Arc<TrackSet>, PlaybackError> {
        let segments = placed.timeline.segments();
        let segment = match view.claims.mode {
            Mode::Live => segments.last(),
            _ => segments.first(),
        };
        let segment = segment.ok_or(PlaybackError::NotFound("there are no fragments"))?;
        self.tracks_of(view, placed, segment).await
    }

    /// The tracks of a segment's description.
    async fn tracks_of(
        &self,
        view: &View,
        placed: &Placed,
        segment: &Segment,
    ) -> Result<Arc<TrackSet>, PlaybackError> {
        let key = (view.claims.stream, segment.facts.description);
        let known = self.descriptions.lock().unwrap_or_else(PoisonError::into_inner).get(&key);
        if let Some(known) = known {
            return Ok(known);
        }
        let tracks = self.loaded(view, placed, segment).await?.tracks.clone();
        let mut known = self.descriptions.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, tracks.clone(), 1);
        Ok(tracks)
    }

    /// Track 1 carries the timeline, track 2 is the sound beside it.
    pub(crate) fn role(
        &self,
        tracks: &TrackSet,
        number: Option<u8>,
    ) -> Result<TrackRole, PlaybackError> {
        match number.unwrap_or(1) {
            1 => Ok(tracks.lead()),
            2 if tracks.video.is_some() && tracks.audio.is_some() => Ok(TrackRole::Audio),
            _ => Err(PlaybackError::NotFound("there is no such track")),
        }
    }

    /// Which initialisation segment each of some neighbouring segments needs. Descriptions that
    /// differ in nothing a player sees share one.
    pub(crate) async fn init_versions(
        &self,
        view: &View,
        placed: &Placed,
        role: TrackRole,
        segments: &[Segment],
    ) -> Result<Vec<InitVersion>, PlaybackError> {
        let all = placed.timeline.segments();
        let origin = view.claims.origin.description;
        let Some(first) = segments.first() else { return Ok(Vec::new()) };
        // From the start of the session on, so that numbers do not depend on the window.
        let mut version = InitVersion { number: 0, changes: false };
        let mut current: Option<(u32, Arc<TrackSet>)> = None;
        let mut versions = Vec::with_capacity(segments.len());
        for segment in all {
            let description = segment.facts.description;
            let is_new = current.as_ref().is_none_or(|(known, _)| *known != description);
            version.changes = false;
            if is_new {
                let tracks = self.tracks_of(view, placed, segment).await?;
                if let Some((_, before)) = &current {
                    let differs = !Arc::ptr_eq(before, &tracks)
                        && track_init_segment(before, role)? != track_init_segment(&tracks, role)?;
                    if differs {
                        version =
                            InitVersion { number: description.wrapping_sub(origin), changes: true };
                    }
                } else if description != origin && segment.sequence > 0 {
                    version.number = description.wrapping_sub(origin);
                }
                current = Some((description, tracks));
            }
            if segment.sequence >= first.sequence {
                versions.push(version);
            }
            if versions.len() == segments.len() {
                break;
            }
        }
        Ok(versions)
    }

    async fn init(&self, view: &View, query: &Query<'_>) -> Result<Resource, PlaybackError> {
        let placed = self.placed(view).await?;
        let origin = view.claims.origin.description;
        let wanted = origin.wrapping_add(query.sequence.unwrap_or(0));
        let segments = placed.timeline.segments();
        let segment = segments
            .iter()
            .find(|segment| segment.facts.description == wanted)
            .or_else(|| segments.first().filter(|_| query.sequence.unwrap_or(0) == 0))
            .ok_or(PlaybackError::NotFound("there is no such initialisation segment"))?;
        let tracks = self.tracks_of(view, &placed, segment).await?;
        let role = self.role(&tracks, query.track)?;
        let bytes = track_init_segment(&tracks, role)?
            .ok_or(PlaybackError::NotFound("there is no such track"))?;
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Ok(Resource {
            bytes: bytes.into(),
            kind: kind_of(role),
            cache: Cache::Immutable(view.seconds_left()),
            etag: Some(hasher.finish()),
        })
    }

    async fn segment(&self, view: &View, query: &Query<'_>) -> Result<Resource, PlaybackError> {
        let number = Query::need(query.fragment, "FragmentNumber")?;
        let at = Query::need(query.at, "At")?;
        let is_ts = view.claims.protocol == Protocol::HlsTs;
        let wish = SegmentWish {
            role: if query.track == Some(2) { TrackRole::Audio } else { TrackRole::Video },
            at,
            sequence: query.msn.unwrap_or(0) as u32,
            is_join: query.is_join,
            key_frame_only: query.i_frames,
        };
        self.made_segment(view, number, query.previous, wish, is_ts).await
    }

    /// A segment, made once for all that ask.
    pub(crate) async fn made_segment(
        &self,
        view: &View,
        number: FragmentNumber,
        previous: Option<FragmentNumber>,
        wish: SegmentWish,
        is_ts: bool,
    ) -> Result<Resource, PlaybackError> {
        let claims = &view.claims;
        let outside = || PlaybackError::NotFound("the fragment is not in the session");
        // What the number says is checked before anything is read.
        let server_timestamp = number.server_timestamp();
        let is_by_server = claims.mode == Mode::Live || claims.axis == Axis::Server;
        if is_by_server && !(claims.from..=claims.to).contains(&server_timestamp) {
            return Err(outside());
        }
        let stream = claims.stream;
        let key = SegmentKey { stream, number, previous, wish, is_ts };
        let kept = {
            let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
            match segments.get(&key) {
                Some(cell) => Some(cell),
                None if self.was_asked_for(&key) => {
                    let cell = SegmentCell::default();
                    segments.insert(key, cell.clone(), USUAL_LEN);
                    Some(cell)
                }
                None => None,
            }
        };
        let make = |keep| self.make_segment(claims, &key, keep);
        let made = match kept {
            Some(cell) => {
                let made = cell.get_or_try_init(|| make(Keep::Fragment)).await?.clone();
                let len = made.bytes.remaining();
                if len > 2 * USUAL_LEN {
                    let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
                    segments.insert(key, cell, len);
                }
                made
            }
            None => make(Keep::Nothing).await?,
        };
        let is_inside =
            is_by_server || (claims.from..=claims.to).contains(&made.producer_timestamp);
        if !is_inside {
            return Err(outside());
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        Ok(Resource {
            bytes: made.bytes,
            kind: if is_ts { VIDEO_TS } else { kind_of(wish.role) },
            cache: Cache::Immutable(view.seconds_left()),
            etag: Some(hasher.finish()),
        })
    }

    /// Whether the segment was asked for before, as far back as that is known. A recording that one
    /// viewer plays is read once and pushes nothing out; what a second one asks for is kept.
    fn was_asked_for(&self, key: &SegmentKey) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let known = asked.get(key).is_some();
        if !known {
            asked.insert(*key, (), 1);
        }
        known
    }

    async fn make_segment(
        &self,
        claims: &Claims,
        key: &SegmentKey,
        keep: Keep,
    ) -> Result<Made, PlaybackError> {
        let SegmentKey { stream, number, previous, mut wish, is_ts } = *key;
        let row = self.timelines.row_of(claims, number);
        let loaded = match (keep, row) {
            (Keep::Nothing, row) => self.fragments.read_once(stream, number, row).await?,
            (Keep::Fragment, Some(row)) => self.fragments.get_row(stream, row).await?,
            (Keep::Fragment, None) => self.fragments.get(stream, number).await?,
        };
        if loaded.tracks.video.is_none() {
            wish.role = TrackRole::Audio;
        }
        let previous = match previous {
            // Sound that was there before warms the encoder up; without it the sound is as good to
            // hear, but for a few milliseconds.
            Some(previous) => self.fragments.get(stream, previous).await.ok(),
            None => None,
        };
        let bytes = if is_ts {
            transport::segment(&loaded, &wish)?.into()
        } else {
            media_segment(&loaded, previous.as_ref(), &wish)?
        };
        let bytes = match keep {
            // What is kept must not keep the whole fragment with it.
            Keep::Fragment => in_one_piece(bytes).into(),
            Keep::Nothing => bytes,
        };
        Ok(Made { bytes, producer_timestamp: loaded.row.producer_timestamp })
    }

    /// The time now, by the server's clock.
    pub(crate) fn now(&self) -> UnixMillis {
        self.clock.now()
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

fn in_one_piece(mut pieces: Pieces) -> Bytes {
    let mut whole = Buffer::take(pieces.remaining());
    pieces.copy_to_slice(&mut whole);
    whole.into_bytes()
}

fn kind_of(role: TrackRole) -> &'static str {
    match role {
        TrackRole::Video => VIDEO_MP4,
        TrackRole::Audio => AUDIO_MP4,
    }
}

/// Entries of caches whose entries are small.
const SMALL_ENTRIES: usize = 10_000;
/// 2 s at 1 Mbit/s.
const USUAL_LEN: usize = 256 * 1024;
