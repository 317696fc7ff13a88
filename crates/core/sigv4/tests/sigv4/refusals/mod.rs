//! Every way to be refused, one small change away from a request that verifies; and the changes
//! that are no change.

mod claims;
mod header_form;
mod query_form;
mod signed;
mod signing;
mod texts;
mod tolerances;

use streamkeep_sigv4::*;

use crate::clients::{BODY, CONTROL, CONTROL_TEMPORARY, DATE_HEADER, NOW, TOKEN, WEBSOCKET};
use crate::request::{ACCESS_KEY_ID, OwnedRequest, SECRET, credentials};

/// The credential of the requests in header form.
const CREDENTIAL: &str = "AKIDEXAMPLE/20261120/eu-central-1/kinesisvideo/aws4_request";
/// The signature of [`CONTROL`].
const SIGNATURE: &str = "042e5e9f60a7e24eab761b9ca575a493f982e1163bde0d41f2e3b1e3cc5a9c50";

/// A request with everything that decides about it.
struct Case {
    request: OwnedRequest,
    /// `None` for a body that is streamed.
    body: Option<Vec<u8>>,
    now: UnixSeconds,
    secret: String,
    session: Option<(&'static str, UnixSeconds)>,
    region: Option<&'static str>,
    services: &'static [&'static str],
}

impl Case {
    fn new(head: &str, body: &[u8], session: Option<(&'static str, UnixSeconds)>) -> Self {
        Self {
            request: OwnedRequest::parse(head),
            body: Some(body.to_owned()),
            now: NOW,
            secret: SECRET.to_owned(),
            session,
            region: None,
            services: &["kinesisvideo"],
        }
    }

    /// Header form, long-term key.
    fn control() -> Self {
        Self::new(CONTROL, BODY, None)
    }

    /// Header form, temporary key for 60 s.
    fn temporary() -> Self {
        Self::new(CONTROL_TEMPORARY, BODY, Some((TOKEN, later(60))))
    }

    /// Header form, dated by `Date`.
    fn dated() -> Self {
        Self::new(DATE_HEADER, BODY, None)
    }

    /// Query form, temporary key for an hour.
    fn websocket() -> Self {
        Self::new(WEBSOCKET, b"", Some((TOKEN, later(3600))))
    }

    /// [`Case::control`] to `path`, signed by ourselves; its hash, too, when in a header.
    fn signed_here(path: &str, content_sha256: Option<Inclusion>) -> Self {
        let mut case = Self::control();
        case.remove("X-Amz-Date");
        case.remove("Authorization");
        case.request.path = path.to_owned();
        let credentials = credentials("");
        let signing =
            Signing { credentials: &credentials, region: "r", service: "kinesisvideo", now: NOW };
        let style = Style { content_sha256, ..Style::SDK };
        let payload = PayloadHash::Body(BODY);
        let added = case.request.view(|view| signing.sign_headers(&view, payload, style)).unwrap();
        for (name, value) in added.iter() {
            case.request.push(name, value);
        }
        case
    }

    /// Looks the key up as a caller does, and verifies.
    fn verify(&self) -> Result<(), AuthError> {
        let secret = SecretKey::new(self.secret.clone()).unwrap();
        let token = self.session.map(|(token, _)| SessionToken::new(token).unwrap());
        let session = self
            .session
            .zip(token.as_ref())
            .map(|((_, expires), token)| Session { token, expires });
        let rules = Rules {
            region: self.region,
            services: self.services,
            signed_if_present: &["x-amzn-stream-name", "X-Amzn-Stream-Arn"],
        };
        let payload = self.body.as_deref().map_or(Payload::Streaming, Payload::Body);
        self.request.view(|view| {
            let presented = Presented::parse(view)?;
            assert_hides_secrets(&format!("{view:?} {presented:?}"));
            if presented.access_key_id().as_str() != ACCESS_KEY_ID {
                return Err(AuthError::UnknownKey);
            }
            let key = KnownKey { secret: &secret, session };
            presented.verify(payload, key, rules, self.now, &SigningKeys::new(2))
        })
    }

    /// Replaces the only `from` in a header's value.
    fn edit(&mut self, name: &str, from: &str, to: &str) {
        let value = self.value(name);
        let text = str::from_utf8(value).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
        *value = text.replace(from, to).into_bytes();
    }

    /// Replaces the only `from` in the `Authorization` header.
    fn auth(&mut self, from: &str, to: &str) {
        self.edit("Authorization", from, to);
    }

    /// Replaces the only `from` in the query.
    fn query(&mut self, from: &str, to: &str) {
        let query = &mut self.request.query;
        assert_eq!(query.matches(from).count(), 1, "{from} in {query}");
        *query = query.replace(from, to);
    }

    /// Appends to the query.
    fn query_end(&mut self, text: &str) {
        self.request.query.push_str(text);
    }

    fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        *self.value(name) = value.as_ref().to_owned();
    }

    fn push(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.request.push(name, value);
    }

    fn remove(&mut self, name: &str) {
        self.value(name);
        self.request.headers.retain(|(each, _)| each != name);
    }

    fn value(&mut self, name: &str) -> &mut Vec<u8> {
        let found = self.request.headers.iter_mut().find(|(each, _)| each == name);
        &mut found.unwrap_or_else(|| panic!("no header {name}")).1
    }
}

/// The name of a change, the change, the answer to the changed request.
type Row = (&'static str, fn(&mut Case), AuthError);

/// Makes each change to a request that verifies without it.
fn check(base: fn() -> Case, rows: &[Row]) {
    assert_eq!(base().verify(), Ok(()), "before any change");
    for (name, change, expected) in rows {
        let mut case = base();
        change(&mut case);
        let result = case.verify();
        assert_eq!(result.as_ref().err(), Some(expected), "{name}");
        assert_hides_secrets(&format!("{expected:?} {expected}"));
    }
}

/// The name of a change that changes nothing, the change.
type Tolerance = (&'static str, fn(&mut Case));

/// Makes each change to a request that verifies with it, too.
fn check_verified(base: fn() -> Case, rows: &[Tolerance]) {
    for (name, change) in rows {
        let mut case = base();
        change(&mut case);
        assert_eq!(case.verify(), Ok(()), "{name}");
    }
}

/// `text` holds no secret, no token, and none of the signatures, even with a digit changed.
fn assert_hides_secrets(text: &str) {
    for secret in [SECRET, TOKEN, "60a7e24eab761b9c", "1402d6e6a4ebecd5", "ebbb52775cd2860"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

fn later(seconds: u64) -> UnixSeconds {
    UnixSeconds(NOW.0 + seconds)
}

fn earlier(seconds: u64) -> UnixSeconds {
    UnixSeconds(NOW.0 - seconds)
}

fn not_present(name: &str) -> AuthError {
    AuthError::SignedHeaderMissing(name.into())
}

fn not_signed(name: &str) -> AuthError {
    AuthError::HeaderNotSigned(name.into())
}

fn too_large(part: Part, limit: usize) -> AuthError {
    AuthError::TooLarge { part, limit }
}

fn service(expected: &str) -> AuthError {
    AuthError::ScopeService { expected: expected.into() }
}
