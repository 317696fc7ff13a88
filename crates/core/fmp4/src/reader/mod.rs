//! The box linter: an independent reader of what this crate writes (packaging.md §9, check 3).
//!
//! It shares no code with the writer and takes nothing on trust: every size adds up, every table
//! has the rows it announces, flags are legal, samples tile the payload. It is strict on purpose
//! and expects exactly the boxes of packaging.md §3 in that order; it is no reader for files from
//! elsewhere. Any bytes may come in; memory stays in proportion to them.

mod body;
mod init;
mod media_segment;
mod movie;
mod sample_tables;
mod track;

pub use self::body::Fault;
pub use self::init::{InitSegment, read_init};
pub use self::media_segment::{MediaSegment, read_media_segment};
pub use self::movie::{Movie, PlacedSample, TrackSamples, read_movie};
pub use self::track::Track;

#[cfg(test)]
mod tests;
