//! What the engine's threads and callers share.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use std::thread::JoinHandle;

use streamkeep_catalog::{IndexCatalog, VolumeRecord};
use streamkeep_keys::DataKeyCache;
use streamkeep_media::{StreamId, UnixMillis};

use crate::health::HealthState;
use crate::lane::Lane;
use crate::lock::StoreLock;
use crate::options::{Options, Seams, StreamKeys};
use crate::removal::Removed;
use crate::retention_clock::RetentionClock;
use crate::sealed::SealedVolumes;
use crate::stats::Counters;
use crate::stream::{CachedKey, StreamState, lock};
use crate::unsealed::Unsealed;
use crate::{KeyFailure, StoreError};

pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) seams: Seams,
    pub(crate) index: Arc<dyn IndexCatalog>,
    pub(crate) keys: Arc<dyn StreamKeys>,
    pub(crate) counters: Counters,
    pub(crate) health: HealthState,
    pub(crate) streams: RwLock<HashMap<StreamId, Arc<StreamState>>>,
    /// Streams deleted since the start: volumes still to be sealed hold fragments of them.
    pub(crate) deleted: RwLock<HashSet<StreamId>>,
    /// Streams with fragments that were not known when an expiry was worked out: once they are, it
    /// is worked out again.
    pub(crate) orphans: Mutex<HashSet<StreamId>>,
    /// Volumes without a usable footer, by id.
    pub(crate) unsealed: RwLock<BTreeMap<u64, Arc<Unsealed>>>,
    pub(crate) sealed: SealedVolumes,
    pub(crate) data_keys: Mutex<DataKeyCache>,
    pub(crate) lanes: Mutex<BTreeMap<u32, Arc<Lane>>>,
    pub(crate) lane_threads: Mutex<Vec<JoinHandle<()>>>,
    /// Bytes queued in all lanes.
    pub(crate) queued_len: AtomicU64,
    /// Who waits for room.
    pub(crate) waiting_for_room: Mutex<Vec<Waiting>>,
    pub(crate) next_volume_id: AtomicU64,
    pub(crate) is_closing: AtomicBool,
    /// Too much is written, or the disk too full, for work that can wait.
    pub(crate) is_busy: AtomicBool,
    pub(crate) chores: Chores,
    pub(crate) retention_clock: Mutex<RetentionClock>,
    /// Held until the engine is closed.
    pub(crate) lock: Mutex<Option<StoreLock>>,
}

/// A callback for when a lane, or the whole engine, has room again.
pub(crate) struct Waiting {
    pub(crate) lane: Option<Arc<Lane>>,
    pub(crate) wake: Box<dyn FnOnce() + Send>,
}

/// What housekeeping is to do soon.
#[derive(Default)]
pub(crate) struct Chores {
    pub(crate) list: Mutex<ChoreList>,
    pub(crate) changed: Condvar,
}

#[derive(Default)]
pub(crate) struct ChoreList {
    /// Volumes that a lane has closed.
    pub(crate) to_seal: VecDeque<u64>,
    /// Sealed volumes that wait to be sorted.
    pub(crate) to_sort: VecDeque<u64>,
    /// Sealed volumes whose footer could not be read.
    pub(crate) to_repair: Vec<u64>,
    /// Removed volumes, the longest removed first.
    pub(crate) to_free: VecDeque<Removed>,
    /// Streams whose runs are to be removed from the index.
    pub(crate) to_forget: Vec<StreamId>,
    /// Look for expired volumes now.
    pub(crate) delete_expired: bool,
    /// Retention changed: the expiry hints of volumes after this id, all for `None`, are out of
    /// date.
    pub(crate) recheck: Option<Option<u64>>,
    pub(crate) is_stopping: bool,
}

impl Shared {
    pub(crate) fn stream(&self, id: StreamId) -> Option<Arc<StreamState>> {
        let streams = self.streams.read().unwrap_or_else(PoisonError::into_inner);
        streams.get(&id).cloned()
    }

    pub(crate) fn known_stream(&self, id: StreamId) -> Result<Arc<StreamState>, StoreError> {
        self.stream(id).ok_or(StoreError::StreamGone(id))
    }

    pub(crate) fn was_deleted(&self, id: StreamId) -> bool {
        self.deleted.read().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }

    pub(crate) fn unsealed(&self) -> RwLockReadGuard<'_, BTreeMap<u64, Arc<Unsealed>>> {
        self.unsealed.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn unsealed_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<u64, Arc<Unsealed>>> {
        self.unsealed.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The volumes in memory as they are now.
    pub(crate) fn unsealed_now(&self) -> Vec<Arc<Unsealed>> {
        self.unsealed().values().cloned().collect()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    /// The stream's key, from memory while it is fresh.
    ///
    /// It is asked for again after half its time, and still used up to its full time when the source
    /// does not answer.
    pub(crate) fn stream_key(&self, stream: &StreamState) -> Result<CachedKey, StoreError> {
        if stream.is_deleted() {
            return Err(StoreError::StreamGone(stream.id));
        }
        let now = self.seams.clock.monotonic();
        let cached = lock(&stream.key).clone();
        if let Some(cached) = &cached
            && now.saturating_sub(cached.since) < self.options.key_ttl / 2
        {
            return Ok(cached.clone());
        }
        match self.keys.stream_key(stream.id) {
            Ok(key) => {
                let fingerprint = Arc::new(key.fingerprint_key());
                let fresh = CachedKey { key, fingerprint, since: now };
                let mut slot = lock(&stream.key);
                // Deleted while we asked: leave nothing behind.
                if stream.is_deleted() {
                    return Err(StoreError::StreamGone(stream.id));
                }
                *slot = Some(fresh.clone());
                Ok(fresh)
            }
            Err(StoreError::Key { source: KeyFailure::Unavailable(why), .. }) => {
                let usable =
                    cached.filter(|key| now.saturating_sub(key.since) < self.options.key_ttl);
                usable.ok_or(StoreError::Key {
                    stream: stream.id,
                    source: KeyFailure::Unavailable(why),
                })
            }
            Err(error) => {
                *lock(&stream.key) = None;
                Err(error)
            }
        }
    }

    /// When the fragments of a stream up to `max_server` are no longer kept.
    pub(crate) fn expiry(&self, stream: StreamId, max_server: UnixMillis) -> UnixMillis {
        match self.stream(stream) {
            Some(stream) => stream.config().expiry(max_server),
            None if self.was_deleted(stream) => UnixMillis(0),
            None => {
                lock(&self.orphans).insert(stream);
                // At start volumes are taken in before the streams are put. A stream that has a key
                // exists, whatever its retention will turn out to be.
                if !matches!(self.keys.stream_key(stream), Err(StoreError::StreamGone(_))) {
                    return UnixMillis(u64::MAX);
                }
                let kept = u64::try_from(self.options.orphan_retention.as_millis());
                UnixMillis(max_server.0.saturating_add(kept.unwrap_or(u64::MAX)))
            }
        }
    }

    /// Whether less than so many quarters of the budget are in use: the lane's, where one is given,
    /// and the engine's.
    pub(crate) fn has_room(&self, lane: Option<&Lane>, quarters: u64) -> bool {
        let below = |queued: u64, max: u64| queued < max / 4 * quarters;
        below(self.queued_len.load(Ordering::SeqCst), self.options.queue_len_max)
            && lane.is_none_or(|lane| below(lane.queued_len(), self.options.lane_queue_len_max))
    }

    /// Calls back who waits for room that is there now.
    pub(crate) fn wake_waiting(&self) {
        let mut ready = Vec::new();
        {
            let mut waiting = lock(&self.waiting_for_room);
            let mut index = 0;
            while index < waiting.len() {
                if self.is_closing() || self.has_room(waiting[index].lane.as_deref(), 2) {
                    ready.push(waiting.swap_remove(index));
                } else {
                    index += 1;
                }
            }
        }
        for Waiting { wake, .. } in ready {
            wake();
        }
    }

    /// Adds work for housekeeping and wakes it.
    pub(crate) fn add_chore(&self, add: impl FnOnce(&mut ChoreList)) {
        add(&mut lock(&self.chores.list));
        self.chores.changed.notify_all();
    }

    /// The row of an unsealed volume.
    pub(crate) fn record_of(
        &self,
        volume: &Unsealed,
        state: streamkeep_catalog::VolumeState,
    ) -> VolumeRecord {
        let contents = volume.read();
        let expiries = contents.runs.iter().filter_map(|(stream, rows)| {
            let newest = rows.iter().map(|row| row.server_timestamp).max()?;
            Some(self.expiry(*stream, newest))
        });
        VolumeRecord {
            id: volume.id(),
            uuid: volume.header.uuid.0,
            lane: volume.header.lane,
            state,
            created: volume.header.created,
            length: contents.durable_len,
            indexed_upto: contents.durable_len,
            max_server: contents.max_server,
            max_expiry: expiries.max().unwrap_or(UnixMillis(0)),
            fragment_count: contents.fragment_count,
            record_bytes: contents.record_bytes,
        }
    }
}
