//! The catalog in memory: for tests and simulations. Durable as long as the value lives, which in a
//! simulation is the life of the simulated disk.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use streamkeep_media::{StreamId, UnixMillis};

use crate::control::{EPOCH_META, following_epoch, parse_epoch};
use crate::{
    CatalogError, ConflictOn, ControlCatalog, IndexCatalog, RunRecord, SpanPage, StreamRecord,
    TimeAxis, VolumeRecord, VolumeState,
};

/// A [`ControlCatalog`] that holds everything in maps.
#[derive(Default)]
pub struct MemoryControl {
    state: Mutex<ControlState>,
}

#[derive(Default)]
struct ControlState {
    streams: BTreeMap<StreamId, StreamRecord>,
    metas: BTreeMap<String, Vec<u8>>,
}

impl MemoryControl {
    /// An empty catalog.
    pub fn new() -> Self {
        Self::default()
    }

    fn change_epoch(
        &self,
        change: impl FnOnce(u32) -> Result<u32, CatalogError>,
    ) -> Result<u32, CatalogError> {
        let mut state = lock(&self.state);
        let epoch = parse_epoch(state.metas.get(EPOCH_META).map(Vec::as_slice)).and_then(change)?;
        state.metas.insert(EPOCH_META.to_owned(), epoch.to_le_bytes().to_vec());
        Ok(epoch)
    }
}

impl ControlState {
    fn name_is_taken(&self, stream: &StreamRecord) -> bool {
        self.streams.values().any(|other| other.name == stream.name && other.id != stream.id)
    }
}

impl ControlCatalog for MemoryControl {
    fn streams(&self) -> Result<Vec<StreamRecord>, CatalogError> {
        Ok(lock(&self.state).streams.values().cloned().collect())
    }

    fn stream(&self, id: StreamId) -> Result<Option<StreamRecord>, CatalogError> {
        Ok(lock(&self.state).streams.get(&id).cloned())
    }

    fn insert_stream(&self, stream: &StreamRecord) -> Result<(), CatalogError> {
        let mut state = lock(&self.state);
        if state.streams.contains_key(&stream.id) {
            return Err(CatalogError::Conflict(ConflictOn::StreamId));
        }
        if state.name_is_taken(stream) {
            return Err(CatalogError::Conflict(ConflictOn::StreamName));
        }
        state.streams.insert(stream.id, stream.clone());
        Ok(())
    }

    fn update_stream(
        &self,
        stream: &StreamRecord,
        expected_version: &str,
    ) -> Result<(), CatalogError> {
        let mut state = lock(&self.state);
        let current = state.streams.get(&stream.id).ok_or(CatalogError::NotFound)?;
        if current.version != expected_version {
            return Err(CatalogError::Conflict(ConflictOn::StreamVersion));
        }
        if state.name_is_taken(stream) {
            return Err(CatalogError::Conflict(ConflictOn::StreamName));
        }
        state.streams.insert(stream.id, stream.clone());
        Ok(())
    }

    fn remove_stream(&self, id: StreamId) -> Result<(), CatalogError> {
        lock(&self.state).streams.remove(&id);
        Ok(())
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, CatalogError> {
        Ok(lock(&self.state).metas.get(name).cloned())
    }

    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), CatalogError> {
        lock(&self.state).metas.insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    fn remove_meta(&self, name: &str) -> Result<(), CatalogError> {
        lock(&self.state).metas.remove(name);
        Ok(())
    }

    fn metas(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, CatalogError> {
        let state = lock(&self.state);
        let matching = state.metas.iter().filter(|(name, _)| name.starts_with(prefix));
        Ok(matching.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    fn next_epoch(&self) -> Result<u32, CatalogError> {
        self.change_epoch(following_epoch)
    }

    fn raise_epoch(&self, floor: u32) -> Result<(), CatalogError> {
        self.change_epoch(|epoch| Ok(epoch.max(floor))).map(|_| ())
    }
}

/// An [`IndexCatalog`] that holds everything in maps and can forget its latest transactions, as a
/// database without a sync at every commit does in a power cut.
#[derive(Default)]
pub struct MemoryIndex {
    state: Mutex<IndexHistory>,
    /// Says whether the database cannot be written.
    is_down: Option<Box<dyn Fn() -> bool + Send + Sync>>,
    /// Called when some runs were read, before the reader has them.
    after_runs: Mutex<Option<Hook>>,
}

type Hook = Arc<dyn Fn() + Send + Sync>;

#[derive(Clone, Default)]
struct IndexHistory {
    now: IndexState,
    /// States before the latest transactions, oldest first; at most [`MemoryIndex::HISTORY`].
    before: VecDeque<IndexState>,
}

#[derive(Clone, Default)]
struct IndexState {
    volumes: BTreeMap<u64, VolumeRecord>,
    runs: BTreeMap<(u64, StreamId), RunRecord>,
}

impl MemoryIndex {
    /// Transactions that [`Self::forget_latest`] can take back.
    pub const HISTORY: usize = 32;

    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// An index that refuses to be written as long as `is_down` says so: the machine it runs on is
    /// off, or its disk is full.
    pub fn failing_while(is_down: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { is_down: Some(Box::new(is_down)), ..Self::default() }
    }

    /// Another index with the same contents and history, failing while `is_down` says so.
    pub fn fork(&self, is_down: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        let state = Mutex::new(lock(&self.state).clone());
        Self { state, is_down: Some(Box::new(is_down)), ..Self::default() }
    }

    /// Has `hook` called when some runs were read, before the reader has them: what it does happens
    /// between the reader's look at the index and at the volumes.
    pub fn set_after_runs(&self, hook: impl Fn() + Send + Sync + 'static) {
        *lock(&self.after_runs) = Some(Arc::new(hook));
    }

    /// Takes back the latest `transactions`, as far as history goes.
    pub fn forget_latest(&self, transactions: usize) {
        let mut history = lock(&self.state);
        for _ in 0..transactions {
            if let Some(state) = history.before.pop_back() {
                history.now = state;
            }
        }
    }

    /// A write that no power cut takes back, nor any before it.
    fn write_durably<T>(
        &self,
        work: impl FnOnce(&mut IndexState) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        let result = self.write(work)?;
        lock(&self.state).before.clear();
        Ok(result)
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&mut IndexState) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        if self.is_down.as_ref().is_some_and(|is_down| is_down()) {
            let source = "the simulated database is down".into();
            return Err(CatalogError::Backend { operation: "write index", source });
        }
        let mut history = lock(&self.state);
        let mut next = history.now.clone();
        let result = work(&mut next)?;
        let previous = std::mem::replace(&mut history.now, next);
        if history.before.len() == Self::HISTORY {
            history.before.pop_front();
        }
        history.before.push_back(previous);
        Ok(result)
    }

    /// Runs that match, in order of (start of span on `axis`, volume id).
    fn matching(&self, axis: TimeAxis, matches: impl Fn(&RunRecord) -> bool) -> Vec<RunRecord> {
        let state = lock(&self.state);
        let mut runs: Vec<_> =
            state.now.runs.values().filter(|run| matches(run)).cloned().collect();
        runs.sort_by_key(|run| (run.span(axis).0, run.volume));
        drop(state);
        let hook = lock(&self.after_runs).clone();
        if let Some(hook) = hook.filter(|_| !runs.is_empty()) {
            hook();
        }
        runs
    }
}

impl IndexState {
    fn replace_runs(&mut self, volume: u64, runs: &[RunRecord]) {
        self.runs.retain(|(owner, _), _| *owner != volume);
        self.runs.extend(runs.iter().map(|run| ((volume, run.stream), run.clone())));
    }

    fn volume_mut(&mut self, id: u64) -> Result<&mut VolumeRecord, CatalogError> {
        self.volumes.get_mut(&id).ok_or(CatalogError::NotFound)
    }
}

impl IndexCatalog for MemoryIndex {
    fn volumes(&self) -> Result<Vec<VolumeRecord>, CatalogError> {
        Ok(lock(&self.state).now.volumes.values().cloned().collect())
    }

    fn volume(&self, id: u64) -> Result<Option<VolumeRecord>, CatalogError> {
        Ok(lock(&self.state).now.volumes.get(&id).cloned())
    }

    fn volumes_after(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<VolumeRecord>, CatalogError> {
        let state = lock(&self.state);
        let behind =
            state.now.volumes.values().filter(|volume| after.is_none_or(|id| volume.id > id));
        Ok(behind.take(limit).cloned().collect())
    }

    fn expired_volumes(
        &self,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Vec<VolumeRecord>, CatalogError> {
        let state = lock(&self.state);
        let is_expired =
            |volume: &&VolumeRecord| volume.state == VolumeState::Sealed && volume.max_expiry < now;
        let mut expired: Vec<_> = state.now.volumes.values().filter(is_expired).cloned().collect();
        expired.sort_by_key(|volume| (volume.max_expiry, volume.id));
        expired.truncate(limit);
        Ok(expired)
    }

    fn insert_volume(&self, volume: &VolumeRecord) -> Result<(), CatalogError> {
        self.write(|state| {
            if state.volumes.contains_key(&volume.id) {
                return Err(CatalogError::Conflict(ConflictOn::VolumeId));
            }
            state.volumes.insert(volume.id, volume.clone());
            Ok(())
        })
    }

    fn update_volume(&self, volume: &VolumeRecord) -> Result<(), CatalogError> {
        self.write(|state| {
            volume.clone_into(state.volume_mut(volume.id)?);
            Ok(())
        })
    }

    fn update_volume_state(&self, id: u64, new_state: VolumeState) -> Result<(), CatalogError> {
        let change = |state: &mut IndexState| {
            state.volume_mut(id)?.state = new_state;
            Ok(())
        };
        match new_state {
            VolumeState::Deleting => self.write_durably(change),
            _ => self.write(change),
        }
    }

    fn seal_volume(&self, volume: &VolumeRecord, runs: &[RunRecord]) -> Result<(), CatalogError> {
        self.write(|state| {
            state.volumes.insert(volume.id, volume.clone());
            state.replace_runs(volume.id, runs);
            Ok(())
        })
    }

    fn replace_volume(
        &self,
        old: u64,
        volume: &VolumeRecord,
        runs: &[RunRecord],
    ) -> Result<(), CatalogError> {
        self.write_durably(|state| {
            state.volume_mut(old)?.state = VolumeState::Deleting;
            state.replace_runs(old, &[]);
            state.volumes.insert(volume.id, volume.clone());
            state.replace_runs(volume.id, runs);
            Ok(())
        })
    }

    fn remove_volume(&self, id: u64) -> Result<(), CatalogError> {
        self.write(|state| {
            state.volumes.remove(&id);
            state.replace_runs(id, &[]);
            Ok(())
        })
    }

    fn runs_in(&self, volume: u64) -> Result<Vec<RunRecord>, CatalogError> {
        let mut runs = self.matching(TimeAxis::Server, |run| run.volume == volume);
        runs.sort_by_key(|run| run.stream);
        Ok(runs)
    }

    fn runs_starting(
        &self,
        stream: StreamId,
        page: &SpanPage,
    ) -> Result<Vec<RunRecord>, CatalogError> {
        let mut runs = self.matching(page.axis, |run| {
            let start = run.span(page.axis).0;
            run.stream == stream
                && (page.from..=page.to).contains(&start)
                && page.after.is_none_or(|after| (start, run.volume) > after)
        });
        runs.truncate(page.limit);
        Ok(runs)
    }

    fn runs_covering(
        &self,
        stream: StreamId,
        axis: TimeAxis,
        at: UnixMillis,
    ) -> Result<Vec<RunRecord>, CatalogError> {
        Ok(self.matching(axis, |run| {
            let (start, end) = run.span(axis);
            run.stream == stream && start < at && at <= end
        }))
    }

    fn last_run(
        &self,
        stream: StreamId,
        axis: TimeAxis,
    ) -> Result<Option<RunRecord>, CatalogError> {
        let runs = self.matching(axis, |run| run.stream == stream);
        Ok(runs.into_iter().max_by_key(|run| (run.span(axis).1, run.last, run.volume)))
    }

    fn remove_runs_of(&self, stream: StreamId, limit: usize) -> Result<usize, CatalogError> {
        self.write(|state| {
            let keys: Vec<_> = state
                .runs
                .keys()
                .filter(|(_, owner)| *owner == stream)
                .take(limit)
                .copied()
                .collect();
            for key in &keys {
                state.runs.remove(key);
            }
            Ok(keys.len())
        })
    }

    fn wipe(&self) -> Result<(), CatalogError> {
        self.write(|state| {
            *state = IndexState::default();
            Ok(())
        })
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    // Changes are made on a copy and then put in place: a panic leaves the state whole.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite;

    #[test]
    fn passes_the_suite() {
        suite::control_suite(&MemoryControl::new());
        suite::index_suite(&MemoryIndex::new());
    }

    #[test]
    fn fails_while_it_is_down() {
        let index = MemoryIndex::new();
        index.insert_volume(&suite::volume(1)).unwrap();
        let fork = index.fork(|| true);
        assert!(fork.insert_volume(&suite::volume(2)).is_err());
        assert_eq!(fork.volumes().unwrap(), [suite::volume(1)]);
    }

    #[test]
    fn what_is_being_deleted_is_not_forgotten() {
        let index = MemoryIndex::new();
        index.insert_volume(&suite::volume(1)).unwrap();
        index.update_volume_state(1, VolumeState::Deleting).unwrap();
        index.insert_volume(&suite::volume(2)).unwrap();
        index.forget_latest(9);
        let volumes = index.volumes().unwrap();
        assert_eq!(volumes, [VolumeRecord { state: VolumeState::Deleting, ..suite::volume(1) }]);
    }

    #[test]
    fn forgets_only_the_latest() {
        let index = MemoryIndex::new();
        for id in 1..=3 {
            index.insert_volume(&suite::volume(id)).unwrap();
        }
        index.forget_latest(2);
        let ids: Vec<_> = index.volumes().unwrap().iter().map(|volume| volume.id).collect();
        assert_eq!(ids, [1]);
    }
}
