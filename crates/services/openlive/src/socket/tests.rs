use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use streamkeep_io::SystemClock;
use streamkeep_media::UnixMillis;
use tokio::io::DuplexStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::testing::{Camera, Parsed, parse};
use crate::{LiveStream, Refusal};

/// Cameras by name; `secret` is denied.
#[derive(Default)]
struct Cameras(Mutex<HashMap<String, Arc<Camera>>>);

impl Streams for Cameras {
    fn open(&self, stream: &str) -> Result<Arc<dyn LiveStream>, Refusal> {
        let cameras = self.0.lock().unwrap();
        let refusal = |is_denied, name| Refusal { is_denied, name, text: "why".to_owned() };
        match cameras.get(stream) {
            Some(camera) => Ok(camera.clone() as Arc<dyn LiveStream>),
            None if stream == "secret" => Err(refusal(true, "AccessDeniedException")),
            None => Err(refusal(false, "ResourceNotFoundException")),
        }
    }

    fn may_be_unattended(&self) -> bool {
        true
    }
}

/// A page and the server's end.
struct Wall {
    ws: WebSocketStream<DuplexStream>,
    cameras: Arc<Cameras>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<Ended>,
}

#[derive(Debug)]
enum Said {
    Text(Value),
    Binary(Parsed),
    Closed(u16, String),
    End,
}

impl Wall {
    async fn open(cameras: &[&str]) -> Self {
        let known = cameras.iter().map(|name| ((*name).to_owned(), Arc::new(Camera::new())));
        let cameras = Arc::new(Cameras(Mutex::new(known.collect())));
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (stop, stopping) = oneshot::channel();
        let clock = Arc::new(SystemClock::new());
        let streams = cameras.clone();
        let served = tokio::spawn(async move {
            serve(theirs, streams, clock, async move { drop(stopping.await) }).await
        });
        let ws = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
        let mut wall = Self { ws, cameras, stop: Some(stop), served };
        assert_eq!(wall.text().await, json!({"is": "hello", "unattended": true}));
        wall
    }

    fn camera(&self, name: &str) -> Arc<Camera> {
        self.cameras.0.lock().unwrap()[name].clone()
    }

    async fn send(&mut self, message: Value) {
        self.ws.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn open_tile(&mut self, tile: u16, stream: &str, tier: &str) {
        self.send(json!({"op": "open", "tile": tile, "stream": stream, "tier": tier})).await;
    }

    async fn next(&mut self) -> Said {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(10), self.ws.next());
            return match next.await.expect("something is said") {
                Some(Ok(Message::Text(text))) => {
                    Said::Text(serde_json::from_str(text.as_str()).unwrap())
                }
                Some(Ok(Message::Binary(bytes))) => Said::Binary(parse(&bytes)),
                Some(Ok(Message::Close(Some(frame)))) => {
                    Said::Closed(frame.code.into(), frame.reason.as_str().to_owned())
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Said::End,
            };
        }
    }

    /// The next text, whatever media come before.
    async fn text(&mut self) -> Value {
        loop {
            match self.next().await {
                Said::Text(text) => return text,
                Said::Binary(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn media(&mut self, tile: u16) -> Parsed {
        loop {
            match self.next().await {
                Said::Binary(media) if media.kind == 2 && media.tile == tile => return media,
                Said::Text(_) | Said::Binary(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The close frame must come, and be all that does beside texts and media.
    async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Said::Closed(code, reason) => return (code, reason),
                Said::End => panic!("closed without a word"),
                Said::Text(_) | Said::Binary(_) => {}
            }
        }
    }
}

const START: UnixMillis = UnixMillis(1_795_166_438_000);

#[tokio::test]
async fn two_tiles_on_one_socket() {
    let mut wall = Wall::open(&["gate", "hall"]).await;
    wall.camera("gate").fragment(START, 3, 100);
    wall.camera("hall").fragment(START, 3, 100);
    wall.open_tile(1, "gate", "full").await;
    wall.open_tile(2, "hall", "key").await;
    let (first, second) = (wall.media(1).await, wall.media(2).await);
    assert_eq!((first.media.unwrap().1.len(), second.media.unwrap().1.len()), (3, 1));
    // The one is closed, the other goes on.
    wall.send(json!({"op": "close", "tile": 2})).await;
    assert_eq!(wall.text().await, json!({"tile": 2, "is": "end", "name": "closed"}));
    wall.camera("gate").frame(120, false, 100);
    assert_eq!(wall.media(1).await.wall_us, (START.0 as i64 + 120) * 1000);
    wall.ws.close(None).await.unwrap();
    assert_eq!(wall.served.await.unwrap(), Ended::ByPeer);
}

#[tokio::test]
async fn refusals_name_what_is_wrong_and_cost_no_tile() {
    let mut wall = Wall::open(&["gate"]).await;
    for (message, tile, is, name) in [
        (
            json!({"op":"open","tile":3,"stream":"none","tier":"full"}),
            json!(3),
            "error",
            "ResourceNotFoundException",
        ),
        (
            json!({"op":"open","tile":3,"stream":"secret","tier":"full"}),
            json!(3),
            "denied",
            "AccessDeniedException",
        ),
        (
            json!({"op":"open","tile":3,"stream":"gate","tier":"still"}),
            json!(3),
            "error",
            "TierNotAvailable",
        ),
        (
            json!({"op":"open","tile":3,"stream":"gate","tier":"all"}),
            json!(3),
            "error",
            "UnknownTier",
        ),
        (
            json!({"op":"open","tile":3,"stream":"gate","tier":"full","from":"2026-11-20T09:00:00Z"}),
            json!(3),
            "error",
            "FromNotAvailable",
        ),
        (json!({"op":"tier","tile":3,"tier":"full"}), json!(3), "error", "NoSuchTile"),
        (json!({"op":"dance","tile":3}), Value::Null, "error", "BadMessage"),
    ] {
        wall.send(message.clone()).await;
        let text = wall.text().await;
        assert_eq!(
            (&text["tile"], &text["is"], &text["name"]),
            (&tile, &json!(is), &json!(name)),
            "{message}"
        );
    }
    // What crosses an end on its way is let pass.
    wall.send(json!({"op":"credit","tile":3,"bytes":5})).await;
    wall.send(json!({"op":"close","tile":3})).await;
    wall.camera("gate").fragment(START, 1, 100);
    wall.open_tile(3, "gate", "full").await;
    wall.media(3).await;
    wall.open_tile(3, "gate", "key").await;
    assert_eq!(wall.text().await["name"], "TileInUse");
    wall.send(json!({"op":"tier","tile":3,"tier":"still"})).await;
    assert_eq!(wall.text().await["name"], "TierNotAvailable");
}

#[tokio::test]
async fn a_tile_is_closed_and_opened_again_in_one_breath() {
    let mut wall = Wall::open(&["gate", "hall"]).await;
    wall.camera("gate").fragment(START, 1, 100);
    wall.camera("hall").fragment(UnixMillis(5_000), 1, 100);
    wall.open_tile(1, "gate", "full").await;
    wall.media(1).await;
    wall.send(json!({"op":"close","tile":1})).await;
    wall.open_tile(1, "hall", "full").await;
    assert_eq!(wall.text().await["is"], "end", "all of the old before this");
    assert_eq!(wall.media(1).await.wall_us, 5_000_000);
}

#[tokio::test]
async fn pings_are_answered_and_sent() {
    let mut wall = Wall::open(&[]).await;
    wall.send(json!({"op":"ping","at":12.5})).await;
    let pong = wall.text().await;
    assert_eq!((&pong["is"], &pong["at"]), (&json!("pong"), &json!(12.5)));
    let server = pong["server"].as_u64().unwrap();
    assert!(server.abs_diff(SystemClock::new().now().0) < 5_000);
    wall.ws.send(Message::Ping(Bytes::from_static(b"hello"))).await.unwrap();
    let pong = wall.ws.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong(Bytes::from_static(b"hello")));
    let ping = tokio::time::timeout(2 * PING_INTERVAL, wall.ws.next()).await;
    match ping.expect("one every five seconds").unwrap().unwrap() {
        Message::Ping(at) => assert_eq!(at.len(), 8),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn caps_close_the_socket_with_a_reason() {
    let mut wall = Wall::open(&["gate"]).await;
    for tile in 0..TILES_MAX {
        wall.open_tile(u16::try_from(tile).unwrap(), "gate", "key").await;
    }
    wall.send(json!({"op":"ping","at":1})).await;
    while wall.text().await["is"] != "pong" {}
    wall.open_tile(999, "gate", "key").await;
    assert_eq!(wall.closed().await, (1008, "too-many-tiles".to_owned()));
    assert_eq!(wall.served.await.unwrap(), Ended::Closed(TOO_MANY_TILES));

    let mut wall = Wall::open(&[]).await;
    let mut text = json!({"op":"ping","at":1}).to_string();
    text.push_str(&" ".repeat(TEXT_BYTES_MAX - text.len()));
    wall.ws.send(Message::text(text.clone())).await.unwrap();
    assert_eq!(wall.text().await["is"], "pong");
    wall.ws.send(Message::text(text + " ")).await.unwrap();
    assert_eq!(wall.closed().await, (1009, "text-too-long".to_owned()));

    let mut wall = Wall::open(&[]).await;
    wall.ws.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(wall.closed().await, (1003, "binary-message".to_owned()));
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let mut wall = Wall::open(&["gate"]).await;
    wall.camera("gate").fragment(START, 1, 100);
    wall.open_tile(1, "gate", "full").await;
    wall.media(1).await;
    drop(wall.stop.take());
    assert_eq!(wall.closed().await, (1001, "server-stopping".to_owned()));
}

#[tokio::test]
async fn a_tile_without_credit_holds_no_other() {
    let mut wall = Wall::open(&["large", "small"]).await;
    wall.camera("large").fragment(START, 40, 50_000);
    wall.open_tile(1, "large", "full").await;
    let mut bytes = 0;
    while bytes < 900_000 {
        bytes += wall.media(1).await.media.unwrap().1.len() * 50_000;
    }
    wall.camera("small").fragment(START, 1, 100);
    wall.open_tile(2, "small", "full").await;
    for index in 1..20 {
        assert_eq!(wall.media(2).await.wall_us, (START.0 as i64 + (index - 1) * 40) * 1000);
        wall.camera("small").frame(index as i32 * 40, false, 100);
    }
    // Behind by two fragments when credit comes: on at the key frame.
    wall.camera("large").fragment(UnixMillis(START.0 + 2_000), 1, 1_000);
    wall.camera("large").fragment(UnixMillis(START.0 + 4_000), 1, 1_000);
    tokio::time::sleep(Duration::from_millis(300)).await;
    wall.send(json!({"op":"credit","tile":1,"bytes":1_048_576})).await;
    let media = wall.media(1).await;
    assert!(media.is_key && media.is_discontinuity);
    assert_eq!(media.wall_us, (START.0 as i64 + 4_000) * 1000);
    let behind = &wall.camera("large").behind_ms;
    assert!(behind.load(std::sync::atomic::Ordering::Relaxed) > 2_000);
}

#[tokio::test]
async fn a_page_that_reads_nothing_stops_nothing_but_itself() {
    let mut wall = Wall::open(&["gate"]).await;
    wall.camera("gate").fragment(START, 20, 60_000);
    wall.open_tile(1, "gate", "full").await;
    // The pipe holds 64 KiB; the tile waits, and its camera does not notice.
    tokio::time::sleep(Duration::from_millis(700)).await;
    for second in 1..4 {
        wall.camera("gate").fragment(UnixMillis(START.0 + second * 1000), 2, 1_000);
    }
    let mut last = wall.media(1).await;
    while last.wall_us < (START.0 as i64 + 3_000) * 1000 {
        last = wall.media(1).await;
    }
    assert!(last.is_key && last.is_discontinuity);
}

#[tokio::test]
async fn what_is_no_websocket_ends_it() {
    use tokio::io::AsyncWriteExt as _;

    let (mut ours, theirs) = tokio::io::duplex(1024);
    let clock = Arc::new(SystemClock::new());
    let served =
        tokio::spawn(serve(theirs, Arc::new(Cameras::default()), clock, std::future::pending()));
    ours.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(matches!(served.await.unwrap(), Ended::Lost(_)));
}
