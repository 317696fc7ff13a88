//! Captures of a real producer and of the real service: `../shared/fixtures`, read in place.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;

use streamkeep_media::{FrameFlags, Tag, UnixMillis};
use streamkeep_mkv::{Documents, Event, Info, Item, Limits, fuzz, get_media, producer};

/// Name, documents, blocks, clusters, Tags elements.
const FIXTURES: [(&str, Documents, usize, usize, usize); 7] = [
    ("kvssink/h264-realtime.put-media.mkv", Documents::One, 200, 6, 1),
    ("kvssink/h264-aac.put-media.mkv", Documents::One, 381, 3, 1),
    ("kvssink/h265.put-media.mkv", Documents::One, 120, 5, 1),
    ("kvssink/offline.put-media.mkv", Documents::One, 300, 6, 1),
    ("get-media/continuous.mkv", Documents::Concatenated, 300, 5, 15),
    ("get-media/mixed-tags.mkv", Documents::Concatenated, 100, 10, 75),
    ("get-media/tags-without-media.mkv", Documents::Concatenated, 0, 0, 1),
];

/// `None`, and a note, where the captures are not at hand.
fn fixture(name: &str) -> Option<&'static [u8]> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/fixtures");
    if !folder.is_dir() {
        println!("skipped: no {}", folder.display());
        return None;
    }
    // Leaked: a few megabytes for the life of the test.
    Some(std::fs::read(folder.join(name)).unwrap().leak())
}

/// The items of a capture, which must be sound to its end; the same at every split.
fn items(name: &str, body: &'static [u8], documents: Documents) -> Vec<Item<'static>> {
    let (items, end) = fuzz::check(body, documents, &Limits::default(), 7);
    assert_eq!(end, Ok(()), "{name}");
    assert_eq!(items.iter().map(|item| item.len).sum::<usize>(), body.len(), "{name}");
    items
}

#[test]
fn every_element_of_every_capture_at_any_split() {
    for (name, documents, blocks, clusters, tags) in FIXTURES {
        let Some(body) = fixture(name) else { return };
        let items = items(name, body, documents);
        let count = |wanted: fn(&Event<'_>) -> bool| {
            items.iter().filter(|item| wanted(&item.event)).count()
        };
        let found = (
            count(|event| matches!(event, Event::Block(_))),
            count(|event| matches!(event, Event::Cluster(_))),
            count(|event| matches!(event, Event::Tags(_))),
        );
        assert_eq!(found, (blocks, clusters, tags), "{name}");
    }
}

/// What the producer SDK sent is what our writer makes of the parsed values, to the last byte.
#[test]
fn producer_bodies_written_again() {
    for (name, documents, ..) in FIXTURES.into_iter().filter(|f| f.0.starts_with("kvssink")) {
        let Some(body) = fixture(name) else { return };
        let mut written = Vec::new();
        let mut info: Option<Info> = None;
        let mut cluster = false;
        for item in items(name, body, documents) {
            match item.event {
                Event::Info(found) => info = Some(found),
                Event::Tracks(tracks) => {
                    producer::encode_header(&mut written, info.as_ref().unwrap(), &tracks);
                }
                Event::Cluster(_) => cluster = true,
                Event::Timestamp(ticks) => {
                    assert!(std::mem::take(&mut cluster));
                    producer::encode_cluster_start(&mut written, ticks);
                }
                Event::Block(block) => {
                    let flags = FrameFlags {
                        key: block.key,
                        invisible: block.invisible,
                        discardable: block.discardable,
                    };
                    producer::encode_simple_block(
                        &mut written,
                        block.track_number,
                        block.relative_timestamp,
                        flags,
                        block.payload,
                    );
                }
                Event::Tags(groups) => producer::encode_tags(&mut written, &groups),
                _ => {}
            }
        }
        let differs = body.iter().zip(&written).position(|(sent, ours)| sent != ours);
        assert_eq!(differs, None, "{name}");
        assert_eq!(body.len(), written.len(), "{name}");
        let mut end = Vec::new();
        producer::encode_end_of_fragment(&mut end);
        assert!(body.ends_with(&end), "{name}");
    }
}

/// The service's own Tags are what our writer makes of the parsed values, to the last byte.
#[test]
fn service_tags_written_again() {
    let millis = |text: &str| UnixMillis(text.replace('.', "").parse().unwrap());
    for (name, documents, _, clusters, _) in
        FIXTURES.into_iter().filter(|f| f.0.starts_with("get-media"))
    {
        let Some(body) = fixture(name) else { return };
        let mut found = (0, 0);
        for item in items(name, body, documents) {
            let Event::Tags(groups) = item.event else { continue };
            let tags: Vec<Tag> = groups.into_iter().flat_map(|group| group.tags).collect();
            let value = |name: &str| tags.iter().find(|t| t.name == name).map(|t| &*t.value);
            let mut written = Vec::new();
            if let Some(number) = value(get_media::names::FRAGMENT_NUMBER) {
                get_media::encode_fragment_tags(
                    &mut written,
                    number,
                    millis(value(get_media::names::SERVER_TIMESTAMP).unwrap()),
                    millis(value(get_media::names::PRODUCER_TIMESTAMP).unwrap()),
                    get_media::TimestampNames::Plain,
                );
                found.0 += 1;
            } else if let Some(behind) = value(get_media::names::MILLIS_BEHIND_NOW) {
                get_media::encode_progress_tags(
                    &mut written,
                    behind.parse().unwrap(),
                    value(get_media::names::CONTINUATION_TOKEN).unwrap(),
                );
                found.1 += 1;
            } else {
                continue;
            }
            let start = item.offset as usize;
            assert_eq!(written, body[start..start + item.len], "{name} at {start}");
        }
        // Tags #1 also in the document that was cut before its Cluster.
        assert_eq!(found, (clusters.max(1), clusters), "{name}");
    }
}
