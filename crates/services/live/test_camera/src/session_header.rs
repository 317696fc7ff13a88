//! What precedes the fragments of a session.

use streamkeep_codec::h264::AvcDecoderConfigurationRecord;
use streamkeep_media::{SessionHeader, Track, TrackKind, VideoParameters};
use streamkeep_mkv::Info;

/// What a camera's pictures are, by their H.264 parameter sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    /// 64×64, baseline: none is out of order.
    InOrder,
    /// 1280×720, high profile, by libx264: two may be out of order.
    OutOfOrder,
}

impl Pictures {
    /// A track of such pictures.
    pub fn track(self) -> Track {
        let (sps, pps, width, height) = match self {
            Self::InOrder => (SPS_IN_ORDER, PPS_IN_ORDER, 64, 64),
            Self::OutOfOrder => (SPS_OUT_OF_ORDER, PPS_OUT_OF_ORDER, 1280, 720),
        };
        let record = AvcDecoderConfigurationRecord::build(&[sps], &[pps]);
        Track {
            number: 1,
            uid: 1,
            kind: TrackKind::Video,
            codec_id: "V_MPEG4/ISO/AVC".to_owned(),
            codec_private: record.expect("valid parameter sets").into(),
            name: String::new(),
            default_duration_ns: None,
            video: Some(VideoParameters { width, height }),
            audio: None,
        }
    }
}

/// The header of a session with these tracks.
pub fn session_header(tracks: Vec<Track>) -> SessionHeader {
    let info = Info {
        timestamp_scale_ns: 1_000_000,
        duration_ticks: None,
        segment_uuid: None,
        title: String::new(),
        muxing_app: "test".to_owned(),
        writing_app: "test".to_owned(),
    };
    let mut bytes = Vec::new();
    streamkeep_mkv::producer::encode_header(&mut bytes, &info, &tracks);
    SessionHeader { bytes: bytes.into(), timestamp_scale_ns: info.timestamp_scale_ns, tracks }
}

const SPS_IN_ORDER: &[u8] = &[0x67, 0x42, 0xc0, 0x0a, 0xda, 0x10, 0x99];
const PPS_IN_ORDER: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
const SPS_OUT_OF_ORDER: &[u8] = &[
    0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00,
    0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
];
const PPS_OUT_OF_ORDER: &[u8] = &[0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0];
