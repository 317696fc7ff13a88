//! The media index: volumes and runs. All of it can be made again from the volumes.

use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};

use crate::CatalogError;

/// One volume file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeRecord {
    /// Names the file; never reused.
    pub id: u64,
    /// Random, in the volume's header and in every batch and record of it.
    pub uuid: [u8; 16],
    /// The lane that wrote it.
    pub lane: u32,
    /// What may be done with it.
    pub state: VolumeState,
    /// When it was created.
    pub created: UnixMillis,
    /// File length in bytes once sealed; before that, a length known to be durable. For a suspect
    /// volume the end of what may be trusted.
    pub length: u64,
    /// Bytes from the start whose records the index has seen; part of the durable floor of
    /// recovery.
    pub indexed_upto: u64,
    /// Newest server timestamp in it.
    pub max_server: UnixMillis,
    /// When its last fragment expires, by the retention known at the time of writing this row. A
    /// hint that selects candidates; deletion checks each run again.
    pub max_expiry: UnixMillis,
    /// Fragments in it.
    pub fragment_count: u64,
    /// Bytes of their records, as they lie in the file.
    pub record_bytes: u64,
}

/// Life of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VolumeState {
    /// A lane appends to it, or did when the process died: walk it at start.
    Active,
    /// Footer written and synced; never changes again.
    Sealed,
    /// A write or sync on it failed: never synced or appended to again.
    Suspect,
    /// Being removed; start-up finishes what a crash interrupted.
    Deleting,
    /// The row points to a file that is not there. Kept so that the loss stays visible.
    Lost,
}

/// One stream's fragments in one sealed volume. Their rows are found by the stream's id in the
/// volume's footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// [`VolumeRecord::id`].
    pub volume: u64,
    /// Whose fragments.
    pub stream: StreamId,
    /// Smallest fragment number; carries the smallest server timestamp.
    pub first: FragmentNumber,
    /// Largest fragment number; carries the largest server timestamp.
    pub last: FragmentNumber,
    /// Fragments in the run, at least 1.
    pub fragment_count: u32,
    /// Smallest producer timestamp.
    pub min_producer: UnixMillis,
    /// Largest producer timestamp.
    pub max_producer: UnixMillis,
    /// Bytes of their records, as they lie in the file.
    pub record_bytes: u64,
}

impl RunRecord {
    /// Smallest and largest timestamp on `axis`.
    pub fn span(&self, axis: TimeAxis) -> (UnixMillis, UnixMillis) {
        match axis {
            TimeAxis::Server => (self.first.server_timestamp(), self.last.server_timestamp()),
            TimeAxis::Producer => (self.min_producer, self.max_producer),
        }
    }
}

/// Which of a fragment's two timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeAxis {
    /// When its first byte arrived. Rises with the fragment number.
    Server,
    /// What the producer says. May go anywhere.
    Producer,
}

/// A page request over runs in order of (start of span, volume id).
#[derive(Clone, Copy, Debug)]
pub struct SpanPage {
    /// The axis that spans are taken on.
    pub axis: TimeAxis,
    /// Smallest start of span.
    pub from: UnixMillis,
    /// Largest start of span, included.
    pub to: UnixMillis,
    /// The (start of span, volume id) of the last run of the previous page.
    pub after: Option<(UnixMillis, u64)>,
    /// At most this many runs.
    pub limit: usize,
}

/// The volumes and runs. Atomic per call, in order, but the latest calls may be lost in a power
/// cut: the caller must be able to make them again from the volumes. Only a call that makes a volume
/// [`VolumeState::Deleting`] is durable when it returns, with all calls before it: the file goes
/// next, and a row that still called it sealed would look like a loss.
pub trait IndexCatalog: Send + Sync {
    /// All volumes, in order of id.
    ///
    /// # Errors
    /// `Damaged` when a row cannot be read back; backend errors.
    fn volumes(&self) -> Result<Vec<VolumeRecord>, CatalogError>;

    /// One volume.
    ///
    /// # Errors
    /// As [`Self::volumes`].
    fn volume(&self, id: u64) -> Result<Option<VolumeRecord>, CatalogError>;

    /// At most `limit` volumes with an id above `after`, in order of id.
    ///
    /// # Errors
    /// As [`Self::volumes`].
    fn volumes_after(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<VolumeRecord>, CatalogError>;

    /// At most `limit` sealed volumes whose `max_expiry` lies before `now`, earliest first.
    ///
    /// # Errors
    /// As [`Self::volumes`].
    fn expired_volumes(
        &self,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Vec<VolumeRecord>, CatalogError>;

    /// Adds a volume.
    ///
    /// # Errors
    /// `Conflict` on its id; backend errors.
    fn insert_volume(&self, volume: &VolumeRecord) -> Result<(), CatalogError>;

    /// Replaces the row of a volume; its runs stay.
    ///
    /// # Errors
    /// `NotFound`; backend errors.
    fn update_volume(&self, volume: &VolumeRecord) -> Result<(), CatalogError>;

    /// Sets only the state. [`VolumeState::Deleting`] is durable on return.
    ///
    /// # Errors
    /// `NotFound`; backend errors.
    fn update_volume_state(&self, id: u64, state: VolumeState) -> Result<(), CatalogError>;

    /// Adds or replaces a volume together with all its runs, in one transaction. `runs` all belong
    /// to `volume`, at most one per stream. Repeatable.
    ///
    /// # Errors
    /// Backend errors.
    fn seal_volume(&self, volume: &VolumeRecord, runs: &[RunRecord]) -> Result<(), CatalogError>;

    /// Puts a sorted copy in the place of `old`, in one transaction: `volume` and its runs appear,
    /// the runs of `old` go and `old` becomes [`VolumeState::Deleting`]. Durable on return.
    ///
    /// # Errors
    /// `NotFound` when `old` has no row; backend errors.
    fn replace_volume(
        &self,
        old: u64,
        volume: &VolumeRecord,
        runs: &[RunRecord],
    ) -> Result<(), CatalogError>;

    /// Removes a volume and its runs; succeeds when there is none.
    ///
    /// # Errors
    /// Backend errors.
    fn remove_volume(&self, id: u64) -> Result<(), CatalogError>;

    /// The runs of one volume, in order of stream.
    ///
    /// # Errors
    /// As [`Self::volumes`].
    fn runs_in(&self, volume: u64) -> Result<Vec<RunRecord>, CatalogError>;

    /// Runs of a stream whose span starts within the page's bounds, in order of (start of span,
    /// volume id).
    ///
    /// # Errors
    /// As [`Self::volumes`].
    fn runs_starting(
        &self,
        stream: StreamId,
        page: &SpanPage,
    ) -> Result<Vec<RunRecord>, CatalogError>;

    /// Runs of a stream whose span starts before `at` and ends at `at` or later, in order of
    /// (start of span, volume id). Together with [`Self::runs_starting`] at `at`: all runs that
    /// reach into a range which starts there.
    ///
    /// # Errors
    /// As [`Self::volumes`].
    fn runs_covering(
        &self,
        stream: StreamId,
        axis: TimeAxis,
        at: UnixMillis,
    ) -> Result<Vec<RunRecord>, CatalogError>;

    /// The run of a stream whose span ends last; on the server axis, the one that holds its largest
    /// fragment number.
    ///
    /// # Errors
    /// As [`Self::volumes`].
    fn last_run(&self, stream: StreamId, axis: TimeAxis)
    -> Result<Option<RunRecord>, CatalogError>;

    /// Removes at most `limit` runs of a stream and returns how many: fewer than `limit` means that
    /// none are left. In pieces, so that no single transaction grows with the archive.
    ///
    /// # Errors
    /// Backend errors.
    fn remove_runs_of(&self, stream: StreamId, limit: usize) -> Result<usize, CatalogError>;

    /// Removes everything, before a rebuild.
    ///
    /// # Errors
    /// Backend errors.
    fn wipe(&self) -> Result<(), CatalogError>;
}

/// The number of bits of a span's length in milliseconds, 0..=64.
///
/// A run covers `at` only if it starts less than 2^class ms before it, so a form that indexes
/// (stream, class, start) finds the covering runs with one short range scan per class, however odd
/// the producer's clock was in other runs. At most half of what a scan meets is too short.
pub fn span_class(start: UnixMillis, end: UnixMillis) -> u32 {
    u64::BITS - end.since(start).leading_zeros()
}

/// Classes a span can have, each with the largest distance from its start it can reach.
pub(crate) fn class_reaches() -> impl Iterator<Item = (u32, u64)> {
    (0..=u64::BITS)
        .map(|class| (class, 1_u64.checked_shl(class).map_or(u64::MAX, |reach| reach - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_bounds_the_length() {
        for (len, class) in [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (u64::MAX, 64)] {
            assert_eq!(span_class(UnixMillis(0), UnixMillis(len)), class, "{len}");
            let (_, reach) = class_reaches().nth(class as usize).expect("65 classes");
            assert!(len <= reach && (class == 0 || len > reach / 2), "{len} {reach}");
        }
        assert_eq!(span_class(UnixMillis(9), UnixMillis(3)), 0, "an inverted span has no length");
    }
}
