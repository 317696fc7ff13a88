//! Verification: is the presented signature the one that this key gives at this time?

use std::borrow::Cow;
use std::sync::Arc;

use crate::canonical::{Reading, canonical_request, sha256, sha256_hex, string_to_sign};
use crate::date::SKEW_SECONDS;
use crate::presented::ContentSha256;
use crate::signing_key::SigningKey;
use crate::{
    AuthError, Form, Presented, SecretKey, SessionToken, SigningKeys, UNSIGNED_PAYLOAD,
    UnixSeconds, uri,
};

/// The request's body, as far as the signature is concerned.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// The whole body; empty for a GET or a WebSocket handshake.
    Body(&'a [u8]),
    /// The body of PutMedia, which has not been read. Without `x-amz-content-sha256` its hash is
    /// that of the empty string: the C producers sign so. A hash in the header is signed but
    /// cannot be checked.
    Streaming,
}

/// What the identity store knows of the presented access key.
#[derive(Clone, Copy, Debug)]
pub struct KnownKey<'a> {
    /// The key's secret.
    pub secret: &'a SecretKey,
    /// For temporary credentials, the session they belong to.
    pub session: Option<Session<'a>>,
}

/// The session of temporary credentials.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The token the request must carry.
    pub token: &'a SessionToken,
    /// The first second in which the credentials are no longer valid.
    pub expires: UnixSeconds,
}

/// What is accepted here.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The only region accepted in the scope; `None` for any.
    pub region: Option<&'a str>,
    /// The services accepted in the scope: `kinesisvideo`, for STS `sts`.
    pub services: &'a [&'a str],
    /// Headers that must be signed if they are present: those the operation obeys. Without it,
    /// who replays a request could add one that its signer did not send.
    pub signed_if_present: &'a [&'a str],
}

impl Presented<'_> {
    /// Verifies the request with the key that [`Presented::access_key_id`] names.
    ///
    /// Checked in this order: scope, headers that must be signed, time, session token,
    /// signature, hash of the body against `x-amz-content-sha256`, life of the session. So only
    /// who knows the secret learns that a session is over.
    ///
    /// # Errors
    /// The first check that failed. The request must then be refused.
    pub fn verify(
        &self,
        payload: Payload<'_>,
        key: KnownKey<'_>,
        rules: Rules<'_>,
        now: UnixSeconds,
        keys: &SigningKeys,
    ) -> Result<(), AuthError> {
        self.check_scope(rules)?;
        self.check_signed(rules)?;
        self.check_time(now)?;
        self.check_token(key)?;
        self.check_signature(&self.payload_hash(payload), key.secret, keys)?;
        if let (Some(ContentSha256::Hash { bytes, .. }), Payload::Body(body)) =
            (&self.content_sha256, payload)
            && *bytes != sha256(body)
        {
            return Err(AuthError::PayloadMismatch);
        }
        match key.session {
            Some(session) if session.expires <= now => Err(AuthError::TokenExpired),
            _ => Ok(()),
        }
    }

    fn check_scope(&self, rules: Rules<'_>) -> Result<(), AuthError> {
        let Self { credential, date, .. } = self;
        if credential.date() != date.scope_date() {
            return Err(AuthError::ScopeDate { date: *date });
        }
        if rules.region.is_some_and(|region| region != credential.region()) {
            return Err(AuthError::ScopeRegion { presented: credential.region().into() });
        }
        if !rules.services.contains(&credential.service()) {
            let expected = rules.services.first().copied().unwrap_or_default();
            return Err(AuthError::ScopeService { expected: expected.into() });
        }
        Ok(())
    }

    fn check_signed(&self, rules: Rules<'_>) -> Result<(), AuthError> {
        let unsigned = rules.signed_if_present.iter().find(|name| {
            self.request.values(name).next().is_some() && !self.signed_headers.contains(name)
        });
        match unsigned {
            Some(name) => Err(AuthError::HeaderNotSigned((*name).into())),
            None => Ok(()),
        }
    }

    fn check_time(&self, now: UnixSeconds) -> Result<(), AuthError> {
        let date = self.date;
        if date > now.plus(SKEW_SECONDS) {
            return Err(AuthError::NotYetCurrent { date, now });
        }
        match self.form {
            Form::Header if date < now.minus(SKEW_SECONDS) => Err(AuthError::Expired { date, now }),
            Form::Query { expires_seconds } if date.plus(u64::from(expires_seconds)) < now => {
                Err(AuthError::PresignExpired { date, expires_seconds, now })
            }
            _ => Ok(()),
        }
    }

    fn check_token(&self, key: KnownKey<'_>) -> Result<(), AuthError> {
        match (&self.token, key.session) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(AuthError::TokenRequired),
            (Some(token), Some(session)) if token.matches(session.token) => Ok(()),
            (Some(_), _) => Err(AuthError::TokenInvalid),
        }
    }

    /// The last line of the canonical request (auth.md §1, step 4).
    fn payload_hash(&self, payload: Payload<'_>) -> Cow<'_, str> {
        match (&self.content_sha256, payload) {
            (Some(ContentSha256::Unsigned), _) => UNSIGNED_PAYLOAD.into(),
            (Some(ContentSha256::Hash { text, .. }), _) => text.as_ref().into(),
            (None, Payload::Streaming) => sha256_hex(b"").into(),
            (None, Payload::Body(body)) => sha256_hex(body).into(),
        }
    }

    fn check_signature(
        &self,
        payload_hash: &str,
        secret: &SecretKey,
        keys: &SigningKeys,
    ) -> Result<(), AuthError> {
        let cached = keys.get(&self.credential, secret);
        let key = cached
            .clone()
            .unwrap_or_else(|| Arc::new(SigningKey::derive(secret, &self.credential)));
        if !self.matches_either_reading(payload_hash, &key)? {
            return Err(AuthError::WrongSignature);
        }
        if cached.is_none() {
            keys.insert(&self.credential, secret, key);
        }
        Ok(())
    }

    fn matches_either_reading(
        &self,
        payload_hash: &str,
        key: &SigningKey,
    ) -> Result<bool, AuthError> {
        let request = &self.request;
        let without = matches!(self.form, Form::Query { .. }).then_some("X-Amz-Signature");
        let read = |reading| {
            let path = uri::canonical_path(request.path, reading);
            (path, uri::canonical_query(request.query, reading, without))
        };
        let matches = |path: &str, query: &str| {
            let canonical =
                canonical_request(request, path, query, &self.signed_headers, payload_hash)?;
            let text = string_to_sign(self.date, &self.credential, &canonical);
            Ok(key.sign(&text).matches(&self.signature))
        };
        let standard = read(Reading::Standard);
        if matches(&standard.0, &standard.1)? {
            return Ok(true);
        }
        let as_sent = read(Reading::AsSent);
        // "/a%2525b" as sent would be the standard reading of "/a%25b", another resource.
        if as_sent == standard || request.path.contains("%25") {
            return Ok(false);
        }
        matches(&as_sent.0, &as_sent.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccessKeyId, Credentials, PayloadHash, Request, Signing, Style};

    /// Else who knows no secret could push every key out of the cache.
    #[test]
    fn only_a_verified_request_enters_the_cache() {
        let now = UnixSeconds(1_795_166_438);
        let (right, wrong) = (SecretKey::new("right").unwrap(), SecretKey::new("wrong").unwrap());
        let access_key_id = AccessKeyId::parse("AKIDEXAMPLE").unwrap();
        let credentials = Credentials { access_key_id, secret: right.clone(), session_token: None };
        let signing = Signing { credentials: &credentials, region: "r", service: "s", now };
        let host: (&str, &[u8]) = ("host", b"h");
        let plain = Request { method: "GET", path: "/", query: "", headers: &[host] };
        let added = signing.sign_headers(&plain, PayloadHash::Empty, Style::SDK).unwrap();
        let mut headers = vec![host];
        headers.extend(added.iter().map(|(name, value)| (name, value.as_bytes())));
        let presented = Presented::parse(Request { headers: &headers, ..plain }).unwrap();

        let rules = Rules { region: None, services: &["s"], signed_if_present: &[] };
        let keys = SigningKeys::new(2);
        let verify = |secret| {
            let key = KnownKey { secret, session: None };
            presented.verify(Payload::Streaming, key, rules, now, &keys)
        };
        assert_eq!(verify(&wrong), Err(AuthError::WrongSignature));
        assert!(keys.get(&presented.credential, &wrong).is_none());
        assert_eq!(verify(&right), Ok(()));
        assert!(keys.get(&presented.credential, &right).is_some());
        assert_eq!(verify(&right), Ok(()));
        assert_eq!(verify(&wrong), Err(AuthError::WrongSignature));
    }
}
