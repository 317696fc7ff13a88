//! The offline check finds what is wrong, and the index can be made anew.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use streamkeep_catalog::{IndexCatalog, MemoryIndex, VolumeRecord, VolumeState};
use streamkeep_engine::{
    FsckLevel, FsckProblem, FsckReport, Offline, StoreError, fsck, rebuild_index, stores_in,
};
use streamkeep_io::VolumeIo;
use streamkeep_io::sim::{CrashOptions, SimRng};
use streamkeep_keys::StoreId;
use streamkeep_media::{Fragment, StreamId};
use streamkeep_volume::Problem;

use support::*;

fn filled() -> (SimStore, Vec<(StreamId, Fragment)>) {
    let mut store = SimStore::new(1).with_streams(2, 24);
    store.options.volume_len = 24 << 10;
    let engine = store.open();
    let mut sent = Vec::new();
    for seed in 0..20 {
        store.clock.advance(Duration::from_secs(2));
        let id = stream(seed as u8 % 2);
        sent.push((id, put(&engine, id, seed, 2_000).0));
        engine.drive();
    }
    engine.close();
    (store, sent)
}

fn check(store: &SimStore, level: FsckLevel) -> FsckReport {
    let volumes = store.disk.directory("volumes");
    let offline = Offline { volumes: &*volumes, store: STORE, index: &*store.index };
    fsck(&offline, level, &*store.keys, &mut |_, _, _| true).unwrap()
}

const LEVELS: [FsckLevel; 4] =
    [FsckLevel::Presence, FsckLevel::Headers, FsckLevel::Checksums, FsckLevel::Decrypt];

#[test]
fn a_sound_store_is_clean_at_every_level() {
    let (store, sent) = filled();
    for level in LEVELS {
        let report = check(&store, level);
        assert!(report.is_clean(), "{level:?}: {:?}", report.problems);
        assert_eq!(report.fragments, sent.len() as u64, "{level:?}");
        assert!(report.volumes > 2 && report.record_bytes > 20 * 2_000);
    }
}

/// A store whose process was killed or whose power was cut: a torn tail is no damage.
#[test]
fn an_unclean_store_is_clean_too() {
    let (mut store, _) = filled();
    let engine = store.open();
    for seed in 100..103 {
        put(&engine, stream(0), seed, 2_000);
        engine.drive();
    }
    put(&engine, stream(0), 110, 2_000);
    store.disk.crash_at(Some(store.disk.operations() + 1));
    engine.drive();
    drop(engine);
    store.disk.crash(&SimRng::new(5), CrashOptions::RANDOM);
    for level in LEVELS {
        let report = check(&store, level);
        assert!(report.is_clean(), "{level:?}: {:?}", report.problems);
    }
}

/// Each damage, the first level that finds it, and what it is called.
#[test]
fn what_is_wrong_is_found() {
    type Damage = fn(&SimStore);
    type Expected = fn(&FsckProblem) -> bool;
    let cases: [(&str, Damage, FsckLevel, Expected); 8] = [
        (
            "a file is gone",
            |store| store.disk.directory("volumes").unlink("0000000000000002.vol").unwrap(),
            FsckLevel::Presence,
            |problem| *problem == FsckProblem::FileMissing,
        ),
        (
            "a row is gone",
            |store| store.index.remove_volume(2).unwrap(),
            FsckLevel::Presence,
            |problem| *problem == FsckProblem::RowMissing,
        ),
        (
            "another length",
            |store| {
                let record = store.index.volume(2).unwrap().unwrap();
                let length = record.length + 4096;
                store.index.update_volume(&VolumeRecord { length, ..record }).unwrap();
            },
            FsckLevel::Presence,
            |problem| matches!(problem, FsckProblem::Length { .. }),
        ),
        (
            "a run is gone from the index",
            |store| {
                store.index.remove_runs_of(stream(1), 1).unwrap();
            },
            FsckLevel::Presence,
            |problem| *problem == FsckProblem::RunDiffers(stream(1)),
        ),
        (
            "a run says something else",
            |store| {
                let mut runs = store.index.runs_in(2).unwrap();
                runs[0].max_producer.0 += 1;
                let record = store.index.volume(2).unwrap().unwrap();
                store.index.seal_volume(&record, &runs).unwrap();
            },
            FsckLevel::Presence,
            |problem| matches!(problem, FsckProblem::RunDiffers(_)),
        ),
        (
            "the trailer is damaged",
            |store| {
                let len = store.index.volume(2).unwrap().unwrap().length;
                store.disk.flip_bit("volumes", "0000000000000002.vol", (len - 4000) * 8);
            },
            FsckLevel::Presence,
            |problem| *problem == FsckProblem::NotSealed,
        ),
        (
            "a record header is damaged",
            |store| store.disk.flip_bit("volumes", "0000000000000002.vol", (4096 + 64 + 200) * 8),
            FsckLevel::Headers,
            |problem| matches!(problem, FsckProblem::Volume(Problem::Damage(_))),
        ),
        (
            "a payload is damaged",
            |store| store.disk.flip_bit("volumes", "0000000000000002.vol", (4096 + 1500) * 8),
            FsckLevel::Checksums,
            |problem| matches!(problem, FsckProblem::Volume(Problem::Damage(_))),
        ),
    ];
    for (what, damage, found_at, expected) in cases {
        for level in LEVELS {
            let (store, _) = filled();
            damage(&store);
            let report = check(&store, level);
            assert_eq!(report.is_clean(), level < found_at, "{what}, {level:?}");
            if level >= found_at {
                let named = |(id, problem): &(u64, FsckProblem)| *id <= 2 && expected(problem);
                assert!(report.problems.iter().any(named), "{what}: {:?}", report.problems);
            }
        }
    }
}

/// A stream was deleted: its fragments cannot be opened, and that is as it should be.
#[test]
fn deleted_streams_are_no_problem() {
    let (mut store, sent) = filled();
    let engine = store.open();
    engine.delete_stream(stream(1));
    store.keys.removed.lock().unwrap().push(stream(1));
    engine.drive();
    engine.close();
    let report = check(&store, FsckLevel::Decrypt);
    assert!(report.is_clean(), "{:?}", report.problems);
    assert_eq!((report.shredded, report.fragments), (sent.len() as u64 / 2, sent.len() as u64));
    // Without the key's removal the index would be incomplete.
    store.keys.removed.lock().unwrap().clear();
    assert!(!check(&store, FsckLevel::Presence).is_clean());
}

#[test]
fn the_index_is_made_anew() {
    let (mut store, sent) = filled();
    let before = (store.index.volumes().unwrap(), store.index.runs_in(2).unwrap());
    store.index = Arc::new(MemoryIndex::new());
    // What is in it goes: rows of other volumes, of any state.
    store.index.insert_volume(&VolumeRecord { id: 77, ..before.0[0].clone() }).unwrap();
    let streams: Vec<_> = store.streams.values().copied().collect();
    let volumes = store.disk.directory("volumes");
    let offline = Offline { volumes: &*volumes, store: STORE, index: &*store.index };
    for _ in 0..2 {
        let report = rebuild_index(&offline, &streams, 0, &mut |_, _, _| {}).unwrap();
        assert_eq!(report.sealed as usize, before.0.len());
        assert_eq!(report.fragments, sent.len() as u64);
        assert_eq!(report.streams.len(), 2);
        assert_eq!(report.largest_epoch, 1);
        assert_eq!((store.index.volumes().unwrap(), store.index.runs_in(2).unwrap()), before);
    }
    let engine = store.open();
    for (id, sent) in &sent {
        assert_stored(&engine, *id, sent);
    }
}

/// What has no footer, or a damaged one, is left to the next start.
#[test]
fn rebuilding_leaves_walking_to_recovery() {
    let (sound, _) = filled();
    let volume = sound.index.volume(2).unwrap().unwrap();
    let (trailer, slot) = (volume.length - 4000, volume.indexed_upto + 64 + 40);
    for damaged in [trailer, slot] {
        let (mut store, sent) = filled();
        store.disk.flip_bit("volumes", "0000000000000002.vol", damaged * 8);
        let streams: Vec<_> = store.streams.values().copied().collect();
        let volumes = store.disk.directory("volumes");
        let offline = Offline { volumes: &*volumes, store: STORE, index: &*store.index };
        let report = rebuild_index(&offline, &streams, 0, &mut |_, _, _| {}).unwrap();
        assert_eq!(report.left_to_recovery, [2]);
        let engine = store.open();
        assert_eq!(engine.recovery().walked, 1);
        engine.drive();
        for (id, sent) in &sent {
            assert_stored(&engine, *id, sent);
        }
        assert_eq!(store.index.volume(2).unwrap().unwrap().state, VolumeState::Sealed);
    }
}

#[test]
fn volumes_of_another_store_are_refused() {
    let (mut store, _) = filled();
    let volumes = store.disk.directory("volumes");
    assert_eq!(stores_in(&*volumes).unwrap(), [STORE].into());
    let other = StoreId([9; 16]);
    let offline = Offline { volumes: &*volumes, store: other, index: &*store.index };
    let before = store.index.volumes().unwrap();
    let result = rebuild_index(&offline, &[], 0, &mut |_, _, _| {});
    assert!(matches!(result, Err(StoreError::OtherStore { .. })));
    assert_eq!(store.index.volumes().unwrap(), before, "nothing was changed");
    store.index = Arc::new(MemoryIndex::new());
    store.options.store = other;
    store.disk.directory("root").unlink("lock").unwrap();
    assert!(matches!(store.try_open(), Err(StoreError::OtherStore { .. })));
}
