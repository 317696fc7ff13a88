//! What one peer may take: sizes, times and counts, each with its reason.

use std::time::Duration;

/// Header fields in one request. An AWS client sends about fifteen, a browser about thirty.
pub(crate) const HEADERS_MAX: usize = 100;

/// Most plaintext bytes in one TLS record (RFC 8446 §5.1).
pub(crate) const TLS_RECORD_LEN_MAX: usize = 16 * 1024;

/// The limits of a [`Server`](crate::Server). [`Limits::default`] suits production; tests shorten
/// the times.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Connections open at once, over all shards: 20,000 is twice the cameras one machine serves,
    /// and about 200 MB when all are idle TLS connections. Those beyond are closed at once (503
    /// where no TLS is needed to say so).
    pub connections_max: usize,
    /// Bytes of a request head. The longest known is a WebSocket request of 11 KB (a URL of 8 KB
    /// holding a session token of 2 KB); headers of cookies and proxies come on top.
    pub head_len_max: usize,
    /// Bytes of a request line; `wss` signaling requests come to about 10 KB.
    pub request_line_len_max: usize,
    /// From the accept, or from the first byte of a later request, to the end of its head. A
    /// camera on a bad link needs a second or two; who needs longer is holding the socket.
    pub head_timeout: Duration,
    /// From the accept to the end of the TLS handshake.
    pub tls_handshake_timeout: Duration,
    /// Between two requests of a connection; longer than the 60 s at which most clients and
    /// proxies give up, so that they close first and no request meets a closing socket.
    pub keep_alive_timeout: Duration,
    /// Time given to a buffered body before [`body_rate_min`](Self::body_rate_min) counts.
    pub body_timeout: Duration,
    /// Bytes per second that prolong a buffered body's time: below it the peer is stalling.
    pub body_rate_min: u32,
    /// Longest time the peer may take none of our bytes while some wait. KVS producers abort
    /// after 30 s of silence themselves.
    pub write_stall_timeout: Duration,
    /// Bytes waiting to be written above which [`Exchange::read`](crate::Exchange::read) stops
    /// taking the peer's: about 400 acks that nobody reads.
    pub queued_len_max: usize,
    /// After the last answer of a connection: how long, and how many bytes, are still read so that
    /// the peer sees the answer and not a reset.
    pub linger_timeout: Duration,
    /// See [`linger_timeout`](Self::linger_timeout).
    pub linger_len_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 20_000,
            head_len_max: 32 * 1024,
            request_line_len_max: 16 * 1024,
            head_timeout: Duration::from_secs(10),
            tls_handshake_timeout: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(30),
            body_rate_min: 1024,
            write_stall_timeout: Duration::from_secs(30),
            queued_len_max: 64 * 1024,
            linger_timeout: Duration::from_secs(2),
            linger_len_max: 64 * 1024,
        }
    }
}
