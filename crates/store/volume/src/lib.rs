//! The volume file format: an append-only file of sealed fragments of many streams.
//!
//! `design/store.md`, "Volume", is the specification; the modules follow its order:
//! [`VolumeHeader`], batches ([`BatchBuilder`], [`BatchHeader`]), records ([`RecordHeader`], with
//! the [`FragmentRow`] in clear and the [`FragmentMeta`] sealed), footer ([`FooterBuilder`],
//! [`Footer`]). [`walk`] finds what is valid in a volume that was not sealed, [`verify`] and
//! [`dump`] serve the offline tools.
//!
//! This crate knows bytes and files. It decides nothing about lanes, retention or the catalog,
//! and it never parses media.

mod batch;
mod checksum;
mod cursor;
#[cfg(test)]
mod design_note;
mod dump;
mod error;
mod footer;
mod fragment_reader;
#[doc(hidden)]
pub mod fuzz;
mod limits;
mod meta;
mod pending_fragment;
mod record;
mod row;
#[cfg(test)]
mod sample;
mod varint;
mod verify;
mod volume_header;
mod walk;
#[cfg(test)]
mod worked_example;

pub use batch::{BATCH_HEADER_LEN, Batch, BatchBuilder, BatchHeader};
pub use checksum::{Crc64Nvme, VolumeHash, VolumeHasher};
pub use dump::{DumpItem, dump};
pub use error::{Part, VolumeError};
pub use footer::{Footer, FooterBuilder, FooterBytes, FooterHead, Run};
pub use fragment_reader::{FragmentReader, StoredFragment, Via, read_fragment};
pub use limits::{MEDIA_LEN_MAX, META_LEN_MAX, RUNS_MAX, TRACKS_MAX};
pub use meta::{FINGERPRINT_LEN, FragmentMeta};
pub use pending_fragment::PendingFragment;
pub use record::{FragmentRecord, RecordBody, RecordHeader};
pub use row::{FragmentRow, Location, PlacedRow, RunningCounters, TrackRow};
pub use verify::{DataKeys, Problem, VerifyLevel, VerifyReport, verify};
pub use volume_header::{FORMAT_VERSION, VolumeHeader, VolumeId, VolumeUuid};
pub use walk::{Damage, Holes, LostFragment, PayloadCheck, Tail, Walk, WalkOptions, walk};
