//! `streamkeep serve`: from configuration to a running server, and back down in order.

mod archive;
mod coverage;
mod credentials;
mod data_dir;
mod delivery;
mod front;
mod get_media;
mod health;
pub(crate) mod keys;
mod media_call;
mod metrics;
mod open_live;
mod playback;
mod put_media;
mod server_metrics;
mod server_runs;
mod server_watch;
mod sign_in;
mod stream_health;
mod stream_history;
mod streams;
mod throttle;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use streamkeep_api::{
    Connections, ControlPlane, Owner, Principal, PublicUrl, Quotas, RandomSource, RootOnly,
    Settings,
};
use streamkeep_catalog::{CardedControl, ControlCatalog, SqliteControl, SqliteIndex, StreamCards};
use streamkeep_client::{Client, Credentials, Settings as ClientSettings};
use streamkeep_console::{Console, Headers};
use streamkeep_delivery::Outbox;
use streamkeep_delivery::outbox::Limits as OutboxLimits;
use streamkeep_engine::{Engine, Host, Options, Seams, StoreLock};
use streamkeep_http::{Config, Listener, LocalAuthority, Server, local_authority};
use streamkeep_io::{Clock, LocalDirectory, Rng, SystemClock, SystemRng, VolumeIo};
use streamkeep_live::MemoryBudget;
use streamkeep_pictures::Pictures;
use streamkeep_playback::{CacheSizes, Service};
use streamkeep_sigv4::SigningKeys;
use zeroize::Zeroizing;

use crate::config::{QuotaSet, ServeArgs, ServeConfig};
use credentials::RootCredentials;
use delivery::{Delivery, Surroundings};
use front::{Front, RootKeyPair};
use health::Health;
use keys::Keyring;
use metrics::Metrics;
use playback::Playback;
use server_runs::ServerRuns;
use server_watch::{Sampler, ServerWatch, Watched};
use sign_in::SignIn;
use streams::Streams;

/// Streams without retention may hold this share of the machine's memory together.
const MEMORY_SHARE: u64 = 8;
/// How long sessions have to end when the server stops.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// Runs the server until SIGINT or SIGTERM.
pub(crate) fn run(args: ServeArgs) -> Result<ExitCode, Box<dyn Error>> {
    let config = args.resolve()?;
    crate::logging::start(config.log_format);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let running = Running::start(&config)?;
    running.announce();
    runtime.block_on(wait_for_signal())?;
    runtime.block_on(running.stop());
    Ok(ExitCode::SUCCESS)
}

/// A server that accepts connections.
pub(crate) struct Running {
    config: ServeConfig,
    server: Server,
    delivery: Delivery,
    sampler: Sampler,
    front: Arc<Front>,
    addr: Option<SocketAddr>,
    tls_addr: Option<SocketAddr>,
    authority: Option<LocalAuthority>,
    credentials: RootCredentials,
}

impl Running {
    /// Opens the data directory and starts listening.
    pub(crate) fn start(config: &ServeConfig) -> Result<Self, Box<dyn Error>> {
        let data_dir = config.data_dir.as_path();
        data_dir::prepare(data_dir).map_err(in_file(data_dir))?;
        let rng: Arc<dyn Rng> = Arc::new(SystemRng::new()?);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let credentials = credentials::load_or_make(data_dir, |bytes| rng.fill(bytes))
            .map_err(in_file(data_dir))?;
        let directory: Arc<dyn VolumeIo> = Arc::new(LocalDirectory::open_or_create(data_dir)?);
        let lock = StoreLock::acquire(directory.as_ref(), &Host::current())?;
        let store = keys::load_or_make_store_id(data_dir, rng.as_ref())?;
        let root = keys::load_or_make_root_key(data_dir, rng.as_ref())?;

        let cards = LocalDirectory::open_or_create(&data_dir.join("keys"))?;
        let (control, report) = CardedControl::open(
            SqliteControl::open(&data_dir.join("control.db"))?,
            StreamCards::new(Arc::new(cards)),
        )?;
        tracing::debug!(?report, "stream cards agree with the catalog");
        let control: Arc<dyn ControlCatalog> = Arc::new(control);
        let keyring = Arc::new(Keyring { root, store, control: control.clone() });

        let seams = Seams {
            root: directory,
            volumes: Arc::new(LocalDirectory::open_or_create(&data_dir.join("volumes"))?),
            clock: clock.clone(),
            rng: rng.clone(),
        };
        let mut options = Options::new(store, control.next_epoch()?);
        if let Some(volume_size) = config.volume_size {
            options.volume_len = volume_size;
        }
        let index = Arc::new(SqliteIndex::open(&data_dir.join("index.db"))?);
        let engine = Engine::open(lock, options, seams, index, keyring.clone())?;

        let metrics = Arc::new(Metrics::new());
        let budget = MemoryBudget::new(memory_budget());
        let outbox = Outbox::open(&data_dir.join(delivery::OUTBOX_FILE), OutboxLimits::default())?;
        let outbox = Arc::new(outbox);
        let streams = Streams::new(
            control.clone(),
            engine.clone(),
            keyring,
            rng.clone(),
            metrics.clone(),
            budget,
            ServerRuns::begin(control.clone(), clock.clone())?,
        );
        let streams = Arc::new(streams.delivering(outbox.clone(), clock.clone()));
        let owner = Owner::new("aws", &config.region, &config.account)?;
        let principal = Principal {
            arn: owner.root_arn(),
            account: config.account.clone(),
            access_key_id: credentials.access_key_id.clone(),
            is_root: true,
        };
        let settings = Settings {
            owner,
            public_url: config.public_url.as_deref().map(PublicUrl::parse).transpose()?,
            quotas: match config.quotas {
                QuotaSet::Protective => Quotas::Protective,
                QuotaSet::Kvs => Quotas::Kvs,
                QuotaSet::Off => Quotas::Off,
            },
            token_key: kept_secret(control.as_ref(), rng.as_ref(), "paging-token-key")?,
        };
        let random = Arc::new(ApiRandom(rng.clone()));
        let control_plane =
            ControlPlane::load(settings, streams.clone(), random, Arc::new(RootOnly))?;
        let connections = Arc::new(Connections::new(control_plane.limits().connections));
        let control_plane = Arc::new(control_plane);
        let session_key =
            Zeroizing::new(kept_secret(control.as_ref(), rng.as_ref(), "playback-session-key")?);
        let playback = Arc::new(Playback {
            service: Arc::new(Service::new(
                engine.clone(),
                streams.clone(),
                clock.clone(),
                rng.clone(),
                &session_key,
                CacheSizes::default(),
            )),
            pictures: Pictures::new(streamkeep_pictures::Settings::default())?,
        });
        let around = Surroundings {
            outbox,
            control: control_plane.clone(),
            streams: streams.clone(),
            engine: engine.clone(),
            playback: playback.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
        };
        let (delivery, deliveries) = Delivery::start(around, config)?;
        let http_counters = Arc::new(std::sync::OnceLock::new());
        let server_watch = ServerWatch::new(Watched {
            engine: engine.clone(),
            clock: clock.clone(),
            streams: streams.clone(),
            persisted: metrics.put.persisted.clone(),
            playback: playback.clone(),
            deliveries: deliveries.clone(),
            http_counters: http_counters.clone(),
        });
        let front = Arc::new(Front {
            server_watch: server_watch.clone(),
            playback,
            deliveries,
            connections,
            control: control_plane,
            streams,
            engine,
            clock,
            metrics,
            health: Arc::new(Health::default()),
            sign_in: SignIn::new(rng.clone(), principal.clone()),
            rng,
            console: Console::new(Headers::new(config.public_url.as_slice())),
            root: RootKeyPair {
                secret: credentials.secret.clone(),
                principal: Arc::new(principal),
            },
            signing_keys: SigningKeys::new(1024),
            http_counters,
        });

        let mut listeners = Vec::new();
        let mut addr = None;
        if let Some(wanted) = config.listen {
            let listener = Listener::bind(wanted, None)?;
            addr = Some(listener.local_addr()?);
            listeners.push(listener);
        }
        let mut authority = None;
        let mut tls_addr = None;
        if let Some(wanted) = config.tls_listen {
            let tls = match &config.tls_files {
                Some((chain, key)) => {
                    server_watch.set_certificate(streamkeep_http::chain_expires(chain)?);
                    streamkeep_http::tls_from_pem_files(chain, key)?
                }
                None => {
                    let made = local_authority(&data_dir.join("tls"), &host_names(config))?;
                    let chain = &made.certificate_path;
                    server_watch.set_certificate(streamkeep_http::chain_expires(chain)?);
                    let tls = made.config.clone();
                    authority = Some(made);
                    tls
                }
            };
            let listener = Listener::bind(wanted, Some(tls))?;
            tls_addr = Some(listener.local_addr()?);
            listeners.push(listener);
        }
        let server = Server::start(listeners, Config::default(), front.clone())?;
        // Set once, here.
        let _ = front.http_counters.set(server.counters());
        Ok(Self {
            config: config.clone(),
            server,
            delivery,
            sampler: server_watch.start()?,
            front,
            addr,
            tls_addr,
            authority,
            credentials,
        })
    }

    /// The URL of the plain listener, else of the TLS listener.
    pub(crate) fn url(&self) -> String {
        match (self.addr, self.tls_addr) {
            (Some(addr), _) => format!("http://{addr}"),
            (None, Some(addr)) => format!("https://{addr}"),
            (None, None) => String::new(),
        }
    }

    /// Where the console is, and a fragment that signs in once, on this machine, within the hour;
    /// `None` when none is built in.
    pub(crate) fn sign_in_link(&self) -> Option<String> {
        let front = &self.front;
        front.console.is_built().then(|| {
            let token = front.sign_in.link_token(front.clock.now());
            format!("{}/console/#signin={token}", self.url())
        })
    }

    /// Prints what to paste to use the server.
    #[allow(clippy::print_stdout, reason = "this is the command's output")]
    fn announce(&self) {
        println!("Streamkeep {} keeps {}", env!("CARGO_PKG_VERSION"), self.data_dir().display());
        if let Some(addr) = self.addr {
            println!("  http://{addr}   (this machine only)");
        }
        if let Some(addr) = self.tls_addr {
            println!("  https://{addr}");
        }
        if self.front.console.is_built() {
            println!("  {}/console/   (sign in with the key below)", self.url());
        }
        println!();
        println!("Use it with any AWS client:");
        println!();
        match (self.credentials.made_now, &self.credentials.file) {
            (true, Some(file)) => {
                println!("  export AWS_ACCESS_KEY_ID={}", self.credentials.access_key_id);
                println!("  export AWS_SECRET_ACCESS_KEY={}", *self.credentials.plain_secret);
                println!("    # shown this once; kept in {}", file.display());
            }
            (false, Some(file)) => {
                println!("  export AWS_SHARED_CREDENTIALS_FILE={}", absolute(file).display());
            }
            _ => println!("  # credentials: those of STREAMKEEP_ROOT_ACCESS_KEY_ID"),
        }
        println!("  export AWS_DEFAULT_REGION={}", self.config.region);
        println!("  export AWS_ENDPOINT_URL_KINESIS_VIDEO={}", self.url());
        if let Some(authority) = &self.authority {
            println!("  export AWS_CA_BUNDLE={}", absolute(&authority.ca_path).display());
        }
        println!();
        println!("  aws kinesisvideo create-stream --stream-name cam --data-retention-in-hours 24");
        println!("  streamkeep put cam video.mp4");
        println!();
        println!("Stop with Ctrl-C.");
    }

    /// A client of this server, signing with the root key.
    pub(crate) fn client(&self) -> Result<Client, streamkeep_client::Error> {
        let credentials = Credentials::new(
            &self.credentials.access_key_id,
            &self.credentials.plain_secret,
            None,
        )?;
        Client::new(ClientSettings {
            endpoint: self.url().parse()?,
            region: self.config.region.clone(),
            credentials,
            ca_bundle: self.authority.as_ref().map(|authority| authority.ca_path.clone()),
        })
    }

    /// The store's own figures.
    pub(crate) fn stats(&self) -> streamkeep_engine::Stats {
        self.front.engine.stats()
    }

    /// Lines that set up a shell to use this server.
    pub(crate) fn shell_lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("export AWS_ACCESS_KEY_ID={}", self.credentials.access_key_id),
            format!("export AWS_DEFAULT_REGION={}", self.config.region),
            format!("export AWS_ENDPOINT_URL_KINESIS_VIDEO={}", self.url()),
        ];
        if let Some(file) = &self.credentials.file {
            lines[0] = format!("export AWS_SHARED_CREDENTIALS_FILE={}", absolute(file).display());
        }
        lines
    }

    fn data_dir(&self) -> PathBuf {
        absolute(&self.config.data_dir)
    }

    /// Stops in order: no new work, sessions make durable and ack what is complete, deliveries at
    /// work end, then the store closes.
    pub(crate) async fn stop(self) {
        tracing::info!("stopping");
        self.front.health.stop();
        self.front.streams.runs().stop();
        self.server.shutdown(SHUTDOWN_GRACE).await;
        self.delivery.stop().await;
        // Waits for a disk that hangs, as closing the store does.
        self.sampler.stop();
        self.front.engine.close();
        tracing::info!("stopped");
    }
}

fn in_file(path: &Path) -> impl Fn(io::Error) -> io::Error {
    let path = path.to_owned();
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Names the certificate is for, beside those of this machine's loopback.
fn host_names(config: &ServeConfig) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(uri) = config.public_url.as_deref().and_then(|url| url.parse::<http::Uri>().ok())
        && let Some(host) = uri.host()
    {
        names.push(host.trim_matches(['[', ']']).to_owned());
    }
    if let Some(addr) = config.tls_listen
        && !addr.ip().is_unspecified()
    {
        names.push(addr.ip().to_string());
    }
    if let Ok(name) = rustix::system::uname().nodename().to_str()
        && !name.is_empty()
    {
        names.push(name.to_owned());
    }
    names
}

fn memory_budget() -> usize {
    let total = rustix::system::sysinfo().totalram;
    usize::try_from(total / MEMORY_SHARE).unwrap_or(usize::MAX)
}

/// A key of tokens, drawn once and kept, so that listings and players go on over a restart.
fn kept_secret(
    control: &dyn ControlCatalog,
    rng: &dyn Rng,
    name: &str,
) -> Result<[u8; 32], streamkeep_catalog::CatalogError> {
    if let Some(stored) = control.meta(name)?
        && let Ok(key) = stored.try_into()
    {
        return Ok(key);
    }
    let mut key = [0; 32];
    rng.fill(&mut key);
    control.set_meta(name, &key)?;
    Ok(key)
}

struct ApiRandom(Arc<dyn Rng>);

impl RandomSource for ApiRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

pub(crate) async fn wait_for_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
