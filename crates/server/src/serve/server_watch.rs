//! How the server is doing: figures sampled once a minute, and GetServerHealth.
//!
//! Counters tell what was since the start; what is asked is what is now. So they are read once a
//! minute and kept for a day, in memory, and an answer is made of the differences.

mod forecast;
mod problems;
mod samples;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use streamkeep_api::{
    ApiError, DecoderHealth, DeliveryHealth, DiskHealth, DiskOutlook, IngestHealth, Latency,
    PlaybackHealth, Problem, ServerHealth, StoreHealth, StoreState,
};
use streamkeep_delivery::MetricsSnapshot;
use streamkeep_engine::{Engine, Footage, Health, LatencyCounts, LatencyHistogram, Stats};
use streamkeep_http::Counters;
use streamkeep_io::Clock;
use streamkeep_media::UnixMillis;
use tokio::task::spawn_blocking;

use super::delivery::DeliveryMetrics;
use super::playback::Playback;
use super::streams::{Streams, Totals};
use problems::{Day, Facts, Subject};
use samples::{Counts, Reading, SAMPLE_EVERY, Samples, per_second};

/// What is watched.
pub(crate) struct Watched {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) streams: Arc<Streams>,
    /// From a fragment's last byte to its PERSISTED ack.
    pub(crate) persisted: Arc<LatencyCounts>,
    pub(crate) playback: Arc<Playback>,
    pub(crate) deliveries: DeliveryMetrics,
    /// Set once the listeners run.
    pub(crate) http_counters: Arc<OnceLock<Arc<Counters>>>,
}

/// Watches the server. Clones are the same.
#[derive(Clone)]
pub(crate) struct ServerWatch(Arc<Inner>);

struct Inner {
    watched: Watched,
    certificate_not_after: OnceLock<Option<UnixMillis>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    samples: Samples,
    /// As of the last sample; `None` when it could not be counted.
    footage: Option<Footage>,
    /// When each problem that is there was seen first.
    seen: Vec<(Subject, UnixMillis)>,
}

/// The thread that samples.
pub(crate) struct Sampler {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl ServerWatch {
    pub(crate) fn new(watched: Watched) -> Self {
        let state = Mutex::new(State::default());
        Self(Arc::new(Inner { watched, certificate_not_after: OnceLock::new(), state }))
    }

    /// When the first certificate of the chain ends, in seconds since 1970.
    pub(crate) fn set_certificate(&self, not_after: Option<i64>) {
        let not_after = not_after
            .map(|seconds| UnixMillis(u64::try_from(seconds).unwrap_or(0).saturating_mul(1000)));
        // Set once, at start.
        let _ = self.0.certificate_not_after.set(not_after);
    }

    /// Samples now, and from now on each minute.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(&self) -> io::Result<Sampler> {
        let (stop, stopped) = mpsc::channel::<()>();
        let inner = self.0.clone();
        let thread = std::thread::Builder::new().name("server-watch".into()).spawn(move || {
            inner.sample();
            while stopped.recv_timeout(SAMPLE_EVERY) == Err(RecvTimeoutError::Timeout) {
                inner.sample();
            }
        })?;
        Ok(Sampler { stop, thread })
    }

    /// The answer of GetServerHealth.
    ///
    /// # Errors
    /// The server is stopping.
    pub(crate) async fn answer(&self, now: UnixMillis) -> Result<Bytes, ApiError> {
        let inner = self.0.clone();
        // The size of a disk that hangs is waited for, and so are locks held over a sync.
        let health = spawn_blocking(move || inner.health(now));
        let health = health.await.map_err(|_| ApiError::internal())?;
        Ok(streamkeep_api::get_server_health(&health))
    }
}

impl fmt::Debug for ServerWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerWatch").finish_non_exhaustive()
    }
}

impl Sampler {
    /// Ends the thread.
    pub(crate) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the thread that samples panicked");
        }
    }
}

/// What is read at one instant.
struct Now {
    totals: Totals,
    stats: Stats,
    deliveries: MetricsSnapshot,
    decoders: streamkeep_pictures::Stats,
    reading: Reading,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, now: UnixMillis) -> Now {
        let watched = &self.watched;
        let totals = watched.streams.totals(now);
        let stats = watched.engine.stats();
        let deliveries = watched.deliveries.snapshot();
        let decoders = watched.playback.pictures.stats();
        let http = |of: fn(&Counters) -> &std::sync::atomic::AtomicU64| {
            watched
                .http_counters
                .get()
                .map_or(0, |counters| of(counters).load(std::sync::atomic::Ordering::Relaxed))
        };
        let reading = Reading {
            counts: Counts {
                at: watched.clock.monotonic(),
                appended_bytes: stats.appended_bytes,
                written_bytes: stats.written_bytes,
                write_failures: stats.write_failures,
                damaged_reads: stats.damaged_reads,
                given_up: deliveries.given_up_count,
                deliveries_refused: deliveries.outbox.refused_count,
            },
            sync: stats.sync_latency.clone(),
            persisted: watched.persisted.read(),
            fragments: stats.fragments,
            requests: http(|counters| &counters.requests),
            sent_bytes: http(|counters| &counters.bytes_out),
            error_acks: totals.error_acks,
            calls_refused: totals.calls_refused,
            decoder_start_failures: decoders.start_failures,
        };
        Now { totals, stats, deliveries, decoders, reading }
    }

    fn sample(&self) {
        let now = self.watched.clock.now();
        let footage = match self.watched.engine.footage() {
            Ok(footage) => Some(footage),
            Err(error) => {
                tracing::warn!(%error, "the footage was not counted");
                None
            }
        };
        let Now { reading, .. } = self.read(now);
        {
            let mut state = self.state();
            state.footage = footage;
            state.samples.push(reading);
        }
        // Notes when problems began, whether somebody asks or not.
        self.health(now);
    }

    fn health(&self, now: UnixMillis) -> ServerHealth {
        let engine = &self.watched.engine;
        let Now { totals, stats, deliveries, decoders, reading } = self.read(now);
        let space =
            engine.space().inspect_err(|error| tracing::debug!(%error, "no free space known"));
        let concerns = engine.concerns();
        let store = engine.health();
        let mut state = self.state();
        let before = state.samples.lately().unwrap_or(&reading).clone();
        let day = state.samples.day().unwrap_or(&reading.counts).clone();
        let per_second = |then: u64, now: u64| {
            per_second(now.saturating_sub(then), reading.counts.at.saturating_sub(before.counts.at))
        };
        let sync = reading.sync.since(&before.sync);
        let mut health = ServerHealth {
            problems: Vec::new(),
            version: env!("CARGO_PKG_VERSION"),
            started: self.watched.streams.runs().started(),
            now,
            window_seconds: reading.counts.at.saturating_sub(before.counts.at).as_secs_f64(),
            disk: space.ok().filter(|space| space.total > 0).map(|space| {
                let refuse = u64::from(engine.options().watermarks.refuse);
                let refuse_below_bytes = space.total / 100 * 100_u64.saturating_sub(refuse);
                let room = space.available.saturating_sub(refuse_below_bytes);
                let day_time = reading.counts.at.saturating_sub(day.at);
                let day_rate = (day_time >= SAMPLE_EVERY).then(|| {
                    samples::per_second(
                        reading.counts.appended_bytes.saturating_sub(day.appended_bytes),
                        day_time,
                    )
                });
                let footage = state.footage.as_ref();
                let outlook = day_rate.map(|rate| forecast::until_full(room, rate, footage, now));
                let freed = |hours| footage.map(|footage| forecast::freed(footage, now, hours));
                DiskHealth {
                    total_bytes: space.total,
                    available_bytes: space.available,
                    refuse_below_bytes,
                    footage_bytes: footage.map(|footage| footage.bytes),
                    footage_volumes: footage.map(|footage| footage.volumes),
                    stored_bytes_per_second: per_second(
                        before.counts.appended_bytes,
                        reading.counts.appended_bytes,
                    ),
                    written_bytes_per_second: per_second(
                        before.counts.written_bytes,
                        reading.counts.written_bytes,
                    ),
                    day_stored_bytes_per_second: day_rate,
                    day_seconds: day_time.as_secs_f64(),
                    freed_within_day_bytes: freed(24),
                    freed_within_week_bytes: freed(7 * 24),
                    outlook: match outlook {
                        None => DiskOutlook::Measuring,
                        Some(None) => DiskOutlook::Holds,
                        Some(Some(_)) => DiskOutlook::Fills,
                    },
                    days_until_full: outlook.flatten(),
                    history: state.samples.history(),
                }
            }),
            store: StoreHealth {
                state: match &store {
                    Health::ReadOnly(_) => StoreState::ReadOnly,
                    Health::Degraded(_) => StoreState::Degraded,
                    Health::Ok => StoreState::Ok,
                },
                syncs_per_second: per_second(before.sync.count(), reading.sync.count()),
                sync: latency(&sync),
                queued_bytes: stats.queued_bytes,
                queued_bytes_max: engine.options().queue_len_max,
                unsealed_volumes: stats.unsealed_volumes,
                write_failures: stats.write_failures,
                damaged_reads: stats.damaged_reads,
            },
            ingest: IngestHealth {
                streams: totals.streams,
                live: totals.live,
                silent: totals.silent,
                refused: totals.refused,
                off: totals.off,
                sessions: totals.sessions,
                fragments_per_second: per_second(before.fragments, reading.fragments),
                persisted: latency(&reading.persisted.since(&before.persisted)),
                error_acks: reading.error_acks.saturating_sub(before.error_acks),
                calls_refused: reading.calls_refused.saturating_sub(before.calls_refused),
            },
            playback: PlaybackHealth {
                get_media_connections: totals.get_media_connections,
                open_live_tiles: totals.open_live_tiles,
                connections: self.watched.http_counters.get().map_or(0, |counters| {
                    counters.connections_open.load(std::sync::atomic::Ordering::Relaxed)
                }),
                requests_per_second: per_second(before.requests, reading.requests),
                sent_bytes_per_second: per_second(before.sent_bytes, reading.sent_bytes),
            },
            decoders: DecoderHealth {
                workers: decoders.workers,
                workers_max: self.watched.playback.pictures.worker_count() as u64,
                busy: decoders.running,
                waiting: decoders.waiting,
                pictures: decoders.pictures,
                lost: decoders.lost_by_deadline
                    + decoders.lost_by_death
                    + decoders.lost_by_nonsense,
            },
            deliveries: DeliveryHealth {
                waiting: deliveries.outbox.job_count,
                dead: deliveries.outbox.dead_count,
                delivered: deliveries.image_count + deliveries.notification_count,
            },
            certificate_not_after: self.certificate_not_after.get().copied().flatten(),
        };
        let found = problems::find(&Facts {
            health: &health,
            concerns: &concerns,
            read_only: match store {
                Health::ReadOnly(reason) => Some(reason.to_string()),
                Health::Degraded(_) | Health::Ok => None,
            },
            day: Day::between(&day, &reading.counts),
            decoder_start_failures: reading
                .decoder_start_failures
                .saturating_sub(before.decoder_start_failures),
        });
        let known = std::mem::take(&mut state.seen);
        let since = |subject| {
            known.iter().find(|(own, _)| *own == subject).map_or(now, |(_, since)| *since)
        };
        state.seen = found.iter().map(|one| (one.subject, since(one.subject))).collect();
        let seen = state.seen.iter().map(|(_, since)| *since);
        health.problems = found
            .into_iter()
            .zip(seen)
            .map(|(found, since)| Problem {
                severity: found.severity,
                kind: found.subject.kind,
                text: found.text,
                since,
            })
            .collect();
        health
    }
}

fn latency(latencies: &LatencyHistogram) -> Latency {
    let at = |percent| latencies.percentile_us(percent).map(|us| us as f64 / 1000.0);
    Latency { count: latencies.count(), p50_ms: at(50), p99_ms: at(99) }
}

/// How long a rate is measured before an alarm rests on it: producers that come back after a pause
/// send what they kept.
const SETTLED: Duration = Duration::from_secs(600);
