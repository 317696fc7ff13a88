//! What a request claims: the parsed signature of either form.

use std::borrow::Cow;

use crate::credential::Credential;
use crate::signed_headers::SignedHeaders;
use crate::{
    ALGORITHM, AccessKeyId, AuthError, Part, Request, SessionToken, Signature, UNSIGNED_PAYLOAD,
    UnixSeconds, hex, uri,
};

/// A request with a well-formed signature, not yet verified. Nothing in it may be believed before
/// [`Presented::verify`] said yes; the access key id and the session token tell which key to
/// verify with.
#[derive(Clone, Debug)]
pub struct Presented<'a> {
    pub(crate) request: Request<'a>,
    pub(crate) form: Form,
    pub(crate) credential: Credential,
    pub(crate) signed_headers: SignedHeaders,
    pub(crate) signature: Signature,
    pub(crate) date: UnixSeconds,
    pub(crate) token: Option<SessionToken>,
    pub(crate) content_sha256: Option<ContentSha256>,
}

/// Where the signature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query: a presigned URL.
    Query {
        /// `X-Amz-Expires`, 1..=604800: how long the URL is valid from its `X-Amz-Date`.
        expires_seconds: u32,
    },
}

/// What `x-amz-content-sha256` says of the body.
#[derive(Clone, Debug)]
pub(crate) enum ContentSha256 {
    /// `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// A hash: as written, for the canonical request, and as bytes.
    Hash { text: Box<str>, bytes: [u8; 32] },
}

impl<'a> Presented<'a> {
    /// Seven days.
    pub(crate) const MAX_EXPIRES_SECONDS: u32 = 604_800;
    /// 64 signed header names with a scope; the producer's is 380 bytes.
    const MAX_AUTHORIZATION_LEN: usize = 4096;
    /// Bounds the sorting; webrtc-js sends nine.
    const MAX_QUERY_PARAMETERS: usize = 128;

    /// Finds and parses the signature of a request.
    ///
    /// # Errors
    /// [`AuthError::Missing`] when there is none, else what is wrong with its form.
    pub fn parse(request: Request<'a>) -> Result<Self, AuthError> {
        request.check()?;
        let query = QueryParameters::parse(request.query)?;
        let in_header = request.values("authorization").next().is_some();
        let in_query =
            query.algorithm.is_some() || query.credential.is_some() || query.signature.is_some();
        match (in_header, in_query) {
            (false, false) => Err(AuthError::Missing),
            (true, true) => Err(AuthError::BothForms),
            (true, false) => Self::parse_header_form(request, query.token),
            (false, true) => Self::parse_query_form(request, query),
        }
    }

    /// Whose key to verify with.
    pub fn access_key_id(&self) -> &AccessKeyId {
        &self.credential.access_key_id
    }

    /// The session token, of header or query, signed or not.
    pub fn session_token(&self) -> Option<&SessionToken> {
        self.token.as_ref()
    }

    /// The region of the scope.
    pub fn region(&self) -> &str {
        self.credential.region()
    }

    /// The service of the scope.
    pub fn service(&self) -> &str {
        self.credential.service()
    }

    /// When the request says it was signed.
    pub fn date(&self) -> UnixSeconds {
        self.date
    }

    /// Where the signature is.
    pub fn form(&self) -> Form {
        self.form
    }

    fn parse_header_form(
        request: Request<'a>,
        query_token: Option<Cow<'a, str>>,
    ) -> Result<Self, AuthError> {
        let authorization = Authorization::parse(
            request
                .single("authorization", Part::Authorization)?
                .ok_or(AuthError::Incomplete(Part::Authorization))?,
        )?;
        let amz_date = request.single("x-amz-date", Part::Date)?;
        let date = match amz_date {
            Some(text) => UnixSeconds::parse_basic(text.as_bytes()),
            None => {
                let date = request.single("date", Part::Date)?;
                let text = date.ok_or(AuthError::Incomplete(Part::Date))?;
                UnixSeconds::parse_date_header(text.as_bytes())
            }
        };
        Ok(Self {
            form: Form::Header,
            credential: Credential::parse(authorization.credential)?,
            signed_headers: SignedHeaders::parse(authorization.signed_headers)?,
            signature: parse_signature(authorization.signature)?,
            date: date.ok_or(AuthError::Malformed(Part::Date))?,
            token: parse_token(request, query_token)?,
            content_sha256: parse_content_sha256(request, None)?,
            request,
        })
    }

    fn parse_query_form(
        request: Request<'a>,
        query: QueryParameters<'a>,
    ) -> Result<Self, AuthError> {
        let required = |value: Option<Cow<'a, str>>, part| value.ok_or(AuthError::Incomplete(part));
        if required(query.algorithm, Part::Algorithm)? != ALGORITHM {
            return Err(AuthError::UnsupportedAlgorithm);
        }
        let credential = required(query.credential, Part::Credential)?;
        let signed_headers = required(query.signed_headers, Part::SignedHeaders)?;
        let signature = required(query.signature, Part::Signature)?;
        let date = required(query.date, Part::Date)?;
        let expires = required(query.expires, Part::Expires)?;
        Ok(Self {
            form: Form::Query { expires_seconds: parse_expires(&expires)? },
            credential: Credential::parse(&credential)?,
            signed_headers: SignedHeaders::parse(&signed_headers)?,
            signature: parse_signature(&signature)?,
            date: UnixSeconds::parse_basic(date.as_bytes())
                .ok_or(AuthError::Malformed(Part::Date))?,
            token: parse_token(request, query.token)?,
            content_sha256: parse_content_sha256(request, query.content_sha256)?,
            request,
        })
    }
}

/// The three fields of an `Authorization` header.
struct Authorization<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`: fields in any order, with
    /// any blanks around the commas.
    fn parse(text: &'a str) -> Result<Self, AuthError> {
        let limit = Presented::MAX_AUTHORIZATION_LEN;
        if text.len() > limit {
            return Err(AuthError::TooLarge { part: Part::Authorization, limit });
        }
        let (algorithm, fields) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        if algorithm != ALGORITHM {
            return Err(AuthError::UnsupportedAlgorithm);
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            let malformed = AuthError::Malformed(Part::Authorization);
            let (name, value) = field.trim_ascii().split_once('=').ok_or(malformed.clone())?;
            let (slot, part) = match name {
                "Credential" => (&mut credential, Part::Credential),
                "SignedHeaders" => (&mut signed_headers, Part::SignedHeaders),
                "Signature" => (&mut signature, Part::Signature),
                _ => return Err(malformed),
            };
            set_once(slot, value, part)?;
        }
        Ok(Self {
            credential: credential.ok_or(AuthError::Incomplete(Part::Credential))?,
            signed_headers: signed_headers.ok_or(AuthError::Incomplete(Part::SignedHeaders))?,
            signature: signature.ok_or(AuthError::Incomplete(Part::Signature))?,
        })
    }
}

/// The query parameters of a signature, decoded.
#[derive(Default)]
pub(crate) struct QueryParameters<'a> {
    algorithm: Option<Cow<'a, str>>,
    credential: Option<Cow<'a, str>>,
    date: Option<Cow<'a, str>>,
    expires: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    token: Option<Cow<'a, str>>,
    content_sha256: Option<Cow<'a, str>>,
}

impl<'a> QueryParameters<'a> {
    pub(crate) fn parse(query: &'a str) -> Result<Self, AuthError> {
        let limit = Presented::MAX_QUERY_PARAMETERS;
        let mut found = Self::default();
        for (index, (name, value)) in uri::parameters(query).enumerate() {
            if index >= limit {
                return Err(AuthError::TooLarge { part: Part::Query, limit });
            }
            // A name that decodes to nothing known is some other parameter, covered by the
            // signature like all of them.
            let Some(name) = decode_ascii(name) else { continue };
            let (slot, part) = match name.as_ref() {
                "X-Amz-Algorithm" => (&mut found.algorithm, Part::Algorithm),
                "X-Amz-Credential" => (&mut found.credential, Part::Credential),
                "X-Amz-Date" => (&mut found.date, Part::Date),
                "X-Amz-Expires" => (&mut found.expires, Part::Expires),
                "X-Amz-SignedHeaders" => (&mut found.signed_headers, Part::SignedHeaders),
                "X-Amz-Signature" => (&mut found.signature, Part::Signature),
                "X-Amz-Security-Token" => (&mut found.token, Part::SecurityToken),
                // SDKs write the last four letters in either case.
                name if name.eq_ignore_ascii_case("X-Amz-Content-Sha256") => {
                    (&mut found.content_sha256, Part::ContentSha256)
                }
                _ => continue,
            };
            set_once(slot, decode_ascii(value).ok_or(AuthError::Malformed(part))?, part)?;
        }
        Ok(found)
    }

    /// Whether the query holds none of them.
    pub(crate) fn is_empty(&self) -> bool {
        [
            &self.algorithm,
            &self.credential,
            &self.date,
            &self.expires,
            &self.signed_headers,
            &self.signature,
            &self.token,
            &self.content_sha256,
        ]
        .into_iter()
        .all(Option::is_none)
    }
}

fn set_once<T>(slot: &mut Option<T>, value: T, part: Part) -> Result<(), AuthError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(AuthError::Duplicate(part)),
    }
}

fn decode_ascii(text: &str) -> Option<Cow<'_, str>> {
    let text = match uri::decode(text)? {
        Cow::Borrowed(bytes) => Cow::Borrowed(str::from_utf8(bytes).ok()?),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).ok()?),
    };
    text.is_ascii().then_some(text)
}

fn parse_signature(text: &str) -> Result<Signature, AuthError> {
    Signature::parse_hex(text.as_bytes()).ok_or(AuthError::Malformed(Part::Signature))
}

/// Decimal digits only: `u32::from_str` would take a sign.
fn parse_expires(text: &str) -> Result<u32, AuthError> {
    let seconds = match text.len() {
        1..=6 if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().unwrap_or(0),
        _ => 0,
    };
    (1..=Presented::MAX_EXPIRES_SECONDS)
        .contains(&seconds)
        .then_some(seconds)
        .ok_or(AuthError::Malformed(Part::Expires))
}

/// The token may be in the header or in the query, in either form of signature (auth.md §1, 8).
fn parse_token(
    request: Request<'_>,
    in_query: Option<Cow<'_, str>>,
) -> Result<Option<SessionToken>, AuthError> {
    let in_header = request.single("x-amz-security-token", Part::SecurityToken)?;
    let text: Cow<'_, str> = match (in_header, in_query) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(AuthError::Duplicate(Part::SecurityToken)),
        (Some(text), None) => text.into(),
        (None, Some(text)) => text,
    };
    let limit = SessionToken::MAX_LEN;
    if text.len() > limit {
        return Err(AuthError::TooLarge { part: Part::SecurityToken, limit });
    }
    let token = SessionToken::new(text).ok_or(AuthError::Malformed(Part::SecurityToken))?;
    Ok(Some(token))
}

fn parse_content_sha256(
    request: Request<'_>,
    in_query: Option<Cow<'_, str>>,
) -> Result<Option<ContentSha256>, AuthError> {
    let in_header = request.single("x-amz-content-sha256", Part::ContentSha256)?;
    let text: Cow<'_, str> = match (in_header, in_query) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(AuthError::Duplicate(Part::ContentSha256)),
        (Some(text), None) => text.into(),
        (None, Some(text)) => text,
    };
    if text == UNSIGNED_PAYLOAD {
        return Ok(Some(ContentSha256::Unsigned));
    }
    let bytes = hex::decode(text.as_bytes()).ok_or(AuthError::UnsupportedPayload)?;
    Ok(Some(ContentSha256::Hash { text: text.into(), bytes }))
}
