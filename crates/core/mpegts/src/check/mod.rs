//! A reader that holds segments to the rules of this crate: `packaging.md §9`, check 4.
//!
//! It reads any transport stream of one program without panicking, and says what is wrong by
//! offset; what it could read it gives back, so that frames can be compared with what went in. It
//! is a checker, not a demultiplexer for foreign streams: H.264 and ADTS only, every table in one
//! packet, one access unit per PES packet.
//!
//! Checked: sync bytes, adaptation fields and stuffing, continuity counters, PAT and PMT first,
//! their CRC, clock references (on their PID, at most 100 ms apart, before the DTS), PES headers and
//! lengths, PTS ≥ DTS, DTS not backwards, delimiter first, SPS and PPS before an IDR picture and its
//! random access flag, ADTS frames that tile their PES packet, and packet counts in multiples of 16.

mod checker;
mod elementary;
mod fault;
mod packet;
mod pes;
mod section;

pub use checker::check;
pub use elementary::{AccessUnit, AdtsFrame};
pub use fault::{Fault, FaultKind};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Video, in decoding order.
    pub access_units: Vec<AccessUnit>,
    /// Audio, in order.
    pub audio_frames: Vec<AdtsFrame>,
    /// What is wrong, in order of discovery; the first [`FAULTS_MAX`] of it.
    pub faults: Vec<Fault>,
    /// Faults not listed.
    pub faults_more: usize,
    /// Transport packets read.
    pub packet_count: usize,
    /// Clock references, 90 kHz, 33 bits.
    pub clock_references: Vec<u64>,
}

/// More faults than this say nothing new.
pub const FAULTS_MAX: usize = 256;

impl Report {
    fn fault(&mut self, offset: usize, kind: FaultKind) {
        match self.faults.len() < FAULTS_MAX {
            true => self.faults.push(Fault { offset, kind }),
            false => self.faults_more += 1,
        }
    }
}
