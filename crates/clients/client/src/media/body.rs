//! The bytes of a media answer as they come.

use bytes::Bytes;
use serde_json::{Value, json};

use super::StartSelector;
use crate::client::call_error;
use crate::http1::Receiver;
use crate::{Client, DataApi, Endpoint, Error};

/// The answer to GetMedia or GetMediaForFragmentList: Matroska documents, one for each fragment.
#[derive(Debug)]
pub struct MediaBody {
    receiver: Receiver,
}

impl MediaBody {
    /// GetMedia: from `start` on, then live without end.
    pub async fn get_media(
        client: &Client,
        stream_name: &str,
        start: &StartSelector,
    ) -> Result<Self, Error> {
        let endpoint = client.data_endpoint(stream_name, DataApi::GetMedia).await?;
        let input = json!({ "StreamName": stream_name, "StartSelector": start.to_json() });
        Self::open(client, &endpoint, "/getMedia", &input).await
    }

    /// GetMediaForFragmentList: these fragments, at most 1,000, in this order.
    pub async fn get_media_for_fragment_list(
        client: &Client,
        endpoint: &Endpoint,
        stream_name: &str,
        fragment_numbers: &[String],
    ) -> Result<Self, Error> {
        let input = json!({ "StreamName": stream_name, "Fragments": fragment_numbers });
        Self::open(client, endpoint, "/getMediaForFragmentList", &input).await
    }

    async fn open(
        client: &Client,
        endpoint: &Endpoint,
        path: &str,
        input: &Value,
    ) -> Result<Self, Error> {
        let (mut connection, head) = client.request(endpoint, path, &[], input).await?;
        if head.status != 200 {
            let body = connection.read_body(&head, ERROR_LEN_MAX).await.unwrap_or_default();
            return Err(call_error(&head, &body).into());
        }
        let (_sender, receiver) = connection.split(&head);
        Ok(Self { receiver })
    }

    /// The next bytes, as they arrived; `None` at the end. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.receiver.next().await
    }
}

const ERROR_LEN_MAX: usize = 64 * 1024;
