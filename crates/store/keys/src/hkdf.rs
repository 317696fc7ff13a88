//! HKDF-SHA-256 (RFC 5869).

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

/// Extract and expand: `N` bytes from the key material `ikm`. The parts of `info` are taken as
/// one string.
pub(crate) fn derive<const N: usize>(
    ikm: &[u8],
    salt: &[u8],
    info: &[&[u8]],
) -> Zeroizing<[u8; N]> {
    struct OutputLen(usize);
    impl KeyType for OutputLen {
        fn len(&self) -> usize {
            self.0
        }
    }

    let mut output = Zeroizing::new([0; N]);
    Salt::new(HKDF_SHA256, salt)
        .extract(ikm)
        .expand(info, OutputLen(N))
        .and_then(|okm| okm.fill(&mut *output))
        .expect("RFC 5869 §2.3: at most 255 hash lengths are asked for, and our info is short");
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn rfc_5869_appendix_a_1() {
        let okm = derive::<42>(
            &[0x0b; 22],
            &bytes("000102030405060708090a0b0c"),
            &[&bytes("f0f1f2f3f4f5f6f7f8f9")],
        );
        let expected =
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
        assert_eq!(okm[..], bytes(expected));
    }

    #[test]
    fn rfc_5869_appendix_a_2_with_info_in_two_parts() {
        let ikm: Vec<u8> = (0x00..=0x4f).collect();
        let salt: Vec<u8> = (0x60..=0xaf).collect();
        let info: Vec<u8> = (0xb0..=0xff).collect();
        let okm = derive::<82>(&ikm, &salt, &[&info[..7], &info[7..]]);
        let expected = "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
                        59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
                        cc30c58179ec3e87c14c01d5c1f3434f1d87";
        assert_eq!(okm[..], bytes(expected));
    }

    #[test]
    fn rfc_5869_appendix_a_3_without_salt_and_info() {
        let okm = derive::<42>(&[0x0b; 22], &[], &[]);
        let expected =
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";
        assert_eq!(okm[..], bytes(expected));
    }
}
