//! Reading what PES packets hold: access units and ADTS frames.

use super::FaultKind;
use super::pes::Pes;
use crate::access_unit::{nal_unit_type, type_of};
use crate::adts::{ADTS_HEADER_LEN, AdtsHeader};
use crate::clock::wrapped;

/// A video access unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    /// Presentation time, 90 kHz, 33 bits.
    pub pts: u64,
    /// Decoding time, 90 kHz, 33 bits.
    pub dts: u64,
    /// random_access_indicator of its first packet.
    pub random_access: bool,
    /// Without start codes, zero bytes around them, and the delimiter.
    pub nal_units: Vec<Vec<u8>>,
}

/// An audio frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdtsFrame {
    /// Presentation time, 90 kHz, 33 bits; counted from that of its PES packet.
    pub pts: u64,
    /// Its header.
    pub header: [u8; 7],
    /// raw_data_block.
    pub data: Vec<u8>,
}

/// The access unit of a PES packet. Whatever is wrong with it goes to `fault`.
pub(super) fn access_unit(
    pes: &Pes<'_>,
    random_access: bool,
    mut fault: impl FnMut(FaultKind),
) -> AccessUnit {
    let mut nal_units: Vec<Vec<u8>> = Vec::new();
    let (mut has_sps, mut has_pps, mut has_idr) = (false, false, false);
    for (index, nal_unit) in annex_b(pes.data).into_iter().enumerate() {
        let kind = type_of(nal_unit);
        if (index == 0) != (kind == Some(nal_unit_type::AUD)) {
            fault(FaultKind::Delimiter);
        }
        match kind {
            Some(nal_unit_type::AUD) => continue,
            Some(nal_unit_type::SPS) => has_sps = true,
            Some(nal_unit_type::PPS) => has_pps = true,
            Some(nal_unit_type::IDR_SLICE) if !has_idr => {
                has_idr = true;
                if !(has_sps && has_pps) {
                    fault(FaultKind::ParameterSets);
                }
            }
            _ => {}
        }
        nal_units.push(nal_unit.to_vec());
    }
    if nal_units.is_empty() {
        fault(FaultKind::Delimiter);
    }
    if has_idr && !random_access {
        fault(FaultKind::RandomAccess);
    }
    AccessUnit { pts: pes.pts, dts: pes.dts, random_access, nal_units }
}

/// NAL units of a byte stream: ITU-T H.264 annex B. Without the zero bytes around start codes; what
/// precedes the first one counts as a unit of its own, for it does not belong there.
fn annex_b(bytes: &[u8]) -> Vec<&[u8]> {
    let mut nal_units = Vec::new();
    let mut rest = bytes;
    loop {
        let start_code = rest.windows(3).position(|three| three == [0, 0, 1]);
        let (nal_unit, after) = rest.split_at(start_code.unwrap_or(rest.len()));
        let zeros = nal_unit.iter().rev().take_while(|byte| **byte == 0).count();
        let nal_unit = &nal_unit[..nal_unit.len() - zeros];
        if !nal_unit.is_empty() {
            nal_units.push(nal_unit);
        }
        match after.get(3..) {
            Some(after) => rest = after,
            None => return nal_units,
        }
    }
}

/// The frames of a PES packet. What cannot be read goes to `fault` and ends it.
pub(super) fn adts_frames(pes: &Pes<'_>, mut fault: impl FnMut(FaultKind)) -> Vec<AdtsFrame> {
    let mut frames = Vec::new();
    let mut rest = pes.data;
    while !rest.is_empty() {
        let Some((header, frame_header, data, after)) = adts_frame(rest) else {
            fault(FaultKind::Adts { position: pes.data.len() - rest.len() });
            break;
        };
        let pts = wrapped(pes.pts + header.duration(frames.len()));
        frames.push(AdtsFrame { pts, header: frame_header, data: data.to_vec() });
        rest = after;
    }
    if pes.data.is_empty() {
        fault(FaultKind::Adts { position: 0 });
    }
    frames
}

type Split<'a> = (AdtsHeader, [u8; ADTS_HEADER_LEN], &'a [u8], &'a [u8]);

fn adts_frame(bytes: &[u8]) -> Option<Split<'_>> {
    let frame_header = *bytes.first_chunk()?;
    let header = AdtsHeader::parse(frame_header)?;
    let (frame, after) = bytes.split_at_checked(header.frame_len)?;
    Some((header, frame_header, &frame[ADTS_HEADER_LEN..], after))
}
