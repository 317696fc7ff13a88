//! HLS playlists and DASH manifests as text, and checkers for both.
//!
//! The writers turn numbers and our own session token into text. They know no store and no HTTP,
//! do no I/O and read no clock. A whole day is 43,200 lines, so the writers use no format
//! machinery and allocate nothing per line; the text so far can be taken at any time.
//!
//! * [`hls`]: multivariant, media and I-frame playlists, low latency, delivery directives.
//! * [`dash`]: the MPD.
//! * [`webvtt`]: the thumbnails track of the timeline.
//! * [`check`]: the rules of both standards over a recorded series of reloads, for our own output
//!   and for that of others.
//!
//! Standards: RFC 8216 and its second edition (draft-pantos-hls-rfc8216bis, "bis" below), ISO/IEC
//! 23009-1, WebVTT (W3C). The file names and the order of tags are those of the original service
//! (`kvs/playback.md` §§5, 6). Left out: encryption tags, date ranges, content steering,
//! variables, several Periods, low-latency DASH.

pub mod check;
pub mod dash;
mod decimal;
#[doc(hidden)]
pub mod fuzz;
pub mod hls;
mod media_duration;
mod time;
mod uri;
pub mod webvtt;

pub use media_duration::MediaDuration;
pub use time::{date_time, duration};
pub use uri::{NotPlain, Parameter, PlainText, Uri, Value};
