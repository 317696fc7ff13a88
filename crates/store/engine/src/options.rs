//! How an engine is set up.

use std::sync::Arc;
use std::time::Duration;

use streamkeep_io::{Clock, Rng, VolumeIo};
use streamkeep_keys::{StoreId, StreamKey};
use streamkeep_media::StreamId;

use crate::StoreError;

/// Settings. [`Options::new`] holds the defaults, each with its reason at the field.
#[derive(Clone, Debug)]
pub struct Options {
    /// The store. Volumes of another store are refused.
    pub store: StoreId,
    /// How often the store was started: larger than at any start before, 24 bits used. From
    /// `ControlCatalog::next_epoch`.
    pub owner_epoch: u32,
    /// Bytes a volume may have before its footer. 1 GiB: large enough that opening and sealing do
    /// not matter, small enough that retention frees space in steps.
    pub volume_len: u64,
    /// Fragments a volume may have. 32,768, so that the rows of an unsealed volume fit in memory
    /// (about 10 MB) and those of a run are read at once in milliseconds.
    pub volume_rows_max: usize,
    /// A volume that is not full is sealed when it is this old: one hour, so that retention of a
    /// small store works in hours.
    pub seal_after: Duration,
    /// Groups of streams that are written in parallel, per retention class; `None` for
    /// clamp(streams / 1024, 1, 4). More lanes put one stream's fragments closer together and cost
    /// more syncs: with one lane 1,000 cameras of 250 KB every 2 s fill batches of several MB at
    /// about 30 syncs a second, with sixteen each sync covers one or two fragments.
    pub lanes: Option<u32>,
    /// When sealed volumes are rewritten in order of stream.
    pub sort_on_seal: SortOnSeal,
    /// Whether volumes are hashed while they are written, for checking uploads later. Without it the
    /// hash is made by reading the volume when it is needed.
    pub hash_volumes: bool,
    /// Bytes of records that one batch takes at most: 8 MiB.
    pub batch_len_max: usize,
    /// Bytes written last that each lane leaves in the page cache: 256 MiB, two seconds of 1,000
    /// cameras or minutes of a few. What is older leaves it, so that a recorder does not push
    /// everything else out of memory.
    pub page_cache_len: u64,
    /// How much of a removed volume is given back to the file system at a time: 16 MiB.
    pub free_piece_len: u64,
    /// Bytes that may wait at one lane: 64 MiB, half a second of 1,000 cameras.
    pub lane_queue_len_max: u64,
    /// Bytes that may wait in all lanes together: 256 MiB.
    pub queue_len_max: u64,
    /// How long fragments are remembered in memory to find repeated ones: 10 minutes, several times
    /// what a camera buffers.
    pub recent_window: Duration,
    /// Bytes of rows of sealed volumes kept in memory: 64 MiB.
    pub row_cache_len: usize,
    /// Sealed volumes kept open: 256.
    pub open_volumes_max: usize,
    /// Unwrapped data keys kept for reading: 4,096.
    pub data_keys_max: usize,
    /// How long an unwrapped key is used before the stream's key is asked for again: one hour.
    pub key_ttl: Duration,
    /// Limits on disk usage, in percent of the file system.
    pub watermarks: Watermarks,
    /// Bytes set aside to start and delete with on a full disk: 64 MiB; 0 for none.
    pub ballast_len: u64,
    /// How often expired volumes are looked for: every minute.
    pub retention_interval: Duration,
    /// How long the volumes of streams without a stream key are kept after their newest fragment:
    /// 7 days, time to bring a lost key back. Without it they cannot be read.
    pub orphan_retention: Duration,
    /// How often a read-only store tries whether it can write again: every 5 seconds.
    pub probe_interval: Duration,
    /// Who runs the lanes.
    pub drive: Drive,
}

/// When sealed volumes are rewritten in order of stream, so that one stream's fragments can be read
/// in one piece. It doubles the bytes written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOnSeal {
    /// When a volume holds many streams and the store is nearly idle.
    Auto,
    /// Every volume with more than one stream.
    Always,
    /// Never.
    Never,
}

/// Shares of the file system in use, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// From here on the health says so.
    pub warn: u8,
    /// From here on expired volumes go at once, not at the next interval.
    pub delete_early: u8,
    /// From here on appends are refused.
    pub refuse: u8,
}

/// Who runs the lanes and the housekeeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drive {
    /// Threads of the engine.
    Threads,
    /// The caller, by [`Engine::drive`](crate::Engine::drive): every run of a test does the same in
    /// the same order. Nothing is stored between the calls.
    Manual,
}

impl Options {
    /// The defaults.
    pub fn new(store: StoreId, owner_epoch: u32) -> Self {
        Self {
            store,
            owner_epoch,
            volume_len: 1 << 30,
            volume_rows_max: 32_768,
            seal_after: Duration::from_secs(3600),
            lanes: None,
            sort_on_seal: SortOnSeal::Auto,
            hash_volumes: false,
            batch_len_max: 8 << 20,
            page_cache_len: 256 << 20,
            free_piece_len: 16 << 20,
            lane_queue_len_max: 64 << 20,
            queue_len_max: 256 << 20,
            recent_window: Duration::from_secs(600),
            row_cache_len: 64 << 20,
            open_volumes_max: 256,
            data_keys_max: 4096,
            key_ttl: Duration::from_secs(3600),
            watermarks: Watermarks { warn: 80, delete_early: 88, refuse: 95 },
            ballast_len: 64 << 20,
            retention_interval: Duration::from_secs(60),
            orphan_retention: Duration::from_secs(7 * 24 * 3600),
            probe_interval: Duration::from_secs(5),
            drive: Drive::Threads,
        }
    }
}

/// What the engine reaches the world through.
#[derive(Clone, Debug)]
pub struct Seams {
    /// The data directory: the ballast is kept in it.
    pub root: Arc<dyn VolumeIo>,
    /// The directory of the volumes.
    pub volumes: Arc<dyn VolumeIo>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes for keys, salts and ids.
    pub rng: Arc<dyn Rng>,
}

/// Where stream keys come from.
pub trait StreamKeys: Send + Sync {
    /// The key of a stream that is to be used now. Called again after
    /// [`key_ttl`](Options::key_ttl); must not call the engine.
    ///
    /// # Errors
    /// `StreamGone` when there is no such stream or its key was removed, `Key` with `Unavailable`
    /// when the source does not answer.
    fn stream_key(&self, stream: StreamId) -> Result<Arc<StreamKey>, StoreError>;
}
