//! Signing, for clients: the headers or the query string to add to a request.

use std::fmt;

use crate::canonical::{Reading, canonical_request, sha256_hex, string_to_sign};
use crate::credential::Credential;
use crate::presented::QueryParameters;
use crate::signed_headers::SignedHeaders;
use crate::signing_key::SigningKey;
use crate::{
    ALGORITHM, AccessKeyId, AuthError, Part, Presented, Request, SecretKey, SessionToken,
    Signature, UNSIGNED_PAYLOAD, UnixSeconds, uri,
};

/// A client's credentials.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The access key id.
    pub access_key_id: AccessKeyId,
    /// Its secret.
    pub secret: SecretKey,
    /// The session token, when the credentials are temporary.
    pub session_token: Option<SessionToken>,
}

/// Who signs, for whom, when.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// The client's credentials.
    pub credentials: &'a Credentials,
    /// The region of the scope.
    pub region: &'a str,
    /// The service of the scope, `kinesisvideo`.
    pub service: &'a str,
    /// The time of signing.
    pub now: UnixSeconds,
}

/// What is signed of the body.
#[derive(Clone, Copy)]
pub enum PayloadHash<'a> {
    /// The hash of this body.
    Body(&'a [u8]),
    /// The hash of the empty string: PutMedia as the C producers sign it.
    Empty,
    /// `UNSIGNED-PAYLOAD`: PutMedia as the Java producer signs it. The request must say so, hence
    /// `x-amz-content-sha256` is then always added.
    Unsigned,
}

/// Whether an added header is covered by the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inclusion {
    /// Added before signing.
    Signed,
    /// Added after signing.
    Unsigned,
}

/// How the known clients differ in the headers they add (auth.md §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// How `x-amz-security-token` is added, if there is a token.
    pub security_token: Inclusion,
    /// How `x-amz-content-sha256` is added; `None` leaves it out where it can be.
    pub content_sha256: Option<Inclusion>,
}

impl Style {
    /// botocore and the embedded C producer: token signed, no hash header.
    pub const SDK: Self = Self { security_token: Inclusion::Signed, content_sha256: None };
    /// The C producer, kvssink: token added after signing, no hash header.
    pub const PRODUCER_C: Self = Self { security_token: Inclusion::Unsigned, content_sha256: None };
    /// The Java producer: token signed, hash header added after signing.
    pub const PRODUCER_JAVA: Self =
        Self { security_token: Inclusion::Signed, content_sha256: Some(Inclusion::Unsigned) };
}

/// Headers to add to a request. `Debug` shows their names only: the values hold a signature and
/// may hold a session token.
#[derive(Clone)]
pub struct AddedHeaders(Vec<(&'static str, String)>);

impl AddedHeaders {
    /// Lower-case names with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl fmt::Debug for AddedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Signing<'_> {
    /// Signs by header: `x-amz-date`, `authorization` and what `style` adds.
    ///
    /// Every header in `request` is signed, so give those, and only those, that arrive unchanged:
    /// `host` always; for PutMedia as the C producer does it also `connection`,
    /// `transfer-encoding`, `user-agent` and the `x-amzn-…` headers.
    ///
    /// # Errors
    /// What the server would answer: no `host`, a header or query parameter of a signature
    /// already present, a region or service that is none, or something too large.
    pub fn sign_headers(
        &self,
        request: &Request<'_>,
        payload: PayloadHash<'_>,
        style: Style,
    ) -> Result<AddedHeaders, AuthError> {
        self.sign_headers_reading(request, payload, style, Reading::Standard)
    }

    /// Signs a request to S3 by header: the path stands in the canonical request as it is sent,
    /// encoded once and not normalised, and `x-amz-content-sha256` is always added and signed
    /// ("Authenticating Requests: Using the Authorization Header", Amazon S3 API reference).
    ///
    /// # Errors
    /// As [`Signing::sign_headers`].
    pub fn sign_s3_headers(
        &self,
        request: &Request<'_>,
        payload: PayloadHash<'_>,
    ) -> Result<AddedHeaders, AuthError> {
        let style = Style { content_sha256: Some(Inclusion::Signed), ..Style::SDK };
        self.sign_headers_reading(request, payload, style, Reading::AsSent)
    }

    fn sign_headers_reading(
        &self,
        request: &Request<'_>,
        payload: PayloadHash<'_>,
        style: Style,
        path_reading: Reading,
    ) -> Result<AddedHeaders, AuthError> {
        check_unsigned(request)?;
        let content_sha256 = match (style.content_sha256, payload) {
            (None, PayloadHash::Unsigned) => Some(Inclusion::Signed),
            (inclusion, _) => inclusion,
        };
        let payload_hash = payload.text();
        let mut added = vec![("x-amz-date", self.now.to_string(), Inclusion::Signed)];
        if let Some(token) = &self.credentials.session_token {
            added.push(("x-amz-security-token", token.expose().into(), style.security_token));
        }
        if let Some(inclusion) = content_sha256 {
            added.push(("x-amz-content-sha256", payload_hash.clone(), inclusion));
        }

        let mut headers = request.headers.to_vec();
        headers.extend(
            added
                .iter()
                .filter(|(_, _, inclusion)| *inclusion == Inclusion::Signed)
                .map(|(name, value, _)| (*name, value.as_bytes())),
        );
        let covered = Request { headers: &headers, ..*request };
        let (credential, signed_headers) = (self.credential()?, signed_headers(&covered)?);
        let signature =
            self.signature(&covered, &credential, &signed_headers, &payload_hash, path_reading)?;
        let signature = signature.to_hex();
        let authorization = format!(
            "{ALGORITHM} Credential={}, SignedHeaders={}, Signature={signature}",
            credential.text(),
            signed_headers.as_str()
        );
        let mut added: Vec<_> = added.into_iter().map(|(name, value, _)| (name, value)).collect();
        added.push(("authorization", authorization));
        Ok(AddedHeaders(added))
    }

    /// Signs by query: the whole query to send in place of `request.query`, without `?`. It is
    /// valid for `expires_seconds`, 1..=604800, and not for logs. Every header in `request` is
    /// signed: usually `host` alone.
    ///
    /// # Errors
    /// As [`Signing::sign_headers`]; also an expiry out of range.
    pub fn presign(
        &self,
        request: &Request<'_>,
        payload: PayloadHash<'_>,
        expires_seconds: u32,
    ) -> Result<String, AuthError> {
        check_unsigned(request)?;
        if !(1..=Presented::MAX_EXPIRES_SECONDS).contains(&expires_seconds) {
            return Err(AuthError::Malformed(Part::Expires));
        }
        let (credential, signed_headers) = (self.credential()?, signed_headers(request)?);
        let (date, expires) = (self.now.to_string(), expires_seconds.to_string());
        let mut parameters = vec![
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", credential.text()),
            ("X-Amz-Date", &date),
            ("X-Amz-Expires", &expires),
            ("X-Amz-SignedHeaders", signed_headers.as_str()),
        ];
        if let Some(token) = &self.credentials.session_token {
            parameters.push(("X-Amz-Security-Token", token.expose()));
        }
        if let PayloadHash::Unsigned = payload {
            parameters.push(("X-Amz-Content-Sha256", UNSIGNED_PAYLOAD));
        }
        let mut query = request.query.to_owned();
        for (name, value) in parameters {
            query.extend(["&", name, "="]);
            uri::encode_into(&mut query, value.as_bytes());
        }
        let query = uri::canonical_query(&query, Reading::Standard, None);
        let covered = Request { query: &query, ..*request };
        let reading = Reading::Standard;
        let signature =
            self.signature(&covered, &credential, &signed_headers, &payload.text(), reading)?;
        let signature = signature.to_hex();
        Ok(format!("{query}&X-Amz-Signature={signature}"))
    }

    fn credential(&self) -> Result<Credential, AuthError> {
        let date = self.now.scope_date();
        Credential::new(&self.credentials.access_key_id, &date, self.region, self.service)
    }

    fn signature(
        &self,
        request: &Request<'_>,
        credential: &Credential,
        signed_headers: &SignedHeaders,
        payload_hash: &str,
        path_reading: Reading,
    ) -> Result<Signature, AuthError> {
        let path = uri::canonical_path(request.path, path_reading);
        let query = uri::canonical_query(request.query, Reading::Standard, None);
        let canonical = canonical_request(request, &path, &query, signed_headers, payload_hash)?;
        let text = string_to_sign(self.now, credential, &canonical);
        Ok(SigningKey::derive(&self.credentials.secret, credential).sign(&text))
    }
}

impl PayloadHash<'_> {
    fn text(self) -> String {
        match self {
            Self::Body(body) => sha256_hex(body),
            Self::Empty => sha256_hex(b""),
            Self::Unsigned => UNSIGNED_PAYLOAD.to_owned(),
        }
    }
}

/// Nothing that signing adds may be there already: the server would refuse it twice, or take the
/// caller's for ours.
fn check_unsigned(request: &Request<'_>) -> Result<(), AuthError> {
    request.check()?;
    for (name, part) in [
        ("authorization", Part::Authorization),
        ("x-amz-date", Part::Date),
        ("x-amz-security-token", Part::SecurityToken),
        ("x-amz-content-sha256", Part::ContentSha256),
    ] {
        if request.values(name).next().is_some() {
            return Err(AuthError::Duplicate(part));
        }
    }
    if !QueryParameters::parse(request.query)?.is_empty() {
        return Err(AuthError::Duplicate(Part::Query));
    }
    Ok(())
}

/// All of the request's headers.
fn signed_headers(request: &Request<'_>) -> Result<SignedHeaders, AuthError> {
    let mut names: Vec<_> =
        request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    SignedHeaders::parse(&names.join(";"))
}
