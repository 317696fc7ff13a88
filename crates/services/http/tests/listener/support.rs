//! A server with a handler of many small behaviours, and a client that shows raw bytes.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use streamkeep_http::{
    Admit, Body, BodyError, BoxFuture, Config, ConnectionInfo, Counters, Exchange, Handler, Limits,
    Listener, ReadError, Server, local_authority,
};

/// Long enough for a busy machine, short enough for a hanging test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a test's exchange handler tells the test.
pub(crate) type Report = mpsc::Sender<String>;

pub(crate) type ExchangeFn =
    dyn for<'a> Fn(Parts, &'a mut Exchange, Report) -> BoxFuture<'a, ()> + Send + Sync;

pub(crate) struct TestServer {
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    pub(crate) counters: Arc<Counters>,
    pub(crate) reports: mpsc::Receiver<String>,
    /// `None` once a test has taken it.
    pub(crate) server: Option<Server>,
    client_config: Arc<ClientConfig>,
    pub(crate) dir: tempfile::TempDir,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::with(|_| {}, Box::new(|_, exchange, _| Box::pin(echo(exchange))))
    }

    pub(crate) fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        Self::with(change, Box::new(|_, exchange, _| Box::pin(echo(exchange))))
    }

    pub(crate) fn exchanging(
        exchange: impl for<'a> Fn(Parts, &'a mut Exchange, Report) -> BoxFuture<'a, ()>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self::with(|_| {}, Box::new(exchange))
    }

    pub(crate) fn with(change: impl FnOnce(&mut Limits), exchange: Box<ExchangeFn>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = local_authority(dir.path(), &[]).unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let plain = Listener::bind(any, None).unwrap();
        let tls = Listener::bind(any, Some(authority.config)).unwrap();
        let mut config = Config::default();
        config.shards = Some(2);
        change(&mut config.limits);
        let (report, reports) = mpsc::channel();
        let handler = Arc::new(TestHandler { exchange, report: Mutex::new(report) });
        let addresses = (plain.local_addr().unwrap(), tls.local_addr().unwrap());
        let server = Server::start(vec![plain, tls], config, handler).unwrap();
        Self {
            plain: addresses.0,
            tls: addresses.1,
            counters: server.counters(),
            reports,
            server: Some(server),
            client_config: client_config(&authority.ca_path, rustls::ALL_VERSIONS, &[]),
            dir,
        }
    }

    pub(crate) fn plain(&self) -> Client {
        let tcp = connect(self.plain);
        Client::new(Wire::Plain(tcp))
    }

    /// A bare TCP connection to the TLS listener.
    pub(crate) fn tcp_to_tls(&self) -> Client {
        Client::new(Wire::Plain(connect(self.tls)))
    }

    pub(crate) fn client_config(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &[&[u8]],
    ) -> Arc<ClientConfig> {
        client_config(&self.ca_path(), versions, alpn)
    }

    pub(crate) fn tls(&self) -> Client {
        self.tls_with(Arc::clone(&self.client_config))
    }

    pub(crate) fn tls_with(&self, config: Arc<ClientConfig>) -> Client {
        let tcp = connect(self.tls);
        let name = ServerName::try_from("localhost").unwrap();
        let conn = ClientConnection::new(config, name).unwrap();
        let mut stream = StreamOwned::new(conn, RecordReader::new(tcp));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        Client::new(Wire::Tls(Box::new(stream)))
    }

    /// Runs `test` over a plain and a TLS connection.
    pub(crate) fn both(&self, test: impl Fn(&mut Client)) {
        test(&mut self.plain());
        test(&mut self.tls());
    }

    /// Shuts down on a thread of its own; gives how long that took.
    pub(crate) fn shut_down(&mut self, grace: Duration) -> JoinHandle<Duration> {
        let server = self.server.take().unwrap();
        std::thread::spawn(move || {
            let began = Instant::now();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(server.shutdown(grace));
            began.elapsed()
        })
    }

    pub(crate) fn ca_path(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    pub(crate) fn report(&self) -> String {
        self.reports.recv_timeout(PATIENCE).expect("a report")
    }
}

fn connect(addr: SocketAddr) -> TcpStream {
    let tcp = TcpStream::connect(addr).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp.set_write_timeout(Some(PATIENCE)).unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp
}

fn client_config(
    ca: &Path,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&[u8]],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

/// Reads one TLS record at a time off the socket, as embedded clients do.
pub(crate) struct RecordReader {
    tcp: TcpStream,
    record: Vec<u8>,
    given: usize,
}

impl RecordReader {
    fn new(tcp: TcpStream) -> Self {
        Self { tcp, record: Vec::new(), given: 0 }
    }
}

impl Read for RecordReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.given == self.record.len() {
            let mut header = [0; 5];
            match self.tcp.read_exact(&mut header) {
                Err(err) if err.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                result => result?,
            }
            let len = usize::from(u16::from_be_bytes([header[3], header[4]]));
            self.record = header.to_vec();
            self.record.resize(5 + len, 0);
            self.tcp.read_exact(&mut self.record[5..])?;
            self.given = 0;
        }
        let len = buf.len().min(self.record.len() - self.given);
        buf[..len].copy_from_slice(&self.record[self.given..][..len]);
        self.given += len;
        Ok(len)
    }
}

impl Write for RecordReader {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.tcp.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, RecordReader>>),
}

/// A client's end of a connection.
pub(crate) struct Client {
    wire: Wire,
    /// Received and not yet looked at.
    buffer: Vec<u8>,
    /// Every piece that one read gave: under TLS, one record's plaintext.
    pub(crate) pieces: Vec<Vec<u8>>,
}

/// A response as read off the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    fn new(wire: Wire) -> Self {
        Self { wire, buffer: Vec::new(), pieces: Vec::new() }
    }

    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.wire, Wire::Tls(_))
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).unwrap();
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let bytes = bytes.as_ref();
        match &mut self.wire {
            Wire::Plain(tcp) => tcp.write_all(bytes),
            Wire::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        }
    }

    /// Ends our side: close_notify, where there is TLS, and FIN.
    pub(crate) fn half_close(&mut self) {
        match &mut self.wire {
            Wire::Plain(tcp) => tcp.shutdown(Shutdown::Write).unwrap(),
            Wire::Tls(tls) => {
                tls.conn.send_close_notify();
                tls.flush().unwrap();
                tls.sock.tcp.shutdown(Shutdown::Write).unwrap();
            }
        }
    }

    pub(crate) fn tls_conn(&mut self) -> &mut ClientConnection {
        match &mut self.wire {
            Wire::Tls(tls) => &mut tls.conn,
            Wire::Plain(_) => panic!("no TLS"),
        }
    }

    pub(crate) fn tcp(&self) -> &TcpStream {
        match &self.wire {
            Wire::Plain(tcp) => tcp,
            Wire::Tls(tls) => &tls.sock.tcp,
        }
    }

    /// Reads once; false at the end of the stream. A TLS stream that ends without close_notify
    /// is an error of kind `UnexpectedEof`.
    pub(crate) fn fill(&mut self) -> io::Result<bool> {
        let mut bytes = vec![0; 32 * 1024];
        let len = match &mut self.wire {
            Wire::Plain(tcp) => tcp.read(&mut bytes)?,
            Wire::Tls(tls) => tls.read(&mut bytes)?,
        };
        bytes.truncate(len);
        self.buffer.extend_from_slice(&bytes);
        if len > 0 {
            self.pieces.push(bytes);
        }
        Ok(len > 0)
    }

    pub(crate) fn take(&mut self, len: usize) -> Vec<u8> {
        while self.buffer.len() < len {
            assert!(self.fill().unwrap(), "the server closed too early");
        }
        self.buffer.drain(..len).collect()
    }

    pub(crate) fn take_line(&mut self) -> String {
        self.take_until(b"\r\n")
    }

    fn take_until(&mut self, end: &[u8]) -> String {
        loop {
            let found = self.buffer.windows(end.len()).position(|at| at == end);
            if let Some(at) = found {
                return String::from_utf8(self.take(at + end.len())).unwrap();
            }
            assert!(
                self.fill().unwrap(),
                "closed after {:?}",
                String::from_utf8_lossy(&self.buffer)
            );
        }
    }

    /// One chunk; empty for the last.
    pub(crate) fn take_chunk(&mut self) -> Vec<u8> {
        let line = self.take_line();
        let len = usize::from_str_radix(line.trim_end(), 16).unwrap();
        let data = self.take(len);
        assert_eq!(self.take(2), b"\r\n");
        data
    }

    /// A head, up to its empty line.
    pub(crate) fn take_head(&mut self) -> Reply {
        let head = self.take_until(b"\r\n\r\n");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head, body: Vec::new() }
    }

    /// A whole response to a request that was not HEAD.
    pub(crate) fn take_reply(&mut self) -> Reply {
        let mut reply = self.take_head();
        if let Some(len) = reply.header("content-length") {
            let len = len.parse().unwrap();
            reply.body = self.take(len);
        } else if reply.header("transfer-encoding") == Some("chunked") {
            loop {
                let chunk = self.take_chunk();
                if chunk.is_empty() {
                    break;
                }
                reply.body.extend(chunk);
            }
        }
        reply
    }

    /// Everything up to the end of the stream; under TLS the end must be a close_notify.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        while self.fill().unwrap() {}
        std::mem::take(&mut self.buffer)
    }

    /// Whether the server has closed, in whatever way, with nothing more to read.
    pub(crate) fn is_closed(&mut self) -> bool {
        assert_eq!(String::from_utf8_lossy(&self.buffer), "");
        match self.fill() {
            Ok(more) => !more,
            Err(err) => {
                assert_ne!(err.kind(), io::ErrorKind::WouldBlock, "still open");
                true
            }
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        self.take_reply()
    }

    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Reply {
        self.send(request);
        self.take_reply()
    }
}

struct TestHandler {
    exchange: Box<ExchangeFn>,
    report: Mutex<Report>,
}

impl Handler for TestHandler {
    fn admit(&self, head: &Parts, _conn: &ConnectionInfo) -> Admit {
        match head.uri.path() {
            "/exchange" => Admit::Exchange,
            "/reject" => {
                let mut response = Response::new(Body::from("rejected"));
                *response.status_mut() = StatusCode::FORBIDDEN;
                Admit::Reject(response)
            }
            "/panic-admit" => panic!("in admit"),
            _ => Admit::Buffered { body_len_max: 100_000 },
        }
    }

    fn call<'a>(
        &'a self,
        request: Request<Bytes>,
        conn: &'a ConnectionInfo,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let number: usize = parts.uri.query().map_or(0, |query| query.parse().unwrap());
            let mut response = Response::new(Body::empty());
            *response.body_mut() = match parts.uri.path() {
                "/hello" => Body::from("hello"),
                "/echo" => Body::from(body),
                "/headers" => Body::from(format!("{} {:?}", parts.uri, parts.headers)),
                "/big" => Body::from(pattern(number)),
                "/stream" => Body::stream(Numbers::new(number, None)),
                "/stream-error" => Body::stream(Numbers::new(number, Some("failed"))),
                "/endless" => Body::stream(Endless {
                    part: Bytes::from(pattern(8000)),
                    report: self.report.lock().unwrap().clone(),
                }),
                "/silent" => Body::stream(Silent(self.report.lock().unwrap().clone())),
                "/counted" => {
                    let len = response.headers_mut().entry("content-length");
                    len.or_insert("6".parse().unwrap());
                    Body::stream(Numbers::new(number, None))
                }
                "/no-content" => {
                    *response.status_mut() = StatusCode::NO_CONTENT;
                    Body::empty()
                }
                "/interim" => {
                    *response.status_mut() = StatusCode::PROCESSING;
                    Body::empty()
                }
                "/close" => {
                    let headers: &mut HeaderMap = response.headers_mut();
                    headers.insert("connection", "close".parse().unwrap());
                    Body::from("closing")
                }
                "/slow" => {
                    tokio::time::sleep(Duration::from_millis(number as u64)).await;
                    Body::from("slow")
                }
                "/connection" => Body::from(format!("{} {}", conn.id, conn.tls)),
                "/panic" => panic!("in call"),
                _ => {
                    *response.status_mut() = StatusCode::NOT_FOUND;
                    Body::empty()
                }
            };
            response
        })
    }

    fn exchange<'a>(
        &'a self,
        head: Parts,
        _conn: &'a ConnectionInfo,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, ()> {
        let report = self.report.lock().unwrap().clone();
        (self.exchange)(head, exchange, report)
    }
}

/// Bytes that differ from place to place.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

/// Sends each run of the body back as a chunk.
pub(crate) async fn echo(exchange: &mut Exchange) {
    exchange.send_head(StatusCode::OK, &HeaderMap::new());
    loop {
        match exchange.read().await {
            Ok(Some(run)) => {
                let run = run.to_vec();
                exchange.send_chunk(&run);
            }
            Ok(None) => break,
            Err(ReadError::Closed { .. }) => return,
            Err(err) => panic!("{err}"),
        }
    }
    exchange.finish();
}

/// The parts "0;", "1;", …, one a poll after the other, and an error behind them if so wanted.
struct Numbers {
    next: usize,
    end: usize,
    error: Option<&'static str>,
    wait: bool,
}

impl Numbers {
    fn new(end: usize, error: Option<&'static str>) -> Self {
        Self { next: 0, end, error, wait: true }
    }
}

impl futures_core::Stream for Numbers {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.wait = !self.wait;
        if !self.wait {
            cx.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        if self.next < self.end {
            let part = format!("{};", self.next);
            self.next += 1;
            return std::task::Poll::Ready(Some(Ok(part.into())));
        }
        std::task::Poll::Ready(self.error.take().map(|error| Err(BodyError::new(error))))
    }
}

/// The same part for ever; reports when it is dropped.
struct Endless {
    part: Bytes,
    report: Report,
}

impl futures_core::Stream for Endless {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(Some(Ok(self.part.clone())))
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        let _ = self.report.send("stream dropped".into());
    }
}

/// Never gives anything; reports when it is dropped.
struct Silent(Report);

impl futures_core::Stream for Silent {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Pending
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = self.0.send("stream dropped".into());
    }
}
