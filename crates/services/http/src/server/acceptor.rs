//! Accepts connections and gives each to the shard with the fewest.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::shard::{Accepted, Shard};
use super::{Listener, Shared};
use crate::counters;

/// Wait after a failed `accept`: it fails mostly for want of descriptors, and asking again at once
/// would only burn the processor.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Connections that are taken in one go before those that are there have their turn: up to 6,400 a
/// second, more than two cores can shake hands with.
const BURST: u32 = 64;
const PAUSE_AFTER_BURST: Duration = Duration::from_millis(10);

/// Refused connections that are told so at the same time; others are just closed.
const REFUSALS_MAX: usize = 64;

/// How long a refused connection is kept so that the peer can read why.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-length: 0\r\nretry-after: 5\r\nconnection: close\r\n\r\n";

pub(super) struct Acceptor {
    pub(super) shared: Shared,
    pub(super) shards: Vec<Shard>,
    pub(super) next_id: AtomicU64,
}

impl Acceptor {
    /// Accepts until the server is to stop.
    pub(super) async fn run(self, listeners: Vec<Listener>) {
        let acceptor = Arc::new(self);
        let mut tasks = JoinSet::new();
        for listener in listeners {
            tasks.spawn(Arc::clone(&acceptor).accept(listener));
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn accept(self: Arc<Self>, listener: Listener) {
        let mut shutdown = self.shared.shutdown.clone();
        let Listener { socket, tls } = listener;
        let listener = match TcpListener::from_std(socket) {
            Ok(listener) => listener,
            Err(err) => {
                tracing::error!(%err, "cannot accept connections");
                return;
            }
        };
        let mut refusals = JoinSet::new();
        let (mut burst, mut burst_began) = (0, Instant::now());
        loop {
            if burst_began.elapsed() > PAUSE_AFTER_BURST {
                (burst, burst_began) = (0, Instant::now());
            } else if burst == BURST {
                tokio::time::sleep(PAUSE_AFTER_BURST).await;
            }
            burst += 1;
            let accepted = tokio::select! {
                biased;
                () = shutdown.requested() => return,
                Some(_) = refusals.join_next(), if !refusals.is_empty() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((tcp, peer)) => self.place(tcp, peer, tls.as_ref(), &mut refusals),
                Err(err) if is_of_peer(&err) => {}
                Err(err) => {
                    counters::count(&self.shared.counters.accept_errors);
                    tracing::warn!(%err, "accept failed");
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            }
        }
    }

    fn place(
        &self,
        tcp: TcpStream,
        peer: SocketAddr,
        tls: Option<&Arc<ServerConfig>>,
        refusals: &mut JoinSet<()>,
    ) {
        let counters = &self.shared.counters;
        counters::count(&counters.connections_accepted);
        // Each shard counts at the hand-over, so that a burst cannot pass the limit.
        let open: usize = self.shards.iter().map(Shard::open).sum();
        if open >= self.shared.limits.connections_max {
            counters::count(&counters.connections_refused);
            if tls.is_none() && refusals.len() < REFUSALS_MAX {
                refusals.spawn(refuse(tcp));
            }
            return;
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let emptiest = self.shards.iter().min_by_key(|shard| shard.open());
        let Some(shard) = emptiest else { return };
        match (tcp.local_addr(), tcp.into_std()) {
            (Ok(local), Ok(tcp)) => {
                shard.give(Accepted { tcp, tls: tls.map(Arc::clone), id, peer, local })
            }
            (Err(err), _) | (_, Err(err)) => {
                tracing::debug!(%err, %peer, "connection lost before it was served");
            }
        }
    }
}

/// Errors of one connection, not of the listener (`accept(2)`, "Error handling").
fn is_of_peer(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Says 503 and waits a moment for the peer to close, so that no reset overtakes the answer.
async fn refuse(mut tcp: TcpStream) {
    let answer = async {
        tcp.write_all(REFUSAL).await?;
        tcp.shutdown().await?;
        let mut ignored = [0; 4096];
        while tcp.read(&mut ignored).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    let _ = timeout(REFUSAL_TIMEOUT, answer).await;
}
