//! Whether the store can do its work.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::ReadOnlyReason;

/// The state of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// All is well.
    Ok,
    /// It works, but an operator should look: one sentence per reason.
    Degraded(Vec<String>),
    /// Appends are refused, reads go on.
    ReadOnly(ReadOnlyReason),
}

/// What can be wrong while the store still works. One sentence each at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// The disk fills up.
    DiskUsage,
    /// A volume had a failed write or sync.
    SuspectVolume,
    /// Recovery found bytes that were durable and are damaged.
    Damage,
    /// A row points to a file that is gone.
    LostVolume,
    /// The index cannot be written.
    Index,
    /// The wall clock is not believed.
    Clock,
    /// Something in housekeeping failed and will be tried again.
    Housekeeping,
    /// Files in the volume directory that cannot be used.
    ForeignFiles,
}

#[derive(Debug, Default)]
pub(crate) struct HealthState {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    read_only: Option<ReadOnlyReason>,
    concerns: BTreeMap<Concern, String>,
}

impl HealthState {
    pub(crate) fn report(&self) -> Health {
        let state = self.lock();
        match state.read_only {
            Some(reason) => Health::ReadOnly(reason),
            None if state.concerns.is_empty() => Health::Ok,
            None => Health::Degraded(state.concerns.values().cloned().collect()),
        }
    }

    pub(crate) fn concerns(&self) -> Vec<(Concern, String)> {
        self.lock().concerns.iter().map(|(concern, what)| (*concern, what.clone())).collect()
    }

    pub(crate) fn read_only(&self) -> Option<ReadOnlyReason> {
        self.lock().read_only
    }

    /// Returns whether that is new.
    pub(crate) fn set_read_only(&self, reason: Option<ReadOnlyReason>) -> bool {
        let mut state = self.lock();
        let changed = state.read_only != reason;
        state.read_only = reason;
        if changed {
            match reason {
                Some(reason) => tracing::error!(%reason, "the store is read-only"),
                None => tracing::warn!("the store takes appends again"),
            }
        }
        changed
    }

    /// Notes a concern, or with `None` that it is over.
    pub(crate) fn concern(&self, concern: Concern, what: Option<String>) {
        let mut state = self.lock();
        match what {
            Some(what) => {
                if state.concerns.get(&concern) != Some(&what) {
                    tracing::warn!(?concern, "{what}");
                }
                state.concerns.insert(concern, what);
            }
            None => {
                if state.concerns.remove(&concern).is_some() {
                    tracing::info!(?concern, "over");
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
