//! Endpoint URLs: `scheme://host[:port][/prefix]`.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// Where a service listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    /// A name or an address, without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// Path that precedes the operation's; without a slash at the end, often empty.
    prefix: String,
}

/// Plain TCP or TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

impl Scheme {
    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Endpoint {
    /// Plain TCP or TLS.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// A name or an address to connect to.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The Host header: with the port when it is not the scheme's own, as botocore sends it.
    pub fn authority(&self) -> String {
        let bracketed = self.host.contains(':');
        let host = if bracketed { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
    }

    /// The path of a request to `operation_path`, which starts with `/`.
    pub fn path(&self, operation_path: &str) -> String {
        format!("{}{operation_path}", self.prefix)
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        let invalid = |why: &str| Error::Settings(format!("endpoint URL {url:?}: {why}"));
        let (scheme, rest) = match url.split_once("://") {
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            _ => return Err(invalid("must start with http:// or https://")),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') {
            return Err(invalid("user names and passwords do not belong in it"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(|| invalid("missing ]"))?;
                (host, port.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        if host.is_empty() || !host.bytes().all(|b| b.is_ascii_graphic() && !b"/?#\"".contains(&b))
        {
            return Err(invalid("no usable host"));
        }
        if !path.bytes().all(|b| b.is_ascii_graphic() && !b"?#\"".contains(&b)) {
            return Err(invalid("must not have a query or fragment"));
        }
        let port = match port {
            Some(port) => port.parse().map_err(|_| invalid("the port is no number"))?,
            None => scheme.default_port(),
        };
        Ok(Self { scheme, host: host.into(), port, prefix: path.trim_end_matches('/').into() })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}{}", self.authority(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (url, authority, port, path, shown) in [
            ("http://127.0.0.1:8400", "127.0.0.1:8400", 8400, "/p", "http://127.0.0.1:8400"),
            ("http://127.0.0.1:8400/", "127.0.0.1:8400", 8400, "/p", "http://127.0.0.1:8400"),
            ("https://kvs.example.com", "kvs.example.com", 443, "/p", "https://kvs.example.com"),
            ("https://h:443/a/b/", "h", 443, "/a/b/p", "https://h/a/b"),
            ("http://[::1]:80", "[::1]", 80, "/p", "http://[::1]"),
            ("https://[::1]:8443/x", "[::1]:8443", 8443, "/x/p", "https://[::1]:8443/x"),
        ] {
            let endpoint: Endpoint = url.parse().unwrap();
            assert_eq!(endpoint.authority(), authority);
            assert_eq!(endpoint.port(), port);
            assert_eq!(endpoint.path("/p"), path);
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(shown.parse::<Endpoint>().unwrap(), endpoint);
        }
    }

    #[test]
    fn refusals() {
        for url in [
            "",
            "127.0.0.1:8400",
            "ftp://h",
            "http://",
            "http://:80",
            "http://h:x",
            "http://h:70000",
            "http://u:p@h",
            "http://h/?q",
            "http://h/#f",
            "http://[::1",
            "http://h h",
            "http://h\r\nx: y",
        ] {
            assert!(url.parse::<Endpoint>().is_err(), "{url:?}");
        }
    }
}
