//! What is visible, what is deleted, and when.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use streamkeep_catalog::{IndexCatalog, VolumeState};
use streamkeep_engine::{Engine, Health, RowRange, StoreError, StreamConfig};
use streamkeep_io::sim::{CrashOptions, OpKind, SimOp, SimRng};
use streamkeep_media::{Fragment, StreamId, UnixMillis};

use support::*;

fn store(streams: u8, hours: u32) -> SimStore {
    let mut store = SimStore::new(1).with_streams(streams, hours);
    store.options.volume_len = 16 << 10;
    store
}

/// One fragment every ten minutes.
fn fill(store: &SimStore, engine: &Engine, id: StreamId, count: u64) -> Vec<Fragment> {
    (0..count)
        .map(|seed| {
            let (sent, outcome) = put(engine, id, seed, 3_000);
            engine.drive();
            outcome.appended();
            store.clock.advance(Duration::from_secs(600));
            sent
        })
        .collect()
}

fn files(store: &SimStore) -> usize {
    volume_files(&*store.disk.directory("volumes")).len()
}

#[test]
fn expired_fragments_are_invisible_at_once() {
    let mut store = store(1, 2);
    let engine = store.open();
    let sent = fill(&store, &engine, stream(0), 30);
    // Now is ten minutes past the last: the last twelve are two hours old or younger.
    let visible: Vec<_> = sent[18..].iter().map(|sent| sent.number).collect();
    let whole = UnixMillis(0)..=UnixMillis(u64::MAX);
    for range in [RowRange::Server(whole.clone()), RowRange::Producer(whole)] {
        assert_eq!(numbers(&rows(&engine, stream(0), range)), visible);
    }
    assert_eq!(engine.first_row(stream(0)).unwrap().unwrap().number, visible[0]);
    let hidden = &sent[17];
    assert_eq!(engine.row(stream(0), hidden.number).unwrap(), None);
    assert!(matches!(
        engine.read(stream(0), hidden.number),
        Err(StoreError::NoSuchFragment { .. })
    ));
    // A row that was looked up in time does not keep the fragment alive.
    let row = engine.row(stream(0), sent[18].number).unwrap().unwrap();
    store.clock.advance(Duration::from_secs(1));
    assert!(matches!(engine.read_row(stream(0), &row), Err(StoreError::NoSuchFragment { .. })));
    store.clock.advance(Duration::from_secs(3 * 3600));
    assert_eq!(engine.last_row(stream(0)).unwrap(), None);
}

#[test]
fn volumes_go_when_their_last_fragment_has_expired() {
    let mut store = store(1, 2);
    let engine = store.open();
    fill(&store, &engine, stream(0), 60);
    // Volumes hold four fragments: 120 minutes are three or four of them, and the one being filled.
    assert!(files(&store) <= 6, "{} files left of 15", files(&store));
    assert!(engine.stats().volumes_deleted >= 10);
    assert_eq!(files(&store) as u64, store.index.volumes().unwrap().len() as u64);
    assert_eq!(all_rows(&engine, stream(0)).len(), 12);
}

/// What a forecast of the disk is made of: every volume once, in memory or sealed, with its end.
#[test]
fn footage_is_counted_with_the_hour_in_which_it_goes() {
    let mut store = store(1, 2);
    let engine = store.open();
    assert_eq!(engine.footage().unwrap().bytes, 0);
    fill(&store, &engine, stream(0), 60);
    let footage = engine.footage().unwrap();
    assert_eq!(footage.volumes as usize, files(&store));
    let sealed: u64 = store.index.volumes().unwrap().iter().map(|volume| volume.length).sum();
    assert!(footage.bytes >= sealed && sealed > 0);
    assert_eq!(footage.expiring.values().sum::<u64>(), footage.bytes, "all of it goes");
    let hour = engine.begin_fragment(stream(0)).unwrap().1.0 / 3_600_000;
    assert!(footage.expiring.keys().all(|at| (hour..=hour + 3).contains(at)), "{footage:?}");
    assert_eq!(footage.kept_hours.keys().copied().collect::<Vec<_>>(), [2]);
    let stats = engine.stats();
    assert!(stats.appended_bytes > 0 && stats.appended_bytes < stats.written_bytes, "footers");
}

/// Streams of one class share volumes: the one that keeps longer decides.
#[test]
fn the_longest_retention_in_a_volume_decides() {
    let mut store = store(2, 2);
    store.streams.insert(stream(1), config(stream(1), 20));
    let engine = store.open();
    let kept = put(&engine, stream(1), 1, 1_000).0;
    fill(&store, &engine, stream(0), 60);
    assert_stored(&engine, stream(1), &kept);
    assert_eq!(all_rows(&engine, stream(0)).len(), 12, "visibility is the stream's own");
}

#[test]
fn retention_changes() {
    let mut store = store(1, 20);
    let engine = store.open();
    let sent = fill(&store, &engine, stream(0), 60);
    assert_eq!(all_rows(&engine, stream(0)).len(), 60);
    let before = files(&store);
    // Lowered to two hours: the control plane moves the floor along, so that raising it again
    // brings nothing back.
    let now = streamkeep_io::Clock::now(&*store.clock);
    let lowered =
        StreamConfig { visible_from: UnixMillis(now.0 - 2 * HOUR_MS), ..config(stream(0), 2) };
    engine.update_stream(lowered);
    assert_eq!(all_rows(&engine, stream(0)).len(), 12);
    engine.drive();
    engine.drive();
    store.clock.advance(Duration::from_secs(61));
    engine.drive();
    assert!(files(&store) < before - 8, "{} of {before} files left", files(&store));
    engine.update_stream(StreamConfig { retention_hours: 20, ..lowered });
    assert!(all_rows(&engine, stream(0)).len() <= 12);
    assert_stored(&engine, stream(0), &sent[59]);
    // Raised: what is there stays longer than it would have.
    store.clock.advance(Duration::from_secs(5 * 3600));
    engine.drive();
    assert_stored(&engine, stream(0), &sent[59]);
}

/// A stream is deleted: nothing of it can be read, its rows leave the index, and volumes that held
/// nothing else go.
#[test]
fn deleted_streams_leave() {
    let mut store = store(2, 20);
    let engine = store.open();
    fill(&store, &engine, stream(0), 20);
    let kept = put(&engine, stream(1), 1, 1_000).0;
    engine.drive();
    let before = files(&store);
    engine.delete_stream(stream(0));
    for _ in 0..3 {
        store.clock.advance(Duration::from_secs(61));
        engine.drive();
    }
    for volume in store.index.volumes().unwrap() {
        let runs = store.index.runs_in(volume.id).unwrap();
        assert!(runs.iter().all(|run| run.stream != stream(0)));
    }
    assert!(files(&store) < before, "volumes of the stream alone are gone");
    assert_stored(&engine, stream(1), &kept);
    engine.close();
    // The volume that was open when it was deleted was sealed without it.
    let known: Vec<_> = store
        .index
        .volumes()
        .unwrap()
        .iter()
        .flat_map(|volume| store.index.runs_in(volume.id).unwrap())
        .collect();
    assert!(known.iter().all(|run| run.stream == stream(1)), "{known:?}");
}

/// The clock jumps ten years ahead: nothing is deleted until someone says that it is right.
#[test]
fn a_wrong_clock_deletes_nothing() {
    let mut store = store(1, 20);
    let engine = store.open();
    let sent = fill(&store, &engine, stream(0), 20);
    let before = files(&store);
    let right = streamkeep_io::Clock::now(&*store.clock);
    store.clock.set_now(UnixMillis(right.0 + 10 * 365 * 24 * HOUR_MS));
    for _ in 0..3 {
        store.clock.advance(Duration::from_secs(61));
        engine.drive();
    }
    assert_eq!(files(&store), before);
    assert!(matches!(engine.health(), Health::Degraded(_)));
    // Also when the process was started with the wrong clock.
    drop(engine);
    let engine = store.open();
    for _ in 0..3 {
        store.clock.advance(Duration::from_secs(61));
        engine.drive();
    }
    assert!(files(&store) >= before);
    store.clock.set_now(right);
    store.clock.advance(Duration::from_secs(61));
    engine.drive();
    assert_eq!(engine.health(), Health::Ok);
    for sent in &sent {
        assert_stored(&engine, stream(0), sent);
    }
    // It was right after all.
    store.clock.set_now(UnixMillis(right.0 + 24 * HOUR_MS));
    engine.drive();
    assert!(files(&store) >= before);
    engine.confirm_clock();
    engine.drive();
    assert!(files(&store) < before);
}

/// Take the name away, sync the directory, and only then remove the row.
#[test]
fn rows_go_after_the_file_is_durably_gone() {
    let mut store = store(1, 2);
    let engine = store.open();
    fill(&store, &engine, stream(0), 8);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, index) = (seen.clone(), store.index.clone());
    store.disk.set_hook(move |op: &SimOp| {
        if op.directory == "volumes" && matches!(op.kind, OpKind::Rename | OpKind::SyncDir) {
            let deleting = index.volumes().unwrap();
            let deleting =
                deleting.iter().filter(|volume| volume.state == VolumeState::Deleting).count();
            log.lock().unwrap().push((op.kind, deleting));
        }
    });
    store.clock.advance(Duration::from_secs(3 * 3600));
    engine.drive();
    store.disk.set_hook(|_| {});
    let seen = seen.lock().unwrap();
    assert!(!seen.is_empty() && engine.stats().volumes_deleted > 0);
    for pair in seen.chunks(2) {
        assert_eq!(pair, [(OpKind::Rename, 1), (OpKind::SyncDir, 1)], "{seen:?}");
    }
}

/// A removed volume keeps its bytes for those who read it, and then shrinks, each piece synced.
#[test]
fn space_is_given_back_in_pieces() {
    let mut store = store(1, 2);
    store.options.volume_len = 32 << 10;
    let engine = store.open();
    fill(&store, &engine, stream(0), 8);
    store.clock.advance(Duration::from_secs(3 * 3600));
    let before = files(&store);
    engine.drive();
    assert!(files(&store) < before && removed(&store) > 0);
    store.clock.advance(Duration::from_secs(9));
    engine.drive();
    let kept = removed(&store);
    assert!(kept > 0);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    store.disk.set_hook(move |op: &SimOp| {
        if op.file.ends_with(".tmp") {
            log.lock().unwrap().push((op.kind, op.len));
        }
    });
    store.clock.advance(Duration::from_secs(1));
    engine.drive();
    store.disk.set_hook(|_| {});
    assert_eq!(removed(&store), kept - 1);
    let seen = seen.lock().unwrap();
    let (last, pieces) = seen.split_last().unwrap();
    assert_eq!(last.0, OpKind::Unlink);
    assert!(pieces.len() >= 4, "{seen:?}");
    for (index, pair) in pieces.chunks(2).rev().enumerate() {
        assert_eq!((pair[0].0, pair[1].0), (OpKind::Truncate, OpKind::Sync));
        let left = pair[0].1;
        assert_eq!(left.div_ceil(store.options.free_piece_len), index as u64 + 1, "{seen:?}");
    }
    // A store that closes leaves nothing behind.
    engine.close();
    assert_eq!(removed(&store), 0);
}

/// Files of removed volumes.
fn removed(store: &SimStore) -> usize {
    let files = streamkeep_io::VolumeIo::list(&*store.disk.directory("volumes")).unwrap();
    files.iter().filter(|file| file.name.ends_with(".vol.tmp")).count()
}

/// A deletion that is cut off anywhere is finished by the next start.
#[test]
fn deletion_survives_a_power_cut_at_each_step() {
    for cut in 0..40 {
        for options in [CrashOptions::NOTHING, CrashOptions::RANDOM, CrashOptions::KILL] {
            let mut store = store(1, 2);
            let engine = store.open();
            fill(&store, &engine, stream(0), 8);
            store.clock.advance(Duration::from_secs(3 * 3600));
            store.disk.crash_at(Some(store.disk.operations() + cut));
            engine.drive();
            store.clock.advance(Duration::from_secs(11));
            engine.drive();
            drop(engine);
            store.disk.crash(&SimRng::new(cut), options);
            store.index.forget_latest(cut as usize % 3);
            let engine = store.open();
            assert_eq!(engine.recovery().lost, [0_u64; 0], "cut {cut} {options:?}");
            // Three hours without a fragment: the start does not believe the clock by itself.
            engine.confirm_clock();
            engine.drive();
            store.clock.advance(Duration::from_secs(61));
            engine.drive();
            assert_eq!(files(&store), store.index.volumes().unwrap().len());
            assert_eq!(
                store.index.volumes().unwrap(),
                [],
                "cut {cut} {options:?} {:?}",
                engine.health()
            );
            engine.close();
            assert_eq!(removed(&store), 0);
        }
    }
}

/// A file that disappears is reported, and does not stop anything.
#[test]
fn a_missing_file_is_reported() {
    let mut store = store(1, 20);
    let engine = store.open();
    let sent = fill(&store, &engine, stream(0), 20);
    engine.close();
    drop(engine);
    let dir = store.disk.directory("volumes");
    streamkeep_io::VolumeIo::unlink(&*dir, "0000000000000002.vol").unwrap();
    let engine = store.open();
    assert_eq!(engine.recovery().lost, [2]);
    assert!(matches!(engine.health(), Health::Degraded(_)));
    assert_eq!(store.index.volume(2).unwrap().unwrap().state, VolumeState::Lost);
    let listed = all_rows(&engine, stream(0)).len();
    assert!(listed < sent.len() && listed > 10, "{listed}");
    let (_, outcome) = put(&engine, stream(0), 99, 1_000);
    engine.drive();
    outcome.appended();
}

/// The index is gone, and all volumes are taken in before any stream is put: that must not look like
/// streams without a retention.
#[test]
fn nothing_is_deleted_before_the_streams_are_known() {
    let mut store = store(1, 24 * 30);
    let engine = store.open();
    let sent = fill(&store, &engine, stream(0), 20);
    drop(engine);
    store.clock.advance(Duration::from_secs(20 * 24 * 3600));
    store.index = Arc::new(streamkeep_catalog::MemoryIndex::new());
    let config = std::mem::take(&mut store.streams);
    let engine = store.open();
    engine.confirm_clock();
    for _ in 0..3 {
        store.clock.advance(Duration::from_secs(61));
        engine.drive();
    }
    engine.put_stream(config[&stream(0)]);
    for sent in &sent {
        assert_stored(&engine, stream(0), sent);
    }
    // Its retention counts from now on.
    store.clock.advance(Duration::from_secs(11 * 24 * 3600));
    for _ in 0..3 {
        store.clock.advance(Duration::from_secs(61));
        engine.drive();
    }
    assert_eq!(files(&store), 0);
}

/// The key of a stream is gone: what is left of it is kept for a week, in case it comes back.
#[test]
fn media_without_a_key_goes_after_a_week() {
    let mut store = store(1, 24 * 30);
    let engine = store.open();
    fill(&store, &engine, stream(0), 20);
    engine.close();
    drop(engine);
    store.streams.clear();
    store.keys.removed.lock().unwrap().push(stream(0));
    store.index = Arc::new(streamkeep_catalog::MemoryIndex::new());
    let engine = store.open();
    let days = |days: u64| {
        store.clock.advance(Duration::from_secs(days * 24 * 3600));
        engine.drive();
        store.clock.advance(Duration::from_secs(61));
        engine.drive();
        files(&store)
    };
    assert!(days(6) > 0);
    assert_eq!(days(2), 0);
}
