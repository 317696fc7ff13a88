//! URLs of receivers: `http[s]://host[:port]/path?query`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use http::uri::PathAndQuery;

/// A URL that can be called. ASCII only: international names come in their `xn--` form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpUrl {
    text: String,
    is_tls: bool,
    /// Lower case; an IPv6 address without its brackets.
    host: String,
    port: u16,
    /// Starts with `/`.
    path_and_query: String,
}

impl HttpUrl {
    /// Reads a URL of at most 2048 bytes.
    ///
    /// # Errors
    /// Another scheme, a user name, a fragment, no usable host or port, bytes that no URL holds.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        if text.len() > LEN_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadUrl("longer than 2048 bytes, or not plain ASCII"));
        }
        let (is_tls, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err(BadUrl("must start with http:// or https://")),
        };
        let (authority, path) = match rest.find(['/', '?', '#', '\\']) {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        if authority.contains('@') {
            return Err(BadUrl("user names and passwords do not belong in it"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(BadUrl("missing ]"))?;
                host.parse::<Ipv6Addr>().map_err(|_| BadUrl("no IPv6 address in brackets"))?;
                (host, if port.is_empty() { None } else { Some(port) })
            }
            None => match authority.find(':') {
                Some(at) => (&authority[..at], Some(&authority[at..])),
                None => (authority, None),
            },
        };
        let is_name = (1..=253).contains(&host.len())
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if !is_name && !host.contains(':') {
            return Err(BadUrl("no usable host"));
        }
        let port = match port {
            Some(port) => port
                .strip_prefix(':')
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok())
                .filter(|port| *port != 0)
                .ok_or(BadUrl("the port is no number from 1 to 65535"))?,
            None => default_port(is_tls),
        };
        let path_and_query =
            if path.starts_with('?') { format!("/{path}") } else { path.to_owned() };
        let valid = path_and_query.starts_with('/')
            && !path_and_query.contains('#')
            && path_and_query.parse::<PathAndQuery>().is_ok();
        if !valid {
            return Err(BadUrl("the path or query is not valid"));
        }
        Ok(Self {
            text: text.into(),
            is_tls,
            host: host.to_ascii_lowercase(),
            port,
            path_and_query,
        })
    }

    /// What was parsed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is `https`.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// A name or an address to resolve, lower case, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What stands in the request line; starts with `/`.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        self.path_and_query.split_once('?').map_or(&self.path_and_query, |(path, _)| path)
    }

    /// The query alone, without `?`; empty when there is none.
    pub fn query(&self) -> &str {
        self.path_and_query.split_once('?').map_or("", |(_, query)| query)
    }

    /// The Host header: with the port when it is not the scheme's own.
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == default_port(self.is_tls) { host } else { format!("{host}:{}", self.port) }
    }

    /// Scheme and authority, without path.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.is_tls { "https" } else { "http" }, self.authority())
    }

    /// The same host with another host label before it and another path: for virtual-hosted
    /// buckets. `host_label` may be empty; `path` starts with `/` and is encoded.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(crate) fn sibling(&self, host_label: &str, path: &str) -> Result<Self, BadUrl> {
        let scheme = if self.is_tls { "https" } else { "http" };
        let dot = if host_label.is_empty() { "" } else { "." };
        Self::parse_long(&format!("{scheme}://{host_label}{dot}{}{path}", self.authority()))
    }

    /// Object keys, encoded, are longer than URLs people write.
    fn parse_long(text: &str) -> Result<Self, BadUrl> {
        let at = text.find("://").map_or(0, |at| at + 3);
        let path_at = text[at..].find('/').map_or(text.len(), |path_at| at + path_at);
        let (origin, path) = text.split_at(path_at);
        if path.len() > PATH_LEN_MAX || path.parse::<PathAndQuery>().is_err() {
            return Err(BadUrl("the path is not valid"));
        }
        let url = Self::parse(origin)?;
        Ok(Self { text: text.into(), path_and_query: path.into(), ..url })
    }

    /// Whether the host is an address, not a name.
    pub fn host_is_address(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok()
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is no URL that can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadUrl(pub(crate) &'static str);

impl fmt::Display for BadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadUrl {}

fn default_port(is_tls: bool) -> u16 {
    if is_tls { 443 } else { 80 }
}

/// Common among servers and browsers.
const LEN_MAX: usize = 2048;
/// A bucket and a key of 1024 bytes, each byte encoded.
const PATH_LEN_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        for (text, host, port, authority, path, query) in [
            ("http://h", "h", 80, "h", "/", ""),
            ("https://H.example/", "h.example", 443, "h.example", "/", ""),
            ("https://h:8443/a/b?c=d", "h", 8443, "h:8443", "/a/b", "c=d"),
            ("https://h:443", "h", 443, "h", "/", ""),
            ("http://h?x", "h", 80, "h", "/", "x"),
            ("http://127.0.0.1:9000/p", "127.0.0.1", 9000, "127.0.0.1:9000", "/p", ""),
            ("http://[::1]:9000/p", "::1", 9000, "[::1]:9000", "/p", ""),
            ("http://[::1]", "::1", 80, "[::1]", "/", ""),
        ] {
            let url = HttpUrl::parse(text).unwrap();
            assert_eq!((url.host(), url.port(), url.authority().as_str()), (host, port, authority));
            assert_eq!((url.path(), url.query()), (path, query));
            assert_eq!(url.as_str(), text);
        }
    }

    #[test]
    fn refusals() {
        for text in [
            "",
            "h",
            "ftp://h",
            "HTTP://h",
            "http://",
            "http:///p",
            "http://:80",
            "http://h:",
            "http://h:0",
            "http://h:65536",
            "http://h:+80",
            "http://h:80:80",
            "http://u@h",
            "http://u:p@h/",
            "http://h#f",
            "http://h/#f",
            "http://h/a b",
            "http://h/\u{e9}",
            "http://h\u{e9}/",
            "http://h\\@x/",
            "http://[::1",
            "http://[::1]x",
            "http://[::1%25lo]/",
            "http://[127.0.0.1]/",
            "http://a;b/",
            "http://h/<x>",
            "http://h/\r\nx: y",
        ] {
            assert!(HttpUrl::parse(text).is_err(), "{text:?}");
        }
        assert!(HttpUrl::parse(&format!("http://h/{}", "p".repeat(2048))).is_err());
    }

    #[test]
    fn siblings() {
        let endpoint = HttpUrl::parse("http://s3.example:9000").unwrap();
        let url = endpoint.sibling("bucket", "/a%20b").unwrap();
        assert_eq!((url.host(), url.port(), url.path()), ("bucket.s3.example", 9000, "/a%20b"));
        assert_eq!(endpoint.sibling("", "/b/k").unwrap().as_str(), "http://s3.example:9000/b/k");
        assert!(endpoint.sibling("", &format!("/{}", "p".repeat(4000))).is_ok());
        assert!(endpoint.sibling("", "/a b").is_err());
    }
}
