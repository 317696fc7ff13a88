//! Chunks in, the head of the file out.

use super::edit::movie_ticks;
use super::{Edit, MOVIE_TIMESCALE, TrackTables};
use crate::box_writer::BoxWriter;
use crate::moov::{mvhd, trak};
use crate::sample_entry::VideoCodec;
use crate::{Error, Sample, SampleEntry, ftyp, mdat};

/// A track to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovieTrack {
    /// Ticks per second, 1 or more.
    pub timescale: u32,
    /// What the samples are: one, or several when the description changes on the way. All video or
    /// all audio. The first gives the display size.
    pub sample_entries: Vec<SampleEntry>,
}

/// A track of a [`MovieBuilder`], as [`MovieBuilder::add_track`] gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackIndex(usize);

/// Builds the head of a progressive file.
///
/// Add the tracks, then the chunks in the order in which their payload will follow, then
/// [`finish`](Self::finish). Nothing is lost on an error: what was refused is not added.
///
/// Memory: 4 bytes a sample, 4 more for a sync sample among others, 8 more where the duration
/// differs from the one before, 8 more where the composition offset does; the tables are freed as
/// the head grows.
#[derive(Clone, Debug, Default)]
pub struct MovieBuilder {
    creation_time: u64,
    tracks: Vec<TrackPlan>,
    sample_count: usize,
    media_len: u64,
}

/// What [`MovieBuilder::finish`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovieLayout {
    /// `ftyp`, `moov` and the header of `mdat`.
    pub head: Vec<u8>,
    /// Bytes of all chunks, which follow the head in the order in which they were added.
    pub media_len: u64,
    /// Bytes of the file.
    pub total_len: u64,
}

/// A track with all that is known of it.
#[derive(Clone, Debug)]
pub(crate) struct TrackPlan {
    pub(crate) timescale: u32,
    pub(crate) sample_entries: Vec<SampleEntry>,
    pub(crate) edits: Vec<Edit>,
    pub(crate) tables: TrackTables,
}

impl MovieBuilder {
    /// Without tracks; the creation time is not told.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells when the movie was made, in seconds since 1970.
    pub fn set_creation_time(&mut self, unix_s: u64) {
        self.creation_time = unix_s.saturating_add(UNIX_EPOCH_SINCE_1904_S);
    }

    /// Adds a track. Errors: timescale 0, no sample entry or one that cannot be written, video and
    /// audio in one track, more than 16 tracks.
    pub fn add_track(&mut self, track: MovieTrack) -> Result<TrackIndex, Error> {
        if track.timescale == 0 {
            return Err(Error::ZeroTimescale);
        }
        if self.tracks.len() == TRACKS_MAX {
            return Err(Error::LimitExceeded { what: "tracks", limit: TRACKS_MAX });
        }
        let mut plan = TrackPlan {
            timescale: track.timescale,
            sample_entries: Vec::new(),
            edits: Vec::new(),
            tables: TrackTables::new(),
        };
        for entry in track.sample_entries {
            plan.push_sample_entry(entry)?;
        }
        if plan.sample_entries.is_empty() {
            return Err(Error::NoSampleEntry);
        }
        self.tracks.push(plan);
        Ok(TrackIndex(self.tracks.len() - 1))
    }

    /// Adds a sample entry to a track; gives its index, counted from 0.
    pub fn add_sample_entry(
        &mut self,
        track: TrackIndex,
        entry: SampleEntry,
    ) -> Result<usize, Error> {
        self.track_mut(track)?.push_sample_entry(entry)
    }

    /// Sets the edit list of a track. Without edits all of it is presented, from the start.
    ///
    /// Error: more than 4096 edits.
    pub fn set_edits(&mut self, track: TrackIndex, edits: Vec<Edit>) -> Result<(), Error> {
        if edits.len() > EDITS_MAX {
            return Err(Error::LimitExceeded { what: "edits", limit: EDITS_MAX });
        }
        self.track_mut(track)?.edits = edits;
        Ok(())
    }

    /// Adds a chunk: samples of one track whose payload lies together, behind all chunks added so
    /// far. No samples: nothing is added.
    ///
    /// Errors: no such track or sample entry, a sample without duration, more than 16,777,216
    /// samples in the movie.
    pub fn add_chunk(
        &mut self,
        track: TrackIndex,
        sample_entry_index: usize,
        samples: &[Sample],
    ) -> Result<(), Error> {
        let offset = self.media_len;
        let sample_count = self.sample_count + samples.len();
        let plan = self.track_mut(track)?;
        let sample_entry_index = match u32::try_from(sample_entry_index) {
            Ok(index) if sample_entry_index < plan.sample_entries.len() => index,
            _ => return Err(Error::NoSampleEntry),
        };
        if let Some(sample_index) = samples.iter().position(|sample| sample.duration == 0) {
            return Err(Error::ZeroDuration { sample_index });
        }
        if sample_count > SAMPLES_MAX {
            return Err(Error::LimitExceeded { what: "samples", limit: SAMPLES_MAX });
        }
        if samples.is_empty() {
            return Ok(());
        }
        self.media_len += plan.tables.push_chunk(sample_entry_index, offset, samples);
        self.sample_count = sample_count;
        Ok(())
    }

    /// Ticks of the track's timescale from its first decode time to the end of its last sample.
    pub fn media_duration(&self, track: TrackIndex) -> u64 {
        self.tracks.get(track.0).map_or(0, |plan| plan.tables.duration)
    }

    /// Bytes of all chunks added so far.
    pub fn media_len(&self) -> u64 {
        self.media_len
    }

    /// Writes the head. Errors: no tracks, or one without samples.
    pub fn finish(self) -> Result<MovieLayout, Error> {
        let Self { creation_time, tracks, media_len, .. } = self;
        if tracks.is_empty() {
            return Err(Error::NoTrack);
        }
        if tracks.iter().any(|track| track.tables.sizes.is_empty()) {
            return Err(Error::NoSamples);
        }
        // Pages of the buffer are touched only when they are written, after tables were freed.
        let capacity = 256 + tracks.iter().map(TrackPlan::encoded_len_max).sum::<usize>();
        let mut head = Vec::with_capacity(capacity);
        ftyp::write_progressive(&mut head, tracks.iter().any(TrackPlan::has_avc));
        let duration = tracks.iter().map(TrackPlan::presentation_duration).max().unwrap_or(0);
        let next_track_id = tracks.len() as u32 + 1;
        let mut offset_rows = Vec::with_capacity(tracks.len());
        head.put_box(b"moov", |out| {
            mvhd::write(out, creation_time, MOVIE_TIMESCALE, duration, next_track_id);
            for (track_id, track) in (1..).zip(tracks) {
                offset_rows.extend(trak::write(out, creation_time, track_id, track));
            }
        });
        let media_start = (head.len() + mdat::header_len(media_len)) as u64;
        offset_rows.into_iter().for_each(|rows| rows.shift(&mut head, media_start));
        mdat::write_header(&mut head, media_len);
        debug_assert!(head.len() <= capacity, "{} > {capacity}", head.len());
        Ok(MovieLayout { total_len: media_start + media_len, head, media_len })
    }

    fn track_mut(&mut self, track: TrackIndex) -> Result<&mut TrackPlan, Error> {
        self.tracks.get_mut(track.0).ok_or(Error::NoTrack)
    }
}

impl TrackPlan {
    fn push_sample_entry(&mut self, entry: SampleEntry) -> Result<usize, Error> {
        entry.check()?;
        if self.sample_entries.len() == SAMPLE_ENTRIES_MAX {
            let limit = SAMPLE_ENTRIES_MAX;
            return Err(Error::LimitExceeded { what: "sample entries", limit });
        }
        if self.sample_entries.first().is_some_and(|first| first.handler() != entry.handler()) {
            return Err(Error::MixedHandlers);
        }
        self.sample_entries.push(entry);
        Ok(self.sample_entries.len() - 1)
    }

    /// Ticks of [`MOVIE_TIMESCALE`]: of the edits, or without them of the media.
    pub(crate) fn presentation_duration(&self) -> u64 {
        if self.edits.is_empty() {
            return movie_ticks(self.tables.duration, self.timescale);
        }
        self.edits.iter().fold(0, |sum, edit| sum.saturating_add(edit.duration))
    }

    fn has_avc(&self) -> bool {
        self.sample_entries.iter().any(|entry| match entry {
            SampleEntry::Visual(entry) => matches!(entry.codec, VideoCodec::Avc { .. }),
            SampleEntry::Audio(_) => false,
        })
    }

    fn encoded_len_max(&self) -> usize {
        // The boxes of a track take some 600 bytes, those of a sample entry 160 and the record.
        let entries = self.sample_entries.iter().map(|entry| 256 + entry.record_len());
        768 + entries.sum::<usize>() + 20 * self.edits.len() + self.tables.encoded_len()
    }
}

/// 1904-01-01 to 1970-01-01.
const UNIX_EPOCH_SINCE_1904_S: u64 = 2_082_844_800;
const TRACKS_MAX: usize = 16;
/// A session has at most 500 changes of the codec's private data (kvs/playback.md §1).
const SAMPLE_ENTRIES_MAX: usize = 512;
const EDITS_MAX: usize = 4096;
/// 155 hours at 30 frames per second; the tables then take up to 400 MB.
const SAMPLES_MAX: usize = 1 << 24;

#[cfg(test)]
mod tests;
