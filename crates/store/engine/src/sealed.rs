//! Sealed volumes: opened when they are read, kept open while they are in use.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use streamkeep_io::{Access, VolumeFile, VolumeIo};
use streamkeep_keys::{StoreId, WrappedDataKey};
use streamkeep_media::StreamId;
use streamkeep_volume::{Footer, FragmentRow, Part, Run, VolumeError, VolumeId};

use crate::lru::Lru;

/// A sealed volume that is open.
#[derive(Debug)]
pub(crate) struct SealedVolume {
    pub(crate) file: Arc<dyn VolumeFile>,
    pub(crate) footer: Footer,
    keys: OnceLock<HashMap<(StreamId, u32), WrappedDataKey>>,
}

/// The fragments of one stream in one sealed volume. Its rows are read in blocks, when they are
/// asked for.
#[derive(Debug)]
pub(crate) struct SealedRun {
    volume_id: u64,
    volume: Arc<SealedVolume>,
    run: Run,
}

/// Neighbouring rows of a run, in order of number.
pub(crate) type Block = Arc<[Arc<FragmentRow>]>;

/// Positions of a run's rows by producer timestamp, then number.
pub(crate) type Order = Arc<[u32]>;

/// Open volumes and rows lately read, both bounded.
#[derive(Debug)]
pub(crate) struct SealedVolumes {
    dir: Arc<dyn VolumeIo>,
    store: StoreId,
    open: Mutex<Lru<u64, Arc<SealedVolume>>>,
    blocks: Mutex<Lru<(u64, StreamId, u32), Block>>,
    orders: Mutex<Lru<(u64, StreamId), Order>>,
}

impl SealedVolumes {
    pub(crate) fn new(
        dir: Arc<dyn VolumeIo>,
        store: StoreId,
        open_max: usize,
        rows_len_max: usize,
    ) -> Self {
        Self {
            dir,
            store,
            open: Mutex::new(Lru::new(open_max)),
            blocks: Mutex::new(Lru::new(rows_len_max - rows_len_max / 8)),
            orders: Mutex::new(Lru::new(rows_len_max / 8)),
        }
    }

    /// The volume, opened unless it is open. No lock is held while the file is read, so two threads
    /// may open one volume at once; one of the two handles is dropped soon.
    pub(crate) fn open(&self, volume: u64) -> Result<Arc<SealedVolume>, VolumeError> {
        if let Some(open) = lock(&self.open).get(&volume) {
            return Ok(open);
        }
        let file = self.dir.open(&VolumeId(volume).file_name(), Access::Read)?;
        let opened = Arc::new(SealedVolume::open(file, self.store, VolumeId(volume))?);
        lock(&self.open).insert(volume, opened.clone(), 1);
        Ok(opened)
    }

    /// Whether [`open`](Self::open) finds the volume, keys included, without reading.
    pub(crate) fn is_open(&self, volume: u64) -> bool {
        lock(&self.open).get(&volume).is_some_and(|volume| volume.keys.get().is_some())
    }

    /// The run of a stream in a volume; `None` when it has none there.
    pub(crate) fn run(
        &self,
        volume_id: u64,
        stream: StreamId,
    ) -> Result<Option<SealedRun>, VolumeError> {
        let volume = self.open(volume_id)?;
        let run = volume.footer.run(stream).cloned();
        Ok(run.map(|run| SealedRun { volume_id, volume, run }))
    }

    /// The rows from `index * BLOCK_ROWS` on, as many as there are up to the next block.
    pub(crate) fn block(&self, run: &SealedRun, index: u32) -> Result<Block, VolumeError> {
        let key = (run.volume_id, run.run.stream, index);
        if let Some(block) = lock(&self.blocks).get(&key) {
            return Ok(block);
        }
        let start = index * BLOCK_ROWS;
        let end = run.len().min(start + BLOCK_ROWS);
        let SealedVolume { file, footer, .. } = &*run.volume;
        let rows = footer.read_rows(&**file, &run.run, start..end)?;
        let len = rows.iter().map(row_len).sum();
        let block: Block = rows.into_iter().map(Arc::new).collect();
        lock(&self.blocks).insert(key, block.clone(), len);
        Ok(block)
    }

    /// One row, without keeping it: for a search.
    pub(crate) fn probe(&self, run: &SealedRun, row: u32) -> Result<FragmentRow, VolumeError> {
        let SealedVolume { file, footer, .. } = &*run.volume;
        let rows = footer.read_rows(&**file, &run.run, row..row + 1)?;
        rows.into_iter().next().ok_or(VolumeError::Mismatch { part: Part::Row, offset: 0 })
    }

    /// The order of a run by producer timestamp; `None` when that is the order of numbers.
    pub(crate) fn producer_order(&self, run: &SealedRun) -> Result<Option<Order>, VolumeError> {
        if run.run.is_in_producer_order() {
            return Ok(None);
        }
        let key = (run.volume_id, run.run.stream);
        if let Some(order) = lock(&self.orders).get(&key) {
            return Ok(Some(order));
        }
        let SealedVolume { file, footer, .. } = &*run.volume;
        let order = footer.read_producer_order(&**file, &run.run)?;
        let order: Option<Order> = order.map(Into::into);
        if let Some(order) = &order {
            lock(&self.orders).insert(key, order.clone(), size_of_val(&**order));
        }
        Ok(order)
    }

    /// Closes a volume that is about to be removed. Readers that have it finish on their handle.
    pub(crate) fn forget_volume(&self, volume: u64) {
        lock(&self.open).remove(&volume);
        lock(&self.blocks).retain(|(other, ..)| *other != volume);
        lock(&self.orders).retain(|(other, _)| *other != volume);
    }

    pub(crate) fn forget_stream(&self, stream: StreamId) {
        lock(&self.blocks).retain(|(_, other, _)| *other != stream);
        lock(&self.orders).retain(|(_, other)| *other != stream);
    }
}

impl SealedVolume {
    /// Opens a file that should be the sealed volume `id` of `store`.
    pub(crate) fn open(
        file: Arc<dyn VolumeFile>,
        store: StoreId,
        id: VolumeId,
    ) -> Result<Self, VolumeError> {
        let footer = Footer::open_any(&*file)?;
        if (footer.store(), footer.volume_id()) != (store, id) {
            return Err(VolumeError::Mismatch { part: Part::Trailer, offset: footer.len() });
        }
        Ok(Self { file, footer, keys: OnceLock::new() })
    }

    /// The wrapped data key of a generation of a stream, as the volume carries it.
    pub(crate) fn key(
        &self,
        stream: StreamId,
        generation: u32,
    ) -> Result<Option<WrappedDataKey>, VolumeError> {
        let keys = match self.keys.get() {
            Some(keys) => keys,
            None => {
                let keys = self.footer.read_keys(&*self.file)?;
                let keys = keys.into_iter().map(|key| ((key.stream, key.generation), key));
                self.keys.get_or_init(|| keys.collect())
            }
        };
        Ok(keys.get(&(stream, generation)).copied())
    }
}

impl SealedRun {
    /// Rows in it.
    pub(crate) fn len(&self) -> u32 {
        self.run.row_count
    }
}

/// Whether an error says that the volume is no longer where it was: its file was removed, or it is
/// an unsealed one that is about to be. Its fragments may lie in another volume.
pub(crate) fn is_gone(error: &VolumeError) -> bool {
    match error {
        VolumeError::Io(error) => error.kind() == io::ErrorKind::NotFound,
        VolumeError::NotSealed => true,
        _ => false,
    }
}

/// Rows read at once: about 45 KB of a camera's, a quarter of a page of a thousand.
pub(crate) const BLOCK_ROWS: u32 = 256;

/// What a decoded row takes in memory, about.
fn row_len(row: &FragmentRow) -> usize {
    size_of::<FragmentRow>() + std::mem::size_of_val(&*row.tracks) + 40
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A cache has nothing to be left in the middle of.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
