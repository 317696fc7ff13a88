use streamkeep_io::LocalDirectory;

use super::*;
use crate::{MemoryControl, suite};

fn odd_stream() -> StreamRecord {
    let mut stream = suite::stream(7, "name with = and \\ and\nnewline\r");
    stream.tags.insert("a=b\\\n".to_owned(), "=c\nid 00".to_owned());
    stream
}

fn cards() -> (tempfile::TempDir, StreamCards) {
    let dir = tempfile::tempdir().unwrap();
    let io = LocalDirectory::open(dir.path()).unwrap();
    (dir, StreamCards::new(Arc::new(io)))
}

fn without_configurations(stream: StreamRecord) -> StreamRecord {
    StreamRecord { image_generation: None, notification: None, ..stream }
}

#[test]
fn written_as_documented() {
    let mut stream = without_configurations(suite::stream(1, "front door"));
    stream.wrapped_key = vec![0, 0xff];
    let expected = "streamkeep stream card 1\n\
        id 01010101010101010101010101010101\n\
        name front door\n\
        created-ms 1795166438482\n\
        version kMUdKJmwy1WuDtEgVTCY\n\
        status active\n\
        device-name front door\n\
        media-type video/h264,audio/aac\n\
        kms-key-id alias/keep\n\
        retention-hours 87600\n\
        visible-from-ms 1795000000000\n\
        storage-tier warm\n\
        tag empty=\n\
        tag site=北京 7\n\
        wrapped-key 00ff\n";
    let text = encode(&stream);
    let (lines, crc) = text.split_once("crc32c ").unwrap();
    assert_eq!(lines, expected);
    assert_eq!(crc, format!("{:08x}\n", crc32c(expected.as_bytes())));
    // Version 2 differs in its first line and its configurations.
    stream.image_generation = Some("{\"a\":1}".to_owned());
    stream.notification = Some("two\nlines \\".to_owned());
    let expected = expected.replacen("card 1", "card 2", 1).replacen(
        "wrapped-key",
        "image-generation {\"a\":1}\nnotification two\\nlines \\\\\nwrapped-key",
        1,
    );
    assert_eq!(encode(&stream).split_once("crc32c ").unwrap().0, expected);
    // The check value of CRC-32C.
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
}

#[test]
fn round_trip() {
    let bare = StreamRecord {
        device_name: None,
        media_type: None,
        kms_key_id: None,
        status: StreamStatus::Deleting,
        storage_tier: StorageTier::Hot,
        tags: BTreeMap::new(),
        wrapped_key: Vec::new(),
        ..without_configurations(suite::stream(2, ""))
    };
    let half = StreamRecord { image_generation: None, ..suite::stream(3, "half") };
    for stream in [suite::stream(1, "one"), bare, half, odd_stream()] {
        assert_eq!(parse(encode(&stream).as_bytes()), Ok(stream));
    }
}

#[test]
fn every_changed_byte_and_every_cut_is_found() {
    let text = encode(&odd_stream());
    for index in 0..text.len() {
        let mut bytes = text.as_bytes().to_vec();
        bytes[index] ^= 1;
        assert!(parse(&bytes).is_err(), "byte {index}");
        assert!(parse(&text.as_bytes()[..index]).is_err(), "cut at {index}");
    }
}

#[test]
fn valid_checksum_does_not_excuse_bad_lines() {
    let body = encode(&suite::stream(1, "one"));
    let (body, _) = body.split_once("crc32c ").unwrap();
    let with = |from: &str, to: &str| {
        let body = body.replacen(from, to, 1);
        parse(format!("{body}crc32c {:08x}\n", crc32c(body.as_bytes())).as_bytes())
    };
    assert!(with("", "").is_ok());
    for (from, to, damage) in [
        ("card 2", "card 3", CardDamage::NotACard),
        // Lines of version 2 in a card of version 1.
        ("card 2", "card 1", CardDamage::UnknownLine),
        ("notification arn", "notification \\q", CardDamage::Line("notification")),
        ("id 0101", "id 010", CardDamage::Line("id")),
        ("status active", "status gone", CardDamage::Line("status")),
        ("storage-tier warm", "storage-tier", CardDamage::UnknownLine),
        ("name one\n", "", CardDamage::Line("name")),
        ("name one\n", "name one\nname two\n", CardDamage::UnknownLine),
        ("name one\n", "name one\nextra 1\n", CardDamage::UnknownLine),
        ("name one", "name \\q", CardDamage::Line("name")),
        ("tag empty=", "tag empty", CardDamage::Line("tag")),
        ("tag empty=", "tag site=", CardDamage::Line("tag")),
        ("wrapped-key 00", "wrapped-key 0", CardDamage::Line("wrapped-key")),
        ("wrapped-key 00", "wrapped-key +0", CardDamage::Line("wrapped-key")),
        ("retention-hours ", "retention-hours -", CardDamage::Line("retention-hours")),
    ] {
        assert_eq!(with(from, to), Err(damage), "{from} -> {to}");
    }
}

#[test]
fn writes_replaces_and_removes() {
    let (dir, cards) = cards();
    let stream = odd_stream();
    assert_eq!(cards.read(stream.id).unwrap(), None);
    cards.write(&stream).unwrap();
    let newer = StreamRecord { version: "2".to_owned(), ..stream };
    cards.write(&newer).unwrap();
    assert_eq!(cards.read(newer.id).unwrap(), Some(newer.clone()));
    // A hard link stands for whoever looks at the blocks after the name is gone.
    let name = file_name(newer.id);
    std::fs::hard_link(dir.path().join(&name), dir.path().join("blocks")).unwrap();
    cards.remove(newer.id).unwrap();
    cards.remove(newer.id).unwrap();
    assert!(!dir.path().join(&name).exists());
    let left = std::fs::read(dir.path().join("blocks")).unwrap();
    assert!(!left.is_empty() && left.iter().all(|byte| *byte == 0));
}

#[test]
fn replaced_card_is_overwritten_too() {
    let (dir, cards) = cards();
    let stream = suite::stream(1, "one");
    cards.write(&stream).unwrap();
    std::fs::hard_link(dir.path().join(file_name(stream.id)), dir.path().join("blocks")).unwrap();
    cards.write(&stream).unwrap();
    assert!(std::fs::read(dir.path().join("blocks")).unwrap().iter().all(|byte| *byte == 0));
    assert_eq!(cards.read(stream.id).unwrap(), Some(stream));
}

#[test]
fn reconcile_repairs_what_crashes_leave() {
    let (dir, cards) = cards();
    let control = MemoryControl::new();
    let insert = |stream: &StreamRecord| control.insert_stream(stream).unwrap();
    let both = suite::stream(1, "both");
    let card_only = suite::stream(2, "card only");
    let row_only = suite::stream(3, "row only");
    let deleting =
        StreamRecord { status: StreamStatus::Deleting, ..suite::stream(4, "row, being deleted") };
    let differing = suite::stream(5, "differing");
    insert(&both);
    cards.write(&both).unwrap();
    cards.write(&card_only).unwrap();
    insert(&row_only);
    insert(&deleting);
    insert(&differing);
    cards.write(&StreamRecord { retention_hours: 1, ..differing.clone() }).unwrap();
    let shredded = file_name(StreamId([6; 16]));
    std::fs::write(dir.path().join(&shredded), [0; 500]).unwrap();
    let torn = file_name(StreamId([7; 16]));
    std::fs::write(dir.path().join(&torn), "streamkeep stream card 1\nid").unwrap();
    let moved = file_name(StreamId([8; 16]));
    std::fs::write(dir.path().join(&moved), encode(&both)).unwrap();
    std::fs::write(dir.path().join(format!("{}.tmp", file_name(both.id))), "secret").unwrap();
    std::fs::write(dir.path().join("README.tmp"), "not ours").unwrap();

    let report = cards.reconcile(&control).unwrap();
    assert_eq!(
        report,
        ReconcileReport {
            imported: vec![card_only.id],
            rewritten: vec![row_only.id, differing.id],
            damaged: vec![
                (shredded.clone(), CardDamage::Shredded),
                (torn.clone(), CardDamage::Checksum),
                (moved.clone(), CardDamage::OtherStream(both.id)),
            ],
        }
    );
    assert_eq!(control.stream(card_only.id).unwrap(), Some(card_only));
    for stream in [both, row_only, differing] {
        assert_eq!(cards.read(stream.id).unwrap(), Some(stream));
    }
    assert_eq!(cards.read(deleting.id).unwrap(), None);
    let mut names: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".key") || *name == shredded)
        .collect();
    names.sort();
    assert_eq!(names, ["README.tmp"], "shredded cards and our temporary files go");
    let again = cards.reconcile(&control).unwrap();
    assert_eq!((again.imported.len(), again.rewritten.len()), (0, 0));
}
