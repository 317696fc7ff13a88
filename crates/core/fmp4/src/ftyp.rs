//! File type box: ISO/IEC 14496-12 §4.3.

use crate::SampleEntry;
use crate::box_writer::{BoxWriter, FourCc};
use crate::sample_entry::AudioCodec;

/// Of an initialisation segment, packaging.md §3.1. `cmf2` promises no edit list in video tracks
/// and a composition that begins at the decode time (ISO/IEC 23000-19 §7.7).
pub(crate) fn write_init(out: &mut Vec<u8>, entry: &SampleEntry) {
    let brands: &[&FourCc] = match entry {
        SampleEntry::Visual(_) => &[b"iso6", b"cmfc", b"cmf2"],
        SampleEntry::Audio(entry) if matches!(entry.codec, AudioCodec::Aac { .. }) => {
            &[b"iso6", b"cmfc", b"cmf2", b"caac"]
        }
        SampleEntry::Audio(_) => &[b"iso6", b"cmfc", b"cmf2"],
    };
    write(out, b"ftyp", b"iso6", 0, brands);
}

/// Of a progressive file, packaging.md §3.3.
pub(crate) fn write_progressive(out: &mut Vec<u8>, has_avc: bool) {
    let brands: &[&FourCc] = &[b"isom", b"iso2", b"mp41", b"avc1"];
    write(out, b"ftyp", b"isom", 0x200, &brands[..if has_avc { 4 } else { 3 }]);
}

/// `ftyp` and `styp` have the same fields.
pub(crate) fn write(
    out: &mut Vec<u8>,
    kind: &FourCc,
    major: &FourCc,
    minor_version: u32,
    compatible: &[&FourCc],
) {
    out.put_box(kind, |out| {
        out.put_bytes(major);
        out.put_u32(minor_version);
        compatible.iter().for_each(|brand| out.put_bytes(*brand));
    });
}
