//! The transport packet: ISO/IEC 13818-1 §2.4.3.2, and its adaptation field, §2.4.3.4.

use crate::clock::encode_pcr;

/// Length of a transport packet.
pub const PACKET_LEN: usize = 188;

/// What a packet without adaptation field carries.
pub(crate) const PAYLOAD_LEN_MAX: usize = PACKET_LEN - 4;

pub(crate) const SYNC_BYTE: u8 = 0x47;

/// adaptation_field: length, flags, program_clock_reference.
const FIELD_WITH_PCR_LEN: usize = 8;

/// Packet identifier, 13 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pid(pub u16);

impl Pid {
    /// The program association table: ISO/IEC 13818-1 table 2-3.
    pub const PAT: Self = Self(0);
    /// The program map table.
    pub const PMT: Self = Self(0x1000);
    /// H.264.
    pub const VIDEO: Self = Self(0x100);
    /// AAC.
    pub const AUDIO: Self = Self(0x101);
}

/// Where a packet belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PacketHeader {
    pub(crate) pid: Pid,
    /// payload_unit_start_indicator.
    pub(crate) unit_start: bool,
    /// continuity_counter, 0..=15.
    pub(crate) continuity: u8,
}

/// What the adaptation field says beside stuffing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockField {
    /// random_access_indicator.
    pub(crate) random_access: bool,
    /// program_clock_reference, 90 kHz, taken modulo 2^33.
    pub(crate) pcr: u64,
}

impl ClockField {
    /// Bytes of payload that fit beside the field.
    pub(crate) const ROOM: usize = PAYLOAD_LEN_MAX - FIELD_WITH_PCR_LEN;
}

/// Appends a packet up to its payload, of which the caller appends exactly `payload_len` bytes:
/// at most [`PAYLOAD_LEN_MAX`], or [`ClockField::ROOM`] with a `field`. What is left of the packet
/// is stuffed.
pub(crate) fn put_packet_start(
    out: &mut Vec<u8>,
    header: PacketHeader,
    field: Option<ClockField>,
    payload_len: usize,
) {
    debug_assert!(payload_len <= field.map_or(PAYLOAD_LEN_MAX, |_| ClockField::ROOM));
    let adaptation_field_control = match payload_len {
        PAYLOAD_LEN_MAX => 0b01,
        0 => 0b10,
        _ => 0b11,
    };
    out.extend_from_slice(&[
        SYNC_BYTE,
        u8::from(header.unit_start) << 6 | (header.pid.0 >> 8) as u8,
        header.pid.0 as u8,
        adaptation_field_control << 4 | header.continuity,
    ]);
    if payload_len < PAYLOAD_LEN_MAX {
        put_adaptation_field(out, field, PAYLOAD_LEN_MAX - payload_len);
    }
}

/// `len` bytes in all. The length byte does not count itself, so 0 stands for exactly one byte.
fn put_adaptation_field(out: &mut Vec<u8>, field: Option<ClockField>, len: usize) {
    let end = out.len() + len;
    out.push((len - 1) as u8);
    match field {
        Some(field) => {
            out.push(u8::from(field.random_access) << 6 | 0x10);
            out.extend_from_slice(&encode_pcr(field.pcr));
        }
        None if len > 1 => out.push(0),
        None => {}
    }
    out.resize(end, 0xff);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stuffing_length() {
        let header = PacketHeader { pid: Pid(0x1abc), unit_start: true, continuity: 9 };
        for payload_len in 0..=PAYLOAD_LEN_MAX {
            let mut packet = Vec::new();
            put_packet_start(&mut packet, header, None, payload_len);
            assert_eq!(packet.len(), PACKET_LEN - payload_len);
            assert_eq!(packet[..3], [0x47, 0x5a, 0xbc]);
            let field = &packet[4..];
            match payload_len {
                184 => assert_eq!((packet[3], field), (0x19, &[][..])),
                183 => assert_eq!((packet[3], field), (0x39, &[0][..])),
                182 => assert_eq!((packet[3], field), (0x39, &[1, 0][..])),
                181 => assert_eq!((packet[3], field), (0x39, &[2, 0, 0xff][..])),
                0 => assert_eq!((packet[3], field[0]), (0x29, 183)),
                _ => assert_eq!((packet[3], usize::from(field[0])), (0x39, 183 - payload_len)),
            }
        }
    }

    #[test]
    fn clock_and_random_access() {
        let header = PacketHeader { pid: Pid::VIDEO, unit_start: false, continuity: 0 };
        let field = ClockField { random_access: true, pcr: 1 };
        let mut packet = Vec::new();
        put_packet_start(&mut packet, header, Some(field), ClockField::ROOM);
        assert_eq!(packet, [0x47, 1, 0, 0x30, 7, 0x50, 0, 0, 0, 0, 0xfe, 0]);
        packet.clear();
        put_packet_start(&mut packet, header, Some(field), ClockField::ROOM - 2);
        assert_eq!(packet, [0x47, 1, 0, 0x30, 9, 0x50, 0, 0, 0, 0, 0xfe, 0, 0xff, 0xff]);
    }
}
