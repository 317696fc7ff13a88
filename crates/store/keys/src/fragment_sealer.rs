//! Plaintext to sealed bytes.

use aws_lc_rs::aead::{Aad, LessSafeKey};
use streamkeep_io::Rng;

use crate::section::{chunk_count, chunk_len, fragment_key, nonce, sealed_len};
use crate::wrapped_key::cipher;
use crate::{COMMITMENT_LEN, DataKey, KeysError, SALT_LEN, Section};

/// A salt that was never used. Sealing consumes it: two fragments under one salt and data key
/// would share key and nonces, which gives AES-GCM away.
#[derive(Debug)]
pub struct FreshSalt([u8; SALT_LEN]);

impl FreshSalt {
    /// Draws a salt.
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut salt = [0; SALT_LEN];
        rng.fill(&mut salt);
        Self(salt)
    }
}

/// A fragment ready to be stored. Storing it anew, elsewhere, needs no new sealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedFragment {
    /// Makes the fragment's key from its data key.
    pub salt: [u8; SALT_LEN],
    /// Tells, before anything is decrypted, whether a key is the right one.
    pub commitment: [u8; COMMITMENT_LEN],
    /// Plaintext length of the meta section.
    pub meta_len: u32,
    /// Plaintext length of the media section.
    pub media_len: u32,
    /// Sealed meta section, then sealed media section.
    pub bytes: Vec<u8>,
}

/// Seals a fragment under a fresh key derived from `key` and `salt`. `aad` is what stands in
/// clear beside it and must not be changed: opening needs the same bytes.
///
/// The pieces of `media` are copied once, chunk by chunk, and encrypted where they then lie.
pub fn seal_fragment<B: AsRef<[u8]>>(
    key: &DataKey,
    salt: FreshSalt,
    aad: &[u8],
    meta: &[u8],
    media: &[B],
) -> Result<SealedFragment, KeysError> {
    let meta_len = total_len(Section::Meta, &[meta])?;
    let media_len = total_len(Section::Media, media)?;

    let FreshSalt(salt) = salt;
    let (secret, commitment) = fragment_key(key, &salt);
    let cipher = cipher(&secret);
    let len = sealed_len(meta_len) + sealed_len(media_len);
    let len = usize::try_from(len).map_err(|_| KeysError::TooLong { section: Section::Media })?;
    let mut bytes = Vec::with_capacity(len);
    seal_section(&cipher, Section::Meta, aad, meta_len, &[meta], &mut bytes);
    seal_section(&cipher, Section::Media, aad, media_len, media, &mut bytes);
    debug_assert_eq!(bytes.len(), len);
    Ok(SealedFragment { salt, commitment, meta_len, media_len, bytes })
}

fn total_len<B: AsRef<[u8]>>(section: Section, pieces: &[B]) -> Result<u32, KeysError> {
    let total: u64 = pieces.iter().map(|piece| piece.as_ref().len() as u64).sum();
    u32::try_from(total).map_err(|_| KeysError::TooLong { section })
}

/// Appends a section of `len` bytes, which are those of `pieces`, to `out`.
fn seal_section<B: AsRef<[u8]>>(
    cipher: &LessSafeKey,
    section: Section,
    aad: &[u8],
    len: u32,
    pieces: &[B],
    out: &mut Vec<u8>,
) {
    let mut pieces = pieces.iter().map(AsRef::as_ref);
    let mut piece: &[u8] = &[];
    let count = chunk_count(len);
    for index in 0..count {
        let start = out.len();
        let end = start + chunk_len(len, index) as usize;
        while out.len() < end {
            let (now, later) = piece.split_at(piece.len().min(end - out.len()));
            out.extend_from_slice(now);
            piece = if later.is_empty() { pieces.next().unwrap_or_default() } else { later };
        }
        let nonce = nonce(section, index, index + 1 == count);
        let tag = cipher
            .seal_in_place_separate_tag(nonce, Aad::from(aad), &mut out[start..])
            .expect("a chunk is far below the limit of AES-GCM");
        out.extend_from_slice(tag.as_ref());
    }
}
