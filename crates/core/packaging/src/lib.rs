//! From fragments to samples on a playback timeline.
//!
//! A [`Timeline`] places the fragments of a session one behind the other; [`video_samples`] and
//! [`audio_samples`] turn one fragment's frame table into what a segment holds. Both look at
//! tables only, never at payload, and answer the same for ever. `design/playback.md` has the rules,
//! packaging.md the measurements behind them. No I/O.

mod facts;
mod samples;
mod session_header;
mod ticks;
mod timeline;

pub use facts::{AudioSpan, FragmentFacts, Span};
pub use samples::{FrameTime, TrackSamples, audio_samples, frame_times, video_samples};
pub use session_header::parse_session_header;
pub use ticks::{VIDEO_TIMESCALE, ns_of_ticks, ticks_of_ns};
pub use timeline::{AudioScale, Axis, Numbering, Origin, Segment, Timeline};
