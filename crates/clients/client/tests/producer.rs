//! The producer against a service with faults: nothing is lost, nothing is claimed falsely.

#![allow(clippy::unwrap_used)] // a panic fails the test

mod support;

use std::time::Duration;

use bytes::Bytes;
use streamkeep_client::producer::{Delivery, FinalAck, Producer, ProducerOptions, Status};
use streamkeep_client::source::SourceFrame;
use streamkeep_client::{Client, Error};
use streamkeep_media::{FrameFlags, Tag, TagGroup, Track, TrackKind, UnixMillis};
use support::service::{Arrived, Fate, Service};

const START: u64 = 1_795_000_000_000;

fn options(delivery: Delivery) -> ProducerOptions {
    ProducerOptions {
        delivery,
        ack_timeout: Duration::from_millis(500),
        give_up_after: Duration::from_secs(1),
        ..ProducerOptions::live("cam", UnixMillis(START))
    }
}

fn track(number: u64, kind: TrackKind) -> Track {
    Track {
        number,
        uid: number,
        kind,
        codec_id: "X_TEST".into(),
        codec_private: Bytes::from_static(&[1, 2, 3]),
        name: String::new(),
        default_duration_ns: None,
        video: None,
        audio: None,
    }
}

/// Payloads are numbered, so each can be found again.
fn frame(track_index: usize, ms: i64, key: bool) -> SourceFrame {
    SourceFrame {
        track_index,
        pts_ns: ms * 1_000_000,
        flags: FrameFlags { key, ..FrameFlags::default() },
        data: Bytes::from(format!("{track_index}@{ms}").repeat(100)),
    }
}

/// Video at 10 frames/s with a key frame each second.
async fn video(producer: &Producer, seconds: std::ops::Range<i64>) {
    for ms in (seconds.start * 1000..seconds.end * 1000).step_by(100) {
        producer.send_frame(frame(0, ms, ms % 1000 == 0)).await.unwrap();
    }
}

async fn produce(
    client: Client,
    options: ProducerOptions,
    seconds: i64,
) -> (Status, Result<(), Error>) {
    let producer = Producer::start(client, options);
    producer.set_tracks(vec![track(1, TrackKind::Video)]).await.unwrap();
    video(&producer, 0..seconds).await;
    producer.finish().await
}

/// Every second of the video is there, whole and in order. What was persisted just before a
/// connection broke may have come twice: its ack was lost.
fn assert_complete(persisted: &[Arrived], seconds: u64) {
    let mut persisted = persisted.to_vec();
    persisted.sort_by_key(|fragment| fragment.timecode);
    persisted.dedup_by(|a, b| a.timecode == b.timecode && a.blocks == b.blocks);
    let timecodes: Vec<u64> = persisted.iter().map(|fragment| fragment.timecode - START).collect();
    assert_eq!(timecodes, (0..seconds).map(|s| s * 1000).collect::<Vec<_>>());
    for fragment in &persisted {
        let base = (fragment.timecode - START) as i64;
        let expected: Vec<_> = (0..10i16)
            .map(|i| {
                let data = frame(0, base + 100 * i64::from(i), false).data.to_vec();
                (1, 100 * i, i == 0, data)
            })
            .collect();
        assert!(fragment.blocks == expected, "{}", fragment.timecode);
    }
}

#[tokio::test]
async fn all_goes_well() {
    for delivery in [Delivery::Streaming, Delivery::WholeFragments] {
        let (service, client) = Service::start(|_, _| Fate::Persist).await;
        let (status, result) = produce(client, options(delivery), 5).await;
        result.unwrap();
        assert_eq!((status.frames, status.fragments, status.received, status.done), (50, 5, 5, 5));
        assert_eq!((status.sessions, status.frames_dropped, status.last_trouble), (1, 0, None));
        assert_complete(&service.persisted(), 5);
        // The last one by the tag, before the body ended.
        let ends: Vec<bool> = service.arrived().iter().map(|fragment| fragment.end_tag).collect();
        assert_eq!(ends, [false, false, false, false, true]);
        assert_eq!(service.clean_ends(), 1);
    }
}

#[tokio::test]
async fn live_frames_do_not_wait_for_their_fragment() {
    let (service, client) = Service::start(|_, _| Fate::Persist).await;
    let producer = Producer::start(client, options(Delivery::Streaming));
    producer.set_tracks(vec![track(1, TrackKind::Video)]).await.unwrap();
    video(&producer, 0..1).await;
    producer.send_frame(frame(0, 1000, true)).await.unwrap();
    // The first fragment is complete at the service although the second has just begun.
    let mut status = producer.status();
    tokio::time::timeout(Duration::from_secs(5), status.wait_for(|s| s.done == 1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(service.persisted().len(), 1);
    producer.finish().await.1.unwrap();
}

#[tokio::test]
async fn broken_connections_lose_nothing() {
    for delivery in [Delivery::Streaming, Delivery::WholeFragments] {
        // Each fragment breaks the connection once.
        let (service, client) =
            Service::start(|_, seen| if seen == 0 { Fate::Break } else { Fate::Persist }).await;
        let (status, result) = produce(client, options(delivery), 4).await;
        result.unwrap();
        assert_eq!((status.fragments, status.done), (4, 4));
        assert!(status.sessions >= 4 && status.last_trouble.is_some(), "{status:?}");
        assert_complete(&service.persisted(), 4);
    }
}

#[tokio::test]
async fn received_is_not_persisted() {
    let (service, client) =
        Service::start(|_, seen| if seen == 0 { Fate::ReceiveAndDie } else { Fate::Persist }).await;
    let (status, result) = produce(client, options(Delivery::Streaming), 3).await;
    result.unwrap();
    assert_eq!((status.fragments, status.received, status.done), (3, 3, 3));
    assert_complete(&service.persisted(), 3);
}

#[tokio::test]
async fn errors_that_pass_are_tried_again() {
    let (service, client) = Service::start(|timecode, seen| match (timecode - START, seen) {
        (1000, 0) => Fate::Error(5000),
        (2000, 0) => Fate::Error(4003),
        _ => Fate::Persist,
    })
    .await;
    let (status, result) = produce(client, options(Delivery::Streaming), 4).await;
    result.unwrap();
    assert_eq!((status.done, status.refused.len(), status.sessions), (4, 0, 3));
    assert_complete(&service.persisted(), 4);
}

#[tokio::test]
async fn refused_fragments_are_told_and_the_others_kept() {
    let (service, client) = Service::start(|timecode, _| match timecode - START {
        1000 => Fate::Error(4009),
        _ => Fate::Persist,
    })
    .await;
    let (status, result) = produce(client, options(Delivery::Streaming), 4).await;
    result.unwrap();
    assert_eq!((status.fragments, status.done), (4, 3));
    assert_eq!(status.refused.len(), 1);
    assert_eq!((status.refused[0].timecode, status.refused[0].error_id), (START + 1000, 4009));
    let kept: Vec<u64> = service.persisted().iter().map(|f| f.timecode - START).collect();
    assert_eq!(kept, [0, 2000, 3000]);
}

#[tokio::test]
async fn a_stream_that_is_gone_ends_it() {
    let (_service, client) = Service::start(|_, _| Fate::Error(4008)).await;
    let (status, result) = produce(client, options(Delivery::WholeFragments), 2).await;
    assert!(matches!(result, Err(Error::Ack { id: 4008, .. })), "{result:?}");
    assert_eq!(status.done, 0);
}

#[tokio::test]
async fn received_is_enough_without_retention() {
    let (service, client) = Service::start(|_, _| Fate::Receive).await;
    let options = ProducerOptions { final_ack: FinalAck::Received, ..options(Delivery::Streaming) };
    let (status, result) = produce(client, options, 3).await;
    result.unwrap();
    assert_eq!((status.received, status.done), (3, 3));
    assert_eq!(service.arrived().len(), 3);
}

#[tokio::test]
async fn without_acks_it_gives_up() {
    let (service, client) = Service::start(|_, _| Fate::Ignore).await;
    let options = ProducerOptions {
        give_up_after: Duration::from_secs(2),
        ..options(Delivery::WholeFragments)
    };
    let (status, result) = produce(client, options, 2).await;
    assert!(service.sessions() > 1, "it tries again before");
    assert!(matches!(result, Err(Error::Timeout { .. })), "{result:?}");
    assert_eq!((status.received, status.done), (0, 0));
}

#[tokio::test]
async fn a_full_outbox_holds_the_caller_up() {
    let (_service, client) = Service::start(|_, _| Fate::Ignore).await;
    let options =
        ProducerOptions { buffer_max: Duration::from_secs(5), ..options(Delivery::Streaming) };
    let producer = Producer::start(client, options);
    producer.set_tracks(vec![track(1, TrackKind::Video)]).await.unwrap();
    let all = video(&producer, 0..100);
    assert!(tokio::time::timeout(Duration::from_millis(500), all).await.is_err());
    let fragments = producer.status().borrow().fragments;
    assert!((5..=9).contains(&fragments), "{fragments}");
}

#[tokio::test]
async fn media_is_taken_in_while_the_service_is_away() {
    // A port where nothing listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (_service, client) = Service::start(|_, _| Fate::Persist).await;
    let mut settings = client.settings().clone();
    settings.endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let producer = Producer::start(Client::new(settings).unwrap(), options(Delivery::Streaming));
    producer.set_tracks(vec![track(1, TrackKind::Video)]).await.unwrap();
    tokio::time::timeout(Duration::from_secs(2), video(&producer, 0..60)).await.unwrap();
    let (status, result) = producer.finish().await;
    assert!(matches!(result, Err(Error::Connect { .. })), "{result:?}");
    assert_eq!((status.frames, status.done), (600, 0));
}

#[tokio::test]
async fn other_tracks_mean_another_session() {
    let (service, client) = Service::start(|_, _| Fate::Persist).await;
    let producer = Producer::start(client, options(Delivery::WholeFragments));
    producer.set_tracks(vec![track(1, TrackKind::Video)]).await.unwrap();
    video(&producer, 0..2).await;
    let mut changed = track(1, TrackKind::Video);
    changed.codec_private = Bytes::from_static(&[9]);
    producer.set_tracks(vec![changed]).await.unwrap();
    video(&producer, 2..4).await;
    // Time that steps back, too.
    video(&producer, 0..1).await;
    let (status, result) = producer.finish().await;
    result.unwrap();
    assert_eq!((status.done, status.sessions, service.clean_ends()), (5, 3, 3));
    let sessions: Vec<usize> = service.persisted().iter().map(|f| f.session).collect();
    assert_eq!(sessions, [1, 1, 2, 2, 3]);
}

/// A file whose sound is shorter than its picture: the service refuses fragments that lack a frame
/// of a declared track (put-media.md §6).
#[tokio::test]
async fn fragments_without_sound_go_where_none_is_declared() {
    let strict = |timecode: u64, seen: usize| match (timecode - START, seen) {
        // What a strict service says to the part without sound.
        (2000, 0) => Fate::Error(4011),
        _ => Fate::Persist,
    };
    for delivery in [Delivery::WholeFragments, Delivery::Streaming] {
        let (service, client) = match delivery {
            Delivery::WholeFragments => Service::start(|_, _| Fate::Persist).await,
            Delivery::Streaming => Service::start(strict).await,
        };
        let producer = Producer::start(client, options(delivery));
        let tracks = vec![track(1, TrackKind::Video), track(2, TrackKind::Audio)];
        producer.set_tracks(tracks).await.unwrap();
        for ms in (0..3000).step_by(100) {
            producer.send_frame(frame(0, ms, ms % 1000 == 0)).await.unwrap();
            if ms < 1950 {
                producer.send_frame(frame(1, ms + 20, true)).await.unwrap();
            }
        }
        let (status, result) = producer.finish().await;
        result.unwrap();
        assert_eq!((status.done, status.refused.len()), (3, 0), "{delivery:?}");
        let declared: Vec<Vec<u64>> =
            service.persisted().iter().map(|f| f.declared_tracks.clone()).collect();
        assert_eq!(declared, [vec![1, 2], vec![1, 2], vec![1]], "{delivery:?}");
    }
}

#[tokio::test]
async fn tags_belong_to_the_fragment_at_hand() {
    let (service, client) = Service::start(|_, _| Fate::Persist).await;
    let producer = Producer::start(client, options(Delivery::Streaming));
    producer.set_tracks(vec![track(1, TrackKind::Video)]).await.unwrap();
    video(&producer, 0..1).await;
    let tag = Tag { name: "door".into(), value: "open".into() };
    producer.send_tags(vec![TagGroup { tags: vec![tag.clone()] }]).await.unwrap();
    video(&producer, 1..2).await;
    producer.finish().await.1.unwrap();
    let tags: Vec<Vec<Tag>> = service.persisted().into_iter().map(|f| f.tags).collect();
    assert_eq!(tags, [vec![tag], vec![]]);
}
