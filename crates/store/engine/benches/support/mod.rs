//! What the engine's benchmarks share: a store in a real directory, fragments, figures.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use streamkeep_catalog::{IndexCatalog, SqliteIndex};
use streamkeep_engine::{
    AppendDone, Engine, Host, Options, Seams, StoreError, StoreLock, StreamConfig, StreamKeys,
};
use streamkeep_io::sim::SimRng;
use streamkeep_io::{LocalDirectory, Rng, SystemClock, SystemRng};
use streamkeep_keys::{StoreId, StreamKey};
use streamkeep_media::{
    Fragment, FragmentNumber, FrameEntry, FrameFlags, SessionHeader, StreamId, Track, TrackKind,
    TrackTiming, UnixMillis, VideoParameters,
};

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

const STORE: StoreId = StoreId([0xbe; 16]);

/// `--name value` and `--name` arguments.
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    pub(crate) fn of_process() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0.iter().any(|argument| argument == name)
    }

    pub(crate) fn text(&self, name: &str) -> Outcome<Option<&str>> {
        let Some(at) = self.0.iter().position(|argument| argument == name) else {
            return Ok(None);
        };
        let value = self.0.get(at + 1).ok_or_else(|| format!("{name} wants a value"))?;
        Ok(Some(value))
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str, default: T) -> Outcome<T>
    where
        T::Err: Error + 'static,
    {
        Ok(self.text(name)?.map(str::parse).transpose()?.unwrap_or(default))
    }

    /// The directory to work in, `target/bench-store` when none is named.
    pub(crate) fn dir(&self) -> Outcome<PathBuf> {
        let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/bench-store");
        Ok(self.text("--dir")?.map_or(default, PathBuf::from))
    }
}

/// Stream keys that follow from the stream's id, so that a later process can read what an earlier
/// one wrote.
struct DerivedKeys;

impl StreamKeys for DerivedKeys {
    fn stream_key(&self, stream: StreamId) -> Result<Arc<StreamKey>, StoreError> {
        let seed =
            u64::from(u32::from_be_bytes([stream.0[0], stream.0[1], stream.0[2], stream.0[3]]));
        Ok(Arc::new(StreamKey::generate(STORE, stream, 1, &SimRng::new(seed))))
    }
}

pub(crate) fn stream(index: u32) -> StreamId {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&index.to_be_bytes());
    StreamId(id)
}

/// Opens the store as the server does: lock, index, engine. The epoch counts the starts.
pub(crate) fn open(dir: &Path, change: impl FnOnce(&mut Options)) -> Outcome<Engine> {
    let root = LocalDirectory::open_or_create(dir)?;
    let volumes = LocalDirectory::open_or_create(&dir.join("volumes"))?;
    let lock = StoreLock::acquire(&root, &Host::current())?;
    let starts_file = dir.join("starts");
    let starts = fs::read_to_string(&starts_file).map_or(Ok(0), |text| text.parse::<u32>())? + 1;
    fs::write(&starts_file, starts.to_string())?;
    let index: Arc<dyn IndexCatalog> = Arc::new(SqliteIndex::open(&dir.join("index.db"))?);
    let seams = Seams {
        root: Arc::new(root),
        volumes: Arc::new(volumes),
        clock: Arc::new(SystemClock::new()),
        rng: Arc::new(SystemRng::new()?),
    };
    let mut options = Options { ballast_len: 0, ..Options::new(STORE, starts) };
    change(&mut options);
    Ok(Engine::open(lock, options, seams, index, Arc::new(DerivedKeys))?)
}

pub(crate) fn put_streams(engine: &Engine, count: u32) {
    for index in 0..count {
        let retention_hours = 24 * 3650;
        let id = stream(index);
        engine.put_stream(StreamConfig { id, retention_hours, visible_from: UnixMillis(0) });
    }
}

/// Makes fragments of one shape, their media cut from a piece of noise at changing places.
#[derive(Clone)]
pub(crate) struct Shape {
    header: Arc<SessionHeader>,
    noise: Bytes,
    len: usize,
    frames: Vec<FrameEntry>,
}

impl Shape {
    pub(crate) fn new(len: usize, frame_count: usize) -> Self {
        let mut noise = vec![0; len + NOISE_EXTRA];
        SimRng::new(1).fill(&mut noise);
        let frame_len = len / frame_count;
        let frames = (0..frame_count).map(|index| FrameEntry {
            track_index: 0,
            flags: FrameFlags { key: index == 0, ..FrameFlags::default() },
            pts_ticks: i32::try_from(index).unwrap_or(i32::MAX).saturating_mul(40),
            duration_ticks: None,
            offset: u32::try_from(index * frame_len).unwrap_or(u32::MAX),
            len: u32::try_from(frame_len).unwrap_or(u32::MAX),
        });
        let frames = frames.collect();
        let header = Arc::new(SessionHeader {
            // About what kvssink sends for one H.264 track.
            bytes: noise[..600].to_vec().into(),
            timestamp_scale_ns: 1_000_000,
            tracks: vec![Track {
                number: 1,
                uid: 1,
                kind: TrackKind::Video,
                codec_id: "V_MPEG4/ISO/AVC".to_owned(),
                codec_private: Bytes::from_static(b"codec private"),
                name: String::new(),
                default_duration_ns: None,
                video: Some(VideoParameters { width: 1920, height: 1080 }),
                audio: None,
            }],
        });
        Self { header, noise: noise.into(), len, frames }
    }

    pub(crate) fn fragment(&self, number: FragmentNumber, producer: UnixMillis) -> Fragment {
        let at = usize::try_from(number.server_timestamp().0).unwrap_or(0) % NOISE_EXTRA;
        Fragment {
            number,
            producer_timestamp: producer,
            server_timestamp: number.server_timestamp(),
            duration_ms: 2_000,
            timecode: producer.0,
            header: self.header.clone(),
            media: vec![self.noise.slice(at..at + self.len)],
            frames: self.frames.clone(),
            tags: Vec::new(),
            timing: vec![TrackTiming {
                frame_count: u32::try_from(self.frames.len()).unwrap_or(u32::MAX),
                bytes: u32::try_from(self.len).unwrap_or(u32::MAX),
                ..TrackTiming::default()
            }],
            starts_with_key: true,
            continues_previous: true,
        }
    }
}

/// Bounds what is queued, and notes the first append that failed.
pub(crate) struct Gate {
    state: Mutex<(usize, Option<String>)>,
    changed: Condvar,
    max: usize,
}

impl Gate {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new((0, None)), changed: Condvar::new(), max })
    }

    /// Waits for a place; what is returned gives it back.
    pub(crate) fn enter(self: &Arc<Self>) -> Outcome<AppendDone> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full =
            |(count, error): &mut (usize, Option<String>)| *count >= self.max && error.is_none();
        let waited = self.changed.wait_while(state, is_full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = &state.1 {
            return Err(error.clone().into());
        }
        state.0 += 1;
        let gate = self.clone();
        Ok(Box::new(move |result| {
            let mut state = gate.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.0 -= 1;
            if let Err(error) = result {
                state.1.get_or_insert(error.to_string());
            }
            gate.changed.notify_all();
        }))
    }

    /// Whether every append has ended well so far.
    pub(crate) fn check(&self) -> Outcome<()> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.clone().map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Durations of one kind of call.
#[derive(Default)]
pub(crate) struct Timings(Vec<Duration>);

impl Timings {
    pub(crate) fn add(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut sorted = self.0.clone();
        sorted.sort();
        let at = |share: f64| {
            let last = sorted.len().saturating_sub(1);
            let index = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1).min(last);
            sorted.get(index).map(|duration| milliseconds(*duration))
        };
        json!({ "calls": sorted.len(), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0) })
    }
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// A number of `/proc/self/<file>`; Linux only.
pub(crate) fn of_process(file: &str, key: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/self/{file}")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The largest resident memory of this process so far, in MB.
pub(crate) fn peak_memory_mb() -> Option<u64> {
    Some(of_process("status", "VmHWM:")? * 1024 / 1_000_000)
}

/// Noise beyond one fragment's media, so that fragments begin at different places.
const NOISE_EXTRA: usize = 4096;
