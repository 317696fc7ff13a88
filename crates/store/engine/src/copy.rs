//! Copying a volume to a new one in order of stream: what was sealed stays sealed, only places
//! change.
//!
//! Serves two ends. A volume whose write or sync failed is left behind as soon as its durable
//! fragments lie elsewhere. And a sorted volume answers "an hour of one camera" with one range
//! instead of hundreds.
//!
//! Write the copy with its footer under a temporary name, sync, rename, sync the directory, one
//! catalog transaction that puts it in the place of the old volume, then delete that. Before the
//! rename a crash leaves a temporary file, which the next start removes; after it two volumes with
//! the same fragments, of which queries show one.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use streamkeep_catalog::CatalogError;
use streamkeep_io::VolumeFile;
use streamkeep_keys::WrappedDataKey;
use streamkeep_media::StreamId;
use streamkeep_volume::{
    BatchBuilder, FooterBuilder, FragmentRow, PendingFragment, VolumeError, VolumeHeader, VolumeId,
    VolumeUuid,
};

use crate::StoreError;
use crate::options::SortOnSeal;
use crate::removal::Space;
use crate::seal::sealed_record;
use crate::sealed::SealedVolume;
use crate::shared::Shared;
use crate::unsealed::{Phase, Unsealed};

/// What is to be copied.
struct Source {
    id: u64,
    uuid: VolumeUuid,
    lane: u32,
    file: Arc<dyn VolumeFile>,
    /// In the order they are to have.
    rows: Vec<(StreamId, Arc<FragmentRow>)>,
    keys: HashMap<(StreamId, u32), WrappedDataKey>,
}

impl Shared {
    /// Takes the durable fragments out of a volume that failed, and removes it.
    pub(crate) fn evacuate(&self, volume: &Arc<Unsealed>) -> Result<(), StoreError> {
        let (rows, keys) = {
            let contents = volume.read();
            if contents.phase != Phase::Suspect {
                return Ok(());
            }
            let rows = contents.runs.iter().filter(|(stream, _)| !self.was_deleted(**stream));
            let rows =
                rows.flat_map(|(stream, rows)| rows.iter().map(|row| (*stream, row.clone())));
            (rows.collect::<Vec<_>>(), contents.keys.clone())
        };
        if rows.is_empty() {
            return self.remove_unsealed(volume);
        }
        let VolumeHeader { id, uuid, lane, .. } = volume.header;
        let file = volume.file.clone();
        self.copy(Source { id: id.0, uuid, lane, file, rows, keys })?;
        self.unsealed_mut().remove(&id.0);
        // It failed once: it is not touched again.
        self.finish_deletion(id.0, Space::AtOnce)
    }

    /// Whether a volume that was just sealed is worth sorting.
    pub(crate) fn wants_sorting(&self, sealed: &SealedVolume, is_busy: bool) -> bool {
        let runs = sealed.footer.runs().len() as u64;
        match self.options.sort_on_seal {
            SortOnSeal::Never => false,
            SortOnSeal::Always => runs > 1,
            SortOnSeal::Auto => {
                // Few streams, or one fragment of each, are found as well without.
                runs >= SORTED_RUNS_MIN && sealed.footer.fragment_count() > 2 * runs && !is_busy
            }
        }
    }

    /// Puts a sorted copy in the place of a sealed volume.
    pub(crate) fn sort(&self, id: u64) -> Result<(), StoreError> {
        let name = VolumeId(id).file_name();
        let failed = |error| copy_error("read", &name)(error);
        let sealed = self.sealed.open(id).map_err(failed)?;
        let (file, footer) = (sealed.file.clone(), &sealed.footer);
        let mut rows = Vec::new();
        for run in footer.runs().iter().filter(|run| !self.was_deleted(run.stream)) {
            let read = footer.read_rows(&*file, run, 0..run.row_count).map_err(failed)?;
            rows.extend(read.into_iter().map(|row| (run.stream, Arc::new(row))));
        }
        let is_sorted = rows.is_sorted_by_key(|(_, row)| row.location.offset);
        if is_sorted || rows.is_empty() {
            return Ok(());
        }
        let lane = VolumeHeader::read(&*file).map_err(failed)?.lane;
        let keys = footer.read_keys(&*file).map_err(failed)?;
        let keys = keys.into_iter().map(|key| ((key.stream, key.generation), key)).collect();
        self.copy(Source { id, uuid: footer.volume_uuid(), lane, file, rows, keys })?;
        self.finish_deletion(id, Space::Later)
    }

    /// Makes the copy and puts it in the place of the source, whose row is then `deleting`.
    fn copy(&self, source: Source) -> Result<(), StoreError> {
        let id = VolumeId(self.next_volume_id.fetch_add(1, Ordering::SeqCst));
        let name = id.file_name();
        let temporary = format!("{name}.tmp");
        let dir = &self.seams.volumes;
        let mut uuid = [0; 16];
        self.seams.rng.fill(&mut uuid);
        let header = VolumeHeader {
            store: self.options.store,
            id,
            uuid: VolumeUuid(uuid),
            lane: source.lane,
            owner_epoch: self.options.owner_epoch,
            created: self.seams.clock.now(),
            read_only_compatible: 0,
            compatible: 0,
        };
        let old = source.id;
        let write = || -> Result<SealedVolume, VolumeError> {
            let file = dir.create(&temporary)?;
            self.write_copy(&header, &*file, source)?;
            SealedVolume::open(file, header.store, id)
        };
        let sealed = write().inspect_err(|_| {
            let _ = dir.unlink(&temporary);
        });
        let sealed = sealed.map_err(copy_error("copy", &name))?;
        let rename = || dir.rename(&temporary, &name).and_then(|()| dir.sync_dir());
        rename().map_err(StoreError::io("rename", &*name))?;

        let expiry = |stream, max_server| self.expiry(stream, max_server);
        let record = sealed_record(&header, &sealed.footer, &expiry);
        let runs = self.run_records(&sealed.footer);
        match self.index.replace_volume(old, &record, &runs) {
            // The index was down when the old volume was made.
            Err(CatalogError::NotFound) => self.index.seal_volume(&record, &runs)?,
            result => result?,
        }
        Ok(())
    }

    fn write_copy(
        &self,
        header: &VolumeHeader,
        file: &dyn VolumeFile,
        source: Source,
    ) -> Result<(), VolumeError> {
        let Source { uuid, file: from, mut rows, keys, .. } = source;
        rows.sort_by_key(|(stream, row)| (*stream, row.number));
        let len: u64 = rows.iter().map(|(_, row)| u64::from(row.location.record_len)).sum();
        // Reserved at once, so that it does not lie in pieces or fail half way.
        file.allocate(VolumeHeader::LEN + len + len / 64)?;
        header.write_to(file)?;
        let mut footer = FooterBuilder::new(*header);
        let mut tail = VolumeHeader::LEN;
        let mut placed_keys = HashMap::new();
        let mut rows = rows.into_iter().peekable();
        for sequence in 0.. {
            if rows.peek().is_none() {
                break;
            }
            // Nothing is durable before the sync at the end, and nobody is told before.
            let mut batch = BatchBuilder::new(header, tail, sequence, 0);
            while batch.len() < self.options.batch_len_max as u64
                && let Some((stream, row)) = rows.next()
            {
                let generation = (stream, row.key_generation);
                if let Some(key) = keys.get(&generation)
                    && placed_keys.insert(generation, ()).is_none()
                {
                    batch.push_key(key);
                    footer.add_key(*key);
                }
                batch.push_fragment(&PendingFragment::read(&*from, uuid, stream, &row)?);
            }
            let batch = batch.finish();
            let began = self.seams.clock.monotonic();
            batch.write_to(file)?;
            // The lanes' syncs would wait for seconds behind a gibibyte that is synced in one go.
            file.sync_data()?;
            let _ = file.drop_cache(tail..batch.end());
            self.counters.syncs.add(1);
            self.counters.written_bytes.add(batch.end() - tail);
            tail = batch.end();
            self.rest_since(began);
            for placed in batch.into_fragments() {
                footer.add_fragment(placed);
            }
        }
        let footer = footer.finish(tail, None)?;
        footer.write_to(file)?;
        file.truncate(footer.end())?;
        file.sync_all()?;
        self.counters.written_bytes.add(footer.bytes().len() as u64);
        self.counters.syncs.add(1);
        Ok(())
    }
}

fn copy_error(operation: &'static str, file: &str) -> impl Fn(VolumeError) -> StoreError {
    move |error| {
        let error = match error {
            VolumeError::Io(error) => error,
            other => io::Error::other(other.to_string()),
        };
        StoreError::io(operation, file)(error)
    }
}

/// From so many streams in one volume on, sorting pays.
const SORTED_RUNS_MIN: u64 = 8;
