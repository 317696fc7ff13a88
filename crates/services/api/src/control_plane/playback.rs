//! What playback, clips, images and the operations of our own need of the control plane.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use streamkeep_media::{StreamId, UnixMillis};

use super::{Call, ControlPlane};
use crate::{
    ApiError, Cost, EndpointContext, Operation, PlaybackPath, PointKind, Principal, Stream,
    StreamRef,
};

impl ControlPlane {
    /// [`Self::admit`] for operations that read the archive: the stream must keep something.
    ///
    /// # Errors
    /// Those of [`Self::admit`], and NoDataRetentionException.
    pub fn admit_playback(
        &self,
        operation: Operation,
        principal: &Principal,
        stream: &StreamRef,
        context: &EndpointContext,
        now: UnixMillis,
    ) -> Result<Arc<Stream>, ApiError> {
        let stream = self.admit(operation, principal, stream, context, now)?;
        if stream.retention_hours == 0 {
            return Err(ApiError::no_data_retention(&stream.name));
        }
        Ok(stream)
    }

    /// [`Self::admit`] for an operation over several streams: counted once, each stream found and
    /// asked about for itself, in the order of `streams`.
    ///
    /// # Errors
    /// ClientLimitExceededException for all. Inside: the operation's denial,
    /// ResourceNotFoundException.
    pub fn admit_each(
        &self,
        operation: Operation,
        principal: &Principal,
        streams: &[StreamRef],
        context: &EndpointContext,
        now: UnixMillis,
    ) -> Result<Vec<Result<Arc<Stream>, ApiError>>, ApiError> {
        let call = Call { control: self, operation, principal, context, now };
        call.count()?;
        Ok(streams.iter().map(|stream| call.media_stream(stream)).collect())
    }

    /// The URL that clients reach this server under: what GetDataEndpoint hands out and session
    /// URLs begin with. Scheme, host, perhaps port; no path and no trailing slash.
    ///
    /// # Errors
    /// InvalidArgumentException: no public URL is set, and `Host` is no host.
    pub fn data_endpoint(&self, context: &EndpointContext) -> Result<String, ApiError> {
        match &self.public_url {
            Some(url) => Ok(url.as_str().into()),
            None => context.base_url(),
        }
    }

    /// Pays what a call costs in points of both kinds. Free unless the quotas have call rates.
    ///
    /// # Errors
    /// ClientLimitExceededException. What the first purse gave is not put back.
    pub fn spend(&self, stream: StreamId, cost: Cost, now: UnixMillis) -> Result<(), ApiError> {
        for (kind, points) in [(PointKind::Metadata, cost.metadata), (PointKind::Media, cost.media)]
        {
            if points > 0 {
                self.spend_points(kind, stream, points, now)?;
            }
        }
        Ok(())
    }

    /// Counts a sub-request of a playback session, known by 16 bytes of the caller's choice that
    /// no two sessions share. Free unless the quotas have call rates.
    ///
    /// # Errors
    /// ClientLimitExceededException.
    pub fn count_playback(
        &self,
        path: PlaybackPath,
        session: [u8; 16],
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        if self.limits.call_rates { self.session_rates.call(path, session, now) } else { Ok(()) }
    }
}
