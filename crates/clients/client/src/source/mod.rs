//! Media files and raw streams as frames.
//!
//! A [`Source`] reads blocking: run it on a thread of its own. Nothing is decoded.

mod matroska;
mod mp4;
mod picture_clock;
mod raw_video;

use std::io::{self, Read};

use bytes::{Bytes, BytesMut};
use streamkeep_media::{FrameFlags, TagGroup, Track};

use crate::Error;
pub use matroska::MatroskaSource;
pub use mp4::Mp4Source;
pub use raw_video::RawVideoSource;

/// Gives media piece by piece.
pub trait Source: Send {
    /// The next piece, in the order of the media, `None` at its end. The first piece is
    /// [`SourceItem::Tracks`].
    ///
    /// # Errors
    /// Reading failed, or the media is broken; the source is of no more use.
    fn next(&mut self) -> Result<Option<SourceItem>, Error>;
}

/// A piece of media.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SourceItem {
    /// The tracks of all frames that follow.
    Tracks(Vec<Track>),
    /// A frame, in decode order.
    Frame(SourceFrame),
    /// Tags that belong to the media at this place.
    Tags(Vec<TagGroup>),
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFrame {
    /// Index into the last [`SourceItem::Tracks`].
    pub track_index: usize,
    /// Presentation time in nanoseconds; what 0 means is the source's affair. It need not rise
    /// from frame to frame.
    pub pts_ns: i64,
    /// Key, invisible, discardable.
    pub flags: FrameFlags,
    /// The frame as Matroska carries it: H.264 and H.265 with length prefixes.
    pub data: Bytes,
}

/// Input that is read piecewise into a buffer.
struct Input {
    reader: Box<dyn Read + Send>,
    buffer: BytesMut,
    ended: bool,
}

impl Input {
    fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { reader, buffer: BytesMut::new(), ended: false }
    }

    /// Reads more; false at the end. At least `wanted` bytes fit the buffer after it.
    fn fill(&mut self, wanted: usize) -> Result<bool, Error> {
        let len = self.buffer.len();
        let piece = READ_LEN.max(wanted.saturating_sub(len)).min(READ_LEN_MAX);
        self.buffer.resize(len + piece, 0);
        let read = loop {
            match self.reader.read(&mut self.buffer[len..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.buffer.truncate(len + read.as_ref().copied().unwrap_or(0));
        let read = read.map_err(Error::Io)?;
        self.ended = read == 0;
        Ok(read > 0)
    }
}

const READ_LEN: usize = 64 * 1024;
const READ_LEN_MAX: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests;
