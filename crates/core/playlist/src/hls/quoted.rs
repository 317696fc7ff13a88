//! The quoted-string of attribute lists (RFC 8216 §4.2).

use crate::{PlainText, Uri};

/// `NAME="text"`. The grammar has no escape: a double quote becomes a single one, control
/// characters become spaces.
pub(super) fn push_text(out: &mut Vec<u8>, name: &str, text: &str) {
    open(out, name);
    let mut utf8 = [0; 4];
    for c in text.chars() {
        let c = match c {
            '"' => '\'',
            c if c.is_control() => ' ',
            c => c,
        };
        out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
    }
    out.push(b'"');
}

/// `NAME="uri"`.
pub(super) fn push_uri(out: &mut Vec<u8>, name: &str, uri: &Uri<'_>) {
    open(out, name);
    uri.push(out);
    out.push(b'"');
}

/// `CODECS="one,two"`.
pub(super) fn push_codecs(out: &mut Vec<u8>, codecs: &[PlainText<'_>]) {
    open(out, "CODECS");
    for (index, codec) in codecs.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(codec.as_str().as_bytes());
    }
    out.push(b'"');
}

fn open(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
}
