//! stbl: where the samples of a plain file are and when (ISO/IEC 14496-12 §8.5 to §8.7).

use super::boxes::{Fields, be_u32, broken, child, descend};
use crate::Error;

/// One sample, in ticks of its track's timescale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) offset: u64,
    pub(super) len: u32,
    pub(super) decode_time: u64,
    pub(super) composition_offset: i32,
    /// A sync sample, by the file's claim.
    pub(super) sync: bool,
}

/// All samples, in decode order. Every one lies within the file.
pub(super) fn samples(stbl: &[u8], file_len: u64) -> Result<Vec<Sample>, Error> {
    let (mut fields, _, _) = Fields::full(descend(stbl, &[b"stsz"])?, "stbl/stsz")?;
    let constant_len = fields.u32()?;
    let lens = match constant_len {
        0 => fields.table(4)?,
        _ => &[],
    };
    let count = match constant_len {
        0 => lens.len() / 4,
        len => {
            // Only as many as the file could hold.
            let count = fields.u32()?;
            if u64::from(count) * u64::from(len) > file_len {
                return Err(broken("stbl/stsz", "more samples than the file can hold"));
            }
            count as usize
        }
    };
    let mut times = runs(stbl, b"stts", "stbl/stts")?;
    let mut composition = match child(stbl, b"ctts") {
        Some(_) => runs(stbl, b"ctts", "stbl/ctts")?,
        None => Runs::none(),
    };
    let sync = match child(stbl, b"stss") {
        Some(stss) => Some(Fields::full(stss, "stbl/stss")?.0.table(4)?),
        None => None, // every sample is
    };
    let mut sync_numbers = sync.unwrap_or_default().chunks_exact(4).map(be_u32).peekable();
    let mut decode_time = 0u64;
    let mut samples = Vec::new();
    let mut index = 0usize;
    for_each_chunk(stbl, |chunk_offset, samples_in_chunk| {
        let mut offset = chunk_offset;
        for _ in 0..samples_in_chunk {
            if index == count {
                return Ok(());
            }
            let len = match constant_len {
                0 => be_u32(&lens[4 * index..]),
                len => len,
            };
            let end = offset.checked_add(len.into()).filter(|end| *end <= file_len);
            let end = end.ok_or_else(|| broken("stbl", "a sample lies outside the file"))?;
            let number = index as u32 + 1;
            while sync_numbers.next_if(|next| *next < number).is_some() {}
            samples.push(Sample {
                offset,
                len,
                decode_time,
                composition_offset: composition.next().unwrap_or(0) as i32,
                sync: sync.is_none() || sync_numbers.peek() == Some(&number),
            });
            decode_time = decode_time.saturating_add(times.next().unwrap_or(0).into());
            offset = end;
            index += 1;
        }
        Ok(())
    })?;
    Ok(samples)
}

/// Walks chunks with their offset and number of samples (`stsc`, `stco`, `co64`).
fn for_each_chunk(
    stbl: &[u8],
    mut visit: impl FnMut(u64, u32) -> Result<(), Error>,
) -> Result<(), Error> {
    let (offsets, width) = match (child(stbl, b"stco"), child(stbl, b"co64")) {
        (Some(stco), _) => (Fields::full(stco, "stbl/stco")?.0.table(4)?, 4),
        (None, Some(co64)) => (Fields::full(co64, "stbl/co64")?.0.table(8)?, 8),
        (None, None) => return Err(broken("stbl/stco", "missing")),
    };
    let stsc = Fields::full(descend(stbl, &[b"stsc"])?, "stbl/stsc")?.0.table(12)?;
    let mut runs =
        stsc.chunks_exact(12).map(|entry| (be_u32(entry), be_u32(&entry[4..]))).peekable();
    let mut samples_per_chunk = 0;
    for (index, offset) in offsets.chunks_exact(width).enumerate() {
        let number = index as u64 + 1;
        while let Some((_, samples)) = runs.next_if(|(first, _)| u64::from(*first) <= number) {
            samples_per_chunk = samples;
        }
        let offset = offset.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
        visit(offset, samples_per_chunk)?;
    }
    Ok(())
}

/// A table of runs (count, value), unrolled.
struct Runs<'a> {
    entries: std::slice::ChunksExact<'a, u8>,
    left: u32,
    value: u32,
}

fn runs<'a>(stbl: &'a [u8], kind: &[u8; 4], name: &'static str) -> Result<Runs<'a>, Error> {
    let table = Fields::full(descend(stbl, &[kind])?, name)?.0.table(8)?;
    Ok(Runs { entries: table.chunks_exact(8), left: 0, value: 0 })
}

impl Runs<'_> {
    fn none() -> Self {
        Self { entries: [].chunks_exact(8), left: 0, value: 0 }
    }
}

impl Iterator for Runs<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        while self.left == 0 {
            let entry = self.entries.next()?;
            (self.left, self.value) = (be_u32(entry), be_u32(&entry[4..]));
        }
        self.left -= 1;
        Some(self.value)
    }
}
