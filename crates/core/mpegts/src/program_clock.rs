//! The program clock reference: ISO/IEC 13818-1 §2.4.2.2, §2.7.2.

use crate::clock::{PCR_DISTANCE_MAX, PCR_LEAD};
use crate::packet::{ClockField, PacketHeader, Pid, put_packet_start};

/// Sees to it that the clock is sent at least every 100 ms. It goes with the first packet of each
/// PES packet on its PID; where these are further apart, packets without payload carry it.
#[derive(Debug)]
pub(crate) struct ProgramClock {
    pid: Pid,
    /// The decoding time for which the clock was sent last: the clock was [`PCR_LEAD`] less.
    last_dts: Option<u64>,
}

impl ProgramClock {
    pub(crate) fn new(pid: Pid) -> Self {
        Self { pid, last_dts: None }
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Most packets without payload in a segment of this span, 90 kHz.
    pub(crate) fn packets_max(&self, span: u64) -> usize {
        1 + (span / PCR_DISTANCE_MAX) as usize
    }

    /// The clock for a PES packet on its own PID, due at `dts`. Appends what must come before;
    /// `continuity` is that of the last packet with payload on the PID of the clock.
    pub(crate) fn field(
        &mut self,
        out: &mut Vec<u8>,
        continuity: u8,
        dts: u64,
        random_access: bool,
    ) -> ClockField {
        if self.last_dts.is_some() {
            self.advance(out, continuity, dts);
        }
        self.last_dts = Some(dts);
        ClockField { random_access, pcr: clock_at(dts) }
    }

    /// Appends the packets needed before something that is due at `dts` on another PID.
    pub(crate) fn advance(&mut self, out: &mut Vec<u8>, continuity: u8, dts: u64) {
        let Some(mut last) = self.last_dts else {
            return self.put_packet(out, continuity, dts);
        };
        while dts - last > PCR_DISTANCE_MAX {
            last += PCR_DISTANCE_MAX;
            self.put_packet(out, continuity, last);
        }
    }

    fn put_packet(&mut self, out: &mut Vec<u8>, continuity: u8, dts: u64) {
        // §2.4.3.3: without payload the counter does not move.
        let header = PacketHeader { pid: self.pid, unit_start: false, continuity };
        let field = ClockField { random_access: false, pcr: clock_at(dts) };
        put_packet_start(out, header, Some(field), 0);
        self.last_dts = Some(dts);
    }
}

fn clock_at(dts: u64) -> u64 {
    dts.wrapping_sub(PCR_LEAD)
}
