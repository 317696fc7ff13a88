//! The PES packet: ISO/IEC 13818-1 §2.4.3.6, and how it is cut into transport packets.

use crate::clock::{encode_timestamp, wrapped};
use crate::packet::{ClockField, PAYLOAD_LEN_MAX, PacketHeader, Pid, put_packet_start};

/// stream_id: ISO/IEC 13818-1 table 2-22.
pub(crate) const STREAM_ID_VIDEO: u8 = 0xe0;
pub(crate) const STREAM_ID_AUDIO: u8 = 0xc0;

/// Header with PTS and DTS.
const HEADER_LEN_MAX: usize = 19;

/// What an audio PES packet may hold: PES_packet_length has 16 bits and counts the 8 bytes of the
/// header behind it.
pub(crate) const AUDIO_PES_DATA_LEN_MAX: usize = 0xffff - 8;

/// A PES header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PesHeader {
    bytes: [u8; HEADER_LEN_MAX],
    len: usize,
}

impl PesHeader {
    /// Of one access unit. PES_packet_length is 0: not stated, as §2.4.3.7 allows video alone.
    pub(crate) fn video(pts: u64, dts: u64) -> Self {
        let dts = Some(dts).filter(|dts| wrapped(*dts) != wrapped(pts));
        Self::new(STREAM_ID_VIDEO, None, pts, dts)
    }

    /// Of frames of `data_len` bytes, at most [`AUDIO_PES_DATA_LEN_MAX`].
    pub(crate) fn audio(pts: u64, data_len: usize) -> Self {
        Self::new(STREAM_ID_AUDIO, Some(data_len), pts, None)
    }

    fn new(stream_id: u8, data_len: Option<usize>, pts: u64, dts: Option<u64>) -> Self {
        let mut bytes = [0; HEADER_LEN_MAX];
        let times_len = if dts.is_some() { 10 } else { 5 };
        let packet_len = data_len.map_or(0, |len| 3 + times_len + len);
        debug_assert!(packet_len <= 0xffff);
        let [len_high, len_low] = (packet_len as u16).to_be_bytes();
        bytes[..9].copy_from_slice(&[
            0,
            0,
            1, // packet_start_code_prefix
            stream_id,
            len_high,
            len_low,
            0x84, // '10', data_alignment_indicator
            if dts.is_some() { 0xc0 } else { 0x80 },
            times_len as u8,
        ]);
        bytes[9..14].copy_from_slice(&encode_timestamp(2 | u8::from(dts.is_some()), pts));
        if let Some(dts) = dts {
            bytes[14..].copy_from_slice(&encode_timestamp(1, dts));
        }
        Self { bytes, len: 9 + times_len }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// How many packets a PES packet of `len` bytes takes, when the first of them carries the clock or
/// does not.
pub(crate) fn packets_needed(len: usize, with_clock: bool) -> usize {
    let first = if with_clock { ClockField::ROOM } else { PAYLOAD_LEN_MAX };
    1 + len.saturating_sub(first).div_ceil(PAYLOAD_LEN_MAX)
}

/// Cuts one PES packet, pushed in pieces, into transport packets.
#[derive(Debug)]
pub(crate) struct PesWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Of the next packet.
    header: PacketHeader,
    /// Of the first packet, until that is begun.
    field: Option<ClockField>,
    bytes_left: usize,
    packets_left: usize,
    /// Bytes that the packet begun still takes.
    room: usize,
}

impl<'a> PesWriter<'a> {
    /// For `len` bytes, header included, in `packets` packets: at least [`packets_needed`], at
    /// most `len`. `continuity` is that of the first.
    pub(crate) fn new(
        out: &'a mut Vec<u8>,
        pid: Pid,
        continuity: u8,
        field: Option<ClockField>,
        (len, packets): (usize, usize),
    ) -> Self {
        debug_assert!((packets_needed(len, field.is_some())..=len).contains(&packets));
        let header = PacketHeader { pid, unit_start: true, continuity };
        Self { out, header, field, bytes_left: len, packets_left: packets, room: 0 }
    }

    /// The next bytes.
    pub(crate) fn push(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            if self.room == 0 {
                self.begin_packet();
            }
            let (now, later) = piece.split_at(piece.len().min(self.room));
            self.out.extend_from_slice(now);
            self.room -= now.len();
            piece = later;
        }
    }

    /// Ends the PES packet. Gives the continuity counter of the packet that follows it.
    pub(crate) fn finish(self) -> u8 {
        debug_assert_eq!((self.bytes_left, self.packets_left, self.room), (0, 0, 0));
        self.header.continuity
    }

    /// Each packet takes what it can, but leaves one byte for every packet after it: if there are
    /// more packets than needed, the last ones carry single bytes.
    fn begin_packet(&mut self) {
        debug_assert!(self.packets_left > 0, "more was pushed than announced");
        let field = self.field.take();
        let capacity = if field.is_some() { ClockField::ROOM } else { PAYLOAD_LEN_MAX };
        self.packets_left -= 1;
        let payload_len = capacity.min(self.bytes_left - self.packets_left);
        put_packet_start(self.out, self.header, field, payload_len);
        self.bytes_left -= payload_len;
        self.room = payload_len;
        self.header.unit_start = false;
        self.header.continuity = (self.header.continuity + 1) % 16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::PACKET_LEN;

    #[test]
    fn headers() {
        let pts_only = PesHeader::video(900_000, 900_000);
        assert_eq!(pts_only.as_bytes(), b"\0\0\x01\xe0\0\0\x84\x80\x05\x21\x00\x37\x77\x41");
        let both = PesHeader::video(1, 0);
        assert_eq!(
            both.as_bytes(),
            b"\0\0\x01\xe0\0\0\x84\xc0\x0a\x31\x00\x01\x00\x03\x11\x00\x01\x00\x01"
        );
        let audio = PesHeader::audio(0, AUDIO_PES_DATA_LEN_MAX);
        assert_eq!(audio.as_bytes(), b"\0\0\x01\xc0\xff\xff\x84\x80\x05\x21\x00\x01\x00\x01");
    }

    /// Every length around the sizes of one to three packets, with every number of packets more.
    #[test]
    fn packets_are_whole() {
        let data: Vec<u8> = (0..600).map(|byte| byte as u8).collect();
        for len in 22..data.len() {
            for with_clock in [false, true] {
                for extra in 0..16 {
                    let field = with_clock.then_some(ClockField { random_access: true, pcr: 5 });
                    let packets = packets_needed(len, with_clock) + extra;
                    let mut out = Vec::new();
                    let mut writer = PesWriter::new(&mut out, Pid(3), 7, field, (len, packets));
                    for piece in data[..len].chunks(len / 3) {
                        writer.push(piece);
                    }
                    assert_eq!(usize::from(writer.finish()), (7 + packets) % 16);
                    assert_eq!(out.len(), packets * PACKET_LEN);
                    let mut payload = Vec::new();
                    for packet in out.chunks(PACKET_LEN) {
                        let start = match packet[3] >> 4 {
                            1 => 4,
                            3 => 5 + usize::from(packet[4]),
                            control => panic!("adaptation_field_control {control}"),
                        };
                        assert!(start < PACKET_LEN, "a payload of at least a byte");
                        payload.extend_from_slice(&packet[start..]);
                    }
                    assert_eq!(payload, data[..len]);
                }
            }
        }
    }
}
