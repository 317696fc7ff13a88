//! `trak` down to the sample entries.

use bytes::Bytes;

use super::Fault;
use super::body::Body;
use crate::progressive::Edit;
use crate::{
    AudioCodec, AudioSampleEntry, ColourInformation, SampleEntry, VideoCodec, VisualSampleEntry,
};

/// What the headers of a track say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// track_ID.
    pub track_id: u32,
    /// Ticks per second.
    pub timescale: u32,
    /// Of `mdhd`, in ticks of the track.
    pub media_duration: u64,
    /// Of `tkhd`, in ticks of the movie.
    pub presentation_duration: u64,
    /// The edit list.
    pub edits: Vec<Edit>,
    /// One or more. Display sizes are those of `tkhd`; a sampling rate that does not fit in 16 bits
    /// reads as 0.
    pub sample_entries: Vec<SampleEntry>,
}

/// A track whose tables are still to be read: `stbl` behind its `stsd`.
pub(super) struct TrackHead<'a> {
    pub(super) track: Track,
    pub(super) stbl: Body<'a>,
}

/// `version` is that of the headers: 0 in fragmented files, 1 in others.
pub(super) fn read<'a>(mut trak: Body<'a>, version: u8) -> Result<TrackHead<'a>, Fault> {
    let mut tkhd = trak.expect(b"tkhd")?;
    tkhd.expect_version(version, 3)?;
    let times_len = if version == 0 { 8 } else { 16 };
    tkhd.bytes(times_len)?;
    let track_id = tkhd.u32()?;
    tkhd.require(track_id != 0, "track_ID is 0")?;
    tkhd.zeros(4)?;
    let presentation_duration = duration(&mut tkhd, version)?;
    tkhd.zeros(12)?; // reserved, layer, alternate_group
    let volume = tkhd.u16()?;
    tkhd.zeros(2)?;
    matrix(&mut tkhd)?;
    let (width, height) = (tkhd.u32()?, tkhd.u32()?);
    tkhd.end()?;
    let whole = width & 0xffff == 0 && height & 0xffff == 0;
    tkhd.require(whole, "the display size is not whole")?;
    let display_size = ((width >> 16) as u16, (height >> 16) as u16);

    let edits = match trak.optional(b"edts")? {
        Some(edts) => edit_list(edts)?,
        None => Vec::new(),
    };

    let mut mdia = trak.expect(b"mdia")?;
    trak.end()?;
    let mut mdhd = mdia.expect(b"mdhd")?;
    mdhd.expect_version(version, 0)?;
    mdhd.bytes(times_len)?;
    let timescale = mdhd.u32()?;
    mdhd.require(timescale > 0, "the timescale is 0")?;
    let media_duration = duration(&mut mdhd, version)?;
    mdhd.require(mdhd.u16()? == 0x55c4, "the language is not und")?;
    mdhd.zeros(2)?;
    mdhd.end()?;

    let mut hdlr = mdia.expect(b"hdlr")?;
    hdlr.expect_version(0, 0)?;
    hdlr.zeros(4)?;
    let is_video = match &hdlr.four_cc()? {
        b"vide" => true,
        b"soun" => false,
        _ => return Err(hdlr.fault("neither vide nor soun")),
    };
    hdlr.zeros(12)?;
    hdlr.require(hdlr.rest.last() == Some(&0), "the name does not end")?;
    tkhd.require((volume == 0) == is_video, "only sound has a volume")?;
    tkhd.require((display_size == (0, 0)) != is_video, "only video has a size")?;

    let mut minf = mdia.expect(b"minf")?;
    mdia.end()?;
    if is_video {
        let mut vmhd = minf.expect(b"vmhd")?;
        vmhd.expect_version(0, 1)?;
        vmhd.zeros(8)?;
        vmhd.end()?;
    } else {
        let mut smhd = minf.expect(b"smhd")?;
        smhd.expect_version(0, 0)?;
        smhd.zeros(4)?;
        smhd.end()?;
    }
    let mut dinf = minf.expect(b"dinf")?;
    let mut dref = dinf.expect(b"dref")?;
    dinf.end()?;
    dref.expect_version(0, 0)?;
    dref.require(dref.u32()? == 1, "there is not one data reference")?;
    let mut url = dref.expect(b"url ")?;
    dref.end()?;
    url.expect_version(0, 1)?;
    url.end()?;

    let mut stbl = minf.expect(b"stbl")?;
    minf.end()?;
    let mut stsd = stbl.expect(b"stsd")?;
    stsd.expect_version(0, 0)?;
    let entry_count = stsd.u32()?;
    stsd.require(entry_count > 0, "no sample entry")?;
    let mut sample_entries = Vec::new();
    for _ in 0..entry_count {
        sample_entries.push(if is_video {
            SampleEntry::Visual(visual(&mut stsd, display_size)?)
        } else {
            SampleEntry::Audio(audio(&mut stsd)?)
        });
    }
    stsd.end()?;
    let track =
        Track { track_id, timescale, media_duration, presentation_duration, edits, sample_entries };
    Ok(TrackHead { track, stbl })
}

/// Of `mvhd`, `tkhd`, `mdhd`.
pub(super) fn duration(body: &mut Body<'_>, version: u8) -> Result<u64, Fault> {
    if version == 0 { body.u32().map(u64::from) } else { body.u64() }
}

pub(super) fn matrix(body: &mut Body<'_>) -> Result<(), Fault> {
    const UNITY: &[u8; 36] =
        b"\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0";
    let unity = body.bytes(36)? == UNITY;
    body.require(unity, "the matrix turns or scales")
}

fn edit_list(mut edts: Body<'_>) -> Result<Vec<Edit>, Fault> {
    let mut elst = edts.expect(b"elst")?;
    edts.end()?;
    let (version, flags) = elst.version_and_flags()?;
    elst.require(version <= 1 && flags == 0, "version or flags are not as they should be")?;
    let count = elst.row_count(if version == 0 { 12 } else { 20 })?;
    elst.require(count > 0, "an edit list without edits")?;
    let mut edits = Vec::new();
    for _ in 0..count {
        let duration = duration(&mut elst, version)?;
        let media_time = match version {
            0 => i64::from(elst.u32()? as i32),
            _ => elst.u64()? as i64,
        };
        let media_time = match media_time {
            -1 => None,
            time => Some(u64::try_from(time).map_err(|_| elst.fault("a negative media_time"))?),
        };
        elst.require(elst.u32()? == 0x0001_0000, "the rate is not 1")?;
        edits.push(Edit { duration, media_time });
    }
    Ok(edits)
}

fn visual(stsd: &mut Body<'_>, display_size: (u16, u16)) -> Result<VisualSampleEntry, Fault> {
    let kind = stsd.peek_kind().ok_or(stsd.fault("a sample entry is missing"))?;
    let mut entry = stsd.expect(&kind)?;
    sample_entry_start(&mut entry)?;
    entry.zeros(16)?;
    let (width, height) = (entry.u16()?, entry.u16()?);
    let fixed = entry.bytes(50)?;
    let expected = b"\0\x48\0\0\0\x48\0\0\0\0\0\0\0\x01";
    let as_expected = fixed.starts_with(expected)
        && fixed[14..46].iter().all(|&byte| byte == 0)
        && fixed.ends_with(&[0, 0x18, 0xff, 0xff]);
    entry.require(as_expected, "the fixed fields are not as they should be")?;
    let codec = match &kind {
        b"avc1" => VideoCodec::Avc { record: record(&mut entry, b"avcC")? },
        b"hvc1" => VideoCodec::Hevc { record: record(&mut entry, b"hvcC")? },
        _ => return Err(entry.fault("neither avc1 nor hvc1")),
    };
    let mut colour = None;
    if let Some(mut colr) = entry.optional(b"colr")? {
        colr.require(&colr.four_cc()? == b"nclx", "not nclx")?;
        let mut code_point = || {
            let value = colr.u16()?;
            u8::try_from(value).map_err(|_| colr.fault("no such code point"))
        };
        let (primaries, transfer, matrix) = (code_point()?, code_point()?, code_point()?);
        let full_range = colr.u8()?;
        colr.require(full_range & 0x7f == 0, "reserved bits are not zero")?;
        colr.end()?;
        let full_range = full_range != 0;
        colour = Some(ColourInformation { primaries, transfer, matrix, full_range });
    }
    let mut pixel_aspect_ratio = None;
    if let Some(mut pasp) = entry.optional(b"pasp")? {
        let (horizontal, vertical) = (pasp.u32()?, pasp.u32()?);
        pasp.require(horizontal > 0 && vertical > 0, "a spacing is 0")?;
        pasp.end()?;
        pixel_aspect_ratio = Some((horizontal, vertical));
    }
    entry.end()?;
    let (display_width, display_height) = display_size;
    Ok(VisualSampleEntry {
        codec,
        width,
        height,
        display_width,
        display_height,
        pixel_aspect_ratio,
        colour,
    })
}

fn audio(stsd: &mut Body<'_>) -> Result<AudioSampleEntry, Fault> {
    let kind = stsd.peek_kind().ok_or(stsd.fault("a sample entry is missing"))?;
    let mut entry = stsd.expect(&kind)?;
    sample_entry_start(&mut entry)?;
    entry.zeros(8)?;
    let channels = entry.u16()?;
    entry.require(entry.u16()? == 16, "samplesize is not 16")?;
    entry.zeros(4)?;
    let rate = entry.u32()?;
    entry.require(rate & 0xffff == 0, "the rate is not whole")?;
    let codec = match &kind {
        b"mp4a" => AudioCodec::Aac { config: audio_specific_config(entry.expect(b"esds")?)? },
        b"Opus" => AudioCodec::Opus { head: opus_head(entry.expect(b"dOps")?)? },
        b"alaw" => AudioCodec::Alaw,
        b"ulaw" => AudioCodec::Mulaw,
        b"ipcm" => {
            let mut pcmc = entry.expect(b"pcmC")?;
            pcmc.expect_version(0, 0)?;
            pcmc.require(pcmc.u8()? == 1, "not little endian")?;
            let bits = pcmc.u8()?;
            pcmc.end()?;
            AudioCodec::Pcm { bits }
        }
        _ => return Err(entry.fault("an unknown sample entry")),
    };
    entry.end()?;
    Ok(AudioSampleEntry { codec, channels, sampling_rate: rate >> 16 })
}

fn sample_entry_start(entry: &mut Body<'_>) -> Result<(), Fault> {
    entry.zeros(6)?;
    entry.require(entry.u16()? == 1, "data_reference_index is not 1")
}

fn record(entry: &mut Body<'_>, kind: &[u8; 4]) -> Result<Bytes, Fault> {
    let record = entry.expect(kind)?;
    record.require(record.rest.first() == Some(&1), "configurationVersion is not 1")?;
    Ok(Bytes::copy_from_slice(record.rest))
}

fn audio_specific_config(mut esds: Body<'_>) -> Result<Bytes, Fault> {
    esds.expect_version(0, 0)?;
    let mut es = descriptor(&mut esds, 0x03)?;
    esds.end()?;
    es.require(es.u16()? == 1, "ES_ID is not 1")?;
    es.zeros(1)?;
    let mut config = descriptor(&mut es, 0x04)?;
    config.require(config.u16()? == 0x4015, "neither AAC nor audio")?;
    config.zeros(11)?;
    let specific = descriptor(&mut config, 0x05)?;
    config.end()?;
    let sl = descriptor(&mut es, 0x06)?;
    sl.require(sl.rest == [2], "predefined is not 2")?;
    es.end()?;
    Ok(Bytes::copy_from_slice(specific.rest))
}

fn descriptor<'a>(body: &mut Body<'a>, tag: u8) -> Result<Body<'a>, Fault> {
    body.require(body.u8()? == tag, "another descriptor is expected here")?;
    let mut len = 0;
    for _ in 0..4 {
        let byte = body.u8()?;
        len = len << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            let position = body.position;
            return Ok(Body { kind: body.kind, position, rest: body.bytes(len)? });
        }
    }
    Err(body.fault("a size of more than four bytes"))
}

/// The identification header of RFC 7845 that a `dOps` was made from.
fn opus_head(mut dops: Body<'_>) -> Result<Bytes, Fault> {
    dops.zeros(1)?; // Version
    let channels = dops.u8()?;
    let (pre_skip, rate, gain, family) = (dops.u16()?, dops.u32()?, dops.u16()?, dops.u8()?);
    let table_len = if family == 0 { 0 } else { 2 + usize::from(channels) };
    let table = dops.bytes(table_len)?;
    dops.end()?;
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels);
    head.extend(pre_skip.to_le_bytes());
    head.extend(rate.to_le_bytes());
    head.extend(gain.to_le_bytes());
    head.push(family);
    head.extend(table);
    Ok(head.into())
}
