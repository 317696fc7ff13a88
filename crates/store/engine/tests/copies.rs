//! Sorted copies, copies of failed volumes, repaired footers.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use streamkeep_catalog::{IndexCatalog, MemoryIndex, VolumeState};
use streamkeep_engine::{Engine, Health, RowRange, SortOnSeal};
use streamkeep_io::sim::{CrashOptions, Effect, Fault, IoFault, OpKind, SimOp, SimRng};
use streamkeep_media::{Fragment, StreamId, UnixMillis};

use support::*;

fn store() -> SimStore {
    let mut store = SimStore::new(1).with_streams(4, 24);
    store.options.volume_len = 40 << 10;
    store
}

fn fill(store: &SimStore, engine: &Engine, rounds: u64) -> Vec<(StreamId, Fragment)> {
    fill_with(store, engine, rounds, 1_000)
}

fn fill_with(
    store: &SimStore,
    engine: &Engine,
    rounds: u64,
    len: usize,
) -> Vec<(StreamId, Fragment)> {
    let mut sent = Vec::new();
    for round in 0..rounds {
        store.clock.advance(Duration::from_secs(2));
        for index in 0..4 {
            let seed = round * 4 + u64::from(index);
            sent.push((stream(index), put(engine, stream(index), seed, len).0));
        }
        engine.drive();
    }
    sent
}

/// The next sync of the volume that is being written fails.
fn fail_first_volume(store: &SimStore) {
    let fault = Fault::nth(OpKind::Sync, 0, Effect::Fail(IoFault::Io));
    store.disk.inject(fault.on_file("0000000000000001.vol"));
}

fn assert_all_stored(engine: &Engine, sent: &[(StreamId, Fragment)]) {
    for (id, sent) in sent {
        assert_stored(engine, *id, sent);
    }
    for index in 0..4 {
        let expected: Vec<_> = sent
            .iter()
            .filter(|(id, _)| *id == stream(index))
            .map(|(_, sent)| sent.number)
            .collect();
        assert_eq!(numbers(&all_rows(engine, stream(index))), expected);
    }
}

#[test]
fn sorted_volumes_hold_each_stream_in_one_piece() {
    let mut store = store();
    store.options.sort_on_seal = SortOnSeal::Always;
    store.options.volume_len = 150 << 10;
    let engine = store.open();
    // Three others lie between two fragments of a stream: 9,000 bytes and more.
    let sent = fill_with(&store, &engine, 30, 3_000);
    assert_all_stored(&engine, &sent);
    let sealed: Vec<_> = store.index.volumes().unwrap();
    let sealed: Vec<_> =
        sealed.iter().filter(|volume| volume.state == VolumeState::Sealed).collect();
    assert!(sealed.len() > 1);
    for index in 0..4 {
        for volume in &sealed {
            let mut rows = all_rows(&engine, stream(index));
            rows.retain(|row| row.volume_id() == volume.id);
            assert!(rows.len() > 1);
            for pair in rows.windows(2) {
                let end = pair[0].location.offset + u64::from(pair[0].location.record_len);
                let gap = pair[1].location.offset - end;
                // A batch ends in between, at most.
                assert!(gap < 8192, "{gap} bytes between two fragments of a stream");
            }
        }
    }
    engine.close();
    assert!(fsck_all(&store).is_clean());
    // A row that was looked up before its volume was sorted is found in the copy.
    store.options.volume_len = 40 << 10;
    let engine = store.open();
    let last = fill(&store, &engine, 1);
    let row = engine.row(stream(0), last[0].1.number).unwrap().unwrap();
    fill(&store, &engine, 10);
    let moved = engine.row(stream(0), last[0].1.number).unwrap().unwrap();
    assert_ne!(row.volume_id(), moved.volume_id());
    let stored = engine.read_row(stream(0), &row).unwrap();
    let meta = engine.read_meta(stream(0), &row).unwrap();
    assert_eq!(meta, stored.meta, "also without its media");
    assert_eq!(stored.media, media_of(&last[0].1));
}

/// Ciphertext is moved, not made again: the salt of each record stays.
#[test]
fn copies_need_no_keys() {
    let mut store = store();
    store.options.sort_on_seal = SortOnSeal::Always;
    let engine = store.open();
    let mut sent = fill(&store, &engine, 3);
    *store.keys.unavailable.lock().unwrap() = true;
    store.clock.advance(Duration::from_secs(3_000));
    sent.extend(fill(&store, &engine, 10));
    assert!(
        store.index.volumes().unwrap().iter().any(|volume| volume.state == VolumeState::Sealed)
    );
    *store.keys.unavailable.lock().unwrap() = false;
    assert_all_stored(&engine, &sent);
}

#[test]
fn a_failed_volume_is_left_behind() {
    let mut store = store();
    let engine = store.open();
    let mut sent = fill(&store, &engine, 2);
    fail_first_volume(&store);
    sent.extend(fill(&store, &engine, 4));
    assert_eq!(engine.stats().write_failures, 1);
    assert_all_stored(&engine, &sent);
    let volumes = store.index.volumes().unwrap();
    assert!(volumes.iter().all(|volume| volume.id != 1), "{volumes:?}");
    assert!(
        !volume_files(&*store.disk.directory("volumes")).contains(&"0000000000000001.vol".into())
    );
    assert_eq!(engine.health(), Health::Ok);
    engine.close();
    assert!(fsck_all(&store).is_clean());
    drop(engine);
    store.disk.crash(&SimRng::new(1), CrashOptions::NOTHING);
    let engine = store.open();
    assert_all_stored(&engine, &sent);
}

/// The process dies before it could leave the failed volume: the next one does.
#[test]
fn a_failed_volume_is_left_behind_after_a_restart() {
    let mut store = store();
    let engine = store.open();
    let mut sent = fill(&store, &engine, 2);
    fail_first_volume(&store);
    // No copy can be made in this life.
    store.disk.inject(Fault::every(OpKind::Rename, Effect::Fail(IoFault::Io)));
    sent.extend(fill(&store, &engine, 4));
    assert!(matches!(engine.health(), Health::Degraded(_)));
    assert_all_stored(&engine, &sent);
    drop(engine);
    store.disk.crash(&SimRng::new(1), CrashOptions::RANDOM);
    let engine = store.open();
    assert_all_stored(&engine, &sent);
    engine.drive();
    assert!(
        store.index.volumes().unwrap().iter().all(|volume| volume.state != VolumeState::Suspect)
    );
    assert_all_stored(&engine, &sent);
    engine.close();
    let report = fsck_all(&store);
    assert!(report.is_clean(), "{:?}", report.problems);
}

#[test]
fn copying_survives_a_power_cut_at_each_step() {
    let mut baseline = store();
    baseline.options.sort_on_seal = SortOnSeal::Always;
    let engine = baseline.open();
    fill(&baseline, &engine, 8);
    let total = baseline.disk.operations();
    drop(engine);
    for cut in 10..total {
        let mut store = store();
        store.options.sort_on_seal = SortOnSeal::Always;
        let engine = store.open();
        store.disk.crash_at(Some(cut));
        let mut acked = Vec::new();
        for round in 0..8_u64 {
            store.clock.advance(Duration::from_secs(2));
            let batch: Vec<_> = (0..4)
                .map(|index| {
                    (
                        stream(index),
                        put(&engine, stream(index), round * 4 + u64::from(index), 1_000),
                    )
                })
                .take_while(|_| !store.disk.is_down())
                .collect();
            engine.drive();
            for (id, (sent, outcome)) in batch {
                if outcome.get().is_some_and(|result| result.is_ok()) {
                    acked.push((id, sent));
                }
            }
            if store.disk.is_down() {
                break;
            }
        }
        drop(engine);
        for outcome in 0..5 {
            let rng = SimRng::new(cut * 8 + outcome);
            let options = if outcome == 0 { CrashOptions::NOTHING } else { CrashOptions::RANDOM };
            let mut store = fork(&store);
            store.disk.crash(&rng, options);
            store.index.forget_latest(outcome as usize);
            check_copied(&mut store, &acked, &format!("cut {cut}, outcome {outcome}"));
        }
    }
}

/// The same disk and index again.
fn fork(store: &SimStore) -> SimStore {
    let mut fork = SimStore::on(store.disk.fork(), store.clock.clone(), 7);
    let machine = fork.disk.clone();
    fork.index = Arc::new(store.index.fork(move || machine.is_down()));
    fork.options = store.options.clone();
    fork.streams = store.streams.clone();
    fork.epoch = store.epoch;
    fork
}

fn check_copied(store: &mut SimStore, acked: &[(StreamId, Fragment)], when: &str) {
    let engine = store.open();
    assert_eq!(engine.recovery().lost, [0_u64; 0], "{when}");
    for _ in 0..2 {
        for (id, sent) in acked {
            assert_stored(&engine, *id, sent);
        }
        for index in 0..4 {
            let found = numbers(&all_rows(&engine, stream(index)));
            assert!(found.is_sorted_by(|a, b| a < b), "{when}: each fragment is shown once");
        }
        engine.drive();
    }
    engine.close();
    let report = fsck_all(store);
    assert!(report.is_clean(), "{when}: {:?}", report.problems);
    let files = volume_files(&*store.disk.directory("volumes"));
    assert!(files.iter().all(|name| name.ends_with(".vol")), "{when}: {files:?}");
}

/// A footer decays: its fragments are found again by walking the volume, without a restart.
#[test]
fn damaged_footers_are_made_again() {
    for part in 0..20 {
        let mut store = store();
        let engine = store.open();
        let sent = fill(&store, &engine, 10);
        engine.close();
        drop(engine);
        let volume = store.index.volume(1).unwrap().unwrap();
        // From the footer's head to the trailer.
        let span = (volume.length - volume.indexed_upto) * 8;
        let bit = volume.indexed_upto * 8 + span / 20 * part + 77;
        store.disk.flip_bit("volumes", "0000000000000001.vol", bit);
        let engine = store.open();
        for index in 0..4 {
            all_rows(&engine, stream(index));
        }
        engine.drive();
        engine.drive();
        assert_all_stored(&engine, &sent);
        engine.close();
        drop(engine);
        let engine = store.open();
        assert_all_stored(&engine, &sent);
    }
}

/// The index is down when a copy is done: after the next start the volume and its copy are both
/// there, and every fragment is shown once.
#[test]
fn a_fragment_in_two_volumes_is_shown_once() {
    let mut store = store();
    store.options.sort_on_seal = SortOnSeal::Always;
    let is_down = Arc::new(AtomicBool::new(false));
    let gate = is_down.clone();
    store.index = Arc::new(MemoryIndex::failing_while(move || gate.load(Ordering::SeqCst)));
    let renamed = is_down.clone();
    store.disk.set_hook(move |op: &SimOp| {
        if op.kind == OpKind::Rename {
            renamed.store(true, Ordering::SeqCst);
        }
    });
    let engine = store.open();
    let sent = fill(&store, &engine, 8);
    assert!(is_down.load(Ordering::SeqCst), "a volume was sorted");
    assert_all_stored(&engine, &sent);
    drop(engine);
    store.disk.set_hook(|_| {});
    is_down.store(false, Ordering::SeqCst);
    store.options.sort_on_seal = SortOnSeal::Never;
    let engine = store.open();
    assert_all_stored(&engine, &sent);
    engine.close();
    let volumes = store.index.volumes().unwrap().into_iter();
    let stored: u64 = volumes.map(|volume| volume.fragment_count).sum();
    assert!(stored > sent.len() as u64, "some are stored twice");
    let engine = store.open();
    assert_all_stored(&engine, &sent);
    let whole = RowRange::Producer(UnixMillis(0)..=UnixMillis(u64::MAX));
    assert_eq!(rows(&engine, stream(0), whole).len(), all_rows(&engine, stream(0)).len());
}

/// A volume's sorted copy takes its place between a reader's look at the index and at the volume:
/// nothing is missed. A fragment sent again at that moment would be stored twice, too.
#[test]
fn a_reader_whose_volume_moves_looks_again() {
    let mut store = store();
    store.options.sort_on_seal = SortOnSeal::Always;
    let index = Arc::new(MemoryIndex::new());
    store.index = index.clone();
    let (begin, begun) = mpsc::channel();
    let (has_read, was_read) = mpsc::channel();
    let (swap, swapped) = mpsc::channel();
    // The copy is there under its name, and the index does not know it yet: the reader begins.
    let was_read = Mutex::new(was_read);
    let armed = Arc::new(AtomicBool::new(true));
    let reads = armed.clone();
    store.disk.set_hook(move |op: &SimOp| {
        if op.kind == OpKind::Rename && armed.swap(false, Ordering::SeqCst) {
            begin.send(()).unwrap();
            was_read.lock().unwrap().recv().unwrap();
        }
    });
    let swapped = Mutex::new(swapped);
    let is_waiting = AtomicBool::new(true);
    index.set_after_runs(move || {
        if !reads.load(Ordering::SeqCst)
            && std::thread::current().name() == Some("reader")
            && is_waiting.swap(false, Ordering::SeqCst)
        {
            has_read.send(()).unwrap();
            swapped.lock().unwrap().recv().unwrap();
        }
    });
    let engine = store.open();
    let reader = engine.clone();
    let reading = std::thread::Builder::new().name("reader".into()).spawn(move || {
        begun.recv().unwrap();
        numbers(&all_rows(&reader, stream(0)))
    });
    let sent = fill(&store, &engine, 8);
    swap.send(()).unwrap();
    let found = reading.unwrap().join().unwrap();
    let first: Vec<_> =
        sent.iter().filter(|(id, _)| *id == stream(0)).map(|f| f.1.number).collect();
    assert!(!found.is_empty() && first.starts_with(&found[..1]), "{found:?} of {first:?}");
    let upto = found.len();
    assert_eq!(found, first[..upto], "without a hole");
    assert_all_stored(&engine, &sent);
}
