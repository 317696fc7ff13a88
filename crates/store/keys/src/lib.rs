//! The key hierarchy: root key → stream key → data key → per-fragment key, and the sealing of
//! fragments under the last. `design/store.md`, "Keys", is the specification.
//!
//! | Key | Made by | Kept | Lost when |
//! | --- | --- | --- | --- |
//! | [`RootKey`] | the operator, or the first start | outside the store's databases | never |
//! | [`StreamKey`] | creation of the stream | wrapped by the root key | the stream is deleted |
//! | [`DataKey`] | process start, each day | wrapped by the stream key, in the volumes | with the stream key |
//! | per-fragment key | each fragment: HKDF of the data key and a random salt | nowhere | – |
//!
//! A wrapped data key lies in immutable volumes; it becomes worthless when the stream key that
//! wraps it is removed. That is how a deleted stream's media becomes unreadable at once.
//!
//! All algorithms come from AWS-LC: AES-256-GCM, HKDF-SHA-256. Secrets are wiped on drop and
//! print as `[redacted]`.

mod data_key_cache;
mod error;
mod fragment_opener;
mod fragment_sealer;
mod hkdf;
mod key_text;
mod root_key;
mod section;
mod store_id;
mod stream_key;
mod wrapped_key;

pub use data_key_cache::DataKeyCache;
pub use error::KeysError;
pub use fragment_opener::FragmentOpener;
pub use fragment_sealer::{FreshSalt, SealedFragment, seal_fragment};
pub use root_key::{RootKey, RootKeyId};
pub use section::{
    CHUNK_LEN, COMMITMENT_LEN, ChunkSpan, SALT_LEN, Section, TAG_LEN, chunk_span, sealed_len,
};
pub use store_id::StoreId;
pub use stream_key::{DataKey, FingerprintKey, StreamKey};
pub use wrapped_key::{WRAPPED_KEY_LEN, WrappedDataKey, WrappedKey, WrappedStreamKey};

#[cfg(test)]
mod tests;
