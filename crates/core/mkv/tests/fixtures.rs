//! Captures of a real producer and of the real service: `../shared/fixtures`, read in place.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;

use streamkeep_mkv::{Documents, Event, Limits, Scanner};

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
fn fixture(name: &str) -> Option<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/fixtures");
    if !folder.is_dir() {
        println!("skipped: no {}", folder.display());
        return None;
    }
    Some(std::fs::read(folder.join(name)).unwrap())
}

#[test]
fn every_element_of_every_capture() {
    for (name, documents, blocks, clusters, tags) in FIXTURES {
        let Some(body) = fixture(name) else { return };
        let mut scanner = Scanner::with_documents(Limits::default(), documents);
        let mut found = (0, 0, 0);
        let mut rest = &body[..];
        while let Some(item) = scanner.next(rest).unwrap() {
            match item.event {
                Event::Block(block) => {
                    assert_eq!(block.frames().unwrap().len(), 1);
                    found.0 += 1;
                }
                Event::Cluster(_) => found.1 += 1,
                Event::Tags(_) => found.2 += 1,
                _ => {}
            }
            rest = &rest[item.len..];
        }
        scanner.finish(rest).unwrap();
        assert_eq!(rest, [], "{name}");
        assert_eq!(found, (blocks, clusters, tags), "{name}");
    }
}
