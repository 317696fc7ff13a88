//! What can go wrong, by who is at fault.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use crate::h1::chunked::{ChunkError, ChunkErrorKind};

/// Why the listener could not be set up.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The address could not be bound.
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A thread or its runtime could not be started.
    Start(io::Error),
    /// A certificate or key file could not be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A certificate or key file holds something else.
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Certificate and key do not fit, or are of a kind that TLS does not know.
    Tls(rustls::Error),
    /// A certificate could not be made for the local authority.
    Certificate(rcgen::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind { addr, source } => write!(f, "cannot listen on {addr}: {source}"),
            Self::Start(source) => write!(f, "cannot start a listener thread: {source}"),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Pem { path, detail } => write!(f, "{}: {detail}", path.display()),
            Self::Tls(source) => write!(f, "certificate or key not usable for TLS: {source}"),
            Self::Certificate(source) => write!(f, "cannot make a certificate: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Bind { source, .. } | Self::Start(source) | Self::File { source, .. } => {
                Some(source)
            }
            Self::Pem { .. } => None,
            Self::Tls(source) => Some(source),
            Self::Certificate(source) => Some(source),
        }
    }
}

/// Why [`Exchange::read`](crate::Exchange::read) gave no bytes.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The peer is gone before the body's end: it closed (`cause` is `None`), or the connection
    /// was reset or its TLS broke. Unless it is reset, what is still sent may arrive.
    Closed {
        /// The I/O error, if it was one.
        cause: Option<io::Error>,
    },
    /// The chunk framing is broken; nothing more can be read. Writing still works.
    Framing(ChunkError),
    /// No body byte came within [`Exchange::set_read_timeout`](crate::Exchange::set_read_timeout).
    /// Reading may go on: the next call waits as long again.
    Timeout,
    /// For the write stall timeout the peer took none of the bytes that wait for it.
    Stalled,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { cause: None } => f.write_str("peer closed before the end of the body"),
            Self::Closed { cause: Some(err) } => {
                write!(f, "connection lost before the end of the body: {err}")
            }
            Self::Framing(err) => err.fmt(f),
            Self::Timeout => f.write_str("no body bytes arrived in time"),
            Self::Stalled => f.write_str("peer does not take what is sent to it"),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Closed { cause: Some(err) } => Some(err),
            Self::Framing(err) => Some(err),
            _ => None,
        }
    }
}

/// Why [`Exchange::flush`](crate::Exchange::flush) could not deliver. Reading may go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The connection is lost.
    Closed(io::Error),
    /// For the write stall timeout the peer took none of the bytes that wait for it.
    Stalled,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(err) => write!(f, "connection lost: {err}"),
            Self::Stalled => f.write_str("peer does not take what is sent to it"),
        }
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Closed(err) => Some(err),
            Self::Stalled => None,
        }
    }
}
