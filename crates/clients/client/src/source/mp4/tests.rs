//! A small file, put together here: what its tables mean, and what damage to them does.

use std::io::Cursor;

use streamkeep_media::TrackKind;

use super::*;

fn mp4_box(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32 + 8).to_be_bytes()[..], kind, &body].concat()
}

/// Version and flags, then big-endian numbers.
fn full_box(kind: &[u8; 4], version_and_flags: u32, numbers: &[u32]) -> Vec<u8> {
    let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    mp4_box(kind, &[&version_and_flags.to_be_bytes(), &numbers])
}

const AVCC: &[u8] = &[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 4, 0x67, 0x64, 0, 0x1f, 1, 0, 2, 0x68, 0xeb];
const TIMESCALE: u32 = 1000;

fn trak(tables: &[Vec<u8>]) -> Vec<u8> {
    let mut entry = vec![0; 78];
    entry[24..28].copy_from_slice(&[5, 0, 2, 0xd0]); // 1280×720
    let avc1 = mp4_box(b"avc1", &[&entry, &mp4_box(b"avcC", &[AVCC])]);
    let stsd = mp4_box(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], &avc1]);
    let stbl = mp4_box(b"stbl", &[&stsd, &tables.concat()]);
    let hdlr = mp4_box(b"hdlr", &[&[0; 8], b"vide", &[0; 13]]);
    let mdhd = full_box(b"mdhd", 0, &[0, 0, TIMESCALE, 0, 0]);
    let mdia = mp4_box(b"mdia", &[&mdhd, &hdlr, &mp4_box(b"minf", &[&stbl])]);
    // 500 ms of nothing (movie timescale 600), then the media from 80 ms on.
    let elst = full_box(b"elst", 0, &[2, 300, u32::MAX, 1 << 16, 0, 80, 1 << 16]);
    let tkhd = full_box(b"tkhd", 0, &[0, 0, 7, 0, 0]);
    mp4_box(b"trak", &[&tkhd, &mp4_box(b"edts", &[&elst]), &mdia])
}

fn mvhd() -> Vec<u8> {
    full_box(b"mvhd", 0, &[0, 0, 600, 0])
}

/// A length-prefixed slice: IDR or not.
fn slice(key: bool, index: u8) -> Vec<u8> {
    vec![0, 0, 0, 4, if key { 0x65 } else { 0x41 }, 0x9a, index, index]
}

/// Four frames in two chunks, decode order I P B P.
fn plain_file() -> Vec<u8> {
    let ftyp = mp4_box(b"ftyp", &[b"isom\0\0\0\0"]);
    let mdat_at = ftyp.len() as u32 + 8;
    let frames: Vec<u8> = (0..4).flat_map(|i| slice(i == 0, i)).collect();
    let mdat = mp4_box(b"mdat", &[&frames]);
    let moov = mp4_box(
        b"moov",
        &[
            &mvhd(),
            &trak(&[
                full_box(b"stts", 0, &[2, 3, 40, 1, 50]),
                full_box(b"ctts", 1 << 24, &[3, 1, 80, 1, 120, 2, 40]),
                full_box(b"stsc", 0, &[2, 1, 3, 1, 2, 1, 1]),
                full_box(b"stsz", 0, &[0, 4, 8, 8, 8, 8]),
                full_box(b"stco", 0, &[2, mdat_at, mdat_at + 24]),
                full_box(b"stss", 0, &[1, 1]),
            ]),
        ],
    );
    [ftyp, mdat, moov].concat()
}

/// Three frames in one movie fragment.
fn fragmented_file() -> Vec<u8> {
    let ftyp = mp4_box(b"ftyp", &[b"iso5\0\0\0\0"]);
    let tables = [
        full_box(b"stts", 0, &[0]),
        full_box(b"stsc", 0, &[0]),
        full_box(b"stsz", 0, &[0, 0]),
        full_box(b"stco", 0, &[0]),
    ];
    let mvex = mp4_box(b"mvex", &[&full_box(b"trex", 0, &[7, 1, 40, 8, 0x0001_0000])]);
    let moov = mp4_box(b"moov", &[&mvhd(), &trak(&tables), &mvex]);
    let moof = |data_offset: u32| {
        let traf = mp4_box(
            b"traf",
            &[
                &full_box(b"tfhd", 0x02_0000, &[7]),
                &mp4_box(b"tfdt", &[&[1, 0, 0, 0], &5_000_000_000u64.to_be_bytes()]),
                // Data offset, first flags, composition offsets.
                &full_box(b"trun", 1 << 24 | 0x805, &[3, data_offset, 0x0200_0000, 80, 120, 40]),
            ],
        );
        mp4_box(b"moof", &[&full_box(b"mfhd", 0, &[1]), &traf])
    };
    let moof = moof(moof(0).len() as u32 + 8);
    let frames: Vec<u8> = (0..3).flat_map(|i| slice(i == 0, i)).collect();
    [ftyp, moov, moof, mp4_box(b"mdat", &[&frames])].concat()
}

fn read(file: Vec<u8>) -> Result<(Vec<Track>, Vec<SourceFrame>), Error> {
    let mut source = Mp4Source::new(Cursor::new(file))?;
    let (mut tracks, mut frames) = (Vec::new(), Vec::new());
    while let Some(item) = source.next()? {
        match item {
            SourceItem::Tracks(found) => tracks = found,
            SourceItem::Frame(frame) => frames.push(frame),
            SourceItem::Tags(_) => unreachable!("MP4 has none"),
        }
    }
    Ok((tracks, frames))
}

/// Presentation time in milliseconds, key, last byte of the payload.
fn facts(frames: &[SourceFrame]) -> Vec<(i64, bool, u8)> {
    frames
        .iter()
        .map(|frame| (frame.pts_ns / 1_000_000, frame.flags.key, frame.data[frame.data.len() - 1]))
        .collect()
}

#[test]
fn plain() {
    let (tracks, frames) = read(plain_file()).unwrap();
    assert_eq!((tracks.len(), tracks[0].kind), (1, TrackKind::Video));
    assert_eq!(
        (tracks[0].codec_id.as_str(), &tracks[0].codec_private[..]),
        ("V_MPEG4/ISO/AVC", AVCC)
    );
    assert_eq!(tracks[0].video.map(|v| (v.width, v.height)), Some((1280, 720)));
    // Decode times 0 40 80 120, composition offsets 80 120 40 40, edit list +500 −80.
    assert_eq!(facts(&frames), [(500, true, 0), (580, false, 1), (540, false, 2), (580, false, 3)]);
}

#[test]
fn fragmented() {
    let (_, frames) = read(fragmented_file()).unwrap();
    let start = 5_000_000_000;
    assert_eq!(
        facts(&frames),
        [(start + 500, true, 0), (start + 580, false, 1), (start + 540, false, 2)]
    );
}

#[test]
fn boxes_of_every_form() {
    // A size of 64 bits, and one that goes to the end of the file.
    let plain = plain_file();
    let moov_at = plain.windows(4).position(|w| w == b"moov").unwrap() - 4;
    let (before, moov) = plain.split_at(moov_at);
    let large =
        [before, &[0, 0, 0, 1], b"moov", &(moov.len() as u64 + 8).to_be_bytes(), &moov[8..]]
            .concat();
    let open_ended = [before, &[0, 0, 0, 0], &moov[4..]].concat();
    let expected = read(plain).unwrap();
    assert_eq!(read(large).unwrap(), expected);
    assert_eq!(read(open_ended).unwrap(), expected);
}

#[test]
fn refusals() {
    let problem = |file: Vec<u8>| match read(file) {
        Err(Error::Mp4 { path, problem }) => format!("{path}: {problem}"),
        other => panic!("{other:?}"),
    };
    let changed = |file: Vec<u8>, at: &[u8; 4], offset: usize, bytes: &[u8]| {
        let mut file = file;
        let position = file.windows(4).position(|w| w == at).unwrap() + offset;
        file[position..position + bytes.len()].copy_from_slice(bytes);
        file
    };
    assert_eq!(problem(mp4_box(b"ftyp", &[])), "moov: missing");
    assert_eq!(problem(changed(plain_file(), b"stsz", 0, b"free")), "stsz: missing");
    // Counts that the file cannot hold.
    assert_eq!(problem(changed(plain_file(), b"stts", 8, &[0xff; 4])), "stbl/stts: cut off");
    assert_eq!(
        problem(changed(plain_file(), b"stsz", 8, &[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff])),
        "stbl/stsz: more samples than the file can hold"
    );
    assert_eq!(
        problem(changed(plain_file(), b"stsz", 16, &[0xff; 4])),
        "stbl: a sample lies outside the file"
    );
    assert_eq!(
        problem(changed(fragmented_file(), b"trun", 8, &[0xff; 4])),
        "moof/traf/trun: cut off"
    );
    let hevc_less = changed(plain_file(), b"avc1", 0, b"mp4v");
    assert_eq!(problem(hevc_less), "moov: no track with a codec that can be carried");
}

#[test]
fn damage_is_survived() {
    for file in [plain_file(), fragmented_file()] {
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut damaged = file.clone();
                damaged[at] = value;
                let _ = read(damaged);
            }
            let _ = read(file[..at].to_vec());
        }
    }
}
