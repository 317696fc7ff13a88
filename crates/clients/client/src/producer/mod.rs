//! A producer: frames in, fragments out, nothing forgotten until it is acked.
//!
//! ```text
//! send_frame → Cutter (fragments at key frames) → Outbox (until PERSISTED) → PutMedia
//!                                                    ↑ rewind ←──── broken connection, error ack
//! ```
//!
//! The [`Producer`] is a handle to a task that owns the session. When the outbox is full, because
//! the service does not persist what it gets, [`Producer::send_frame`] waits.

mod cutter;
mod driver;
mod outbox;
mod session_header;

use std::time::Duration;

use streamkeep_media::{TagGroup, Track, UnixMillis};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::put_media::TimecodeType;
use crate::source::SourceFrame;
use crate::{Client, Error};
pub use cutter::FragmentLimits;

/// How a producer works.
#[derive(Clone, Debug)]
pub struct ProducerOptions {
    /// Name of the stream.
    pub stream_name: String,
    /// What Cluster timecodes count from.
    pub timecode_type: TimecodeType,
    /// Milliseconds added to frame times to get Cluster timecodes: epoch time of frame time 0 when
    /// ABSOLUTE.
    pub origin_ms: i64,
    /// Sent as the session's start; what timecodes are relative to when RELATIVE.
    pub producer_start: UnixMillis,
    /// When a fragment goes out.
    pub delivery: Delivery,
    /// Which ack ends a fragment's life in the outbox.
    pub final_ack: FinalAck,
    /// Where fragments are cut.
    pub fragments: FragmentLimits,
    /// Media that may wait for its final ack; then [`Producer::send_frame`] waits.
    pub buffer_max: Duration,
    /// A session in which no final ack comes for this long, though a whole fragment was sent, is
    /// replaced by another.
    pub ack_timeout: Duration,
    /// Without any final ack for this long, while there is something to send: the producer fails.
    pub give_up_after: Duration,
}

impl ProducerOptions {
    /// For live media that starts now: streamed as it comes, until PERSISTED.
    pub fn live(stream_name: impl Into<String>, now: UnixMillis) -> Self {
        Self {
            stream_name: stream_name.into(),
            timecode_type: TimecodeType::Absolute,
            origin_ms: i64::try_from(now.0).unwrap_or(i64::MAX),
            producer_start: now,
            delivery: Delivery::Streaming,
            final_ack: FinalAck::Persisted,
            fragments: FragmentLimits::default(),
            buffer_max: Duration::from_secs(120),
            ack_timeout: Duration::from_secs(60), // kvssink's `connection-staleness`
            give_up_after: Duration::from_secs(120),
        }
    }
}

/// When a fragment goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Frame by frame, for live media.
    Streaming,
    /// Once it is complete, for media that need not hurry: a fragment without a frame of some
    /// track then goes out in a session of its own that does not declare the track.
    WholeFragments,
}

/// Which ack means that the service has done with a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalAck {
    /// For streams that keep media.
    Persisted,
    /// For streams with retention 0.
    Received,
}

/// How far a producer has got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Frames taken in.
    pub frames: u64,
    /// Frames left out: before the first key frame, or without a place on the time line.
    pub frames_dropped: u64,
    /// Fragments that were cut.
    pub fragments: u64,
    /// Fragments acked RECEIVED at least once.
    pub received: u64,
    /// Fragments with their final ack.
    pub done: u64,
    /// Fragments that the service refused for good.
    pub refused: Vec<RefusedFragment>,
    /// Bytes of Matroska sent, with what was sent again.
    pub bytes: u64,
    /// Sessions opened.
    pub sessions: u64,
    /// Media that waits for its final ack.
    pub buffered: Duration,
    /// Why the last session broke, if one did.
    pub last_trouble: Option<String>,
}

/// A fragment the service will not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedFragment {
    /// Its Cluster timecode.
    pub timecode: u64,
    /// ErrorId of the ack.
    pub error_id: u32,
    /// ErrorCode of the ack.
    pub error_code: String,
}

/// A handle to a running producer. Dropping it stops the producer at once: media in the outbox is
/// lost. [`finish`](Self::finish) instead.
#[derive(Debug)]
pub struct Producer {
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<Status>,
    task: AbortOnDrop,
}

#[derive(Debug)]
struct AbortOnDrop(JoinHandle<Result<(), Error>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the task is told.
#[derive(Debug)]
enum Command {
    Tracks(Vec<Track>),
    Frame(SourceFrame),
    Tags(Vec<TagGroup>),
}

impl Producer {
    /// Starts a producer on the current runtime. The first session opens with the first frame.
    pub fn start(client: Client, options: ProducerOptions) -> Self {
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let (status_sender, status) = watch::channel(Status::default());
        let task = tokio::spawn(driver::run(client, options, receiver, status_sender));
        Self { commands, status, task: AbortOnDrop(task) }
    }

    /// The tracks of all frames that follow. A change ends the fragment and the session.
    pub async fn set_tracks(&self, tracks: Vec<Track>) -> Result<(), Stopped> {
        self.commands.send(Command::Tracks(tracks)).await.map_err(|_| Stopped)
    }

    /// Takes a frame, in decode order. Waits while the outbox is full.
    ///
    /// # Errors
    /// The producer has failed: [`finish`](Self::finish) tells why.
    pub async fn send_frame(&self, frame: SourceFrame) -> Result<(), Stopped> {
        self.commands.send(Command::Frame(frame)).await.map_err(|_| Stopped)
    }

    /// Takes tags for the fragment at hand.
    pub async fn send_tags(&self, groups: Vec<TagGroup>) -> Result<(), Stopped> {
        self.commands.send(Command::Tags(groups)).await.map_err(|_| Stopped)
    }

    /// How far it has got, now and later.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Completes the last fragment and waits until every fragment has its final ack or was
    /// refused. The status says what became of them, also after an error.
    pub async fn finish(self) -> (Status, Result<(), Error>) {
        drop(self.commands);
        let mut task = self.task;
        let result = match (&mut task.0).await {
            Ok(result) => result,
            Err(_) => Err(Error::Stopped),
        };
        let status = self.status.borrow().clone();
        (status, result)
    }
}

/// The producer has stopped; [`Producer::finish`] tells why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Frames between the caller and the task; the outbox holds what waits for the service.
const COMMANDS_MAX: usize = 16;
