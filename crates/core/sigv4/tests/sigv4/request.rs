//! A request that tests can read from text and change.

use streamkeep_sigv4::{AccessKeyId, Credentials, Request, SecretKey, SessionToken};

/// The pair of AWS's documentation and of its signing test suite.
pub(crate) const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
/// The secret of [`ACCESS_KEY_ID`].
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// The documentation's credentials, with a session token if `token` is not empty.
pub(crate) fn credentials(token: &str) -> Credentials {
    Credentials {
        access_key_id: AccessKeyId::parse(ACCESS_KEY_ID).unwrap(),
        secret: SecretKey::new(SECRET).unwrap(),
        session_token: SessionToken::new(token),
    }
}

/// A request that owns its parts.
#[derive(Clone)]
pub(crate) struct OwnedRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl OwnedRequest {
    /// Reads `METHOD target[ HTTP/1.1]` and header lines, ended by LF or CRLF. A line that begins
    /// with a blank continues the one before (RFC 9112 §5.2).
    pub(crate) fn parse(head: &str) -> Self {
        let mut lines = head.lines();
        let first = lines.next().unwrap();
        let (method, target) = first.split_once(' ').unwrap();
        let target = target.trim_end_matches(" HTTP/1.1");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            if line.starts_with(' ') {
                let (_, value) = headers.last_mut().unwrap();
                value.push(b'\n');
                value.extend_from_slice(line.as_bytes());
            } else {
                let (name, value) = line.split_once(':').unwrap();
                headers.push((name.to_owned(), value.as_bytes().to_owned()));
            }
        }
        Self { method: method.to_owned(), path: path.to_owned(), query: query.to_owned(), headers }
    }

    /// Calls `use_it` with the view that the library takes.
    pub(crate) fn view<R>(&self, use_it: impl FnOnce(Request<'_>) -> R) -> R {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        use_it(Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
        })
    }

    /// Appends a header.
    pub(crate) fn push(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
    }
}
