//! The way in: numbers, duplicates, counters, sealing, queueing. All on the caller's thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use streamkeep_catalog::TimeAxis;
use streamkeep_keys::{DataKey, FreshSalt};
use streamkeep_media::{Fragment, FragmentNumber, SessionHeader, StreamId, UnixMillis};
use streamkeep_volume::{FragmentMeta, FragmentRow, PendingFragment, VolumeError};

use crate::fingerprint::Identity;
use crate::lane::{AppendDone, Item, Lane, Repeat, Store};
use crate::numbering::Numbering;
use crate::query::RowRange;
use crate::recent::FirstCopy;
use crate::shared::Shared;
use crate::stream::{AppendState, CachedKey, History, SealingKey, StreamState, lock};
use crate::{AppendRefused, ReadOnlyReason, StoreError};

impl Shared {
    /// The next number of a stream.
    pub(crate) fn issue_number(&self, stream: &StreamState) -> Result<FragmentNumber, StoreError> {
        self.with_numbering(stream, |numbering| {
            numbering.issue(self.seams.clock.now(), self.options.owner_epoch)
        })
    }

    /// Looks up the stream's largest durable number first, unless that was done.
    fn with_numbering<T>(
        &self,
        stream: &StreamState,
        work: impl FnOnce(&mut Numbering) -> T,
    ) -> Result<T, StoreError> {
        let mut slot = lock(&stream.numbering);
        let numbering = match &mut *slot {
            Some(numbering) => numbering,
            empty => empty.insert(Numbering::after(self.last_number(stream.id)?)),
        };
        Ok(work(numbering))
    }

    pub(crate) fn append(
        self: &Arc<Self>,
        id: StreamId,
        fragment: Fragment,
        done: AppendDone,
    ) -> Result<(), AppendRefused> {
        let refused = |refusal| {
            self.counters.failed_appends.add(1);
            Err(refusal)
        };
        if self.is_closing() {
            return refused(AppendRefused::Closed);
        }
        match self.health.read_only() {
            None => {}
            Some(ReadOnlyReason::NoSpace) => return refused(AppendRefused::NoSpace),
            Some(_) => return refused(AppendRefused::ReadOnly),
        }
        let Some(stream) = self.stream(id) else { return refused(AppendRefused::StreamGone) };
        match self.append_to(&stream, fragment, done) {
            Ok(()) => Ok(()),
            Err(refusal) => refused(refusal),
        }
    }

    fn append_to(
        self: &Arc<Self>,
        stream: &Arc<StreamState>,
        fragment: Fragment,
        done: AppendDone,
    ) -> Result<(), AppendRefused> {
        let since = self.seams.clock.monotonic();
        let key = self.stream_key(stream).map_err(refusal_of)?;
        let identity = Identity::of(&fragment, &key.fingerprint);

        let mut state = lock(&stream.append);
        let state = &mut *state;
        let media_len = fragment.media_len() as u64;
        let lane = self.lane_for(stream, state, media_len);
        if !self.takes(&lane, media_len) {
            return Err(AppendRefused::Overloaded);
        }
        self.restore_history(stream, state).map_err(refusal_of)?;
        self.with_numbering(stream, |numbering| numbering.observe(fragment.number))
            .map_err(refusal_of)?;

        let newest = state.history.as_ref().and_then(|history| history.newest_producer);
        if let Some(number) = self.first_copy(stream, &key, &identity, newest)? {
            let stream = stream.clone();
            let repeat = Repeat { stream, identity, number: number.durable(), done };
            return self.enqueue(&lane, Item::Repeat(Box::new(repeat)));
        }

        // 1. Seal, on this thread.
        let sealing = self.sealing_key(stream, state, &key);
        let history = state.history.as_mut().expect("restored above");
        let counters = history.next(
            fragment.number,
            fragment.starts_with_key,
            fragment.continues_previous,
            &fragment.header,
        );
        let row = FragmentRow::describe(&fragment, counters);
        let meta = FragmentMeta::describe(&fragment, identity.fingerprint);
        let salt = FreshSalt::generate(&*self.seams.rng);
        let sealed = PendingFragment::seal(&sealing.data_key, salt, row, &meta, &fragment.media)
            .map_err(|error| match error {
                VolumeError::TooLarge { .. } => AppendRefused::TooLarge,
                other => AppendRefused::KeyUnavailable(other.to_string()),
            })?;
        let row = sealed.row().clone();
        let header: Arc<SessionHeader> = fragment.header.clone();
        drop(fragment);

        // 2. Queue at the lane.
        lock(&stream.recent).queue(identity);
        let store = Store {
            stream: stream.clone(),
            fragment: sealed,
            key: sealing.wrapped,
            identity,
            failures: history.failures,
            since,
            done,
        };
        self.enqueue(&lane, Item::Store(Box::new(store)))?;
        history.queued(&row, header);
        Ok(())
    }

    fn enqueue(&self, lane: &Arc<Lane>, item: Item) -> Result<(), AppendRefused> {
        let stream = match &item {
            Item::Store(store) => store.stream.clone(),
            Item::Repeat(repeat) => repeat.stream.clone(),
            Item::Barrier(_) => return lane.push(item).map_err(|_| AppendRefused::Closed),
        };
        let len = item.len();
        self.queued_len.fetch_add(len, Ordering::SeqCst);
        stream.begin_flight();
        lane.push(item).map_err(|item| {
            self.queued_len.fetch_sub(len, Ordering::SeqCst);
            stream.end_flight();
            if let Item::Store(store) = item {
                lock(&stream.recent).forget(&store.identity);
            }
            AppendRefused::Closed
        })
    }

    /// Whether the budgets take so many more bytes. What is larger than a budget goes alone.
    fn takes(&self, lane: &Lane, len: u64) -> bool {
        let fits = |queued: u64, max: u64| queued == 0 || queued.saturating_add(len) <= max;
        fits(self.queued_len.load(Ordering::SeqCst), self.options.queue_len_max)
            && fits(lane.queued_len(), self.options.lane_queue_len_max)
    }

    /// The lane for a fragment of a stream. It changes, when retention or the number of streams has
    /// changed or fragments become large or small, only while nothing of the stream is in flight.
    pub(crate) fn lane_for(
        self: &Arc<Self>,
        stream: &StreamState,
        state: &mut AppendState,
        media_len: u64,
    ) -> Arc<Lane> {
        let wanted = self.lane_id(stream, media_len);
        if let Some(lane) = &state.lane
            && (lane.id == wanted || stream.in_flight() > 0)
        {
            return lane.clone();
        }
        state.lane.insert(self.lane(wanted)).clone()
    }

    fn lane_id(&self, stream: &StreamState, media_len: u64) -> u32 {
        let class = stream.config().retention_class() << 16;
        if media_len > LARGE_LEN {
            return class | LARGE_GROUP;
        }
        let groups = self.options.lanes.unwrap_or_else(|| self.default_groups()).clamp(1, 0xffff);
        let [a, b, c, d, ..] = stream.id.0;
        let group = u32::from_be_bytes([a, b, c, d]) % groups;
        class | group
    }

    fn default_groups(&self) -> u32 {
        let streams = self.streams.read().map_or(0, |streams| streams.len());
        u32::try_from(streams / STREAMS_PER_GROUP).unwrap_or(u32::MAX).clamp(1, GROUPS_MAX)
    }

    /// Looks up what the counters continue, at the first append and after appends were lost.
    fn restore_history(
        &self,
        stream: &StreamState,
        state: &mut AppendState,
    ) -> Result<(), StoreError> {
        let failures = stream.failures();
        if state.history.as_ref().is_some_and(|history| history.failures == failures) {
            return Ok(());
        }
        let last = self.last_appended(stream.id)?;
        let newest = self.newest_producer(stream.id)?;
        state.history = Some(History::after(last.as_deref(), newest, failures));
        Ok(())
    }

    /// Where the first copy of a fragment is, if there is one.
    fn first_copy(
        &self,
        stream: &StreamState,
        key: &CachedKey,
        identity: &Identity,
        newest: Option<UnixMillis>,
    ) -> Result<Option<FirstCopy>, AppendRefused> {
        if let Some(found) = lock(&stream.recent).find(identity) {
            return Ok(Some(found));
        }
        // The usual case: it is newer than everything before.
        if newest.is_none_or(|newest| identity.producer_timestamp > newest) {
            return Ok(None);
        }
        let at = identity.producer_timestamp;
        let candidates = self
            .rows(stream, &RowRange::Producer(at..=at), None, CANDIDATES_MAX)
            .map_err(refusal_of)?;
        for candidate in candidates {
            match self.read_meta(stream, key, &candidate) {
                Ok(meta) if meta.fingerprint == identity.fingerprint => {
                    return Ok(Some(FirstCopy::Durable(candidate.number)));
                }
                Ok(_) => {}
                // A copy that cannot be read is no copy: the new one takes its place.
                Err(error) => {
                    let number = candidate.number;
                    tracing::warn!(%error, stream = %stream.id, %number, "a first copy is unreadable");
                }
            }
        }
        Ok(None)
    }

    /// The data key of today.
    fn sealing_key(
        &self,
        stream: &StreamState,
        state: &mut AppendState,
        key: &CachedKey,
    ) -> SealingKey {
        let day = self.seams.clock.now().0 / MS_PER_DAY;
        if let Some(sealing) = &state.sealing
            && (sealing.day == day || state.data_keys > u32::from(u8::MAX))
            && sealing.wrapped.stream_key_generation == key.key.generation()
        {
            return sealing.clone();
        }
        // Unique in the stream: the epoch is this start's, the rest counts the keys made since. A
        // volume carries its own keys, so even a repeated generation would find the right one.
        let generation = self.options.owner_epoch << 8 | state.data_keys.min(0xff);
        state.data_keys += 1;
        let data_key = Arc::new(DataKey::generate(stream.id, generation, &*self.seams.rng));
        let wrapped = key.key.wrap_data_key(&data_key, &*self.seams.rng);
        lock(&self.data_keys).insert(wrapped, data_key.clone(), self.seams.clock.monotonic());
        state.sealing.insert(SealingKey { day, data_key, wrapped }).clone()
    }

    /// The largest durable number of a stream.
    fn last_number(&self, stream: StreamId) -> Result<FragmentNumber, StoreError> {
        let mut last = FragmentNumber::MIN;
        for volume in self.unsealed_now() {
            last = last.max(volume.read().run(stream).last().map_or(last, |row| row.number));
        }
        let run = self.index.last_run(stream, TimeAxis::Server)?;
        Ok(run.map_or(last, |run| run.last.max(last)))
    }

    /// The largest producer timestamp of a stream.
    fn newest_producer(&self, stream: StreamId) -> Result<Option<UnixMillis>, StoreError> {
        let mut newest = None;
        for volume in self.unsealed_now() {
            let contents = volume.read();
            newest =
                newest.max(contents.run(stream).iter().map(|row| row.producer_timestamp).max());
        }
        let run = self.index.last_run(stream, TimeAxis::Producer)?;
        Ok(newest.max(run.map(|run| run.max_producer)))
    }
}

impl FirstCopy {
    fn durable(self) -> Option<FragmentNumber> {
        match self {
            Self::Durable(number) => Some(number),
            Self::Pending => None,
        }
    }
}

fn refusal_of(error: StoreError) -> AppendRefused {
    match error {
        StoreError::StreamGone(_) => AppendRefused::StreamGone,
        StoreError::Key { source, .. } => AppendRefused::KeyUnavailable(source.to_string()),
        StoreError::Closed => AppendRefused::Closed,
        // The index does not answer: the same to the caller as a store that cannot write.
        _ => AppendRefused::ReadOnly,
    }
}

const MS_PER_DAY: u64 = 24 * 60 * 60 * 1000;
/// Streams that one group of lanes is meant for, and the most groups there are by default.
const STREAMS_PER_GROUP: usize = 1024;
const GROUPS_MAX: u32 = 4;
/// Fragments above 4 MiB have a lane of their own: 50 MB take a disk a tenth of a second and more,
/// and everyone's fragments would wait for that sync.
const LARGE_LEN: u64 = 4 << 20;
/// Above every group that streams are divided into.
const LARGE_GROUP: u32 = 0xffff;
/// Fragments with one producer timestamp whose content is compared. A camera without a clock starts
/// at the same instant again and again; more copies than these are not looked at.
const CANDIDATES_MAX: usize = 64;
