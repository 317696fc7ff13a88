//! Initialisation segments: packaging.md §3.1, ISO/IEC 23000-19 §7.3.1.

use crate::box_writer::BoxWriter;
use crate::moov::{self, mvex, mvhd, trak};
use crate::{Error, SampleEntry, ftyp};

/// The one track of an initialisation segment. Its track_ID is 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackInit {
    /// Ticks per second, 1 or more: 90,000 for video, the sampling rate for audio
    /// (packaging.md §0).
    pub timescale: u32,
    /// What the samples are.
    pub sample_entry: SampleEntry,
    /// Ticks to drop at the start of the presentation: pre-skip of Opus. 0 writes no edit list
    /// (packaging.md §2.6).
    pub priming: u32,
}

/// `ftyp` and `moov` of a fragmented file with one track.
///
/// Errors: timescale 0, a record that is not what its kind says.
pub fn init_segment(track: &TrackInit) -> Result<Vec<u8>, Error> {
    if track.timescale == 0 {
        return Err(Error::ZeroTimescale);
    }
    let entry = &track.sample_entry;
    entry.check()?;
    let mut out = Vec::with_capacity(1024);
    ftyp::write_init(&mut out, entry);
    out.put_box(b"moov", |out| {
        mvhd::write_init(out, track.timescale);
        trak::write_init(out, track);
        mvex::write(out, moov::SINGLE_TRACK_ID);
    });
    Ok(out)
}

#[cfg(test)]
mod tests;
