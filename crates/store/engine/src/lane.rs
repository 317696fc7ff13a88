//! Lanes: bounded queues of sealed fragments, each emptied by one writer.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use streamkeep_keys::WrappedDataKey;
use streamkeep_media::FragmentNumber;
use streamkeep_volume::PendingFragment;

use crate::StoreError;
use crate::fingerprint::Identity;
use crate::stream::{StreamState, lock};

/// How an append ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The number it is stored under: that of the first copy when it is a repeated one.
    pub number: FragmentNumber,
    /// The fragment was stored before and was not stored again.
    pub duplicate: bool,
}

/// Called once, on the lane's thread, when an append is durable or has failed. Must not block: the
/// lane waits for it.
pub type AppendDone = Box<dyn FnOnce(Result<Appended, StoreError>) + Send>;

/// One retention class and group of streams.
pub(crate) struct Lane {
    /// Retention class in the upper half, group in the lower.
    pub(crate) id: u32,
    queue: Mutex<Queue>,
    changed: Condvar,
    queued_len: AtomicU64,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    is_stopping: bool,
}

/// What a lane works off, in order.
pub(crate) enum Item {
    /// A fragment to store.
    Store(Box<Store>),
    /// A repeated fragment whose first copy is ahead of it in the queue, or durable.
    Repeat(Box<Repeat>),
    /// Tells when all before it is done.
    Barrier(Box<dyn FnOnce() + Send>),
}

pub(crate) struct Store {
    pub(crate) stream: Arc<StreamState>,
    pub(crate) fragment: PendingFragment,
    pub(crate) key: WrappedDataKey,
    pub(crate) identity: Identity,
    /// [`StreamState::failures`] when its counters were set.
    pub(crate) failures: u64,
    /// Monotonic time of the call.
    pub(crate) since: Duration,
    pub(crate) done: AppendDone,
}

pub(crate) struct Repeat {
    pub(crate) stream: Arc<StreamState>,
    pub(crate) identity: Identity,
    /// The first copy's number when it was durable already.
    pub(crate) number: Option<FragmentNumber>,
    pub(crate) done: AppendDone,
}

/// What a writer is to do next.
pub(crate) enum Work {
    /// Store these.
    Items(Vec<Item>),
    /// Nothing came within the time given.
    Idle,
    /// The queue is empty and stays so.
    Stopped,
}

impl Lane {
    pub(crate) fn new(id: u32) -> Self {
        Self { id, queue: Mutex::default(), changed: Condvar::new(), queued_len: AtomicU64::new(0) }
    }

    /// Bytes that wait or are being written.
    pub(crate) fn queued_len(&self) -> u64 {
        self.queued_len.load(Ordering::SeqCst)
    }

    /// Adds an item; gives it back when the lane was stopped.
    pub(crate) fn push(&self, item: Item) -> Result<(), Item> {
        let mut queue = lock(&self.queue);
        if queue.is_stopping {
            return Err(item);
        }
        self.queued_len.fetch_add(item.len(), Ordering::SeqCst);
        queue.items.push_back(item);
        self.changed.notify_one();
        Ok(())
    }

    /// Takes what is queued, up to `len_max` bytes but at least one item; waits at most `patience`
    /// for something to come.
    pub(crate) fn take(&self, len_max: usize, patience: Duration) -> Work {
        let mut queue = lock(&self.queue);
        if queue.items.is_empty() && !queue.is_stopping && !patience.is_zero() {
            (queue, _) = self
                .changed
                .wait_timeout_while(queue, patience, |queue| {
                    queue.items.is_empty() && !queue.is_stopping
                })
                .unwrap_or_else(PoisonError::into_inner);
        }
        if queue.items.is_empty() {
            return if queue.is_stopping { Work::Stopped } else { Work::Idle };
        }
        let mut taken = Vec::new();
        let mut len = 0;
        while let Some(item) = queue.items.front() {
            len += item.len();
            if len > len_max as u64 && !taken.is_empty() {
                break;
            }
            taken.extend(queue.items.pop_front());
        }
        Work::Items(taken)
    }

    /// Takes everything, to fail it.
    pub(crate) fn drain(&self) -> Vec<Item> {
        lock(&self.queue).items.drain(..).collect()
    }

    /// Notes that items with so many bytes are done with.
    pub(crate) fn release(&self, len: u64) {
        self.queued_len.fetch_sub(len, Ordering::SeqCst);
    }

    /// No more items are taken in; the writer ends when the queue is empty.
    pub(crate) fn stop(&self) {
        lock(&self.queue).is_stopping = true;
        self.changed.notify_all();
    }
}

impl Item {
    /// Bytes it takes in the queue's budget.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Store(store) => store.fragment.record_len(),
            // They hold no media, but a flood of them must not be free either.
            Self::Repeat(_) => 256,
            Self::Barrier(_) => 0,
        }
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane")
            .field("id", &self.id)
            .field("queued_len", &self.queued_len())
            .finish_non_exhaustive()
    }
}
