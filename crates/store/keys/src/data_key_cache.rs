//! Unwrapped data keys, so that not every read opens the stream's key.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use streamkeep_media::StreamId;

use crate::{DataKey, WrappedDataKey};

/// A bounded least-recently-used cache of unwrapped data keys.
///
/// Keyed by the wrapped form, not by stream and generation: a database restored from a backup may
/// have given one generation twice, and each volume carries the keys of its own media.
///
/// A key is dropped when its time is over, counted from when it was put in: a stream key that was
/// disabled takes effect within that time however often the data key is used.
pub struct DataKeyCache {
    entries: HashMap<WrappedDataKey, Entry>,
    /// Last use to entry; every entry has exactly one use in here.
    by_use: BTreeMap<u64, WrappedDataKey>,
    uses: u64,
    capacity: usize,
    ttl: Duration,
}

struct Entry {
    key: Arc<DataKey>,
    inserted: Duration,
    last_use: u64,
}

impl DataKeyCache {
    /// An empty cache for at most `capacity` keys, each kept for at most `ttl`.
    pub fn new(capacity: usize, ttl: Duration) -> Self {
        Self { entries: HashMap::new(), by_use: BTreeMap::new(), uses: 0, capacity, ttl }
    }

    /// The unwrapped key, when it is here and its time is not over. `now` is monotonic time.
    pub fn get(&mut self, wrapped: &WrappedDataKey, now: Duration) -> Option<Arc<DataKey>> {
        let entry = self.entries.get_mut(wrapped)?;
        if now.saturating_sub(entry.inserted) >= self.ttl {
            self.remove(wrapped);
            return None;
        }
        self.by_use.remove(&entry.last_use);
        self.uses += 1;
        entry.last_use = self.uses;
        self.by_use.insert(self.uses, *wrapped);
        Some(entry.key.clone())
    }

    /// Puts a key in, in place of the least recently used one when there is no room.
    pub fn insert(&mut self, wrapped: WrappedDataKey, key: Arc<DataKey>, now: Duration) {
        if self.capacity == 0 {
            return;
        }
        self.remove(&wrapped);
        while self.entries.len() >= self.capacity {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            self.entries.remove(&oldest);
        }
        self.uses += 1;
        self.by_use.insert(self.uses, wrapped);
        self.entries.insert(wrapped, Entry { key, inserted: now, last_use: self.uses });
    }

    /// Drops the keys of a stream: call it when the stream is deleted.
    pub fn forget_stream(&mut self, stream: StreamId) {
        self.retain(|wrapped, _| wrapped.stream != stream);
    }

    /// Drops the keys whose time is over; without it they stay in memory until they are asked for.
    pub fn remove_expired(&mut self, now: Duration) {
        let ttl = self.ttl;
        self.retain(|_, entry| now.saturating_sub(entry.inserted) < ttl);
    }

    /// Keys in the cache.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key in the cache.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn remove(&mut self, wrapped: &WrappedDataKey) {
        if let Some(entry) = self.entries.remove(wrapped) {
            self.by_use.remove(&entry.last_use);
        }
    }

    fn retain(&mut self, keep: impl Fn(&WrappedDataKey, &Entry) -> bool) {
        let by_use = &mut self.by_use;
        self.entries.retain(|wrapped, entry| {
            let keep = keep(wrapped, entry);
            if !keep {
                by_use.remove(&entry.last_use);
            }
            keep
        });
    }
}

impl fmt::Debug for DataKeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKeyCache")
            .field("len", &self.len())
            .field("capacity", &self.capacity)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use streamkeep_io::sim::SimRng;

    use super::*;
    use crate::{StoreId, StreamKey};

    fn key(stream: u8, generation: u32) -> (WrappedDataKey, Arc<DataKey>) {
        let rng = SimRng::new(u64::from(generation));
        let stream = StreamId([stream; 16]);
        let key = DataKey::generate(stream, generation, &rng);
        let stream_key = StreamKey::generate(StoreId([9; 16]), stream, 1, &rng);
        (stream_key.wrap_data_key(&key, &rng), Arc::new(key))
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn the_least_recently_used_key_goes_first() {
        let mut cache = DataKeyCache::new(2, seconds(100));
        let [a, b, c] = [1, 2, 3].map(|generation| key(1, generation));
        cache.insert(a.0, a.1, seconds(0));
        cache.insert(b.0, b.1, seconds(0));
        assert!(cache.get(&a.0, seconds(1)).is_some());
        cache.insert(c.0, c.1, seconds(1));
        assert_eq!(cache.len(), 2);
        assert!(cache.get(&b.0, seconds(1)).is_none());
        assert_eq!(cache.get(&a.0, seconds(1)).unwrap().generation(), 1);
        assert_eq!(cache.get(&c.0, seconds(1)).unwrap().generation(), 3);
    }

    #[test]
    fn time_counts_from_insertion() {
        let mut cache = DataKeyCache::new(10, seconds(10));
        let [a, b] = [1, 2].map(|generation| key(1, generation));
        cache.insert(a.0, a.1.clone(), seconds(0));
        cache.insert(b.0, b.1, seconds(5));
        assert!(cache.get(&a.0, seconds(9)).is_some());
        assert!(cache.get(&a.0, seconds(10)).is_none());
        assert_eq!(cache.len(), 1, "dropped when found expired");
        cache.remove_expired(seconds(15));
        assert!(cache.is_empty() && cache.by_use.is_empty());
        cache.insert(a.0, a.1.clone(), seconds(20));
        cache.insert(a.0, a.1, seconds(25));
        assert!(cache.get(&a.0, seconds(34)).is_some(), "inserting again starts the time again");
        assert_eq!((cache.len(), cache.by_use.len()), (1, 1));
    }

    #[test]
    fn a_deleted_stream_is_forgotten() {
        let mut cache = DataKeyCache::new(10, seconds(10));
        for (wrapped, key) in [key(1, 1), key(2, 1), key(1, 2)] {
            cache.insert(wrapped, key, seconds(0));
        }
        cache.forget_stream(StreamId([1; 16]));
        assert_eq!((cache.len(), cache.by_use.len()), (1, 1));
        assert!(cache.get(&key(2, 1).0, seconds(0)).is_some());
    }

    #[test]
    fn no_room_at_all() {
        let mut cache = DataKeyCache::new(0, seconds(10));
        let (wrapped, key) = key(1, 1);
        cache.insert(wrapped, key, seconds(0));
        assert!(cache.get(&wrapped, seconds(0)).is_none());
    }
}
