//! Endpoints handed out: scheme, host and port, never a path or a trailing slash, because clients
//! append `/putMedia` and the like as plain text (control-plane.md §5).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::ApiError;

/// How a request reached this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointContext {
    /// Of the connection.
    pub scheme: Scheme,
    /// The `Host` header, or `:authority`, as received.
    pub host: Option<String>,
    /// This server's end of the connection.
    pub local: SocketAddr,
    /// The client's address, for policies.
    pub source_ip: Option<IpAddr>,
}

/// URL scheme of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// Without the port where the scheme implies it: the embedded C producer takes everything
    /// after `https://` for the host name (clients.md §12).
    fn url(self, host: &str, port: u16) -> String {
        let scheme = self.as_str();
        if port == self.default_port() {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{port}")
        }
    }
}

impl EndpointContext {
    /// The URL that reaches this server the way this request did.
    ///
    /// The real producer leaves the port out of `Host` (clients.md §13): then the local port is
    /// added, unless the scheme implies it. A server behind a proxy or a port mapping needs a
    /// [`PublicUrl`].
    ///
    /// # Errors
    /// InvalidArgumentException: `Host` is no host.
    pub(crate) fn base_url(&self) -> Result<String, ApiError> {
        let Some(host) = self.host.as_deref().map(str::trim).filter(|host| !host.is_empty()) else {
            return Ok(format!("{}://{}", self.scheme.as_str(), self.local));
        };
        let bad = || ApiError::invalid_argument("The Host header is no host name or address.");
        let authority = Authority::parse(host).ok_or_else(bad)?;
        let port = authority.port.unwrap_or(self.local.port());
        Ok(self.scheme.url(authority.host, port))
    }
}

/// The URL under which clients reach this server, when it cannot know by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

/// Why a text is no [`PublicUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicUrlError {
    /// Does not begin with `http://` or `https://`.
    Scheme,
    /// No host name or address, or no port after the colon.
    Host,
    /// A path, query or fragment follows; signatures cover the path, so none can be added.
    Path,
}

impl fmt::Display for PublicUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the public URL must begin with http:// or https://",
            Self::Host => "the public URL must have a host, and may have a port",
            Self::Path => "the public URL must end after host and port",
        })
    }
}

impl std::error::Error for PublicUrlError {}

impl PublicUrl {
    /// From `http://host`, `https://host:port` and the like; one trailing slash is forgiven.
    ///
    /// # Errors
    /// [`PublicUrlError`].
    pub fn parse(text: &str) -> Result<Self, PublicUrlError> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(PublicUrlError::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(PublicUrlError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(PublicUrlError::Path);
        }
        let authority = Authority::parse(rest).ok_or(PublicUrlError::Host)?;
        let port = authority.port.unwrap_or(scheme.default_port());
        Ok(Self(scheme.url(authority.host, port)))
    }

    /// Without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 9110 §7.2: `uri-host [ ":" port ]`.
pub(crate) struct Authority<'a> {
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    pub(crate) host: &'a str,
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let end = rest.find(']')?;
                rest[..end].parse::<std::net::Ipv6Addr>().ok()?;
                (&text[..end + 2], &rest[end + 1..])
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                let name = &text[..end];
                let character = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
                // RFC 1035 §2.3.4: 255 octets.
                if name.is_empty() || name.len() > 255 || !name.bytes().all(character) {
                    return None;
                }
                (name, &text[end..])
            }
        };
        let port = match port.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            None if port.is_empty() => None,
            _ => return None,
        };
        Some(Self { host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls() {
        use Scheme::{Http, Https};
        for (scheme, host, local, wanted) in [
            (Http, Some("127.0.0.1"), "127.0.0.1:8400", Some("http://127.0.0.1:8400")),
            (Http, Some("127.0.0.1:8400"), "127.0.0.1:8400", Some("http://127.0.0.1:8400")),
            (Http, Some("example.com"), "10.0.0.1:80", Some("http://example.com")),
            (Https, Some("example.com"), "10.0.0.1:443", Some("https://example.com")),
            (Https, Some("example.com:443"), "10.0.0.1:8443", Some("https://example.com")),
            (Http, Some("example.com:443"), "10.0.0.1:80", Some("http://example.com:443")),
            (Https, Some("example.com"), "10.0.0.1:80", Some("https://example.com:80")),
            (Https, Some("Cam_1.local:9"), "10.0.0.1:8443", Some("https://Cam_1.local:9")),
            (Http, Some("[::1]"), "[::1]:8400", Some("http://[::1]:8400")),
            (Https, Some("[fe80::1]:1"), "[::1]:443", Some("https://[fe80::1]:1")),
            (Http, None, "127.0.0.1:8400", Some("http://127.0.0.1:8400")),
            (Http, Some(" "), "[::1]:8400", Some("http://[::1]:8400")),
            (Http, Some("a/b"), "127.0.0.1:8400", None),
            (Http, Some("user@host"), "127.0.0.1:8400", None),
            (Http, Some("host:"), "127.0.0.1:8400", None),
            (Http, Some("host:65536"), "127.0.0.1:8400", None),
            (Http, Some("host:+1"), "127.0.0.1:8400", None),
            (Http, Some("[::1"), "127.0.0.1:8400", None),
            (Http, Some("[::1]x"), "127.0.0.1:8400", None),
            (Http, Some("::1"), "127.0.0.1:8400", None),
            (Http, Some(&"a".repeat(256)), "127.0.0.1:8400", None),
        ] {
            let context = EndpointContext {
                scheme,
                host: host.map(Into::into),
                local: local.parse().unwrap(),
                source_ip: None,
            };
            assert_eq!(context.base_url().ok().as_deref(), wanted, "{host:?}");
        }
    }

    #[test]
    fn public_urls() {
        for (text, wanted) in [
            ("https://video.example.com", Ok("https://video.example.com")),
            ("https://video.example.com/", Ok("https://video.example.com")),
            ("HTTP://h:8400", Ok("http://h:8400")),
            ("https://[::1]:443/", Ok("https://[::1]")),
            ("https://h:80", Ok("https://h:80")),
            ("video.example.com", Err(PublicUrlError::Scheme)),
            ("wss://h", Err(PublicUrlError::Scheme)),
            ("https://", Err(PublicUrlError::Host)),
            ("https://h:x", Err(PublicUrlError::Host)),
            ("https://u:p@h", Err(PublicUrlError::Host)),
            ("https://h/kvs", Err(PublicUrlError::Path)),
            ("https://h//", Err(PublicUrlError::Path)),
            ("https://h?x", Err(PublicUrlError::Path)),
        ] {
            let found = PublicUrl::parse(text);
            assert_eq!(found.as_ref().map(PublicUrl::as_str).map_err(|e| *e), wanted, "{text}");
        }
    }
}
