//! URLs of resources: scheme, authority, path and query (RFC 3986).

use std::fmt;
use std::str::FromStr;

use crate::{Endpoint, Error};

/// An absolute `http` or `https` URL. `Debug` leaves the query out: session tokens are secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    /// Without a prefix.
    endpoint: Endpoint,
    /// Path and query; starts with `/`. Visible ASCII only.
    target: String,
}

impl Url {
    /// Where to connect.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The request target in origin form (RFC 9112 §3.2.1).
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// Resolves a reference found in the resource of this URL (RFC 3986 §5.2). A fragment is left
    /// out.
    ///
    /// # Errors
    /// [`Error::Url`]: it is none, or of another scheme than `http` and `https`.
    pub fn join(&self, reference: &str) -> Result<Self, Error> {
        let reference = reference.split('#').next().unwrap_or_default();
        if has_scheme(reference) {
            return reference.parse();
        }
        if let Some(rest) = reference.strip_prefix("//") {
            let scheme = self.endpoint.to_string();
            let scheme = scheme.split("//").next().unwrap_or_default();
            return format!("{scheme}//{rest}").parse();
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let (reference_path, query) = match reference.find('?') {
            Some(at) => reference.split_at(at),
            None => (reference, ""),
        };
        let target = if reference.is_empty() {
            self.target.clone()
        } else if reference_path.is_empty() {
            format!("{path}{query}")
        } else if reference_path.starts_with('/') {
            format!("{}{query}", without_dot_segments(reference_path))
        } else {
            let folder = path.rfind('/').map_or("/", |at| &path[..=at]);
            format!("{}{query}", without_dot_segments(&format!("{folder}{reference_path}")))
        };
        check_characters(&target)?;
        Ok(Self { endpoint: self.endpoint.clone(), target })
    }
}

impl FromStr for Url {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        let url = url.split('#').next().unwrap_or_default();
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| invalid(url, "must begin with http:// or https://"))?;
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(at);
        let endpoint = format!("{scheme}://{authority}").parse()?;
        check_characters(target)?;
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { endpoint, target: format!("{slash}{target}") })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.endpoint, self.target)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        write!(f, "Url({}{path}", self.endpoint)?;
        f.write_str(if query.is_empty() { ")" } else { "?[redacted])" })
    }
}

/// RFC 3986 §3.1: a letter, then letters, digits, `+`, `-` and `.` up to the colon.
fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// RFC 3986 §5.2.4, for a path that starts with `/`.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

fn check_characters(target: &str) -> Result<(), Error> {
    match target.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(invalid(target, "has characters that belong into no URL")),
    }
}

fn invalid(url: &str, problem: &'static str) -> Error {
    let shown = url.split('?').next().unwrap_or_default();
    Error::Url { url: shown.chars().take(SHOWN_CHARS_MAX).collect(), problem }
}

/// Of an URL in an error.
const SHOWN_CHARS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3986 §5.4.1 and §5.4.2, but those of other schemes.
    #[test]
    fn references_of_the_standard() {
        let base: Url = "http://a/b/c/d;p?q".parse().unwrap();
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            ("g?y#s", "http://a/b/c/g?y"),
            (";x", "http://a/b/c/;x"),
            ("g;x", "http://a/b/c/g;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_string(), expected, "{reference}");
        }
    }

    #[test]
    fn urls() {
        for (url, shown, target) in [
            (
                "http://h:8400/a/b.m3u8?SessionToken=x~",
                "http://h:8400/a/b.m3u8?SessionToken=x~",
                "/a/b.m3u8?SessionToken=x~",
            ),
            ("https://h", "https://h/", "/"),
            ("https://h?x=1", "https://h/?x=1", "/?x=1"),
            ("https://[::1]:8443/p", "https://[::1]:8443/p", "/p"),
        ] {
            let parsed: Url = url.parse().unwrap();
            assert_eq!((parsed.to_string().as_str(), parsed.target()), (shown, target));
        }
        let secure: Url = "https://h/p".parse().unwrap();
        assert_eq!(secure.join("//other:8/x").unwrap().to_string(), "https://other:8/x");
        assert_eq!(secure.join("http://o/x").unwrap().to_string(), "http://o/x");
    }

    #[test]
    fn refusals() {
        let base: Url = "http://h/p?SessionToken=secret".parse().unwrap();
        for reference in ["ftp://h/x", "data:text/plain,x", "a b", "a\r\nx: y", "é", "http:///x"] {
            assert!(base.join(reference).is_err(), "{reference}");
        }
        for url in ["", "h/p", "file:///etc/passwd", "http://u:p@h/", "http://h/a b"] {
            assert!(url.parse::<Url>().is_err(), "{url}");
        }
    }

    #[test]
    fn tokens_are_not_shown() {
        let url: Url = "http://h/p?SessionToken=secret".parse().unwrap();
        assert_eq!(format!("{url:?}"), "Url(http://h/p?[redacted])");
        let error = "http://h/p p?SessionToken=secret".parse::<Url>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
