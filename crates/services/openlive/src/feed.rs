//! What a tile sends next. Knows no socket, task or clock: it is given the time and the stream, and
//! says what to send or how long to wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use streamkeep_live::{LiveFragment, LiveTail};
use streamkeep_media::{FragmentNumber, SessionHeader, UnixMillis};
use streamkeep_playback::{Cadence, FrameGroup, FrameRun, LiveVideo};

use crate::credit::Credit;
use crate::limits::{
    ARRIVING_PATIENCE, BEHIND_NS_MAX, GROUP_BYTES_MAX, GROUP_INTERVAL, HELD_INTERVAL, KEY_INTERVAL,
    QUIET_INTERVAL, STALLED_AFTER,
};
use crate::media_clock::MediaClock;
use crate::media_header::{self, Kind, MediaHeader};
use crate::quiet::Quiet;
use crate::request::Tier;
use crate::sound::SoundFeed;
use crate::{LiveStream, Refusal, StoredKeyFrame, reply};

/// A message of a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TileMessage {
    Text(String),
    Binary(Bytes),
}

impl TileMessage {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send these, in order, then ask again.
    Send { messages: Vec<TileMessage>, frames: usize },
    /// Read [`LiveStream::newest_key_frame`] and give it to [`Feed::show_stored`].
    ReadStored,
    /// Ask again at this time, or earlier when the tile's requests change, and, if so said, when the
    /// tail does.
    Wait { until: Instant, for_tail: bool },
    /// Send this; the tile is over.
    End(String),
}

/// The state of one tile.
pub(crate) struct Feed {
    tile: u16,
    tier: Tier,
    place: Place,
    video: Option<(Arc<SessionHeader>, LiveVideo)>,
    /// The init segment that the page has for the tier it was told.
    announced: Option<(Bytes, Tier)>,
    clock: MediaClock,
    credit: Credit,
    sound: SoundFeed,
    sequence: u32,
    quiet: Quiet,
    /// Frames were left out before the next group.
    lost: bool,
    /// Frames wait that the page has no credit for, or that the socket did not take.
    held: bool,
    /// Nothing before this time: frames are gathered.
    not_before: Instant,
    /// Until then what is arriving is waited for.
    patient_until: Instant,
    cadence: Cadence,
    /// Length of the last fragment whose length is known.
    fragment_length: Duration,
    /// Where the last group ends by the producer's clock.
    shown_until: Option<UnixMillis>,
    /// Key frames from this fragment's on wait for credit, in the key-frame tier.
    key_held: Option<FragmentNumber>,
    /// The producer's time of the key frame last shown by the key-frame tier.
    key_shown_ns: Option<i128>,
    /// Media left out since the shell last asked, milliseconds.
    left_out_ms: u64,
}

enum Place {
    /// Nothing is shown yet, or not in this tier. Begins at a key frame after the fragment, if one is
    /// named.
    Start { after: Option<FragmentNumber>, may_read_stored: bool },
    /// Every frame: in a fragment, and since when nothing came of it.
    Run { run: Box<FrameRun>, idle_since: Instant },
    /// The fragment after this one.
    After(FragmentNumber),
}

/// How long a key frame is shown while no fragment has told its length.
const KEY_LENGTH_UNKNOWN: Duration = Duration::from_secs(2);

/// Two key frames further apart are not of neighbouring fragments.
const LONGEST_FRAGMENT: Duration = Duration::from_secs(20);

/// Early or late by this much, or two frames, a frame still follows the one before.
const TOLERANCE_NS: i128 = 100_000_000;

/// A key frame follows the one before by about the length of a fragment, as far as that is known.
const KEY_TOLERANCE_NS: i128 = 10_000_000_000;

/// Room for the boxes and the header in the accounts of a message.
const OVERHEAD: usize = 1024;

impl Feed {
    pub(crate) fn new(tile: u16, tier: Tier, now: Instant) -> Self {
        Self {
            tile,
            tier,
            place: Place::Start { after: None, may_read_stored: true },
            video: None,
            announced: None,
            clock: MediaClock::default(),
            credit: Credit::new(),
            sound: SoundFeed::default(),
            sequence: 0,
            quiet: Quiet::new(now),
            lost: false,
            held: false,
            not_before: now,
            patient_until: now + ARRIVING_PATIENCE,
            cadence: Cadence::default(),
            fragment_length: Duration::ZERO,
            shown_until: None,
            key_held: None,
            key_shown_ns: None,
            left_out_ms: 0,
        }
    }

    /// The page has taken `bytes`.
    pub(crate) fn grant(&mut self, bytes: u64) {
        self.credit.grant(bytes);
    }

    /// From now on with sound, or without: in the full tier, as far as the stream has some.
    pub(crate) fn set_sound(&mut self, is_on: bool) {
        self.sound.want(is_on);
    }

    /// From now on `tier`: begins anew at the newest key frame.
    pub(crate) fn set_tier(&mut self, tier: Tier) {
        if self.tier != tier {
            self.tier = tier;
            self.lost = self.shown_until.is_some();
            self.held = false;
            (self.key_held, self.key_shown_ns) = (None, None);
            self.sound.leave();
            self.place = Place::Start { after: None, may_read_stored: self.shown_until.is_none() };
        }
    }

    /// The socket kept the tile waiting.
    pub(crate) fn was_blocked(&mut self) {
        self.held = true;
    }

    /// Milliseconds of media left out since the last call.
    pub(crate) fn take_left_out(&mut self) -> u64 {
        std::mem::take(&mut self.left_out_ms)
    }

    /// What [`Step::ReadStored`] found.
    pub(crate) fn show_stored(
        &mut self,
        stored: Option<StoredKeyFrame>,
        now: Instant,
        wall: UnixMillis,
    ) -> Step {
        let Some(StoredKeyFrame { number, video, picture }) = stored else {
            return Step::Wait { until: now, for_tail: false };
        };
        self.place = Place::Start { after: Some(number), may_read_stored: false };
        self.fragment_length = duration(picture.duration_ns());
        let sent = self.send(&video, &picture, wall);
        // What comes next comes after more than this picture's time.
        self.lost = true;
        sent
    }

    /// What to do at `now`; `wall` is the server's clock at the same time.
    pub(crate) fn step(&mut self, stream: &dyn LiveStream, now: Instant, wall: UnixMillis) -> Step {
        let tail = stream.tail();
        if tail.is_closed() {
            return Step::End(reply::end(self.tile, "stream-deleted"));
        }
        let newest = tail.newest();
        if let Place::Start { may_read_stored: false, .. } | Place::Run { .. } | Place::After(_) =
            self.place
        {
            let mark = newest.as_ref().map(|fragment| (fragment.start.number, fragment.len()));
            let session = stream.has_session();
            if let Some(reason) = self.quiet.look(mark, session, self.fragment_length, now) {
                let from = self.shown_until.unwrap_or(wall).min(wall);
                let gap = TileMessage::Text(reply::gap(self.tile, from, reason));
                return Step::Send { messages: vec![gap], frames: 0 };
            }
        }
        if now < self.not_before {
            return Step::Wait { until: self.not_before, for_tail: false };
        }
        let step = match self.tier {
            Tier::Key => self.step_key(stream, newest, now, wall),
            Tier::Full => self
                .step_full(stream, newest, now, wall)
                .map(|step| self.with_sound(step, stream.tail(), now)),
        };
        step.unwrap_or_else(|refusal| Step::End(reply::refused(self.tile, &refusal)))
    }

    /// The first key frame of the newest fragment; the newest when nothing was shown before.
    fn step_key(
        &mut self,
        stream: &dyn LiveStream,
        newest: Option<Arc<LiveFragment>>,
        now: Instant,
        wall: UnixMillis,
    ) -> Result<Step, Refusal> {
        let is_shown = |number| match &self.place {
            Place::Start { after, .. } => after.is_some_and(|after| number <= after),
            Place::After(after) => number <= *after,
            Place::Run { .. } => false,
        };
        let Some(fragment) = newest.filter(|newest| !is_shown(newest.start.number)) else {
            return Ok(self.nothing_yet(false, now));
        };
        let video = self.video(stream, &fragment.start.header)?;
        let Some(run) = FrameRun::at_newest_key(video.clone(), fragment.clone(), self.cadence)
        else {
            return Ok(self.nothing_yet(true, now));
        };
        let number = fragment.start.number;
        let length = match run.length_ns() {
            Some(length) => duration(length),
            None if self.fragment_length.is_zero() => KEY_LENGTH_UNKNOWN,
            None => self.fragment_length,
        };
        let length_ns = i128::try_from(length.as_nanos()).unwrap_or(i128::MAX);
        let Some(picture) = run.key_frame(length_ns) else {
            return Ok(self.nothing_yet(true, now));
        };
        if !self.credit.allows(picture.len() + OVERHEAD) {
            // The next fragment's key frame takes its place, if that comes before credit does.
            self.key_held.get_or_insert(number);
            return Ok(Step::Wait { until: now + HELD_INTERVAL, for_tail: false });
        }
        self.lost |= self.key_held.take().is_some_and(|held| held != number);
        // From key frame to key frame, when none was left out; a guess at first.
        let apart = self.key_shown_ns.map(|shown_ns| duration(picture.wall_ns - shown_ns));
        self.fragment_length = match apart {
            Some(apart) if !self.lost && apart < LONGEST_FRAGMENT && !apart.is_zero() => apart,
            _ => length,
        };
        self.key_shown_ns = Some(picture.wall_ns);
        self.place = Place::After(number);
        self.not_before = now + KEY_INTERVAL;
        Ok(self.send(&video, &picture, wall))
    }

    /// All that has arrived since the last group.
    fn step_full(
        &mut self,
        stream: &dyn LiveStream,
        newest: Option<Arc<LiveFragment>>,
        now: Instant,
        wall: UnixMillis,
    ) -> Result<Step, Refusal> {
        let tail = stream.tail();
        loop {
            match &self.place {
                Place::Start { after, .. } => {
                    let fragment = newest
                        .clone()
                        .filter(|fragment| after.is_none_or(|after| fragment.start.number > after));
                    let Some(fragment) = fragment else {
                        return Ok(self.nothing_yet(false, now));
                    };
                    let video = self.video(stream, &fragment.start.header)?;
                    match FrameRun::at_newest_key(video, fragment, self.cadence) {
                        Some(run) => self.enter(run, now),
                        None => return Ok(self.nothing_yet(true, now)),
                    }
                }
                Place::After(number) => {
                    let Some(fragment) = tail.next_after(*number) else {
                        return Ok(Step::Wait { until: now + QUIET_INTERVAL, for_tail: true });
                    };
                    let video = self.video(stream, &fragment.start.header)?;
                    self.enter(FrameRun::of(video, fragment, self.cadence), now);
                }
                Place::Run { .. } => {
                    if let Some(step) = self.follow(stream, newest.as_ref(), now, wall)? {
                        return Ok(step);
                    }
                }
            }
        }
    }

    /// Adds the sound that has come beside the pictures.
    fn with_sound(&mut self, step: Step, tail: &LiveTail, now: Instant) -> Step {
        let (Place::Run { run, .. }, Some(until)) = (&self.place, self.shown_until) else {
            return step;
        };
        let from_ns = i128::from(until.0) * 1_000_000;
        let (video, fragment) = (run.video().clone(), run.fragment().clone());
        let credit = &mut self.credit;
        let mut sound = self.sound.messages(self.tile, &video, &fragment, tail, from_ns, credit);
        if sound.is_empty() {
            return step;
        }
        match step {
            Step::Send { mut messages, frames } => {
                messages.append(&mut sound);
                Step::Send { messages, frames }
            }
            Step::Wait { .. } => {
                self.not_before = now + GROUP_INTERVAL;
                Step::Send { messages: sound, frames: 0 }
            }
            Step::ReadStored | Step::End(_) => step,
        }
    }

    fn enter(&mut self, run: FrameRun, now: Instant) {
        self.place = Place::Run { run: Box::new(run), idle_since: now };
    }

    /// A step within a fragment; `None` when the place has changed and is to be looked at again.
    fn follow(
        &mut self,
        stream: &dyn LiveStream,
        newest: Option<&Arc<LiveFragment>>,
        now: Instant,
        wall: UnixMillis,
    ) -> Result<Option<Step>, Refusal> {
        self.catch_up(stream, newest, now)?;
        let Place::Run { run, idle_since } = &mut self.place else { return Ok(None) };
        run.look();
        self.cadence = run.cadence();
        let number = run.fragment().start.number;
        let Some(next_len) = run.next_len() else {
            self.held = false;
            if run.is_over() {
                if let Some(length) = run.length_ns() {
                    self.fragment_length = duration(length);
                }
                self.place = Place::After(number);
                return Ok(None);
            }
            if is_stalled(stream.tail(), number, *idle_since, now) {
                self.lost = true;
                self.place = Place::After(number);
                return Ok(None);
            }
            return Ok(Some(Step::Wait { until: now + QUIET_INTERVAL, for_tail: true }));
        };
        *idle_since = now;
        if !self.credit.allows(next_len + OVERHEAD) {
            self.held = true;
            return Ok(Some(Step::Wait { until: now + HELD_INTERVAL, for_tail: false }));
        }
        let len_max = self.credit.left().saturating_sub(OVERHEAD).min(GROUP_BYTES_MAX);
        let Some(group) = run.next_group(len_max) else { return Ok(None) };
        if run.next_len().is_none() {
            self.held = false;
            self.not_before = now + GROUP_INTERVAL;
        }
        let video = run.video().clone();
        Ok(Some(self.send(&video, &group, wall)))
    }

    /// After waiting for credit or the socket: on to the newest key frame, if the next frame lies too
    /// far before it. Otherwise nothing is lost.
    fn catch_up(
        &mut self,
        stream: &dyn LiveStream,
        newest: Option<&Arc<LiveFragment>>,
        now: Instant,
    ) -> Result<(), Refusal> {
        let (true, Place::Run { run, .. }) = (self.held, &mut self.place) else { return Ok(()) };
        run.look();
        let Some(next_ns) = run.next_wall_ns() else { return Ok(()) };
        let newest = newest.unwrap_or(run.fragment()).clone();
        if newest.start.number < run.fragment().start.number {
            return Ok(());
        }
        let video = self.video(stream, &newest.start.header)?;
        let Some(candidate) = FrameRun::at_newest_key(video, newest, self.cadence) else {
            return Ok(());
        };
        let Some(key_ns) = candidate.next_wall_ns() else { return Ok(()) };
        let behind_ns = key_ns.saturating_sub(next_ns);
        if behind_ns > BEHIND_NS_MAX {
            let behind_ms = u64::try_from(behind_ns / 1_000_000).unwrap_or(u64::MAX);
            self.left_out_ms = self.left_out_ms.saturating_add(behind_ms);
            self.lost = true;
            self.sound.leave();
            self.enter(candidate, now);
        }
        Ok(())
    }

    /// Waits for the tail, or reads what is stored when nothing was shown yet. `is_arriving`: the tail
    /// has a fragment.
    fn nothing_yet(&mut self, is_arriving: bool, now: Instant) -> Step {
        if let Place::Start { may_read_stored, .. } = &mut self.place
            && *may_read_stored
        {
            if is_arriving && now < self.patient_until {
                return Step::Wait { until: self.patient_until, for_tail: true };
            }
            *may_read_stored = false;
            return Step::ReadStored;
        }
        Step::Wait { until: now + QUIET_INTERVAL, for_tail: true }
    }

    /// The video of a session, kept while the session lasts.
    fn video(
        &mut self,
        stream: &dyn LiveStream,
        header: &Arc<SessionHeader>,
    ) -> Result<LiveVideo, Refusal> {
        if let Some((known, video)) = &self.video
            && Arc::ptr_eq(known, header)
        {
            return Ok(video.clone());
        }
        let video = stream.video(&header.bytes)?;
        self.video = Some((header.clone(), video.clone()));
        Ok(video)
    }

    /// A media message, and before it the init segment when the page has another or none.
    fn send(&mut self, video: &LiveVideo, group: &FrameGroup, wall: UnixMillis) -> Step {
        let mut messages = Vec::new();
        let init = (video.init().clone(), self.tier);
        if self.announced.as_ref() != Some(&init) {
            messages.push(TileMessage::Text(reply::init_follows(self.tile, video, self.tier)));
            let header = self.header(Kind::Init, wall, 0);
            messages.push(self.binary(&header, video.init()));
            self.announced = Some(init);
        }
        let tolerance = match self.tier {
            Tier::Key => KEY_TOLERANCE_NS,
            Tier::Full => {
                let frames = i128::try_from(group.frame_count().max(1)).unwrap_or(1);
                TOLERANCE_NS.max(2 * group.duration_ns() / frames)
            }
        };
        let placed = self.clock.place(group, tolerance);
        let duration_ns = group.duration_ns();
        let header = MediaHeader {
            is_key: group.starts_with_key,
            is_discontinuity: self.lost | placed.is_moved,
            wall_us: i64::try_from(group.wall_ns / 1000).unwrap_or(i64::MAX),
            ..self.header(Kind::Media, UnixMillis(0), duration_ns)
        };
        let mut media = Vec::with_capacity(group.len() + OVERHEAD);
        header.encode(&mut media);
        if let Err(error) = group.write(&mut media, self.sequence, placed.at) {
            let refusal = Refusal {
                is_denied: false,
                name: "InvalidMediaFrameException",
                text: error.to_string(),
            };
            return Step::End(reply::refused(self.tile, &refusal));
        }
        self.lost = false;
        self.sequence = self.sequence.wrapping_add(1);
        self.shown_until = Some(millis(group.wall_ns + duration_ns));
        self.credit.spend(media.len());
        messages.push(TileMessage::Binary(media.into()));
        Step::Send { messages, frames: group.frame_count() }
    }

    fn header(&self, kind: Kind, wall: UnixMillis, duration_ns: i128) -> MediaHeader {
        MediaHeader {
            kind,
            tile: self.tile,
            is_key: false,
            is_discontinuity: false,
            wall_us: i64::try_from(wall.0.saturating_mul(1000)).unwrap_or(i64::MAX),
            duration_us: u32::try_from(duration_ns / 1000).unwrap_or(u32::MAX),
        }
    }

    fn binary(&mut self, header: &MediaHeader, bytes: &[u8]) -> TileMessage {
        let mut message = Vec::with_capacity(media_header::LEN + bytes.len());
        header.encode(&mut message);
        message.extend_from_slice(bytes);
        self.credit.spend(message.len());
        TileMessage::Binary(message.into())
    }
}

/// Whether a fragment stopped arriving while a newer one has begun.
fn is_stalled(tail: &LiveTail, number: FragmentNumber, idle_since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(idle_since) > STALLED_AFTER && tail.next_after(number).is_some()
}

fn duration(ns: i128) -> Duration {
    Duration::from_nanos(u64::try_from(ns.max(0)).unwrap_or(u64::MAX))
}

fn millis(wall_ns: i128) -> UnixMillis {
    UnixMillis(u64::try_from((wall_ns / 1_000_000).max(0)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
