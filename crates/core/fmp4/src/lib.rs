//! MP4 and CMAF: initialisation segments, media segments, progressive files.
//!
//! Standards: ISO/IEC 14496-12 (boxes), 14496-14 (`mp4a`), 14496-15 (`avc1`, `hvc1`), 23000-19
//! (CMAF), 23003-5 (`ipcm`), the Opus in ISOBMFF specification. The boxes are those of packaging.md
//! §3, to the byte; the folders are the box tree:
//!
//! ```text
//! ftyp
//! moov  mvhd, trak (tkhd, edts/elst, mdia (mdhd, hdlr, minf (vmhd | smhd, dinf, stbl))), mvex/trex
//! moof  mfhd, traf (tfhd, tfdt, trun)
//! mdat
//! ```
//!
//! Only heads are written: the payload of `mdat` is for the caller to append, so frames are never
//! copied here. Sample entries take the codec's record as it is; nothing here looks into one but
//! `OpusHead`, which MP4 stores in another byte order.
//!
//! * [`init_segment`], [`media_segment_head`]: HLS, DASH and live viewers; one track each.
//! * [`progressive`]: clips, with all tables in front.
//! * [`reader`]: an independent reader that checks every rule; tests and fuzzing compare by it.
//!
//! Left out: encryption (`senc`, `tenc`, `pssh`), `sidx`, `emsg`, fields, several tracks in one
//! segment.

mod box_writer;
mod error;
mod ftyp;
#[doc(hidden)]
pub mod fuzz;
mod init_segment;
mod mdat;
mod media_segment;
mod moof;
mod moov;
mod prft;
pub mod progressive;
pub mod reader;
mod sample;
mod sample_entry;
mod styp;
#[cfg(test)]
mod test_tracks;

pub use error::Error;
pub use init_segment::{TrackInit, init_segment};
pub use media_segment::{SegmentKind, media_segment_head, write_media_segment_head};
pub use prft::producer_reference_time;
pub use sample::Sample;
pub use sample_entry::{
    AudioCodec, AudioSampleEntry, ColourInformation, SampleEntry, VideoCodec, VisualSampleEntry,
};
