//! The exceptions of the wire: name, HTTP status, spelling of the message member.
//!
//! Source: control-plane.md §3 (service models), auth.md §7 (signature faults).

/// One exception name of the KVS API with its HTTP status.
///
/// `AccessDeniedException` appears twice because the webrtc-storage model gives it status 403 and
/// the others 401 (control-plane.md §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Exception {
    /// Permission missing, operations that model it with status 401.
    AccessDenied,
    /// Permission missing: the webrtc-storage model, and operations that model no denial at all.
    AccessDeniedForbidden,
    /// Permission missing, older operations.
    NotAuthorized,
    /// Unknown stream or channel, or an ARN with a stale creation time.
    ResourceNotFound,
    /// No edge configuration.
    StreamEdgeConfigurationNotFound,
    /// Stream quota reached.
    AccountStreamLimitExceeded,
    /// Channel quota reached.
    AccountChannelLimitExceeded,
    /// In the model, documented as not implemented.
    DeviceStreamLimitExceeded,
    /// In the model, documented as not implemented.
    InvalidDevice,
    /// Too many calls.
    ClientLimitExceeded,
    /// Too many connections to one stream.
    ConnectionLimitExceeded,
    /// A member is malformed, out of range or unsupported.
    InvalidArgument,
    /// The endpoint does not serve this stream.
    InvalidEndpoint,
    /// StreamARN is malformed; tag operations only.
    InvalidResourceFormat,
    /// The operation needs a retention above 0.
    NoDataRetention,
    /// The name exists, or the resource is changing.
    ResourceInUse,
    /// More than 50 tags.
    TagsPerResourceExceededLimit,
    /// CurrentVersion is not the latest.
    VersionMismatch,
    /// The media cannot be packaged as asked.
    UnsupportedStreamMediaType,
    /// A track lacks CodecPrivate.
    MissingCodecPrivateData,
    /// CodecPrivate does not parse.
    InvalidCodecPrivateData,
    /// A frame does not parse.
    InvalidMediaFrame,
    /// The client id is refused; signaling.
    InvalidClient,
    /// The session is over; signaling.
    SessionExpired,
    /// No such operation.
    InvalidAction,
    /// No signature.
    MissingAuthenticationToken,
    /// The signature is malformed.
    IncompleteSignature,
    /// Unknown access key, or its session token is missing or wrong.
    UnrecognizedClient,
    /// The signature does not match, or is out of its time.
    InvalidSignature,
    /// The session token has expired.
    ExpiredToken,
    /// A fault of ours.
    InternalFailure,
    /// Temporarily not able to.
    ServiceUnavailable,
}

impl Exception {
    /// Every exception, for tests and for the description of the API.
    pub const ALL: &'static [Self] = &[
        Self::AccessDenied,
        Self::AccessDeniedForbidden,
        Self::NotAuthorized,
        Self::ResourceNotFound,
        Self::StreamEdgeConfigurationNotFound,
        Self::AccountStreamLimitExceeded,
        Self::AccountChannelLimitExceeded,
        Self::DeviceStreamLimitExceeded,
        Self::InvalidDevice,
        Self::ClientLimitExceeded,
        Self::ConnectionLimitExceeded,
        Self::InvalidArgument,
        Self::InvalidEndpoint,
        Self::InvalidResourceFormat,
        Self::NoDataRetention,
        Self::ResourceInUse,
        Self::TagsPerResourceExceededLimit,
        Self::VersionMismatch,
        Self::UnsupportedStreamMediaType,
        Self::MissingCodecPrivateData,
        Self::InvalidCodecPrivateData,
        Self::InvalidMediaFrame,
        Self::InvalidClient,
        Self::SessionExpired,
        Self::InvalidAction,
        Self::MissingAuthenticationToken,
        Self::IncompleteSignature,
        Self::UnrecognizedClient,
        Self::InvalidSignature,
        Self::ExpiredToken,
        Self::InternalFailure,
        Self::ServiceUnavailable,
    ];

    /// The value of `x-amzn-ErrorType`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessDenied | Self::AccessDeniedForbidden => "AccessDeniedException",
            Self::NotAuthorized => "NotAuthorizedException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::StreamEdgeConfigurationNotFound => "StreamEdgeConfigurationNotFoundException",
            Self::AccountStreamLimitExceeded => "AccountStreamLimitExceededException",
            Self::AccountChannelLimitExceeded => "AccountChannelLimitExceededException",
            Self::DeviceStreamLimitExceeded => "DeviceStreamLimitExceededException",
            Self::InvalidDevice => "InvalidDeviceException",
            Self::ClientLimitExceeded => "ClientLimitExceededException",
            Self::ConnectionLimitExceeded => "ConnectionLimitExceededException",
            Self::InvalidArgument => "InvalidArgumentException",
            Self::InvalidEndpoint => "InvalidEndpointException",
            Self::InvalidResourceFormat => "InvalidResourceFormatException",
            Self::NoDataRetention => "NoDataRetentionException",
            Self::ResourceInUse => "ResourceInUseException",
            Self::TagsPerResourceExceededLimit => "TagsPerResourceExceededLimitException",
            Self::VersionMismatch => "VersionMismatchException",
            Self::UnsupportedStreamMediaType => "UnsupportedStreamMediaTypeException",
            Self::MissingCodecPrivateData => "MissingCodecPrivateDataException",
            Self::InvalidCodecPrivateData => "InvalidCodecPrivateDataException",
            Self::InvalidMediaFrame => "InvalidMediaFrameException",
            Self::InvalidClient => "InvalidClientException",
            Self::SessionExpired => "SessionExpiredException",
            Self::InvalidAction => "InvalidAction",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::InternalFailure => "InternalFailure",
            Self::ServiceUnavailable => "ServiceUnavailable",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::AccessDenied | Self::NotAuthorized => 401,
            Self::AccessDeniedForbidden
            | Self::MissingAuthenticationToken
            | Self::IncompleteSignature
            | Self::UnrecognizedClient
            | Self::InvalidSignature
            | Self::ExpiredToken => 403,
            Self::ResourceNotFound | Self::StreamEdgeConfigurationNotFound => 404,
            Self::InternalFailure => 500,
            Self::ServiceUnavailable => 503,
            Self::AccountStreamLimitExceeded
            | Self::AccountChannelLimitExceeded
            | Self::DeviceStreamLimitExceeded
            | Self::InvalidDevice
            | Self::ClientLimitExceeded
            | Self::ConnectionLimitExceeded
            | Self::InvalidArgument
            | Self::InvalidEndpoint
            | Self::InvalidResourceFormat
            | Self::NoDataRetention
            | Self::ResourceInUse
            | Self::TagsPerResourceExceededLimit
            | Self::VersionMismatch
            | Self::UnsupportedStreamMediaType
            | Self::MissingCodecPrivateData
            | Self::InvalidCodecPrivateData
            | Self::InvalidMediaFrame
            | Self::InvalidClient
            | Self::SessionExpired
            | Self::InvalidAction => 400,
        }
    }

    /// True when the body spells the member `message` whatever the service: signature faults and
    /// two signaling exceptions (control-plane.md §3.1, auth.md §7).
    pub(crate) fn has_lower_case_message(self) -> bool {
        matches!(
            self,
            Self::InvalidClient
                | Self::SessionExpired
                | Self::MissingAuthenticationToken
                | Self::IncompleteSignature
                | Self::UnrecognizedClient
                | Self::InvalidSignature
                | Self::ExpiredToken
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_each_once() {
        let mut all = Exception::ALL.to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), Exception::ALL.len());
        // The last variant's discriminant tells how many there are.
        assert_eq!(all.len(), Exception::ServiceUnavailable as usize + 1);
    }
}
