//! Opus specific box: "Encapsulation of Opus in ISO Base Media File Format" §4.3.2. The fields of
//! the identification header (RFC 7845 §5.1), big endian, version 0; but the input sample rate, which is
//! there for information only, is always 48,000: Chromium refuses a track where it differs from the sample
//! entry's ("sample rate mismatches"), and the picture with it.

use crate::Error;
use crate::box_writer::BoxWriter;

/// `head` must have passed [`check`].
pub(super) fn write(out: &mut Vec<u8>, head: &[u8]) {
    let Some((fields, table)) = split(head) else { return };
    let [_version, channels, skip0, skip1, _, _, _, _, gain0, gain1, family] = *fields;
    out.put_box(b"dOps", |out| {
        out.put_u8(0); // Version
        out.put_u8(channels);
        out.put_u16(u16::from_le_bytes([skip0, skip1]));
        out.put_u32(48_000); // InputSampleRate
        out.put_u16(u16::from_le_bytes([gain0, gain1]));
        out.put_u8(family);
        out.put_bytes(table);
    });
}

pub(super) fn check(head: &[u8]) -> Result<(), Error> {
    split(head).map(|_| ()).ok_or(Error::InvalidRecord { structure: "OpusHead" })
}

/// The fields behind the magic bytes, and the channel mapping table without what may follow it.
fn split(head: &[u8]) -> Option<(&[u8; 11], &[u8])> {
    let (fields, rest) = head.strip_prefix(b"OpusHead")?.split_first_chunk::<11>()?;
    let (channels, family) = (fields[1], fields[10]);
    let table_len = match family {
        0 if channels <= 2 => 0,
        0 => return None,
        _ => 2 + usize::from(channels), // stream count, coupled count, one index a channel
    };
    (channels > 0).then_some((fields, rest.get(..table_len)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes() {
        // Made from sound of 8 kHz.
        let head = *b"OpusHead\x01\x01\x38\x01\x40\x1f\0\0\xfe\xff\0";
        let mut out = Vec::new();
        write(&mut out, &head);
        assert_eq!(out, b"\0\0\0\x13dOps\0\x01\x01\x38\0\0\xbb\x80\xff\xfe\0");
        for len in 0..head.len() {
            assert!(check(&head[..len]).is_err());
        }
        // Three channels: only with a table.
        let mut surround = head.to_vec();
        surround[9] = 3;
        assert!(check(&surround).is_err());
        surround[18] = 1;
        assert!(check(&surround).is_err());
        surround.extend([2, 1, 0, 2, 1]);
        assert!(check(&surround).is_ok());
        out.clear();
        write(&mut out, &surround);
        assert_eq!(out[out.len() - 6..], [1, 2, 1, 0, 2, 1]);
    }
}
