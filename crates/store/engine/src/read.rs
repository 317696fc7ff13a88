//! Reading fragments back.

use std::sync::Arc;

use bytes::Bytes;
use streamkeep_io::VolumeFile;
use streamkeep_keys::{DataKey, KeysError, WrappedDataKey};
use streamkeep_media::{FragmentNumber, StreamId};
use streamkeep_volume::{
    FragmentMeta, FragmentReader, FragmentRow, Via, VolumeError, VolumeUuid, read_fragment,
};

use crate::query::IndexedRow;
use crate::sealed::is_gone;
use crate::shared::Shared;
use crate::stream::{CachedKey, StreamState, lock};
use crate::{KeyFailure, StoreError};

/// A fragment read whole. Every byte has passed its authentication tag.
#[derive(Clone, Debug)]
pub struct StoredFragment {
    /// What the index knows of it.
    pub row: IndexedRow,
    /// What was sealed with it: session header, frame table, tags.
    pub meta: FragmentMeta,
    /// Its bytes as sent: the Cluster and all up to the next.
    pub media: Bytes,
}

/// Where a fragment's bytes are and what opens them.
struct Place {
    file: Arc<dyn VolumeFile>,
    uuid: VolumeUuid,
    key: Arc<DataKey>,
}

impl Shared {
    pub(crate) fn read_number(
        &self,
        stream: &StreamState,
        number: FragmentNumber,
    ) -> Result<StoredFragment, StoreError> {
        let missing = StoreError::NoSuchFragment { stream: stream.id, number };
        let row = self.row(stream, number)?.ok_or(missing)?;
        self.read_row(stream, &row, Via::Cache)
    }

    /// Whether a fragment lies in what its lane leaves in the page cache.
    pub(crate) fn was_just_written(&self, row: &IndexedRow) -> bool {
        let window = self.options.page_cache_len;
        self.unsealed().get(&row.volume).is_some_and(|volume| {
            volume.read().durable_len.saturating_sub(row.location.offset) <= window
        })
    }

    pub(crate) fn read_row(
        &self,
        stream: &StreamState,
        row: &IndexedRow,
        via: Via,
    ) -> Result<StoredFragment, StoreError> {
        self.counters.reads.add(1);
        let number = row.number;
        let missing = || StoreError::NoSuchFragment { stream: stream.id, number };
        self.check_visible(stream, number)?;
        let key = self.stream_key(stream)?;
        let read = |row: &IndexedRow| {
            let place = self.place(stream.id, &key, row)?;
            read_fragment(&*place.file, place.uuid, stream.id, row, &place.key, via)
                .map_err(ReadError::Volume)
        };
        let (row, result) = match read(row) {
            // A sorted copy took the volume's place since the row was looked up.
            Err(ReadError::Volume(error)) if is_gone(&error) => {
                let row = self.row(stream, number)?.ok_or_else(missing)?;
                let result = read(&row);
                (row, result)
            }
            result => (row.clone(), result),
        };
        // Deleted while we read: its media is not to be had any more.
        if stream.is_deleted() {
            return Err(StoreError::StreamGone(stream.id));
        }
        match result {
            Ok(read) => Ok(StoredFragment { row, meta: read.meta, media: read.media }),
            Err(error) => Err(self.read_failed(stream.id, &row, error)),
        }
    }

    /// What expired is not to be had any more, also where it still lies on the disk.
    fn check_visible(
        &self,
        stream: &StreamState,
        number: FragmentNumber,
    ) -> Result<(), StoreError> {
        match number < stream.config().number_floor(self.seams.clock.now()) {
            true => Err(StoreError::NoSuchFragment { stream: stream.id, number }),
            false => Ok(()),
        }
    }

    /// As [`read_row`](Self::read_row), when nothing has to be read from the disk for it.
    pub(crate) fn read_cached_row(
        &self,
        stream: &StreamState,
        row: &IndexedRow,
    ) -> Result<Option<StoredFragment>, StoreError> {
        self.check_visible(stream, row.number)?;
        let is_sealed = !self.unsealed().contains_key(&row.volume);
        if is_sealed && !self.sealed.is_open(row.volume) {
            return Ok(None);
        }
        let key = self.stream_key(stream)?;
        let read = || {
            let place = self.place(stream.id, &key, row).ok()?;
            read_fragment(&*place.file, place.uuid, stream.id, row, &place.key, Via::CacheAlone)
                .ok()
        };
        // What is wrong, if anything, the ordinary way finds out.
        let Some(read) = read() else { return Ok(None) };
        if stream.is_deleted() {
            return Err(StoreError::StreamGone(stream.id));
        }
        self.counters.reads.add(1);
        Ok(Some(StoredFragment { row: row.clone(), meta: read.meta, media: read.media }))
    }

    /// The meta section of a visible row, from wherever it lies now.
    pub(crate) fn read_meta_of(
        &self,
        stream: &StreamState,
        row: &IndexedRow,
    ) -> Result<FragmentMeta, StoreError> {
        if stream.is_deleted() {
            return Err(StoreError::StreamGone(stream.id));
        }
        self.check_visible(stream, row.number)?;
        let key = self.stream_key(stream)?;
        self.read_meta(stream, &key, row)
    }

    /// The meta section alone.
    pub(crate) fn read_meta(
        &self,
        stream: &StreamState,
        key: &CachedKey,
        row: &IndexedRow,
    ) -> Result<FragmentMeta, StoreError> {
        let read = |row: &IndexedRow| {
            let place = self.place(stream.id, key, row)?;
            FragmentReader::open(place.file, place.uuid, stream.id, row, &place.key)
                .map_err(ReadError::Volume)
        };
        let (row, result) = match read(row) {
            // A sorted copy took the volume's place since the row was looked up.
            Err(ReadError::Volume(error)) if is_gone(&error) => {
                let number = row.number;
                let missing = StoreError::NoSuchFragment { stream: stream.id, number };
                let row = self.row(stream, number)?.ok_or(missing)?;
                let result = read(&row);
                (row, result)
            }
            result => (row.clone(), result),
        };
        match result {
            Ok(reader) => Ok(reader.meta().clone()),
            Err(error) => Err(self.read_failed(stream.id, &row, error)),
        }
    }

    fn place(
        &self,
        stream: StreamId,
        key: &CachedKey,
        row: &IndexedRow,
    ) -> Result<Place, ReadError> {
        let generation = row.key_generation;
        let unsealed = self.unsealed().get(&row.volume).cloned();
        let (file, uuid, wrapped) = match unsealed {
            Some(volume) => {
                let wrapped = volume.read().keys.get(&(stream, generation)).copied();
                (volume.file.clone(), volume.header.uuid, wrapped)
            }
            None => {
                let volume = self.sealed.open(row.volume).map_err(ReadError::Volume)?;
                let wrapped = volume.key(stream, generation).map_err(ReadError::Volume)?;
                (volume.file.clone(), volume.footer.volume_uuid(), wrapped)
            }
        };
        let wrapped = wrapped.ok_or(ReadError::Key(KeyFailure::Missing { generation }))?;
        let key = self.data_key(key, &wrapped)?;
        Ok(Place { file, uuid, key })
    }

    fn data_key(
        &self,
        key: &CachedKey,
        wrapped: &WrappedDataKey,
    ) -> Result<Arc<DataKey>, ReadError> {
        let now = self.seams.clock.monotonic();
        if let Some(data_key) = lock(&self.data_keys).get(wrapped, now) {
            return Ok(data_key);
        }
        let data_key = key.key.unwrap_data_key(wrapped);
        let data_key = Arc::new(data_key.map_err(|error| ReadError::Key(KeyFailure::Keys(error)))?);
        lock(&self.data_keys).insert(*wrapped, data_key.clone(), now);
        Ok(data_key)
    }

    fn read_failed(&self, stream: StreamId, row: &IndexedRow, error: ReadError) -> StoreError {
        let error = match error {
            ReadError::Key(source) => StoreError::Key { stream, source },
            ReadError::Volume(error) => from_volume(row.volume, row, error),
        };
        if matches!(error, StoreError::Damaged { .. }) {
            self.counters.damaged_reads.add(1);
            tracing::error!(%stream, number = %row.number, %error, "a stored fragment is damaged");
        }
        error
    }
}

enum ReadError {
    Key(KeyFailure),
    Volume(VolumeError),
}

/// What a failed read of a record says to the caller.
fn from_volume(volume: u64, row: &FragmentRow, error: VolumeError) -> StoreError {
    let damaged = |what| StoreError::Damaged { volume, offset: row.location.offset, what };
    match error {
        VolumeError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            damaged("the file ends before it")
        }
        VolumeError::Io(error) => {
            StoreError::io("read", streamkeep_volume::VolumeId(volume).file_name())(error)
        }
        VolumeError::Keys(KeysError::CommitmentMismatch) => damaged("sealed under another key"),
        VolumeError::Keys(_) => damaged("authentication tag"),
        VolumeError::Mismatch { .. } => damaged("another record is in its place"),
        _ => damaged("checksum"),
    }
}
