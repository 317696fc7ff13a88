//! GetStreamTags: what ListTagsForStream tells, of many streams at once.

use std::collections::BTreeMap;

use bytes::Bytes;
use streamkeep_media::UnixMillis;

use super::{Call, ControlPlane, NO_REQUEST_TAGS, answers};
use crate::{ApiError, EndpointContext, GetStreamTagsRequest, Operation, Principal, StreamRef};

impl ControlPlane {
    /// The answer of GetStreamTags, in the order of the request. Each stream is asked about for
    /// itself: it takes the operation's own permission, and that of ListTagsForStream.
    ///
    /// # Errors
    /// ClientLimitExceededException for all. Inside the answer: the operation's denial,
    /// ResourceNotFoundException.
    pub fn stream_tags(
        &self,
        principal: &Principal,
        request: &GetStreamTagsRequest,
        context: &EndpointContext,
        now: UnixMillis,
    ) -> Result<Bytes, ApiError> {
        let operation = Operation::GetStreamTags;
        let call = Call { control: self, operation, principal, context, now };
        call.count()?;
        let tagged: Vec<_> = request
            .streams
            .iter()
            .map(|stream| (stream.clone(), call.shown_tags(stream)))
            .collect();
        Ok(answers::get_stream_tags(&tagged))
    }
}

impl Call<'_> {
    /// Only a caller who may read its tags learns whether a stream exists.
    fn shown_tags(&self, wanted: &StreamRef) -> Result<BTreeMap<String, String>, ApiError> {
        let (found, arn) = self.find(wanted);
        let tags = found.as_ref().map(|stream| &stream.tags);
        for operation in [self.operation, Operation::ListTagsForStream] {
            self.authorize(&operation.iam_action(), &arn, tags, NO_REQUEST_TAGS)?;
        }
        found.map(|stream| stream.tags.clone()).ok_or_else(ApiError::stream_not_found)
    }
}
