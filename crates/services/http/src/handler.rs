//! What the listener asks of the program behind it.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};

use crate::body::Body;
use crate::exchange::Exchange;
use crate::shutdown::ShutdownSignal;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The program behind the listener.
///
/// The futures run on the thread that owns the connection and share it with many others: blocking
/// work belongs elsewhere. A panic becomes a 500 and a closed connection.
///
/// Requests look the same whichever HTTP version brought them: the URI in origin form, the
/// authority in the `Host` header (`HeaderMap` keeps the values as received).
pub trait Handler: Send + Sync + 'static {
    /// Decides from the head alone how the request is taken. Must be quick: no I/O.
    fn admit(&self, head: &Parts, conn: &ConnectionInfo) -> Admit;

    /// Answers a request whose body was taken whole.
    ///
    /// Runs to its end even if the peer goes away meanwhile, unless the server's shutdown grace
    /// passes; a streamed response is dropped as soon as the peer is known to be gone.
    fn call<'a>(
        &'a self,
        request: Request<Bytes>,
        conn: &'a ConnectionInfo,
    ) -> BoxFuture<'a, Response<Body>>;

    /// Speaks both ways at once until done; owns the connection meanwhile. The connection serves
    /// another request only if both bodies came to their proper end.
    fn exchange<'a>(
        &'a self,
        head: Parts,
        conn: &'a ConnectionInfo,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, ()>;
}

/// How a request is taken.
#[derive(Debug)]
pub enum Admit {
    /// Read the body whole, then [`Handler::call`]. A longer body is refused with 413.
    Buffered {
        /// Most bytes the body may have.
        body_len_max: usize,
    },
    /// Hand the connection to [`Handler::exchange`]. HTTP/1.1 only: HTTP/1.0 gets 505, HTTP/2
    /// `HTTP_1_1_REQUIRED`.
    Exchange,
    /// Answer without reading the body.
    Reject(Response<Body>),
}

/// The connection a request came on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// Unique in the life of the server; the connection's tracing span carries it.
    pub id: u64,
    /// The connection's tracing span. It is entered around everything but
    /// [`Handler::exchange`], which is polled for each frame and enters one of its own.
    pub span: tracing::Span,
    /// The far end.
    pub peer: SocketAddr,
    /// The address the peer reached.
    pub local: SocketAddr,
    /// Whether TLS protects it.
    pub tls: bool,
    /// Tells handlers that the server is to stop.
    pub shutdown: ShutdownSignal,
}
