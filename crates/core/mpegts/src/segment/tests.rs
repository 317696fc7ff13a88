use proptest::prelude::*;

use super::*;
use crate::check::check;
use crate::clock::{TIME_OFFSET_90K, TIMESTAMP_MODULUS};
use crate::fuzz::{self, Input, adts_header, round_trip};
use crate::pes::PesHeader;

const T: u64 = TIME_OFFSET_90K;

/// `count` frames from `start` on, the first one key, each of one NAL unit of `len` bytes.
fn video(start: u64, count: u64, distance: u64, len: usize) -> Input {
    let mut input = Input { program: Program::Video, ..Input::default() };
    let pts: Vec<u64> = (0..count).map(|index| start + index * distance).collect();
    input.set_video(&pts, 0, |index| (index == 0, vec![len]));
    input
}

fn with_audio(mut input: Input, start: u64, count: u64, len: usize) -> Input {
    input.program = match input.video.is_empty() {
        true => Program::Audio,
        false => Program::VideoAndAudio,
    };
    input.audio = (0..count).map(|index| (start + index * 1920, vec![0xaa; len])).collect();
    input
}

fn packets(segment: &[u8]) -> impl Iterator<Item = &[u8]> {
    segment.chunks(PACKET_LEN)
}

fn pid(packet: &[u8]) -> Pid {
    Pid(u16::from(packet[1] & 0x1f) << 8 | u16::from(packet[2]))
}

fn without_payload(packet: &&[u8]) -> bool {
    packet[3] & 0x10 == 0
}

#[test]
fn first_packets_of_a_segment() {
    let segment = with_audio(video(T, 2, 3_000, 20), T, 1, 3).write(5);
    let mut packets = packets(&segment);
    assert_eq!(packets.next().expect("PAT")[..4], [0x47, 0x40, 0x00, 0x15]);
    assert_eq!(packets.next().expect("PMT")[..4], [0x47, 0x50, 0x00, 0x15]);
    let first = packets.next().expect("video");
    // 184 = 10 + field of 105 + 14 + 6 + 4 + 9 + 4 + 8 + 4 + 20
    assert_eq!(first[..6], [0x47, 0x41, 0x00, 0x30, 114, 0x50]);
    assert_eq!(first[6..12], [0, 6, 0xa0, 0x4a, 0x7e, 0]); // (900,000 − 31,500) / 2
    assert!(first[12..119].iter().all(|byte| *byte == 0xff));
    assert_eq!(
        first[119..],
        *b"\0\0\x01\xe0\0\0\x84\x80\x05\x21\x00\x37\x77\x41\0\0\0\x01\x09\xf0\
           \0\0\0\x01\x67sequence\0\0\0\x01\x68picture\0\0\0\x01\
           \x65\x01\x03\x03\x05\x05\x07\x07\x09\x09\x0b\x0b\x0d\x0d\x0f\x0f\x11\x11\x13\x13"
    );
    let second = packets.next().expect("audio");
    assert_eq!(second[..5], [0x47, 0x41, 0x01, 0x30, 183 - 9]);
}

/// Each amount of stuffing in first, middle and last packets, alone and before another frame.
#[test]
fn every_frame_size() {
    for len in 1..=600 {
        round_trip(&[video(T, 1, 3_000, len)], 0);
        round_trip(&[video(T, 2, 3_000, len)], 0);
        let (_, report) = round_trip(&[with_audio(Input::default(), T, 1, len)], 0);
        assert_eq!(report.audio_frames.len(), 1);
    }
}

/// The adaptation fields of a segment have had every length.
#[test]
fn every_stuffing_length() {
    let mut seen = [false; 185];
    for len in 1..=400 {
        let input = with_audio(video(T, 3, 3_000, len), T, 9, len);
        let (segments, _) = round_trip(&[input], 0);
        for packet in packets(&segments[0]) {
            let stuffed = match packet[3] >> 4 {
                1 => 0,
                _ => 1 + usize::from(packet[4]),
            };
            seen[stuffed] = true;
        }
    }
    // 184 is a packet without payload, for the clock.
    assert!(seen.iter().all(|seen| *seen));
}

#[test]
fn one_byte_payloads() {
    let mut input = with_audio(video(T, 3, 3_000, 1), T, 10, 1);
    for (.., nal_units) in &mut input.video {
        nal_units.extend([vec![0x41], vec![0x41]]);
    }
    round_trip(&[input.clone(), video(T + 9_000, 1, 1, 1)], 15);
    // A single tiny frame is spread over 16 packets, and still reads.
    let (segments, report) = round_trip(&[video(T, 1, 3_000, 1)], 0);
    assert_eq!((report.packet_count, segments[0].len()), (18, 18 * PACKET_LEN));
    let mut lone = Input { program: Program::Video, ..Input::default() };
    lone.set_video(&[T], 0, |_| (false, vec![1]));
    round_trip(&[lone], 0);
}

#[test]
fn joined_segments() {
    let first = with_audio(video(T, 60, 3_000, 1_000), T, 94, 171);
    let second = with_audio(video(T + 180_000, 60, 3_000, 777), T + 180_480, 93, 90);
    for number in [0, 14, 15, u64::MAX - 5] {
        round_trip(&[first.clone(), second.clone()], number);
    }
    // The checker does see what the rule prevents: a number left out, and a packet lost.
    let (one, other) = (first.write(0), second.write(2));
    assert_eq!(check([&one[..], &other]).faults.len(), 2);
    let mut cut = one.clone();
    cut.truncate(one.len() - PACKET_LEN);
    assert_ne!(check([&cut[..], &second.write(1)]).faults, []);
}

#[test]
fn over_the_wrap_of_33_bits() {
    for start in [TIMESTAMP_MODULUS - 90_000, 5 * TIMESTAMP_MODULUS - 20_000] {
        let mut input = with_audio(video(start, 1, 1, 50), start, 100, 30);
        input.video.clear();
        let pts: Vec<u64> = (0..60)
            .map(|index| start + [0, 3, 1, 2][index as usize % 4] * 3_000 + index / 4 * 12_000)
            .collect();
        input.set_video(&pts, 0, |index| (index == 0, vec![400]));
        let (_, report) = round_trip(&[input], 0);
        let wraps =
            |times: Vec<u64>| times.windows(2).filter(|pair| pair[1] + (1 << 32) < pair[0]).count();
        assert_eq!(wraps(report.access_units.iter().map(|unit| unit.dts).collect()), 1);
        assert_eq!(wraps(report.clock_references), 1);
        assert_eq!(wraps(report.audio_frames.iter().map(|frame| frame.pts).collect()), 1);
    }
}

#[test]
fn clock_between_distant_frames() {
    // 1 frame a second: the clock comes 9 times in between, on packets that do not count.
    let (segments, report) = round_trip(&[video(T, 3, 90_000, 300)], 0);
    assert_eq!(packets(&segments[0]).filter(without_payload).count(), 18);
    assert_eq!(report.clock_references.len(), 21);
    assert!(report.clock_references.windows(2).all(|pair| pair[1] - pair[0] == 9_000));
    // 10 frames a second need none; a tick more does.
    for (distance, expected) in [(9_000, 0), (9_001, 1)] {
        let (segments, _) = round_trip(&[video(T, 2, distance, 300)], 0);
        assert_eq!(packets(&segments[0]).filter(without_payload).count(), expected);
    }
    // Audio goes on while the picture stands: the clock is on the video PID all the same.
    let (segments, report) = round_trip(&[with_audio(video(T, 1, 1, 300), T, 94, 100)], 0);
    assert!(packets(&segments[0]).filter(without_payload).all(|packet| pid(packet) == Pid::VIDEO));
    assert!(report.clock_references.len() > 15);
    // No video at all in a program that has it.
    let mut input = with_audio(Input::default(), T, 94, 100);
    input.program = Program::VideoAndAudio;
    let (_, report) = round_trip(&[input], 0);
    assert_eq!((report.access_units.len(), report.audio_frames.len()), (0, 94));
    assert!(report.clock_references.len() > 15);
}

#[test]
fn audio_alone() {
    for (rate_index, distance) in [(3, 1_920), (4, 2_090), (8, 5_760), (11, 11_520)] {
        let audio = |start: u64| Input {
            program: Program::Audio,
            rate_index,
            audio: (0..47).map(|index| (start + index * distance, vec![0x55; 200])).collect(),
            video: Vec::new(),
        };
        let (segments, report) = round_trip(&[audio(T), audio(T + 47 * distance)], 3);
        assert!(report.clock_references.len() as u64 >= 2 * 45 * distance / 9_000);
        assert!(packets(&segments[0]).skip(2).all(|packet| pid(packet) == Pid::AUDIO));
    }
}

#[test]
fn nothing_to_show() {
    for program in [Program::Video, Program::Audio, Program::VideoAndAudio] {
        let input = Input { program, ..Input::default() };
        let (segments, report) = round_trip(&[input.clone(), input], 0);
        assert_eq!((segments[0].len(), report.packet_count), (2 * PACKET_LEN, 4));
    }
}

/// Both tracks come in the order in which they are due.
#[test]
fn interleaving() {
    let segment = with_audio(video(T, 8, 9_000, 10), T + 100, 40, 10).write(0);
    let order: String = packets(&segment)
        .filter(|packet| packet[1] & 0x40 != 0)
        .map(|packet| match pid(packet) {
            Pid::VIDEO => 'v',
            Pid::AUDIO => 'a',
            _ => 't',
        })
        .collect();
    assert_eq!(order, "ttvavavvavvavav");
}

#[test]
fn b_frames() {
    // x264's pyramid, 30 fps, in ms; then the same with an open GOP.
    let closed = [21, 154, 88, 54, 121, 288, 221, 188, 254];
    let open = [421, 354, 321, 388, 554, 488, 454, 521];
    let segment = |pts: &[u64]| {
        let mut input = Input { program: Program::Video, ..Input::default() };
        let pts: Vec<u64> = pts.iter().map(|ms| T + ms * 90).collect();
        input.set_video(&pts, 2, |index| (index == 0, vec![300, 20]));
        input
    };
    let (_, report) = round_trip(&[segment(&closed), segment(&open)], 0);
    let late = report.access_units.iter().filter(|unit| unit.pts > unit.dts).count();
    assert!(late > 10);
}

#[test]
fn refused() {
    let unit = VideoUnit { pts: T, dts: T, is_key: true, nal_units: &[b"\x65"] };
    let frame = AudioFrame { pts: T, header: adts_header(3, 1), data: b"\x01" };
    #[track_caller]
    fn check(program: Program, video: &[VideoUnit<'_>], audio: &[AudioFrame<'_>], error: Error) {
        let config = SegmentConfig { program, parameter_sets: &[] };
        assert_eq!(write_segment(&config, 0, video, audio), Err(error));
        assert!(!error.to_string().is_empty());
    }
    check(Program::Audio, &[unit], &[], Error::NotInProgram { track: Track::Video });
    check(Program::Video, &[], &[frame], Error::NotInProgram { track: Track::Audio });
    let early = VideoUnit { dts: T - 1, ..unit };
    let error = Error::DtsBackwards { track: Track::Video, index: 1, dts: T - 1, previous: T };
    check(Program::Video, &[unit, early], &[], error);
    let earlier = AudioFrame { pts: 5, ..frame };
    let error = Error::DtsBackwards { track: Track::Audio, index: 2, dts: 5, previous: T };
    check(Program::Audio, &[], &[frame, frame, earlier], error);
    let late = VideoUnit { dts: T + 1, ..unit };
    check(Program::Video, &[late], &[], Error::PtsBeforeDts { index: 0, pts: T, dts: T + 1 });
    let broken = AudioFrame { header: adts_header(3, 2), ..frame };
    check(Program::Audio, &[], &[frame, broken], Error::AdtsHeader { index: 1 });
    let far = AudioFrame { pts: T + SPAN_MAX + 1, ..frame };
    let error = Error::SpanTooLong { span: SPAN_MAX + 1, max: SPAN_MAX };
    check(Program::VideoAndAudio, &[unit], &[far], error);
    check(Program::Audio, &[], &[frame, far], error);
}

/// The longest span allowed, and the ends of the range of times.
#[test]
fn extremes() {
    let far =
        |pts| Input { audio: vec![(pts, vec![1]), (pts + SPAN_MAX, vec![1])], ..Input::default() };
    let (_, report) = round_trip(&[far(T)], 0);
    assert_eq!(report.clock_references.len() as u64, SPAN_MAX / 9_000);
    far(0).write(0);
    let (_, report) = round_trip(&[far(u64::MAX - SPAN_MAX)], 0);
    assert_eq!(report.audio_frames.len(), 2);
}

/// Every fault that a stream can have, made one at a time.
#[test]
fn the_checker_sees() {
    use crate::check::FaultKind as K;
    let good = with_audio(video(T, 3, 3_000, 300), T, 9, 50).write(0);
    #[track_caller]
    fn faults(segment: &[u8], change: impl FnOnce(&mut Vec<u8>), sees: impl Fn(&K) -> bool) {
        let mut segment = segment.to_vec();
        change(&mut segment);
        let report = check([&segment[..]]);
        assert!(report.faults.iter().any(|fault| sees(&fault.kind)), "{:?}", report.faults);
    }
    // Packet 2 is the first of video: field of 8 bytes at 4, PES header behind it.
    let video_at = 2 * PACKET_LEN;
    assert_eq!(good[video_at + 4..][..2], [7, 0x50]);
    let pes_at = video_at + 12;
    faults(&good, |s| s.truncate(1_000), |k| matches!(k, K::BytesLeft { len: 60 }));
    faults(&good, |s| s[188] = 0x46, |k| matches!(k, K::SyncByte { found: 0x46 }));
    faults(&good, |s| s[189] |= 0x80, |k| matches!(k, K::Damaged));
    faults(&good, |s| s[191] |= 0x40, |k| matches!(k, K::Damaged));
    faults(&good, |s| s[video_at + 4] = 184, |k| matches!(k, K::AdaptationField));
    faults(&good, |s| s[video_at + 3] = 0, |k| matches!(k, K::AdaptationField));
    let audio_at =
        PACKET_LEN * packets(&good).position(|packet| pid(packet) == Pid::AUDIO).expect("audio");
    assert_eq!(good[audio_at + 4..][..14], PesHeader::audio(T, 8 * 57).as_bytes()[..]);
    faults(&good, |s| s[audio_at + 18] = 0, |k| matches!(k, K::Adts { position: 0 }));
    faults(&good, |s| s[audio_at + 18 + 57] = 0, |k| matches!(k, K::Adts { position: 57 }));
    // The last packet holds one byte, the rest is stuffing.
    faults(&good, |s| s[good.len() - 9] = 0, |k| matches!(k, K::AdaptationField));
    faults(&good, |s| s[video_at + 3] ^= 1, |k| matches!(k, K::Continuity { .. }));
    faults(
        &good,
        |s| drop(s.drain(video_at..video_at + 188)),
        |k| matches!(k, K::PacketCount { pid: Pid::VIDEO, count: 15 }),
    );
    faults(&good, |s| drop(s.drain(..188)), |k| matches!(k, K::TablesNotFirst));
    faults(&good, |s| drop(s.drain(188..376)), |k| matches!(k, K::TablesNotFirst));
    faults(&good, |s| s[5] = 1, |k| matches!(k, K::Section { pid: Pid::PAT }));
    faults(&good, |s| s[187] = 0, |k| matches!(k, K::Section { pid: Pid::PAT }));
    faults(&good, |s| s[15] ^= 1, |k| matches!(k, K::Crc { pid: Pid::PAT }));
    faults(&good, |s| s[188 + 9] ^= 1, |k| matches!(k, K::Crc { pid: Pid::PMT }));
    faults(&good, |s| s[video_at + 2] = 7, |k| matches!(k, K::UnknownPid { pid: Pid(0x107) }));
    faults(&good, |s| s[video_at + 2] = 1, |k| matches!(k, K::ClockPid { pid: Pid::AUDIO }));
    faults(&good, |s| s[video_at + 8] ^= 0x40, |k| matches!(k, K::ClockDistance { .. }));
    faults(&good, |s| s[video_at + 7] += 1, |k| matches!(k, K::ClockNotBeforeDts { .. }));
    faults(&good, |s| s[video_at + 1] = 1, |k| matches!(k, K::NoPesStart { pid: Pid::VIDEO }));
    for at in [2, 3, 6, 7, 8, 9, 11, 13] {
        faults(&good, |s| s[pes_at + at] ^= 1, |k| matches!(k, K::PesHeader));
    }
    faults(&good, |s| s[pes_at + 5] = 9, |k| matches!(k, K::PesLength { expected: 9, .. }));
    faults(&good, |s| s[pes_at + 18] = 1, |k| matches!(k, K::Delimiter));
    faults(&good, |s| s[pes_at + 24] = 6, |k| matches!(k, K::ParameterSets));
    faults(&good, |s| s[video_at + 5] = 0x10, |k| matches!(k, K::RandomAccess));

    let mut late = video(T, 2, 3_000, 300);
    late.video[1].0 = T + 9_000;
    late.video[1].1 = T + 9_000;
    let second = late.write(0);
    let earlier = video(T, 1, 3_000, 300).write(1);
    let report = check([&second[..], &earlier]);
    assert!(report.faults.iter().all(|f| matches!(f.kind, K::DtsBackwards { .. })));
    assert_eq!(report.faults.len(), 1);
}

proptest! {
    #[test]
    fn frames_of_any_size(
        sizes in prop::collection::vec(prop::collection::vec(1..900usize, 1..4), 0..20),
        audio in prop::collection::vec(0..900usize, 0..40),
        order in any::<u64>(),
        number in any::<u64>(),
    ) {
        let mut input = Input::default();
        let pts: Vec<u64> = (0..sizes.len() as u64)
            .map(|index| T + index * 3_000 + (order >> (index % 60) & 3) * 7_000)
            .collect();
        input.set_video(&pts, 3, |index| (index % 7 == 0, sizes[index].clone()));
        input.audio =
            (0..).zip(&audio).map(|(i, len)| (T + i * 1_920, vec![0x77; *len])).collect();
        let (segments, _) = round_trip(&[input], number % 1_000);
        prop_assert!(segments[0].capacity() < segments[0].len() + 64 * PACKET_LEN);
    }

    #[test]
    fn frames_from_bytes(data in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz::write(&data);
    }

    #[test]
    fn damaged_segments(
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        len in any::<usize>(),
    ) {
        let mut segment = with_audio(video(T, 3, 3_000, 300), T, 9, 50).write(0);
        for (at, value) in changes {
            let at = at % segment.len();
            segment[at] = value;
        }
        segment.truncate(len % (segment.len() + 1));
        fuzz::read(&segment);
    }
}
