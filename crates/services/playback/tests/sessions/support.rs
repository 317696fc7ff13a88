//! A real store with made-up cameras, and a service over it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, Method, StatusCode};
use streamkeep_catalog::SqliteIndex;
use streamkeep_engine::{
    Engine, Host, Options, Seams, StoreError, StoreLock, StreamConfig, StreamKeys,
};
use streamkeep_http::Body;
use streamkeep_ingest::LiveStart;
use streamkeep_io::{Clock, LocalDirectory, SystemClock, SystemRng};
use streamkeep_keys::{StoreId, StreamKey};
use streamkeep_live::{LiveTail, MemoryBudget, TailPolicy};
use streamkeep_media::{Fragment, FrameEntry, SessionHeader, StreamId, UnixMillis};
use streamkeep_playback::{
    Axis, CacheSizes, DiscontinuityMode, Mode, PlaybackStream, Protocol, Service, SessionRequest,
    Source,
};
use streamkeep_test_camera::{Pictures, fragment, picture, session_header};
use zeroize::Zeroizing;

const STORE: StoreId = StoreId([3; 16]);

struct Keys;

impl StreamKeys for Keys {
    fn stream_key(&self, stream: StreamId) -> Result<Arc<StreamKey>, StoreError> {
        let rng = streamkeep_io::sim::SimRng::new(u64::from(stream.0[0]));
        Ok(Arc::new(StreamKey::generate(STORE, stream, 1, &rng)))
    }
}

struct Camera {
    tail: LiveTail,
}

impl PlaybackStream for Camera {
    fn name(&self) -> &str {
        "camera"
    }

    fn tail(&self) -> &LiveTail {
        &self.tail
    }
}

#[derive(Default)]
pub(crate) struct Cameras(Mutex<Vec<(StreamId, Arc<Camera>)>>);

impl Source for Cameras {
    fn stream(&self, id: StreamId) -> Option<Arc<dyn PlaybackStream>> {
        let cameras = self.0.lock().unwrap();
        let found = cameras.iter().find(|(known, _)| *known == id)?;
        Some(found.1.clone() as Arc<dyn PlaybackStream>)
    }
}

pub(crate) struct World {
    _dir: tempfile::TempDir,
    pub(crate) engine: Engine,
    pub(crate) cameras: Arc<Cameras>,
    pub(crate) service: Arc<Service>,
    /// That of the service; the store's stays.
    pub(crate) clock: Arc<MovableClock>,
    header: Arc<SessionHeader>,
}

/// The system's clock, put forward.
#[derive(Debug, Default)]
pub(crate) struct MovableClock(AtomicU64);

impl MovableClock {
    pub(crate) fn put_forward(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(now().0 + self.0.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.now().0)
    }
}

pub(crate) const fn stream(index: u8) -> StreamId {
    StreamId([index; 16])
}

pub(crate) fn now() -> UnixMillis {
    SystemClock::new().now()
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = LocalDirectory::open_or_create(dir.path()).unwrap();
        let volumes = LocalDirectory::open_or_create(&dir.path().join("volumes")).unwrap();
        let lock = StoreLock::acquire(&root, &Host::current()).unwrap();
        let seams = Seams {
            root: Arc::new(root),
            volumes: Arc::new(volumes),
            clock: Arc::new(SystemClock::new()),
            rng: Arc::new(SystemRng::new().unwrap()),
        };
        let index = Arc::new(SqliteIndex::open(&dir.path().join("index.db")).unwrap());
        let options = Options { ballast_len: 0, volume_len: 16 << 20, ..Options::new(STORE, 1) };
        let engine = Engine::open(lock, options, seams, index, Arc::new(Keys)).unwrap();
        let cameras = Arc::new(Cameras::default());
        let clock = Arc::new(MovableClock::default());
        let service = Service::new(
            engine.clone(),
            cameras.clone(),
            clock.clone(),
            Arc::new(SystemRng::new().unwrap()),
            &Zeroizing::new([9; 32]),
            CacheSizes::default(),
        );
        let header = Arc::new(session_header(vec![Pictures::OutOfOrder.track()]));
        Self { _dir: dir, engine, cameras, service: Arc::new(service), clock, header }
    }

    pub(crate) fn add_stream(&self, id: StreamId) {
        let visible_from = UnixMillis(0);
        self.engine.put_stream(StreamConfig { id, retention_hours: 24, visible_from });
        let tail = LiveTail::new(TailPolicy::UntilStored, MemoryBudget::new(1 << 30));
        self.cameras.0.lock().unwrap().push((id, Arc::new(Camera { tail })));
    }

    pub(crate) fn remove_stream(&self, id: StreamId) {
        self.engine.delete_stream(id);
        self.cameras.0.lock().unwrap().retain(|(known, _)| *known != id);
    }

    /// A fragment of 25 frames a second that starts at `producer`. Frames are out of order, as with
    /// B-frames: each third is shown after the two behind it.
    pub(crate) fn append(&self, id: StreamId, producer: UnixMillis, frames: i32, continues: bool) {
        let (number, server_timestamp) = self.engine.begin_fragment(id).unwrap();
        let mut media = Vec::new();
        let entries: Vec<FrameEntry> = (0..frames)
            .map(|index| {
                let offset = media.len() as u32;
                let kind = if index == 0 { 0x65 } else { 0x41 };
                let payload = [kind, 0x88, index as u8, producer.0 as u8];
                media.extend_from_slice(&(payload.len() as u32).to_be_bytes());
                media.extend_from_slice(&payload);
                let shown = match index % 3 {
                    0 => index,
                    1 if index + 1 < frames => index + 1,
                    2 => index - 1,
                    _ => index,
                };
                picture(shown * 40, index == 0, offset, 8)
            })
            .collect();
        let start = LiveStart {
            number,
            server_timestamp,
            producer_timestamp: producer,
            timecode: producer.0,
            header: self.header.clone(),
        };
        let fragment = Fragment {
            media: vec![Bytes::from(media)],
            continues_previous: continues,
            ..fragment(start, entries, frames * 40)
        };
        self.engine
            .append(
                id,
                fragment,
                Box::new(|result| {
                    result.unwrap();
                }),
            )
            .unwrap();
        self.engine.flush();
    }

    pub(crate) async fn session(&self, request: &SessionRequest) -> String {
        self.service.create_session(request).await.unwrap()
    }

    /// Status and body of a sub-request.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Bytes) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let response = self.service.answer(&Method::GET, path, query, &HeaderMap::new()).await;
        let status = response.status();
        let bytes = match response.into_body() {
            Body::Full(bytes) => bytes,
            Body::Pieces(mut pieces) => pieces.copy_to_bytes(pieces.remaining()),
            Body::Stream(_) => panic!("a body in parts"),
        };
        (status, bytes)
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        let (status, bytes) = self.get(path).await;
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        text
    }

    /// The media playlist of the first track.
    pub(crate) async fn list(&self, token: &str) -> String {
        let path = format!("/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken={token}");
        let master = self.text(&path).await;
        let line = master.lines().find(|line| !line.starts_with('#')).unwrap();
        self.text(&format!("/hls/v1/{line}")).await
    }
}

pub(crate) fn request(id: StreamId, mode: Mode) -> SessionRequest {
    SessionRequest {
        stream: id,
        protocol: Protocol::HlsMp4,
        mode,
        axis: Axis::Producer,
        discontinuity: DiscontinuityMode::OnDiscontinuity,
        display_timestamp: false,
        display_number: false,
        from: None,
        to: None,
        expires_s: 300,
        window: 5,
    }
}

pub(crate) fn range(id: StreamId, from: u64, to: u64) -> SessionRequest {
    SessionRequest {
        from: Some(UnixMillis(from)),
        to: Some(UnixMillis(to)),
        window: 1_000,
        ..request(id, Mode::OnDemand)
    }
}

/// URIs of a playlist, in order.
pub(crate) fn uris(list: &str) -> Vec<String> {
    list.lines().filter(|line| !line.starts_with('#')).map(|l| format!("/hls/v1/{l}")).collect()
}
