//! The lines of a playlist (RFC 8216 §4.1).

use super::finding::{Findings, cite};

/// A line that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `#EXT…`, without the `#`.
    Tag {
        /// Up to the colon.
        name: &'a str,
        /// After the colon, if there is one.
        value: Option<&'a str>,
    },
    /// Neither tag nor comment.
    Uri(&'a str),
}

const FORMAT: &str = "RFC 8216 §4.1";

/// Lines with their numbers, from 1, without `#EXTM3U`.
pub(super) fn lines<'a>(text: &'a str, findings: &mut Findings) -> Vec<(usize, Line<'a>)> {
    let text = match text.strip_prefix('\u{feff}') {
        None => text,
        Some(text) => {
            findings.must(1, FORMAT, "begins with a byte order mark");
            text
        }
    };
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.chars().any(char::is_control) {
            findings.must(number, FORMAT, format!("control character in {}", cite(line)));
        }
        if number == 1 {
            if line != "#EXTM3U" {
                let message = format!("begins with {}, not #EXTM3U", cite(line));
                findings.must(number, "RFC 8216 §4.3.1.1", message);
            }
            if line.starts_with("#EXTM3U") {
                continue;
            }
        }
        match line.strip_prefix('#') {
            Some(tag) if tag.starts_with("EXT") => {
                let (name, value) = match tag.split_once(':') {
                    Some((name, value)) => (name, Some(value)),
                    None => (tag, None),
                };
                if name == "EXTM3U" {
                    findings.must(number, "RFC 8216 §4.3.1.1", "#EXTM3U again");
                } else {
                    lines.push((number, Line::Tag { name, value }));
                }
            }
            Some(_) => {}
            None if line.is_empty() => {}
            None => {
                if line.contains([' ', '\t', '"']) {
                    findings.must(number, FORMAT, format!("{} is no URI", cite(line)));
                }
                lines.push((number, Line::Uri(line)));
            }
        }
    }
    lines
}
