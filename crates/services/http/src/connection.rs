//! One connection from accept to close, whatever it speaks.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::counters::{self, Counters};
use crate::h1::{self, Served};
use crate::h2;
use crate::handler::{ConnectionInfo, Handler};
use crate::limits::Limits;
use crate::transport::Transport;

/// What the code of one connection works with.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) info: ConnectionInfo,
    pub(crate) limits: Arc<Limits>,
    pub(crate) counters: Arc<Counters>,
    /// The handler has the connection: it enters a span of its own.
    pub(crate) in_exchange: Arc<AtomicBool>,
}

/// Serves a connection to its end.
pub(crate) async fn run(tcp: TcpStream, tls: Option<Arc<rustls::ServerConfig>>, cx: Context) {
    let opened = Instant::now();
    let mut transport = match Transport::new(tcp, tls.as_ref(), Arc::clone(&cx.counters)) {
        Ok(transport) => transport,
        Err(err) => {
            counters::count(&cx.counters.tls_failures);
            tracing::error!(%err, "cannot begin TLS");
            return;
        }
    };
    if tls.is_some() {
        let deadline = opened + cx.limits.tls_handshake_timeout;
        let handshake = poll_fn(|task| transport.poll_handshake(task));
        match timeout_at(deadline, handshake).await {
            Ok(Ok(())) => {}
            Ok(Err(err)) => {
                counters::count(&cx.counters.tls_failures);
                tracing::debug!(%err, "TLS handshake failed");
                return;
            }
            Err(_) => {
                counters::count(&cx.counters.tls_failures);
                tracing::debug!("TLS handshake took too long");
                return;
            }
        }
    }
    // The HTTP/2 futures are large and rare beside HTTP/1.1's: boxed, so that idle connections
    // do not carry them.
    if transport.alpn() == Some(h2::ALPN) {
        return Box::pin(h2::serve(transport, Vec::new(), cx)).await;
    }
    match h1::serve(transport, &cx, Instant::now()).await {
        Served::Close(transport) => Box::pin(h1::close(transport, &cx)).await,
        Served::Drop => {}
        Served::Http2(transport) => {
            Box::pin(h2::serve(transport, h2::PREFACE_START.to_vec(), cx)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    /// What a connection's task takes while it waits for a request, TLS state excepted. Thousands
    /// wait; a large branch that is not boxed would show here.
    #[test]
    fn waiting_connections_are_small() {
        fn output_len<A, B, C, F: Future>(_: fn(A, B, C) -> F) -> usize {
            size_of::<F>()
        }
        let len = output_len(super::run);
        assert!(len < 2048, "{len} bytes");
    }
}
