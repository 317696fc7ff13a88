//! Tags: RFC 9559 §5.1.8.

use streamkeep_media::{Tag, TagGroup};

use crate::master::Element;
use crate::{ElementId, Error, LimitKind, Limits};

/// SimpleTags inside SimpleTags. The standard sets no bound; two levels is what is seen.
const DEPTH_MAX: usize = 8;

/// One group per Tag element that holds a SimpleTag, in order. A nested SimpleTag follows the one
/// it lies in. One without a name is passed over: nothing could ask for it, and refusing would
/// cost media.
pub(crate) fn parse(element: &Element<'_>, limits: &Limits) -> Result<Vec<TagGroup>, Error> {
    let mut groups = Vec::new();
    let mut reader = Reader { limits, simple_tag_count: 0 };
    let mut children = element.children();
    while let Some(child) = children.next()? {
        if child.id == ElementId::TAG {
            let mut tags = Vec::new();
            reader.read_simple_tags(&child, 0, &mut tags)?;
            if !tags.is_empty() {
                groups.push(TagGroup { tags });
            }
        }
    }
    Ok(groups)
}

struct Reader<'l> {
    limits: &'l Limits,
    simple_tag_count: usize,
}

impl Reader<'_> {
    fn read_simple_tags(
        &mut self,
        parent: &Element<'_>,
        depth: usize,
        tags: &mut Vec<Tag>,
    ) -> Result<(), Error> {
        let mut children = parent.children();
        while let Some(child) = children.next()? {
            if child.id == ElementId::SIMPLE_TAG {
                self.read_simple_tag(&child, depth + 1, tags)?;
            }
        }
        Ok(())
    }

    fn read_simple_tag(
        &mut self,
        element: &Element<'_>,
        depth: usize,
        tags: &mut Vec<Tag>,
    ) -> Result<(), Error> {
        self.simple_tag_count += 1;
        let exceeded = |limit, max: usize, found: usize| {
            let (max, found) = (max as u64, found as u64);
            Err(Error::LimitExceeded { at: element.location(), limit, max, found })
        };
        if self.simple_tag_count > self.limits.max_tags_per_element {
            let max = self.limits.max_tags_per_element;
            return exceeded(LimitKind::TagsPerElement, max, self.simple_tag_count);
        }
        if depth > DEPTH_MAX {
            return exceeded(LimitKind::TagDepth, DEPTH_MAX, depth);
        }
        let (mut name, mut value) = (None, None);
        let mut children = element.children();
        while let Some(child) = children.next()? {
            match child.id {
                ElementId::TAG_NAME => name = Some(child.text()),
                ElementId::TAG_STRING | ElementId::TAG_BINARY => value = Some(child.text()),
                _ => {}
            }
        }
        if let Some(name) = name {
            tags.push(Tag { name, value: value.unwrap_or_default() });
        }
        self.read_simple_tags(element, depth, tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_elements::{el, whole};

    /// Groups as `name=value` pairs.
    fn check(tag_elements: &[Vec<u8>], expected: &[&[&str]]) {
        let bytes = el(ElementId::TAGS, &tag_elements.concat());
        let groups = parse(&whole(&bytes), &Limits::default()).unwrap();
        let pairs: Vec<Vec<String>> = groups
            .iter()
            .map(|group| group.tags.iter().map(|t| format!("{}={}", t.name, t.value)).collect())
            .collect();
        assert_eq!(pairs, expected, "{bytes:02X?}");
    }

    fn tag(simple_tags: &[Vec<u8>]) -> Vec<u8> {
        el(ElementId::TAG, &simple_tags.concat())
    }

    fn simple(members: &[Vec<u8>]) -> Vec<u8> {
        el(ElementId::SIMPLE_TAG, &members.concat())
    }

    fn name(text: &str) -> Vec<u8> {
        el(ElementId::TAG_NAME, text.as_bytes())
    }

    fn string(text: &str) -> Vec<u8> {
        el(ElementId::TAG_STRING, text.as_bytes())
    }

    #[test]
    fn groups_follow_the_tag_elements() {
        check(&[], &[]);
        check(
            &[
                tag(&[simple(&[name("a"), string("1")]), simple(&[name("b"), string("")])]),
                tag(&[]),
                tag(&[simple(&[name("c")])]),
            ],
            &[&["a=1", "b="], &["c="]],
        );
        // Targets, TagLanguage and what else there is are passed over.
        let targets = vec![0x63, 0xC0, 0x80];
        let language = vec![0x44, 0x7A, 0x83, b'u', b'n', b'd'];
        check(&[[targets, tag(&[simple(&[language, name("a")])])].concat()], &[&["a="]]);
    }

    #[test]
    fn values() {
        let valued = |value| tag(&[simple(&[name("n"), value])]);
        check(&[valued(string("x\0\0"))], &[&["n=x"]]);
        check(&[valued(el(ElementId::TAG_BINARY, &[b'x', 0xFF, b'y']))], &[&["n=x\u{FFFD}y"]]);
        check(&[tag(&[simple(&[string("v"), name("after\0")])])], &[&["after=v"]]);
        check(&[tag(&[simple(&[name(""), string("v")])])], &[&["=v"]]);
        // Without a name there is nothing to find it by.
        check(&[tag(&[simple(&[string("v")])])], &[]);
    }

    #[test]
    fn nested_tags_follow_their_parent() {
        let inner = simple(&[name("b"), simple(&[name("c"), string("3")]), string("2")]);
        let outer = simple(&[inner, name("a"), string("1")]);
        check(&[tag(&[outer, simple(&[name("d")])])], &[&["a=1", "b=2", "c=3", "d="]]);
        check(&[tag(&[simple(&[simple(&[name("b")])])])], &[&["b="]]);
    }

    #[test]
    fn a_child_that_outgrows_its_parent() {
        let bytes = el(ElementId::TAGS, &tag(&[vec![0x67, 0xC8, 0x83, 0x45, 0xA3, 0x81]]));
        let error = parse(&whole(&bytes), &Limits::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "element ends at 1015, its parent at 1014 at byte 1011, Tags\\Tag\\SimpleTag\\TagName"
        );
    }
}
