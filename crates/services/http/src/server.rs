//! The listener as a whole: sockets, threads, start and stop.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::ServerConfig;
use socket2::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::counters::Counters;
use crate::error::Error;
use crate::handler::Handler;
use crate::limits::Limits;
use crate::shutdown::{Phase, ShutdownSignal};

mod acceptor;
mod coalesce;
pub(crate) use coalesce::count_read;
mod shard;

use acceptor::Acceptor;
use shard::Shard;

/// Connections the kernel keeps for us to accept: a site's cameras come back all at once after a
/// power cut.
const BACKLOG: i32 = 4096;

/// Silence before the kernel asks whether a peer is still there: devices lose their link without
/// a word, and a quiet GetMedia writes nothing that would fail.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// A bound socket, not yet served.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    tls: Option<Arc<ServerConfig>>,
}

impl Listener {
    /// Listens on `addr` (port 0: any free one); with `tls`, every connection begins with a TLS
    /// handshake. An IPv6 wildcard takes IPv4 too where the system has it so.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`].
    pub fn bind(addr: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Result<Self, Error> {
        let bind = || {
            let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
            socket.set_reuse_address(true)?;
            // Inherited by accepted sockets, which saves two calls on each.
            socket.set_tcp_nodelay(true)?;
            socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(TCP_KEEPALIVE))?;
            socket.set_nonblocking(true)?;
            socket.bind(&SockAddr::from(addr))?;
            socket.listen(BACKLOG)?;
            Ok(TcpListener::from(socket))
        };
        match bind() {
            Ok(socket) => Ok(Self { socket, tls }),
            Err(source) => Err(Error::Bind { addr, source }),
        }
    }

    /// The address bound.
    ///
    /// # Errors
    ///
    /// Whatever the system says.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// What to serve with. The defaults suit production.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// Threads that connections are divided over; as many as there are cores if `None`.
    pub shards: Option<usize>,
    /// What a peer may take.
    pub limits: Limits,
}

/// Serving listeners. Dropping it cuts every connection and waits for the threads.
#[derive(Debug)]
pub struct Server {
    counters: Arc<Counters>,
    phase: watch::Sender<Phase>,
    threads: Vec<Thread>,
}

#[derive(Debug)]
struct Thread {
    handle: JoinHandle<()>,
    /// Closed when the thread is about to end.
    ended: oneshot::Receiver<()>,
}

/// What all threads share.
#[derive(Clone)]
struct Shared {
    handler: Arc<dyn Handler>,
    limits: Arc<Limits>,
    counters: Arc<Counters>,
    shutdown: ShutdownSignal,
}

impl Server {
    /// Starts the threads and begins to accept.
    ///
    /// Each shard is one thread with a single-threaded runtime, and a connection stays on its
    /// shard. One acceptor thread hands each connection to the shard that has fewest:
    /// `SO_REUSEPORT` would spare the hand-over but divides by a hash of the addresses, and a few
    /// hundred cameras that stay for hours are then divided unevenly for hours.
    ///
    /// # Errors
    ///
    /// [`Error::Start`].
    pub fn start(
        listeners: Vec<Listener>,
        config: Config,
        handler: Arc<dyn Handler>,
    ) -> Result<Self, Error> {
        let counters = Arc::new(Counters::default());
        let (phase, receiver) = watch::channel(Phase::Running);
        let mut server = Self { counters: Arc::clone(&counters), phase, threads: Vec::new() };
        let shared = Shared {
            handler,
            limits: Arc::new(config.limits),
            counters,
            shutdown: ShutdownSignal::new(receiver),
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut shards = Vec::new();
        for index in 0..config.shards.unwrap_or(cores).max(1) {
            let (shard, connections) = Shard::new(shared.clone());
            shards.push(shard);
            let shared = shared.clone();
            server.spawn(format!("http-{index}"), shard::run(connections, shared))?;
        }
        let acceptor = Acceptor { shared, shards, next_id: AtomicU64::new(1) };
        server.spawn("http-accept".into(), acceptor.run(listeners))?;
        Ok(server)
    }

    /// Runs `main` on a new thread with its own runtime.
    fn spawn(
        &mut self,
        name: String,
        main: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name(format!("{name}-blocking"))
            .on_thread_park(coalesce::before_wait)
            .on_thread_unpark(coalesce::after_wait)
            .build()
            .map_err(Error::Start)?;
        let (ends, ended) = oneshot::channel();
        let handle = std::thread::Builder::new()
            .name(name)
            .spawn(move || {
                runtime.block_on(main);
                drop(ends);
            })
            .map_err(Error::Start)?;
        self.threads.push(Thread { handle, ended });
        Ok(())
    }

    /// What was counted so far.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// For whoever else must know that the server is to stop.
    pub fn shutdown_signal(&self) -> ShutdownSignal {
        ShutdownSignal::new(self.phase.subscribe())
    }

    /// Stops: nothing more is accepted, idle connections close at once, handlers can see that it
    /// is time, and after `grace` what is still open is cut. Returns when all threads have ended.
    pub async fn shutdown(mut self, grace: Duration) {
        self.phase.send_replace(Phase::Draining(Instant::now() + grace));
        for thread in std::mem::take(&mut self.threads) {
            // Never sent, only closed.
            let _ = thread.ended.await;
            join(thread.handle);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Draining(Instant::now()));
        for thread in self.threads.drain(..) {
            join(thread.handle);
        }
    }
}

fn join(handle: JoinHandle<()>) {
    if handle.join().is_err() {
        tracing::error!("a listener thread panicked");
    }
}

#[cfg(test)]
mod tests {
    use super::Listener;

    #[test]
    fn accepted_sockets_inherit_the_options() {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), None).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = loop {
            match listener.socket.accept() {
                Ok((socket, _)) => break socket2::Socket::from(socket),
                Err(err) => assert_eq!(err.kind(), std::io::ErrorKind::WouldBlock),
            }
        };
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
    }
}
