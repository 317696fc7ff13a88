//! The dispatcher: takes due jobs from the outbox, has pictures made, delivers, settles.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use streamkeep_io::{Clock, Rng};
use streamkeep_media::UnixMillis;
use streamkeep_sigv4::UnixSeconds;
use tokio::task::{Id, JoinError, JoinSet};

use crate::couriers::Couriers;
use crate::metrics::{Counters, MetricsSnapshot, add};
use crate::outbox::{Disposition, Job, JobId, Outbox, OutboxError};
use crate::{ConfigError, DeliveryConfig, Failure, ImageWork, Intent, Work};

/// Makes the pictures: supplied by the server, which reads fragments and has a decoder.
pub trait ImageSource: Send + Sync + 'static {
    /// The image that `work` describes, of the fragment of `intent`, encoded in its format.
    ///
    /// A fragment that is no more, or that holds nothing to decode, is a permanent failure; a
    /// decoder that is busy or died, or media that cannot be read just now, is one to retry.
    fn image(
        &self,
        intent: &Intent,
        work: &ImageWork,
    ) -> impl Future<Output = Result<EncodedImage, Failure>> + Send;
}

/// A picture as it is delivered.
#[derive(Clone, Debug)]
pub struct EncodedImage {
    /// JPEG or PNG.
    pub bytes: Bytes,
}

/// How much is done at once, and how long things may take.
#[derive(Clone, Copy, Debug)]
pub struct DispatchLimits {
    /// Jobs at work. Each holds one picture.
    pub concurrency: usize,
    /// Jobs at work for one bucket, topic or webhook host: one that hangs holds up no other.
    pub per_lane: usize,
    /// For one picture.
    pub image_timeout: Duration,
    /// For jobs at work when the dispatcher is told to stop; what is left is done again later.
    pub shutdown_grace: Duration,
}

impl Default for DispatchLimits {
    /// 16 at once, 4 per lane, a minute for a picture, 10 s to end.
    fn default() -> Self {
        Self {
            concurrency: 16,
            per_lane: 4,
            image_timeout: Duration::from_secs(60),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

/// Delivers what is in an outbox. Cheap to clone.
pub struct Dispatcher<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    outbox: Arc<Outbox>,
    couriers: Couriers,
    source: S,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    limits: DispatchLimits,
    counters: Counters,
}

impl<S: ImageSource> Dispatcher<S> {
    /// Over `outbox`, with the ways out of `config`.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn new(
        outbox: Arc<Outbox>,
        config: DeliveryConfig,
        source: S,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        limits: DispatchLimits,
    ) -> Result<Self, ConfigError> {
        let couriers = Couriers::open(config)?;
        let counters = Counters::default();
        let shared = Shared { outbox, couriers, source, clock, rng, limits, counters };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// What has been done so far.
    pub fn metrics(&self) -> MetricsSnapshot {
        self.shared.counters.snapshot(self.shared.outbox.stats())
    }

    /// Works until `shutdown` ends, then lets jobs at work end for a while. One call at a time.
    ///
    /// Needs a tokio runtime with time and I/O. Jobs run as tasks of it, none outlives this
    /// future; when it is dropped they are cancelled, and their jobs stay in the outbox. Claims
    /// are given back then only at the next start.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut work = InFlight::default();
        tokio::pin!(shutdown);
        loop {
            let wait = self.claim_into(&mut work).await;
            tokio::select! {
                () = &mut shutdown => break,
                Some(ended) = work.tasks.join_next_with_id() => self.reap(&mut work, ended).await,
                () = self.shared.outbox.added() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        let grace = tokio::time::sleep(self.shared.limits.shutdown_grace);
        tokio::pin!(grace);
        while !work.tasks.is_empty() {
            tokio::select! {
                () = &mut grace => break,
                Some(ended) = work.tasks.join_next_with_id() => self.reap(&mut work, ended).await,
            }
        }
        work.tasks.shutdown().await;
        for (_, id) in work.jobs.drain() {
            self.shared.outbox.release(id);
        }
    }

    /// Starts what is due and fits. Returns how long nothing else can become due.
    async fn claim_into(&self, work: &mut InFlight) -> Duration {
        let (shared, now) = (&self.shared, self.shared.clock.now());
        let limits = shared.limits;
        let free = limits.concurrency.max(1).saturating_sub(work.tasks.len());
        if free == 0 {
            return RECHECK; // a job that ends comes first
        }
        let claimed = shared
            .with_outbox(move |outbox| {
                let jobs = outbox.claim(now, free, limits.per_lane.max(1))?;
                Ok((jobs, outbox.next_due_after(now)?))
            })
            .await;
        let (jobs, next) = match claimed {
            Ok(claimed) => claimed,
            Err(error) => {
                self.report(&error);
                return OUTBOX_PAUSE;
            }
        };
        for job in jobs {
            let (id, shared) = (job.id, Arc::clone(shared));
            let handle = work.tasks.spawn(async move { shared.attempt(job).await });
            work.jobs.insert(handle.id(), id);
        }
        let wait = next.map_or(RECHECK, |next| Duration::from_millis(next.since(now).max(1)));
        wait.min(RECHECK)
    }

    /// Takes note of an ended task. One that panicked failed, as a delivery that breaks us once
    /// may do so again at once.
    async fn reap(&self, work: &mut InFlight, ended: Result<(Id, ()), JoinError>) {
        match ended {
            Ok((task, ())) => drop(work.jobs.remove(&task)),
            Err(error) => {
                if let Some(id) = work.jobs.remove(&error.id()) {
                    let failure = Failure::Retry("the attempt panicked".into());
                    self.shared.settle(id, None, Err(failure)).await;
                }
            }
        }
    }

    fn report(&self, error: &OutboxError) {
        add(&self.shared.counters.outbox_failure_count, 1);
        tracing::error!(%error, "the outbox failed");
    }
}

impl<S> Clone for Dispatcher<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S> fmt::Debug for Dispatcher<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

/// Running tasks and their jobs.
#[derive(Default)]
struct InFlight {
    tasks: JoinSet<()>,
    jobs: HashMap<Id, JobId>,
}

/// What a delivery carried, for the counters.
enum Delivered {
    Image { len: usize },
    Notification,
}

impl<S: ImageSource> Shared<S> {
    async fn attempt(self: Arc<Self>, job: Job) {
        let result = self.deliver(&job.intent).await;
        self.settle(job.id, Some(&job), result).await;
    }

    async fn deliver(&self, intent: &Intent) -> Result<Delivered, Failure> {
        match &intent.work {
            Work::Image(work) => {
                let making = self.source.image(intent, work);
                let image = tokio::time::timeout(self.limits.image_timeout, making)
                    .await
                    .map_err(|_| Failure::Retry("the picture took too long".into()))??;
                let len = image.bytes.len();
                self.couriers.put_image(work, image.bytes, self.seconds()).await?;
                Ok(Delivered::Image { len })
            }
            Work::Notification(work) => {
                self.couriers.notify(intent, work, self.seconds()).await?;
                Ok(Delivered::Notification)
            }
        }
    }

    /// `job` is `None` when the attempt did not live to give it back.
    async fn settle(&self, id: JobId, job: Option<&Job>, result: Result<Delivered, Failure>) {
        let now = self.clock.now();
        let settled = match result {
            Ok(delivered) => {
                self.count(&delivered, job, now);
                self.with_outbox(move |outbox| outbox.complete(id)).await
            }
            Err(failure) => self.fail(id, job, failure, now).await,
        };
        if let Err(error) = settled {
            // It was or was not delivered; either way it is tried again, after a pause so that a
            // full disk does not make it a busy loop.
            add(&self.counters.outbox_failure_count, 1);
            tracing::error!(%error, "the outbox failed");
            tokio::time::sleep(OUTBOX_PAUSE).await;
            self.outbox.release(id);
        }
    }

    async fn fail(
        &self,
        id: JobId,
        job: Option<&Job>,
        failure: Failure,
        now: UnixMillis,
    ) -> Result<(), OutboxError> {
        let (rng, reason) = (Arc::clone(&self.rng), failure.reason().to_owned());
        let disposition =
            self.with_outbox(move |outbox| outbox.fail(id, &failure, now, &*rng)).await?;
        let stream = job.map(|job| job.intent.stream_name.as_str());
        let fragment = job.map(|job| job.intent.fragment_number);
        let lane = job.map(|job| job.intent.lane());
        match disposition {
            Disposition::Retry { at } => {
                add(&self.counters.retry_count, 1);
                let wait_ms = at.since(now);
                tracing::debug!(stream, ?fragment, lane, reason, wait_ms, "delivery put off");
            }
            Disposition::Dead => {
                add(&self.counters.given_up_count, 1);
                tracing::warn!(stream, ?fragment, lane, reason, "delivery given up");
            }
            Disposition::Gone => {}
        }
        Ok(())
    }

    fn count(&self, delivered: &Delivered, job: Option<&Job>, now: UnixMillis) {
        match delivered {
            Delivered::Image { len } => {
                add(&self.counters.image_count, 1);
                add(&self.counters.image_bytes, *len as u64);
            }
            Delivered::Notification => add(&self.counters.notification_count, 1),
        }
        if let Some(job) = job {
            add(&self.counters.delay_ms_sum, now.since(job.created));
        }
    }

    async fn with_outbox<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Outbox) -> Result<T, OutboxError> + Send + 'static,
    ) -> Result<T, OutboxError> {
        let outbox = Arc::clone(&self.outbox);
        match tokio::task::spawn_blocking(move || work(&outbox)).await {
            Ok(result) => result,
            Err(error) => {
                Err(OutboxError::Backend { operation: "run outbox call", source: Box::new(error) })
            }
        }
    }

    fn seconds(&self) -> UnixSeconds {
        UnixSeconds(self.clock.now().0 / 1000)
    }
}

/// The wall clock may jump, and a wait by it be wrong.
const RECHECK: Duration = Duration::from_secs(30);
/// A full or failing disk is not asked more often.
const OUTBOX_PAUSE: Duration = Duration::from_secs(1);
