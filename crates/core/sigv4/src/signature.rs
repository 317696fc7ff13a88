//! The signature: 32 bytes whose only comparison is constant-time.

use std::fmt;

use aws_lc_rs::constant_time;

use crate::hex;

/// An HMAC-SHA256 over a string to sign. There is no `==`: compare with [`Signature::matches`].
#[derive(Clone)]
pub struct Signature([u8; 32]);

impl Signature {
    /// Reads exactly 64 hexadecimal digits of either case.
    pub fn parse_hex(text: &[u8]) -> Option<Self> {
        hex::decode(text).map(Self)
    }

    /// 64 lower-case hexadecimal digits. With the rest of the request it authenticates for 15
    /// minutes: not for logs.
    pub fn to_hex(&self) -> String {
        hex::encode(&self.0)
    }

    /// Whether both are equal, in a time that does not depend on where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_strict() {
        let text = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        let signature = Signature::parse_hex(text.as_bytes()).unwrap();
        assert_eq!(signature.to_hex(), text);
        let upper = Signature::parse_hex(text.to_uppercase().as_bytes()).unwrap();
        assert!(signature.matches(&upper));
        for bad in [&text[1..], &format!("{text}0"), &text.replace('f', "g"), "", " "] {
            assert!(Signature::parse_hex(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn each_byte_counts() {
        let signature = Signature::new([7; 32]);
        assert!(signature.matches(&Signature::new([7; 32])));
        for index in 0..32 {
            let mut other = [7; 32];
            other[index] ^= 1;
            assert!(!signature.matches(&Signature::new(other)), "byte {index}");
        }
    }
}
