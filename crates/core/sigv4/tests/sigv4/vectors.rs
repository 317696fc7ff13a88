//! AWS's signing test suite, verified and signed.

use streamkeep_sigv4::*;

use crate::request::{ACCESS_KEY_ID, OwnedRequest, credentials};
use crate::suite::{VECTORS, Vector};

const NOW: UnixSeconds = UnixSeconds(1_440_938_160);
const DATE: &str = "20150830T123600Z";
const SCOPE: &str = "20150830/us-east-1/service/aws4_request";

impl Vector {
    /// The token is sent after signing in this one case.
    fn token_is_signed(&self) -> bool {
        self.name != "post-sts-header-after"
    }

    fn hashes_in_header(&self) -> bool {
        !self.body.is_empty() && !self.name.ends_with("botocore")
    }

    /// Our signer always removes `.`, `..` and empty segments; the suite's has a switch.
    fn is_signed_otherwise_by_us(&self) -> bool {
        self.name.ends_with("-unnormalized") && self.name != "get-space-unnormalized"
    }

    fn style(&self) -> Style {
        let inclusion =
            if self.token_is_signed() { Inclusion::Signed } else { Inclusion::Unsigned };
        Style {
            security_token: inclusion,
            content_sha256: self.hashes_in_header().then_some(Inclusion::Signed),
        }
    }
}

fn verify(vector: &Vector, request: &OwnedRequest) -> Result<(), AuthError> {
    let credentials = credentials(vector.token);
    let session = credentials
        .session_token
        .as_ref()
        .map(|token| Session { token, expires: UnixSeconds(u64::MAX) });
    let key = KnownKey { secret: &credentials.secret, session };
    let rules =
        Rules { region: Some("us-east-1"), services: &["service"], signed_if_present: &["host"] };
    let keys = SigningKeys::new(2);
    request.view(|view| {
        let presented = Presented::parse(view)?;
        let payload = Payload::Body(vector.body.as_bytes());
        presented.verify(payload, key, rules, NOW, &keys)?;
        // Again, now with a cached key.
        presented.verify(payload, key, rules, NOW, &keys)
    })
}

/// The signed request of the suite, header form.
fn with_header(vector: &Vector) -> OwnedRequest {
    let mut request = OwnedRequest::parse(vector.head);
    request.push("X-Amz-Date", DATE);
    if vector.hashes_in_header() {
        // SHA-256 of "Param1=value1", the only body of the suite.
        let hash = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
        request.push("x-amz-content-sha256", hash);
    }
    if vector.token_is_signed() && !vector.token.is_empty() {
        request.push("X-Amz-Security-Token", vector.token);
    }
    let (names, signature) = (names(&request).join(";"), vector.header);
    if !vector.token_is_signed() {
        request.push("X-Amz-Security-Token", vector.token);
    }
    request.push(
        "Authorization",
        format!(
            "AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/{SCOPE}, SignedHeaders={names}, \
             Signature={signature}"
        ),
    );
    request
}

/// The signed request of the suite, query form, in the suite's order of parameters.
fn with_query(vector: &Vector) -> OwnedRequest {
    let mut request = OwnedRequest::parse(vector.head);
    let names = names(&request).join("%3B");
    let scope = SCOPE.replace('/', "%2F");
    let mut parameters = vec![
        request.query.clone(),
        "X-Amz-Algorithm=AWS4-HMAC-SHA256".to_owned(),
        format!("X-Amz-Credential={ACCESS_KEY_ID}%2F{scope}"),
        format!("X-Amz-Date={DATE}"),
        format!("X-Amz-SignedHeaders={names}"),
        "X-Amz-Expires=3600".to_owned(),
        format!("X-Amz-Signature={}", vector.query),
    ];
    if !vector.token.is_empty() {
        let token = vector.token.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
        parameters.push(format!("X-Amz-Security-Token={token}"));
    }
    parameters.retain(|parameter| !parameter.is_empty());
    request.query = parameters.join("&");
    request
}

fn names(request: &OwnedRequest) -> Vec<String> {
    let mut names: Vec<_> =
        request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn header_form_is_verified() {
    for vector in VECTORS {
        assert_eq!(verify(vector, &with_header(vector)), Ok(()), "{}", vector.name);
    }
}

#[test]
fn query_form_is_verified() {
    let mut verified = 0;
    for vector in VECTORS.iter().filter(|vector| !vector.query.is_empty()) {
        // A token added to a query after signing: left out on purpose (crate documentation).
        let expected =
            if vector.token_is_signed() { Ok(()) } else { Err(AuthError::WrongSignature) };
        assert_eq!(verify(vector, &with_query(vector)), expected, "{}", vector.name);
        verified += 1;
    }
    assert_eq!(verified, 38);
}

#[test]
fn header_form_is_signed() {
    for vector in VECTORS.iter().filter(|vector| !vector.is_signed_otherwise_by_us()) {
        let credentials = credentials(vector.token);
        let signing = Signing {
            credentials: &credentials,
            region: "us-east-1",
            service: "service",
            now: NOW,
        };
        let mut request = OwnedRequest::parse(vector.head);
        let payload = PayloadHash::Body(vector.body.as_bytes());
        let added =
            request.view(|view| signing.sign_headers(&view, payload, vector.style())).unwrap();
        let (_, authorization) = added.iter().find(|(name, _)| *name == "authorization").unwrap();
        let expected = with_header(vector);
        let (_, expected) = expected.headers.last().unwrap();
        assert_eq!(authorization.as_bytes(), expected, "{}", vector.name);

        for (name, value) in added.iter() {
            request.push(name, value);
        }
        assert_eq!(verify(vector, &request), Ok(()), "{}", vector.name);
    }
}

#[test]
fn query_form_is_signed() {
    let with_query = |vector: &&Vector| !vector.query.is_empty() && vector.token_is_signed();
    for vector in VECTORS.iter().filter(with_query) {
        if vector.is_signed_otherwise_by_us() {
            continue;
        }
        let credentials = credentials(vector.token);
        let signing = Signing {
            credentials: &credentials,
            region: "us-east-1",
            service: "service",
            now: NOW,
        };
        let mut request = OwnedRequest::parse(vector.head);
        let payload = PayloadHash::Body(vector.body.as_bytes());
        let query = request.view(|view| signing.presign(&view, payload, 3600)).unwrap();
        let (_, signature) = query.rsplit_once("&X-Amz-Signature=").unwrap();
        assert_eq!(signature, vector.query, "{}", vector.name);

        request.query = query;
        assert_eq!(verify(vector, &request), Ok(()), "{}", vector.name);
    }
}
