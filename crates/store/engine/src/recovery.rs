//! What a start does with the volumes it finds.
//!
//! 1. Finish deletions: that frees space before anything needs some.
//! 2. Sealed volumes that the catalog knows, with the length it knows, are taken at its word.
//! 3. Every other file is looked at: a whole footer makes it sealed; without one its batches are
//!    walked, its rows held in memory and the volume sealed at its valid end by housekeeping.
//!    Nothing is ever appended to it.
//! 4. Files the catalog does not know are imported by the same path. Rows without a file are marked
//!    lost.
//!
//! Nothing here depends on having run to its end before: a start that is cut off is repeated whole.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};

use streamkeep_catalog::{VolumeRecord, VolumeState};
use streamkeep_io::{Access, VolumeFile};
use streamkeep_keys::StoreId;
use streamkeep_media::UnixMillis;
use streamkeep_volume::{
    Footer, VolumeError, VolumeHeader, VolumeId, VolumeUuid, Walk, WalkOptions, walk,
};

use crate::health::Concern;
use crate::options::Drive;
use crate::removal::Space;
use crate::seal::sealed_record;
use crate::sealed::SealedVolume;
use crate::shared::Shared;
use crate::stream::lock;
use crate::unsealed::{Phase, Unsealed};
use crate::{Options, StoreError};

/// What a start found. Nothing in it needs an answer; all that matters is also in the health.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryReport {
    /// Sealed volumes taken as the catalog has them.
    pub sealed: usize,
    /// Volumes that were walked.
    pub walked: usize,
    /// Volumes that were sealed although the catalog did not know it.
    pub imported: usize,
    /// Volumes whose creation was cut off; removed.
    pub empty: usize,
    /// Deletions that were finished.
    pub deleted: usize,
    /// Volumes whose file is gone.
    pub lost: Vec<u64>,
    /// Volumes that could not be used: they are left as they are.
    pub unusable: Vec<(u64, String)>,
    /// Damaged ranges in walked volumes, with the bytes lost.
    pub damaged: Vec<(u64, std::ops::Range<u64>)>,
    /// Files in the directory that are no volumes.
    pub foreign_files: usize,
}

/// What a file turned out to be.
enum Found {
    Sealed(VolumeHeader, Box<SealedVolume>),
    Unsealed(Arc<Unsealed>),
    /// Creation was cut off before the header was durable.
    Empty,
    Unusable(String),
    OtherStore,
}

/// A file to look at.
struct Task {
    id: VolumeId,
    record: Option<VolumeRecord>,
}

impl Shared {
    /// Brings catalog, directory and memory to agree. Returns the report and the newest server
    /// timestamp stored.
    pub(crate) fn recover(&self) -> Result<(RecoveryReport, Option<UnixMillis>), StoreError> {
        let mut report = RecoveryReport::default();
        let mut records: BTreeMap<u64, VolumeRecord> =
            self.index.volumes()?.into_iter().map(|record| (record.id, record)).collect();
        let largest_known = records.keys().next_back().copied();

        let deleting = records.values().filter(|record| record.state == VolumeState::Deleting);
        for id in deleting.map(|record| record.id).collect::<Vec<_>>() {
            self.finish_deletion(id, Space::AtOnce)?;
            records.remove(&id);
            report.deleted += 1;
        }

        let mut tasks = VecDeque::new();
        let mut largest_found = None;
        let listed = self.seams.volumes.list().map_err(StoreError::io("list", "volumes"))?;
        let mut seen = Vec::new();
        for file in &listed {
            let Some(id) = VolumeId::from_file_name(&file.name) else {
                report.foreign_files += usize::from(!self.remove_temporary(&file.name)?);
                continue;
            };
            largest_found = largest_found.max(Some(id.0));
            seen.push(id.0);
            let record = records.get(&id.0).cloned();
            let is_settled = record.as_ref().is_some_and(|record| {
                record.state == VolumeState::Sealed && record.length == file.len
            });
            if is_settled {
                report.sealed += 1;
            } else {
                tasks.push_back(Task { id, record });
            }
        }
        let next = largest_known.max(largest_found).map_or(1, |largest| largest + 1);
        self.next_volume_id.store(next, std::sync::atomic::Ordering::SeqCst);

        for record in records.values() {
            if seen.binary_search(&record.id).is_err() {
                self.note_missing(record, &mut report)?;
            }
        }
        for (task, found) in self.examine_all(tasks)? {
            self.take_in(&task, found, &mut report)?;
        }
        self.note_report(&report);
        let newest_sealed = records.values().map(|record| record.max_server).max();
        let newest_unsealed =
            self.unsealed_now().iter().map(|volume| volume.read().max_server).max();
        let newest = newest_sealed.max(newest_unsealed).filter(|newest| newest.0 > 0);
        Ok((report, newest))
    }

    /// A row without a file. When its fragments had expired it was being deleted, and the power cut
    /// took the catalog's latest transactions.
    fn note_missing(
        &self,
        record: &VolumeRecord,
        report: &mut RecoveryReport,
    ) -> Result<(), StoreError> {
        if record.max_expiry < self.seams.clock.now() || record.fragment_count == 0 {
            self.index.remove_volume(record.id)?;
        } else {
            self.index.update_volume_state(record.id, VolumeState::Lost)?;
            report.lost.push(record.id);
        }
        Ok(())
    }

    /// Removes a file that only a copy in progress, a removed volume or a probe has left. Returns whether it was one.
    fn remove_temporary(&self, name: &str) -> Result<bool, StoreError> {
        let is_ours = name == "probe.tmp"
            || name.strip_suffix(".tmp").and_then(VolumeId::from_file_name).is_some();
        if is_ours {
            self.seams.volumes.unlink(name).map_err(StoreError::io("unlink", name))?;
        }
        Ok(is_ours)
    }

    /// Looks at all files, several at a time: most of it is waiting for the disk.
    fn examine_all(&self, tasks: VecDeque<Task>) -> Result<Vec<(Task, Found)>, StoreError> {
        let threads = match self.options.drive {
            Drive::Manual => 1,
            Drive::Threads => tasks.len().clamp(1, EXAMINERS_MAX),
        };
        let tasks = Mutex::new(tasks);
        let done = Mutex::new(Vec::new());
        let work = || {
            loop {
                let Some(task) = lock(&tasks).pop_front() else { return };
                let found = self.examine(&task);
                lock(&done).push((task, found));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let mut done = std::mem::take(&mut *lock(&done));
        done.sort_by_key(|(task, _)| task.id);
        done.into_iter().map(|(task, found)| Ok((task, found?))).collect()
    }

    fn examine(&self, task: &Task) -> Result<Found, StoreError> {
        let name = task.id.file_name();
        let io_error = |error| StoreError::io("open", name.clone())(error);
        let file = self.seams.volumes.open(&name, Access::ReadWrite).map_err(io_error)?;
        match examine_file(file, task, &self.options) {
            Ok(found) => Ok(found),
            Err(error) => Ok(Found::Unusable(error.to_string())),
        }
    }

    /// Walks a sealed volume whose footer cannot be read, and has it sealed again.
    pub(crate) fn reopen_sealed(&self, id: u64) -> Result<(), StoreError> {
        let task = Task { id: VolumeId(id), record: self.index.volume(id)? };
        if let Found::Unsealed(volume) = self.examine(&task)? {
            self.unsealed_mut().insert(id, volume);
            self.sealed.forget_volume(id);
            self.add_chore(|chores| chores.to_seal.push_back(id));
        }
        Ok(())
    }

    fn take_in(
        &self,
        task: &Task,
        found: Found,
        report: &mut RecoveryReport,
    ) -> Result<(), StoreError> {
        match found {
            Found::Sealed(header, sealed) => {
                let expiry = |stream, max_server| self.expiry(stream, max_server);
                let record = sealed_record(&header, &sealed.footer, &expiry);
                self.index.seal_volume(&record, &self.run_records(&sealed.footer))?;
                report.imported += 1;
            }
            Found::Unsealed(volume) => {
                let damage = volume.read().damage.clone();
                report.damaged.extend(damage.into_iter().map(|range| (task.id.0, range)));
                report.walked += 1;
                self.unsealed_mut().insert(task.id.0, volume);
                self.add_chore(|chores| chores.to_seal.push_back(task.id.0));
            }
            Found::Empty => {
                self.remove_file(task.id.0, Space::AtOnce)?;
                self.index.remove_volume(task.id.0)?;
                report.empty += 1;
            }
            Found::Unusable(why) => {
                tracing::error!(volume = task.id.0, %why, "volume cannot be used");
                report.unusable.push((task.id.0, why));
            }
            Found::OtherStore => {
                return Err(StoreError::OtherStore { place: task.id.file_name() });
            }
        }
        Ok(())
    }

    fn note_report(&self, report: &RecoveryReport) {
        let concern = |concern, count: usize, what: &str| {
            self.health.concern(concern, (count > 0).then(|| format!("{count} {what}")));
        };
        concern(Concern::LostVolume, report.lost.len(), "volumes of the index have no file");
        concern(Concern::ForeignFiles, report.foreign_files, "files among the volumes are none");
        let damaged = report.damaged.len() + report.unusable.len();
        concern(Concern::Damage, damaged, "damaged ranges or volumes were found at start");
    }
}

/// Finds out what a file is that the catalog does not know as sealed.
fn examine_file(
    file: Arc<dyn VolumeFile>,
    task: &Task,
    options: &Options,
) -> Result<Found, VolumeError> {
    let is_suspect =
        task.record.as_ref().is_some_and(|record| record.state == VolumeState::Suspect);
    if !is_suspect {
        // A killed process leaves bytes in the page cache that no sync has covered; the footer will
        // say that everything before it is durable. And after a failed sync the cache shows bytes
        // that the medium never got: dropping it shows the truth.
        file.sync_data()?;
    }
    file.drop_cache(0..file.len()?)?;

    let header = match VolumeHeader::read(&*file) {
        Ok(header) => header,
        Err(VolumeError::NotAVolume | VolumeError::Damaged { .. }) => {
            match &task.record {
                // The header was durable before the row was inserted.
                Some(record) => header_from(record, options.store),
                None if is_unwritten(&*file)? => return Ok(Found::Empty),
                None => return Ok(Found::Unusable("its header is damaged".to_owned())),
            }
        }
        Err(error) => return Err(error),
    };
    if header.store != options.store {
        return Ok(Found::OtherStore);
    }
    if header.id != task.id {
        return Ok(Found::Unusable(format!("it is a copy of volume {:016x}", header.id.0)));
    }
    if let Ok(sealed) = SealedVolume::open(file.clone(), header.store, header.id)
        && footer_is_whole(&*file, &sealed.footer)?
    {
        return Ok(Found::Sealed(header, Box::new(sealed)));
    }
    let floor = task.record.as_ref().map_or(0, |record| record.indexed_upto);
    let found = walk(&*file, &header, &WalkOptions { floor, ..WalkOptions::default() })?;
    Ok(Found::Unsealed(Arc::new(unsealed_from(header, file, found, task))))
}

/// A volume without a footer from what a walk found in it.
fn unsealed_from(
    header: VolumeHeader,
    file: Arc<dyn VolumeFile>,
    found: Walk,
    task: &Task,
) -> Unsealed {
    let suspect = task.record.as_ref().filter(|record| record.state == VolumeState::Suspect);
    // Of a suspect volume only what was synced before the failure is believed.
    let end = suspect.map_or(found.valid_end, |record| record.length.min(found.valid_end));
    let phase = if suspect.is_some() { Phase::Suspect } else { Phase::Closed };
    let volume = Unsealed::new(header, file, phase);
    {
        let mut contents = volume.write();
        let rows = found.fragments.into_iter().filter(|placed| placed.row.location.offset < end);
        contents.publish(rows, found.keys, end);
        contents.damage = found.damage.into_iter().map(|damage| damage.range).collect();
    }
    volume
}

/// What the header of a volume says, from its row, but for what nobody needs any more.
fn header_from(record: &VolumeRecord, store: StoreId) -> VolumeHeader {
    VolumeHeader {
        store,
        id: VolumeId(record.id),
        uuid: VolumeUuid(record.uuid),
        lane: record.lane,
        owner_epoch: 0,
        created: record.created,
        read_only_compatible: 0,
        compatible: 0,
    }
}

/// Whether everything behind the volume header is zero: no batch is written before the header is
/// durable.
fn is_unwritten(file: &dyn VolumeFile) -> io::Result<bool> {
    let len = file.len()?;
    let mut buffer = vec![0; 1 << 16];
    let mut position = VolumeHeader::LEN;
    while let Some(next) = file.next_data(position)?.filter(|next| *next < len) {
        let count = file.read_at(&mut buffer, next)?;
        if count == 0 {
            break;
        }
        if buffer[..count].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        position = next + count as u64;
    }
    Ok(true)
}

/// Whether every row and key of a footer can be read: it may have reached the medium in part.
pub(crate) fn footer_is_whole(file: &dyn VolumeFile, footer: &Footer) -> Result<bool, VolumeError> {
    let check = || -> Result<(), VolumeError> {
        for run in footer.runs() {
            footer.read_rows(file, run, 0..run.row_count)?;
            footer.read_producer_order(file, run)?;
        }
        footer.read_keys(file)?;
        footer.read_damage(file).map(|_| ())
    };
    match check() {
        Ok(()) => Ok(true),
        Err(VolumeError::Io(error)) => Err(error.into()),
        Err(_) => Ok(false),
    }
}

/// Volumes looked at at once.
const EXAMINERS_MAX: usize = 8;
