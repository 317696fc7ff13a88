//! Variable-size integers: RFC 8794 §4.

/// Bytes of the VINT that starts with `first`: 1 to 8, `None` when no marker bit is set.
pub(crate) fn encoded_len(first: u8) -> Option<usize> {
    match first.leading_zeros() {
        8 => None,
        zeros => Some(zeros as usize + 1),
    }
}

/// VINT_DATA of a whole VINT: `bytes` are 1 to 8, the first holds the marker.
pub(crate) fn data(bytes: &[u8]) -> u64 {
    let value = bytes.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    value & all_ones(bytes.len())
}

/// The largest VINT_DATA of `len` bytes (1 to 8); reserved in Element Data Sizes, where it says
/// "unknown".
pub(crate) fn all_ones(len: usize) -> u64 {
    (1 << (7 * len)) - 1
}

/// VINT_DATA and length of the VINT at the start of `bytes`; `None` when it is not whole or has no
/// marker.
pub(crate) fn split(bytes: &[u8]) -> Option<(u64, usize)> {
    let len = encoded_len(*bytes.first()?)?;
    Some((data(bytes.get(..len)?), len))
}

/// The shortest length that holds `value` without being all ones.
pub(crate) fn shortest_len(value: u64) -> usize {
    (1..8).find(|len| value < all_ones(*len)).unwrap_or(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length() {
        let cases: [(&[u8], u64); 8] = [
            (&[0x81], 1),
            (&[0x40, 0x01], 1),
            (&[0x20, 0x00, 0x01], 1),
            (&[0x1F, 0xFF, 0xFF, 0xFF], 0x0FFF_FFFF),
            (&[0x08, 0, 0, 0, 7], 7),
            (&[0x04, 0, 0, 0, 0, 8], 8),
            (&[0x02, 0, 0, 0, 0, 0, 9], 9),
            (&[0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE], (1 << 56) - 2),
        ];
        for (bytes, value) in cases {
            assert_eq!(split(bytes), Some((value, bytes.len())), "{bytes:02X?}");
            for cut in 0..bytes.len() {
                assert_eq!(split(&bytes[..cut]), None);
            }
        }
        assert_eq!(split(&[0x00; 9]), None);
    }

    #[test]
    fn shortest_avoids_the_reserved_pattern() {
        for (value, len) in
            [(0, 1), (126, 1), (127, 2), (16_382, 2), (16_383, 3), ((1 << 56) - 2, 8)]
        {
            assert_eq!(shortest_len(value), len, "{value}");
        }
    }
}
