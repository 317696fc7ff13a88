//! The engine: opened once, shared by all that store and read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use streamkeep_catalog::{IndexCatalog, TimeAxis};
use streamkeep_io::Space;
use streamkeep_keys::DataKeyCache;
use streamkeep_media::{Fragment, FragmentNumber, StreamId, UnixMillis};
use streamkeep_volume::{FragmentMeta, Via};

use crate::footage::Footage;
use crate::health::{Concern, HealthState};
use crate::keeper::Keeper;
use crate::lane::{AppendDone, Item, Lane};
use crate::lock::StoreLock;
use crate::options::{Drive, Options, Seams, StreamKeys};
use crate::query::{IndexedRow, RowQuery, RowRange};
use crate::read::StoredFragment;
use crate::recovery::RecoveryReport;
use crate::retention_clock::RetentionClock;
use crate::sealed::SealedVolumes;
use crate::shared::{Chores, Shared, Waiting};
use crate::stats::{Counters, Stats};
use crate::stream::{StreamState, lock};
use crate::writer::{Step, Writer};
use crate::{AppendRefused, Health, StoreError, StreamConfig};

/// The fragment store of one directory. Clones are the same engine.
///
/// All calls block; reads and queries may take as long as the disk does. Nothing here may be called
/// from a completion callback but [`append`](Self::append), [`has_room`](Self::has_room) and
/// [`stats`](Self::stats).
#[derive(Clone)]
pub struct Engine {
    running: Arc<Running>,
}

struct Running {
    shared: Arc<Shared>,
    keeper: Mutex<Option<JoinHandle<()>>>,
    /// With [`Drive::Manual`]: what the threads would own.
    manual: Mutex<Option<Manual>>,
    report: RecoveryReport,
}

struct Manual {
    writers: BTreeMap<u32, Writer>,
    keeper: Keeper,
}

impl Engine {
    /// Opens the store in a directory: recovers what the last process left, then takes appends.
    ///
    /// `lock` is the directory's, taken before its databases were opened. Streams are unknown until
    /// [`put_stream`](Self::put_stream) names them; appends and reads of others are refused.
    ///
    /// # Errors
    /// `OtherStore` when a volume belongs to another store; `Io` and `Catalog` when the directory or
    /// the index cannot be read. Damaged volumes are no error, see [`Self::recovery`].
    pub fn open(
        lock: StoreLock,
        options: Options,
        seams: Seams,
        index: Arc<dyn IndexCatalog>,
        keys: Arc<dyn StreamKeys>,
    ) -> Result<Self, StoreError> {
        let mut lock = lock;
        match lock.store() {
            Some(store) if store != options.store => {
                return Err(StoreError::OtherStore { place: "the data directory".to_owned() });
            }
            _ => lock.set_store(options.store).map_err(StoreError::io("write", "lock"))?,
        }
        let sealed = SealedVolumes::new(
            seams.volumes.clone(),
            options.store,
            options.open_volumes_max,
            options.row_cache_len,
        );
        let data_keys = DataKeyCache::new(options.data_keys_max, options.key_ttl);
        let (wall, monotonic) = (seams.clock.now(), seams.clock.monotonic());
        let mut shared = Shared {
            index,
            keys,
            counters: Counters::default(),
            health: HealthState::default(),
            streams: RwLock::new(HashMap::new()),
            deleted: RwLock::new(HashSet::new()),
            orphans: Mutex::new(HashSet::new()),
            unsealed: RwLock::new(BTreeMap::new()),
            sealed,
            data_keys: Mutex::new(data_keys),
            lanes: Mutex::new(BTreeMap::new()),
            lane_threads: Mutex::new(Vec::new()),
            queued_len: AtomicU64::new(0),
            waiting_for_room: Mutex::new(Vec::new()),
            next_volume_id: AtomicU64::new(1),
            is_closing: AtomicBool::new(false),
            is_busy: AtomicBool::new(false),
            chores: Chores::default(),
            retention_clock: Mutex::new(RetentionClock::new(None, wall, monotonic)),
            lock: Mutex::new(Some(lock)),
            options,
            seams,
        };
        let (report, newest) = shared.recover()?;
        shared.retention_clock = Mutex::new(RetentionClock::new(newest, wall, monotonic));
        tracing::info!(?report, "store opened");

        let shared = Arc::new(shared);
        let keeper = Keeper::new(shared.clone());
        let (keeper, manual) = match shared.options.drive {
            Drive::Manual => (None, Some(Manual { writers: BTreeMap::new(), keeper })),
            Drive::Threads => (Some(spawn("store-keeper", move || keeper.run())?), None),
        };
        let running =
            Running { shared, keeper: Mutex::new(keeper), manual: Mutex::new(manual), report };
        Ok(Self { running: Arc::new(running) })
    }

    /// What the start found.
    pub fn recovery(&self) -> &RecoveryReport {
        &self.running.report
    }

    /// Makes a stream known, or changes what is known of it. Of a stream with a retention of 0 hours
    /// nothing is visible and everything is deleted; it must not be appended to.
    pub fn put_stream(&self, config: StreamConfig) {
        let shared = self.shared();
        let known = {
            let mut streams = shared.streams.write().unwrap_or_else(PoisonError::into_inner);
            match streams.get(&config.id) {
                Some(stream) => Some(stream.clone()),
                None => {
                    streams.insert(config.id, Arc::new(StreamState::new(config)));
                    None
                }
            }
        };
        let is_changed = match known {
            Some(stream) => {
                let is_changed = stream.config() != config;
                stream.set_config(config);
                is_changed
            }
            None => lock(&shared.orphans).remove(&config.id),
        };
        if is_changed {
            shared.add_chore(|chores| chores.recheck = Some(None));
        }
    }

    /// The same as [`Self::put_stream`], under the name of the operation.
    pub fn update_stream(&self, config: StreamConfig) {
        self.put_stream(config);
    }

    /// Forgets a stream: on return nothing of it can be read or appended, and its keys have left
    /// memory. The caller has removed, or now removes, the wrapped stream key: only that makes the
    /// bytes on disk unreadable. Queued appends fail with `StreamGone`.
    pub fn delete_stream(&self, id: StreamId) {
        let shared = self.shared();
        shared.deleted.write().unwrap_or_else(PoisonError::into_inner).insert(id);
        let removed = shared.streams.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if let Some(stream) = removed {
            stream.delete();
        }
        lock(&shared.data_keys).forget_stream(id);
        shared.sealed.forget_stream(id);
        shared.add_chore(|chores| chores.to_forget.push(id));
    }

    /// The number of a fragment that begins now, and its server timestamp. Larger than every number
    /// of the stream before, durable or not.
    ///
    /// # Errors
    /// `StreamGone`; at the first call for a stream also what the index reports.
    pub fn begin_fragment(
        &self,
        stream: StreamId,
    ) -> Result<(FragmentNumber, UnixMillis), StoreError> {
        let stream = self.shared().known_stream(stream)?;
        let number = self.shared().issue_number(&stream)?;
        Ok((number, number.server_timestamp()))
    }

    /// Stores a fragment. Encrypts on this thread, about 0.2 ms for 250 KB, and queues; `done` is
    /// called on another thread once the fragment is durable and can be found, or has failed.
    ///
    /// Appends of one stream complete in the order of the calls. When one fails, those of the stream
    /// that were queued behind it fail too. A fragment that was stored before, by producer timestamp
    /// and content of its frames, is not stored again: it completes with the number of the first
    /// copy, once that is durable.
    ///
    /// # Errors
    /// `done` is then never called.
    pub fn append(
        &self,
        stream: StreamId,
        fragment: Fragment,
        done: AppendDone,
    ) -> Result<(), AppendRefused> {
        self.shared().append(stream, fragment, done)?;
        Ok(())
    }

    /// Whether the stream's queue is below three quarters of its budget. Who sees false should stop
    /// reading from its connection until [`when_room`](Self::when_room) calls back.
    pub fn has_room(&self, stream: StreamId) -> bool {
        self.shared().has_room(self.lane_of(stream).as_deref(), 3)
    }

    /// Calls `wake` once the stream's queue is below half of its budget, at once when it is. Runs on
    /// a lane's thread and must not block. Also called when the engine closes.
    pub fn when_room(&self, stream: StreamId, wake: Box<dyn FnOnce() + Send>) {
        let lane = self.lane_of(stream);
        lock(&self.shared().waiting_for_room).push(Waiting { lane, wake });
        // There may be room already, and then nothing else would look.
        self.shared().wake_waiting();
    }

    fn lane_of(&self, stream: StreamId) -> Option<Arc<Lane>> {
        let stream = self.shared().stream(stream)?;
        lock(&stream.append).lane.clone()
    }

    /// Visible rows of a stream, in the order of the range.
    ///
    /// # Errors
    /// `StreamGone`, and what the index reports. Volumes whose footer is damaged are left out; the
    /// health says so.
    pub fn rows(&self, stream: StreamId, query: &RowQuery) -> Result<Vec<IndexedRow>, StoreError> {
        let stream = self.shared().known_stream(stream)?;
        self.shared().rows(&stream, &query.range, query.after, query.limit)
    }

    /// One visible fragment by its number.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn row(
        &self,
        stream: StreamId,
        number: FragmentNumber,
    ) -> Result<Option<IndexedRow>, StoreError> {
        let stream = self.shared().known_stream(stream)?;
        self.shared().row(&stream, number)
    }

    /// The first visible fragment with a number above `after`.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn next_row(
        &self,
        stream: StreamId,
        after: FragmentNumber,
    ) -> Result<Option<IndexedRow>, StoreError> {
        let stream = self.shared().known_stream(stream)?;
        let range = RowRange::Number(after.next()..=FragmentNumber::MAX);
        Ok(self.shared().rows(&stream, &range, None, 1)?.into_iter().next())
    }

    /// The oldest visible fragment.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn first_row(&self, stream: StreamId) -> Result<Option<IndexedRow>, StoreError> {
        self.next_row(stream, FragmentNumber::MIN)
    }

    /// The visible fragment with the largest number.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn last_row(&self, stream: StreamId) -> Result<Option<IndexedRow>, StoreError> {
        let stream = self.shared().known_stream(stream)?;
        self.shared().last_row(&stream)
    }

    /// The last visible fragment that starts at or before `at` and reaches past it, else the first
    /// that starts after it. Fragments longer than five minutes are not found by their inside.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn containing(
        &self,
        stream: StreamId,
        axis: TimeAxis,
        at: UnixMillis,
    ) -> Result<Option<IndexedRow>, StoreError> {
        let stream = self.shared().known_stream(stream)?;
        self.shared().containing(&stream, axis, at)
    }

    /// Reads a fragment by its number. Checks that the record is the one the index means and every
    /// authentication tag.
    ///
    /// # Errors
    /// `StreamGone`, `NoSuchFragment`, `Damaged`, `Key`, `Io`, and what the index reports.
    pub fn read(
        &self,
        stream: StreamId,
        number: FragmentNumber,
    ) -> Result<StoredFragment, StoreError> {
        let stream = self.shared().known_stream(stream)?;
        self.shared().read_number(&stream, number)
    }

    /// As [`Self::read`], for a row that was looked up before.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_row(
        &self,
        stream: StreamId,
        row: &IndexedRow,
    ) -> Result<StoredFragment, StoreError> {
        let stream = self.shared().known_stream(stream)?;
        self.shared().read_row(&stream, row, Via::Cache)
    }

    /// As [`Self::read_row`], for what nobody else is likely to ask for soon: past the page cache. What
    /// [was just written](Self::was_just_written) lies there and is better read from it.
    ///
    /// # Errors
    /// As [`Self::read_row`].
    pub fn read_row_once(
        &self,
        stream: StreamId,
        row: &IndexedRow,
    ) -> Result<StoredFragment, StoreError> {
        let stream = self.shared().known_stream(stream)?;
        self.shared().read_row(&stream, row, Via::Disk)
    }

    /// Whether a fragment is among the last that its lane wrote, which stay in the page cache
    /// ([`Options::page_cache_len`]).
    pub fn was_just_written(&self, row: &IndexedRow) -> bool {
        self.shared().was_just_written(row)
    }

    /// As [`Self::read_row`], when all of it is in memory: `None` when the disk would have to be
    /// waited for, and when something is wrong that `read_row` will tell. Takes as long as opening
    /// the seal, 60 µs for 250 KB, so that an async task may call it.
    ///
    /// # Errors
    /// The stream or the fragment is no more.
    pub fn read_cached_row(
        &self,
        stream: StreamId,
        row: &IndexedRow,
    ) -> Result<Option<StoredFragment>, StoreError> {
        let stream = self.shared().known_stream(stream)?;
        self.shared().read_cached_row(&stream, row)
    }

    /// What was sealed with a fragment besides its media: session header, frame table, tags. Reads
    /// no media.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_meta(
        &self,
        stream: StreamId,
        row: &IndexedRow,
    ) -> Result<FragmentMeta, StoreError> {
        let stream = self.shared().known_stream(stream)?;
        self.shared().read_meta_of(&stream, row)
    }

    /// Returns when every append queued before has completed.
    pub fn flush(&self) {
        let lanes: Vec<Arc<Lane>> = lock(&self.shared().lanes).values().cloned().collect();
        let (reached, wait) = mpsc::channel();
        for lane in lanes {
            let reached = reached.clone();
            let barrier = Item::Barrier(Box::new(move || {
                // The caller waits for as long as there is a sender.
                drop(reached);
            }));
            // A stopped lane is empty, or its writer is about to make it so.
            let _ = lane.push(barrier);
        }
        drop(reached);
        if self.shared().options.drive == Drive::Manual {
            self.drive();
        }
        // Ends with the last sender.
        let _: Result<(), _> = wait.recv();
    }

    /// Stops taking appends, completes those that are queued, seals the volumes, ends the threads and
    /// releases the directory. Further calls of any kind but reads are refused. Repeatable. Must not
    /// be called from a callback.
    pub fn close(&self) {
        let shared = self.shared();
        shared.is_closing.store(true, Ordering::SeqCst);
        if shared.options.drive == Drive::Manual {
            self.drive();
        }
        self.stop_lanes();
        shared.wake_waiting();
        if let Some(mut manual) = lock(&self.running.manual).take() {
            self.shared().make_writers(&mut manual.writers);
            for writer in manual.writers.values_mut() {
                while writer.step(Duration::ZERO) != Step::Stopped {}
            }
            manual.keeper.step();
        }
        std::mem::take(&mut *lock(&shared.lane_threads)).into_iter().for_each(join);
        // The lanes have handed over their volumes: the keeper seals them before it ends.
        shared.add_chore(|chores| chores.is_stopping = true);
        lock(&self.running.keeper).take().into_iter().for_each(join);
        lock(&shared.lock).take();
    }

    fn stop_lanes(&self) {
        for lane in lock(&self.shared().lanes).values() {
            lane.stop();
        }
    }

    /// With [`Drive::Manual`]: does all that is queued and due. Returns whether a batch was written.
    pub fn drive(&self) -> bool {
        let mut manual = lock(&self.running.manual);
        let Some(manual) = &mut *manual else { return false };
        let mut has_worked = false;
        loop {
            self.shared().make_writers(&mut manual.writers);
            let worked = manual.writers.values_mut().fold(false, |worked, writer| {
                worked | (writer.step(Duration::ZERO) == Step::Worked)
            });
            has_worked |= worked;
            manual.keeper.step();
            if !worked && !lock(&self.shared().chores.list).has_work() {
                return has_worked;
            }
        }
    }

    /// The state of the store.
    pub fn health(&self) -> Health {
        self.shared().health.report()
    }

    /// What an operator should look at, each with a sentence, also while the store is read-only.
    pub fn concerns(&self) -> Vec<(Concern, String)> {
        self.shared().health.concerns()
    }

    /// How the engine was set up.
    pub fn options(&self) -> &Options {
        &self.shared().options
    }

    /// Size and free space of the file system that holds the volumes.
    ///
    /// # Errors
    /// What `statvfs` reports.
    pub fn space(&self) -> Result<Space, StoreError> {
        self.shared().seams.volumes.statvfs().map_err(StoreError::io("statvfs", ""))
    }

    /// How much is kept, and when it goes. Reads the row of every volume: some 10 ms for 10,000 of
    /// them.
    ///
    /// # Errors
    /// What the index reports.
    pub fn footage(&self) -> Result<Footage, StoreError> {
        self.shared().footage()
    }

    /// The wall clock is right: deletion, which may be behind after a jump of it, goes by it again.
    pub fn confirm_clock(&self) {
        let clock = &self.shared().seams.clock;
        lock(&self.shared().retention_clock).confirm(clock.now(), clock.monotonic());
        self.shared().add_chore(|chores| chores.delete_expired = true);
    }

    /// Counters since the start.
    pub fn stats(&self) -> Stats {
        let queued = self.shared().queued_len.load(Ordering::SeqCst);
        let unsealed = self.shared().unsealed().len() as u64;
        self.shared().counters.read(queued, unsealed)
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.running.shared
    }
}

impl Drop for Running {
    /// The last handle is gone without a [`close`](Engine::close): what is queued is still stored,
    /// then the threads end by themselves. They are not waited for, since this may be one of them.
    fn drop(&mut self) {
        self.shared.is_closing.store(true, Ordering::SeqCst);
        for lane in lock(&self.shared.lanes).values() {
            lane.stop();
        }
        self.shared.add_chore(|chores| chores.is_stopping = true);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("options", &self.shared().options).finish_non_exhaustive()
    }
}

impl Shared {
    /// The lane with an id, with a thread to write it.
    pub(crate) fn lane(self: &Arc<Self>, id: u32) -> Arc<Lane> {
        let mut lanes = lock(&self.lanes);
        if let Some(lane) = lanes.get(&id) {
            return lane.clone();
        }
        let lane = Arc::new(Lane::new(id));
        if self.is_closing() {
            lane.stop();
        }
        lanes.insert(id, lane.clone());
        if self.options.drive == Drive::Threads {
            let writer = Writer::new(self.clone(), lane.clone());
            match spawn(&format!("store-lane-{id:x}"), move || writer.run()) {
                Ok(thread) => lock(&self.lane_threads).push(thread),
                Err(error) => {
                    // Appends to it are refused as if the engine were closing; a later one tries
                    // again.
                    tracing::error!(%error, "cannot start a lane");
                    lane.stop();
                    lanes.remove(&id);
                }
            }
        }
        lane
    }

    /// Writers for the lanes that have none, with [`Drive::Manual`].
    fn make_writers(self: &Arc<Self>, writers: &mut BTreeMap<u32, Writer>) {
        for (id, lane) in &*lock(&self.lanes) {
            writers.entry(*id).or_insert_with(|| Writer::new(self.clone(), lane.clone()));
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(work).map_err(StoreError::io("start a thread", name))
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of the store panicked");
    }
}
