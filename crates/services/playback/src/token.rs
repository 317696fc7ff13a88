//! Session tokens: all that a sub-request needs, sealed (design/playback.md, "Session token").
//!
//! ```text
//! base64url( version 1 | nonce 12 | AES-256-GCM( claims ) | tag 16 ) ~
//! ```
//!
//! The text has only `A-Z a-z 0-9 - _ ~`, which need no escaping in a query, a playlist or XML.

#[cfg(test)]
mod tests;

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::Claims;

/// Seals and opens session tokens.
pub(crate) struct TokenKey(LessSafeKey);

impl TokenKey {
    /// From 32 secret bytes, the same over restarts.
    pub(crate) fn new(secret: &Zeroizing<[u8; 32]>) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &secret[..]).expect("32 bytes are an AES-256 key");
        Self(LessSafeKey::new(key))
    }

    /// `nonce` is random: with 96 bits and a session a second a key lasts for ever.
    pub(crate) fn seal(&self, claims: &Claims, nonce: [u8; NONCE_LEN]) -> String {
        let mut sealed = claims.encode();
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(CONTEXT),
                &mut sealed,
            )
            .expect("claims are far below the limit of GCM");
        let mut bytes = Vec::with_capacity(1 + NONCE_LEN + sealed.len() + tag.as_ref().len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        bytes.extend_from_slice(tag.as_ref());
        let mut text = encode_base64url(&bytes);
        text.push('~');
        text
    }

    /// The claims of a token that this key sealed; `None` for anything else.
    pub(crate) fn open(&self, token: &str) -> Option<Claims> {
        let text = token.strip_suffix('~')?;
        if text.len() > TEXT_LEN_MAX {
            return None;
        }
        let mut bytes = decode_base64url(text.as_bytes())?;
        let (version, rest) = bytes.split_first_mut()?;
        let (nonce, sealed) = rest.split_at_mut_checked(NONCE_LEN)?;
        if *version != VERSION {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let claims = self.0.open_in_place(nonce, Aad::from(CONTEXT), sealed).ok()?;
        Claims::decode(claims)
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey([redacted])")
    }
}

/// Characters that may stand in a token: anything else never comes to decryption.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~')
}

fn encode_base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for index in 0..=group.len() {
            let digit = word >> (18 - 6 * index) & 63;
            text.push(char::from(ALPHABET[digit as usize]));
        }
    }
    text
}

fn decode_base64url(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    for group in text.chunks(4) {
        let mut word = 0_u32;
        for &byte in group {
            word = word << 6 | ALPHABET.iter().position(|&digit| digit == byte)? as u32;
        }
        let word = word << (6 * (4 - group.len()));
        let [_, rest @ ..] = word.to_be_bytes();
        let len = group.len().checked_sub(1).filter(|len| *len > 0)?;
        // Bits that carry nothing are 0: no two texts are one token.
        if rest[len..].iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(&rest[..len]);
    }
    Some(bytes)
}

/// RFC 4648 §5.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"streamkeep playback session v1";
/// Ten times what is issued.
const TEXT_LEN_MAX: usize = 2_000;
