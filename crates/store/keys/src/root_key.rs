//! The key at the top.

use std::fmt;

use streamkeep_io::Rng;
use zeroize::Zeroizing;

use crate::stream_key::StreamKey;
use crate::{KeysError, StoreId, WrappedKey, WrappedStreamKey, hkdf, key_text};

/// Wraps the stream keys of a store. With the volumes and the wrapped stream keys it is all that
/// is needed to read everything; without it nothing can be read.
pub struct RootKey {
    secret: Zeroizing<[u8; 32]>,
    /// The secret itself wraps nothing, so that other uses can be derived beside this one.
    wrapping: Zeroizing<[u8; 32]>,
}

/// Tells root keys apart without revealing them: lets a store say "this is not my root key".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RootKeyId(pub [u8; 16]);

impl RootKey {
    /// A new random key.
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill(&mut *secret);
        Self::from_secret(secret)
    }

    /// From 64 hexadecimal digits or base64 of 32 bytes; white space around it is ignored.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        key_text::parse(text).map(Self::from_secret)
    }

    /// 64 hexadecimal digits, for the file the operator keeps.
    pub fn to_hex(&self) -> Zeroizing<String> {
        key_text::to_hex(&self.secret)
    }

    /// The key's public name.
    pub fn id(&self) -> RootKeyId {
        RootKeyId(*hkdf::derive(&*self.secret, &[], &[b"streamkeep root key id v1"]))
    }

    /// Wraps a stream's key for keeping.
    pub fn wrap_stream_key(&self, key: &StreamKey, rng: &dyn Rng) -> WrappedStreamKey {
        let aad = key.aad();
        WrappedStreamKey {
            stream: key.stream(),
            generation: key.generation(),
            key: WrappedKey::wrap(&self.wrapping, &aad, key.secret(), rng),
        }
    }

    /// Opens a stream's key that belongs to `store`. [`KeysError::WrongKey`] when it was wrapped
    /// under another root key or for another store, stream or generation.
    pub fn unwrap_stream_key(
        &self,
        store: StoreId,
        wrapped: &WrappedStreamKey,
    ) -> Result<StreamKey, KeysError> {
        let aad = StreamKey::aad_for(store, wrapped.stream, wrapped.generation);
        let secret = wrapped.key.unwrap_key(&self.wrapping, &aad)?;
        Ok(StreamKey::from_secret(store, wrapped.stream, wrapped.generation, secret))
    }

    fn from_secret(secret: Zeroizing<[u8; 32]>) -> Self {
        let wrapping = hkdf::derive(&*secret, &[], &[b"streamkeep root key wrap v1"]);
        Self { secret, wrapping }
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey([redacted])")
    }
}
