//! The queue between callers and worker threads: bounded, closed once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// First in, first out. A full queue refuses.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    len_max: usize,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new(len_max: usize) -> Self {
        let state = State { waiting: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), len_max }
    }

    /// Whether it was taken: not when full or closed.
    pub(crate) fn push(&self, item: T) -> bool {
        let mut state = self.lock();
        if state.closed || state.waiting.len() >= self.len_max {
            return false;
        }
        state.waiting.push_back(item);
        drop(state);
        // One might be a thread that sleeps.
        self.changed.notify_all();
        true
    }

    /// Waits for the next; `None` once closed.
    pub(crate) fn pop(&self) -> Option<T> {
        let state = self.lock();
        let empty = |state: &mut State<T>| state.waiting.is_empty() && !state.closed;
        let mut state =
            self.changed.wait_while(state, empty).unwrap_or_else(PoisonError::into_inner);
        if state.closed { None } else { state.waiting.pop_front() }
    }

    /// Waits that long, or until closed.
    pub(crate) fn sleep(&self, duration: Duration) {
        let state = self.lock();
        let _ = self.changed.wait_timeout_while(state, duration, |state| !state.closed);
    }

    /// Those who wait are let go, and what waits is dropped.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting.clear();
        drop(state);
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_and_closed() {
        let queue = Queue::new(2);
        assert!(queue.push(1) && queue.push(2) && !queue.push(3));
        assert_eq!((queue.pop(), queue.len()), (Some(1), 1));
        assert!(queue.push(4));
        queue.close();
        assert!(!queue.push(5));
        assert_eq!((queue.pop(), queue.len(), queue.is_closed()), (None, 0, true));
        queue.sleep(Duration::from_secs(3600));
    }

    #[test]
    fn wakes_who_waits() {
        let queue = Queue::new(1);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| queue.pop());
            assert!(queue.push(7));
            assert_eq!(waiter.join().unwrap(), Some(7));
            let waiter = scope.spawn(|| queue.pop());
            queue.close();
            assert_eq!(waiter.join().unwrap(), None);
        });
    }
}
