//! Program association and program map: ISO/IEC 13818-1 §2.4.4.3 and §2.4.4.8.

use crate::packet::{PACKET_LEN, PAYLOAD_LEN_MAX, PacketHeader, Pid, put_packet_start};

pub(crate) const PAT_TABLE_ID: u8 = 0;
pub(crate) const PMT_TABLE_ID: u8 = 2;

/// stream_type: ISO/IEC 13818-1 table 2-34.
pub(crate) const STREAM_TYPE_H264: u8 = 0x1b;
pub(crate) const STREAM_TYPE_ADTS: u8 = 0x0f;

/// What the program consists of. It is what the program map says, whatever frames a single segment
/// has: the map must not change without a discontinuity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// H.264 alone.
    Video,
    /// AAC alone; it carries the clock.
    Audio,
    /// Both; the video carries the clock.
    VideoAndAudio,
}

impl Program {
    pub(crate) fn has_video(self) -> bool {
        self != Self::Audio
    }

    pub(crate) fn has_audio(self) -> bool {
        self != Self::Video
    }

    /// The PID that carries the clock.
    pub(crate) fn pcr_pid(self) -> Pid {
        if self.has_video() { Pid::VIDEO } else { Pid::AUDIO }
    }
}

/// Appends the two packets that start a segment.
pub(crate) fn put_tables(out: &mut Vec<u8>, program: Program, continuity: u8) {
    put_section(out, Pid::PAT, continuity, &pat());
    put_section(out, Pid::PMT, continuity, &pmt(program));
}

/// The section without its CRC. The last bit of byte 5 is current_next_indicator, version 0.
fn pat() -> Vec<u8> {
    let mut section = vec![
        PAT_TABLE_ID,
        0xb0,
        13, // section_length
        0,
        1, // transport_stream_id
        0xc1,
        0,
        0, // section 0 of 0
        0,
        1, // program_number
    ];
    section.extend_from_slice(&(0xe000 | Pid::PMT.0).to_be_bytes());
    section
}

fn pmt(program: Program) -> Vec<u8> {
    let streams = [
        (program.has_video(), STREAM_TYPE_H264, Pid::VIDEO),
        (program.has_audio(), STREAM_TYPE_ADTS, Pid::AUDIO),
    ];
    let streams = streams.iter().filter(|(present, ..)| *present);
    let mut section = vec![
        PMT_TABLE_ID,
        0xb0,
        13 + 5 * streams.clone().count() as u8, // section_length
        0,
        1, // program_number
        0xc1,
        0,
        0, // section 0 of 0
    ];
    section.extend_from_slice(&(0xe000 | program.pcr_pid().0).to_be_bytes());
    section.extend_from_slice(&[0xf0, 0]); // program_info_length
    for (_, stream_type, pid) in streams {
        section.push(*stream_type);
        section.extend_from_slice(&(0xe000 | pid.0).to_be_bytes());
        section.extend_from_slice(&[0xf0, 0]); // ES_info_length
    }
    section
}

/// One packet: §2.4.4.2, pointer_field 0, and §2.4.4: ff after the section.
fn put_section(out: &mut Vec<u8>, pid: Pid, continuity: u8, section: &[u8]) {
    let end = out.len() + PACKET_LEN;
    let header = PacketHeader { pid, unit_start: true, continuity };
    put_packet_start(out, header, None, PAYLOAD_LEN_MAX);
    out.push(0); // pointer_field
    out.extend_from_slice(section);
    out.extend_from_slice(&crc32(section).to_be_bytes());
    out.resize(end, 0xff);
}

/// CRC-32/MPEG-2: ISO/IEC 13818-1 annex A. Over a section with its CRC it is 0.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(u32::MAX, |crc, byte| crc << 8 ^ CRC_TABLE[((crc >> 24) as u8 ^ byte) as usize])
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the catalogue of CRCs.
    #[test]
    fn crc_check_value() {
        assert_eq!(crc32(b"123456789"), 0x0376_e6e7);
    }

    #[track_caller]
    fn check(program: Program, pat: &[u8], pmt: &[u8]) {
        let mut out = Vec::new();
        put_tables(&mut out, program, 0xa);
        let (first, second) = out.split_at(PACKET_LEN);
        assert_eq!(first[..5], [0x47, 0x40, 0x00, 0x1a, 0]);
        assert_eq!(second[..5], [0x47, 0x50, 0x00, 0x1a, 0]);
        for (packet, section) in [(first, pat), (second, pmt)] {
            let (found, stuffing) = packet[5..].split_at(section.len());
            assert_eq!(found[..], *section);
            assert_eq!(crc32(found), 0);
            assert!(stuffing.iter().all(|byte| *byte == 0xff));
        }
    }

    /// The sections that FFmpeg 5.1 writes for the same programs.
    #[test]
    fn tables() {
        let pat = b"\x00\xb0\x0d\x00\x01\xc1\x00\x00\x00\x01\xf0\x00\x2a\xb1\x04\xb2";
        check(
            Program::VideoAndAudio,
            pat,
            b"\x02\xb0\x17\x00\x01\xc1\x00\x00\xe1\x00\xf0\x00\x1b\xe1\x00\xf0\x00\x0f\xe1\x01\xf0\
              \x00\x2f\x44\xb9\x9b",
        );
        check(
            Program::Video,
            pat,
            b"\x02\xb0\x12\x00\x01\xc1\x00\x00\xe1\x00\xf0\x00\x1b\xe1\x00\xf0\x00\x15\xbd\x4d\x56",
        );
    }

    #[test]
    fn audio_alone_carries_the_clock() {
        let section = pmt(Program::Audio);
        assert_eq!(section[8..], [0xe1, 0x01, 0xf0, 0x00, 0x0f, 0xe1, 0x01, 0xf0, 0x00]);
        assert_eq!(usize::from(section[2]), section.len() + 1);
    }
}
