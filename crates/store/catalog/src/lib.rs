//! The catalog: which streams exist and which volume holds what, behind two traits.
//!
//! [`ControlCatalog`] holds what cannot be found again elsewhere: streams, their settings, their
//! wrapped keys, small named values. [`IndexCatalog`] holds what volumes say about themselves: one
//! row per volume and one per run, a run being one stream's fragments in one volume. Fragments have
//! no rows here; they stand in the footer of their volume, where a run's rows are found by its
//! stream.
//!
//! The SQLite form keeps both apart in two files, because they promise different things: control
//! transactions survive a power cut, index transactions may lose the latest ones and are made again
//! from the volumes. The memory form is for tests. [`suite`] is what every form must pass.
//!
//! A [stream card](StreamCards) is a small file per stream that repeats its control row, so that
//! cards, volumes and the root key rebuild both databases (`design/store.md`).
//!
//! Calls block and take internal locks; none is meant for an async task.

mod card;
mod carded;
mod control;
mod error;
mod index;
mod memory;
mod sqlite;
pub mod suite;

pub use card::{CardDamage, ReconcileReport, StreamCards};
pub use carded::CardedControl;
pub use control::{ControlCatalog, StorageTier, StreamRecord, StreamStatus};
pub use error::{CatalogError, ConflictOn};
pub use index::{
    IndexCatalog, RunRecord, SpanPage, TimeAxis, VolumeRecord, VolumeState, span_class,
};
pub use memory::{MemoryControl, MemoryIndex};
pub use sqlite::{SqliteControl, SqliteIndex};
