//! What a session is told and what it answers.

use std::sync::Arc;

use bytes::Bytes;
use streamkeep_media::{Fragment, FragmentNumber, FrameEntry, SessionHeader, UnixMillis};

use crate::{Ack, IngestLimits};

/// How Cluster Timestamps become producer timestamps (put-media.md §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimecodeType {
    /// They are epoch time.
    Absolute,
    /// They count from this instant.
    Relative {
        /// `x-amzn-producer-start-timestamp`.
        producer_start: UnixMillis,
    },
}

/// What a session is told at its start.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// From `x-amzn-fragment-timecode-type`.
    pub timecode_type: TimecodeType,
    /// The stream keeps media: fragments are acked when durable. Else (retention 0) they are
    /// acked RECEIVED when complete, and never PERSISTED.
    pub kept: bool,
    /// Caps.
    pub limits: IngestLimits,
}

/// What the shell must do, in order.
#[derive(Debug)]
pub enum Output {
    /// Write this ack as one HTTP chunk.
    Ack(Ack),
    /// A fragment begins; its frames follow as they arrive.
    LiveStart(LiveStart),
    /// More of the fragment that began last.
    Live(LivePiece),
    /// The fragment that began last will not be completed.
    LiveAbort(FragmentNumber),
    /// The fragment that began last is complete. Of a kept stream: store it and answer with
    /// [`IngestSession::handle_stored`](super::IngestSession::handle_stored).
    Complete(Box<Fragment>),
    /// Nothing more will come: end the response and the connection.
    Close,
}

/// The start of a fragment, for those who watch live.
#[derive(Clone, Debug)]
pub struct LiveStart {
    /// The fragment's number.
    pub number: FragmentNumber,
    /// When its first byte arrived.
    pub server_timestamp: UnixMillis,
    /// Producer time of its cluster.
    pub producer_timestamp: UnixMillis,
    /// Cluster Timestamp as sent.
    pub timecode: u64,
    /// What precedes the first cluster of the session.
    pub header: Arc<SessionHeader>,
}

/// Whole elements of a fragment, verbatim, with the frames that lie in them.
#[derive(Clone, Debug)]
pub struct LivePiece {
    /// Follows the fragment's bytes so far.
    pub bytes: Bytes,
    /// Offsets count from the start of the fragment.
    pub frames: Vec<FrameEntry>,
}

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// By its terminating chunk: the last fragment is complete.
    Complete,
    /// By the connection: only an end-of-fragment tag completes a fragment (put-media.md §9).
    Cut,
}

/// Where a durable fragment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number; that of the first copy when the producer sent it before.
    pub number: FragmentNumber,
}

/// Why a fragment was not stored. None of these is the camera's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFailure {
    /// Could not be written: the camera must keep it.
    Archival,
    /// The stream was deleted: the camera may drop it.
    StreamDeleted,
}
