//! Deliveries: images and notifications of persisted fragments (playback.md §§8, 9).
//!
//! ```text
//! fragment durable ─► DeliveryMark ─► Scanner ─► Outbox ─► Dispatcher ─► bucket, topic, webhook, directory
//! ```
//!
//! A fragment that becomes durable marks its stream, at the price of two atomics. The scanner
//! reads the fragments after the stream's cursor, and writes what they give rise to together with
//! the cursor. So nothing depends on the mark but the speed: at start every stream with a
//! configuration is scanned from its cursor.
//!
//! Images are made of the fragments that the producer tagged.

mod images;
mod mark;
mod scanner;
mod settings;

use std::error::Error;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use streamkeep_api::ControlPlane;
use streamkeep_delivery::{DispatchLimits, Dispatcher, MetricsSnapshot, Outbox};
use streamkeep_engine::Engine;
use streamkeep_io::{Clock, Rng};
use tokio::sync::watch;

use self::images::Images;
use self::scanner::Scanner;
use super::playback::Playback;
use super::streams::Streams;
use crate::config::ServeConfig;

pub(crate) use mark::DeliveryMark;
pub(crate) use scanner::begin_at_newest;
pub(crate) use settings::delivers;

/// File of the outbox in the data directory.
pub(crate) const OUTBOX_FILE: &str = "delivery.db";

/// How long deliveries at work have to end when the server stops. What is left is done at the next
/// start.
const GRACE: Duration = Duration::from_secs(3);

/// What deliveries work with.
pub(crate) struct Surroundings {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) control: Arc<ControlPlane>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) engine: Engine,
    pub(crate) playback: Arc<Playback>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
}

/// The thread that scans and delivers.
pub(crate) struct Delivery {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

/// What has been delivered, for `/metrics`.
#[derive(Clone)]
pub(crate) struct DeliveryMetrics(Dispatcher<Images>);

impl DeliveryMetrics {
    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        self.0.metrics()
    }
}

impl Delivery {
    /// Starts the thread.
    ///
    /// # Errors
    /// Credentials, endpoints or the image directory cannot be used, or the system gives no
    /// thread.
    pub(crate) fn start(
        around: Surroundings,
        config: &ServeConfig,
    ) -> Result<(Self, DeliveryMetrics), Box<dyn Error>> {
        let ways_out = settings::ways_out(config)?;
        let images = Images { engine: around.engine.clone(), playback: around.playback };
        let limits = DispatchLimits { shutdown_grace: GRACE, ..DispatchLimits::default() };
        let dispatcher = Dispatcher::new(
            around.outbox.clone(),
            ways_out,
            images,
            around.clock.clone(),
            around.rng.clone(),
            limits,
        )?;
        let wake = around.streams.delivery_wake();
        let scanner = Scanner::new(
            around.outbox,
            around.control,
            around.streams,
            around.engine,
            around.clock,
            around.rng,
        );
        let metrics = DeliveryMetrics(dispatcher.clone());
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("delivery".into()).spawn(move || {
            runtime.block_on(async {
                let dispatching = dispatcher.run(requested(stopped.clone()));
                let scanning = scanner::run(scanner, wake, requested(stopped));
                tokio::join!(dispatching, scanning);
            });
        })?;
        Ok((Self { stop, thread }, metrics))
    }

    /// Ends what is at work, or leaves it to the next start.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the delivery thread panicked");
        }
    }
}

async fn requested(mut stop: watch::Receiver<bool>) {
    // An error means that the server was dropped: that ends it as well.
    let _ = stop.wait_for(|stop| *stop).await;
}
