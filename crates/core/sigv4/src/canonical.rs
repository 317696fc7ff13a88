//! The canonical request and the string to sign.
//!
//! ```text
//! POST                                     method
//! /putMedia                                path, see `uri`
//!                                          query, sorted, see `uri`
//! connection:keep-alive                    each signed header, values trimmed and joined by ','
//! host:127.0.0.1
//!                                          (empty line)
//! connection;host                          SignedHeaders
//! e3b0c442…52b855                          payload hash
//! ```

use aws_lc_rs::digest;

use crate::credential::Credential;
use crate::signed_headers::SignedHeaders;
use crate::{ALGORITHM, AuthError, Request, UnixSeconds, hex};

/// Which of the two canonical forms of path and query (crate documentation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Standard,
    AsSent,
}

/// The canonical request, unhashed. `query` is the canonical query.
/// Fails when a signed header is not in the request.
pub(crate) fn canonical_request(
    request: &Request<'_>,
    path: &str,
    query: &str,
    signed: &SignedHeaders,
    payload_hash: &str,
) -> Result<Vec<u8>, AuthError> {
    let mut out = Vec::with_capacity(1024);
    for line in [request.method, path, query] {
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    for name in signed.iter() {
        out.extend_from_slice(name.as_bytes());
        let mut separator = b':';
        for value in request.values(name) {
            out.push(separator);
            extend_trimmed(&mut out, value);
            separator = b',';
        }
        if separator == b':' {
            return Err(AuthError::SignedHeaderMissing(name.into()));
        }
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(signed.as_str().as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload_hash.as_bytes());
    Ok(out)
}

/// The string to sign over a canonical request.
pub(crate) fn string_to_sign(
    date: UnixSeconds,
    credential: &Credential,
    canonical_request: &[u8],
) -> String {
    let (scope, hash) = (credential.scope(), sha256_hex(canonical_request));
    format!("{ALGORITHM}\n{date}\n{scope}\n{hash}")
}

/// SHA-256 as 64 hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(&sha256(bytes))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().try_into().expect("a SHA-256 digest has 32 bytes")
}

/// The value without white space at its ends, each run within as one space. All ASCII white
/// space counts, so a folded value (RFC 9112 §5.2) brings no line break into the result.
fn extend_trimmed(out: &mut Vec<u8>, value: &[u8]) {
    let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        out.extend_from_slice(first);
    }
    for word in words {
        out.push(b' ');
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trimmed_values() {
        for (value, expected) in [
            ("", ""),
            ("  ", ""),
            ("a", "a"),
            (" a\t", "a"),
            ("\"a   b   c\"", "\"a b c\""),
            ("a\r\n  b\n c", "a b c"),
            ("a\x0c\tb", "a b"),
        ] {
            let mut out = Vec::new();
            extend_trimmed(&mut out, value.as_bytes());
            assert_eq!(out, expected.as_bytes(), "{value:?}");
        }
    }
}
