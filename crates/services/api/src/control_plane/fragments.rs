//! Paging of ListFragments.

use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};

use super::{ControlPlane, FragmentInfo};
use crate::{ApiError, FragmentRange, FragmentSelectorType, ListFragmentsRequest};

/// Which fragments a ListFragments answer is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentsPage {
    /// The range asked for first.
    pub range: FragmentRange,
    /// Where the page before ended: only what follows this time, and at this time this number.
    pub after: Option<(UnixMillis, FragmentNumber)>,
    /// 1..=1000.
    pub max_results: usize,
}

/// Selector type, start, end, time, number: 1 + 8 + 8 + 8 + 16 bytes.
const PAYLOAD_LEN: usize = 41;

impl ControlPlane {
    /// Opens the NextToken of a ListFragments, which carries the range: clients may or may not
    /// repeat it.
    ///
    /// # Errors
    /// InvalidArgumentException: the token was altered, issued for another stream, or comes with
    /// another range than it was issued for.
    pub fn fragments_page(
        &self,
        stream: StreamId,
        request: &ListFragmentsRequest,
    ) -> Result<FragmentsPage, ApiError> {
        let max_results = request.max_results;
        let refused = || {
            ApiError::invalid_argument(
                "NextToken was not issued by ListFragments for this stream and range.",
            )
        };
        let Some(token) = &request.next_token else {
            let range = request.range.ok_or_else(refused)?;
            return Ok(FragmentsPage { range, after: None, max_results });
        };
        let payload = self.tokens.open(&purpose(&stream), token).ok_or_else(refused)?;
        let (range, after) = decode(&payload).ok_or_else(refused)?;
        if request.range.is_some_and(|asked| asked != range) {
            return Err(refused());
        }
        Ok(FragmentsPage { range, after: Some(after), max_results })
    }

    /// The NextToken of an answer that ended with fragment `last` when more follow.
    pub fn fragments_token(
        &self,
        stream: StreamId,
        range: FragmentRange,
        last: &FragmentInfo,
    ) -> String {
        let mut payload = Vec::with_capacity(PAYLOAD_LEN);
        payload.push(match range.by {
            FragmentSelectorType::ProducerTimestamp => 0,
            FragmentSelectorType::ServerTimestamp => 1,
        });
        payload.extend_from_slice(&range.start.0.to_be_bytes());
        payload.extend_from_slice(&range.end.0.to_be_bytes());
        let time = match range.by {
            FragmentSelectorType::ProducerTimestamp => last.producer_timestamp,
            FragmentSelectorType::ServerTimestamp => last.server_timestamp,
        };
        payload.extend_from_slice(&time.0.to_be_bytes());
        payload.extend_from_slice(&last.number.to_be_bytes());
        self.tokens.seal(&purpose(&stream), &payload)
    }
}

fn purpose(stream: &StreamId) -> [&[u8]; 2] {
    [b"ListFragments", &stream.0]
}

fn decode(payload: &[u8]) -> Option<(FragmentRange, (UnixMillis, FragmentNumber))> {
    let payload: &[u8; PAYLOAD_LEN] = payload.try_into().ok()?;
    let (by, rest) = payload.split_first()?;
    let (start, rest) = rest.split_first_chunk()?;
    let (end, rest) = rest.split_first_chunk()?;
    let (after, rest) = rest.split_first_chunk()?;
    let (number, _) = rest.split_first_chunk()?;
    let by = match by {
        0 => FragmentSelectorType::ProducerTimestamp,
        1 => FragmentSelectorType::ServerTimestamp,
        _ => return None,
    };
    let time = |bytes: &[u8; 8]| UnixMillis(u64::from_be_bytes(*bytes));
    let range = FragmentRange { by, start: time(start), end: time(end) };
    Some((range, (time(after), FragmentNumber::from_be_bytes(*number))))
}
