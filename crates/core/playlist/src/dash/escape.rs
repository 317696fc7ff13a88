//! Text inside XML (XML 1.0 §§2.2, 2.4).

/// `text` as character data or as an attribute value. Characters that XML cannot carry at all
/// become U+FFFD; white space other than the space is written as a reference, or attribute
/// normalisation would change it.
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    let mut utf8 = [0; 4];
    for c in text.chars() {
        let escaped = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&apos;",
            '\t' => "&#9;",
            '\n' => "&#10;",
            '\r' => "&#13;",
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            c => c.encode_utf8(&mut utf8),
        };
        out.extend_from_slice(escaped.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text() {
        for (text, expected) in [
            ("Door & gate", "Door &amp; gate"),
            ("\"><Period/>", "&quot;&gt;&lt;Period/&gt;"),
            ("it's", "it&apos;s"),
            ("a\0b\u{1f}\u{ffff}", "a\u{fffd}b\u{fffd}\u{fffd}"),
            ("a\tb\r\n", "a&#9;b&#13;&#10;"),
            ("Größe 大", "Größe 大"),
            ("&amp;", "&amp;amp;"),
        ] {
            let mut out = Vec::new();
            push_text(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
