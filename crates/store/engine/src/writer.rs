//! The writer of a lane: takes what is queued, writes it as one batch, syncs, publishes, completes.
//!
//! The numbers in the comments are the steps of `design/store.md`, "Durable order of an append".

use std::collections::HashSet;
use std::io::{self, IoSlice};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use streamkeep_catalog::VolumeState;
use streamkeep_io::VolumeFile;
use streamkeep_keys::WrappedDataKey;
use streamkeep_volume::{
    Batch, BatchBuilder, PlacedRow, VolumeError, VolumeHasher, VolumeHeader, VolumeId, VolumeUuid,
};

use crate::error::store_wide;
use crate::health::Concern;
use crate::lane::{Appended, Item, Lane, Repeat, Store, Work};
use crate::page_window::PageWindow;
use crate::recent::FirstCopy;
use crate::shared::Shared;
use crate::stream::lock;
use crate::unsealed::{Phase, Unsealed};
use crate::{ReadOnlyReason, StoreError};

/// Owns a lane's current volume. One thread has it.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    lane: Arc<Lane>,
    current: Option<Current>,
    written: PageWindow,
}

/// The volume that is being written.
struct Current {
    volume: Arc<Unsealed>,
    /// Where the next batch goes.
    tail: u64,
    /// Bytes it may have before its footer.
    capacity: u64,
    sequence: u64,
    /// Keys that are durable in it.
    keys: HashSet<WrappedDataKey>,
    row_count: usize,
    opened: Duration,
    hasher: Option<VolumeHasher>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, lane: Arc<Lane>) -> Self {
        let written = PageWindow::new(shared.options.page_cache_len);
        Self { shared, lane, current: None, written }
    }

    /// Works until the lane is stopped and empty, then closes the volume.
    pub(crate) fn run(mut self) {
        loop {
            let began = self.shared.seams.clock.monotonic();
            match self.step(IDLE_WAKE) {
                Step::Stopped => return,
                Step::Worked => self.pace(began),
                Step::Idle => {}
            }
        }
    }

    /// Keeps syncs apart while little waits: on a fast disk a lane would otherwise sync for every
    /// fragment or two. At 1,000 cameras 300 syncs a second became about 120, and the lane's
    /// processor time less than half, for 4 ms more to PERSISTED.
    fn pace(&self, began: Duration) {
        if self.lane.queued_len() < GATHERED_LEN {
            let taken = self.shared.seams.clock.monotonic().saturating_sub(began);
            std::thread::sleep(COMMIT_DISTANCE.saturating_sub(taken));
        }
    }

    /// Takes one batch's worth of work, waiting for it at most `patience`.
    pub(crate) fn step(&mut self, patience: Duration) -> Step {
        match self.lane.take(self.shared.options.batch_len_max, patience) {
            Work::Items(items) => {
                self.write(items);
                Step::Worked
            }
            Work::Idle => {
                self.close_old_volume();
                Step::Idle
            }
            Work::Stopped => {
                self.close_volume();
                Step::Stopped
            }
        }
    }

    /// Stores one batch and completes its items in order.
    fn write(&mut self, items: Vec<Item>) {
        let len = items.iter().map(Item::len).sum();
        // Items that must not be stored any more fail in their place.
        let storable: Vec<&Store> = items.iter().filter_map(Item::storable).collect();
        let outcome = if storable.is_empty() { Ok(()) } else { self.commit(&storable) };
        let failed = outcome.is_err();
        self.complete(items, outcome);
        self.release(len);
        self.written.trim(|volume, range| self.shared.drop_pages(volume, range));
        if failed {
            // What is behind would be answered before what was lost is sent again.
            let rest = self.lane.drain();
            let len = rest.iter().map(Item::len).sum();
            let reason = self.shared.health.read_only().unwrap_or(ReadOnlyReason::WriteFailed);
            self.complete(rest, Err(reason));
            self.release(len);
        }
    }

    fn release(&self, len: u64) {
        self.lane.release(len);
        self.shared.queued_len.fetch_sub(len, Ordering::SeqCst);
        self.shared.wake_waiting();
    }

    /// Makes fragments durable and visible, on a second volume when the first fails.
    fn commit(&mut self, stores: &[&Store]) -> Result<(), ReadOnlyReason> {
        let mut failures = 0;
        loop {
            let error = match self.try_commit(stores) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            self.shared.counters.write_failures.add(1);
            tracing::error!(lane = self.lane.id, %error, "a write or sync failed");
            self.abandon_volume();
            failures += 1;
            let reason =
                store_wide(&error).or((failures == 2).then_some(ReadOnlyReason::WriteFailed));
            if let Some(reason) = reason {
                self.shared.health.set_read_only(Some(reason));
                self.shared.add_chore(|chores| chores.delete_expired = true);
                return Err(reason);
            }
        }
    }

    fn try_commit(&mut self, stores: &[&Store]) -> io::Result<()> {
        let shared = self.shared.clone();
        let needed: u64 = stores.iter().map(|store| store.fragment.record_len() + KEY_ROOM).sum();
        let current = self.volume_with_room(needed, stores.len())?;
        let volume = current.volume.clone();

        // 3. Fill in what depends on the place, write the batch.
        let mut batch =
            BatchBuilder::new(&volume.header, current.tail, current.sequence, current.tail);
        let mut new_keys = Vec::new();
        for store in stores {
            if !current.keys.contains(&store.key) && !new_keys.contains(&store.key) {
                batch.push_key(&store.key);
                new_keys.push(store.key);
            }
            batch.push_fragment(&store.fragment);
        }
        let batch = batch.finish();
        Self::write_out(&shared, &batch, &*volume.file)?;

        // 4. The only barrier.
        let started = shared.seams.clock.monotonic();
        shared.counters.syncs.add(1);
        volume.file.sync_data()?;
        shared.counters.sync_latency.record(shared.seams.clock.monotonic().saturating_sub(started));

        // The volume goes on behind the batch only now: a failed one leaves `current` for good.
        if let Some(hasher) = &mut current.hasher {
            batch.hash_into(hasher);
        }
        let end = batch.end();
        let written = current.tail..end;
        shared.counters.written_bytes.add(end - current.tail);
        shared.counters.appended_bytes.add(end - current.tail);
        shared.counters.batches.add(1);
        current.tail = end;
        current.sequence += 1;
        current.row_count += stores.len();
        current.keys.extend(new_keys.iter().copied());

        // 5. Publish.
        let rows: Vec<PlacedRow> = batch.into_fragments();
        let media_len = rows.iter().map(|placed| u64::from(placed.row.media_len)).sum();
        shared.counters.fragments.add(rows.len() as u64);
        shared.counters.media_bytes.add(media_len);
        volume.write().publish(rows, new_keys, end);
        self.written.push(volume.id(), written);
        Ok(())
    }

    /// Writes a batch. A long one goes to the disk a piece at a time, with rests: the other lanes sync
    /// to the same disk, and would wait for all of it.
    fn write_out(shared: &Shared, batch: &Batch, file: &dyn VolumeFile) -> io::Result<()> {
        let mut offset = batch.offset();
        if batch.end() - offset <= LONG_LEN {
            return batch.write_to(file);
        }
        for piece in batch.slices().iter().flat_map(|slice| slice.chunks(PIECE_LEN)) {
            let began = shared.seams.clock.monotonic();
            file.write_at(&[IoSlice::new(piece)], offset)?;
            offset += piece.len() as u64;
            if piece.len() == PIECE_LEN {
                file.sync_data()?;
                shared.counters.syncs.add(1);
                shared.rest_since(began);
            }
        }
        Ok(())
    }

    /// 6. Complete the appends, in queue order.
    fn complete(&self, items: Vec<Item>, outcome: Result<(), ReadOnlyReason>) {
        for item in items {
            match item {
                Item::Store(store) => self.complete_store(*store, outcome),
                Item::Repeat(repeat) => self.complete_repeat(*repeat),
                Item::Barrier(reached) => guarded(reached),
            }
        }
    }

    fn complete_store(&self, store: Store, outcome: Result<(), ReadOnlyReason>) {
        let Store { stream, fragment, identity, since, done, .. } = store;
        let now = self.shared.seams.clock.monotonic();
        let number = fragment.row().number;
        // The sealed bytes go before the answer invites the next ones.
        let is_current = store.failures == stream.failures();
        drop(fragment);
        let result = if stream.is_deleted() {
            Err(StoreError::StreamGone(stream.id))
        } else if !is_current {
            Err(self.interrupted())
        } else {
            outcome.map_err(StoreError::ReadOnly)
        };
        match &result {
            Ok(()) => {
                let window = self.shared.options.recent_window;
                lock(&stream.recent).settle(identity, number, now, window);
                self.shared.counters.append_latency.record(now.saturating_sub(since));
            }
            Err(_) => {
                lock(&stream.recent).forget(&identity);
                if is_current {
                    stream.fail_flight();
                }
                self.shared.counters.failed_appends.add(1);
            }
        }
        stream.end_flight();
        guarded(|| done(result.map(|()| Appended { number, duplicate: false })));
    }

    fn complete_repeat(&self, repeat: Repeat) {
        let Repeat { stream, identity, number, done } = repeat;
        let first = number.map(FirstCopy::Durable).or_else(|| lock(&stream.recent).find(&identity));
        let result = match first {
            _ if stream.is_deleted() => Err(StoreError::StreamGone(stream.id)),
            Some(FirstCopy::Durable(number)) => {
                self.shared.counters.duplicates.add(1);
                Ok(Appended { number, duplicate: true })
            }
            // The first copy was lost, and this one's bytes were not kept.
            _ => {
                self.shared.counters.failed_appends.add(1);
                Err(self.interrupted())
            }
        };
        stream.end_flight();
        guarded(|| done(result));
    }

    /// Why an append fails that was caught up in the failure of another.
    fn interrupted(&self) -> StoreError {
        let reason = self.shared.health.read_only().unwrap_or(ReadOnlyReason::WriteFailed);
        StoreError::ReadOnly(reason)
    }

    /// The current volume, or a new one when it cannot take so many bytes and rows.
    fn volume_with_room(&mut self, len: u64, rows: usize) -> io::Result<&mut Current> {
        let options = &self.shared.options;
        let is_full = self.current.as_ref().is_some_and(|current| {
            current.row_count > 0
                && (current.tail + len > current.capacity
                    || current.row_count + rows > options.volume_rows_max)
        });
        if is_full {
            self.close_volume();
        }
        if self.current.is_none() {
            self.current = Some(self.open_volume()?);
        }
        Ok(self.current.as_mut().expect("was just put there"))
    }

    /// Create, reserve, write the header, sync, sync the directory, insert the row: then use.
    fn open_volume(&self) -> io::Result<Current> {
        let shared = &self.shared;
        let id = VolumeId(shared.next_volume_id.fetch_add(1, Ordering::SeqCst));
        let mut uuid = [0; 16];
        shared.seams.rng.fill(&mut uuid);
        let header = VolumeHeader {
            store: shared.options.store,
            id,
            uuid: VolumeUuid(uuid),
            lane: self.lane.id,
            owner_epoch: shared.options.owner_epoch,
            created: shared.seams.clock.now(),
            read_only_compatible: 0,
            compatible: 0,
        };
        let dir = &shared.seams.volumes;
        let name = id.file_name();
        let file = dir.create(&name)?;
        let prepare = || {
            let capacity = reserve(&*file, shared.options.volume_len)?;
            header.write_to(&*file).map_err(into_io)?;
            file.sync_data()?;
            shared.counters.syncs.add(1);
            dir.sync_dir()?;
            io::Result::Ok(capacity)
        };
        let capacity = prepare().inspect_err(|_| {
            // Nothing was written to it that anyone needs.
            let _ = dir.unlink(&name);
        })?;
        let volume = Arc::new(Unsealed::new(header, file, Phase::Writing));
        let record = shared.record_of(&volume, VolumeState::Active);
        if let Err(error) = shared.index.insert_volume(&record) {
            // The volume says all of this itself; the next start finds it.
            shared
                .health
                .concern(Concern::Index, Some(format!("the index takes no rows: {error}")));
        }
        shared.unsealed_mut().insert(id.0, volume.clone());
        shared.counters.volumes_opened.add(1);
        let hasher = shared.options.hash_volumes.then(|| {
            let mut hasher = VolumeHasher::new();
            hasher.update(&header.encode());
            hasher
        });
        Ok(Current {
            volume,
            tail: VolumeHeader::LEN,
            capacity,
            sequence: 0,
            keys: HashSet::new(),
            row_count: 0,
            opened: shared.seams.clock.monotonic(),
            hasher,
        })
    }

    fn close_old_volume(&mut self) {
        let now = self.shared.seams.clock.monotonic();
        let is_old = self.current.as_ref().is_some_and(|current| {
            current.row_count > 0
                && now.saturating_sub(current.opened) >= self.shared.options.seal_after
        });
        if is_old {
            self.close_volume();
        }
    }

    /// Nothing more is appended to the volume: housekeeping seals it.
    fn close_volume(&mut self) {
        let Some(current) = self.current.take() else { return };
        {
            let mut contents = current.volume.write();
            contents.phase = Phase::Closed;
            contents.hasher = current.hasher;
        }
        let id = current.volume.id();
        self.shared.add_chore(|chores| chores.to_seal.push_back(id));
    }

    /// After a failure: the file is never written or synced again. What was durable before stays
    /// readable.
    fn abandon_volume(&mut self) {
        let Some(current) = self.current.take() else { return };
        current.volume.set_phase(Phase::Suspect);
        let record = self.shared.record_of(&current.volume, VolumeState::Suspect);
        if let Err(error) = self.shared.index.update_volume(&record) {
            tracing::warn!(%error, volume = record.id, "cannot mark the volume suspect");
        }
        let what = format!("a write to volume {:016x} failed; it is not used any more", record.id);
        self.shared.health.concern(Concern::SuspectVolume, Some(what));
    }
}

/// What a step of a [`Writer`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Stored a batch.
    Worked,
    /// Nothing to do.
    Idle,
    /// The lane is stopped and empty.
    Stopped,
}

impl Item {
    /// The fragment to store, unless it must not be stored any more.
    fn storable(&self) -> Option<&Store> {
        match self {
            Self::Store(store)
                if !store.stream.is_deleted() && store.failures == store.stream.failures() =>
            {
                Some(store)
            }
            _ => None,
        }
    }
}

/// Reserves space for a volume: the wanted length or, when the disk has no such room in one go, a
/// part of it. Returns what was reserved.
fn reserve(file: &dyn VolumeFile, wanted: u64) -> io::Result<u64> {
    let mut len = wanted;
    loop {
        match file.allocate(len) {
            Ok(()) => return Ok(len),
            Err(error) if error.kind() == io::ErrorKind::StorageFull && len > wanted / 64 => {
                len /= 4;
            }
            Err(error) => return Err(error),
        }
    }
}

fn into_io(error: VolumeError) -> io::Error {
    match error {
        VolumeError::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// Runs a caller's code: its panic must not take the lane down with everyone's fragments.
fn guarded(callback: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(callback)).is_err() {
        tracing::error!("a completion callback panicked");
    }
}

/// From the start of one commit to the start of the next, at least, while little waits.
const COMMIT_DISTANCE: Duration = Duration::from_millis(8);
/// With so much waiting, the next commit begins at once.
const GATHERED_LEN: u64 = 4 << 20;
/// A batch above this, which is one fragment, is written in pieces.
const LONG_LEN: u64 = 8 << 20;
/// At 50 MB beside 500 cameras, their p99 of PERSISTED was 14 ms in pieces and 28 in one (10 alone).
const PIECE_LEN: usize = 4 << 20;
/// How often an idle writer looks at the age of its volume.
const IDLE_WAKE: Duration = Duration::from_secs(5);

/// Room for a key record with each fragment.
const KEY_ROOM: u64 = 128;
