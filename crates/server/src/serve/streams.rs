//! Streams at run time: what joins the control plane's definition, the store and the live tail.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::metrics::gauge::Gauge;
use streamkeep_api::{
    ImageGeneration, Notification, PersistenceError, StoredConfigurationError, Stream,
    StreamPersistence, StreamState, StreamStatus as ApiStatus,
};
use streamkeep_catalog::{ControlCatalog, StorageTier, StreamRecord, StreamStatus};
use streamkeep_delivery::Outbox;
use streamkeep_engine::{Engine, StreamConfig};
use streamkeep_io::{Clock, Rng};
use streamkeep_live::{LiveTail, MemoryBudget, TailPolicy};
use streamkeep_media::{StreamId, UnixMillis};
use tokio::sync::{Notify, watch};

use super::delivery::{self, DeliveryMark};
use super::keys::Keyring;
use super::metrics::{Metrics, StreamMetrics};
use super::server_runs::ServerRuns;
use super::stream_health::StreamWatch;

/// One stream while the server runs.
#[derive(Debug)]
pub(crate) struct StreamRuntime {
    pub(crate) id: StreamId,
    pub(crate) name: String,
    pub(crate) tail: LiveTail,
    pub(crate) metrics: StreamMetrics,
    pub(crate) watch: StreamWatch,
    pub(crate) delivery: DeliveryMark,
    kept: AtomicBool,
    gone: watch::Sender<bool>,
}

impl StreamRuntime {
    /// Whether fragments are stored: retention above 0.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }

    /// Tells when the stream is deleted.
    pub(crate) fn gone(&self) -> Gone {
        Gone(self.gone.subscribe())
    }
}

/// Sums over all streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) streams: u64,
    pub(crate) live: u64,
    pub(crate) silent: u64,
    pub(crate) refused: u64,
    pub(crate) off: u64,
    /// PutMedia connections.
    pub(crate) sessions: u64,
    pub(crate) get_media_connections: u64,
    pub(crate) open_live_tiles: u64,
    /// Since the start, of the streams that are still there.
    pub(crate) error_acks: u64,
    /// PutMedia calls, likewise.
    pub(crate) calls_refused: u64,
}

/// Waits for the deletion of a stream.
pub(crate) struct Gone(watch::Receiver<bool>);

impl Gone {
    /// Ends when the stream is deleted. Cancel-safe.
    pub(crate) async fn wait(&mut self) {
        // An error means that the stream's runtime was dropped: gone as well.
        let _ = self.0.wait_for(|gone| *gone).await;
    }
}

/// All streams at run time, and the persistence the control plane writes through.
pub(crate) struct Streams {
    control: Arc<dyn ControlCatalog>,
    engine: Engine,
    keyring: Arc<Keyring>,
    rng: Arc<dyn Rng>,
    metrics: Arc<Metrics>,
    budget: Arc<MemoryBudget>,
    runs: ServerRuns,
    deliveries: Option<Deliveries>,
    delivery_wake: Arc<Notify>,
    runtimes: RwLock<HashMap<StreamId, Arc<StreamRuntime>>>,
}

/// Where the deliveries of streams are kept.
struct Deliveries {
    outbox: Arc<Outbox>,
    clock: Arc<dyn Clock>,
}

impl Streams {
    pub(crate) fn new(
        control: Arc<dyn ControlCatalog>,
        engine: Engine,
        keyring: Arc<Keyring>,
        rng: Arc<dyn Rng>,
        metrics: Arc<Metrics>,
        budget: Arc<MemoryBudget>,
        runs: ServerRuns,
    ) -> Self {
        let runtimes = RwLock::new(HashMap::new());
        let (deliveries, delivery_wake) = (None, Arc::default());
        Self {
            control,
            engine,
            keyring,
            rng,
            metrics,
            budget,
            runs,
            deliveries,
            delivery_wake,
            runtimes,
        }
    }

    /// With deliveries, whose cursors are set and removed here.
    pub(crate) fn delivering(mut self, outbox: Arc<Outbox>, clock: Arc<dyn Clock>) -> Self {
        self.deliveries = Some(Deliveries { outbox, clock });
        self
    }

    /// Told when a stream that delivers has a new durable fragment.
    pub(crate) fn delivery_wake(&self) -> Arc<Notify> {
        self.delivery_wake.clone()
    }

    /// The runtime of a stream.
    pub(crate) fn get(&self, id: StreamId) -> Option<Arc<StreamRuntime>> {
        self.runtimes.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// When the server ran.
    pub(crate) fn runs(&self) -> &ServerRuns {
        &self.runs
    }

    /// How many streams there are.
    pub(crate) fn count(&self) -> usize {
        self.runtimes.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What goes on over all of them: 0.2 µs each.
    pub(crate) fn totals(&self, now: UnixMillis) -> Totals {
        let mut totals = Totals::default();
        for stream in self.runtimes.read().unwrap_or_else(PoisonError::into_inner).values() {
            let metrics = &stream.metrics;
            totals.streams += 1;
            match stream.watch.word(now) {
                StreamState::Live => totals.live += 1,
                StreamState::Silent => totals.silent += 1,
                StreamState::Refused => totals.refused += 1,
                StreamState::Off => totals.off += 1,
            }
            let gauge = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or(0);
            totals.sessions += gauge(&metrics.put_connections);
            totals.get_media_connections += gauge(&metrics.get_connections);
            totals.open_live_tiles += gauge(&metrics.open_live_tiles);
            totals.error_acks += metrics.put_error_acks.get();
            totals.calls_refused += metrics.put_connection_errors.get();
        }
        totals
    }

    fn start(&self, stream: &Stream) -> Result<(), PersistenceError> {
        self.engine.put_stream(config(stream));
        let runtime = StreamRuntime {
            id: stream.id,
            name: stream.name.clone(),
            tail: LiveTail::new(policy(stream), self.budget.clone()),
            metrics: self.metrics.stream(&stream.name),
            watch: StreamWatch::new(self.runs.started()),
            delivery: DeliveryMark::new(delivery::delivers(stream), self.delivery_wake.clone()),
            kept: AtomicBool::new(stream.retention_hours > 0),
            gone: watch::Sender::new(false),
        };
        self.write().insert(stream.id, Arc::new(runtime));
        Ok(())
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<StreamId, Arc<StreamRuntime>>> {
        self.runtimes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StreamPersistence for Streams {
    fn load(&self) -> Result<Vec<Stream>, PersistenceError> {
        let mut streams = Vec::new();
        for record in self.control.streams().map_err(failed)? {
            if record.status == StreamStatus::Deleting {
                // A crash came between the promise and the deed.
                self.engine.delete_stream(record.id);
                self.control.remove_stream(record.id).map_err(failed)?;
                continue;
            }
            let stream = from_record(record).map_err(failed)?;
            self.start(&stream)?;
            streams.push(stream);
        }
        Ok(streams)
    }

    fn create(&self, stream: &Stream) -> Result<(), PersistenceError> {
        let wrapped = self.keyring.new_stream_key(stream.id, self.rng.as_ref());
        self.control.insert_stream(&to_record(stream, wrapped)).map_err(unavailable)?;
        self.start(stream)
    }

    fn update(&self, stream: &Stream, previous: &Stream) -> Result<(), PersistenceError> {
        let stored = self.control.stream(stream.id).map_err(unavailable)?;
        let wrapped = stored.ok_or_else(|| missing(stream))?.wrapped_key;
        if delivery::delivers(stream)
            && !delivery::delivers(previous)
            && let Some(Deliveries { outbox, clock }) = &self.deliveries
        {
            // Before the configuration: what comes after that is delivered, crash or not.
            delivery::begin_at_newest(outbox, &self.engine, stream.id, clock.as_ref())
                .map_err(unavailable)?;
        }
        self.control
            .update_stream(&to_record(stream, wrapped), &previous.version)
            .map_err(unavailable)?;
        self.engine.update_stream(config(stream));
        if let Some(runtime) = self.get(stream.id) {
            runtime.kept.store(stream.retention_hours > 0, Ordering::Relaxed);
            runtime.delivery.set_delivers(delivery::delivers(stream));
            runtime.tail.set_policy(policy(stream));
        }
        Ok(())
    }

    fn delete(&self, id: StreamId) -> Result<(), PersistenceError> {
        if let Some(mut record) = self.control.stream(id).map_err(unavailable)? {
            // From here on the stream is gone, whatever happens: a restart finishes this.
            record.status = StreamStatus::Deleting;
            let version = record.version.clone();
            self.control.update_stream(&record, &version).map_err(unavailable)?;
        }
        if let Some(runtime) = self.write().remove(&id) {
            runtime.tail.close();
            runtime.gone.send_replace(true);
            self.metrics.forget_stream(&runtime.name);
        }
        self.engine.delete_stream(id);
        if let Some(Deliveries { outbox, .. }) = &self.deliveries
            && let Err(error) = outbox.remove_stream(id)
        {
            // They fail for want of the stream.
            tracing::warn!(%error, "deliveries of a deleted stream were not removed");
        }
        self.control.remove_stream(id).map_err(unavailable)
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> PersistenceError {
    PersistenceError::Unavailable(Box::new(error))
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> PersistenceError {
    PersistenceError::Failed(Box::new(error))
}

fn missing(stream: &Stream) -> PersistenceError {
    PersistenceError::Failed(format!("stream {} has no row", stream.id).into())
}

fn config(stream: &Stream) -> StreamConfig {
    StreamConfig {
        id: stream.id,
        retention_hours: stream.retention_hours,
        visible_from: stream.visible_from,
    }
}

fn policy(stream: &Stream) -> TailPolicy {
    if stream.retention_hours > 0 { TailPolicy::UntilStored } else { TailPolicy::WITHOUT_RETENTION }
}

fn to_record(stream: &Stream, wrapped_key: Vec<u8>) -> StreamRecord {
    StreamRecord {
        id: stream.id,
        name: stream.name.clone(),
        created: stream.created,
        version: stream.version.clone(),
        status: match stream.status {
            ApiStatus::Deleting => StreamStatus::Deleting,
            ApiStatus::Creating | ApiStatus::Active | ApiStatus::Updating => StreamStatus::Active,
        },
        device_name: stream.device_name.clone(),
        media_type: stream.media_type.clone(),
        kms_key_id: stream.kms_key_id.clone(),
        retention_hours: stream.retention_hours,
        visible_from: stream.visible_from,
        storage_tier: match stream.storage_tier {
            streamkeep_api::StorageTier::Hot => StorageTier::Hot,
            streamkeep_api::StorageTier::Warm => StorageTier::Warm,
        },
        tags: stream.tags.clone(),
        image_generation: stream.image_generation.as_ref().map(ImageGeneration::to_stored),
        notification: stream.notification.as_ref().map(Notification::to_stored),
        wrapped_key,
    }
}

fn from_record(record: StreamRecord) -> Result<Stream, StoredConfigurationError> {
    let tags: BTreeMap<String, String> = record.tags;
    let images = record.image_generation.as_deref();
    let notification = record.notification.as_deref();
    Ok(Stream {
        image_generation: images.map(ImageGeneration::from_stored).transpose()?,
        notification: notification.map(Notification::from_stored).transpose()?,
        id: record.id,
        name: record.name,
        created: record.created,
        version: record.version,
        status: ApiStatus::Active,
        device_name: record.device_name,
        media_type: record.media_type,
        kms_key_id: record.kms_key_id,
        retention_hours: record.retention_hours,
        visible_from: record.visible_from,
        storage_tier: match record.storage_tier {
            StorageTier::Hot => streamkeep_api::StorageTier::Hot,
            StorageTier::Warm => streamkeep_api::StorageTier::Warm,
        },
        tags,
    })
}
