//! MP4 and QuickTime files, plain and fragmented (ISO/IEC 14496-12).
//!
//! ```text
//! ftyp
//! moov              timescales, codecs, edit lists; sample tables of a plain file
//! moof mdat …       samples of a fragmented file
//! ```
//!
//! Presentation times follow the first edit of each track's edit list, which is what keeps sound
//! and picture together; later edits are left out. Tracks with codecs that Matroska has no name
//! for here are passed over: see [`Mp4Source::skipped`].

mod boxes;
mod movie;
mod movie_fragment;
mod sample_entry;
mod sample_table;

use std::io::{Read, Seek, SeekFrom};

use bytes::{Bytes, BytesMut};
use streamkeep_codec::KeyFrameProbe;
use streamkeep_media::{FrameFlags, Track};

use self::boxes::{BoxHeader, broken};
use self::movie::{Movie, MovieTrack};
use self::sample_table::Sample;
use super::{Source, SourceFrame, SourceItem};
use crate::Error;

/// Reads an MP4 file.
pub struct Mp4Source {
    file: Box<dyn ReadSeek>,
    file_len: u64,
    tracks: Vec<MovieTrack>,
    probes: Vec<KeyFrameProbe>,
    /// In order of decode time: track index and sample.
    samples: std::vec::IntoIter<(usize, Sample)>,
    /// Positions and lengths of the moof boxes not read yet, last first.
    fragments: Vec<(u64, u64)>,
    announced: bool,
    skipped: Vec<String>,
}

trait ReadSeek: Read + Seek + Send {}
impl<R: Read + Seek + Send> ReadSeek for R {}

impl Mp4Source {
    /// Reads the tables of a file.
    pub fn new(file: impl Read + Seek + Send + 'static) -> Result<Self, Error> {
        let mut file: Box<dyn ReadSeek> = Box::new(file);
        let file_len = file.seek(SeekFrom::End(0)).map_err(Error::Io)?;
        let (mut movie, mut fragments) = (None, Vec::new());
        let mut position = 0;
        while position < file_len {
            let header = read_header(&mut file, position, file_len)?;
            match &header.kind {
                b"moov" => movie = Some(read_box(&mut file, position, &header, MOOV_LEN_MAX)?),
                b"moof" => fragments.push((position, header.len)),
                _ => {}
            }
            position += header.len;
        }
        let movie = movie.ok_or_else(|| broken("moov", "missing"))?;
        let Movie { tracks, skipped } = Movie::parse(&movie)?;
        if tracks.is_empty() {
            return Err(broken("moov", "no track with a codec that can be carried"));
        }
        let mut samples = Vec::new();
        for (index, track) in tracks.iter().enumerate() {
            samples.extend(track.samples(file_len)?.into_iter().map(|sample| (index, sample)));
        }
        fragments.reverse();
        let samples = in_decode_order(&tracks, samples);
        let probe = |track: &MovieTrack| {
            KeyFrameProbe::new(&track.track.codec_id, &track.track.codec_private)
        };
        let probes = tracks.iter().map(probe).collect();
        Ok(Self { file, file_len, tracks, probes, samples, fragments, announced: false, skipped })
    }

    /// What was left out, for the user: a track's handler and codec each.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    fn read_fragment(&mut self) -> Result<bool, Error> {
        let Some((position, _)) = self.fragments.pop() else { return Ok(false) };
        let header = read_header(&mut self.file, position, self.file_len)?;
        let moof = read_box(&mut self.file, position, &header, MOOF_LEN_MAX)?;
        let samples = movie_fragment::samples(&moof, position, self.file_len, &mut self.tracks)?;
        self.samples = in_decode_order(&self.tracks, samples);
        Ok(true)
    }
}

impl Source for Mp4Source {
    fn next(&mut self) -> Result<Option<SourceItem>, Error> {
        if !self.announced {
            self.announced = true;
            let tracks: Vec<Track> = self.tracks.iter().map(|track| track.track.clone()).collect();
            return Ok(Some(SourceItem::Tracks(tracks)));
        }
        let (track_index, sample) = loop {
            match self.samples.next() {
                Some(next) => break next,
                None if self.read_fragment()? => {}
                None => return Ok(None),
            }
        };
        self.file.seek(SeekFrom::Start(sample.offset)).map_err(Error::Io)?;
        let mut data = BytesMut::zeroed(sample.len as usize);
        self.file.read_exact(&mut data).map_err(Error::Io)?;
        let key = self.probes[track_index].is_key(&data).unwrap_or(sample.sync);
        Ok(Some(SourceItem::Frame(SourceFrame {
            track_index,
            pts_ns: self.tracks[track_index].presentation_ns(&sample),
            flags: FrameFlags { key, ..FrameFlags::default() },
            data: data.freeze(),
        })))
    }
}

fn in_decode_order(
    tracks: &[MovieTrack],
    mut samples: Vec<(usize, Sample)>,
) -> std::vec::IntoIter<(usize, Sample)> {
    samples.sort_by_key(|(track, sample)| (tracks[*track].decode_ns(sample), *track));
    samples.into_iter()
}

fn read_header(
    file: &mut Box<dyn ReadSeek>,
    position: u64,
    file_len: u64,
) -> Result<BoxHeader, Error> {
    file.seek(SeekFrom::Start(position)).map_err(Error::Io)?;
    let mut start = Vec::new();
    file.by_ref().take(BoxHeader::LEN_MAX).read_to_end(&mut start).map_err(Error::Io)?;
    BoxHeader::parse(&start, file_len - position)
}

/// The body of a box.
fn read_box(
    file: &mut Box<dyn ReadSeek>,
    position: u64,
    header: &BoxHeader,
    len_max: u64,
) -> Result<Bytes, Error> {
    if header.len > len_max {
        return Err(Error::LimitExceeded { what: "MP4 box", limit: len_max as usize });
    }
    file.seek(SeekFrom::Start(position + header.header_len)).map_err(Error::Io)?;
    let mut body = vec![0; (header.len - header.header_len) as usize];
    file.read_exact(&mut body).map_err(Error::Io)?;
    Ok(body.into())
}

/// Tables of a day of 60 frames/s take 100 MB.
const MOOV_LEN_MAX: u64 = 512 * 1024 * 1024;
const MOOF_LEN_MAX: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests;
