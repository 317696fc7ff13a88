//! Checking a volume, for `fsck` and for the scrub.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use streamkeep_io::VolumeFile;
use streamkeep_keys::{DataKey, KeysError, WrappedDataKey};
use streamkeep_media::{FragmentNumber, StreamId};

use crate::footer::Run;
use crate::{
    Damage, Footer, FragmentRow, Holes, Part, PayloadCheck, PlacedRow, Via, VolumeError,
    VolumeHasher, VolumeHeader, Walk, WalkOptions, read_fragment, walk,
};

/// How closely to look. Each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerifyLevel {
    /// All headers, and the footer's rows against them. Reads about 4 KiB per fragment.
    Headers,
    /// All bytes against their checksums. Needs no keys.
    Checksums,
    /// All fragments opened.
    Decrypt,
}

/// Where [`verify`] gets data keys from.
pub trait DataKeys {
    /// Unwraps a data key; `None` when the stream's key is gone, as it is for a deleted stream.
    fn data_key(&self, wrapped: &WrappedDataKey) -> Result<Option<Arc<DataKey>>, KeysError>;
}

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// The volume's header.
    pub header: VolumeHeader,
    /// Whether it has a footer.
    pub is_sealed: bool,
    /// Intact fragments.
    pub fragment_count: u64,
    /// Bytes of their records.
    pub record_bytes: u64,
    /// Where the valid part of the batches ends.
    pub valid_end: u64,
    /// Fragments that were not opened because their stream's key is gone.
    pub shredded_count: u64,
    /// Damage that was known when the volume was sealed. Not counted as a problem again.
    pub known_damage: Vec<Range<u64>>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Something wrong with a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A range of the batches is damaged.
    Damage(Damage),
    /// A part of the footer is damaged or belongs elsewhere. The batches can still be walked.
    Footer {
        /// Which part.
        part: Part,
        /// Where it starts.
        offset: u64,
    },
    /// The footer's run of a stream says other things than its rows.
    RunDiffers {
        /// The stream.
        stream: StreamId,
    },
    /// A fragment in the batches is missing from the footer, or stands there differently.
    RowMissing {
        /// Whose fragment.
        stream: StreamId,
        /// Which.
        number: FragmentNumber,
    },
    /// A row of the footer has no fragment in the batches.
    FragmentMissing {
        /// Whose fragment.
        stream: StreamId,
        /// Which.
        number: FragmentNumber,
    },
    /// A data key is not in both the batches and the footer, or no key record precedes the
    /// fragments that use it.
    KeyMissing {
        /// Whose key.
        stream: StreamId,
        /// Which.
        generation: u32,
    },
    /// A batch does not follow the one before by its sequence.
    SequenceGap {
        /// Where the batch starts.
        offset: u64,
    },
    /// The file does not have the hash that its trailer says.
    Hash,
    /// A fragment does not open.
    Unreadable {
        /// Whose fragment.
        stream: StreamId,
        /// Which.
        number: FragmentNumber,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damage(damage) => write!(
                f,
                "bytes {}..{} are damaged: {} fragments saved, {} known lost",
                damage.range.start,
                damage.range.end,
                damage.salvaged,
                damage.lost.len()
            ),
            Self::Footer { part, offset } => write!(f, "{part} at {offset} is damaged"),
            Self::RunDiffers { stream } => write!(f, "run of stream {stream} contradicts its rows"),
            Self::RowMissing { stream, number } => {
                write!(f, "fragment {number} of stream {stream} is not in the footer")
            }
            Self::FragmentMissing { stream, number } => {
                write!(f, "fragment {number} of stream {stream} is in the footer only")
            }
            Self::KeyMissing { stream, generation } => {
                write!(f, "data key {generation} of stream {stream} is missing")
            }
            Self::SequenceGap { offset } => write!(f, "batch at {offset} is out of sequence"),
            Self::Hash => f.write_str("the file has another hash than its trailer says"),
            Self::Unreadable { stream, number, reason } => {
                write!(f, "fragment {number} of stream {stream} cannot be read: {reason}")
            }
        }
    }
}

/// Checks a volume. `floor` is what the caller knows to be durable of a volume without footer;
/// `keys` is asked at [`VerifyLevel::Decrypt`] only.
///
/// # Errors
///
/// Only when the volume cannot be checked at all: it has no intact header, or reading fails.
pub fn verify(
    file: &dyn VolumeFile,
    level: VerifyLevel,
    floor: u64,
    keys: &dyn DataKeys,
) -> Result<VerifyReport, VolumeError> {
    let header = VolumeHeader::read(file)?;
    let mut problems = Problems::default();
    let footer = match Footer::open(file, header.uuid) {
        Ok(footer) => Some(footer),
        Err(VolumeError::NotSealed) => None,
        Err(error) => {
            problems.footer(error)?;
            None
        }
    };
    let payload = match level {
        VerifyLevel::Headers => PayloadCheck::Unsettled,
        _ => PayloadCheck::All,
    };
    let floor = floor.max(footer.as_ref().map_or(0, Footer::offset));
    let walk = walk(file, &header, &WalkOptions { floor, payload, holes: Holes::Read })?;
    let known_damage = match footer.as_ref().map(|footer| footer.read_damage(file)).transpose() {
        Ok(ranges) => ranges.unwrap_or_default(),
        Err(error) => {
            problems.footer(error)?;
            Vec::new()
        }
    };
    problems.check_batches(&walk, &known_damage);
    let mut report = VerifyReport {
        header,
        is_sealed: footer.is_some(),
        fragment_count: walk.fragments.len() as u64,
        record_bytes: walk
            .fragments
            .iter()
            .map(|placed| u64::from(placed.row.location.record_len))
            .sum(),
        valid_end: walk.valid_end,
        shredded_count: 0,
        known_damage,
        problems: Vec::new(),
    };
    if let Some(footer) = &footer {
        if let Err(error) = problems.check_footer(file, footer, &walk) {
            problems.footer(error)?;
        }
        if level >= VerifyLevel::Checksums {
            problems.check_file(file, footer)?;
        }
    }
    if level >= VerifyLevel::Decrypt {
        report.shredded_count = problems.check_fragments(file, &header, &walk, keys)?;
    }
    report.problems = problems.found;
    Ok(report)
}

#[derive(Debug, Default)]
struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    /// Notes what is wrong with the footer; other errors end the check.
    fn footer(&mut self, error: VolumeError) -> Result<(), VolumeError> {
        match error {
            VolumeError::Damaged { part, offset } | VolumeError::Mismatch { part, offset } => {
                self.found.push(Problem::Footer { part, offset });
                Ok(())
            }
            error => Err(error),
        }
    }

    fn check_batches(&mut self, walk: &Walk, known_damage: &[Range<u64>]) {
        let is_known = |damage: &&Damage| {
            let inside = |known: &Range<u64>| {
                known.start <= damage.range.start && damage.range.end <= known.end
            };
            !known_damage.iter().any(inside)
        };
        self.found.extend(walk.damage.iter().filter(is_known).cloned().map(Problem::Damage));
        for pair in walk.batches.windows(2) {
            let follows = pair[1].sequence == pair[0].sequence + 1;
            let has_gap = pair[1].offset != pair[0].end() && pair[1].sequence > pair[0].sequence;
            if !follows && !has_gap {
                self.found.push(Problem::SequenceGap { offset: pair[1].offset });
            }
        }
        let keys: BTreeSet<_> = walk.keys.iter().map(|key| (key.stream, key.generation)).collect();
        let used: BTreeSet<_> = walk
            .fragments
            .iter()
            .map(|placed| (placed.stream, placed.row.key_generation))
            .collect();
        for (stream, generation) in used.difference(&keys) {
            self.found.push(Problem::KeyMissing { stream: *stream, generation: *generation });
        }
    }

    /// Compares the footer with what the walk found.
    fn check_footer(
        &mut self,
        file: &dyn VolumeFile,
        footer: &Footer,
        walk: &Walk,
    ) -> Result<(), VolumeError> {
        let mut walked: BTreeMap<StreamId, Vec<FragmentRow>> = BTreeMap::new();
        for PlacedRow { stream, row } in &walk.fragments {
            walked.entry(*stream).or_default().push(row.clone());
        }
        for run in footer.runs() {
            let mut walked = walked.remove(&run.stream).unwrap_or_default();
            walked.sort_by_key(|row| row.number);
            let rows = footer.read_rows(file, run, 0..run.row_count)?;
            self.compare_rows(run.stream, &rows, &walked);
            let order = footer.read_producer_order(file, run)?;
            if run.without_place() != Run::describe(run.stream, &rows)
                || !is_producer_order(&rows, order)
            {
                self.found.push(Problem::RunDiffers { stream: run.stream });
            }
        }
        for (stream, rows) in walked {
            self.compare_rows(stream, &[], &rows);
        }
        let listed: BTreeSet<_> = footer.read_keys(file)?.into_iter().map(key_order).collect();
        let walked: BTreeSet<_> = walk.keys.iter().copied().map(key_order).collect();
        for (stream, generation, ..) in listed.symmetric_difference(&walked) {
            self.found.push(Problem::KeyMissing { stream: *stream, generation: *generation });
        }
        Ok(())
    }

    /// Both are sorted by number.
    fn compare_rows(&mut self, stream: StreamId, listed: &[FragmentRow], walked: &[FragmentRow]) {
        let by_number = |rows: &[FragmentRow]| -> HashMap<FragmentNumber, FragmentRow> {
            rows.iter().map(|row| (row.number, row.clone())).collect()
        };
        if listed == walked {
            return;
        }
        let (listed_rows, walked_rows) = (by_number(listed), by_number(walked));
        for row in walked.iter().filter(|row| listed_rows.get(&row.number) != Some(row)) {
            self.found.push(Problem::RowMissing { stream, number: row.number });
        }
        for row in listed.iter().filter(|row| !walked_rows.contains_key(&row.number)) {
            self.found.push(Problem::FragmentMissing { stream, number: row.number });
        }
    }

    /// Reads the whole file for the footer's CRC and the trailer's hash.
    fn check_file(&mut self, file: &dyn VolumeFile, footer: &Footer) -> Result<(), VolumeError> {
        if let Err(error) = footer.check_crc(file) {
            self.footer(error)?;
        }
        let Some(hash) = footer.hash() else { return Ok(()) };
        let mut hasher = VolumeHasher::new();
        let end = footer.trailer_offset();
        let mut bytes = vec![0; 1 << 20];
        while hasher.len() < end {
            let len = (end - hasher.len()).min(bytes.len() as u64) as usize;
            file.read_exact_at(&mut bytes[..len], hasher.len())?;
            hasher.update(&bytes[..len]);
        }
        if hasher.finish() != hash {
            self.found.push(Problem::Hash);
        }
        Ok(())
    }

    /// Opens every fragment. Returns how many could not be, because their key is gone.
    fn check_fragments(
        &mut self,
        file: &dyn VolumeFile,
        header: &VolumeHeader,
        walk: &Walk,
        keys: &dyn DataKeys,
    ) -> Result<u64, VolumeError> {
        let mut opened = HashMap::new();
        for wrapped in &walk.keys {
            let key = keys.data_key(wrapped);
            opened.insert((wrapped.stream, wrapped.generation), key);
        }
        let mut shredded_count = 0;
        for PlacedRow { stream, row } in &walk.fragments {
            let result = match opened.get(&(*stream, row.key_generation)) {
                Some(Ok(Some(key))) => {
                    read_fragment(file, header.uuid, *stream, row, key, Via::Cache).map(drop)
                }
                Some(Err(error)) => Err(error.clone().into()),
                Some(Ok(None)) => {
                    shredded_count += 1;
                    Ok(())
                }
                // Already noted when the batches were checked.
                None => Ok(()),
            };
            match result {
                Ok(()) => {}
                Err(VolumeError::Io(error)) => return Err(error.into()),
                Err(error) => self.found.push(Problem::Unreadable {
                    stream: *stream,
                    number: row.number,
                    reason: error.to_string(),
                }),
            }
        }
        Ok(shredded_count)
    }
}

fn key_order(key: WrappedDataKey) -> (StreamId, u32, u32, [u8; 64]) {
    (key.stream, key.generation, key.stream_key_generation, key.key.0)
}

/// Whether `order`, or the rows' own order when there is none, sorts rows by producer timestamp.
fn is_producer_order(rows: &[FragmentRow], order: Option<Vec<u32>>) -> bool {
    let order = order.unwrap_or_else(|| (0..rows.len() as u32).collect());
    let distinct: BTreeSet<_> = order.iter().collect();
    let in_order = order.iter().map(|index| rows.get(*index as usize));
    distinct.len() == rows.len()
        && in_order.clone().all(|row| row.is_some())
        && in_order.flatten().is_sorted_by_key(|row| row.producer_timestamp)
}

#[cfg(test)]
mod tests;
