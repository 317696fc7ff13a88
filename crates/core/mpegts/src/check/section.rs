//! Reading PAT and PMT: ISO/IEC 13818-1 §2.4.4. One section in one packet.

use super::FaultKind;
use crate::packet::Pid;
use crate::psi::{PAT_TABLE_ID, PMT_TABLE_ID, STREAM_TYPE_ADTS, STREAM_TYPE_H264, crc32};

/// What a program map says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ProgramMap {
    pub(super) pcr_pid: Option<Pid>,
    pub(super) video: Option<Pid>,
    pub(super) audio: Option<Pid>,
}

/// The PID of the one program's map.
pub(super) fn parse_pat(payload: &[u8]) -> Result<Pid, FaultKind> {
    let body = section(payload, PAT_TABLE_ID, Pid::PAT)?;
    match body {
        [0, 1, high, low] => Ok(pid(*high, *low)),
        _ => Err(FaultKind::Section { pid: Pid::PAT }),
    }
}

/// The program map on `on`.
pub(super) fn parse_pmt(payload: &[u8], on: Pid) -> Result<ProgramMap, FaultKind> {
    let wrong = FaultKind::Section { pid: on };
    let body = section(payload, PMT_TABLE_ID, on)?;
    let (pcr_pid, mut streams) = entry(body).ok_or(wrong)?;
    let mut map = ProgramMap { pcr_pid: Some(pcr_pid), ..ProgramMap::default() };
    while let Some((stream_type, rest)) = streams.split_first() {
        let (pid, rest) = entry(rest).ok_or(wrong)?;
        let place = match *stream_type {
            STREAM_TYPE_H264 => &mut map.video,
            STREAM_TYPE_ADTS => &mut map.audio,
            _ => return Err(wrong),
        };
        if place.replace(pid).is_some() {
            return Err(wrong);
        }
        streams = rest;
    }
    Ok(map)
}

/// A PID, its descriptors, what comes after.
fn entry(bytes: &[u8]) -> Option<(Pid, &[u8])> {
    let ([pid_high, pid_low, len_high, len_low], rest) = bytes.split_first_chunk()?;
    let descriptors_len = usize::from(len_high & 0x0f) << 8 | usize::from(*len_low);
    Some((pid(*pid_high, *pid_low), rest.get(descriptors_len..)?))
}

fn pid(high: u8, low: u8) -> Pid {
    Pid(u16::from(high & 0x1f) << 8 | u16::from(low))
}

/// Between the common head and the CRC: §2.4.4.11. The rest of the packet must be ff.
fn section(payload: &[u8], table_id: u8, on: Pid) -> Result<&[u8], FaultKind> {
    let wrong = FaultKind::Section { pid: on };
    let [0, section @ ..] = payload else { return Err(wrong) };
    let len = match section {
        [id, high, low, ..] if *id == table_id && high & 0xf0 == 0xb0 => {
            3 + (usize::from(high & 0x0f) << 8 | usize::from(*low))
        }
        _ => return Err(wrong),
    };
    let (section, stuffing) = section.split_at_checked(len).ok_or(wrong)?;
    if stuffing.iter().any(|byte| *byte != 0xff) {
        return Err(wrong);
    }
    // Head, id of the stream or program, version and current_next_indicator, two numbers; CRC.
    let ([_, _, _, _, _, version, 0, 0], rest) = section.split_first_chunk::<8>().ok_or(wrong)?
    else {
        return Err(wrong);
    };
    let (body, _) = rest.split_last_chunk::<4>().ok_or(wrong)?;
    if version & 1 == 0 {
        return Err(wrong);
    }
    match crc32(section) {
        0 => Ok(body),
        _ => Err(FaultKind::Crc { pid: on }),
    }
}
