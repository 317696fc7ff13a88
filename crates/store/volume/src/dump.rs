//! Listing a volume, for `dump-volume`.

use std::fmt;

use streamkeep_io::VolumeFile;

use crate::record::RecordBody;
use crate::walk::Scanner;
use crate::{
    BatchHeader, Damage, Footer, Holes, PayloadCheck, PlacedRow, RecordHeader, Run, Tail,
    VolumeError, VolumeHash, VolumeHeader, WalkOptions, walk,
};

/// One item of a volume, in file order. `Display` gives one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DumpItem {
    /// The volume header.
    Header(VolumeHeader),
    /// An intact batch; its records follow.
    Batch(BatchHeader),
    /// A record of the batch before.
    Record(RecordHeader),
    /// A damaged range; what was saved of it follows.
    Damage(Damage),
    /// A fragment out of the damaged range before.
    Salvaged(PlacedRow),
    /// Where the batches end, and what comes then.
    End {
        /// Position.
        offset: u64,
        /// What is there.
        tail: Tail,
        /// The durable floor.
        floor: u64,
    },
    /// The footer; its runs follow.
    Footer {
        /// Position.
        offset: u64,
        /// Length of the file.
        volume_len: u64,
        /// Fragments.
        fragment_count: u64,
        /// Hash of all before the trailer.
        hash: Option<VolumeHash>,
    },
    /// A run of the footer.
    Run(Run),
    /// The footer cannot be read; why.
    BadFooter(String),
}

/// Lists a volume: calls `visit` for each item. Reads headers, and payloads only where
/// [`walk`] must; needs no keys.
///
/// # Errors
///
/// When the volume header is not intact, or reading fails.
pub fn dump(file: &dyn VolumeFile, visit: &mut dyn FnMut(DumpItem)) -> Result<(), VolumeError> {
    let header = VolumeHeader::read(file)?;
    visit(DumpItem::Header(header));
    let footer = Footer::open(file, header.uuid);
    let floor = footer.as_ref().map_or(0, Footer::offset);
    let holes = Holes::Read;
    let options = WalkOptions { floor, payload: PayloadCheck::Unsettled, holes };
    let walk = walk(file, &header, &options)?;
    let mut scanner = Scanner::new(file, header.uuid, file.len()?, holes);
    let mut damage = walk.damage.iter().peekable();
    for batch in &walk.batches {
        while let Some(damage) = damage.next_if(|damage| damage.range.start < batch.offset) {
            visit_damage(damage, &walk.fragments, visit);
        }
        visit(DumpItem::Batch(*batch));
        let mut position = batch.offset + crate::BATCH_HEADER_LEN;
        while position < batch.end() {
            let Some((record, _)) = scanner.record_at(position)? else { break };
            position += record.record_len;
            visit(DumpItem::Record(record));
        }
    }
    for damage in damage {
        visit_damage(damage, &walk.fragments, visit);
    }
    visit(DumpItem::End { offset: walk.valid_end, tail: walk.tail, floor: walk.floor });
    match footer {
        Ok(footer) => {
            visit(DumpItem::Footer {
                offset: footer.offset(),
                volume_len: footer.len(),
                fragment_count: footer.fragment_count(),
                hash: footer.hash(),
            });
            for run in footer.runs() {
                visit(DumpItem::Run(run.clone()));
            }
        }
        Err(VolumeError::NotSealed) => {}
        Err(VolumeError::Io(error)) => return Err(error.into()),
        Err(error) => visit(DumpItem::BadFooter(error.to_string())),
    }
    Ok(())
}

fn visit_damage(damage: &Damage, fragments: &[PlacedRow], visit: &mut dyn FnMut(DumpItem)) {
    visit(DumpItem::Damage(damage.clone()));
    for placed in fragments {
        if damage.range.contains(&placed.row.location.offset) {
            visit(DumpItem::Salvaged(placed.clone()));
        }
    }
}

impl fmt::Display for DumpItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(header) => write!(
                f,
                "volume {} {} store {} lane {} epoch {} created {}",
                header.id.file_name(),
                header.uuid,
                header.store,
                header.lane,
                header.owner_epoch,
                header.created
            ),
            Self::Batch(batch) => write!(
                f,
                "{:>12} batch {} of {} bytes, {} records, durable up to {}",
                batch.offset, batch.sequence, batch.len, batch.record_count, batch.durable_upto
            ),
            Self::Record(record) => {
                write!(f, "{:>12}   ", record.offset)?;
                match &record.body {
                    RecordBody::Fragment(fragment) => {
                        write_fragment(f, fragment.stream, &fragment.row)
                    }
                    RecordBody::Key(key) => write!(
                        f,
                        "key {} of stream {} under stream key {}",
                        key.generation, key.stream, key.stream_key_generation
                    ),
                    RecordBody::Padding => write!(f, "padding of {} bytes", record.record_len),
                }
            }
            Self::Damage(damage) => write!(
                f,
                "{:>12} damage up to {}, {} fragments saved, {} known lost",
                damage.range.start,
                damage.range.end,
                damage.salvaged,
                damage.lost.len()
            ),
            Self::Salvaged(placed) => {
                write!(f, "{:>12}   saved ", placed.row.location.offset)?;
                write_fragment(f, placed.stream, &placed.row)
            }
            Self::End { offset, tail, floor } => {
                let tail = match tail {
                    Tail::Unwritten => "nothing",
                    Tail::Torn => "a torn tail",
                    Tail::Footer(_) => "a footer",
                };
                write!(f, "{offset:>12} end of batches, then {tail}; durable up to {floor}")
            }
            Self::Footer { offset, volume_len, fragment_count, hash } => {
                write!(
                    f,
                    "{offset:>12} footer, {fragment_count} fragments, file of {volume_len} bytes"
                )?;
                if let Some(hash) = hash {
                    f.write_str(", BLAKE3 ")?;
                    for byte in hash.blake3 {
                        write!(f, "{byte:02x}")?;
                    }
                    write!(f, ", CRC-64/NVME {:016x}", hash.crc64_nvme.0)?;
                }
                Ok(())
            }
            Self::Run(run) => write!(
                f,
                "{:>12}   run of stream {}: {} fragments, {} bytes, {} to {}, producer time {} \
                 to {}",
                "",
                run.stream,
                run.row_count,
                run.record_bytes,
                run.first_number,
                run.last_number,
                run.producer_min,
                run.producer_end
            ),
            Self::BadFooter(reason) => write!(f, "{:>12} no usable footer: {reason}", ""),
        }
    }
}

fn write_fragment(
    f: &mut fmt::Formatter<'_>,
    stream: streamkeep_media::StreamId,
    row: &crate::FragmentRow,
) -> fmt::Result {
    write!(
        f,
        "fragment {} of stream {stream}: {} bytes, producer time {}, {} ms, {} frames, {}{}key {}",
        row.number,
        row.media_len,
        row.producer_timestamp,
        row.duration_ms,
        row.frame_count,
        if row.starts_with_key { "starts with a key frame, " } else { "" },
        if row.continues_previous { "continues, " } else { "" },
        row.key_generation
    )
}

#[cfg(test)]
mod tests;
