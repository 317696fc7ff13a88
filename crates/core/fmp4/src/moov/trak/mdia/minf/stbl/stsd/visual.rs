//! Visual sample entries: ISO/IEC 14496-12 §12.1.3, 14496-15 §5.4.2.1 (`avc1`) and §8.4.1.1
//! (`hvc1`).

use super::{colr, pasp, write_start};
use crate::box_writer::BoxWriter;
use crate::{Error, VideoCodec, VisualSampleEntry};

pub(super) fn write(out: &mut Vec<u8>, entry: &VisualSampleEntry) {
    let (kind, record_kind, record) = match &entry.codec {
        VideoCodec::Avc { record } => (b"avc1", b"avcC", record),
        VideoCodec::Hevc { record } => (b"hvc1", b"hvcC", record),
    };
    out.put_box(kind, |out| {
        write_start(out);
        out.put_zeros(16);
        out.put_u16(entry.width);
        out.put_u16(entry.height);
        out.put_u32(0x0048_0000); // horizresolution: 72 dpi
        out.put_u32(0x0048_0000); // vertresolution
        out.put_u32(0);
        out.put_u16(1); // frame_count
        out.put_zeros(32); // compressorname
        out.put_u16(0x0018); // depth: colour, no alpha
        out.put_u16(0xffff); // pre_defined
        out.put_box(record_kind, |out| out.put_bytes(record));
        if let Some(colour) = &entry.colour {
            colr::write(out, colour);
        }
        if let Some((horizontal, vertical)) = entry.pixel_aspect_ratio {
            pasp::write(out, horizontal, vertical);
        }
    });
}

/// The record has its fixed fields and is no Annex B.
pub(super) fn check(entry: &VisualSampleEntry) -> Result<(), Error> {
    // ISO/IEC 14496-15 §5.3.3.1: up to the count of SPS and the count of PPS; §8.3.3.1: up to
    // numOfArrays.
    let (record, structure, len_min) = match &entry.codec {
        VideoCodec::Avc { record } => (record, "avcC", 7),
        VideoCodec::Hevc { record } => (record, "hvcC", 23),
    };
    let plausible =
        record.first() == Some(&1) && (len_min..=RECORD_LEN_MAX).contains(&record.len());
    if plausible { Ok(()) } else { Err(Error::InvalidRecord { structure }) }
}

/// As in streamkeep-codec: no record of a real stream is longer.
const RECORD_LEN_MAX: usize = 64 * 1024;
