//! What is wrong, out of the figures. Each limit has its reason beside it.

use streamkeep_api::{DiskHealth, ProblemKind, ServerHealth, Severity};
use streamkeep_engine::Concern;
use streamkeep_media::UnixMillis;

use super::SETTLED;
use super::samples::Counts;

/// A week is time to order a disk.
const DISK_DAYS_WARN: f64 = 7.0;
/// A weekend.
const DISK_DAYS_CRITICAL: f64 = 2.0;
/// A disk in order syncs within 100 ms, a busy one within a few hundred.
const SYNC_P99_MS_MAX: f64 = 1000.0;
/// Producers keep what is not PERSISTED in memory: small devices have room for some seconds.
const ACK_P99_MS_MAX: f64 = 2500.0;
/// Fewer make no percentile.
const COUNT_MIN: u64 = 20;
const DAY_MS: u64 = 86_400_000;
/// Our own authority renews at a start with less than 30 days left.
const CERTIFICATE_DAYS_WARN: u64 = 14;
const CERTIFICATE_DAYS_CRITICAL: u64 = 2;

/// What a problem is about: one of each at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) kind: ProblemKind,
    concern: Option<Concern>,
}

/// A problem that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) severity: Severity,
    pub(super) subject: Subject,
    pub(super) text: String,
}

/// What happened within a day, or since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Day {
    write_failures: u64,
    damaged_reads: u64,
    given_up: u64,
    deliveries_refused: u64,
}

impl Day {
    pub(super) fn between(then: &Counts, now: &Counts) -> Self {
        Self {
            write_failures: now.write_failures.saturating_sub(then.write_failures),
            damaged_reads: now.damaged_reads.saturating_sub(then.damaged_reads),
            given_up: now.given_up.saturating_sub(then.given_up),
            deliveries_refused: now.deliveries_refused.saturating_sub(then.deliveries_refused),
        }
    }
}

/// What problems are found in.
pub(super) struct Facts<'a> {
    /// Without its problems.
    pub(super) health: &'a ServerHealth,
    pub(super) concerns: &'a [(Concern, String)],
    /// Why the store takes no media, if so.
    pub(super) read_only: Option<String>,
    pub(super) day: Day,
    /// Lately.
    pub(super) decoder_start_failures: u64,
}

/// All that is wrong, the worst first.
pub(super) fn find(facts: &Facts<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut add = |severity, kind, text| {
        found.push(Found { severity, subject: Subject { kind, concern: None }, text });
    };
    let Facts { health, day, .. } = facts;
    if let Some(reason) = &facts.read_only {
        let text = format!("The store takes no media: {reason}.");
        add(Severity::Critical, ProblemKind::StoreReadOnly, text);
    }
    match &health.disk {
        None => add(
            Severity::Warning,
            ProblemKind::DiskUnknown,
            "Size and free space of the disk cannot be read.".into(),
        ),
        Some(disk) => {
            if let Some((severity, text)) = full_soon(disk) {
                add(severity, ProblemKind::DiskFullSoon, text);
            }
        }
    }
    if day.write_failures > 0 {
        let text = format!(
            "Writes or syncs failed {} times within the last day. Look at the disk and its log.",
            day.write_failures
        );
        add(Severity::Critical, ProblemKind::WriteFailures, text);
    }
    if day.damaged_reads > 0 {
        let text = format!(
            "{} reads failed a check within the last day; those bytes were not served.",
            day.damaged_reads
        );
        add(Severity::Critical, ProblemKind::DamagedReads, text);
    }
    let sync = health.store.sync;
    if sync.count >= COUNT_MIN && is_above(sync.p99_ms, SYNC_P99_MS_MAX) {
        let text = format!("One sync in a hundred takes {}.", took(sync.p99_ms));
        add(Severity::Warning, ProblemKind::SyncSlow, text);
    }
    let acks = health.ingest.persisted;
    if acks.count >= COUNT_MIN && is_above(acks.p99_ms, ACK_P99_MS_MAX) {
        let text = format!("One PERSISTED ack in a hundred takes {}.", took(acks.p99_ms));
        add(Severity::Warning, ProblemKind::AcksSlow, text);
    }
    // From three quarters on producers are not read from.
    if health.store.queued_bytes > health.store.queued_bytes_max / 4 * 3 {
        let text = format!("{} bytes wait for the disk.", health.store.queued_bytes);
        add(Severity::Warning, ProblemKind::BackPressure, text);
    }
    if health.ingest.refused > 0 {
        let text = format!("What {} streams send is refused.", health.ingest.refused);
        add(Severity::Warning, ProblemKind::StreamsRefused, text);
    }
    if facts.decoder_start_failures > 0 && health.decoders.workers == 0 {
        let text = "No decoder starts: there are no images and no thumbnails.".into();
        add(Severity::Warning, ProblemKind::DecodersFail, text);
    }
    if day.deliveries_refused > 0 {
        let text = format!(
            "{} deliveries were refused within the last day: too many wait.",
            day.deliveries_refused
        );
        add(Severity::Critical, ProblemKind::DeliveriesRefused, text);
    }
    if day.given_up > 0 {
        let text = format!("{} deliveries were given up within the last day.", day.given_up);
        add(Severity::Warning, ProblemKind::DeliveriesDead, text);
    }
    if let Some((severity, text)) = certificate(health.certificate_not_after, health.now) {
        add(severity, ProblemKind::CertificateExpires, text);
    }
    for (concern, text) in facts.concerns {
        let kind = match concern {
            Concern::DiskUsage => ProblemKind::DiskUsage,
            Concern::Clock => ProblemKind::Clock,
            _ => ProblemKind::StoreDegraded,
        };
        found.push(Found {
            severity: Severity::Warning,
            subject: Subject { kind, concern: Some(*concern) },
            text: text.clone(),
        });
    }
    // Stable: what is equally bad stays in this order.
    found.sort_by_key(|one| one.severity != Severity::Critical);
    found
}

fn full_soon(disk: &DiskHealth) -> Option<(Severity, String)> {
    let days = disk.days_until_full?;
    if days >= DISK_DAYS_WARN || disk.day_seconds < SETTLED.as_secs_f64() {
        return None;
    }
    let severity = if days < DISK_DAYS_CRITICAL { Severity::Critical } else { Severity::Warning };
    Some((severity, format!("The disk is full in {days:.1} days; then no media is taken.")))
}

fn certificate(not_after: Option<UnixMillis>, now: UnixMillis) -> Option<(Severity, String)> {
    let left_ms = not_after?.since(now);
    let days = left_ms / DAY_MS;
    if days >= CERTIFICATE_DAYS_WARN {
        return None;
    }
    let severity =
        if days < CERTIFICATE_DAYS_CRITICAL { Severity::Critical } else { Severity::Warning };
    let text = match left_ms {
        0 => "The TLS certificate has expired: clients refuse the connection.".into(),
        _ => format!("The TLS certificate ends in {days} days."),
    };
    Some((severity, text))
}

/// `None` with a count lies above all bounds.
fn is_above(ms: Option<f64>, max: f64) -> bool {
    ms.is_none_or(|ms| ms > max)
}

fn took(ms: Option<f64>) -> String {
    ms.map_or_else(|| "more than 10 s".into(), |ms| format!("up to {ms} ms"))
}

#[cfg(test)]
mod tests;
