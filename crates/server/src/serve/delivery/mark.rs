//! How a stream tells the scanner that a fragment is durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Belongs to a stream. Cheap to set: once per fragment, on the thread that made it durable.
#[derive(Debug)]
pub(crate) struct DeliveryMark {
    delivers: AtomicBool,
    is_due: AtomicBool,
    /// Deliveries began again: what is remembered of the cursor is out of date.
    has_begun: AtomicBool,
    wake: Arc<Notify>,
}

impl DeliveryMark {
    /// Due from the start if the stream `delivers`: what was persisted before a crash is looked at.
    pub(crate) fn new(delivers: bool, wake: Arc<Notify>) -> Self {
        let off = || AtomicBool::new(false);
        let mark = Self { delivers: off(), is_due: off(), has_begun: off(), wake };
        mark.set_delivers(delivers);
        mark
    }

    /// A fragment is durable, and its row is in the index.
    pub(crate) fn stored(&self) {
        if self.delivers.load(Ordering::Relaxed) {
            self.is_due.store(true, Ordering::Release);
            self.wake.notify_one();
        }
    }

    /// The stream's configurations have changed.
    pub(crate) fn set_delivers(&self, delivers: bool) {
        let did = self.delivers.swap(delivers, Ordering::Relaxed);
        if delivers {
            if !did {
                self.has_begun.store(true, Ordering::Release);
            }
            self.stored();
        }
    }

    /// Whether deliveries began again since this was asked last.
    pub(crate) fn take_begun(&self) -> bool {
        self.has_begun.swap(false, Ordering::AcqRel)
    }

    /// Whether the stream is to be looked at; asked before its rows are read.
    pub(crate) fn take_due(&self) -> bool {
        self.is_due.swap(false, Ordering::AcqRel)
    }

    /// The stream could not be looked at, or not to its end: without waking the scanner.
    pub(crate) fn again(&self) {
        self.is_due.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn only_streams_that_deliver_wake_the_scanner_and_once() {
        let wake = Arc::new(Notify::new());
        let woken = || wake.notified().now_or_never().is_some();
        let mark = DeliveryMark::new(false, wake.clone());
        mark.stored();
        assert!(!woken() && !mark.take_due());
        mark.set_delivers(true);
        assert!(woken() && mark.take_due() && !mark.take_due());
        assert!(mark.take_begun() && !mark.take_begun());
        mark.set_delivers(true);
        assert!(woken() && mark.take_due() && !mark.take_begun(), "only changed");
        mark.set_delivers(false);
        mark.set_delivers(true);
        assert!(woken() && mark.take_due() && mark.take_begun());
        mark.stored();
        mark.stored();
        assert!(woken() && !woken() && mark.take_due());
        mark.again();
        assert!(!woken() && mark.take_due());
    }
}
