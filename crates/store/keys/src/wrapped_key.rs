//! Keys under keys.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use streamkeep_io::Rng;
use streamkeep_media::StreamId;
use zeroize::Zeroizing;

use crate::KeysError;

/// Length of a [`WrappedKey`] in bytes.
pub const WRAPPED_KEY_LEN: usize = 64;

/// A 32-byte key under AES-256-GCM:
///
/// | Offset | Bytes | Content |
/// | --- | --- | --- |
/// | 0 | 1 | version, 1 |
/// | 1 | 1 | algorithm, 1 = AES-256-GCM under a key derived by HKDF-SHA-256 |
/// | 2 | 2 | 0 |
/// | 4 | 12 | nonce, random |
/// | 16 | 32 | ciphertext |
/// | 48 | 16 | tag |
///
/// The AAD says whose key it is. It is not repeated here: who holds a wrapped key knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WrappedKey(pub [u8; WRAPPED_KEY_LEN]);

/// A stream's key wrapped by the root key: what the control database and the stream's card keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WrappedStreamKey {
    /// Whose key it is.
    pub stream: StreamId,
    /// 1 for the first; grows when the stream gets a new key.
    pub generation: u32,
    /// The key.
    pub key: WrappedKey,
}

/// A data key wrapped by its stream's key: what volumes carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WrappedDataKey {
    /// Whose media it seals.
    pub stream: StreamId,
    /// Grows with each data key of the stream.
    pub generation: u32,
    /// Generation of the stream key that wraps it.
    pub stream_key_generation: u32,
    /// The key.
    pub key: WrappedKey,
}

impl WrappedKey {
    pub(crate) fn wrap(
        wrapping_key: &[u8; 32],
        aad: &[u8],
        secret: &[u8; 32],
        rng: &dyn Rng,
    ) -> Self {
        let mut wrapped = [0; WRAPPED_KEY_LEN];
        wrapped[0] = VERSION;
        wrapped[1] = ALGORITHM;
        // Random nonces: a wrapping key wraps one key per stream or per stream and day, far from
        // the 2^32 of NIST SP 800-38D §8.3.
        rng.fill(&mut wrapped[4..16]);
        wrapped[16..48].copy_from_slice(secret);
        let nonce = Nonce::try_assume_unique_for_key(&wrapped[4..16]).expect(NONCE_LEN);
        let tag = cipher(wrapping_key)
            .seal_in_place_separate_tag(nonce, Aad::from(aad), &mut wrapped[16..48])
            .expect("32 bytes are within the limit of AES-GCM");
        wrapped[48..].copy_from_slice(tag.as_ref());
        Self(wrapped)
    }

    pub(crate) fn unwrap_key(
        &self,
        wrapping_key: &[u8; 32],
        aad: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, KeysError> {
        let [version, algorithm, reserved @ ..] = self.0;
        if (version, algorithm) != (VERSION, ALGORITHM) || reserved[..2] != [0, 0] {
            return Err(KeysError::UnknownWrapping { version, algorithm });
        }
        let nonce = Nonce::try_assume_unique_for_key(&self.0[4..16]).expect(NONCE_LEN);
        let mut in_out = Zeroizing::new([0; 48]);
        in_out.copy_from_slice(&self.0[16..]);
        let secret = cipher(wrapping_key)
            .open_in_place(nonce, Aad::from(aad), &mut *in_out)
            .map_err(|_| KeysError::WrongKey)?;
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(secret);
        Ok(key)
    }
}

pub(crate) fn cipher(key: &[u8; 32]) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, key).expect("an AES-256 key has 32 bytes");
    LessSafeKey::new(key)
}

const VERSION: u8 = 1;
const ALGORITHM: u8 = 1;
const NONCE_LEN: &str = "a nonce of AES-GCM has 12 bytes";
