//! How each stream is doing now: what its sessions tell once per fragment, and GetStreamHealth.
//!
//! An idle stream keeps some 300 bytes, its history, and 240 bytes of bit rates once it had media; the
//! figures of the last minute are there only while a session is open.

mod bit_rates;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use streamkeep_api::{
    AckError, AckTimes, ApiError, BitRateHistory, LastFragment, StreamHealth, StreamRef,
    StreamState,
};
use streamkeep_engine::Engine;
use streamkeep_ingest::{ErrorId, LiveStart};
use streamkeep_media::{Fragment, SessionHeader, TrackKind, UnixMillis};
use tokio::task::spawn_blocking;

use self::bit_rates::BitRates;
use super::coverage::Shown;
use super::stream_history::{Event, Happening, History};

/// The window of the figures by the minute.
const MINUTE_MS: u64 = 60_000;
/// The window of the figures of now.
const NOW_MS: u64 = 10_000;
/// Fragments of the last minute that are remembered: all up to two a second.
const RECENT_MAX: usize = 128;
/// User-Agent is kept up to this length.
const PRODUCER_LEN_MAX: usize = 128;
/// A stream whose last session ended with an ack error is refused for this long; then it is off.
const REFUSED_MS: u64 = 60_000;

/// The answer of GetStreamHealth, in the order of the request, with `history_steps` of bit rates.
///
/// # Errors
/// The server is stopping. A stream whose index cannot be read shows no last fragment.
pub(crate) async fn answer(
    engine: &Engine,
    streams: Vec<(StreamRef, Result<Shown, ApiError>)>,
    history_steps: Option<usize>,
    now: UnixMillis,
) -> Result<Bytes, ApiError> {
    let shown = streams.iter().filter_map(|(_, shown)| shown.as_ref().ok());
    let unseen: Vec<_> = shown
        .filter(|(_, runtime)| !runtime.watch.has_last())
        .map(|(_, runtime)| runtime.clone())
        .collect();
    if !unseen.is_empty() {
        let engine = engine.clone();
        let look = move || {
            for runtime in unseen {
                match engine.last_row(runtime.id) {
                    Ok(Some(row)) => runtime.watch.set_stored_last(LastFragment {
                        number: row.number,
                        producer_timestamp: row.producer_timestamp,
                        server_timestamp: row.server_timestamp,
                    }),
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(%error, stream = runtime.name, "no last fragment");
                    }
                }
            }
        };
        spawn_blocking(look).await.map_err(|_| ApiError::internal())?;
    }
    let health = |(_, runtime): Shown| {
        let metrics = &runtime.metrics;
        let viewers = metrics.get_connections.get() + metrics.open_live_tiles.get();
        StreamHealth {
            bit_rate_history: history_steps.map(|steps| runtime.watch.bit_rates(steps, now)),
            ..runtime.watch.health(now, u32::try_from(viewers).unwrap_or(0))
        }
    };
    let answers: Vec<_> =
        streams.into_iter().map(|(wanted, shown)| (wanted, shown.map(health))).collect();
    Ok(streamkeep_api::get_stream_health(&answers))
}

/// One PutMedia session of a stream, as the stream's watch names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionId(u32);

/// What is known of a stream at this moment. Locked for moments, once or thrice a fragment.
#[derive(Debug)]
pub(crate) struct StreamWatch {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Nothing is known from before.
    since: UnixMillis,
    history: History,
    rates: BitRates,
    /// Open sessions, oldest first: one, for moments two.
    open: Vec<Open>,
    sessions: u32,
    /// When the last session ended.
    closed_at: Option<UnixMillis>,
    last_error: Option<(ErrorId, UnixMillis)>,
    /// Nothing was accepted since this error.
    refused_since: Option<UnixMillis>,
    /// The newest complete fragment.
    last: Option<LastFragment>,
    /// Its end by the server's clock.
    last_end: UnixMillis,
    /// What the open sessions send; `None` when there are none.
    media: Option<Box<Media>>,
}

#[derive(Debug)]
struct Open {
    id: SessionId,
    since: UnixMillis,
    producer: Option<Box<str>>,
    /// Start of the fragment that is arriving.
    arriving: Option<UnixMillis>,
    /// First fragment after it was silent or new: it has been live since.
    live_since: Option<UnixMillis>,
    /// No byte has come since.
    silent_since: Option<UnixMillis>,
    /// What came since this was answered with an error.
    refused: Option<(UnixMillis, ErrorId)>,
}

#[derive(Debug, Default)]
struct Media {
    codec_ids: Vec<String>,
    /// Index of the first video track.
    video: Option<u8>,
    pixels: Option<(u32, u32)>,
    /// Producer time of the last key frame.
    last_key_ms: Option<i64>,
    key_frame_interval_ms: Option<u32>,
    recent: VecDeque<Recent>,
}

/// A complete fragment of the last minute.
#[derive(Clone, Copy, Debug)]
struct Recent {
    timecode: u64,
    start: UnixMillis,
    completed: UnixMillis,
    duration_ms: u32,
    bytes: u32,
    video_frames: u32,
    received_us: Option<u32>,
    persisted_us: Option<u32>,
    /// Durable, or never going to be.
    is_settled: bool,
}

/// What coverage needs of the present.
#[derive(Debug)]
pub(crate) struct Happened {
    /// What happened before is not known in full.
    pub(crate) known_since: UnixMillis,
    /// What was, and what goes on.
    pub(crate) events: Vec<Event>,
    /// Media from here on is still arriving: it is not missing.
    pub(crate) arriving_since: Option<UnixMillis>,
}

impl StreamWatch {
    /// A stream without a session, watched since `now`.
    pub(crate) fn new(now: UnixMillis) -> Self {
        let state = State {
            since: now,
            history: History::new(now),
            rates: BitRates::default(),
            open: Vec::new(),
            sessions: 0,
            closed_at: None,
            last_error: None,
            refused_since: None,
            last: None,
            last_end: UnixMillis(0),
            media: None,
        };
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session begins; `producer` is its User-Agent.
    pub(crate) fn open(&self, now: UnixMillis, producer: Option<&str>) -> SessionId {
        let mut state = self.state();
        state.sessions = state.sessions.wrapping_add(1);
        let id = SessionId(state.sessions);
        let producer = producer.map(|text| text.chars().take(PRODUCER_LEN_MAX).collect());
        state.open.push(Open {
            id,
            since: now,
            producer,
            arriving: None,
            live_since: None,
            silent_since: None,
            refused: None,
        });
        id
    }

    /// A fragment begins. `silences`: when no byte came since the one before.
    pub(crate) fn started(
        &self,
        id: SessionId,
        start: &LiveStart,
        silences: &[(UnixMillis, UnixMillis)],
    ) {
        let at = start.server_timestamp;
        let mut state = self.state();
        if at.since(state.last_end) >= 1000 {
            state.note_silences(silences);
        }
        if let Some(open) = state.session(id) {
            open.arriving = Some(at);
            open.silent_since = None;
            open.live_since.get_or_insert(at);
        }
    }

    /// The fragment that began last is complete.
    pub(crate) fn complete(&self, id: SessionId, fragment: &Fragment, now: UnixMillis, kept: bool) {
        let mut state = self.state();
        let refused = state.session(id).and_then(|open| {
            open.arriving = None;
            open.refused.take()
        });
        if let Some((since, error)) = refused {
            state.note_refusal(since, fragment.server_timestamp, error);
        }
        state.last = Some(LastFragment {
            number: fragment.number,
            producer_timestamp: fragment.producer_timestamp,
            server_timestamp: fragment.server_timestamp,
        });
        let end = fragment.server_timestamp.0.saturating_add(fragment.duration_ms.into());
        state.last_end = UnixMillis(end);
        if !kept {
            state.refused_since = None;
        }
        state.rates.add(fragment.server_timestamp, now, fragment.media_len());
        state.media.get_or_insert_default().take(fragment, now, kept);
    }

    /// The fragment that began last will not be completed.
    pub(crate) fn aborted(&self, id: SessionId) {
        // What came of it is cut: the time from its start on has no media of this session.
        if let Some(open) = self.state().session(id) {
            open.live_since = None;
        }
    }

    /// A RECEIVED ack left, so many seconds after the fragment was complete.
    pub(crate) fn received(&self, timecode: Option<u64>, seconds: f64) {
        self.state().recent(timecode, |recent| recent.received_us = Some(micros(seconds)));
    }

    /// A PERSISTED ack left, so many seconds after the fragment was complete.
    pub(crate) fn persisted(&self, timecode: Option<u64>, seconds: f64) {
        let mut state = self.state();
        state.refused_since = None;
        state.recent(timecode, |recent| {
            recent.persisted_us = Some(micros(seconds));
            recent.is_settled = true;
        });
    }

    /// An ERROR ack left.
    pub(crate) fn refused(
        &self,
        id: SessionId,
        timecode: Option<u64>,
        error: ErrorId,
        now: UnixMillis,
    ) {
        let mut state = self.state();
        state.last_error = Some((error, now));
        // The end of a session that was open long enough refuses nothing.
        if error == ErrorId::MaxConnectionDurationReached {
            return;
        }
        // Of a fragment that was complete and could not be stored, nothing from its start on is there.
        let mut lost = None;
        state.recent(timecode, |recent| {
            recent.is_settled = true;
            lost = Some(recent.start);
        });
        let good_until = state.last_end;
        if let Some(open) = state.session(id) {
            let since = lost.or(open.arriving).unwrap_or_else(|| good_until.max(open.since));
            let since = since.min(now);
            open.refused.get_or_insert((since, error));
            open.live_since = None;
        }
        state.refused_since.get_or_insert(now);
    }

    /// No byte has come since `since`.
    pub(crate) fn silent(&self, id: SessionId, since: UnixMillis) {
        if let Some(open) = self.state().session(id) {
            open.silent_since.get_or_insert(since);
            open.live_since = None;
        }
    }

    /// Bytes come again.
    pub(crate) fn heard(&self, id: SessionId, now: UnixMillis) {
        if let Some(open) = self.state().session(id) {
            open.silent_since = None;
            if open.arriving.is_some() {
                open.live_since.get_or_insert(now);
            }
        }
    }

    /// A session ends. `silences`: when no byte came since its last fragment began.
    pub(crate) fn close(
        &self,
        id: SessionId,
        silences: &[(UnixMillis, UnixMillis)],
        now: UnixMillis,
    ) {
        let mut state = self.state();
        let Some(index) = state.open.iter().position(|open| open.id == id) else { return };
        let open = state.open.remove(index);
        state.note_silences(silences);
        if let Some((since, error)) = open.refused {
            state.note_refusal(since, now, error);
        }
        let end = open.arriving.unwrap_or(now).max(open.since);
        state.history.push(Event { start: open.since, end, what: Happening::Session });
        state.closed_at = Some(now);
        if state.open.is_empty() {
            state.media = None;
            state.open.shrink_to_fit();
        }
    }

    /// What happened, and what goes on at `now`.
    pub(crate) fn happened(&self, now: UnixMillis) -> Happened {
        let state = self.state();
        let mut events: Vec<_> = state.history.iter().copied().collect();
        for open in &state.open {
            let mut going_on = |start, what| events.push(Event { start, end: now, what });
            going_on(open.since, Happening::Session);
            if let Some(since) = open.silent_since {
                going_on(since, Happening::Silence);
            }
            if let Some((since, error)) = open.refused {
                going_on(since, Happening::Refused(error.wire().0));
            }
        }
        let arriving = state.open.iter().filter(|open| open.live_since.is_some());
        let arriving = arriving.filter_map(|open| open.arriving);
        let recent = state.media.iter().flat_map(|media| &media.recent);
        let unsettled = recent.filter(|recent| !recent.is_settled).map(|recent| recent.start);
        Happened {
            known_since: state.history.known_since(),
            arriving_since: arriving.chain(unsettled).min(),
            events,
        }
    }

    /// How the stream is doing, in one word.
    pub(crate) fn word(&self, now: UnixMillis) -> StreamState {
        self.state().word(now).0
    }

    /// Whether a complete fragment was seen since the server started.
    pub(crate) fn has_last(&self) -> bool {
        self.state().last.is_some()
    }

    /// The newest fragment from before the server started.
    pub(crate) fn set_stored_last(&self, last: LastFragment) {
        self.state().last.get_or_insert(last);
    }

    /// Bits of media a second, for the last `steps` that are over. What of a fragment has come counts when it
    /// is complete, so a step in which one still arrives is not over.
    pub(crate) fn bit_rates(&self, steps: usize, now: UnixMillis) -> BitRateHistory {
        let state = self.state();
        let arriving = state.open.iter().filter_map(|open| open.arriving).min();
        state.rates.read(steps, state.since, arriving.unwrap_or(now).min(now))
    }

    /// How the stream is doing, without its bit rates; `viewers` read it with GetMedia.
    pub(crate) fn health(&self, now: UnixMillis, viewers: u32) -> StreamHealth {
        let state = self.state();
        let (word, since) = state.word(now);
        let newest = state.open.last();
        let media = state.media.as_deref();
        let live_since = state.open.iter().filter_map(|open| open.live_since).min();
        let rate = |window_ms| media.and_then(|media| media.rate(live_since, window_ms, now));
        let (rate_now, rate_minute) = (rate(NOW_MS), rate(MINUTE_MS));
        StreamHealth {
            state: word,
            state_since: since,
            session_since: newest.map(|open| open.since),
            producer: newest.and_then(|open| open.producer.as_deref()).map(str::to_owned),
            fragments_per_second: rate_now.map(|rate| rate.fragments_per_second),
            bits_per_second: rate_now.map(|rate| rate.bits_per_second),
            minute_fragments_per_second: rate_minute.map(|rate| rate.fragments_per_second),
            minute_bits_per_second: rate_minute.map(|rate| rate.bits_per_second),
            codec_ids: media.map(|media| media.codec_ids.clone()).unwrap_or_default(),
            width_pixels: media.and_then(|media| media.pixels).map(|(width, _)| width),
            height_pixels: media.and_then(|media| media.pixels).map(|(_, height)| height),
            frames_per_second: media.and_then(Media::frames_per_second),
            key_frame_interval_ms: media.and_then(|media| media.key_frame_interval_ms),
            last_fragment: state.last,
            last_error: state.last_error.map(|(error, at)| {
                let (id, code) = error.wire();
                AckError { id: id.into(), code: code.into(), at }
            }),
            received_ack: media.and_then(|m| m.ack_times(now, |recent| recent.received_us)),
            persisted_ack: media.and_then(|m| m.ack_times(now, |recent| recent.persisted_us)),
            bit_rate_history: None,
            clock_skew_ms: state.last.map(|last| {
                last.producer_timestamp.0.cast_signed() - last.server_timestamp.0.cast_signed()
            }),
            viewers,
        }
    }
}

impl State {
    fn session(&mut self, id: SessionId) -> Option<&mut Open> {
        self.open.iter_mut().find(|open| open.id == id)
    }

    /// The newest fragment with a timecode.
    fn recent(&mut self, timecode: Option<u64>, change: impl FnOnce(&mut Recent)) {
        let Some(media) = &mut self.media else { return };
        let found = media.recent.iter_mut().rev().find(|own| Some(own.timecode) == timecode);
        if let Some(recent) = found {
            change(recent);
        }
    }

    fn note_silences(&mut self, silences: &[(UnixMillis, UnixMillis)]) {
        for &(start, end) in silences {
            self.history.push(Event { start, end, what: Happening::Silence });
        }
    }

    fn note_refusal(&mut self, start: UnixMillis, end: UnixMillis, error: ErrorId) {
        self.history.push(Event { start, end, what: Happening::Refused(error.wire().0) });
    }

    fn word(&self, now: UnixMillis) -> (StreamState, Option<UnixMillis>) {
        let error_at = self.last_error.map_or(UnixMillis(0), |(_, at)| at);
        let live = self.open.iter().filter_map(|open| open.live_since).min();
        match (live, self.refused_since) {
            // A producer that tries again is refused until something of it is accepted.
            (_, Some(since)) if !self.open.is_empty() || now.since(error_at) < REFUSED_MS => {
                (StreamState::Refused, Some(since))
            }
            (Some(since), _) => (StreamState::Live, Some(since)),
            (None, _) => match self.open.last() {
                Some(open) => (StreamState::Silent, Some(open.silent_since.unwrap_or(open.since))),
                None => (StreamState::Off, self.closed_at),
            },
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate {
    fragments_per_second: f64,
    bits_per_second: u64,
}

impl Media {
    fn take(&mut self, fragment: &Fragment, now: UnixMillis, kept: bool) {
        self.describe(&fragment.header);
        let video = self.video;
        let scale = i128::from(fragment.header.timestamp_scale_ns);
        let keys = fragment
            .frames
            .iter()
            .filter(|frame| frame.flags.key && Some(frame.track_index) == video);
        if !fragment.continues_previous {
            self.last_key_ms = None;
        }
        for key in keys {
            let ticks = i128::from(fragment.timecode) + i128::from(key.pts_ticks);
            let at = i64::try_from(ticks * scale / 1_000_000).ok();
            if let (Some(last), Some(at)) = (self.last_key_ms, at) {
                let interval = at.checked_sub(last).and_then(|ms| u32::try_from(ms).ok());
                self.key_frame_interval_ms = interval.filter(|ms| *ms > 0);
            }
            self.last_key_ms = at;
        }
        let timing = video.and_then(|index| fragment.timing.get(usize::from(index)));
        while self.recent.len() >= RECENT_MAX
            || self.recent.front().is_some_and(|old| now.since(old.completed) > MINUTE_MS)
        {
            self.recent.pop_front();
        }
        self.recent.push_back(Recent {
            timecode: fragment.timecode,
            start: fragment.server_timestamp,
            completed: now,
            duration_ms: fragment.duration_ms,
            bytes: u32::try_from(fragment.media_len()).unwrap_or(u32::MAX),
            video_frames: timing.map_or(0, |timing| timing.frame_count),
            received_us: None,
            persisted_us: None,
            is_settled: !kept,
        });
    }

    /// What the tracks say of themselves: written anew only when it is another description.
    fn describe(&mut self, header: &SessionHeader) {
        let codecs = || header.tracks.iter().map(|track| track.codec_id.as_str());
        let video = header.tracks.iter().position(|track| track.kind == TrackKind::Video);
        let track = video.and_then(|index| header.tracks.get(index));
        self.video = video.and_then(|index| u8::try_from(index).ok());
        let pixels = track.and_then(|track| track.video).map(|video| (video.width, video.height));
        self.pixels = pixels.filter(|(width, height)| *width > 0 && *height > 0);
        if !self.codec_ids.iter().map(String::as_str).eq(codecs()) {
            self.codec_ids = codecs().map(str::to_owned).collect();
        }
    }

    /// Over the last `window_ms`, or as long as media has come when that is shorter.
    fn rate(
        &self,
        live_since: Option<UnixMillis>,
        window_ms: u64,
        now: UnixMillis,
    ) -> Option<Rate> {
        let mut window_ms = window_ms;
        if let Some(since) = live_since {
            window_ms = window_ms.min(now.since(since).max(1000));
        }
        // More fragments than are remembered: the time that they cover.
        if self.recent.len() == RECENT_MAX
            && let Some(oldest) = self.recent.front()
        {
            window_ms = window_ms.min(now.since(oldest.completed).max(1000));
        }
        if self.recent.is_empty() {
            return None;
        }
        let inside = self.recent.iter().filter(|own| now.since(own.completed) < window_ms);
        let (count, bytes) = inside.fold((0_u64, 0_u64), |(count, bytes), recent| {
            (count + 1, bytes + u64::from(recent.bytes))
        });
        Some(Rate {
            fragments_per_second: count as f64 * 1000.0 / window_ms as f64,
            bits_per_second: bytes * 8 * 1000 / window_ms,
        })
    }

    fn frames_per_second(&self) -> Option<f64> {
        let sum = |of: fn(&Recent) -> u32| self.recent.iter().map(|own| u64::from(of(own))).sum();
        let (frames, ms): (u64, u64) = (sum(|own| own.video_frames), sum(|own| own.duration_ms));
        // To a tenth: the last frame's duration is an estimate.
        (frames > 0 && ms > 0).then(|| (frames as f64 * 10_000.0 / ms as f64).round() / 10.0)
    }

    fn ack_times(&self, now: UnixMillis, of: fn(&Recent) -> Option<u32>) -> Option<AckTimes> {
        let inside = self.recent.iter().filter(|own| now.since(own.completed) <= MINUTE_MS);
        let mut times: Vec<u32> = inside.filter_map(of).collect();
        times.sort_unstable();
        // Nearest rank.
        let at = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).checked_sub(1)?;
            times.get(rank).map(|micros| f64::from(*micros) / 1000.0)
        };
        Some(AckTimes { p50_ms: at(50)?, p99_ms: at(99)? })
    }
}

fn micros(seconds: f64) -> u32 {
    // `as` saturates; 71 minutes are enough for an ack.
    (seconds * 1e6) as u32
}

#[cfg(test)]
mod tests;
