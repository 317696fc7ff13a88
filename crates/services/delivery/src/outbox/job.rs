//! What the outbox gives out.

use streamkeep_media::{FragmentNumber, UnixMillis};

use crate::Intent;

/// Names a job in its outbox. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub(super) i64);

/// An intent on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// What is to be delivered.
    pub intent: Intent,
    /// Attempts that failed.
    pub attempt_count: u32,
    /// When it was written.
    pub created: UnixMillis,
}

/// A job that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadJob {
    /// Its name; it keeps that of the job.
    pub id: JobId,
    /// What was to be delivered; `None` when it cannot be read.
    pub intent: Option<Intent>,
    /// Attempts that failed.
    pub attempt_count: u32,
    /// When it was written.
    pub created: UnixMillis,
    /// When it was given up.
    pub died: UnixMillis,
    /// Why.
    pub reason: String,
}

/// How far a stream's fragments have been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last fragment looked at.
    pub fragment_number: FragmentNumber,
    /// The instant of the last image asked for, see [`Plan`](crate::Plan).
    pub last_image: Option<UnixMillis>,
}
