//! Why a call got no answer.

use std::fmt;
use std::net::IpAddr;

use crate::Failure;
use crate::address_policy::Range;

/// Why a call got no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum HttpError {
    /// The host resolves to addresses that may not be contacted, and to no other.
    Refused {
        /// The host.
        host: String,
        /// One of its addresses.
        address: IpAddr,
        /// What is wrong with it.
        range: Range,
        /// The host is that address, not a name: it will stay so.
        is_literal: bool,
    },
    /// The host's name has no address.
    Resolve {
        /// The host.
        host: String,
        /// What the resolver said.
        why: String,
    },
    /// No connection could be made.
    Connect {
        /// Host and port.
        peer: String,
        /// The system's or the TLS error.
        why: String,
    },
    /// The receiver took too long.
    Timeout {
        /// For what.
        waiting_for: &'static str,
    },
    /// The connection broke, or what came is no HTTP.
    Broken {
        /// What happened.
        why: String,
    },
    /// The request is none: a header or path that cannot be sent.
    Request {
        /// What is wrong.
        why: String,
    },
}

impl HttpError {
    /// Whether another attempt makes sense. A name may come to mean another address; an address
    /// stays what it is.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Refused { is_literal: true, .. } | Self::Request { .. } => {
                Failure::Permanent(self.to_string())
            }
            Self::Refused { is_literal: false, .. }
            | Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Broken { .. } => Failure::Retry(self.to_string()),
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { host, address, range, .. } => {
                write!(f, "{host} may not be contacted: {address} is {range}, and not allowed")
            }
            Self::Resolve { host, why } => write!(f, "cannot resolve {host}: {why}"),
            Self::Connect { peer, why } => write!(f, "cannot connect to {peer}: {why}"),
            Self::Timeout { waiting_for } => write!(f, "timed out waiting for {waiting_for}"),
            Self::Broken { why } => write!(f, "connection lost: {why}"),
            Self::Request { why } => write!(f, "cannot send the request: {why}"),
        }
    }
}

// Each text holds that of its cause, so there is no `source` to print behind it.
impl std::error::Error for HttpError {}
