//! The worked example of `design/store.md`: a sealed volume with one fragment.
//!
//! The expected values were computed from the tables of the note by a program of their own, in
//! Python with OpenSSL's AES-GCM and the `blake3` package, not by this crate.

use bytes::Bytes;
use streamkeep_io::MemoryFile;
use streamkeep_io::sim::SimRng;
use streamkeep_keys::{DataKey, FreshSalt, StreamKey};
use streamkeep_media::{FrameEntry, FrameFlags, StreamId, Tag, TagGroup};

use crate::sample::{header, row};
use crate::{
    BatchBuilder, Crc64Nvme, Footer, FooterBuilder, FragmentMeta, PendingFragment, Via,
    VolumeHasher, read_fragment,
};

const STREAM: StreamId = StreamId([0x11; 16]);

fn meta() -> FragmentMeta {
    let frame = |track_index, pts_ticks, duration_ticks, offset, len| FrameEntry {
        track_index,
        flags: FrameFlags::default(),
        pts_ticks,
        duration_ticks,
        offset,
        len,
    };
    let mut frames = vec![
        frame(0, 0, None, 20, 100),
        frame(1, -5, Some(21), 128, 10),
        frame(0, 40, None, 145, 3),
    ];
    frames[0].flags.key = true;
    frames[1].flags.key = true;
    frames[2].flags.discardable = true;
    let tag = |name: &str, value: &str| Tag { name: name.into(), value: value.into() };
    FragmentMeta {
        fingerprint: [0xf1; 32],
        timestamp_scale_ns: 1_000_000,
        session_header: Bytes::from_static(b"EBML"),
        frames,
        tags: vec![TagGroup { tags: vec![tag("door", "open"), tag("mark", "")] }],
    }
}

fn data_key() -> DataKey {
    DataKey::generate(STREAM, 5, &SimRng::new(1))
}

fn volume() -> Vec<u8> {
    let header = header();
    let stream_key = StreamKey::generate(header.store, STREAM, 1, &SimRng::new(2));
    let wrapped = stream_key.wrap_data_key(&data_key(), &SimRng::new(3));
    let salt = FreshSalt::generate(&SimRng::new(4));
    let media = [Bytes::from_static(b"med"), Bytes::from_static(b"ia")];
    let fragment = PendingFragment::seal(&data_key(), salt, row(1, 1), &meta(), &media).unwrap();

    let mut bytes = header.encode();
    let mut hasher = VolumeHasher::new();
    hasher.update(&bytes);
    let mut builder = BatchBuilder::new(&header, 4096, 0, 4096);
    builder.push_key(&wrapped);
    builder.push_fragment(&fragment);
    let batch = builder.finish();
    batch.hash_into(&mut hasher);
    for slice in batch.slices() {
        bytes.extend_from_slice(&slice);
    }
    let mut footer = FooterBuilder::new(header);
    footer.add_key(wrapped);
    for placed in batch.into_fragments() {
        footer.add_fragment(placed);
    }
    bytes.extend_from_slice(footer.finish(8192, Some(hasher)).unwrap().bytes());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_parts_lie_where_the_note_says() {
    let volume = volume();
    assert_eq!(volume.len(), 16_384);
    for (start, expected) in PARTS {
        assert_eq!(hex(&volume[*start..start + expected.len() / 2]), *expected, "at {start}");
    }
}

#[test]
fn the_whole_volume_is_the_same() {
    let volume = volume();
    assert_eq!(Crc64Nvme::of(&volume), Crc64Nvme(0x060e_bbb4_2a05_2c14));
    let file = MemoryFile::new(&volume[..]);
    let footer = Footer::open(&file, header().uuid).unwrap();
    assert_eq!(footer.file_crc64(), Some(Crc64Nvme(0x060e_bbb4_2a05_2c14)));
    let rows = footer.read_rows(&file, &footer.runs()[0], 0..1).unwrap();
    let stored =
        read_fragment(&file, header().uuid, STREAM, &rows[0], &data_key(), Via::Cache).unwrap();
    assert_eq!((stored.meta, &stored.media[..]), (meta(), &b"media"[..]));
}

#[test]
fn the_meta_section_is_the_same() {
    assert_eq!(hex(&meta().encode()), META);
}

/// Position in the file and bytes.
const PARTS: &[(usize, &str)] = &[
    // Batch header.
    (
        4096,
        "534b4254010000000000000000000000756964200102030400100000000000000010000000000000\
         001000000000000003000000ecca9e4d00000000e64c1723",
    ),
    // Key record.
    (
        4160,
        "534b5243020180008000000000000000756964200102030440100000000000001111111111111111\
         1111111111111111050000000100000001010000ed8f01dbe4140b1d89a9817bdd9b992f1253be78\
         f351fda8cb1483c92d997c40446940cc5b44260785399f970f0e5447ebd5a4176f608593ad4674e0\
         00000000d0f19b6e",
    ),
    // Fragment record: header.
    (
        4288,
        "534b524301014001c0010000000000007569642001020304c0100000000000001111111111111111\
         11111111111111110114a8007185ae7dca8a33e272e3736e30b0984b6ac674e45f847b8efc19efdb\
         c83500f8f7d7231f1632b595df4013830101020005000000100001a1ee5665d00000010000000001\
         dc6356eea1010000d06556eea1010000d0070000320000000100000000000000d007000000000000\
         0100000001000000100001a1ee565e00000001000000000040420f0000000000d007000000000000\
         050000004b000000c010000000000000c00100000000000001000000190000000100000000000000\
         e803000000000000d8ffffffa8070000007701000000000000000000000000000000000000000000\
         00000000000000000000000000000000000000000000000000000000000000000000000041d59900",
    ),
    // Fragment record: sealed meta (91 bytes), sealed media (21 bytes).
    (
        4608,
        "5346471e670a952e7e031099c1b7a4c52e2fd226e5f026a418ba830634e9ba04116153fea661057f\
         768f681a8e42316a8bc3777e4dde48bc4f627b3d59da214749051b49a891ade58004ffcb5545d253\
         979e019e7cf7cecd80372170a4e990048db976ce836000f120497dc5cff317a7",
    ),
    // Padding record: header.
    (
        4736,
        "534b524303014000800d000000000000756964200102030480120000000000000000000000000000\
         0000000000000000000000000000000000000000c9952285",
    ),
    // Footer head.
    (
        8192,
        "534b4654010000000100000000000000756964200102030400200000000000000020000000000000\
         000000000000000000000000000000000000000048742839",
    ),
    // Trailer.
    (
        12288,
        "534b454e4400000101000000010000005a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a0700000000000000\
         766f6c756d6520757569642001020304002000000000000000400000000000000100000000000000\
         482100000000000001000000534cfa3bf020000000000000010000004b872a704821000000000000\
         0000000000000000e04dbc48000000002efa367fa01d09f4943c567fa251ded6b5922d9b97748222\
         0def544d0adebbafe07ced38d0422944",
    ),
];

const META: &str = "01f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1c0843d0445424d\
         4c030100286419010915100a1400500e03010204646f6f72046f70656e046d61726b00";
