//! The sound of a live stream for a viewer that is sent to: a fragment's frames as they arrive, each group
//! a `moof` and `mdat` beside those of the pictures (`live_video.rs`).
//!
//! AAC and Opus go as they came. Telephone and plain sound, which browsers refuse, become Opus as they
//! arrive, by an encoder of each viewer.

use std::sync::Arc;

use bytes::Bytes;
use streamkeep_fmp4::Sample;
use streamkeep_live::{LiveFragment, Progress};
use streamkeep_media::{FrameEntry, gather};
use streamkeep_packaging::ns_of_ticks;
use streamkeep_sound::{PACKET_SAMPLES_48K, StreamEncoder};

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

impl LiveVideo {
    /// The sound beside the pictures; `None` when there is no audio track that can be played.
    pub fn sound(&self) -> Option<LiveSound> {
        let tracks = self.tracks().clone();
        let init = track_init_segment(&tracks, TrackRole::Audio).ok().flatten()?;
        Some(LiveSound { init, tracks })
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

    /// Ticks per second of what is sent: the sampling rate.
    pub fn timescale(&self) -> u32 {
        self.track().timescale
    }

    /// The CMAF initialisation segment.
    pub fn init(&self) -> &Bytes {
        &self.init
    }

    /// Makes what is sent of an unbroken run of groups. After a gap, another is needed.
    pub fn encoder(&self) -> SoundEncoder {
        let encoder = self.track().encoder.clone().map(StreamEncoder::new);
        let stream = encoder.transpose().unwrap_or_else(|error| {
            tracing::error!(%error, "no encoder");
            None
        });
        SoundEncoder { sound: self.clone(), stream }
    }
}

/// From frames as they came to frames as they are sent.
#[derive(Debug)]
pub struct SoundEncoder {
    sound: LiveSound,
    stream: Option<StreamEncoder>,
}

impl SoundEncoder {
    /// What a group, which follows the one before, adds: itself where frames are sent as they came;
    /// else the packets that are complete now, `None` when none is.
    pub fn encode(&mut self, group: SoundGroup) -> Option<SoundGroup> {
        let track = self.sound.track();
        if track.encoder.is_none() {
            return Some(group);
        }
        let stream = self.stream.as_mut()?;
        let before_ns = ns_of(stream.position(), track.description.sampling_rate);
        let payloads: Vec<&[u8]> = group.payload.iter().map(Bytes::as_ref).collect();
        let packets = stream.push(&payloads).unwrap_or_else(|error| {
            tracing::debug!(%error, "sound is left out");
            Vec::new()
        });
        let first = packets.first()?;
        let duration = packets.len() as u64 * PACKET_SAMPLES_48K;
        Some(SoundGroup {
            wall_ns: group.wall_ns + ns_of(first.start_48k, track.timescale) - before_ns,
            duration,
            length_ns: ns_of(duration, track.timescale),
            samples: packets
                .iter()
                .map(|packet| sample(packet.data.len(), PACKET_SAMPLES_48K as u32))
                .collect(),
            payload: packets.into_iter().map(|packet| packet.data).collect(),
        })
    }
}

fn ns_of(ticks: u64, timescale: u32) -> i128 {
    ns_of_ticks(i64::try_from(ticks).unwrap_or(i64::MAX), timescale)
}

fn sample(len: usize, duration: u32) -> Sample {
    let size = u32::try_from(len).unwrap_or(u32::MAX);
    Sample { size, duration, composition_offset: 0, is_sync: true }
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

    /// All that has arrived, as it came.
    pub fn take(&mut self) -> Option<SoundGroup> {
        let first = *self.frames.first()?;
        let description = &self.sound.track().description;
        let format = &description.format;
        let mut group = SoundGroup {
            samples: Vec::with_capacity(self.frames.len()),
            payload: Vec::with_capacity(self.frames.len()),
            wall_ns: self.wall_ns(&first),
            duration: 0,
            length_ns: 0,
        };
        for frame in std::mem::take(&mut self.frames) {
            let Some(bytes) = gather(&self.pieces, frame.offset as usize, frame.len as usize)
            else {
                continue;
            };
            let duration = format.samples(&bytes, bytes.len()).unwrap_or(0).max(1);
            group.duration += u64::from(duration);
            group.samples.push(sample(bytes.len(), duration));
            group.payload.push(bytes);
        }
        group.length_ns = ns_of(group.duration, description.sampling_rate);
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
    /// Sum of the frames' durations, in ticks of the sound as the group has it.
    pub duration: u64,
    /// The same in nanoseconds.
    pub length_ns: i128,
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
