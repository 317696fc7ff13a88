//! Sealed volumes: opened when they are read, kept open while they are in use.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use streamkeep_io::{Access, VolumeFile, VolumeIo};
use streamkeep_keys::{StoreId, WrappedDataKey};
use streamkeep_media::StreamId;
use streamkeep_volume::{Footer, FragmentRow, VolumeError, VolumeId};

use crate::lru::Lru;

/// A sealed volume that is open.
#[derive(Debug)]
pub(crate) struct SealedVolume {
    pub(crate) file: Arc<dyn VolumeFile>,
    pub(crate) footer: Footer,
    keys: OnceLock<HashMap<(StreamId, u32), WrappedDataKey>>,
}

/// The rows of one stream in one sealed volume.
#[derive(Debug)]
pub(crate) struct RunRows {
    /// In order of number.
    pub(crate) rows: Vec<Arc<FragmentRow>>,
    /// Indices of rows by producer timestamp, then number; `None` when that is the same order.
    pub(crate) producer_order: Option<Vec<u32>>,
}

/// Open volumes and rows lately read, both bounded.
#[derive(Debug)]
pub(crate) struct SealedVolumes {
    dir: Arc<dyn VolumeIo>,
    store: StoreId,
    open: Mutex<Lru<u64, Arc<SealedVolume>>>,
    runs: Mutex<Lru<(u64, StreamId), Arc<RunRows>>>,
}

impl SealedVolumes {
    pub(crate) fn new(
        dir: Arc<dyn VolumeIo>,
        store: StoreId,
        open_max: usize,
        rows_len_max: usize,
    ) -> Self {
        let (open, runs) = (Mutex::new(Lru::new(open_max)), Mutex::new(Lru::new(rows_len_max)));
        Self { dir, store, open, runs }
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

    /// The rows of a stream in a volume; `None` when it has none there.
    pub(crate) fn run(
        &self,
        volume: u64,
        stream: StreamId,
    ) -> Result<Option<Arc<RunRows>>, VolumeError> {
        if let Some(run) = lock(&self.runs).get(&(volume, stream)) {
            return Ok(Some(run));
        }
        let opened = self.open(volume)?;
        let Some(run) = opened.footer.run(stream) else { return Ok(None) };
        let rows = opened.footer.read_rows(&*opened.file, run, 0..run.row_count)?;
        let producer_order = opened.footer.read_producer_order(&*opened.file, run)?;
        let len = rows.iter().map(row_len).sum();
        let rows = rows.into_iter().map(Arc::new).collect();
        let loaded = Arc::new(RunRows { rows, producer_order });
        lock(&self.runs).insert((volume, stream), loaded.clone(), len);
        Ok(Some(loaded))
    }

    /// Closes a volume that is about to be removed. Readers that have it finish on their handle.
    pub(crate) fn forget_volume(&self, volume: u64) {
        lock(&self.open).remove(&volume);
        lock(&self.runs).retain(|(other, _)| *other != volume);
    }

    pub(crate) fn forget_stream(&self, stream: StreamId) {
        lock(&self.runs).retain(|(_, other)| *other != stream);
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
            let part = streamkeep_volume::Part::Trailer;
            return Err(VolumeError::Mismatch { part, offset: footer.len() });
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

impl RunRows {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row at a position by producer timestamp.
    pub(crate) fn by_producer(&self, position: usize) -> Option<&Arc<FragmentRow>> {
        match &self.producer_order {
            Some(order) => self.rows.get(*order.get(position)? as usize),
            None => self.rows.get(position),
        }
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

/// What a decoded row takes in memory, about.
fn row_len(row: &FragmentRow) -> usize {
    size_of::<FragmentRow>() + std::mem::size_of_val(&*row.tracks) + 40
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A cache has nothing to be left in the middle of.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
