//! The model in the middle of Streamkeep: what every way in produces and every way out reads.
//!
//! A [`Fragment`] is the unit of ingest, storage and playback: one Matroska Cluster with what
//! follows it up to the next Cluster, its frame table, its tags and its times. A [`Track`] is one
//! elementary stream, a [`FrameEntry`] one frame of it, found by offset in the fragment's bytes.
//!
//! No I/O, no clock, no wire formats. Source of the terms: RFC 9559 (Matroska) and
//! `GLOSSARY.md`.

mod fragment;
mod fragment_number;
mod ids;
mod time;
mod track;

pub use fragment::{
    Fragment, FrameEntry, FrameFlags, SessionHeader, Tag, TagGroup, TrackTiming, gather,
};
pub use fragment_number::{FragmentNumber, ParseFragmentNumberError};
pub use ids::StreamId;
pub use time::UnixMillis;
pub use track::{AudioParameters, Track, TrackKind, VideoParameters};
