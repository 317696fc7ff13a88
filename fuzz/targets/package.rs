//! Any frames of any tracks, put in and packaged for players.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use streamkeep_ingest::{BodyEnd, IngestLimits, IngestSession, Output, SessionConfig, TimecodeType};
use streamkeep_media::{
    AudioParameters, Fragment, FragmentNumber, FrameFlags, Track, TrackKind, UnixMillis,
    VideoParameters,
};
use streamkeep_mkv::{Info, producer};

const NOW: UnixMillis = UnixMillis(1_795_166_438_000);
/// Codec configurations as they should be; the input damages them.
const AVC: &[u8] = &[
    1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 26, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb,
    0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60, 1, 0,
    6, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0,
];
const AAC: &[u8] = &[0x12, 0x10];
/// WAVEFORMATEX: mu-law, 8,000 Hz, one channel.
const MU_LAW: &[u8] = &[7, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0, 0, 0];

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

fn tracks(input: &mut Input<'_>) -> Vec<Track> {
    let choice = input.byte();
    let mut track = |number, kind, codec_id: &str, private: &[u8]| {
        let mut private = private.to_vec();
        for _ in 0..choice >> 6 {
            let (at, value) = (usize::from(input.byte()), input.byte());
            if let Some(byte) = private.get_mut(at) {
                *byte = value;
            }
        }
        Track {
            number,
            uid: number,
            kind,
            codec_id: codec_id.to_owned(),
            codec_private: private.into(),
            name: String::new(),
            default_duration_ns: None,
            video: (kind == TrackKind::Video)
                .then_some(VideoParameters { width: 1280, height: 720 }),
            audio: (kind == TrackKind::Audio).then_some(AudioParameters {
                sampling_frequency: 8_000.0,
                channels: 1,
                bit_depth: None,
            }),
        }
    };
    let audio = match choice & 3 {
        0 => None,
        1 => Some(("A_AAC", AAC)),
        2 => Some(("A_MS/ACM", MU_LAW)),
        _ => Some(("A_OPUS", &b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0"[..])),
    };
    let video = match choice >> 2 & 3 {
        0 => None,
        1 | 2 => Some(("V_MPEG4/ISO/AVC", AVC)),
        _ => Some(("V_MPEGH/ISO/HEVC", AVC)),
    };
    let video = video.map(|(codec, private)| track(1, TrackKind::Video, codec, private));
    let audio = audio.map(|(codec, private)| track(2, TrackKind::Audio, codec, private));
    video.into_iter().chain(audio).collect()
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let rule_frames = u16::from(input.byte() & 15);
    let scale = [1_000_000, 100_000, 1, 1_000_000_000][usize::from(input.byte() & 3)];
    let mut body = Vec::new();
    let info = Info {
        timestamp_scale_ns: scale,
        duration_ticks: None,
        segment_uuid: None,
        title: String::new(),
        muxing_app: String::new(),
        writing_app: String::new(),
    };
    producer::encode_header(&mut body, &info, &tracks(&mut input));
    let mut timecode = NOW.0 * 1_000_000 / scale;
    while !input.0.is_empty() {
        let control = input.byte();
        if control & 15 == 0 {
            let step = i64::from(i16::from_le_bytes([input.byte(), input.byte()]));
            timecode = timecode.saturating_add_signed(step);
            producer::encode_cluster_start(&mut body, timecode);
        }
        let at = i16::from_le_bytes([input.byte(), input.byte() & (control >> 4 | 1)]);
        let flags =
            FrameFlags { key: control & 16 != 0, invisible: false, discardable: control & 32 != 0 };
        let len = usize::from(input.byte());
        let frame = input.take(len);
        producer::encode_simple_block(&mut body, u64::from(control >> 6 & 1) + 1, at, flags, frame);
    }
    let mut session = IngestSession::new(SessionConfig {
        timecode_type: TimecodeType::Absolute,
        kept: true,
        limits: IngestLimits { fragment_bytes_max: 1 << 20, ..IngestLimits::default() },
    });
    let mut sequence = 0;
    session.handle_body(NOW, &body, &mut || {
        sequence += 1;
        let at = UnixMillis(NOW.0 + sequence);
        Ok((FragmentNumber::new(at, 1, sequence), at))
    });
    session.handle_end(BodyEnd::Complete);
    let mut fragments: Vec<Arc<Fragment>> = Vec::new();
    while let Some(output) = session.poll_output() {
        if let Output::Complete(fragment) = output {
            fragments.push(Arc::new(*fragment));
        }
    }
    streamkeep_playback::fuzz::package(&fragments, rule_frames);
});
