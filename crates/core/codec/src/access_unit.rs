//! Raw Annex B byte streams → access units with 4-byte length prefixes.
//!
//! Bytes go in as they come, access units come out as soon as the first slice of the next one is
//! seen. Fields of one frame come out together, as one sample. NAL units are kept as they are:
//! parameter sets, SEI and delimiters included, start codes replaced by lengths.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::nal_units::{find_start_code, without_trailing_zeros};
use crate::picture::{NalRole, PictureStart, SliceStart};
use crate::{Error, KeyFrameProbe, VideoCodec, h264, h265};

/// One coded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    /// NAL units, each behind a 4-byte length.
    pub data: Bytes,
    /// A random access point, by [`KeyFrameProbe`].
    pub key: bool,
    /// When it is presented, relative to others.
    pub order: PictureOrder,
    /// What its parameter sets say; the same value for as long as they stay the same.
    pub parameters: CodecParameters,
}

/// Place of a frame in presentation order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureOrder {
    /// Counts of this and later frames are independent of the counts before: an IDR picture.
    pub restarts: bool,
    /// PicOrderCnt.
    pub count: i32,
    /// By how much the counts of neighbouring frames differ: 2 or 1. Some H.264 encoders count
    /// frames by 1 where the standard's fields make it 2; an odd count gives them away.
    pub step: i32,
    /// H.265 RADL and RASL: presented before the random access point they follow.
    pub leading: bool,
    /// Leading frames may follow.
    pub may_have_leading: bool,
}

/// What the parameter sets in force say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CodecParameters {
    /// avcC or hvcC with 4-byte lengths.
    pub codec_private: Bytes,
    /// Width in luma samples.
    pub width: u32,
    /// Height in luma samples.
    pub height: u32,
    /// Frames per second by the VUI.
    pub frame_rate_hint: Option<f64>,
    /// How many frames may precede another in decode order and follow it in presentation order;
    /// `None`: not told.
    pub reorder_depth: Option<u8>,
}

// The hint comes from two integers and is never NaN.
impl Eq for CodecParameters {}

/// Splits one raw stream.
///
/// Call [`push`](Self::push) with bytes of any length, then [`next_access_unit`](
/// Self::next_access_unit) until it gives `None`; at the end [`finish`](Self::finish) and drain
/// again. Slices that come before their parameter sets are dropped.
#[derive(Debug)]
pub struct AccessUnitSplitter {
    pictures: Pictures,
    probe: KeyFrameProbe,
    /// Input not taken apart yet: from the first byte behind a start code once `synchronized`.
    buffer: Vec<u8>,
    synchronized: bool,
    /// No start code begins in `buffer` before this position.
    scanned: usize,
    /// The slice at the start of `buffer` was looked at while it was still arriving.
    peeked: bool,
    /// NAL units, with lengths, that wait for the slice they precede.
    preceding: Vec<u8>,
    current: Option<Current>,
    parameters: ((u64, u8), CodecParameters),
    ready: VecDeque<AccessUnit>,
}

#[derive(Debug)]
struct Current {
    data: Vec<u8>,
    order: PictureOrder,
    parameters: CodecParameters,
}

impl AccessUnitSplitter {
    /// For one stream of this codec.
    pub fn new(codec: VideoCodec) -> Self {
        Self {
            pictures: match codec {
                VideoCodec::H264 => Pictures::H264(Box::default()),
                VideoCodec::H265 => Pictures::H265(Box::default()),
            },
            probe: KeyFrameProbe::new(codec.codec_id(), &[]),
            buffer: Vec::new(),
            synchronized: false,
            scanned: 0,
            peeked: false,
            preceding: Vec::new(),
            current: None,
            parameters: ((0, 0), CodecParameters::default()),
            ready: VecDeque::new(),
        }
    }

    /// Takes in bytes. Error: an access unit grew beyond 32 MiB, so this is hardly a video stream;
    /// the splitter is of no more use then.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.buffer.extend_from_slice(bytes);
        let mut taken = 0;
        while let Some((start, after)) = find_start_code(&self.buffer, self.scanned) {
            if self.synchronized {
                let buffer = std::mem::take(&mut self.buffer);
                self.take_nal(without_trailing_zeros(&buffer[taken..start]));
                self.buffer = buffer;
            }
            self.synchronized = true;
            taken = after;
            self.scanned = after;
        }
        self.buffer.drain(..taken);
        // The last two bytes may be the first of a start code.
        self.scanned = self.buffer.len().saturating_sub(2);
        self.peek_at_slice();
        let held = self.buffer.len()
            + self.preceding.len()
            + self.current.as_ref().map_or(0, |current| current.data.len());
        if held > ACCESS_UNIT_LEN_MAX {
            return Err(Error::LimitExceeded { what: "access unit", limit: ACCESS_UNIT_LEN_MAX });
        }
        Ok(())
    }

    /// The next complete access unit.
    pub fn next_access_unit(&mut self) -> Option<AccessUnit> {
        self.ready.pop_front()
    }

    /// The stream has ended: what is at hand becomes the last access unit.
    pub fn finish(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        if self.synchronized {
            self.take_nal(without_trailing_zeros(&buffer));
        }
        self.complete_current();
        self.synchronized = false;
        self.scanned = 0;
    }

    /// Completes the previous access unit once the beginning of the next slice is there, rather
    /// than at its end.
    fn peek_at_slice(&mut self) {
        // Zero bytes at the end may belong to the next start code.
        if self.synchronized
            && !self.peeked
            && without_trailing_zeros(&self.buffer).len() >= SLICE_PEEK_LEN
            && self.pictures.role(&self.buffer) == NalRole::Slice
        {
            let buffer = std::mem::take(&mut self.buffer);
            self.begin_slice(&buffer);
            self.buffer = buffer;
            self.peeked = true;
        }
    }

    fn take_nal(&mut self, nal: &[u8]) {
        let peeked = std::mem::take(&mut self.peeked);
        if nal.is_empty() {
            return;
        }
        match self.pictures.role(nal) {
            NalRole::Slice => {
                if !peeked {
                    self.begin_slice(nal);
                }
                if let Some(current) = &mut self.current {
                    append(&mut current.data, nal);
                }
            }
            NalRole::Precedes => {
                self.pictures.observe(nal);
                append(&mut self.preceding, nal);
            }
            NalRole::Continues => {
                self.pictures.observe(nal);
                match &mut self.current {
                    // In the order of the stream.
                    Some(current) if self.preceding.is_empty() => append(&mut current.data, nal),
                    _ => append(&mut self.preceding, nal),
                }
            }
        }
    }

    fn begin_slice(&mut self, nal: &[u8]) {
        match self.pictures.slice(nal) {
            SliceStart::SamePicture => {
                if let Some(current) = &mut self.current {
                    current.data.append(&mut self.preceding);
                }
            }
            SliceStart::NewPicture(start) => {
                self.complete_current();
                let parameters = self.parameters_of(&start);
                self.current = Some(Current {
                    data: std::mem::take(&mut self.preceding),
                    order: PictureOrder {
                        restarts: start.restarts_order,
                        count: start.order,
                        step: start.order_step,
                        leading: start.leading,
                        may_have_leading: start.may_have_leading,
                    },
                    parameters,
                });
            }
            SliceStart::Unreadable => {
                self.complete_current();
                self.preceding.clear();
            }
        }
    }

    fn complete_current(&mut self) {
        if let Some(Current { data, order, parameters }) = self.current.take() {
            let key = self.probe.is_key(&data) == Some(true);
            self.ready.push_back(AccessUnit { data: data.into(), key, order, parameters });
        }
    }

    fn parameters_of(&mut self, start: &PictureStart) -> CodecParameters {
        if self.parameters.0 != start.parameter_sets {
            let parameters = self.pictures.parameters(start.parameter_sets.1);
            // A record that cannot be built leaves the last one in force.
            self.parameters =
                (start.parameter_sets, parameters.unwrap_or_else(|| self.parameters.1.clone()));
        }
        self.parameters.1.clone()
    }
}

#[derive(Debug)]
enum Pictures {
    H264(Box<h264::PictureTracker>),
    H265(Box<h265::PictureTracker>),
}

impl Pictures {
    fn role(&mut self, nal: &[u8]) -> NalRole {
        match self {
            Self::H264(tracker) => tracker.role(nal),
            Self::H265(tracker) => tracker.role(nal),
        }
    }

    fn observe(&mut self, nal: &[u8]) {
        match self {
            Self::H264(tracker) => tracker.observe(nal),
            Self::H265(tracker) => tracker.observe(nal),
        }
    }

    fn slice(&mut self, nal: &[u8]) -> SliceStart {
        match self {
            Self::H264(tracker) => tracker.slice(nal),
            Self::H265(tracker) => tracker.slice(nal),
        }
    }

    fn parameters(&self, sps_id: u8) -> Option<CodecParameters> {
        Some(match self {
            Self::H264(tracker) => {
                let (record, sps) = tracker.codec_private(sps_id)?;
                CodecParameters {
                    codec_private: record.into(),
                    width: sps.width,
                    height: sps.height,
                    frame_rate_hint: sps.frame_rate_hint(),
                    reorder_depth: sps.reorder_depth(),
                }
            }
            Self::H265(tracker) => {
                let (record, sps) = tracker.codec_private(sps_id)?;
                CodecParameters {
                    codec_private: record.into(),
                    width: sps.width,
                    height: sps.height,
                    frame_rate_hint: sps.frame_rate_hint(),
                    reorder_depth: Some(sps.reorder_depth),
                }
            }
        })
    }
}

fn append(data: &mut Vec<u8>, nal: &[u8]) {
    let len = u32::try_from(nal.len()).expect("a NAL unit is at most ACCESS_UNIT_LEN_MAX bytes");
    data.extend_from_slice(&len.to_be_bytes());
    data.extend_from_slice(nal);
}

/// The largest frame that fits a fragment of 50 MB comfortably; real ones stay below 8 MB.
const ACCESS_UNIT_LEN_MAX: usize = 32 * 1024 * 1024;
/// More than the slice header fields in use take, with emulation prevention.
const SLICE_PEEK_LEN: usize = 48;

#[cfg(test)]
mod tests;
