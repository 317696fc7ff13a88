//! Reading a PES packet: ISO/IEC 13818-1 §2.4.3.6.

use super::FaultKind;
use crate::clock::parse_timestamp;

/// A PES packet that keeps its own rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pes<'a> {
    /// 33 bits.
    pub(super) pts: u64,
    /// 33 bits; as `pts` where none is sent.
    pub(super) dts: u64,
    pub(super) data: &'a [u8],
}

impl<'a> Pes<'a> {
    /// PES_packet_length may be 0 if `unbounded`.
    pub(super) fn parse(
        bytes: &'a [u8],
        stream_id: u8,
        unbounded: bool,
    ) -> Result<Self, FaultKind> {
        let ([0, 0, 1, id, len_high, len_low, marks, flags, times_len], rest) =
            bytes.split_first_chunk::<9>().ok_or(FaultKind::PesHeader)?
        else {
            return Err(FaultKind::PesHeader);
        };
        let len = usize::from(u16::from_be_bytes([*len_high, *len_low]));
        if len != bytes.len() - 6 && !(unbounded && len == 0) {
            return Err(FaultKind::PesLength { expected: len, found: bytes.len() - 6 });
        }
        // Not scrambled, data aligned.
        if *id != stream_id || *marks != 0x84 {
            return Err(FaultKind::PesHeader);
        }
        let (times, data) =
            rest.split_at_checked(usize::from(*times_len)).ok_or(FaultKind::PesHeader)?;
        let (pts, dts) = match (flags, times.len()) {
            (0x80, 5) => {
                let pts = time(2, times);
                (pts, pts)
            }
            (0xc0, 10) => (time(3, &times[..5]), time(1, &times[5..])),
            _ => return Err(FaultKind::PesHeader),
        };
        match (pts, dts) {
            (Some(pts), Some(dts)) => Ok(Self { pts, dts, data }),
            _ => Err(FaultKind::PesHeader),
        }
    }
}

fn time(prefix: u8, field: &[u8]) -> Option<u64> {
    parse_timestamp(prefix, field.try_into().ok()?)
}
