//! Which stream a request means.

use crate::shape::{Fields, Pattern};
use crate::{ApiError, ResourceArn};

/// A stream by name or by ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamRef {
    /// The stream that has this name now.
    Name(String),
    /// The stream with exactly this ARN, creation time included.
    Arn(ResourceArn),
}

impl StreamRef {
    /// From the text of a message that names a stream either way.
    ///
    /// # Errors
    /// InvalidArgumentException: neither a name nor an ARN.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        if (1..=1024).contains(&text.len()) && Pattern::StreamNameOrArn.matches(text) {
            return Ok(Self::either(text.to_owned()));
        }
        Err(ApiError::invalid_argument("The stream is neither a name nor an ARN."))
    }

    /// The name of the stream, whichever form was used.
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Arn(arn) => arn.name(),
        }
    }

    /// The rule of control-plane.md §2: one of the two; both only when they name the same stream;
    /// a bare name where the ARN should be is taken for the name (§8, producer-c).
    ///
    /// Both texts have passed their shapes.
    pub(super) fn choose(name: Option<String>, arn: Option<String>) -> Result<Self, ApiError> {
        let arn = arn.map(|text| {
            debug_assert!(Pattern::ResourceArnOrName.matches(&text));
            Self::either(text)
        });
        match (name, arn) {
            (None, None) => {
                Err(ApiError::invalid_argument("Either StreamName or StreamARN must be given."))
            }
            (Some(name), None) => Ok(Self::Name(name)),
            (None, Some(arn)) => Ok(arn),
            (Some(name), Some(arn)) if arn.name() == name => Ok(arn),
            (Some(_), Some(_)) => Err(ApiError::invalid_argument(
                "StreamName and StreamARN name different streams; give one of them.",
            )),
        }
    }

    /// A name or an ARN that has passed the shape of either.
    pub(super) fn either(text: String) -> Self {
        match ResourceArn::parse(&text) {
            Some(arn) => Self::Arn(arn),
            None => Self::Name(text),
        }
    }

    /// From the members `StreamName` and `StreamARN`.
    pub(super) fn take(fields: &mut Fields) -> Result<Self, ApiError> {
        Self::choose(fields.text("StreamName"), fields.text("StreamARN"))
    }
}
