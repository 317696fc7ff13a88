//! The chunked transfer coding (RFC 9112 §7.1), taken off.
//!
//! Strict where two readings could differ: sizes are 1 to 16 hex digits, every line ends in CRLF,
//! a bare CR or LF is refused. Chunk extensions and trailers are allowed, bounded, and dropped.
//! Left out: obsolete line folding, and any meaning of extensions and trailers.

use std::fmt;

/// Hex digits of a chunk size: a `u64` has no more.
const SIZE_DIGITS_MAX: u8 = 16;

/// Bytes of one chunk's extensions. The longest known, AWS's `chunk-signature`, has 85.
const EXTENSION_LEN_MAX: u16 = 4096;

/// Bytes of all trailer lines.
const TRAILER_LEN_MAX: u16 = 8192;

/// Takes the framing off a body given in pieces of any size.
#[derive(Clone, Debug)]
pub(crate) struct ChunkedDecoder {
    state: State,
    /// Body bytes looked at, framing included.
    position: u64,
}

/// What the decoder expects next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A hex digit, or what may follow the last one.
    Size {
        size: u64,
        digits: u8,
    },
    /// Blanks after the size (`BWS`; some devices pad sizes to a fixed width).
    Blank {
        size: u64,
        len: u16,
    },
    Extension {
        size: u64,
        len: u16,
    },
    SizeLf {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    /// The first byte of a trailer line, or the CR of the last, empty line.
    TrailerStart {
        len: u16,
    },
    Trailer {
        len: u16,
    },
    TrailerLf {
        len: u16,
    },
    EndLf,
    End,
}

/// What [`ChunkedDecoder::decode`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// `skip` bytes of framing, then `len > 0` bytes of body. Both are used up.
    Data { skip: usize, len: usize },
    /// All of the input was framing; more must come.
    Incomplete,
    /// The body's end lies after `skip` bytes; what follows belongs to the next request.
    End { skip: usize },
}

/// Chunk framing broke at `position`, counted in bytes from the start of the encoded body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChunkError {
    /// What was wrong.
    pub kind: ChunkErrorKind,
    /// Offset of the offending byte.
    pub position: u64,
}

/// What was wrong with the chunk framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChunkErrorKind {
    /// No hex digit where a chunk size must be.
    Size,
    /// More than 16 digits of chunk size.
    SizeTooLong,
    /// Extensions over 4096 bytes.
    ExtensionTooLong,
    /// Trailers over 8192 bytes.
    TrailerTooLong,
    /// A line, or a chunk's data, does not end in CRLF where it must.
    LineEnd,
}

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ChunkErrorKind::Size => "chunk size expected",
            ChunkErrorKind::SizeTooLong => "chunk size has too many digits",
            ChunkErrorKind::ExtensionTooLong => "chunk extension too long",
            ChunkErrorKind::TrailerTooLong => "trailer too long",
            ChunkErrorKind::LineEnd => "CRLF expected",
        };
        write!(f, "{what} at byte {} of the body", self.position)
    }
}

impl std::error::Error for ChunkError {}

impl ChunkedDecoder {
    pub(crate) fn new() -> Self {
        Self { state: State::Size { size: 0, digits: 0 }, position: 0 }
    }

    /// Looks at `input`, the bytes after those already used up. After an error the decoder stays
    /// at the error.
    pub(crate) fn decode(&mut self, input: &[u8]) -> Result<Decoded, ChunkError> {
        for (skip, &byte) in input.iter().enumerate() {
            if let State::Data { left } = self.state {
                let rest = input.len() - skip;
                let len = usize::try_from(left).map_or(rest, |left| left.min(rest));
                self.position += len as u64;
                self.state = match left - len as u64 {
                    0 => State::DataCr,
                    left => State::Data { left },
                };
                return Ok(Decoded::Data { skip, len });
            }
            if self.state == State::End {
                return Ok(Decoded::End { skip });
            }
            self.state = self
                .state
                .next(byte)
                .map_err(|kind| ChunkError { kind, position: self.position })?;
            self.position += 1;
        }
        if self.state == State::End {
            return Ok(Decoded::End { skip: input.len() });
        }
        Ok(Decoded::Incomplete)
    }
}

impl State {
    /// The state after a byte of framing.
    fn next(self, byte: u8) -> Result<Self, ChunkErrorKind> {
        Ok(match self {
            Self::Size { size, digits } => match (char::from(byte).to_digit(16), byte) {
                (Some(_), _) if digits == SIZE_DIGITS_MAX => {
                    return Err(ChunkErrorKind::SizeTooLong);
                }
                (Some(digit), _) => {
                    Self::Size { size: size << 4 | u64::from(digit), digits: digits + 1 }
                }
                _ if digits == 0 => return Err(ChunkErrorKind::Size),
                (None, b'\r') => Self::SizeLf { size },
                (None, b';') => Self::Extension { size, len: 0 },
                (None, b' ' | b'\t') => Self::Blank { size, len: 1 },
                (None, b'\n') => return Err(ChunkErrorKind::LineEnd),
                (None, _) => return Err(ChunkErrorKind::Size),
            },
            Self::Blank { size, len } => match byte {
                b'\r' => Self::SizeLf { size },
                b';' => Self::Extension { size, len },
                b' ' | b'\t' if len < EXTENSION_LEN_MAX => Self::Blank { size, len: len + 1 },
                b' ' | b'\t' => return Err(ChunkErrorKind::ExtensionTooLong),
                b'\n' => return Err(ChunkErrorKind::LineEnd),
                _ => return Err(ChunkErrorKind::Size),
            },
            Self::Extension { size, len } => match byte {
                b'\r' => Self::SizeLf { size },
                b'\n' => return Err(ChunkErrorKind::LineEnd),
                _ if len == EXTENSION_LEN_MAX => return Err(ChunkErrorKind::ExtensionTooLong),
                _ => Self::Extension { size, len: len + 1 },
            },
            Self::SizeLf { size } => match (byte, size) {
                (b'\n', 0) => Self::TrailerStart { len: 0 },
                (b'\n', left) => Self::Data { left },
                _ => return Err(ChunkErrorKind::LineEnd),
            },
            Self::Data { .. } | Self::End => unreachable!("handled where the input is at hand"),
            Self::DataCr => match byte {
                b'\r' => Self::DataLf,
                _ => return Err(ChunkErrorKind::LineEnd),
            },
            Self::DataLf => match byte {
                b'\n' => Self::Size { size: 0, digits: 0 },
                _ => return Err(ChunkErrorKind::LineEnd),
            },
            Self::TrailerStart { len } => match byte {
                b'\r' => Self::EndLf,
                b'\n' => return Err(ChunkErrorKind::LineEnd),
                _ if len == TRAILER_LEN_MAX => return Err(ChunkErrorKind::TrailerTooLong),
                _ => Self::Trailer { len: len + 1 },
            },
            Self::Trailer { len } => match byte {
                b'\r' => Self::TrailerLf { len },
                b'\n' => return Err(ChunkErrorKind::LineEnd),
                _ if len == TRAILER_LEN_MAX => return Err(ChunkErrorKind::TrailerTooLong),
                _ => Self::Trailer { len: len + 1 },
            },
            Self::TrailerLf { len } => match byte {
                b'\n' => Self::TrailerStart { len },
                _ => return Err(ChunkErrorKind::LineEnd),
            },
            Self::EndLf => match byte {
                b'\n' => Self::End,
                _ => return Err(ChunkErrorKind::LineEnd),
            },
        })
    }
}

#[cfg(test)]
mod tests;
