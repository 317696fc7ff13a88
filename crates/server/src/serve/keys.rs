//! Where keys come from: the root key's file, and stream keys out of the control catalog.

use std::io;
use std::path::Path;
use std::sync::Arc;

use streamkeep_catalog::{ControlCatalog, StreamStatus};
use streamkeep_engine::{KeyFailure, StoreError, StreamKeys, stores_in};
use streamkeep_io::{LocalDirectory, Rng};
use streamkeep_keys::{
    KeysError, RootKey, StoreId, StreamKey, WRAPPED_KEY_LEN, WrappedKey, WrappedStreamKey,
};
use streamkeep_media::StreamId;

use super::credentials::write_private;

const ROOT_KEY_FILE: &str = "root.key";
const STORE_ID_FILE: &str = "store-id";

/// Reads the root key of a data directory.
pub(crate) fn load_root_key(data_dir: &Path) -> io::Result<RootKey> {
    let path = data_dir.join(ROOT_KEY_FILE);
    let text = std::fs::read_to_string(&path).map_err(|error| name_file(&path, &error))?;
    RootKey::parse(&text).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

/// The same, but makes one in a directory that has no streams yet.
pub(crate) fn load_or_make_root_key(data_dir: &Path, rng: &dyn Rng) -> io::Result<RootKey> {
    match load_root_key(data_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = data_dir.join(ROOT_KEY_FILE);
            let keys = data_dir.join("keys");
            if keys.is_dir() && keys.read_dir()?.next().is_some() {
                return Err(io::Error::other(format!(
                    "{} is missing, but there are streams: put back the root key from its backup; \
                     with a new one nothing could be read",
                    path.display()
                )));
            }
            let key = RootKey::generate(rng);
            let mut text = key.to_hex();
            text.push('\n');
            write_private(&path, text.as_bytes())?;
            Ok(key)
        }
        result => result,
    }
}

/// Reads the store's identity; when its file is lost, from the volumes.
pub(crate) fn load_store_id(data_dir: &Path) -> io::Result<StoreId> {
    let path = data_dir.join(STORE_ID_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => StreamId::from_hex(text.trim())
            .map(|id| StoreId(id.0))
            .ok_or_else(|| io::Error::other(format!("{}: no store id", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let volumes = data_dir.join("volumes");
            let stores = match LocalDirectory::open(&volumes) {
                Ok(volumes) => stores_in(&volumes).map_err(io::Error::other)?,
                Err(_) => Default::default(),
            };
            let mut stores = stores.into_iter();
            match (stores.next(), stores.next()) {
                (Some(store), None) => Ok(store),
                (None, _) => Err(name_file(&path, &error)),
                (Some(_), Some(_)) => Err(io::Error::other(format!(
                    "{} holds volumes of several stores, and {} is missing",
                    volumes.display(),
                    path.display()
                ))),
            }
        }
        Err(error) => Err(name_file(&path, &error)),
    }
}

/// The same, but makes one in a directory without volumes. It is no secret.
pub(crate) fn load_or_make_store_id(data_dir: &Path, rng: &dyn Rng) -> io::Result<StoreId> {
    let path = data_dir.join(STORE_ID_FILE);
    let store = match load_store_id(data_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = [0; 16];
            rng.fill(&mut bytes);
            StoreId(bytes)
        }
        result => result?,
    };
    if !path.exists() {
        write_private(&path, format!("{store}\n").as_bytes())?;
    }
    Ok(store)
}

fn name_file(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Stream keys, unwrapped when the store asks for them.
pub(crate) struct Keyring {
    pub(crate) root: RootKey,
    pub(crate) store: StoreId,
    pub(crate) control: Arc<dyn ControlCatalog>,
}

impl Keyring {
    /// A new key for a stream, wrapped as the control catalog keeps it.
    pub(crate) fn new_stream_key(&self, stream: StreamId, rng: &dyn Rng) -> Vec<u8> {
        let key = StreamKey::generate(self.store, stream, 1, rng);
        encode(&self.root.wrap_stream_key(&key, rng))
    }
}

impl StreamKeys for Keyring {
    fn stream_key(&self, stream: StreamId) -> Result<Arc<StreamKey>, StoreError> {
        let failure = |source| StoreError::Key { stream, source };
        let record = self
            .control
            .stream(stream)
            .map_err(|error| failure(KeyFailure::Unavailable(error.to_string())))?
            .filter(|record| record.status == StreamStatus::Active)
            .ok_or(StoreError::StreamGone(stream))?;
        let wrapped = decode(stream, &record.wrapped_key)
            .ok_or(failure(KeyFailure::Keys(KeysError::WrongKey)))?;
        let key = self
            .root
            .unwrap_stream_key(self.store, &wrapped)
            .map_err(|error| failure(KeyFailure::Keys(error)))?;
        Ok(Arc::new(key))
    }
}

/// Generation, little-endian, then the wrapped key.
fn encode(wrapped: &WrappedStreamKey) -> Vec<u8> {
    let mut bytes = wrapped.generation.to_le_bytes().to_vec();
    bytes.extend_from_slice(&wrapped.key.0);
    bytes
}

fn decode(stream: StreamId, bytes: &[u8]) -> Option<WrappedStreamKey> {
    let (generation, key) = bytes.split_first_chunk::<4>()?;
    let key: [u8; WRAPPED_KEY_LEN] = key.try_into().ok()?;
    let generation = u32::from_le_bytes(*generation);
    Some(WrappedStreamKey { stream, generation, key: WrappedKey(key) })
}
