//! Supplemental enhancement information, H.264 §7.3.2.3 and Annex D: only the recovery point.

use crate::Error;
use crate::rbsp::RbspReader;

/// The SEI NAL unit holds a recovery point with recovery_frame_cnt 0: decoding may start at this
/// very picture (H.264 §D.2.8).
pub(crate) fn is_recovery_point_now(nal: &[u8]) -> bool {
    // Real SEI messages before a picture are tens of bytes, an encoder's settings 1 to 2 KB;
    // more is not worth the time on the ingest path.
    let nal = &nal[..nal.len().min(SEI_LEN_MAX)];
    let Some(payload) = nal.get(1..) else { return false };
    find_recovery_point(payload).unwrap_or(false)
}

fn find_recovery_point(payload: &[u8]) -> Result<bool, Error> {
    let mut reader = RbspReader::new(payload, "SEI");
    // Each message takes at least two bytes, so the reader's end bounds the loop.
    loop {
        let payload_type = extended_value(&mut reader)?;
        let payload_size = extended_value(&mut reader)?;
        if payload_type == RECOVERY_POINT {
            // recovery_frame_cnt is ue(v) and comes first: a set first bit is the value 0.
            return Ok(payload_size > 0 && reader.byte()? & 0x80 != 0);
        }
        for _ in 0..payload_size {
            reader.byte()?;
        }
    }
}

/// payloadType and payloadSize: 255 for each `ff`, plus the byte that ends it.
fn extended_value(reader: &mut RbspReader<'_>) -> Result<usize, Error> {
    let mut value = 0;
    loop {
        let byte = reader.byte()?;
        value += usize::from(byte);
        if byte != 0xff {
            return Ok(value);
        }
    }
}

const RECOVERY_POINT: usize = 6;
const SEI_LEN_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_points() {
        let check = |nal: &[u8], expected| {
            assert_eq!(is_recovery_point_now(nal), expected, "{nal:02x?}");
        };
        check(&[0x06, 6, 1, 0xc4, 0x80], true); // recovery_frame_cnt 0
        check(&[0x06, 6, 1, 0x44, 0x80], false); // recovery_frame_cnt 1
        check(&[0x06, 6, 0, 0x80], false); // empty payload
        check(&[0x06, 1, 2, 9, 9, 6, 1, 0xc4, 0x80], true); // after picture timing
        check(&[0x06, 0xff, 6, 1, 0xc4, 0x80], false); // type 261
        check(&[0x06, 5, 0xff, 0xff, 0xff], false); // size past the end
        check(&[0x06], false);
        check(&[], false);
        // Emulation prevention inside the message before it does not count as payload.
        check(&[0x06, 1, 3, 0, 0, 3, 0, 6, 1, 0xc4, 0x80], true);
    }
}
