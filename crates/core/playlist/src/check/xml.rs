//! As much of XML as an MPD needs: elements and attributes, in document order.
//!
//! Left out: document types (refused), namespaces (prefixes stay in the names), the text of
//! elements (only checked for being well formed). No recursion, so depth costs nothing.

use std::borrow::Cow;

use super::finding::{Findings, cite};

/// A well-formed document. The root is the first element.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    elements: Vec<Element<'a>>,
}

#[derive(Debug, Default)]
pub(super) struct Element<'a> {
    pub(super) name: &'a str,
    pub(super) line: usize,
    parent: Option<usize>,
    attributes: Vec<(&'a str, Cow<'a, str>)>,
    children: Vec<usize>,
}

impl<'a> Element<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
    }

    /// The value; `default` when it is absent, `None` when it is no integer.
    pub(super) fn integer(&self, name: &str, default: u64) -> Option<u64> {
        self.get(name).map_or(Some(default), super::instant::integer)
    }
}

impl<'a> Document<'a> {
    pub(super) fn root(&self) -> Option<&Element<'a>> {
        self.elements.first()
    }

    /// The children of this name.
    pub(super) fn children<'d>(
        &'d self,
        parent: &'d Element<'a>,
        name: &'d str,
    ) -> impl Iterator<Item = &'d Element<'a>> {
        let children = parent.children.iter().filter_map(|index| self.elements.get(*index));
        children.filter(move |child| child.name == name)
    }

    /// Reads `text`; `None` when it is not well formed, which is reported.
    pub(super) fn parse(text: &'a str, findings: &mut Findings) -> Option<Self> {
        let mut reader = Reader { text, at: 0, document: Self::default(), open: None };
        match reader.document() {
            Ok(()) => Some(reader.document),
            Err(what) => {
                let rest = reader.text.get(reader.at..).unwrap_or_default();
                let message = format!("{what} at {}", cite(rest));
                findings.must(reader.line(), "XML 1.0 §2.1", message);
                None
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    /// Always on a character boundary.
    at: usize,
    document: Document<'a>,
    /// The innermost open element.
    open: Option<usize>,
}

type Malformed = &'static str;

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<(), Malformed> {
        // Lines are counted once, in step with the elements.
        let (mut counted, mut line) = (0, 1);
        self.eat("\u{feff}");
        loop {
            self.character_data()?;
            if self.rest().is_empty() {
                break;
            }
            line += self.text.get(counted..self.at).unwrap_or_default().matches('\n').count();
            counted = self.at;
            if self.eat("<?") {
                self.until("?>")?;
            } else if self.eat("<!--") {
                self.until("-->")?;
            } else if self.rest().starts_with("<!") {
                return Err("a document type or marked section");
            } else if self.eat("</") {
                self.end_tag()?;
            } else if self.eat("<") {
                self.start_tag(line)?;
            }
        }
        match (self.open, self.document.elements.is_empty()) {
            (Some(_), _) => Err("an element that does not end"),
            (None, true) => Err("no element"),
            (None, false) => Ok(()),
        }
    }

    /// Text up to the next `<`.
    fn character_data(&mut self) -> Result<(), Malformed> {
        let rest = self.rest();
        let end = rest.find('<').unwrap_or(rest.len());
        let (data, _) = rest.split_at(end);
        if self.open.is_none() && !data.trim_matches(white).is_empty() {
            return Err("text outside the root element");
        }
        unescape(data)?;
        self.at += end;
        Ok(())
    }

    fn start_tag(&mut self, line: usize) -> Result<(), Malformed> {
        let name = self.name()?;
        let mut element = Element { name, line, parent: self.open, ..Element::default() };
        let closed = loop {
            let spaced = self.skip_white();
            if self.eat("/>") {
                break true;
            }
            if self.eat(">") {
                break false;
            }
            if !spaced {
                return Err("no white space before an attribute");
            }
            let name = self.name()?;
            self.skip_white();
            if !self.eat("=") {
                return Err("an attribute without a value");
            }
            self.skip_white();
            let quote = if self.eat("\"") {
                "\""
            } else if self.eat("'") {
                "'"
            } else {
                return Err("an attribute value without quotes");
            };
            let value = self.until(quote)?;
            if value.contains('<') {
                return Err("< in an attribute value");
            }
            if element.get(name).is_some() {
                return Err("an attribute given twice");
            }
            element.attributes.push((name, unescape(value)?));
        };
        let index = self.document.elements.len();
        match self.open.and_then(|open| self.document.elements.get_mut(open)) {
            Some(parent) => parent.children.push(index),
            None if index > 0 => return Err("a second root element"),
            None => {}
        }
        self.document.elements.push(element);
        if !closed {
            self.open = Some(index);
        }
        Ok(())
    }

    fn end_tag(&mut self) -> Result<(), Malformed> {
        let name = self.name()?;
        self.skip_white();
        let open = self.open.and_then(|open| self.document.elements.get(open));
        match open {
            Some(element) if element.name == name && self.rest().starts_with('>') => {
                self.open = element.parent;
                self.at += 1;
                Ok(())
            }
            _ => Err("an end tag that matches nothing"),
        }
    }

    fn name(&mut self) -> Result<&'a str, Malformed> {
        let rest = self.rest();
        let named = |c: char| c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.');
        let end = rest.find(|c| !named(c)).unwrap_or(rest.len());
        let (name, _) = rest.split_at(end);
        let first = name.chars().next().ok_or("no name")?;
        if first.is_numeric() || matches!(first, '-' | '.') {
            return Err("a name that begins wrongly");
        }
        self.at += end;
        Ok(name)
    }

    /// What lies before `end`; goes on behind it.
    fn until(&mut self, end: &'static str) -> Result<&'a str, Malformed> {
        let (before, _) = self.rest().split_once(end).ok_or("something that does not end")?;
        self.at += before.len() + end.len();
        Ok(before)
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn skip_white(&mut self) -> bool {
        let rest = self.rest();
        let len = rest.len() - rest.trim_start_matches(white).len();
        self.at += len;
        len > 0
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn line(&self) -> usize {
        self.text.get(..self.at).unwrap_or_default().matches('\n').count() + 1
    }
}

fn white(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Replaces the five named references and numeric ones.
fn unescape(text: &str) -> Result<Cow<'_, str>, Malformed> {
    if text.contains(|c: char| c.is_control() && !white(c)) {
        return Err("a control character");
    }
    if !text.contains('&') {
        return Ok(Cow::Borrowed(text));
    }
    let mut pieces = text.split('&');
    let mut out = String::from(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (reference, rest) = piece.split_once(';').ok_or("& without a reference")?;
        let number = |digits: &str, radix| {
            let code = u32::from_str_radix(digits, radix).map_err(|_| "an unknown reference")?;
            char::from_u32(code).ok_or("an unknown reference")
        };
        out.push(match reference {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => match reference.strip_prefix('#') {
                Some(digits) => match digits.strip_prefix('x') {
                    Some(digits) => number(digits, 16)?,
                    None => number(digits, 10)?,
                },
                None => return Err("an unknown reference"),
            },
        });
        out.push_str(rest);
    }
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Document<'_>> {
        Document::parse(text, &mut Findings::default())
    }

    #[test]
    fn well_formed() {
        let text = "<?xml version=\"1.0\"?>\n<!-- c -->\n<a x='1&amp;&#65;&#x42;' b:y = \"'\">\n\
            t&lt;<b/><c\n></c ><b z=\"\"/></a>\n";
        let document = parse(text).unwrap();
        let root = document.root().unwrap();
        assert_eq!((root.name, root.line), ("a", 3));
        assert_eq!(
            (root.get("x"), root.get("b:y"), root.get("y")),
            (Some("1&AB"), Some("'"), None)
        );
        let lines: Vec<_> = document.children(root, "b").map(|b| (b.line, b.get("z"))).collect();
        assert_eq!(lines, [(4, None), (5, Some(""))]);
    }

    #[test]
    fn malformed() {
        for text in [
            "",
            " ",
            "x",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a b/>",
            "<a b=1/>",
            "<a b='1'c='2'/>",
            "<a b='1' b='2'/>",
            "<a b='<'/>",
            "<a b='&'/>",
            "<a b='&x;'/>",
            "<a>&#xd800;</a>",
            "<!DOCTYPE a><a/>",
            "<a><![CDATA[x]]></a>",
            "<1/>",
            "<a",
            "<a b='",
            "<a>\u{1}</a>",
            "<?xml",
            "<!--",
            "<a/",
            "< a/>",
            "é<",
        ] {
            let mut findings = Findings::default();
            assert!(Document::parse(text, &mut findings).is_none(), "{text}");
            assert_eq!(findings.into_vec().len(), 1, "{text}");
        }
    }

    #[test]
    fn depth_is_no_danger() {
        let text = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert!(parse(&text).is_some());
    }
}
