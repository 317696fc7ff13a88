//! Reading a transport packet: ISO/IEC 13818-1 §2.4.3.2, §2.4.3.4.

use super::FaultKind;
use crate::clock::parse_pcr;
use crate::packet::{PACKET_LEN, PAYLOAD_LEN_MAX, Pid, SYNC_BYTE};

/// A packet that keeps its own rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) pid: Pid,
    pub(super) unit_start: bool,
    pub(super) continuity: u8,
    pub(super) random_access: bool,
    /// 90 kHz.
    pub(super) pcr: Option<u64>,
    /// `None` of a packet without payload; else not empty.
    pub(super) payload: Option<&'a [u8]>,
}

impl<'a> Packet<'a> {
    pub(super) fn parse(bytes: &'a [u8; PACKET_LEN]) -> Result<Self, FaultKind> {
        let ([sync, a, b, c], rest) =
            bytes.split_first_chunk::<4>().expect("a packet is longer than its header");
        if *sync != SYNC_BYTE {
            return Err(FaultKind::SyncByte { found: *sync });
        }
        if a & 0x80 != 0 || c & 0xc0 != 0 {
            return Err(FaultKind::Damaged);
        }
        let (field, payload) = match c >> 4 & 3 {
            0b01 => (&[][..], Some(rest)),
            0b10 => (rest, None),
            0b11 => {
                let field_len = 1 + usize::from(rest[0]);
                let (field, payload) =
                    rest.split_at_checked(field_len).ok_or(FaultKind::AdaptationField)?;
                (field, Some(payload))
            }
            _ => return Err(FaultKind::AdaptationField),
        };
        if payload.is_some_and(<[u8]>::is_empty) {
            return Err(FaultKind::AdaptationField);
        }
        let (random_access, pcr) = parse_field(field).ok_or(FaultKind::AdaptationField)?;
        Ok(Self {
            pid: Pid(u16::from(a & 0x1f) << 8 | u16::from(*b)),
            unit_start: a & 0x40 != 0,
            continuity: c & 0x0f,
            random_access,
            pcr,
            payload,
        })
    }
}

/// random_access_indicator and program_clock_reference. `None` if the length byte does not fill the
/// field, an unexpected flag is set, or stuffing is not ff.
fn parse_field(field: &[u8]) -> Option<(bool, Option<u64>)> {
    let Some((len, field)) = field.split_first() else { return Some((false, None)) };
    if usize::from(*len) != field.len() || field.len() >= PAYLOAD_LEN_MAX {
        return None;
    }
    let Some((flags, rest)) = field.split_first() else { return Some((false, None)) };
    let (pcr, stuffing) = match flags & !0x40 {
        0 => (None, rest),
        0x10 => {
            let (pcr, stuffing) = rest.split_first_chunk::<6>()?;
            (Some(parse_pcr(*pcr)), stuffing)
        }
        _ => return None,
    };
    stuffing.iter().all(|byte| *byte == 0xff).then_some((flags & 0x40 != 0, pcr))
}
