//! S3, SNS and webhooks: what is sent, and what is made of the answers.

use std::time::Duration;

use bytes::Bytes;
use streamkeep_delivery::http::Timeouts;
use streamkeep_delivery::s3::{S3Addressing, S3Object};
use streamkeep_delivery::*;
use streamkeep_sigv4::UnixSeconds;

use crate::fixtures::*;
use crate::receiver::{Receiver, Reply};

const BODY: &[u8] = b"\xff\xd8 a picture \xff\xd9";

fn object<'a>(key: &'a str, metadata: &'a [(String, String)]) -> S3Object<'a> {
    S3Object {
        bucket: "pictures",
        region: "us-west-2",
        key,
        content_type: "image/jpeg",
        metadata,
        body: Bytes::from_static(BODY),
    }
}

#[tokio::test]
async fn s3_objects() {
    let receiver = Receiver::start([]).await;
    let client = client(&["127.0.0.1"]);
    let metadata = [("zone".to_owned(), "North Gate".to_owned())];
    for (key, target) in [
        ("a.jpg", "/pictures/a.jpg"),
        ("cams/gate 1+.jpg", "/pictures/cams/gate%201%2B.jpg"),
        ("门.jpg", "/pictures/%E9%97%A8.jpg"),
        ("//a", "/pictures///a"),
    ] {
        s3(&receiver).put(&client, &object(key, &metadata), seconds()).await.unwrap();
        let received = receiver.received().pop().unwrap();
        assert_eq!((received.method.as_str(), received.target.as_str()), ("PUT", target));
        assert_eq!(received.header("content-type"), "image/jpeg");
        assert_eq!(received.header("x-amz-meta-zone"), "North Gate");
        assert_eq!(received.header("content-length"), BODY.len().to_string());
        assert_eq!(received.body, BODY);
        received.verify("s3", "us-west-2", SECRET);
    }
    // One connection for all of them.
    assert!(receiver.received().iter().all(|received| received.connection == 0));
}

#[tokio::test]
async fn s3_virtual_host() {
    let receiver = Receiver::start([]).await;
    let port = receiver.address.port();
    let config = S3Config {
        endpoint: Some(HttpUrl::parse(&format!("http://localhost:{port}/base/")).unwrap()),
        addressing: S3Addressing::VirtualHost,
        region: Some("garage".into()),
        ..s3(&receiver)
    };
    // RFC 6761 §6.3: names below localhost are loopback; not every resolver knows.
    let client = client(&["127.0.0.1", "::1"]);
    match config.put(&client, &object("k", &[]), seconds()).await {
        Ok(()) => {
            let received = receiver.received().pop().unwrap();
            assert_eq!(received.header("host"), format!("pictures.localhost:{port}"));
            assert_eq!(received.target, "/base/k");
            received.verify("s3", "garage", SECRET);
        }
        Err(Failure::Retry(reason)) => {
            assert!(reason.contains("cannot resolve pictures.localhost"), "{reason}");
        }
        Err(failure) => panic!("{failure:?}"),
    }
}

#[tokio::test]
async fn sns_messages() {
    let receiver = Receiver::start([]).await;
    let client = client(&["127.0.0.1"]);
    let topic = TopicArn::parse(TOPIC).unwrap();
    let message = notification_message(&notification(1, TOPIC), &[("é".into(), "& =".into())]);
    sns(&receiver).publish(&client, &topic, SUBJECT, &message, seconds()).await.unwrap();
    let received = receiver.received().pop().unwrap();
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/"));
    received.verify("sns", "us-west-2", SECRET);
    let body = received.text();
    assert!(body.starts_with(
        "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-west-2%3A111122223333%3Aalerts\
         &Subject=Kinesis+Video+Streams+Notification&Message=%7B%22StreamArn%22"
    ), "{body}");
    assert!(
        body.ends_with("%22NotificationPayload%22%3A%7B%22%C3%A9%22%3A%22%26+%3D%22%7D%7D"),
        "{body}"
    );
}

#[tokio::test]
async fn webhooks() {
    let receiver = Receiver::start([Reply::Status(204, "")]).await;
    let client = client(&["127.0.0.1"]);
    let secret = WebhookSecret::new(WEBHOOK_SECRET).unwrap();
    let url = HttpUrl::parse(&receiver.url("/hook?token=x")).unwrap();
    webhook::post(&client, &secret, &url, "delivery-1", "{\"a\":1}", seconds()).await.unwrap();
    let received = receiver.received().pop().unwrap();
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/hook?token=x"));
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(received.header(webhook::DELIVERY_HEADER), "delivery-1");
    assert_eq!(received.text(), "{\"a\":1}");
    let signature = received.header(webhook::SIGNATURE_HEADER);
    assert!(secret.verify(signature, &received.body, seconds(), 60));
}

/// What a webhook to a receiver that answers `reply` ends in.
async fn outcome(reply: Reply, timeouts: Timeouts) -> Result<(), Failure> {
    let receiver = Receiver::start([reply]).await;
    let client = client_with(&["127.0.0.1"], timeouts);
    let secret = WebhookSecret::new(WEBHOOK_SECRET).unwrap();
    let url = HttpUrl::parse(&receiver.url("/")).unwrap();
    webhook::post(&client, &secret, &url, "d", "{}", seconds()).await
}

#[tokio::test]
async fn answers() {
    let elsewhere = Receiver::start([]).await;
    let hasty = Timeouts { answer: Duration::from_millis(300), ..TIMEOUTS };
    for (reply, timeouts, expected) in [
        (Reply::Status(200, "ok"), TIMEOUTS, "done"),
        (Reply::OkAndClose, TIMEOUTS, "done"),
        // The head is the answer; the body is neither kept nor waited for.
        (Reply::EndlessBody, TIMEOUTS, "done"),
        (Reply::HangInBody, TIMEOUTS, "done"),
        (Reply::Status(500, ""), TIMEOUTS, "retry"),
        (Reply::Status(503, ""), TIMEOUTS, "retry"),
        (Reply::Close, TIMEOUTS, "retry"),
        (Reply::HalfHead, TIMEOUTS, "retry"),
        (Reply::Noise, TIMEOUTS, "retry"),
        (Reply::EndlessHead, TIMEOUTS, "retry"),
        (Reply::Hang, hasty, "retry"),
        (Reply::Status(400, ""), TIMEOUTS, "permanent"),
        (Reply::Status(410, ""), TIMEOUTS, "permanent"),
        (Reply::Redirect(elsewhere.url("/")), TIMEOUTS, "permanent"),
    ] {
        let text = format!("{reply:?}");
        let found = match outcome(reply, timeouts).await {
            Ok(()) => "done",
            Err(Failure::Retry(_)) => "retry",
            Err(Failure::Permanent(_)) => "permanent",
        };
        assert_eq!(found, expected, "{text}");
    }
    assert!(elsewhere.received().is_empty(), "no redirect is followed");
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_replaced() {
    let receiver = Receiver::start([Reply::OkAndVanish]).await;
    let client = client(&["127.0.0.1"]);
    for _ in 0..3 {
        s3(&receiver).put(&client, &object("k", &[]), seconds()).await.unwrap();
    }
    let connections: Vec<_> = receiver.received().iter().map(|each| each.connection).collect();
    assert_eq!(connections, [0, 1, 1]);
}

#[tokio::test]
async fn nobody_listens() {
    let receiver = Receiver::start([]).await;
    let config = s3(&receiver);
    drop(receiver);
    tokio::task::yield_now().await;
    let failure =
        config.put(&client(&["127.0.0.1"]), &object("k", &[]), seconds()).await.unwrap_err();
    assert!(failure.reason().contains("cannot connect to 127.0.0.1"), "{failure}");
    assert!(!failure.is_permanent());
}

#[tokio::test]
async fn addresses_are_refused_unless_allowed() {
    let receiver = Receiver::start([]).await;
    let port = receiver.address.port();
    let secret = WebhookSecret::new(WEBHOOK_SECRET).unwrap();
    for (host, allowed, expected) in [
        // Addresses stay what they are; names may change.
        ("127.0.0.1", &[][..], "permanent"),
        ("localhost", &[], "retry"),
        ("[::ffff:127.0.0.1]", &["127.0.0.1"], "permanent"),
        ("169.254.169.254", &["127.0.0.1"], "permanent"),
        ("10.0.0.1", &["127.0.0.1"], "permanent"),
        // What resolvers take for an address.
        ("2130706433", &[], "retry"),
        ("0x7f.1", &[], "retry"),
        ("127.0.0.1", &["127.0.0.1"], "done"),
        ("localhost", &["localhost"], "done"),
        ("localhost", &["127.0.0.0/8"], "done"),
    ] {
        let url = HttpUrl::parse(&format!("http://{host}:{port}/")).unwrap();
        let before = receiver.received().len();
        let result = webhook::post(&client(allowed), &secret, &url, "d", "{}", seconds()).await;
        let found = match &result {
            Ok(()) => "done",
            Err(Failure::Retry(_)) => "retry",
            Err(Failure::Permanent(_)) => "permanent",
        };
        assert_eq!(found, expected, "{host} {allowed:?} {result:?}");
        let is_called = receiver.received().len() > before;
        assert_eq!(is_called, expected == "done", "{host}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_from_the_right_one() {
    let receiver = Receiver::start([]).await;
    let client = client(&["127.0.0.1"]);
    s3(&receiver).put(&client, &object("k", &[]), UnixSeconds(seconds().0)).await.unwrap();
    let received = receiver.received().pop().unwrap();
    let wrong = std::panic::catch_unwind(|| received.verify("s3", "us-west-2", "another"));
    assert!(wrong.is_err(), "the check of these tests can fail");
}
