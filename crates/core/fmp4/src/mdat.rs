//! Media data box: ISO/IEC 14496-12 §8.1.1. Only its header: the payload is the caller's.

use crate::box_writer::BoxWriter;

/// 8 bytes, or 16 when the box reaches 4 GiB.
pub(crate) fn write_header(out: &mut Vec<u8>, payload_len: u64) {
    match u32::try_from(payload_len + 8) {
        Ok(size) => {
            out.put_u32(size);
            out.put_bytes(b"mdat");
        }
        Err(_) => {
            out.put_u32(1); // the size follows in 64 bits
            out.put_bytes(b"mdat");
            out.put_u64(payload_len + 16);
        }
    }
}

pub(crate) fn header_len(payload_len: u64) -> usize {
    if payload_len <= u64::from(SMALL_PAYLOAD_MAX) { 8 } else { 16 }
}

/// The largest payload behind a header of 8 bytes.
pub(crate) const SMALL_PAYLOAD_MAX: u32 = u32::MAX - 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let check = |payload_len: u64, expected: &[u8]| {
            let mut out = Vec::new();
            write_header(&mut out, payload_len);
            assert_eq!(out, expected);
            assert_eq!(header_len(payload_len), expected.len());
        };
        check(0, b"\0\0\0\x08mdat");
        check(0xffff_fff7, b"\xff\xff\xff\xffmdat");
        check(0xffff_fff8, b"\0\0\0\x01mdat\0\0\0\x01\0\0\0\x08");
    }
}
