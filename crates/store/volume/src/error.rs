//! What can go wrong with a volume.

use std::fmt;
use std::io;

use streamkeep_keys::KeysError;

/// Why a volume, or a part of it, cannot be read or written. The kinds differ by what the caller
/// does about them.
#[derive(Debug)]
#[non_exhaustive]
pub enum VolumeError {
    /// The file system said no.
    Io(io::Error),
    /// The file is no volume at all: its header has another magic.
    NotAVolume,
    /// The volume was written by a later version, in a way this one must not touch.
    Unsupported {
        /// Format version found.
        version: u32,
        /// Incompatible features found that are not known here.
        features: u32,
    },
    /// The volume has no footer: it is being written, or was when the machine stopped.
    NotSealed,
    /// Bytes fail their check, or pass it and make no sense. Never served.
    Damaged {
        /// What they were to be.
        part: Part,
        /// Where they start in the file; in the plaintext for [`Part::Meta`].
        offset: u64,
    },
    /// The file, record or row is intact but is another one than was asked for.
    Mismatch {
        /// What differs.
        part: Part,
        /// Where it starts in the file.
        offset: u64,
    },
    /// More than the format holds.
    TooLarge {
        /// Of what.
        part: Part,
        /// How much, in bytes or entries.
        found: u64,
        /// The most that is allowed.
        max: u64,
    },
    /// The fragment does not open.
    Keys(KeysError),
}

/// The parts of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The first 4096 bytes.
    VolumeHeader,
    /// The first 64 bytes of a batch, or what they say about it.
    Batch,
    /// A record's header.
    RecordHeader,
    /// A record's sealed bytes.
    Payload,
    /// A fragment's row.
    Row,
    /// The plaintext of a meta section.
    Meta,
    /// A fragment's media.
    Media,
    /// The footer as a whole.
    Footer,
    /// The order of a run by producer time.
    ProducerOrder,
    /// The footer's list of runs.
    RunDirectory,
    /// The footer's data keys.
    Keys,
    /// The footer's list of damaged ranges.
    DamageList,
    /// The last 4096 bytes.
    Trailer,
}

impl VolumeError {
    pub(crate) fn damaged(part: Part, offset: u64) -> Self {
        Self::Damaged { part, offset }
    }

    /// Fails when `found` exceeds `max`.
    pub(crate) fn check_max(part: Part, found: u64, max: u64) -> Result<(), Self> {
        if found > max { Err(Self::TooLarge { part, found, max }) } else { Ok(()) }
    }
}

impl fmt::Display for VolumeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "volume I/O: {error}"),
            Self::NotAVolume => f.write_str("not a volume"),
            Self::Unsupported { version, features } => {
                write!(f, "volume format {version} with features {features:#x} is not supported")
            }
            Self::NotSealed => f.write_str("volume is not sealed"),
            Self::Damaged { part, offset } => write!(f, "{part} at {offset} is damaged"),
            Self::Mismatch { part, offset } => {
                write!(f, "{part} at {offset} is not the one expected")
            }
            Self::TooLarge { part, found, max } => {
                write!(f, "{part} is too large: {found}, at most {max}")
            }
            Self::Keys(error) => write!(f, "fragment does not open: {error}"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::VolumeHeader => "volume header",
            Self::Batch => "batch",
            Self::RecordHeader => "record header",
            Self::Payload => "payload",
            Self::Row => "row",
            Self::Meta => "meta section",
            Self::Media => "media",
            Self::Footer => "footer",
            Self::ProducerOrder => "producer order",
            Self::RunDirectory => "run directory",
            Self::Keys => "key list",
            Self::DamageList => "damage list",
            Self::Trailer => "trailer",
        })
    }
}

impl std::error::Error for VolumeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Keys(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for VolumeError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<KeysError> for VolumeError {
    fn from(error: KeysError) -> Self {
        Self::Keys(error)
    }
}
