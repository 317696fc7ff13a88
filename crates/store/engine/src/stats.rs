//! Counters of the engine, for metrics and for tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the engine has done since it was opened. Read with [`Engine::stats`](crate::Engine::stats).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Fragments that were stored.
    pub fragments: u64,
    /// Bytes of media in them, before encryption.
    pub media_bytes: u64,
    /// Bytes written to volumes: records, padding, footers.
    pub written_bytes: u64,
    /// Of these, batches of appended fragments: what the store grows by. The rest is footers and
    /// copies, whose originals go.
    pub appended_bytes: u64,
    /// Batches written.
    pub batches: u64,
    /// Calls of `fdatasync` and `fsync` on volumes.
    pub syncs: u64,
    /// How long the syncs of batches took.
    pub sync_latency: LatencyHistogram,
    /// From the call of append to its completion.
    pub append_latency: LatencyHistogram,
    /// Bytes that wait to become durable.
    pub queued_bytes: u64,
    /// Appends that were answered with a fragment stored before.
    pub duplicates: u64,
    /// Appends that were refused or failed.
    pub failed_appends: u64,
    /// Fragments read.
    pub reads: u64,
    /// Fragments whose bytes failed a check when they were read.
    pub damaged_reads: u64,
    /// Volumes that were opened for writing.
    pub volumes_opened: u64,
    /// Volumes that were sealed.
    pub volumes_sealed: u64,
    /// Volumes that were deleted.
    pub volumes_deleted: u64,
    /// Writes or syncs that failed.
    pub write_failures: u64,
    /// Volumes whose rows are held in memory.
    pub unsealed_volumes: u64,
}

/// Upper bounds of a [`LatencyHistogram`]'s buckets, in microseconds; a last bucket takes the rest.
pub const LATENCY_BOUNDS_US: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/// Durations counted by size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatencyHistogram {
    /// How many durations were at most the bound of the same position and above the one before;
    /// the last entry counts those above all bounds.
    pub counts: [u64; LATENCY_BOUNDS_US.len() + 1],
    /// Sum of all durations, in microseconds.
    pub sum_us: u64,
}

impl LatencyHistogram {
    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What was counted since `earlier` was read.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            counts: std::array::from_fn(|bucket| {
                self.counts[bucket].saturating_sub(earlier.counts[bucket])
            }),
            sum_us: self.sum_us.saturating_sub(earlier.sum_us),
        }
    }

    /// The bound that the given share, in percent, of the durations does not exceed; `None` when
    /// nothing was counted or it lies above all bounds.
    pub fn percentile_us(&self, percent: u64) -> Option<u64> {
        let wanted = (self.count() * percent).div_ceil(100);
        if wanted == 0 {
            return None;
        }
        let mut seen = 0;
        self.counts.iter().zip(LATENCY_BOUNDS_US).find_map(|(count, bound)| {
            seen += count;
            (seen >= wanted).then_some(bound)
        })
    }
}

/// The live form of [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) fragments: Counter,
    pub(crate) media_bytes: Counter,
    pub(crate) written_bytes: Counter,
    pub(crate) appended_bytes: Counter,
    pub(crate) batches: Counter,
    pub(crate) syncs: Counter,
    pub(crate) sync_latency: LatencyCounts,
    pub(crate) append_latency: LatencyCounts,
    pub(crate) duplicates: Counter,
    pub(crate) failed_appends: Counter,
    pub(crate) reads: Counter,
    pub(crate) damaged_reads: Counter,
    pub(crate) volumes_opened: Counter,
    pub(crate) volumes_sealed: Counter,
    pub(crate) volumes_deleted: Counter,
    pub(crate) write_failures: Counter,
}

impl Counters {
    pub(crate) fn read(&self, queued_bytes: u64, unsealed_volumes: u64) -> Stats {
        Stats {
            fragments: self.fragments.get(),
            media_bytes: self.media_bytes.get(),
            written_bytes: self.written_bytes.get(),
            appended_bytes: self.appended_bytes.get(),
            batches: self.batches.get(),
            syncs: self.syncs.get(),
            sync_latency: self.sync_latency.read(),
            append_latency: self.append_latency.read(),
            queued_bytes,
            duplicates: self.duplicates.get(),
            failed_appends: self.failed_appends.get(),
            reads: self.reads.get(),
            damaged_reads: self.damaged_reads.get(),
            volumes_opened: self.volumes_opened.get(),
            volumes_sealed: self.volumes_sealed.get(),
            volumes_deleted: self.volumes_deleted.get(),
            write_failures: self.write_failures.get(),
            unsealed_volumes,
        }
    }
}

/// A number that grows; no order with other memory is needed.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A [`LatencyHistogram`] that is being counted.
#[derive(Debug, Default)]
pub struct LatencyCounts {
    counts: [Counter; LATENCY_BOUNDS_US.len() + 1],
    sum_us: Counter,
}

impl LatencyCounts {
    /// Counts one duration.
    pub fn record(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = LATENCY_BOUNDS_US.partition_point(|bound| *bound < us);
        self.counts[bucket].add(1);
        self.sum_us.add(us);
    }

    /// What was counted so far.
    pub fn read(&self) -> LatencyHistogram {
        LatencyHistogram {
            counts: std::array::from_fn(|bucket| self.counts[bucket].get()),
            sum_us: self.sum_us.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_percentiles() {
        let histogram = LatencyCounts::default();
        assert_eq!(histogram.read().percentile_us(50), None);
        for us in [1, 100, 101, 250, 9_999_999, 10_000_000, 10_000_001] {
            histogram.record(Duration::from_micros(us));
        }
        let read = histogram.read();
        assert_eq!(read.counts[..3], [2, 2, 0]);
        assert_eq!(read.counts[15..], [2, 1]);
        assert_eq!(read.count(), 7);
        assert_eq!(read.percentile_us(25), Some(100));
        assert_eq!(read.percentile_us(57), Some(250));
        assert_eq!(read.percentile_us(80), Some(10_000_000));
        assert_eq!(read.percentile_us(100), None);
        // Of what came later only that.
        for us in [90_000, 90_001] {
            histogram.record(Duration::from_micros(us));
        }
        let later = histogram.read().since(&read);
        assert_eq!((later.count(), later.sum_us), (2, 180_001));
        assert_eq!(later.percentile_us(50), Some(100_000));
        assert_eq!(read.since(&read).percentile_us(50), None);
    }
}
