use streamkeep_api::{
    DecoderHealth, DeliveryHealth, DiskHistory, DiskOutlook, IngestHealth, Latency, PlaybackHealth,
    StoreHealth, StoreState,
};

use super::*;

const NOW: UnixMillis = UnixMillis(1_795_166_438_000);
const NONE: Latency = Latency { count: 0, p50_ms: None, p99_ms: None };

fn healthy() -> ServerHealth {
    ServerHealth {
        problems: Vec::new(),
        version: "1",
        started: UnixMillis(NOW.0 - DAY_MS),
        now: NOW,
        window_seconds: 300.0,
        disk: Some(DiskHealth {
            total_bytes: 1000,
            available_bytes: 500,
            refuse_below_bytes: 50,
            footage_bytes: Some(400),
            footage_volumes: Some(1),
            stored_bytes_per_second: 1.0,
            written_bytes_per_second: 1.0,
            day_stored_bytes_per_second: Some(1.0),
            day_seconds: 86_400.0,
            freed_within_day_bytes: Some(0),
            freed_within_week_bytes: Some(0),
            outlook: DiskOutlook::Holds,
            days_until_full: None,
            history: DiskHistory { step_seconds: 60, stored_bytes_per_second: Vec::new() },
        }),
        store: StoreHealth {
            state: StoreState::Ok,
            syncs_per_second: 0.0,
            sync: NONE,
            queued_bytes: 0,
            queued_bytes_max: 1000,
            unsealed_volumes: 0,
            write_failures: 0,
            damaged_reads: 0,
        },
        ingest: IngestHealth {
            streams: 3,
            live: 1,
            silent: 1,
            refused: 0,
            off: 1,
            sessions: 2,
            fragments_per_second: 0.5,
            persisted: NONE,
            error_acks: 0,
            calls_refused: 0,
        },
        playback: PlaybackHealth {
            get_media_connections: 0,
            open_live_tiles: 0,
            connections: 1,
            requests_per_second: 0.0,
            sent_bytes_per_second: 0.0,
        },
        decoders: DecoderHealth {
            workers: 0,
            workers_max: 2,
            busy: 0,
            waiting: 0,
            pictures: 0,
            lost: 0,
        },
        deliveries: DeliveryHealth { waiting: 0, dead: 0, delivered: 0 },
        certificate_not_after: None,
    }
}

fn facts(health: &ServerHealth) -> Facts<'_> {
    Facts { health, concerns: &[], read_only: None, day: Day::default(), decoder_start_failures: 0 }
}

#[track_caller]
fn check(facts: &Facts<'_>, expected: &[(Severity, ProblemKind)]) {
    let found: Vec<_> = find(facts).iter().map(|f| (f.severity, f.subject.kind)).collect();
    assert_eq!(found, expected);
}

/// Changes the figures, and the problem is there.
#[track_caller]
fn with(change: impl FnOnce(&mut ServerHealth), expected: &[(Severity, ProblemKind)]) {
    let mut health = healthy();
    change(&mut health);
    check(&facts(&health), expected);
}

use ProblemKind as P;
use Severity::{Critical, Warning};

#[test]
fn all_is_well() {
    check(&facts(&healthy()), &[]);
}

#[test]
fn the_disk() {
    fn filling(days: f64, day_seconds: f64) -> impl FnOnce(&mut ServerHealth) {
        move |health| {
            let disk = health.disk.as_mut().unwrap();
            (disk.outlook, disk.days_until_full) = (DiskOutlook::Fills, Some(days));
            disk.day_seconds = day_seconds;
        }
    }
    with(filling(7.0, 86_400.0), &[]);
    with(filling(6.9, 86_400.0), &[(Warning, P::DiskFullSoon)]);
    with(filling(1.9, 86_400.0), &[(Critical, P::DiskFullSoon)]);
    with(filling(0.0, 599.0), &[]);
    with(|health| health.disk = None, &[(Warning, P::DiskUnknown)]);
}

#[test]
fn slow_disks() {
    let latency = |count, p99_ms| Latency { count, p50_ms: Some(1.0), p99_ms };
    with(|health| health.store.sync = latency(100, Some(1000.0)), &[]);
    with(|health| health.store.sync = latency(100, Some(2500.0)), &[(Warning, P::SyncSlow)]);
    // Above all bounds.
    with(|health| health.store.sync = latency(100, None), &[(Warning, P::SyncSlow)]);
    with(|health| health.store.sync = latency(19, None), &[]);
    with(|health| health.ingest.persisted = latency(20, Some(5000.0)), &[(Warning, P::AcksSlow)]);
    with(|health| health.store.queued_bytes = 750, &[]);
    with(|health| health.store.queued_bytes = 751, &[(Warning, P::BackPressure)]);
}

#[test]
fn certificates() {
    let ends = |ms: i64| {
        move |health: &mut ServerHealth| {
            health.certificate_not_after = Some(UnixMillis(NOW.0.saturating_add_signed(ms)));
        }
    };
    let day = DAY_MS.cast_signed();
    with(ends(14 * day), &[]);
    with(ends(14 * day - 1), &[(Warning, P::CertificateExpires)]);
    with(ends(2 * day - 1), &[(Critical, P::CertificateExpires)]);
    with(ends(-1), &[(Critical, P::CertificateExpires)]);
}

#[test]
fn what_happened_within_a_day() {
    let health = healthy();
    let then = Counts { write_failures: 3, damaged_reads: 2, given_up: 1, ..Counts::default() };
    let day = Day::between(&then, &then);
    check(&Facts { day, ..facts(&health) }, &[]);
    let now = Counts {
        write_failures: 4,
        damaged_reads: 3,
        given_up: 2,
        deliveries_refused: 1,
        ..Counts::default()
    };
    let day = Day::between(&then, &now);
    check(
        &Facts { day, ..facts(&health) },
        &[
            (Critical, P::WriteFailures),
            (Critical, P::DamagedReads),
            (Critical, P::DeliveriesRefused),
            (Warning, P::DeliveriesDead),
        ],
    );
}

#[test]
fn the_store_tells_for_itself() {
    let mut health = healthy();
    health.ingest.refused = 1;
    let concerns = [
        (Concern::DiskUsage, "the disk is 81 % full".to_owned()),
        (Concern::Damage, "a".to_owned()),
        (Concern::Clock, "b".to_owned()),
        (Concern::Index, "c".to_owned()),
    ];
    let read_only = Some("no space".to_owned());
    let all = Facts { concerns: &concerns, read_only, decoder_start_failures: 1, ..facts(&health) };
    check(
        &all,
        &[
            (Critical, P::StoreReadOnly),
            (Warning, P::StreamsRefused),
            (Warning, P::DecodersFail),
            (Warning, P::DiskUsage),
            (Warning, P::StoreDegraded),
            (Warning, P::Clock),
            (Warning, P::StoreDegraded),
        ],
    );
    let found = find(&all);
    assert_eq!(found[3].text, "the disk is 81 % full");
    // Each has its own beginning.
    assert_ne!(found[4].subject, found[6].subject);
}
