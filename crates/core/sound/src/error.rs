//! Why sound was not encoded.

use std::fmt;

/// Why sound was not encoded. All but [`Error::Encoder`] are told by the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A rate that is not in [`crate::RATES_HZ`].
    UnsupportedRate {
        /// Samples per second.
        rate_hz: u32,
    },
    /// Neither mono nor stereo.
    UnsupportedChannels {
        /// Channels asked for.
        channels: u32,
    },
    /// A payload does not end with a whole sample of each channel.
    PartialSample {
        /// Which payload, from 0.
        payload_index: usize,
        /// Its length in bytes.
        payload_len: usize,
        /// Bytes of one sample of all channels.
        block_len: usize,
    },
    /// More sound in one call than [`crate::DURATION_MAX_SECONDS`].
    TooLong {
        /// The bound in samples of each channel.
        samples_max: u64,
    },
    /// A sample position above [`crate::POSITION_MAX`].
    PositionOutOfRange {
        /// The position.
        position: u64,
    },
    /// The Opus encoder refused what we gave it: a bug of ours.
    Encoder {
        /// Its error code, as in libopus.
        code: i32,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedRate { rate_hz } => write!(f, "{rate_hz} Hz is not supported"),
            Self::UnsupportedChannels { channels } => {
                write!(f, "{channels} channels are not supported, only 1 and 2")
            }
            Self::PartialSample { payload_index, payload_len, block_len } => write!(
                f,
                "payload {payload_index} has {payload_len} bytes, not a multiple of {block_len}"
            ),
            Self::TooLong { samples_max } => {
                write!(f, "more than {samples_max} samples of sound in one fragment")
            }
            Self::PositionOutOfRange { position } => {
                write!(f, "sample position {position} is out of range")
            }
            Self::Encoder { code } => write!(f, "the Opus encoder failed with code {code}"),
        }
    }
}

impl std::error::Error for Error {}
