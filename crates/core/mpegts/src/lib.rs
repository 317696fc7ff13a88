//! MPEG transport stream segments for HLS: one H.264 track, one AAC track, or both.
//!
//! Standards: ISO/IEC 13818-1 (H.222.0) for packets, tables, PES and clocks; RFC 8216 §3.2 for what
//! a segment must hold; ISO/IEC 14496-3 for ADTS. `packaging.md §4` has the choices.
//!
//! ```text
//! PAT  PMT                                 once, first
//! [PCR]                                    packets without payload, where frames are far apart
//! PES 0x100  AUD SPS PPS slices …          one access unit each, PCR in its first packet
//! PES 0x101  ADTS ADTS ADTS ADTS …         4 to 8 frames each
//! ```
//!
//! A segment is made without knowing its neighbours, yet continues them: the packets with payload
//! of each elementary PID are a multiple of 16, so every segment starts at continuity counter 0
//! (ISO/IEC 13818-1 §2.4.3.3), and the tables count with the number of the segment.
//!
//! * [`write_segment`]: frames in, segment out.
//! * [`transport_dts`]: decoding times for frames of which only the presentation times are known.
//! * [`check`](mod@check): a reader that holds a segment to these rules and gives the frames back.
//!
//! Left out: H.265 and G.711 (HLS has the first in fragmented MP4 only, the second not at all),
//! encryption, more than one program.

mod access_unit;
mod adts;
mod audio_group;
mod clock;
mod elementary;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod packet;
mod pes;
mod program_clock;
mod psi;
mod segment;
mod transport_dts;

pub mod check;

pub use clock::{TIME_OFFSET_90K, TIMESTAMP_MODULUS};
pub use error::{Error, Track};
pub use packet::{PACKET_LEN, Pid};
pub use psi::Program;
pub use segment::{AudioFrame, SegmentConfig, VideoUnit, write_segment};
pub use transport_dts::{reorder_depth, transport_dts};
