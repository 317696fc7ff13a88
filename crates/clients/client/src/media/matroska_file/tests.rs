use std::sync::Arc;

use streamkeep_media::{FrameFlags, TrackKind};
use streamkeep_mkv::{ElementSize, Event, Info, Limits, Scanner, producer};

use super::*;

const ORIGIN: UnixMillis = UnixMillis(1_795_000_000_000);

fn document(timestamp_scale_ns: u64) -> Document {
    let track = Track {
        number: 3,
        uid: 3,
        kind: TrackKind::Video,
        codec_id: "V_TEST".into(),
        codec_private: Bytes::from_static(b"private"),
        name: String::new(),
        default_duration_ns: None,
        video: None,
        audio: None,
    };
    let info = Info {
        timestamp_scale_ns,
        duration_ticks: None,
        segment_uuid: None,
        title: String::new(),
        muxing_app: String::new(),
        writing_app: String::new(),
    };
    let mut header = Vec::new();
    producer::encode_header(&mut header, &info, std::slice::from_ref(&track));
    let mut scanner = Scanner::new(Limits::default());
    let (mut at, mut tracks_element) = (0, Bytes::new());
    while let Some(item) = scanner.next(&header[at..]).unwrap() {
        if let Event::Tracks(_) = item.event {
            tracks_element = Bytes::copy_from_slice(&header[at..at + item.len]);
        }
        at += item.len;
    }
    Document { timestamp_scale_ns, tracks: Arc::new(vec![track]), tracks_element }
}

fn block(relative_timestamp: i16) -> Bytes {
    let mut block = Vec::new();
    let flags = FrameFlags { key: true, ..FrameFlags::default() };
    producer::encode_simple_block(&mut block, 3, relative_timestamp, flags, b"frame");
    block.into()
}

/// What a reader finds: Cluster timestamps with the blocks' relative ones; the Segment's size, the
/// duration.
type Found = (Vec<(u64, Vec<i16>)>, ElementSize, Option<f64>);

fn scan(file: &[u8]) -> Found {
    let mut scanner = Scanner::new(Limits::default());
    let (mut at, mut clusters, mut size, mut duration) =
        (0, Vec::new(), ElementSize::Unknown, None);
    while let Some(item) = scanner.next(&file[at..]).unwrap() {
        match item.event {
            Event::Segment(found) => size = found,
            Event::Info(info) => duration = info.duration_ticks,
            Event::Tracks(tracks) => assert_eq!(tracks[0].codec_private, b"private"[..]),
            Event::Timestamp(timestamp) => clusters.push((timestamp, Vec::new())),
            Event::Block(block) => {
                clusters.last_mut().unwrap().1.push(block.relative_timestamp);
                assert_eq!(block.payload, b"frame");
            }
            _ => {}
        }
        at += item.len;
    }
    scanner.finish(&file[at..]).unwrap();
    (clusters, size, duration)
}

fn patched(mut file: Vec<u8>, patches: &[Patch]) -> Vec<u8> {
    for Patch { position, bytes } in patches {
        file[*position as usize..][..bytes.len()].copy_from_slice(bytes);
    }
    file
}

#[test]
fn whole_fragments() {
    let mut file = Vec::new();
    let mut writer = MatroskaFile::start(&document(1_000_000), ORIGIN, &mut file);
    let mut cluster_positions = Vec::new();
    for (ms, blocks) in
        [(0, vec![block(0), block(40)]), (2000, vec![block(0)]), (9000, vec![block(-40), block(0)])]
    {
        cluster_positions.push(file.len());
        writer.cluster(UnixMillis(ORIGIN.0 + ms), 2000, &blocks, &mut file);
        blocks.iter().for_each(|block| file.extend_from_slice(block));
    }
    let cues_position = file.len();
    let patches = writer.finish(&mut file);
    let clusters = vec![(0, vec![0, 40]), (2000, vec![0]), (9000, vec![-40, 0])];
    // As it is where nothing can be patched: valid, with sizes unknown.
    assert_eq!(scan(&file), (clusters.clone(), ElementSize::Unknown, None));
    let file = patched(file, &patches);
    let segment = file.windows(4).position(|w| w == SEGMENT.to_be_bytes()).unwrap() + 12;
    let size = ElementSize::Known((file.len() - segment) as u64);
    assert_eq!(scan(&file), (clusters, size, Some(11_000.0)));
    // Everything that points, points where it should.
    let seek = file.windows(2).position(|w| w == [0x53, 0xAC]).unwrap() + 3;
    let found = u64::from_be_bytes(file[seek..seek + 8].try_into().unwrap()) as usize + segment;
    assert_eq!(found, cues_position);
    assert_eq!(file[found..found + 4], CUES.to_be_bytes());
    let pointed: Vec<usize> = file[cues_position..]
        .windows(10)
        .filter(|w| w[..2] == [0xF1, 0x88])
        .map(|w| u64::from_be_bytes(w[2..].try_into().unwrap()) as usize + segment)
        .collect();
    assert_eq!(pointed, cluster_positions);
}

#[test]
fn fragments_still_coming() {
    let mut file = Vec::new();
    let mut writer = MatroskaFile::start(&document(1_000_000), ORIGIN, &mut file);
    for ms in [0, 2000] {
        writer.open_cluster(UnixMillis(ORIGIN.0 + ms), &mut file);
        for relative in [0, 500] {
            file.extend_from_slice(&block(relative));
            writer.block(&block(relative), relative);
        }
    }
    // Cut off here it can be read as well.
    let clusters = vec![(0, vec![0, 500]), (2000, vec![0, 500])];
    assert_eq!(scan(&file).0, clusters);
    let patches = writer.finish(&mut file);
    let file = patched(file, &patches);
    let (found, size, duration) = scan(&file);
    assert_eq!((found, duration), (clusters, Some(2500.0)));
    assert!(matches!(size, ElementSize::Known(_)));
    // The Clusters, too, have sizes now.
    assert!(!file.windows(12).any(|w| w[..4] == CLUSTER.to_be_bytes() && w[4..] == UNKNOWN_SIZE));
}

#[test]
fn other_units_of_time_and_other_tracks() {
    let mut file = Vec::new();
    let fine = document(100_000);
    let mut writer = MatroskaFile::start(&fine, ORIGIN, &mut file);
    writer.open_cluster(UnixMillis(ORIGIN.0 + 1500), &mut file);
    assert_eq!(scan(&file).0, [(15_000, vec![])]);
    assert!(writer.takes(&fine) && !writer.takes(&document(1_000_000)));
    let mut other = document(100_000);
    let mut track = other.tracks[0].clone();
    track.codec_private = Bytes::from_static(b"changed");
    other.tracks = Arc::new(vec![track]);
    assert!(!writer.takes(&other));
    // A time before the first fragment cannot be shown earlier than it.
    writer.open_cluster(UnixMillis(ORIGIN.0 - 1), &mut file);
    assert_eq!(scan(&file).0[1].0, 0);
}
