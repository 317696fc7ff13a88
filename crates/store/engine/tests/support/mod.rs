//! What the engine's tests share: a store on a simulated or a real disk, and fragments to put in.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "shared by tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use streamkeep_catalog::{IndexCatalog, MemoryIndex, SqliteIndex};
use streamkeep_engine::{
    AppendRefused, Appended, Drive, Engine, FsckLevel, FsckReport, Host, IndexedRow, KeyFailure,
    Offline, Options, RowQuery, RowRange, Seams, StoreError, StoreLock, StreamConfig, StreamKeys,
    Watermarks, fsck,
};
use streamkeep_io::sim::{SimClock, SimDisk, SimOptions, SimRng};
use streamkeep_io::{LocalDirectory, SystemClock, SystemRng, VolumeIo};
use streamkeep_keys::{StoreId, StreamKey};
use streamkeep_media::{
    Fragment, FragmentNumber, FrameEntry, FrameFlags, SessionHeader, StreamId, Tag, TagGroup,
    Track, TrackKind, TrackTiming, UnixMillis, VideoParameters,
};

pub(crate) const STORE: StoreId = StoreId([0x57; 16]);
/// 2026-11-20.
pub(crate) const START: UnixMillis = UnixMillis(1_795_132_800_000);
pub(crate) const HOUR_MS: u64 = 3_600_000;

pub(crate) fn stream(index: u8) -> StreamId {
    // The group of a stream comes from its first bytes: neighbours go to different groups.
    StreamId([0, 0, 0, index, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, index])
}

pub(crate) fn config(id: StreamId, retention_hours: u32) -> StreamConfig {
    StreamConfig { id, retention_hours, visible_from: UnixMillis(0) }
}

/// Stream keys that are derived from the stream's id, unless they were removed.
#[derive(Default)]
pub(crate) struct TestKeys {
    pub(crate) removed: Mutex<Vec<StreamId>>,
    pub(crate) unavailable: Mutex<bool>,
}

impl StreamKeys for TestKeys {
    fn stream_key(&self, stream: StreamId) -> Result<Arc<StreamKey>, StoreError> {
        if *self.unavailable.lock().unwrap() {
            let source = KeyFailure::Unavailable("key store is down".to_owned());
            return Err(StoreError::Key { stream, source });
        }
        if self.removed.lock().unwrap().contains(&stream) {
            return Err(StoreError::StreamGone(stream));
        }
        let seed = u128::from_be_bytes(stream.0) as u64;
        Ok(Arc::new(StreamKey::generate(STORE, stream, 1, &SimRng::new(seed))))
    }
}

/// A store on a simulated disk that outlives its engines.
pub(crate) struct SimStore {
    pub(crate) disk: SimDisk,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) index: Arc<MemoryIndex>,
    pub(crate) keys: Arc<TestKeys>,
    pub(crate) rng: Arc<SimRng>,
    pub(crate) epoch: u32,
    pub(crate) options: Options,
    pub(crate) streams: BTreeMap<StreamId, StreamConfig>,
}

impl SimStore {
    pub(crate) fn new(seed: u64) -> Self {
        let clock = Arc::new(SimClock::new(START));
        let disk =
            SimDisk::new(SimOptions { seed, clock: Some(clock.clone()), ..SimOptions::default() });
        Self::on(disk, clock, seed)
    }

    pub(crate) fn on(disk: SimDisk, clock: Arc<SimClock>, seed: u64) -> Self {
        // A machine that is off writes no database either.
        let machine = disk.clone();
        let index = Arc::new(MemoryIndex::failing_while(move || machine.is_down()));
        Self {
            disk,
            clock,
            index,
            keys: Arc::new(TestKeys::default()),
            rng: Arc::new(SimRng::new(seed ^ 0x5eed)),
            epoch: 0,
            options: Options {
                volume_len: 256 << 10,
                free_piece_len: 8 << 10,
                lanes: Some(1),
                drive: Drive::Manual,
                ballast_len: 0,
                ..Options::new(STORE, 0)
            },
            streams: BTreeMap::new(),
        }
    }

    pub(crate) fn with_streams(mut self, count: u8, retention_hours: u32) -> Self {
        for index in 0..count {
            let id = stream(index);
            self.streams.insert(id, config(id, retention_hours));
        }
        self
    }

    pub(crate) fn seams(&self) -> Seams {
        Seams {
            root: self.disk.directory("root"),
            volumes: self.disk.directory("volumes"),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
        }
    }

    pub(crate) fn try_open(&mut self) -> Result<Engine, StoreError> {
        self.epoch += 1;
        let seams = self.seams();
        let host = Host { machine: "simulated".to_owned(), ..Host::default() };
        let lock = StoreLock::acquire(&*seams.root, &host)?;
        let options = Options { owner_epoch: self.epoch, ..self.options.clone() };
        let engine = Engine::open(lock, options, seams, self.index.clone(), self.keys.clone())?;
        for config in self.streams.values() {
            engine.put_stream(*config);
        }
        Ok(engine)
    }

    pub(crate) fn open(&mut self) -> Engine {
        self.try_open().unwrap()
    }
}

/// Checks everything there is to check of a store that is closed.
pub(crate) fn fsck_all(store: &SimStore) -> FsckReport {
    let volumes = store.disk.directory("volumes");
    let offline = Offline { volumes: &*volumes, store: STORE, index: &*store.index };
    fsck(&offline, FsckLevel::Decrypt, &*store.keys, &mut |_, _, _| true).unwrap()
}

/// A store in a real directory.
pub(crate) fn open_local(dir: &Path, epoch: u32, change: impl FnOnce(&mut Options)) -> Engine {
    let root = LocalDirectory::open_or_create(dir).unwrap();
    let volumes = LocalDirectory::open_or_create(&dir.join("volumes")).unwrap();
    let lock = StoreLock::acquire(&root, &Host::current()).unwrap();
    let index: Arc<dyn IndexCatalog> = Arc::new(SqliteIndex::open(&dir.join("index.db")).unwrap());
    let seams = Seams {
        root: Arc::new(root),
        volumes: Arc::new(volumes),
        clock: Arc::new(SystemClock::new()),
        rng: Arc::new(SystemRng::new().unwrap()),
    };
    let mut options =
        Options { volume_len: 16 << 20, ballast_len: 0, ..Options::new(STORE, epoch) };
    // How full the disk of the machine is does not matter to these tests.
    options.watermarks = Watermarks { warn: 101, delete_early: 101, refuse: 101 };
    change(&mut options);
    Engine::open(lock, options, seams, index, Arc::new(TestKeys::default())).unwrap()
}

/// A session header with one video track.
pub(crate) fn header(codec_private: &'static [u8]) -> Arc<SessionHeader> {
    Arc::new(SessionHeader {
        bytes: Bytes::from([b"session header ", codec_private].concat()),
        timestamp_scale_ns: 1_000_000,
        tracks: vec![Track {
            number: 1,
            uid: 1,
            kind: TrackKind::Video,
            codec_id: "V_MPEG4/ISO/AVC".to_owned(),
            codec_private: Bytes::from_static(codec_private),
            name: String::new(),
            default_duration_ns: None,
            video: Some(VideoParameters { width: 640, height: 480 }),
            audio: None,
        }],
    })
}

/// A fragment of `len` media bytes in two pieces that follow from `seed`, with three frames.
pub(crate) fn fragment(
    number: FragmentNumber,
    producer: UnixMillis,
    seed: u64,
    len: usize,
) -> Fragment {
    let mut media = vec![0; len];
    streamkeep_io::Rng::fill(&SimRng::new(seed), &mut media);
    let media = Bytes::from(media);
    let cut = len / 3;
    let frame = |index: usize| FrameEntry {
        track_index: 0,
        flags: FrameFlags { key: index == 0, ..FrameFlags::default() },
        pts_ticks: index as i32 * 40,
        duration_ticks: None,
        offset: (index * cut) as u32,
        len: cut as u32,
    };
    let header = header(b"codec");
    Fragment {
        number,
        producer_timestamp: producer,
        server_timestamp: number.server_timestamp(),
        duration_ms: 2_000,
        timecode: producer.0,
        header,
        media: vec![media.slice(..len / 2), media.slice(len / 2..)],
        frames: (0..3).map(frame).collect(),
        tags: vec![TagGroup {
            tags: vec![Tag { name: "seed".to_owned(), value: seed.to_string() }],
        }],
        timing: vec![TrackTiming { frame_count: 3, bytes: len as u32, ..TrackTiming::default() }],
        starts_with_key: true,
        continues_previous: true,
    }
}

/// The result of an append, once there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome(Arc<Mutex<Option<Result<Appended, StoreError>>>>);

impl Outcome {
    pub(crate) fn get(&self) -> Option<Result<Appended, StoreError>> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn appended(&self) -> Appended {
        self.get().expect("completed").expect("durable")
    }

    pub(crate) fn wait(&self) -> Result<Appended, StoreError> {
        for _ in 0..2_000 {
            if let Some(result) = self.get() {
                return result;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("no completion within 10 s");
    }
}

pub(crate) fn try_append(
    engine: &Engine,
    stream: StreamId,
    fragment: Fragment,
) -> Result<Outcome, AppendRefused> {
    let outcome = Outcome::default();
    let slot = outcome.0.clone();
    let done = Box::new(move |result| {
        let before = slot.lock().unwrap().replace(result);
        assert!(before.is_none(), "an append completes once");
    });
    engine.append(stream, fragment, done).map(|()| outcome)
}

/// Begins and appends a fragment whose producer time is its server time.
pub(crate) fn put(engine: &Engine, id: StreamId, seed: u64, len: usize) -> (Fragment, Outcome) {
    let (number, server) = engine.begin_fragment(id).unwrap();
    let fragment = fragment(number, server, seed, len);
    let outcome = try_append(engine, id, fragment.clone()).unwrap();
    (fragment, outcome)
}

pub(crate) fn media_of(fragment: &Fragment) -> Vec<u8> {
    fragment.media.concat()
}

/// Reads a fragment and compares everything that was sent.
pub(crate) fn assert_stored(engine: &Engine, id: StreamId, sent: &Fragment) {
    let stored = engine
        .read(id, sent.number)
        .unwrap_or_else(|error| panic!("{id} {}: {error}", sent.number));
    assert_eq!(stored.media, media_of(sent), "media");
    assert_eq!(stored.meta.session_header, sent.header.bytes, "session header");
    assert_eq!(stored.meta.frames, sent.frames, "frames");
    assert_eq!(stored.meta.tags, sent.tags, "tags");
    let row = &stored.row;
    assert_eq!(
        (row.number, row.producer_timestamp, row.server_timestamp, row.duration_ms),
        (sent.number, sent.producer_timestamp, sent.server_timestamp, sent.duration_ms)
    );
    assert_eq!((row.timecode, row.media_len), (sent.timecode, sent.media_len() as u32));
}

pub(crate) fn all_rows(engine: &Engine, id: StreamId) -> Vec<IndexedRow> {
    let range = RowRange::Number(FragmentNumber::MIN..=FragmentNumber::MAX);
    rows(engine, id, range)
}

pub(crate) fn rows(engine: &Engine, id: StreamId, range: RowRange) -> Vec<IndexedRow> {
    engine.rows(id, &RowQuery { range, after: None, limit: usize::MAX }).unwrap()
}

pub(crate) fn numbers(rows: &[IndexedRow]) -> Vec<FragmentNumber> {
    rows.iter().map(|row| row.number).collect()
}

pub(crate) fn volume_files(dir: &dyn VolumeIo) -> Vec<String> {
    let names = dir.list().unwrap().into_iter().map(|file| file.name);
    names.filter(|name| !name.ends_with(".tmp")).collect()
}
