//! What deliveries have come to, for the server's metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::outbox::OutboxStats;

/// Counters since start, and the outbox as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetricsSnapshot {
    /// Images put.
    pub image_count: u64,
    /// Bytes of images put.
    pub image_bytes: u64,
    /// Notifications taken by their receivers.
    pub notification_count: u64,
    /// Attempts that failed and will be made again.
    pub retry_count: u64,
    /// Jobs given up.
    pub given_up_count: u64,
    /// Milliseconds from the writing of an intent to its delivery, summed over all deliveries.
    pub delay_ms_sum: u64,
    /// Failures of the outbox itself: an operator should look.
    pub outbox_failure_count: u64,
    /// The outbox.
    pub outbox: OutboxStats,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) image_count: AtomicU64,
    pub(crate) image_bytes: AtomicU64,
    pub(crate) notification_count: AtomicU64,
    pub(crate) retry_count: AtomicU64,
    pub(crate) given_up_count: AtomicU64,
    pub(crate) delay_ms_sum: AtomicU64,
    pub(crate) outbox_failure_count: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self, outbox: OutboxStats) -> MetricsSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MetricsSnapshot {
            image_count: read(&self.image_count),
            image_bytes: read(&self.image_bytes),
            notification_count: read(&self.notification_count),
            retry_count: read(&self.retry_count),
            given_up_count: read(&self.given_up_count),
            delay_ms_sum: read(&self.delay_ms_sum),
            outbox_failure_count: read(&self.outbox_failure_count),
            outbox,
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, value: u64) {
    counter.fetch_add(value, Ordering::Relaxed);
}
