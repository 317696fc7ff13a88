//! The text form of a root key, as operators keep it in files and variables.

use zeroize::Zeroizing;

use crate::KeysError;

/// Parses 64 hexadecimal digits, or base64 of 32 bytes (RFC 4648 §4 or §5, with or without
/// padding). White space around it is ignored.
pub(crate) fn parse(text: &str) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let text = text.trim();
    let parsed = match text.len() {
        64 => parse_hex(text.as_bytes()),
        43 => parse_base64(text.as_bytes()),
        44 => text.strip_suffix('=').and_then(|text| parse_base64(text.as_bytes())),
        _ => None,
    };
    parsed.ok_or(KeysError::KeyText { len: text.len() })
}

/// 64 lower-case hexadecimal digits.
pub(crate) fn to_hex(key: &[u8; 32]) -> Zeroizing<String> {
    // Room from the start: growing would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(64));
    for byte in key {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(nibble.into(), 16).expect("a nibble is below 16"));
        }
    }
    text
}

fn parse_hex(digits: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        for digit in pair {
            *byte = *byte << 4 | char::from(*digit).to_digit(16)? as u8;
        }
    }
    Some(key)
}

/// 43 characters carry 258 bits: the last two must be zero.
fn parse_base64(digits: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    let mut bits = Zeroizing::new(0u32);
    let mut bit_count = 0;
    let mut bytes = key.iter_mut();
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        *bits = (*bits << 6 | u32::from(value)) & 0xffff;
        bit_count += 6;
        if bit_count >= 8 {
            bit_count -= 8;
            *bytes.next()? = (*bits >> bit_count) as u8;
        }
    }
    (*bits & ((1 << bit_count) - 1) == 0 && bytes.next().is_none()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [
        0x00, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20, 0x92, 0x8b, 0x30, 0xd3, 0x8f, 0x41, 0x14, 0x93,
        0x51, 0x55, 0x97, 0x61, 0x96, 0x9b, 0x71, 0xd7, 0x9f, 0x82, 0x18, 0xa3, 0xfb, 0xff, 0xbe,
        0xff, 0xff,
    ];

    #[test]
    fn every_accepted_form() {
        let hex = "00108310518720928b30d38f41149351559761969b71d79f8218a3fbffbeffff";
        assert_eq!(*to_hex(&KEY), hex);
        for text in [
            hex,
            &hex.to_uppercase(),
            &format!(" {hex}\n"),
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij+/++//8=",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij+/++//8",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij-_--__8\r\n",
        ] {
            assert_eq!(*parse(text).unwrap(), KEY, "{text}");
        }
    }

    #[test]
    fn refused_forms() {
        for bad in [
            "",
            "secret",
            &"0".repeat(63),
            &"0".repeat(65),
            &format!("0x{}", "0".repeat(62)),
            &"g".repeat(64),
            // The last character carries bits that belong to no byte.
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij+/++//9=",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij+/++//8==",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij+/++//88",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij+/++/ 8",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij+/++é8=",
        ] {
            assert_eq!(parse(bad), Err(KeysError::KeyText { len: bad.len() }), "{bad}");
        }
    }
}
