//! GetClip (playback.md §7).

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use streamkeep_media::UnixMillis;

use crate::client::call_error;
use crate::http1::Receiver;
use crate::media::TimestampAxis;
use crate::{Client, DataApi, Error};

/// What a clip holds of a range. Both beyond the published interface are headers that only
/// Streamkeep obeys; other services give what they give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClipOptions {
    /// How long it may get.
    pub limits: ClipLimits,
    /// Where it begins and ends.
    pub cut: ClipCut,
}

/// How long a clip may get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClipLimits {
    /// The first 200 fragments or the first 100 MB.
    #[default]
    Kvs,
    /// Everything in the range.
    Off,
}

/// Where a clip begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClipCut {
    /// Whole fragments, chosen by their start.
    #[default]
    Fragments,
    /// At the instants of the range, by an edit list.
    Exact,
}

/// An MP4 file as it comes.
#[derive(Debug)]
pub struct Clip {
    receiver: Receiver,
    len: Option<u64>,
}

impl Clip {
    /// Asks for a clip of `from..=to`, at most 24 hours.
    ///
    /// # Errors
    /// The service's refusals: ResourceNotFoundException when there is no fragment in the range.
    pub async fn open(
        client: &Client,
        stream_name: &str,
        axis: TimestampAxis,
        (from, to): (UnixMillis, UnixMillis),
        options: ClipOptions,
    ) -> Result<Self, Error> {
        let endpoint = client.data_endpoint(stream_name, DataApi::GetClip).await?;
        let input = json!({
            "StreamName": stream_name,
            "ClipFragmentSelector": {
                "FragmentSelectorType": axis.selector_type(),
                "TimestampRange": {
                    "StartTimestamp": from.as_secs_f64(),
                    "EndTimestamp": to.as_secs_f64(),
                },
            },
        });
        let mut headers = Vec::new();
        if options.limits == ClipLimits::Off {
            headers.push(("x-streamkeep-clip-limits", "off"));
        }
        if options.cut == ClipCut::Exact {
            headers.push(("x-streamkeep-clip-exact", "true"));
        }
        let opening = async {
            let (mut connection, head) =
                client.request(&endpoint, "/getClip", &headers, &input).await?;
            if head.status != 200 {
                let body = connection.read_body(&head, ERROR_LEN_MAX).await.unwrap_or_default();
                return Err(call_error(&head, &body).into());
            }
            let (_sender, receiver) = connection.split(&head);
            Ok(Self { receiver, len: head.content_length })
        };
        let timed_out = Error::Timeout { waiting_for: "the start of a clip" };
        tokio::time::timeout(LAYOUT_TIMEOUT, opening).await.unwrap_or(Err(timed_out))
    }

    /// Bytes of the whole file, when the service tells.
    pub fn len(&self) -> Option<u64> {
        self.len
    }

    /// The service tells that there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == Some(0)
    }

    /// The next bytes of the file; `None` when it is complete.
    ///
    /// # Errors
    /// The connection broke, the service broke off, or sent nothing for a minute: what came so far
    /// is no usable file.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let timed_out = Error::Timeout { waiting_for: "the next part of a clip" };
        tokio::time::timeout(STALL_TIMEOUT, self.receiver.next()).await.unwrap_or(Err(timed_out))
    }
}

/// The service reads the index of the whole range before the first byte: 43,200 fragments a day.
const LAYOUT_TIMEOUT: Duration = Duration::from_secs(300);
const STALL_TIMEOUT: Duration = Duration::from_secs(60);
const ERROR_LEN_MAX: usize = 64 * 1024;
