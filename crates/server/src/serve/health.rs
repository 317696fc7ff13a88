//! Whether the server can serve.

use std::sync::atomic::{AtomicBool, Ordering};

use streamkeep_engine::{Engine, Health as StoreHealth};
use streamkeep_media::StreamId;

/// What `/readyz` is asked for.
#[derive(Debug, Default)]
pub(crate) struct Health {
    stopping: AtomicBool,
}

impl Health {
    /// From now on the server is not ready.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Why a stream's media cannot be taken now, if so: told before a body is sent.
    pub(crate) fn refuses_media(&self, engine: &Engine, stream: StreamId) -> Option<String> {
        match engine.health() {
            StoreHealth::ReadOnly(reason) => Some(format!("The store takes no media: {reason}")),
            StoreHealth::Ok | StoreHealth::Degraded(_) if !engine.has_room(stream) => {
                Some("The store is busy; try again.".into())
            }
            StoreHealth::Ok | StoreHealth::Degraded(_) => None,
        }
    }

    /// Why the server should get no new work, if so.
    pub(crate) fn not_ready(&self, engine: &Engine) -> Option<String> {
        if self.stopping.load(Ordering::Relaxed) {
            return Some("the server is stopping".into());
        }
        match engine.health() {
            StoreHealth::Ok | StoreHealth::Degraded(_) => None,
            StoreHealth::ReadOnly(reason) => Some(format!("the store takes no media: {reason}")),
        }
    }
}
