//! OpenLive: many live streams on one WebSocket, for walls of pictures (console.md §5).
//!
//! A page opens *tiles*, each a stream in a tier; the server sends each tile's pictures as they arrive.
//! `design/openlive.md` has the protocol, byte by byte.
//!
//! ```text
//! serve (socket.rs) ── requests ──► Control ──► run (tile.rs): one task per tile
//!        ▲                                        └ Feed (feed.rs): what to send next, sans I/O
//!        └──────── messages, in turn ◄────────────────┘   Credit, MediaClock, Quiet
//!          Line (line.rs): how much may be on the way
//! ```
//!
//! The bytes of pictures are made by `streamkeep-playback` ([`FrameRun`](streamkeep_playback::FrameRun));
//! who may open what is decided by the server, behind [`Streams`].

mod credit;
mod feed;
#[doc(hidden)]
pub mod fuzz;
mod limits;
mod line;
mod media_clock;
mod media_header;
mod quiet;
mod reply;
mod request;
mod socket;
mod sound;
mod source;
#[cfg(test)]
mod testing;
mod tile;

pub use limits::IDLE_TIMEOUT;
pub use socket::{Ended, serve};
pub use source::{BoxFuture, LiveStream, Refusal, StoredKeyFrame, Streams};
