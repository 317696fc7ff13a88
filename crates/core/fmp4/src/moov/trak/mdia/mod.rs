//! Media box: ISO/IEC 14496-12 §8.4.1.

mod hdlr;
mod mdhd;
pub(crate) mod minf;

use crate::box_writer::BoxWriter;
use crate::sample_entry::Handler;

/// Of a fragmented file.
pub(super) fn write_init(
    out: &mut Vec<u8>,
    timescale: u32,
    handler: Handler,
    stbl: impl FnOnce(&mut Vec<u8>),
) {
    out.put_box(b"mdia", |out| {
        mdhd::write_init(out, timescale);
        hdlr::write(out, handler);
        minf::write(out, handler, stbl);
    });
}

/// `duration` in ticks of `timescale`, times in seconds since 1904.
pub(crate) fn write(
    out: &mut Vec<u8>,
    creation_time: u64,
    timescale: u32,
    duration: u64,
    handler: Handler,
    stbl: impl FnOnce(&mut Vec<u8>),
) {
    out.put_box(b"mdia", |out| {
        mdhd::write(out, creation_time, timescale, duration);
        hdlr::write(out, handler);
        minf::write(out, handler, stbl);
    });
}
