//! Percent-encoding (RFC 3986 §2.1), and the canonical forms of path and query.

use std::borrow::Cow;

use crate::canonical::Reading;
use crate::hex;

/// The parameters of a query in order of arrival, undecoded. A parameter without `=` has an empty
/// value; empty ones (`&&`) do not count.
pub(crate) fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
}

/// The bytes behind percent-encoded text; `None` when an escape is broken. `+` stays `+`.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, [u8]>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let [high, low, tail @ ..] = tail else { return None };
            bytes.push(hex::nibble(*high)? << 4 | hex::nibble(*low)?);
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    Some(Cow::Owned(bytes))
}

/// Appends `bytes`, each one outside RFC 3986's unreserved set as `%XX`.
pub(crate) fn encode_into(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 0xf)]));
        }
    }
}

/// The path line of a canonical request.
pub(crate) fn canonical_path(path: &str, reading: Reading) -> Cow<'_, str> {
    match reading {
        Reading::AsSent if path.is_empty() => Cow::Borrowed("/"),
        Reading::AsSent => Cow::Borrowed(path),
        Reading::Standard => {
            let mut segments: Vec<&str> = Vec::new();
            for segment in path.split('/') {
                match segment {
                    "" | "." => {}
                    ".." => drop(segments.pop()),
                    _ => segments.push(segment),
                }
            }
            let mut out = String::with_capacity(path.len() + 1);
            for segment in &segments {
                out.push('/');
                encode_into(&mut out, segment.as_bytes());
            }
            // A closing slash survives, and the root is one.
            if segments.is_empty() || path.ends_with('/') {
                out.push('/');
            }
            Cow::Owned(out)
        }
    }
}

/// The query line of a canonical request: parameters by name, then by value, in byte order of
/// their encoded form. Sorting whole `name=value` texts would put `a-b=` before `a=`.
/// `without` names a parameter to leave out.
pub(crate) fn canonical_query(query: &str, reading: Reading, without: Option<&str>) -> String {
    let read = |component| match reading {
        Reading::Standard => recoded(component),
        Reading::AsSent => Cow::Borrowed(component),
    };
    let mut sorted: Vec<(Cow<'_, str>, Cow<'_, str>)> = parameters(query)
        .filter(|(name, _)| without.is_none_or(|without| !names(name, without)))
        .map(|(name, value)| (read(name), read(value)))
        .collect();
    sorted.sort_unstable();
    let mut out = String::with_capacity(query.len() + 1);
    for (name, value) in &sorted {
        if !out.is_empty() {
            out.push('&');
        }
        out.extend([name.as_ref(), "=", value.as_ref()]);
    }
    out
}

/// Whether the encoded parameter name `encoded` is the plain `name`.
pub(crate) fn names(encoded: &str, name: &str) -> bool {
    decode(encoded).is_some_and(|decoded| *decoded == *name.as_bytes())
}

/// Decoded and encoded again. What decoders do not agree on stays as sent: `+` is a space to
/// some and a plus to others, and a broken escape anything.
fn recoded(component: &str) -> Cow<'_, str> {
    if component.bytes().all(is_unreserved) || component.contains('+') {
        return Cow::Borrowed(component);
    }
    let Some(bytes) = decode(component) else { return Cow::Borrowed(component) };
    let mut out = String::with_capacity(component.len());
    encode_into(&mut out, &bytes);
    Cow::Owned(out)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, standard, as_sent) in [
            ("", "/", "/"),
            ("/", "/", "/"),
            ("/putMedia", "/putMedia", "/putMedia"),
            ("/a/../..", "/", "/a/../.."),
            ("/../a", "/a", "/../a"),
            ("/./a", "/a", "/./a"),
            ("//a//", "/a/", "//a//"),
            ("/a/.", "/a", "/a/."),
            ("/a b", "/a%20b", "/a b"),
            ("/a%20b", "/a%2520b", "/a%20b"),
            ("/\u{1234}", "/%E1%88%B4", "/\u{1234}"),
        ] {
            assert_eq!(canonical_path(path, Reading::Standard), standard, "{path}");
            assert_eq!(canonical_path(path, Reading::AsSent), as_sent, "{path}");
        }
    }

    #[test]
    fn queries() {
        for (query, standard, as_sent) in [
            ("", "", ""),
            ("&&", "", ""),
            ("b=2&a=1", "a=1&b=2", "a=1&b=2"),
            ("a", "a=", "a="),
            ("a=b=c", "a=b%3Dc", "a=b=c"),
            ("a-b=1&a=2", "a=2&a-b=1", "a=2&a-b=1"),
            ("a=2&a=1&A=3", "A=3&a=1&a=2", "A=3&a=1&a=2"),
            ("a=%2f%41", "a=%2FA", "a=%2f%41"),
            ("a=/&b=%2B", "a=%2F&b=%2B", "a=/&b=%2B"),
            ("a=x+y/", "a=x+y/", "a=x+y/"),
            ("a=%zz/", "a=%zz/", "a=%zz/"),
            ("a=%2", "a=%2", "a=%2"),
            ("\u{1234}=bar", "%E1%88%B4=bar", "\u{1234}=bar"),
            ("s=1&S=2&%53=3", "S=2&S=3&s=1", "%53=3&S=2&s=1"),
        ] {
            assert_eq!(canonical_query(query, Reading::Standard, None), standard, "{query}");
            assert_eq!(canonical_query(query, Reading::AsSent, None), as_sent, "{query}");
        }
        for reading in [Reading::Standard, Reading::AsSent] {
            assert_eq!(canonical_query("s=1&a=2&%73=3", reading, Some("s")), "a=2");
        }
    }
}
