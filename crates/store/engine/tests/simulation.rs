//! Power cuts at every operation of a history, against a model of what was acknowledged.
//!
//! A history is a seeded sequence of puts, repeated puts, batches, pauses, closes and kills. It is
//! run once to count the operations it makes on the disk, then once for each of them, with the power
//! cut there. After every cut, several of the outcomes a disk may leave are opened and compared with
//! the model:
//!
//! - everything that was acknowledged and has not expired is there, bit for bit;
//! - nothing is there that was not sent, or has expired;
//! - numbers and ordinals go on where they were;
//! - another cut, during recovery, changes nothing of that.
//!
//! `STREAMKEEP_SIM_OPERATIONS` sets the number of disk operations of the history, default 150;
//! `STREAMKEEP_SIM_SEED` the seed, default 1 and then 2.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use streamkeep_catalog::{IndexCatalog, MemoryIndex, VolumeRecord};
use streamkeep_engine::{Engine, Offline, SortOnSeal, StoreError, rebuild_index};
use streamkeep_io::sim::{CrashOptions, SimRng, Survival};
use streamkeep_media::{Fragment, FragmentNumber, StreamId, UnixMillis};

use support::*;

const STREAMS: u8 = 3;

fn env_number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// What was sent and what was acknowledged.
#[derive(Default)]
struct Model {
    sent: BTreeMap<(StreamId, FragmentNumber), Fragment>,
    /// All numbers given out, also to fragments that were never stored.
    issued: BTreeSet<(StreamId, FragmentNumber)>,
    /// The last number given out since the store was opened.
    last_issued: BTreeMap<StreamId, FragmentNumber>,
    /// Appends not known to have ended.
    open: Vec<(StreamId, FragmentNumber, Outcome)>,
    acked: BTreeSet<(StreamId, FragmentNumber)>,
}

impl Model {
    /// Notes a number that was given out: a new one, above all stored and all of this start.
    fn issue(&mut self, id: StreamId, number: FragmentNumber) {
        assert!(self.issued.insert((id, number)), "{number} was issued twice");
        let last = self.last_issued.insert(id, number);
        assert!(last.is_none_or(|last| last < number), "{number} is not above {last:?}");
        let last = self.acked.range((id, FragmentNumber::MIN)..=(id, FragmentNumber::MAX)).last();
        assert!(last.is_none_or(|(_, last)| *last < number), "{number} is not above {last:?}");
    }

    /// Takes the answers that have come.
    fn settle(&mut self) {
        let acked = &mut self.acked;
        self.open.retain(|(id, number, outcome)| match outcome.get() {
            None => true,
            Some(Ok(appended)) => {
                assert!(appended.duplicate || appended.number == *number);
                acked.insert((*id, appended.number));
                false
            }
            Some(Err(_)) => false,
        });
    }

    fn check(&self, engine: &Engine, now: UnixMillis, when: &str) {
        let mut found = BTreeSet::new();
        let is_kept = |(id, number): &(StreamId, FragmentNumber)| {
            number.server_timestamp().0 + retention_hours(*id) * HOUR_MS >= now.0
        };
        for index in 0..STREAMS {
            let id = stream(index);
            let rows = all_rows(engine, id);
            for row in &rows {
                let key = (id, row.number);
                let sent = self.sent.get(&key);
                let sent = sent.unwrap_or_else(|| panic!("{when}: never sent: {key:?}"));
                assert_stored(engine, id, sent);
                assert!(is_kept(&key), "{when}: {key:?} has expired");
                assert!(found.insert(key), "{when}: {key:?} is listed twice");
            }
            let ordinals: BTreeSet<u64> = rows.iter().map(|row| row.counters.ordinal).collect();
            let first = ordinals.first().copied().unwrap_or(0);
            let unbroken: BTreeSet<u64> = (first..first + rows.len() as u64).collect();
            assert_eq!(ordinals, unbroken, "{when}: ordinals of {id}");
        }
        let missing: Vec<_> = self.acked.difference(&found).filter(|key| is_kept(key)).collect();
        assert!(missing.is_empty(), "{when}: acknowledged but gone: {missing:?}");
    }
}

/// The last stream's fragments expire within the history.
fn retention_hours(id: StreamId) -> u64 {
    if id == stream(STREAMS - 1) { 1 } else { 24 * 30 }
}

/// Runs a history until it has made `operations` operations on the disk, or the power is cut.
struct Runner {
    store: SimStore,
    model: Model,
    rng: SimRng,
    /// The operation at which the power is cut.
    cut: Option<u64>,
}

impl Runner {
    fn new(seed: u64, cut: Option<u64>) -> Self {
        let mut store = SimStore::new(seed);
        store.disk.crash_at(cut);
        store.options.seal_after = Duration::from_secs(900);
        store.options.sort_on_seal =
            if seed.is_multiple_of(2) { SortOnSeal::Always } else { SortOnSeal::Never };
        for id in (0..STREAMS).map(stream) {
            store.streams.insert(id, config(id, retention_hours(id) as u32));
        }
        store.options.volume_len = 24 << 10;
        // Even seeds: two streams share a lane, and its volumes are sorted.
        store.options.lanes = Some(1 + seed as u32 % 2);
        Self { store, model: Model::default(), rng: SimRng::new(seed ^ 0x0417_1077), cut }
    }

    fn run(&mut self, operations: u64) {
        let mut engine = None;
        while self.store.disk.operations() < operations {
            if self.store.disk.is_down() {
                return;
            }
            let open = match engine.take() {
                Some(open) => open,
                None => match self.store.try_open() {
                    // It came up on a disk that went down meanwhile: nothing it says counts.
                    Ok(_) if self.store.disk.is_down() => return,
                    Ok(open) => {
                        self.model.last_issued.clear();
                        open
                    }
                    Err(_) if self.store.disk.is_down() => return,
                    Err(error) => panic!("{error}"),
                },
            };
            engine = self.act(open);
            self.model.settle();
        }
    }

    /// One action; returns the engine unless it was closed or killed.
    fn act(&mut self, engine: Engine) -> Option<Engine> {
        match self.rng.below(100) {
            0..=54 => self.put(&engine),
            55..=64 => self.put_again(&engine),
            65..=87 => {
                engine.drive();
            }
            88..=95 => self.store.clock.advance(Duration::from_millis(self.rng.below(1_200_000))),
            96 => {
                engine.close();
                self.model.settle();
                return None;
            }
            97 => {
                // The process is killed: what was queued is gone, the page cache is not.
                drop(engine);
                self.model.settle();
                let is_off = self.store.disk.is_down();
                if !is_off {
                    self.store.disk.crash(&self.rng, CrashOptions::KILL);
                    self.store.disk.crash_at(self.cut);
                }
                return None;
            }
            _ => self.model.check(&engine, self.now(), "in between"),
        }
        Some(engine)
    }

    fn now(&self) -> UnixMillis {
        streamkeep_io::Clock::now(&*self.store.clock)
    }

    fn put(&mut self, engine: &Engine) {
        let id = stream(self.rng.below(u64::from(STREAMS)) as u8);
        let Ok((number, server)) = engine.begin_fragment(id) else { return };
        self.model.issue(id, number);
        let seed = self.rng.next_u64();
        let len = match self.rng.below(10) {
            0 => 0,
            1..=8 => self.rng.below(4_000) as usize,
            _ => self.rng.below(20_000) as usize,
        };
        // The camera's clock is not ours, and sometimes odd.
        let producer = UnixMillis(server.0 - 5_000 + self.rng.below(3_000));
        self.send(engine, id, fragment(number, producer, seed, len));
    }

    /// A camera that lost its connection sends something again, under a new number.
    fn put_again(&mut self, engine: &Engine) {
        let count = self.model.sent.len() as u64;
        if count == 0 {
            return;
        }
        let back = self.rng.below(count.min(8));
        let nth = self.model.sent.len() - 1 - back as usize;
        let Some(((id, _), before)) = self.model.sent.iter().nth(nth) else { return };
        let (id, before) = (*id, before.clone());
        let Ok((number, server)) = engine.begin_fragment(id) else { return };
        self.model.issue(id, number);
        let again = Fragment { number, server_timestamp: server, ..before };
        self.send(engine, id, again);
    }

    fn send(&mut self, engine: &Engine, id: StreamId, fragment: Fragment) {
        let number = fragment.number;
        self.model.sent.insert((id, number), fragment.clone());
        if let Ok(outcome) = try_append(engine, id, fragment) {
            self.model.open.push((id, number, outcome));
        }
    }
}

/// Opens what a power cut has left and compares it with the model; then goes on, to see that the
/// store is as good as new.
fn check_outcome(runner: &Runner, rng: &SimRng, crash: CrashOptions, cut_recovery: bool) {
    let mut store = fork(&runner.store, rng);
    store.disk.crash(rng, crash);
    store.index.forget_latest(rng.below(4) as usize * rng.below(8) as usize);
    if cut_recovery {
        let operations = store.disk.operations();
        store.disk.crash_at(Some(operations + rng.below(12)));
        if let Ok(engine) = store.try_open() {
            engine.drive();
        }
        store.disk.crash(rng, crash);
        store.index.forget_latest(rng.below(6) as usize);
    }
    let engine = store.open();
    assert_eq!(engine.recovery().damaged, [], "a power cut damages nothing");
    assert_eq!(engine.recovery().lost, [0_u64; 0]);
    assert_eq!(engine.recovery().unusable, []);
    runner.model.check(&engine, runner.now(), "after the cut");
    let mut added = Vec::new();
    for index in 0..STREAMS {
        let id = stream(index);
        let (sent, outcome) = put(&engine, id, rng.next_u64(), 2_000);
        assert!(!runner.model.issued.contains(&(id, sent.number)), "a number was issued twice");
        let durable = runner.model.acked.iter().filter(|(stream, _)| *stream == id).map(|(_, n)| n);
        assert!(durable.max().is_none_or(|last| *last < sent.number), "numbers only grow");
        added.push((id, sent, outcome));
    }
    engine.close();
    drop(engine);
    let engine = store.open();
    assert_eq!(engine.recovery().walked, 0, "a clean close leaves sealed volumes");
    for (id, sent, outcome) in &added {
        assert_eq!(outcome.appended().number, sent.number);
        assert_stored(&engine, *id, sent);
    }
    assert_sound_and_rebuildable(&store, engine);
    let engine = store.open();
    for key in runner.model.acked.iter().filter(|(id, _)| retention_hours(*id) > 1) {
        assert_stored(&engine, key.0, &runner.model.sent[key]);
    }
}

/// The offline check finds nothing, and an index made anew from the volumes finds the same rows.
fn assert_sound_and_rebuildable(store: &SimStore, engine: Engine) {
    let rows = |engine: &Engine| -> Vec<_> {
        (0..STREAMS)
            .flat_map(|index| all_rows(engine, stream(index)))
            .map(|row| (*row).clone())
            .collect()
    };
    let before = rows(&engine);
    engine.close();
    drop(engine);
    let report = fsck_all(store);
    assert!(report.is_clean(), "{:?}", report.problems);
    let mut rebuilt = fork(store, &SimRng::new(1));
    rebuilt.index = Arc::new(MemoryIndex::new());
    let streams: Vec<_> = store.streams.values().copied().collect();
    let offline = Offline {
        volumes: &*rebuilt.disk.directory("volumes"),
        store: STORE,
        index: &*rebuilt.index,
    };
    let report = rebuild_index(&offline, &streams, 0, &mut |_, _, _| {}).unwrap();
    assert_eq!((report.left_to_recovery, report.unusable), (vec![], vec![]));
    assert!((1..=store.epoch).contains(&report.largest_epoch));
    // The expiry is a hint, and was worked out with what was known when the volume was sealed.
    let volumes = |index: &MemoryIndex| -> Vec<_> {
        let volumes = index.volumes().unwrap().into_iter();
        volumes.map(|volume| VolumeRecord { max_expiry: UnixMillis(0), ..volume }).collect()
    };
    assert_eq!(volumes(&rebuilt.index), volumes(&store.index));
    let engine = rebuilt.open();
    assert_eq!(rows(&engine), before, "rows from the rebuilt index");
}

fn fork(store: &SimStore, rng: &SimRng) -> SimStore {
    let disk = store.disk.fork();
    let gate = disk.clone();
    let clock = streamkeep_io::sim::SimClock::new(streamkeep_io::Clock::now(&*store.clock));
    SimStore {
        index: Arc::new(store.index.fork(move || gate.is_down())),
        disk,
        clock: Arc::new(clock),
        keys: Arc::new(TestKeys::default()),
        rng: Arc::new(rng.fork()),
        epoch: store.epoch,
        options: store.options.clone(),
        streams: store.streams.clone(),
    }
}

#[test]
fn power_cut_at_every_operation() {
    let operations = env_number("STREAMKEEP_SIM_OPERATIONS", 150);
    let first = env_number("STREAMKEEP_SIM_SEED", 1);
    cut_everywhere(first, operations);
    if std::env::var_os("STREAMKEEP_SIM_SEED").is_none() {
        cut_everywhere(first + 1, operations);
    }
}

fn cut_everywhere(seed: u64, operations: u64) {
    let mut whole = Runner::new(seed, None);
    whole.run(operations);
    let total = whole.store.disk.operations();
    assert!(whole.model.acked.len() as u64 > total / 20, "the history does something");
    for cut in 0..total {
        let result = std::panic::catch_unwind(|| cut_at(seed, operations, cut));
        if let Err(panic) = result {
            eprintln!("seed {seed}, {operations} operations, cut at {cut}");
            std::panic::resume_unwind(panic);
        }
    }
    eprintln!("{total} cuts, {} fragments acknowledged", whole.model.acked.len());
    let kinds: BTreeSet<_> =
        whole.store.disk.trace().iter().map(|op| format!("{:?}", op.kind)).collect();
    eprintln!("operations: {kinds:?}");
}

fn cut_at(seed: u64, operations: u64, cut: u64) {
    let mut runner = Runner::new(seed, Some(cut));
    runner.run(operations);
    assert!(runner.store.disk.is_down());
    runner.model.settle();
    let rng = SimRng::new(seed ^ cut << 20);
    check_outcome(&runner, &rng, CrashOptions::NOTHING, false);
    check_outcome(&runner, &rng, CrashOptions::RANDOM, false);
    check_outcome(&runner, &rng, CrashOptions::RANDOM, true);
    let sectors_only = CrashOptions { sectors: Survival::Random, names: Survival::Everything };
    check_outcome(&runner, &rng, sectors_only, cut.is_multiple_of(2));
}

/// The model must be able to fail: an acknowledged fragment that is taken away is missed.
#[test]
fn the_model_sees_a_lost_fragment() {
    let mut runner = Runner::new(1, None);
    runner.run(60);
    let engine = runner.store.open();
    let now = runner.now();
    runner.model.check(&engine, now, "before");
    let (id, number) = *runner.model.acked.first().expect("something is stored");
    runner.model.acked.insert((id, number.next()));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runner.model.check(&engine, now, "after");
    }));
    assert!(result.is_err());
    assert!(matches!(engine.read(id, number.next()), Err(StoreError::NoSuchFragment { .. })));
}
