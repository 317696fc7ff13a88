//! What the listener counts, for the metrics page.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one [`Server`](crate::Server). All but `connections_open` only grow.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Connections accepted, refused ones included.
    pub connections_accepted: AtomicU64,
    /// Connections open now, refused ones excluded.
    pub connections_open: AtomicU64,
    /// Connections closed at once because too many were open.
    pub connections_refused: AtomicU64,
    /// `accept` calls that failed (out of descriptors, mostly).
    pub accept_errors: AtomicU64,
    /// TLS handshakes that failed or took too long.
    pub tls_failures: AtomicU64,
    /// Requests given to the handler.
    pub requests: AtomicU64,
    /// Requests refused before the handler saw them: malformed, too large, too slow.
    pub requests_refused: AtomicU64,
    /// Panics: of handlers, and of a connection's task.
    pub panics: AtomicU64,
    /// Bytes read from sockets (ciphertext where there is TLS).
    pub bytes_in: AtomicU64,
    /// Bytes written to sockets.
    pub bytes_out: AtomicU64,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    add(counter, 1);
}

/// Adds `n`. Counters order nothing, so relaxed is enough.
pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

/// Holds `connections_open` up by one while it lives.
pub(crate) struct OpenConnection(std::sync::Arc<Counters>);

impl OpenConnection {
    pub(crate) fn new(counters: std::sync::Arc<Counters>) -> Self {
        count(&counters.connections_open);
        Self(counters)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Ordering::Relaxed);
    }
}
