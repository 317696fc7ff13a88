//! The sound of a live stream for a viewer that is sent to: a fragment's frames as they arrive, each group
//! a `moof` and `mdat` beside those of the pictures (`live_video.rs`).
//!
//! AAC and Opus go as they came. Telephone and plain sound would have to be encoded, which is done a
//! fragment at a time (packaging.md): that is not live, and is refused by name.

use std::sync::Arc;

use bytes::Bytes;
use streamkeep_fmp4::Sample;
use streamkeep_live::{LiveFragment, Progress};
use streamkeep_media::{FrameEntry, gather};

use crate::PlaybackError;
use crate::init::track_init_segment;
use crate::live_video::{LiveVideo, wall_ns, write_chunk};
use crate::tracks::{AudioTrack, TrackRole, TrackSet};

/// The audio track of an ingest session, as live viewers get it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LiveSound {
    tracks: Arc<TrackSet>,
    init: Bytes,
}

/// Why a session has no sound that can be sent live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoLiveSound {
    /// There is no audio track that can be played.
    None,
    /// It would have to be encoded anew. Holds its codec, as Matroska names it.
    NotLive(String),
}

impl LiveVideo {
    /// The sound beside the pictures.
    ///
    /// # Errors
    /// Why there is none.
    pub fn sound(&self) -> Result<LiveSound, NoLiveSound> {
        let tracks = self.tracks().clone();
        let audio = tracks.audio.as_ref().ok_or(NoLiveSound::None)?;
        if audio.encoder.is_some() {
            let track = tracks.header.tracks.get(usize::from(audio.index));
            let codec = track.map_or_else(String::new, |track| track.codec_id.clone());
            return Err(NoLiveSound::NotLive(codec));
        }
        let init = track_init_segment(&tracks, TrackRole::Audio).ok().flatten();
        Ok(LiveSound { init: init.ok_or(NoLiveSound::None)?, tracks })
    }
}

impl LiveSound {
    fn track(&self) -> &AudioTrack {
        self.tracks.audio.as_ref().expect("checked when it was made")
    }

    /// The codecs parameter of RFC 6381.
    pub fn codec(&self) -> &str {
        self.track().codec_string()
    }

    /// Ticks per second of the media: the sampling rate.
    pub fn timescale(&self) -> u32 {
        self.track().timescale
    }

    /// The CMAF initialisation segment.
    pub fn init(&self) -> &Bytes {
        &self.init
    }
}

/// The sound of one fragment of the live tail from some time on.
#[derive(Debug)]
pub struct SoundRun {
    sound: LiveSound,
    fragment: Arc<LiveFragment>,
    /// Nothing before this is given; nanoseconds since 1970.
    from_ns: i128,
    /// Frames that wait to be given.
    frames: Vec<FrameEntry>,
    pieces: Vec<Bytes>,
    seen: usize,
    is_ended: bool,
}

impl SoundRun {
    /// The frames of a fragment that begin at `from_ns`, of the producer's clock, or later.
    pub fn of(sound: LiveSound, fragment: Arc<LiveFragment>, from_ns: i128) -> Self {
        let (frames, pieces) = (Vec::new(), Vec::new());
        Self { sound, fragment, from_ns, frames, pieces, seen: 0, is_ended: false }
    }

    /// The sound that it is of.
    pub fn sound(&self) -> &LiveSound {
        &self.sound
    }

    /// The fragment.
    pub fn fragment(&self) -> &Arc<LiveFragment> {
        &self.fragment
    }

    /// Takes in what has arrived since the last look.
    pub fn look(&mut self) {
        // Progress before frames before bytes, as with pictures.
        self.is_ended = !matches!(self.fragment.progress(), Progress::Arriving);
        let fresh = self.fragment.frames_from(self.seen);
        self.seen += fresh.len();
        self.pieces.extend(self.fragment.pieces_from(self.pieces.len()).0);
        let index = self.sound.track().index;
        let fresh = fresh.into_iter().filter(|frame| {
            let own = frame.track_index == index && frame.len > 0;
            own && self.wall_ns(frame) >= self.from_ns
        });
        let fresh: Vec<_> = fresh.collect();
        self.frames.extend(fresh);
    }

    /// Nothing of the fragment is still to come or to be given.
    pub fn is_over(&self) -> bool {
        self.is_ended && self.frames.is_empty()
    }

    /// Bytes of all that can be given; 0 when nothing can.
    pub fn len(&self) -> usize {
        self.frames.iter().map(|frame| frame.len as usize).sum()
    }

    /// Nothing can be given now.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// All that has arrived.
    pub fn take(&mut self) -> Option<SoundGroup> {
        let first = *self.frames.first()?;
        let format = &self.sound.track().description.format;
        let mut group = SoundGroup {
            samples: Vec::with_capacity(self.frames.len()),
            payload: Vec::with_capacity(self.frames.len()),
            wall_ns: self.wall_ns(&first),
            duration: 0,
        };
        for frame in std::mem::take(&mut self.frames) {
            let Some(bytes) = gather(&self.pieces, frame.offset as usize, frame.len as usize)
            else {
                continue;
            };
            let duration = format.samples(&bytes, bytes.len()).unwrap_or(0).max(1);
            group.duration += u64::from(duration);
            group.samples.push(Sample {
                size: frame.len,
                duration,
                composition_offset: 0,
                is_sync: true,
            });
            group.payload.push(bytes);
        }
        (!group.samples.is_empty()).then_some(group)
    }

    fn wall_ns(&self, frame: &FrameEntry) -> i128 {
        let start = &self.fragment.start;
        wall_ns(start.producer_timestamp, frame.pts_ticks, start.header.timestamp_scale_ns)
    }
}

/// Some frames that follow each other: one `moof` and `mdat`.
#[derive(Clone, Debug)]
pub struct SoundGroup {
    samples: Vec<Sample>,
    payload: Vec<Bytes>,
    /// When the first frame is heard by the producer's clock, nanoseconds since 1970.
    pub wall_ns: i128,
    /// Sum of the frames' durations, in ticks of the sound.
    pub duration: u64,
}

impl SoundGroup {
    /// Payload bytes.
    pub fn len(&self) -> usize {
        self.payload.iter().map(Bytes::len).sum()
    }

    /// Never: a group has a frame.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Appends `moof` and `mdat`, from `at` on, in ticks of the sound.
    ///
    /// # Errors
    /// `InvalidFrame` when the times or sizes do not fit the format. `out` is as before then.
    pub fn write(&self, out: &mut Vec<u8>, sequence: u32, at: u64) -> Result<(), PlaybackError> {
        write_chunk(out, sequence, at, &self.samples, &self.payload)
    }
}
