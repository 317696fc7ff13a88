//! The sample tables of a progressive file: `stbl` behind `stsd`.

use super::Fault;
use super::body::Body;
use crate::Sample;

/// The samples of a track and the chunks they lie in.
pub(super) struct SampleTables {
    pub(super) samples: Vec<Sample>,
    pub(super) chunks: Vec<Chunk>,
    /// Ticks of all samples.
    pub(super) duration: u64,
    /// The latest composition time and its sample's duration.
    pub(super) composition_end: i64,
}

pub(super) struct Chunk {
    pub(super) offset: u64,
    pub(super) sample_count: u32,
    /// From 0.
    pub(super) sample_entry_index: usize,
}

/// `media_len` bounds the number of samples that all have one size.
pub(super) fn read(
    mut stbl: Body<'_>,
    sample_entry_count: usize,
    media_len: u64,
) -> Result<SampleTables, Fault> {
    let stts = stbl.expect(b"stts")?;
    let ctts = stbl.optional(b"ctts")?;
    let cslg = stbl.optional(b"cslg")?;
    let stss = stbl.optional(b"stss")?;
    let stsc = stbl.expect(b"stsc")?;
    let stsz = stbl.expect(b"stsz")?;
    let co64 = stbl.expect(b"co64")?;
    stbl.end()?;

    let mut samples = sizes(stsz, media_len)?;
    let mut duration = 0u64;
    runs(stts, 0, &mut samples, |sample, ticks| {
        duration += u64::from(ticks); // at most 2^32 samples of 2^32 ticks
        sample.duration = ticks;
        ticks > 0
    })?;
    if let Some(ctts) = ctts {
        let mut any = false;
        runs(ctts, 1, &mut samples, |sample, offset| {
            any |= offset != 0;
            sample.composition_offset = offset as i32;
            true
        })?;
        ctts.require(any, "all composition offsets are 0")?;
    }
    if let Some(stss) = stss {
        sync_samples(stss, &mut samples)?;
    }
    let composition_end = composition(&stbl, cslg, &samples)?;
    let chunks = chunks(stsc, co64, sample_entry_count, samples.len())?;
    Ok(SampleTables { samples, chunks, duration, composition_end })
}

fn sizes(mut stsz: Body<'_>, media_len: u64) -> Result<Vec<Sample>, Fault> {
    stsz.expect_version(0, 0)?;
    let uniform = stsz.u32()?;
    let of_size = |size| Sample { size, duration: 0, composition_offset: 0, is_sync: true };
    let count;
    let mut samples = Vec::new();
    if uniform == 0 {
        count = stsz.row_count(4)?;
        for _ in 0..count {
            samples.push(of_size(stsz.u32()?));
        }
    } else {
        count = stsz.u32()? as usize;
        let fits = u64::from(uniform) * count as u64 <= media_len;
        stsz.require(fits, "the samples are larger than mdat")?;
        samples.resize(count, of_size(uniform));
    }
    stsz.require(count > 0, "no samples")?;
    stsz.end()?;
    Ok(samples)
}

/// A run-length coded table that covers all samples. `set` tells whether the value is legal.
fn runs(
    mut table: Body<'_>,
    version: u8,
    samples: &mut [Sample],
    mut set: impl FnMut(&mut Sample, u32) -> bool,
) -> Result<(), Fault> {
    table.expect_version(version, 0)?;
    let run_count = table.row_count(8)?;
    let mut left = samples.iter_mut();
    let mut last_value = None;
    for _ in 0..run_count {
        let (count, value) = (table.u32()?, table.u32()?);
        table.require(count > 0 && last_value != Some(value), "runs that could be one")?;
        last_value = Some(value);
        table.require(count as usize <= left.len(), "more rows than samples")?;
        let mut legal = true;
        for sample in left.by_ref().take(count as usize) {
            legal &= set(sample, value);
        }
        table.require(legal, "a sample without duration")?;
    }
    table.require(left.len() == 0, "fewer rows than samples")
}

fn sync_samples(mut stss: Body<'_>, samples: &mut [Sample]) -> Result<(), Fault> {
    stss.expect_version(0, 0)?;
    let count = stss.row_count(4)?;
    stss.require(count < samples.len(), "all samples are sync: no table is needed")?;
    samples.iter_mut().for_each(|sample| sample.is_sync = false);
    let mut last = 0;
    for _ in 0..count {
        let number = stss.u32()?;
        stss.require(number > last, "sample numbers do not rise")?;
        last = number;
        let sample = samples.get_mut(number as usize - 1).ok_or(stss.fault("no such sample"))?;
        sample.is_sync = true;
    }
    Ok(())
}

/// Checks `cslg` against the samples; gives the composition end.
fn composition(stbl: &Body<'_>, cslg: Option<Body<'_>>, samples: &[Sample]) -> Result<i64, Fault> {
    let offsets = || samples.iter().map(|sample| i64::from(sample.composition_offset));
    let (least, greatest) = (offsets().min().unwrap_or(0), offsets().max().unwrap_or(0));
    let (mut time, mut start, mut end) = (0i64, i64::MAX, i64::MIN);
    for sample in samples {
        let shown = time.saturating_add(sample.composition_offset.into());
        start = start.min(shown);
        end = end.max(shown.saturating_add(sample.duration.into()));
        time = time.saturating_add(sample.duration.into());
    }
    match cslg {
        None => stbl.require(least >= 0, "negative offsets without cslg")?,
        Some(mut cslg) => {
            cslg.require(least < 0, "cslg without negative offsets")?;
            cslg.expect_version(1, 0)?;
            for expected in [-least, least, greatest, start, end] {
                cslg.require(cslg.u64()? as i64 == expected, "not what the samples say")?;
            }
            cslg.end()?;
        }
    }
    Ok(end)
}

fn chunks(
    mut stsc: Body<'_>,
    mut co64: Body<'_>,
    sample_entry_count: usize,
    sample_count: usize,
) -> Result<Vec<Chunk>, Fault> {
    co64.expect_version(0, 0)?;
    let chunk_count = co64.row_count(8)?;
    stsc.expect_version(0, 0)?;
    let run_count = stsc.row_count(12)?;
    let mut chunks = Vec::new();
    let mut next_run = Some(stsc.u32()).filter(|_| run_count > 0).transpose()?;
    stsc.require(next_run == Some(1), "the first run is not of the first chunk")?;
    let (mut left, mut last_row) = (sample_count, None);
    for _ in 0..run_count {
        let row = (stsc.u32()?, stsc.u32()?);
        let (samples_per_chunk, description) = row;
        stsc.require(last_row != Some(row), "runs that could be one")?;
        last_row = Some(row);
        let known = (1..=sample_entry_count).contains(&(description as usize));
        stsc.require(known, "no such sample entry")?;
        stsc.require(samples_per_chunk > 0, "a chunk without samples")?;
        next_run = if stsc.rest.is_empty() { None } else { Some(stsc.u32()?) };
        let end = next_run.map_or(chunk_count, |first| first as usize - usize::from(first > 0));
        stsc.require((chunks.len() + 1..=chunk_count).contains(&end), "runs out of order")?;
        while chunks.len() < end {
            left = left
                .checked_sub(samples_per_chunk as usize)
                .ok_or(stsc.fault("more samples in chunks than there are"))?;
            let sample_entry_index = description as usize - 1;
            let offset = co64.u64()?;
            chunks.push(Chunk { offset, sample_count: samples_per_chunk, sample_entry_index });
        }
    }
    stsc.require(left == 0, "samples that are in no chunk")?;
    Ok(chunks)
}
