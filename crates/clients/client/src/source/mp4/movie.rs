//! moov: what the tracks are.

use streamkeep_media::{AudioParameters, Track, TrackKind, VideoParameters};

use super::boxes::{Fields, broken, child, children, descend};
use super::sample_entry::SampleEntry;
use super::sample_table::{self, Sample};
use crate::Error;

/// The tracks that can be carried, and what was left out.
#[derive(Debug)]
pub(super) struct Movie {
    pub(super) tracks: Vec<MovieTrack>,
    pub(super) skipped: Vec<String>,
}

/// A track with its time line.
#[derive(Debug)]
pub(super) struct MovieTrack {
    /// track_ID.
    pub(super) id: u32,
    /// As Matroska describes it.
    pub(super) track: Track,
    /// Ticks per second; never 0.
    timescale: u32,
    /// What the edit list adds to presentation times.
    shift_ns: i64,
    /// Body of `stbl`.
    sample_table: Vec<u8>,
    pub(super) defaults: SampleDefaults,
    /// Decode time behind the last sample of the movie fragments so far, for those without `tfdt`.
    pub(super) next_decode_time: u64,
}

/// `trex` (§8.8.3): what movie fragments leave out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SampleDefaults {
    pub(super) duration: u32,
    pub(super) len: u32,
    pub(super) flags: u32,
}

impl Movie {
    /// From the body of `moov`.
    pub(super) fn parse(moov: &[u8]) -> Result<Self, Error> {
        let (mut fields, version, _) = Fields::full(descend(moov, &[b"mvhd"])?, "moov/mvhd")?;
        fields.bytes(if version == 1 { 16 } else { 8 })?; // creation and modification time
        let movie_timescale = fields.u32()?.max(1);
        let mut movie = Self { tracks: Vec::new(), skipped: Vec::new() };
        for (kind, trak) in children(moov) {
            if kind == b"trak" {
                movie.add(trak, movie_timescale)?;
            }
        }
        for (kind, trex) in child(moov, b"mvex").into_iter().flat_map(children) {
            if kind == b"trex" {
                let (mut fields, _, _) = Fields::full(trex, "mvex/trex")?;
                let id = fields.u32()?;
                fields.u32()?; // default_sample_description_index
                let defaults = SampleDefaults {
                    duration: fields.u32()?,
                    len: fields.u32()?,
                    flags: fields.u32()?,
                };
                if let Some(track) = movie.tracks.iter_mut().find(|track| track.id == id) {
                    track.defaults = defaults;
                }
            }
        }
        Ok(movie)
    }

    fn add(&mut self, trak: &[u8], movie_timescale: u32) -> Result<(), Error> {
        let (mut fields, version, _) = Fields::full(descend(trak, &[b"tkhd"])?, "trak/tkhd")?;
        fields.bytes(if version == 1 { 16 } else { 8 })?;
        let id = fields.u32()?;
        let mdia = descend(trak, &[b"mdia"])?;
        let (mut fields, version, _) = Fields::full(descend(mdia, &[b"mdhd"])?, "mdia/mdhd")?;
        fields.bytes(if version == 1 { 16 } else { 8 })?;
        let timescale = fields.u32()?;
        if timescale == 0 {
            return Err(broken("mdia/mdhd", "timescale is 0"));
        }
        let (mut fields, _, _) = Fields::full(descend(mdia, &[b"hdlr"])?, "mdia/hdlr")?;
        fields.u32()?; // pre_defined
        let handler = fields.bytes(4)?;
        let kind = match handler {
            b"vide" => TrackKind::Video,
            b"soun" => TrackKind::Audio,
            _ => return Ok(()), // time codes, subtitles, hints
        };
        let sample_table = descend(mdia, &[b"minf", b"stbl"])?;
        let (mut fields, _, _) = Fields::full(descend(sample_table, &[b"stsd"])?, "stbl/stsd")?;
        fields.u32()?; // entry_count: later entries would need a new session each
        let (entry_type, entry) =
            children(fields.rest()).next().ok_or_else(|| broken("stbl/stsd", "empty"))?;
        let Some(entry) = SampleEntry::parse(*entry_type, entry, kind)? else {
            self.skipped.push(format!(
                "{} track with codec {:?}",
                if kind == TrackKind::Video { "video" } else { "audio" },
                String::from_utf8_lossy(entry_type)
            ));
            return Ok(());
        };
        let number = self.tracks.len() as u64 + 1;
        self.tracks.push(MovieTrack {
            id,
            track: Track {
                number,
                uid: number,
                kind,
                codec_id: entry.codec_id.into(),
                codec_private: entry.codec_private.into(),
                name: if kind == TrackKind::Video { "video" } else { "audio" }.into(),
                default_duration_ns: None,
                video: entry.size.map(|(width, height)| VideoParameters { width, height }),
                audio: entry.audio.map(|(sampling_frequency, channels)| AudioParameters {
                    sampling_frequency,
                    channels,
                    bit_depth: None,
                }),
            },
            timescale,
            shift_ns: edit_shift_ns(trak, movie_timescale, timescale)?,
            sample_table: sample_table.to_vec(),
            defaults: SampleDefaults::default(),
            next_decode_time: 0,
        });
        Ok(())
    }
}

impl MovieTrack {
    /// The samples of a plain file; none in a fragmented one.
    pub(super) fn samples(&self, file_len: u64) -> Result<Vec<Sample>, Error> {
        sample_table::samples(&self.sample_table, file_len)
    }

    pub(super) fn decode_ns(&self, sample: &Sample) -> i64 {
        ns(sample.decode_time as i64, self.timescale).saturating_add(self.shift_ns)
    }

    pub(super) fn presentation_ns(&self, sample: &Sample) -> i64 {
        let ticks = (sample.decode_time as i64).saturating_add(sample.composition_offset.into());
        ns(ticks, self.timescale).saturating_add(self.shift_ns)
    }
}

/// Empty edits at the start delay the track; the first other edit says which media time comes
/// first (§8.6.6).
fn edit_shift_ns(trak: &[u8], movie_timescale: u32, timescale: u32) -> Result<i64, Error> {
    let Some(elst) = child(trak, b"edts").and_then(|edts| child(edts, b"elst")) else {
        return Ok(0);
    };
    let (mut fields, version, _) = Fields::full(elst, "edts/elst")?;
    let mut shift_ns = 0i64;
    for _ in 0..fields.u32()? {
        let duration = fields.u32_or_u64(version)?;
        let media_time = match version {
            1 => fields.u64()? as i64,
            _ => i64::from(fields.u32()? as i32),
        };
        fields.u32()?; // media_rate
        if media_time >= 0 {
            return Ok(shift_ns.saturating_sub(ns(media_time, timescale)));
        }
        let duration = i64::try_from(duration).unwrap_or(0);
        shift_ns = shift_ns.saturating_add(ns(duration, movie_timescale));
    }
    Ok(shift_ns)
}

fn ns(ticks: i64, timescale: u32) -> i64 {
    let ns = i128::from(ticks) * 1_000_000_000 / i128::from(timescale);
    i64::try_from(ns).unwrap_or(i64::MAX)
}
