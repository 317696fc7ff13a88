//! What can go wrong between a program and the service.

use std::fmt;
use std::io;

/// Why something failed. [`Error::is_retriable`] tells whether the same call may succeed later.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Settings are missing or make no sense; the text says which and how to give them.
    Settings(String),
    /// No connection to the peer could be made.
    Connect {
        /// `host:port`.
        peer: String,
        /// Why.
        source: io::Error,
    },
    /// The connection broke.
    Io(io::Error),
    /// The peer took too long.
    Timeout {
        /// For what.
        waiting_for: &'static str,
    },
    /// The peer does not speak HTTP/1.1 as it should.
    Http(&'static str),
    /// The service refused the call.
    Call(CallError),
    /// The service ended a PutMedia session with an ERROR ack.
    Ack {
        /// ErrorId.
        id: u32,
        /// ErrorCode.
        code: String,
    },
    /// The task at work was stopped.
    Stopped,
    /// An answer lacks what its model promises.
    Answer {
        /// The operation.
        operation: &'static str,
        /// The member.
        member: &'static str,
    },
    /// Media from the service or a source is no valid Matroska.
    Matroska(streamkeep_mkv::Error),
    /// A source's H.264 or H.265 stream is broken.
    Codec(streamkeep_codec::Error),
    /// A source's MP4 file is broken or holds something that cannot be used.
    Mp4 {
        /// Where: box types from the outside in, such as `moov/trak/mdia`.
        path: String,
        /// What is wrong there.
        problem: &'static str,
    },
    /// A limit of this library was passed.
    LimitExceeded {
        /// What is too large.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// A URL, given or found in an answer, is of no use.
    Url {
        /// Without its query, which may hold a session token.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A signature could not be made: a header or name that cannot be signed.
    Sign(streamkeep_sigv4::AuthError),
}

impl Error {
    /// The same call may succeed later: connection trouble, throttling, the server's own faults.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Io(_) | Self::Timeout { .. } | Self::Http(_) => true,
            Self::Call(error) => error.is_retriable(),
            Self::Ack { id, .. } => crate::put_media::ack_error::is_retriable(*id),
            Self::Settings(_)
            | Self::Stopped
            | Self::Answer { .. }
            | Self::Matroska(_)
            | Self::Codec(_)
            | Self::Mp4 { .. }
            | Self::LimitExceeded { .. }
            | Self::Url { .. }
            | Self::Sign(_) => false,
        }
    }

    /// The service refused with this exception name.
    pub fn has_code(&self, code: &str) -> bool {
        matches!(self, Self::Call(error) if error.code == code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(text) => f.write_str(text),
            Self::Connect { peer, source } => write!(f, "cannot connect to {peer}: {source}"),
            Self::Io(source) => write!(f, "connection lost: {source}"),
            Self::Timeout { waiting_for } => write!(f, "timed out waiting for {waiting_for}"),
            Self::Http(what) => write!(f, "the peer broke HTTP: {what}"),
            Self::Call(error) => error.fmt(f),
            Self::Ack { id, code } => write!(f, "the service ended the session: {id} {code}"),
            Self::Stopped => f.write_str("stopped"),
            Self::Answer { operation, member } => {
                write!(f, "the answer to {operation} has no usable {member}")
            }
            Self::Matroska(error) => write!(f, "not valid Matroska: {error}"),
            Self::Codec(error) => write!(f, "not usable video: {error}"),
            Self::Mp4 { path, problem } => write!(f, "MP4: {path}: {problem}"),
            Self::LimitExceeded { what, limit } => write!(f, "{what} exceeds {limit}"),
            Self::Url { url, problem } => write!(f, "URL {url:?} {problem}"),
            Self::Sign(error) => write!(f, "cannot sign the request: {error}"),
        }
    }
}

// Each text holds that of its cause, so there is no `source` to print behind it.
impl std::error::Error for Error {}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<streamkeep_mkv::Error> for Error {
    fn from(error: streamkeep_mkv::Error) -> Self {
        Self::Matroska(error)
    }
}

/// A refusal by the service, as its JSON error carries it (control-plane.md §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// HTTP status.
    pub status: u16,
    /// Exception name, for example `ResourceNotFoundException`; empty when the answer names none.
    pub code: String,
    /// For people; may be empty.
    pub message: String,
}

impl CallError {
    /// Too many calls: the call was not carried out.
    pub fn is_throttling(&self) -> bool {
        self.status == 429
            || matches!(self.code.as_str(), "ClientLimitExceededException" | "ThrottlingException")
    }

    /// Throttling, too many connections, and faults of the server.
    pub fn is_retriable(&self) -> bool {
        self.is_throttling()
            || self.status >= 500
            || self.code == "ConnectionLimitExceededException"
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = if self.code.is_empty() { "no error name" } else { &self.code };
        write!(f, "refused with {code} (HTTP {})", self.status)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for CallError {}
