//! Media readers against a scripted peer, with recorded answers of the real service.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a panic fails the test; a skip is told

mod support;

use std::path::PathBuf;

use serde_json::Value;
use streamkeep_client::media::{FragmentReader, MediaEvent, StartSelector, TimestampAxis};
use streamkeep_client::{Client, Error, MediaBody};
use streamkeep_media::UnixMillis;
use support::serve;

fn fixture(name: &str) -> Option<Vec<u8>> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/fixtures").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    bytes
}

/// Answers GetMedia with `media` in chunks of `chunk_len`.
async fn get_media(media: Vec<u8>, chunk_len: usize) -> (Client, MediaBody) {
    let client = serve(move |mut peer, endpoint| {
        let media = media.clone();
        async move {
            while let Some(request) = peer.request().await {
                if request.path == "/getDataEndpoint" {
                    peer.json(200, "", &format!(r#"{{"DataEndpoint":"{endpoint}"}}"#)).await;
                    continue;
                }
                let input: Value = serde_json::from_slice(&request.body).unwrap();
                assert_eq!(input["StartSelector"]["StartSelectorType"], "NOW");
                peer.chunked_head().await;
                for chunk in media.chunks(chunk_len) {
                    peer.send_chunk(chunk).await;
                }
                peer.send("0\r\n\r\n").await;
            }
        }
    })
    .await;
    let body = MediaBody::get_media(&client, "cam", &StartSelector::Now).await.unwrap();
    (client, body)
}

async fn events(media: Vec<u8>, chunk_len: usize) -> Result<Vec<MediaEvent>, Error> {
    let (_client, body) = get_media(media, chunk_len).await;
    let mut reader = FragmentReader::new(body);
    let mut events = Vec::new();
    while let Some(event) = reader.next().await? {
        events.push(event);
    }
    Ok(events)
}

#[tokio::test]
async fn a_recorded_answer() {
    let Some(media) = fixture("get-media/continuous.mkv") else { return };
    for chunk_len in [777, 1 << 20] {
        let events = events(media.clone(), chunk_len).await.unwrap();
        let mut numbers = Vec::new();
        let (mut blocks, mut progress) = (0, 0);
        for event in &events {
            match event {
                MediaEvent::Fragment {
                    number,
                    producer_timestamp,
                    server_timestamp,
                    document,
                    ..
                } => {
                    assert!(producer_timestamp.is_some() && server_timestamp.is_some());
                    assert!(!document.tracks.is_empty());
                    let in_file = media
                        .windows(document.tracks_element.len())
                        .any(|window| window == document.tracks_element);
                    assert!(in_file);
                    numbers.push(number.clone());
                }
                MediaEvent::Block { element, payload_offset, payload_len, .. } => {
                    assert!(payload_offset + payload_len <= element.len());
                    blocks += 1;
                }
                MediaEvent::Progress { continuation_token, .. } => {
                    assert_eq!(continuation_token, numbers.last().unwrap());
                    progress += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(numbers.is_sorted() && numbers.len() > 2, "{numbers:?}");
        assert!(blocks > numbers.len() && progress > 0);
    }
}

#[tokio::test]
async fn tags_of_both_kinds() {
    let Some(media) = fixture("get-media/mixed-tags.mkv") else { return };
    let events = events(media, 999).await.unwrap();
    let fragments = events.iter().filter(|e| matches!(e, MediaEvent::Fragment { .. })).count();
    assert!(fragments > 0);
    for event in events {
        if let MediaEvent::Tags(groups) = event {
            for tag in groups.iter().flat_map(|group| &group.tags) {
                assert!(!tag.name.starts_with("AWS_KINESISVIDEO"), "{tag:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_cut_short_is_an_error() {
    let Some(media) = fixture("get-media/continuous.mkv") else { return };
    let error = events(media[..media.len() / 2].to_vec(), 4096).await.unwrap_err();
    assert!(matches!(error, Error::Matroska(_)), "{error}");
}

#[tokio::test]
async fn errors_inside_the_stream() {
    use streamkeep_mkv::get_media::names;
    // A document with tags only: get-media.md §1.4.
    let Some(mut media) = fixture("get-media/tags-without-media.mkv") else { return };
    let before = events(media.clone(), 512).await.unwrap().len();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    media.extend(tags_element(&[
        pair(names::FRAGMENT_NUMBER, "123"),
        pair(names::ERROR_CODE, "fragment not found"),
        pair(names::ERROR_ID, "4000"),
    ]));
    let events = events(media, 512).await.unwrap();
    assert_eq!(events.len(), before + 1);
    match events.last() {
        Some(MediaEvent::Failed { fragment_number, id, message }) => {
            assert_eq!(fragment_number.as_deref(), Some("123"));
            assert_eq!((*id, message.as_str()), (4000, "fragment not found"));
        }
        other => panic!("{other:?}"),
    }
}

/// The producer's Tags writer, with one group.
fn tags_element(pairs: &[(String, String)]) -> Vec<u8> {
    use streamkeep_media::{Tag, TagGroup};
    let tags = pairs.iter().map(|(name, value)| Tag { name: name.clone(), value: value.clone() });
    let mut out = Vec::new();
    streamkeep_mkv::producer::encode_tags(&mut out, &[TagGroup { tags: tags.collect() }]);
    out
}

#[tokio::test]
async fn fragments_are_listed_over_all_pages() {
    let client = serve(|mut peer, endpoint| async move {
        while let Some(request) = peer.request().await {
            let input: Value = serde_json::from_slice(&request.body).unwrap();
            let answer = match (request.path.as_str(), input["NextToken"].as_str()) {
                ("/getDataEndpoint", _) => format!(r#"{{"DataEndpoint":"{endpoint}"}}"#),
                (_, None) => {
                    let range = &input["FragmentSelector"]["TimestampRange"];
                    assert_eq!((&range["StartTimestamp"], &range["EndTimestamp"]), (&1.5.into(), &9.0.into()));
                    r#"{"Fragments":[{"FragmentNumber":"11","FragmentSizeInBytes":5,
                        "ProducerTimestamp":1690707290.324,"ServerTimestamp":1690707290.5,
                        "FragmentLengthInMilliseconds":2000}],"NextToken":"abc="}"#
                        .to_owned()
                }
                (_, Some("abc=")) => {
                    r#"{"Fragments":[{"FragmentNumber":"12","ProducerTimestamp":1,"ServerTimestamp":2}]}"#
                        .to_owned()
                }
                other => panic!("{other:?}"),
            };
            peer.json(200, "", &answer).await;
        }
    })
    .await;
    let (start, end) = (UnixMillis(1_500), UnixMillis(9_000));
    let list = streamkeep_client::media::list_fragments(
        &client,
        "cam",
        TimestampAxis::Producer,
        start,
        end,
    )
    .await
    .unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!((list[0].number.as_str(), list[0].size_bytes, list[0].length_ms), ("11", 5, 2000));
    assert_eq!(list[0].producer_timestamp, UnixMillis(1_690_707_290_324));
    assert_eq!(list[1].timestamp(TimestampAxis::Server), UnixMillis(2_000));
}
