//! The credential: an access key id and the scope `date/region/service/aws4_request`.

use std::borrow::Borrow;
use std::fmt;

use crate::{AuthError, Part, TERMINATOR};

/// An access key id: 1..=128 bytes of ASCII letters, digits, `_`, `-` and `.`. Not secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(Box<str>);

impl AccessKeyId {
    /// The KVS C clients hold no longer id (auth.md §8).
    const MAX_LEN: usize = 128;

    /// The id, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        is_element(text, Self::MAX_LEN).then(|| Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for AccessKeyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// `AKIDEXAMPLE/20150830/us-east-1/service/aws4_request`, checked for its form.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) access_key_id: AccessKeyId,
    /// The whole text.
    text: Box<str>,
    /// Where date, region and service end in `text`.
    ends: [usize; 3],
}

impl Credential {
    /// Longer than any region or service name there is.
    const MAX_ELEMENT_LEN: usize = 64;

    /// Five elements, each of plain characters, the date of eight digits, the last
    /// `aws4_request`.
    pub(crate) fn parse(text: &str) -> Result<Self, AuthError> {
        let malformed = AuthError::Malformed(Part::Credential);
        let mut elements = text.split('/');
        let mut next = || elements.next().ok_or(malformed.clone());
        let (id, date, region, service, terminator) = (next()?, next()?, next()?, next()?, next()?);
        let access_key_id = AccessKeyId::parse(id).ok_or(malformed.clone())?;
        let well_formed = elements.next().is_none()
            && date.len() == 8
            && date.bytes().all(|byte| byte.is_ascii_digit())
            && is_element(region, Self::MAX_ELEMENT_LEN)
            && is_element(service, Self::MAX_ELEMENT_LEN);
        if !well_formed {
            return Err(malformed);
        }
        if terminator != TERMINATOR {
            return Err(AuthError::ScopeTerminator);
        }
        let date_end = id.len() + 1 + date.len();
        let region_end = date_end + 1 + region.len();
        let ends = [date_end, region_end, region_end + 1 + service.len()];
        Ok(Self { access_key_id, text: text.into(), ends })
    }

    /// Builds a credential to sign with. Errors as [`Credential::parse`].
    pub(crate) fn new(
        id: &AccessKeyId,
        date: &str,
        region: &str,
        service: &str,
    ) -> Result<Self, AuthError> {
        Self::parse(&format!("{id}/{date}/{region}/{service}/{TERMINATOR}"))
    }

    /// The whole text, access key id included.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// `date/region/service/aws4_request`, as in the string to sign.
    pub(crate) fn scope(&self) -> &str {
        &self.text[self.access_key_id.0.len() + 1..]
    }

    pub(crate) fn date(&self) -> &str {
        &self.text[self.access_key_id.0.len() + 1..self.ends[0]]
    }

    pub(crate) fn region(&self) -> &str {
        &self.text[self.ends[0] + 1..self.ends[1]]
    }

    pub(crate) fn service(&self) -> &str {
        &self.text[self.ends[1] + 1..self.ends[2]]
    }
}

fn is_element(text: &str, max_len: usize) -> bool {
    (1..=max_len).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements() {
        let credential =
            Credential::parse("AKIDEXAMPLE/20150830/us-east-1/service/aws4_request").unwrap();
        assert_eq!(credential.access_key_id.as_str(), "AKIDEXAMPLE");
        assert_eq!(credential.date(), "20150830");
        assert_eq!(credential.region(), "us-east-1");
        assert_eq!(credential.service(), "service");
        assert_eq!(credential.scope(), "20150830/us-east-1/service/aws4_request");
    }
}
