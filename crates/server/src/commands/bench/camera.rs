//! One camera of the load generator: frames by the clock, without waiting for anyone.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::time::{Duration, Instant};

use streamkeep_client::put_media::PutMediaBody;

use super::fragment_log::FragmentLog;
use super::measured::Measured;
use super::picture::{self, FRAME_HEAD_LEN, Noise, Profile};

/// What all cameras of a run share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) profile: Profile,
    pub(super) noise: Noise,
    /// Distance of two frames.
    pub(super) period: Duration,
    /// Fragments are closed by the end-of-fragment tag right after their last frame, instead of by
    /// the next fragment one frame later.
    pub(super) end_of_fragment_tags: bool,
}

pub(super) struct Camera {
    body: PutMediaBody,
    shared: Rc<Shared>,
    measured: Rc<RefCell<Measured>>,
    pub(super) log: Rc<RefCell<FragmentLog>>,
    /// When its first frame is due.
    first_due: Instant,
    /// Epoch milliseconds of the first frame.
    first_timecode: u64,
    /// Where stamps count from.
    stamp_origin: Instant,
    /// Frames begun.
    frames: u64,
    chunk: Chunk,
    /// Frames are due that wait for the connection to take the one before.
    held_up: bool,
    /// The fragment that ends at or after this is the last.
    stop_at: Instant,
    /// The last fragment was completed, or the session is dead.
    has_ended: bool,
}

/// The chunk being written.
#[derive(Default)]
struct Chunk {
    head: Vec<u8>,
    /// Of the noise.
    noise_frame: u64,
    noise_len: usize,
    /// What follows the noise.
    tail: Vec<u8>,
    written: usize,
}

impl Chunk {
    fn len(&self) -> usize {
        self.head.len() + self.noise_len + self.tail.len()
    }
}

impl Camera {
    pub(super) fn new(
        body: PutMediaBody,
        shared: Rc<Shared>,
        measured: Rc<RefCell<Measured>>,
        log: Rc<RefCell<FragmentLog>>,
        (first_due, first_timecode): (Instant, u64),
        stop_at: Instant,
        stamp_origin: Instant,
    ) -> Self {
        let mut chunk = Chunk::default();
        let header = picture::session_header();
        chunk.head = format!("{:x}\r\n", header.len()).into_bytes();
        chunk.head.extend_from_slice(&header);
        chunk.tail = b"\r\n".to_vec();
        Self {
            body,
            shared,
            measured,
            log,
            first_due,
            first_timecode,
            stamp_origin,
            frames: 0,
            chunk,
            held_up: false,
            stop_at,
            has_ended: false,
        }
    }

    /// Nothing more is due.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended || self.log.borrow().is_dead
    }

    /// Sends what is due. False: the connection did not take it all, call again soon.
    pub(super) fn send_due(&mut self, now: Instant) -> bool {
        if self.log.borrow().is_dead {
            return true;
        }
        loop {
            if !self.write_chunk() {
                self.held_up = true;
                return false;
            }
            let due = self.due(self.frames);
            if due > now || self.has_ended() {
                self.held_up = false;
                return true;
            }
            let per_fragment = u64::from(self.shared.profile.frames_per_fragment);
            if due >= self.stop_at && self.frames.is_multiple_of(per_fragment) {
                self.end(due, now);
            } else {
                self.begin_frame(due, now);
            }
        }
    }

    /// Pushes out what is left, and the end of the body.
    pub(super) async fn finish(mut self) -> Result<(), streamkeep_client::Error> {
        while !self.log.borrow().is_dead && !self.write_chunk() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.body.finish().await
    }

    fn due(&self, frame: u64) -> Instant {
        // In nanoseconds from the start, so rounding does not add up.
        self.first_due + Duration::from_nanos(self.shared.period.as_nanos() as u64 * frame)
    }

    fn begin_frame(&mut self, due: Instant, now: Instant) {
        let per_fragment = u64::from(self.shared.profile.frames_per_fragment);
        let (in_fragment, key) =
            (self.frames % per_fragment, self.frames.is_multiple_of(per_fragment));
        let ms_at = |frame: u64| {
            self.first_timecode
                + (self.shared.period.as_nanos() as u64 * frame + 500_000) / 1_000_000
        };
        let cluster = ms_at(self.frames - in_fragment);
        let relative_ms = (ms_at(self.frames) - cluster) as i16; // at most 20 s
        let frame_len = self.shared.profile.frame_len(key);
        picture::encode_chunk_head(
            &mut self.chunk.head,
            key.then_some(cluster),
            relative_ms,
            frame_len,
            now.saturating_duration_since(self.stamp_origin).as_nanos() as u64,
        );
        self.chunk.noise_frame = self.frames;
        self.chunk.noise_len = frame_len - FRAME_HEAD_LEN;
        self.chunk.tail.clear();
        self.chunk.tail.extend_from_slice(b"\r\n");
        self.chunk.written = 0;
        // A frame that waited for the connection is the service's doing and counts from when it
        // was due; a frame that waited for us counts from now.
        let sent = if self.held_up { due } else { now };
        if key {
            self.log.borrow_mut().started(cluster, sent);
        }
        if self.shared.end_of_fragment_tags && in_fragment == per_fragment - 1 {
            self.chunk.tail.extend_from_slice(&picture::end_of_fragment_chunk());
            self.log.borrow_mut().ended(sent);
        }
        let mut measured = self.measured.borrow_mut();
        measured.frames += 1;
        measured.bytes += self.chunk.len() as u64;
        if self.held_up {
            measured.backpressure_lag.record(now - due);
        } else {
            measured.schedule_lag.record(now - due);
        }
        self.frames += 1;
    }

    /// In place of the next fragment's start, which would have completed the last one.
    fn end(&mut self, due: Instant, now: Instant) {
        self.log.borrow_mut().ended(if self.held_up { due } else { now });
        self.chunk = Chunk { head: picture::end_of_fragment_chunk(), ..Chunk::default() };
        self.has_ended = true;
    }

    /// True: nothing is left of the chunk, or the session is dead.
    fn write_chunk(&mut self) -> bool {
        match self.try_write_chunk() {
            Ok(done) => done,
            Err(error) => {
                let mut log = self.log.borrow_mut();
                if !log.is_dead {
                    log.is_dead = true;
                    let reason = format!("cannot send: {error}");
                    *self.measured.borrow_mut().broken.entry(reason).or_default() += 1;
                }
                true
            }
        }
    }

    fn try_write_chunk(&mut self) -> io::Result<bool> {
        let chunk = &mut self.chunk;
        let noise = self.shared.noise.slice(chunk.noise_frame, chunk.noise_len);
        while chunk.written < chunk.len() {
            let mut slices =
                [IoSlice::new(&chunk.head), IoSlice::new(noise), IoSlice::new(&chunk.tail)];
            let mut rest = &mut slices[..];
            IoSlice::advance_slices(&mut rest, chunk.written);
            match self.body.try_write_framed(rest)? {
                Some(0) => return Err(io::ErrorKind::WriteZero.into()),
                Some(len) => chunk.written += len,
                None => return Ok(false),
            }
        }
        self.body.try_flush()?;
        Ok(true)
    }
}
