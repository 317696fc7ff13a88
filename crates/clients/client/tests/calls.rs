//! Signed calls against a scripted peer.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a panic fails the test; a skip is told

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use streamkeep_client::{CallError, DataApi, Error};
use streamkeep_sigv4::{
    KnownKey, Payload, Presented, Request, Rules, SecretKey, SigningKeys, UnixSeconds,
};
use support::{ACCESS_KEY_ID, Received, SECRET, serve, serve_tls};

fn verify(request: &Received, payload: Payload<'_>) {
    let headers: Vec<(&str, &[u8])> =
        request.headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
    let view = Request { method: "POST", path: &request.path, query: "", headers: &headers };
    let presented = Presented::parse(view).unwrap();
    assert_eq!(presented.access_key_id().as_str(), ACCESS_KEY_ID);
    let secret = SecretKey::new(SECRET).unwrap();
    let key = KnownKey { secret: &secret, session: None };
    let rules =
        Rules { region: Some("us-west-2"), services: &["kinesisvideo"], signed_if_present: &[] };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = UnixSeconds(now.as_secs() as _);
    presented.verify(payload, key, rules, now, &SigningKeys::new(4)).unwrap();
}

#[tokio::test]
async fn a_call_is_signed_and_answered() {
    let client = serve(|mut peer, _| async move {
        let request = peer.request().await.unwrap();
        verify(&request, Payload::Body(&request.body));
        assert_eq!(request.path, "/createStream");
        assert_eq!(request.body, br#"{"StreamName":"cam"}"#);
        peer.json(200, "", r#"{"StreamARN":"arn"}"#).await;
    })
    .await;
    let answer = client.call("/createStream", &json!({ "StreamName": "cam" })).await.unwrap();
    assert_eq!(answer["StreamARN"], "arn");
}

#[tokio::test]
async fn refusals_carry_status_name_and_message() {
    let client = serve(|mut peer, _| async move {
        while let Some(request) = peer.request().await {
            match request.path.as_str() {
                "/header" => {
                    peer.json(404, "ResourceNotFoundException:", r#"{"Message":"no"}"#).await
                }
                "/type" => peer.json(400, "", r#"{"__type":"a.b#Odd","message":"m"}"#).await,
                _ => peer.json(503, "", "<html>").await,
            }
        }
    })
    .await;
    let refused = async |path: &str| match client.call(path, &json!({})).await {
        Err(Error::Call(error)) => error,
        other => panic!("{other:?}"),
    };
    let error = |status, code: &str, message: &str| CallError {
        status,
        code: code.into(),
        message: message.into(),
    };
    assert_eq!(refused("/header").await, error(404, "ResourceNotFoundException", "no"));
    assert_eq!(refused("/type").await, error(400, "Odd", "m"));
    let unavailable = refused("/none").await;
    assert_eq!(unavailable, error(503, "", ""));
    assert!(
        unavailable.is_retriable() && !error(404, "ResourceNotFoundException", "").is_retriable()
    );
}

#[tokio::test]
async fn throttled_calls_are_made_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let client = serve(move |mut peer, _| {
        let counter = counter.clone();
        async move {
            while let Some(request) = peer.request().await {
                let call = counter.fetch_add(1, Ordering::Relaxed);
                match (request.path.as_str(), call) {
                    ("/ends", 2) => peer.json(200, "", "{}").await,
                    ("/limit", _) => peer.json(400, "StreamLimitExceededException", "{}").await,
                    _ => peer.json(400, "ClientLimitExceededException", "{}").await,
                }
            }
        }
    })
    .await;
    client.call("/ends", &json!({})).await.unwrap();
    assert_eq!(calls.swap(0, Ordering::Relaxed), 3);
    // A limit that will not pass is told at once, throttling in the end.
    let error = client.call("/limit", &json!({})).await.unwrap_err();
    assert!(error.has_code("StreamLimitExceededException"));
    assert_eq!(calls.swap(0, Ordering::Relaxed), 1);
    let error = client.call("/never", &json!({})).await.unwrap_err();
    assert!(error.has_code("ClientLimitExceededException"));
    assert_eq!(calls.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn connections_are_used_again_and_replaced_when_closed() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    let client = serve(move |mut peer, _| {
        counter.fetch_add(1, Ordering::Relaxed);
        async move {
            // Two requests, then the connection closes without a word.
            for _ in 0..2 {
                let Some(_) = peer.request().await else { return };
                peer.json(200, "", "{}").await;
            }
        }
    })
    .await;
    for expected in [1, 1, 2, 2, 3] {
        client.call("/x", &json!({})).await.unwrap();
        assert_eq!(connections.load(Ordering::Relaxed), expected);
    }
}

#[tokio::test]
async fn a_broken_answer_is_an_error() {
    let client = serve(|mut peer, _| async move {
        peer.request().await.unwrap();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}").await;
    })
    .await;
    let error = client.call("/x", &json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Io(_)) && error.is_retriable(), "{error}");
    let client = serve(|mut peer, _| async move {
        peer.request().await.unwrap();
    })
    .await;
    assert!(matches!(client.call("/x", &json!({})).await, Err(Error::Http(_))));
}

#[tokio::test]
async fn tls_with_a_private_authority() {
    let (client, _bundle) = serve_tls(|mut peer, _| async move {
        while let Some(request) = peer.request().await {
            verify(&request, Payload::Body(&request.body));
            let url = "https://localhost:9";
            peer.json(200, "", &format!(r#"{{"DataEndpoint":"{url}"}}"#)).await;
        }
    })
    .await;
    let endpoint = client.data_endpoint("cam", DataApi::GetMedia).await.unwrap();
    assert_eq!(endpoint.to_string(), "https://localhost:9");
    // The same server without its authority is not trusted.
    let mut settings = client.settings().clone();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), other.cert.pem()).unwrap();
    settings.ca_bundle = Some(file.path().to_owned());
    let stranger = streamkeep_client::Client::new(settings).unwrap();
    let error = stranger.data_endpoint("cam", DataApi::GetMedia).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
}

#[tokio::test]
async fn put_media_is_signed_over_the_empty_payload() {
    use streamkeep_client::put_media::{Ack, AckEvent, PutMediaOptions, TimecodeType};
    use streamkeep_media::UnixMillis;

    let client = serve(|mut peer, endpoint| async move {
        let request = peer.request().await.unwrap();
        if request.path == "/getDataEndpoint" {
            peer.json(200, "", &format!(r#"{{"DataEndpoint":"{endpoint}"}}"#)).await;
            return;
        }
        verify(&request, Payload::Streaming);
        assert_eq!(request.header("x-amzn-stream-name"), Some("cam"));
        assert_eq!(request.header("x-amzn-fragment-timecode-type"), Some("RELATIVE"));
        assert_eq!(request.header("x-amzn-producer-start-timestamp"), Some("5.007"));
        peer.chunked_head().await;
        // Each ack follows its chunk while the body is still open.
        assert_eq!(peer.chunk().await.unwrap(), b"one");
        let ack = |event: &str| {
            format!(
                "{{\"EventType\":\"{event}\",\"FragmentTimecode\":7,\"FragmentNumber\":\"1\"}}\n"
            )
        };
        peer.send_chunk(ack("BUFFERING")).await;
        assert_eq!(peer.chunk().await.unwrap(), b"two");
        peer.send_chunk(ack("RECEIVED")).await;
        peer.send_chunk(ack("PERSISTED")).await;
        assert_eq!(peer.chunk().await, None);
        peer.send_chunk("{\"EventType\":\"IDLE\"}\n").await;
        peer.send("0\r\n\r\n").await;
    })
    .await;
    let options = PutMediaOptions {
        stream_name: "cam".into(),
        timecode_type: TimecodeType::Relative,
        producer_start: UnixMillis(5_007),
    };
    let mut session = streamkeep_client::PutMedia::open(&client, &options).await.unwrap();
    session.send("one".into()).await.unwrap();
    session.send("".into()).await.unwrap(); // no empty chunk, which would end the body
    session.send("two".into()).await.unwrap();
    let acks = session.finish(7, &AckEvent::Persisted).await.unwrap();
    let events: Vec<AckEvent> = acks.into_iter().map(|Ack { event, .. }| event).collect();
    assert_eq!(
        events,
        [AckEvent::Buffering, AckEvent::Received, AckEvent::Persisted, AckEvent::Idle]
    );
}

#[tokio::test]
async fn put_media_refused() {
    use streamkeep_client::put_media::{PutMediaOptions, TimecodeType};
    let client = serve(|mut peer, _| async move {
        peer.request().await.unwrap();
        peer.json(404, "ResourceNotFoundException", r#"{"Message":"no stream"}"#).await;
    })
    .await;
    let options = PutMediaOptions {
        stream_name: "cam".into(),
        timecode_type: TimecodeType::Absolute,
        producer_start: Default::default(),
    };
    let endpoint = client.settings().endpoint.clone();
    let error =
        streamkeep_client::PutMedia::open_at(&client, &endpoint, &options).await.unwrap_err();
    assert!(error.has_code("ResourceNotFoundException"), "{error}");
}
