//! Why a segment cannot be written.

use std::fmt;

/// An elementary stream of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// H.264 on PID 0x100.
    Video,
    /// AAC on PID 0x101.
    Audio,
}

/// What is wrong with the frames given. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There are frames of a track that the program does not have.
    NotInProgram {
        /// That track.
        track: Track,
    },
    /// Decoding times go backwards.
    DtsBackwards {
        /// In this track.
        track: Track,
        /// Index of the frame whose time is too small.
        index: usize,
        /// Its decoding time, 90 kHz.
        dts: u64,
        /// That of the frame before.
        previous: u64,
    },
    /// A video frame would be shown before it is decoded.
    PtsBeforeDts {
        /// Index of the frame.
        index: usize,
        /// Its presentation time, 90 kHz.
        pts: u64,
        /// Its decoding time, 90 kHz.
        dts: u64,
    },
    /// An audio header is no ADTS header without CRC, or does not state the length of its frame.
    AdtsHeader {
        /// Index of the frame.
        index: usize,
    },
    /// The frames lie further apart than a segment may last: the packets that carry nothing but
    /// the clock would fill it.
    SpanTooLong {
        /// From the first decoding time to the last, 90 kHz.
        span: u64,
        /// The longest allowed.
        max: u64,
    },
}

impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Video => "video",
            Self::Audio => "audio",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInProgram { track } => write!(f, "the program has no {track}"),
            Self::DtsBackwards { track, index, dts, previous } => {
                write!(f, "{track} frame {index} has DTS {dts}, after {previous}")
            }
            Self::PtsBeforeDts { index, pts, dts } => {
                write!(f, "video frame {index} has PTS {pts}, before its DTS {dts}")
            }
            Self::AdtsHeader { index } => {
                write!(f, "audio frame {index} has an ADTS header that does not fit")
            }
            Self::SpanTooLong { span, max } => {
                write!(f, "the frames span {span} ticks of 90 kHz, at most {max} are allowed")
            }
        }
    }
}

impl std::error::Error for Error {}
