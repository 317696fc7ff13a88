//! Connections per stream.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use streamkeep_media::StreamId;

use super::ConnectionLimits;
use crate::{ApiError, Exception};

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionKind {
    /// A producer's session.
    PutMedia,
    /// A live or catching-up reader.
    GetMedia,
    /// A reader of listed fragments.
    GetMediaForFragmentList,
}

/// Counts the connections that are open.
pub struct Connections {
    limits: ConnectionLimits,
    open: Arc<Mutex<Open>>,
}

/// In order of opening.
type Open = HashMap<(ConnectionKind, StreamId), Vec<Arc<AtomicBool>>>;

impl Connections {
    /// None open.
    pub fn new(limits: ConnectionLimits) -> Self {
        Self { limits, open: Arc::default() }
    }

    /// Counts one more, until the permit is dropped. When that makes more than there should be,
    /// within the overlap allowed to producers, the oldest is told so:
    /// [`ConnectionPermit::superseded`].
    ///
    /// # Errors
    /// ConnectionLimitExceededException.
    pub fn open(
        &self,
        kind: ConnectionKind,
        stream: StreamId,
    ) -> Result<ConnectionPermit, ApiError> {
        let (limit, overlap) = match kind {
            ConnectionKind::PutMedia => (self.limits.put_media, self.limits.put_media_overlap),
            ConnectionKind::GetMedia => (self.limits.get_media, 0),
            ConnectionKind::GetMediaForFragmentList => (self.limits.get_media_for_fragment_list, 0),
        };
        let key = (kind, stream);
        let superseded = Arc::new(AtomicBool::new(false));
        let mut open = lock(&self.open);
        let held = open.entry(key).or_default();
        if let Some(limit) = limit {
            if held.len() >= limit + overlap {
                return Err(ApiError::new(
                    Exception::ConnectionLimitExceeded,
                    format!("The stream has {} connections of this kind already.", held.len()),
                ));
            }
            if held.len() >= limit
                && let Some(oldest) = held.iter().find(|flag| !flag.load(Ordering::Relaxed))
            {
                oldest.store(true, Ordering::Relaxed);
            }
        }
        held.push(Arc::clone(&superseded));
        Ok(ConnectionPermit { open: Arc::clone(&self.open), key, superseded })
    }

    /// How many are open.
    pub fn count(&self, kind: ConnectionKind, stream: StreamId) -> usize {
        lock(&self.open).get(&(kind, stream)).map_or(0, Vec::len)
    }
}

/// A connection that counts; dropped when it ends.
pub struct ConnectionPermit {
    open: Arc<Mutex<Open>>,
    key: (ConnectionKind, StreamId),
    superseded: Arc<AtomicBool>,
}

impl ConnectionPermit {
    /// A newer session of the producer has taken over. This one may finish what it has begun; it
    /// should end when it falls idle.
    pub fn superseded(&self) -> bool {
        self.superseded.load(Ordering::Relaxed)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        if let Some(held) = open.get_mut(&self.key) {
            held.retain(|flag| !Arc::ptr_eq(flag, &self.superseded));
            if held.is_empty() {
                open.remove(&self.key);
            }
        }
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    // The map is whole between any two statements above.
    open.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
