use super::*;
use crate::fuzz;
use crate::limits::Limits;
use crate::test_elements::{el, unknown, wide};

fn ebml() -> Vec<u8> {
    el(ElementId::EBML, &el(ElementId::DOC_TYPE, b"matroska"))
}

fn segment() -> Vec<u8> {
    unknown(ElementId::SEGMENT, 1)
}

fn info() -> Vec<u8> {
    el(ElementId::INFO, &[])
}

fn track_entry(number: u8) -> Vec<u8> {
    let entry = [
        el(ElementId::TRACK_NUMBER, &[number]),
        el(ElementId::TRACK_TYPE, &[1]),
        el(ElementId::CODEC_ID, b"V_XY"),
    ];
    el(ElementId::TRACK_ENTRY, &entry.concat())
}

fn tracks() -> Vec<u8> {
    el(ElementId::TRACKS, &track_entry(1))
}

fn cluster() -> Vec<u8> {
    unknown(ElementId::CLUSTER, 1)
}

fn timestamp(ticks: u8) -> Vec<u8> {
    el(ElementId::TIMESTAMP, &[ticks])
}

/// A SimpleBlock of track 1, key, with this frame.
fn block(frame: &[u8]) -> Vec<u8> {
    el(ElementId::SIMPLE_BLOCK, &[&[0x81, 0, 0, 0x80], frame].concat())
}

fn tags(name: &[u8]) -> Vec<u8> {
    let simple = [el(ElementId::TAG_NAME, name), el(ElementId::TAG_STRING, b"v")].concat();
    el(ElementId::TAGS, &el(ElementId::TAG, &el(ElementId::SIMPLE_TAG, &simple)))
}

/// EBML header, Segment, Info, Tracks: 45 bytes.
fn header() -> Vec<u8> {
    [ebml(), segment(), info(), tracks()].concat()
}

const HEADER: &str = "EBML Segment Info Tracks:1";

/// Scans `pieces` as one body, at every split that [`fuzz::check`] tries, and compares a summary:
/// the events, then `.` for a sound end or `! ` and the error.
fn check(documents: Documents, limits: &Limits, pieces: &[Vec<u8>], expected: &str) {
    let body = pieces.concat();
    let (items, end) = fuzz::check(&body, documents, limits, 1);
    let mut words: Vec<String> = items.iter().map(|item| summary(&item.event)).collect();
    words.push(match end {
        Ok(()) => ".".into(),
        Err(error) => format!("! {error}"),
    });
    assert_eq!(words.join(" "), expected.replace("HEADER", HEADER), "{body:02X?}");
}

fn check_one(pieces: &[Vec<u8>], expected: &str) {
    check(Documents::One, &Limits::default(), pieces, expected);
}

fn summary(event: &Event<'_>) -> String {
    let sized = |size: &ElementSize| match size {
        ElementSize::Known(size) => format!(":{size}"),
        ElementSize::Unknown => String::new(),
    };
    match event {
        Event::EbmlHeader(_) => "EBML".into(),
        Event::Segment(size) => format!("Segment{}", sized(size)),
        Event::Info(_) => "Info".into(),
        Event::Tracks(tracks) => format!("Tracks:{}", tracks.len()),
        Event::Tags(groups) => {
            let names = |group: &TagGroup| {
                group.tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(",")
            };
            format!("Tags[{}]", groups.iter().map(names).collect::<Vec<_>>().join(";"))
        }
        Event::Cluster(size) => format!("Cluster{}", sized(size)),
        Event::Timestamp(ticks) => format!("T{ticks}"),
        Event::Block(block) => {
            let flag = |set, letter| if set { letter } else { "" };
            format!(
                "B{}{:+}{}{}{}[{}]{}",
                block.track_number,
                block.relative_timestamp,
                flag(block.key, "k"),
                flag(block.invisible, "i"),
                flag(block.discardable, "d"),
                block.payload.len(),
                block.duration.map(|ticks| format!("={ticks}")).unwrap_or_default(),
            )
        }
        // Told from the events of these names.
        Event::Other(id @ (ElementId::INFO | ElementId::TRACKS)) => format!("~{id}"),
        Event::Other(id) => id.to_string(),
    }
}

#[test]
fn layout_of_the_producer() {
    let end = tags(b"AWS_KINESISVIDEO_END_OF_FRAGMENT");
    check_one(
        &[
            header(),
            cluster(),
            timestamp(5),
            el(ElementId::POSITION, &[0]),
            wide(ElementId::SIMPLE_BLOCK, &[0x81, 0, 0, 0x80, 1, 2, 3], 8),
            wide(ElementId::SIMPLE_BLOCK, &[0x82, 0xFF, 0xFE, 0x09, 1], 8),
            tags(b"a"),
            tags(b"b"),
            cluster(),
            timestamp(9),
            block(b""),
            end,
        ],
        "HEADER Cluster T5 Position B1+0k[3] B2-2id[1] Tags[a] Tags[b] \
         Cluster T9 B1+0k[0] Tags[AWS_KINESISVIDEO_END_OF_FRAGMENT] .",
    );
}

/// put-media.md §4.2, one by one.
#[test]
fn other_muxers() {
    let void = || el(ElementId::VOID, &[0; 3]);
    let crc = || el(ElementId::CRC_32, &[1, 2, 3, 4]);
    let fragment = || [timestamp(5), block(b"f")].concat();
    // Void and CRC-32, at every level.
    check_one(
        &[ebml(), void(), segment(), crc(), void(), info(), void(), tracks(), void(), cluster()],
        "EBML Void Segment CRC-32 Void Info Void Tracks:1 Void Cluster .",
    );
    check_one(
        &[header(), cluster(), crc(), void(), timestamp(5), void(), block(b"f"), void()],
        "HEADER Cluster CRC-32 Void T5 Void B1+0k[1] Void .",
    );
    let crc_inside = [
        el(ElementId::EBML, &[crc(), el(ElementId::DOC_TYPE, b"webm"), void()].concat()),
        segment(),
        el(ElementId::INFO, &[crc(), void()].concat()),
        el(ElementId::TRACKS, &[crc(), track_entry(1), void()].concat()),
        el(ElementId::TAGS, &[crc(), el(ElementId::TAG, &void())].concat()),
    ];
    check_one(&crc_inside, "HEADER Tags[] .");
    // SeekHead, Cues, Chapters, Attachments; elements of later versions, IDs of every length.
    check_one(
        &[
            ebml(),
            segment(),
            el(ElementId::SEEK_HEAD, &[0xFF; 9]),
            info(),
            el(ElementId::CHAPTERS, &[]),
            tracks(),
            el(ElementId::ATTACHMENTS, &[7; 200]),
            cluster(),
            fragment(),
            vec![0xF7, 0x81, 0],             // no element of a Cluster
            vec![0x40, 0xFE, 0x80],          // two bytes
            vec![0x21, 0x00, 0x00, 0x80],    // three bytes
            vec![0x11, 0, 0, 0, 0x81, 0xFF], // four bytes
            el(ElementId::PREV_SIZE, &[1]),
            el(ElementId::ENCRYPTED_BLOCK, &[0; 9]),
            el(ElementId::CUES, &[0; 30]),
        ],
        "EBML Segment SeekHead Info Chapters Tracks:1 Attachments Cluster T5 B1+0k[1] 0xF7 0x40FE \
         0x210000 0x11000000 PrevSize EncryptedBlock Cues .",
    );
    // Known sizes.
    check_one(
        &[header(), el(ElementId::CLUSTER, &fragment()), el(ElementId::CLUSTER, &fragment())],
        "HEADER Cluster:10 T5 B1+0k[1] Cluster:10 T5 B1+0k[1] .",
    );
    check_one(
        &[header(), el(ElementId::CLUSTER, &fragment()), void(), tags(b"a"), cluster()],
        "HEADER Cluster:10 T5 B1+0k[1] Void Tags[a] Cluster .",
    );
    let known = el(
        ElementId::SEGMENT,
        &[info(), tracks(), el(ElementId::CLUSTER, &fragment()), tags(b"a")].concat(),
    );
    check_one(
        &[ebml(), known.clone(), void()],
        "EBML Segment:58 Info Tracks:1 Cluster:10 T5 B1+0k[1] Tags[a] Void .",
    );
    // Unknown in known.
    let mixed = [info(), tracks(), cluster(), fragment(), cluster(), fragment()].concat();
    check_one(
        &[ebml(), el(ElementId::SEGMENT, &mixed)],
        "EBML Segment:54 Info Tracks:1 Cluster T5 B1+0k[1] Cluster T5 B1+0k[1] .",
    );
    // Sizes of every width.
    for width in 1..=8 {
        check_one(
            &[
                wide(ElementId::EBML, &wide(ElementId::DOC_TYPE, b"webm", width), width),
                unknown(ElementId::SEGMENT, width),
                wide(ElementId::INFO, &wide(ElementId::TITLE, b"t", width), width),
                wide(ElementId::TRACKS, &track_entry(1), width),
                unknown(ElementId::CLUSTER, width),
                wide(ElementId::TIMESTAMP, &[5], width),
                wide(ElementId::SIMPLE_BLOCK, &[0x81, 0, 0, 0, 9], width),
            ],
            "HEADER Cluster T5 B1+0[1] .",
        );
    }
    // Tags before Info, between Info and Tracks, after Tracks; Tracks before Info.
    check_one(
        &[ebml(), segment(), tags(b"a"), tracks(), tags(b"b"), info(), tags(b"c"), cluster()],
        "EBML Segment Tags[a] Tracks:1 Tags[b] Info Tags[c] Cluster .",
    );
    // Info and Tracks again: "identically recurring".
    check_one(
        &[header(), info(), tracks(), cluster(), fragment(), info(), tracks(), cluster()],
        "HEADER ~Info ~Tracks Cluster T5 B1+0k[1] ~Info ~Tracks Cluster .",
    );
}

#[test]
fn block_groups() {
    let plain = [0x81, 0, 7, 0x00, 1, 2];
    let group = |children: &[Vec<u8>]| {
        vec![header(), cluster(), timestamp(5), el(ElementId::BLOCK_GROUP, &children.concat())]
    };
    let block = || el(ElementId::BLOCK, &plain);
    check_one(&group(&[block()]), "HEADER Cluster T5 B1+7k[2] .");
    check_one(
        &group(&[el(ElementId::BLOCK_DURATION, &[0x01, 0x00]), block()]),
        "HEADER Cluster T5 B1+7k[2]=256 .",
    );
    check_one(
        &group(&[block(), el(ElementId::REFERENCE_BLOCK, &[0xD8]), el(ElementId::VOID, &[])]),
        "HEADER Cluster T5 B1+7[2] .",
    );
    // The key and discardable bits mean nothing here; invisible does (RFC 9559 §10.1).
    check_one(
        &group(&[el(ElementId::BLOCK, &[0x81, 0, 7, 0x89]), el(ElementId::REFERENCE_BLOCK, &[1])]),
        "HEADER Cluster T5 B1+7i[0] .",
    );
    check_one(
        &group(&[el(ElementId::BLOCK_DURATION, &[1])]),
        "HEADER Cluster T5 ! Block is missing at byte 53, Segment\\Cluster\\BlockGroup",
    );
    check_one(
        &group(&[block(), block()]),
        "HEADER Cluster T5 ! element or track number occurs twice at byte 63, \
         Segment\\Cluster\\BlockGroup\\Block",
    );
    check_one(
        &group(&[el(ElementId::BLOCK_DURATION, &[0; 9]), block()]),
        "HEADER Cluster T5 ! a number of 9 bytes at byte 55, \
         Segment\\Cluster\\BlockGroup\\BlockDuration",
    );
    check_one(
        &group(&[block(), vec![0x9B, 0x82, 1]]),
        "HEADER Cluster T5 ! element ends at 67, its parent at 66 at byte 63, \
         Segment\\Cluster\\BlockGroup\\BlockDuration",
    );
    // A header that ends with its parent.
    check_one(
        &group(&[block(), vec![0x40]]),
        "HEADER Cluster T5 ! element ends at 66, its parent at 64 at byte 63, \
         Segment\\Cluster\\BlockGroup",
    );
    check_one(
        &group(&[block(), vec![0x9B, 0xFF]]),
        "HEADER Cluster T5 ! unknown size is for Segment and Cluster only at byte 63, \
         Segment\\Cluster\\BlockGroup\\BlockDuration",
    );
}

#[test]
fn block_headers() {
    let cases: [(&[u8], &str); 9] = [
        (&[0x81, 0x80, 0x00, 0x80], "B1-32768k[0] ."),
        (&[0x81, 0x7F, 0xFF, 0x80], "B1+32767k[0] ."),
        // Written as in a size, yet all ones are no "unknown" here.
        (&[0xFF, 0, 0, 0], "B127+0[0] ."),
        (&[0x40, 0x81, 0, 0, 0], "B129+0[0] ."),
        (&[0x01, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 9], "B5+0[1] ."),
        (&[0x81, 0, 0], INVALID),       // no flags
        (&[], INVALID),                 // nothing
        (&[0x80, 0, 0, 0], INVALID),    // track number 0
        (&[0x00, 0, 0, 0, 0], INVALID), // no track number
    ];
    const INVALID: &str = "! malformed block header at byte 53, Segment\\Cluster\\SimpleBlock";
    for (body, expected) in cases {
        let pieces = [header(), cluster(), timestamp(5), el(ElementId::SIMPLE_BLOCK, body)];
        check_one(&pieces, &format!("HEADER Cluster T5 {expected}"));
    }
}

#[test]
fn laced_blocks_tell_where_frames_lie() {
    // SimpleBlock, Xiph lacing: frames of 1 and 2 bytes.
    let simple = el(ElementId::SIMPLE_BLOCK, &[0x81, 0, 0, 0x02, 1, 1, 7, 8, 9]);
    let grouped = el(ElementId::BLOCK, &[0x81, 0, 0, 0x02, 1, 1, 7, 8, 9]);
    let group = el(ElementId::BLOCK_GROUP, &grouped);
    let bad = el(ElementId::BLOCK_GROUP, &el(ElementId::BLOCK, &[0x81, 0, 0, 0x02, 1, 9, 7]));
    let body = [header(), cluster(), timestamp(5), simple, group, bad].concat();
    let (items, end) = fuzz::check(&body, Documents::One, &Limits::default(), 1);
    assert_eq!(end, Ok(()));
    let mut blocks = items.iter().filter_map(|item| match item.event {
        Event::Block(block) => Some(block),
        _ => None,
    });
    for start in [8, 10] {
        let block = blocks.next().unwrap();
        assert_eq!(block.lacing, crate::Lacing::Xiph);
        let frames: Vec<_> = block.frames().unwrap().collect();
        assert_eq!(frames, [(start, &[7u8][..]), (start + 1, &[8, 9])]);
    }
    assert_eq!(
        blocks.next().unwrap().frames().unwrap_err().to_string(),
        "frame sizes of the lace do not add up at byte 85, Segment\\Cluster\\BlockGroup\\Block"
    );
}

#[test]
fn broken_rules() {
    let misplaced = |pieces: &[Vec<u8>], expected: &str| check_one(pieces, expected);
    // No Matroska at all.
    misplaced(&[b"GET /".to_vec()], "! EBML is missing at byte 0, 0x4745");
    misplaced(&[vec![0; 9]], "! no Element ID starts with 0x00 at byte 0");
    misplaced(&[el(ElementId::VOID, &[])], "! EBML is missing at byte 0, Void");
    misplaced(&[segment()], "! EBML is missing at byte 0, Segment");
    // Headers.
    misplaced(
        &[header(), vec![0x01]],
        "HEADER ! no Element ID starts with 0x01 at byte 45, Segment",
    );
    misplaced(
        &[header(), vec![0xEC, 0x00]],
        "HEADER ! Element Data Size longer than 8 bytes at byte 46, Segment",
    );
    misplaced(
        &[header(), vec![0xEC, 0xFF]],
        "HEADER ! unknown size is for Segment and Cluster only at byte 45, Segment\\Void",
    );
    misplaced(
        &[unknown(ElementId::EBML, 1)],
        "! unknown size is for Segment and Cluster only at byte 0, EBML",
    );
    // Two of what there is one of.
    misplaced(&[ebml(), ebml()], "EBML ! second EBML header at byte 16, EBML");
    misplaced(&[header(), ebml()], "HEADER ! second EBML header at byte 45, Segment\\EBML");
    misplaced(&[header(), segment()], "HEADER ! second Segment at byte 45, Segment\\Segment");
    misplaced(
        &[header(), cluster(), timestamp(5), ebml()],
        "HEADER Cluster T5 ! second EBML header at byte 53, Segment\\EBML",
    );
    misplaced(
        &[header(), cluster(), timestamp(5), segment()],
        "HEADER Cluster T5 ! second Segment at byte 53, Segment\\Cluster\\Segment",
    );
    let known = el(ElementId::SEGMENT, &info());
    misplaced(
        &[ebml(), known.clone(), segment()],
        "EBML Segment:5 Info ! second Segment at byte 26, Segment",
    );
    misplaced(
        &[ebml(), known.clone(), ebml()],
        "EBML Segment:5 Info ! second EBML header at byte 26, EBML",
    );
    misplaced(
        &[header(), cluster(), timestamp(5), timestamp(6)],
        "HEADER Cluster T5 ! element or track number occurs twice at byte 53, \
         Segment\\Cluster\\Timestamp",
    );
    // Order.
    for orphan in [info(), tracks(), tags(b"a"), cluster(), block(b""), timestamp(1)] {
        let body = [ebml(), orphan.clone()].concat();
        let (_, end) = fuzz::check(&body, Documents::One, &Limits::default(), 1);
        assert!(matches!(end, Err(Error::Unexpected { .. })), "{end:?}");
        let body = [ebml(), known.clone(), orphan].concat();
        let (_, end) = fuzz::check(&body, Documents::One, &Limits::default(), 1);
        assert!(matches!(end, Err(Error::Unexpected { .. })), "{end:?}");
    }
    misplaced(
        &[ebml(), segment(), cluster()],
        "EBML Segment ! Info is missing at byte 21, Segment\\Cluster",
    );
    misplaced(
        &[ebml(), segment(), info(), cluster()],
        "EBML Segment Info ! Tracks is missing at byte 26, Segment\\Cluster",
    );
    misplaced(
        &[ebml(), segment(), tracks(), cluster()],
        "EBML Segment Tracks:1 ! Info is missing at byte 40, Segment\\Cluster",
    );
    misplaced(
        &[header(), cluster(), block(b"")],
        "HEADER Cluster ! Timestamp is missing at byte 50, Segment\\Cluster\\SimpleBlock",
    );
    misplaced(
        &[header(), cluster(), el(ElementId::BLOCK_GROUP, &[])],
        "HEADER Cluster ! Timestamp is missing at byte 50, Segment\\Cluster\\BlockGroup",
    );
    // Each Cluster needs its own.
    misplaced(
        &[header(), cluster(), timestamp(5), cluster(), block(b"")],
        "HEADER Cluster T5 Cluster ! Timestamp is missing at byte 58, \
         Segment\\Cluster\\SimpleBlock",
    );
    misplaced(
        &[header(), block(b"")],
        "HEADER ! element has no place here at byte 45, Segment\\SimpleBlock",
    );
    // A block behind the end of its Cluster.
    misplaced(
        &[header(), el(ElementId::CLUSTER, &timestamp(5)), block(b"")],
        "HEADER Cluster:3 T5 ! element has no place here at byte 53, Segment\\SimpleBlock",
    );
    // A Cluster of known size that has not ended.
    misplaced(
        &[header(), el(ElementId::CLUSTER, &[timestamp(5), tags(b"a")].concat())],
        "HEADER Cluster:22 T5 ! element has no place here at byte 53, Segment\\Cluster\\Tags",
    );
    // Children that outgrow their parents.
    let short = [&el(ElementId::CLUSTER, &[0; 9])[..5], &timestamp(5), &block(b"12")].concat();
    misplaced(
        &[header(), short],
        "HEADER Cluster:9 T5 ! element ends at 61, its parent at 59 at byte 53, \
         Segment\\Cluster\\SimpleBlock",
    );
    // By one byte, whole or not.
    let short = [&el(ElementId::CLUSTER, &[0; 10])[..5], &timestamp(5), &block(b"12")].concat();
    for cut in [0, 6] {
        misplaced(
            &[header(), short[..short.len() - cut].to_vec()],
            "HEADER Cluster:10 T5 ! element ends at 61, its parent at 60 at byte 53, \
             Segment\\Cluster\\SimpleBlock",
        );
    }
    let short = [&el(ElementId::SEGMENT, &[0; 6])[..5], &info(), &tracks()].concat();
    misplaced(
        &[ebml(), short],
        "EBML Segment:6 Info ! element ends at 45, its parent at 27 at byte 26, Segment\\Tracks",
    );
    // Neither may a Cluster of known size, nor the header of one of unknown size.
    let inner = [info(), tracks(), el(ElementId::CLUSTER, &[0; 9])].concat();
    let short = &el(ElementId::SEGMENT, &inner[..inner.len() - 9])[..5];
    misplaced(
        &[ebml(), short.to_vec(), inner],
        "EBML Segment:29 Info Tracks:1 ! element ends at 59, its parent at 50 at byte 45, \
         Segment\\Cluster",
    );
    // A block in a Cluster of unknown size in a Segment of known size.
    let inner = [info(), tracks(), cluster(), timestamp(5)].concat();
    misplaced(
        &[ebml(), el(ElementId::SEGMENT, &inner), block(b"")],
        "EBML Segment:32 Info Tracks:1 Cluster T5 ! element has no place here at byte 53, \
         SimpleBlock",
    );
    misplaced(
        &[header(), cluster(), el(ElementId::TIMESTAMP, &[0; 9])],
        "HEADER Cluster ! a number of 9 bytes at byte 50, Segment\\Cluster\\Timestamp",
    );
}

#[test]
fn concatenated_documents() {
    let check_all = |pieces: &[Vec<u8>], expected: &str| {
        check(Documents::Concatenated, &Limits::default(), pieces, expected);
    };
    let fragment = || [header(), cluster(), timestamp(5), block(b"f")].concat();
    check_all(
        &[fragment(), tags(b"t"), fragment(), header(), tags(b"t"), fragment()],
        "HEADER Cluster T5 B1+0k[1] Tags[t] HEADER Cluster T5 B1+0k[1] HEADER Tags[t] \
         HEADER Cluster T5 B1+0k[1] .",
    );
    // Each document needs its own Info and Tracks.
    check_all(
        &[fragment(), ebml(), segment(), cluster()],
        "HEADER Cluster T5 B1+0k[1] EBML Segment ! Info is missing at byte 81, Segment\\Cluster",
    );
    check_all(
        &[fragment(), segment()],
        "HEADER Cluster T5 B1+0k[1] ! second Segment at byte 60, Segment\\Cluster\\Segment",
    );
    check_all(&[ebml(), ebml()], "EBML ! second EBML header at byte 16, EBML");
    // The size of a Segment is that of another document; that of a Cluster is its own.
    let sized = &el(ElementId::SEGMENT, &[0; 40])[..5];
    let inner = [info(), tracks(), tags(b"1"), el(ElementId::CLUSTER, &timestamp(5)), tags(b"2")];
    check_all(
        &[ebml(), sized.to_vec(), inner.concat(), fragment()],
        "EBML Segment:40 Info Tracks:1 Tags[1] Cluster:3 T5 Tags[2] HEADER Cluster T5 B1+0k[1] .",
    );
    check_all(
        &[header(), el(ElementId::CLUSTER, &[timestamp(5), ebml()].concat())],
        "HEADER Cluster:19 T5 ! second EBML header at byte 53, Segment\\Cluster\\EBML",
    );
}

#[test]
fn ends() {
    check_one(&[], ".");
    check_one(&[ebml()], "EBML .");
    check_one(&[ebml(), segment()], "EBML Segment .");
    check_one(&[header(), cluster()], "HEADER Cluster .");
    check_one(&[header(), cluster(), timestamp(5)], "HEADER Cluster T5 .");
    let cut = "body ends inside the element, at least";
    check_one(
        &[header(), cluster(), timestamp(5), block(b"123")[..8].to_vec()],
        &format!(
            "HEADER Cluster T5 ! {cut} 1 bytes short at byte 53, Segment\\Cluster\\SimpleBlock"
        ),
    );
    check_one(
        &[header(), cluster(), timestamp(5), vec![0xA3]],
        &format!("HEADER Cluster T5 ! {cut} 1 bytes short at byte 53, Segment\\Cluster"),
    );
    check_one(
        &[header(), cluster(), timestamp(5), tags(b"a")[..9].to_vec()],
        &format!("HEADER Cluster T5 ! {cut} 10 bytes short at byte 53, Segment\\Tags"),
    );
    let known = el(ElementId::CLUSTER, &[timestamp(5), block(b"123")].concat());
    check_one(
        &[header(), known[..8].to_vec()],
        &format!("HEADER Cluster:12 T5 ! {cut} 9 bytes short at byte 53, Segment\\Cluster"),
    );
    let known = el(ElementId::SEGMENT, &[info(), tracks()].concat());
    check_one(
        &[ebml(), known[..10].to_vec()],
        &format!("EBML Segment:24 Info ! {cut} 19 bytes short at byte 26, Segment"),
    );
    // A known Segment is cut even where its unknown Cluster could end.
    let inner = [info(), tracks(), cluster(), timestamp(5), block(b"123")].concat();
    let known = el(ElementId::SEGMENT, &inner);
    check_one(
        &[ebml(), known[..known.len() - 9].to_vec()],
        &format!(
            "EBML Segment:41 Info Tracks:1 Cluster T5 ! {cut} 9 bytes short at byte 53, \
             Segment\\Cluster"
        ),
    );
}

/// Each limit, exactly reached and exceeded by one.
#[test]
fn limits() {
    let at_and_past = |limits: &dyn Fn(u64) -> Limits, at: u64, pieces: &[Vec<u8>], kind| {
        let body = pieces.concat();
        let (_, end) = fuzz::check(&body, Documents::One, &limits(at), 1);
        assert_eq!(end, Ok(()), "{kind:?}");
        let (_, end) = fuzz::check(&body, Documents::One, &limits(at - 1), 1);
        let Err(Error::LimitExceeded { limit, max, found, .. }) = end else { panic!("{end:?}") };
        assert_eq!((limit, max, found), (kind, at - 1, at));
    };
    let default = Limits::default;

    let max_element_len = |max_element_len| Limits { max_element_len, ..default() };
    let fragment = [header(), cluster(), timestamp(5), block(&[0; 100])];
    at_and_past(&max_element_len, 100 + 4 + 2, &fragment, LimitKind::ElementLen);

    let max_header_len = |max_header_len| Limits { max_header_len, ..default() };
    let fragment = [header(), cluster(), timestamp(5), block(&[0; 100]), tags(&[b'a'; 90])];
    at_and_past(&max_header_len, 45, &fragment, LimitKind::HeaderLen);
    let padded = [header(), el(ElementId::VOID, &[0; 98]), cluster(), timestamp(5)];
    at_and_past(&max_header_len, 145, &padded, LimitKind::HeaderLen);

    let max_tags_len = |max_tags_len| Limits { max_tags_len, ..default() };
    let len = tags(b"abc").len() as u64;
    at_and_past(&max_tags_len, len, &[header(), tags(b"abc")], LimitKind::TagsLen);

    let max_tracks = |max| Limits { max_tracks: max as usize, ..default() };
    let three = el(ElementId::TRACKS, &[track_entry(1), track_entry(2), track_entry(3)].concat());
    at_and_past(&max_tracks, 3, &[ebml(), segment(), three], LimitKind::Tracks);

    let max_tags = |max| Limits { max_tags_per_element: max as usize, ..default() };
    let named =
        |inner: &[u8]| el(ElementId::SIMPLE_TAG, &[&el(ElementId::TAG_NAME, b"n"), inner].concat());
    let four = [
        el(ElementId::TAG, &[named(&[]), named(&named(&[]))].concat()),
        el(ElementId::TAG, &named(&[])),
    ];
    let four = el(ElementId::TAGS, &four.concat());
    at_and_past(&max_tags, 4, &[header(), four], LimitKind::TagsPerElement);

    let max_private = |max_codec_private_len| Limits { max_codec_private_len, ..default() };
    let mut entry = track_entry(1)[2..].to_vec();
    entry.extend(el(ElementId::CODEC_PRIVATE, &[7; 50]));
    let private = el(ElementId::TRACKS, &el(ElementId::TRACK_ENTRY, &entry));
    at_and_past(&max_private, 50, &[ebml(), segment(), private], LimitKind::CodecPrivateLen);

    // The depth is a constant: eight levels pass, nine do not.
    let nested = |levels| (0..levels).fold(Vec::new(), |inner, _| named(&inner));
    let tagged = |levels| el(ElementId::TAGS, &el(ElementId::TAG, &nested(levels)));
    check_one(&[header(), tagged(8)], "HEADER Tags[n,n,n,n,n,n,n,n] .");
    let body = [header(), tagged(9)].concat();
    let (_, end) = fuzz::check(&body, Documents::One, &default(), 1);
    assert_eq!(end.unwrap_err().limit(), Some(LimitKind::TagDepth));
}

#[test]
fn too_large_is_said_before_the_body_comes() {
    let max = Limits::default().max_element_len;
    let before = [header(), cluster(), timestamp(5)].concat();
    for (extra, refused) in [(0, false), (1, true)] {
        let mut body = before.clone();
        crate::element_writer::put_header(
            &mut body,
            ElementId::SIMPLE_BLOCK,
            max as usize - 9 + extra,
            8,
        );
        let (items, end) = fuzz::check(&body, Documents::One, &Limits::default(), 1);
        assert_eq!(items.len(), 6);
        let error = end.unwrap_err();
        assert_eq!(error.is_too_large(), refused, "{error}");
        assert_eq!(matches!(error, Error::Truncated { .. }), !refused, "{error}");
    }
    // The same for what is misplaced.
    let huge = [0xA3, 0x08, 0, 0, 0, 0]; // SimpleBlock, 4 bytes short of a size
    let body = [&header(), &huge[..]].concat();
    let (_, end) = fuzz::check(&body, Documents::One, &Limits::default(), 1);
    assert!(matches!(end, Err(Error::Unexpected { .. })), "{end:?}");
}

#[test]
fn limits_per_document_when_concatenated() {
    let limits = Limits { max_header_len: 45, ..Limits::default() };
    let pieces = [header(), cluster(), timestamp(5), header(), cluster()];
    check(Documents::Concatenated, &limits, &pieces, "HEADER Cluster T5 HEADER Cluster .");
    // Also after a document that has no Cluster.
    let pieces = [header(), header()];
    check(Documents::Concatenated, &limits, &pieces, "HEADER HEADER .");
    // The EBML header counts from its own start, whatever came before.
    let large = el(ElementId::EBML, &el(ElementId::VOID, &[0; 42]));
    for before in [vec![], header(), [header(), cluster()].concat()] {
        let body = [before, large.clone()].concat();
        let (_, end) = fuzz::check(&body, Documents::Concatenated, &limits, 1);
        let Err(Error::LimitExceeded { limit, found, .. }) = end else { panic!("{end:?}") };
        assert_eq!((limit, found), (LimitKind::HeaderLen, 49));
    }
}

#[test]
fn needed_is_told_in_as_few_steps_as_can_be() {
    let mut scanner = Scanner::new(Limits::default());
    let body = ebml();
    assert_eq!(scanner.needed(), 2);
    let mut asked = Vec::new();
    while scanner.next(&body[..scanner.needed().min(body.len())]).unwrap().is_none() {
        asked.push(scanner.needed());
    }
    // ID, size, body.
    assert_eq!(asked, [5, 16]);
    assert_eq!(scanner.needed(), 0);
}
