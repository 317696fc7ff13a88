//! Playback calls against a scripted peer.

#![allow(clippy::unwrap_used)] // a panic fails the test

mod support;

use serde_json::{Value, json};
use streamkeep_client::media::TimestampAxis;
use streamkeep_client::playback::{
    Clip, ClipCut, ClipLimits, ClipOptions, Container, DiscontinuityMode, HlsOptions, ImageError,
    ImageFormat, ImageSelection, Images, Playlist, SessionOptions, Span, dash_session_url,
    hls_session_url,
};
use streamkeep_client::{Client, Error, Url};
use streamkeep_media::UnixMillis;
use streamkeep_sigv4::{
    KnownKey, Payload, Presented, Request, Rules, SecretKey, SigningKeys, UnixSeconds,
};
use support::{Received, SECRET, serve};

/// The names of the signed headers; the signature is verified.
fn signed_headers(request: &Received) -> Vec<String> {
    let headers: Vec<(&str, &[u8])> =
        request.headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
    let view = Request { method: "POST", path: &request.path, query: "", headers: &headers };
    let secret = SecretKey::new(SECRET).unwrap();
    let key = KnownKey { secret: &secret, session: None };
    let rules = Rules {
        region: None,
        services: &["kinesisvideo"],
        signed_if_present: &["x-streamkeep-clip-limits", "x-streamkeep-clip-exact"],
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = UnixSeconds(now.as_secs() as _);
    let payload = Payload::Body(&request.body);
    Presented::parse(view).unwrap().verify(payload, key, rules, now, &SigningKeys::new(1)).unwrap();
    let authorization = request.header("authorization").unwrap();
    let names = authorization.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
    names.split(';').map(str::to_owned).collect()
}

/// A peer that answers GetDataEndpoint for `api`, and the next call with `answer`.
async fn service(
    api: &'static str,
    answer: impl Fn(&Received) -> String + Clone + Send + Sync + 'static,
) -> Client {
    serve(move |mut peer, endpoint| {
        let answer = answer.clone();
        async move {
            while let Some(request) = peer.request().await {
                if request.path == "/getDataEndpoint" {
                    let input: Value = serde_json::from_slice(&request.body).unwrap();
                    assert_eq!(input["APIName"], api);
                    peer.json(200, "", &format!(r#"{{"DataEndpoint":"{endpoint}"}}"#)).await;
                } else {
                    let text = answer(&request);
                    peer.send(text).await;
                }
            }
        }
    })
    .await
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn live() -> SessionOptions {
    SessionOptions {
        span: Span::Live,
        axis: TimestampAxis::Producer,
        expires_seconds: 300,
        timestamps: false,
        fragments_max: None,
    }
}

#[tokio::test]
async fn session_urls() {
    let hls = service("GET_HLS_STREAMING_SESSION_URL", |request| {
        assert_eq!(request.path, "/getHLSStreamingSessionURL");
        let input: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            (&input["ContainerFormat"], &input["Expires"]),
            (&json!("MPEG_TS"), &json!(300))
        );
        assert_eq!(input["DiscontinuityMode"], "ON_DISCONTINUITY");
        ok(r#"{"HLSStreamingSessionURL":"http://h/m.m3u8?SessionToken=t~"}"#)
    })
    .await;
    let mut options = HlsOptions {
        session: live(),
        container: Container::MpegTs,
        discontinuity: Some(DiscontinuityMode::OnDiscontinuity),
        low_latency: false,
    };
    let url = hls_session_url(&hls, "cam", &options).await.unwrap();
    assert_eq!(url, "http://h/m.m3u8?SessionToken=t~");
    options.low_latency = true;
    let url = hls_session_url(&hls, "cam", &options).await.unwrap();
    assert_eq!(url, "http://h/m.m3u8?SessionToken=t~&LowLatency=1");

    let dash = service("GET_DASH_STREAMING_SESSION_URL", |request| {
        assert_eq!(request.path, "/getDASHStreamingSessionURL");
        ok(r#"{"DASHStreamingSessionURL":"http://h/m.mpd?SessionToken=t~"}"#)
    })
    .await;
    let url = dash_session_url(&dash, "cam", &live()).await.unwrap();
    assert_eq!(url, "http://h/m.mpd?SessionToken=t~");

    for none in [r#"{}"#, r#"{"DASHStreamingSessionURL":"javascript:x"}"#] {
        let client = service("GET_DASH_STREAMING_SESSION_URL", move |_| ok(none)).await;
        let error = dash_session_url(&client, "cam", &live()).await.unwrap_err();
        assert!(matches!(error, Error::Answer { .. }), "{error}");
    }
}

#[tokio::test]
async fn playlists_are_fetched_without_a_signature() {
    let client = serve(|mut peer, _| async move {
        while let Some(request) = peer.request().await {
            assert_eq!(request.header("authorization"), None);
            match request.path.as_str() {
                "/hls/list.m3u8?SessionToken=t~" => {
                    peer.send(ok("#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4?x\"\nsegment.mp4?x\n")).await;
                }
                "/hls/init.mp4?x" => peer.send(ok("ftyp")).await,
                "/hls/other.m3u8" => peer.send(ok("<html>")).await,
                _ => peer.json(404, "ResourceNotFoundException", r#"{"message":"gone"}"#).await,
            }
        }
    })
    .await;
    let base = client.settings().endpoint.to_string();
    let url: Url = format!("{base}/hls/list.m3u8?SessionToken=t~").parse().unwrap();
    let playlist = Playlist::fetch(&client, &url).await.unwrap();
    let map = playlist.tagged("EXT-X-MAP").next().unwrap();
    assert_eq!(client.get(map, 4).await.unwrap(), "ftyp");
    let too_large = client.get(map, 3).await.unwrap_err();
    assert!(matches!(too_large, Error::LimitExceeded { limit: 3, .. }), "{too_large}");
    let gone = client.get(playlist.entries().next().unwrap(), 100).await.unwrap_err();
    assert!(gone.has_code("ResourceNotFoundException") && gone.to_string().contains("gone"));
    let other = url.join("other.m3u8").unwrap();
    assert!(matches!(Playlist::fetch(&client, &other).await, Err(Error::Http(_))));
}

async fn read(client: &Client, options: ClipOptions) -> (Option<u64>, Result<Vec<u8>, Error>) {
    let range = (UnixMillis(1_500), UnixMillis(9_000));
    let mut clip =
        Clip::open(client, "cam", TimestampAxis::Producer, range, options).await.unwrap();
    let len = clip.len();
    let mut file = Vec::new();
    loop {
        match clip.next().await {
            Ok(Some(piece)) => file.extend_from_slice(&piece),
            Ok(None) => return (len, Ok(file)),
            Err(error) => return (len, Err(error)),
        }
    }
}

#[tokio::test]
async fn a_clip_with_our_headers_signed() {
    let client = service("GET_CLIP", |request| {
        let names = signed_headers(request);
        assert!(names.contains(&"x-streamkeep-clip-limits".to_owned()), "{names:?}");
        assert_eq!(request.header("x-streamkeep-clip-limits"), Some("off"));
        assert_eq!(request.header("x-streamkeep-clip-exact"), Some("true"));
        let input: Value = serde_json::from_slice(&request.body).unwrap();
        let selector = json!({
            "FragmentSelectorType": "PRODUCER_TIMESTAMP",
            "TimestampRange": { "StartTimestamp": 1.5, "EndTimestamp": 9.0 },
        });
        assert_eq!(input, json!({ "StreamName": "cam", "ClipFragmentSelector": selector }));
        ok("movie")
    })
    .await;
    let all = ClipOptions { limits: ClipLimits::Off, cut: ClipCut::Exact };
    let (len, file) = read(&client, all).await;
    assert_eq!((len, file.unwrap()), (Some(5), b"movie".to_vec()));
}

#[tokio::test]
async fn a_clip_as_published_and_one_cut_short() {
    let client = service("GET_CLIP", |request| {
        assert!(!request.headers.iter().any(|(name, _)| name.starts_with("x-streamkeep")));
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nmovie".to_owned()
    })
    .await;
    let reading = read(&client, ClipOptions::default());
    // The peer keeps the connection open: nothing more comes.
    let waited = tokio::time::timeout(std::time::Duration::from_millis(200), reading).await;
    assert!(waited.is_err());

    let client = serve(|mut peer, endpoint| async move {
        while let Some(request) = peer.request().await {
            if request.path == "/getDataEndpoint" {
                peer.json(200, "", &format!(r#"{{"DataEndpoint":"{endpoint}"}}"#)).await;
            } else {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nmovie").await;
                return;
            }
        }
    })
    .await;
    let (len, file) = read(&client, ClipOptions::default()).await;
    assert_eq!(len, Some(9));
    assert!(matches!(file, Err(Error::Io(_))), "{file:?}");
}

#[tokio::test]
async fn images_over_all_pages() {
    let client = service("GET_IMAGES", |request| {
        let input: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!((&input["Format"], &input["MaxResults"]), (&json!("PNG"), &json!(5)));
        let image = |at: f64| json!({ "TimeStamp": at, "Error": null, "ImageContent": "Zm9v" });
        let none = |at: f64| json!({ "TimeStamp": at, "Error": "NO_MEDIA" });
        let start = input["StartTimestamp"].as_f64().unwrap();
        let answer = match (start, input["NextToken"].as_str()) {
            (1.0, None) => json!({ "Images": [image(1.0), image(2.0)], "NextToken": "more" }),
            (1.0, Some("more")) => json!({ "Images": [image(3.0), none(4.0), image(5.0)] }),
            (6.0, None) => json!({ "Images": [image(6.0)], "NextToken": null }),
            other => panic!("{other:?}"),
        };
        ok(&answer.to_string())
    })
    .await;
    let selection = ImageSelection {
        axis: TimestampAxis::Server,
        first: UnixMillis(1_000),
        last: UnixMillis(6_900),
        interval_ms: 1_000,
        format: ImageFormat::Png,
    };
    let mut images = Images::open(&client, "cam", selection).await.unwrap();
    let mut all = Vec::new();
    while let Some(page) = images.next_page().await.unwrap() {
        all.extend(page);
    }
    let instants: Vec<u64> = all.iter().map(|image| image.at.0).collect();
    assert_eq!(instants, [1_000, 2_000, 3_000, 4_000, 5_000, 6_000]);
    for image in &all {
        let wanted =
            if image.at.0 == 4_000 { Err(ImageError::NoMedia) } else { Ok(b"foo".to_vec()) };
        assert_eq!(image.content, wanted);
    }
    // An answer that would be asked for again without end.
    let client = service("GET_IMAGES", |_| ok(r#"{"Images":[],"NextToken":"again"}"#)).await;
    let mut images = Images::open(&client, "cam", selection).await.unwrap();
    assert!(matches!(images.next_page().await, Err(Error::Answer { .. })));
}
