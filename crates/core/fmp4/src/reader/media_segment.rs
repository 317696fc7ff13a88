//! Media segments and parts.

use std::ops::Range;

use super::Fault;
use super::body::Body;
use crate::Sample;

/// What a media segment holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaSegment {
    /// Compatible brands of `styp`; empty without one.
    pub brands: Vec<[u8; 4]>,
    /// NTP time and media time of `prft`.
    pub producer_reference: Option<(u64, u64)>,
    /// Of `mfhd`.
    pub sequence_number: u32,
    /// Of `tfdt`.
    pub base_media_decode_time: u64,
    /// In order; together they fill the payload.
    pub samples: Vec<Sample>,
    /// Where the payload of `mdat` lies in the input.
    pub payload: Range<usize>,
}

/// Reads one media segment: `[styp] [prft] moof mdat`.
pub fn read_media_segment(bytes: &[u8]) -> Result<MediaSegment, Fault> {
    let mut file = Body::file(bytes);
    let brands = match file.optional(b"styp")? {
        Some(styp) => styp.brands()?,
        None => Vec::new(),
    };
    let mut producer_reference = None;
    if let Some(mut prft) = file.optional(b"prft")? {
        prft.expect_version(1, 24)?;
        prft.require(prft.u32()? == 1, "reference_track_ID is not 1")?;
        producer_reference = Some((prft.u64()?, prft.u64()?));
        prft.end()?;
    }
    let moof_start = file.position;
    let mut moof = file.expect(b"moof")?;
    let moof_len = file.position - moof_start;
    let mdat = file.expect(b"mdat")?;
    file.end()?;
    let payload = mdat.position..mdat.position + mdat.rest.len();

    let mut mfhd = moof.expect(b"mfhd")?;
    mfhd.expect_version(0, 0)?;
    let sequence_number = mfhd.u32()?;
    mfhd.end()?;
    let mut traf = moof.expect(b"traf")?;
    moof.end()?; // one traf
    let defaults = Defaults::read(traf.expect(b"tfhd")?)?;
    let mut tfdt = traf.expect(b"tfdt")?;
    tfdt.expect_version(1, 0)?;
    let base_media_decode_time = tfdt.u64()?;
    tfdt.end()?;
    let trun = traf.expect(b"trun")?;
    traf.end()?; // one run
    let samples = run(trun, &defaults, payload.start - moof_start)?;

    mdat.require(moof_len <= 4 + 16 * samples.len() + 200, "moof is too long")?;
    let total: u64 = samples.iter().map(|sample| u64::from(sample.size)).sum();
    mdat.require(total == payload.len() as u64, "the samples do not fill the payload")?;
    let segment = MediaSegment {
        brands,
        producer_reference,
        sequence_number,
        base_media_decode_time,
        samples,
        payload,
    };
    let end = segment.end_decode_time().filter(|&end| i64::try_from(end).is_ok());
    tfdt.require(end.is_some(), "decode times do not fit in 63 bits")?;
    Ok(segment)
}

impl MediaSegment {
    /// Where the next segment of a contiguous run begins; `None` on overflow.
    pub fn end_decode_time(&self) -> Option<u64> {
        let duration: u64 = self.samples.iter().map(|sample| u64::from(sample.duration)).sum();
        self.base_media_decode_time.checked_add(duration)
    }

    /// The earliest presentation time: equals [`Self::base_media_decode_time`] in a segment made by
    /// packaging.md §2.2.
    pub fn earliest_presentation_time(&self) -> i64 {
        let mut decode_time = self.base_media_decode_time as i64;
        let mut earliest = i64::MAX;
        for sample in &self.samples {
            earliest = earliest.min(decode_time + i64::from(sample.composition_offset));
            decode_time += i64::from(sample.duration);
        }
        earliest
    }

    /// The first sample is sync and no other.
    pub fn only_first_is_sync(&self) -> bool {
        let mut samples = self.samples.iter();
        samples.next().is_some_and(|first| first.is_sync) && !samples.any(|sample| sample.is_sync)
    }
}

/// What `tfhd` says for all samples.
struct Defaults {
    duration: Option<u32>,
    is_sync: bool,
}

impl Defaults {
    fn read(mut tfhd: Body<'_>) -> Result<Self, Fault> {
        let (version, flags) = tfhd.version_and_flags()?;
        // default-base-is-moof and default flags always, the default duration sometimes.
        tfhd.require(version == 0 && flags & !8 == 0x02_0020, "illegal flags")?;
        tfhd.require(tfhd.u32()? == 1, "track_ID is not 1")?;
        let duration = if flags & 8 == 0 { None } else { Some(tfhd.u32()?) };
        let is_sync = is_sync(&mut tfhd)?;
        tfhd.end()?;
        Ok(Self { duration, is_sync })
    }
}

/// sample_flags: sync and independent, or neither.
fn is_sync(body: &mut Body<'_>) -> Result<bool, Fault> {
    match body.u32()? {
        0x0200_0000 => Ok(true),
        0x0101_0000 => Ok(false),
        _ => Err(body.fault("illegal sample flags")),
    }
}

/// `data_offset`: where the payload begins, counted from the start of `moof`.
fn run(mut trun: Body<'_>, defaults: &Defaults, data_offset: usize) -> Result<Vec<Sample>, Fault> {
    let (version, flags) = trun.version_and_flags()?;
    let legal = version == 1 && flags & !0xf05 == 0 && flags & 0x201 == 0x201;
    trun.require(legal && flags & 0x404 != 0x404, "illegal flags")?;
    let told_once = defaults.duration.is_some() != (flags & 0x100 != 0);
    trun.require(told_once, "durations are told twice or not at all")?;
    let count = trun.u32()? as usize;
    trun.require(count > 0, "no samples")?;
    trun.require(trun.u32()? as usize == data_offset, "data_offset is not the payload's")?;
    let mut first_is_sync = None;
    if flags & 4 != 0 {
        first_is_sync = Some(is_sync(&mut trun)?);
    }
    let row_len = 4 * (flags & 0xf00).count_ones() as usize;
    let fits = count.checked_mul(row_len) == Some(trun.rest.len());
    trun.require(fits, "the rows do not fill the box")?;
    let mut samples = Vec::with_capacity(count);
    for index in 0..count {
        let duration = match defaults.duration {
            Some(duration) => duration,
            None => trun.u32()?,
        };
        trun.require(duration > 0, "a sample without duration")?;
        let size = trun.u32()?;
        let is_sync = match first_is_sync {
            _ if flags & 0x400 != 0 => is_sync(&mut trun)?,
            Some(is_sync) if index == 0 => is_sync,
            _ => defaults.is_sync,
        };
        let composition_offset = if flags & 0x800 == 0 { 0 } else { trun.u32()? as i32 };
        samples.push(Sample { size, duration, composition_offset, is_sync });
    }
    trun.end()?;
    // What is written once when it can be is not written for each.
    let all = |holds: &dyn Fn(&Sample) -> bool| samples.iter().all(holds);
    let needless = flags & 0x100 != 0 && all(&|sample| sample.duration == samples[0].duration)
        || flags & 0x800 != 0 && all(&|sample| sample.composition_offset == 0)
        || flags & 0x400 != 0 && all(&|sample| sample.is_sync == samples[0].is_sync);
    trun.require(!needless, "a column that is the same in all rows")?;
    Ok(samples)
}
