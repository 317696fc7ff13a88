//! One stream as the engine knows it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use streamkeep_keys::{DataKey, FingerprintKey, StreamKey, WrappedDataKey};
use streamkeep_media::{FragmentNumber, SessionHeader, StreamId, UnixMillis};
use streamkeep_volume::{FragmentRow, RunningCounters};

use crate::StreamConfig;
use crate::lane::Lane;
use crate::numbering::Numbering;
use crate::recent::Recent;

/// State of one stream. The locks are taken one at a time but for `append`, which is held while the
/// others are taken; lanes never take `append`.
#[derive(Debug)]
pub(crate) struct StreamState {
    pub(crate) id: StreamId,
    config: Mutex<StreamConfig>,
    is_deleted: AtomicBool,
    /// `None` until the largest durable number was looked up.
    pub(crate) numbering: Mutex<Option<Numbering>>,
    /// Held from the check for duplicates until the fragment is in its lane's queue, so that the
    /// queue has the order of the calls.
    pub(crate) append: Mutex<AppendState>,
    pub(crate) recent: Mutex<Recent>,
    pub(crate) key: Mutex<Option<CachedKey>>,
    /// Appends that are queued or being written.
    in_flight: AtomicUsize,
    /// How often appends of the stream were lost after they were queued. Those queued before carry
    /// counters that no longer fit and fail too.
    failures: AtomicU64,
}

/// What the next append continues.
#[derive(Debug, Default)]
pub(crate) struct AppendState {
    /// Where the stream's fragments go; kept as long as some are in flight, so that two lanes never
    /// have fragments of one stream at once.
    pub(crate) lane: Option<Arc<Lane>>,
    pub(crate) history: Option<History>,
    /// Seals the fragments of today.
    pub(crate) sealing: Option<SealingKey>,
    /// Data keys made since the start.
    pub(crate) data_keys: u32,
}

/// The stream's past as the counters of the next row need it.
#[derive(Debug)]
pub(crate) struct History {
    /// [`StreamState::failures`] when this was looked up.
    pub(crate) failures: u64,
    /// The fragment before, as far as counters go; `None` before the first.
    last: Option<Last>,
    /// Largest producer timestamp: only a fragment that is not newer can be a repeated one.
    pub(crate) newest_producer: Option<UnixMillis>,
    /// The session of the fragment before, when it came since the start.
    header: Option<Arc<SessionHeader>>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    counters: RunningCounters,
    duration_ms: u32,
}

/// A data key and what goes with it.
#[derive(Clone, Debug)]
pub(crate) struct SealingKey {
    /// Day since 1970 that it was made for.
    pub(crate) day: u64,
    pub(crate) data_key: Arc<DataKey>,
    pub(crate) wrapped: WrappedDataKey,
}

/// A stream key that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct CachedKey {
    pub(crate) key: Arc<StreamKey>,
    pub(crate) fingerprint: Arc<FingerprintKey>,
    /// Monotonic time of the answer.
    pub(crate) since: Duration,
}

impl StreamState {
    pub(crate) fn new(config: StreamConfig) -> Self {
        Self {
            id: config.id,
            config: Mutex::new(config),
            is_deleted: AtomicBool::new(false),
            numbering: Mutex::default(),
            append: Mutex::default(),
            recent: Mutex::default(),
            key: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            failures: AtomicU64::new(0),
        }
    }

    pub(crate) fn config(&self) -> StreamConfig {
        *lock(&self.config)
    }

    pub(crate) fn set_config(&self, config: StreamConfig) {
        *lock(&self.config) = config;
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.is_deleted.load(Ordering::SeqCst)
    }

    /// From now on nothing of the stream is read or written, and its keys are forgotten.
    pub(crate) fn delete(&self) {
        self.is_deleted.store(true, Ordering::SeqCst);
        *lock(&self.key) = None;
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    pub(crate) fn begin_flight(&self) {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn end_flight(&self) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::SeqCst)
    }

    pub(crate) fn fail_flight(&self) {
        self.failures.fetch_add(1, Ordering::SeqCst);
    }
}

impl History {
    /// Continues after `last`, the row that was appended last, if any.
    pub(crate) fn after(
        last: Option<&FragmentRow>,
        newest_producer: Option<UnixMillis>,
        failures: u64,
    ) -> Self {
        let last = last.map(|row| Last { counters: row.counters, duration_ms: row.duration_ms });
        Self { failures, last, newest_producer, header: None }
    }

    /// The counters of the next fragment.
    pub(crate) fn next(
        &self,
        number: FragmentNumber,
        starts_with_key: bool,
        continues_previous: bool,
        header: &Arc<SessionHeader>,
    ) -> RunningCounters {
        let Some(last) = self.last else {
            return RunningCounters {
                discontinuities: u32::from(!continues_previous),
                last_key_number: starts_with_key.then_some(number),
                ..RunningCounters::default()
            };
        };
        // After a restart the session before is not known; it ended with the restart anyway.
        let same_description = self.header.as_ref().is_some_and(|before| {
            Arc::ptr_eq(before, header)
                || (before.tracks == header.tracks
                    && before.timestamp_scale_ns == header.timestamp_scale_ns)
        });
        let counters = last.counters;
        RunningCounters {
            ordinal: counters.ordinal + 1,
            discontinuities: counters
                .discontinuities
                .saturating_add(u32::from(!continues_previous)),
            cumulative_duration_ms: counters
                .cumulative_duration_ms
                .saturating_add(u64::from(last.duration_ms)),
            description_version: counters
                .description_version
                .saturating_add(u32::from(!same_description)),
            last_key_number: if starts_with_key { Some(number) } else { counters.last_key_number },
        }
    }

    /// Notes that a fragment with these counters was queued.
    pub(crate) fn queued(&mut self, row: &FragmentRow, header: Arc<SessionHeader>) {
        self.last = Some(Last { counters: row.counters, duration_ms: row.duration_ms });
        self.newest_producer = self.newest_producer.max(Some(row.producer_timestamp));
        self.header = Some(header);
    }
}

/// Locks, also after a panic elsewhere: each of these states is changed in one step.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
