//! Requests about tags (control-plane.md §5): maps for streams, lists for resources.

use std::collections::BTreeMap;

use super::control::resource_arn;
use super::{REQUIRED, StreamRef, read};
use crate::shape::{Fields, WireEnum as _};
use crate::{ApiError, ImageTrigger, Operation};

pub(crate) struct TagStream {
    pub(crate) stream: StreamRef,
    pub(crate) tags: BTreeMap<String, String>,
}

impl TagStream {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::TagStream, body)?;
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            tags: checked_tags(fields.map("Tags").expect(REQUIRED))?,
        })
    }
}

pub(crate) struct UntagStream {
    pub(crate) stream: StreamRef,
    pub(crate) keys: Vec<String>,
}

impl UntagStream {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::UntagStream, body)?;
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            keys: fields.texts("TagKeyList").expect(REQUIRED),
        })
    }
}

pub(crate) struct ListTagsForStream {
    pub(crate) stream: StreamRef,
}

impl ListTagsForStream {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::ListTagsForStream, body)?;
        refuse_next_token(&mut fields)?;
        Ok(Self { stream: StreamRef::take(&mut fields)? })
    }
}

pub(crate) struct TagResource {
    pub(crate) resource: StreamRef,
    pub(crate) tags: BTreeMap<String, String>,
}

impl TagResource {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::TagResource, body)?;
        let tags =
            fields.structures("Tags").expect(REQUIRED).into_iter().map(|mut tag| {
                (tag.text("Key").expect(REQUIRED), tag.text("Value").expect(REQUIRED))
            });
        Ok(Self { tags: checked_tags(tags.collect())?, resource: take_resource(&mut fields) })
    }
}

pub(crate) struct UntagResource {
    pub(crate) resource: StreamRef,
    pub(crate) keys: Vec<String>,
}

impl UntagResource {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::UntagResource, body)?;
        Ok(Self {
            resource: take_resource(&mut fields),
            keys: fields.texts("TagKeyList").expect(REQUIRED),
        })
    }
}

pub(crate) struct ListTagsForResource {
    pub(crate) resource: StreamRef,
}

impl ListTagsForResource {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::ListTagsForResource, body)?;
        refuse_next_token(&mut fields)?;
        Ok(Self { resource: take_resource(&mut fields) })
    }
}

fn take_resource(fields: &mut Fields) -> StreamRef {
    StreamRef::Arn(resource_arn(fields.text("ResourceARN").expect(REQUIRED)))
}

/// Keys that begin with `aws:` are reserved (control-plane.md §2), in any case: AWS reserves the
/// prefix so for all services. Those that begin with `streamkeep:` are settings; a wrong one would
/// pass unseen.
pub(super) fn checked_tags(
    tags: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let begins = |key: &str, with: &str| {
        key.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    for (key, value) in &tags {
        if begins(key, "aws:") {
            return Err(ApiError::invalid_argument(format!(
                "The tag key '{key}' begins with aws:, which is reserved."
            )));
        }
        if begins(key, "streamkeep:") && ![ImageTrigger::TAG, TIME_ZONE_TAG].contains(&key.as_str())
        {
            return Err(ApiError::invalid_argument(format!(
                "The tag key '{key}' begins with streamkeep:, and there is no such setting; there \
                 are {} and {TIME_ZONE_TAG}.",
                ImageTrigger::TAG
            )));
        }
        if key == TIME_ZONE_TAG && !is_time_zone(value) {
            return Err(ApiError::invalid_argument(format!(
                "The tag {key} is the name of a time zone, as Europe/Berlin, not '{value}'."
            )));
        }
        if key == ImageTrigger::TAG && ImageTrigger::from_wire(value).is_none() {
            return Err(ApiError::invalid_argument(format!(
                "The tag {key} may be TAGGED or ALWAYS, not '{value}'."
            )));
        }
    }
    Ok(tags)
}

/// The time zone of a stream's place, in which the console shows its times (console.md §3.3).
const TIME_ZONE_TAG: &str = "streamkeep:timezone";

/// Whether it looks like a name of the IANA time zone database (its "theory" file, Names of timezones);
/// which names there are changes with the database of whoever reads it.
fn is_time_zone(name: &str) -> bool {
    let is_part = |part: &str| {
        part.len() <= 14
            && part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
    };
    name.split('/').all(is_part)
}

/// At most 50 tags fit one answer, so no token was ever handed out.
fn refuse_next_token(fields: &mut Fields) -> Result<(), ApiError> {
    match fields.text("NextToken") {
        Some(token) if !token.is_empty() => {
            Err(ApiError::invalid_argument("NextToken was not issued by this operation."))
        }
        _ => Ok(()),
    }
}
