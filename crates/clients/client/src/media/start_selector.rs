//! Where GetMedia starts (get-media.md §1.1).

use serde_json::{Value, json};
use streamkeep_media::UnixMillis;

/// StartSelector of GetMedia.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartSelector {
    /// The fragment being received, then live.
    Now,
    /// The oldest fragment kept.
    Earliest,
    /// The fragment after this one.
    FragmentNumber(String),
    /// The fragment that contains this server time.
    ServerTimestamp(UnixMillis),
    /// The fragment that contains this producer time.
    ProducerTimestamp(UnixMillis),
    /// Where an earlier reader left off.
    ContinuationToken(String),
}

impl StartSelector {
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Now => json!({ "StartSelectorType": "NOW" }),
            Self::Earliest => json!({ "StartSelectorType": "EARLIEST" }),
            Self::FragmentNumber(number) => {
                json!({ "StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": number })
            }
            Self::ServerTimestamp(time) => json!({
                "StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": time.as_secs_f64()
            }),
            Self::ProducerTimestamp(time) => json!({
                "StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": time.as_secs_f64()
            }),
            Self::ContinuationToken(token) => {
                json!({ "StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": token })
            }
        }
    }
}
