//! The operations on streams, from an authenticated request to its answer.

mod answers;
mod delivery;
mod fragments;
mod images;
mod playback;
mod stream_tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use streamkeep_media::{StreamId, UnixMillis};

pub(crate) use answers::extension_examples;
pub use answers::{
    AckError, AckTimes, BitRateHistory, Coverage, CoverageGap, CoveragePoints, CoverageRun,
    DecoderHealth, DeliveryHealth, DiskHealth, DiskHistory, DiskOutlook, FragmentInfo, GapReason,
    Image, ImageError, IngestHealth, LastFragment, Latency, PlaybackHealth, Problem, ProblemKind,
    ServerHealth, Severity, StoreHealth, StoreState, StreamHealth, StreamState, Thumbnail,
    dash_streaming_session_url, get_coverage, get_images, get_server_health, get_stream_health,
    get_thumbnails, hls_streaming_session_url, list_fragments,
};
pub use fragments::FragmentsPage;
pub use images::ImagesPage;

use crate::access::denied_action;
use crate::openapi::openapi;
use crate::operation::{RETENTION_HOURS_MAX, TAGS_MAX};
use crate::quota::{CallRates, Points, SessionRates};
use crate::request::{
    CreateStream, DeleteStream, DescribeImageGeneration, DescribeNotification, DescribeStream,
    DescribeStreamStorage, GetDataEndpoint, ListStreams, ListTagsForResource, ListTagsForStream,
    RetentionChange, TagResource, TagStream, UntagResource, UntagStream, UpdateDataRetention,
    UpdateImageGeneration, UpdateNotification, UpdateStream, UpdateStreamStorage,
};
use crate::streams::Definition;
use crate::token::Tokens;
use crate::{
    AccessContext, ApiError, Authorizer, Availability, Decision, EndpointContext, Exception,
    Limits, Operation, Owner, PersistenceError, Plane, PointKind, Principal, PublicUrl, Quotas,
    RandomSource, ResourceArn, Scheme, Stream, StreamPersistence, StreamRef, Streams, denied,
};

/// How a [`ControlPlane`] is set up.
pub struct Settings {
    /// Whose streams these are.
    pub owner: Owner,
    /// What GetDataEndpoint hands out, unless that is to follow from each request.
    pub public_url: Option<PublicUrl>,
    /// What callers may ask for.
    pub quotas: Quotas,
    /// Seals paging tokens. Kept over restarts, so that a listing can go on after one.
    pub token_key: [u8; 32],
}

/// Answers the control plane and guards the media plane.
///
/// The server authenticates a request, then calls [`Self::handle`], or for the operations of
/// [`Plane::Media`] parses the request with its type and calls [`Self::admit`]. Every call may be
/// made from any thread; those of operations that [write](Operation::writes) block on the disk.
pub struct ControlPlane {
    streams: Streams,
    authorizer: Arc<dyn Authorizer>,
    public_url: Option<PublicUrl>,
    limits: Limits,
    rates: CallRates,
    points: Points,
    session_rates: SessionRates,
    tokens: Tokens,
    /// The description of the API, made once.
    openapi: Bytes,
}

impl ControlPlane {
    /// Reads the stored streams.
    ///
    /// # Errors
    /// Those of `persistence`.
    pub fn load(
        settings: Settings,
        persistence: Arc<dyn StreamPersistence>,
        random: Arc<dyn RandomSource>,
        authorizer: Arc<dyn Authorizer>,
    ) -> Result<Self, PersistenceError> {
        Ok(Self {
            streams: Streams::load(settings.owner, persistence, random)?,
            authorizer,
            openapi: openapi(settings.public_url.as_ref()),
            public_url: settings.public_url,
            limits: settings.quotas.limits(),
            rates: CallRates::new(),
            points: Points::new(),
            session_rates: SessionRates::new(),
            tokens: Tokens::new(settings.token_key),
        })
    }

    /// The streams, for readers of their definitions.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The OpenAPI 3.1 description of what this version answers, as JSON. Holds nothing that
    /// `docs/api-coverage.md` does not say.
    pub fn openapi(&self) -> Bytes {
        self.openapi.clone()
    }

    /// Answers one operation with the JSON of its output.
    ///
    /// # Errors
    /// The operation's modelled errors, and [`ApiError::later`] for operations that this version
    /// does not have.
    pub fn handle(
        &self,
        operation: Operation,
        principal: &Principal,
        body: &[u8],
        context: &EndpointContext,
        now: UnixMillis,
    ) -> Result<Bytes, ApiError> {
        if operation.availability() == Availability::Later {
            return Err(ApiError::later(operation));
        }
        let call = Call { control: self, operation, principal, context, now };
        call.count()?;
        match operation {
            Operation::CreateStream => call.create_stream(CreateStream::parse(body)?),
            Operation::DeleteStream => call.delete_stream(&DeleteStream::parse(body)?),
            Operation::DescribeImageGenerationConfiguration => {
                call.describe_image_generation(&DescribeImageGeneration::parse(body)?)
            }
            Operation::DescribeNotificationConfiguration => {
                call.describe_notification(&DescribeNotification::parse(body)?)
            }
            Operation::DescribeStream => call.describe_stream(&DescribeStream::parse(body)?),
            Operation::DescribeStreamStorageConfiguration => {
                call.describe_storage(&DescribeStreamStorage::parse(body)?)
            }
            Operation::GetDataEndpoint => call.get_data_endpoint(&GetDataEndpoint::parse(body)?),
            Operation::ListStreams => call.list_streams(&ListStreams::parse(body)?),
            Operation::ListTagsForResource => {
                call.list_tags(&ListTagsForResource::parse(body)?.resource)
            }
            Operation::ListTagsForStream => call.list_tags(&ListTagsForStream::parse(body)?.stream),
            Operation::TagResource => {
                let TagResource { resource, tags } = TagResource::parse(body)?;
                call.tag(&resource, &tags)
            }
            Operation::TagStream => {
                let TagStream { stream, tags } = TagStream::parse(body)?;
                call.tag(&stream, &tags)
            }
            Operation::UntagResource => {
                let UntagResource { resource, keys } = UntagResource::parse(body)?;
                call.untag(&resource, &keys)
            }
            Operation::UntagStream => {
                let UntagStream { stream, keys } = UntagStream::parse(body)?;
                call.untag(&stream, &keys)
            }
            Operation::UpdateDataRetention => {
                call.update_data_retention(&UpdateDataRetention::parse(body)?)
            }
            Operation::UpdateImageGenerationConfiguration => {
                call.update_image_generation(UpdateImageGeneration::parse(body)?)
            }
            Operation::UpdateNotificationConfiguration => {
                call.update_notification(UpdateNotification::parse(body)?)
            }
            Operation::UpdateStream => call.update_stream(UpdateStream::parse(body)?),
            Operation::UpdateStreamStorageConfiguration => {
                call.update_storage(&UpdateStreamStorage::parse(body)?)
            }
            other => {
                debug_assert_ne!(other.plane(), Plane::Control, "{other} has no handler");
                tracing::error!(%other, "a media operation was handed to the control plane");
                Err(ApiError::internal())
            }
        }
    }

    /// Lets a media operation through to a stream: counts the call, finds the stream, asks the
    /// authorizer, and makes sure that media may be put and read.
    ///
    /// # Errors
    /// ClientLimitExceededException, the operation's denial, ResourceNotFoundException.
    pub fn admit(
        &self,
        operation: Operation,
        principal: &Principal,
        stream: &StreamRef,
        context: &EndpointContext,
        now: UnixMillis,
    ) -> Result<Arc<Stream>, ApiError> {
        let call = Call { control: self, operation, principal, context, now };
        call.count()?;
        call.media_stream(stream)
    }

    /// Lets an operation through that names no stream: counts the call and asks the authorizer.
    ///
    /// # Errors
    /// ClientLimitExceededException, the operation's denial.
    pub fn admit_without_stream(
        &self,
        operation: Operation,
        principal: &Principal,
        context: &EndpointContext,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let call = Call { control: self, operation, principal, context, now };
        call.count()?;
        call.authorize(&operation.iam_action(), "*", None, NO_REQUEST_TAGS)
    }

    /// Whether the authorizer grants, of all resources, an action that is no operation: asked for what a
    /// page may do by itself.
    pub fn allows(
        &self,
        action: &str,
        principal: &Principal,
        context: &EndpointContext,
        now: UnixMillis,
    ) -> bool {
        let operation = Operation::OpenLive;
        let call = Call { control: self, operation, principal, context, now };
        call.authorize(action, "*", None, NO_REQUEST_TAGS).is_ok()
    }

    /// Pays for fragments of the archive. Free unless the quotas have call rates.
    ///
    /// # Errors
    /// ClientLimitExceededException.
    pub fn spend_points(
        &self,
        kind: PointKind,
        stream: StreamId,
        cost: u32,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        if self.limits.call_rates { self.points.spend(kind, stream, cost, now) } else { Ok(()) }
    }
}

/// One call of one operation.
#[derive(Clone, Copy)]
struct Call<'c> {
    control: &'c ControlPlane,
    operation: Operation,
    principal: &'c Principal,
    context: &'c EndpointContext,
    now: UnixMillis,
}

/// Tags that a request sets or removes, for the authorizer.
#[derive(Clone, Copy)]
struct RequestTags<'a> {
    set: &'a BTreeMap<String, String>,
    keys: &'a [&'a str],
}

static NO_TAGS: BTreeMap<String, String> = BTreeMap::new();
const NO_REQUEST_TAGS: RequestTags<'static> = RequestTags { set: &NO_TAGS, keys: &[] };

impl Call<'_> {
    /// Counts the call against the account's rate.
    fn count(&self) -> Result<(), ApiError> {
        if !self.control.limits.call_rates {
            return Ok(());
        }
        self.control.rates.call(self.operation, &self.principal.account, self.now)
    }

    fn authorize(
        &self,
        action: &str,
        resource: &str,
        resource_tags: Option<&BTreeMap<String, String>>,
        request_tags: RequestTags<'_>,
    ) -> Result<(), ApiError> {
        let context = AccessContext {
            now: self.now,
            source_ip: self.context.source_ip,
            secure_transport: self.context.scheme == Scheme::Https,
            resource_tags,
            request_tags: request_tags.set,
            tag_keys: request_tags.keys,
        };
        match self.control.authorizer.authorize(self.principal, action, resource, &context) {
            Decision::Allow => Ok(()),
            Decision::Deny if action == self.operation.iam_action() => {
                Err(denied(self.operation, self.principal, resource))
            }
            Decision::Deny => Err(denied_action(self.operation, self.principal, action, resource)),
        }
    }

    /// The stream, if there is one, and the ARN to ask the authorizer about.
    fn find(&self, wanted: &StreamRef) -> (Option<Arc<Stream>>, String) {
        let streams = &self.control.streams;
        let found = streams.find(wanted);
        let arn = match (&found, wanted) {
            (Some(stream), _) => stream.arn(streams.owner()),
            (None, StreamRef::Arn(arn)) => arn.as_str().into(),
            (None, StreamRef::Name(name)) => streams.owner().any_stream_arn(name),
        };
        (found, arn)
    }

    /// Finds a stream and asks whether the caller may do this to it; only a caller who may learns
    /// whether it exists.
    fn stream(
        &self,
        wanted: &StreamRef,
        request_tags: RequestTags<'_>,
    ) -> Result<Arc<Stream>, ApiError> {
        let (found, arn) = self.find(wanted);
        let tags = found.as_ref().map(|stream| &stream.tags);
        self.authorize(&self.operation.iam_action(), &arn, tags, request_tags)?;
        let stream = found.ok_or_else(ApiError::stream_not_found)?;
        if self.control.limits.call_rates {
            self.control.rates.call_on(self.operation, stream.id, self.now)?;
        }
        Ok(stream)
    }

    /// [`Self::stream`], for a change: the exact stream that was authorised, and no other that
    /// took its name meanwhile.
    fn exact(
        &self,
        wanted: &StreamRef,
        request_tags: RequestTags<'_>,
    ) -> Result<StreamRef, ApiError> {
        let stream = self.stream(wanted, request_tags)?;
        let arn = stream.arn(self.control.streams.owner());
        Ok(StreamRef::Arn(ResourceArn::parse(&arn).expect("a stream's ARN is an ARN")))
    }

    /// A stream that media can be put to and read from.
    fn media_stream(&self, wanted: &StreamRef) -> Result<Arc<Stream>, ApiError> {
        let stream = self.stream(wanted, NO_REQUEST_TAGS)?;
        if stream.accepts_media() { Ok(stream) } else { Err(ApiError::stream_not_found()) }
    }

    fn create_stream(&self, request: CreateStream) -> Result<Bytes, ApiError> {
        let streams = &self.control.streams;
        let arn = streams.owner().any_stream_arn(&request.name);
        let keys: Vec<_> = request.tags.keys().map(String::as_str).collect();
        let tags = RequestTags { set: &request.tags, keys: &keys };
        self.authorize(&self.operation.iam_action(), &arn, None, tags)?;
        if !request.tags.is_empty() {
            self.authorize(&Operation::TagStream.iam_action(), &arn, None, tags)?;
        }
        let definition = Definition {
            name: request.name,
            device_name: request.device_name,
            media_type: request.media_type,
            kms_key_id: request.kms_key_id,
            retention_hours: request.retention_hours,
            storage_tier: request.storage_tier,
            tags: request.tags,
        };
        let stream = streams.create(definition, self.control.limits.streams_max, self.now)?;
        Ok(answers::create_stream(&stream.arn(streams.owner())))
    }

    fn describe_stream(&self, request: &DescribeStream) -> Result<Bytes, ApiError> {
        let stream = self.stream(&request.stream, NO_REQUEST_TAGS)?;
        Ok(answers::describe_stream(&stream, self.control.streams.owner()))
    }

    fn describe_storage(&self, request: &DescribeStreamStorage) -> Result<Bytes, ApiError> {
        let stream = self.stream(&request.stream, NO_REQUEST_TAGS)?;
        Ok(answers::describe_storage(&stream, self.control.streams.owner()))
    }

    fn delete_stream(&self, request: &DeleteStream) -> Result<Bytes, ApiError> {
        let stream = self.exact(&request.stream, NO_REQUEST_TAGS)?;
        self.control.streams.delete(&stream, request.current_version.as_deref())?;
        Ok(answers::nothing())
    }

    fn update_stream(&self, request: UpdateStream) -> Result<Bytes, ApiError> {
        let stream = self.exact(&request.stream, NO_REQUEST_TAGS)?;
        self.control.streams.update(&stream, &request.current_version, |stream| {
            if request.device_name.is_some() {
                stream.device_name = request.device_name;
            }
            if request.media_type.is_some() {
                stream.media_type = request.media_type;
            }
            Ok(())
        })?;
        Ok(answers::nothing())
    }

    fn update_data_retention(&self, request: &UpdateDataRetention) -> Result<Bytes, ApiError> {
        let stream = self.exact(&request.stream, NO_REQUEST_TAGS)?;
        self.control.streams.update(&stream, &request.current_version, |stream| {
            let hours = match request.change {
                RetentionChange::Increase => {
                    stream.retention_hours.checked_add(request.change_hours)
                }
                RetentionChange::Decrease => {
                    stream.retention_hours.checked_sub(request.change_hours)
                }
            };
            let hours = hours.filter(|hours| i64::from(*hours) <= RETENTION_HOURS_MAX);
            let hours = hours.ok_or_else(|| {
                ApiError::invalid_argument(format!(
                    "DataRetentionChangeInHours: a retention of {} hours changed by {} leaves the \
                     range of 0 to {RETENTION_HOURS_MAX}.",
                    stream.retention_hours, request.change_hours
                ))
            })?;
            stream.set_retention(hours, self.now);
            Ok(())
        })?;
        Ok(answers::nothing())
    }

    fn update_storage(&self, request: &UpdateStreamStorage) -> Result<Bytes, ApiError> {
        let stream = self.exact(&request.stream, NO_REQUEST_TAGS)?;
        self.control.streams.update(&stream, &request.current_version, |stream| {
            stream.storage_tier = request.storage_tier;
            Ok(())
        })?;
        Ok(answers::nothing())
    }

    /// One endpoint serves all APIs; which one is asked for only has to be one of the list.
    fn get_data_endpoint(&self, request: &GetDataEndpoint) -> Result<Bytes, ApiError> {
        self.media_stream(&request.stream)?;
        tracing::debug!(api = request.api.as_str(), "endpoint handed out");
        Ok(answers::get_data_endpoint(&self.control.data_endpoint(self.context)?))
    }

    fn list_streams(&self, request: &ListStreams) -> Result<Bytes, ApiError> {
        self.authorize(&self.operation.iam_action(), "*", None, NO_REQUEST_TAGS)?;
        let control = self.control;
        let prefix = request.name_prefix.as_str();
        let account = self.principal.account.as_bytes();
        let purpose: [&[u8]; 3] = [b"ListStreams", account, prefix.as_bytes()];
        let after = match &request.next_token {
            None => None,
            Some(token) => {
                let name = control.tokens.open(&purpose, token);
                Some(name.and_then(|name| String::from_utf8(name).ok()).ok_or_else(|| {
                    ApiError::invalid_argument(
                        "NextToken was not issued by this operation with these arguments.",
                    )
                })?)
            }
        };
        let (page, more) = control.streams.page(prefix, after.as_deref(), request.max_results);
        let next = page
            .last()
            .filter(|_| more)
            .map(|last| control.tokens.seal(&purpose, last.name.as_bytes()));
        Ok(answers::list_streams(&page, control.streams.owner(), next))
    }

    fn list_tags(&self, wanted: &StreamRef) -> Result<Bytes, ApiError> {
        let stream = self.stream(wanted, NO_REQUEST_TAGS)?;
        Ok(answers::list_tags(&stream.tags))
    }

    fn tag(&self, wanted: &StreamRef, tags: &BTreeMap<String, String>) -> Result<Bytes, ApiError> {
        let keys: Vec<_> = tags.keys().map(String::as_str).collect();
        let stream = self.exact(wanted, RequestTags { set: tags, keys: &keys })?;
        self.control.streams.update_tags(&stream, |stored| {
            stored.extend(tags.iter().map(|(key, value)| (key.clone(), value.clone())));
            if stored.len() > TAGS_MAX {
                return Err(ApiError::new(
                    Exception::TagsPerResourceExceededLimit,
                    format!("The stream would have {} tags; {TAGS_MAX} are allowed.", stored.len()),
                ));
            }
            Ok(())
        })?;
        Ok(answers::nothing())
    }

    fn untag(&self, wanted: &StreamRef, keys: &[String]) -> Result<Bytes, ApiError> {
        let tag_keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let stream = self.exact(wanted, RequestTags { set: &NO_TAGS, keys: &tag_keys })?;
        self.control.streams.update_tags(&stream, |stored| {
            stored.retain(|key, _| !keys.contains(key));
            Ok(())
        })?;
        Ok(answers::nothing())
    }
}
