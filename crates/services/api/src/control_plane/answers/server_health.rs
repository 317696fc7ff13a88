//! The JSON of GetServerHealth (console.md §3.10).
//!
//! What is not known is null, never 0.

use bytes::Bytes;
use serde_json::{Value, json};
use streamkeep_media::UnixMillis;

use crate::shape::wire_enum;

wire_enum! {
    /// What is wrong. Names stay; an alarm may rest on them.
    pub enum ProblemKind {
        /// The store takes no media.
        StoreReadOnly = "STORE_READ_ONLY",
        /// By what is written and what retention frees, the disk is full within days.
        DiskFullSoon = "DISK_FULL_SOON",
        /// Much of the disk is used.
        DiskUsage = "DISK_USAGE",
        /// Size and free space of the disk cannot be read.
        DiskUnknown = "DISK_UNKNOWN",
        /// The store works, but something about it needs an operator.
        StoreDegraded = "STORE_DEGRADED",
        /// Writes or syncs failed within the last day.
        WriteFailures = "WRITE_FAILURES",
        /// Stored fragments failed a check when they were read, within the last day.
        DamagedReads = "DAMAGED_READS",
        /// Syncs take long.
        SyncSlow = "SYNC_SLOW",
        /// PERSISTED acks take long.
        AcksSlow = "ACKS_SLOW",
        /// So much waits for the disk that producers are slowed down.
        BackPressure = "BACK_PRESSURE",
        /// The wall clock is not believed: retention waits.
        Clock = "CLOCK",
        /// Streams whose media is answered with errors.
        StreamsRefused = "STREAMS_REFUSED",
        /// Decoders do not start: no images, no thumbnails.
        DecodersFail = "DECODERS_FAIL",
        /// Deliveries were given up within the last day.
        DeliveriesDead = "DELIVERIES_DEAD",
        /// Deliveries were refused for want of room within the last day.
        DeliveriesRefused = "DELIVERIES_REFUSED",
        /// The TLS certificate ends soon, or has.
        CertificateExpires = "CERTIFICATE_EXPIRES",
    }
}

wire_enum! {
    /// How bad a problem is.
    pub enum Severity {
        /// Footage is being lost, or will be within two days.
        Critical = "CRITICAL",
        /// Somebody should look.
        Warning = "WARNING",
    }
}

wire_enum! {
    /// State of the store.
    pub enum StoreState {
        /// All is well.
        Ok = "OK",
        /// It works, but an operator should look.
        Degraded = "DEGRADED",
        /// It takes no media; what is stored is served.
        ReadOnly = "READ_ONLY",
    }
}

wire_enum! {
    /// Where the use of the disk goes.
    pub enum DiskOutlook {
        /// It is full after some days.
        Fills = "FILLS",
        /// Retention deletes as much as comes: not full within five years.
        Holds = "HOLDS",
        /// The server has not run for a minute.
        Measuring = "MEASURING",
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// What.
    pub kind: ProblemKind,
    /// A sentence for a person.
    pub text: String,
    /// When this server saw it first, to a minute.
    pub since: UnixMillis,
}

/// Percentiles of durations, each the upper bound of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// How many were counted.
    pub count: u64,
    /// Half of them took no longer, in milliseconds; `None` when none was counted, or it lies above
    /// 10 s.
    pub p50_ms: Option<f64>,
    /// 99 of 100 took no longer, likewise.
    pub p99_ms: Option<f64>,
}

/// How the server is doing. "Lately" is [`ServerHealth::window_seconds`].
#[derive(Clone, Debug, PartialEq)]
pub struct ServerHealth {
    /// What is wrong, the worst first; empty when all is well.
    pub problems: Vec<Problem>,
    /// The server's version.
    pub version: &'static str,
    /// When it was started.
    pub started: UnixMillis,
    /// Its clock.
    pub now: UnixMillis,
    /// The seconds that "lately" covers: five minutes, less after a start.
    pub window_seconds: f64,
    /// The disk; `None` when it cannot be read.
    pub disk: Option<DiskHealth>,
    /// The store.
    pub store: StoreHealth,
    /// Cameras.
    pub ingest: IngestHealth,
    /// Viewers.
    pub playback: PlaybackHealth,
    /// Decoder workers.
    pub decoders: DecoderHealth,
    /// Images and notifications on their way out.
    pub deliveries: DeliveryHealth,
    /// When the first certificate of the TLS chain ends; `None` without TLS.
    pub certificate_not_after: Option<UnixMillis>,
}

/// The file system of the volumes.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskHealth {
    /// Its size.
    pub total_bytes: u64,
    /// What may still be used.
    pub available_bytes: u64,
    /// With less available than this, no media is taken.
    pub refuse_below_bytes: u64,
    /// All volumes; `None` until they were counted.
    pub footage_bytes: Option<u64>,
    /// How many.
    pub footage_volumes: Option<u64>,
    /// What footage grew by lately, per second, before deletion.
    pub stored_bytes_per_second: f64,
    /// Bytes written lately, per second: footers and copies too.
    pub written_bytes_per_second: f64,
    /// What footage grew by over the day, per second, before deletion; the forecast goes by it.
    pub day_stored_bytes_per_second: Option<f64>,
    /// The seconds that the rate of the day covers: 86,400, less after a start.
    pub day_seconds: f64,
    /// What retention frees of what is there, within 24 hours.
    pub freed_within_day_bytes: Option<u64>,
    /// The same, within 7 days.
    pub freed_within_week_bytes: Option<u64>,
    /// Where it goes.
    pub outlook: DiskOutlook,
    /// Days until no media is taken, with [`DiskOutlook::Fills`].
    pub days_until_full: Option<f64>,
    /// What footage grew by, up to now.
    pub history: DiskHistory,
}

/// Rates of equal steps.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskHistory {
    /// Seconds of one step.
    pub step_seconds: u64,
    /// Bytes per second, the oldest first; at most 96.
    pub stored_bytes_per_second: Vec<f64>,
}

/// The store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoreHealth {
    /// Its state.
    pub state: StoreState,
    /// Syncs of batches lately, per second.
    pub syncs_per_second: f64,
    /// How long they took.
    pub sync: Latency,
    /// Bytes that wait to become durable.
    pub queued_bytes: u64,
    /// As many may wait.
    pub queued_bytes_max: u64,
    /// Volumes that are being written or sealed.
    pub unsealed_volumes: u64,
    /// Writes and syncs that failed since the start.
    pub write_failures: u64,
    /// Reads that failed a check since the start.
    pub damaged_reads: u64,
}

/// Cameras.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IngestHealth {
    /// Streams, whatever their state; those of the states add up to it.
    pub streams: u64,
    /// Streams whose media arrives.
    pub live: u64,
    /// Streams with a session and without media.
    pub silent: u64,
    /// Streams whose media is answered with errors.
    pub refused: u64,
    /// Streams without a session.
    pub off: u64,
    /// PutMedia sessions.
    pub sessions: u64,
    /// Fragments stored lately, per second.
    pub fragments_per_second: f64,
    /// From a fragment's last byte to its PERSISTED ack, lately.
    pub persisted: Latency,
    /// ERROR acks lately.
    pub error_acks: u64,
    /// PutMedia calls refused lately.
    pub calls_refused: u64,
}

/// Viewers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlaybackHealth {
    /// GetMedia connections.
    pub get_media_connections: u64,
    /// Tiles of OpenLive.
    pub open_live_tiles: u64,
    /// Connections of any kind.
    pub connections: u64,
    /// Requests lately, per second.
    pub requests_per_second: f64,
    /// Bytes sent lately, per second.
    pub sent_bytes_per_second: f64,
}

/// Decoder workers, which make images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecoderHealth {
    /// Workers that are there; each starts when it is first needed.
    pub workers: u64,
    /// As many there may be.
    pub workers_max: u64,
    /// Of these, at work.
    pub busy: u64,
    /// Jobs that wait for one.
    pub waiting: u64,
    /// Images made since the start.
    pub pictures: u64,
    /// Workers lost since the start: by a deadline, a crash or a wrong answer.
    pub lost: u64,
}

/// Images and notifications on their way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryHealth {
    /// Waiting or at work.
    pub waiting: u64,
    /// Given up and kept.
    pub dead: u64,
    /// Delivered since the start.
    pub delivered: u64,
}

/// The answer of GetServerHealth.
pub fn get_server_health(health: &ServerHealth) -> Bytes {
    let problems: Vec<_> = health.problems.iter().map(problem).collect();
    let certificate =
        health.certificate_not_after.map(|at| json!({ "NotAfter": at.as_secs_f64() }));
    let (store, ingest) = (&health.store, &health.ingest);
    let (playback, decoders) = (&health.playback, &health.decoders);
    super::bytes(&json!({
        "Problems": problems,
        "Version": health.version,
        "StartTimestamp": health.started.as_secs_f64(),
        "Timestamp": health.now.as_secs_f64(),
        "WindowSeconds": health.window_seconds,
        "Disk": health.disk.as_ref().map(disk),
        "Store": {
            "State": store.state.as_str(),
            "SyncsPerSecond": store.syncs_per_second,
            "Sync": latency(store.sync),
            "QueuedBytes": store.queued_bytes,
            "QueuedBytesMax": store.queued_bytes_max,
            "UnsealedVolumes": store.unsealed_volumes,
            "WriteFailures": store.write_failures,
            "DamagedReads": store.damaged_reads,
        },
        "Ingest": {
            "Streams": ingest.streams,
            "Live": ingest.live,
            "Silent": ingest.silent,
            "Refused": ingest.refused,
            "Off": ingest.off,
            "Sessions": ingest.sessions,
            "FragmentsPerSecond": ingest.fragments_per_second,
            "PersistedAck": latency(ingest.persisted),
            "ErrorAcks": ingest.error_acks,
            "CallsRefused": ingest.calls_refused,
        },
        "Playback": {
            "GetMediaConnections": playback.get_media_connections,
            "OpenLiveTiles": playback.open_live_tiles,
            "Connections": playback.connections,
            "RequestsPerSecond": playback.requests_per_second,
            "SentBytesPerSecond": playback.sent_bytes_per_second,
        },
        "Decoders": {
            "Workers": decoders.workers,
            "WorkersMax": decoders.workers_max,
            "Busy": decoders.busy,
            "Waiting": decoders.waiting,
            "Pictures": decoders.pictures,
            "Lost": decoders.lost,
        },
        "Deliveries": {
            "Waiting": health.deliveries.waiting,
            "Dead": health.deliveries.dead,
            "Delivered": health.deliveries.delivered,
        },
        "Certificate": certificate,
    }))
}

fn problem(problem: &Problem) -> Value {
    json!({
        "Severity": problem.severity.as_str(),
        "What": problem.kind.as_str(),
        "Text": problem.text,
        "Since": problem.since.as_secs_f64(),
    })
}

fn latency(latency: Latency) -> Value {
    json!({
        "Count": latency.count,
        "P50Milliseconds": latency.p50_ms,
        "P99Milliseconds": latency.p99_ms,
    })
}

fn disk(disk: &DiskHealth) -> Value {
    json!({
        "TotalBytes": disk.total_bytes,
        "AvailableBytes": disk.available_bytes,
        "RefuseBelowBytes": disk.refuse_below_bytes,
        "FootageBytes": disk.footage_bytes,
        "FootageVolumes": disk.footage_volumes,
        "StoredBytesPerSecond": disk.stored_bytes_per_second,
        "WrittenBytesPerSecond": disk.written_bytes_per_second,
        "DayStoredBytesPerSecond": disk.day_stored_bytes_per_second,
        "DaySeconds": disk.day_seconds,
        "FreedWithinDayBytes": disk.freed_within_day_bytes,
        "FreedWithinWeekBytes": disk.freed_within_week_bytes,
        "Outlook": disk.outlook.as_str(),
        "DaysUntilFull": disk.days_until_full,
        "History": {
            "StepSeconds": disk.history.step_seconds,
            "StoredBytesPerSecond": disk.history.stored_bytes_per_second,
        },
    })
}

/// A server whose disk is full in five days, for the description of the API.
pub(super) fn example(now: UnixMillis) -> ServerHealth {
    ServerHealth {
        problems: vec![Problem {
            severity: Severity::Warning,
            kind: ProblemKind::DiskFullSoon,
            text: "The disk is full in 5.1 days.".into(),
            since: UnixMillis(now.0 - 600_000),
        }],
        version: env!("CARGO_PKG_VERSION"),
        started: UnixMillis(now.0 - 90_000_000),
        now,
        window_seconds: 300.0,
        disk: Some(DiskHealth {
            total_bytes: 8_000_000_000_000,
            available_bytes: 2_600_000_000_000,
            refuse_below_bytes: 400_000_000_000,
            footage_bytes: Some(5_300_000_000_000),
            footage_volumes: Some(4_951),
            stored_bytes_per_second: 5_250_000.0,
            written_bytes_per_second: 5_300_000.0,
            day_stored_bytes_per_second: Some(5_000_000.0),
            day_seconds: 86_400.0,
            freed_within_day_bytes: Some(0),
            freed_within_week_bytes: Some(120_000_000_000),
            outlook: DiskOutlook::Fills,
            days_until_full: Some(5.1),
            history: DiskHistory {
                step_seconds: 900,
                stored_bytes_per_second: vec![4_900_000.0, 5_100_000.0],
            },
        }),
        store: StoreHealth {
            state: StoreState::Ok,
            syncs_per_second: 12.5,
            sync: Latency { count: 3_750, p50_ms: Some(5.0), p99_ms: Some(25.0) },
            queued_bytes: 131_072,
            queued_bytes_max: 268_435_456,
            unsealed_volumes: 2,
            write_failures: 0,
            damaged_reads: 0,
        },
        ingest: IngestHealth {
            streams: 12,
            live: 9,
            silent: 1,
            refused: 0,
            off: 2,
            sessions: 10,
            fragments_per_second: 4.5,
            persisted: Latency { count: 1_350, p50_ms: Some(25.0), p99_ms: Some(100.0) },
            error_acks: 0,
            calls_refused: 0,
        },
        playback: PlaybackHealth {
            get_media_connections: 1,
            open_live_tiles: 16,
            connections: 31,
            requests_per_second: 7.2,
            sent_bytes_per_second: 2_400_000.0,
        },
        decoders: DecoderHealth {
            workers: 2,
            workers_max: 4,
            busy: 0,
            waiting: 0,
            pictures: 812,
            lost: 0,
        },
        deliveries: DeliveryHealth { waiting: 0, dead: 0, delivered: 0 },
        certificate_not_after: Some(UnixMillis(now.0 + 300 * 86_400_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_null() {
        let mut health = example(UnixMillis(1_795_166_438_000));
        health.store.sync = Latency { count: 0, p50_ms: None, p99_ms: None };
        health.certificate_not_after = None;
        if let Some(disk) = &mut health.disk {
            (disk.footage_bytes, disk.days_until_full) = (None, None);
        }
        let read = |health: &ServerHealth| -> Value {
            serde_json::from_slice(&get_server_health(health)).unwrap()
        };
        let answer = read(&health);
        for path in [
            "/Disk/FootageBytes",
            "/Disk/DaysUntilFull",
            "/Certificate",
            "/Store/Sync/P99Milliseconds",
        ] {
            assert_eq!(answer.pointer(path), Some(&Value::Null), "{path}");
        }
        assert_eq!(answer["Problems"][0]["What"], "DISK_FULL_SOON");
        assert_eq!(answer["Timestamp"], 1_795_166_438.0);
        health.disk = None;
        assert_eq!(read(&health)["Disk"], Value::Null);
    }
}
