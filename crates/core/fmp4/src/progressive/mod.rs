//! Progressive files: not fragmented, all tables in front, streamed (packaging.md §3.3).
//!
//! ```text
//! ftyp
//! moov  mvhd v1, per track: tkhd v1, [edts/elst v1], mdhd v1, …,
//!       stbl (stsd, stts, [ctts v1, [cslg]], [stss], stsc, stsz, co64)
//! mdat  chunks in the order they were added
//! ```
//!
//! The head needs only what the index knows of each frame. Chunk offsets always have 64 bits, so
//! the head's length, and with it that of the file, is known before any payload is read.

mod builder;
mod edit;
mod run_lengths;
mod track_tables;

pub use self::builder::{MovieBuilder, MovieLayout, MovieTrack, TrackIndex};
pub use self::edit::{Edit, MOVIE_TIMESCALE};

pub(crate) use self::builder::TrackPlan;
pub(crate) use self::run_lengths::RunLengths;
pub(crate) use self::track_tables::{CompositionRange, TrackTables};
