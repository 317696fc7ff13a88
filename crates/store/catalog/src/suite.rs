//! What every form of the catalog must pass.
//!
//! Each function is given an empty catalog and panics on the first deviation. A new form calls both
//! from its tests; they need no other set-up.

#![allow(clippy::unwrap_used, reason = "a test, for the tests of every form")]

use std::collections::BTreeMap;

use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};

use crate::{
    CatalogError, ConflictOn, ControlCatalog, IndexCatalog, RunRecord, SpanPage, StorageTier,
    StreamRecord, StreamStatus, TimeAxis, VolumeRecord, VolumeState,
};

/// Streams, meta values and epochs.
///
/// # Panics
/// When `catalog` does not behave as [`ControlCatalog`] says.
pub fn control_suite(catalog: &dyn ControlCatalog) {
    streams_come_back_whole(catalog);
    ids_and_names_are_unique(catalog);
    updates_need_the_version(catalog);
    removal_is_repeatable(catalog);
    meta_values(catalog);
    epochs_only_grow(catalog);
}

/// Volumes, runs and the queries over them.
///
/// # Panics
/// When `catalog` does not behave as [`IndexCatalog`] says.
pub fn index_suite(catalog: &dyn IndexCatalog) {
    volumes_come_back_whole(catalog);
    sealing_is_repeatable(catalog);
    sorted_copy_replaces(catalog);
    expired_volumes_come_earliest_first(catalog);
    runs_by_span(catalog);
    covering_runs_equal_a_full_scan(catalog);
    last_run_has_the_largest_number(catalog);
    runs_of_a_stream_go_in_pieces(catalog);
}

/// A stream with every field set.
pub fn stream(id: u8, name: &str) -> StreamRecord {
    StreamRecord {
        id: StreamId([id; 16]),
        name: name.to_owned(),
        created: UnixMillis(1_795_166_438_482),
        version: "kMUdKJmwy1WuDtEgVTCY".to_owned(),
        status: StreamStatus::Active,
        device_name: Some("front door".to_owned()),
        media_type: Some("video/h264,audio/aac".to_owned()),
        kms_key_id: Some("alias/keep".to_owned()),
        retention_hours: 24 * 365 * 10,
        visible_from: UnixMillis(1_795_000_000_000),
        storage_tier: StorageTier::Warm,
        tags: BTreeMap::from([
            ("site".to_owned(), "北京 7".to_owned()),
            ("empty".to_owned(), String::new()),
        ]),
        image_generation: Some(r#"{"FormatVersion":1,"Uri":"s3://bucket/a\nb"}"#.to_owned()),
        notification: Some("arn:aws:sns:us-west-2:111122223333:topic = \\\nsecond".to_owned()),
        wrapped_key: (0..=u8::MAX).collect(),
    }
}

/// A volume with every field set.
pub fn volume(id: u64) -> VolumeRecord {
    VolumeRecord {
        id,
        uuid: [id as u8; 16],
        lane: 3,
        state: VolumeState::Active,
        created: UnixMillis(1_000 + id),
        length: 1 << 30,
        indexed_upto: 4096,
        max_server: UnixMillis(2_000 + id),
        max_expiry: UnixMillis(3_000 + id),
        fragment_count: 7,
        record_bytes: 1_750_000,
    }
}

/// A run whose spans are `server` and `producer`, in milliseconds.
pub fn run(volume: u64, stream: u8, server: (u64, u64), producer: (u64, u64)) -> RunRecord {
    RunRecord {
        volume,
        stream: StreamId([stream; 16]),
        first: FragmentNumber::new(UnixMillis(server.0), 1, volume),
        last: FragmentNumber::new(UnixMillis(server.1), 1, volume + 1),
        fragment_count: 2,
        min_producer: UnixMillis(producer.0),
        max_producer: UnixMillis(producer.1),
        record_bytes: 500_000,
    }
}

fn streams_come_back_whole(catalog: &dyn ControlCatalog) {
    assert_eq!(catalog.streams().unwrap(), []);
    let full = stream(2, "full");
    let bare = StreamRecord {
        status: StreamStatus::Deleting,
        device_name: None,
        media_type: None,
        kms_key_id: None,
        retention_hours: 0,
        visible_from: UnixMillis(0),
        storage_tier: StorageTier::Hot,
        tags: BTreeMap::new(),
        image_generation: None,
        notification: None,
        wrapped_key: Vec::new(),
        ..stream(1, "bare")
    };
    catalog.insert_stream(&full).unwrap();
    catalog.insert_stream(&bare).unwrap();
    assert_eq!(catalog.streams().unwrap(), [bare.clone(), full.clone()]);
    assert_eq!(catalog.stream(full.id).unwrap(), Some(full.clone()));
    assert_eq!(catalog.stream(StreamId([9; 16])).unwrap(), None);
    catalog.remove_stream(full.id).unwrap();
    catalog.remove_stream(bare.id).unwrap();
}

fn ids_and_names_are_unique(catalog: &dyn ControlCatalog) {
    catalog.insert_stream(&stream(1, "one")).unwrap();
    assert!(matches!(
        catalog.insert_stream(&stream(1, "other")),
        Err(CatalogError::Conflict(ConflictOn::StreamId))
    ));
    assert!(matches!(
        catalog.insert_stream(&stream(2, "one")),
        Err(CatalogError::Conflict(ConflictOn::StreamName))
    ));
    assert_eq!(catalog.streams().unwrap(), [stream(1, "one")], "a refused insert leaves nothing");
    catalog.insert_stream(&stream(2, "two")).unwrap();
    assert!(matches!(
        catalog.update_stream(&stream(2, "one"), &stream(2, "two").version),
        Err(CatalogError::Conflict(ConflictOn::StreamName))
    ));
    catalog.remove_stream(StreamId([1; 16])).unwrap();
    catalog.insert_stream(&stream(3, "one")).unwrap();
    catalog.remove_stream(StreamId([2; 16])).unwrap();
    catalog.remove_stream(StreamId([3; 16])).unwrap();
}

fn updates_need_the_version(catalog: &dyn ControlCatalog) {
    let before = stream(1, "before");
    catalog.insert_stream(&before).unwrap();
    let after = StreamRecord {
        name: "after".to_owned(),
        version: "2".to_owned(),
        retention_hours: 1,
        tags: BTreeMap::from([("new".to_owned(), "tag".to_owned())]),
        image_generation: None,
        notification: Some("other".to_owned()),
        wrapped_key: vec![1, 2, 3],
        ..before.clone()
    };
    assert!(matches!(
        catalog.update_stream(&after, "some other version"),
        Err(CatalogError::Conflict(ConflictOn::StreamVersion))
    ));
    assert_eq!(catalog.stream(before.id).unwrap(), Some(before.clone()));
    catalog.update_stream(&after, &before.version).unwrap();
    assert_eq!(catalog.stream(before.id).unwrap(), Some(after));
    assert!(matches!(
        catalog.update_stream(&stream(2, "nobody"), "2"),
        Err(CatalogError::NotFound)
    ));
    catalog.remove_stream(before.id).unwrap();
}

fn removal_is_repeatable(catalog: &dyn ControlCatalog) {
    catalog.insert_stream(&stream(1, "one")).unwrap();
    catalog.remove_stream(StreamId([1; 16])).unwrap();
    catalog.remove_stream(StreamId([1; 16])).unwrap();
    assert_eq!(catalog.streams().unwrap(), []);
}

fn meta_values(catalog: &dyn ControlCatalog) {
    assert_eq!(catalog.meta("uuid").unwrap(), None);
    catalog.set_meta("uuid", &[1, 0, 255]).unwrap();
    catalog.set_meta("uuid", &[2]).unwrap();
    catalog.set_meta("user/b", b"B").unwrap();
    catalog.set_meta("user/a", b"").unwrap();
    catalog.set_meta("user%", b"no wildcard").unwrap();
    assert_eq!(catalog.meta("uuid").unwrap().as_deref(), Some(&[2][..]));
    let users = [("user/a".to_owned(), Vec::new()), ("user/b".to_owned(), b"B".to_vec())];
    assert_eq!(catalog.metas("user/").unwrap(), users);
    for name in ["uuid", "user/a", "user/b", "user%", "never there"] {
        catalog.remove_meta(name).unwrap();
    }
    assert_eq!(catalog.metas("").unwrap(), []);
}

fn epochs_only_grow(catalog: &dyn ControlCatalog) {
    assert_eq!(catalog.next_epoch().unwrap(), 1);
    assert_eq!(catalog.next_epoch().unwrap(), 2);
    catalog.raise_epoch(40).unwrap();
    assert_eq!(catalog.next_epoch().unwrap(), 41);
    catalog.raise_epoch(7).unwrap();
    assert_eq!(catalog.next_epoch().unwrap(), 42);
    catalog.raise_epoch(u32::MAX).unwrap();
    assert!(matches!(catalog.next_epoch(), Err(CatalogError::Damaged { .. })));
}

fn volumes_come_back_whole(catalog: &dyn IndexCatalog) {
    assert_eq!(catalog.volumes().unwrap(), []);
    catalog.insert_volume(&volume(9)).unwrap();
    catalog.insert_volume(&volume(8)).unwrap();
    assert_eq!(catalog.volumes().unwrap(), [volume(8), volume(9)]);
    assert_eq!(catalog.volumes_after(None, 9).unwrap(), [volume(8), volume(9)]);
    assert_eq!(catalog.volumes_after(None, 1).unwrap(), [volume(8)]);
    assert_eq!(catalog.volumes_after(Some(8), 9).unwrap(), [volume(9)]);
    assert_eq!(catalog.volumes_after(Some(9), 9).unwrap(), []);
    assert_eq!(catalog.volume(9).unwrap(), Some(volume(9)));
    assert_eq!(catalog.volume(7).unwrap(), None);
    assert!(matches!(
        catalog.insert_volume(&volume(9)),
        Err(CatalogError::Conflict(ConflictOn::VolumeId))
    ));
    for state in [
        VolumeState::Sealed,
        VolumeState::Suspect,
        VolumeState::Deleting,
        VolumeState::Lost,
        VolumeState::Active,
    ] {
        catalog.update_volume_state(9, state).unwrap();
        assert_eq!(catalog.volume(9).unwrap(), Some(VolumeRecord { state, ..volume(9) }));
    }
    let longer = VolumeRecord { indexed_upto: 8192, lane: 1, ..volume(9) };
    catalog.update_volume(&longer).unwrap();
    assert_eq!(catalog.volume(9).unwrap(), Some(longer));
    assert!(matches!(catalog.update_volume(&volume(7)), Err(CatalogError::NotFound)));
    assert!(matches!(
        catalog.update_volume_state(7, VolumeState::Lost),
        Err(CatalogError::NotFound)
    ));
    catalog.remove_volume(9).unwrap();
    catalog.remove_volume(9).unwrap();
    assert_eq!(catalog.volumes().unwrap(), [volume(8)]);
    catalog.wipe().unwrap();
    assert_eq!(catalog.volumes().unwrap(), []);
}

fn sealing_is_repeatable(catalog: &dyn IndexCatalog) {
    catalog.insert_volume(&volume(1)).unwrap();
    let sealed = VolumeRecord { state: VolumeState::Sealed, length: 12_288, ..volume(1) };
    let runs = [run(1, 1, (10, 20), (10, 20)), run(1, 2, (11, 30), (5, 6))];
    catalog.seal_volume(&sealed, &[run(1, 3, (1, 2), (1, 2))]).unwrap();
    catalog.seal_volume(&sealed, &runs).unwrap();
    catalog.seal_volume(&sealed, &runs).unwrap();
    assert_eq!(catalog.volumes().unwrap(), std::slice::from_ref(&sealed));
    assert_eq!(catalog.runs_in(1).unwrap(), runs, "old runs of the volume are gone");
    // A volume that the catalog never saw is imported by the same call.
    catalog.seal_volume(&VolumeRecord { id: 2, ..sealed }, &[run(2, 1, (30, 40), (1, 2))]).unwrap();
    assert_eq!(catalog.runs_in(2).unwrap(), [run(2, 1, (30, 40), (1, 2))]);
    catalog.remove_volume(1).unwrap();
    assert_eq!(catalog.runs_in(1).unwrap(), [], "runs go with their volume");
    catalog.wipe().unwrap();
    assert_eq!(catalog.runs_in(2).unwrap(), []);
}

fn sorted_copy_replaces(catalog: &dyn IndexCatalog) {
    let sealed = |id| VolumeRecord { state: VolumeState::Sealed, ..volume(id) };
    catalog.seal_volume(&sealed(1), &[run(1, 1, (10, 20), (10, 20))]).unwrap();
    catalog.replace_volume(1, &sealed(2), &[run(2, 1, (10, 20), (10, 20))]).unwrap();
    let old = VolumeRecord { state: VolumeState::Deleting, ..volume(1) };
    assert_eq!(catalog.volumes().unwrap(), [old, sealed(2)]);
    assert_eq!(catalog.runs_in(1).unwrap(), []);
    assert_eq!(catalog.runs_in(2).unwrap().len(), 1);
    assert!(matches!(catalog.replace_volume(7, &sealed(3), &[]), Err(CatalogError::NotFound)));
    assert_eq!(catalog.volume(3).unwrap(), None, "a refused copy leaves nothing");
    catalog.wipe().unwrap();
}

fn expired_volumes_come_earliest_first(catalog: &dyn IndexCatalog) {
    for (id, expiry, state) in [
        (1, 500, VolumeState::Sealed),
        (2, 400, VolumeState::Sealed),
        (3, 300, VolumeState::Active),
        (4, 600, VolumeState::Sealed),
        (5, 100, VolumeState::Deleting),
    ] {
        let record = VolumeRecord { state, max_expiry: UnixMillis(expiry), ..volume(id) };
        catalog.insert_volume(&record).unwrap();
    }
    let expired = |now, limit| -> Vec<u64> {
        let volumes = catalog.expired_volumes(UnixMillis(now), limit).unwrap();
        volumes.iter().map(|volume| volume.id).collect()
    };
    assert_eq!(expired(400, 10), []);
    assert_eq!(expired(600, 10), [2, 1]);
    assert_eq!(expired(601, 10), [2, 1, 4]);
    assert_eq!(expired(601, 1), [2]);
    catalog.wipe().unwrap();
}

fn runs_by_span(catalog: &dyn IndexCatalog) {
    let server_spans = [(10, 20), (20, 30), (20, 25), (31, 40), (50, 60)];
    for (id, span) in (1..).zip(server_spans) {
        // Producer time runs backwards here, so that mixing the axes up cannot pass.
        let producer = (1_000 - span.1, 1_000 - span.0);
        catalog
            .seal_volume(&volume(id), &[run(id, 1, span, producer), run(id, 2, (15, 55), (15, 55))])
            .unwrap();
    }
    let starting = |axis, from, to, after: Option<(u64, u64)>, limit| -> Vec<u64> {
        let page = SpanPage {
            axis,
            from: UnixMillis(from),
            to: UnixMillis(to),
            after: after.map(|(start, volume)| (UnixMillis(start), volume)),
            limit,
        };
        let runs = catalog.runs_starting(StreamId([1; 16]), &page).unwrap();
        runs.iter().map(|run| run.volume).collect()
    };
    let (server, producer) = (TimeAxis::Server, TimeAxis::Producer);
    assert_eq!(starting(server, 0, 100, None, 10), [1, 2, 3, 4, 5]);
    assert_eq!(starting(producer, 0, 1_000, None, 10), [5, 4, 2, 3, 1]);
    assert_eq!(starting(server, 20, 31, None, 10), [2, 3, 4]);
    assert_eq!(starting(server, 20, 31, None, 1), [2]);
    assert_eq!(starting(server, 20, 31, Some((20, 2)), 10), [3, 4], "same start, next volume");
    assert_eq!(starting(server, 20, 31, Some((31, 4)), 10), []);
    assert_eq!(starting(server, 20, 31, Some((5, 9)), 10), [2, 3, 4], "`after` before the range");
    assert_eq!(starting(server, 21, 30, None, 10), []);
    assert_eq!(starting(server, 0, u64::MAX, None, usize::MAX), [1, 2, 3, 4, 5]);

    let covering = |axis, at| -> Vec<u64> {
        let runs = catalog.runs_covering(StreamId([1; 16]), axis, UnixMillis(at)).unwrap();
        runs.iter().map(|run| run.volume).collect()
    };
    assert_eq!(covering(server, 10), [], "a run that starts at the instant does not cover it");
    assert_eq!(covering(server, 20), [1], "one that ends at it does");
    assert_eq!(covering(server, 21), [2, 3]);
    assert_eq!(covering(server, 26), [2]);
    assert_eq!(covering(server, 41), []);
    assert_eq!(covering(producer, 945), [5]);
    catalog.wipe().unwrap();
}

/// Spans from nothing to decades, as cameras with broken clocks make them.
fn covering_runs_equal_a_full_scan(catalog: &dyn IndexCatalog) {
    let mut runs = Vec::new();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for id in 1..=300 {
        // A plain xorshift: the suite must not depend on a random source.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let start = 1_000_000 + (seed >> 20) % 100_000;
        let len = (seed >> 40) >> (seed % 25);
        let producer = (start / 2, start / 2 + len);
        let record = run(id, 1, (start, start + len / 3), producer);
        catalog.seal_volume(&volume(id), std::slice::from_ref(&record)).unwrap();
        runs.push(record);
    }
    for axis in [TimeAxis::Server, TimeAxis::Producer] {
        for probe in 0..200 {
            let at = match probe % 4 {
                0 => runs[probe].span(axis).0,
                1 => runs[probe].span(axis).1,
                2 => UnixMillis(runs[probe].span(axis).0.0 + 1),
                _ => UnixMillis(400_000 + 5_000 * probe as u64),
            };
            let mut expected: Vec<_> = runs
                .iter()
                .filter(|run| run.span(axis).0 < at && run.span(axis).1 >= at)
                .cloned()
                .collect();
            expected.sort_by_key(|run| (run.span(axis).0, run.volume));
            assert_eq!(catalog.runs_covering(StreamId([1; 16]), axis, at).unwrap(), expected);
        }
    }
    catalog.wipe().unwrap();
}

fn last_run_has_the_largest_number(catalog: &dyn IndexCatalog) {
    let stream = StreamId([1; 16]);
    assert_eq!(catalog.last_run(stream, TimeAxis::Server).unwrap(), None);
    let last = |expected: RunRecord| {
        assert_eq!(catalog.last_run(stream, TimeAxis::Server).unwrap(), Some(expected));
    };
    let put = |run: &RunRecord| {
        catalog.seal_volume(&volume(run.volume), std::slice::from_ref(run)).unwrap();
    };
    put(&run(1, 1, (10, 20), (10, 20)));
    put(&run(2, 1, (30, 40), (30, 40)));
    last(run(2, 1, (30, 40), (30, 40)));
    // Two sessions overlapped: the run that started earlier ends later.
    put(&run(3, 1, (25, 90), (25, 90)));
    last(run(3, 1, (25, 90), (25, 90)));
    // Same start, later end, smaller volume id.
    put(&run(5, 1, (70, 70), (70, 70)));
    put(&run(4, 1, (70, 95), (70, 95)));
    last(run(4, 1, (70, 95), (70, 95)));
    put(&run(6, 2, (200, 300), (200, 300)));
    last(run(4, 1, (70, 95), (70, 95)));
    let newest = run(7, 1, (1, 2), (80, 1_000));
    put(&newest);
    assert_eq!(catalog.last_run(stream, TimeAxis::Producer).unwrap(), Some(newest));
    last(run(4, 1, (70, 95), (70, 95)));
    catalog.wipe().unwrap();
}

fn runs_of_a_stream_go_in_pieces(catalog: &dyn IndexCatalog) {
    for id in 1..=5 {
        let runs = [run(id, 1, (id, id), (id, id)), run(id, 2, (id, id), (id, id))];
        catalog.seal_volume(&volume(id), &runs).unwrap();
    }
    let removed: Vec<_> =
        (0..4).map(|_| catalog.remove_runs_of(StreamId([1; 16]), 2).unwrap()).collect();
    assert_eq!(removed, [2, 2, 1, 0]);
    for id in 1..=5 {
        assert_eq!(catalog.runs_in(id).unwrap(), [run(id, 2, (id, id), (id, id))]);
    }
    catalog.wipe().unwrap();
}
