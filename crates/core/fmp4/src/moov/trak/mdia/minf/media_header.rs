//! Video and sound media header boxes: ISO/IEC 14496-12 §12.1.2, §12.2.2.

use crate::box_writer::BoxWriter;
use crate::sample_entry::Handler;

pub(super) fn write(out: &mut Vec<u8>, handler: Handler) {
    match handler {
        // graphicsmode copy, opcolor black; the standard wants flags 1.
        Handler::Video => out.put_full_box(b"vmhd", 0, 1, |out| out.put_zeros(8)),
        // balance centre
        Handler::Sound => out.put_full_box(b"smhd", 0, 0, |out| out.put_zeros(4)),
    }
}
