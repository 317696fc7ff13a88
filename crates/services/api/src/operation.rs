//! The operations of the five KVS services and our own: one enum, one table.

mod inputs;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use inputs::{
    IMAGE_GENERATION, NOTIFICATION, RETENTION_HOURS_MAX, STREAM_ARN, STREAM_NAME, TAGS_MAX,
};

use http::Method;

use crate::Exception;
use crate::shape::Structure;

/// An operation of the KVS API, or one of our own. What is known of each stands in one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub enum Operation {
    CreateSignalingChannel,
    CreateStream,
    DeleteEdgeConfiguration,
    DeleteSignalingChannel,
    DeleteStream,
    DescribeEdgeConfiguration,
    DescribeImageGenerationConfiguration,
    DescribeMappedResourceConfiguration,
    DescribeMediaStorageConfiguration,
    DescribeNotificationConfiguration,
    DescribeSignalingChannel,
    DescribeStream,
    DescribeStreamStorageConfiguration,
    GetDataEndpoint,
    GetSignalingChannelEndpoint,
    ListEdgeAgentConfigurations,
    ListSignalingChannels,
    ListStreams,
    ListTagsForResource,
    ListTagsForStream,
    StartEdgeConfigurationUpdate,
    TagResource,
    TagStream,
    UntagResource,
    UntagStream,
    UpdateDataRetention,
    UpdateImageGenerationConfiguration,
    UpdateMediaStorageConfiguration,
    UpdateNotificationConfiguration,
    UpdateSignalingChannel,
    UpdateStream,
    UpdateStreamStorageConfiguration,
    PutMedia,
    GetMedia,
    GetClip,
    GetDASHStreamingSessionURL,
    GetHLSStreamingSessionURL,
    GetImages,
    GetMediaForFragmentList,
    ListFragments,
    GetIceServerConfig,
    SendAlexaOfferToMaster,
    JoinStorageSession,
    JoinStorageSessionAsViewer,
    GetCoverage,
    GetServerHealth,
    GetStreamHealth,
    GetStreamTags,
    GetThumbnails,
    OpenLive,
}

/// The service model an operation belongs to. All share the signing name `kinesisvideo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// The control plane.
    KinesisVideo,
    /// PutMedia, which no model has, and GetMedia.
    Media,
    /// Archived media.
    ArchivedMedia,
    /// The HTTPS half of signaling.
    Signaling,
    /// WebRTC storage sessions.
    WebrtcStorage,
    /// Operations of our own, in no service model.
    Streamkeep,
}

impl Service {
    /// The name of the service model, for our own operations `streamkeep`.
    pub fn model(self) -> &'static str {
        match self {
            Self::KinesisVideo => "kinesisvideo",
            Self::Media => "kinesis-video-media",
            Self::ArchivedMedia => "kinesis-video-archived-media",
            Self::Signaling => "kinesis-video-signaling",
            Self::WebrtcStorage => "kinesis-video-webrtc-storage",
            Self::Streamkeep => "streamkeep",
        }
    }
}

/// What the IAM resource of an operation is (auth.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// A stream.
    Stream,
    /// A signaling channel.
    Channel,
    /// Either, by ARN.
    StreamOrChannel,
    /// None: policies are asked about `*`.
    None,
}

/// Whether this version answers an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Availability {
    /// Answered as the model says.
    Implemented,
    /// Refused by [`ApiError::later`](crate::ApiError::later).
    Later,
}

/// Who answers an implemented operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plane {
    /// [`ControlPlane::handle`](crate::ControlPlane::handle).
    Control,
    /// The server's own media handlers, with the request types and
    /// [`ControlPlane::admit`](crate::ControlPlane::admit) of this crate.
    Media,
    /// The same, for operations of our own.
    Streamkeep,
}

/// Calls per second that KVS allows (quotas.md §§1-3); `None` where it names no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallRate {
    /// Per account.
    pub account: Option<u32>,
    /// Per stream or channel.
    pub resource: Option<u32>,
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) operation: Operation,
    pub(crate) name: &'static str,
    pub(crate) service: Service,
    pub(crate) path: &'static str,
    pub(crate) resource: ResourceKind,
    pub(crate) denial: Exception,
    pub(crate) errors: &'static [Exception],
    pub(crate) rate: CallRate,
    pub(crate) body_max: usize,
    /// `None` while the operation is [`Availability::Later`].
    pub(crate) shape: Option<RequestAndAnswer>,
}

/// What an implemented operation takes and gives.
pub(crate) struct RequestAndAnswer {
    /// The JSON body; for PutMedia the headers, which are read elsewhere, so no members.
    pub(crate) input: &'static Structure,
    /// Names of the members of the answer.
    pub(crate) output: &'static [&'static str],
    pub(crate) plane: Plane,
    /// The call changes what is stored and waits for the disk.
    pub(crate) writes: bool,
}

impl Operation {
    /// Every operation, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        table::TABLE.iter().map(|row| row.operation)
    }

    pub(crate) fn row(self) -> &'static Row {
        // A test checks that the table is in the order of the enum.
        &table::TABLE[self as usize]
    }

    /// The name in the service model.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The service model it belongs to.
    pub fn service(self) -> Service {
        self.row().service
    }

    /// The path, in the exact case of the model.
    pub fn path(self) -> &'static str {
        self.row().path
    }

    /// POST, but for the WebSocket, which begins with GET (RFC 6455 §4.1).
    pub fn method(self) -> &'static Method {
        match self {
            Self::OpenLive => &Method::GET,
            _ => &Method::POST,
        }
    }

    /// The IAM action: `kinesisvideo:` and this name (auth.md §3), for our own operations
    /// `streamkeep:` and the name.
    pub fn iam_action(self) -> String {
        let prefix = match self.service() {
            Service::Streamkeep => "streamkeep",
            _ => "kinesisvideo",
        };
        format!("{prefix}:{}", self.name())
    }

    /// What the IAM resource is.
    pub fn resource(self) -> ResourceKind {
        self.row().resource
    }

    /// The exception that tells a caller it lacks the permission (control-plane.md §3.2). Where
    /// the model has none, AccessDeniedException with the status the real service commonly sends,
    /// 403 (auth.md §7); producers answer both 401 and 403 with a new token.
    pub fn denial(self) -> Exception {
        self.row().denial
    }

    /// The errors of the model.
    pub fn errors(self) -> &'static [Exception] {
        self.row().errors
    }

    /// How often KVS lets it be called.
    pub fn rate(self) -> CallRate {
        self.row().rate
    }

    /// The largest request body, in bytes. The server need not read further. PutMedia has no such
    /// limit: its body is the media.
    pub fn body_max(self) -> usize {
        self.row().body_max
    }

    /// Whether this version answers it.
    pub fn availability(self) -> Availability {
        match self.row().shape {
            Some(_) => Availability::Implemented,
            None => Availability::Later,
        }
    }

    /// Who answers it; `Control` for operations that are refused.
    pub fn plane(self) -> Plane {
        self.row().shape.as_ref().map_or(Plane::Control, |shape| shape.plane)
    }

    /// The call changes what is stored and returns only when that is durable: it belongs on a
    /// thread that may block.
    pub fn writes(self) -> bool {
        self.row().shape.as_ref().is_some_and(|shape| shape.writes)
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
