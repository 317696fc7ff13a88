//! The state from packet to packet.

use std::collections::BTreeMap;

use super::elementary::{access_unit, adts_frames};
use super::packet::Packet;
use super::pes::Pes;
use super::section::{ProgramMap, parse_pat, parse_pmt};
use super::{FaultKind, Report};
use crate::clock::{PCR_DISTANCE_MAX, distance};
use crate::elementary::CONTINUITY_CYCLE;
use crate::packet::{PACKET_LEN, Pid};
use crate::pes::{STREAM_ID_AUDIO, STREAM_ID_VIDEO};

/// Reads segments that follow each other without a discontinuity, one slice each.
///
/// Counters and decoding times must go on from segment to segment. What must hold in each segment
/// (tables first, packet counts, distance of clock references) starts anew with each slice. The
/// report is at most a small multiple of the input.
pub fn check<'a>(segments: impl IntoIterator<Item = &'a [u8]>) -> Report {
    let mut checker = Checker::default();
    for segment in segments {
        checker.segment(segment);
    }
    checker.report
}

#[derive(Debug, Default)]
struct Checker {
    report: Report,
    /// Of the packet at hand.
    offset: usize,
    /// The continuity counter of the last packet with payload.
    continuity: BTreeMap<Pid, u8>,
    pmt_pid: Option<Pid>,
    map: ProgramMap,
    /// Last clock reference of this segment.
    pcr: Option<u64>,
    video: Stream,
    audio: Stream,
}

/// An elementary stream.
#[derive(Debug, Default)]
struct Stream {
    /// Packets with payload in this segment.
    packet_count: usize,
    open: Option<OpenPes>,
    last_dts: Option<u64>,
}

/// A PES packet of which more may follow.
#[derive(Debug)]
struct OpenPes {
    offset: usize,
    random_access: bool,
    /// The clock when it began.
    pcr: Option<u64>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Video,
    Audio,
}

impl Checker {
    fn segment(&mut self, segment: &[u8]) {
        self.pcr = None;
        let (packets, rest) = segment.as_chunks::<PACKET_LEN>();
        let end = self.offset + segment.len();
        for (index, bytes) in packets.iter().enumerate() {
            self.report.packet_count += 1;
            match Packet::parse(bytes) {
                Ok(packet) => self.packet(index, &packet),
                Err(kind) => self.fault(kind),
            }
            self.offset += PACKET_LEN;
        }
        if packets.len() < 2 {
            self.fault(FaultKind::TablesNotFirst);
        }
        if !rest.is_empty() {
            self.fault(FaultKind::BytesLeft { len: rest.len() });
        }
        for (kind, pid) in [(Kind::Video, self.map.video), (Kind::Audio, self.map.audio)] {
            self.finish_pes(kind);
            let count = std::mem::take(&mut self.stream(kind).packet_count);
            if let Some(pid) = pid.filter(|_| !count.is_multiple_of(CONTINUITY_CYCLE)) {
                self.fault(FaultKind::PacketCount { pid, count });
            }
        }
        self.offset = end;
    }

    fn fault(&mut self, kind: FaultKind) {
        self.report.fault(self.offset, kind);
    }

    fn stream(&mut self, kind: Kind) -> &mut Stream {
        match kind {
            Kind::Video => &mut self.video,
            Kind::Audio => &mut self.audio,
        }
    }

    /// `index` is that in the segment.
    fn packet(&mut self, index: usize, packet: &Packet<'_>) {
        let expected_first = match index {
            0 => Some(Pid::PAT),
            1 => self.pmt_pid,
            _ => Some(packet.pid),
        };
        if expected_first != Some(packet.pid) {
            self.fault(FaultKind::TablesNotFirst);
        }
        self.check_continuity(packet);
        if let Some(pcr) = packet.pcr {
            self.clock(packet.pid, pcr);
        }
        let pid = Some(packet.pid);
        let payload = packet.payload.unwrap_or(&[]);
        if packet.pid == Pid::PAT {
            match parse_pat(payload) {
                Ok(pmt_pid) => self.pmt_pid = Some(pmt_pid),
                Err(kind) => self.fault(kind),
            }
        } else if pid == self.pmt_pid {
            match parse_pmt(payload, packet.pid) {
                Ok(map) => self.map = map,
                Err(kind) => self.fault(kind),
            }
        } else if pid == self.map.video {
            self.elementary(Kind::Video, packet);
        } else if pid == self.map.audio {
            self.elementary(Kind::Audio, packet);
        } else {
            self.fault(FaultKind::UnknownPid { pid: packet.pid });
        }
    }

    /// ISO/IEC 13818-1 §2.4.3.3: up by one with each packet with payload, else unchanged.
    fn check_continuity(&mut self, packet: &Packet<'_>) {
        let &Packet { pid, continuity: found, .. } = packet;
        let step = u8::from(packet.payload.is_some());
        if let Some(last) = self.continuity.get(&pid) {
            let expected = (last + step) % CONTINUITY_CYCLE as u8;
            if found != expected {
                self.fault(FaultKind::Continuity { pid, expected, found });
            }
        }
        self.continuity.insert(pid, found);
    }

    fn clock(&mut self, pid: Pid, pcr: u64) {
        self.report.clock_references.push(pcr);
        if self.map.pcr_pid != Some(pid) {
            self.fault(FaultKind::ClockPid { pid });
        }
        if let Some(last) = self.pcr.replace(pcr) {
            let ticks = distance(last, pcr);
            if !(0..=PCR_DISTANCE_MAX as i64).contains(&ticks) {
                self.fault(FaultKind::ClockDistance { ticks });
            }
        }
    }

    fn elementary(&mut self, kind: Kind, packet: &Packet<'_>) {
        let Some(payload) = packet.payload else { return };
        self.stream(kind).packet_count += 1;
        if packet.unit_start {
            self.finish_pes(kind);
            let (offset, random_access, pcr) = (self.offset, packet.random_access, self.pcr);
            self.stream(kind).open =
                Some(OpenPes { offset, random_access, pcr, bytes: payload.to_vec() });
        } else if let Some(open) = &mut self.stream(kind).open {
            open.bytes.extend_from_slice(payload);
        } else {
            self.fault(FaultKind::NoPesStart { pid: packet.pid });
        }
    }

    fn finish_pes(&mut self, kind: Kind) {
        let Some(open) = self.stream(kind).open.take() else { return };
        let (stream_id, unbounded) = match kind {
            Kind::Video => (STREAM_ID_VIDEO, true),
            Kind::Audio => (STREAM_ID_AUDIO, false),
        };
        let pes = match Pes::parse(&open.bytes, stream_id, unbounded) {
            Ok(pes) => pes,
            Err(kind) => return self.report.fault(open.offset, kind),
        };
        let Pes { pts, dts, .. } = pes;
        let previous = self.stream(kind).last_dts.replace(dts);
        let mut fault = |kind| self.report.fault(open.offset, kind);
        if let Some(previous) = previous.filter(|previous| distance(*previous, dts) < 0) {
            fault(FaultKind::DtsBackwards { previous, dts });
        }
        if distance(dts, pts) < 0 {
            fault(FaultKind::PtsBeforeDts { pts, dts });
        }
        if let Some(pcr) = open.pcr.filter(|pcr| distance(*pcr, dts) <= 0) {
            fault(FaultKind::ClockNotBeforeDts { pcr, dts });
        }
        match kind {
            Kind::Video => {
                let unit = access_unit(&pes, open.random_access, fault);
                self.report.access_units.push(unit);
            }
            Kind::Audio => {
                let frames = adts_frames(&pes, fault);
                self.report.audio_frames.extend(frames);
            }
        }
    }
}
