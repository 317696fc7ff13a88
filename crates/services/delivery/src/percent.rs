//! Percent-encoding (RFC 3986 §2.1) for object paths, forms and file names.

/// `text` with every byte outside the unreserved set as `%XX`, except those in `kept`.
pub(crate) fn encode(text: &str, kept: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    encode_into(&mut out, text.as_bytes(), kept);
    out
}

/// As [`encode`], appended to `out`.
pub(crate) fn encode_into(out: &mut String, bytes: &[u8], kept: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 0xf)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding() {
        for (text, kept, expected) in [
            ("a-b._~Z9", "", "a-b._~Z9"),
            ("a/b c", "", "a%2Fb%20c"),
            ("a/b c", "/", "a/b%20c"),
            ("100%+é", "", "100%25%2B%C3%A9"),
            ("", "", ""),
        ] {
            assert_eq!(encode(text, kept.as_bytes()), expected, "{text}");
        }
    }
}
