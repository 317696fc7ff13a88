//! Progressive files.

use std::ops::Range;

use super::body::Body;
use super::init::mvhd_tail;
use super::sample_tables::{self, SampleTables};
use super::{Fault, Track, track};
use crate::Sample;

/// What a progressive file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movie {
    /// Compatible brands.
    pub brands: Vec<[u8; 4]>,
    /// Seconds since 1904; 0 when not told.
    pub creation_time: u64,
    /// Ticks per second of the movie.
    pub timescale: u32,
    /// Ticks of the movie.
    pub duration: u64,
    /// In order of their track_ID, which counts from 1.
    pub tracks: Vec<TrackSamples>,
    /// Where the payload of `mdat` lies in the file.
    pub payload: Range<u64>,
}

/// A track with its samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackSamples {
    /// Its headers.
    pub track: Track,
    /// In decode order.
    pub samples: Vec<PlacedSample>,
}

/// A sample and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacedSample {
    /// The sample.
    pub sample: Sample,
    /// Bytes from the start of the file.
    pub offset: u64,
    /// Index into [`Track::sample_entries`].
    pub sample_entry_index: usize,
}

/// Reads the head of a progressive file of `total_len` bytes: all up to the header of `mdat`,
/// which is the last box; what follows that header in `head` is not looked at. `total_len` bounds
/// the number of samples.
pub fn read_movie(head: &[u8], total_len: u64) -> Result<Movie, Fault> {
    let mut file = Body::file(head);
    let brands = file.expect(b"ftyp")?.brands()?;
    let mut moov = file.expect(b"moov")?;
    let payload = media_data(file, total_len)?;
    let media_len = payload.end - payload.start;

    let mut mvhd = moov.expect(b"mvhd")?;
    mvhd.expect_version(1, 0)?;
    let creation_time = mvhd.u64()?;
    mvhd.u64()?; // modification_time
    let timescale = mvhd.u32()?;
    mvhd.require(timescale >= 1000, "the timescale is below 1000")?;
    let duration = mvhd.u64()?;

    let (mut tracks, mut chunks) = (Vec::new(), Vec::new());
    while !moov.rest.is_empty() {
        let head = track::read(moov.expect(b"trak")?, 1)?;
        let (track, stbl) = (head.track, head.stbl);
        let tables = sample_tables::read(stbl, track.sample_entries.len(), media_len)?;
        let in_order = track.track_id as usize == tracks.len() + 1;
        stbl.require(in_order, "track_IDs do not count from 1")?;
        check_durations(&stbl, &track, &tables, timescale)?;
        tracks.push(TrackSamples { samples: place(&stbl, &tables, &mut chunks)?, track });
    }
    mvhd_tail(&mut mvhd, tracks.len() as u32 + 1)?;
    let longest = tracks.iter().map(|track| track.track.presentation_duration).max();
    mvhd.require(longest == Some(duration), "the duration is not that of the longest track")?;

    chunks.sort_unstable();
    let mut position = payload.start;
    for (offset, len) in chunks {
        moov.require(offset == position, "chunks leave a gap or overlap")?;
        position = position.checked_add(len).ok_or(moov.fault("offsets overflow"))?;
    }
    moov.require(position == payload.end, "chunks do not fill the payload")?;
    Ok(Movie { brands, creation_time, timescale, duration, tracks, payload })
}

/// The header of `mdat`, which must end with the file.
fn media_data(mut file: Body<'_>, total_len: u64) -> Result<Range<u64>, Fault> {
    let start = file.position as u64;
    file.require(file.peek_kind() == Some(*b"mdat"), "mdat is expected here")?;
    let len = file.u32()?;
    file.four_cc()?;
    let len = if len == 1 { file.u64()? } else { len.into() };
    let end = start.checked_add(len).filter(|&end| end == total_len);
    let end = end.ok_or(file.fault("mdat does not end with the file"))?;
    let payload = file.position as u64..end;
    file.require(payload.start <= payload.end, "mdat is shorter than its header")?;
    Ok(payload)
}

fn check_durations(
    stbl: &Body<'_>,
    track: &Track,
    tables: &SampleTables,
    movie_timescale: u32,
) -> Result<(), Fault> {
    let media = tables.duration;
    stbl.require(track.media_duration == media, "mdhd is not the sum of the durations")?;
    let presented = if track.edits.is_empty() {
        let ticks = u128::from(media) * u128::from(movie_timescale);
        ticks.div_ceil(track.timescale.into())
    } else {
        track.edits.iter().map(|edit| u128::from(edit.duration)).sum()
    };
    let presented = u64::try_from(presented).unwrap_or(u64::MAX);
    stbl.require(track.presentation_duration == presented, "tkhd is not what is presented")?;
    let inside = track
        .edits
        .iter()
        .filter_map(|edit| edit.media_time)
        .all(|time| i64::try_from(time).is_ok_and(|time| time < tables.composition_end));
    stbl.require(inside, "an edit begins behind the end of the media")
}

/// Gives each sample its place, and adds the chunks as offset and length.
fn place(
    stbl: &Body<'_>,
    tables: &SampleTables,
    chunks: &mut Vec<(u64, u64)>,
) -> Result<Vec<PlacedSample>, Fault> {
    let mut samples = tables.samples.iter();
    let mut placed = Vec::with_capacity(samples.len());
    for chunk in &tables.chunks {
        let mut len = 0;
        for &sample in samples.by_ref().take(chunk.sample_count as usize) {
            let offset = chunk.offset.checked_add(len).ok_or(stbl.fault("offsets overflow"))?;
            let sample_entry_index = chunk.sample_entry_index;
            placed.push(PlacedSample { sample, offset, sample_entry_index });
            len += u64::from(sample.size);
        }
        chunks.push((chunk.offset, len));
    }
    Ok(placed)
}
