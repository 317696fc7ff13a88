use proptest::prelude::*;
use streamkeep_keys::WrappedKey;
use streamkeep_media::StreamId;

use super::*;
use crate::row::strategy;
use crate::{Location, VolumeUuid};

const VOLUME: VolumeUuid = VolumeUuid([7; 16]);

fn fragment(row: crate::FragmentRow, offset: u64) -> RecordHeader {
    let mut record = FragmentRecord {
        stream: StreamId([3; 16]),
        payload_crc: 0x1234_5678,
        salt: [4; 24],
        commitment: [5; 16],
        row,
    };
    let record_len = record.record_len() as u32;
    record.row.location = Location { offset, record_len };
    RecordHeader::fragment(offset, record)
}

fn key(offset: u64) -> RecordHeader {
    let key = WrappedDataKey {
        stream: StreamId([3; 16]),
        generation: 9,
        stream_key_generation: 2,
        key: WrappedKey([6; 64]),
    };
    RecordHeader::key(offset, key)
}

fn encode(header: &RecordHeader) -> Vec<u8> {
    let mut bytes = Vec::new();
    header.encode(VOLUME, &mut bytes);
    assert_eq!(bytes.len(), header.header_len as usize);
    bytes
}

fn samples() -> [RecordHeader; 4] {
    let row = |track_count| crate::sample::row(3, track_count);
    [
        fragment(row(1), 4160),
        fragment(row(2), 1 << 40),
        key(8256),
        RecordHeader::padding(64, 1 << 20),
    ]
}

#[test]
fn header_lengths() {
    let row = |track_count| crate::sample::row(3, track_count);
    let lens = [0, 1, 2, 3, 255].map(|count| fragment(row(count), 0).header_len);
    assert_eq!(lens, [256, 320, 320, 384, 10_432]);
    assert_eq!(lens[4] as usize, RECORD_HEADER_LEN_MAX);
}

#[test]
fn every_flipped_bit_of_a_header_is_noticed() {
    for header in samples() {
        let bytes = encode(&header);
        assert_eq!(RecordHeader::decode(&bytes, VOLUME, header.offset), Some(header.clone()));
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(RecordHeader::decode(&bad, VOLUME, header.offset), None, "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert_eq!(RecordHeader::decode(&bytes[..len], VOLUME, header.offset), None);
        }
    }
}

#[test]
fn a_header_of_another_place_or_volume_is_refused() {
    for header in samples() {
        let bytes = encode(&header);
        assert_eq!(RecordHeader::decode(&bytes, VOLUME, header.offset + 64), None);
        let other = VolumeUuid([8; 16]);
        assert_eq!(RecordHeader::decode(&bytes, other, header.offset), None);
    }
}

/// Intact by its CRC, and yet not to be believed.
#[test]
fn contradictions_are_refused() {
    let patch = |header: &RecordHeader, at: usize, value: &[u8]| {
        let mut bytes = encode(header);
        bytes[at..at + value.len()].copy_from_slice(value);
        let len = bytes.len();
        let crc = crc32c(&bytes[..len - 4]);
        bytes[len - 4..].copy_from_slice(&crc.to_le_bytes());
        RecordHeader::decode(&bytes, VOLUME, header.offset)
    };
    let [fragment, _, key, padding] = samples();
    let row = 96;
    for (what, header, at, value) in [
        ("kind", &key, 4, &[4][..]),
        ("version", &key, 5, &[2]),
        ("key as padding", &key, 4, &[3]),
        ("padding as key", &padding, 4, &[2]),
        ("key record length", &key, 8, &[192]),
        ("padding of no length", &padding, 8, &[0; 8]),
        ("padding out of step", &padding, 8, &[65]),
        ("fragment record length", &fragment, 8, &[0x40, 0x02]),
        ("algorithm", &fragment, 48, &[2]),
        ("chunk length", &fragment, 49, &[21]),
        ("row length", &fragment, 50, &[167]),
        ("row version", &fragment, row, &[2]),
        ("track count", &fragment, row + 1, &[2]),
        ("row flags", &fragment, row + 2, &[4]),
        ("media length", &fragment, row + 104, &[0xff, 0xff, 0xff, 0xff]),
        ("location", &fragment, row + 112, &[0]),
        ("reserved", &fragment, row + 124, &[1]),
        ("behind the row", &fragment, 300, &[1]),
        ("behind the key", &key, 120, &[1]),
        ("in the padding's header", &padding, 40, &[1]),
    ] {
        assert_eq!(patch(header, at, value), None, "{what}");
    }
    // The patching itself is sound.
    assert_eq!(patch(&fragment, 52, &[9]).map(|header| header.offset), Some(4160));
}

proptest! {
    #[test]
    fn fragment_headers_round_trip(row in strategy::row(), offset in 0u64..1 << 40) {
        let header = fragment(row, offset / 64 * 64);
        let bytes = encode(&header);
        prop_assert_eq!(RecordHeader::decode(&bytes, VOLUME, header.offset), Some(header));
    }

    #[test]
    fn any_bytes_are_a_header_or_none(mut bytes in prop::collection::vec(any::<u8>(), 64..700)) {
        bytes[..4].copy_from_slice(b"SKRC");
        let _ = RecordHeader::decode(&bytes, VOLUME, 0);
    }
}
