//! Requests about streams as resources (control-plane.md §5), tags apart.

use std::collections::BTreeMap;

use super::tags::checked_tags;
use super::{REQUIRED, StreamRef, read};
use crate::shape::wire_enum;
use crate::{ApiError, Operation, ResourceArn};

wire_enum! {
    /// Operations that GetDataEndpoint gives endpoints for.
    pub enum ApiName {
        /// PutMedia.
        PutMedia = "PUT_MEDIA",
        /// GetMedia.
        GetMedia = "GET_MEDIA",
        /// ListFragments.
        ListFragments = "LIST_FRAGMENTS",
        /// GetMediaForFragmentList.
        GetMediaForFragmentList = "GET_MEDIA_FOR_FRAGMENT_LIST",
        /// GetHLSStreamingSessionURL.
        GetHlsStreamingSessionUrl = "GET_HLS_STREAMING_SESSION_URL",
        /// GetDASHStreamingSessionURL.
        GetDashStreamingSessionUrl = "GET_DASH_STREAMING_SESSION_URL",
        /// GetClip.
        GetClip = "GET_CLIP",
        /// GetImages.
        GetImages = "GET_IMAGES",
    }
}

wire_enum! {
    /// DefaultStorageTier. The tiers do the same; warm data may take longer to come.
    pub enum StorageTier {
        /// Lowest latency; the default.
        Hot = "HOT",
        /// For data read now and then.
        Warm = "WARM",
    }
}

wire_enum! {
    /// How a StreamNameCondition compares.
    pub(crate) enum ComparisonOperator {
        /// The name starts with the value.
        BeginsWith = "BEGINS_WITH",
    }
}

wire_enum! {
    /// Direction of an UpdateDataRetention.
    pub(crate) enum RetentionChange {
        /// Keep data longer.
        Increase = "INCREASE_DATA_RETENTION",
        /// Keep data for a shorter time.
        Decrease = "DECREASE_DATA_RETENTION",
    }
}

pub(crate) struct CreateStream {
    pub(crate) name: String,
    pub(crate) device_name: Option<String>,
    pub(crate) media_type: Option<String>,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) retention_hours: u32,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) storage_tier: StorageTier,
}

impl CreateStream {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::CreateStream, body)?;
        Ok(Self {
            name: fields.text("StreamName").expect(REQUIRED),
            device_name: fields.text("DeviceName"),
            media_type: fields.text("MediaType"),
            kms_key_id: fields.text("KmsKeyId"),
            retention_hours: hours(fields.integer("DataRetentionInHours").unwrap_or(0)),
            tags: checked_tags(fields.map("Tags").unwrap_or_default())?,
            storage_tier: fields
                .structure("StreamStorageConfiguration")
                .and_then(|mut configuration| configuration.choice("DefaultStorageTier"))
                .unwrap_or(StorageTier::Hot),
        })
    }
}

pub(crate) struct DescribeStream {
    pub(crate) stream: StreamRef,
}

impl DescribeStream {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::DescribeStream, body)?;
        Ok(Self { stream: StreamRef::take(&mut fields)? })
    }
}

pub(crate) struct DescribeStreamStorage {
    pub(crate) stream: StreamRef,
}

impl DescribeStreamStorage {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::DescribeStreamStorageConfiguration, body)?;
        Ok(Self { stream: StreamRef::take(&mut fields)? })
    }
}

pub(crate) struct DeleteStream {
    pub(crate) stream: StreamRef,
    /// Absent: only the creation time in the ARN is compared.
    pub(crate) current_version: Option<String>,
}

impl DeleteStream {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::DeleteStream, body)?;
        Ok(Self {
            stream: StreamRef::Arn(resource_arn(fields.text("StreamARN").expect(REQUIRED))),
            current_version: fields.text("CurrentVersion"),
        })
    }
}

pub(crate) struct UpdateStream {
    pub(crate) stream: StreamRef,
    pub(crate) current_version: String,
    /// Absent: stays.
    pub(crate) device_name: Option<String>,
    /// Absent: stays.
    pub(crate) media_type: Option<String>,
}

impl UpdateStream {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::UpdateStream, body)?;
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            current_version: fields.text("CurrentVersion").expect(REQUIRED),
            device_name: fields.text("DeviceName"),
            media_type: fields.text("MediaType"),
        })
    }
}

pub(crate) struct UpdateDataRetention {
    pub(crate) stream: StreamRef,
    pub(crate) current_version: String,
    pub(crate) change: RetentionChange,
    /// By how much, at least 1: not the new value.
    pub(crate) change_hours: u32,
}

impl UpdateDataRetention {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::UpdateDataRetention, body)?;
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            current_version: fields.text("CurrentVersion").expect(REQUIRED),
            change: fields.choice("Operation").expect(REQUIRED),
            change_hours: hours(fields.integer("DataRetentionChangeInHours").expect(REQUIRED)),
        })
    }
}

pub(crate) struct UpdateStreamStorage {
    pub(crate) stream: StreamRef,
    pub(crate) current_version: String,
    pub(crate) storage_tier: StorageTier,
}

impl UpdateStreamStorage {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::UpdateStreamStorageConfiguration, body)?;
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            current_version: fields.text("CurrentVersion").expect(REQUIRED),
            storage_tier: fields
                .structure("StreamStorageConfiguration")
                .expect(REQUIRED)
                .choice("DefaultStorageTier")
                .expect(REQUIRED),
        })
    }
}

pub(crate) struct GetDataEndpoint {
    pub(crate) stream: StreamRef,
    pub(crate) api: ApiName,
}

impl GetDataEndpoint {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::GetDataEndpoint, body)?;
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            api: fields.choice("APIName").expect(REQUIRED),
        })
    }
}

pub(crate) struct ListStreams {
    /// 1..=10,000.
    pub(crate) max_results: usize,
    /// Not empty.
    pub(crate) next_token: Option<String>,
    /// Only streams whose name starts so; empty for all.
    pub(crate) name_prefix: String,
}

impl ListStreams {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::ListStreams, body)?;
        let name_prefix = match fields.structure("StreamNameCondition") {
            None => String::new(),
            Some(mut condition) => {
                let operator = condition.choice("ComparisonOperator");
                match (operator, condition.text("ComparisonValue")) {
                    (Some(ComparisonOperator::BeginsWith), Some(value)) => value,
                    (None, None) => String::new(),
                    // The model leaves both optional; one alone says nothing.
                    _ => {
                        return Err(ApiError::invalid_argument(
                            "StreamNameCondition needs ComparisonOperator and ComparisonValue.",
                        ));
                    }
                }
            }
        };
        Ok(Self {
            max_results: usize::try_from(fields.integer("MaxResults").unwrap_or(10_000))
                .expect("1..=10,000 by the table"),
            next_token: fields.text("NextToken").filter(|token| !token.is_empty()),
            name_prefix,
        })
    }
}

fn hours(value: i64) -> u32 {
    u32::try_from(value).expect("0..=87,600 by the table")
}

pub(super) fn resource_arn(text: String) -> ResourceArn {
    ResourceArn::parse(&text).expect("the shape has the pattern of an ARN")
}
