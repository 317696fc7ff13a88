//! Signing in to the console by a link: a one-time token becomes credentials that expire.
//!
//! The link is for the machine the server runs on: whoever started the server can see it, and reads
//! the root credentials' file anyway. It never holds a key that lasts.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use streamkeep_api::Principal;
use streamkeep_http::Body;
use streamkeep_io::Rng;
use streamkeep_media::UnixMillis;
use streamkeep_sigv4::{SecretKey, SessionToken, UnixSeconds};

/// The body of `POST /console/session`; a token is 43 characters.
pub(super) const BODY_MAX: usize = 1024;
/// How long a link waits to be opened.
const LINK_MS: u64 = 60 * 60 * 1000;
/// How long what it gives lasts (console.md §7).
const SESSION_MS: u64 = 12 * 60 * 60 * 1000;
/// Links that wait, and sessions that live; the oldest goes when one more comes.
const KEPT_MAX: usize = 64;

/// The body of `POST /console/session`.
#[derive(serde::Deserialize)]
struct SignInRequest {
    token: String,
}

/// Who has signed in by a link.
pub(crate) struct SignIn {
    rng: Arc<dyn Rng>,
    root: Principal,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By token: when the link ends. A token is 256 random bits: that it is found says enough.
    links: HashMap<String, UnixMillis>,
    sessions: HashMap<String, Arc<SignedIn>>,
}

/// Temporary credentials.
pub(crate) struct SignedIn {
    pub(crate) principal: Arc<Principal>,
    pub(crate) secret: SecretKey,
    pub(crate) token: SessionToken,
    pub(crate) expires: UnixSeconds,
}

/// Why a link does not sign anyone in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkRefused {
    /// It was asked for from another machine.
    Elsewhere,
    /// It was used, has expired, or never was.
    Unknown,
}

impl SignIn {
    pub(crate) fn new(rng: Arc<dyn Rng>, root: Principal) -> Self {
        Self { rng, root, state: Mutex::default() }
    }

    /// A token that signs in once, within the hour.
    pub(crate) fn link_token(&self, now: UnixMillis) -> String {
        let token = self.draw(43, URL_SAFE);
        let mut state = self.state();
        state.links.retain(|_, end| *end > now);
        make_room(&mut state.links, |end| end.0);
        state.links.insert(token.clone(), UnixMillis(now.0 + LINK_MS));
        token
    }

    /// Exchanges the token of a link for credentials.
    pub(super) fn answer(&self, body: &[u8], peer: SocketAddr, now: UnixMillis) -> Response<Body> {
        let wanted: Option<SignInRequest> = serde_json::from_slice(body).ok();
        let result = wanted
            .ok_or(LinkRefused::Unknown)
            .and_then(|wanted| self.redeem(&wanted.token, peer.ip(), now));
        let (status, answer) = match result {
            Ok(answer) => (StatusCode::OK, answer),
            Err(reason) => {
                tracing::info!(?reason, %peer, "sign-in link refused");
                (StatusCode::FORBIDDEN, json!({ "message": reason.message() }))
            }
        };
        let mut response = Response::new(Body::from(answer.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// Credentials for a link's token, in the members' names of the AWS SDKs. The token is spent.
    fn redeem(&self, token: &str, peer: IpAddr, now: UnixMillis) -> Result<Value, LinkRefused> {
        if !peer.to_canonical().is_loopback() {
            return Err(LinkRefused::Elsewhere);
        }
        let mut state = self.state();
        state.links.remove(token).filter(|end| *end > now).ok_or(LinkRefused::Unknown)?;
        let access_key_id = format!("ASIA{}", self.draw(16, UPPER));
        let (secret, token) = (self.draw(40, URL_SAFE), self.draw(43, URL_SAFE));
        let expires = UnixSeconds((now.0 + SESSION_MS) / 1000);
        let answer = json!({
            "accessKeyId": access_key_id, "secretAccessKey": secret, "sessionToken": token,
            "expiration": expires.0,
        });
        let principal = Principal { access_key_id: access_key_id.clone(), ..self.root.clone() };
        let session = SignedIn {
            principal: Arc::new(principal),
            secret: SecretKey::new(secret).expect("40 characters"),
            token: SessionToken::new(token).expect("43 visible characters"),
            expires,
        };
        state.sessions.retain(|_, session| session.expires.0 > now.0 / 1000);
        make_room(&mut state.sessions, |session| session.expires.0);
        state.sessions.insert(access_key_id, Arc::new(session));
        Ok(answer)
    }

    /// The session that an access key belongs to; whether it has expired is for the verifier.
    pub(crate) fn session(&self, access_key_id: &str) -> Option<Arc<SignedIn>> {
        self.state().sessions.get(access_key_id).cloned()
    }

    fn draw(&self, count: usize, alphabet: &[u8]) -> String {
        let mut bytes = vec![0; count];
        self.rng.fill(&mut bytes);
        // Both alphabets divide 256: no letter is likelier than another.
        bytes.iter().map(|b| char::from(alphabet[usize::from(*b) % alphabet.len()])).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LinkRefused {
    fn message(self) -> &'static str {
        match self {
            Self::Elsewhere => {
                "A sign-in link works only in a browser on the server's own machine."
            }
            Self::Unknown => {
                "This sign-in link was used already or has expired. Sign in with an access key."
            }
        }
    }
}

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const URL_SAFE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Drops the entry that ends first when there are as many as are kept.
fn make_room<T>(entries: &mut HashMap<String, T>, end: impl Fn(&T) -> u64) {
    if entries.len() >= KEPT_MAX
        && let Some(first) = entries.iter().min_by_key(|(_, entry)| end(entry))
    {
        let first = first.0.clone();
        entries.remove(&first);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use streamkeep_io::SystemRng;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn sign_in() -> SignIn {
        let root = Principal {
            arn: "arn:aws:iam::000000000000:root".into(),
            account: "000000000000".into(),
            access_key_id: "AKIDEXAMPLE".into(),
            is_root: true,
        };
        SignIn::new(Arc::new(SystemRng::new().unwrap()), root)
    }

    #[test]
    fn a_link_signs_in_once_and_from_here() {
        let sign_in = sign_in();
        let now = UnixMillis(1_000_000);
        let token = sign_in.link_token(now);
        let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        assert_eq!(sign_in.redeem(&token, elsewhere, now).unwrap_err(), LinkRefused::Elsewhere);
        let given = sign_in.redeem(&token, HERE, now).unwrap();
        let id = given["accessKeyId"].as_str().unwrap();
        let session = sign_in.session(id).unwrap();
        assert_eq!(session.secret.expose(), given["secretAccessKey"]);
        assert_eq!(session.token.expose(), given["sessionToken"]);
        assert_eq!((session.principal.access_key_id.as_str(), session.expires.0), (id, 44_200));
        assert_eq!(sign_in.redeem(&token, HERE, now).unwrap_err(), LinkRefused::Unknown);
        let mapped = IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        for peer in [mapped, IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            assert!(sign_in.redeem(&sign_in.link_token(now), peer, now).is_ok());
        }
    }

    #[test]
    fn links_and_sessions_end() {
        let sign_in = sign_in();
        let now = UnixMillis(1_000_000);
        let token = sign_in.link_token(now);
        let late = UnixMillis(now.0 + LINK_MS);
        assert_eq!(sign_in.redeem(&token, HERE, late).unwrap_err(), LinkRefused::Unknown);
        let given = sign_in.redeem(&sign_in.link_token(now), HERE, now).unwrap();
        let later = UnixMillis(now.0 + SESSION_MS + 1000);
        sign_in.redeem(&sign_in.link_token(later), HERE, later).unwrap();
        assert!(sign_in.session(given["accessKeyId"].as_str().unwrap()).is_none());
        for _ in 0..2 * KEPT_MAX {
            sign_in.redeem(&sign_in.link_token(later), HERE, later).unwrap();
            sign_in.link_token(later);
        }
        let state = sign_in.state();
        assert_eq!((state.links.len(), state.sessions.len()), (KEPT_MAX, KEPT_MAX));
    }
}
