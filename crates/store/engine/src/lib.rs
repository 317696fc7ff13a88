//! The fragment store: what is acknowledged comes back bit-exact, after any crash.
//!
//! [`Engine`] writes fragments of many streams into a few volumes, one sync per batch, and finds and
//! reads them again. `design/store.md` is its specification: order of an append, failure, recovery,
//! retention. The volume format is `streamkeep-volume`'s, the catalog `streamkeep-catalog`'s; this
//! crate decides when and in which order they are used, and never parses media.
//!
//! ```text
//! append ─ seal ─→ Lane (bounded queue) ─→ Writer: batch, sync, publish, complete
//!                                            │ closed volume
//!                                            ↓
//! rows, read ←── Unsealed (memory) ──→ Keeper: footer, sync, catalog ──→ SealedVolumes (LRU)
//! ```
//!
//! Blocking and runtime-free: callers are plain threads or a blocking pool. All time, randomness and
//! files come through [`Seams`].

mod append;
mod ballast;
mod copy;
mod deletion;
mod engine;
mod error;
mod fingerprint;
mod footage;
mod health;
mod keeper;
mod lane;
mod lock;
mod lru;
mod numbering;
mod options;
mod page_window;
mod query;
mod read;
mod recent;
mod recovery;
mod removal;
mod retention;
mod retention_clock;
mod seal;
mod sealed;
mod shared;
mod stats;
mod stream;
mod tools;
mod unsealed;
mod writer;

pub use ballast::release_ballast;
pub use engine::Engine;
pub use error::{AppendRefused, KeyFailure, ReadOnlyReason, StoreError};
pub use footage::Footage;
pub use health::{Concern, Health};
pub use lane::{AppendDone, Appended};
pub use lock::{Host, StoreLock};
pub use options::{Drive, Options, Seams, SortOnSeal, StreamKeys, Watermarks};
pub use query::{IndexedRow, PageKey, RowQuery, RowRange};
pub use read::StoredFragment;
pub use recovery::RecoveryReport;
pub use retention::StreamConfig;
pub use stats::{LATENCY_BOUNDS_US, LatencyCounts, LatencyHistogram, Stats};
pub use streamkeep_catalog::TimeAxis;
pub use tools::{
    FsckLevel, FsckProblem, FsckReport, Offline, RebuildReport, fsck, rebuild_index, stores_in,
};
