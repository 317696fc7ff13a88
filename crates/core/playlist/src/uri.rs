//! Relative URIs made of our own names, numbers and the session token.

use std::fmt;

use crate::decimal::push_u128;

/// A file name with a query, relative to the playlist that names it:
/// `getMP4MediaFragment.mp4?FragmentNumber=…&SessionToken=…&TrackNumber=1`.
///
/// Names are part of the program and values are numbers or [`PlainText`], so a URI never needs
/// escaping and nothing that a producer sent can enter it (packaging.md §5.4). The query lives on
/// the caller's stack: no allocation per line.
#[derive(Clone, Copy, Debug)]
pub struct Uri<'a> {
    /// File name; with one of the extensions that players demand (packaging.md §5.4).
    pub path: &'static str,
    /// Written in this order after `?`, joined by `&`. No `?` when empty.
    pub query: &'a [Parameter<'a>],
}

/// Name and value of a query parameter.
pub type Parameter<'a> = (&'static str, Value<'a>);

/// The value of a query parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A decimal integer: track number, index, fragment number.
    Number(u128),
    /// Text that needs no escaping: the session token.
    Text(PlainText<'a>),
    /// DASH only: `$Number$`, which the player replaces (ISO/IEC 23009-1 §5.3.9.4.4).
    NumberTemplate,
}

impl From<u64> for Value<'_> {
    fn from(n: u64) -> Self {
        Self::Number(n.into())
    }
}

impl<'a> From<PlainText<'a>> for Value<'a> {
    fn from(text: PlainText<'a>) -> Self {
        Self::Text(text)
    }
}

/// Text of RFC 3986's unreserved characters only: letters, digits, `-`, `.`, `_`, `~`.
///
/// Such text stands unchanged in a query, in a quoted-string of a playlist, in an XML attribute
/// and in a DASH template. Session tokens (kvs/playback.md §4) and codec strings (RFC 6381) are of
/// this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlainText<'a>(&'a str);

impl<'a> PlainText<'a> {
    /// Checks `text` once.
    ///
    /// # Errors
    /// [`NotPlain`] with the position of the first character of another kind.
    pub fn new(text: &'a str) -> Result<Self, NotPlain> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        match text.bytes().position(|b| !plain(b)) {
            None => Ok(Self(text)),
            Some(position) => Err(NotPlain { position }),
        }
    }

    /// The text.
    pub fn as_str(self) -> &'a str {
        self.0
    }
}

/// A character that would need escaping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPlain {
    /// In bytes from the start of the text.
    pub position: usize,
}

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {} is not an unreserved character", self.position)
    }
}

impl std::error::Error for NotPlain {}

impl Uri<'_> {
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        self.push_joined(out, b"&");
    }

    /// As an XML attribute value: `&` between the parameters is the only character to escape.
    pub(crate) fn push_xml(&self, out: &mut Vec<u8>) {
        self.push_joined(out, b"&amp;");
    }

    fn push_joined(&self, out: &mut Vec<u8>, separator: &[u8]) {
        out.extend_from_slice(self.path.as_bytes());
        for (index, (name, value)) in self.query.iter().enumerate() {
            out.extend_from_slice(if index == 0 { b"?" } else { separator });
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            match *value {
                Value::Number(n) => push_u128(out, n),
                Value::Text(text) => out.extend_from_slice(text.0.as_bytes()),
                Value::NumberTemplate => out.extend_from_slice(b"$Number$"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let number = 21_267_647_932_558_653_966_460_912_964_485_513_216;
        let token = PlainText::new("CiC_-.9~").unwrap();
        let query = [
            ("FragmentNumber", Value::Number(number)),
            ("SessionToken", token.into()),
            ("TrackNumber", 1.into()),
            ("At", u64::MAX.into()),
        ];
        let uri = Uri { path: "getMP4MediaFragment.mp4", query: &query };
        let mut out = Vec::new();
        uri.push(&mut out);
        let expected = "getMP4MediaFragment.mp4?FragmentNumber=21267647932558653966460912964485513216\
            &SessionToken=CiC_-.9~&TrackNumber=1&At=18446744073709551615";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = Vec::new();
        uri.push_xml(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected.replace('&', "&amp;"));
        let mut out = Vec::new();
        Uri { path: "a.mp4", query: &[] }.push(&mut out);
        assert_eq!(out, b"a.mp4");
    }

    #[test]
    fn plain_text() {
        for (text, position) in [
            ("a b", 1),
            ("\"", 0),
            ("ab&", 2),
            ("$", 0),
            ("a\n", 1),
            ("é", 0),
            ("%41", 0),
            ("a,b", 1),
        ] {
            assert_eq!(PlainText::new(text), Err(NotPlain { position }), "{text:?}");
        }
        assert_eq!(PlainText::new("").map(PlainText::as_str), Ok(""));
        assert!(PlainText::new("avc1.64001f").is_ok());
    }
}
