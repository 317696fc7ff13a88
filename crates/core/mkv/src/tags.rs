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
