//! Fragments read whole, for as long as they are likely to be asked for again.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use streamkeep_engine::{Engine, IndexedRow, StoreError, StoredFragment};
use streamkeep_media::{FragmentNumber, FrameEntry, StreamId};
use streamkeep_volume::FragmentRow;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::PlaybackError;
use crate::lru::Lru;
use crate::tracks::{TrackSet, TrackSets};

/// A fragment ready to be packaged.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) row: Arc<FragmentRow>,
    pub(crate) frames: Vec<FrameEntry>,
    pub(crate) tracks: Arc<TrackSet>,
    pub(crate) media: Bytes,
}

type Cell = Arc<OnceCell<Arc<Loaded>>>;

/// Reads fragments once for all that ask at the same time, and keeps the newest uses.
pub(crate) struct Fragments {
    engine: Engine,
    track_sets: Arc<TrackSets>,
    cells: Mutex<Lru<(StreamId, FragmentNumber), Cell>>,
}

impl Fragments {
    pub(crate) fn new(engine: Engine, track_sets: Arc<TrackSets>, len_max: usize) -> Self {
        Self { engine, track_sets, cells: Mutex::new(Lru::new(len_max)) }
    }

    /// A fragment by its number.
    pub(crate) async fn get(
        &self,
        stream: StreamId,
        number: FragmentNumber,
    ) -> Result<Arc<Loaded>, PlaybackError> {
        self.load(stream, number, None).await
    }

    /// A fragment whose row is known.
    pub(crate) async fn get_row(
        &self,
        stream: StreamId,
        row: IndexedRow,
    ) -> Result<Arc<Loaded>, PlaybackError> {
        self.load(stream, row.number, Some(row)).await
    }

    /// A fragment of many that are read one after another: always on another thread.
    pub(crate) async fn read_ahead(
        &self,
        stream: StreamId,
        row: IndexedRow,
    ) -> Result<Arc<Loaded>, PlaybackError> {
        let engine = self.engine.clone();
        let read = move || engine.read_row(stream, &row);
        self.loaded(spawn_blocking(read).await.map_err(|_| PlaybackError::Stopping)??)
    }

    /// A fragment that nobody else is likely to ask for: it does not push others out.
    pub(crate) async fn read_once(
        &self,
        stream: StreamId,
        number: FragmentNumber,
        row: Option<IndexedRow>,
    ) -> Result<Arc<Loaded>, PlaybackError> {
        let kept = self.cells.lock().unwrap_or_else(PoisonError::into_inner).get(&(stream, number));
        if let Some(loaded) = kept.and_then(|cell| cell.get().cloned()) {
            return Ok(loaded);
        }
        let Some(row) = row else { return self.read(stream, number, None).await };
        if self.engine.was_just_written(&row)
            && let Some(stored) = self.read_at_once(stream, &row)?
        {
            return self.loaded(stored);
        }
        let engine = self.engine.clone();
        let read = move || engine.read_row_once(stream, &row);
        self.loaded(spawn_blocking(read).await.map_err(|_| PlaybackError::Stopping)??)
    }

    async fn load(
        &self,
        stream: StreamId,
        number: FragmentNumber,
        row: Option<IndexedRow>,
    ) -> Result<Arc<Loaded>, PlaybackError> {
        let key = (stream, number);
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            match cells.get(&key) {
                Some(cell) => cell,
                None => {
                    let cell = Cell::default();
                    // Weighed when it is known; until then as a common fragment.
                    cells.insert(key, cell.clone(), USUAL_LEN);
                    cell
                }
            }
        };
        // Who waits takes over when the first caller goes away.
        let loaded = cell.get_or_try_init(|| self.read(stream, number, row)).await?.clone();
        if loaded.weight() > 2 * USUAL_LEN {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            cells.insert(key, cell, loaded.weight());
        }
        Ok(loaded)
    }

    async fn read(
        &self,
        stream: StreamId,
        number: FragmentNumber,
        row: Option<IndexedRow>,
    ) -> Result<Arc<Loaded>, PlaybackError> {
        if let Some(row) = &row
            && let Some(stored) = self.read_at_once(stream, row)?
        {
            return self.loaded(stored);
        }
        let engine = self.engine.clone();
        let read = move || -> Result<StoredFragment, StoreError> {
            match row {
                Some(row) => engine.read_row(stream, &row),
                None => engine.read(stream, number),
            }
        };
        self.loaded(spawn_blocking(read).await.map_err(|_| PlaybackError::Stopping)??)
    }

    /// On this thread, when it is in memory.
    fn read_at_once(
        &self,
        stream: StreamId,
        row: &IndexedRow,
    ) -> Result<Option<StoredFragment>, StoreError> {
        match row.media_len <= AT_ONCE_LEN_MAX {
            true => self.engine.read_cached_row(stream, row),
            false => Ok(None),
        }
    }

    fn loaded(&self, stored: StoredFragment) -> Result<Arc<Loaded>, PlaybackError> {
        let tracks = self.track_sets.get(&stored.meta.session_header)?;
        let StoredFragment { row, meta, media } = stored;
        let row = row.into_row();
        Ok(Arc::new(Loaded { row, frames: meta.frames, tracks, media }))
    }
}

impl Loaded {
    fn weight(&self) -> usize {
        self.media.len() + self.frames.len() * size_of::<FrameEntry>() + 1_000
    }

    /// The bytes of a frame; empty when the table points outside, which a stored one does not.
    pub(crate) fn frame_bytes(&self, frame: &FrameEntry) -> &[u8] {
        let start = frame.offset as usize;
        self.media.get(start..start + frame.len as usize).unwrap_or_default()
    }
}

/// Read on the thread that asks, when it is in memory: a quarter of a millisecond.
const AT_ONCE_LEN_MAX: u32 = 1 << 20;
/// 2 s at 1 Mbit/s.
const USUAL_LEN: usize = 256 * 1024;
