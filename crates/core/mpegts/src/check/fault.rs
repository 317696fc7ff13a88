//! What can be wrong with a segment.

use std::fmt;

use crate::packet::Pid;

/// Something wrong at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Of the packet, from the start of the first segment; of its first packet for a PES packet.
    pub offset: usize,
    /// What is wrong.
    pub kind: FaultKind,
}

/// A rule that is broken. Times are 90 kHz, 33 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The segment is no multiple of 188 bytes.
    BytesLeft {
        /// After the last whole packet.
        len: usize,
    },
    /// No 47 at the start of a packet.
    SyncByte {
        /// What is there.
        found: u8,
    },
    /// transport_error_indicator or transport_scrambling_control is set.
    Damaged,
    /// An adaptation field that contradicts its length or the packet's, or stuffing that is not ff.
    AdaptationField,
    /// A packet was lost, repeated or swapped.
    Continuity {
        /// On this PID.
        pid: Pid,
        /// The counter that follows.
        expected: u8,
        /// The counter there.
        found: u8,
    },
    /// The packets with payload of an elementary PID are no multiple of 16.
    PacketCount {
        /// That PID.
        pid: Pid,
        /// Their number in the segment.
        count: usize,
    },
    /// The segment does not start with a PAT, then a PMT.
    TablesNotFirst,
    /// A table that is not what this program has: length, id, PIDs.
    Section {
        /// Its PID.
        pid: Pid,
    },
    /// CRC-32 of a table.
    Crc {
        /// Its PID.
        pid: Pid,
    },
    /// A packet on a PID that the tables do not name.
    UnknownPid {
        /// That PID.
        pid: Pid,
    },
    /// A clock reference on another PID than the program map says.
    ClockPid {
        /// That PID.
        pid: Pid,
    },
    /// Clock references are more than 100 ms apart, or go backwards.
    ClockDistance {
        /// 90 kHz.
        ticks: i64,
    },
    /// Data arrives when it is already due.
    ClockNotBeforeDts {
        /// The last clock reference.
        pcr: u64,
        /// The decoding time.
        dts: u64,
    },
    /// Payload of an elementary PID before the start of a PES packet.
    NoPesStart {
        /// That PID.
        pid: Pid,
    },
    /// A PES header with a wrong prefix, stream_id, flags, length, marker bit, or no PTS.
    PesHeader,
    /// PES_packet_length and the payload differ.
    PesLength {
        /// By the header.
        expected: usize,
        /// In the packets.
        found: usize,
    },
    /// PTS before DTS.
    PtsBeforeDts {
        /// Presentation time.
        pts: u64,
        /// Decoding time.
        dts: u64,
    },
    /// Decoding times of a PID go backwards.
    DtsBackwards {
        /// That of the PES packet before.
        previous: u64,
        /// This one.
        dts: u64,
    },
    /// An access unit does not begin with a delimiter, or has another one inside.
    Delimiter,
    /// An IDR picture without SPS and PPS before it, in its access unit.
    ParameterSets,
    /// An IDR picture without random_access_indicator.
    RandomAccess,
    /// ADTS frames do not tile their PES packet.
    Adts {
        /// Where in the data of the PES packet no frame could be read.
        position: usize,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {:?}", self.offset, self.kind)
    }
}
