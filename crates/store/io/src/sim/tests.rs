//! The simulated disk keeps the promises of a disk and no others.

use std::collections::BTreeSet;
use std::io::{ErrorKind, IoSlice};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::sim::{
    CrashOptions, Effect, Fault, IoFault, OpKind, SimClock, SimDisk, SimOptions, SimRng, Survival,
};
use crate::{Access, Clock, VolumeFile, VolumeIo, replace_whole};
use proptest::prelude::*;
use streamkeep_media::UnixMillis;

fn disk() -> SimDisk {
    SimDisk::new(SimOptions::default())
}

fn write(file: &dyn VolumeFile, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
    file.write_at(&[IoSlice::new(bytes)], offset)
}

/// A file of `len` bytes `fill`, durable with its name.
fn durable_file(disk: &SimDisk, name: &str, fill: u8, len: usize) -> Arc<dyn VolumeFile> {
    let dir = disk.directory("d");
    let file = dir.create(name).unwrap();
    write(&*file, 0, &vec![fill; len]).unwrap();
    file.sync_data().unwrap();
    dir.sync_dir().unwrap();
    file
}

#[test]
fn passes_the_backend_suite() {
    crate::suite::run(&|| disk().directory("d"));
}

#[test]
fn synced_bytes_survive_and_unsynced_ones_need_not() {
    let disk = disk();
    let file = durable_file(&disk, "f", 1, 1024);
    write(&*file, 512, &[2; 1024]).unwrap();
    assert_eq!(disk.contents("d", "f").len(), 1536);

    let fork = disk.fork();
    disk.crash(&SimRng::new(0), CrashOptions::NOTHING);
    assert_eq!(disk.contents("d", "f"), vec![1; 1024]);

    fork.crash(&SimRng::new(0), CrashOptions::KILL);
    assert_eq!(fork.contents("d", "f"), [vec![1; 512], vec![2; 1024]].concat());
}

#[test]
fn a_crash_leaves_any_subset_of_sectors() {
    let disk = disk();
    let file = durable_file(&disk, "f", 1, 3 * 512);
    write(&*file, 0, &[2; 3 * 512]).unwrap();
    write(&*file, 512, &[3; 512]).unwrap();
    let mut seen = BTreeSet::new();
    for seed in 0..400 {
        let fork = disk.fork();
        fork.crash(&SimRng::new(seed), CrashOptions::RANDOM);
        let bytes = fork.contents("d", "f");
        for sector in bytes.chunks(512) {
            assert!(sector.iter().all(|byte| *byte == sector[0]), "sectors are written whole");
        }
        seen.insert([bytes[0], bytes[512], bytes[1024]]);
    }
    // Old, first write, second write for the middle sector; old or new for the others.
    let all = (0..12).map(|i| [1 + i % 2, 1 + i / 4, 1 + (i / 2) % 2]).collect();
    assert_eq!(seen, all);
}

#[test]
fn larger_sectors_are_written_whole() {
    let disk = SimDisk::new(SimOptions { sector_len: 4096, ..SimOptions::default() });
    let file = durable_file(&disk, "f", 1, 8192);
    write(&*file, 100, &[2; 1000]).unwrap();
    for seed in 0..50 {
        let fork = disk.fork();
        fork.crash(&SimRng::new(seed), CrashOptions::RANDOM);
        let bytes = fork.contents("d", "f");
        assert!(bytes[100..1100].iter().all(|byte| *byte == bytes[100]));
        assert_eq!((bytes[0], bytes[99], bytes[1100]), (1, 1, 1));
    }
}

#[test]
fn names_survive_as_a_prefix() {
    let disk = disk();
    let dir = disk.directory("d");
    durable_file(&disk, "a", 1, 10);
    dir.rename("a", "b").unwrap();
    dir.create("c").unwrap();
    dir.unlink("b").unwrap();
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let fork = disk.fork();
        fork.crash(&SimRng::new(seed), CrashOptions::RANDOM);
        let names = fork.directory("d").list().unwrap();
        seen.insert(names.into_iter().map(|entry| entry.name).collect::<String>());
    }
    assert_eq!(seen, ["a", "b", "bc", "c"].map(str::to_owned).into());
    disk.crash(&SimRng::new(0), CrashOptions::NOTHING);
    assert_eq!(disk.contents("d", "a"), [1; 10], "the unlinked file is back with its bytes");
}

#[test]
fn syncing_a_new_file_does_not_keep_its_name() {
    let disk = disk();
    let file = disk.directory("d").create("f").unwrap();
    write(&*file, 0, b"x").unwrap();
    file.sync_all().unwrap();
    disk.crash(&SimRng::new(0), CrashOptions::NOTHING);
    assert!(disk.directory("d").list().unwrap().is_empty());
}

#[test]
fn truncation_is_lost_or_kept_but_never_shows_old_bytes_after_growth() {
    let disk = disk();
    let file = durable_file(&disk, "f", 1, 4096);
    file.truncate(1000).unwrap();
    file.truncate(4096).unwrap();
    let fork = disk.fork();
    fork.crash(&SimRng::new(0), CrashOptions::NOTHING);
    assert_eq!(fork.contents("d", "f"), [1; 4096]);
    fork.crash(&SimRng::new(0), CrashOptions::NOTHING);
    file.sync_data().unwrap();
    disk.crash(&SimRng::new(0), CrashOptions::NOTHING);
    assert_eq!(disk.contents("d", "f"), [vec![1; 1000], vec![0; 3096]].concat());
}

#[test]
fn a_failed_sync_loses_what_readers_still_see() {
    let disk = disk();
    let file = durable_file(&disk, "f", 1, 4096);
    write(&*file, 0, &[2; 512]).unwrap();
    disk.inject(Fault::nth(OpKind::Sync, 0, Effect::Fail(IoFault::Io)));
    let error = file.sync_data().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(5), "EIO");
    // "Can applications recover from fsync failures?": the retry reports success, and reads show
    // the bytes that are on no medium.
    file.sync_data().unwrap();
    assert_eq!(disk.contents("d", "f")[0], 2);
    let fork = disk.fork();
    fork.crash(&SimRng::new(0), CrashOptions::KILL);
    assert_eq!(fork.contents("d", "f")[0], 1);
    file.drop_cache(0..4096).unwrap();
    assert_eq!(disk.contents("d", "f")[0], 1);
    // A sector written after the failure is a new one.
    write(&*file, 512, &[3; 512]).unwrap();
    file.sync_data().unwrap();
    disk.crash(&SimRng::new(0), CrashOptions::NOTHING);
    assert_eq!((disk.contents("d", "f")[0], disk.contents("d", "f")[512]), (1, 3));
}

#[test]
fn a_failed_sync_may_have_written_some_sectors() {
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let disk = SimDisk::new(SimOptions {
            seed,
            failed_sync_keeps: Survival::Random,
            ..SimOptions::default()
        });
        let file = durable_file(&disk, "f", 1, 1024);
        write(&*file, 0, &[2; 1024]).unwrap();
        disk.inject(Fault::every(OpKind::Sync, Effect::Fail(IoFault::Io)).on_file("f"));
        assert!(file.sync_data().is_err());
        assert!(file.sync_all().is_err());
        disk.crash(&SimRng::new(0), CrashOptions::NOTHING);
        seen.insert([disk.contents("d", "f")[0], disk.contents("d", "f")[512]]);
    }
    assert_eq!(seen.len(), 4);
}

#[test]
fn short_dropped_misdirected_and_flipped_writes() {
    let disk = disk();
    let file = durable_file(&disk, "f", 1, 4096);
    let short = Effect::ShortWrite { bytes: 700, then: IoFault::NoSpace };
    disk.inject(Fault::nth(OpKind::Write, 0, short));
    let error = write(&*file, 0, &[2; 1024]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    let bytes = disk.contents("d", "f");
    assert_eq!((bytes[699], bytes[700]), (2, 1));

    disk.inject(Fault::nth(OpKind::Write, 0, Effect::DropWrite));
    write(&*file, 0, &[3; 512]).unwrap();
    disk.inject(Fault::nth(OpKind::Write, 0, Effect::MisdirectWrite { by: 1024 }));
    write(&*file, 1024, &[4; 512]).unwrap();
    let bytes = disk.contents("d", "f");
    assert_eq!((bytes[0], bytes[1024], bytes[2048]), (3, 4, 1), "cached");
    file.sync_data().unwrap();
    file.drop_cache(0..4096).unwrap();
    let bytes = disk.contents("d", "f");
    assert_eq!((bytes[0], bytes[1024], bytes[2048]), (2, 1, 4), "on the medium");

    disk.inject(Fault::nth(OpKind::Write, 0, Effect::FlipBit { bit: 9 }));
    write(&*file, 0, &[0; 512]).unwrap();
    assert_eq!(disk.contents("d", "f")[..3], [0, 2, 0]);
    disk.flip_bit("d", "f", 17);
    assert_eq!(disk.contents("d", "f")[..3], [0, 2, 2]);
}

#[test]
fn faults_wait_for_their_turn_and_file() {
    let disk = disk();
    let dir = disk.directory("d");
    let f = dir.create("f").unwrap();
    let g = dir.create("g").unwrap();
    disk.inject(Fault::nth(OpKind::Write, 1, Effect::Fail(IoFault::ReadOnly)).on_file("g"));
    write(&*g, 0, b"x").unwrap();
    write(&*f, 0, b"x").unwrap();
    assert_eq!(write(&*g, 0, b"y").unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);
    write(&*g, 0, b"z").unwrap();
    disk.inject(Fault::every(OpKind::Read, Effect::Fail(IoFault::Io)));
    assert!(f.read_at(&mut [0], 0).is_err());
    disk.clear_faults();
    assert_eq!(f.read_at(&mut [0], 0).unwrap(), 1);
    for (kind, effect) in [
        (OpKind::Create, Effect::Fail(IoFault::NoSpace)),
        (OpKind::Rename, Effect::Fail(IoFault::Io)),
        (OpKind::Unlink, Effect::Fail(IoFault::Io)),
        (OpKind::SyncDir, Effect::Fail(IoFault::Io)),
        (OpKind::Allocate, Effect::Fail(IoFault::NoSpace)),
        (OpKind::Truncate, Effect::Fail(IoFault::Io)),
    ] {
        disk.inject(Fault::nth(kind, 0, effect));
    }
    assert!(dir.create("h").is_err());
    assert!(dir.rename("f", "h").is_err());
    assert!(dir.unlink("f").is_err());
    assert!(dir.sync_dir().is_err());
    assert!(f.allocate(10).is_err());
    assert!(f.truncate(10).is_err());
    assert_eq!(f.len().unwrap(), 1);
    assert_eq!(dir.list().unwrap().len(), 2);
}

#[test]
fn space_runs_out_and_comes_back() {
    let options = SimOptions { capacity: 10 * 4096, ..SimOptions::default() };
    let disk = SimDisk::new(options);
    let dir = disk.directory("d");
    let reserved = dir.create("reserved").unwrap();
    reserved.allocate(6 * 4096).unwrap();
    assert_eq!(dir.statvfs().unwrap().available, 4 * 4096);
    let file = dir.create("f").unwrap();
    write(&*file, 0, &[1; 4 * 4096]).unwrap();
    assert_eq!(write(&*file, 4 * 4096, b"x").unwrap_err().kind(), ErrorKind::StorageFull);
    write(&*file, 0, &[2; 4096]).expect("overwriting takes no space");
    write(&*reserved, 5 * 4096, &[3; 4096]).expect("the space is reserved");
    assert!(reserved.allocate(7 * 4096).is_err());
    assert_eq!(dir.create("g").unwrap_err().kind(), ErrorKind::StorageFull);
    file.truncate(4096).unwrap();
    assert_eq!(dir.statvfs().unwrap().available, 3 * 4096);
    dir.unlink("reserved").unwrap();
    assert_eq!(dir.statvfs().unwrap().available, 9 * 4096);
    disk.set_capacity(0);
    assert_eq!(disk.space().available, 0);
    assert!(write(&*file, 4096, b"x").is_err());
}

#[test]
fn every_operation_is_a_crash_point() {
    let history = |disk: &SimDisk| -> std::io::Result<()> {
        let dir = disk.directory("d");
        replace_whole(&*dir, "f", &[1; 1000])?;
        replace_whole(&*dir, "f", &[2; 2000])
    };
    let whole = disk();
    history(&whole).unwrap();
    // unlink of the missing file (counted, it is attempted), create, write, sync, rename, sync_dir
    assert_eq!(whole.operations(), 12);
    assert_eq!(whole.trace().len(), 12);
    let mut seen = BTreeSet::new();
    for operation in 0..whole.operations() {
        for seed in 0..40 {
            let disk = disk();
            disk.crash_at(Some(operation));
            let dir = disk.directory("d");
            assert!(history(&disk).is_err());
            assert!(disk.is_down());
            assert!(dir.list().is_err() && dir.create("x").is_err());
            assert!(dir.statvfs().is_err());
            disk.crash(&SimRng::new(seed), CrashOptions::RANDOM);
            assert!(!disk.is_down());
            assert!(dir.list().is_err(), "a directory of the old life stays dead");
            let found = match disk.directory("d").open("f", Access::Read) {
                Err(_) => "nothing",
                Ok(_) if disk.contents("d", "f") == [1; 1000] => "old",
                Ok(_) if disk.contents("d", "f") == [2; 2000] => "new",
                Ok(_) => panic!("operation {operation}, seed {seed}: half a file"),
            };
            assert!(operation < 6 || found != "nothing");
            seen.insert(found);
        }
    }
    assert_eq!(seen.len(), 3);
}

#[test]
fn handles_die_with_the_machine() {
    let disk = disk();
    let file = durable_file(&disk, "f", 1, 100);
    assert!(file.try_lock().unwrap());
    disk.crash(&SimRng::new(0), CrashOptions::KILL);
    assert!(file.read_at(&mut [0], 0).is_err());
    assert!(file.sync_data().is_err());
    let again = disk.directory("d").open("f", Access::ReadWrite).unwrap();
    assert!(again.try_lock().unwrap(), "locks die too");
    drop(file);
    assert_eq!(again.len().unwrap(), 100);
}

#[test]
fn the_hook_sees_operations_and_delays_take_simulated_time() {
    let clock = Arc::new(SimClock::new(UnixMillis(0)));
    let disk = SimDisk::new(SimOptions { clock: Some(clock.clone()), ..SimOptions::default() });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let inner = disk.clone();
    disk.set_hook(move |op| {
        log.lock().unwrap().push((op.kind, op.file.clone(), inner.operations()));
    });
    disk.inject(Fault::nth(OpKind::Sync, 0, Effect::Delay(Duration::from_millis(30))));
    let file = disk.directory("d").create("f").unwrap();
    write(&*file, 0, b"x").unwrap();
    file.sync_data().unwrap();
    assert_eq!(clock.monotonic(), Duration::from_millis(30));
    let expected = [(OpKind::Create, 0), (OpKind::Write, 1), (OpKind::Sync, 2)];
    assert_eq!(*seen.lock().unwrap(), expected.map(|(kind, count)| (kind, "f".into(), count)));
}

#[derive(Clone, Debug)]
enum Step {
    Write { at: u16, len: u16, fill: u8 },
    Truncate(u16),
    Sync,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u16..6000, 1u16..3000, 1u8..).prop_map(|(at, len, fill)| Step::Write { at, len, fill }),
        1 => (0u16..8000).prop_map(Step::Truncate),
        2 => Just(Step::Sync),
    ]
}

proptest! {
    /// Every byte after a crash is one that was there at the last sync or at some point since.
    #[test]
    fn crashes_invent_nothing(
        steps in prop::collection::vec(step(), 1..12),
        seed: u64,
    ) {
        let disk = disk();
        let file = durable_file(&disk, "f", 0, 0);
        let mut states: Vec<Vec<u8>> = vec![Vec::new()];
        for step in steps {
            let mut now = states.last().unwrap().clone();
            match step {
                Step::Write { at, len, fill } => {
                    let end = usize::from(at) + usize::from(len);
                    now.resize(now.len().max(end), 0);
                    now[usize::from(at)..end].fill(fill);
                    write(&*file, at.into(), &vec![fill; len.into()]).unwrap();
                }
                Step::Truncate(len) => {
                    now.resize(len.into(), 0);
                    file.truncate(len.into()).unwrap();
                }
                Step::Sync => {
                    file.sync_data().unwrap();
                    states.clear();
                }
            }
            states.push(now);
            prop_assert_eq!(&disk.contents("d", "f"), states.last().unwrap());
        }
        disk.crash(&SimRng::new(seed), CrashOptions::RANDOM);
        let after = disk.contents("d", "f");
        prop_assert!(states.iter().any(|state| state.len() == after.len()));
        for (index, byte) in after.iter().enumerate() {
            let possible = states.iter().any(|state| state.get(index).unwrap_or(&0) == byte);
            prop_assert!(possible, "byte {index} is {byte}");
        }
        if states.len() == 1 {
            prop_assert_eq!(&after, &states[0]);
        }
    }
}
