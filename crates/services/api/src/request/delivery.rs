//! Requests that set where a stream's images and notifications go (control-plane.md §5).

use super::{StreamRef, read};
use crate::{ApiError, ImageGeneration, Notification, Operation};

pub(crate) struct UpdateImageGeneration {
    pub(crate) stream: StreamRef,
    /// Absent: deleted.
    pub(crate) configuration: Option<ImageGeneration>,
}

impl UpdateImageGeneration {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::UpdateImageGenerationConfiguration, body)?;
        let configuration = fields.structure("ImageGenerationConfiguration");
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            configuration: configuration.map(ImageGeneration::take).transpose()?,
        })
    }
}

pub(crate) struct UpdateNotification {
    pub(crate) stream: StreamRef,
    /// Absent: deleted.
    pub(crate) configuration: Option<Notification>,
}

impl UpdateNotification {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::UpdateNotificationConfiguration, body)?;
        let configuration = fields.structure("NotificationConfiguration");
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            configuration: configuration.map(Notification::take).transpose()?,
        })
    }
}

pub(crate) struct DescribeImageGeneration {
    pub(crate) stream: StreamRef,
}

impl DescribeImageGeneration {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::DescribeImageGenerationConfiguration, body)?;
        Ok(Self { stream: StreamRef::take(&mut fields)? })
    }
}

pub(crate) struct DescribeNotification {
    pub(crate) stream: StreamRef,
}

impl DescribeNotification {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::DescribeNotificationConfiguration, body)?;
        Ok(Self { stream: StreamRef::take(&mut fields)? })
    }
}
