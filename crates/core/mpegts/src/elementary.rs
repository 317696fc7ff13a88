//! One PID of the segment being written, and the rule that lets segments follow each other.

use crate::packet::{ClockField, Pid};
use crate::pes::{PesHeader, PesWriter, packets_needed};
use crate::program_clock::ProgramClock;

/// Values of the continuity counter. It counts packets with payload (ISO/IEC 13818-1 §2.4.3.3), so
/// if their number per segment is a multiple of this, every segment can start at 0.
pub(crate) const CONTINUITY_CYCLE: usize = 16;

/// An elementary stream of which the sizes are known and the bytes are yet to be written.
#[derive(Debug)]
pub(crate) struct Elementary {
    pid: Pid,
    carries_clock: bool,
    /// Of the next packet.
    continuity: u8,
    /// PES packets to come.
    pes_left: usize,
    /// Packets as full as they can be.
    packets: usize,
    /// How many more the last PES packet is spread over, to complete the cycle. Its least length,
    /// 21 bytes, is more than the 16 packets it may need; with any common frame its header stays in
    /// one piece.
    packets_extra: usize,
}

impl Elementary {
    /// `pes_lens` are the lengths of the PES packets, headers included.
    pub(crate) fn new(
        pid: Pid,
        clock: &ProgramClock,
        pes_lens: impl Iterator<Item = usize>,
    ) -> Self {
        let carries_clock = clock.pid() == pid;
        let (mut pes_left, mut packets) = (0, 0);
        for len in pes_lens {
            pes_left += 1;
            packets += packets_needed(len, carries_clock);
        }
        let packets_extra = packets.next_multiple_of(CONTINUITY_CYCLE) - packets;
        Self { pid, carries_clock, continuity: 0, pes_left, packets, packets_extra }
    }

    pub(crate) fn carries_clock(&self) -> bool {
        self.carries_clock
    }

    /// Of the last packet written. Before the first it is that of the segment before.
    pub(crate) fn last_continuity(&self) -> u8 {
        (self.continuity + CONTINUITY_CYCLE as u8 - 1) % CONTINUITY_CYCLE as u8
    }

    /// Packets with payload, in the whole segment: a multiple of [`CONTINUITY_CYCLE`].
    pub(crate) fn packets(&self) -> usize {
        self.packets + self.packets_extra
    }

    /// Writes the next PES packet: `header`, then `data_len` bytes that `write` pushes. `field` is
    /// there exactly if this PID carries the clock.
    pub(crate) fn write_pes(
        &mut self,
        out: &mut Vec<u8>,
        field: Option<ClockField>,
        header: &PesHeader,
        data_len: usize,
        write: impl FnOnce(&mut PesWriter<'_>),
    ) {
        debug_assert_eq!(field.is_some(), self.carries_clock);
        self.pes_left -= 1;
        let extra = if self.pes_left == 0 { self.packets_extra } else { 0 };
        let len = header.len() + data_len;
        let packets = packets_needed(len, self.carries_clock) + extra;
        let mut pes = PesWriter::new(out, self.pid, self.continuity, field, (len, packets));
        pes.push(header.as_bytes());
        write(&mut pes);
        self.continuity = pes.finish();
    }
}
