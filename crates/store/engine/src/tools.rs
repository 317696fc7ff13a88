//! Offline tools: they work on a directory that no engine has open. The caller holds its lock.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use streamkeep_catalog::{IndexCatalog, RunRecord, VolumeRecord, VolumeState};
use streamkeep_io::{Access, VolumeIo};
use streamkeep_keys::{DataKey, KeysError, StoreId, WrappedDataKey};
use streamkeep_media::{StreamId, UnixMillis};
use streamkeep_volume::{
    DataKeys, Problem, VerifyLevel, VerifyReport, VolumeError, VolumeHeader, VolumeId, verify,
};

use crate::options::StreamKeys;
use crate::recovery::footer_is_whole;
use crate::seal::{run_record, sealed_record};
use crate::sealed::SealedVolume;
use crate::{KeyFailure, StoreError, StreamConfig};

/// How closely [`fsck`] looks. Each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FsckLevel {
    /// Files against the index: presence, length, runs against footers. A few reads per volume.
    Presence,
    /// All headers, and footers against them. About 4 KiB read per fragment.
    Headers,
    /// All bytes against their checksums. Needs no keys.
    Checksums,
    /// All fragments opened.
    Decrypt,
}

/// What [`fsck`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FsckReport {
    /// Volumes looked at.
    pub volumes: u64,
    /// Intact fragments in them. 0 at [`FsckLevel::Presence`] but for sealed volumes.
    pub fragments: u64,
    /// Bytes of their records.
    pub record_bytes: u64,
    /// Fragments of streams whose key is gone; only at [`FsckLevel::Decrypt`].
    pub shredded: u64,
    /// Everything that is wrong, by volume.
    pub problems: Vec<(u64, FsckProblem)>,
    /// Files that are no volumes.
    pub foreign_files: Vec<String>,
}

/// Something wrong with a volume or with what the index says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FsckProblem {
    /// The index has a row, the directory no file.
    FileMissing,
    /// The file is not in the index. The next start imports it.
    RowMissing,
    /// The file has another length than the index says.
    Length {
        /// In the index.
        expected: u64,
        /// Of the file.
        found: u64,
    },
    /// The index says it is sealed, and it has no whole footer.
    NotSealed,
    /// The index has other runs than the footer, for this stream.
    RunDiffers(StreamId),
    /// It cannot be looked at.
    Unusable(String),
    /// It belongs to another store.
    OtherStore(StoreId),
    /// The file holds another volume than its name says.
    OtherVolume(u64),
    /// Something in the file.
    Volume(Problem),
}

impl FsckReport {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for FsckProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileMissing => f.write_str("in the index, but there is no file"),
            Self::RowMissing => f.write_str("not in the index; the next start imports it"),
            Self::Length { expected, found } => {
                write!(f, "{found} bytes long, {expected} in the index")
            }
            Self::NotSealed => f.write_str("sealed in the index, but without a whole footer"),
            Self::RunDiffers(stream) => {
                write!(f, "the index and the footer differ on stream {stream}")
            }
            Self::Unusable(why) => write!(f, "cannot be looked at: {why}"),
            Self::OtherStore(store) => write!(f, "belongs to store {store}"),
            Self::OtherVolume(id) => write!(f, "is a copy of volume {id:016x}"),
            Self::Volume(problem) => problem.fmt(f),
        }
    }
}

/// What [`fsck`] and [`rebuild_index`] work on.
#[derive(Clone, Copy)]
pub struct Offline<'a> {
    /// The directory of the volumes.
    pub volumes: &'a dyn VolumeIo,
    /// The store they should belong to.
    pub store: StoreId,
    /// The index.
    pub index: &'a dyn IndexCatalog,
}

/// Checks a store. Changes nothing. `progress` is called before each volume with its id, its
/// position and how many there are; the check ends early, without an error, when it says false.
///
/// # Errors
/// When the directory or the index cannot be read at all.
pub fn fsck(
    store: &Offline<'_>,
    level: FsckLevel,
    keys: &dyn StreamKeys,
    progress: &mut dyn FnMut(u64, u64, u64) -> bool,
) -> Result<FsckReport, StoreError> {
    let mut report = FsckReport::default();
    let mut records: BTreeMap<u64, VolumeRecord> =
        store.index.volumes()?.into_iter().map(|record| (record.id, record)).collect();
    let (files, foreign) = list_volumes(store.volumes)?;
    report.foreign_files = foreign;
    let count = files.len() as u64;
    for (position, (id, len)) in (0..).zip(files) {
        if !progress(id.0, position, count) {
            return Ok(report);
        }
        let record = records.remove(&id.0);
        let mut check = Check { store, id, level, keys, report: &mut report };
        check.volume(len, record.as_ref())?;
    }
    for record in records.into_values() {
        // A deletion that was cut off is finished by the next start.
        if record.state != VolumeState::Deleting {
            report.problems.push((record.id, FsckProblem::FileMissing));
        }
    }
    Ok(report)
}

/// The check of one volume.
struct Check<'a> {
    store: &'a Offline<'a>,
    id: VolumeId,
    level: FsckLevel,
    keys: &'a dyn StreamKeys,
    report: &'a mut FsckReport,
}

impl Check<'_> {
    fn volume(&mut self, len: u64, record: Option<&VolumeRecord>) -> Result<(), StoreError> {
        self.report.volumes += 1;
        let name = self.id.file_name();
        let file = match self.store.volumes.open(&name, Access::Read) {
            Ok(file) => file,
            Err(error) => {
                self.problem(FsckProblem::Unusable(error.to_string()));
                return Ok(());
            }
        };
        match record {
            None => self.problem(FsckProblem::RowMissing),
            Some(record) if record.state == VolumeState::Sealed && record.length != len => {
                self.problem(FsckProblem::Length { expected: record.length, found: len });
            }
            Some(_) => {}
        }
        let sealed = SealedVolume::open(file.clone(), self.store.store, self.id);
        if record.is_some_and(|record| record.state == VolumeState::Sealed) {
            match &sealed {
                Ok(sealed) => self.runs(sealed)?,
                Err(_) => self.problem(FsckProblem::NotSealed),
            }
        }
        if self.level == FsckLevel::Presence {
            if let Ok(sealed) = &sealed {
                self.report.fragments += sealed.footer.fragment_count();
                self.report.record_bytes +=
                    sealed.footer.runs().iter().map(|run| run.record_bytes).sum::<u64>();
            }
            return Ok(());
        }
        let level = match self.level {
            FsckLevel::Presence | FsckLevel::Headers => VerifyLevel::Headers,
            FsckLevel::Checksums => VerifyLevel::Checksums,
            FsckLevel::Decrypt => VerifyLevel::Decrypt,
        };
        let floor = record.map_or(0, |record| record.indexed_upto);
        match verify(&*file, level, floor, &OfflineKeys(self.keys)) {
            Ok(found) => self.verified(found),
            Err(error) => self.problem(FsckProblem::Unusable(error.to_string())),
        }
        Ok(())
    }

    fn verified(&mut self, found: VerifyReport) {
        if found.header.store != self.store.store {
            self.problem(FsckProblem::OtherStore(found.header.store));
        }
        if found.header.id != self.id {
            self.problem(FsckProblem::OtherVolume(found.header.id.0));
        }
        self.report.fragments += found.fragment_count;
        self.report.record_bytes += found.record_bytes;
        self.report.shredded += found.shredded_count;
        for problem in found.problems {
            self.problem(FsckProblem::Volume(problem));
        }
    }

    /// The index against the footer. Streams that were deleted have left the index first.
    fn runs(&mut self, sealed: &SealedVolume) -> Result<(), StoreError> {
        let listed = self.store.index.runs_in(self.id.0)?;
        let footer: BTreeMap<StreamId, RunRecord> = sealed
            .footer
            .runs()
            .iter()
            .map(|run| (run.stream, run_record(self.id.0, run)))
            .collect();
        for run in &listed {
            if footer.get(&run.stream) != Some(run) {
                self.problem(FsckProblem::RunDiffers(run.stream));
            }
        }
        let listed: BTreeSet<_> = listed.iter().map(|run| run.stream).collect();
        for stream in footer.keys().filter(|stream| !listed.contains(stream)) {
            if !matches!(self.keys.stream_key(*stream), Err(StoreError::StreamGone(_))) {
                self.problem(FsckProblem::RunDiffers(*stream));
            }
        }
        Ok(())
    }

    fn problem(&mut self, problem: FsckProblem) {
        self.report.problems.push((self.id.0, problem));
    }
}

/// What [`rebuild_index`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RebuildReport {
    /// Sealed volumes that are in the index now.
    pub sealed: u64,
    /// Fragments in them.
    pub fragments: u64,
    /// Volumes without a whole footer: the next start walks, imports and seals them.
    pub left_to_recovery: Vec<u64>,
    /// Files that cannot be used, and why.
    pub unusable: Vec<(u64, String)>,
    /// Streams with fragments in sealed volumes.
    pub streams: BTreeSet<StreamId>,
    /// The largest owner epoch in a volume header: the next start must use a larger one
    /// (`ControlCatalog::raise_epoch`).
    pub largest_epoch: u32,
}

/// Makes the index anew from the volumes. `streams` are those that exist, for the expiry of volumes;
/// `orphan_retention_ms` is that of others, as in [`Options`](crate::Options). Repeatable.
///
/// # Errors
/// `OtherStore` when a volume belongs to another store, before anything is changed; otherwise when
/// the directory cannot be read or the index not be written.
pub fn rebuild_index(
    store: &Offline<'_>,
    streams: &[StreamConfig],
    orphan_retention_ms: u64,
    progress: &mut dyn FnMut(u64, u64, u64),
) -> Result<RebuildReport, StoreError> {
    let mut report = RebuildReport::default();
    let (files, _) = list_volumes(store.volumes)?;
    let mut headers = BTreeMap::new();
    for (id, _) in &files {
        match read_header(store.volumes, *id) {
            Ok(header) if header.store != store.store => {
                return Err(StoreError::OtherStore { place: id.file_name() });
            }
            Ok(header) => {
                report.largest_epoch = report.largest_epoch.max(header.owner_epoch);
                headers.insert(*id, header);
            }
            Err(error) => report.unusable.push((id.0, error.to_string())),
        }
    }
    store.index.wipe()?;
    let known: BTreeMap<StreamId, StreamConfig> =
        streams.iter().map(|config| (config.id, *config)).collect();
    let expiry = |stream: StreamId, max_server: UnixMillis| match known.get(&stream) {
        Some(config) => config.expiry(max_server),
        None => UnixMillis(max_server.0.saturating_add(orphan_retention_ms)),
    };
    let count = headers.len() as u64;
    for (position, (id, header)) in (0..).zip(&headers) {
        progress(id.0, position, count);
        let open = || -> Result<Option<SealedVolume>, VolumeError> {
            let file = store.volumes.open(&id.file_name(), Access::Read)?;
            let sealed = match SealedVolume::open(file.clone(), store.store, *id) {
                Ok(sealed) => sealed,
                Err(VolumeError::Io(error)) => return Err(error.into()),
                Err(_) => return Ok(None),
            };
            Ok(footer_is_whole(&*file, &sealed.footer)?.then_some(sealed))
        };
        match open() {
            Ok(Some(sealed)) => {
                let footer = &sealed.footer;
                let runs: Vec<_> = footer.runs().iter().map(|run| run_record(id.0, run)).collect();
                store.index.seal_volume(&sealed_record(header, footer, &expiry), &runs)?;
                report.sealed += 1;
                report.fragments += footer.fragment_count();
                report.streams.extend(runs.iter().map(|run| run.stream));
            }
            Ok(None) => report.left_to_recovery.push(id.0),
            Err(error) => report.unusable.push((id.0, error.to_string())),
        }
    }
    Ok(report)
}

/// The stores that the volumes of a directory belong to, from their headers: what a lost control
/// database must be made for again. More than one is a mistake.
///
/// # Errors
/// When the directory cannot be listed.
pub fn stores_in(volumes: &dyn VolumeIo) -> Result<BTreeSet<StoreId>, StoreError> {
    let (files, _) = list_volumes(volumes)?;
    let headers = files.iter().filter_map(|(id, _)| read_header(volumes, *id).ok());
    Ok(headers.map(|header| header.store).collect())
}

fn read_header(volumes: &dyn VolumeIo, id: VolumeId) -> Result<VolumeHeader, VolumeError> {
    VolumeHeader::read(&*volumes.open(&id.file_name(), Access::Read)?)
}

/// Volumes with their lengths, by id, and the names of other files.
#[allow(clippy::type_complexity, reason = "a list of pairs, and a list")]
fn list_volumes(dir: &dyn VolumeIo) -> Result<(Vec<(VolumeId, u64)>, Vec<String>), StoreError> {
    let (mut volumes, mut foreign) = (Vec::new(), Vec::new());
    for file in dir.list().map_err(StoreError::io("list", "volumes"))? {
        match VolumeId::from_file_name(&file.name) {
            Some(id) => volumes.push((id, file.len)),
            None if file.name.ends_with(".tmp") => {}
            None => foreign.push(file.name),
        }
    }
    Ok((volumes, foreign))
}

/// Stream keys as the check of a volume asks for data keys.
struct OfflineKeys<'a>(&'a dyn StreamKeys);

impl DataKeys for OfflineKeys<'_> {
    fn data_key(&self, wrapped: &WrappedDataKey) -> Result<Option<Arc<DataKey>>, KeysError> {
        match self.0.stream_key(wrapped.stream) {
            Ok(key) => key.unwrap_data_key(wrapped).map(Arc::new).map(Some),
            Err(StoreError::Key { source: KeyFailure::Keys(error), .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }
}
