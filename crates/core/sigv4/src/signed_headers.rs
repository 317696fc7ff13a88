//! `SignedHeaders`: the names of the headers a signature covers.

use crate::{AuthError, Part};

/// Header names in lower case, ascending, each once, joined by `;`. `host` is among them.
#[derive(Clone, Debug)]
pub(crate) struct SignedHeaders(Box<str>);

impl SignedHeaders {
    /// The producers sign ten; an SDK with every header of its own some twenty.
    const MAX_COUNT: usize = 64;
    /// Longest header name.
    const MAX_NAME_LEN: usize = 128;

    /// Requires the canonical form, which every signer must produce to compute its own signature.
    pub(crate) fn parse(text: &str) -> Result<Self, AuthError> {
        let malformed = AuthError::Malformed(Part::SignedHeaders);
        if text.split(';').count() > Self::MAX_COUNT {
            return Err(AuthError::TooLarge { part: Part::SignedHeaders, limit: Self::MAX_COUNT });
        }
        if !text.split(';').all(is_name) || !text.split(';').is_sorted_by(|one, next| one < next) {
            return Err(malformed);
        }
        if !text.split(';').any(|name| name == "host") {
            return Err(AuthError::HostNotSigned);
        }
        Ok(Self(text.into()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(';')
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.iter().any(|signed| signed.eq_ignore_ascii_case(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A header name (RFC 9110 §5.6.2, token) in lower case.
fn is_name(name: &str) -> bool {
    (1..=SignedHeaders::MAX_NAME_LEN).contains(&name.len())
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
        })
}
