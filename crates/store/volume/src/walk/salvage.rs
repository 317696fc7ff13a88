//! Saving records from a damaged range.

use std::ops::Range;

use streamkeep_keys::WrappedDataKey;

use super::scan::Scanner;
use super::{LostFragment, intact_or_unreadable};
use crate::record::{RECORD_ALIGN, RecordBody};
use crate::{PlacedRow, VolumeError};

/// What was found in a damaged range.
#[derive(Debug, Default)]
pub(super) struct Salvaged {
    pub(super) fragments: Vec<PlacedRow>,
    pub(super) keys: Vec<WrappedDataKey>,
    pub(super) lost: Vec<LostFragment>,
    /// Where the last record found ends; 0 when there was none.
    pub(super) end: u64,
}

/// Looks for records at every place one can start. A record counts when its header is intact,
/// knows the volume and its own place, and the payload matches its CRC.
pub(super) fn salvage(
    scanner: &mut Scanner<'_>,
    range: Range<u64>,
) -> Result<Salvaged, VolumeError> {
    let mut salvaged = Salvaged::default();
    let mut position = range.start;
    while position < range.end {
        let record = match scanner.record_at(position)? {
            Some((record, _)) if record.record_len <= range.end - position => record,
            _ => {
                position += RECORD_ALIGN;
                continue;
            }
        };
        position += record.record_len;
        salvaged.end = position;
        match record.body {
            RecordBody::Fragment(fragment) => {
                if intact_or_unreadable(scanner.payload_is_intact(&fragment))? {
                    let placed = PlacedRow { stream: fragment.stream, row: fragment.row };
                    salvaged.fragments.push(placed);
                } else {
                    salvaged.lost.push(LostFragment::of(&fragment));
                }
            }
            RecordBody::Key(key) => salvaged.keys.push(key),
            RecordBody::Padding => {}
        }
    }
    Ok(salvaged)
}
