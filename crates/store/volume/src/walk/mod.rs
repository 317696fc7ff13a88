//! Walking a volume that was not sealed: what in it is valid, where it ends, what was lost.
//!
//! Records say nothing about being acknowledged; the *durable floor* does. It is the largest of
//! every `durable_upto` seen, the position of an intact footer head and what the caller knows
//! (the catalog's `indexed_upto`). All before the floor was synced once:
//!
//! - What is invalid **at or after the floor** is a torn tail. The first such batch ends the
//!   volume: nothing behind it was acknowledged. Batches at or after the floor count as valid
//!   only with intact payloads, since the header may have reached the medium without them.
//! - What is invalid **before the floor** is damage. The walk goes on at the next batch header,
//!   and saves the records in between that are intact by their own checksums.
//!
//! The floor is known only after the whole file was looked at: a batch behind a hole may carry a
//! `durable_upto` that makes the hole damage. So the walk reads on to the end of the file first
//! and decides then.

mod salvage;
mod scan;
#[cfg(test)]
mod tests;
mod window;

use std::io;
use std::ops::Range;

use streamkeep_io::{BLOCK_LEN, VolumeFile};
use streamkeep_keys::WrappedDataKey;
use streamkeep_media::{FragmentNumber, StreamId};

use self::scan::Found;
pub(crate) use self::scan::Scanner;
use crate::record::FragmentRecord;
use crate::{BatchHeader, FooterBuilder, FooterHead, PlacedRow, VolumeError, VolumeHeader};

/// How to walk.
#[derive(Clone, Copy, Debug)]
pub struct WalkOptions {
    /// What the caller knows to be durable: the walk raises it by what it finds.
    pub floor: u64,
    /// Which payloads are read and checked.
    pub payload: PayloadCheck,
    /// Whether space that was never written is read.
    pub holes: Holes,
}

impl Default for WalkOptions {
    /// As recovery walks: floor 0, unsettled payloads, holes skipped.
    fn default() -> Self {
        Self { floor: 0, payload: PayloadCheck::Unsettled, holes: Holes::Skip }
    }
}

/// Which payloads a walk reads and checks by their CRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadCheck {
    /// Those of batches that reach past the floor: needed to tell a torn batch.
    Unsettled,
    /// All.
    All,
}

/// Whether the file system's word on unwritten space is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holes {
    /// Skip it: a preallocated volume is mostly that.
    Skip,
    /// Read everything, as the offline tools do: file systems have been wrong about holes.
    Read,
}

/// What a walk found. Fragments, keys and batches are in file order.
#[derive(Debug)]
pub struct Walk {
    /// Intact fragments.
    pub fragments: Vec<PlacedRow>,
    /// Intact data keys.
    pub keys: Vec<WrappedDataKey>,
    /// Intact batches.
    pub batches: Vec<BatchHeader>,
    /// Where the valid part ends: the place for a footer, on a block boundary, and so up to a
    /// block behind the end of a file that was cut. **Never append a batch here**: what is behind
    /// may not be empty.
    pub valid_end: u64,
    /// The durable floor, after all that was found.
    pub floor: u64,
    /// How the volume ends.
    pub tail: Tail,
    /// What was lost before the floor.
    pub damage: Vec<Damage>,
}

/// What lies at [`Walk::valid_end`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// No trace of a batch.
    Unwritten,
    /// Traces of batches that were never acknowledged.
    Torn,
    /// A footer: the volume was being sealed, or is.
    Footer(FooterHead),
}

/// A range of the file before the floor that fails its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where.
    pub range: Range<u64>,
    /// Fragments in the range that are intact all the same; they are among
    /// [`Walk::fragments`].
    pub salvaged: u64,
    /// Fragments in the range of which only the header is intact. There may be others.
    pub lost: Vec<LostFragment>,
}

/// A fragment whose payload is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostFragment {
    /// Whose fragment it was.
    pub stream: StreamId,
    /// Which.
    pub number: FragmentNumber,
    /// Where its record starts.
    pub offset: u64,
}

/// Walks the batches of a volume. Reads headers only, and the payloads that `options` ask for.
///
/// # Errors
///
/// [`VolumeError::Io`] when the medium cannot be read where it matters: an unreadable block before
/// the floor counts as damage, but one at or after it might hide acknowledged fragments, so the
/// volume's end cannot be told. Leave such a volume as it is.
pub fn walk(
    file: &dyn VolumeFile,
    volume: &VolumeHeader,
    options: &WalkOptions,
) -> Result<Walk, VolumeError> {
    let file_len = file.len()?;
    let mut scanner = Scanner::new(file, volume.uuid, file_len, options.holes);
    let (segments, footer) = find_segments(&mut scanner)?;
    let floor = segments
        .iter()
        .filter_map(|segment| segment.header.map(|header| header.durable_upto))
        .chain(footer.map(|head| head.offset))
        .fold(options.floor, u64::max);
    let mut walk = Walk {
        fragments: Vec::new(),
        keys: Vec::new(),
        batches: Vec::new(),
        valid_end: VolumeHeader::LEN,
        floor,
        tail: footer.map_or(Tail::Unwritten, Tail::Footer),
        damage: Vec::new(),
    };
    for segment in segments {
        if segment.range.end > floor && !walk.is_whole(&mut scanner, &segment)? {
            if segment.range.start >= floor {
                walk.tail = if segment.is_trace { Tail::Torn } else { Tail::Unwritten };
                break;
            }
            walk.salvage(&mut scanner, segment.range)?;
        } else if segment.is_batch {
            walk.accept(&mut scanner, segment, options.payload)?;
        } else {
            walk.salvage(&mut scanner, segment.range)?;
        }
    }
    // An unreadable block behind the end may be the header of a batch that says otherwise.
    if let Some((offset, error)) = scanner.unreadable.take()
        && offset >= walk.valid_end
        && !matches!(walk.tail, Tail::Footer(_))
    {
        return Err(error.into());
    }
    if walk.valid_end < floor {
        // The file is shorter than what was durable.
        let range = walk.valid_end..floor;
        walk.damage.push(Damage { range, salvaged: 0, lost: Vec::new() });
    }
    Ok(walk)
}

/// A batch, or what lies between two batches.
#[derive(Debug)]
struct Segment {
    range: Range<u64>,
    /// All headers are intact.
    is_batch: bool,
    /// There are signs of this volume's writing.
    is_trace: bool,
    /// The batch header, intact by itself.
    header: Option<BatchHeader>,
    fragments: Vec<FragmentRecord>,
    keys: Vec<WrappedDataKey>,
}

/// Divides the file, from the volume header to a footer or the end of the file, into batches and
/// what is between them.
fn find_segments(
    scanner: &mut Scanner<'_>,
) -> Result<(Vec<Segment>, Option<FooterHead>), VolumeError> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut position = VolumeHeader::LEN;
    while position < scanner.file_len {
        let mut segment = Segment {
            range: position..position,
            is_batch: false,
            is_trace: false,
            header: None,
            fragments: Vec::new(),
            keys: Vec::new(),
        };
        match scanner.find_at(position)? {
            Found::Footer(head) => return Ok((segments, Some(head))),
            Found::Batch { header, fragments, keys } => {
                segment = Segment { is_batch: true, fragments, keys, ..segment };
                segment.header = Some(header);
                segment.range.end = header.end();
            }
            Found::BrokenBatch(header) => {
                segment.header = Some(header);
                segment.range.end = header.end().min(scanner.file_len);
            }
            Found::Nothing => {
                let next = scanner.find_next(position + BLOCK_LEN)?;
                segment.range.end = next.unwrap_or(scanner.file_len);
                segment.is_trace = next.is_some() || scanner.has_trace_at(position)?;
            }
        }
        segment.is_trace |= segment.header.is_some();
        position = segment.range.end;
        segments.push(segment);
    }
    Ok((segments, None))
}

impl Walk {
    /// A footer builder that holds all that was found.
    pub fn into_footer_builder(self, volume: &VolumeHeader) -> FooterBuilder {
        let mut builder = FooterBuilder::new(*volume);
        for placed in self.fragments {
            builder.add_fragment(placed);
        }
        for key in self.keys {
            builder.add_key(key);
        }
        for damage in self.damage {
            builder.add_damage(damage.range);
        }
        builder
    }

    /// Whether a segment is a batch with all its payloads.
    fn is_whole(&self, scanner: &mut Scanner<'_>, segment: &Segment) -> Result<bool, VolumeError> {
        if !segment.is_batch {
            return Ok(false);
        }
        for record in &segment.fragments {
            match scanner.payload_is_intact(record) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Takes a batch.
    fn accept(
        &mut self,
        scanner: &mut Scanner<'_>,
        segment: Segment,
        payload: PayloadCheck,
    ) -> Result<(), VolumeError> {
        let is_settled = segment.range.end <= self.floor;
        for record in segment.fragments {
            // Those of unsettled batches were checked to get here.
            let check = is_settled && payload == PayloadCheck::All;
            if check && !intact_or_unreadable(scanner.payload_is_intact(&record))? {
                self.damage.push(Damage {
                    range: record.row.location.offset
                        ..record.row.location.offset + u64::from(record.row.location.record_len),
                    salvaged: 0,
                    lost: vec![LostFragment::of(&record)],
                });
            } else {
                self.fragments.push(PlacedRow { stream: record.stream, row: record.row });
            }
        }
        self.keys.extend(segment.keys);
        self.batches.extend(segment.header);
        self.valid_end = segment.range.end;
        Ok(())
    }

    /// Takes what is intact of a damaged range.
    fn salvage(&mut self, scanner: &mut Scanner<'_>, range: Range<u64>) -> Result<(), VolumeError> {
        let found = salvage::salvage(scanner, range.clone())?;
        let salvaged = found.fragments.len() as u64;
        self.fragments.extend(found.fragments);
        self.keys.extend(found.keys);
        // Behind the last batch the range reaches to the end of the file: the part of it that was
        // durable once, or holds records, is the volume's.
        self.valid_end = if range.end == scanner.file_len {
            let used = self.floor.max(found.end).min(range.end);
            used.next_multiple_of(BLOCK_LEN)
        } else {
            range.end
        };
        let range = range.start..self.valid_end;
        self.damage.push(Damage { range, salvaged, lost: found.lost });
        Ok(())
    }
}

impl LostFragment {
    fn of(record: &FragmentRecord) -> Self {
        let row = &record.row;
        Self { stream: record.stream, number: row.number, offset: row.location.offset }
    }
}

/// Before the floor, what cannot be read is lost like what is damaged.
fn intact_or_unreadable(result: io::Result<bool>) -> Result<bool, VolumeError> {
    match result {
        Err(error) if scan::is_medium_error(&error) => Ok(false),
        result => Ok(result?),
    }
}
