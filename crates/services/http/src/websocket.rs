//! The opening handshake of a WebSocket, as a server answers it (RFC 6455 §4.2).
//!
//! Only the handshake: the framing belongs to who takes the connection over
//! ([`Exchange::upgrade`](crate::Exchange::upgrade)). Subprotocols and extensions are not agreed to,
//! which a client must accept (§4.2.2). `Origin` is for the handler to judge.

use std::fmt;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};

use crate::h1::head::{has_token, lists_token};

/// A request that may be answered with 101.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    accept: HeaderValue,
}

impl Handshake {
    /// The protocol's name in `Upgrade`.
    pub(crate) const PROTOCOL: &'static str = "websocket";

    /// Checks a request head (§4.2.1).
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn of(head: &Parts) -> Result<Self, HandshakeError> {
        if head.version != Version::HTTP_11 {
            return Err(HandshakeError::HttpVersion);
        }
        if head.method != Method::GET {
            return Err(HandshakeError::Method);
        }
        let headers = &head.headers;
        let has_body = headers.get(CONTENT_LENGTH).is_some_and(|len| len != "0");
        if has_body || headers.contains_key(TRANSFER_ENCODING) {
            return Err(HandshakeError::Body);
        }
        if !lists_token(headers, &UPGRADE, Self::PROTOCOL) || !has_token(headers, "upgrade") {
            return Err(HandshakeError::NoUpgrade);
        }
        if single(headers, SEC_WEBSOCKET_VERSION.as_str()).is_none_or(|text| text != "13") {
            return Err(HandshakeError::Version);
        }
        let key = single(headers, SEC_WEBSOCKET_KEY.as_str()).ok_or(HandshakeError::Key)?;
        // "when decoded, is 16 bytes in length"
        if STANDARD.decode(key).map_err(|_| HandshakeError::Key)?.len() != 16 {
            return Err(HandshakeError::Key);
        }
        let accept = HeaderValue::from_str(&accept_of(key)).map_err(|_| HandshakeError::Key)?;
        Ok(Self { accept })
    }

    pub(crate) fn accept_in(&self, headers: &mut HeaderMap) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.clone());
    }
}

/// Why a request is no WebSocket handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Not HTTP/1.1.
    HttpVersion,
    /// Not GET.
    Method,
    /// It has a body.
    Body,
    /// `Upgrade` and `Connection` do not ask for a WebSocket.
    NoUpgrade,
    /// `Sec-WebSocket-Version` is not 13.
    Version,
    /// `Sec-WebSocket-Key` is not 16 bytes in base64.
    Key,
}

impl HandshakeError {
    /// 426 where the same request would do over a WebSocket of version 13, else 400.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoUpgrade | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::HttpVersion | Self::Method | Self::Body | Self::Key => StatusCode::BAD_REQUEST,
        }
    }

    /// Adds the fields that tell a client what is spoken here (RFC 9110 §15.5.22, RFC 6455 §4.4).
    pub fn tell_in(self, headers: &mut HeaderMap) {
        if self.status() == StatusCode::UPGRADE_REQUIRED {
            headers.insert(UPGRADE, HeaderValue::from_static(Handshake::PROTOCOL));
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HttpVersion => "a WebSocket needs HTTP/1.1",
            Self::Method => "a WebSocket begins with GET",
            Self::Body => "a WebSocket's request has no body",
            Self::NoUpgrade => "this needs a WebSocket: Connection: Upgrade, Upgrade: websocket",
            Self::Version => "Sec-WebSocket-Version must be 13",
            Self::Key => "Sec-WebSocket-Key must be 16 bytes in base64",
        })
    }
}

impl std::error::Error for HandshakeError {}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then_some(first)?.to_str().ok()
}

/// §4.2.2, step 5.4: SHA-1 as a checksum that no cache gives by chance, not as a protection.
fn accept_of(key: &str) -> String {
    const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    /// The request of RFC 6455 §1.3, with a field put in, or taken out when the value is empty.
    fn check(name: &str, value: &str, expected: Result<&'static str, HandshakeError>) {
        let mut head = Request::get("/chat")
            .header("host", "server.example.com")
            .header("upgrade", "websocket")
            .header("connection", "Upgrade")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("origin", "http://example.com")
            .header("sec-websocket-protocol", "chat, superchat")
            .header("sec-websocket-version", "13")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        let field = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        match value {
            "" => drop(head.headers.remove(&field)),
            value => drop(head.headers.insert(&field, value.parse().unwrap())),
        }
        let accept = Handshake::of(&head).map(|handshake| handshake.accept);
        assert_eq!(accept, expected.map(HeaderValue::from_static), "{name}: {value}");
    }

    #[test]
    fn the_handshake_of_rfc_6455() {
        const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        let good = [
            ("origin", ""),
            ("upgrade", "WebSocket"),
            ("upgrade", "h2c, websocket"),
            ("connection", "keep-alive, upgrade"),
            ("content-length", "0"),
        ];
        for (name, value) in good {
            check(name, value, Ok(ACCEPT));
        }
    }

    #[test]
    fn what_is_no_handshake() {
        use HandshakeError::{Body, Key, NoUpgrade, Version};
        for (name, value, error) in [
            ("upgrade", "", NoUpgrade),
            ("upgrade", "websockets", NoUpgrade),
            ("connection", "", NoUpgrade),
            ("connection", "keep-alive", NoUpgrade),
            ("sec-websocket-version", "", Version),
            ("sec-websocket-version", "8", Version),
            ("sec-websocket-version", "13, 8", Version),
            ("sec-websocket-key", "", Key),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ", Key),
            ("sec-websocket-key", "c2hvcnQ=", Key),
            ("content-length", "1", Body),
            ("transfer-encoding", "chunked", Body),
        ] {
            check(name, value, Err(error));
        }
        for (method, version, error) in [
            (Method::POST, http::Version::HTTP_11, HandshakeError::Method),
            (Method::HEAD, http::Version::HTTP_11, HandshakeError::Method),
            (Method::GET, http::Version::HTTP_2, HandshakeError::HttpVersion),
            (Method::GET, http::Version::HTTP_10, HandshakeError::HttpVersion),
        ] {
            let request = Request::builder().method(method).version(version).body(()).unwrap();
            assert_eq!(Handshake::of(&request.into_parts().0), Err(error));
        }
    }

    #[test]
    fn a_refusal_tells_what_is_spoken() {
        let mut headers = HeaderMap::new();
        HandshakeError::Key.tell_in(&mut headers);
        assert_eq!((HandshakeError::Key.status().as_u16(), headers.len()), (400, 0));
        HandshakeError::Version.tell_in(&mut headers);
        assert_eq!(HandshakeError::Version.status().as_u16(), 426);
        assert_eq!(
            (&headers["upgrade"], &headers["sec-websocket-version"]),
            (&HeaderValue::from_static("websocket"), &HeaderValue::from_static("13"),)
        );
    }
}
