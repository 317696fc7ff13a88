//! The attribute list (RFC 8216 §4.2), and which type each known attribute has.

use super::finding::{Findings, cite};
use super::instant::{integer, seconds_ns};

/// The attributes of one tag.
#[derive(Debug)]
pub(super) struct Attributes<'a> {
    tag: &'static str,
    line: usize,
    all: Vec<Attribute<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Attribute<'a> {
    name: &'a str,
    /// Without the quotes.
    value: &'a str,
    quoted: bool,
}

const GRAMMAR: &str = "RFC 8216 §4.2";

impl<'a> Attributes<'a> {
    /// Reads what follows the colon of `tag`. What is wrong is reported, the rest is still read.
    pub(super) fn parse(
        tag: &'static str,
        line: usize,
        value: Option<&'a str>,
        findings: &mut Findings,
    ) -> Self {
        let mut attributes = Self { tag, line, all: Vec::new() };
        let Some(mut rest) = value else {
            findings.must(line, GRAMMAR, format!("{tag} without attributes"));
            return attributes;
        };
        loop {
            match next(rest) {
                Ok((attribute, after)) => {
                    attributes.add(attribute, findings);
                    match after.strip_prefix(',') {
                        Some(after) => rest = after,
                        None if after.is_empty() => return attributes,
                        None => {
                            let message = format!("{tag}: no comma at {}", cite(after));
                            findings.must(line, GRAMMAR, message);
                            return attributes;
                        }
                    }
                }
                Err(what) => {
                    findings.must(line, GRAMMAR, format!("{tag}: {what} at {}", cite(rest)));
                    return attributes;
                }
            }
        }
    }

    fn add(&mut self, attribute: Attribute<'a>, findings: &mut Findings) {
        let Attribute { name, value, quoted } = attribute;
        if self.get(name).is_some() {
            findings.must(self.line, GRAMMAR, format!("{}: {name} is given twice", self.tag));
            return;
        }
        if let Some(kind) = kind_of(self.tag, name) {
            if quoted != (kind == Kind::Quoted) {
                let is = if quoted { "is quoted" } else { "is not quoted" };
                findings.must(self.line, GRAMMAR, format!("{}: {name} {is}", self.tag));
            } else if !kind.accepts(value) {
                let message = format!("{}: {name} cannot be {}", self.tag, cite(value));
                findings.must(self.line, GRAMMAR, message);
            }
        }
        self.all.push(attribute);
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.all.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.value)
    }

    /// As [`Self::get`]; absence is reported under `rule`.
    pub(super) fn required(
        &self,
        name: &str,
        rule: &'static str,
        findings: &mut Findings,
    ) -> Option<&'a str> {
        let value = self.get(name);
        if value.is_none() {
            findings.must(self.line, rule, format!("{} without {name}", self.tag));
        }
        value
    }

    pub(super) fn integer(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(integer)
    }

    pub(super) fn seconds_ns(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(seconds_ns)
    }

    pub(super) fn yes(&self, name: &str) -> bool {
        self.get(name) == Some("YES")
    }
}

/// One attribute and what follows it.
fn next(text: &str) -> Result<(Attribute<'_>, &str), &'static str> {
    let (name, rest) = text.split_once('=').ok_or("no attribute")?;
    let named = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || !name.bytes().all(named) {
        return Err("no attribute name");
    }
    let (value, quoted, rest) = match rest.strip_prefix('"') {
        Some(rest) => {
            let (value, rest) = rest.split_once('"').ok_or("a string that does not end")?;
            (value, true, rest)
        }
        None => {
            let end = rest.find(',').unwrap_or(rest.len());
            let (value, rest) = rest.split_at(end);
            if value.is_empty() || value.contains(['"', ' ', '\t']) {
                return Err("no value");
            }
            (value, false, rest)
        }
    };
    Ok((Attribute { name, value, quoted }, rest))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Quoted,
    Integer,
    Float,
    Resolution,
    YesNo,
    OneOf(&'static [&'static str]),
}

impl Kind {
    fn accepts(self, value: &str) -> bool {
        match self {
            Self::Quoted => true,
            Self::Integer => integer(value).is_some(),
            Self::Float => seconds_ns(value).is_some(),
            Self::Resolution => value
                .split_once('x')
                .is_some_and(|(w, h)| integer(w).is_some() && integer(h).is_some()),
            Self::YesNo => matches!(value, "YES" | "NO"),
            Self::OneOf(words) => words.contains(&value),
        }
    }
}

/// What RFC 8216 and bis say of an attribute; `None` for those not checked.
fn kind_of(tag: &str, name: &str) -> Option<Kind> {
    Some(match (tag, name) {
        ("EXT-X-MEDIA", "TYPE") => Kind::OneOf(&["AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"]),
        ("EXT-X-MEDIA", "DEFAULT" | "AUTOSELECT" | "FORCED") => Kind::YesNo,
        ("EXT-X-MEDIA", "CHANNELS" | "LANGUAGE" | "ASSOC-LANGUAGE" | "INSTREAM-ID") => Kind::Quoted,
        ("EXT-X-PRELOAD-HINT", "TYPE") => Kind::OneOf(&["PART", "MAP"]),
        ("EXT-X-PART", "INDEPENDENT" | "GAP") => Kind::YesNo,
        ("EXT-X-SERVER-CONTROL", "CAN-BLOCK-RELOAD" | "CAN-SKIP-DATERANGES") => Kind::YesNo,
        ("EXT-X-START", "PRECISE") => Kind::YesNo,
        // A group, or the word NONE.
        ("EXT-X-STREAM-INF", "CLOSED-CAPTIONS") => return None,
        (_, "URI" | "GROUP-ID" | "NAME" | "CODECS" | "AUDIO" | "VIDEO" | "SUBTITLES") => {
            Kind::Quoted
        }
        (_, "BANDWIDTH" | "AVERAGE-BANDWIDTH" | "PROGRAM-ID") => Kind::Integer,
        (_, "LAST-MSN" | "LAST-PART" | "SKIPPED-SEGMENTS") => Kind::Integer,
        (_, "BYTERANGE-START" | "BYTERANGE-LENGTH") => Kind::Integer,
        (_, "BYTERANGE") => Kind::Quoted,
        (_, "FRAME-RATE" | "DURATION" | "PART-TARGET") => Kind::Float,
        (_, "PART-HOLD-BACK" | "HOLD-BACK" | "CAN-SKIP-UNTIL") => Kind::Float,
        (_, "RESOLUTION") => Kind::Resolution,
        (_, "VIDEO-RANGE") => Kind::OneOf(&["SDR", "HLG", "PQ"]),
        _ => return None,
    })
}
