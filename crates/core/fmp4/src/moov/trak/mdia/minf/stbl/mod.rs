//! Sample table box: ISO/IEC 14496-12 §8.5.1.

pub(crate) mod co64;
mod cslg;
mod ctts;
pub(crate) mod stsc;
mod stsd;
mod stss;
mod stsz;
mod stts;

use self::co64::OffsetRows;
use crate::SampleEntry;
use crate::box_writer::{BoxWriter, FourCc};
use crate::progressive::TrackTables;

/// Of a fragmented file: the tables that must exist, without entries.
pub(crate) fn write_empty(out: &mut Vec<u8>, entry: &SampleEntry) {
    stsd::write(out, std::slice::from_ref(entry));
    for kind in [b"stts", b"stsc"] {
        write_table(out, kind, 0, 0, |_| {});
    }
    stsz::write_empty(out);
    write_table(out, b"stco", 0, 0, |_| {});
}

/// Of a progressive file. Each table gives its memory back once it is written.
pub(crate) fn write(out: &mut Vec<u8>, entries: &[SampleEntry], tables: TrackTables) -> OffsetRows {
    stsd::write(out, entries);
    stts::write(out, &tables.durations);
    drop(tables.durations);
    if !tables.offsets.is_all(0) {
        ctts::write(out, &tables.offsets);
        if tables.composition.least_offset < 0 {
            cslg::write(out, &tables.composition);
        }
    }
    drop(tables.offsets);
    if tables.sync_samples.len() != tables.sizes.len() {
        stss::write(out, &tables.sync_samples);
    }
    drop(tables.sync_samples);
    stsc::write(out, &tables.chunk_runs);
    stsz::write(out, &tables.sizes);
    drop(tables.sizes);
    co64::write(out, &tables.chunk_offsets)
}

/// A table of `entry_count` rows.
fn write_table(
    out: &mut Vec<u8>,
    kind: &FourCc,
    version: u8,
    entry_count: usize,
    rows: impl FnOnce(&mut Vec<u8>),
) {
    let entry_count = u32::try_from(entry_count).expect("tables are bounded");
    out.put_full_box(kind, version, 0, |out| {
        out.put_u32(entry_count);
        rows(out);
    });
}
