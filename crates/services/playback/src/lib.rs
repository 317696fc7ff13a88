//! Playback sessions: HLS, low-latency HLS, DASH, clips.
//!
//! A session is a sealed token ([`Claims`]); the server keeps nothing of it but caches. A
//! sub-request is let in by its token, finds the session's timeline (folded from the index, cached)
//! and is answered with a playlist, a manifest, or a segment made from one fragment.
//! `design/playback.md` says how and why.
//!
//! ```text
//! create_session ─→ token
//! answer ─ admit ─┬→ hls: multivariant, media playlist ─→ timelines
//!                 ├→ dash: manifest                     ─→ timelines
//!                 └→ segment, part, init ─→ fragments (decrypted) ─→ packaging, fmp4, mpegts
//! ```
//!
//! A viewer that is sent to instead of asking ([`LiveVideo`]) gets a fragment's frames in groups as
//! they arrive ([`FrameRun`]), packaged by the same rules.
//!
//! Packaging rules are the cores'; this crate knows the store, the live tail and HTTP answers.

mod answer;
mod claims;
mod clip;
mod dash;
mod edge;
mod error;
mod facts;
mod fragments;
#[doc(hidden)]
pub mod fuzz;
mod hls;
mod init;
mod live_sound;
mod live_video;
mod lru;
mod parts;
mod query;
mod segment;
mod service;
mod session;
mod sound_length;
mod source;
mod stills;
mod thumbnails;
mod timelines;
mod token;
mod tracks;
mod transport;

pub use claims::{Claims, DiscontinuityMode, Mode, PartRule, Protocol};
pub use clip::{Clip, ClipLimits, ClipRequest};
pub use error::PlaybackError;
pub use live_sound::{LiveSound, SoundEncoder, SoundGroup, SoundRun};
pub use live_video::{Cadence, FrameGroup, FrameRun, LiveVideo};
pub use service::{CacheSizes, Service};
pub use session::SessionRequest;
pub use source::{PlaybackStream, Source};
pub use stills::{CodedPicture, Exactness};
pub use streamkeep_packaging::{Axis, Origin};
