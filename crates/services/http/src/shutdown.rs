//! The word that the server is to stop, from [`Server::shutdown`](crate::Server::shutdown) to
//! every connection and handler.

use tokio::sync::watch;
use tokio::time::Instant;

/// Tells whether the server is asked to stop. Cheap to clone; works on any runtime.
#[derive(Clone, Debug)]
pub struct ShutdownSignal(watch::Receiver<Phase>);

/// Where the server is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// No new connections; what still runs at the instant is cut.
    Draining(Instant),
}

impl ShutdownSignal {
    pub(crate) fn new(phase: watch::Receiver<Phase>) -> Self {
        Self(phase)
    }

    /// True once the server was asked to stop.
    pub fn is_requested(&self) -> bool {
        matches!(*self.0.borrow(), Phase::Draining(_))
    }

    /// Ends when the server is asked to stop. Cancel-safe. Made from a clone, the future borrows
    /// nothing, so a handler can pin one and select on it in a loop.
    pub async fn requested(&mut self) {
        self.deadline().await;
    }

    /// Waits for the request to stop and gives the instant at which connections are cut.
    pub(crate) async fn deadline(&mut self) -> Instant {
        loop {
            if let Phase::Draining(deadline) = *self.0.borrow_and_update() {
                return deadline;
            }
            if self.0.changed().await.is_err() {
                // The server is gone altogether.
                return Instant::now();
            }
        }
    }
}
