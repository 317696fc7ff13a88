//! Failed writes and syncs, full disks, decay.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use streamkeep_catalog::{IndexCatalog, MemoryIndex, VolumeState};
use streamkeep_engine::{AppendRefused, Engine, Health, ReadOnlyReason, StoreError};
use streamkeep_io::VolumeIo;
use streamkeep_io::sim::{CrashOptions, Effect, Fault, IoFault, OpKind, SimOp, SimRng};
use streamkeep_media::{Fragment, FragmentNumber, StreamId};

use support::*;

/// Puts `turns` fragments in small batches; returns those that were acknowledged. Appends that fail
/// are sent once more, as a camera does.
fn fill(store: &SimStore, engine: &Engine, turns: u64) -> Vec<(StreamId, Fragment)> {
    let mut acked = Vec::new();
    for turn in 0..turns {
        store.clock.advance(Duration::from_secs(1));
        let batch: Vec<_> = (0..3)
            .filter_map(|index| {
                let id = stream(index);
                let (number, server) = engine.begin_fragment(id).ok()?;
                let sent = fragment(number, server, turn * 3 + u64::from(index), 1_500);
                Some((id, sent.clone(), try_append(engine, id, sent).ok()?))
            })
            .collect();
        engine.drive();
        for (id, sent, outcome) in batch {
            match outcome.get() {
                Some(Ok(_)) => acked.push((id, sent)),
                Some(Err(_)) => {
                    let again = try_append(engine, id, sent.clone());
                    engine.drive();
                    if again.is_ok_and(|outcome| outcome.get().is_some_and(|r| r.is_ok())) {
                        acked.push((id, sent));
                    }
                }
                None => panic!("no answer"),
            }
        }
    }
    acked
}

fn assert_all_stored(engine: &Engine, acked: &[(StreamId, Fragment)]) {
    for (id, sent) in acked {
        assert_stored(engine, *id, sent);
    }
}

fn assert_ordinals_unbroken(engine: &Engine) {
    for index in 0..3 {
        let mut ordinals: Vec<_> =
            all_rows(engine, stream(index)).iter().map(|row| row.counters.ordinal).collect();
        ordinals.sort_unstable();
        assert_eq!(ordinals, (0..ordinals.len() as u64).collect::<Vec<_>>());
    }
}

fn small_store(seed: u64) -> SimStore {
    let mut store = SimStore::new(seed).with_streams(3, 24);
    store.options.volume_len = 32 << 10;
    store
}

/// The device reports an error at the n-th sync of any file, once: every fragment is acknowledged
/// all the same, because the same records are written to a new volume.
#[test]
fn one_failed_sync_is_not_noticed_by_any_camera() {
    let mut failures = 0;
    for nth in 0..200 {
        let mut store = small_store(nth);
        let engine = store.open();
        store.disk.inject(Fault::nth(OpKind::Sync, nth, Effect::Fail(IoFault::Io)));
        let acked = fill(&store, &engine, 45);
        assert_eq!(acked.len(), 135, "sync {nth}");
        assert_all_stored(&engine, &acked);
        assert_ordinals_unbroken(&engine);
        // The lock record is synced too; its failure is no volume's.
        failures += engine.stats().write_failures;
        // What the failed sync covered is gone after a crash; what was acknowledged is not.
        drop(engine);
        store.disk.crash(&SimRng::new(nth), CrashOptions::NOTHING);
        let engine = store.open();
        assert_all_stored(&engine, &acked);
        assert_ordinals_unbroken(&engine);
        assert_eq!(engine.recovery().damaged, [], "sync {nth}");
    }
    assert!(failures > 50, "{failures}");
}

/// The same for writes, in part done.
#[test]
fn one_failed_write_is_not_noticed_by_any_camera() {
    for nth in 0..60 {
        let mut store = small_store(nth);
        let engine = store.open();
        let effect = match nth % 3 {
            0 => Effect::Fail(IoFault::Io),
            1 => Effect::ShortWrite { bytes: nth * 37, then: IoFault::Io },
            _ => Effect::ShortWrite { bytes: 4096, then: IoFault::Io },
        };
        store.disk.inject(Fault::nth(OpKind::Write, nth, effect));
        let acked = fill(&store, &engine, 45);
        assert_eq!(acked.len(), 135, "write {nth}");
        drop(engine);
        store.disk.crash(&SimRng::new(nth), CrashOptions::RANDOM);
        let engine = store.open();
        assert_all_stored(&engine, &acked);
        assert_ordinals_unbroken(&engine);
    }
}

/// A fragment that is written in pieces is one append: a piece that fails is a failed volume.
#[test]
fn a_sync_fails_within_a_long_fragment() {
    for nth in 0..4 {
        let mut store = SimStore::new(nth).with_streams(1, 20);
        store.options.volume_len = 32 << 20;
        let engine = store.open();
        let before = engine.stats().syncs;
        store.disk.inject(Fault::nth(OpKind::Sync, nth, Effect::Fail(IoFault::Io)));
        let (sent, outcome) = put(&engine, stream(0), 1, 13 << 20);
        engine.drive();
        outcome.appended();
        let syncs = engine.stats().syncs - before;
        assert!(syncs >= 5 && engine.stats().write_failures == 1, "{:?}", engine.stats());
        drop(engine);
        store.disk.crash(&SimRng::new(nth), CrashOptions::NOTHING);
        let engine = store.open();
        assert_stored(&engine, stream(0), &sent);
    }
}

/// A volume whose sync failed is never written, synced or sealed again.
#[test]
fn a_failed_file_is_left_alone() {
    let mut store = small_store(1);
    let engine = store.open();
    let mut acked = fill(&store, &engine, 1);
    let touched = Arc::new(Mutex::new(BTreeMap::<String, Vec<OpKind>>::new()));
    store.disk.inject(Fault::nth(OpKind::Sync, 0, Effect::Fail(IoFault::Io)));
    let log = touched.clone();
    store.disk.set_hook(move |op: &SimOp| {
        if !matches!(op.kind, OpKind::Read | OpKind::SyncDir) {
            log.lock().unwrap().entry(op.file.clone()).or_default().push(op.kind);
        }
    });
    acked.extend(fill(&store, &engine, 30));
    engine.close();
    store.disk.set_hook(|_| {});
    let touched = touched.lock().unwrap();
    let first = &touched["0000000000000001.vol"];
    // The write of the batch and the sync that failed. Whatever follows only removes the file.
    assert_eq!(first[..2], [OpKind::Write, OpKind::Sync]);
    assert!(first[2..].iter().all(|kind| *kind == OpKind::Unlink), "{first:?}");
    drop(engine);
    let engine = store.open();
    assert_all_stored(&engine, &acked);
}

/// Two failures in a row: appends fail, reads go on, and the store comes back by itself.
#[test]
fn read_only_and_back() {
    let mut store = small_store(1);
    let engine = store.open();
    let acked = fill(&store, &engine, 5);
    store.disk.inject(Fault::every(OpKind::Sync, Effect::Fail(IoFault::Io)));
    let (_, first) = put(&engine, stream(0), 900, 1_000);
    let (_, second) = put(&engine, stream(0), 901, 1_000);
    engine.drive();
    for outcome in [first, second] {
        assert!(matches!(
            outcome.get(),
            Some(Err(StoreError::ReadOnly(ReadOnlyReason::WriteFailed)))
        ));
    }
    assert_eq!(engine.health(), Health::ReadOnly(ReadOnlyReason::WriteFailed));
    let (number, server) = engine.begin_fragment(stream(0)).unwrap();
    let refused = try_append(&engine, stream(0), fragment(number, server, 902, 1_000));
    assert!(matches!(refused, Err(AppendRefused::ReadOnly)));
    assert_all_stored(&engine, &acked);

    store.clock.advance(Duration::from_secs(10));
    engine.drive();
    assert_eq!(engine.health(), Health::ReadOnly(ReadOnlyReason::WriteFailed), "still failing");
    store.disk.clear_faults();
    store.clock.advance(Duration::from_secs(10));
    engine.drive();
    assert!(matches!(engine.health(), Health::Degraded(_)), "{:?}", engine.health());
    let more = fill(&store, &engine, 5);
    assert_eq!(more.len(), 15);
    assert_all_stored(&engine, &acked);
    assert_all_stored(&engine, &more);
    assert_ordinals_unbroken(&engine);
}

#[test]
fn read_only_file_system() {
    let mut store = small_store(1);
    let engine = store.open();
    let acked = fill(&store, &engine, 5);
    for kind in [OpKind::Write, OpKind::Create, OpKind::Sync] {
        store.disk.inject(Fault::every(kind, Effect::Fail(IoFault::ReadOnly)));
    }
    let (_, outcome) = put(&engine, stream(0), 900, 1_000);
    engine.drive();
    assert!(outcome.get().unwrap().is_err());
    assert_eq!(engine.health(), Health::ReadOnly(ReadOnlyReason::ReadOnlyFileSystem));
    assert_eq!(engine.stats().write_failures, 1, "another file would not help");
    assert_all_stored(&engine, &acked);
}

/// No space at the n-th write, for good until it is freed: nothing acknowledged is lost, nothing is
/// left half done.
#[test]
fn no_space_at_each_write() {
    for nth in 0..40 {
        for kind in [OpKind::Write, OpKind::Allocate] {
            let mut store = small_store(nth);
            let engine = store.open();
            store.disk.inject(Fault {
                times: u64::MAX,
                ..Fault::nth(
                    kind,
                    nth / if kind == OpKind::Allocate { 4 } else { 1 },
                    Effect::Fail(IoFault::NoSpace),
                )
            });
            let acked = fill(&store, &engine, 30);
            assert!(acked.len() < 90, "{kind:?} {nth}: the disk was full");
            assert_eq!(engine.health(), Health::ReadOnly(ReadOnlyReason::NoSpace));
            let (number, server) = engine.begin_fragment(stream(0)).unwrap();
            let refused = try_append(&engine, stream(0), fragment(number, server, 902, 1_000));
            assert!(matches!(refused, Err(AppendRefused::NoSpace)));
            assert_all_stored(&engine, &acked);
            store.disk.clear_faults();
            store.clock.advance(Duration::from_secs(60));
            engine.drive();
            let more = fill(&store, &engine, 5);
            assert_eq!(more.len(), 15, "{kind:?} {nth}: space came back");
            drop(engine);
            store.disk.crash(&SimRng::new(nth), CrashOptions::RANDOM);
            let engine = store.open();
            assert_all_stored(&engine, &acked);
            assert_all_stored(&engine, &more);
            assert_ordinals_unbroken(&engine);
        }
    }
}

/// Start-up must not need space.
#[test]
fn start_with_zero_bytes_free() {
    let mut store = small_store(1);
    let engine = store.open();
    let acked = fill(&store, &engine, 30);
    drop(engine);
    store.disk.crash(&SimRng::new(7), CrashOptions::RANDOM);
    let space = store.disk.space();
    store.disk.set_capacity(space.total - space.available);
    assert_eq!(store.disk.space().available, 0);
    let engine = store.open();
    assert_all_stored(&engine, &acked);
    engine.drive();
    assert_eq!(engine.health(), Health::ReadOnly(ReadOnlyReason::NoSpace));
    let (number, server) = engine.begin_fragment(stream(0)).unwrap();
    let refused = try_append(&engine, stream(0), fragment(number, server, 902, 1_000));
    assert!(matches!(refused, Err(AppendRefused::NoSpace)));
    assert_all_stored(&engine, &acked);
    // Deletion of what has expired works and makes room.
    store.clock.advance(Duration::from_secs(30 * 3600));
    engine.confirm_clock();
    engine.drive();
    store.clock.advance(Duration::from_secs(10));
    engine.drive();
    assert!(store.disk.space().available > 0);
    let more = fill(&store, &engine, 2);
    assert_eq!(more.len(), 6);
}

#[test]
fn watermarks() {
    let mut store = small_store(1);
    store.disk.set_capacity(100 << 20);
    store.options.ballast_len = 1 << 20;
    let engine = store.open();
    engine.drive();
    assert_eq!(engine.health(), Health::Ok);
    assert!(volume_files(&*store.disk.directory("root")).contains(&"ballast".to_owned()));
    let look = |used_percent: u64| {
        let root = store.disk.directory("root");
        root.unlink("filler").ok();
        let space = store.disk.space();
        let others = space.total - space.available;
        root.create("filler").unwrap().allocate(space.total * used_percent / 100 - others).unwrap();
        store.clock.advance(Duration::from_secs(6));
        engine.drive();
        engine.health()
    };
    assert_eq!(look(50), Health::Ok);
    assert!(matches!(look(81), Health::Degraded(_)));
    assert_eq!(look(96), Health::ReadOnly(ReadOnlyReason::NoSpace));
    assert!(volume_files(&*store.disk.directory("root")).contains(&"ballast".to_owned()));
    assert_eq!(look(100), Health::ReadOnly(ReadOnlyReason::NoSpace));
    assert!(!volume_files(&*store.disk.directory("root")).contains(&"ballast".to_owned()));
    store.disk.directory("root").unlink("filler").unwrap();
    store.clock.advance(Duration::from_secs(6));
    engine.drive();
    store.clock.advance(Duration::from_secs(6));
    engine.drive();
    assert_eq!(engine.health(), Health::Ok);
    assert_eq!(fill(&store, &engine, 2).len(), 6);
}

/// Any single bit turned over anywhere in the volumes: what is served is what was sent, the rest is
/// reported, and nothing is served under a wrong name.
#[test]
fn every_flipped_bit_is_found() {
    let mut store = small_store(1);
    let engine = store.open();
    let acked = fill(&store, &engine, 14);
    engine.close();
    drop(engine);
    let sent: BTreeMap<(StreamId, FragmentNumber), Fragment> =
        acked.iter().map(|(id, sent)| ((*id, sent.number), sent.clone())).collect();
    let dir = store.disk.directory("volumes");
    let rng = SimRng::new(3);
    let mut lost = 0;
    for round in 0..400 {
        let files = dir.list().unwrap();
        let file = &files[rng.below(files.len() as u64) as usize];
        let bit = rng.below(file.len * 8);
        store.disk.flip_bit("volumes", &file.name, bit);
        // Every second time the index has to be made from the volumes.
        let mut life = fork_of(&store, round % 2 == 1);
        let engine = life.open();
        engine.drive();
        let mut found = 0;
        for index in 0..3 {
            for row in all_rows(&engine, stream(index)) {
                let sent = sent.get(&(stream(index), row.number));
                let sent = sent.unwrap_or_else(|| panic!("bit {bit} of {file:?}: invented"));
                match engine.read_row(stream(index), &row) {
                    Ok(stored) => {
                        assert_eq!(stored.media, media_of(sent), "bit {bit} of {file:?}");
                        assert_eq!(stored.meta.frames, sent.frames);
                        assert_eq!(stored.row.producer_timestamp, sent.producer_timestamp);
                        found += 1;
                    }
                    Err(StoreError::Damaged { .. }) => {}
                    Err(StoreError::Key { .. }) => {}
                    Err(error) => panic!("bit {bit} of {file:?}: {error}"),
                }
            }
        }
        lost += sent.len() - found;
        // Turned back: all is there again.
        store.disk.flip_bit("volumes", &file.name, bit);
    }
    assert!(lost > 100, "some bits hit: {lost}");
    let engine = store.open();
    assert_all_stored(&engine, &acked);
}

/// The store as it is on the disk, with its index or without.
fn fork_of(store: &SimStore, without_index: bool) -> SimStore {
    let mut fork = SimStore::on(store.disk.fork(), store.clock.clone(), 9);
    fork.options = store.options.clone();
    fork.streams = store.streams.clone();
    fork.epoch = store.epoch;
    if !without_index {
        fork.index = Arc::new(store.index.fork(|| false));
    }
    fork
}

/// A sync reports an error, the process dies at once and comes up on the same kernel: the page cache
/// shows bytes the medium never got. They must not be believed.
#[test]
fn cached_bytes_of_a_failed_sync_are_not_believed() {
    let mut store = small_store(1);
    let is_dying = Arc::new(AtomicBool::new(false));
    let gate = is_dying.clone();
    store.index = Arc::new(MemoryIndex::failing_while(move || gate.load(Ordering::SeqCst)));
    let engine = store.open();
    let acked = fill(&store, &engine, 1);
    store.disk.inject(Fault::nth(OpKind::Sync, 0, Effect::Fail(IoFault::Io)));
    // Nothing of the handling of the error reaches disk or index.
    let dying = is_dying.clone();
    let disk = store.disk.clone();
    store.disk.set_hook(move |op: &SimOp| {
        if op.kind == OpKind::Sync && !dying.swap(true, Ordering::SeqCst) {
            for kind in [OpKind::Write, OpKind::Create] {
                disk.inject(Fault::every(kind, Effect::Fail(IoFault::Io)));
            }
        }
    });
    let (number, server) = engine.begin_fragment(stream(0)).unwrap();
    let sent = fragment(number, server, 77, 1_500);
    let outcome = try_append(&engine, stream(0), sent.clone()).unwrap();
    engine.drive();
    assert!(outcome.get().is_none_or(|result| result.is_err()));
    let cached = store.disk.contents("volumes", "0000000000000001.vol");
    assert_eq!(cached[12_288..12_292], *b"SKBT", "the cache shows the batch");
    drop(engine);
    // The same kernel: its cache lives on, and says that all is clean.
    store.disk.set_hook(|_| {});
    store.disk.clear_faults();
    is_dying.store(false, Ordering::SeqCst);

    let engine = store.open();
    // The camera sends it again.
    let (number, _) = engine.begin_fragment(stream(0)).unwrap();
    let again = Fragment { number, server_timestamp: number.server_timestamp(), ..sent };
    let outcome = try_append(&engine, stream(0), again.clone()).unwrap();
    engine.drive();
    let appended = outcome.appended();
    drop(engine);
    store.disk.crash(&SimRng::new(2), CrashOptions::NOTHING);
    let engine = store.open();
    let stored = engine.read(stream(0), appended.number).unwrap();
    assert_eq!(stored.media, media_of(&again));
    assert_all_stored(&engine, &acked);
}

/// A process is killed between write and sync. What it wrote is found in the page cache and answered
/// as stored when it is sent again, so it must be made durable first.
#[test]
fn cached_bytes_of_a_killed_process_are_made_durable() {
    let mut store = small_store(1);
    let engine = store.open();
    let acked = fill(&store, &engine, 1);
    let (number, server) = engine.begin_fragment(stream(0)).unwrap();
    let sent = fragment(number, server, 77, 1_500);
    let _outcome = try_append(&engine, stream(0), sent.clone()).unwrap();
    store.disk.set_hook(|op: &SimOp| assert!(op.kind != OpKind::Sync, "killed here"));
    let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| engine.drive()));
    assert!(killed.is_err());
    store.disk.set_hook(|_| {});
    drop(engine);

    let engine = store.open();
    let (number, _) = engine.begin_fragment(stream(0)).unwrap();
    let again = Fragment { number, server_timestamp: number.server_timestamp(), ..sent.clone() };
    let outcome = try_append(&engine, stream(0), again).unwrap();
    // Answered before housekeeping can seal the volume, which would sync it too.
    store.disk.inject(Fault::every(OpKind::Write, Effect::Fail(IoFault::NoSpace)));
    engine.drive();
    let appended = outcome.appended();
    assert!(appended.duplicate && appended.number == sent.number, "{appended:?}");
    drop(engine);
    store.disk.crash(&SimRng::new(2), CrashOptions::NOTHING);
    let engine = store.open();
    assert_stored(&engine, stream(0), &sent);
    assert_all_stored(&engine, &acked);
}

/// The index does not take rows: storing and finding go on from memory, and the index is brought up
/// to date when it is back.
#[test]
fn the_index_may_fail() {
    let mut store = small_store(1);
    let down = Arc::new(Mutex::new(false));
    let gate = down.clone();
    store.index = Arc::new(MemoryIndex::failing_while(move || *gate.lock().unwrap()));
    let engine = store.open();
    *down.lock().unwrap() = true;
    let acked = fill(&store, &engine, 45);
    assert_eq!(acked.len(), 135);
    assert_all_stored(&engine, &acked);
    assert!(matches!(engine.health(), Health::Degraded(_)));
    *down.lock().unwrap() = false;
    store.clock.advance(Duration::from_secs(60));
    engine.drive();
    assert_all_stored(&engine, &acked);
    let sealed = store.index.volumes().unwrap();
    let sealed = sealed.iter().filter(|volume| volume.state == VolumeState::Sealed).count();
    assert!(sealed as u64 == engine.stats().volumes_sealed && sealed > 2, "{sealed}");
}

/// A key store that is down does not stop cameras whose keys are known.
#[test]
fn key_store_down() {
    let mut store = small_store(1);
    store.options.key_ttl = Duration::from_secs(3600);
    let engine = store.open();
    let acked = fill(&store, &engine, 2);
    *store.keys.unavailable.lock().unwrap() = true;
    store.clock.advance(Duration::from_secs(3000));
    assert_eq!(fill(&store, &engine, 2).len(), 6);
    assert_all_stored(&engine, &acked);
    store.clock.advance(Duration::from_secs(1000));
    let (number, server) = engine.begin_fragment(stream(0)).unwrap();
    let refused = try_append(&engine, stream(0), fragment(number, server, 902, 1_000));
    assert!(matches!(refused, Err(AppendRefused::KeyUnavailable(_))), "{refused:?}");
    assert!(matches!(engine.read(stream(0), acked[0].1.number), Err(StoreError::Key { .. })));
    *store.keys.unavailable.lock().unwrap() = false;
    assert_eq!(fill(&store, &engine, 2).len(), 6);
    assert_all_stored(&engine, &acked);
}

/// A lost write and a misdirected one: the medium says yes and does something else. Whatever comes
/// back is what was sent, and what does not is reported.
#[test]
fn lying_disks_are_found_out() {
    for nth in 0..30 {
        let mut store = small_store(nth);
        let engine = store.open();
        let effect = match nth % 3 {
            0 => Effect::DropWrite,
            1 => Effect::MisdirectWrite { by: 8192 },
            _ => Effect::FlipBit { bit: SimRng::new(nth).next_u64() },
        };
        store.disk.inject(Fault::nth(OpKind::Write, nth, effect));
        let sent = fill(&store, &engine, 20);
        drop(engine);
        store.disk.crash(&SimRng::new(nth), CrashOptions::NOTHING);
        let engine = store.open();
        engine.drive();
        for (id, sent) in &sent {
            match engine.read(*id, sent.number) {
                Ok(stored) => assert_eq!(stored.media, media_of(sent)),
                Err(StoreError::Damaged { .. } | StoreError::NoSuchFragment { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        for index in 0..3 {
            for row in all_rows(&engine, stream(index)) {
                assert!(sent.iter().any(|(id, s)| *id == stream(index) && s.number == row.number));
            }
        }
    }
}
