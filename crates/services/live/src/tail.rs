//! The fragments of one stream that are not, or not only, in the archive.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use streamkeep_ingest::{LivePiece, LiveStart};
use streamkeep_media::{Fragment, FragmentNumber, UnixMillis};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::{LiveFragment, Progress};

/// How long complete fragments stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailPolicy {
    /// Until they are durable.
    UntilStored,
    /// The stream has no retention: until they are older than this, or larger in sum. The
    /// service documents 5 minutes or 200 MB (get-media.md §1.2).
    InMemory {
        /// Age by server timestamp, milliseconds.
        age_ms_max: u64,
        /// Sum over the stream's complete fragments.
        bytes_max: usize,
    },
}

impl TailPolicy {
    /// The documented buffer of a stream without retention.
    pub const WITHOUT_RETENTION: Self =
        Self::InMemory { age_ms_max: 5 * 60 * 1000, bytes_max: 200 * 1024 * 1024 };
}

/// Bytes that all streams without retention may hold together.
#[derive(Debug)]
pub struct MemoryBudget {
    used: AtomicUsize,
    bytes_max: usize,
}

impl MemoryBudget {
    /// A budget of `bytes_max`.
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), bytes_max })
    }

    /// Bytes held now.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn is_exceeded(&self) -> bool {
        self.used() > self.bytes_max
    }
}

/// The live tail of one stream.
#[derive(Debug)]
pub struct LiveTail {
    state: Mutex<State>,
    changed: Notify,
    /// A reader has looked since the last fragment began.
    is_looked_at: AtomicBool,
    /// A reader looked, the first since then.
    looked: Notify,
    budget: Arc<MemoryBudget>,
}

#[derive(Debug)]
struct State {
    policy: TailPolicy,
    fragments: BTreeMap<FragmentNumber, Arc<LiveFragment>>,
    /// Bytes of complete fragments held by policy; counted in the budget.
    held: usize,
    closed: bool,
}

impl LiveTail {
    /// An empty tail.
    pub fn new(policy: TailPolicy, budget: Arc<MemoryBudget>) -> Self {
        let state = State { policy, fragments: BTreeMap::new(), held: 0, closed: false };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
            is_looked_at: AtomicBool::new(false),
            looked: Notify::new(),
            budget,
        }
    }

    /// A fragment begins to arrive. Also returns whether anyone watches: has looked since the one
    /// before began. If not, [`Self::watched`] tells when someone comes.
    pub fn begin(&self, start: LiveStart) -> (Arc<LiveFragment>, bool) {
        let number = start.number;
        let fragment = Arc::new(LiveFragment::new(start));
        self.lock().fragments.insert(number, fragment.clone());
        let is_watched = self.is_looked_at.swap(false, Ordering::AcqRel);
        self.changed.notify_waiters();
        (fragment, is_watched)
    }

    /// Completes when a reader looks, at once if one has since the last fragment began.
    pub async fn watched(&self) {
        loop {
            let mut looked = std::pin::pin!(self.looked.notified());
            looked.as_mut().enable();
            if self.is_looked_at.load(Ordering::Acquire) {
                return;
            }
            looked.await;
        }
    }

    /// Says that someone is about to watch, so that what has arrived is here when they do. All
    /// that returns fragments, and [`Self::changed`], says it too.
    pub fn look(&self) {
        if !self.is_looked_at.load(Ordering::Relaxed)
            && !self.is_looked_at.swap(true, Ordering::AcqRel)
        {
            self.looked.notify_waiters();
        }
    }

    /// More of `fragment` arrived.
    pub fn push(&self, fragment: &LiveFragment, piece: LivePiece) {
        fragment.push(piece);
        self.changed.notify_waiters();
    }

    /// The rest of `fragment` will not come.
    pub fn abort(&self, fragment: &LiveFragment) {
        fragment.set_progress(Progress::Aborted);
        self.lock().fragments.remove(&fragment.start.number);
        self.changed.notify_waiters();
    }

    /// All of `fragment` is here. `now` is the server's clock.
    pub fn complete(&self, fragment: &LiveFragment, whole: Arc<Fragment>, now: UnixMillis) {
        fragment.set_progress(Progress::Complete(whole));
        let mut state = self.lock();
        if let TailPolicy::InMemory { .. } = state.policy {
            state.held += fragment.len();
            self.budget.used.fetch_add(fragment.len(), Ordering::Relaxed);
            self.evict(&mut state, now);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// The fragment is in the archive, where readers now find it; or it was refused.
    pub fn remove(&self, number: FragmentNumber) {
        let mut state = self.lock();
        if matches!(state.policy, TailPolicy::UntilStored) {
            state.fragments.remove(&number);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// The first fragment after `number`.
    pub fn next_after(&self, number: FragmentNumber) -> Option<Arc<LiveFragment>> {
        self.look();
        let state = self.lock();
        let mut later = state.fragments.range(number.next()..);
        later.next().map(|(_, fragment)| fragment.clone())
    }

    /// The number of the oldest fragment. Not a look: whoever asks wants none of its bytes.
    pub fn oldest_number(&self) -> Option<FragmentNumber> {
        self.lock().fragments.first_key_value().map(|(number, _)| *number)
    }

    /// The fragment that began last.
    pub fn newest(&self) -> Option<Arc<LiveFragment>> {
        self.look();
        self.lock().fragments.last_key_value().map(|(_, fragment)| fragment.clone())
    }

    /// All fragments, oldest first; those too old by the policy are dropped on the way.
    pub fn fragments(&self, now: UnixMillis) -> Vec<Arc<LiveFragment>> {
        self.look();
        let mut state = self.lock();
        self.evict(&mut state, now);
        state.fragments.values().cloned().collect()
    }

    /// Changes how long complete fragments stay. What an in-memory tail held is dropped when the
    /// stream gets retention: only what arrives afterwards is kept.
    pub fn set_policy(&self, policy: TailPolicy) {
        let mut state = self.lock();
        if state.policy != policy && matches!(policy, TailPolicy::UntilStored) {
            let complete: Vec<FragmentNumber> = state
                .fragments
                .iter()
                .filter(|(_, fragment)| matches!(fragment.progress(), Progress::Complete(_)))
                .map(|(number, _)| *number)
                .collect();
            for number in complete {
                self.forget(&mut state, number);
            }
        }
        state.policy = policy;
    }

    /// The stream is gone: readers end.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.budget.used.fetch_sub(state.held, Ordering::Relaxed);
        state.held = 0;
        state.fragments.clear();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Whether [`Self::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Completes at the next change. Enable it before looking, so that no change is missed
    /// between the look and the wait.
    pub fn changed(&self) -> Notified<'_> {
        self.look();
        self.changed.notified()
    }

    /// Drops what the policy no longer holds, oldest first; never the newest complete fragment
    /// for want of room.
    fn evict(&self, state: &mut State, now: UnixMillis) {
        let TailPolicy::InMemory { age_ms_max, bytes_max } = state.policy else { return };
        loop {
            let mut complete = state
                .fragments
                .iter()
                .filter(|(_, fragment)| matches!(fragment.progress(), Progress::Complete(_)));
            let Some((&number, oldest)) = complete.next() else { return };
            let is_only_one = complete.next().is_none();
            let too_old = now.since(oldest.start.server_timestamp) > age_ms_max;
            let too_much = state.held > bytes_max || self.budget.is_exceeded();
            if !too_old && (is_only_one || !too_much) {
                return;
            }
            self.forget(state, number);
        }
    }

    fn forget(&self, state: &mut State, number: FragmentNumber) {
        if let Some(fragment) = state.fragments.remove(&number) {
            let len = fragment.len().min(state.held);
            state.held -= len;
            self.budget.used.fetch_sub(len, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // No code panics while it holds this lock; a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LiveTail {
    fn drop(&mut self) {
        let held = self.lock().held;
        self.budget.used.fetch_sub(held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt as _;
    use streamkeep_media::SessionHeader;

    use super::*;

    fn start(millis: u64) -> LiveStart {
        LiveStart {
            number: FragmentNumber::new(UnixMillis(millis), 1, 1),
            server_timestamp: UnixMillis(millis),
            producer_timestamp: UnixMillis(millis),
            timecode: millis,
            header: Arc::new(SessionHeader {
                bytes: Bytes::new(),
                timestamp_scale_ns: 1_000_000,
                tracks: Vec::new(),
            }),
        }
    }

    fn add(tail: &LiveTail, millis: u64, len: usize) -> Arc<LiveFragment> {
        let (fragment, _) = tail.begin(start(millis));
        let bytes = Bytes::from(vec![7; len]);
        tail.push(&fragment, LivePiece { bytes, frames: Vec::new() });
        let whole = Fragment {
            number: fragment.start.number,
            producer_timestamp: UnixMillis(millis),
            server_timestamp: UnixMillis(millis),
            duration_ms: 0,
            timecode: millis,
            header: fragment.start.header.clone(),
            media: Vec::new(),
            frames: Vec::new(),
            tags: Vec::new(),
            timing: Vec::new(),
            starts_with_key: true,
            continues_previous: false,
        };
        tail.complete(&fragment, Arc::new(whole), UnixMillis(millis));
        fragment
    }

    #[test]
    fn a_kept_fragment_leaves_when_it_is_stored() {
        let tail = LiveTail::new(TailPolicy::UntilStored, MemoryBudget::new(0));
        let fragment = add(&tail, 1_000, 10);
        assert_eq!(tail.newest().map(|f| f.start.number), Some(fragment.start.number));
        tail.remove(fragment.start.number);
        assert!(tail.newest().is_none());
        // A reader that was in it can still finish it.
        assert_eq!(fragment.pieces_from(0).0.len(), 1);
    }

    #[test]
    fn without_retention_age_size_and_budget_bound_the_tail() {
        let budget = MemoryBudget::new(1_000);
        let policy = TailPolicy::InMemory { age_ms_max: 5_000, bytes_max: 100 };
        let tail = LiveTail::new(policy, budget.clone());
        for second in 0..3 {
            add(&tail, second * 1_000, 40);
        }
        // 3 x 40 > 100: the oldest went.
        assert_eq!(tail.fragments(UnixMillis(2_000)).len(), 2);
        assert_eq!(budget.used(), 80);
        // The older of the two is now 5,001 ms old.
        assert_eq!(tail.fragments(UnixMillis(6_001)).len(), 1);
        // One too large for the budget still stays while it is the only one.
        add(&tail, 7_000, 2_000);
        assert_eq!(tail.fragments(UnixMillis(7_000)).len(), 1);
        drop(tail);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn an_aborted_fragment_is_seen_as_such_by_its_readers() {
        let tail = LiveTail::new(TailPolicy::UntilStored, MemoryBudget::new(0));
        let (fragment, _) = tail.begin(start(1));
        tail.abort(&fragment);
        assert!(matches!(fragment.pieces_from(0).1, Progress::Aborted));
        assert!(tail.next_after(FragmentNumber::MIN).is_none());
    }

    #[test]
    fn a_tail_is_watched_while_each_fragment_is_looked_at() {
        let tail = LiveTail::new(TailPolicy::UntilStored, MemoryBudget::new(0));
        assert!(!tail.begin(start(1)).1, "nobody has looked");
        tail.oldest_number();
        assert!(tail.watched().now_or_never().is_none(), "a number is no look");
        let mut watched = std::pin::pin!(tail.watched());
        assert!(watched.as_mut().now_or_never().is_none());
        tail.newest();
        assert!(watched.now_or_never().is_some());
        assert!(tail.watched().now_or_never().is_some(), "still");
        assert!(tail.begin(start(2)).1);
        assert!(!tail.begin(start(3)).1, "no look since the second began");
        drop(tail.changed());
        assert!(tail.begin(start(4)).1);
    }
}
