//! Media information box: ISO/IEC 14496-12 §8.4.4.

mod dinf;
mod media_header;
pub(crate) mod stbl;

use crate::box_writer::BoxWriter;
use crate::sample_entry::Handler;

pub(super) fn write(out: &mut Vec<u8>, handler: Handler, stbl: impl FnOnce(&mut Vec<u8>)) {
    out.put_box(b"minf", |out| {
        media_header::write(out, handler);
        dinf::write(out);
        out.put_box(b"stbl", stbl);
    });
}
