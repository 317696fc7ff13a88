//! The view of an HTTP request that signatures are made over.

use std::fmt;

use crate::{AuthError, Part};

/// A request as it arrived, borrowed from the HTTP layer.
///
/// Nothing may be rebuilt or tidied: the producers sign `connection`, `transfer-encoding` and
/// `user-agent`, and send `Host` without the port. For HTTP/2 give `:authority` as `host`.
///
/// `Debug` shows no query and no header values: both can hold credentials.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, `POST`.
    pub method: &'a str,
    /// The path of the request target as received, percent-encoding untouched. Empty means `/`.
    pub path: &'a str,
    /// The query as received, without `?`. Empty when there is none.
    pub query: &'a str,
    /// Every header in order of arrival: name in any case, value as received. A repeated header
    /// is repeated here.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Request<'a> {
    /// Twice what an HTTP server usually accepts.
    const MAX_HEADERS: usize = 128;
    /// Names and values together; the largest single one is a session token of 4 KiB.
    const MAX_HEADERS_LEN: usize = 64 * 1024;
    /// The longest path of the API is below 64 bytes.
    const MAX_PATH_LEN: usize = 4 * 1024;
    /// Signed WebSocket URLs reach 8 KiB (clients.md §13, 14).
    const MAX_QUERY_LEN: usize = 16 * 1024;
    const MAX_METHOD_LEN: usize = 32;

    /// Bounds everything that is copied, sorted or hashed later, excludes the bytes that could
    /// imitate the line structure of a canonical request, and a second `host`.
    pub(crate) fn check(&self) -> Result<(), AuthError> {
        let too_large = |part, limit| Err(AuthError::TooLarge { part, limit });
        let plain = |text: &str| text.bytes().all(|byte| !byte.is_ascii_control());
        let headers_len: usize =
            self.headers.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
        if self.headers.len() > Self::MAX_HEADERS {
            return too_large(Part::Headers, Self::MAX_HEADERS);
        }
        if headers_len > Self::MAX_HEADERS_LEN {
            return too_large(Part::Headers, Self::MAX_HEADERS_LEN);
        }
        if self.path.len() > Self::MAX_PATH_LEN {
            return too_large(Part::Path, Self::MAX_PATH_LEN);
        }
        if self.query.len() > Self::MAX_QUERY_LEN {
            return too_large(Part::Query, Self::MAX_QUERY_LEN);
        }
        let method_form = (1..=Self::MAX_METHOD_LEN).contains(&self.method.len())
            && self.method.bytes().all(|byte| byte.is_ascii_graphic());
        if !method_form {
            return Err(AuthError::Malformed(Part::Method));
        }
        if !plain(self.path) || !(self.path.is_empty() || self.path.starts_with('/')) {
            return Err(AuthError::Malformed(Part::Path));
        }
        if !plain(self.query) {
            return Err(AuthError::Malformed(Part::Query));
        }
        // Two hosts would be signed as one joined text, while servers route by one of them.
        self.single("host", Part::Host).map(drop)
    }

    /// The values of a header, in order of arrival.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(each, _)| each.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// The value of a header that may appear once, trimmed. It must be ASCII.
    pub(crate) fn single(&self, name: &str, part: Part) -> Result<Option<&'a str>, AuthError> {
        let mut values = self.values(name);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(AuthError::Duplicate(part));
        }
        match str::from_utf8(value) {
            Ok(text) if text.is_ascii() => Ok(Some(text.trim_ascii())),
            _ => Err(AuthError::Malformed(part)),
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}
