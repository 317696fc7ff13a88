//! What happened so far.

use std::sync::atomic::{AtomicU64, Ordering};

use streamkeep_decoder_protocol::Timing;

use crate::PictureError;

/// Counts since the pool was made, and what is now. All but the last four only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Images made.
    pub pictures: u64,
    /// Jobs answered [`Media`](PictureError::Media), lost workers included.
    pub media_errors: u64,
    /// Jobs answered [`Unsupported`](PictureError::Unsupported).
    pub unsupported: u64,
    /// Jobs answered [`TooLarge`](PictureError::TooLarge).
    pub too_large: u64,
    /// Jobs answered [`Busy`](PictureError::Busy).
    pub busy: u64,
    /// Jobs answered [`Unavailable`](PictureError::Unavailable).
    pub unavailable: u64,
    /// Jobs answered [`Internal`](PictureError::Internal).
    pub internal_errors: u64,
    /// Workers started.
    pub starts: u64,
    /// Workers that could not be started.
    pub start_failures: u64,
    /// Workers killed because a job took too long.
    pub lost_by_deadline: u64,
    /// Workers that died, in a job or without one.
    pub lost_by_death: u64,
    /// Workers killed because they answered nonsense.
    pub lost_by_nonsense: u64,
    /// Workers replaced after enough jobs.
    pub replaced: u64,
    /// Time jobs waited for a worker, microseconds.
    pub wait_us: u64,
    /// Time workers decoded for images, microseconds.
    pub decode_us: u64,
    /// Time workers scaled and coded images, microseconds.
    pub encode_us: u64,
    /// The most memory any worker held, bytes.
    pub worker_bytes_peak: u64,
    /// Workers that are there.
    pub workers: u64,
    /// Of these, held by Landlock as well as by the seccomp filter.
    pub workers_with_landlock: u64,
    /// Jobs that workers are at.
    pub running: u64,
    /// Jobs waiting for a worker.
    pub waiting: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pictures: AtomicU64,
    media_errors: AtomicU64,
    unsupported: AtomicU64,
    too_large: AtomicU64,
    busy: AtomicU64,
    unavailable: AtomicU64,
    internal_errors: AtomicU64,
    pub(crate) starts: AtomicU64,
    pub(crate) start_failures: AtomicU64,
    pub(crate) lost_by_deadline: AtomicU64,
    pub(crate) lost_by_death: AtomicU64,
    pub(crate) lost_by_nonsense: AtomicU64,
    pub(crate) replaced: AtomicU64,
    pub(crate) wait_us: AtomicU64,
    decode_us: AtomicU64,
    encode_us: AtomicU64,
    worker_bytes_peak: AtomicU64,
    pub(crate) workers: AtomicU64,
    pub(crate) workers_with_landlock: AtomicU64,
    pub(crate) running: AtomicU64,
}

impl Counters {
    pub(crate) fn picture(&self, timing: Timing) {
        add(&self.pictures, 1);
        add(&self.decode_us, timing.decode_us.into());
        add(&self.encode_us, timing.encode_us.into());
    }

    pub(crate) fn error(&self, error: &PictureError) {
        let counter = match error {
            PictureError::Media { .. } => &self.media_errors,
            PictureError::Unsupported { .. } => &self.unsupported,
            PictureError::TooLarge { .. } => &self.too_large,
            PictureError::Busy => &self.busy,
            PictureError::Unavailable { .. } => &self.unavailable,
            PictureError::Internal { .. } => &self.internal_errors,
        };
        add(counter, 1);
    }

    pub(crate) fn worker_bytes(&self, bytes: u64) {
        self.worker_bytes_peak.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self, waiting: usize) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            pictures: get(&self.pictures),
            media_errors: get(&self.media_errors),
            unsupported: get(&self.unsupported),
            too_large: get(&self.too_large),
            busy: get(&self.busy),
            unavailable: get(&self.unavailable),
            internal_errors: get(&self.internal_errors),
            starts: get(&self.starts),
            start_failures: get(&self.start_failures),
            lost_by_deadline: get(&self.lost_by_deadline),
            lost_by_death: get(&self.lost_by_death),
            lost_by_nonsense: get(&self.lost_by_nonsense),
            replaced: get(&self.replaced),
            wait_us: get(&self.wait_us),
            decode_us: get(&self.decode_us),
            encode_us: get(&self.encode_us),
            worker_bytes_peak: get(&self.worker_bytes_peak),
            workers: get(&self.workers),
            workers_with_landlock: get(&self.workers_with_landlock),
            running: get(&self.running),
            waiting: waiting as u64,
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
