//! Token buckets: call rates and archived-media points.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard};

use streamkeep_media::{StreamId, UnixMillis};

use crate::{ApiError, Exception, Operation, PlaybackPath};

/// Idle buckets are dropped this often. A bucket is full, thus idle, after a second; so at most
/// eleven seconds' worth of callers are remembered.
const SWEEP_MS: u64 = 10_000;

/// One bucket. Holds up to one second's worth; a thousandth of a unit is the unit here, so that a
/// rate per second is an amount per millisecond.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    level_milli: i64,
    rate: u32,
    filled: UnixMillis,
}

impl Bucket {
    fn full(rate: u32, now: UnixMillis) -> Self {
        Self { level_milli: i64::from(rate) * 1000, rate, filled: now }
    }

    fn capacity_milli(&self) -> i64 {
        i64::from(self.rate) * 1000
    }

    fn fill(&mut self, now: UnixMillis) {
        // A clock set back fills nothing, and filling goes on from the new time.
        let elapsed_ms = i64::try_from(now.since(self.filled)).unwrap_or(i64::MAX);
        let gain = elapsed_ms.saturating_mul(self.rate.into());
        self.level_milli = self.level_milli.saturating_add(gain).min(self.capacity_milli());
        self.filled = now;
    }

    /// Takes `cost`. More than a full bucket is given to a full bucket, which then owes the rest:
    /// GetMediaForFragmentList may ask for 1,000 fragments at 500 points a second.
    fn take(&mut self, cost: u32, now: UnixMillis) -> bool {
        self.fill(now);
        let cost_milli = i64::from(cost) * 1000;
        let admitted = self.level_milli >= cost_milli.min(self.capacity_milli());
        if admitted {
            self.level_milli -= cost_milli;
        }
        admitted
    }
}

/// Buckets by key, forgotten when full.
struct Buckets<K> {
    buckets: HashMap<K, Bucket>,
    swept: UnixMillis,
}

impl<K: Eq + Hash> Buckets<K> {
    fn new() -> Self {
        Self { buckets: HashMap::new(), swept: UnixMillis(0) }
    }

    fn take(&mut self, key: K, rate: u32, cost: u32, now: UnixMillis) -> bool {
        if now.since(self.swept) >= SWEEP_MS || now < self.swept {
            self.swept = now;
            self.buckets.retain(|_, bucket| {
                bucket.fill(now);
                bucket.level_milli < bucket.capacity_milli()
            });
        }
        self.buckets.entry(key).or_insert_with(|| Bucket::full(rate, now)).take(cost, now)
    }
}

/// Calls per second by the table of [`Operation`].
pub(crate) struct CallRates {
    accounts: Mutex<Buckets<(Operation, String)>>,
    streams: Mutex<Buckets<(Operation, StreamId)>>,
}

impl CallRates {
    pub(crate) fn new() -> Self {
        Self { accounts: Mutex::new(Buckets::new()), streams: Mutex::new(Buckets::new()) }
    }

    /// # Errors
    /// ClientLimitExceededException.
    pub(crate) fn call(
        &self,
        operation: Operation,
        account: &str,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let Some(rate) = operation.rate().account else {
            return Ok(());
        };
        let key = (operation, account.to_owned());
        if lock(&self.accounts).take(key, rate, 1, now) {
            return Ok(());
        }
        Err(exceeded(format!("{operation} was called more than {rate} times in a second.")))
    }

    /// # Errors
    /// ClientLimitExceededException.
    pub(crate) fn call_on(
        &self,
        operation: Operation,
        stream: StreamId,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let Some(rate) = operation.rate().resource else {
            return Ok(());
        };
        if lock(&self.streams).take((operation, stream), rate, 1, now) {
            return Ok(());
        }
        Err(exceeded(format!(
            "{operation} was called more than {rate} times in a second for this stream."
        )))
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        lock(&self.accounts).buckets.len() + lock(&self.streams).buckets.len()
    }
}

/// Sub-requests per second of each playback session, per path (quotas.md §2).
pub(crate) struct SessionRates(Mutex<Buckets<(PlaybackPath, [u8; 16])>>);

impl SessionRates {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Buckets::new()))
    }

    /// # Errors
    /// ClientLimitExceededException.
    pub(crate) fn call(
        &self,
        path: PlaybackPath,
        session: [u8; 16],
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let rate = path.calls_per_second();
        if lock(&self.0).take((path, session), rate, 1, now) {
            return Ok(());
        }
        Err(exceeded(format!(
            "{} was called more than {rate} times in a second in this session.",
            path.file_name()
        )))
    }
}

/// What archived-media calls are paid with (quotas.md §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointKind {
    /// 10,000 a second per stream. ListFragments costs its MaxResults, others as
    /// [`Cost`](crate::Cost) says.
    Metadata,
    /// 500 a second per stream. GetMediaForFragmentList costs one per fragment, others as
    /// [`Cost`](crate::Cost) says.
    Media,
}

impl PointKind {
    fn rate(self) -> u32 {
        match self {
            Self::Metadata => 10_000,
            Self::Media => 500,
        }
    }
}

/// The purses.
pub(crate) struct Points(Mutex<Buckets<(PointKind, StreamId)>>);

impl Points {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Buckets::new()))
    }

    /// # Errors
    /// ClientLimitExceededException.
    pub(crate) fn spend(
        &self,
        kind: PointKind,
        stream: StreamId,
        cost: u32,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        if lock(&self.0).take((kind, stream), kind.rate(), cost, now) {
            return Ok(());
        }
        Err(exceeded(format!(
            "More than {} fragments of this stream were asked for in a second.",
            kind.rate()
        )))
    }
}

fn exceeded(message: String) -> ApiError {
    ApiError::new(Exception::ClientLimitExceeded, message)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A bucket left half filled by a panic is still a bucket.
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
