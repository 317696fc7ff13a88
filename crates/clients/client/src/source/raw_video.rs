//! Raw H.264 and H.265 streams in Annex B form, with a constant frame rate.

use std::collections::VecDeque;
use std::io::Read;

use bytes::Buf;
use streamkeep_codec::{AccessUnit, AccessUnitSplitter, CodecParameters, VideoCodec};
use streamkeep_media::{FrameFlags, Track, TrackKind, VideoParameters};

use super::picture_clock::PictureClock;
use super::{Input, Source, SourceFrame, SourceItem};
use crate::Error;

/// Reads a raw stream. Presentation times count from its first frame.
pub struct RawVideoSource {
    input: Input,
    codec: VideoCodec,
    splitter: AccessUnitSplitter,
    clock: PictureClock,
    /// Frames per second, when given.
    frame_rate: Option<f64>,
    /// In use: given, or by the stream, or 25.
    frame_ns: f64,
    parameters: Option<CodecParameters>,
    /// With their slots.
    placed: VecDeque<(i64, AccessUnit)>,
    /// Waits for the tracks that were announced before it.
    next_frame: Option<SourceFrame>,
    finished: bool,
}

impl RawVideoSource {
    /// Over a file, standard input, or any other reader. `frame_rate` in frames per second
    /// outweighs what the stream says; a stream that says nothing is taken to have 25.
    pub fn new(reader: Box<dyn Read + Send>, codec: VideoCodec, frame_rate: Option<f64>) -> Self {
        Self {
            input: Input::new(reader),
            codec,
            splitter: AccessUnitSplitter::new(codec),
            clock: PictureClock::new(),
            frame_rate,
            frame_ns: 0.0,
            parameters: None,
            placed: VecDeque::new(),
            next_frame: None,
            finished: false,
        }
    }

    fn read_more(&mut self) -> Result<(), Error> {
        if self.input.fill(0)? {
            let bytes = self.input.buffer.split();
            self.splitter.push(bytes.chunk()).map_err(Error::Codec)?;
        } else {
            self.splitter.finish();
            self.finished = true;
        }
        while let Some(unit) = self.splitter.next_access_unit() {
            self.clock.push(unit, &mut self.placed);
        }
        if self.finished {
            self.clock.flush(&mut self.placed);
        }
        Ok(())
    }

    fn frame(&self, slot: i64, unit: &AccessUnit) -> SourceFrame {
        SourceFrame {
            track_index: 0,
            // Below 2^53 ns × frames for years of video.
            pts_ns: (slot as f64 * self.frame_ns).round() as i64,
            flags: FrameFlags { key: unit.key, ..FrameFlags::default() },
            data: unit.data.clone(),
        }
    }

    fn track(&self, parameters: &CodecParameters) -> Track {
        Track {
            number: 1,
            uid: 1,
            kind: TrackKind::Video,
            codec_id: self.codec.codec_id().into(),
            codec_private: parameters.codec_private.clone(),
            name: "video".into(),
            default_duration_ns: None,
            video: Some(VideoParameters { width: parameters.width, height: parameters.height }),
            audio: None,
        }
    }
}

impl Source for RawVideoSource {
    fn next(&mut self) -> Result<Option<SourceItem>, Error> {
        if let Some(frame) = self.next_frame.take() {
            return Ok(Some(SourceItem::Frame(frame)));
        }
        while self.placed.is_empty() && !self.finished {
            self.read_more()?;
        }
        let Some((slot, unit)) = self.placed.pop_front() else {
            return match self.parameters {
                Some(_) => Ok(None),
                None => Err(Error::Codec(streamkeep_codec::Error::Missing {
                    structure: "H.264 or H.265 picture with its parameter sets",
                })),
            };
        };
        if self.parameters.is_none() {
            let rate = self.frame_rate.or(unit.parameters.frame_rate_hint).unwrap_or(25.0);
            self.frame_ns = 1e9 / rate;
        }
        let frame = self.frame(slot, &unit);
        let known = self.parameters.as_ref().map(|known| &known.codec_private);
        if known == Some(&unit.parameters.codec_private) {
            return Ok(Some(SourceItem::Frame(frame)));
        }
        self.next_frame = Some(frame);
        let track = self.track(&unit.parameters);
        self.parameters = Some(unit.parameters);
        Ok(Some(SourceItem::Tracks(vec![track])))
    }
}
