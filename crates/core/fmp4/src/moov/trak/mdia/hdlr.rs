//! Handler reference box: ISO/IEC 14496-12 §8.4.3.

use crate::box_writer::BoxWriter;
use crate::sample_entry::Handler;

pub(super) fn write(out: &mut Vec<u8>, handler: Handler) {
    let (kind, name) = match handler {
        Handler::Video => (b"vide", b"video\0"),
        Handler::Sound => (b"soun", b"sound\0"),
    };
    out.put_full_box(b"hdlr", 0, 0, |out| {
        out.put_u32(0); // pre_defined
        out.put_bytes(kind);
        out.put_zeros(12);
        out.put_bytes(name);
    });
}
