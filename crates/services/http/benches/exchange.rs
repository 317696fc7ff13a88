//! What a frame costs from the wire to the handler: many TLS connections, each with a PutMedia-like
//! exchange that sends a frame at a steady rate, against a handler that throws the bytes away.
//!
//! ```text
//! cargo bench -p streamkeep-http --bench exchange -- [connections=1000] [rate=25] [len=5000]
//!     [seconds=10] [tls=1] [shards=N] [idle=0] [offset=0]
//! ```
//!
//! Prints one JSON object. `cores` is the processor time (user and system) of the server's threads
//! per second; the client is another process and does not count. With `idle=N` it opens N more
//! connections that send nothing after the handshake, and prints the memory each takes.
//! Without `--bench` (as in `cargo test --benches`) it makes one short run with few connections.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use streamkeep_http::{
    Admit, Body, BoxFuture, Config, ConnectionInfo, Exchange, Handler, Listener, Server,
    local_authority,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[expect(clippy::print_stdout, reason = "the result is what it prints")]
fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let options = Options::parse(&args)?;
    if let Some(addr) = args.iter().find_map(|arg| arg.strip_prefix("client=")) {
        return client(&options, addr.parse()?);
    }
    let dir = tempfile::tempdir()?;
    let authority = local_authority(dir.path(), &[])?;
    let tls = options.tls.then_some(authority.config);
    let listener = Listener::bind("127.0.0.1:0".parse()?, tls)?;
    let addr = listener.local_addr()?;
    let mut config = Config::default();
    config.shards = options.shards;
    let handler = Arc::new(Discard::default());
    let server = Server::start(vec![listener], config, Arc::clone(&handler) as _)?;

    let memory_before = resident_bytes()?;
    let mut client = Command::new(std::env::current_exe()?)
        .args(&args)
        .arg(format!("client={addr}"))
        .arg(format!("ca={}", authority.ca_path.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut from_client = client.stdout.take().ok_or("no stdout")?;
    let mut to_client = client.stdin.take().ok_or("no stdin")?;
    // All connections are open.
    from_client.read_exact(&mut [0])?;
    let open = options.connections + options.idle;
    let memory = (resident_bytes()?.saturating_sub(memory_before)) / open.max(1) as u64;

    to_client.write_all(b"g")?;
    std::thread::sleep(Duration::from_secs(1)); // caches and branch predictors
    let (began, before) = (Instant::now(), Usage::now(&handler)?);
    std::thread::sleep(options.duration);
    let (elapsed, after) = (began.elapsed().as_secs_f64(), Usage::now(&handler)?);
    drop(to_client);
    client.wait()?;
    drop(server);

    let rate = |before: u64, after: u64| (after - before) as f64 / elapsed;
    let cores = rate(before.cpu_nanoseconds, after.cpu_nanoseconds) / 1e9;
    let frames = rate(before.bytes, after.bytes) / options.len as f64;
    println!(
        "{{\"connections\":{},\"idle\":{},\"tls\":{},\"frames_per_s\":{frames:.0},\
         \"megabytes_per_s\":{:.1},\"cores\":{cores:.3},\"user\":{:.3},\"microseconds_per_frame\":{:.2},\
         \"wakes_per_s\":{:.0},\"bytes_per_connection\":{memory}}}",
        options.connections,
        options.idle,
        options.tls,
        rate(before.bytes, after.bytes) / 1e6,
        rate(before.user_ticks, after.user_ticks) / 100.0,
        cores / frames * 1e6,
        rate(before.switches, after.switches),
    );
    Ok(())
}

#[derive(Clone, Debug)]
struct Options {
    connections: usize,
    idle: usize,
    rate: u32,
    len: usize,
    duration: Duration,
    tls: bool,
    shards: Option<usize>,
    ca: PathBuf,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let values: HashMap<&str, &str> =
            args.iter().filter_map(|arg| arg.split_once('=')).collect();
        let number = |name: &str, default: usize| match values.get(name) {
            Some(value) => value.parse::<usize>(),
            None => Ok(default),
        };
        let bench = args.iter().any(|arg| arg == "--bench");
        Ok(Self {
            connections: number("connections", if bench { 1000 } else { 10 })?,
            idle: number("idle", 0)?,
            rate: u32::try_from(number("rate", 25)?)?,
            len: number("len", 5000)?,
            duration: Duration::from_secs(number("seconds", if bench { 10 } else { 1 })? as u64),
            tls: number("tls", 1)? != 0,
            shards: match number("shards", 0)? {
                0 => None,
                shards => Some(shards),
            },
            ca: values.get("ca").copied().unwrap_or_default().into(),
        })
    }
}

/// Counts the bytes of exchanges and acks every fiftieth run, about as often as fragments end.
#[derive(Debug, Default)]
struct Discard {
    bytes: AtomicU64,
}

impl Handler for Discard {
    fn admit(&self, _head: &Parts, _conn: &ConnectionInfo) -> Admit {
        Admit::Exchange
    }

    fn call<'a>(
        &'a self,
        _request: Request<Bytes>,
        _conn: &'a ConnectionInfo,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async { Response::new(Body::empty()) })
    }

    fn exchange<'a>(
        &'a self,
        _head: Parts,
        _conn: &'a ConnectionInfo,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            exchange.send_head(StatusCode::OK, &HeaderMap::new());
            let mut runs = 0_u64;
            while let Ok(Some(run)) = exchange.read().await {
                self.bytes.fetch_add(run.len() as u64, Ordering::Relaxed);
                runs += 1;
                if runs.is_multiple_of(50) {
                    exchange.send_chunk(
                        b"{\"EventType\":\"PERSISTED\",\"FragmentTimecode\":1511852109126}\n",
                    );
                }
            }
        })
    }
}

/// What the server's threads have used since they began.
struct Usage {
    cpu_nanoseconds: u64,
    /// In hundredths of a second (`USER_HZ`), by sampling.
    user_ticks: u64,
    switches: u64,
    bytes: u64,
}

impl Usage {
    fn now(handler: &Discard) -> Result<Self> {
        let mut usage = Self {
            cpu_nanoseconds: 0,
            user_ticks: 0,
            switches: 0,
            bytes: handler.bytes.load(Ordering::Relaxed),
        };
        for task in std::fs::read_dir("/proc/self/task")? {
            let task = task?.path();
            if !std::fs::read_to_string(task.join("comm"))?.starts_with("http-") {
                continue;
            }
            let stat = std::fs::read_to_string(task.join("stat"))?;
            let fields: Vec<&str> =
                stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            // proc(5): utime is field 14, and two stand before the name's end.
            let user: u64 = fields[11].parse()?;
            usage.user_ticks += user;
            // Exact, as against the ticks: nanoseconds on a processor come first.
            let schedstat = std::fs::read_to_string(task.join("schedstat"))?;
            let on_cpu = schedstat.split_whitespace().next().unwrap_or("0");
            usage.cpu_nanoseconds += on_cpu.parse::<u64>()?;
            let status = std::fs::read_to_string(task.join("status"))?;
            let switches =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            usage.switches += switches.unwrap_or("0").trim().parse::<u64>()?;
        }
        Ok(usage)
    }
}

fn resident_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.unwrap_or("0").trim().trim_end_matches(" kB");
    Ok(kilobytes.trim().parse::<u64>()? * 1024)
}

/// One camera's connection, written by a blocking socket: the server is never the slower side.
struct Camera {
    tcp: TcpStream,
    tls: Option<ClientConnection>,
}

impl Camera {
    fn open(addr: SocketAddr, config: Option<&Arc<ClientConfig>>) -> Result<Self> {
        let mut tcp = TcpStream::connect(addr)?;
        tcp.set_nodelay(true)?;
        let tls = match config {
            None => None,
            Some(config) => {
                let name = ServerName::try_from("localhost")?;
                let mut tls = ClientConnection::new(Arc::clone(config), name)?;
                while tls.is_handshaking() {
                    tls.complete_io(&mut tcp)?;
                }
                Some(tls)
            }
        };
        Ok(Self { tcp, tls })
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.tls {
            None => self.tcp.write_all(bytes)?,
            Some(tls) => {
                tls.writer().write_all(bytes)?;
                while tls.wants_write() {
                    tls.write_tls(&mut self.tcp)?;
                }
            }
        }
        Ok(())
    }
}

/// Sends frames, each camera at its own moment, until the standard input ends.
#[expect(clippy::print_stdout, reason = "tells the server's process that it is ready")]
fn client(options: &Options, addr: SocketAddr) -> Result<()> {
    let config = match options.tls {
        true => Some(client_config(&options.ca)?),
        false => None,
    };
    let mut idle = Vec::new();
    for _ in 0..options.idle {
        idle.push(Camera::open(addr, config.as_ref())?);
    }
    let mut cameras = Vec::new();
    for _ in 0..options.connections {
        let mut camera = Camera::open(addr, config.as_ref())?;
        camera.send(b"POST /putMedia HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        cameras.push(camera);
    }
    std::thread::sleep(Duration::from_millis(300));
    print!("r");
    std::io::stdout().flush()?;
    std::io::stdin().read_exact(&mut [0])?;
    let done = Arc::new(AtomicU64::new(0));
    std::thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let _ = std::io::stdin().read(&mut [0]);
            done.store(1, Ordering::Relaxed);
        }
    });

    let mut frame = format!("{:x}\r\n", options.len).into_bytes();
    frame.extend((0..options.len).map(|at| (at % 251) as u8));
    frame.extend(b"\r\n");
    if cameras.is_empty() {
        while done.load(Ordering::Relaxed) == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        return Ok(());
    }
    let interval = Duration::from_secs(1) / options.rate / u32::try_from(cameras.len())?;
    let began = Instant::now();
    let mut sent = 0_u32;
    while done.load(Ordering::Relaxed) == 0 {
        for camera in &mut cameras {
            let due = began + interval * sent;
            let now = Instant::now();
            if due > now {
                std::thread::sleep(due - now);
            }
            camera.send(&frame)?;
            sent += 1;
        }
    }
    Ok(())
}

fn client_config(ca: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
