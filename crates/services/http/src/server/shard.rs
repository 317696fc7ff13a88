//! One thread's connections.

use std::future::poll_fn;
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use super::Shared;
use crate::connection::{self, Context};
use crate::counters::{self, OpenConnection};
use crate::handler::ConnectionInfo;

/// The acceptor's side of a shard.
pub(super) struct Shard {
    connections: mpsc::UnboundedSender<(Accepted, OpenOnShard)>,
    open: Arc<AtomicUsize>,
    shared: Shared,
}

/// A connection on its way to its shard.
pub(super) struct Accepted {
    pub(super) tcp: TcpStream,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) id: u64,
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
}

/// The shard's side. Unbounded, but never longer than `Limits::connections_max`: a connection
/// counts as open from the moment it is queued.
pub(super) type Connections = mpsc::UnboundedReceiver<(Accepted, OpenOnShard)>;

/// Holds a shard's count up by one while it lives.
pub(super) struct OpenOnShard {
    open: Arc<AtomicUsize>,
    _open: OpenConnection,
}

impl Drop for OpenOnShard {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shard {
    pub(super) fn new(shared: Shared) -> (Self, Connections) {
        let (connections, receiver) = mpsc::unbounded_channel();
        let shard = Self { connections, open: Arc::default(), shared };
        (shard, receiver)
    }

    /// Connections that the shard has, queued ones included.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn give(&self, accepted: Accepted) {
        self.open.fetch_add(1, Ordering::Relaxed);
        let open = OpenOnShard {
            open: Arc::clone(&self.open),
            _open: OpenConnection::new(Arc::clone(&self.shared.counters)),
        };
        // Fails only when the shard has ended; then dropping the connection is all there is to do.
        let _ = self.connections.send((accepted, open));
    }
}

/// Serves connections until the acceptor is gone and, at the latest by the deadline of the
/// shutdown, all have ended.
pub(super) async fn run(mut connections: Connections, shared: Shared) {
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            accepted = connections.recv() => match accepted {
                Some((accepted, open)) => serve(&mut tasks, accepted, open, &shared),
                None => break,
            },
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => report(ended, &shared),
        }
    }
    let mut shutdown = shared.shutdown.clone();
    let deadline = shutdown.deadline().await;
    let ended = async {
        while let Some(ended) = tasks.join_next().await {
            report(ended, &shared);
        }
    };
    if tokio::time::timeout_at(deadline, ended).await.is_err() {
        tracing::info!(connections = tasks.len(), "connections cut at shutdown");
        tasks.shutdown().await;
    }
}

/// A handler's panic never comes this far: this one is ours or a library's.
fn report(ended: Result<(), JoinError>, shared: &Shared) {
    if let Err(err) = ended
        && err.is_panic()
    {
        counters::count(&shared.counters.panics);
        tracing::error!(%err, "a connection's task panicked");
    }
}

fn serve(tasks: &mut JoinSet<()>, accepted: Accepted, open: OpenOnShard, shared: &Shared) {
    let Accepted { tcp, tls, id, peer, local } = accepted;
    let span = tracing::info_span!("connection", id, %peer);
    let tcp = match tokio::net::TcpStream::from_std(tcp) {
        Ok(tcp) => tcp,
        Err(err) => {
            tracing::warn!(parent: &span, %err, "connection not served");
            return;
        }
    };
    let cx = Context {
        handler: Arc::clone(&shared.handler),
        info: ConnectionInfo {
            id,
            span: span.clone(),
            peer,
            local,
            tls: tls.is_some(),
            shutdown: shared.shutdown.clone(),
        },
        limits: Arc::clone(&shared.limits),
        counters: Arc::clone(&shared.counters),
        in_exchange: Arc::default(),
    };
    let in_exchange = Arc::clone(&cx.in_exchange);
    tasks.spawn(async move {
        let mut serving = pin!(connection::run(tcp, tls, cx));
        poll_fn(|task| {
            let _entered = (!in_exchange.load(Ordering::Relaxed)).then(|| span.enter());
            serving.as_mut().poll(task)
        })
        .await;
        drop(open);
    });
}
