//! Colour information box: ISO/IEC 14496-12 §12.1.5.

use crate::ColourInformation;
use crate::box_writer::BoxWriter;

pub(super) fn write(out: &mut Vec<u8>, colour: &ColourInformation) {
    out.put_box(b"colr", |out| {
        out.put_bytes(b"nclx");
        out.put_u16(colour.primaries.into());
        out.put_u16(colour.transfer.into());
        out.put_u16(colour.matrix.into());
        out.put_u8(u8::from(colour.full_range) << 7);
    });
}
