//! ListFragments (get-media.md §4).

use serde_json::{Value, json};
use streamkeep_media::UnixMillis;

use crate::{Client, DataApi, Error};

/// Which of a fragment's two times a range selects by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampAxis {
    /// When the producer took it.
    Producer,
    /// When the service received it.
    Server,
}

impl TimestampAxis {
    /// FragmentSelectorType, ImageSelectorType.
    pub(crate) fn selector_type(self) -> &'static str {
        match self {
            Self::Producer => "PRODUCER_TIMESTAMP",
            Self::Server => "SERVER_TIMESTAMP",
        }
    }
}

/// One fragment of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FragmentInfo {
    /// Decimal.
    pub number: String,
    /// Bytes, metadata included.
    pub size_bytes: u64,
    /// ProducerTimestamp.
    pub producer_timestamp: UnixMillis,
    /// ServerTimestamp.
    pub server_timestamp: UnixMillis,
    /// FragmentLengthInMilliseconds.
    pub length_ms: u64,
}

impl FragmentInfo {
    /// Where it lies on an axis.
    pub fn timestamp(&self, axis: TimestampAxis) -> UnixMillis {
        match axis {
            TimestampAxis::Producer => self.producer_timestamp,
            TimestampAxis::Server => self.server_timestamp,
        }
    }
}

/// Every fragment whose start lies within `start..=end`, in the service's order, all pages.
pub async fn list_fragments(
    client: &Client,
    stream_name: &str,
    axis: TimestampAxis,
    start: UnixMillis,
    end: UnixMillis,
) -> Result<Vec<FragmentInfo>, Error> {
    let endpoint = client.data_endpoint(stream_name, DataApi::ListFragments).await?;
    let mut input = json!({
        "StreamName": stream_name,
        "MaxResults": 1000,
        "FragmentSelector": {
            "FragmentSelectorType": axis.selector_type(),
            "TimestampRange": {
                "StartTimestamp": start.as_secs_f64(),
                "EndTimestamp": end.as_secs_f64(),
            },
        },
    });
    let mut fragments = Vec::new();
    loop {
        let answer = client.call_at(&endpoint, "/listFragments", &input).await?;
        let page = answer["Fragments"].as_array().map(Vec::as_slice).unwrap_or_default();
        for fragment in page {
            fragments.push(fragment_info(fragment)?);
        }
        match answer["NextToken"].as_str() {
            Some(token) if !token.is_empty() => input["NextToken"] = token.into(),
            _ => return Ok(fragments),
        }
    }
}

fn fragment_info(json: &Value) -> Result<FragmentInfo, Error> {
    let missing = |member| Error::Answer { operation: "ListFragments", member };
    let timestamp = |member| {
        let seconds = json[member].as_f64().filter(|seconds| (0.0..1e13).contains(seconds));
        let millis = seconds.map(|seconds| (seconds * 1000.0).round() as u64);
        millis.map(UnixMillis).ok_or(missing(member))
    };
    Ok(FragmentInfo {
        number: json["FragmentNumber"].as_str().ok_or(missing("FragmentNumber"))?.to_owned(),
        size_bytes: json["FragmentSizeInBytes"].as_u64().unwrap_or(0),
        producer_timestamp: timestamp("ProducerTimestamp")?,
        server_timestamp: timestamp("ServerTimestamp")?,
        length_ms: json["FragmentLengthInMilliseconds"].as_u64().unwrap_or(0),
    })
}
