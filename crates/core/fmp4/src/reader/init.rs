//! Initialisation segments.

use super::body::Body;
use super::{Fault, Track, track};

/// What an initialisation segment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitSegment {
    /// Compatible brands.
    pub brands: Vec<[u8; 4]>,
    /// Its track.
    pub track: Track,
}

/// Reads an initialisation segment.
pub fn read_init(bytes: &[u8]) -> Result<InitSegment, Fault> {
    let mut file = Body::file(bytes);
    let brands = file.expect(b"ftyp")?.brands()?;
    let mut moov = file.expect(b"moov")?;
    file.end()?;
    let mut mvhd = moov.expect(b"mvhd")?;
    mvhd.expect_version(0, 0)?;
    mvhd.zeros(8)?;
    let timescale = mvhd.u32()?;
    mvhd.require(timescale > 0, "the timescale is 0")?;
    mvhd.zeros(4)?; // duration
    mvhd_tail(&mut mvhd, 2)?;

    let head = track::read(moov.expect(b"trak")?, 0)?;
    let (track, mut stbl) = (head.track, head.stbl);
    stbl.require(track.track_id == 1, "track_ID is not 1")?;
    stbl.require(track.timescale == timescale, "mvhd has another timescale")?;
    let no_duration = (track.media_duration, track.presentation_duration) == (0, 0);
    stbl.require(no_duration, "a duration in an initialisation segment")?;
    stbl.require(track.sample_entries.len() == 1, "not one sample entry")?;
    for (kind, len) in [(b"stts", 4), (b"stsc", 4), (b"stsz", 8), (b"stco", 4)] {
        let mut table = stbl.expect(kind)?;
        table.expect_version(0, 0)?;
        table.zeros(len)?;
        table.end()?;
    }
    stbl.end()?;

    let mut mvex = moov.expect(b"mvex")?;
    moov.end()?;
    let mut trex = mvex.expect(b"trex")?;
    mvex.end()?;
    trex.expect_version(0, 0)?;
    trex.require(trex.u32()? == 1, "track_ID is not 1")?;
    trex.require(trex.u32()? == 1, "default_sample_description_index is not 1")?;
    trex.zeros(12)?;
    trex.end()?;
    Ok(InitSegment { brands, track })
}

/// Rate to next_track_ID.
pub(super) fn mvhd_tail(mvhd: &mut Body<'_>, next_track_id: u32) -> Result<(), Fault> {
    mvhd.require(mvhd.u32()? == 0x0001_0000, "the rate is not 1")?;
    mvhd.require(mvhd.u16()? == 0x0100, "the volume is not 1")?;
    mvhd.zeros(10)?;
    track::matrix(mvhd)?;
    mvhd.zeros(24)?;
    mvhd.require(mvhd.u32()? == next_track_id, "next_track_ID is not the next")?;
    mvhd.end()
}
