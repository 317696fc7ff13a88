//! Volumes without a footer: their rows are in memory.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use streamkeep_io::VolumeFile;
use streamkeep_keys::WrappedDataKey;
use streamkeep_media::{StreamId, UnixMillis};
use streamkeep_volume::{FooterBuilder, FragmentRow, PlacedRow, VolumeHasher, VolumeHeader};

/// A volume that a lane writes, that waits to be sealed, or that failed.
///
/// Lock order: the engine's list of unsealed volumes, then one volume's contents; never two
/// volumes' contents at once.
#[derive(Debug)]
pub(crate) struct Unsealed {
    pub(crate) header: VolumeHeader,
    pub(crate) file: Arc<dyn VolumeFile>,
    contents: RwLock<Contents>,
}

/// What is durable in an unsealed volume.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) phase: Phase,
    /// Everything before this position was synced.
    pub(crate) durable_len: u64,
    /// Rows by stream, each in order of number.
    pub(crate) runs: HashMap<StreamId, Vec<Arc<FragmentRow>>>,
    pub(crate) keys: HashMap<(StreamId, u32), WrappedDataKey>,
    /// Ranges that recovery found damaged.
    pub(crate) damage: Vec<Range<u64>>,
    pub(crate) max_server: UnixMillis,
    pub(crate) fragment_count: u64,
    pub(crate) record_bytes: u64,
    /// Has taken all bytes up to `durable_len`; given over when the lane closes the volume.
    pub(crate) hasher: Option<VolumeHasher>,
}

/// Where an unsealed volume stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A lane appends to it.
    Writing,
    /// Nothing will be appended; it waits for its footer.
    Closed,
    /// The footer is durable; the index does not know it yet.
    Footed,
    /// A write or sync failed: the file must never be synced or written again.
    Suspect,
}

impl Unsealed {
    pub(crate) fn new(header: VolumeHeader, file: Arc<dyn VolumeFile>, phase: Phase) -> Self {
        let contents = Contents {
            phase,
            durable_len: VolumeHeader::LEN,
            runs: HashMap::new(),
            keys: HashMap::new(),
            damage: Vec::new(),
            max_server: UnixMillis(0),
            fragment_count: 0,
            record_bytes: 0,
            hasher: None,
        };
        Self { header, file, contents: RwLock::new(contents) }
    }

    pub(crate) fn id(&self) -> u64 {
        self.header.id.0
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Contents> {
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Contents> {
        self.contents.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.write().phase = phase;
    }
}

impl Contents {
    /// Makes fragments visible that were synced, with the keys that went before them.
    pub(crate) fn publish(
        &mut self,
        rows: impl IntoIterator<Item = PlacedRow>,
        keys: impl IntoIterator<Item = WrappedDataKey>,
        durable_len: u64,
    ) {
        self.keys.extend(keys.into_iter().map(|key| ((key.stream, key.generation), key)));
        for PlacedRow { stream, row } in rows {
            self.max_server = self.max_server.max(row.server_timestamp);
            self.fragment_count += 1;
            self.record_bytes += u64::from(row.location.record_len);
            let run = self.runs.entry(stream).or_default();
            // Nearly always the end: two sessions of one stream overlap for moments only.
            let position = run.partition_point(|other| other.number < row.number);
            run.insert(position, Arc::new(row));
        }
        self.durable_len = durable_len;
    }

    pub(crate) fn run(&self, stream: StreamId) -> &[Arc<FragmentRow>] {
        self.runs.get(&stream).map_or(&[], Vec::as_slice)
    }

    /// All that the footer will hold.
    pub(crate) fn footer(&self, header: VolumeHeader) -> FooterBuilder {
        let mut footer = FooterBuilder::new(header);
        for (stream, rows) in &self.runs {
            for row in rows {
                footer.add_fragment(PlacedRow { stream: *stream, row: FragmentRow::clone(row) });
            }
        }
        for key in self.keys.values() {
            footer.add_key(*key);
        }
        for range in &self.damage {
            footer.add_damage(range.clone());
        }
        footer
    }
}
