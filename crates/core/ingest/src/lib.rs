//! The PutMedia session as a state machine: body bytes in; fragments, live pieces and acks out.
//!
//! No sockets, no clock, no store. The shell that owns the connection feeds
//! [`IngestSession::handle_body`] and [`IngestSession::handle_stored`], drains
//! [`IngestSession::poll_output`] after each, and does what the outputs say.
//!
//! The wire is `put-media.md`; the ack promises are those of `design/ingest.md`: RECEIVED and
//! PERSISTED only when durable, strictly in order per session, our own trouble is never a code
//! that makes a camera discard footage.

mod ack;
mod assembler;
mod audio_clock;
mod limits;
mod session;
mod timing;

pub use ack::{Ack, AckEvent, ErrorId};
pub use limits::IngestLimits;
pub use session::{BodyEnd, IngestSession, LivePiece, LiveStart, Output, SessionConfig, Stored};
pub use session::{StoreFailure, TimecodeType};
