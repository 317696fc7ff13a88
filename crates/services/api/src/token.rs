//! Paging tokens: opaque to clients, worthless when altered or taken elsewhere.
//!
//! A token is hexadecimal, which fits the patterns of all models, over a keyed BLAKE3 of its
//! purpose and payload, followed by the payload.

const MAC_LEN: usize = 32;

/// Seals and opens paging tokens.
pub(crate) struct Tokens {
    key: [u8; 32],
}

impl Tokens {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// `purpose` is what the token is good for: operation, owner, filter.
    pub(crate) fn seal(&self, purpose: &[&[u8]], payload: &[u8]) -> String {
        let mac = self.mac(purpose, payload);
        let bytes = mac.as_bytes().iter().chain(payload);
        bytes.flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)]).collect()
    }

    /// The payload of a token sealed for the same purpose with the same key.
    pub(crate) fn open(&self, purpose: &[&[u8]], token: &str) -> Option<Vec<u8>> {
        let bytes = from_hex(token)?;
        let (mac, payload) = bytes.split_at_checked(MAC_LEN)?;
        let mac: [u8; MAC_LEN] = mac.try_into().ok()?;
        // `blake3::Hash` compares in constant time.
        (blake3::Hash::from_bytes(mac) == self.mac(purpose, payload)).then(|| payload.to_vec())
    }

    fn mac(&self, purpose: &[&[u8]], payload: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        // Each part with its length: no two lists of parts give the same input.
        for part in purpose.iter().chain([&payload]) {
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
        }
        hasher.finalize()
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).expect("a nibble is below 16")
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_what_was_sealed_for_it() {
        let tokens = Tokens::new([7; 32]);
        let purpose: &[&[u8]] = &[b"ListStreams", b"cam"];
        let token = tokens.seal(purpose, b"cam1");
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric()), "{token}");
        assert_eq!(tokens.open(purpose, &token).as_deref(), Some(&b"cam1"[..]));

        assert_eq!(tokens.open(&[b"ListStreams", b"ca"], &token), None);
        assert_eq!(tokens.open(&[b"ListStreamscam"], &token), None);
        assert_eq!(tokens.open(&[b"ListStream", b"scam"], &token), None);
        assert_eq!(Tokens::new([8; 32]).open(purpose, &token), None);
        for bad in ["", "0", "zz", &token[2..], &token[..token.len() - 2], &token.to_uppercase()] {
            assert_eq!(tokens.open(purpose, bad), None, "{bad}");
        }
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'0' { b'1' } else { b'0' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(tokens.open(purpose, &altered), None, "{at}");
        }
    }
}
