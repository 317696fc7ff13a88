//! Image generation and notification configurations (control-plane.md §5).

#[cfg(test)]
mod tests;

use bytes::Bytes;

use super::{Call, NO_REQUEST_TAGS, answers};
use crate::request::{
    DescribeImageGeneration, DescribeNotification, UpdateImageGeneration, UpdateNotification,
};
use crate::{ApiError, DestinationTarget, ImageGeneration, Stream};

impl Call<'_> {
    pub(super) fn describe_image_generation(
        &self,
        request: &DescribeImageGeneration,
    ) -> Result<Bytes, ApiError> {
        let stream = self.stream(&request.stream, NO_REQUEST_TAGS)?;
        Ok(answers::describe_image_generation(stream.image_generation.as_ref()))
    }

    pub(super) fn describe_notification(
        &self,
        request: &DescribeNotification,
    ) -> Result<Bytes, ApiError> {
        let stream = self.stream(&request.stream, NO_REQUEST_TAGS)?;
        Ok(answers::describe_notification(stream.notification.as_ref()))
    }

    pub(super) fn update_image_generation(
        &self,
        request: UpdateImageGeneration,
    ) -> Result<Bytes, ApiError> {
        let stream = self.exact(&request.stream, NO_REQUEST_TAGS)?;
        if let Some(configuration) = &request.configuration {
            self.check_region(configuration)?;
        }
        self.control.streams.configure(&stream, |stream| {
            if request.configuration.is_some() {
                needs_retention(stream)?;
            }
            stream.image_generation = request.configuration;
            Ok(())
        })?;
        Ok(answers::nothing())
    }

    pub(super) fn update_notification(
        &self,
        request: UpdateNotification,
    ) -> Result<Bytes, ApiError> {
        let stream = self.exact(&request.stream, NO_REQUEST_TAGS)?;
        self.control.streams.configure(&stream, |stream| {
            if request.configuration.is_some() {
                needs_retention(stream)?;
            }
            stream.notification = request.configuration;
            Ok(())
        })?;
        Ok(answers::nothing())
    }

    /// The bucket's region is the stream's. Destinations of our own are in none.
    fn check_region(&self, configuration: &ImageGeneration) -> Result<(), ApiError> {
        let region = self.control.streams.owner().region();
        let is_bucket =
            matches!(configuration.destination.target(), DestinationTarget::Bucket { .. });
        if is_bucket && configuration.destination_region != region {
            return Err(ApiError::invalid_argument(format!(
                "ImageGenerationConfiguration.DestinationConfig.DestinationRegion must be {region}, \
                 the region of the stream."
            )));
        }
        Ok(())
    }
}

/// What is not kept is neither sampled nor announced. Deleting a configuration is always allowed:
/// the retention may have been lowered since.
fn needs_retention(stream: &Stream) -> Result<(), ApiError> {
    if stream.retention_hours == 0 {
        return Err(ApiError::no_data_retention(&stream.name));
    }
    Ok(())
}
