//! Input that no muxer made: cut, mutated, random. It may earn errors, never a panic, and never a
//! different answer for a different split.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use streamkeep_media::{FrameFlags, Tag, TagGroup, Track, TrackKind};
use streamkeep_mkv::{Documents, Error, Event, Info, Limits, fuzz, get_media, producer};

/// A body with every kind of item, two Clusters, laced blocks, nested tags. `segment_width`: of the
/// Segment's size, whose value is unknown.
fn sample() -> Vec<u8> {
    let info = Info {
        timestamp_scale_ns: 1_000_000,
        duration_ticks: Some(5.0),
        segment_uuid: Some([9; 16]),
        title: "title".into(),
        muxing_app: "muxer".into(),
        writing_app: "writer".into(),
    };
    let mut body = Vec::new();
    producer::encode_header(&mut body, &info, &[track(1), track(2)]);
    producer::encode_tags(&mut body, &[tags(&["a", "b"])]);
    body.extend([0xEC, 0x40, 0x03, 0, 0, 0]); // Void, two-byte size
    producer::encode_cluster_start(&mut body, 1000);
    let key = FrameFlags { key: true, ..FrameFlags::default() };
    producer::encode_simple_block(&mut body, 1, -5, key, b"frame");
    // SimpleBlock, Xiph lacing, frames of 1 and 2 bytes.
    body.extend([0xA3, 0x89, 0x81, 0, 0, 0x02, 1, 1, 7, 8, 9]);
    // SimpleBlock, EBML lacing, frames of 1, 1 and 1 bytes.
    body.extend([0xA3, 0x8A, 0x81, 0, 0, 0x06, 2, 0x81, 0xBF, 7, 8, 9]);
    // BlockGroup: BlockDuration, Block with fixed-size lacing, ReferenceBlock.
    body.extend([0xA0, 0x8F, 0x9B, 0x81, 40, 0xA1, 0x87, 0x81, 0, 0, 0x04, 1, 5, 6, 0xFB, 0x81, 9]);
    body.extend([0xBF, 0x84, 1, 2, 3, 4]); // CRC-32
    // Cluster of 8 bytes: Timestamp, SimpleBlock.
    body.extend([0x1F, 0x43, 0xB6, 0x75, 0x89, 0xE7, 0x81, 9, 0xA3, 0x84, 0x81, 0, 0, 0]);
    get_media::encode_progress_tags(&mut body, 12, "token");
    producer::encode_end_of_fragment(&mut body);
    body
}

fn track(number: u64) -> Track {
    Track {
        number,
        uid: number,
        kind: TrackKind::Video,
        codec_id: "V_MPEG4/ISO/AVC".into(),
        codec_private: vec![1, 2, 3].into(),
        name: "track".into(),
        default_duration_ns: Some(40_000_000),
        video: Some(streamkeep_media::VideoParameters { width: 640, height: 360 }),
        audio: None,
    }
}

fn tags(names: &[&str]) -> TagGroup {
    let tag = |name: &&str| Tag { name: (*name).into(), value: "value".into() };
    TagGroup { tags: names.iter().map(tag).collect() }
}

#[test]
fn cut_at_each_byte() {
    let body = sample();
    let (all, end) = fuzz::check(&body, Documents::One, &Limits::default(), 0);
    assert_eq!(end, Ok(()));
    let mut sound_ends = 0;
    for cut in 0..body.len() {
        let (items, end) =
            fuzz::check(&body[..cut], Documents::One, &Limits::default(), cut as u64);
        assert_eq!(items[..], all[..items.len()], "the items before the cut are the same");
        let taken = items.iter().map(|item| item.len).sum::<usize>();
        match end {
            Ok(()) => sound_ends += 1,
            Err(Error::Truncated { at, missing }) => {
                assert_eq!(at.position, taken as u64);
                assert!(missing >= 1 && cut as u64 + missing <= body.len() as u64, "{missing}");
            }
            Err(other) => panic!("cut at {cut}: {other}"),
        }
    }
    // After each item but those inside the Cluster of known size: header, Timestamp; and at 0.
    assert_eq!(sound_ends, all.len() - 2);
}

/// Flips, overwrites, cuts out and repeats pieces of a good body.
#[test]
fn mutated() {
    let good = sample();
    let mut random = 1u64;
    let mut below = |bound: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % bound
    };
    let mut outcomes = (0, 0);
    for _ in 0..4000 {
        let mut body = good.clone();
        for _ in 0..=below(3) {
            let at = below(body.len());
            let len = below(9).min(body.len() - at);
            match below(5) {
                0 => body[at] ^= 1 << below(8),
                1 => body[at] = [0x00, 0x7F, 0x80, 0xFF][below(4)],
                2 => drop(body.drain(at..at + len)),
                3 => {
                    let piece = body[at..at + len].to_vec();
                    let to = below(body.len());
                    body.splice(to..to, piece);
                }
                _ => body[at..at + len].fill(0xFF),
            }
        }
        let documents = [Documents::One, Documents::Concatenated][below(2)];
        let (_, end) = fuzz::check(&body, documents, &Limits::default(), below(1 << 30) as u64);
        match end {
            Ok(()) => outcomes.0 += 1,
            Err(_) => outcomes.1 += 1,
        }
    }
    // Both kinds are well represented, so the mutations neither miss nor drown the parser.
    assert!(outcomes.0 > 400 && outcomes.1 > 400, "{outcomes:?}");
}

/// An element of a random body: what it is, and how its size is written.
#[derive(Clone, Debug)]
enum Piece {
    Ebml,
    Segment(Size),
    Info,
    Tracks,
    Tags,
    Void(u8),
    Cluster(Size, Vec<Piece>),
    Timestamp(u8),
    SimpleBlock(Vec<u8>, u8),
    BlockGroup(Vec<u8>),
    Noise(Vec<u8>),
}

#[derive(Clone, Copy, Debug)]
enum Size {
    Unknown(usize),
    Known(usize),
    /// Known, and wrong by this much.
    Wrong(i8),
}

impl Piece {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ebml => out.extend([0x1A, 0x45, 0xDF, 0xA3, 0x80]),
            Self::Segment(size) => header(out, &[0x18, 0x53, 0x80, 0x67], 60, *size),
            Self::Info => out.extend([0x15, 0x49, 0xA9, 0x66, 0x80]),
            Self::Tracks => out.extend([0x16, 0x54, 0xAE, 0x6B, 0x80]),
            Self::Tags => producer::encode_tags(out, &[tags(&["a"])]),
            Self::Void(len) => {
                header(out, &[0xEC], usize::from(*len), Size::Known(2));
                out.extend(std::iter::repeat_n(0, usize::from(*len)));
            }
            Self::Cluster(size, children) => {
                let mut body = Vec::new();
                children.iter().for_each(|child| child.encode(&mut body));
                header(out, &[0x1F, 0x43, 0xB6, 0x75], body.len(), *size);
                out.extend(body);
            }
            Self::Timestamp(ticks) => out.extend([0xE7, 0x81, *ticks]),
            Self::SimpleBlock(frame, flags) => {
                header(out, &[0xA3], frame.len() + 4, Size::Known(1));
                out.extend([0x81, 0, 0, *flags]);
                out.extend(frame);
            }
            Self::BlockGroup(frame) => {
                header(out, &[0xA0], frame.len() + 6, Size::Known(1));
                header(out, &[0xA1], frame.len() + 4, Size::Known(1));
                out.extend([0x81, 0, 0, 0]);
                out.extend(frame);
            }
            Self::Noise(bytes) => out.extend(bytes),
        }
    }
}

fn header(out: &mut Vec<u8>, id: &[u8], len: usize, size: Size) {
    out.extend(id);
    let (value, width) = match size {
        Size::Unknown(width) => (u64::MAX, width),
        // Two bytes hold what is written here without being all ones.
        Size::Known(width) => (len as u64, width.max(2)),
        Size::Wrong(by) => ((len as u64).saturating_add_signed(by.into()), 2),
    };
    let marker = 1u64 << (7 * width);
    let coded = value & (marker - 1) | marker;
    out.extend(&coded.to_be_bytes()[8 - width..]);
}

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![
        3 => (1..=8usize).prop_map(Size::Unknown),
        3 => (1..=8usize).prop_map(Size::Known),
        1 => (-9..9i8).prop_map(Size::Wrong),
    ]
}

fn frame() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..20)
}

fn cluster_piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        1 => any::<u8>().prop_map(Piece::Timestamp),
        4 => (frame(), any::<u8>()).prop_map(|(frame, flags)| Piece::SimpleBlock(frame, flags)),
        2 => frame().prop_map(Piece::BlockGroup),
        1 => any::<u8>().prop_map(Piece::Void),
    ]
}

fn segment_piece() -> impl Strategy<Value = Piece> {
    let cluster = proptest::collection::vec(cluster_piece(), 0..6).prop_map(|mut children| {
        children.insert(0, Piece::Timestamp(1));
        children
    });
    prop_oneof![
        8 => (size(), cluster).prop_map(|(size, children)| Piece::Cluster(size, children)),
        2 => Just(Piece::Tags),
        1 => any::<u8>().prop_map(Piece::Void),
        1 => cluster_piece(),
        1 => Just(Piece::Info),
        1 => Just(Piece::Ebml),
        1 => proptest::collection::vec(any::<u8>(), 1..5).prop_map(Piece::Noise),
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    (size(), proptest::collection::vec(segment_piece(), 0..8)).prop_map(|(size, pieces)| {
        let mut body = Vec::new();
        for piece in [Piece::Ebml, Piece::Segment(size), Piece::Info, Piece::Tracks] {
            piece.encode(&mut body);
        }
        pieces.iter().for_each(|piece| piece.encode(&mut body));
        body
    })
}

proptest! {
    #[test]
    fn structured_noise_at_any_split(body in body(), seed: u64, several: bool) {
        let documents = if several { Documents::Concatenated } else { Documents::One };
        let (items, _) = fuzz::check(&body, documents, &Limits::default(), seed);
        // The start is always sound, unless the Segment's size cuts it.
        prop_assert!(items.len() >= 2);
    }

    #[test]
    fn noise_at_any_split(data in proptest::collection::vec(any::<u8>(), 0..64)) {
        fuzz::check_any_split(&data);
    }

    /// parse(encode(x)) = x.
    #[test]
    fn written_values_come_back(
        scale in 1..=u64::MAX,
        title in "[a-zA-Zäö ]{0,200}",
        number in 1..(1u64 << 56) - 1,
        uid: u64,
        kind in 0..=255u8,
        codec_id in "[A-Z_/]{1,32}",
        codec_private in proptest::collection::vec(any::<u8>(), 0..300),
        video in proptest::option::of((any::<u32>(), any::<u32>())),
        audio in proptest::option::of((0f64..1e6, any::<u32>(), proptest::option::of(1..=u32::MAX))),
        default_duration_ns in proptest::option::of(1..=u64::MAX),
        timestamp: u64,
        relative: i16,
        flags in any::<[bool; 3]>(),
        frame in frame(),
        values in proptest::collection::vec(("[a-z]{0,130}", "[a-zß]{0,300}"), 1..4),
    ) {
        let info = Info {
            timestamp_scale_ns: scale,
            duration_ticks: None,
            segment_uuid: None,
            title,
            muxing_app: "m".into(),
            writing_app: String::new(),
        };
        let track = Track {
            number,
            uid,
            kind: TrackKind::from_track_type(kind.into()),
            codec_id,
            codec_private: codec_private.into(),
            name: String::new(),
            default_duration_ns,
            video: video.map(|(width, height)| streamkeep_media::VideoParameters { width, height }),
            audio: audio.map(|(sampling_frequency, channels, bit_depth)| {
                streamkeep_media::AudioParameters { sampling_frequency, channels, bit_depth }
            }),
        };
        let [key, invisible, discardable] = flags;
        let flags = FrameFlags { key, invisible, discardable };
        let tags = values.into_iter().map(|(name, value)| Tag { name, value }).collect();
        let groups = vec![TagGroup { tags }];

        let mut body = Vec::new();
        producer::encode_header(&mut body, &info, std::slice::from_ref(&track));
        producer::encode_cluster_start(&mut body, timestamp);
        producer::encode_simple_block(&mut body, number, relative, flags, &frame);
        producer::encode_tags(&mut body, &groups);

        let (items, end) = fuzz::check(&body, Documents::One, &Limits::default(), timestamp);
        prop_assert_eq!(end, Ok(()));
        let events: Vec<_> = items.into_iter().map(|item| item.event).collect();
        let [
            Event::EbmlHeader(_),
            Event::Segment(_),
            Event::Info(found_info),
            Event::Tracks(found_tracks),
            Event::Cluster(_),
            Event::Timestamp(found_timestamp),
            Event::Other(_),
            Event::Block(block),
            Event::Tags(found_groups),
        ] = &events[..] else { panic!("{events:?}") };
        prop_assert_eq!(found_info, &info);
        prop_assert_eq!(found_tracks, &[track]);
        prop_assert_eq!(*found_timestamp, timestamp);
        prop_assert_eq!(found_groups, &groups);
        prop_assert_eq!((block.track_number, block.relative_timestamp), (number, relative));
        prop_assert_eq!((block.key, block.invisible, block.discardable), (key, invisible, discardable));
        prop_assert_eq!(block.payload, &frame[..]);
    }
}
