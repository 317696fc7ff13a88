//! Sealed bytes to plaintext.

use std::fmt;

use aws_lc_rs::aead::{Aad, LessSafeKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroize;

use crate::section::{chunk_count, chunk_len, fragment_key, nonce, sealed_len};
use crate::wrapped_key::cipher;
use crate::{CHUNK_LEN, COMMITMENT_LEN, DataKey, KeysError, SALT_LEN, Section, TAG_LEN};

/// Opens the sections of one fragment. Plaintext comes out only after the tag of its chunk was
/// checked.
pub struct FragmentOpener {
    cipher: LessSafeKey,
    aad: Box<[u8]>,
}

impl FragmentOpener {
    /// Derives the fragment's key and checks that it is the one the fragment was sealed under:
    /// [`KeysError::CommitmentMismatch`] otherwise. `aad` is what was given at sealing.
    pub fn new(
        key: &DataKey,
        salt: &[u8; SALT_LEN],
        commitment: &[u8; COMMITMENT_LEN],
        aad: &[u8],
    ) -> Result<Self, KeysError> {
        let (secret, expected) = fragment_key(key, salt);
        verify_slices_are_equal(&expected, commitment)
            .map_err(|_| KeysError::CommitmentMismatch)?;
        Ok(Self { cipher: cipher(&secret), aad: aad.into() })
    }

    /// Opens the whole meta section of `meta_len` plaintext bytes, in place.
    pub fn open_meta(&self, sealed: Vec<u8>, meta_len: u32) -> Result<Vec<u8>, KeysError> {
        self.open_section(Section::Meta, sealed, meta_len)
    }

    /// Opens the whole media section of `media_len` plaintext bytes, in place.
    pub fn open_media(&self, sealed: Vec<u8>, media_len: u32) -> Result<Vec<u8>, KeysError> {
        self.open_section(Section::Media, sealed, media_len)
    }

    /// Opens one chunk of the media section in place and returns its plaintext, the front of
    /// `sealed`. [`chunk_span`](crate::chunk_span) says where chunks lie. After an error `sealed`
    /// is all zero.
    pub fn open_media_chunk<'a>(
        &self,
        media_len: u32,
        index: u32,
        sealed: &'a mut [u8],
    ) -> Result<&'a [u8], KeysError> {
        let chunk = u64::from(index);
        if index >= chunk_count(media_len) {
            return Err(KeysError::Damaged { section: Section::Media, chunk });
        }
        self.open_chunk(Section::Media, media_len, index, sealed)
    }

    /// Opens the whole media section in place and returns the plaintext, the front of `sealed`.
    pub fn open_media_in_place<'a>(
        &self,
        sealed: &'a mut [u8],
        media_len: u32,
    ) -> Result<&'a [u8], KeysError> {
        self.open_in_place(Section::Media, sealed, media_len)?;
        Ok(&sealed[..media_len as usize])
    }

    fn open_section(
        &self,
        section: Section,
        mut bytes: Vec<u8>,
        len: u32,
    ) -> Result<Vec<u8>, KeysError> {
        self.open_in_place(section, &mut bytes, len)?;
        bytes.truncate(len as usize);
        Ok(bytes)
    }

    fn open_in_place(&self, section: Section, bytes: &mut [u8], len: u32) -> Result<(), KeysError> {
        let (expected, found) = (sealed_len(len), bytes.len() as u64);
        if expected != found {
            return Err(KeysError::Length { section, expected, found });
        }
        for index in 0..chunk_count(len) {
            let sealed_start = index as usize * (CHUNK_LEN + TAG_LEN) as usize;
            let plain_len = chunk_len(len, index) as usize;
            let sealed = &mut bytes[sealed_start..sealed_start + plain_len + TAG_LEN as usize];
            self.open_chunk(section, len, index, sealed)?;
            // Close the gap that the tags of the chunks before have left.
            let plain_start = index as usize * CHUNK_LEN as usize;
            bytes.copy_within(sealed_start..sealed_start + plain_len, plain_start);
        }
        Ok(())
    }

    /// `index` is below the chunk count of `len`.
    fn open_chunk<'a>(
        &self,
        section: Section,
        len: u32,
        index: u32,
        sealed: &'a mut [u8],
    ) -> Result<&'a [u8], KeysError> {
        let expected = u64::from(chunk_len(len, index) + TAG_LEN);
        let found = sealed.len() as u64;
        if expected != found {
            sealed.zeroize();
            return Err(KeysError::Length { section, expected, found });
        }
        let nonce = nonce(section, index, index + 1 == chunk_count(len));
        let plain_len = sealed.len() - TAG_LEN as usize;
        match self.cipher.open_in_place(nonce, Aad::from(&*self.aad), sealed) {
            Ok(_) => Ok(&sealed[..plain_len]),
            Err(_) => {
                // AES-GCM decrypts before it knows: what it left here is not to be looked at.
                sealed.zeroize();
                Err(KeysError::Damaged { section, chunk: index.into() })
            }
        }
    }
}

impl fmt::Debug for FragmentOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FragmentOpener([redacted])")
    }
}
