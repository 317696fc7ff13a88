//! The key hierarchy: root key, stream keys, data keys, per-fragment keys; AES-256-GCM.
