//! PCM configuration box: ISO/IEC 23003-5 §6.2.

use crate::Error;
use crate::box_writer::BoxWriter;

pub(super) fn write(out: &mut Vec<u8>, bits: u8) {
    out.put_full_box(b"pcmC", 0, 0, |out| {
        out.put_u8(1); // format_flags: little endian
        out.put_u8(bits); // PCM_sample_size
    });
}

pub(super) fn check(bits: u8) -> Result<(), Error> {
    if matches!(bits, 16 | 24 | 32) {
        Ok(())
    } else {
        Err(Error::InvalidRecord { structure: "PCM sample size" })
    }
}
