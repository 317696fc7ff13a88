//! Matroska and WebM, whole files or growing ones; also recorded answers of GetMedia, which are
//! several documents in a row.

use std::collections::VecDeque;
use std::io::Read;

use streamkeep_codec::{AudioFormat, DeclaredAudio, KeyFrameProbe};
use streamkeep_media::{FrameFlags, Track};
use streamkeep_mkv::{Documents, Event, Limits, Scanner};

use super::{Input, Source, SourceFrame, SourceItem};
use crate::Error;

/// Reads Matroska. Presentation times count from the Segment's zero.
pub struct MatroskaSource {
    input: Input,
    scanner: Scanner,
    timestamp_scale_ns: u64,
    /// Of the current Cluster, in ticks.
    timecode: u64,
    in_cluster: bool,
    tracks: Vec<TrackState>,
    announced: Vec<Track>,
    ready: VecDeque<SourceItem>,
}

struct TrackState {
    number: u64,
    probe: KeyFrameProbe,
    /// How long one frame of a lace lasts.
    default_duration_ns: Option<u64>,
    audio: Option<AudioFormat>,
}

impl MatroskaSource {
    /// Over a file, standard input, or any other reader.
    pub fn new(reader: Box<dyn Read + Send>) -> Self {
        Self {
            input: Input::new(reader),
            scanner: Scanner::with_documents(Limits::default(), Documents::Concatenated),
            timestamp_scale_ns: 1_000_000,
            timecode: 0,
            in_cluster: false,
            tracks: Vec::new(),
            announced: Vec::new(),
            ready: VecDeque::new(),
        }
    }

    fn scan(&mut self) -> Result<bool, Error> {
        let buffer = &mut self.input.buffer;
        let Some(item) = self.scanner.next(buffer)? else { return Ok(false) };
        let len = item.len;
        match item.event {
            Event::EbmlHeader(_) => self.in_cluster = false,
            Event::Info(info) => self.timestamp_scale_ns = info.timestamp_scale_ns,
            Event::Tracks(tracks) => {
                self.tracks = tracks.iter().map(TrackState::new).collect();
                // GetMedia repeats them with every fragment.
                if tracks != self.announced {
                    self.announced.clone_from(&tracks);
                    self.ready.push_back(SourceItem::Tracks(tracks));
                }
            }
            Event::Cluster(_) => self.in_cluster = true,
            Event::Timestamp(timecode) => self.timecode = timecode,
            Event::Tags(groups) if self.in_cluster => {
                // Those of a service describe another stream's fragments.
                let own = |name: &str| !name.starts_with("AWS");
                let groups: Vec<_> = groups
                    .into_iter()
                    .filter(|group| group.tags.iter().all(|tag| own(&tag.name)))
                    .collect();
                if !groups.is_empty() {
                    self.ready.push_back(SourceItem::Tags(groups));
                }
            }
            Event::Block(block) => {
                let found = self.tracks.iter().position(|t| t.number == block.track_number);
                if let Some(track_index) = found {
                    let track = &self.tracks[track_index];
                    let ticks = i128::from(self.timecode) + i128::from(block.relative_timestamp);
                    let pts_ns = ticks * i128::from(self.timestamp_scale_ns);
                    let mut pts_ns = i64::try_from(pts_ns).unwrap_or(i64::MAX);
                    let ranges: Vec<(usize, usize)> =
                        block.frames()?.map(|(offset, frame)| (offset, frame.len())).collect();
                    let flags = FrameFlags {
                        key: block.key,
                        invisible: block.invisible,
                        discardable: block.discardable,
                    };
                    let element = buffer.split_to(len).freeze();
                    for (offset, frame_len) in ranges {
                        let data = element.slice(offset..offset + frame_len);
                        let key = track.probe.is_key(&data).unwrap_or(flags.key);
                        let duration_ns = track.frame_duration_ns(&data);
                        self.ready.push_back(SourceItem::Frame(SourceFrame {
                            track_index,
                            pts_ns,
                            flags: FrameFlags { key, ..flags },
                            data,
                        }));
                        pts_ns = pts_ns.saturating_add(duration_ns);
                    }
                    return Ok(true);
                }
            }
            _ => {}
        }
        let _taken = buffer.split_to(len);
        Ok(true)
    }
}

impl Source for MatroskaSource {
    fn next(&mut self) -> Result<Option<SourceItem>, Error> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            if self.scan()? {
                continue;
            }
            if self.input.ended || !self.input.fill(self.scanner.needed())? {
                // A recording that was cut off is good up to there.
                return match self.announced.is_empty() {
                    true => Err(self.scanner.finish(&self.input.buffer).err().map_or(
                        Error::Settings("the input holds no Matroska tracks".into()),
                        Error::Matroska,
                    )),
                    false => Ok(None),
                };
            }
        }
    }
}

impl TrackState {
    fn new(track: &Track) -> Self {
        let declared = track.audio.map(|audio| DeclaredAudio {
            sampling_frequency: audio.sampling_frequency,
            channels: audio.channels,
            bit_depth: audio.bit_depth,
        });
        Self {
            number: track.number,
            probe: KeyFrameProbe::new(&track.codec_id, &track.codec_private),
            default_duration_ns: track.default_duration_ns,
            audio: AudioFormat::new(&track.codec_id, &track.codec_private, declared),
        }
    }

    /// How far the next frame of the same lace is.
    fn frame_duration_ns(&self, frame: &[u8]) -> i64 {
        let by_samples = || {
            let audio = self.audio?;
            let samples = u64::from(audio.samples(frame, frame.len())?);
            Some(samples * 1_000_000_000 / u64::from(audio.sampling_rate()))
        };
        let ns = self.default_duration_ns.or_else(by_samples).unwrap_or(0);
        i64::try_from(ns).unwrap_or(0)
    }
}
