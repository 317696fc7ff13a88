//! The keys of one stream.

use std::fmt;

use streamkeep_io::Rng;
use streamkeep_media::StreamId;
use zeroize::Zeroizing;

use crate::{KeysError, StoreId, WrappedDataKey, WrappedKey, hkdf};

/// The one deletable secret of a stream: wraps its data keys. Removing every wrapped copy of it
/// makes the stream's media unreadable.
pub struct StreamKey {
    store: StoreId,
    stream: StreamId,
    generation: u32,
    secret: Zeroizing<[u8; 32]>,
    wrapping: Zeroizing<[u8; 32]>,
}

impl StreamKey {
    /// A new random key. `generation` is 1 for a stream's first.
    pub fn generate(store: StoreId, stream: StreamId, generation: u32, rng: &dyn Rng) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill(&mut *secret);
        Self::from_secret(store, stream, generation, secret)
    }

    /// Whose key it is.
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// Which of the stream's keys.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Wraps a data key of this stream for the volumes.
    ///
    /// # Panics
    ///
    /// When the data key belongs to another stream.
    pub fn wrap_data_key(&self, key: &DataKey, rng: &dyn Rng) -> WrappedDataKey {
        assert_eq!(self.stream, key.stream, "a data key is wrapped by its own stream's key");
        let aad = self.data_key_aad(key.generation);
        WrappedDataKey {
            stream: self.stream,
            generation: key.generation,
            stream_key_generation: self.generation,
            key: WrappedKey::wrap(&self.wrapping, &aad, &key.secret, rng),
        }
    }

    /// Opens a data key. [`KeysError::WrongKey`] when it is not this stream's, was wrapped under
    /// another generation of its key, or is damaged.
    pub fn unwrap_data_key(&self, wrapped: &WrappedDataKey) -> Result<DataKey, KeysError> {
        if (wrapped.stream, wrapped.stream_key_generation) != (self.stream, self.generation) {
            return Err(KeysError::WrongKey);
        }
        let aad = self.data_key_aad(wrapped.generation);
        let secret = wrapped.key.unwrap_key(&self.wrapping, &aad)?;
        Ok(DataKey { stream: self.stream, generation: wrapped.generation, secret })
    }

    /// The key of the hash that finds re-sent fragments: keyed per stream, so that the index does
    /// not reveal equal content of two streams.
    pub fn fingerprint_key(&self) -> FingerprintKey {
        FingerprintKey(hkdf::derive(&*self.secret, &[], &[b"streamkeep fingerprint v1"]))
    }

    pub(crate) fn from_secret(
        store: StoreId,
        stream: StreamId,
        generation: u32,
        secret: Zeroizing<[u8; 32]>,
    ) -> Self {
        let wrapping = hkdf::derive(&*secret, &[], &[b"streamkeep stream key wrap v1"]);
        Self { store, stream, generation, secret, wrapping }
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    pub(crate) fn aad(&self) -> Vec<u8> {
        Self::aad_for(self.store, self.stream, self.generation)
    }

    pub(crate) fn aad_for(store: StoreId, stream: StreamId, generation: u32) -> Vec<u8> {
        [&b"streamkeep stream key v1"[..], &store.0, &stream.0, &generation.to_le_bytes()].concat()
    }

    fn data_key_aad(&self, generation: u32) -> Vec<u8> {
        [
            &b"streamkeep data key v1"[..],
            &self.store.0,
            &self.stream.0,
            &self.generation.to_le_bytes(),
            &generation.to_le_bytes(),
        ]
        .concat()
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamKey({}, {}, [redacted])", self.stream, self.generation)
    }
}

/// Seals the fragments of one stream, each under a key derived from it.
pub struct DataKey {
    stream: StreamId,
    generation: u32,
    secret: Zeroizing<[u8; 32]>,
}

impl DataKey {
    /// A new random key.
    pub fn generate(stream: StreamId, generation: u32, rng: &dyn Rng) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill(&mut *secret);
        Self { stream, generation, secret }
    }

    /// Whose media it seals.
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// Which of the stream's data keys.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({}, {}, [redacted])", self.stream, self.generation)
    }
}

/// The key of a stream's fingerprint hash.
pub struct FingerprintKey(Zeroizing<[u8; 32]>);

impl FingerprintKey {
    /// The key for a keyed hash with a 32-byte key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey([redacted])")
    }
}
