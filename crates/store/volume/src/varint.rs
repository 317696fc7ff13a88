//! Numbers in as few bytes as they need: LEB128, seven bits a byte, least significant first.

use crate::cursor::{Cursor, Put};

pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

/// Signed numbers alternate around zero: 0, -1, 1, -2, …
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// `None` when the bytes end early, the number exceeds 64 bits or takes more bytes than it needs.
pub(crate) fn take(cursor: &mut Cursor<'_>) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = cursor.u8()?;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return (byte != 0 || shift == 0).then_some(value);
        }
    }
    None
}

pub(crate) fn take_signed(cursor: &mut Cursor<'_>) -> Option<i64> {
    let value = take(cursor)?;
    Some((value >> 1) as i64 ^ -((value & 1) as i64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refusals() {
        for bad in [
            &[][..],
            &[0x80],
            &[0x80, 0x00], // 0 in two bytes
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], // 2^64 and more
            &[0xff; 11],
        ] {
            assert_eq!(take(&mut Cursor::new(bad)), None, "{bad:x?}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(value: u64, shift in 0u32..64) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            put_signed(&mut bytes, value as i64);
            let mut cursor = Cursor::new(&bytes);
            prop_assert_eq!(take(&mut cursor), Some(value));
            prop_assert_eq!(take_signed(&mut cursor), Some(value as i64));
            prop_assert!(cursor.rest().is_empty());
        }
    }
}
