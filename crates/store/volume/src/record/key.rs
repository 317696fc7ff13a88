//! The key record's own part of the header; footers list keys in the same form.

use streamkeep_keys::{WRAPPED_KEY_LEN, WrappedDataKey, WrappedKey};
use streamkeep_media::StreamId;

use crate::cursor::{Cursor, Put};

/// Bytes of an encoded key.
pub(crate) const ENCODED_LEN: usize = 24 + WRAPPED_KEY_LEN;

pub(crate) fn encode(key: &WrappedDataKey, out: &mut Vec<u8>) {
    out.put(&key.stream.0);
    out.put_u32(key.generation);
    out.put_u32(key.stream_key_generation);
    out.put(&key.key.0);
}

pub(crate) fn decode(cursor: &mut Cursor<'_>) -> Option<WrappedDataKey> {
    Some(WrappedDataKey {
        stream: StreamId(cursor.array()?),
        generation: cursor.u32()?,
        stream_key_generation: cursor.u32()?,
        key: WrappedKey(cursor.array()?),
    })
}
