//! Media segments and parts: packaging.md §3.2, ISO/IEC 23000-19 §7.3.2 and §7.3.3.

use crate::moof::{self, RunShape};
use crate::{Error, Sample, mdat, styp};

/// What a `moof` + `mdat` is to whoever is given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// A whole media segment.
    Segment,
    /// A CMAF chunk with a `styp`: a partial segment.
    Part,
    /// A CMAF chunk within a feed of its own, without `styp`.
    Chunk,
}

/// All of a media segment of track 1 but its payload: `styp` (save of a
/// [`Chunk`](SegmentKind::Chunk)), `moof` and the header of `mdat`. The
/// samples' bytes must follow, in order and without gaps.
///
/// `base_media_decode_time` is the decode time of the first sample in ticks of the track's
/// timescale.
///
/// Errors: no samples, more than 65,536, one without duration, a payload that does not fit a 32-bit
/// `mdat`, decode times beyond 63 bits.
pub fn media_segment_head(
    kind: SegmentKind,
    sequence_number: u32,
    base_media_decode_time: u64,
    samples: &[Sample],
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    write_media_segment_head(&mut out, kind, sequence_number, base_media_decode_time, samples)?;
    Ok(out)
}

/// As [`media_segment_head`], appended to `out`. On an error `out` is as before.
pub fn write_media_segment_head(
    out: &mut Vec<u8>,
    kind: SegmentKind,
    sequence_number: u32,
    base_media_decode_time: u64,
    samples: &[Sample],
) -> Result<(), Error> {
    let shape = RunShape::of(samples)?;
    base_media_decode_time
        .checked_add(shape.duration)
        .filter(|&end| i64::try_from(end).is_ok())
        .ok_or(Error::DecodeTimeTooLarge)?;
    out.reserve(styp::LEN + moof::OVERHEAD_MAX + samples.len() * ROW_LEN_MAX + 8);
    styp::write(out, kind);
    moof::write(out, sequence_number, base_media_decode_time, samples, &shape);
    mdat::write_header(out, shape.payload_len.into());
    Ok(())
}

/// All four fields of a row of `trun`.
const ROW_LEN_MAX: usize = 16;

#[cfg(test)]
mod tests;
