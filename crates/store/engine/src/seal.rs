//! Sealing: footer, sync, truncate, sync, one catalog transaction.

use std::io;
use std::sync::Arc;

use streamkeep_catalog::{RunRecord, VolumeRecord, VolumeState};
use streamkeep_media::{StreamId, UnixMillis};
use streamkeep_volume::{Footer, Run, VolumeError, VolumeHeader};

use crate::error::store_wide;
use crate::health::Concern;
use crate::removal::Space;
use crate::sealed::SealedVolume;
use crate::shared::Shared;
use crate::unsealed::{Phase, Unsealed};
use crate::{ReadOnlyReason, StoreError};

impl Shared {
    /// Seals a volume that nothing is appended to any more. Repeatable; what fails for want of space
    /// or because of the index is tried again later.
    pub(crate) fn seal(&self, volume: &Arc<Unsealed>) -> Result<(), StoreError> {
        let (phase, is_empty) = {
            let contents = volume.read();
            (contents.phase, contents.fragment_count == 0)
        };
        match phase {
            Phase::Writing | Phase::Suspect => return Ok(()),
            Phase::Closed if is_empty => return self.remove_unsealed(volume),
            Phase::Closed => {
                self.put_footer(volume)?;
                volume.set_phase(Phase::Footed);
            }
            Phase::Footed => {}
        }
        // What was written is read back before it takes the place of the rows in memory.
        let read_back = || {
            let file = volume.file.clone();
            SealedVolume::open(file, self.options.store, volume.header.id)
        };
        let sealed = read_back().map_err(|error| self.seal_failed(volume, &error.into()))?;
        let expiry = |stream, max_server| self.expiry(stream, max_server);
        let record = sealed_record(&volume.header, &sealed.footer, &expiry);
        let runs = self.run_records(&sealed.footer);
        self.index.seal_volume(&record, &runs).inspect_err(|error| {
            let what = format!("the index takes no rows: {error}");
            self.health.concern(Concern::Index, Some(what));
        })?;
        self.health.concern(Concern::Index, None);
        self.unsealed_mut().remove(&volume.id());
        self.counters.volumes_sealed.add(1);
        let is_busy = self.is_busy.load(std::sync::atomic::Ordering::Relaxed);
        if self.wants_sorting(&sealed, is_busy) && !self.is_closing() {
            self.add_chore(|chores| chores.to_sort.push_back(volume.id()));
        }
        Ok(())
    }

    fn put_footer(&self, volume: &Unsealed) -> Result<(), StoreError> {
        let (footer, end, hasher) = {
            let contents = volume.read();
            (contents.footer(volume.header), contents.durable_len, contents.hasher.clone())
        };
        let write = || -> Result<u64, VolumeError> {
            let footer = footer.finish(end, hasher)?;
            footer.write_to(&*volume.file)?;
            volume.file.sync_data()?;
            volume.file.truncate(footer.end())?;
            volume.file.sync_all()?;
            Ok(footer.bytes().len() as u64)
        };
        let len = write().map_err(|error| self.seal_failed(volume, &error.into()))?;
        self.counters.syncs.add(2);
        self.counters.written_bytes.add(len);
        Ok(())
    }

    /// After a failed write or sync the file is left alone; its rows stay in memory.
    fn seal_failed(&self, volume: &Unsealed, failure: &SealFailure) -> StoreError {
        self.counters.write_failures.add(1);
        if failure.store_wide != Some(ReadOnlyReason::NoSpace) {
            volume.set_phase(Phase::Suspect);
            let record = self.record_of(volume, VolumeState::Suspect);
            if let Err(error) = self.index.update_volume(&record) {
                tracing::warn!(%error, volume = record.id, "cannot mark the volume suspect");
            }
            let what = format!("sealing volume {:016x} failed; it is not used any more", record.id);
            self.health.concern(Concern::SuspectVolume, Some(what));
        }
        let source = io::Error::other(failure.what.clone());
        StoreError::io("seal", volume.header.id.file_name())(source)
    }

    /// The catalog rows of a sealed volume's runs, without those of streams deleted since.
    pub(crate) fn run_records(&self, footer: &Footer) -> Vec<RunRecord> {
        let volume = footer.volume_id().0;
        let runs = footer.runs().iter().filter(|run| !self.was_deleted(run.stream));
        runs.map(|run| run_record(volume, run)).collect()
    }

    /// Removes a volume that holds nothing.
    pub(crate) fn remove_unsealed(&self, volume: &Unsealed) -> Result<(), StoreError> {
        self.remove_file(volume.id(), Space::AtOnce)?;
        self.index.remove_volume(volume.id())?;
        self.unsealed_mut().remove(&volume.id());
        Ok(())
    }
}

/// The catalog row of a sealed volume. `expiry` says when the fragments of a stream up to a server
/// timestamp are no longer kept.
pub(crate) fn sealed_record(
    header: &VolumeHeader,
    footer: &Footer,
    expiry: &dyn Fn(StreamId, UnixMillis) -> UnixMillis,
) -> VolumeRecord {
    let runs = footer.runs();
    let max_server = runs.iter().map(|run| run.server_max).max().unwrap_or(UnixMillis(0));
    let max_expiry = runs.iter().map(|run| expiry(run.stream, run.server_max)).max();
    VolumeRecord {
        id: header.id.0,
        uuid: header.uuid.0,
        lane: header.lane,
        state: VolumeState::Sealed,
        created: header.created,
        length: footer.len(),
        indexed_upto: footer.offset(),
        max_server,
        max_expiry: max_expiry.unwrap_or(UnixMillis(0)),
        fragment_count: footer.fragment_count(),
        record_bytes: runs.iter().map(|run| run.record_bytes).sum(),
    }
}

/// A footer's run as the catalog has it.
pub(crate) fn run_record(volume: u64, run: &Run) -> RunRecord {
    RunRecord {
        volume,
        stream: run.stream,
        first: run.first_number,
        last: run.last_number,
        fragment_count: run.row_count,
        min_producer: run.producer_min,
        max_producer: run.producer_max,
        record_bytes: run.record_bytes,
    }
}

/// Why a footer could not be put in place.
struct SealFailure {
    what: String,
    store_wide: Option<ReadOnlyReason>,
}

impl From<VolumeError> for SealFailure {
    fn from(error: VolumeError) -> Self {
        let store_wide = match &error {
            VolumeError::Io(error) => store_wide(error),
            _ => None,
        };
        Self { what: error.to_string(), store_wide }
    }
}
