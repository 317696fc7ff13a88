//! The events that a producer sets on a fragment (put-media.md §4.1 and §5, "Reserved tags").
//!
//! The producer SDK's `putEventMetadata` writes one Tag element with several SimpleTag siblings:
//! the event's name with an empty value, for images perhaps the prefix, then the application's
//! own pairs. The siblings are that event's payload. Both events in one Tag share it.
//!
//! Two tolerances: an image prefix in a Tag of its own, as muxers write that make one Tag per
//! pair, counts when no event has one; several Tags with the same event count as one.

use streamkeep_media::{Tag, TagGroup};

/// `AWS_KINESISVIDEO_IMAGE_GENERATION`
pub const IMAGE_GENERATION: &str = "AWS_KINESISVIDEO_IMAGE_GENERATION";
/// `AWS_KINESISVIDEO_IMAGE_PREFIX`
pub const IMAGE_PREFIX: &str = "AWS_KINESISVIDEO_IMAGE_PREFIX";
/// `AWS_KINESISVIDEO_NOTIFICATION`
pub const NOTIFICATION: &str = "AWS_KINESISVIDEO_NOTIFICATION";

/// The application's own pairs that go with one event (playback.md §8, §9).
pub const CUSTOM_TAGS_MAX: usize = 10;

/// What a fragment's tags ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Make images of the fragment.
    pub image_generation: Option<ImageEvent>,
    /// Tell that the fragment is persisted.
    pub notification: Option<NotificationEvent>,
}

/// A request for images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageEvent {
    /// First part of the object key: 1..=256 bytes without control characters.
    pub prefix: Option<String>,
    /// The application's pairs, at most [`CUSTOM_TAGS_MAX`], no name twice.
    pub custom: Vec<Tag>,
}

/// A request for a notification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationEvent {
    /// The application's pairs, at most [`CUSTOM_TAGS_MAX`], no name twice.
    pub custom: Vec<Tag>,
}

impl Events {
    /// Finds the events in the tags of one fragment.
    pub fn find(groups: &[TagGroup]) -> Self {
        let mut events = Self::default();
        for group in groups {
            let has = |name| group.tags.iter().any(|tag| tag.name == name);
            if has(IMAGE_GENERATION) {
                let event = events.image_generation.get_or_insert_default();
                event.prefix = event.prefix.take().or_else(|| prefix(group));
                add_custom(&mut event.custom, group);
            }
            if has(NOTIFICATION) {
                let event = events.notification.get_or_insert_default();
                add_custom(&mut event.custom, group);
            }
        }
        if let Some(event @ ImageEvent { prefix: None, .. }) = &mut events.image_generation {
            event.prefix = groups.iter().find_map(prefix);
        }
        events
    }
}

/// A prefix that cannot stand in an object key counts as none.
fn prefix(group: &TagGroup) -> Option<String> {
    let value = &group.tags.iter().find(|tag| tag.name == IMAGE_PREFIX)?.value;
    let usable =
        (1..=PREFIX_LEN_MAX).contains(&value.len()) && !value.chars().any(char::is_control);
    usable.then(|| value.clone())
}

/// The first of several pairs with one name counts, as in the order of the payload.
fn add_custom(custom: &mut Vec<Tag>, group: &TagGroup) {
    for tag in &group.tags {
        let known = custom.iter().any(|each| each.name == tag.name);
        if custom.len() < CUSTOM_TAGS_MAX && !tag.name.starts_with(RESERVED) && !known {
            custom.push(tag.clone());
        }
    }
}

/// Names that start so are no application's (put-media.md §5).
const RESERVED: &str = "AWS";
/// put-media.md §5.
const PREFIX_LEN_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn group(pairs: &[(&str, &str)]) -> TagGroup {
        let tag = |(name, value): &(&str, &str)| Tag {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        };
        TagGroup { tags: pairs.iter().map(tag).collect() }
    }

    /// `expected`: prefix and names of the image event, names of the notification event.
    fn check(groups: &[&[(&str, &str)]], image: Option<(&str, &str)>, notification: Option<&str>) {
        let groups: Vec<_> = groups.iter().map(|pairs| group(pairs)).collect();
        let events = Events::find(&groups);
        let names = |custom: &[Tag]| {
            custom.iter().map(|tag| format!("{}={}", tag.name, tag.value)).collect::<Vec<_>>()
        };
        let found = events.image_generation.as_ref().map(|event| {
            (event.prefix.clone().unwrap_or_default(), names(&event.custom).join(","))
        });
        assert_eq!(found, image.map(|(p, c)| (p.to_owned(), c.to_owned())), "{groups:?}");
        let found = events.notification.as_ref().map(|event| names(&event.custom).join(","));
        assert_eq!(found.as_deref(), notification, "{groups:?}");
    }

    #[test]
    fn events() {
        let image = (IMAGE_GENERATION, "");
        let notice = (NOTIFICATION, "");
        check(&[], None, None);
        check(&[&[("a", "1")]], None, None);
        check(&[&[image]], Some(("", "")), None);
        check(&[&[(IMAGE_GENERATION, "anything")]], Some(("", "")), None);
        check(&[&[notice]], None, Some(""));
        // As the producer SDK writes it.
        check(
            &[&[image, (IMAGE_PREFIX, "gate"), ("a", "1"), ("b", "2")], &[("other", "x")]],
            Some(("gate", "a=1,b=2")),
            None,
        );
        check(
            &[&[image, (IMAGE_PREFIX, "gate"), ("a", "1")], &[notice, ("b", "2")]],
            Some(("gate", "a=1")),
            Some("b=2"),
        );
        check(&[&[image, notice, ("a", "1")]], Some(("", "a=1")), Some("a=1"));
        // One Tag per pair.
        check(&[&[image], &[(IMAGE_PREFIX, "gate")], &[("a", "1")]], Some(("gate", "")), None);
        check(&[&[(IMAGE_PREFIX, "gate")]], None, None);
        check(
            &[&[image, ("a", "1")], &[image, ("a", "2"), ("b", "3")]],
            Some(("", "a=1,b=3")),
            None,
        );
        // Reserved names are never payload; case counts.
        check(&[&[image, ("AWS_X", "1"), ("aws", "2")]], Some(("", "aws=2")), None);
        check(&[&[("aws_kinesisvideo_notification", "")]], None, None);
    }

    #[test]
    fn limits() {
        let many: Vec<(String, String)> =
            (0..12).map(|n| (format!("n{n}"), String::new())).collect();
        let mut pairs = vec![(NOTIFICATION, "")];
        pairs.extend(many.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let events = Events::find(&[group(&pairs)]);
        assert_eq!(events.notification.unwrap().custom.len(), CUSTOM_TAGS_MAX);

        for (value, usable) in [
            ("p".repeat(256), true),
            ("p".repeat(257), false),
            ("a\nb".into(), false),
            (String::new(), false),
        ] {
            let events = Events::find(&[group(&[(IMAGE_GENERATION, ""), (IMAGE_PREFIX, &value)])]);
            assert_eq!(events.image_generation.unwrap().prefix, usable.then_some(value));
        }
    }
}
