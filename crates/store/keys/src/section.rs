//! How a fragment's plaintext is cut: two sections, each in chunks.
//!
//! GCM vouches for a message only at its end, so a long one is cut into chunks that are vouched
//! for one by one (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, "Online
//! Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015). The nonce of a chunk
//! is its place, which is safe because every fragment has a key of its own:
//!
//! | Offset | Bytes | Content |
//! | --- | --- | --- |
//! | 0 | 8 | index of the chunk in its section, little-endian |
//! | 8 | 2 | section, little-endian: 0 meta, 1 media |
//! | 10 | 2 | 1 for the last chunk of the section, else 0, little-endian |
//!
//! An empty section has one empty chunk, so that cutting a section off is noticed.

use std::fmt;
use std::ops::Range;

use aws_lc_rs::aead::Nonce;
use zeroize::Zeroizing;

use crate::{DataKey, hkdf};

/// Plaintext bytes in every chunk but the last: 1 MiB.
pub const CHUNK_LEN: u32 = 1 << 20;

/// Bytes a chunk grows by.
pub const TAG_LEN: u32 = 16;

/// Bytes of the random salt that makes a fragment's key.
pub const SALT_LEN: usize = 24;

/// Bytes of the commitment to that key.
pub const COMMITMENT_LEN: usize = 16;

/// The two parts of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// What is known of the fragment and stays secret.
    Meta,
    /// The fragment's bytes.
    Media,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Meta => "meta",
            Self::Media => "media",
        })
    }
}

/// Length of a section of `len` plaintext bytes once it is sealed.
pub fn sealed_len(len: u32) -> u64 {
    u64::from(len) + u64::from(chunk_count(len)) * u64::from(TAG_LEN)
}

/// The chunks that hold a range of a section's plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkSpan {
    /// Indices of the chunks.
    pub chunks: Range<u32>,
    /// Where they lie, counted from the start of the sealed section.
    pub sealed: Range<u64>,
    /// Position of their first plaintext byte in the section.
    pub plain_start: u32,
}

/// Which chunks to read for the plaintext `range` of a section of `len` plaintext bytes. `None`
/// when the range is empty or runs past the end.
pub fn chunk_span(len: u32, range: Range<u32>) -> Option<ChunkSpan> {
    if range.start >= range.end || range.end > len {
        return None;
    }
    let chunks = range.start / CHUNK_LEN..range.end.div_ceil(CHUNK_LEN);
    let sealed_chunk_len = u64::from(CHUNK_LEN + TAG_LEN);
    let sealed = u64::from(chunks.start) * sealed_chunk_len
        ..(u64::from(chunks.end) * sealed_chunk_len).min(sealed_len(len));
    Some(ChunkSpan { plain_start: chunks.start * CHUNK_LEN, chunks, sealed })
}

/// At least one.
pub(crate) fn chunk_count(len: u32) -> u32 {
    len.div_ceil(CHUNK_LEN).max(1)
}

/// Plaintext bytes of one chunk. `index` is below [`chunk_count`].
pub(crate) fn chunk_len(len: u32, index: u32) -> u32 {
    (len - index * CHUNK_LEN).min(CHUNK_LEN)
}

pub(crate) fn nonce(section: Section, index: u32, is_last: bool) -> Nonce {
    let section: u16 = match section {
        Section::Meta => 0,
        Section::Media => 1,
    };
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&u64::from(index).to_le_bytes());
    nonce[8..10].copy_from_slice(&section.to_le_bytes());
    nonce[10..].copy_from_slice(&u16::from(is_last).to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// A fragment's key and the commitment to it.
pub(crate) fn fragment_key(
    key: &DataKey,
    salt: &[u8; SALT_LEN],
) -> (Zeroizing<[u8; 32]>, [u8; COMMITMENT_LEN]) {
    let derived: Zeroizing<[u8; 48]> =
        hkdf::derive(key.secret(), salt, &[b"frag-v1", &key.stream().0]);
    let mut secret = Zeroizing::new([0; 32]);
    let mut commitment = [0; COMMITMENT_LEN];
    secret.copy_from_slice(&derived[..32]);
    commitment.copy_from_slice(&derived[32..]);
    (secret, commitment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_lengths() {
        let mib = CHUNK_LEN;
        for (len, expected) in [
            (0, 16),
            (1, 17),
            (mib - 1, u64::from(mib) + 15),
            (mib, u64::from(mib) + 16),
            (mib + 1, u64::from(mib) + 33),
            (u32::MAX, u64::from(u32::MAX) + 4096 * 16),
        ] {
            assert_eq!(sealed_len(len), expected, "{len}");
        }
    }

    #[test]
    fn chunk_spans() {
        let mib = CHUNK_LEN;
        let span = |len, range| {
            chunk_span(len, range).map(|span| (span.chunks, span.sealed, span.plain_start))
        };
        assert_eq!(span(0, 0..0), None);
        assert_eq!(span(10, 3..3), None);
        assert_eq!(span(10, 3..11), None);
        assert_eq!(span(10, 3..10), Some((0..1, 0..26, 0)));
        let two = u64::from(mib + 16);
        assert_eq!(span(2 * mib, mib..mib + 1), Some((1..2, two..2 * two, mib)));
        assert_eq!(span(mib + 5, mib - 1..mib + 1), Some((0..2, 0..two + 21, 0)));
        let last = u32::MAX;
        let (chunks, sealed, _) = span(last, last - 1..last).unwrap();
        assert_eq!((chunks, sealed.end), (4095..4096, sealed_len(last)));
    }
}
